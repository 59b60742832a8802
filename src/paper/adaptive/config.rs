//! Settings of the paper.

use super::inner::{Hinge, Order, StepConfig, StepRule};
use crate::experiment::{NeededWeights, Needs, Pictures, TaskLoss};
use crate::model::{Architecture, NormConfig, Squash};
use crate::run::is_default;
use crate::sketch::AugmentConfig;
use crate::train::{FitConfig, OptimiserConfig};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a network adapts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// A class that it was not trained on.
    Category,
    /// A person whose sketches it was not trained on.
    User,
}

/// What the inner loop moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Nothing: the row does not adapt.
    Nothing,
    /// M alone.
    Head,
    /// F and M.
    All,
}

/// Where the margin of the inner loop comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MarginSource {
    /// It is set.
    Fixed {
        /// mu.
        margin: f64,
    },
    /// One number for all tasks, that the outer loop learns.
    Learned {
        /// mu as training begins.
        start: f64,
    },
    /// A number for each task, from the features of its support.
    Predicted {
        /// mu as training begins, of every task.
        start: f64,
    },
}

/// The inner loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InnerConfig {
    /// What it moves.
    pub reach: Reach,
    /// Its margin.
    pub margin: MarginSource,
    /// Its steps.
    pub step: StepConfig,
}

/// Sizes of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeConfig {
    /// k: pairs of the support, in training and at test.
    pub shots: usize,
    /// Sketches that the outer loss is measured on, in training.
    pub queries: usize,
    /// Photos that both are compared with, in training; more where there are more own ones.
    pub gallery: usize,
    /// Tasks to a step.
    pub tasks: usize,
}

/// How a row is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Training {
    /// Batch by batch on the seen classes or people.
    Plain,
    /// Task by task: the outer loss after the inner loop.
    Episodes,
    /// As [`Training::Plain`], and then again from the start with the first network as a teacher.
    Distill {
        /// Of the loss that keeps distances near the teacher's.
        weight: f64,
    },
    /// As [`Training::Plain`], also on what others adapt to: the support parts of all test classes.
    Joint,
    /// A network for each test class, trained on its support part alone.
    PerClass {
        /// Passes over the part.
        passes: usize,
    },
}

/// Weights of the outer losses beside L_T, whose weight is 1; 0 leaves one out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossWeights {
    /// L_D: features of sketches and photos are not told apart.
    pub domain: f64,
    /// L_C: classes are.
    pub class: f64,
    /// L_S: features tell the word vector of the class.
    pub semantic: f64,
    /// L_ud: features of sketches tell who drew them.
    pub user: f64,
}

/// Everything that determines a run of this paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The backbone.
    pub architecture: Architecture,
    /// Its pre-trained weights.
    pub weights: String,
    /// Batch norm in training.
    pub norm: NormConfig,
    /// Attention on its last map.
    pub attention: Option<Squash>,
    /// d: numbers of a point.
    pub dimension: usize,
    /// Size and ink of the pictures.
    pub prepare: crate::dataset::PrepareConfig,
    /// Deformations in training.
    pub augment: AugmentConfig,
    /// Seen classes that are set aside for validation.
    pub valid_categories: usize,
    /// Training photos that are set aside instead, in a corpus of one class.
    pub valid_photos: usize,
    /// Whether every seed sets others aside; else all have those of seed 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub valid_by_seed: bool,
    /// What the network adapts to.
    pub setting: Setting,
    /// The corpus that it is trained on, where that is another one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub trained_on: Option<String>,
    /// How many of the training classes are used, by name; all where none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub classes: Option<usize>,
    /// How the row is trained.
    pub training: Training,
    /// Sizes of a task.
    pub episode: EpisodeConfig,
    /// The inner loop.
    pub inner: InnerConfig,
    /// The outer loss that brings a sketch and its photo together.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: TaskLoss,
    /// Its margin.
    pub margin: f64,
    /// The other outer losses.
    pub losses: LossWeights,
    /// The outer rule.
    pub optimiser: OptimiserConfig,
    /// Length, batch, schedule, selection.
    pub fit: FitConfig,
}

impl InnerConfig {
    /// No adaptation; the steps are those that would be taken.
    pub fn none() -> Self {
        let step =
            StepConfig { steps: 1, rate: 0.1, rule: StepRule::Gradient, order: Order::Second, hinge: Hinge::Hard };
        Self { reach: Reach::Nothing, margin: MarginSource::Fixed { margin: MARGIN }, step }
    }
}

/// The margin of triplets in the authors' program of the baseline.
pub(super) const MARGIN: f64 = 0.2;

