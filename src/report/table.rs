//! A table: for every row and dataset the mean and deviation over seeds, beside the paper's number.

use super::{
    printed::Printed,
    record::{Run, check_same_queries, read_row},
    score::{ACC1, ACC5, ACC10, Metric, drawn},
};
use crate::{
    Result,
    metric::{acc_at, average_percentile, mean_sd},
};
use std::path::Path;

/// The content of a table; written down once in a paper's module.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSpec {
    /// The printed tables of its paper.
    pub printed: Printed,
    /// The file it is written to, without extension.
    pub name: &'static str,
    /// Its title, a sentence.
    pub title: &'static str,
    /// The metric of the paper's numbers.
    pub metric: &'static Metric,
    /// The share of every sketch that is left out; none for whole sketches.
    pub masked: Option<u32>,
    /// From top to bottom within each dataset.
    pub rows: Vec<RowSpec>,
    /// From top to bottom.
    pub datasets: Vec<DatasetSpec>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct RowSpec {
    /// Its folder in `results/<slug>/<dataset>/`; none for a row that is only reported.
    pub row: Option<String>,
    /// Its name in the table.
    pub label: String,
    /// Where the paper prints it.
    pub paper: Option<PaperCell>,
    /// Printed below the table; empty for nothing to say.
    pub note: String,
    /// The datasets it is measured on; empty for all.
    pub only: &'static [&'static str],
}

impl RowSpec {
    /// A row that is measured on every dataset and printed under its label in one of the paper's tables.
    pub fn printed(row: &str, label: &str, table: &'static str) -> Self {
        let paper = Some(PaperCell { table, label: label.into() });
        Self { row: Some(row.into()), label: label.into(), paper, note: String::new(), only: &[] }
    }
}

/// A row of a printed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperCell {
    /// The file in `data/papers/<slug>/`, without extension.
    pub table: &'static str,
    /// The row as printed.
    pub label: String,
}

/// A dataset of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetSpec {
    /// Its folder in `results/<slug>/`.
    pub name: &'static str,
    /// Its name in the table.
    pub label: &'static str,
    /// The dataset of the paper whose numbers stand beside those measured, as printed.
    pub printed: Option<&'static str>,
    /// The data that the runs were measured on, in words.
    pub measured_on: &'static str,
}

/// A table with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// [`TableSpec::name`].
    pub name: String,
    /// [`TableSpec::title`].
    pub title: String,
    /// [`TableSpec::metric`].
    pub metric: &'static Metric,
    /// Dataset by dataset, row by row.
    pub lines: Vec<TableLine>,
    /// Notes on rows, as (label, note).
    pub notes: Vec<(String, String)>,
}

/// A line of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableLine {
    /// [`DatasetSpec::name`].
    pub dataset: String,
    /// [`DatasetSpec::label`].
    pub dataset_label: String,
    /// [`DatasetSpec::measured_on`].
    pub measured_on: String,
    /// [`RowSpec::row`].
    pub row: Option<String>,
    /// [`RowSpec::label`].
    pub label: String,
    /// The paper's number as printed.
    pub paper: Option<String>,
    /// The measured numbers; none where the row has no finished run on the dataset.
    pub measured: Option<Measured>,
}

impl TableLine {
    /// The text in place of a measured number: empty for a row that is only reported, or on data that is not available.
    pub fn missing(&self) -> &'static str {
        if self.row.is_some() { NOT_RUN } else { "" }
    }
}

/// The text where there is no finished run.
pub const NOT_RUN: &str = "not run";

/// Mean, and sample standard deviation over seeds where there are two or more.
pub type MeanSd = (f64, Option<f64>);

/// The numbers of the finished runs of a row, in percent.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Own photo first.
    pub acc1: MeanSd,
    /// Own photo among the first five.
    pub acc5: MeanSd,
    /// Own photo among the first ten.
    pub acc10: MeanSd,
    /// [`average_percentile`]; none for a gallery of one photo.
    pub percentile: Option<MeanSd>,
    /// Finished runs.
    pub seeds: usize,
    /// Test queries.
    pub queries: usize,
    /// Photos ranked; where galleries differ, of the largest.
    pub gallery: usize,
    /// Photos that are asked for, of all galleries.
    pub photos: usize,
    /// The rule that chose the epoch.
    pub select_on: String,
}

impl Measured {
    /// The mean in a metric; none for one that tables do not hold.
    pub fn get(&self, metric: &Metric) -> Option<MeanSd> {
        let means = [(&ACC1, self.acc1), (&ACC5, self.acc5), (&ACC10, self.acc10)];
        means.into_iter().find(|(held, _)| *held == metric).map(|(_, mean)| mean)
    }
}

