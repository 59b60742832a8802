//! Table 1: recognition, retrieval and distance of generated sketches, beside the paper's numbers.

use super::super::table::STROKES;
use super::super::{PRINTED, SLUG, table};
use super::{FRECHET, GENERATORS, RECOGNISED1, RECOGNISED10};
use crate::Result;
use crate::file::{write_atomic, write_csv};
use crate::metric::mean_sd;
use crate::report::records::Records;
use crate::report::render::markdown_line;
use crate::report::score::{ACC1, ACC10, Metric};
use polars::prelude::{Column, DataFrame};
use std::path::{Path, PathBuf};

/// The five metrics of Table 1, and their heads.
const COLUMNS: [(&Metric, &str); 5] = [
    (&RECOGNISED1, "Recognised @1"),
    (&RECOGNISED10, "Recognised @10"),
    (&ACC1, "Found @1"),
    (&ACC10, "Found @10"),
    (&FRECHET, "Fréchet"),
];

/// A row on a corpus: mean and deviation over seeds of each metric, as text, and the paper's number.
fn cells(results: &Path, dataset: &str, row: &str, label: &str) -> Result<Option<Vec<String>>> {
    let runs = Records { results, slug: SLUG, dataset }.runs(row)?;
    if runs.is_empty() {
        return Ok(None);
    }
    let printed = table::corpora().into_iter().find(|spec| spec.name == dataset).and_then(|spec| spec.printed);
    let mut cells = vec![dataset.to_string(), label.to_string()];
    for (metric, _) in COLUMNS {
        let of = |run| {
            Ok(metric.samples(run)?.map(|samples| samples.values.iter().sum::<f64>() / samples.values.len() as f64))
        };
        let values: Vec<f64> = runs.iter().map(of).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        let text = match mean_sd(&values) {
            Ok((mean, Some(sd))) if values.len() > 1 => format!("{mean:.1} ± {sd:.1}"),
            Ok((mean, _)) => format!("{mean:.1}"),
            Err(_) => "not measured".into(),
        };
        let paper = printed.map(|name| PRINTED.find("table1", label, name, metric.name)).transpose()?.flatten();
        cells.push(paper.map_or(text.clone(), |paper| format!("{text} (paper {paper})")));
    }
    cells.push(runs.len().to_string());
    Ok(Some(cells))
}

/// Writes `tables/more_photos/generation.csv` and `generation.md`; nothing where nothing was run.
///
/// # Errors
/// A record that cannot be read; a folder that cannot be written.
pub fn write(results: &Path) -> Result<Vec<PathBuf>> {
    let mut lines = Vec::new();
    for dataset in STROKES {
        for (row, label) in GENERATORS {
            lines.extend(cells(results, dataset, row, label)?);
        }
    }
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let [csv, page] = ["csv", "md"].map(|end| results.join("tables").join(SLUG).join(format!("generation.{end}")));
    let heads: Vec<String> = ["Data", "Row"]
        .into_iter()
        .chain(COLUMNS.iter().map(|(_, head)| *head))
        .chain(["Seeds"])
        .map(String::from)
        .collect();
    let names = ["dataset", "row", "recognised1", "recognised10", "acc1", "acc10", "frechet", "seeds"];
    let column = |(at, name): (usize, &str)| {
        Column::new(name.into(), lines.iter().map(|line| line[at].clone()).collect::<Vec<String>>())
    };
    let columns = names.into_iter().enumerate().map(column).collect();
    write_csv(&csv, &mut DataFrame::new(lines.len(), columns)?)?;
    let rules: Vec<String> = heads.iter().map(|_| "---".to_string()).collect();
    let mut text = vec![markdown_line(&heads), markdown_line(&rules)];
    text.extend(lines.iter().map(|line| markdown_line(line)));
    write_atomic(&page, (text.join("\n") + "\n").as_bytes())?;
    Ok(vec![csv, page])
}
