//! This paper's figures, from the records.

mod analysis;
mod matrix;
mod sweep;

pub use analysis::{dynamics, early as early_in_fives, landscape, separation as fig2b};
pub use matrix::table4;
pub use sweep::{fig2a, fig3};

use super::SLUG;
use super::table::{Pretraining, measured as corpora};
use crate::Result;
use crate::report::figure::early;
use crate::report::record::read_row;
use crate::report::table::{self, Measured};
use std::path::Path;

/// The rows that are compared, in the colours of every figure.
pub const ROWS: [(&str, &str); 2] = [("ours-base", "Ours-Base (Eq. 1)"), ("ours", "Ours (Eq. 9)")];

/// Draws the paper's figures, and early retrieval, of every corpus that there are records for, as (name, SVG).
///
/// # Errors
/// A record that does not read.
pub fn draw(results: &Path) -> Result<Vec<(String, String)>> {
    let mut figures = Vec::new();
    for dataset in corpora().iter().map(|corpus| corpus.name) {
        let (more, title) = (analysis::early_in_other_steps(results, dataset), format!("While being drawn, {dataset}"));
        let drawn = [
            ("early", early::draw_noted(results, SLUG, dataset, &title, &ROWS, &more)?),
            ("fig2a", sweep::fig2a(results, dataset)?),
            ("fig2bc", analysis::separation(results, dataset)?),
            ("fig3", sweep::fig3(results, dataset)?),
            ("table4", matrix::table4(results, dataset)?),
            ("fig4a", analysis::landscape(results, dataset)?),
            ("fig4bc", analysis::dynamics(results, dataset)?),
            ("fig5b", analysis::early(results, dataset)?),
        ];
        figures.extend(drawn.into_iter().filter_map(|(name, svg)| Some((format!("{name}-{dataset}"), svg?))));
    }
    Ok(figures)
}

/// What a pre-training is called where a corpus starts from supervised weights that are not ImageNet's.
fn name(own: &Pretraining) -> &'static str {
    if own.weights.is_none() { "supervised" } else { own.label }
}

fn measured(results: &Path, dataset: &str, row: &str) -> Result<Option<Measured>> {
    table::measure(&read_row(results, SLUG, dataset, row)?)
}

/// `3 seeds`, `2 to 3 seeds`, `1 seed`.
fn count_seeds(counts: &[usize]) -> String {
    let (least, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
    match (least == most, most) {
        (true, 1) => "1 seed".into(),
        (true, _) => format!("{most} seeds"),
        (false, _) => format!("{least} to {most} seeds"),
    }
}

#[cfg(test)]
mod tests;
