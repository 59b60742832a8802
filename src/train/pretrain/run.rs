//! A pre-training with its record: what is read before it and written after it.

use super::build::build;
use super::config::{PretrainConfig, SLUG};
use super::photo::PhotoSet;
use super::score::PretrainReport;
use super::training::PretrainSession;
use crate::file::{hash_file, write_json};
use crate::model::weights;
use crate::run::{Header, Places, RunConfig, RunFolder, versions};
use crate::seed::Seed;
use crate::train::{Course, Log};
use crate::watch::Watch;
use crate::{Error, Result, device};
use candle_core::Device;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Pre-trains a network and writes record and weights.
///
/// The state after every epoch is on disk before the next begins: one that was stopped goes on from its last whole epoch,
/// and ends with the same weights as an unbroken one. One that is finished is trained anew from the start.
///
/// # Errors
/// [`Error::Stopped`] where the watch asks for it: then no summary and no new weights are written. A configuration that
/// cannot be trained, a folder that holds another one's record, that another process trains in, or that cannot be written;
/// a state of other photos, other weights to start from or another kind of device.
pub fn run(
    config: &PretrainConfig,
    seed: Seed,
    places: &Places,
    device: &Device,
    command: &str,
    watch: &dyn Watch,
) -> Result<PretrainReport> {
    config.check()?;
    let run = describe(config, seed);
    let folder = config.folder(&places.results);
    let _lock = folder.lock()?;
    folder.open(&run)?;
    forget(&folder)?;
    let started = Instant::now();
    let photos = PhotoSet::open(config, places.data.as_deref(), device, watch)?;
    let start = config.start.as_ref().map(|name| places.pretrained(&format!("{}-{name}", config.architecture)));
    let start = start.transpose()?;
    let task = build(config, seed, start.as_deref(), device)?;
    let weights = start.as_deref().map(hash_file).transpose()?;
    let mut log = log(&folder, &Header { weights, ..header(&run, &photos, device, command)? })?;
    let session = PretrainSession { config, seed, photos: &photos, folder: &folder, hash: run.hash()?, watch };
    let (backbone, report) = session.train(task, started, &mut log)?;
    let metadata = metadata(&run, &report)?;
    weights::save(&config.weights_path(&places.results), &backbone, weights::Storage::F16, &metadata)?;
    write_json(&folder.0.join("summary.json"), &report)?;
    folder.remove_state()?;
    Ok(report)
}

fn describe(config: &PretrainConfig, seed: Seed) -> RunConfig<PretrainConfig> {
    RunConfig {
        slug: SLUG.into(),
        dataset: config.corpus.clone().unwrap_or_else(|| "synthetic photos".into()),
        row: config.name(),
        seed,
        config: config.clone(),
    }
}

/// An old summary goes first, so that a run which is stopped does not look finished; what a finished one may have left of
/// its state goes before that, so that no run resumes from it.
fn forget(folder: &RunFolder) -> Result<()> {
    if folder.is_finished() {
        folder.remove_state()?;
        remove(&folder.0.join("summary.json"))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    std::fs::remove_file(path).map_err(Error::io(path))
}

/// The log of a training that goes on, or a new one.
fn log(folder: &RunFolder, header: &Header) -> Result<Log> {
    let path = folder.0.join("log.jsonl");
    if Course::is_under_way(folder) { Log::open(&path, header) } else { Log::create(&path, header) }
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

/// The metadata of the weights' file.
fn metadata(run: &RunConfig<PretrainConfig>, report: &PretrainReport) -> Result<BTreeMap<String, String>> {
    Ok(BTreeMap::from([
        ("config".to_string(), serde_json::to_string(run)?),
        ("config_hash".to_string(), run.hash()?),
        ("accuracy".to_string(), serde_json::to_string(&report.attributes)?),
        ("retrace".to_string(), env!("CARGO_PKG_VERSION").to_string()),
    ]))
}
