//! Measurements in a CSV file that keeps those of other machines.

use retrace::{Error, Result, file::write_atomic};
use std::path::Path;

/// A measurement.
#[derive(Debug, Clone)]
pub struct Line {
    /// The first columns: what was measured.
    pub key: String,
    /// The columns of numbers.
    pub values: String,
    /// GPU or processor.
    pub device: String,
    /// Of the programs.
    pub versions: String,
}

impl Line {
    /// As it is written, with quotes round the columns that are free text.
    fn text(&self) -> String {
        format!("{},{},{},{}", self.key, self.values, quote(&self.device), quote(&self.versions))
    }

    /// Whether a line of the file is an older measurement of the same.
    fn replaces(&self, line: &str) -> bool {
        line.starts_with(&format!("{},", self.key)) && line.contains(&quote(&self.device))
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Writes lines into a table; lines of it that were not measured again stay.
///
/// # Errors
/// A file that cannot be read or written, or one with another header.
pub fn merge(path: &Path, header: &str, lines: &[Line]) -> Result<()> {
    let old = if path.exists() { std::fs::read_to_string(path).map_err(Error::io(path))? } else { header.into() };
    let mut before = old.lines();
    let found = before.next().unwrap_or_default();
    if found != header {
        return Err(Error::data(path, header, found));
    }
    let kept = before.filter(|old| !lines.iter().any(|line| line.replaces(old))).map(String::from);
    let mut body: Vec<String> = kept.chain(lines.iter().map(Line::text)).collect();
    body.sort();
    let text = format!("{header}\n{}\n", body.join("\n"));
    write_atomic(path, text.as_bytes())?;
    println!("{}: {} rows", path.display(), body.len());
    Ok(())
}