impl Config {
    /// How pictures reach F.
    pub fn pictures(&self) -> Pictures {
        Pictures { prepare: self.prepare, augment: self.augment }
    }

    /// The weights that a run starts from, and its validation part.
    pub fn needs(&self) -> Needs {
        let weights = vec![NeededWeights::start(format!("{}-{}", self.architecture, self.weights))];
        let Self { valid_categories, valid_photos, valid_by_seed, .. } = *self;
        Needs { weights, valid_categories, valid_photos, valid_by_seed, is_trained: true }
    }

    /// The training that a row shares with others: what it does at test alone is left out.
    ///
    /// ```
    /// use retrace::paper::adaptive::Config;
    /// let lesson = |row| Ok::<_, retrace::Error>(Config::preset("synth-world", row)?.lesson());
    /// assert_eq!(lesson("fine-tune+shots=10")?, lesson("baseline")?);
    /// assert_ne!(lesson("ours+shots=10")?, lesson("ours")?);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn lesson(&self) -> Self {
        if self.training == Training::Episodes {
            return self.clone();
        }
        let episode = EpisodeConfig { shots: 0, queries: 0, gallery: 0, tasks: 0 };
        Self { inner: InnerConfig::none(), episode, ..self.clone() }
    }

    /// Checks that every setting can be trained with.
    ///
    /// # Errors
    /// The first setting that is not, with its name.
    pub fn check(&self) -> Result<()> {
        self.augment.check()?;
        self.prepare.check()?;
        self.task.check()?;
        let EpisodeConfig { shots, queries, gallery, tasks } = self.episode;
        for (name, least, found) in [
            ("config.dimension", 1, self.dimension),
            ("config.valid_categories or valid_photos", 1, self.valid_categories + self.valid_photos),
            ("config.fit.epochs", 1, self.fit.epochs),
            ("config.fit.batch", 2, self.fit.batch),
            ("config.episode.shots", 1, shots),
            ("config.episode.queries", 1, queries),
            ("config.episode.gallery", 2, gallery),
            ("config.episode.tasks", 1, tasks),
            ("config.classes", 2, self.classes.unwrap_or(2)),
        ] {
            if found < least {
                return Err(Error::value(name, format!("{least} or more"), found));
            }
        }
        self.check_inner()?;
        self.check_losses()
    }

    fn check_inner(&self) -> Result<()> {
        let InnerConfig { margin, step, reach } = self.inner;
        let (MarginSource::Fixed { margin: mu }
        | MarginSource::Learned { start: mu }
        | MarginSource::Predicted { start: mu }) = margin;
        if !(mu > 0.0 && mu < 1.0) {
            return Err(Error::value("config.inner.margin", "between 0 and 1", mu));
        }
        if !(step.rate.is_finite() && step.rate > 0.0) {
            return Err(Error::value("config.inner.step.rate", "above 0", step.rate));
        }
        if let Hinge::Soft { temperature } = step.hinge
            && !(temperature.is_finite() && temperature > 0.0)
        {
            return Err(Error::value("config.inner.step.hinge.temperature", "above 0", temperature));
        }
        let is_learned = !matches!(margin, MarginSource::Fixed { .. });
        if is_learned && (reach != Reach::Head || self.training != Training::Episodes) {
            return Err(Error::value("config.inner.margin", "fixed, where no outer loop reaches it", "a learned one"));
        }
        if self.training == Training::Episodes && reach == Reach::Nothing {
            return Err(Error::value("config.inner.reach", "head or all: tasks are trained to adapt to", "nothing"));
        }
        Ok(())
    }

    fn check_losses(&self) -> Result<()> {
        let LossWeights { domain, class, semantic, user } = self.losses;
        for (name, weight) in [("domain", domain), ("class", class), ("semantic", semantic), ("user", user)] {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(Error::value(format!("config.losses.{name}"), "0 or more", weight));
            }
        }
        match self.setting {
            Setting::User if matches!(self.training, Training::Joint | Training::PerClass { .. }) => {
                Err(Error::value("config.training", "one of people: all are of one class", "one of classes"))
            }
            Setting::User if class + semantic > 0.0 => Err(Error::value(
                "config.losses",
                "no class and no semantic loss: all is of one class",
                class + semantic,
            )),
            Setting::User if user > 0.0 && self.training == Training::Episodes && self.episode.tasks < 2 => {
                Err(Error::value("config.episode.tasks", "2 or more people for the user loss", self.episode.tasks))
            }
            Setting::Category if user > 0.0 => {
                Err(Error::value("config.losses.user", "0, as nobody is told apart", user))
            }
            _ => Ok(()),
        }
    }
}
