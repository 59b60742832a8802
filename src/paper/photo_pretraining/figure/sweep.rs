//! Figures over the weight of the topology loss: Fig. 2a and 3.

use super::{count_seeds, measured, name};
use crate::Result;
use crate::paper::photo_pretraining::Query;
use crate::paper::photo_pretraining::table::{BETAS, PRETRAININGS, base, weighed};
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Level, Line, Panel, Spread, reach};
use std::path::Path;

/// Acc@1 of Eq. 5 against the weight of the topology loss, one line a pre-training, each beside its Ours-Base (Fig. 3);
/// none before a line has two points.
///
/// # Errors
/// A record that does not read.
pub fn fig3(results: &Path, dataset: &str) -> Result<Option<String>> {
    let mut sweep = Sweep::default();
    for own in PRETRAININGS {
        let place = sweep.lines.len();
        if sweep.add_line(results, dataset, name(&own), &|beta| weighed(own.weights, Query::Sketch, beta))? {
            sweep.add_level(results, dataset, &format!("{}: Ours-Base", name(&own)), &base(own), place)?;
        }
    }
    let what = "Dashed, in the same colour: Ours-Base (Eq. 1) of the pre-training, without the topology loss.";
    sweep.draw(&format!("Fig. 3: the weight of the topology loss, by pre-training, {dataset}"), what)
}

/// Acc@1 of Eq. 5 with photos (Eq. 3) and sketches (Eq. 4) as queries, and without the topology loss (Fig. 2a).
///
/// # Errors
/// A record that does not read.
pub fn fig2a(results: &Path, dataset: &str) -> Result<Option<String>> {
    let mut sweep = Sweep::default();
    for (label, query) in [("photos (Eq. 3)", Query::Photo), ("sketches (Eq. 4)", Query::Sketch)] {
        sweep.add_line(results, dataset, label, &|beta| weighed(None, query, beta))?;
    }
    sweep.add_level(results, dataset, "Ours-Base (Eq. 1)", "ours-base", 2)?; // the colour after those of both lines
    let title = format!("Fig. 2a: photos or sketches as queries of the topology loss, {dataset}");
    sweep.draw(&title, "Dashed: Ours-Base, without the topology loss.")
}

/// Rows over the weights of the topology loss, and what they are compared with.
#[derive(Default)]
struct Sweep {
    lines: Vec<Line>,
    levels: Vec<Level>,
    /// Of all points and levels.
    seeds: Vec<usize>,
}

impl Sweep {
    /// Adds a row's means at every weight that it was run with; not where these are fewer than two.
    fn add_line(&mut self, results: &Path, dataset: &str, label: &str, row: &dyn Fn(&str) -> String) -> Result<bool> {
        let (mut points, mut seeds) = (Vec::new(), Vec::new());
        for (beta, x) in BETAS.into_iter().zip(places()) {
            if let Some(measured) = measured(results, dataset, &row(beta))? {
                points.push(Spread { x, mean: measured.acc1.0, sd: measured.acc1.1 });
                seeds.push(measured.seeds);
            }
        }
        let is_line = points.len() > 1;
        if is_line {
            self.lines.push(Line { label: label.into(), points });
            self.seeds.append(&mut seeds);
        }
        Ok(is_line)
    }

    /// Adds a row without the topology loss, where it was run.
    fn add_level(&mut self, results: &Path, dataset: &str, label: &str, row: &str, colour: usize) -> Result<()> {
        if let Some(measured) = measured(results, dataset, row)? {
            let (mean, sd) = measured.acc1;
            self.levels.push(Level { label: label.into(), mean, sd, colour });
            self.seeds.push(measured.seeds);
        }
        Ok(())
    }

    fn draw(self, title: &str, what: &str) -> Result<Option<String>> {
        if self.lines.is_empty() {
            return Ok(None);
        }
        let points = self.lines.iter().flat_map(|line| &line.points).map(|point| (point.mean, point.sd));
        let points = points.chain(self.levels.iter().map(|level| (level.mean, level.sd)));
        let (low, high) = reach(points);
        let panel = Panel {
            title: title.into(),
            note: format!("{} {what}", seeds_note(&self.seeds)),
            x: Axis {
                ticks: places().zip(BETAS.map(String::from)).collect(),
                // A little air beside the outermost weights, so that a level's bar stands apart from the points.
                ..Axis::new("Weight of the topology loss over the task's, beta / alpha (log scale)", (-1.12, 1.12))
            },
            // The differences are the matter: the axis begins below the lowest point, at a multiple of 5.
            y: Axis::new("Acc@1 (%)", ((low / 5.0).floor().max(0.0) * 5.0, (high / 5.0).ceil() * 5.0)),
            lines: self.lines,
            levels: self.levels,
            marks: true,
            deviation: Deviation::Bars,
        };
        panel::draw_row((800, 470), &[panel]).map(Some)
    }
}

/// Where the weights stand on a logarithmic axis.
fn places() -> impl Iterator<Item = f64> {
    BETAS.into_iter().map(|beta| beta.parse::<f64>().unwrap_or(f64::NAN).log10())
}

/// Says of how many seeds points are, with a bar and without.
fn seeds_note(seeds: &[usize]) -> String {
    let several: Vec<usize> = seeds.iter().copied().filter(|count| *count > 1).collect();
    let bars = format!("Points with a bar (mean ± one standard deviation): {}", count_seeds(&several));
    match several.len() {
        0 => "One seed a point.".into(),
        all if all == seeds.len() => format!("{bars}."),
        _ => format!("{bars}; points without: one seed."),
    }
}
