//! What this paper's tables show.

use super::PRINTED;
use crate::experiment::floor::Floor;
use crate::report::score::{ACC1, ACC1_MASKED_30, ACC1_MASKED_50, Metric};
use crate::report::table::{DatasetSpec, PaperCell, RowSpec, TableSpec};

/// Every table that is rebuilt from the records.
pub fn tables() -> Vec<TableSpec> {
    vec![
        main_table(),
        table1(),
        masked(table1(), 30, "table1-masked30", "Acc@1 on drawn scenes, 30% of the objects left out"),
        masked(table1(), 50, "table1-masked50", "Acc@1 on drawn scenes, half of the objects left out"),
        table2(),
        masked(table2(), 30, "table2-masked30", "Acc@1 on the scenes of SketchyCOCO, 30% of the objects left out"),
        masked(table2(), 50, "table2-masked50", "Acc@1 on the scenes of SketchyCOCO, half of the objects left out"),
        table3(),
        masked(table3(), 30, "table3-masked30", "Acc@1 on single objects, 30% of the strokes left out"),
        masked(table3(), 50, "table3-masked50", "Acc@1 on single objects, half of the strokes left out"),
        table4(),
        masked(
            table4(),
            30,
            "table4-masked30",
            "Acc@1 with transport and adjacency alone, 30% of the objects left out",
        ),
        solvers(),
        masked(solvers(), 30, "solvers-masked30", "Acc@1 with other plans, 30% left out: not in the paper"),
        recipe(),
        masked(recipe(), 30, "recipe-masked30", "Acc@1 on a strong recipe, 30% left out: not in the paper"),
    ]
}

/// The corpora that rows are measured on, embedded ones first; scenes at both ends, where a notebook looks for what it
/// trains on.
pub fn corpora() -> Vec<DatasetSpec> {
    let [chair, real, synth_shoe] = objects();
    vec![drawn_scenes(), chair, synth_shoe, real, coco()]
}

fn drawn_scenes() -> DatasetSpec {
    DatasetSpec {
        name: "synth-scene",
        label: "synth-scene",
        printed: Some("SketchyScene"),
        measured_on: "the embedded scenes; the paper: SketchyScene, whose list of pairs is not published",
    }
}

fn coco() -> DatasetSpec {
    DatasetSpec {
        name: "sketchycoco-sl-210-joined",
        label: "SketchyCOCO",
        printed: Some("SketchyCOCO"),
        measured_on: "the paper's 210 test pairs, trained on 247 pairs of FS-COCO and 1,000 embedded scenes; its 1,015 \
                      training pairs are not published",
    }
}

fn objects() -> [DatasetSpec; 3] {
    let embedded =
        |name: &'static str| DatasetSpec { name, label: name, printed: None, measured_on: "the embedded corpus" };
    let real = DatasetSpec {
        name: "qmul-chair-v2",
        label: "QMUL-Chair-V2",
        printed: Some("QMUL-Shoe-V2"),
        measured_on: "QMUL-Chair-V2; the paper: QMUL-Shoe-V2",
    };
    [embedded("synth-chair"), real, embedded("synth-shoe")]
}

/// The global average and the proposed method, on scenes and on objects, above the floor that no paper prints.
pub fn main_table() -> TableSpec {
    let rows = vec![
        Floor::Pixels.line(),
        Floor::Hog.line(),
        bare("global", "Global average", "the cosine of the mean regions: one vector a picture"),
        bare("proposed", "Proposed", "optimal transport between regions, trained with their weighted adjacency"),
    ];
    let [chair, real, shoe] = objects();
    let datasets = vec![drawn_scenes(), coco(), chair, real, shoe];
    spec("main", "Partially Does It: Acc@1 of whole sketches by the mean of regions and by transport", rows, datasets)
}

/// Table 1: scenes.
pub fn table1() -> TableSpec {
    let mut all = rows("table1", &[]);
    let note = "reads annotated classes and boxes at test; the paper prints it on SketchyCOCO alone";
    all.push(bare("scene-sketcher", "SceneSketcher", note));
    spec("table1", "Acc@1 on drawn scenes", all, vec![drawn_scenes()])
}

/// Table 2: scenes of real photos.
pub fn table2() -> TableSpec {
    let mut all = rows("table2", &[]);
    let reported = PaperCell { table: "table2", label: "SceneSketcher".into() };
    let note = "reads annotated classes and boxes at test; measured on drawn scenes (Table 1)";
    all.push(RowSpec { row: None, paper: Some(reported), ..bare("", "SceneSketcher", note) });
    all.push(bare(
        "oracle",
        "Oracle",
        "annotated classes and boxes alone, no pixel and no learning: no rival of the others",
    ));
    spec("table2", "Acc@1 on the scenes of SketchyCOCO", all, vec![coco()])
}

/// Table 3: single objects.
pub fn table3() -> TableSpec {
    let mut all = rows("table3", &["SketchyScene"]);
    let note = "its layer for sketches is trained by reinforcement to find the photo while the sketch is drawn";
    all.push(RowSpec { note: note.into(), ..RowSpec::printed("on-the-fly", "On-the-fly", "table3") });
    spec("table3", "Acc@1 on single objects", all, objects().into())
}

