//! The analyses of all corpora as one table, the paper's numbers beside ours.

mod number;

use super::{compared, step};
use crate::Result;
use crate::file::{write_atomic, write_csv};
use crate::metric::mean_sd;
use crate::paper::photo_pretraining::table::{EMBEDDED, PRETRAININGS, Pretraining};
use crate::paper::photo_pretraining::{PRINTED, SLUG};
use crate::report::analysis::{Folder, analysed};
use crate::report::record::{Run, read_row};
use crate::report::render::markdown_line;
use crate::report::table::DatasetSpec;
use number::{blamed, drop, means, pairs, scenarios, steadiness, surroundings};
use polars::prelude::*;
use std::path::{Path, PathBuf};

/// A number of both rows on a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The corpus.
    pub dataset: String,
    /// What both rows started from.
    pub pretraining: &'static str,
    /// What was measured, with its unit.
    pub what: &'static str,
    /// Ours-Base and Ours in the paper, as printed.
    pub paper: [Option<String>; 2],
    /// Ours-Base and Ours here; what is only measured of one row has one.
    pub found: [Option<String>; 2],
    /// Seeds of either.
    pub seeds: [usize; 2],
}

/// What is told of the analysed runs of a row, by seed.
type Measure = fn(&[&Run]) -> Result<String>;

/// What is told of each row, and the analysis that it is told from.
const MEASURES: [(&str, &str, Measure); 8] = [
    ("Drop of Acc@1 under deformation (%)", "robustness", drop),
    ("Distance within the first ten photos", "smoothness", |runs| means(runs, "smoothness", "value", 4)),
    ("The same by histograms of gradients", "smoothness-hog", |runs| means(runs, "smoothness-hog", "value", 4)),
    ("Loss at the trained weights", "landscape", |runs| surroundings(runs, |rise| rise.level - rise.mean)),
    ("Mean loss within half a filter's length", "landscape", |runs| surroundings(runs, |rise| rise.level)),
    ("The latter less the former", "landscape", |runs| surroundings(runs, |rise| rise.mean)),
    ("Nuclear norm of the gradients' covariance, mean over epochs", "gradient", |runs| {
        means(runs, "gradient", "nuclear_norm", 3)
    }),
    ("Distance of test Acc@1 from its mean over the last 100 steps (% of it)", "stability", steadiness),
];

/// A number of a step: the analysis that it is in and its column there, its unit, decimals.
type OfStep = (&'static str, &'static str, &'static str, f64, usize);

/// What is told of a step of each update.
const STEPS: [OfStep; 2] = [
    ("Seconds of a step of Ours-Base, multi-task, meta-full and Ours", "time", "seconds", 1.0, 3),
    ("Memory of a step of these, MiB", "memory", "bytes", MIB, 1),
];

const MIB: f64 = (1 << 20) as f64;

/// Everything that was analysed below `results`, corpus by corpus, pre-training by pre-training.
///
/// # Errors
/// A file that does not read.
pub fn lines(results: &Path, datasets: &[DatasetSpec]) -> Result<Vec<Line>> {
    let mut all = Vec::new();
    for dataset in datasets {
        for (own, rows) in compared() {
            let [base, ours] = rows.map(|row| read_row(results, SLUG, dataset.name, &row));
            all.extend(lines_of(dataset, own, &[base?, ours?])?);
        }
        for told in STEPS {
            all.extend(step_of(results, dataset, told)?);
        }
    }
    Ok(all)
}

/// What a step of every update takes; none before all were measured.
fn step_of(results: &Path, dataset: &DatasetSpec, told: OfStep) -> Result<Option<Line>> {
    let (what, name, column, unit, decimals) = told;
    let mut means = Vec::new();
    for row in step::ROWS {
        let runs = read_row(results, SLUG, dataset.name, row)?;
        let Some(run) = analysed(&runs, name).into_iter().next() else { return Ok(None) };
        let mean = mean_sd(&Folder::of(&run.folder).column(name, column)?)?.0 / unit;
        means.push(format!("{mean:.decimals$}"));
    }
    Ok(Some(Line {
        dataset: dataset.label.into(),
        pretraining: started_from(dataset, PRETRAININGS[0]),
        what,
        paper: [None, None],
        found: [None, Some(means.join(", "))],
        seeds: [1, 1],
    }))
}

/// What is told of the weights that training began with.
fn started_from(dataset: &DatasetSpec, own: Pretraining) -> &'static str {
    match own.weights {
        None if EMBEDDED.contains(&dataset.name) => "attributes",
        _ => own.label,
    }
}

