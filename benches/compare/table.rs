//! Rows on the screen and in a CSV file.

use super::merge::{Line, merge};
use retrace::Result;
use std::path::Path;

/// A comparison of two numbers.
#[derive(Debug, Clone)]
pub struct Row {
    /// The first columns: `network,work,threads`.
    pub key: String,
    /// Ours and the other's.
    pub values: [f64; 2],
    /// GPU or processor.
    pub device: String,
    /// Of both programs.
    pub versions: String,
    /// For the screen only.
    pub note: String,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.values[0] / self.values[1]
    }

    fn line(&self) -> Line {
        let [ours, other] = self.values;
        let values = format!("{ours:.1},{other:.1},{:.3}", self.ratio());
        Line { key: self.key.clone(), values, device: self.device.clone(), versions: self.versions.clone() }
    }
}

/// Prints a row as soon as it is known.
pub fn print(row: &Row) {
    let [ours, other] = row.values;
    println!("{:<36} {ours:>9.1} {other:>9.1}   x {:<6.2} {}{}", row.key, row.ratio(), row.versions, row.note);
}

/// Writes rows into a table; rows of it that were not measured again stay.
///
/// # Errors
/// A file that cannot be read or written, or one with another header.
pub fn update(path: &Path, header: &str, rows: &[Row]) -> Result<()> {
    merge(path, header, &rows.iter().map(Row::line).collect::<Vec<_>>())
}
