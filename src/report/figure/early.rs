//! Acc@K against the share of the sketch that is drawn.

use super::axis::Axis;
use super::panel::{self, Deviation, Panel, PanelLine, note, top};
use crate::Result;
use crate::metric::acc_at;
use crate::report::{
    record::{Run, read_row},
    score::read_early,
};
use std::path::Path;

/// A panel for each K of Acc@K: the one that papers draw, and the one that a page of results shows.
const KS: [u32; 2] = [1, 10];

/// What the figure shows, and what its note adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The K of Acc@K, a panel each.
    pub ks: &'a [u32],
    /// At the end of the note, e.g. which other figure shows another K; empty for none.
    pub more: &'a str,
}

/// Acc@1 and Acc@10.
impl Default for Shown<'_> {
    fn default() -> Self {
        Self { ks: &KS, more: "" }
    }
}

/// Draws some rows, each given as (folder, label), under titles that begin with `title`; none where no row recorded
/// `early.csv`.
///
/// A line is the mean over seeds, its band one standard deviation; the whole sketch, at 100%, is `ranks.csv`.
///
/// # Errors
/// A run that is inconsistent.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Fig. 5b.
pub fn draw(results: &Path, slug: &str, dataset: &str, title: &str, rows: &[(&str, &str)]) -> Result<Option<String>> {
    draw_shown(results, slug, dataset, title, rows, Shown::default())
}

/// The same with other panels, or more in the note.
///
/// # Errors
/// As [`draw`].
pub fn draw_shown(
    results: &Path,
    slug: &str,
    dataset: &str,
    title: &str,
    rows: &[(&str, &str)],
    shown: Shown,
) -> Result<Option<String>> {
    let mut panels = Vec::new();
    for &k in shown.ks {
        let (lines, counts) = read_lines(results, slug, dataset, rows, k)?;
        if lines.is_empty() {
            return Ok(None);
        }
        panels.push(Panel {
            title: format!("{title}: Acc@{k}"),
            note: [note(&counts).as_str(), shown.more]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
            x: Axis::new("Share of the sketch drawn (% of its points)", (0.0, 100.0)),
            y: Axis::new(&format!("Acc@{k} (%)"), (0.0, top(&lines))),
            lines,
            levels: Vec::new(),
            marks: true,
            deviation: Deviation::Band,
        });
    }
    panel::draw_row((540 * panels.len() as u32, 400), &panels).map(Some)
}

/// The lines of a K, and over how many seeds each of them is.
fn read_lines(
    results: &Path,
    slug: &str,
    dataset: &str,
    rows: &[(&str, &str)],
    k: u32,
) -> Result<(Vec<PanelLine>, Vec<usize>)> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in rows {
        let runs = read_row(results, slug, dataset, row)?;
        let seeds = runs.iter().map(|run| read_steps(run, k)).collect::<Result<Vec<_>>>()?;
        let line = PanelLine::of(label, seeds)?;
        if line.points.len() > 1 {
            counts.push(line.seeds.len());
            lines.push(line);
        }
    }
    Ok((lines, counts))
}

/// (percent, Acc@K) by rising percent; the last is the whole sketch.
fn read_steps(run: &Run, k: u32) -> Result<Vec<(f64, f64)>> {
    let mut points = Vec::new();
    for (percent, ranks) in read_early(run)? {
        if percent < 100 {
            let values: Vec<u32> = ranks.iter().map(|rank| rank.rank).collect();
            points.push((f64::from(percent), acc_at(&values, k)?));
        }
    }
    points.push((100.0, acc_at(&run.values(), k)?));
    Ok(points)
}
