//! Figures over the weight of the topology loss: Fig. 2a and 3.

use super::{name, records};
use crate::Result;
use crate::paper::photo_pretraining::Query;
use crate::paper::photo_pretraining::table::{BETAS, PRETRAININGS, base, weighed};
use crate::report::figure::sweep::Sweep;
use std::path::Path;

const WEIGHT: &str = "Weight of the topology loss over the task's, beta / alpha (log scale)";

/// Acc@1 of Eq. 5 against the weight of the topology loss, one line a pre-training, each beside its Ours-Base (Fig. 3);
/// none before a line has two points.
///
/// # Errors
/// A record that cannot be read.
pub fn fig3(results: &Path, dataset: &str) -> Result<Option<String>> {
    let mut sweep = Sweep::new(records(results, dataset), &BETAS)?;
    for own in PRETRAININGS {
        if let Some(colour) = sweep.add_line(name(&own), &|beta| weighed(own.weights, Query::Sketch, beta))? {
            sweep.add_level("", &base(own), colour)?; // the line of the same colour says the pre-training
        }
    }
    let title = format!("Fig. 3: the weight of the topology loss, by pre-training, {dataset}");
    let what = "Dashed, with a hollow mark, in the same colour: Ours-Base (Eq. 1) of the pre-training, without the topology loss.";
    sweep.draw(&title, WEIGHT, what)
}

/// Acc@1 of Eq. 5 with photos (Eq. 3) and sketches (Eq. 4) as queries, and without the topology loss (Fig. 2a).
///
/// # Errors
/// A record that cannot be read.
pub fn fig2a(results: &Path, dataset: &str) -> Result<Option<String>> {
    let mut sweep = Sweep::new(records(results, dataset), &BETAS)?;
    for (label, query) in [("photos (Eq. 3)", Query::Photo), ("sketches (Eq. 4)", Query::Sketch)] {
        sweep.add_line(label, &|beta| weighed(None, query, beta))?;
    }
    sweep.add_level("Ours-Base (Eq. 1)", "ours-base", 2)?; // the colour after those of both lines
    let title = format!("Fig. 2a: photos or sketches as queries of the topology loss, {dataset}");
    sweep.draw(&title, WEIGHT, "Dashed: Ours-Base, without the topology loss.")
}