/// Fills a table from the finished runs below `results`.
///
/// # Errors
/// A run that is inconsistent, rows of a dataset with different queries (both are named), or a cell that the
/// paper does not print.
pub fn build(results: &Path, spec: &TableSpec) -> Result<Table> {
    let mut lines = Vec::new();
    for dataset in &spec.datasets {
        let mut first: Option<Run> = None;
        for row in spec.rows.iter().filter(|row| row.only.is_empty() || row.only.contains(&dataset.name)) {
            let runs = match &row.row {
                Some(row) => read_row(results, spec.printed.slug, dataset.name, row)?,
                None => Vec::new(),
            };
            if let (Some(first), Some(run)) = (&first, runs.first()) {
                check_same_queries(first, run)?;
            }
            lines.push(line(spec, dataset, row, &runs)?);
            first = first.or_else(|| runs.into_iter().next());
        }
    }
    let noted = spec.rows.iter().filter(|row| !row.note.is_empty());
    let notes = noted.map(|row| (row.label.clone(), row.note.clone())).collect();
    Ok(Table { name: spec.name.into(), title: spec.title.into(), metric: spec.metric, lines, notes })
}

fn line(spec: &TableSpec, dataset: &DatasetSpec, row: &RowSpec, runs: &[Run]) -> Result<TableLine> {
    let paper = match (&row.paper, dataset.printed) {
        (Some(cell), Some(dataset)) => spec.printed.find(cell.table, &cell.label, dataset, spec.metric.name)?,
        _ => None,
    };
    Ok(TableLine {
        dataset: dataset.name.into(),
        dataset_label: dataset.label.into(),
        measured_on: dataset.measured_on.into(),
        row: row.row.clone(),
        label: row.label.clone(),
        paper,
        measured: measure_masked(runs, spec.masked)?,
    })
}

/// Mean and deviation over the runs of a row; none where there is no run.
///
/// # Errors
/// A run without queries.
pub fn measure(runs: &[Run]) -> Result<Option<Measured>> {
    measure_masked(runs, None)
}

/// The ranks of a run that a table is of: those of whole sketches, or of every draw of a share that is left out.
fn shown(run: &Run, masked: Option<u32>) -> Result<Vec<Vec<u32>>> {
    let Some(percent) = masked else { return Ok(vec![run.values()]) };
    Ok(drawn(run, percent)?.iter().map(Run::values).collect())
}