fn lines_of(dataset: &DatasetSpec, own: Pretraining, rows: &[Vec<Run>; 2]) -> Result<Vec<Line>> {
    let pretraining = started_from(dataset, own);
    let line =
        |what, paper, found, seeds| Line { dataset: dataset.label.into(), pretraining, what, paper, found, seeds };
    let mut lines = Vec::new();
    for (what, name, measure) in MEASURES {
        let [base, ours] = [&rows[0], &rows[1]].map(|runs| analysed(runs, name));
        if base.is_empty() && ours.is_empty() {
            continue;
        }
        let paper = |column| paper(what, own, dataset.printed, column);
        let found = |runs: &[&Run]| (!runs.is_empty()).then(|| measure(runs)).transpose();
        let (paper, found) = ([paper("ours_base")?, paper("ours")?], [found(&base)?, found(&ours)?]);
        lines.push(line(what, paper, found, [base.len(), ours.len()]));
    }
    let pairs = pairs(rows);
    for (what, text) in blamed(&scenarios(&pairs)?) {
        lines.push(line(what, [None, None], [None, Some(text)], [pairs.len(); 2]));
    }
    Ok(lines)
}

/// What the paper prints of a measure on a corpus; none where it prints nothing.
fn paper(what: &str, own: Pretraining, dataset: Option<&str>, column: &str) -> Result<Option<String>> {
    let label = match own.weights {
        None => what.trim_end_matches(" (%)").to_string(),
        Some(_) => format!("{} ({})", what.trim_end_matches(" (%)"), own.label),
    };
    let printed = PRINTED.table("analysis")?;
    let (labels, datasets) = (printed.column("label")?.str()?, printed.column("dataset")?.str()?);
    let is_printed = |(found, on): (Option<&str>, Option<&str>)| found == Some(&label) && on == dataset;
    match dataset.filter(|_| labels.iter().zip(datasets.iter()).any(is_printed)) {
        Some(dataset) => PRINTED.find("analysis", &label, dataset, column),
        None => Ok(None),
    }
}

/// One number where both rows have as many.
fn seeds(line: &Line) -> String {
    let [base, ours] = line.seeds;
    if base == ours { base.to_string() } else { format!("{base}, {ours}") }
}

/// The lines as a markdown table.
pub fn markdown(lines: &[Line]) -> String {
    let cell = |text: &Option<String>| text.clone().unwrap_or_default();
    let heads = ["Data", "Pre-training", "What", "Paper: Ours-Base", "Paper: Ours", "Ours-Base", "Ours", "Seeds"]
        .map(String::from);
    let mut text = format!("{}\n|---|---|---|--:|--:|--:|--:|--:|\n", markdown_line(&heads));
    for line in lines {
        let [a, b] = &line.paper;
        let [c, d] = &line.found;
        let what = [line.dataset.clone(), line.pretraining.into(), line.what.into()];
        let cells = [&what[..], &[cell(a), cell(b), cell(c), cell(d), seeds(line)]].concat();
        text += &format!("{}\n", markdown_line(&cells));
    }
    text += "\nNumbers of one row: mean ± deviation over the seeds, unless said otherwise here. Deformations: ten versions a \
             sketch, mean ± deviation over the versions of all seeds. Distances between photos: pooled features of the \
             pre-trained network, the layer below its classifier, rows of length 1 (the paper: VGG-16, so only the \
             comparison carries over); Ours is trained to keep just these distances, so the line by histograms of gradients \
             is the independent one. Loss: its mean over five pairs of directions. Seconds: on the machine that measured. Memory: the most that a step holds beyond what is there between steps (weights, moments of Adam, pictures). Scenarios: the \
             paper's four, of the queries that Ours answers wrongly, summed over the seeds, with the medians over a seed's \
             errors as thresholds; 1 and 4 are the user's, 2 and 3 the model's, none: a rough gallery round the right photo, \
             which the paper does not name.\n";
    text
}

