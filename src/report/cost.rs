//! The time that the runs of a paper took.

use super::record::read_row;
use super::render::markdown_line;
use crate::Result;
use crate::file::{subfolders, write_atomic, write_csv};
use polars::prelude::*;
use std::path::{Path, PathBuf};

/// The runs of a row on a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct CostLine {
    /// The corpus.
    pub dataset: String,
    /// The row.
    pub row: String,
    /// Finished runs.
    pub seeds: usize,
    /// Epochs of a run; 0 where nothing is trained.
    pub epochs: usize,
    /// Mean seconds of a run.
    pub seconds: f64,
    /// `cpu` or `cuda`.
    pub device: String,
}

/// Every finished row of a paper below `results`, by corpus and name.
///
/// # Errors
/// A record that cannot be read.
pub fn lines(results: &Path, slug: &str) -> Result<Vec<CostLine>> {
    let mut lines = Vec::new();
    for dataset in subfolders(&results.join(slug))? {
        for row in subfolders(&results.join(slug).join(&dataset))? {
            let runs = read_row(results, slug, &dataset, &row)?;
            let Some(first) = runs.first() else { continue };
            let (device, epochs) = (first.origin.header.device.clone(), first.origin.epochs.len());
            let seconds = runs.iter().map(|run| run.summary.seconds).sum::<f64>() / runs.len() as f64;
            lines.push(CostLine { dataset: dataset.clone(), row, seeds: runs.len(), epochs, seconds, device });
        }
    }
    Ok(lines)
}

impl CostLine {
    fn cells(&self) -> [String; 6] {
        let epoch = if self.epochs > 0 { format!("{:.1}", self.seconds / self.epochs as f64) } else { String::new() };
        let total = format!("{:.0}", self.seconds * self.seeds as f64);
        [self.dataset.clone(), self.row.clone(), self.seeds.to_string(), epoch, total, self.device.clone()]
    }
}

/// Writes `cost.md` and `cost.csv`; returns their paths.
///
/// # Errors
/// As [`lines`], or a folder that cannot be written.
pub fn write(results: &Path, slug: &str) -> Result<[PathBuf; 2]> {
    let lines: Vec<[String; 6]> = lines(results, slug)?.iter().map(CostLine::cells).collect();
    let heads = ["Data", "Row", "Runs", "Seconds per epoch", "Seconds in total", "Device"].map(String::from);
    let mut text = format!("{}\n|---|---|--:|--:|--:|---|\n", markdown_line(&heads));
    lines.iter().for_each(|cells| text += &format!("{}\n", markdown_line(cells)));
    text += "\nWall time as logged, on whatever else the machine did: most runs had one thread and a neighbour.\n";
    let names = ["dataset", "row", "runs", "seconds_per_epoch", "seconds", "device"];
    let column = |(i, name): (usize, &str)| {
        Column::new(name.into(), lines.iter().map(|cells| cells[i].clone()).collect::<Vec<_>>())
    };
    let columns: Vec<Column> = names.into_iter().enumerate().map(column).collect();
    let folder = results.join("tables").join(slug);
    let paths = ["md", "csv"].map(|kind| folder.join(format!("cost.{kind}")));
    write_atomic(&paths[0], text.as_bytes())?;
    write_csv(&paths[1], &mut DataFrame::new(lines.len(), columns)?)?;
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{folder, write_run};
    use super::*;

    #[test]
    fn a_line_by_hand() {
        let place = tempfile::tempdir().unwrap();
        let at = folder(place.path(), "d", "r", 0);
        write_run(&at, &[1, 2]);
        let found = lines(place.path(), "p").unwrap();
        let seconds = at.summary().unwrap().seconds;
        let line =
            CostLine { dataset: "d".into(), row: "r".into(), seeds: 1, epochs: 3, seconds, device: "cpu".into() };
        assert_eq!(found, [line]);
        let [md, csv] = write(place.path(), "p").unwrap();
        assert!(std::fs::read_to_string(md).unwrap().contains("| d | r | 1 |"));
        assert!(
            std::fs::read_to_string(csv)
                .unwrap()
                .starts_with("dataset,row,runs,seconds_per_epoch,seconds,device\nd,r,1,")
        );
    }
}
