//! Pre-training on synthetic photos: for the embedded corpora, what ImageNet is to the real ones.
//!
//! ```text
//! results/pretraining/<name>/{config.json, log.jsonl, summary.json}      the record
//! results/checkpoints/pretrained/<name>.safetensors                      the backbone, in half precision
//! ```
//!
//! Every [`Method`] sees the same photos equally often; labels are seen by `attributes` and, as words, by `clip`. The others
//! can also learn from a folder of photos without labels, which is how the real sets' network goes on from ImageNet.

mod barlow;
mod classifier;
mod clip;
mod colour;
mod head;
mod jigsaw;
mod method;
mod obow;
mod photo;
mod score;
mod task;

pub use colour::ColourConfig;
pub use method::Method;
pub use score::{AttributeScore, PretrainReport};

use super::{Log, Optimiser, OptimiserConfig, Schedule, gradients};
use crate::file::{hash_file, write_json};
use crate::model::{Architecture, weights};
use crate::run::{Header, Places, RunConfig, RunFolder, versions};
use crate::seed::Seed;
use crate::sketch::AugmentConfig;
use crate::watch::Watch;
use crate::{Error, Result, device};
use candle_core::{DType, Device};
use photo::PhotoSet;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;
use task::{Batch, Task};

/// The records' folder in `results/`.
pub const SLUG: &str = "pretraining";

/// Everything that determines a pre-training, beside its seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// What is learned; left out of a record where it is `attributes`, which was there before the others.
    #[serde(default, skip_serializing_if = "Method::is_attributes")]
    pub method: Method,
    /// Weights that it starts from, e.g. `imagenet`; none: seeded initial values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// A folder of the real corpora with photos that nobody has labelled; none: the synthetic stream.
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
    /// Photos to a step; what is left of an epoch after the last full batch sits it out.
    pub batch: usize,
    /// Of all parameters.
    pub optimiser: OptimiserConfig,
    /// How the rate moves.
    pub schedule: Schedule,
    /// Deformations in training.
    pub augment: AugmentConfig,
    /// Changes of colour in training.
    pub colour: ColourConfig,
}

impl PretrainConfig {
    /// The small network at 64 pixels, within six minutes of one core.
    ///
    /// ```
    /// use retrace::train::pretrain::{Method, PretrainConfig};
    /// assert_eq!(PretrainConfig::mini(Method::Attributes).name(), "mini-attributes");
    /// assert_eq!(PretrainConfig::mini("obow".parse()?).name(), "mini-obow");
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn mini(method: Method) -> Self {
        let plain = AugmentConfig::default();
        let (batch, augment) = match method {
            // More steps in the same time than larger ones, and enough for statistics of the batch.
            Method::Attributes | Method::Jigsaw { .. } => (32, plain),
            // A photo is told from the rest of its batch: the more there are, the more it takes.
            Method::Clip { .. } => (64, plain),
            // Views must differ for their agreement to say something: zoom and shift stand in for crops.
            Method::BarlowTwins { .. } | Method::Obow { .. } => {
                (64, AugmentConfig { shift: 0.15, scale: 0.3, ..plain })
            }
        };
        Self {
            method,
            start: None,
            corpus: None,
            architecture: Architecture::Mini,
            photos: 12_000, // with the passes, what six minutes hold
            valid_photos: 600,
            side: 64,
            epochs: 6,
            batch,
            optimiser: OptimiserConfig::adam(1e-3), // the rate of Adam's authors (ICLR 2015, Algorithm 1)
            schedule: Schedule::Cosine,
            augment,
            colour: ColourConfig::default(),
        }
    }

