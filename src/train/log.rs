use crate::file::write_atomic;
use crate::run::Header;
use crate::{Error, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A run's `log.jsonl`: the header, then one line an epoch. The file is replaced as a whole, so it never ends in half a line.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    lines: Vec<String>,
}

impl Log {
    /// Starts a log.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Self> {
        let log = Self { path: path.to_path_buf(), lines: vec![serde_json::to_string(header)?] };
        log.write()?;
        Ok(log)
    }

    /// Continues the log at `path`, or starts one.
    ///
    /// # Errors
    /// A log of other data, other pre-trained weights, another configuration or another kind of device, whose last bits
    /// differ; a folder that cannot be written.
    pub fn open(path: &Path, header: &Header) -> Result<Self> {
        if !path.is_file() {
            return Self::create(path, header);
        }
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let lines: Vec<String> = text.lines().map(String::from).collect();
        let first = lines.first().map_or("", String::as_str);
        let old: Header = serde_json::from_str(first).map_err(|error| Error::data(path, "a log's header", error))?;
        let identity = |header: &Header| {
            let Header { config_hash, data_version, counts, weights, device, .. } = header.clone();
            (config_hash, data_version, counts, weights, device)
        };
        if identity(&old) != identity(header) {
            let basis = |header: &Header| {
                let Header { config_hash, data_version, counts, weights, device, .. } = header;
                format!("configuration {config_hash}, data {data_version} {counts:?}, weights {weights:?} and {device}")
            };
            return Err(Error::data(path, format!("a run on {}", basis(header)), format!("one on {}", basis(&old))));
        }
        Ok(Self { path: path.to_path_buf(), lines })
    }

    /// Keeps the header and the first `epochs` lines: later ones are of an epoch whose state was not saved.
    ///
    /// # Errors
    /// A log that is shorter than that.
    pub fn truncate(&mut self, epochs: usize) -> Result<()> {
        if self.lines.len() < epochs + 1 {
            let found = format!("{} lines", self.lines.len());
            return Err(Error::data(&self.path, format!("a header and {epochs} epochs"), found));
        }
        self.lines.truncate(epochs + 1);
        self.write()
    }

    /// Adds the line of an epoch.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, line: &impl Serialize) -> Result<()> {
        self.lines.push(serde_json::to_string(line)?);
        self.write()
    }

    fn write(&self) -> Result<()> {
        write_atomic(&self.path, (self.lines.join("\n") + "\n").as_bytes())
    }
}
