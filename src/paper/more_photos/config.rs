//! Settings of every row.

use super::stroke::Pen;
use crate::dataset::{Ink, PrepareConfig, is_embedded};
use crate::experiment::{NeededWeights, Needs, Pictures, TaskLoss};
use crate::model::{Architecture, NormConfig};
use crate::run::is_default;
use crate::sketch::AugmentConfig;
use crate::train::{FitConfig, OptimiserConfig, Schedule, SelectOn};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What the ranks of a row are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ranked {
    /// People's sketches of the test part, by the row's own retrieval network.
    Drawn,
    /// Sketches that the row's generator draws of the test photos, one in the place of each person's, by the retrieval
    /// network that was trained on the labelled pairs alone.
    Generated,
}

/// The retrieval network and its training on labelled pairs (Sec. 3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrievalConfig {
    /// The backbone.
    pub architecture: Architecture,
    /// Its pre-trained weights.
    pub weights: String,
    /// Batch norm in training.
    pub norm: NormConfig,
    /// Size and ink of the pictures.
    pub prepare: PrepareConfig,
    /// Deformations in training.
    pub augment: AugmentConfig,
    /// The loss; left out of a record where it is Eq. 4.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: TaskLoss,
    /// mu of Eq. 4.
    pub margin: f64,
    /// The rule.
    pub optimiser: OptimiserConfig,
    /// Length, batch, schedule, selection.
    pub fit: FitConfig,
}

/// How a generator of strokes sees the photo while it draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// By one vector, which comes in at every step: Pix2Seq, and with two ways L2S.
    Vector,
    /// By attention over the places of the map, whose neighbours count (Eq. 2).
    Map,
    /// By attention over the places one after the other, as a line of them: the 1-d attention of Sec. 4.3.
    Line,
}

/// What a generator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Drawn {
    /// Strokes, point by point.
    Strokes {
        /// How it sees the photo.
        sight: Sight,
        /// Whether it also learns the way back and each side's own reconstruction: L2S.
        two_way: bool,
    },
    /// Pixels: Pix2Pix.
    Pixels {
        /// Whether the nearest of several people's sketches counts and not each: `PhotoSketch`.
        nearest: bool,
    },
}

/// The generator and its training on labelled pairs (Sec. 3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorConfig {
    /// What it gives.
    pub drawn: Drawn,
    /// What it knows of the pen.
    pub pen: Pen,
    /// Numbers of z.
    pub latent: usize,
    /// Numbers of the recurrent state.
    pub width: usize,
    /// Numbers of a key of the attention.
    pub keys: usize,
    /// Normal distributions of a point.
    pub mixtures: usize,
    /// Most points of a sketch.
    pub points: usize,
    /// Points nearer than this to the line without them are left out, in pixels of the canvas.
    pub tolerance: f32,
    /// How a photo and its sketch are deformed in training, both alike.
    pub augment: AugmentConfig,
    /// Weight of the divergence (omega of Eq. 3), where it ends.
    pub divergence: f64,
    /// Share of that weight at the first step; it rises to 1 with the half of the training.
    pub divergence_start: f64,
    /// How far the choice of a point is flattened (above 1) or sharpened (below) where sketches are drawn.
    pub temperature: f32,
    /// Largest length of a gradient.
    pub clip: f64,
    /// The rule.
    pub optimiser: OptimiserConfig,
    /// Length, batch, schedule, selection.
    pub fit: FitConfig,
    /// Passes over drawings without photos before that, which are shown to it as photos.
    pub rehearsal: usize,
}

/// How much a generated pair counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Weighing {
    /// As much as a labelled one.
    Even,
    /// As much as the discriminator is certain of it (Eq. 7).
    Certainty,
    /// Wholly, where it is certain enough, else not at all (supplement, B).
    Threshold(f64),
}

/// What a copy of the retrieval network, trained on labelled pairs alone, teaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Teacher {
    /// Nothing.
    None,
    /// The distance of a sketch and its photo (Eq. 6).
    Relative,
    /// The points of both.
    Absolute,
}

/// What the generator is rewarded for (Eq. 8).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reward {
    /// Lambda r1, of a low triplet loss.
    pub retrieval: f64,
    /// Lambda r2, of certainty.
    pub certainty: f64,
}

/// Training with generated pairs (Sec. 3.3 and 3.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SemiConfig {
    /// How much a generated pair counts.
    pub weighing: Weighing,
    /// Who teaches.
    pub teacher: Teacher,
    /// Lambda kd of Eq. 7.
    pub distillation: f64,
    /// Whether the generator goes on learning, and what for; none where it stays.
    pub reward: Option<Reward>,
    /// Lambda G of Eq. 9.
    pub policy: f64,
    /// `k_r` and `k_g` of Algorithm 1.
    pub steps: [usize; 2],
    /// Width of the discriminator's first layer.
    pub critic: usize,
    /// Of both networks and the discriminator.
    pub optimiser: OptimiserConfig,
    /// Length, batch (of labelled and of generated pairs), schedule, selection.
    pub fit: FitConfig,
}

