//! A summary as markdown and as CSV, and its files.

use super::{SummaryLine, SummarySpec, lines};
use crate::Result;
use crate::file::{write_atomic, write_csv};
use crate::report::render::markdown_line;
use crate::report::table::DatasetSpec;
use polars::prelude::*;
use std::path::{Path, PathBuf};

/// One number where both rows have as many.
fn seeds(line: &SummaryLine) -> String {
    let [first, second] = line.seeds;
    if first == second { first.to_string() } else { format!("{first}, {second}") }
}

/// The lines as a markdown table, and the note below it.
pub fn markdown(spec: &SummarySpec, lines: &[SummaryLine]) -> String {
    let [first, second] = spec.rows.map(|(title, _)| title.to_string());
    let paper = [&first, &second].map(|title| format!("Paper: {title}"));
    let heads =
        [&["Data", spec.group.0, "What"].map(String::from)[..], &paper, &[first, second, "Seeds".into()]].concat();
    let mut text = format!("{}\n|---|---|---|--:|--:|--:|--:|--:|\n", markdown_line(&heads));
    for line in lines {
        let what = [line.dataset.clone(), line.group.into(), line.what.into()];
        let numbers: Vec<String> =
            line.paper.iter().chain(&line.found).map(|cell| cell.clone().unwrap_or_default()).collect();
        text += &format!("{}\n", markdown_line(&[&what[..], &numbers, &[seeds(line)]].concat()));
    }
    format!("{text}\n{}\n", spec.note)
}

fn frame(spec: &SummarySpec, lines: &[SummaryLine]) -> Result<DataFrame> {
    let column = |name: &str, get: &dyn Fn(&SummaryLine) -> Option<String>| {
        Column::new(name.into(), lines.iter().map(get).collect::<Vec<_>>())
    };
    let [first, second] = spec.rows.map(|(_, column)| column);
    let columns = vec![
        column("dataset", &|line| Some(line.dataset.clone())),
        column(spec.group.1, &|line| Some(line.group.into())),
        column("what", &|line| Some(line.what.into())),
        column(&format!("paper_{first}"), &|line| line.paper[0].clone()),
        column(&format!("paper_{second}"), &|line| line.paper[1].clone()),
        column(first, &|line| line.found[0].clone()),
        column(second, &|line| line.found[1].clone()),
        column("seeds", &|line| Some(seeds(line))),
    ];
    Ok(DataFrame::new(lines.len(), columns)?)
}

/// Writes the table as `results/tables/<slug>/analysis.md` and `.csv`; returns both paths.
///
/// # Errors
/// As [`lines`], or a folder that cannot be written.
pub fn write(results: &Path, spec: &SummarySpec, datasets: &[DatasetSpec]) -> Result<[PathBuf; 2]> {
    let lines = lines(results, spec, datasets)?;
    let folder = results.join("tables").join(spec.printed.slug);
    let paths = ["md", "csv"].map(|kind| folder.join(format!("analysis.{kind}")));
    write_atomic(&paths[0], markdown(spec, &lines).as_bytes())?;
    write_csv(&paths[1], &mut frame(spec, &lines)?)?;
    Ok(paths)
}
