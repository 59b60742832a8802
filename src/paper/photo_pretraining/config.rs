use crate::dataset::{Album, Ink, PrepareConfig};
use crate::experiment::{NeededWeights, Needs, Pictures, TaskLoss};
use crate::loss::Draw;
use crate::model::{Architecture, HeadConfig, NetworkConfig, NormConfig};
use crate::run::is_default;
use crate::sketch::AugmentConfig;
use crate::train::{FitConfig, OptimiserConfig, Pixels, Schedule, SelectOn};
use crate::{Error, Result};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::str::FromStr;

/// How the two losses update the network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Update {
    /// No update: the pre-trained network as it is.
    ZeroShot,
    /// The triplet loss alone, Eq. 1: `Ours-Base`.
    Base {
        /// Optimiser of the triplet loss.
        task: OptimiserConfig,
    },
    /// Both losses in one sum, Eq. 5.
    MultiTask {
        /// Optimiser of the sum.
        task: OptimiserConfig,
        /// Weight of the triplet loss.
        alpha: f64,
        /// Weight of the topology loss.
        beta: f64,
    },
    /// The topology loss at the parameters that the triplet loss has just moved, Eq. 9: `Ours`.
    MetaFirst {
        /// Optimiser of the triplet loss; its rate is the paper's eta_s.
        task: OptimiserConfig,
        /// Optimiser of the topology loss; its rate is the paper's eta_t.
        meta: OptimiserConfig,
    },
    /// Eq. 9 and the second-order term by finite differences, Eq. 8.
    MetaFull {
        /// As in Eq. 9.
        task: OptimiserConfig,
        /// As in Eq. 9.
        meta: OptimiserConfig,
        /// The difference is taken `epsilon / |gradient|` along the gradient to either side.
        epsilon: f64,
        /// The sign before the second-order term; see [`Curvature`].
        curvature: Curvature,
    },
}

impl Update {
    /// The row that is named after it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Base { .. } => "ours-base",
            Self::MultiTask { .. } => "multi-task",
            Self::MetaFirst { .. } => "ours",
            Self::MetaFull { .. } => "meta-full",
        }
    }

    /// Changes every optimiser.
    pub(super) fn change_optimisers(&mut self, change: impl Fn(&mut OptimiserConfig)) {
        match self {
            Self::ZeroShot => {}
            Self::Base { task } | Self::MultiTask { task, .. } => change(task),
            Self::MetaFirst { task, meta } | Self::MetaFull { task, meta, .. } => {
                change(task);
                change(meta);
            }
        }
    }

    /// Whether the topology of the training photos is needed.
    pub fn needs_neighbours(&self) -> bool {
        !matches!(self, Self::ZeroShot | Self::Base { .. })
    }

    /// Its optimisers, in the order in which they step.
    pub fn optimisers(&self) -> Vec<OptimiserConfig> {
        match *self {
            Self::ZeroShot => vec![],
            Self::Base { task } | Self::MultiTask { task, .. } => vec![task],
            Self::MetaFirst { task, meta } | Self::MetaFull { task, meta, .. } => vec![task, meta],
        }
    }
}

/// The sign before the second-order term of Eq. 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curvature {
    /// As Eq. 7 and 8 print it: the term is subtracted from the parameters.
    Printed,
    /// As the chain rule on Eq. 6 gives it: the term is added to the parameters.
    ChainRule,
}

/// The query of a topology triple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// A sketch of the photo: Eq. 4.
    #[default]
    Sketch,
    /// The photo itself: Eq. 3, which the paper shows to separate the two domains.
    Photo,
}

impl FromStr for Query {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "sketch" => Ok(Self::Sketch),
            "photo" => Ok(Self::Photo),
            _ => Err(Error::value("query", "sketch or photo", format!("`{name}`"))),
        }
    }
}

/// The neighbourhood topology loss.
///
/// Newer fields are left out of a record where they have their old meaning, so that its hash does not change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbourhood {
    /// K: random pairs of photos to a query.
    pub pairs: usize,
    /// The margin of Eq. 4.
    pub margin: f64,
    /// Which photos a triple compares.
    #[serde(default, skip_serializing_if = "is_default")]
    pub draw: Draw,
    /// Eq. 4 or Eq. 3.
    #[serde(default, skip_serializing_if = "is_default")]
    pub query: Query,
    /// The weights that R comes from, where they are not those that are trained (Table 4).
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: Option<String>,
}

