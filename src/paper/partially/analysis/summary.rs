//! The analyses of all corpora as one table.

use super::ROWS;
use crate::Result;
use crate::metric::mean_sd;
use crate::paper::partially::{PRINTED, table};
use crate::report::analysis::Folder;
use crate::report::analysis::summary::{self, SummaryGroup, SummaryMeasure, SummarySpec};
use crate::report::record::Run;
use crate::report::table::DatasetSpec;
use std::path::{Path, PathBuf};

/// The measures of both rows with plans.
const SPEC: SummarySpec = SummarySpec {
    printed: PRINTED,
    table: "analysis",
    group: ("Plans", "plans"),
    rows: [("Ours-Local-OT", "transport"), ("Proposed", "proposed")],
    groups,
    measures: &MEASURES,
    steps: &[],
    note: NOTE,
};

const MEASURES: [SummaryMeasure; 9] = [
    measure("Regions of a sketch with ink, whole and with half left out (%)", "flow", |runs| flow(runs, "cells")),
    measure("Mass on them, the same (%)", "flow", |runs| flow(runs, "mass")),
    measure("Mass that goes from them to regions with an object, the same (%)", "flow", |runs| flow(runs, "moved")),
    measure("Acc@1 by transport over all photos (%)", "search", |runs| found(runs, "exact")),
    measure("Acc@1 by transport on the first 10 by vectors (%)", "search", |runs| found(runs, "first10")),
    measure("Acc@1 by transport on the first 50 by vectors (%)", "search", |runs| found(runs, "first50")),
    measure("Acc@1 by transport on the first 100 by vectors (%)", "search", |runs| found(runs, "first100")),
    measure("Acc@1 with regions of photos in 16 bits (%)", "search", |runs| found(runs, "half")),
    measure("Acc@1 with regions of photos in 8 bits (%)", "search", |runs| found(runs, "byte")),
];

const fn measure(what: &'static str, analysis: &'static str, tell: fn(&[&Run]) -> Result<String>) -> SummaryMeasure {
    SummaryMeasure { what, analysis, tell }
}

const NOTE: &str = "Plans between every test sketch and its own photo. A region has ink, or an object, where its darkest pixel is well \
                    below the picture's brightest; of photos on a ground of their own that is most of them. Vectors: the \
                    means of the regions, by their cosine. With several seeds: means over them.";

/// One group: the plans of Eq. 4.
fn groups(_: &DatasetSpec) -> Vec<SummaryGroup> {
    vec![SummaryGroup { label: "16 regions", printed: None, rows: ROWS.map(|(row, _)| row.to_string()) }]
}

/// Writes the table as `analysis.md` and `analysis.csv`.
///
/// # Errors
/// As [`summary::write`].
pub fn write(results: &Path) -> Result<Vec<PathBuf>> {
    Ok(summary::write(results, &SPEC, &table::corpora())?.into())
}

/// The mean over the seeds of a number of each.
fn mean(runs: &[&Run], of: &dyn Fn(&Folder) -> Result<f64>) -> Result<f64> {
    let values = runs.iter().map(|run| of(&Folder::of(&run.folder))).collect::<Result<Vec<_>>>()?;
    Ok(mean_sd(&values)?.0)
}

/// A share in percent, of whole sketches and with half left out.
fn flow(runs: &[&Run], column: &str) -> Result<String> {
    let of = |percent: f64| {
        mean(runs, &|folder| {
            let lines = folder.lines("flow", ["percent", column])?;
            let own: Vec<f64> = lines.iter().filter(|line| line[0] == percent).map(|line| 100.0 * line[1]).collect();
            Ok(mean_sd(&own)?.0)
        })
    };
    Ok(format!("{:.1}, {:.1}", of(0.0)?, of(50.0)?))
}

/// Acc@1 of a kind of search.
fn found(runs: &[&Run], column: &str) -> Result<String> {
    let score = mean(runs, &|folder| {
        let ranks = folder.column("search", column)?;
        Ok(100.0 * ranks.iter().filter(|rank| **rank == 1.0).count() as f64 / ranks.len() as f64)
    })?;
    Ok(format!("{score:.1}"))
}
