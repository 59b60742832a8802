//! Figures of the analyses: Fig. 2b and c, 4 and 5b.

use super::{ROWS, records};
use crate::Result;
use crate::paper::photo_pretraining::analysis::separated;
use crate::report::figure::analysed;
use std::path::Path;

/// Features of the test part on both sides of a classifier's border (Fig. 2b and c).
///
/// # Errors
/// A record that cannot be read.
pub fn separation(results: &Path, dataset: &str) -> Result<Option<String>> {
    let rows = separated();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(row, label)| (row.as_str(), label.as_str())).collect();
    let title = format!("Fig. 2b and c: features of the test part by weight of the topology loss, {dataset}");
    analysed::separation(&records(results, dataset), &rows, &title)
}

/// The loss around the trained weights (Fig. 4a).
///
/// # Errors
/// A record that cannot be read.
pub fn landscape(results: &Path, dataset: &str) -> Result<Option<String>> {
    let title = format!("Fig. 4a: the triplet loss round the trained weights, {dataset}");
    analysed::landscape(&records(results, dataset), &ROWS, &title)
}

/// Spread of gradients over the epochs, and test accuracy over the last steps (Fig. 4b and c).
///
/// # Errors
/// A record that cannot be read.
pub fn dynamics(results: &Path, dataset: &str) -> Result<Option<String>> {
    let titles = ["Fig. 4b: spread of gradients", "Fig. 4c: the last 100 steps"];
    let [gradients, steps] = titles.map(|title| format!("{title}, {dataset}"));
    analysed::dynamics(&records(results, dataset), &ROWS, [&gradients, &steps], "triplet loss")
}

/// Acc@1 while the sketch is drawn, in steps of 5% (Fig. 5b).
///
/// # Errors
/// A record that cannot be read.
pub fn early(results: &Path, dataset: &str) -> Result<Option<String>> {
    let title = format!("Fig. 5b: while being drawn, {dataset}");
    analysed::drawn(&records(results, dataset), &ROWS, &title, &format!("early-{dataset}"))
}
