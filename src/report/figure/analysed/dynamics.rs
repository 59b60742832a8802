//! A training from inside: its gradients after every epoch, and test accuracy after each of its last steps.

use super::{Curve, Rows, over_seeds};
use crate::Result;
use crate::analysis::stability;
use crate::report::analysis::Folder;
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Panel, PanelLine, reach};
use crate::report::figure::seeds::count;
use crate::report::records::Records;

/// Spread of the gradients of `loss` over the epochs, and test accuracy over the last steps, under a title each.
///
/// # Errors
/// An analysis that cannot be read.
pub fn dynamics(records: &Records, rows: Rows, titles: [&str; 2], loss: &str) -> Result<Option<String>> {
    let Some(gradients) = gradients(records, rows, titles[0], loss)? else { return Ok(None) };
    let Some(steps) = last_steps(records, rows, titles[1])? else { return Ok(None) };
    panel::draw_row((1160, 400), &[gradients, steps]).map(Some)
}

/// The nuclear norm of the gradients' covariance, epoch by epoch.
fn gradients(records: &Records, rows: Rows, title: &str, loss: &str) -> Result<Option<Panel>> {
    let Some((lines, counts)) = over_seeds(records, rows, "gradient", &logarithms)? else { return Ok(None) };
    let Some(folder) = rows.first().and_then(|(row, _)| records.first_analysed(row, "gradient")) else {
        return Ok(None);
    };
    let [_, batches]: [usize; 2] = folder.setting("batches")?; // as in all other rows
    let last = lines[0].points.last().map_or(1.0, |point| point.x);
    let y = Axis::logarithmic("Nuclear norm of the covariance (log scale)", ends(&lines));
    let note = format!("{} Of the {loss} over {batches} batches", means(&counts, ", of the logarithm"));
    Ok(Some(plain(title, note, Axis::new("Epoch", (1.0, last)), y, lines)))
}

/// As logarithms: an epoch in which one seed's gradients burst would flatten all others. One without any has none.
fn logarithms(folder: &Folder) -> Result<Curve> {
    let lines = folder.lines("gradient", ["epoch", "nuclear_norm"])?;
    let lines = lines.into_iter().filter(|[_, norm]| *norm > 0.0);
    Ok(lines.map(|[epoch, norm]| (epoch, norm.log10())).collect())
}

/// Test accuracy after each of the last steps, over its mean.
fn last_steps(records: &Records, rows: Rows, title: &str) -> Result<Option<Panel>> {
    let Some((lines, counts)) = over_seeds(records, rows, "stability", &normalised)? else { return Ok(None) };
    let first = lines.iter().flat_map(|line| line.points.first()).map(|point| point.x).fold(-1.0, f64::min);
    let x = Axis::new("Step, counted from the end", (first, 0.0));
    let y = Axis::new("Acc@1 / its mean over these steps", extent(ends(&lines)));
    let note = format!("{} Test Acc@1 after every step", means(&counts, ""));
    Ok(Some(plain(title, note, x, y, lines)))
}

fn normalised(folder: &Folder) -> Result<Curve> {
    let values = stability(&folder.column("stability", "acc1")?)?.normalised;
    let point = |(i, value): (usize, &f64)| (i as f64 - values.len() as f64, *value);
    Ok(values.iter().enumerate().map(point).collect())
}

/// What is thick and what is thin, with a remark on the mean.
fn means(counts: &[usize], remark: &str) -> String {
    match counts.iter().max() {
        None | Some(0 | 1) => "One seed.".into(),
        Some(_) => format!("Thick: the mean over {}{remark}; thin: each of them.", count(counts)),
    }
}

/// The lowest and the highest value of all seeds.
fn ends(lines: &[PanelLine]) -> (f64, f64) {
    reach(lines.iter().flat_map(|line| &line.seeds).flatten().map(|point| (point.1, None)))
}

fn plain(title: &str, note: String, x: Axis, y: Axis, lines: Vec<PanelLine>) -> Panel {
    let (title, levels) = (title.into(), Vec::new());
    Panel { title, note, x, y, lines, levels, marks: false, deviation: Deviation::Seeds }
}

/// As far below 1 as above, at a multiple of 0.05.
fn extent((low, high): (f64, f64)) -> (f64, f64) {
    let most = (1.0 - low).max(high - 1.0).max(0.05);
    let most = (most * 20.0 - 1e-9).ceil() / 20.0;
    (1.0 - most, 1.0 + most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extent_is_even_and_round() {
        assert_eq!(extent((1.0, 1.0)), (0.95, 1.05));
        assert_eq!(extent((0.88, 1.01)), (0.85, 1.15));
    }

    #[test]
    fn means_are_of_several_seeds() {
        assert_eq!(means(&[1, 1], ", so"), "One seed.");
        assert_eq!(means(&[3, 2], ", so"), "Thick: the mean over 2 to 3 seeds, so; thin: each of them.");
    }
}