/// Writes the table as `analysis.md` and `analysis.csv`.
///
/// # Errors
/// As [`lines`], or a folder that cannot be written.
pub fn write(results: &Path, datasets: &[DatasetSpec]) -> Result<[PathBuf; 2]> {
    let lines = lines(results, datasets)?;
    let folder = results.join("tables").join(SLUG);
    let column = |name: &str, get: &dyn Fn(&Line) -> Option<String>| {
        Column::new(name.into(), lines.iter().map(get).collect::<Vec<_>>())
    };
    let columns = vec![
        column("dataset", &|line| Some(line.dataset.clone())),
        column("pretraining", &|line| Some(line.pretraining.into())),
        column("what", &|line| Some(line.what.into())),
        column("paper_ours_base", &|line| line.paper[0].clone()),
        column("paper_ours", &|line| line.paper[1].clone()),
        column("ours_base", &|line| line.found[0].clone()),
        column("ours", &|line| line.found[1].clone()),
        column("seeds", &|line| Some(seeds(line))),
    ];
    let paths = ["md", "csv"].map(|kind| folder.join(format!("analysis.{kind}")));
    write_atomic(&paths[0], markdown(&lines).as_bytes())?;
    write_csv(&paths[1], &mut DataFrame::new(lines.len(), columns)?)?;
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn numbers_by_hand() {
        let place = tempfile::tempdir().unwrap();
        assert!(lines(place.path(), &measured()).unwrap().is_empty());
        for (seed, value) in [(0, 1.0), (1, 3.0)] {
            let text = format!("query,value\n100,{value}\n101,{value}\n");
            put(place.path(), "ours-base+weights=obow", seed, "smoothness", &text);
        }
        // Of three in four the first version loses one in three, the second nothing.
        let deformed = "version,query,rank\n0,100,1\n0,101,1\n0,102,2\n0,103,2\n1,100,1\n1,101,1\n1,102,1\n1,103,2\n";
        put(place.path(), "ours", 0, "robustness", deformed);
        for (row, seconds) in step::ROWS.iter().zip([1, 2, 4, 3]) {
            put(place.path(), row, 0, "time", &format!("round,seconds\n0,{seconds}\n1,{seconds}\n"));
            put(place.path(), row, 0, "memory", &format!("round,bytes\n0,{}\n1,{}\n", seconds << 20, seconds << 21));
        }
        let found = lines(place.path(), &measured()).unwrap();
        let said = |line: &Line| (line.pretraining, line.what, line.found.clone(), line.seeds);
        let text = |text: &str| Some(text.to_string());
        assert_eq!(
            found.iter().map(said).collect::<Vec<_>>(),
            [
                ("attributes", MEASURES[0].0, [None, text("16.67 ± 23.57")], [0, 1]),
                ("OBOW", MEASURES[1].0, [text("2.0000 ± 1.4142"), None], [2, 0]),
                (
                    "attributes",
                    "Seconds of a step of Ours-Base, multi-task, meta-full and Ours",
                    [None, text("1.000, 2.000, 4.000, 3.000")],
                    [1, 1]
                ),
                ("attributes", "Memory of a step of these, MiB", [None, text("1.5, 3.0, 6.0, 4.5")], [1, 1]),
            ]
        );
        assert!(markdown(&found).contains("| synth-chair | OBOW | Distance within the first ten photos |"));
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