/// Photos without sketches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Unlabelled {
    /// So many further photos of an embedded corpus.
    Drawn(usize),
    /// All photos of folders of the data, but copies of test photos.
    Folders(Vec<String>),
}

/// Everything that determines a run of this paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the ranks are of.
    pub ranked: Ranked,
    /// The retrieval network.
    pub retrieval: RetrievalConfig,
    /// The generator; none of rows without one.
    pub generator: Option<GeneratorConfig>,
    /// Training with generated pairs; none of rows that are trained on labelled ones alone.
    pub semi: Option<SemiConfig>,
    /// Share of the training photos whose sketches are used, in percent.
    pub labelled: u32,
    /// Photos without sketches.
    pub unlabelled: Unlabelled,
    /// Training photos that are set aside for validation.
    pub valid_photos: usize,
    /// Whether every seed sets others aside; else all have those of seed 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub valid_by_seed: bool,
}

impl RetrievalConfig {
    /// EfficientNet-Lite0 with `ImageNet` weights at 128 px, for the real corpora.
    pub(super) fn lite() -> Self {
        Self {
            architecture: Architecture::EfficientNetLite0,
            weights: "imagenet".into(),
            norm: NormConfig::running(),
            prepare: PrepareConfig::new(128, Ink::DarkOnWhite { width: 3.0 }),
            augment: AugmentConfig::default(),
            task: TaskLoss::Triplet,
            margin: 0.3,                            // Sec. 4
            optimiser: OptimiserConfig::adam(1e-4), // Sec. 4
            fit: FitConfig {
                epochs: 15,
                batch: 16, // Sec. 4
                schedule: Schedule::Constant,
                select_on: SelectOn::ValidMean,
            },
        }
    }

    /// The small residual network at 64 px, for the embedded corpora.
    pub(super) fn mini(epochs: usize) -> Self {
        let plain = Self::lite();
        Self {
            architecture: Architecture::Mini,
            weights: "attributes".into(),
            prepare: PrepareConfig::new(64, Ink::DarkOnWhite { width: 4.0 }), // one pixel of 64
            optimiser: OptimiserConfig::adam(5e-4),                           // as this network has elsewhere
            fit: FitConfig { epochs, schedule: Schedule::Cosine, ..plain.fit },
            ..plain
        }
    }

    /// How pictures reach the network.
    pub fn pictures(&self) -> Pictures {
        Pictures { prepare: self.prepare, augment: self.augment }
    }

    /// The weights that it starts from.
    pub fn start(&self) -> NeededWeights {
        NeededWeights::start(format!("{}-{}", self.architecture, self.weights))
    }
}

impl GeneratorConfig {
    /// The proposed generator (Sec. 3.1, Sec. 4), of half the paper's widths.
    pub(super) fn proposed(epochs: usize) -> Self {
        Self {
            drawn: Drawn::Strokes { sight: Sight::Map, two_way: false },
            pen: Pen::Place, // the paper's generator knows the last row alone
            latent: 128,     // Sec. 4
            width: 256,      // 512 in Sec. 4: four times the work of a step
            keys: 128,       // 256 in Sec. 4
            mixtures: 20,    // Sec. 3.1
            points: 100,     // Sec. 4
            tolerance: 3.0,  // of the authors' program, on a canvas of 256
            augment: AugmentConfig::paired(),
            divergence: 1.0,                        // Sec. 4
            divergence_start: 0.01,                 // of the authors' program
            temperature: 0.4,                       // lines of the paper's figures hardly shake; chosen on validation
            clip: 1.0,                              // of the authors' program
            optimiser: OptimiserConfig::adam(1e-3), // 1e-4 in Sec. 4, over 200,000 steps
            fit: FitConfig { epochs, batch: 32, schedule: Schedule::Cosine, select_on: SelectOn::Last }, // batch 64 in Sec. 4
            rehearsal: 1,
        }
    }
}

impl SemiConfig {
    /// The proposed training (Sec. 3.4, Sec. 4).
    pub(super) fn proposed(epochs: usize, rate: f64) -> Self {
        Self {
            weighing: Weighing::Certainty,
            teacher: Teacher::Relative,
            distillation: 0.1,                                       // Sec. 4
            reward: Some(Reward { retrieval: 1.0, certainty: 1.0 }), // Sec. 4
            policy: 10.0,                                            // Sec. 4
            steps: [5, 5],                                           // Sec. 4
            critic: 32,                                              // 64 in Isola et al., on pictures of 256
            optimiser: OptimiserConfig::adam(rate),
            fit: FitConfig { epochs, batch: 16, schedule: Schedule::Cosine, select_on: SelectOn::ValidMean },
        }
    }
}

