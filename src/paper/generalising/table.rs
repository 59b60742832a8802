//! What this paper's tables show.

use super::PRINTED;
use crate::dataset::is_embedded;
use crate::experiment::floor::Floor;
use crate::report::score::ACC1;
use crate::report::table::{DatasetSpec, PaperCell, RowSpec, TableSpec};

/// Every table that is rebuilt from the records.
pub fn tables() -> [TableSpec; 5] {
    [main_table(), table1(), table2(), table3(), why()]
}

/// The corpora that rows are measured on, embedded ones first; those of many categories at both ends, where a notebook
/// looks for what it trains on.
pub fn corpora() -> Vec<DatasetSpec> {
    let embedded = |specs: Vec<DatasetSpec>| specs.into_iter().partition::<Vec<_>, _>(|spec| is_embedded(spec.name));
    let ((drawn, real), (drawn_shoes, real_shoes)) = (embedded(categories()), embedded(shoes()));
    [drawn, drawn_shoes, real_shoes, real].concat()
}

/// The transfers between kinds of shoes.
pub fn shoes() -> Vec<DatasetSpec> {
    let names = |embedded, real, label| [(embedded, label, None), (real, label, Some(label))];
    let all = [
        names("synth-shoe-sandal", "qmul-shoe-v1-sandal", "Sandal"),
        names("synth-shoe-toe-shape", "qmul-shoe-v1-toe-shape", "Toe-shape"),
        names("synth-shoe-shoe-height", "qmul-shoe-v1-shoe-height", "Shoe-height"),
        names("synth-shoe-heel-shape", "qmul-shoe-v1-heel-shape", "Heel-shape"),
        names("synth-shoe-topline", "qmul-shoe-v1-topline", "Topline"),
    ];
    let spec = |(name, label, printed): (&'static str, &'static str, Option<&'static str>)| DatasetSpec {
        name,
        label: if printed.is_some() { label } else { name },
        printed,
        measured_on: if printed.is_some() {
            "QMUL-Shoe-V1 by its attributes; the paper: QMUL-Shoe-V2"
        } else {
            "synth-shoe by its generator's attributes"
        },
    };
    all.into_iter().flatten().map(spec).collect()
}

/// The corpora of many categories.
pub fn categories() -> Vec<DatasetSpec> {
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

/// Table 2: from one kind of shoes to another.
pub fn table2() -> TableSpec {
    let rows = vec![
        Floor::Pixels.line(),
        Floor::Hog.line(),
        noted("hard-transfer", "Hard-Transfer", "trained on the one kind, tested on the other"),
        noted("ours-sketchy", "Ours-Sketchy", "the dictionary is that of the corpus of many categories"),
        noted("ours-sketchy-ft", "Ours-Sketchy-Ft", "the same, trained further on sketches of the seen kind"),
        noted("upper-bound", "Upper-Bound", "trained on half of the photos of the unseen kind, tested on all"),
    ];
    let spec = spec("table2", "Acc@1 on kinds of shoes that training never saw", rows, "table2");
    TableSpec { datasets: shoes(), ..spec }
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

/// The central comparison with weights that a query changes more and noise less, and on a strong recipe: not in the paper.
pub fn why() -> TableSpec {
    let row = |row: &str, label: &str, note: &str| RowSpec { paper: None, ..noted(row, label, note) };
    let strong = "contrastive loss, paired deformations, pictures kept large, a rate that rises and falls";
    let rows = vec![
        row("hard-transfer", "Hard-Transfer", ""),
        row("ours-full", "Ours-Full", "eta of length 1, of which noise is the most"),
        row("ours-full+divergence=sum", "Ours-Full, L_con as a sum", "eta of length 1, of noise alone"),
        row("ours-full+noise=0.01", "Ours-Full, little noise", "eta of length 1, which the word decides"),
        row("ours-full+length=8", "Ours-Full, long", "eta of length 8: features change by a fifth and more"),
        row("ours-full+length=8+noise=0.01", "Ours-Full, long, little noise", ""),
        row("hard-transfer+recipe=strong", "Hard-Transfer, strong", strong),
        row("ours-full+recipe=strong", "Ours-Full, strong", ""),
    ];
    spec("why", "Acc@1 with other weights of a query, and on a strong recipe: not in the paper", rows, "table1")
}

/// A row that the paper prints, with what it is; [`spec`] says in which table.
fn noted(row: &str, label: &str, note: &str) -> RowSpec {
    RowSpec { note: note.into(), ..RowSpec::printed(row, label, "table1") }
}

fn spec(name: &'static str, title: &'static str, mut rows: Vec<RowSpec>, table: &'static str) -> TableSpec {
    for row in &mut rows {
        row.paper = row.paper.take().map(|cell| PaperCell { table, ..cell });
    }
    TableSpec { printed: PRINTED, name, title, metric: &ACC1, masked: None, rows, datasets: categories() }
}
