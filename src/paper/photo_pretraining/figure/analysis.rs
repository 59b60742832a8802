//! Figures of the analyses: Fig. 2b and c, 4 and 5b.

use super::ROWS;
use crate::Result;
use crate::analysis::stability;
use crate::experiment::analyse::Settings;
use crate::experiment::first_seed;
use crate::file::read_json;
use crate::paper::photo_pretraining::{SLUG, analysis::separated};
use crate::report::analysis::{Folder, RADIUS, analysed, grids};
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Line, Panel, Spread, note, reach, spread, top};
use crate::report::figure::scatter::{self, Cloud, Part, Scatter};
use crate::report::figure::surface::{self, Landscapes, Surface};
use crate::report::{record::read_row, score::read_early};
use std::path::Path;

const ONE_SEED: &str = "the first seed of either row";

/// The analyses of a row's first seed, where the one that is asked for is among them.
fn first(results: &Path, dataset: &str, row: &str, name: &str) -> Option<Folder> {
    Some(Folder::of(&first_seed(results, SLUG, dataset, row))).filter(|folder| folder.has(name))
}

/// What the analyses of a corpus were made with: those of the first row, with which all others are drawn.
fn settings(results: &Path, dataset: &str) -> Result<Settings> {
    read_json(&Folder::of(&first_seed(results, SLUG, dataset, ROWS[0].0)).0.join("settings.json"))
}

/// Points (x, y) of one run.
type Curve = Vec<(f64, f64)>;

/// A curve of both rows, as mean and deviation over the seeds that were analysed, and how many these are; none before both
/// rows have one.
fn over_seeds(
    results: &Path,
    dataset: &str,
    name: &str,
    curve: &dyn Fn(&Folder) -> Result<Curve>,
) -> Result<Option<(Vec<Line>, Vec<usize>)>> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in ROWS {
        let runs = read_row(results, SLUG, dataset, row)?;
        let curves = analysed(&runs, name).into_iter().map(|run| curve(&Folder::of(&run.folder)));
        let curves = curves.collect::<Result<Vec<_>>>()?;
        let points = spread(&curves)?;
        if points.is_empty() {
            return Ok(None);
        }
        counts.push(curves.len());
        lines.push(Line { label: label.into(), points });
    }
    Ok(Some((lines, counts)))
}

