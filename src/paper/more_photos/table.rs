//! What this paper's tables show.
//!
//! Rows that draw are ranked by their generated sketches, one in the place of each person's, and the others by the sketches of
//! people: no table holds both.

use super::PRINTED;
use crate::experiment::floor::Floor;
use crate::report::score::ACC1;
use crate::report::table::{DatasetSpec, PaperCell, RowSpec, TableSpec};

/// Corpora whose sketches are strokes, which a generator of strokes learns from.
pub const STROKES: [&str; 3] = ["synth-chair", "synth-shoe", "qmul-chair-v2"];

/// Shares of the training photos whose sketches are used, in percent, beside all of them.
pub const SHARES: [u32; 2] = [25, 50];

/// Every table that is rebuilt from the records.
pub fn tables() -> Vec<TableSpec> {
    vec![
        main_table(),
        table1(),
        table2(),
        table3(),
        table3_generation(),
        labelled(),
        supplement(),
        supplement_generation(),
        recipe(),
    ]
}

/// The rows whose generated sketches are ranked, each once.
pub fn drawing_rows() -> Vec<String> {
    let tables = [table1(), table3_generation(), supplement_generation()];
    let mut rows: Vec<String> = tables.into_iter().flat_map(|table| table.rows).filter_map(|row| row.row).collect();
    rows.sort();
    rows.dedup();
    rows
}

/// The corpora that rows are measured on, embedded ones first; chairs at both ends, where a notebook looks for what it
/// trains on.
pub fn corpora() -> Vec<DatasetSpec> {
    let [drawn, real] = chairs();
    vec![drawn, drawn_shoe(), real_shoe(), real]
}

fn chairs() -> [DatasetSpec; 2] {
    let drawn = DatasetSpec {
        name: "synth-chair",
        label: "synth-chair",
        printed: None,
        measured_on: "the embedded corpus, with 1,500 further photos without a sketch",
    };
    let real = DatasetSpec {
        name: "qmul-chair-v2",
        label: "QMUL-Chair-V2",
        printed: Some("QMUL-Chair-V2"),
        measured_on: "the paper's set, with 577 photos without a sketch; the paper: 7,800",
    };
    [drawn, real]
}

fn drawn_shoe() -> DatasetSpec {
    DatasetSpec {
        name: "synth-shoe",
        label: "synth-shoe",
        printed: None,
        measured_on: "the embedded corpus, with 9,000 further photos without a sketch",
    }
}

fn real_shoe() -> DatasetSpec {
    DatasetSpec {
        name: "qmul-shoe-v1",
        label: "QMUL-Shoe-V1",
        printed: Some("QMUL-Shoe-V2"),
        measured_on: "QMUL-Shoe-V1, whose sketches are pixels, with 5,000 photos without a sketch; the paper: QMUL-Shoe-V2 with \
                      50,025",
    }
}

/// Chairs, where the paper prints its numbers on shoes alone.
fn chairs_for_shoes() -> [DatasetSpec; 2] {
    let [drawn, real] = chairs();
    let measured_on = "QMUL-Chair-V2, with 577 photos without a sketch; the paper: QMUL-Shoe-V2";
    [drawn, DatasetSpec { printed: Some("QMUL-Shoe-V2"), measured_on, ..real }]
}

/// The supervised network and the two that also learn from photos without a sketch, above the floor that no paper prints.
pub fn main_table() -> TableSpec {
    let vanilla = "also trained on sketches that a generator made for photos without one, used blindly";
    let full =
        "the same, weighed by a discriminator, with a teacher, and the generator trained by rewards from retrieval";
    let rows = vec![
        Floor::Pixels.line(),
        Floor::Hog.line(),
        of_table2("ours-f", "Ours-F", "trained on the labelled pairs alone"),
        with_strokes(of_table2("vanilla-ssl-f", "Vanilla-SSL-F", vanilla)),
        with_strokes(of_table2("ours-f-full", "Ours-F-Full", full)),
    ];
    let title = "More Photos are All You Need: Acc@1 with and without photos that have no sketch";
    spec("main", title, rows, corpora())
}

/// Table 1: how many generated sketches find their photo.
pub fn table1() -> TableSpec {
    let row = |row, label, note| line(row, label, Some(("table1", label)), note);
    let rows = vec![
        row("pix2pix", "Pix2Pix", "a picture from a picture, with an adversary"),
        row("photo-sketch", "PhotoSketch", "the same, with the mean loss over all sketches of a photo"),
        row("pix2seq", "Pix2Seq", "strokes from one vector a photo"),
        row("l2s", "L2S", "the same, translated both ways and back to itself"),
        row(
            "ours-g",
            "Ours-G",
            "strokes by attention over the places of the feature map, from the labelled pairs alone",
        ),
        row("ours-g-full", "Ours-G-Full", "the same, trained jointly with retrieval, also on photos without a sketch"),
    ];
    let title = "Table 1: Acc@1 of retrieval by generated sketches, one in the place of each person's, with Ours-F of the same seed";
    spec("table1-retrieval", title, rows, chairs().into())
}

