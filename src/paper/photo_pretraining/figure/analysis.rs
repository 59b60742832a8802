//! Figures of the analyses: Fig. 2b and c, 4 and 5b.

use super::ROWS;
use crate::Result;
use crate::analysis::stability;
use crate::paper::photo_pretraining::{SLUG, analysis::separated, table::BETAS};
use crate::report::analysis::{Folder, RADIUS, grids};
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Line, Panel, Spread, top};
use crate::report::figure::scatter::{self, Cloud, Part, Scatter};
use crate::report::figure::surface::{self, Landscapes, Surface};
use crate::report::{record::read_row, score::read_early};
use std::collections::BTreeMap;
use std::path::Path;

const ONE_SEED: &str = "the first seed of either row";

/// Features of the test part in the plane in which they are widest (Fig. 2b and c).
///
/// # Errors
/// A record that does not read.
pub fn separation(results: &Path, dataset: &str) -> Result<Option<String>> {
    let folder = Folder::of(results, SLUG, dataset);
    if !folder.has("separation") {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for (row, label) in separated() {
        let cloud = |domain: &str, label: &str| -> Result<(Cloud, f64)> {
            let lines =
                folder.lines_where("separation", &[("row", &row), ("domain", domain)], ["x", "y", "accuracy"])?;
            let accuracy = lines.first().map_or(50.0, |line| line[2]);
            Ok((Cloud { label: label.into(), points: lines.iter().map(|line| (line[0], line[1])).collect() }, accuracy))
        };
        let ((sketches, accuracy), (photos, _)) = (cloud("sketch", "sketches")?, cloud("photo", "photos")?);
        parts.push(Part {
            title: label.into(),
            note: format!("told apart in the full feature space: {accuracy:.1}% (chance: 50%)"),
            x: "First principal component".into(),
            y: "Second principal component".into(),
            clouds: vec![sketches, photos],
        });
    }
    let weight = BETAS[BETAS.len() - 1];
    scatter::draw(&Scatter {
        title: format!("Fig. 2b and c: features of the test part, topology loss at weight {weight}, {dataset}"),
        note: "The first seed of each row. Each part shows its own plane of principal components, all at one scale. The \
               percentage is not of this plane: it is the accuracy of a linear domain classifier on all dimensions of the \
               features, on rows that it was not trained on; clouds that overlap here can be apart there."
            .into(),
        parts,
    })
    .map(Some)
}

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
        let label = format!("{label}: mean rise {:.3} within {RADIUS}", rise.mean);
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
        x: Axis::new("Epoch", (1.0, last)),
        y: Axis::new("Nuclear norm of the covariance", (0.0, top(&spreads))),
        lines: spreads,
        levels: Vec::new(),
        marks: false,
        deviation: Deviation::Band,
    };
    let second = Panel {
        title: format!("Fig. 4c: the last 100 steps, {dataset}"),
        note: format!("{ONE_SEED}; test Acc@1 after every step"),
        x: Axis::new("Step, counted from the end", (-100.0, 0.0)),
        y: Axis::new("Acc@1 / its mean over these steps", (low, high)),
        lines: series,
        levels: Vec::new(),
        marks: false,
        deviation: Deviation::Band,
    };
    panel::draw_row((1160, 400), &[first, second]).map(Some)
}

fn extent(lines: &[Line]) -> (f64, f64) {
    let most = lines.iter().flat_map(|line| &line.points).map(|point| (point.mean - 1.0).abs()).fold(0.05, f64::max);
    let most = (most * 20.0).ceil() / 20.0; // a multiple of 0.05
    (1.0 - most, 1.0 + most)
}

/// Where the figure of all seeds points to [`early`]; empty where there is none.
pub(super) fn early_of_one(results: &Path, dataset: &str) -> String {
    match Folder::of(results, SLUG, dataset).has("early") {
        true => format!("see fig5b-{dataset} for {ONE_SEED} alone, in steps of 5%"),
        false => String::new(),
    }
}

/// Where [`early`] points to the figure of all seeds; empty where there is none. A seed alone can be off by more than what
/// the rows differ by.
fn early_of_all(results: &Path, dataset: &str) -> Result<String> {
    let mut seeds = usize::MAX;
    for (row, _) in ROWS {
        let mut count = 0;
        for run in &read_row(results, SLUG, dataset, row)? {
            count += usize::from(!read_early(run)?.is_empty());
        }
        seeds = seeds.min(count);
    }
    Ok(if seeds > 0 { format!("; see early-{dataset} for the mean over {seeds} seeds") } else { String::new() })
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
        note: format!("{ONE_SEED} alone{}", early_of_all(results, dataset)?),
        x: Axis::new("Share of the sketch drawn (% of its points)", (0.0, 100.0)),
        y: Axis::new("Acc@1 (%)", (0.0, top(&lines))),
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Band,
    };
    panel::draw_row((640, 400), &[panel]).map(Some)
}