impl Neighbourhood {
    /// Eq. 4 with R from the network itself.
    pub fn new(pairs: usize, margin: f64) -> Self {
        Self { pairs, margin, draw: Draw::default(), query: Query::default(), source: None }
    }
}

/// Everything that determines a run of this paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network.
    pub architecture: Architecture,
    /// Name of its pre-trained weights: `imagenet` (imported) or `attributes` (shipped).
    pub weights: String,
    /// Deformed versions whose features are kept, where the backbone is frozen; none where it is trained.
    pub frozen: Option<u32>,
    /// A linear layer on the pooled features.
    pub head: Option<HeadConfig>,
    /// Batch norm in training.
    pub norm: NormConfig,
    /// Size and ink of the pictures.
    pub prepare: PrepareConfig,
    /// Deformations in training.
    pub augment: AugmentConfig,
    /// Training photos that are set aside for validation, with their sketches.
    pub valid_photos: usize,
    /// The loss of the task; left out of a record where it is Eq. 1.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: TaskLoss,
    /// Whether every seed has a validation part of its own, drawn anew; else all have the one of seed 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub valid_by_seed: bool,
    /// Whether the network is trained anew, on training and validation pairs, once validation has chosen the epoch.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retrain: bool,
    /// The margin of Eq. 1.
    pub margin: f64,
    /// The topology loss, where the update uses it.
    pub neighbourhood: Neighbourhood,
    /// How the losses update the network.
    pub update: Update,
    /// Common length of all gradients of a loss, above which they are scaled down.
    pub clip: Option<f64>,
    /// Length, batch, schedule, selection.
    pub fit: FitConfig,
}

impl Config {
    /// The one network of the paper: sketches and photos go through the same weights.
    pub fn network(&self) -> NetworkConfig {
        let Self { architecture, norm, head, frozen, .. } = *self;
        NetworkConfig { architecture, norm, head, frozen: frozen.is_some() }
    }

    /// Checks that every setting can be trained with.
    ///
    /// # Errors
    /// The first setting that is not, with its name.
    pub fn check(&self) -> Result<()> {
        self.augment.check()?;
        self.prepare.check()?;
        self.task.check()?;
        let trained = self.update != Update::ZeroShot;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let rates: Vec<f64> = self.update.optimisers().iter().map(|rule| rule.rate).collect();
        let (head, pairs) = (self.head.map(|head| head.dimension), self.neighbourhood.pairs);
        let (epochs, batch) = (self.fit.epochs, self.fit.batch);
        let by_validation = matches!(self.fit.select_on, SelectOn::ValidAcc1 | SelectOn::ValidMean);
        let fields: [(&str, bool, &str, &dyn Debug); 12] = [
            ("head.dimension", head.is_none_or(|d| (1..=65_536).contains(&d)), "1 to 65536", &head.unwrap_or(0)),
            (
                "valid_photos",
                !trained || self.valid_photos >= 2,
                "2 or more: among one photo every query is right",
                &self.valid_photos,
            ),
            ("margin", self.margin.is_finite() && self.margin >= 0.0, "0 or more", &self.margin),
            (
                "neighbourhood.margin",
                self.neighbourhood.margin.is_finite(),
                "a finite number",
                &self.neighbourhood.margin,
            ),
            ("neighbourhood.pairs", pairs >= 1, "1 or more", &pairs),
            ("clip", self.clip.is_none_or(positive), "above 0, or null", &self.clip.unwrap_or(0.0)),
            ("fit.epochs", !trained || epochs >= 1, "1 or more", &epochs),
            ("fit.batch", !trained || batch >= 3, "3 or more: a topology triple has three photos", &batch),
            ("update rate", rates.iter().all(|rate| positive(*rate)), "above 0", &rates),
            (
                "augment.own",
                self.frozen.is_none() || self.augment.own.is_none(),
                "null where the backbone is frozen: its pictures are not deformed in pairs",
                &self.augment.own,
            ),
            (
                "retrain",
                !self.retrain || (trained && self.frozen.is_none() && by_validation),
                "false, or a network that is trained as a whole and whose epoch validation chooses",
                &self.retrain,
            ),
            (
                "frozen",
                self.frozen.is_none() || self.head.is_some(),
                "null, or a head to train",
                &self.frozen.unwrap_or(0),
            ),
        ];
        match fields.into_iter().find(|field| !field.1) {
            Some((name, _, expected, found)) => {
                Err(Error::value(format!("config.{name}"), expected, format!("{found:?}")))
            }
            None => Ok(()),
        }
    }

