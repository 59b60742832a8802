//! Acc@1 against the share of the sketch that is drawn, as Fig. 5b of Photo Pre-Training, But for Sketch.

use super::canvas::render;
use super::panel::{self, Axis, Line, Panel, note, spread, top};
use crate::Result;
use crate::metric::acc_at;
use crate::report::{
    record::{Run, read_row},
    score::read_early,
};
use std::path::Path;

/// Draws some rows, each given as (folder, label); none where no row recorded `early.csv`.
///
/// A line is the mean over seeds, its band one standard deviation; the whole sketch, at 100%, is `ranks.csv`.
///
/// # Errors
/// A run that does not hold together.
pub fn draw(results: &Path, slug: &str, dataset: &str, title: &str, rows: &[(&str, &str)]) -> Result<Option<String>> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in rows {
        let seeds: Result<Vec<_>> = read_row(results, slug, dataset, row)?.iter().map(read_steps).collect();
        let seeds = seeds?;
        let points = spread(&seeds)?;
        if points.len() > 1 {
            counts.push(seeds.len());
            lines.push(Line { label: (*label).to_string(), points });
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let x = Axis { name: "Share of the sketch drawn (% of its points)".into(), range: (0.0, 100.0) };
    let y = Axis { name: "Acc@1 (%)".into(), range: (0.0, top(&lines)) };
    let panel = Panel { title: title.into(), note: note(&counts), x, y, lines, marks: true };
    render((640, 420), |area| panel::draw(area, &panel)).map(Some)
}

/// (percent, Acc@1) by rising percent; the last is the whole sketch.
fn read_steps(run: &Run) -> Result<Vec<(f64, f64)>> {
    let mut points = Vec::new();
    for (percent, ranks) in read_early(run)? {
        if percent < 100 {
            let values: Vec<u32> = ranks.iter().map(|rank| rank.rank).collect();
            points.push((f64::from(percent), acc_at(&values, 1)?));
        }
    }
    points.push((100.0, acc_at(&run.values(), 1)?));
    Ok(points)
}
