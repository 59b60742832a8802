//! What this paper's tables show.

use super::PRINTED;
use crate::experiment::floor::Floor;
use crate::report::score::ACC1;
use crate::report::table::{DatasetSpec, PaperCell, RowSpec, TableSpec};

/// Every table that is rebuilt from the records.
pub fn tables() -> [TableSpec; 3] {
    [main_table(), table1(), table3()]
}

/// The corpora that rows are measured on.
pub fn measured() -> Vec<DatasetSpec> {
    let embedded = DatasetSpec {
        name: "synth-world",
        label: "synth-world",
        printed: None,
        measured_on: "the embedded corpus, 12 unseen categories",
    };
    let real = DatasetSpec {
        name: "sketchy-mini",
        label: "Sketchy",
        printed: Some("Sketchy"),
        measured_on: "Sketchy-mini: a part of the paper's set, 21 unseen classes",
    };
    vec![embedded, real]
}

/// Table 1, its two main rows, above the floor that no paper prints.
pub fn main_table() -> TableSpec {
    let noted = |row, label, note: &str| RowSpec { note: note.into(), ..printed(row, label) };
    let rows = vec![
        Floor::Pixels.line(),
        Floor::Hog.line(),
        noted("hard-transfer", "Hard-Transfer", "a triplet network, as it is, on categories that it never saw"),
        noted("ours-full", "Ours-Full", "its weights are made from a visual trait of the query"),
    ];
    spec(
        "main",
        "Generalising FG-SBIR: Acc@1 on unseen categories of Hard-Transfer and Ours-Full (Eq. 8)",
        rows,
        "table1",
    )
}

/// Table 1, all rows.
pub fn table1() -> TableSpec {
    let noted = |row, label, note: &str| RowSpec { note: note.into(), ..printed(row, label) };
    let rows = vec![
        noted("hard-transfer", "Hard-Transfer", "a triplet network, as it is, on categories that it never saw"),
        noted("cvae-regress", "CVAE-Regress", "photo features made from a sketch's, by a network meant for categories"),
        noted("reptile", "Reptile", "meta-learned over tasks of half of the categories"),
        noted("crossgrad", "CrossGrad", "trained also on pictures that a classifier of categories has changed"),
        noted("ours-vae", "Ours-VAE", "weights from the latent mean of an autoencoder"),
        noted("ours-vae-kmeans", "Ours-VAE-Kmeans", "the nearest of K means of these latent means"),
        noted(
            "ours-wordvector",
            "Ours-WordVector",
            "weights from the category's name, which a user would have to know",
        ),
        noted("ours-classify", "Ours-Classify", "weights from features of a classifier of seen categories"),
        noted("ours-full+drawn=edges", "Ours-Full/Edge", "the dictionary is learned from edges of photos"),
        noted("ours-full+assignment=hard", "Ours-Full/Hard", "one word a sketch in training, by Gumbel-softmax"),
        noted("ours-full", "Ours-Full", "a mixture of words in training, kept sparse by entropies"),
        noted("upper-bound", "Upper-Bound", "trained on half of the photos of the unseen categories, tested on all"),
    ];
    spec("table1", "Acc@1 on categories that training never saw", rows, "table1")
}

/// Table 3: the number of words.
pub fn table3() -> TableSpec {
    let mut rows = Vec::new();
    for (assignment, label) in [("+assignment=hard", "Hard"), ("", "Soft")] {
        for words in ["20", "100", "300", "1000"] {
            let part = if words == "300" { String::new() } else { format!("+words={words}") };
            let label = format!("{label}, {words} words");
            rows.push(RowSpec::printed(&format!("ours-full{assignment}{part}"), &label, "table3"));
        }
    }
    spec("table3", "Acc@1 over the number of words in the dictionary", rows, "table3")
}

fn printed(row: &str, label: &str) -> RowSpec {
    RowSpec::printed(row, label, "table1")
}

fn spec(name: &'static str, title: &'static str, mut rows: Vec<RowSpec>, table: &'static str) -> TableSpec {
    for row in &mut rows {
        row.paper = row.paper.take().map(|cell| PaperCell { table, ..cell });
    }
    TableSpec { printed: PRINTED, name, title, metric: &ACC1, rows, datasets: measured() }
}
