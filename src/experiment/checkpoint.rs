//! Where the weights of a run are kept.

use super::{Kept, Order};
use crate::file::hash_file;
use crate::model::weights::Archive;
use crate::run::{RunConfig, RunFolder, RunId, hash_text};
use crate::seed::Seed;
use crate::{Error, Result};
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

/// The shipped weights of a recorded run; those of another run, or of another training of it, are refused. A file that is
/// not there is for its reader to miss: what is not trained has none.
///
/// # Errors
/// A file that is not what the record says; it, the expected and the found hash are named.
pub(super) fn shipped_weights(record: &RunFolder, path: PathBuf) -> Result<PathBuf> {
    if path.is_file() {
        let config = record.0.join("config.json");
        check_origin(&path, &hash_text(&std::fs::read_to_string(&config).map_err(Error::io(&config))?))?;
        record.summary()?.checkpoint.map_or(Ok(()), |wanted| check_bytes(record, &path, &wanted))?;
    }
    Ok(path)
}

fn check_bytes(record: &RunFolder, path: &Path, wanted: &str) -> Result<()> {
    let found = hash_file(path)?;
    if found == wanted {
        return Ok(());
    }
    let expected = format!("the weights {wanted} that {} was ranked with", record.0.display());
    Err(Error::data(path, expected, found))
}

/// Checks that [`save`] wrote a file for the run with this hash.
pub(super) fn check_origin(path: &Path, wanted: &str) -> Result<()> {
    let archive = Archive::open(path)?;
    let note = |name: &str| archive.metadata().get(name).map(String::as_str);
    let hashes = [note("config_hash").map(String::from), note("config").map(hash_text)];
    match hashes.into_iter().find(|found| found.as_deref() != Some(wanted)) {
        Some(found) => {
            let found = found.map_or("none".into(), |found| found.escape_debug().to_string()); // any text can stand there
            Err(Error::data(path, format!("weights of the run with the config_hash {wanted}"), found))
        }
        None => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;
    use crate::model::weights::{self, Storage};
    use crate::report::record::tests::{folder, write_run};
    use candle_core::{Device, Tensor};

    fn write_weights(path: &Path, record: &RunFolder, value: f32) {
        let text = std::fs::read_to_string(record.0.join("config.json")).unwrap();
        let metadata = [("config".to_string(), text.clone()), ("config_hash".to_string(), hash_text(&text))].into();
        let tensors = [("w".to_string(), Tensor::new(&[value], &Device::Cpu).unwrap())].into();
        weights::save(path, &tensors, Storage::F32, &metadata).unwrap();
    }

    #[test]
    fn weights_of_another_row_or_training_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let [record, other] = ["r", "s"].map(|row| folder(place.path(), "d", row, 0));
        [&record, &other].into_iter().for_each(|record| write_run(record, &[1, 2]));
        let path = place.path().join("r.safetensors");
        let refused = || shipped_weights(&record, path.clone()).err().map(|error| error.to_string());
        assert_eq!(refused(), None, "no file");
        write_weights(&path, &record, 1.0);
        assert_eq!(refused(), None, "a record without a hash");
        let checkpoint = Some(hash_file(&path).unwrap());
        record.write_summary(&crate::run::Summary { checkpoint, ..record.summary().unwrap() }).unwrap();
        assert_eq!(refused(), None);
        write_weights(&path, &record, 2.0);
        let error = refused().unwrap();
        let hash = hash_file(&path).unwrap();
        assert!(error.contains("r.safetensors: expected the weights ") && error.ends_with(&hash), "{error}");
        write_weights(&path, &other, 1.0);
        assert!(refused().unwrap().contains("r.safetensors: expected weights of the run with the config_hash "));
        write_atomic(&path, b"damaged").unwrap();
        assert!(refused().unwrap().contains("r.safetensors: expected"));
    }
}
