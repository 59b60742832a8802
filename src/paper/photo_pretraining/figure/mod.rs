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
use crate::report::figure::analysed;
use crate::report::figure::early::{self, Shown};
use crate::report::records::Records;
use std::path::Path;

/// The rows that are compared, in the colours of every figure.
pub const ROWS: [(&str, &str); 2] = [("ours-base", "Ours-Base (Eq. 1)"), ("ours", "Ours (Eq. 9)")];

/// Draws the paper's figures, and early retrieval, of every corpus that there are records for, as (name, SVG).
///
/// # Errors
/// A record that cannot be read.
pub fn draw(results: &Path) -> Result<Vec<(String, String)>> {
    let mut figures = Vec::new();
    for dataset in corpora().iter().map(|corpus| corpus.name) {
        let title = format!("While being drawn, {dataset}");
        let more = analysed::see_drawn(&records(results, dataset), &ROWS, &format!("fig5b-{dataset}"));
        // Acc@1 is in the other figure, where there is one.
        let ks: &[u32] = if more.is_empty() { &[1, 10] } else { &[10] };
        let shown = Shown { ks, more: &more };
        let drawn = [
            ("early", early::draw_shown(results, SLUG, dataset, &title, &ROWS, shown)?),
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

/// The name of a pre-training on a corpus whose supervised weights are not ImageNet's.
fn name(own: &Pretraining) -> &'static str {
    if own.weights.is_none() { "supervised" } else { own.label }
}

fn records<'a>(results: &'a Path, dataset: &'a str) -> Records<'a> {
    Records { results, slug: SLUG, dataset }
}

#[cfg(test)]
mod tests;