/// Table 2: retrieval.
pub fn table2() -> TableSpec {
    let pix2pix = "the generator is Pix2Pix, through which gradients flow: no policy; the supplement prints 34.14 of Shoe-V2 without \
                   RL, so that 33.2 of Table 2 may be with it";
    let rows = vec![
        reported("SN-Triplet", "Sketch-a-Net with a triplet loss: the row `triplet-sn` of CVPR 2022's page"),
        reported("SN-HOLEF", "spatial attention and a loss of higher order: the row `holef` there"),
        reported("SN-RL", "trained by rewards while the sketch is drawn: the row `on-the-fly` there"),
        RowSpec {
            only: &["qmul-chair-v2", "qmul-shoe-v1"],
            ..of_table2(
                "edgemap-pretrain",
                "Edgemap-Pretrain",
                "first trained on photos and their edge maps; real photos alone",
            )
        },
        reported("Edge2Sketch-Pretrain", "the same with a part of the edges' strokes selected by rewards; not built"),
        RowSpec {
            only: &["synth-chair"],
            ..of_table2("jigsaw-pretrain", "Jigsaw-Pretrain", "first trained on jigsaws of photos; drawn ones alone")
        },
        of_table2("ours-f", "Ours-F", "trained on the labelled pairs alone"),
        with_strokes(of_table2("vanilla-ssl-f", "Vanilla-SSL-F", "generated sketches, used blindly")),
        of_table2("ours-f-pix2pix", "Ours-F-Pix2Pix", pix2pix),
        with_strokes(of_table2("ours-f-l2s", "Ours-F-L2S", "the generator is L2S")),
        with_strokes(of_table2("ours-f-full", "Ours-F-Full", "the generator is Ours-G")),
    ];
    let [drawn, real] = chairs();
    spec("table2", "Table 2: Acc@1 of retrieval", rows, vec![drawn, real_shoe(), real])
}

/// The settings of Table 3, as (part of the row's name, label, end of the printed label).
const SETTINGS: [(&str, &str, &str); 5] = [
    ("", "All parts", ""),
    ("+drop=weights", "Without instance weights", " without IW"),
    ("+drop=teacher", "Without teacher", " without TR"),
    ("+attention=none", "Without attention", " without AT"),
    ("+drop=joint", "Without joint training", " without JT"),
];

/// The rows of Table 3 of a network, the last of them under another name.
fn ablation(row: &str, printed: &str, last: RowSpec) -> Vec<RowSpec> {
    let setting = |(part, label, end): (&str, &str, &str)| {
        let printed = format!("{printed}{end}");
        line(&format!("{row}{part}"), label, Some(("table3", printed.as_str())), "")
    };
    SETTINGS.into_iter().map(setting).chain([last]).collect()
}

/// Table 3: what the four parts are worth to retrieval.
pub fn table3() -> TableSpec {
    let cell = Some(("table3", "Ours-F-Full without any"));
    let note = "Vanilla-SSL-F with a generator without attention";
    let last = line("vanilla-ssl-f+attention=none", "Without any of the four", cell, note);
    let rows = ablation("ours-f-full", "Ours-F-Full", last);
    spec("table3", "Table 3: Acc@1 of retrieval without some of the parts", rows, chairs_for_shoes().into())
}

/// Table 3: what they are worth to the generator.
pub fn table3_generation() -> TableSpec {
    let cell = Some(("table3", "Ours-G-Full without any"));
    let note = "Pix2Seq; the paper prints its number for Ours-G-Full without attention too, and that of Ours-G for the one without \
                joint training";
    let last = line("pix2seq", "Without any of the four", cell, note);
    let rows = ablation("ours-g-full", "Ours-G-Full", last);
    let title = "Table 3: Acc@1 of retrieval by generated sketches without some of the parts";
    spec("table3-generation", title, rows, chairs_for_shoes().into())
}

/// Fig. 4b: a share of the labelled pairs.
pub fn labelled() -> TableSpec {
    let share = |row: &str, label: &str, percent: u32| {
        line(&format!("{row}+labelled={percent}"), &format!("{label}, {percent}%"), None, "")
    };
    let mut rows = Vec::new();
    for (row, label) in [("ours-f", "Ours-F"), ("ours-f-full", "Ours-F-Full")] {
        rows.extend(SHARES.map(|percent| share(row, label, percent)));
        rows.push(line(row, &format!("{label}, 100%"), Some(("table2", label)), ""));
    }
    let [drawn, real] = chairs();
    let title =
        "Fig. 4b: Acc@1 with the sketches of a share of the training photos; the others are photos without a sketch";
    spec("labelled", title, rows, vec![drawn, drawn_shoe(), real])
}

