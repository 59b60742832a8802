use super::*;
use crate::file::write_atomic;
use crate::report::analysis::number::means;
use crate::report::record::tests::{folder, write_run};
use crate::report::table::DatasetSpec;
use std::path::Path;

const DATASETS: [DatasetSpec; 2] = [
    DatasetSpec { name: "d", label: "D", printed: Some("Big-D"), measured_on: "toy data" },
    DatasetSpec { name: "e", label: "E", printed: None, measured_on: "toy data" },
];

const SPEC: SummarySpec = SummarySpec {
    printed: Printed {
        slug: "p",
        tables: &[("text", "label,dataset,old,new\nLoss,Big-D,1.0,\nLoss (more),Big-D,3.0,4.0\nLoss,Big-E,9.0,9.0\n")],
        claims: "",
        metrics: &[],
    },
    table: "text",
    group: ("Size", "size"),
    rows: [("Old", "old"), ("New", "new")],
    groups,
    measures: &[
        SummaryMeasure { what: "Loss (%)", analysis: "loss", tell: |runs| means(runs, "loss", "value", 1) },
        SummaryMeasure { what: "Length", analysis: "length", tell: |runs| means(runs, "length", "value", 0) },
    ],
    steps: &[StepMeasure {
        what: "Minutes of new and old",
        rows: &["new", "old"],
        column: ["time", "seconds"],
        unit: 60.0,
        decimals: 2,
    }],
    note: "That is all.",
};

fn groups(_: &DatasetSpec) -> Vec<SummaryGroup> {
    let group = |label, printed, rows: [&str; 2]| SummaryGroup { label, printed, rows: rows.map(String::from) };
    vec![group("small", None, ["old", "new"]), group("large", Some("more"), ["old+more", "new+more"])]
}

/// A finished run that answers its second query wrongly, with an analysis.
fn put(results: &Path, dataset: &str, row: &str, seed: u64, name: &str, text: &str) {
    let run = folder(results, dataset, row, seed);
    write_run(&run, &[1, 4]);
    write_atomic(&run.0.join(format!("analysis/{name}.csv")), text.as_bytes()).unwrap();
}

fn found(results: &Path) -> Vec<SummaryLine> {
    lines(results, &SPEC, &DATASETS).unwrap()
}

fn texts(texts: [&str; 2]) -> [Option<String>; 2] {
    texts.map(|text| (!text.is_empty()).then(|| text.to_string()))
}

#[test]
fn nothing_analysed_is_no_line() {
    let place = tempfile::tempdir().unwrap();
    write_run(&folder(place.path(), "d", "old", 0), &[1, 4]);
    assert!(found(place.path()).is_empty());
}

#[test]
fn printed_numbers_are_those_of_the_group_and_the_data() {
    let place = tempfile::tempdir().unwrap();
    put(place.path(), "d", "old", 0, "loss", "value\n2\n4\n");
    put(place.path(), "d", "new+more", 0, "loss", "value\n2\n");
    put(place.path(), "d", "new+more", 1, "loss", "value\n4\n");
    put(place.path(), "e", "old", 0, "loss", "value\n5\n");
    put(place.path(), "d", "old", 0, "length", "value\n7\n");
    let line = |dataset: &str, group, what, paper, found, seeds| {
        let (paper, found) = (texts(paper), texts(found));
        SummaryLine { dataset: dataset.into(), group, what, paper, found, seeds }
    };
    let expected = [
        line("D", "small", "Loss (%)", ["1.0", ""], ["3.0", ""], [1, 0]),
        line("D", "small", "Length", ["", ""], ["7", ""], [1, 0]),
        line("D", "large", "Loss (%)", ["3.0", "4.0"], ["", "3.0 ± 1.4"], [0, 2]),
        line("E", "small", "Loss (%)", ["", ""], ["5.0", ""], [1, 0]),
    ];
    assert_eq!(found(place.path()), expected);
}

#[test]
fn steps_are_told_once_all_rows_have_them() {
    let place = tempfile::tempdir().unwrap();
    put(place.path(), "d", "old", 0, "time", "round,seconds\n0,60\n1,120\n");
    assert!(found(place.path()).is_empty());
    put(place.path(), "d", "new", 0, "time", "round,seconds\n0,30\n");
    let [line] = &found(place.path())[..] else { panic!("one line") };
    assert_eq!(
        (line.group, line.what, &line.found[..]),
        ("small", "Minutes of new and old", &texts(["", "0.50, 1.50"])[..])
    );
}

#[test]
fn errors_are_judged_seed_by_seed_beside_the_first_row() {
    let place = tempfile::tempdir().unwrap();
    let scores = "query,smoothness,fidelity\n100,0,0\n101,1,1\n"; // 101 is answered wrongly
    put(place.path(), "d", "new", 0, "attribution", scores);
    put(place.path(), "d", "old", 1, "attribution", scores);
    assert!(found(place.path()).is_empty()); // no seed has both
    put(place.path(), "d", "old", 0, "attribution", scores);
    let lines_found = found(place.path());
    let seeds: Vec<_> = lines_found.iter().map(|line| (line.what, line.seeds)).collect();
    assert_eq!(
        seeds,
        [("Errors by scenario 1, 2, 3, 4 and none", [1, 1]), ("of these the user's and the model's", [1, 1])]
    );
    let counts = lines_found[0].found[1].clone().unwrap();
    assert_eq!(counts.split(", ").map(|count| count.parse::<u32>().unwrap()).sum::<u32>(), 1);
    put(place.path(), "d", "old", 0, "attribution", "query,smoothness,fidelity\n100,0,0\n");
    let error = lines(place.path(), &SPEC, &DATASETS).unwrap_err().to_string();
    assert!(error.contains("query 101 in attribution.csv"), "{error}");
}

#[test]
fn files_have_the_spec_s_heads_and_note() {
    let place = tempfile::tempdir().unwrap();
    for seed in 0..2 {
        put(place.path(), "d", "old", seed, "loss", "value\n2\n");
    }
    put(place.path(), "d", "new", 0, "loss", "value\n1\n");
    let [markdown, csv] =
        write(place.path(), &SPEC, &DATASETS).unwrap().map(|path| std::fs::read_to_string(path).unwrap());
    let expected = "| Data | Size | What | Paper: Old | Paper: New | Old | New | Seeds |\n\
                    |---|---|---|--:|--:|--:|--:|--:|\n\
                    | D | small | Loss (%) | 1.0 |  | 2.0 ± 0.0 | 1.0 | 2, 1 |\n\nThat is all.\n";
    assert_eq!(markdown, expected);
    let expected =
        "dataset,size,what,paper_old,paper_new,old,new,seeds\nD,small,Loss (%),1.0,,2.0 ± 0.0,1.0,\"2, 1\"\n";
    assert_eq!(csv, expected);
}
