//! Analyses of a corpus as CSV files, and the numbers that claims compare.

mod sample;

pub use sample::{RADIUS, Samples, grids};

use crate::run::{read_csv, write_csv};
use crate::{Error, Result};
use polars::prelude::*;
use std::path::{Path, PathBuf};

/// The folder of a corpus's analyses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// `results/<slug>/<dataset>/analysis`.
    pub fn of(results: &Path, slug: &str, dataset: &str) -> Self {
        Self(results.join(slug).join(dataset).join("analysis"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.csv"))
    }

    /// Whether an analysis is there.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).is_file()
    }

    /// Writes an analysis.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, name: &str, mut frame: DataFrame) -> Result<()> {
        write_csv(&self.path(name), &mut frame)
    }

    /// The lines of an analysis that are of a row: the numbers of some columns, line by line.
    ///
    /// # Errors
    /// A file that does not read, or lacks a column.
    pub fn lines<const N: usize>(&self, name: &str, row: &str, columns: [&str; N]) -> Result<Vec<[f64; N]>> {
        self.lines_where(name, &[("row", row)], columns)
    }

    /// A column of an analysis, the lines that are of a row.
    ///
    /// # Errors
    /// As [`Folder::lines`].
    pub fn column(&self, name: &str, row: &str, column: &str) -> Result<Vec<f64>> {
        Ok(self.lines(name, row, [column])?.concat())
    }

    /// As [`Folder::lines`], of the lines in which some columns have given texts.
    ///
    /// # Errors
    /// As [`Folder::lines`].
    pub fn lines_where<const N: usize>(
        &self,
        name: &str,
        wanted: &[(&str, &str)],
        columns: [&str; N],
    ) -> Result<Vec<[f64; N]>> {
        let path = self.path(name);
        let frame = read_csv(&path)?;
        read(&frame, wanted, columns)
            .map_err(|error| Error::data(&path, format!("numbers in {}", columns.join(", ")), error))
    }
}

fn read<const N: usize>(frame: &DataFrame, wanted: &[(&str, &str)], columns: [&str; N]) -> Result<Vec<[f64; N]>> {
    let texts = wanted.iter().map(|(name, text)| Ok((frame.column(name)?.str()?, *text)));
    let texts = texts.collect::<Result<Vec<_>>>()?;
    let numbers = columns.iter().map(|name| Ok(frame.column(name)?.strict_cast(&DataType::Float64)?));
    let numbers: Vec<Column> = numbers.collect::<Result<_>>()?;
    let mut lines = Vec::new();
    for i in (0..frame.height()).filter(|i| texts.iter().all(|(column, text)| column.get(*i) == Some(*text))) {
        let mut line = [0.0; N];
        for (value, column) in line.iter_mut().zip(&numbers) {
            *value = column.f64()?.get(i).ok_or_else(|| Error::value("line", "a number", "an empty cell"))?;
        }
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_row_come_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::of(place.path(), "p", "d");
        assert!(!folder.has("x"));
        let columns = vec![
            Column::new("row".into(), vec!["a", "b", "a"]),
            Column::new("step".into(), vec![1_u32, 1, 2]),
            Column::new("value".into(), vec![0.5, 2.0, 1.5]),
        ];
        folder.write("x", DataFrame::new(3, columns).unwrap()).unwrap();
        assert_eq!(folder.lines("x", "a", ["step", "value"]).unwrap(), [[1.0, 0.5], [2.0, 1.5]]);
        assert!(folder.lines("x", "c", ["value"]).unwrap().is_empty());
        let error = folder.lines("x", "a", ["loss"]).unwrap_err().to_string();
        assert!(error.contains("x.csv") && error.contains("loss"), "{error}");
    }
}