/// The rows of Tables 1 to 3 from the top down; `unprinted` are labels that a table does not print.
fn rows(table: &'static str, unprinted: &[&str]) -> Vec<RowSpec> {
    let all = [
        ("triplet-sn", "Triplet-SN", "Sketch-a-Net from nothing, one vector, a triplet loss"),
        ("holef", "HOLEF", "the same with spatial attention and all differences of two vectors' numbers"),
        ("global", "SketchyScene", "the mean of the regions; the paper's rows on objects have none like it"),
        ("local-align", "Local-Align", "every region of the sketch with the nearest of the photo"),
        ("local-mil", "Local-MIL", "the nearest pair of regions alone"),
        ("local-self-attn", "Local-Self-Attn", "regions that look at each other, and their mean"),
        ("local-mmd", "Ours-Local-MMD", "the discrepancy of two sets of regions"),
        ("local-ot", "Ours-Local-OT", "optimal transport between regions (Eq. 4)"),
        ("proposed", "Proposed", "the same, trained with the weighted adjacency of regions (Eq. 14)"),
    ];
    let row = |(row, label, note): (&str, &str, &str)| {
        let is_printed = !unprinted.contains(&label);
        let printed = RowSpec { note: note.into(), ..RowSpec::printed(row, label, table) };
        if is_printed { printed } else { RowSpec { paper: None, label: "Global average".into(), ..printed } }
    };
    all.into_iter().map(row).collect()
}

/// Table 4: what transport and adjacency do alone.
pub fn table4() -> TableSpec {
    let row = |row: &str, label: &str, paper: &str| {
        let paper = Some(PaperCell { table: "table4", label: paper.into() });
        RowSpec { paper, ..bare(row, label, "") }
    };
    let rows = vec![
        row("global", "Global average", "Global average"),
        row("local-ot", "Transport", "Region-wise associativity"),
        row("global+adjacency=plain", "Plain adjacency", "Plain adjacency"),
        row("global+adjacency=weighted", "Weighted adjacency", "Weighted adjacency"),
        row("proposed", "Transport and weighted adjacency", "Associativity and weighted adjacency"),
    ];
    spec("table4", "Acc@1 on drawn scenes with transport and adjacency alone", rows, vec![drawn_scenes()])
}

/// Other ways to find a plan: not in the paper's tables.
pub fn solvers() -> TableSpec {
    let rows = vec![
        bare("local-ot", "Transport", "masses by cross-reference, the cheapest plan, exactly"),
        bare(
            "local-ot+linear=similarity",
            "The dearest plan",
            "the supplement's listing passes the similarity as cost",
        ),
        bare("local-ot+solver=quadratic", "Quadratic programme", "the supplement's, with a ridge of 1e-3"),
        bare("local-ot+masses=uniform", "Even masses", "all regions weigh the same"),
        bare("global", "Global average", "the cosine of the mean regions"),
        bare("global+average=costs", "Mean cost", "of all pairs of regions"),
        bare("local-ot+grid=2", "Four regions", "means of 2 x 2 parts of the map"),
    ];
    spec("solvers", "Acc@1 with other plans: not in the paper", rows, vec![drawn_scenes(), objects()[0].clone()])
}

/// The central comparison on a strong recipe: not in the paper.
pub fn recipe() -> TableSpec {
    let strong = "contrastive loss, paired deformations, pictures kept large, a rate that rises and falls";
    let rows = vec![
        bare("global", "Global average", ""),
        bare("global+recipe=strong", "Global average, strong", strong),
        bare("proposed", "Proposed", ""),
        bare("proposed+recipe=strong", "Proposed, strong", ""),
    ];
    let [chair, real, _] = objects();
    spec("recipe", "Acc@1 on a strong recipe: not in the paper", rows, vec![drawn_scenes(), chair, real])
}

/// A row that no table of the paper prints.
fn bare(row: &str, label: &str, note: &str) -> RowSpec {
    RowSpec { paper: None, note: note.into(), ..RowSpec::printed(row, label, "") }
}

/// A table with a share of every sketch left out.
fn masked(whole: TableSpec, percent: u32, name: &'static str, title: &'static str) -> TableSpec {
    let metric: &Metric = if percent == 30 { &ACC1_MASKED_30 } else { &ACC1_MASKED_50 };
    let mut spec = TableSpec { name, title, metric, masked: Some(percent), ..whole };
    for row in &mut spec.rows {
        let prints = |cell: &PaperCell| PRINTED.table(cell.table).is_ok_and(|table| table.column(metric.name).is_ok());
        row.paper = row.paper.take().filter(prints);
    }
    spec
}

fn spec(name: &'static str, title: &'static str, rows: Vec<RowSpec>, datasets: Vec<DatasetSpec>) -> TableSpec {
    TableSpec { printed: PRINTED, name, title, metric: &ACC1, masked: None, rows, datasets }
}