    /// How pictures reach the network.
    pub fn pictures(&self) -> Pictures {
        Pictures { prepare: self.prepare, augment: self.augment }
    }

    /// Pixels of an album as the network expects them.
    pub fn pixels<'a>(&self, album: &'a Album, device: &Device) -> Pixels<'a> {
        let normalisation = self.architecture.normalisation();
        Pixels { augment: self.augment, ..Pixels::plain(album, normalisation, device) }
    }

    /// What a run with these settings needs: the weights that it starts from, and those that R comes from.
    pub fn needs(&self) -> Needs {
        let file = |name: &str| format!("{}-{name}", self.architecture);
        let source = self.neighbourhood.source.as_ref();
        let source = source.map(|name| NeededWeights { name: file(name), role: Some("R") });
        let is_trained = self.update != Update::ZeroShot;
        let weights = std::iter::once(NeededWeights::start(file(&self.weights))).chain(source).collect();
        let (valid_photos, valid_by_seed) = (self.valid_photos, self.valid_by_seed);
        Needs { weights, valid_photos, valid_categories: 0, valid_by_seed, is_trained }
    }

    /// EfficientNet-Lite0 with ImageNet weights, all of it trained, for the real corpora.
    pub fn lite() -> Self {
        Self {
            architecture: Architecture::EfficientNetLite0,
            weights: "imagenet".into(),
            frozen: None,
            head: None,
            norm: NormConfig::running(), // batches of 16 pairs are small for statistics of their own
            prepare: PrepareConfig::new(128, Ink::DarkOnWhite { width: 3.0 }),
            augment: AugmentConfig::default(),
            valid_photos: 30, // a tenth of Chair-V2's and Shoe-V1's training photos
            task: TaskLoss::Triplet,
            valid_by_seed: false,
            retrain: false,
            margin: 0.3, // distances of unit vectors lie in 0..2; the paper prints no number
            neighbourhood: Neighbourhood::new(10, 0.01), // Table 3, the shaded row
            update: Update::Base { task: OptimiserConfig::adam(1e-4) },
            clip: None,
            fit: FitConfig {
                epochs: 15,
                batch: 16,
                schedule: Schedule::Constant,
                select_on: SelectOn::ValidMean, // 30 photos are few: Acc@1 alone is noise
            },
        }
    }

    /// The same with the backbone frozen: features are computed once and a linear layer on them is trained.
    pub fn frozen() -> Self {
        let plain = Self::lite();
        let update = Update::Base { task: OptimiserConfig::adam(1e-4) };
        // Validation accuracy is flat after 20 epochs (Chair-V2, seed 0).
        let fit = FitConfig { epochs: 30, batch: 32, ..plain.fit };
        let start = crate::model::HeadStart::Identity;
        let head = Some(HeadConfig { dimension: 1280, start });
        Self { frozen: Some(8), head, update, fit, ..plain }
    }

    /// The small network for the embedded corpora, pre-trained on labelled synthetic photos.
    pub fn mini(dataset: &str) -> Self {
        let plain = Self::lite();
        // Validation accuracy is flat by then on chairs; shoes, with six times as many sketches, still gain after 6.
        let (epochs, valid_photos) = match dataset {
            "synth-shoe" => (10, 180),
            "synth-world" | "synth-world-seen" => (10, 330), // ten photos of each of the 33 seen categories
            "synth-scene" => (20, 100),
            _ => (20, 30),
        };
        let fit = FitConfig { epochs, batch: 32, schedule: Schedule::Cosine, select_on: SelectOn::ValidMean };
        Self {
            architecture: Architecture::Mini,
            weights: "attributes".into(),
            prepare: PrepareConfig::new(64, Ink::DarkOnWhite { width: 4.0 }), // one pixel of 64
            valid_photos,
            update: Update::Base { task: OptimiserConfig::adam(5e-4) },
            fit,
            ..plain
        }
    }
}
