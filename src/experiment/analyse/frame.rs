//! Measurements as frames.

use crate::Result;
use crate::run::Rank;
use polars::prelude::{Column, DataFrame};

/// Columns that count.
const WHOLE: [&str; 8] = ["query", "position", "photo", "draw", "epoch", "step", "round", "bytes"];

/// Ranks as lines, each with the setting that it was ranked with in the first column.
///
/// # Errors
/// Never in practice: the columns have one length.
pub fn ranks_frame(name: &str, steps: &[(u32, Vec<Rank>)]) -> Result<DataFrame> {
    let all = || steps.iter().flat_map(|(step, ranks)| ranks.iter().map(move |rank| (*step, *rank)));
    let column =
        |name: &str, get: fn((u32, Rank)) -> u32| Column::new(name.into(), all().map(get).collect::<Vec<u32>>());
    let columns = vec![
        column(name, |line| line.0),
        column("query", |line| line.1.query),
        column("photo", |line| line.1.photo),
        column("rank", |line| line.1.rank),
    ];
    Ok(DataFrame::new(all().count(), columns)?)
}

/// Numbers as lines; columns that count hold whole numbers.
///
/// # Errors
/// Never in practice: the columns have one length.
pub fn lines_frame(names: &[&str], lines: &[Vec<f64>]) -> Result<DataFrame> {
    let column = |(i, name): (usize, &&str)| {
        let values = lines.iter().map(|line| line[i]);
        if WHOLE.contains(name) {
            Column::new((*name).into(), values.map(|value| value as u64).collect::<Vec<u64>>())
        } else {
            Column::new((*name).into(), values.collect::<Vec<f64>>())
        }
    };
    Ok(DataFrame::new(lines.len(), names.iter().enumerate().map(column).collect::<Vec<_>>())?)
}

/// The lines of sketches and of photos below each other, after a column that names them.
pub(super) fn domains_frame(names: &[&str], lines: [Vec<Vec<f64>>; 2]) -> Result<DataFrame> {
    let domain = |(name, lines): (&str, &Vec<Vec<f64>>)| -> Result<DataFrame> {
        let mut frame = lines_frame(names, lines)?;
        frame.insert_column(0, Column::new("domain".into(), vec![name; lines.len()]))?;
        Ok(frame)
    };
    let [sketches, photos] = &lines;
    Ok(domain(("sketch", sketches))?.vstack(&domain(("photo", photos))?)?)
}
