//! The analyses of all corpora as one table, the paper's numbers beside ours.

use super::{STEPS as ROWS_OF_STEPS, compared};
use crate::Result;
use crate::paper::photo_pretraining::PRINTED;
use crate::paper::photo_pretraining::table::{EMBEDDED, Pretraining};
use crate::report::analysis::number::{drops, means, steadiness, surroundings};
use crate::report::analysis::summary::{self, StepMeasure, SummaryGroup, SummaryLine, SummaryMeasure, SummarySpec};
use crate::report::table::DatasetSpec;
use std::path::{Path, PathBuf};

/// The measures of Ours-Base and Ours.
const SPEC: SummarySpec = SummarySpec {
    printed: PRINTED,
    table: "analysis",
    group: ("Pre-training", "pretraining"),
    rows: [("Ours-Base", "ours_base"), ("Ours", "ours")],
    groups,
    measures: &MEASURES,
    steps: &STEPS,
    note: NOTE,
};

const MEASURES: [SummaryMeasure; 8] = [
    SummaryMeasure { what: "Drop of Acc@1 under deformation (%)", analysis: "robustness", tell: drops },
    SummaryMeasure {
        what: "Distance within the first ten photos",
        analysis: "smoothness",
        tell: |runs| means(runs, "smoothness", "value", 4),
    },
    SummaryMeasure {
        what: "The same by histograms of gradients",
        analysis: "smoothness-hog",
        tell: |runs| means(runs, "smoothness-hog", "value", 4),
    },
    SummaryMeasure {
        what: "Loss at the trained weights",
        analysis: "landscape",
        tell: |runs| surroundings(runs, |rise| rise.level - rise.mean),
    },
    SummaryMeasure {
        what: "Mean loss within a fifth of a filter's length",
        analysis: "landscape",
        tell: |runs| surroundings(runs, |rise| rise.level),
    },
    SummaryMeasure {
        what: "The latter less the former",
        analysis: "landscape",
        tell: |runs| surroundings(runs, |rise| rise.mean),
    },
    SummaryMeasure {
        what: "Nuclear norm of the gradients' covariance, mean over epochs",
        analysis: "gradient",
        tell: |runs| means(runs, "gradient", "nuclear_norm", 3),
    },
    SummaryMeasure {
        what: "Distance of test Acc@1 from its mean over the last 100 steps (% of it)",
        analysis: "stability",
        tell: steadiness,
    },
];

const STEPS: [StepMeasure; 2] = [
    StepMeasure {
        what: "Seconds of a step of Ours-Base, multi-task, meta-full and Ours",
        rows: &ROWS_OF_STEPS,
        column: ["time", "seconds"],
        unit: 1.0,
        decimals: 3,
    },
    StepMeasure {
        what: "Memory of a step of these, MiB",
        rows: &ROWS_OF_STEPS,
        column: ["memory", "bytes"],
        unit: (1 << 20) as f64,
        decimals: 1,
    },
];

const NOTE: &str = "Numbers of one row: mean ± deviation over the seeds, unless said otherwise here. Deformations: ten versions a \
             sketch, mean ± deviation over the versions of all seeds. Distances between photos: pooled features of the \
             pre-trained network, the layer below its classifier, rows of length 1 (the paper: VGG-16, so only the \
             comparison carries over); Ours is trained to keep just these distances, so the line by histograms of gradients \
             is the independent one. Loss: its mean over five pairs of directions. Seconds: on the machine that measured. Memory: the most that a step holds beyond what is there between steps (weights, moments of Adam, pictures). Scenarios: the \
             paper's four, of the queries that Ours answers wrongly, summed over the seeds, with the medians over a seed's \
             errors as thresholds; 1 and 4 are the user's, 2 and 3 the model's, none: a rough gallery round the right photo, \
             which the paper does not name.";

/// The pre-trainings that are compared on a corpus.
fn groups(dataset: &DatasetSpec) -> Vec<SummaryGroup> {
    let printed = |own: Pretraining| own.weights.map(|_| own.label);
    let group = |(own, rows)| SummaryGroup { label: started_from(dataset, own), printed: printed(own), rows };
    compared().map(group).into()
}

/// Measures of the weights that training began with.
fn started_from(dataset: &DatasetSpec, own: Pretraining) -> &'static str {
    let is_embedded = EMBEDDED.contains(&dataset.name);
    if own.weights.is_none() && is_embedded { "attributes" } else { own.label }
}