impl Config {
    /// Settings that all rows of a corpus begin with: retrieval on labelled pairs.
    pub(super) fn plain(dataset: &str) -> Self {
        let (retrieval, unlabelled, valid_photos) = match dataset {
            "synth-shoe" => (RetrievalConfig::mini(10), Unlabelled::Drawn(9000), 180), // five times the 1,800 photos
            _ if is_embedded(dataset) => (RetrievalConfig::mini(20), Unlabelled::Drawn(1500), 30),
            "qmul-shoe-v1" => {
                let folders = ["QMUL-Shoe-V2-photos", "Shoe-photos-unlabelled"].map(String::from);
                (RetrievalConfig::lite(), Unlabelled::Folders(folders.into()), 30)
            }
            _ => (RetrievalConfig::lite(), Unlabelled::Folders(vec!["Chair-photos-unlabelled".into()]), 30),
        };
        Self {
            ranked: Ranked::Drawn,
            retrieval,
            generator: None,
            semi: None,
            labelled: 100,
            unlabelled,
            valid_photos,
            valid_by_seed: false,
        }
    }

    /// The weights that a run starts from, and its validation photos.
    pub fn needs(&self) -> Needs {
        Needs {
            weights: vec![self.retrieval.start()],
            valid_photos: self.valid_photos,
            valid_by_seed: self.valid_by_seed,
            is_trained: true,
            ..Needs::default()
        }
    }

    /// Checks that every setting can be trained with.
    ///
    /// # Errors
    /// The first setting that is not, with its name.
    pub fn check(&self) -> Result<()> {
        let at_least = |name: &str, least: usize, found: usize| {
            if found >= least { Ok(()) } else { Err(Error::value(name, format!("{least} or more"), found)) }
        };
        let within = |name: &str, is_fine: bool, expected: &str, found: f64| {
            if is_fine { Ok(()) } else { Err(Error::value(name, expected, found)) }
        };
        let positive = |name: &str, value: f64| within(name, value.is_finite() && value >= 0.0, "0 or more", value);
        self.retrieval.augment.check()?;
        self.retrieval.prepare.check()?;
        self.retrieval.task.check()?;
        at_least("config.valid_photos", 2, self.valid_photos)?;
        at_least("config.retrieval.fit.epochs", 1, self.retrieval.fit.epochs)?;
        at_least("config.retrieval.fit.batch", 2, self.retrieval.fit.batch)?;
        positive("config.retrieval.margin", self.retrieval.margin)?;
        within("config.labelled", (1..=100).contains(&self.labelled), "1 to 100 percent", self.labelled.into())?;
        if self.ranked == Ranked::Generated && self.generator.is_none() {
            return Err(Error::value("config.generator", "one, as its sketches are ranked", "none"));
        }
        if self.semi.is_some() && self.generator.is_none() {
            return Err(Error::value("config.generator", "one, as it makes pairs", "none"));
        }
        if let Some(generator) = &self.generator {
            generator.check()?;
        }
        if let Some(semi) = &self.semi {
            at_least("config.semi.fit.epochs", 1, semi.fit.epochs)?;
            at_least("config.semi.fit.batch", 2, semi.fit.batch)?;
            at_least("config.semi.steps", 1, semi.steps[0])?;
            at_least("config.semi.critic", 1, semi.critic)?;
            positive("config.semi.distillation", semi.distillation)?;
            positive("config.semi.policy", semi.policy)?;
            if let Weighing::Threshold(least) = semi.weighing {
                within("config.semi.weighing", (0.0..=1.0).contains(&least), "0 to 1", least)?;
            }
        }
        Ok(())
    }
}

impl GeneratorConfig {
    fn check(&self) -> Result<()> {
        for (name, found) in [
            ("latent", self.latent),
            ("width", self.width),
            ("keys", self.keys),
            ("mixtures", self.mixtures),
            ("points", self.points),
            ("fit.epochs", self.fit.epochs),
            ("fit.batch", self.fit.batch),
        ] {
            if found == 0 {
                return Err(Error::value(format!("config.generator.{name}"), "1 or more", found));
            }
        }
        self.augment.check()?;
        crate::loss::check_temperature(self.temperature)?;
        if !(self.clip.is_finite() && self.clip > 0.0) {
            return Err(Error::value("config.generator.clip", "above 0", self.clip));
        }
        Ok(())
    }
}
