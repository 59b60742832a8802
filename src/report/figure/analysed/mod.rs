//! Figures of what was measured beside accuracy: each draws some rows of a corpus, given as (folder, label), and none
//! before all of them were analysed. Notes say of how many runs a figure is and what was measured.
//!
//! | file | figure |
//! |---|---|
//! | `separation` | features of sketches and photos on both sides of a classifier's border |
//! | `landscape` | the loss around the trained weights |
//! | `dynamics` | spread of gradients over the epochs, test accuracy over the last steps |
//! | `drawn` | Acc@1 while the sketch is drawn, in steps of 5% |

mod drawn;
mod dynamics;
mod landscape;
mod separation;

pub use drawn::{drawn, see_drawn};
pub use dynamics::dynamics;
pub use landscape::landscape;
pub use separation::separation;

use super::panel::PanelLine;
use crate::Result;
use crate::report::analysis::{Folder, analysed};
use crate::report::records::Records;

/// Rows as (folder, label), in the order of the colours.
pub type Rows<'a> = &'a [(&'a str, &'a str)];

/// Points (x, y) of one run.
type Curve = Vec<(f64, f64)>;

/// A line a row, mean and deviation over the seeds that were analysed, and how many these are; none before all rows have
/// one.
fn over_seeds(
    records: &Records,
    rows: Rows,
    name: &str,
    curve: &dyn Fn(&Folder) -> Result<Curve>,
) -> Result<Option<(Vec<PanelLine>, Vec<usize>)>> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in rows {
        let runs = records.runs(row)?;
        let curves = analysed(&runs, name).into_iter().map(|run| curve(&Folder::of(&run.folder)));
        let curves = curves.collect::<Result<Vec<_>>>()?;
        let line = PanelLine::of(label, curves)?;
        if line.points.is_empty() {
            return Ok(None);
        }
        counts.push(line.seeds.len());
        lines.push(line);
    }
    Ok((!lines.is_empty()).then_some((lines, counts)))
}

/// Says that what is drawn is no mean over seeds.
fn first_seed(rows: Rows) -> &'static str {
    match rows.len() {
        1 => "the first seed",
        2 => "the first seed of either row",
        _ => "the first seed of each row",
    }
}

#[cfg(test)]
mod tests;
