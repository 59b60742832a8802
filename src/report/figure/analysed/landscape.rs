//! The loss around the trained weights.

use super::{Rows, first_seed};
use crate::Result;
use crate::report::analysis::{RADIUS, grids};
use crate::report::figure::surface::{self, Landscapes, Surface};
use crate::report::records::Records;

/// How far from the weights the figure shows: where the loss still differs between networks.
const SHOWN: f64 = 0.3;

/// The loss over the first pair of directions, a landscape a row, and how far it rises.
///
/// # Errors
/// An analysis that cannot be read.
///
/// # References
/// Li et al., Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018.
pub fn landscape(records: &Records, rows: Rows, title: &str) -> Result<Option<String>> {
    let (mut surfaces, mut batches) = (Vec::new(), None);
    for (row, label) in rows {
        let Some(folder) = records.first_analysed(row, "landscape") else { return Ok(None) };
        let Some(grid) = grids(&folder)?.into_iter().next() else { return Ok(None) };
        let label = format!("{label}: mean rise {:.3} within {RADIUS}", grid.rise(RADIUS)?.mean);
        let grid = grid.within(SHOWN);
        surfaces.push(Surface { label, x: grid.alphas, y: grid.betas, height: grid.loss });
        batches.get_or_insert(folder);
    }
    let Some(first) = batches else { return Ok(None) };
    let [batches, _]: [usize; 2] = first.setting("batches")?; // as in all other rows
    let landscapes = Landscapes {
        title: title.into(),
        note: format!(
            "{}; directions scaled filter by filter (Li et al., 2018); {batches} training batches",
            first_seed(rows)
        ),
        x: "First direction".into(),
        y: "Second direction".into(),
        height: "loss".into(),
        surfaces,
    };
    surface::draw(&landscapes).map(Some)
}
