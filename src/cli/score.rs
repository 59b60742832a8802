//! Scores on the terminal.

use retrace::train::Scores;

/// Scores as a line.
pub fn spell(scores: &Scores, queries: usize, gallery: usize) -> String {
    let Scores { acc1, acc5, acc10, .. } = scores;
    format!("Acc@1 {acc1:.1}, Acc@5 {acc5:.1}, Acc@10 {acc10:.1} ({queries} queries, {gallery} photos)")
}