/// The same with a share of the sketches left out, as the mean over its draws; runs without any do not count.
fn measure_masked(runs: &[Run], masked: Option<u32>) -> Result<Option<Measured>> {
    let shown = runs.iter().map(|run| shown(run, masked)).collect::<Result<Vec<_>>>()?;
    let (runs, shown): (Vec<&Run>, Vec<_>) = runs.iter().zip(shown).filter(|(_, draws)| !draws.is_empty()).unzip();
    let Some(first) = runs.first() else { return Ok(None) };
    let over_seeds = |score: &dyn Fn(&[u32]) -> Result<f64>| -> Result<MeanSd> {
        let mean = |draws: &Vec<Vec<u32>>| -> Result<f64> {
            let scores = draws.iter().map(|ranks| score(ranks)).collect::<Result<Vec<f64>>>()?;
            Ok(scores.iter().sum::<f64>() / scores.len() as f64)
        };
        mean_sd(&shown.iter().map(mean).collect::<Result<Vec<f64>>>()?)
    };
    let gallery = first.summary.gallery;
    let mut rules: Vec<&str> = runs.iter().map(|run| run.summary.select_on.as_str()).collect();
    rules.dedup();
    Ok(Some(Measured {
        acc1: over_seeds(&|ranks| acc_at(ranks, 1))?,
        acc5: over_seeds(&|ranks| acc_at(ranks, 5))?,
        acc10: over_seeds(&|ranks| acc_at(ranks, 10))?,
        percentile: (gallery > 1)
            .then(|| over_seeds(&|ranks| average_percentile(ranks, u32::try_from(gallery).unwrap_or(u32::MAX))))
            .transpose()?,
        seeds: runs.len(),
        queries: first.ranks.len(),
        gallery,
        photos: first.ranks.iter().map(|rank| rank.photo).collect::<std::collections::BTreeSet<_>>().len(),
        select_on: rules.join("; "),
    }))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::printed::tests::TOY;
    use super::super::record::tests::write_run;
    use super::*;
    use crate::run::{MaskedRanks, Rank, RunFolder};

    pub fn spec() -> TableSpec {
        let row = |row: &str, label: &str, paper: Option<&str>, only| RowSpec {
            row: Some(row).filter(|row| *row != "human").map(String::from),
            label: String::from(label),
            note: if row == "hog" { "no learning".into() } else { String::new() },
            only,
            paper: paper.map(|label| PaperCell { table: "table1", label: label.into() }),
        };
        let dataset = |name, label, printed| DatasetSpec { name, label, printed, measured_on: "toy | data" };
        TableSpec {
            printed: TOY,
            name: "main",
            title: "Toy rows",
            metric: &ACC1,
            masked: None,
            rows: vec![
                row("hog", "HOG", None, &[]),
                row("old", "Old", Some("Old (A)"), &[]),
                row("new", "New", Some("New (A)"), &["chair"]),
            ],
            datasets: vec![dataset("chair", "Chair", Some("Chair")), dataset("synth", "Synth", None)],
        }
    }

    pub fn at(results: &Path, dataset: &str, row: &str, seed: u64) -> RunFolder {
        RunFolder::of(results, TOY.slug, dataset, row, crate::seed::Seed(seed))
    }

    #[test]
    fn table_lines_by_hand() {
        let place = tempfile::tempdir().unwrap();
        write_run(&at(place.path(), "chair", "hog", 0), &[1, 6, 11, 20]);
        for (seed, ranks) in [[1, 1, 2, 3], [1, 1, 1, 20], [1, 6, 6, 6]].iter().enumerate() {
            write_run(&at(place.path(), "chair", "old", seed as u64), ranks);
        }
        let table = build(place.path(), &spec()).unwrap();
        let cells: Vec<_> =
            table.lines.iter().map(|line| (line.dataset.as_str(), line.row.as_deref().unwrap())).collect();
        assert_eq!(cells, [("chair", "hog"), ("chair", "old"), ("chair", "new"), ("synth", "hog"), ("synth", "old")]);
        let hog = table.lines[0].measured.clone().unwrap();
        assert_eq!((hog.acc1, hog.acc5, hog.acc10), ((25.0, None), (25.0, None), (50.0, None)));
        let base = table.lines[1].measured.clone().unwrap();
        assert_eq!(base.acc1, (50.0, Some(25.0))); // 50, 75, 25
        assert_eq!((base.seeds, base.queries, base.gallery, base.select_on.as_str()), (3, 4, 20, "valid acc1"));
        let papers: Vec<_> = table.lines.iter().map(|line| line.paper.as_deref()).collect();
        assert_eq!(papers, [None, Some("67.82"), Some("71.70"), None, None]);
        assert!(table.lines[2..].iter().all(|line| line.measured.is_none()));
        assert_eq!(table.notes, [("HOG".to_string(), "no learning".to_string())]);
    }

    #[test]
    fn masked_table_is_the_mean_over_draws() {
        let place = tempfile::tempdir().unwrap();
        for seed in [0, 1] {
            let folder = at(place.path(), "chair", "old", seed);
            write_run(&folder, &[1, 1, 2 + seed as u32, 3]);
            let ranks = folder.ranks().unwrap();
            let draw = |version, found: u32| MaskedRanks {
                percent: 30,
                version,
                ranks: ranks
                    .iter()
                    .map(|own| Rank { rank: if own.query < 100 + found { 1 } else { 7 }, ..*own })
                    .collect(),
            };
            let masked = [draw(0, 1 + 2 * seed as u32), draw(1, 2)];
            folder.write_masked(&masked[..2 - seed as usize]).unwrap();
        }
        let masked = build(place.path(), &TableSpec { masked: Some(30), ..spec() }).unwrap();
        let old = masked.lines[1].measured.clone().unwrap();
        assert_eq!((old.acc1.0, old.acc5.0, old.acc10.0, old.seeds), ((37.5 + 75.0) / 2.0, 56.25, 100.0, 2));
        let none = build(place.path(), &TableSpec { masked: Some(50), ..spec() }).unwrap();
        assert!(none.lines[1].measured.is_none());
    }

    #[test]
    fn rows_with_other_queries_are_named() {
        let place = tempfile::tempdir().unwrap();
        write_run(&at(place.path(), "chair", "hog", 0), &[1, 2]);
        write_run(&at(place.path(), "chair", "new", 0), &[1, 2, 3]);
        let error = build(place.path(), &spec()).unwrap_err().to_string();
        assert!(error.contains("hog") && error.contains("new") && error.contains("3 queries"), "{error}");
    }
}
