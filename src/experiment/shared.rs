//! Trainings that several rows share: each is done once, and kept below the cache.

use super::{Bench, Order};
use crate::dataset::Split;
use crate::file::{hash_bytes, read_json, write_atomic, write_json};
use crate::model::weights::{self, Storage};
use crate::run::{RunConfig, RunFolder};
use crate::seed::Seed;
use crate::train::named::Tensors;
use crate::train::{Log, Outcome};
use crate::{Error, Result, device};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A training that is named by everything that determines it.
pub struct SharedTraining<'a> {
    /// Of the paper.
    pub slug: &'a str,
    /// What is trained, as in `retrieval`.
    pub name: &'a str,
    /// The corpus by name.
    pub dataset: &'a str,
    /// The corpus, its validation part cut.
    pub bench: &'a Bench,
    /// Of the run.
    pub seed: Seed,
    /// The order for it.
    pub order: &'a Order<'a>,
    /// Everything else that determines it: settings, and what it starts from.
    pub settings: String,
}

/// Where a training that is done now has its state and its log.
pub struct Desk<'a> {
    /// Its folder.
    pub folder: &'a RunFolder,
    /// Its name, of which a state has to be.
    pub hash: String,
    /// Its log.
    pub log: &'a mut Log,
}

/// The files of a training that is kept.
const WEIGHTS: &str = "weights.safetensors";
const DONE: &str = "outcome.json";
const LOG: &str = "log.jsonl";

impl SharedTraining<'_> {
    /// Trains, goes on, or reads what the same training left: its tensors and its outcome.
    ///
    /// # Errors
    /// A failing training; a watch that stops; a folder that cannot be written, or that another process trains in.
    pub fn once(&self, train: impl FnOnce(Desk) -> Result<(Tensors, Outcome)>) -> Result<(Tensors, Outcome)> {
        let kept = self.folder()?;
        if let Some(tensors) = self.kept()? {
            return Ok((tensors, read_json(&kept.0.join(DONE))?));
        }
        std::fs::create_dir_all(&kept.0).map_err(Error::io(&kept.0))?;
        let _lock = kept.lock()?;
        let (slug, dataset) = (self.slug.to_string(), self.dataset.to_string());
        let (row, config) = (self.name.to_string(), self.settings.clone());
        let run = RunConfig { slug, dataset, row, seed: self.seed, config };
        let mut log = Log::open(&kept.0.join(LOG), &self.bench.header(&run, None, self.order)?)?;
        let (tensors, outcome) = train(Desk { folder: &kept, hash: self.key()?, log: &mut log })?;
        weights::save(&kept.0.join(WEIGHTS), &tensors, Storage::F32, &BTreeMap::new())?;
        write_json(&kept.0.join(DONE), &outcome)?;
        kept.remove_state()?;
        Ok((tensors, outcome))
    }

    /// The tensors that the same training left; none where it was not done.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn kept(&self) -> Result<Option<Tensors>> {
        let folder = self.folder()?;
        let is_done = folder.0.join(DONE).is_file();
        is_done.then(|| Ok(weights::read(&folder.0.join(WEIGHTS))?.tensors)).transpose()
    }

    /// Puts its lines into a run's log, as those of the run.
    ///
    /// # Errors
    /// A training that was not done; a log that cannot be written.
    pub fn copy_lines(&self, log: &mut Log) -> Result<()> {
        let (_, lines) = self.folder()?.log()?;
        log.truncate(0)?;
        lines.iter().try_for_each(|line| log.append(&serde_json::from_str::<Box<RawValue>>(line)?))
    }

    /// Puts its log beside a run's, as `<name>/log.jsonl`.
    ///
    /// # Errors
    /// As [`Self::copy_lines`].
    pub fn copy_log(&self, run: &RunFolder) -> Result<()> {
        let from = self.folder()?.0.join(LOG);
        write_atomic(&run.0.join(self.name).join(LOG), &std::fs::read(&from).map_err(Error::io(&from))?)
    }

    /// Where its result is kept.
    ///
    /// # Errors
    /// A device without a name.
    pub fn folder(&self) -> Result<RunFolder> {
        Ok(RunFolder(self.order.places.cache.join(format!("{}-{}-{}", self.slug, self.name, self.key()?))))
    }

    /// Names the training: what it is, settings, data, seed and device.
    ///
    /// # Errors
    /// As [`Self::folder`].
    pub fn key(&self) -> Result<String> {
        let Self { name, dataset, seed, settings, .. } = self;
        let (data, photos) = (self.bench.source().version(), self.bench.index().photos_of(Split::Train));
        let text =
            format!("{name} {dataset} {data} {settings} {seed:?} {photos:?} {}", device::name(self.order.device));
        Ok(hash_bytes(text.as_bytes())[..16].to_string())
    }
}
