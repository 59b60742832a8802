//! Where the weights of a run are kept.

use super::{Kept, Order};
use crate::Result;
use crate::file::hash_file;
use crate::run::{RunConfig, RunFolder, RunId};
use crate::seed::Seed;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the checkpoint of a row's first seed is shipped.
pub fn checkpoint_path(results: &Path, slug: &str, dataset: &str, row: &str) -> PathBuf {
    results.join("checkpoints").join(slug).join(dataset).join(format!("{row}.safetensors"))
}

/// Where the record of a row's first seed is.
pub fn first_seed(results: &Path, slug: &str, dataset: &str, row: &str) -> RunFolder {
    RunFolder::of(results, slug, dataset, row, Seed(0))
}

/// Where the checkpoint of a run of a later seed is kept, in the cache; another record of the same run has another place.
pub(super) fn kept_at<C: Serialize>(run: &RunConfig<C>, order: &Order) -> Result<PathBuf> {
    let ranks = hash_file(&run.folder(&order.places.results).0.join("ranks.csv"))?;
    Ok(order.places.cache.join("checkpoints").join(format!("{}-{ranks}.safetensors", run.hash()?)))
}

/// The shipped place of a run, where it is of a first seed.
pub(super) fn shipped_at(id: &RunId, results: &Path) -> Option<PathBuf> {
    (id.seed == Seed(0)).then(|| checkpoint_path(results, &id.slug, &id.dataset, &id.row))
}

/// Writes the trained model, with the versions and the run that trained it.
pub(super) fn save<C: Serialize>(network: &dyn Kept, run: &RunConfig<C>, path: &Path) -> Result<()> {
    let metadata = BTreeMap::from([
        ("config".to_string(), serde_json::to_string(run)?),
        ("config_hash".to_string(), run.hash()?),
        ("retrace".to_string(), env!("CARGO_PKG_VERSION").to_string()),
    ]);
    network.save(path, &metadata)
}
