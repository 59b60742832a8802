//! The analyses of all corpora as one table, the paper's numbers beside ours.

use crate::Result;
use crate::analysis::{Blame, MEDIAN, Rise, Scenario, Scores, Thresholds, attribute, stability};
use crate::metric::{acc_at, mean_sd, relative_drop};
use crate::paper::photo_pretraining::{SLUG, protocol::first_seed};
use crate::report::analysis::{Folder, RADIUS, grids};
use crate::report::printed;
use crate::report::render::markdown_line;
use crate::report::table::{DatasetSpec, MeanSd};
use crate::run::{RunFolder, write_atomic, write_csv};
use polars::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A number of both rows on a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The corpus.
    pub dataset: String,
    /// What was measured, with its unit.
    pub what: &'static str,
    /// Ours-Base and Ours in the paper, as printed.
    pub paper: [Option<String>; 2],
    /// Ours-Base and Ours here; what is only measured of one row has one.
    pub found: [Option<String>; 2],
}

/// Everything that was analysed below `results`, corpus by corpus.
///
/// # Errors
/// A file that does not read.
pub fn lines(results: &Path, datasets: &[DatasetSpec]) -> Result<Vec<Line>> {
    let mut all = Vec::new();
    for dataset in datasets {
        let folder = Folder::of(results, SLUG, dataset.name);
        type Measure<'a> = &'a dyn Fn(&str) -> Result<Option<String>>;
        let seed = |row: &str| first_seed(results, dataset.name, row);
        let measures: [(&'static str, &str, Measure); 10] = [
            ("Drop of Acc@1 under deformation (%)", "robustness", &|row| drop(&folder, row, &seed(row)).map(Some)),
            ("Distance within the first ten photos", "smoothness", &|row| mean(&folder, "smoothness", row, "value", 4)),
            ("The same by histograms of gradients", "smoothness-hog", &|row| {
                mean(&folder, "smoothness-hog", row, "value", 4)
            }),
            ("Loss at the trained weights", "landscape", &|row| {
                surroundings(&folder, row, |rise| rise.level - rise.mean)
            }),
            ("Mean loss within half a filter's length", "landscape", &|row| {
                surroundings(&folder, row, |rise| rise.level)
            }),
            ("Rise of it over the trained weights'", "landscape", &|row| surroundings(&folder, row, |rise| rise.mean)),
            ("Nuclear norm of the gradients' covariance, mean over epochs", "gradient", &|row| {
                mean(&folder, "gradient", row, "nuclear_norm", 3)
            }),
            ("Deviation of test Acc@1 over the last 100 steps (% of its mean)", "stability", &|row| {
                let series = folder.column("stability", row, "acc1")?;
                Ok(Some(format!("{:.2}", 100.0 * stability(&series)?.variation)))
            }),
            ("Errors by scenario 1, 2, 3, 4 and none", "attribution", &|row| attribution(&folder, row)),
            ("of these the user's and the model's", "attribution", &|row| blame(&folder, row)),
        ];
        for (what, name, measure) in measures {
            if folder.has(name) {
                let paper = |column| paper(what, dataset.printed, column);
                all.push(Line {
                    dataset: dataset.label.into(),
                    what,
                    paper: [paper("ours_base")?, paper("ours")?],
                    found: [measure("ours-base")?, measure("ours")?],
                });
            }
        }
    }
    Ok(all)
}

/// What the paper prints of a measure on a corpus; none where it prints nothing.
fn paper(what: &str, dataset: Option<&str>, column: &str) -> Result<Option<String>> {
    let label = what.trim_end_matches(" (%)");
    let printed = printed::read_table(SLUG, "analysis")?;
    let (labels, datasets) = (printed.column("label")?.str()?, printed.column("dataset")?.str()?);
    let is_printed = |(found, on): (Option<&str>, Option<&str>)| found == Some(label) && on == dataset;
    match dataset.filter(|_| labels.iter().zip(datasets.iter()).any(is_printed)) {
        Some(dataset) => printed::find(SLUG, "analysis", label, dataset, column),
        None => Ok(None),
    }
}

fn spread((mean, sd): MeanSd, decimals: usize) -> String {
    match sd {
        Some(sd) => format!("{mean:.decimals$} ± {sd:.decimals$}"),
        None => format!("{mean:.decimals$}"),
    }
}

/// In percent of what whole sketches reach: mean and deviation over the versions, as the paper prints it.
fn drop(folder: &Folder, row: &str, seed: &RunFolder) -> Result<String> {
    let mut versions: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for [version, rank] in folder.lines("robustness", row, ["version", "rank"])? {
        versions.entry(version as u32).or_default().push(rank as u32);
    }
    let deformed = versions.values().map(|ranks| acc_at(ranks, 1)).collect::<Result<Vec<_>>>()?;
    let (mean, sd) = relative_drop(seed.summary()?.acc1, &deformed)?;
    Ok(spread((mean, sd), 2))
}

fn mean(folder: &Folder, name: &str, row: &str, column: &str, decimals: usize) -> Result<Option<String>> {
    let (mean, _) = mean_sd(&folder.column(name, row, column)?)?;
    Ok(Some(format!("{mean:.decimals$}")))
}

/// A number of the landscape round a row's weights: mean and deviation over the pairs of directions.
fn surroundings(folder: &Folder, row: &str, of: fn(Rise) -> f64) -> Result<Option<String>> {
    let values = grids(folder, row)?.iter().map(|grid| grid.rise(RADIUS).map(of)).collect::<Result<Vec<f64>>>()?;
    Ok(Some(spread(mean_sd(&values)?, 4)))
}

fn scenarios(folder: &Folder, row: &str) -> Result<Option<Vec<Scenario>>> {
    let lines = folder.lines("attribution", row, ["s_ours", "f_ours", "s_base"])?;
    let errors: Vec<Scores> =
        lines.iter().map(|line| Scores { s_ours: line[0], f_ours: line[1], s_base: line[2] }).collect();
    match errors.is_empty() {
        true => Ok(None),
        false => attribute(&errors, &Thresholds::of(&errors, MEDIAN)?).map(Some),
    }
}

fn attribution(folder: &Folder, row: &str) -> Result<Option<String>> {
    let Some(found) = scenarios(folder, row)? else { return Ok(None) };
    let count = |number| found.iter().filter(|scenario| scenario.number() == number).count().to_string();
    Ok(Some([Some(1), Some(2), Some(3), Some(4), None].map(count).join(", ")))
}

fn blame(folder: &Folder, row: &str) -> Result<Option<String>> {
    let Some(found) = scenarios(folder, row)? else { return Ok(None) };
    let count = |blame| found.iter().filter(|scenario| scenario.blame() == Some(blame)).count();
    Ok(Some(format!("{}, {}", count(Blame::User), count(Blame::Model))))
}

/// The lines as a markdown table.
pub fn markdown(lines: &[Line]) -> String {
    let cell = |text: &Option<String>| text.clone().unwrap_or_default();
    let heads = ["Data", "What", "Paper: Ours-Base", "Paper: Ours", "Ours-Base", "Ours"].map(String::from);
    let mut text = format!("{}\n|---|---|--:|--:|--:|--:|\n", markdown_line(&heads));
    for line in lines {
        let [a, b] = &line.paper;
        let [c, d] = &line.found;
        let cells = [line.dataset.clone(), line.what.into(), cell(a), cell(b), cell(c), cell(d)];
        text += &format!("{}\n", markdown_line(&cells));
    }
    text += "\nFirst seed of either row. Deformations: ten versions a sketch, mean ± deviation over them. Distances between \
             photos: pooled features of the pre-trained network, the layer below its classifier, rows of length 1 (the \
             paper: VGG-16, so only the comparison carries over); Ours is trained to keep just these distances, so the line \
             by histograms of gradients is the independent one. Loss: mean ± deviation over five pairs of directions. \
             Scenarios: the paper's four, of the queries that Ours answers wrongly, with the medians over them as \
             thresholds; 1 and 4 are the user's, 2 and 3 the model's, none: a rough gallery round the right photo, which \
             the paper does not name.\n";
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
        column("what", &|line| Some(line.what.into())),
        column("paper_ours_base", &|line| line.paper[0].clone()),
        column("paper_ours", &|line| line.paper[1].clone()),
        column("ours_base", &|line| line.found[0].clone()),
        column("ours", &|line| line.found[1].clone()),
    ];
    let paths = ["md", "csv"].map(|kind| folder.join(format!("analysis.{kind}")));
    write_atomic(&paths[0], markdown(&lines).as_bytes())?;
    write_csv(&paths[1], &mut DataFrame::new(lines.len(), columns)?)?;
    Ok(paths)
}
