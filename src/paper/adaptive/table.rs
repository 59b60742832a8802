//! What this paper's tables show.

use super::PRINTED;
use crate::experiment::floor::Floor;
use crate::report::score::ACC1;
use crate::report::table::{DatasetSpec, PaperCell, RowSpec, TableSpec};

/// Every table that is rebuilt from the records.
pub fn tables() -> Vec<TableSpec> {
    vec![main_table(), all_rows(), ablation(), steps(), dimension(), margin(), table8(), number_of_classes()]
}

/// The corpora that rows are measured on, embedded ones first; those of many classes at both ends, where a notebook looks for
/// what it trains on.
pub fn corpora() -> Vec<DatasetSpec> {
    let [drawn, people, real] = settings();
    let ([drawn_chair, chair, shoe], [seen]) = (foreign(), seen());
    vec![drawn, people, drawn_chair, seen, chair, shoe, real]
}

/// Those of the main table: classes that are drawn, people, classes that are real.
pub fn settings() -> [DatasetSpec; 3] {
    [
        DatasetSpec {
            name: "synth-world",
            label: "synth-world",
            printed: None,
            measured_on: "the embedded corpus, 12 unseen classes",
        },
        DatasetSpec {
            name: "synth-shoe",
            label: "Shoe-V2, by person",
            printed: Some("QMUL-Shoe-V2"),
            measured_on: "synth-shoe, 10 unseen people; the paper: QMUL-Shoe-V2, whose people are not published",
        },
        DatasetSpec {
            name: "sketchy-mini",
            label: "Sketchy",
            printed: Some("Sketchy"),
            measured_on: "Sketchy-mini: a part of the paper's set, 21 unseen classes",
        },
    ]
}

/// Those of Table 8.
pub fn foreign() -> [DatasetSpec; 3] {
    let spec = |name, label, printed, measured_on| DatasetSpec { name, label, printed, measured_on };
    [
        spec("synth-chair", "synth-chair", None, "the embedded corpus; trained on synth-world"),
        spec("qmul-chair-v2", "Chair", Some("QMUL-Chair"), "QMUL-Chair-V2; trained on Sketchy-mini"),
        spec("qmul-shoe-v1", "Shoe", Some("QMUL-Shoe"), "QMUL-Shoe-V1; trained on Sketchy-mini"),
    ]
}

/// That of the figure over the number of classes.
pub fn seen() -> [DatasetSpec; 1] {
    [DatasetSpec {
        name: "synth-world-seen",
        label: "synth-world-seen",
        printed: None,
        measured_on: "new objects of the classes that are trained on, of the embedded corpus",
    }]
}

/// The rows that matter of the poster's main table, k = 5, above the floor that no paper prints.
pub fn main_table() -> TableSpec {
    let rows = vec![
        Floor::Pixels.line(),
        Floor::Hog.line(),
        noted("baseline", "Baseline", "one network for all classes or people, which does not adapt"),
        shot("fine-tune", "Fine-tuning", 5),
        shot("maml", "MAML", 5),
        shot("anil", "ANIL", 5),
        shot("ours", "Ours", 5),
        classes_only(noted("upper-bound", "Upper bound", "also trained on what others adapt to, of all classes")),
    ];
    spec("main", "Adaptive FG-SBIR: Acc@1 on unseen classes and people, adapted to five pairs of each", rows, "main")
}

/// The poster's main table, all rows, and those that are only reported.
pub fn all_rows() -> TableSpec {
    let mut rows = vec![
        Floor::Pixels.line(),
        Floor::Hog.line(),
        noted("baseline", "Baseline", "one network for all classes or people, which does not adapt"),
        unprinted(noted("baseline+recipe=strong", "Baseline, strong recipe", STRONG)),
        noted("baseline-regularised", "Baseline + regularisers", "with all outer losses"),
    ];
    for (first, label) in [("fine-tune", "Fine-tuning"), ("maml", "MAML"), ("sign-maml", "Sign-MAML"), ("anil", "ANIL")]
    {
        rows.extend(
            [1, 5, 10]
                .into_iter()
                .filter(|shots| first != "sign-maml" || *shots < 10)
                .map(|shots| shot(first, label, shots)),
        );
    }
    rows.extend([1, 5, 10].map(|shots| shot("ours", "Ours", shots)));
    rows.push(unprinted(noted("ours+recipe=strong", "Ours, strong recipe, k = 5", STRONG)));
    rows.push(noted("distill", "Distill", "taught by a first network of the same kind"));
    rows.push(classes_only(noted(
        "upper-bound",
        "Upper bound",
        "also trained on what others adapt to, of all classes",
    )));
    rows.push(classes_only(noted(
        "single-class",
        "One model a class",
        "each trained on what others adapt to, of one class",
    )));
    rows.extend(REPORTED.map(|(label, note)| RowSpec { row: None, ..noted("", label, note) }));
    spec("all", "Acc@1 on unseen classes, and on people whose sketches were not trained on", rows, "main")
}

const STRONG: &str = "contrastive loss, paired deformations, pictures kept large, a rate that rises and falls";

/// Rows of the poster that are not run here.
const REPORTED: [(&str, &str); 10] = [
    ("Triplet-SN", ""),
    ("Triplet-HOLEF", ""),
    ("Triplet-RL", ""),
    ("Mixed-Jigsaw", ""),
    ("StyleMeUp", ""),
    ("CC-DG", "the row `ours-full` of CVPR 2019's paper, which is run on its own page"),
    ("CVAE-Regress", "run on the same page, as `cvae-regress`"),
    ("Sem-Pcyc", ""),
    ("Doodle2Search", ""),
    ("SAKE", ""),
];