/// Everything that was analysed below `results`, corpus by corpus, pre-training by pre-training.
///
/// # Errors
/// As [`summary::lines`].
pub fn lines(results: &Path, datasets: &[DatasetSpec]) -> Result<Vec<SummaryLine>> {
    summary::lines(results, &SPEC, datasets)
}

/// Writes the table as `analysis.md` and `analysis.csv`.
///
/// # Errors
/// As [`summary::write`].
pub fn write(results: &Path, datasets: &[DatasetSpec]) -> Result<[PathBuf; 2]> {
    summary::write(results, &SPEC, datasets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;
    use crate::paper::photo_pretraining::SLUG;
    use crate::paper::photo_pretraining::table::measured;
    use crate::report::record::tests::write_run;
    use crate::run::RunFolder;
    use crate::seed::Seed;

    fn put(results: &Path, row: &str, seed: u64, name: &str, text: &str) {
        let run = RunFolder::of(results, SLUG, "synth-chair", row, Seed(seed));
        write_run(&run, &[1, 4, 1, 1]);
        write_atomic(&run.0.join(format!("analysis/{name}.csv")), text.as_bytes()).unwrap();
    }

    #[test]
    fn summary_numbers_by_hand() {
        let place = tempfile::tempdir().unwrap();
        assert!(lines(place.path(), &measured()).unwrap().is_empty());
        for (seed, value) in [(0, 1.0), (1, 3.0)] {
            let text = format!("query,value\n100,{value}\n101,{value}\n");
            put(place.path(), "ours-base+weights=obow", seed, "smoothness", &text);
        }
        // Of three in four the first version loses one in three, the second nothing.
        let deformed = "version,query,rank\n0,100,1\n0,101,1\n0,102,2\n0,103,2\n1,100,1\n1,101,1\n1,102,1\n1,103,2\n";
        put(place.path(), "ours", 0, "robustness", deformed);
        for (row, seconds) in ROWS_OF_STEPS.iter().zip([1, 2, 4, 3]) {
            put(place.path(), row, 0, "time", &format!("round,seconds\n0,{seconds}\n1,{seconds}\n"));
            put(place.path(), row, 0, "memory", &format!("round,bytes\n0,{}\n1,{}\n", seconds << 20, seconds << 21));
        }
        let found = lines(place.path(), &measured()).unwrap();
        let said = |line: &SummaryLine| (line.group, line.what, line.found.clone(), line.seeds);
        let text = |text: &str| Some(text.to_string());
        assert_eq!(
            found.iter().map(said).collect::<Vec<_>>(),
            [
                ("attributes", MEASURES[0].what, [None, text("16.67 ± 23.57")], [0, 1]),
                ("OBOW", MEASURES[1].what, [text("2.0000 ± 1.4142"), None], [2, 0]),
                (
                    "attributes",
                    "Seconds of a step of Ours-Base, multi-task, meta-full and Ours",
                    [None, text("1.000, 2.000, 4.000, 3.000")],
                    [1, 1]
                ),
                ("attributes", "Memory of a step of these, MiB", [None, text("1.5, 3.0, 6.0, 4.5")], [1, 1]),
            ]
        );
        assert!(
            summary::markdown(&SPEC, &found).contains("| synth-chair | OBOW | Distance within the first ten photos |")
        );
    }

    #[test]
    fn errors_are_attributed_seed_by_seed() {
        let place = tempfile::tempdir().unwrap();
        // Query 101 is the one that is not found.
        let scores =
            |values: [f64; 2]| format!("query,smoothness,fidelity\n100,0,0\n101,{},{}\n", values[0], values[1]);
        put(place.path(), "ours", 0, "attribution", &scores([1.0, 1.0]));
        put(place.path(), "ours-base", 1, "attribution", &scores([1.0, 1.0]));
        assert!(lines(place.path(), &measured()).unwrap().is_empty()); // no seed has both
        put(place.path(), "ours-base", 0, "attribution", &scores([1.0, 1.0]));
        let found = lines(place.path(), &measured()).unwrap();
        assert_eq!((found.len(), found[0].seeds), (2, [1, 1]));
        let counts = found[0].found[1].clone().unwrap();
        assert_eq!(counts.split(", ").map(|count| count.parse::<u32>().unwrap()).sum::<u32>(), 1);
        put(place.path(), "ours-base", 0, "attribution", "query,smoothness,fidelity\n100,0,0\n");
        let error = lines(place.path(), &measured()).unwrap_err().to_string();
        assert!(error.contains("query 101 in attribution.csv"), "{error}");
    }
}
