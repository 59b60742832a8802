//! What this paper's tables show.

use super::{DEVIATIONS, SLUG};
use crate::Result;
use crate::report::block::Block;
use crate::report::score::Metric;
use crate::report::table::{DatasetSpec, PaperCell, RowSpec, TableSpec};
use crate::report::{claim, render, speed, table};
use std::path::Path;

/// The corpora that need no files.
pub const EMBEDDED: [&str; 2] = ["synth-chair", "synth-shoe"];

/// The corpora that are read from `RETRACE_DATA`.
pub const REAL: [&str; 2] = ["qmul-chair-v2", "qmul-shoe-v1"];

/// The rows of a corpus, from the top of the table down.
pub fn rows_of(dataset: &str) -> &'static [&'static str] {
    match EMBEDDED.contains(&dataset) {
        true => &["zero-shot", "ours-base", "ours"],
        false => &["zero-shot", "ours-base", "ours", "ours-base-frozen", "ours-frozen"],
    }
}

/// Table 2, its two main rows, above the floor that no paper prints.
pub fn main_table() -> TableSpec {
    let row = |row, label, paper: Option<&'static str>, note, only| {
        let paper = paper.map(|label| PaperCell { table: "table2", label });
        RowSpec { row, label, paper, note, only }
    };
    let (base, ours) = (Some("Ours-Base (ImageNet)"), Some("Ours (ImageNet)"));
    TableSpec {
        slug: SLUG,
        name: "main",
        title: "Photo Pre-Training, But for Sketch: Acc@1 of Ours-Base (Eq. 1) and Ours (Eq. 9)",
        metric: Metric::Acc1,
        rows: vec![
            row("pixels", "Raw pixels", None, "nearest neighbour on 32 x 32 grey values, no learning", &[]),
            row("hog", "HOG", None, "nearest neighbour on histograms of gradients, no learning", &[]),
            row("zero-shot", "Pre-trained, zero-shot", None, "the pre-trained network as it is", &[]),
            row("ours-base", "Ours-Base", base, "Eq. 1, all weights trained", &[]),
            row("ours", "Ours", ours, "Eq. 9, all weights trained", &[]),
            row("ours-base-frozen", "Ours-Base, frozen", None, "Eq. 1, a linear layer on frozen features", &REAL),
            row("ours-frozen", "Ours, frozen", None, "Eq. 9, a linear layer on frozen features", &REAL),
        ],
        datasets: vec![
            DatasetSpec {
                name: "synth-chair",
                label: "synth-chair",
                printed: None,
                measured_on: "the embedded corpus",
            },
            DatasetSpec { name: "synth-shoe", label: "synth-shoe", printed: None, measured_on: "the embedded corpus" },
            DatasetSpec {
                name: "qmul-chair-v2",
                label: "QMUL-Chair-V2",
                printed: Some("QMUL-Chair-V2"),
                measured_on: "the same set",
            },
            DatasetSpec {
                name: "qmul-shoe-v1",
                label: "QMUL-Shoe-V1",
                printed: Some("QMUL-Shoe-V1"),
                measured_on: "the same set",
            },
        ],
    }
}

/// The generated parts of the README: the main table, the claims, the deviations, the speed.
///
/// # Errors
/// A record that does not read.
pub fn readme(results: &Path) -> Result<Vec<Block>> {
    let table = render::markdown(&table::build(results, &main_table())?);
    let claims = claim::markdown(&claim::evaluate(results, &claim::claims()?)?);
    let deviations: String = DEVIATIONS.iter().map(|deviation| format!("- {deviation}\n")).collect();
    let speed = speed::markdown(results)?;
    let blocks = [("main", table), ("claims", claims), ("deviations", deviations), ("speed", speed)];
    Ok(blocks.map(|(name, text)| (name.to_string(), text)).into())
}
