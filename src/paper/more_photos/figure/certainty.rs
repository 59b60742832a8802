//! Fig. 4a: whether sketches that the discriminator is more certain of find their photo better.

use super::super::analysis::CERTAINTY;
use crate::Result;
use crate::metric::mean_sd;
use crate::report::analysis::Folder;
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Panel, PanelLine, PointSpread, top};
use crate::report::records::Records;

/// The row whose discriminator it is.
const SHOWN: &str = "ours-f-full";

/// Steps of certainty.
const STEPS: usize = 10;

/// The pairs within a step of certainty.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct CertaintyStep {
    count: usize,
    /// Of their percentiles.
    sum: f64,
}

/// Percentile over certainty, and how many pairs there are; none before a seed was analysed.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn draw(records: &Records) -> Result<Option<String>> {
    let (mut all, mut seeds, mut correlations) = (Vec::new(), Vec::new(), Vec::new());
    for run in records.runs(SHOWN)? {
        let Some(samples) = CERTAINTY.samples(&run)? else { continue };
        correlations.push(samples.values.iter().sum::<f64>() / samples.values.len() as f64);
        let pairs = Folder::of(&run.folder).lines("certainty", ["certainty", "percentile"])?;
        seeds.push(means(&steps(&pairs)));
        all.extend(pairs);
    }
    if all.is_empty() {
        return Ok(None);
    }
    let title = format!("Fig. 4a: certainty and rank, {}", records.dataset);
    let steps = steps(&all);
    panel::draw_row((1_120, 430), &[ranks(title, &correlations, &steps, seeds)?, counts(&steps)]).map(Some)
}

/// The steps that pairs (certainty, percentile) lie in; a certainty of 1 is in the last.
fn steps(pairs: &[[f64; 2]]) -> [CertaintyStep; STEPS] {
    let mut steps = [CertaintyStep::default(); STEPS];
    for [certainty, percentile] in pairs {
        let step = &mut steps[((certainty * STEPS as f64) as usize).min(STEPS - 1)];
        (step.count, step.sum) = (step.count + 1, step.sum + percentile);
    }
    steps
}

/// The middle of a step.
fn middle(at: usize) -> f64 {
    (at as f64 + 0.5) / STEPS as f64
}

/// The mean percentile of every step with pairs, over its middle.
fn means(steps: &[CertaintyStep]) -> Vec<(f64, f64)> {
    let filled = steps.iter().enumerate().filter(|(_, step)| step.count > 0);
    filled.map(|(at, step)| (middle(at), step.sum / step.count as f64)).collect()
}

fn ranks(title: String, correlations: &[f64], steps: &[CertaintyStep], seeds: Vec<Vec<(f64, f64)>>) -> Result<Panel> {
    let correlation = match mean_sd(correlations)? {
        (mean, Some(sd)) => format!("{mean:.2} ± {sd:.2} over {} seeds", correlations.len()),
        (mean, None) => format!("{mean:.2}, one seed"),
    };
    let means = means(steps);
    let lowest = seeds.iter().flatten().chain(&means).map(|point| point.1).fold(90.0, f64::min);
    let point = |(x, mean): (f64, f64)| PointSpread { x, mean, sd: None };
    let line = PanelLine { label: "all pairs".into(), points: means.into_iter().map(point).collect(), seeds };
    Ok(Panel {
        title,
        note: format!(
            "Generated sketches of test photos, means within steps of 0.1; thin: seed by seed. Correlation pair by pair: \
             {correlation}."
        ),
        x: axis(),
        y: Axis::new("Rank percentile (100: the own photo is first)", ((lowest / 10.0).floor() * 10.0, 100.0)),
        lines: vec![line],
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Seeds,
    })
}

fn counts(steps: &[CertaintyStep]) -> Panel {
    let point = |(at, step): (usize, &CertaintyStep)| PointSpread { x: middle(at), mean: step.count as f64, sd: None };
    let points = steps.iter().enumerate().map(point).collect();
    let lines = vec![PanelLine { label: "all pairs".into(), points, seeds: Vec::new() }];
    Panel {
        title: "How many pairs there are".into(),
        note: "Pairs within each step, of all seeds together.".into(),
        x: axis(),
        y: Axis::new("Pairs", (0.0, top(&lines))),
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Seeds,
    }
}

fn axis() -> Axis {
    Axis::new("Certainty of the discriminator", (0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_their_lower_end_and_the_last_one_both() {
        let found = steps(&[[0.0, 10.0], [0.05, 20.0], [0.5, 40.0], [0.99, 80.0], [1.0, 100.0]]);
        assert_eq!(found.map(|step| step.count), [2, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        assert_eq!(means(&found), [(0.05, 15.0), (0.55, 40.0), (0.95, 90.0)]);
    }

    #[test]
    fn the_axis_holds_every_seed() {
        let steps = steps(&[[0.2, 70.0], [0.8, 90.0]]);
        let panel = ranks("T".into(), &[0.5, 0.7], &steps, vec![vec![(0.25, 43.0)], means(&steps)]).unwrap();
        assert_eq!(panel.y.range, (40.0, 100.0));
        assert!(panel.note.ends_with("0.60 ± 0.14 over 2 seeds."), "{}", panel.note);
        let alone = ranks("T".into(), &[0.5], &steps, Vec::new()).unwrap();
        assert!(alone.note.ends_with("0.50, one seed.") && alone.y.range == (70.0, 100.0), "{}", alone.note);
    }
}
