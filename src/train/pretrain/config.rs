//! What determines a pre-training.

use super::colour::ColourConfig;
use super::method::PretrainMethod;
use crate::dataset::{Ink, PrepareConfig};
use crate::model::Architecture;
use crate::run::RunFolder;
use crate::sketch::AugmentConfig;
use crate::train::{OptimiserConfig, Schedule};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The records' folder in `results/`.
pub const SLUG: &str = "pretraining";

/// Everything that determines a pre-training, beside its seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// The method; left out of a record where it is `attributes`, as in records older than the other methods.
    #[serde(default, skip_serializing_if = "PretrainMethod::is_attributes")]
    pub method: PretrainMethod,
    /// Weights that it starts from, e.g. `imagenet`; none: seeded initial values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// A folder of the real corpora with photos without labels, or several, joined by `+`; none: the synthetic stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<String>,
    /// The network.
    pub architecture: Architecture,
    /// Photos that are trained on: the stream's first.
    pub photos: usize,
    /// Photos that accuracy is measured on: the stream's next.
    pub valid_photos: usize,
    /// Width and height, in pixels.
    pub side: u32,
    /// Passes over the training photos.
    pub epochs: usize,
    /// Photos to a step; photos after the last full batch of an epoch are skipped.
    pub batch: usize,
    /// The optimiser of all parameters.
    pub optimiser: OptimiserConfig,
    /// The schedule of the rate.
    pub schedule: Schedule,
    /// Deformations in training.
    pub augment: AugmentConfig,
    /// Changes of colour in training.
    pub colour: ColourConfig,
    /// The size at which pictures are kept, to be deformed and shrunk in one step; none: that of `side`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<u32>,
}

impl PretrainConfig {
    /// What stands between the folders of photos.
    pub(super) const BETWEEN: char = '+';

    /// The small network at 64 pixels, within six minutes of one core.
    ///
    /// ```
    /// use retrace::train::pretrain::{PretrainMethod, PretrainConfig};
    /// assert_eq!(PretrainConfig::mini(PretrainMethod::Attributes).name(), "mini-attributes");
    /// assert_eq!(PretrainConfig::mini("obow".parse()?).name(), "mini-obow");
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn mini(method: PretrainMethod) -> Self {
        let plain = AugmentConfig::default();
        let edges = method.is_edges();
        let (batch, augment) = match method {
            // More steps in the same time than larger ones, and enough for statistics of the batch.
            PretrainMethod::Attributes | PretrainMethod::Jigsaw { .. } => (32, plain),
            // A photo is distinguished from the rest of its batch: larger batches make that harder.
            PretrainMethod::Clip { .. } => (64, plain),
            // Views must differ for their agreement to say something: zoom and shift stand in for crops.
            PretrainMethod::BarlowTwins { .. } | PretrainMethod::Obow { .. } => {
                (64, AugmentConfig { shift: 0.15, scale: 0.3, ..plain })
            }
            // As pairs of a sketch and its photo are deformed.
            PretrainMethod::Edges { .. } => (64, AugmentConfig::paired()),
        };
        Self {
            method,
            start: None,
            corpus: None,
            architecture: Architecture::Mini,
            photos: if edges { 6000 } else { 12_000 }, // with the passes, what six minutes hold; those of edges are large
            valid_photos: 600,
            side: 64,
            epochs: 6,
            batch,
            optimiser: OptimiserConfig::adam(1e-3), // the rate of Adam's authors (ICLR 2015, Algorithm 1)
            schedule: Schedule::Cosine,
            augment,
            colour: ColourConfig::default(),
            source: edges.then_some(128), // edges are lines of one pixel; of 64 they would fill the photo
        }
    }

    /// EfficientNet-Lite0 from ImageNet weights on a folder of unlabelled photos, at the size of the real sets' rows.
    pub fn lite(method: PretrainMethod, corpus: &str) -> Self {
        let edges = method.is_edges();
        Self {
            start: Some("imagenet".into()),
            corpus: Some(corpus.into()),
            architecture: Architecture::EfficientNetLite0,
            photos: 1800, // of the 2,000 of QMUL-Shoe-V2
            valid_photos: 200,
            side: 128,
            // About as many photos as one epoch of the small network sees; a pass of edges shows every photo twice.
            epochs: if edges { 3 } else { 4 },
            // The rate of the rows that go on from the same weights.
            optimiser: OptimiserConfig::adam(if edges { 2e-4 } else { 1e-4 }),
            source: edges.then_some(256),
            ..Self::mini(method)
        }
    }

    /// The name of its record and of its weights, e.g. `mini-attributes`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.architecture, self.method)
    }

    /// Where its weights are shipped.
    pub fn weights_path(&self, results: &Path) -> PathBuf {
        results.join("checkpoints/pretrained").join(format!("{}.safetensors", self.name()))
    }

    /// Where its record is.
    pub fn folder(&self, results: &Path) -> RunFolder {
        RunFolder(results.join(SLUG).join(self.name()))
    }

    /// How pictures reach the network; maps of edges are dark on white, as sketches are.
    pub(super) fn prepare(&self) -> PrepareConfig {
        PrepareConfig { source: self.source, ..PrepareConfig::new(self.side, Ink::DarkOnWhite { width: 1.0 }) }
    }

    pub(super) fn check(&self) -> Result<()> {
        self.augment.check()?;
        self.colour.check()?;
        self.prepare().check()?;
        for (what, value) in [("epochs", self.epochs), ("valid_photos", self.valid_photos)] {
            if value == 0 {
                return Err(Error::value(what, "1 or more", 0));
            }
        }
        if self.corpus.is_some() && matches!(self.method, PretrainMethod::Attributes | PretrainMethod::Clip { .. }) {
            let expected = "one that needs no words, on photos without labels: jigsaw, barlow-twins, obow, edges";
            return Err(Error::value("pre-training", expected, self.method));
        }
        if (2..=self.photos).contains(&self.batch) {
            self.method.check(self.batch)
        } else {
            Err(Error::value("batch", format!("2 to the number of photos, {}", self.photos), self.batch))
        }
    }
}
