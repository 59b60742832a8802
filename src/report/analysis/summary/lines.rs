//! The lines of a summary, from the analysed runs.

use super::blame::{blamed, pairs, scenarios};
use super::{StepMeasure, SummaryGroup, SummaryLine, SummaryMeasure, SummarySpec};
use crate::Result;
use crate::metric::mean_sd;
use crate::report::analysis::{Folder, analysed};
use crate::report::record::Run;
use crate::report::records::Records;
use crate::report::table::DatasetSpec;
use std::path::Path;

/// Everything that was analysed below `results`, corpus by corpus, group by group; a line whose analysis no row has is left
/// out.
///
/// # Errors
/// A file that cannot be read, or a query of an error that the other row was not analysed on.
pub fn lines(results: &Path, spec: &SummarySpec, datasets: &[DatasetSpec]) -> Result<Vec<SummaryLine>> {
    let mut all = Vec::new();
    for dataset in datasets {
        let records = Records { results, slug: spec.printed.slug, dataset: dataset.name };
        let groups = (spec.groups)(dataset);
        for group in &groups {
            let [first, second] = group.rows.each_ref().map(|row| records.runs(row));
            all.extend(of_group(spec, dataset, group, &[first?, second?])?);
        }
        for step in spec.steps {
            // A step costs the same in every group: it stands under the first, whose rows are its rows.
            let text = of_step(&records, step)?;
            all.extend(groups.first().zip(text).map(|(group, text)| of_second(dataset, group, step.what, text, 1)));
        }
    }
    Ok(all)
}

fn of_group(
    spec: &SummarySpec,
    dataset: &DatasetSpec,
    group: &SummaryGroup,
    rows: &[Vec<Run>; 2],
) -> Result<Vec<SummaryLine>> {
    let mut lines = Vec::new();
    for measure in spec.measures {
        let [first, second] = rows.each_ref().map(|runs| analysed(runs, measure.analysis));
        let seeds = [first.len(), second.len()];
        if seeds == [0, 0] {
            continue;
        }
        let found = |runs: &[&Run]| (!runs.is_empty()).then(|| (measure.tell)(runs)).transpose();
        let (what, found) = (measure.what, [found(&first)?, found(&second)?]);
        let paper = printed(spec, dataset, group, measure)?;
        lines.push(SummaryLine { dataset: dataset.label.into(), group: group.label, what, paper, found, seeds });
    }
    let pairs = pairs(rows);
    let blamed = blamed(&scenarios(&pairs)?);
    lines.extend(blamed.into_iter().map(|(what, text)| of_second(dataset, group, what, text, pairs.len())));
    Ok(lines)
}

/// A line that stands under the second row alone.
fn of_second(
    dataset: &DatasetSpec,
    group: &SummaryGroup,
    what: &'static str,
    text: String,
    seeds: usize,
) -> SummaryLine {
    let (dataset, group) = (dataset.label.to_string(), group.label);
    SummaryLine { dataset, group, what, paper: [None, None], found: [None, Some(text)], seeds: [seeds; 2] }
}

/// A number of a step of every row; none before all were measured.
fn of_step(records: &Records, step: &StepMeasure) -> Result<Option<String>> {
    let [name, column] = step.column;
    let mut means = Vec::new();
    for row in step.rows {
        let runs = records.runs(row)?;
        let Some(run) = analysed(&runs, name).into_iter().next() else { return Ok(None) };
        let mean = mean_sd(&Folder::of(&run.folder).column(name, column)?)?.0 / step.unit;
        means.push(format!("{mean:.*}", step.decimals));
    }
    Ok(Some(means.join(", ")))
}

/// The printed numbers of a measure of both rows; none where the paper prints none.
fn printed(
    spec: &SummarySpec,
    dataset: &DatasetSpec,
    group: &SummaryGroup,
    measure: &SummaryMeasure,
) -> Result<[Option<String>; 2]> {
    let label = measure.what.trim_end_matches(" (%)");
    let label = group.printed.map_or(label.to_string(), |name| format!("{label} ({name})"));
    let cell = |column: &str| match dataset.printed {
        Some(dataset) => spec.printed.find_if_there(spec.table, &label, dataset, column),
        None => Ok(None),
    };
    let [first, second] = spec.rows.map(|(_, column)| cell(column));
    Ok([first?, second?])
}
