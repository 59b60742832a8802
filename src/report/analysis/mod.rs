//! Analyses of a run as CSV files in its folder, and the numbers that claims and a table take from them.
//!
//! | file | what it does |
//! |---|---|
//! | `sample` | sample by sample, for claims |
//! | [`number`] | a number of a row, as text |
//! | [`summary`] | these of pairs of rows and all corpora, as a table |

pub mod number;
pub(super) mod sample;
pub mod summary;

pub use sample::{RADIUS, Samples, grids};

use super::record::Run;
use crate::file::{read_csv, read_json, write_csv};
use crate::metric::acc_at;
use crate::run::RunFolder;
use crate::{Error, Result};
use polars::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The folder of a run's analyses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// `analysis` in the run's folder.
    pub fn of(run: &RunFolder) -> Self {
        Self(run.0.join("analysis"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.csv"))
    }

    /// Whether an analysis is there.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).is_file()
    }

    /// A setting that the analyses were made with.
    ///
    /// # Errors
    /// No `settings.json`, or one without this setting or with another type of it.
    pub fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let path = self.0.join("settings.json");
        let settings: Value = read_json(&path)?;
        let found = settings.get(name).cloned().unwrap_or_default();
        serde_json::from_value(found).map_err(|error| Error::data(&path, format!("the setting {name}"), error))
    }

    /// Removes an analysis, where it is there.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        if path.is_file() { std::fs::remove_file(&path).map_err(Error::io(&path)) } else { Ok(()) }
    }

    /// Writes an analysis.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, name: &str, mut frame: DataFrame) -> Result<()> {
        write_csv(&self.path(name), &mut frame)
    }

    /// The lines of an analysis: the numbers of some columns, line by line.
    ///
    /// # Errors
    /// A file that cannot be read, or lacks a column.
    pub fn lines<const N: usize>(&self, name: &str, columns: [&str; N]) -> Result<Vec<[f64; N]>> {
        self.lines_where(name, &[], columns)
    }

    /// A column of an analysis.
    ///
    /// # Errors
    /// As [`Folder::lines`].
    pub fn column(&self, name: &str, column: &str) -> Result<Vec<f64>> {
        Ok(self.lines(name, [column])?.concat())
    }

    /// Acc@1 of the ranks with the same number in a column, by rising numbers: versions, percentages drawn.
    ///
    /// # Errors
    /// As [`Folder::lines`].
    pub fn acc1_by(&self, name: &str, column: &str) -> Result<Vec<(f64, f64)>> {
        let mut steps: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for [step, rank] in self.lines(name, [column, "rank"])? {
            steps.entry(step as u32).or_default().push(rank as u32);
        }
        steps.into_iter().map(|(step, ranks)| Ok((f64::from(step), acc_at(&ranks, 1)?))).collect()
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

/// The runs of which there is an analysis.
pub fn analysed<'a>(runs: &'a [Run], name: &str) -> Vec<&'a Run> {
    runs.iter().filter(|run| Folder::of(&run.folder).has(name)).collect()
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
            let empty = || Error::value(format!("line {}", i + 2), "a number", format!("no {}", column.name()));
            *value = column.f64()?.get(i).ok_or_else(empty)?;
        }
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;

    #[test]
    fn setting_is_read_by_name_and_kind() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder(place.path().into());
        assert!(folder.setting::<u32>("draws").is_err());
        write_atomic(&place.path().join("settings.json"), br#"{"draws": 5, "batches": [4, 16]}"#).unwrap();
        assert_eq!(folder.setting::<u32>("draws").unwrap(), 5);
        assert_eq!(folder.setting::<[usize; 2]>("batches").unwrap(), [4, 16]);
        let error = folder.setting::<usize>("last").unwrap_err().to_string();
        assert!(error.contains("settings.json") && error.contains("the setting last"), "{error}");
    }

    #[test]
    fn lines_come_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::of(&RunFolder(place.path().join("seed0")));
        assert!(!folder.has("x"));
        let columns = vec![
            Column::new("domain".into(), vec!["a", "b", "a"]),
            Column::new("step".into(), vec![1_u32, 1, 2]),
            Column::new("value".into(), vec![0.5, 2.0, 1.5]),
        ];
        folder.write("x", DataFrame::new(3, columns).unwrap()).unwrap();
        assert_eq!(folder.lines("x", ["step", "value"]).unwrap(), [[1.0, 0.5], [1.0, 2.0], [2.0, 1.5]]);
        assert_eq!(folder.column("x", "value").unwrap(), [0.5, 2.0, 1.5]);
        assert_eq!(folder.lines_where("x", &[("domain", "a")], ["step"]).unwrap(), [[1.0], [2.0]]);
        assert!(folder.lines_where("x", &[("domain", "c")], ["value"]).unwrap().is_empty());
        let error = folder.lines("x", ["loss"]).unwrap_err().to_string();
        assert!(error.contains("x.csv") && error.contains("loss"), "{error}");
        let columns = [("percent", [100_u32, 50, 50, 100]), ("rank", [1, 2, 1, 1])];
        let columns = columns.map(|(name, values)| Column::new(name.into(), values));
        folder.write("early", DataFrame::new(4, columns.into()).unwrap()).unwrap();
        assert_eq!(folder.acc1_by("early", "percent").unwrap(), [(50.0, 50.0), (100.0, 100.0)]);
        folder.remove("x").unwrap();
        folder.remove("x").unwrap(); // it is gone
        assert!(!folder.has("x"));
    }
}
