//! Where a record comes from: its folder, its settings and its log have to be of one run.

use crate::run::{Header, RunConfig, RunFolder, RunId, Summary, hash_text};
use crate::{Error, Result};
use serde_json::Value;
use std::path::Path;

/// Settings and log of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The paper's settings.
    pub settings: Value,
    /// First line of the log.
    pub header: Header,
    /// A line an epoch.
    pub epochs: Vec<Value>,
}

impl Origin {
    /// Reads `config.json` and `log.jsonl`, which have to be those of a run.
    ///
    /// # Errors
    /// A missing or malformed file; settings of another run; a log of other settings or of another seed; a line that is
    /// not of the next epoch, or with a time below 0.
    pub fn read(folder: &RunFolder, id: &RunId) -> Result<Self> {
        let (run, hash) = read_config(folder)?;
        check_id(&folder.0.join("config.json"), id, &run.id())?;
        let path = folder.0.join("log.jsonl");
        let (header, lines) = folder.log()?;
        let epochs = lines.iter().enumerate().map(|(i, line)| read_epoch(&path, i + 1, line)).collect::<Result<_>>()?;
        if header.config_hash != hash {
            let expected = format!("config_hash {hash}, the hash of config.json");
            return Err(Error::data(path, expected, header.config_hash));
        }
        if header.seed != id.seed {
            return Err(Error::data(path, format!("seed {}, as the folder is called", id.seed.0), header.seed.0));
        }
        Ok(Self { settings: run.config, header, epochs })
    }

    /// Checks the log's length, the kept epoch and the time of a run.
    ///
    /// # Errors
    /// Too few or too many lines, an epoch that is none of them, a time that is none.
    pub(super) fn check_training(&self, folder: &RunFolder, summary: &Summary) -> Result<()> {
        let (path, epochs) = (folder.0.join("summary.json"), self.epochs.len());
        if let Some(asked) = self.settings.pointer("/fit/epochs").and_then(Value::as_u64) {
            let asked = if summary.selected_epoch.is_some() { asked } else { 0 };
            self.check_length(folder, asked)?;
        }
        match summary.selected_epoch {
            Some(epoch) if epoch == 0 || epoch > epochs => {
                Err(Error::data(path, format!("selected_epoch in 1 to {epochs}, the log's epochs"), epoch))
            }
            _ => check_seconds(&path, summary.seconds),
        }
    }

    /// Checks that the log has as many epochs as were asked for.
    pub(super) fn check_length(&self, folder: &RunFolder, asked: u64) -> Result<()> {
        if self.epochs.len() as u64 == asked {
            return Ok(());
        }
        let expected = format!("a line for each of {asked} epochs that were trained");
        Err(Error::data(folder.0.join("log.jsonl"), expected, self.epochs.len()))
    }
}

/// `config.json`, and the hash of its text.
fn read_config(folder: &RunFolder) -> Result<(RunConfig<Value>, String)> {
    let path = folder.0.join("config.json");
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let run = serde_json::from_str(&text).map_err(|error| Error::data(&path, "the settings of a run", error))?;
    Ok((run, hash_text(&text)))
}

fn check_id(path: &Path, wanted: &RunId, found: &RunId) -> Result<()> {
    let seeds = [wanted, found].map(|id| id.seed.0.to_string());
    let fields = [
        ("slug", &wanted.slug, &found.slug),
        ("dataset", &wanted.dataset, &found.dataset),
        ("row", &wanted.row, &found.row),
        ("seed", &seeds[0], &seeds[1]),
    ];
    match fields.into_iter().find(|(_, wanted, found)| wanted != found) {
        Some((name, wanted, found)) => {
            Err(Error::data(path, format!("{name} {wanted}, as its folder says"), format!("{name} {found}")))
        }
        None => Ok(()),
    }
}

/// The line of an epoch, which stands below the header and the epochs before it.
fn read_epoch(path: &Path, epoch: usize, line: &str) -> Result<Value> {
    let expected = || format!("epoch {epoch} in line {}", epoch + 1);
    let entry: Value = serde_json::from_str(line).map_err(|error| Error::data(path, expected(), error))?;
    if entry.get("epoch").and_then(Value::as_u64) != Some(epoch as u64) {
        return Err(Error::data(path, expected(), line));
    }
    entry.get("seconds").and_then(Value::as_f64).map_or(Ok(()), |seconds| check_seconds(path, seconds))?;
    Ok(entry)
}

/// A time is finite and not below 0.
pub(super) fn check_seconds(path: &Path, seconds: f64) -> Result<()> {
    let is_time = seconds.is_finite() && seconds >= 0.0;
    if is_time { Ok(()) } else { Err(Error::data(path, "seconds of 0 or more", seconds)) }
}