    /// EfficientNet-Lite0 from ImageNet weights on a folder of unlabelled photos, at the size of the real sets' rows.
    pub fn lite(method: Method, corpus: &str) -> Self {
        Self {
            start: Some("imagenet".into()),
            corpus: Some(corpus.into()),
            architecture: Architecture::EfficientNetLite0,
            photos: 1800, // of the 2,000 of QMUL-Shoe-V2, which is what there is
            valid_photos: 200,
            side: 128,
            epochs: 4, // about as many photos as one epoch of the small network sees
            optimiser: OptimiserConfig::adam(1e-4), // the rate of the rows that go on from the same weights
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

    fn check(&self) -> Result<()> {
        self.augment.check()?;
        self.colour.check()?;
        for (what, value) in [("epochs", self.epochs), ("valid_photos", self.valid_photos)] {
            if value == 0 {
                return Err(Error::value(what, "1 or more", 0));
            }
        }
        if self.corpus.is_some() && matches!(self.method, Method::Attributes | Method::Clip { .. }) {
            let expected = "one that needs no words, on photos without labels: jigsaw, barlow-twins, obow";
            return Err(Error::value("pre-training", expected, self.method));
        }
        match (2..=self.photos).contains(&self.batch) {
            true => self.method.check(self.batch),
            false => Err(Error::value("batch", format!("2 to the number of photos, {}", self.photos), self.batch)),
        }
    }
}

/// Pre-trains a network and writes record and weights; always from the start.
///
/// # Errors
/// [`Error::Stopped`] where the watch asks for it: then no summary and no new weights are written. A configuration that
/// cannot be trained, a folder that holds another one's record, that another process trains in, or that cannot be written.
pub fn run(
    config: &PretrainConfig,
    seed: Seed,
    places: &Places,
    device: &Device,
    command: &str,
    watch: &dyn Watch,
) -> Result<PretrainReport> {
    config.check()?;
    let results = &places.results;
    let run = RunConfig {
        slug: SLUG.into(),
        dataset: config.corpus.clone().unwrap_or_else(|| "synthetic photos".into()),
        row: config.name(),
        seed,
        config: config.clone(),
    };
    let folder = config.folder(results);
    let _lock = folder.lock()?;
    folder.open(&run)?;
    remove(&folder.0.join("summary.json"))?;
    let started = Instant::now();
    let photos = PhotoSet::open(config, places.data.as_deref(), device, watch)?;
    let start = config.start.as_ref().map(|name| places.pretrained(&format!("{}-{name}", config.architecture)));
    let start = start.transpose()?;
    let task = task::build(config, seed, start.as_deref(), device)?;
    let weights = start.as_deref().map(hash_file).transpose()?;
    let header = Header { weights, ..header(&run, &photos, device, command)? };
    let mut log = Log::create(&folder.0.join("log.jsonl"), &header)?;
    let (task, report) = pretrain(config, seed, &photos, task, started, &mut log, watch)?;
    let metadata = BTreeMap::from([
        ("config".to_string(), serde_json::to_string(&run)?),
        ("config_hash".to_string(), run.hash()?),
        ("accuracy".to_string(), serde_json::to_string(&report.attributes)?),
        ("retrace".to_string(), env!("CARGO_PKG_VERSION").to_string()),
    ]);
    weights::save(&config.weights_path(results), &task.trunk().backbone(), weights::Storage::F16, &metadata)?;
    write_json(&folder.0.join("summary.json"), &report)?;
    Ok(report)
}

/// An old summary goes first, so that a run which is stopped does not look finished.
fn remove(path: &Path) -> Result<()> {
    if path.is_file() { std::fs::remove_file(path).map_err(Error::io(path)) } else { Ok(()) }
}

fn header(run: &RunConfig<PretrainConfig>, photos: &PhotoSet, device: &Device, command: &str) -> Result<Header> {
    let counts = [("train", [run.config.photos, 0]), ("valid", [run.config.valid_photos, 0])];
    Ok(Header {
        command: command.to_string(),
        config_hash: run.hash()?,
        data_version: photos.version(run.config.side),
        counts: counts.map(|(name, count)| (name.to_string(), count)).into(),
        seed: run.seed,
        versions: versions(),
        weights: None,
        device: device::name(device).to_string(),
    })
}

/// A line of the log.
#[derive(Serialize)]
struct Line<'a> {
    epoch: usize,
    loss: f64,
    valid_mean: f64,
    valid: BTreeMap<&'a str, f64>,
    seconds: f64,
}

/// Trains; the network that comes back is rounded to half precision, and the report is of that one.
fn pretrain(
    config: &PretrainConfig,
    seed: Seed,
    photos: &PhotoSet,
    mut task: Box<dyn Task>,
    started: Instant,
    log: &mut Log,
    watch: &dyn Watch,
) -> Result<(Box<dyn Task>, PretrainReport)> {
    let mut optimiser = Optimiser::new(config.optimiser, task.trunk().parameters.trainable());
    let mut attributes = Vec::new();
    for epoch in 1..=config.epochs {
        let loss = run_epoch(config, seed, epoch, photos, task.as_mut(), &mut optimiser, watch)?;
        if epoch == config.epochs {
            if !config.method.is_attributes() {
                task.trunk().settle(photos, config)?;
            }
            task.trunk().parameters.round(|_| true)?;
        }
        attributes = task.score(photos, config)?;
        let valid_mean = score::mean(&attributes);
        let valid = attributes.iter().map(|score| (score.name.as_str(), score.accuracy)).collect();
        let seconds = round(started.elapsed().as_secs_f64(), 10.0);
        log.append(&Line { epoch, loss: round(loss, 1e5), valid_mean, valid, seconds })?;
        watch.note(&format!("epoch {epoch}/{}: loss {loss:.4}, accuracy {valid_mean:.1}", config.epochs));
    }
    let seconds = round(started.elapsed().as_secs_f64(), 10.0);
    Ok((task, PretrainReport { mean: score::mean(&attributes), attributes, seconds }))
}

fn run_epoch(
    config: &PretrainConfig,
    seed: Seed,
    epoch: usize,
    photos: &PhotoSet,
    task: &mut dyn Task,
    optimiser: &mut Optimiser,
    watch: &dyn Watch,
) -> Result<f64> {
    let mut order: Vec<usize> = (0..config.photos).collect();
    order.shuffle(&mut seed.child("shuffle", epoch as u64));
    let mut stream = seed.child("step", epoch as u64);
    let count = config.photos / config.batch;
    let variables = task.trunk().parameters.trainable();
    let mut sum = 0.0;
    for (i, positions) in order.chunks_exact(config.batch).enumerate() {
        go_on(watch)?;
        let (done, total) = ((epoch - 1) * count + i, count * config.epochs);
        let loss = task.loss(&Batch { photos, positions, config }, &mut stream)?;
        optimiser.step(&gradients(&loss, &variables)?, config.schedule.factor(done, total))?;
        task.moved((done + 1) as f64 / total as f64)?;
        sum += loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        watch.advance("steps", done + 1, total);
    }
    Ok(sum / count as f64)
}

fn go_on(watch: &dyn Watch) -> Result<()> {
    match watch.is_stopped() {
        true => {
            Err(Error::Stopped { resume: "nothing of a pre-training is kept before its end: start it again".into() })
        }
        false => Ok(()),
    }
}

fn round(value: f64, by: f64) -> f64 {
    (value * by).round() / by
}

#[cfg(test)]
mod tests;