/// What the text and the supplement say of retrieval beside the tables.
pub fn supplement() -> TableSpec {
    let text = |label| Some(("analysis", label));
    let points = "not built; the paper does not say of which row its number is";
    let mut rows = vec![
        of_table2("ours-f", "Ours-F", ""),
        RowSpec { row: None, ..line("", "Ours-F on coordinates", text("Ours-F on coordinates"), points) },
        of_table2("ours-f-full", "Ours-F-Full", ""),
    ];
    rows.extend(VARIANTS.map(|(part, label, note)| line(&format!("ours-f-full{part}"), label, None, note)));
    let gradient = "gradients flow through its pixels; Table 2 prints 33.2";
    rows.push(line("ours-f-pix2pix", "Ours-F-Pix2Pix", text("Ours-F-Pix2Pix without RL"), gradient));
    let title = "Sec. 4.3 and the supplement: Acc@1 of retrieval in other settings";
    spec("supplement", title, rows, chairs_for_shoes().into())
}

/// Other settings of Ours-F-Full whose own number the paper does not print, as (part of the row's name, label, note).
const VARIANTS: [(&str, &str, &str); 5] = [
    ("+weights=threshold", "Hard threshold", "pairs below a certainty are left out; the paper: about 2 points fewer"),
    ("+teacher=absolute", "Absolute teacher", "of features, not of distances; the paper: 0.9 points fewer"),
    ("+attention=line", "1-d attention", "the generator attends to its map as a line of places"),
    ("+reward=retrieval", "Reward of retrieval", "the generator has this reward alone"),
    ("+reward=certainty", "Reward of certainty", "the generator has this reward alone"),
];

/// What the text says of the generator beside the tables.
pub fn supplement_generation() -> TableSpec {
    let rows = vec![
        line("ours-g", "Ours-G", Some(("table1", "Ours-G")), ""),
        line(
            "ours-g-full",
            "Ours-G-Full",
            Some(("table1", "Ours-G-Full")),
            "Table 1 has 2.6 points over Ours-G, the text 1.4",
        ),
        line("ours-g+pen=row", "Ours-G, last row alone", None, "it does not know where its pen is: the paper's input"),
        line("ours-g-full+attention=line", "1-d attention", Some(("analysis", "Ours-G-Full with 1-d attention")), ""),
        line("ours-g-full+reward=retrieval", "Reward of retrieval", None, "alone; the paper: 0.9 points over Ours-G"),
        line("ours-g-full+reward=certainty", "Reward of certainty", None, "alone; the paper: 0.8 points over Ours-G"),
    ];
    let title = "Sec. 4.3: Acc@1 of retrieval by generated sketches in other settings";
    spec("supplement-generation", title, rows, chairs_for_shoes().into())
}

/// The central comparison on a strong recipe: not in the paper.
pub fn recipe() -> TableSpec {
    let strong = "contrastive loss, paired deformations, pictures kept large, a rate that rises and falls";
    let rows = vec![
        of_table2("ours-f", "Ours-F", ""),
        line("ours-f+recipe=strong", "Ours-F, strong", None, strong),
        of_table2("ours-f-full", "Ours-F-Full", ""),
        line("ours-f-full+recipe=strong", "Ours-F-Full, strong", None, ""),
    ];
    spec("recipe", "Acc@1 on a strong recipe: not in the paper", rows, chairs().into())
}

/// A row of Table 2.
fn of_table2(row: &str, label: &str, note: &str) -> RowSpec {
    line(row, label, Some(("table2", label)), note)
}

/// A row of Table 2 that is not run here.
fn reported(label: &str, note: &str) -> RowSpec {
    RowSpec { row: None, ..of_table2("", label, note) }
}

/// A row that needs sketches as strokes.
fn with_strokes(row: RowSpec) -> RowSpec {
    RowSpec { only: &STROKES, ..row }
}

/// A row with the place of the paper's number, as (table, label).
fn line(row: &str, label: &str, paper: Option<(&'static str, &str)>, note: &str) -> RowSpec {
    RowSpec {
        row: Some(row.into()),
        label: label.into(),
        paper: paper.map(|(table, label)| PaperCell { table, label: label.into() }),
        note: note.into(),
        only: &[],
    }
}

fn spec(name: &'static str, title: &'static str, rows: Vec<RowSpec>, datasets: Vec<DatasetSpec>) -> TableSpec {
    TableSpec { printed: PRINTED, name, title, metric: &ACC1, masked: None, rows, datasets }
}
