//! The strong recipe: how a baseline is trained that a gain has to be shown against.

use crate::dataset::PrepareConfig;
use crate::loss::{contrastive_loss_of, triplet_loss_of};
use crate::sketch::AugmentConfig;
use crate::train::{FitConfig, Schedule};
use crate::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The loss that brings a sketch and its photo together.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TaskLoss {
    /// A hinge on triplets, with all other photos of the batch as negatives ([`triplet_loss_of`]).
    #[default]
    Triplet,
    /// The symmetric contrastive loss over the batch ([`contrastive_loss_of`]).
    Contrastive {
        /// What cosines are divided by.
        temperature: f64,
    },
}

impl TaskLoss {
    /// The loss of a batch from the squared distances of its sketches to its photos.
    ///
    /// # Shapes
    /// `squares` `(b, b)`, row i and column i belonging together; `owners` b photos; out a scalar.
    ///
    /// # Errors
    /// Other shapes; a batch of one photo.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use retrace::experiment::TaskLoss;
    /// let squares = Tensor::new(&[[0.1f32, 0.5], [0.4, 0.2]], &Device::Cpu)?;
    /// let loss = TaskLoss::Triplet.of(&squares, &[3, 8], 0.5)?.to_scalar::<f32>()?;
    /// assert!((loss - 0.2).abs() < 1e-6); // (0.1 + 0.5 - 0.5 and 0.2 + 0.5 - 0.4) / 2
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn of(self, squares: &Tensor, owners: &[usize], margin: f64) -> Result<Tensor> {
        match self {
            Self::Triplet => triplet_loss_of(squares, owners, margin),
            Self::Contrastive { temperature } => contrastive_loss_of(squares, temperature),
        }
    }

    /// Checks that it can be trained with.
    ///
    /// # Errors
    /// A temperature that is not above 0.
    pub fn check(self) -> Result<()> {
        match self {
            Self::Contrastive { temperature } if !(temperature.is_finite() && temperature > 0.0) => {
                Err(Error::value("config.task.temperature", "above 0", temperature))
            }
            _ => Ok(()),
        }
    }
}

/// A part of the strong recipe, as `+without=loss` leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipePart {
    /// The contrastive loss over the batch in the place of the triplet loss.
    Loss,
    /// One deformation for a sketch and its photo, with small ones of their own.
    Deformation,
    /// Pictures that are kept large, deformed and shrunk in one step.
    Warp,
    /// A rate that rises and falls, over batches of 32 and 20 passes.
    Schedule,
}

/// The settings of a paper that the recipe changes.
pub struct RecipeSettings<'a> {
    /// The loss.
    pub task: &'a mut TaskLoss,
    /// Size of the pictures.
    pub prepare: &'a mut PrepareConfig,
    /// Deformations in training.
    pub augment: &'a mut AugmentConfig,
    /// Length, batch and schedule.
    pub fit: &'a mut FitConfig,
    /// Whether the network is the small one of the embedded corpora, which keeps its rate and its passes.
    pub is_small: bool,
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

    /// Changes the settings; returns the rate to set on every optimiser, where this part has one.
    pub fn apply(self, settings: &mut RecipeSettings) -> Option<f64> {
        let RecipeSettings { task, prepare, augment, fit, is_small } = settings;
        match self {
            // 0.1: a usual temperature for small batches; not tuned.
            Self::Loss => **task = TaskLoss::Contrastive { temperature: 0.1 },
            Self::Deformation => **augment = AugmentConfig::paired(),
            // The size of most photos of the real sets, and twice the side of the small network.
            Self::Warp => prepare.source = Some(if *is_small { 128 } else { prepare.side.max(256) }),
            Self::Schedule => {
                (fit.schedule, fit.batch) = (Schedule::WarmCosine, 32);
                if !*is_small {
                    fit.epochs = 20;
                    return Some(2e-4);
                }
            }
        }
        None
    }

    /// The parts of `+recipe=NAME+without=PART`.
    ///
    /// ```
    /// use retrace::experiment::RecipePart;
    /// let parts = RecipePart::chosen("strong", Some("warp"))?;
    /// assert_eq!(parts, [RecipePart::Loss, RecipePart::Deformation, RecipePart::Schedule]);
    /// assert!(RecipePart::chosen("weak", None).is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another recipe; a part that it does not have.
    pub fn chosen(recipe: &str, without: Option<&str>) -> Result<Vec<Self>> {
        if recipe != "strong" {
            return Err(Error::value("+recipe", "strong (the plain one is usual)", format!("`{recipe}`")));
        }
        let without: Option<Self> = without.map(str::parse).transpose()?;
        Ok(Self::ALL.into_iter().filter(|part| Some(*part) != without).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperature_of_nothing_is_refused() {
        TaskLoss::Triplet.check().unwrap();
        TaskLoss::Contrastive { temperature: 0.1 }.check().unwrap();
        let refused = TaskLoss::Contrastive { temperature: 0.0 }.check().unwrap_err().to_string();
        assert_eq!(refused, "config.task.temperature: expected above 0, found 0");
    }

    #[test]
    fn parts_that_do_not_exist_are_refused() {
        let refused = RecipePart::chosen("strong", Some("luck")).unwrap_err().to_string();
        assert_eq!(refused, "+without: expected loss, deformation, warp, schedule, found `luck`");
    }
}
