//! Figures of the analyses: Fig. 4 and 5b.

use super::ROWS;
use crate::Result;
use crate::analysis::stability;
use crate::paper::photo_pretraining::SLUG;
use crate::report::analysis::{Folder, RADIUS, grids};
use crate::report::figure::panel::{self, Axis, Line, Panel, Spread, top};
use crate::report::figure::surface::{self, Landscapes, Surface};
use std::collections::BTreeMap;
use std::path::Path;

const ONE_SEED: &str = "the first seed of either row";

/// The loss round the trained weights (Fig. 4a).
///
/// # Errors
/// A record that does not read.
pub fn landscape(results: &Path, dataset: &str) -> Result<Option<String>> {
    let folder = Folder::of(results, SLUG, dataset);
    if !folder.has("landscape") {
        return Ok(None);
    }
    let mut surfaces = Vec::new();
    for (row, label) in ROWS {
        let Some(grid) = grids(&folder, row)?.into_iter().next() else { return Ok(None) };
        let rise = grid.rise(RADIUS)?;
        let label = format!("{label}: rises by {:.3} within {RADIUS}", rise.mean);
        surfaces.push(Surface { label, x: grid.alphas, y: grid.betas, height: grid.loss });
    }
    let landscapes = Landscapes {
        title: format!("Fig. 4a: the triplet loss round the trained weights, {dataset}"),
        note: format!("{ONE_SEED}; directions scaled filter by filter (Li et al., 2018); 128 training pairs"),
        x: "First direction".into(),
        y: "Second direction".into(),
        height: "loss".into(),
        surfaces,
    };
    surface::draw(&landscapes).map(Some)
}

/// Spread of gradients over the epochs, and test accuracy over the last steps (Fig. 4b and c).
///
/// # Errors
/// A record that does not read.
pub fn dynamics(results: &Path, dataset: &str) -> Result<Option<String>> {
    let folder = Folder::of(results, SLUG, dataset);
    if !folder.has("gradient") || !folder.has("stability") {
        return Ok(None);
    }
    let (mut spreads, mut series) = (Vec::new(), Vec::new());
    for (row, label) in ROWS {
        let point = |x: f64, mean: f64| Spread { x, mean, sd: None };
        let lines = folder.lines("gradient", row, ["epoch", "nuclear_norm"])?;
        spreads.push(Line { label: label.into(), points: lines.iter().map(|line| point(line[0], line[1])).collect() });
        let values = stability(&folder.column("stability", row, "acc1")?)?.normalised;
        let count = values.len() as f64;
        let points = values.iter().enumerate().map(|(i, value)| point(i as f64 - count, *value)).collect();
        series.push(Line { label: label.into(), points });
    }
    let last = spreads[0].points.last().map_or(1.0, |point| point.x);
    let (low, high) = extent(&series);
    let first = Panel {
        title: format!("Fig. 4b: spread of gradients, {dataset}"),
        note: format!("{ONE_SEED}; of the triplet loss over 16 batches"),
        x: Axis { name: "Epoch".into(), range: (1.0, last) },
        y: Axis { name: "Nuclear norm of the covariance".into(), range: (0.0, top(&spreads)) },
        lines: spreads,
        marks: false,
    };
    let second = Panel {
        title: "Fig. 4c: the last 100 steps".into(),
        note: format!("{ONE_SEED}; test Acc@1 after every step"),
        x: Axis { name: "Step, counted from the end".into(), range: (-100.0, 0.0) },
        y: Axis { name: "Acc@1 / its mean".into(), range: (low, high) },
        lines: series,
        marks: false,
    };
    panel::draw_row((1160, 400), &[first, second]).map(Some)
}

fn extent(lines: &[Line]) -> (f64, f64) {
    let most = lines.iter().flat_map(|line| &line.points).map(|point| (point.mean - 1.0).abs()).fold(0.05, f64::max);
    let most = (most * 20.0).ceil() / 20.0; // a multiple of 0.05
    (1.0 - most, 1.0 + most)
}

/// Acc@1 while the sketch is drawn, in steps of 5% (Fig. 5b).
///
/// # Errors
/// A record that does not read.
pub fn early(results: &Path, dataset: &str) -> Result<Option<String>> {
    let folder = Folder::of(results, SLUG, dataset);
    if !folder.has("early") {
        return Ok(None);
    }
    let mut lines = Vec::new();
    for (row, label) in ROWS {
        let mut hits: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        for [percent, rank] in folder.lines("early", row, ["percent", "rank"])? {
            let (right, all) = hits.entry(percent as u32).or_default();
            *all += 1.0;
            *right += if rank <= 1.0 { 100.0 } else { 0.0 };
        }
        let point =
            |(percent, (right, all)): (u32, (f64, f64))| Spread { x: f64::from(percent), mean: right / all, sd: None };
        lines.push(Line { label: label.into(), points: hits.into_iter().map(point).collect() });
    }
    let panel = Panel {
        title: format!("Fig. 5b: while being drawn, {dataset}"),
        note: ONE_SEED.into(),
        x: Axis { name: "Share of the sketch drawn (% of its points)".into(), range: (0.0, 100.0) },
        y: Axis { name: "Acc@1 (%)".into(), range: (0.0, top(&lines)) },
        lines,
        marks: true,
    };
    panel::draw_row((640, 400), &[panel]).map(Some)
}
