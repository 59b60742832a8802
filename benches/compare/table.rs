//! Rows on the screen and in a CSV file.

use retrace::{Error, Result, run::write_atomic};
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

    /// The row as a line, with quotes round the columns that are free text.
    fn line(&self) -> String {
        let [ours, other] = self.values;
        format!(
            "{},{ours:.1},{other:.1},{:.3},{},{}",
            self.key,
            self.ratio(),
            quote(&self.device),
            quote(&self.versions)
        )
    }

    /// Whether a line of the file is an older measurement of the same.
    fn replaces(&self, line: &str) -> bool {
        line.starts_with(&format!("{},", self.key)) && line.contains(&quote(&self.device))
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
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
    let old = if path.exists() { std::fs::read_to_string(path).map_err(Error::io(path))? } else { header.into() };
    let mut lines = old.lines();
    let found = lines.next().unwrap_or_default();
    if found != header {
        return Err(Error::data(path, header, found));
    }
    let kept = lines.filter(|line| !rows.iter().any(|row| row.replaces(line))).map(String::from);
    let mut body: Vec<String> = kept.chain(rows.iter().map(Row::line)).collect();
    body.sort();
    let text = format!("{header}\n{}\n", body.join("\n"));
    write_atomic(path, text.as_bytes())?;
    println!("{}: {} rows", path.display(), body.len());
    Ok(())
}
