//! Every record below a folder.

use super::origin::check_seconds;
use super::{Origin, Run, read_run, row};
use crate::report::score::{read_early, read_masked};
use crate::run::{RunFolder, RunId};
use crate::seed::Seed;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the records of pre-trainings are, below the results: `pretraining/<name>`, with one seed each.
const PRETRAINING: &str = "pretraining";

/// What [`inspect`] found.
#[derive(Debug, Default)]
pub struct Inspected {
    /// Records that were read.
    pub count: usize,
    /// What is wrong with them, by path.
    pub faults: Vec<Error>,
}

impl Inspected {
    fn keep<T>(&mut self, done: Result<T>) -> Option<T> {
        done.map_err(|fault| self.faults.push(fault)).ok()
    }
}

/// Checks every finished record below a folder, each by itself and with the others of its row; goes on after a fault.
///
/// # Errors
/// No such folder, or one that cannot be read.
pub fn inspect(folder: &Path) -> Result<Inspected> {
    let (mut found, mut rows) = (Inspected::default(), BTreeMap::<PathBuf, Vec<Run>>::new());
    for folder in finished_below(folder)? {
        found.count += 1;
        let row = folder.0.parent().unwrap_or(&folder.0).to_path_buf();
        if is_pretraining(&folder) {
            found.keep(check_pretraining(&folder));
        } else if let Some(run) = found.keep(read_run(&folder)) {
            found.keep(read_early(&run));
            found.keep(read_masked(&run));
            rows.entry(row).or_default().push(run);
        }
    }
    for runs in rows.values_mut() {
        runs.sort_by_key(|run| run.seed);
        found.keep(row::check_row(runs));
    }
    Ok(found)
}

/// Folders with a `summary.json`, by path.
fn finished_below(place: &Path) -> Result<Vec<RunFolder>> {
    let mut folders = Vec::new();
    for entry in walkdir::WalkDir::new(place).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::data(place, "a folder of records", error))?;
        if entry.file_name() == "summary.json" {
            folders.extend(entry.path().parent().map(|path| RunFolder(path.to_path_buf())));
        }
    }
    Ok(folders)
}

/// Its place tells a pre-training from a run, which lies two folders deeper.
fn is_pretraining(folder: &RunFolder) -> bool {
    let whole = std::path::absolute(&folder.0).unwrap_or_default();
    whole.parent().is_some_and(|place| place.ends_with(PRETRAINING))
}

/// Settings, log and time of a pre-training: it has no ranks, and its path names neither corpus nor seed.
fn check_pretraining(folder: &RunFolder) -> Result<()> {
    let [config, summary] = ["config.json", "summary.json"].map(|name| folder.0.join(name));
    let said: serde_json::Value = crate::file::read_json(&config)?;
    let text = |name: &str| said.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_string();
    let seed = Seed(said.get("seed").and_then(|value| value.as_u64()).unwrap_or_default());
    let row = folder.0.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_string();
    let origin = Origin::read(folder, &RunId { slug: PRETRAINING.into(), dataset: text("dataset"), row, seed })?;
    let asked = origin.settings.get("epochs").and_then(|value| value.as_u64());
    asked.map_or(Ok(()), |asked| origin.check_length(folder, asked))?;
    let report: serde_json::Value = crate::file::read_json(&summary)?;
    check_seconds(&summary, report.get("seconds").and_then(|value| value.as_f64()).unwrap_or(f64::NAN))
}
