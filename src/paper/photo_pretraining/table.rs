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

/// Every table that is rebuilt from the records.
pub fn tables() -> [TableSpec; 2] {
    [main_table(), table1()]
}

/// Table 2, its two main rows, above the floor that no paper prints.
pub fn main_table() -> TableSpec {
    let (base, ours) = (Some("Ours-Base (ImageNet)"), Some("Ours (ImageNet)"));
    let row = |row, label, paper, note, only| line("table2", row, label, paper, note, only);
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
        datasets: datasets(),
    }
}

/// Table 1: the topology loss beside the task, or after it.
pub fn table1() -> TableSpec {
    let row = |row, label, paper, note| line("table1", row, label, paper, note, &[]);
    TableSpec {
        slug: SLUG,
        name: "table1",
        title: "Table 1: the topology loss as a parallel task or as a meta objective, Acc@1 (the paper: OBOW, ResNet-50)",
        metric: Metric::Acc1,
        rows: vec![
            row("ours-base", "Ours-Base", None, "Eq. 1, without the topology loss: not in the paper's table"),
            row("multi-task", "Multi-task", Some("Multi-task (Eq. 5)"), "the sum of both losses, weights 1 and 1"),
            row("meta-full", "Meta-full", Some("Meta-full (Eq. 8)"), "with the second-order term, its sign as printed"),
            row("ours", "Meta-first (Ours)", Some("Meta-first (Eq. 9)"), "without it"),
        ],
        datasets: datasets(),
    }
}

fn line(
    table: &'static str,
    row: &'static str,
    label: &'static str,
    paper: Option<&'static str>,
    note: &'static str,
    only: &'static [&'static str],
) -> RowSpec {
    RowSpec { row, label, paper: paper.map(|label| PaperCell { table, label }), note, only }
}

fn datasets() -> Vec<DatasetSpec> {
    let embedded = |name| DatasetSpec { name, label: name, printed: None, measured_on: "the embedded corpus" };
    let real = |name, label| DatasetSpec { name, label, printed: Some(label), measured_on: "the same set" };
    let [chair, shoe] = EMBEDDED;
    vec![embedded(chair), embedded(shoe), real(REAL[0], "QMUL-Chair-V2"), real(REAL[1], "QMUL-Shoe-V1")]
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
