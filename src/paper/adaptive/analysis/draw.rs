//! Ranks after adapting to ten draws of the support: how much of a result is luck with the pairs.

use super::super::{Config, SLUG};
use crate::Result;
use crate::experiment::Subject;
use crate::experiment::ranker::evaluate;
use crate::report::analysis::{Folder, Samples};
use crate::report::record::Run;
use crate::report::score::Metric;
use crate::run::Rank;
use polars::prelude::{Column, DataFrame};
use std::collections::BTreeMap;

/// Draws of a support.
pub(in super::super) const COUNT: usize = 10;

/// The columns of `draws.csv`, ranks alone.
const COLUMNS: [&str; COUNT] =
    ["draw0", "draw1", "draw2", "draw3", "draw4", "draw5", "draw6", "draw7", "draw8", "draw9"];

/// Own photo first: the mean over ten draws of the support.
pub static DRAWS: Metric = Metric {
    name: "draws",
    title: "Acc@1 over ten supports",
    file: Some("draws"),
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: |run| samples(run),
};

fn samples(run: &Run) -> Result<Samples> {
    let ranks = read(&Folder::of(&run.folder))?;
    let hit = |rank: &f64| if *rank == 1.0 { 100.0 / COUNT as f64 } else { 0.0 };
    Ok(Samples { values: ranks.iter().map(|row| row.iter().map(hit).sum()).collect(), groups: run.photos() })
}

/// The ranks of every query, by rising query, draw by draw.
///
/// # Errors
/// A file that cannot be read, or lacks a column.
pub fn read(folder: &Folder) -> Result<Vec<[f64; COUNT]>> {
    let queries = folder.column("draws", "query")?;
    let mut lines: Vec<(f64, [f64; COUNT])> = queries.into_iter().zip(folder.lines("draws", COLUMNS)?).collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(lines.into_iter().map(|(_, ranks)| ranks).collect())
}

/// The task of every query, by its name.
///
/// # Errors
/// As [`read`].
pub fn tasks_of(folder: &Folder) -> Result<BTreeMap<u32, String>> {
    let frame = crate::file::read_csv(&folder.0.join("draws.csv"))?;
    let names = frame.column("task")?.str()?.iter().map(|name| name.unwrap_or_default().to_string());
    Ok(folder.column("draws", "query")?.into_iter().map(|query| query as u32).zip(names).collect())
}

/// Writes `draws.csv`.
///
/// # Errors
/// A checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (mut model, queries) = super::open(subject)?;
    let mut all: Vec<Vec<Rank>> = Vec::new();
    for draw in 0..COUNT {
        model.network.draw = draw as u64;
        all.push(evaluate(&model, &queries)?);
        subject.order.watch.advance(SLUG, draw + 1, COUNT);
    }
    let column = |name: &str, values: Vec<u32>| Column::new(name.into(), values);
    let mut columns = vec![
        column("query", all[0].iter().map(|rank| rank.query).collect()),
        column("photo", all[0].iter().map(|rank| rank.photo).collect()),
    ];
    let name = |rank: &Rank| model.task(rank.query as usize).map_or("", |task| task.category.as_str());
    columns.push(Column::new("task".into(), all[0].iter().map(name).collect::<Vec<&str>>()));
    columns.extend(
        COLUMNS.iter().zip(&all).map(|(name, ranks)| column(name, ranks.iter().map(|rank| rank.rank).collect())),
    );
    subject.write("draws", DataFrame::new(all[0].len(), columns)?)
}