/// The ablation of outer losses.
pub fn ablation() -> TableSpec {
    let row = |row: &str, label: &str| RowSpec::printed(row, label, "ablation");
    let classes = |spec: RowSpec| RowSpec { only: &["synth-world", "sketchy-mini"], ..spec };
    let people = |spec: RowSpec| RowSpec { only: &["synth-shoe"], ..spec };
    let rows = vec![
        row("ours", "All losses"),
        row("ours+without=domain", "Without L_D"),
        classes(row("ours+without=domain-semantic", "Without L_D and L_S")),
        classes(row("ours+without=domain-semantic-class", "Without L_D, L_S and L_C")),
        people(row("ours+without=domain-user", "Without L_D and L_ud")),
    ];
    spec("ablation", "Acc@1 without some of the outer losses (k = 5)", rows, "ablation")
}

/// The plot over steps of the inner loop.
pub fn steps() -> TableSpec {
    let row = |steps: usize| match steps {
        1 => RowSpec::printed("ours", "1 step", "steps"),
        _ => RowSpec::printed(&format!("ours+steps={steps}"), &format!("{steps} steps"), "steps"),
    };
    spec(
        "steps",
        "Acc@1 over the steps of the inner loop, in training and at test (k = 5)",
        (0..=5).map(row).collect(),
        "steps",
    )
}

/// The plot over the dimension of M.
pub fn dimension() -> TableSpec {
    let row = |d: usize| match d {
        64 => RowSpec::printed("ours", "d = 64", "dimension"),
        _ => RowSpec::printed(&format!("ours+dimension={d}"), &format!("d = {d}"), "dimension"),
    };
    spec(
        "dimension",
        "Acc@1 over the dimension of points (k = 5)",
        [32, 64, 128, 256, 512].map(row).into(),
        "dimension",
    )
}

/// What the learned margin, the exact gradient and attention are worth: not in the paper.
pub fn margin() -> TableSpec {
    let row = |row: &str, label: &str, note: &str| unprinted(noted(row, label, note));
    let rows = vec![
        row("ours", "Ours", "the margin of a task comes from its support; the inner hinge is soft"),
        row("ours+margin=learned", "One learned margin", "the same for all tasks"),
        row("ours+margin=fixed", "A fixed margin", "0.2, as outside"),
        row("ours+hinge=hard", "The hinge as printed", "no gradient reaches the margin through it"),
        row("ours+margin=fixed+hinge=hard", "A fixed margin, the hinge as printed", ""),
        row("ours+order=first", "First order", "a step counts as a constant, and no gradient reaches the margin"),
        row("ours+attention=none", "Without attention", ""),
        row("ours+attention=sigmoid", "Attention by sigmoid", ""),
    ];
    spec("margin", "Acc@1 with other margins and gradients (k = 5): not in the paper", rows, "main")
}

/// Table 8: from one corpus to another.
pub fn table8() -> TableSpec {
    let mut rows = vec![RowSpec::printed("upper-limit", "Upper Limit", "table8")];
    for (only, from) in
        [(&["synth-chair"][..], "synth-world"), (&["qmul-chair-v2", "qmul-shoe-v1"][..], "sketchy-mini")]
    {
        for (row, parts, label) in [
            ("baseline", "", "Baseline (Without Adaptation)"),
            ("ours", "", "Ours (k=5)"),
            ("ours", "+shots=10", "Ours (k=10)"),
        ] {
            let row = RowSpec::printed(&format!("{row}+trained-on={from}{parts}"), label, "table8");
            rows.push(RowSpec { only, ..row });
        }
    }
    let spec = spec("table8", "Acc@1 on a corpus that was not trained on, adapted to by k pairs", rows, "table8");
    TableSpec { datasets: foreign().into(), ..spec }
}

/// Networks that share their capacity among more and more classes, all of them tested on the first ten.
pub fn number_of_classes() -> TableSpec {
    let row = |count: &usize| {
        let note = if *count == 39 { "all of them" } else { "" };
        unprinted(noted(&format!("baseline+classes={count}"), &format!("One model, {count} classes"), note))
    };
    let mut rows = vec![unprinted(noted("single-class+classes=10", "One model each, 10 classes", ""))];
    rows.extend(CLASSES.iter().map(row));
    let spec = spec("classes", "Acc@1 on ten classes of networks that are trained on more and more", rows, "main");
    TableSpec { datasets: seen().into(), ..spec }
}

/// Numbers of classes, of 39.
pub const CLASSES: [usize; 4] = [10, 20, 30, 39];

fn shot(first: &str, label: &str, shots: usize) -> RowSpec {
    let part = if shots == 5 { String::new() } else { format!("+shots={shots}") };
    RowSpec::printed(&format!("{first}{part}"), &format!("{label}, k = {shots}"), "main")
}

/// A row that the paper prints, with what it is.
fn noted(row: &str, label: &str, note: &str) -> RowSpec {
    RowSpec { note: note.into(), ..RowSpec::printed(row, label, "main") }
}

fn classes_only(spec: RowSpec) -> RowSpec {
    RowSpec { only: &["synth-world", "sketchy-mini"], ..spec }
}

fn unprinted(spec: RowSpec) -> RowSpec {
    RowSpec { paper: None, ..spec }
}

fn spec(name: &'static str, title: &'static str, mut rows: Vec<RowSpec>, table: &'static str) -> TableSpec {
    for row in &mut rows {
        row.paper = row.paper.take().map(|cell| PaperCell { table, ..cell });
    }
    TableSpec { printed: PRINTED, name, title, metric: &ACC1, rows, datasets: settings().into(), masked: None }
}
