//! The strong recipe: how a baseline is trained that a gain has to be shown against.

use super::{Config, TaskLoss};
use crate::model::Architecture;
use crate::sketch::AugmentConfig;
use crate::train::Schedule;
use crate::{Error, Result};
use std::str::FromStr;

/// A part of the strong recipe, as `+without=loss` leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipePart {
    /// The contrastive loss over the batch in the place of Eq. 1.
    Loss,
    /// One deformation for a sketch and its photo, with small ones of their own.
    Deformation,
    /// Pictures that are kept large, deformed and shrunk in one step.
    Warp,
    /// A rate that rises and falls, over batches of 32 and 20 passes.
    Schedule,
}

impl RecipePart {
    /// All parts, in the order in which an error lists them.
    pub const ALL: [Self; 4] = [Self::Loss, Self::Deformation, Self::Warp, Self::Schedule];

    /// As in a row's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Deformation => "deformation",
            Self::Warp => "warp",
            Self::Schedule => "schedule",
        }
    }

    /// The settings with this part.
    fn apply(self, config: &mut Config) {
        let is_small = config.architecture == Architecture::Mini;
        match self {
            // 0.1: a usual temperature for small batches; not tuned.
            Self::Loss => config.task = TaskLoss::Contrastive { temperature: 0.1 },
            Self::Deformation => config.augment = AugmentConfig::paired(),
            // The size of most photos of the real sets, and twice the side of the small network.
            Self::Warp => config.prepare.source = Some(if is_small { 128 } else { config.prepare.side.max(256) }),
            Self::Schedule => {
                (config.fit.schedule, config.fit.batch) = (Schedule::WarmCosine, 32);
                if !is_small {
                    config.fit.epochs = 20;
                    config.update.change_optimisers(|optimiser| optimiser.rate = 2e-4);
                }
            }
        }
    }
}

impl FromStr for RecipePart {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|part| part.name() == name);
        found.ok_or_else(|| Error::value("+without", names(), format!("`{name}`")))
    }
}

impl Config {
    /// The same row with the strong recipe, but for a part of it.
    ///
    /// Every seed has a validation part of its own, so that the spread of seeds holds the choice of the part.
    pub(super) fn strong(&mut self, without: Option<RecipePart>) {
        RecipePart::ALL.into_iter().filter(|part| Some(*part) != without).for_each(|part| part.apply(self));
        self.valid_by_seed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(row: &str) -> Config {
        Config::preset("qmul-shoe-v1", row).unwrap()
    }

    #[test]
    fn strong_recipe_changes_what_its_parts_name_and_nothing_else() {
        let (plain, strong) = (preset("ours-base"), preset("ours-base+recipe=strong"));
        assert_eq!(strong.task, TaskLoss::Contrastive { temperature: 0.1 });
        assert_eq!((strong.prepare.side, strong.prepare.source), (128, Some(256)));
        assert_eq!((strong.fit.epochs, strong.fit.batch, strong.fit.schedule), (20, 32, Schedule::WarmCosine));
        assert_eq!(strong.update.optimisers()[0].rate, 2e-4);
        assert!(strong.valid_by_seed && !plain.valid_by_seed);
        let Config { task, augment, prepare, fit, update, valid_by_seed, .. } = plain.clone();
        assert_eq!(Config { task, augment, prepare, fit, update, valid_by_seed, ..strong }, plain);
    }

    #[test]
    fn without_a_part_only_that_part_is_plain() {
        let (plain, strong) = (preset("ours-base"), preset("ours-base+recipe=strong"));
        for part in RecipePart::ALL {
            let one = preset(&format!("ours-base+recipe=strong+without={}", part.name()));
            let mut mended = one.clone();
            part.apply(&mut mended);
            assert!(one != strong && mended == strong, "{part:?}");
        }
        assert_eq!(preset("ours-base+recipe=strong+without=loss").task, plain.task);
        assert_eq!(preset("ours-base+recipe=strong+without=warp").prepare, plain.prepare);
    }

    #[test]
    fn both_steps_of_ours_have_the_rate_of_the_recipe() {
        let rates: Vec<f64> = preset("ours+recipe=strong").update.optimisers().iter().map(|rule| rule.rate).collect();
        assert_eq!(rates, [2e-4, 2e-4]);
        let mini = Config::preset("synth-chair", "ours+recipe=strong").unwrap();
        assert_eq!((mini.prepare.source, mini.update.optimisers()[0].rate), (Some(128), 5e-4));
    }

    #[test]
    fn recipes_that_do_not_exist_are_refused() {
        let message = |row| Config::preset("qmul-shoe-v1", row).unwrap_err().to_string();
        assert!(message("ours-base+recipe=weak").contains("strong"));
        assert!(message("ours-base+recipe=strong+without=luck").contains("loss, deformation, warp, schedule"));
        assert!(message("ours-base+without=loss").contains("+recipe=strong"));
        assert!(message("ours-base-frozen+recipe=strong").contains("trained as a whole"));
        assert!(message("ours-base+side=8").contains("16 to 1024"));
    }
}