/// Features of the test part in the plane in which they are widest (Fig. 2b and c).
///
/// # Errors
/// A record that does not read.
pub fn separation(results: &Path, dataset: &str) -> Result<Option<String>> {
    let mut parts = Vec::new();
    for (row, label) in separated() {
        let Some(folder) = first(results, dataset, &row, "separation") else { return Ok(None) };
        let cloud = |domain: &str, label: &str| -> Result<(Cloud, f64)> {
            let lines = folder.lines_where("separation", &[("domain", domain)], ["x", "y", "accuracy"])?;
            let accuracy = lines.first().map_or(50.0, |line| line[2]);
            Ok((Cloud { label: label.into(), points: lines.iter().map(|line| (line[0], line[1])).collect() }, accuracy))
        };
        let ((sketches, accuracy), (photos, _)) = (cloud("sketch", "sketches")?, cloud("photo", "photos")?);
        parts.push(Part {
            title: label,
            note: format!("told apart in the full feature space: {accuracy:.1}% (chance: 50%)"),
            x: "First principal component".into(),
            y: "Second principal component".into(),
            clouds: vec![sketches, photos],
        });
    }
    scatter::draw(&Scatter {
        title: format!("Fig. 2b and c: features of the test part by weight of the topology loss, {dataset}"),
        note: "The first seed of each row. Each part shows its own plane of principal components, all at one scale. The \
               percentage is not of this plane: it is the accuracy of a linear domain classifier on all dimensions of the \
               features, on photos, and sketches of them, that it was not trained on; clouds that overlap here can be apart there."
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
    let mut surfaces = Vec::new();
    for (row, label) in ROWS {
        let Some(folder) = first(results, dataset, row, "landscape") else { return Ok(None) };
        let Some(grid) = grids(&folder)?.into_iter().next() else { return Ok(None) };
        let rise = grid.rise(RADIUS)?;
        let label = format!("{label}: mean rise {:.3} within {RADIUS}", rise.mean);
        surfaces.push(Surface { label, x: grid.alphas, y: grid.betas, height: grid.loss });
    }
    let batches = settings(results, dataset)?.batches[0];
    let landscapes = Landscapes {
        title: format!("Fig. 4a: the triplet loss round the trained weights, {dataset}"),
        note: format!("{ONE_SEED}; directions scaled filter by filter (Li et al., 2018); {batches} training batches"),
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
    let spread_of = |folder: &Folder| {
        let lines = folder.lines("gradient", ["epoch", "nuclear_norm"])?;
        // As logarithms: an epoch in which one seed's gradients burst would flatten all others. One without any has none.
        let lines = lines.into_iter().filter(|[_, norm]| *norm > 0.0);
        Ok(lines.map(|[epoch, norm]| (epoch, norm.log10())).collect())
    };
    let Some((spreads, counts)) = over_seeds(results, dataset, "gradient", &spread_of)? else { return Ok(None) };
    let mut series = Vec::new();
    for (row, label) in ROWS {
        let Some(folder) = first(results, dataset, row, "stability") else { return Ok(None) };
        let values = stability(&folder.column("stability", "acc1")?)?.normalised;
        let point = |(i, value): (usize, &f64)| Spread { x: i as f64 - values.len() as f64, mean: *value, sd: None };
        series.push(Line { label: label.into(), points: values.iter().enumerate().map(point).collect() });
    }
    let batches = settings(results, dataset)?.batches[1];
    let last = spreads[0].points.last().map_or(1.0, |point| point.x);
    let (low, high) = extent(&series);
    let points = spreads.iter().flat_map(|line| &line.points).map(|point| (point.mean, point.sd));
    let first = Panel {
        title: format!("Fig. 4b: spread of gradients, {dataset}"),
        note: format!("{} of the logarithm; of the triplet loss over {batches} batches", note(&counts)),
        x: Axis::new("Epoch", (1.0, last)),
        y: Axis::logarithmic("Nuclear norm of the covariance (log scale)", reach(points)),
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

/// Where the figure in tenths points to [`early`]; empty where there is none.
pub(super) fn early_in_other_steps(results: &Path, dataset: &str) -> String {
    match ROWS.iter().all(|(row, _)| first(results, dataset, row, "early").is_some()) {
        true => format!("see fig5b-{dataset} for steps of 5%"),
        false => String::new(),
    }
}

/// Where [`early`], of `counts` seeds, points to the figure in tenths that has more; empty where none has. A seed alone
/// can be off by more than what the rows differ by.
fn early_of_more(results: &Path, dataset: &str, counts: &[usize]) -> Result<String> {
    let mut seeds = usize::MAX;
    for (row, _) in ROWS {
        let mut count = 0;
        for run in &read_row(results, SLUG, dataset, row)? {
            count += usize::from(!read_early(run)?.is_empty());
        }
        seeds = seeds.min(count);
    }
    let more = counts.iter().any(|count| *count < seeds);
    Ok(if more { format!("; see early-{dataset} for the mean over {seeds} seeds") } else { String::new() })
}

/// Acc@1 while the sketch is drawn, in steps of 5% (Fig. 5b).
///
/// # Errors
/// A record that does not read.
pub fn early(results: &Path, dataset: &str) -> Result<Option<String>> {
    let Some((lines, counts)) = over_seeds(results, dataset, "early", &|folder| folder.acc1_by("early", "percent"))?
    else {
        return Ok(None);
    };
    let panel = Panel {
        title: format!("Fig. 5b: while being drawn, {dataset}"),
        note: format!("{}{}", note(&counts), early_of_more(results, dataset, &counts)?),
        x: Axis::new("Share of the sketch drawn (% of its points)", (0.0, 100.0)),
        y: Axis::new("Acc@1 (%)", (0.0, top(&lines))),
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Band,
    };
    panel::draw_row((640, 400), &[panel]).map(Some)
}
