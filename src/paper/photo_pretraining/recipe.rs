//! The strong recipe on the settings of this paper.

use super::Config;
use crate::experiment::{RecipePart, RecipeSettings};
use crate::model::Architecture;

impl Config {
    /// The same row with parts of the strong recipe.
    ///
    /// Every seed has a validation part of its own, so that the spread of seeds holds the choice of the part.
    pub(super) fn strengthen(&mut self, parts: &[RecipePart]) {
        let is_small = self.architecture == Architecture::Mini;
        let Self { task, prepare, augment, fit, update, .. } = self;
        let mut settings = RecipeSettings { task, prepare, augment, fit, is_small };
        for rate in parts.iter().filter_map(|part| part.apply(&mut settings)) {
            update.change_optimisers(|optimiser| optimiser.rate = rate);
        }
        self.valid_by_seed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::TaskLoss;
    use crate::train::Schedule;

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
            mended.strengthen(&[part]);
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
