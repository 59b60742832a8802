//! The file that a training writes after every epoch, to resume from.

use super::named::{Tensors, join, part};
use super::select::Outcome;
use crate::model::weights;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Where a training stands after an epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TrainingProgress {
    pub(super) hash: String,
    pub(super) epoch: usize,
    pub(super) best: Option<Outcome>,
    pub(super) seconds: f64,
}

/// The content of the file.
pub(super) struct Saved {
    pub(super) progress: TrainingProgress,
    /// Every tensor that is trained, under `parameter/`.
    pub(super) trained: Tensors,
    /// The same of the best epoch, under `best/`.
    pub(super) best: Tensors,
    /// Further state of the loop, under `step/`.
    pub(super) rest: Tensors,
}

impl Saved {
    /// Reads the state of a configuration.
    ///
    /// # Errors
    /// A file that is no state, or a state of another configuration.
    pub(super) fn read(path: &Path, hash: &str) -> Result<Self> {
        let weights::Weights { tensors, metadata } = weights::read(path)?;
        let progress: TrainingProgress = serde_json::from_str(metadata.get("progress").map_or("", String::as_str))
            .map_err(|error| Error::data(path, "the state of a training", error))?;
        if progress.hash != hash {
            let found = format!("one of {}", progress.hash);
            return Err(Error::data(path, format!("a state of configuration {hash}"), found));
        }
        let part = |prefix| part(&tensors, prefix);
        Ok(Self { progress, trained: part("parameter/"), best: part("best/"), rest: part("step/") })
    }

    /// Writes the state, whole or not at all.
    ///
    /// # Errors
    /// A number that is not finite; a folder that cannot be written.
    pub(super) fn write(self, path: &Path) -> Result<()> {
        let tensors = join([("parameter/", self.trained), ("best/", self.best), ("step/", self.rest)]);
        let metadata = BTreeMap::from([("progress".to_string(), serde_json::to_string(&self.progress)?)]);
        weights::save(path, &tensors, weights::Storage::F32, &metadata)
    }
}
