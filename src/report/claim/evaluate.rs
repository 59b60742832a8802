//! Claims against the runs.

use super::{Claim, Direction, Finding, Verdict};
use crate::metric::{Interval, paired_interval};
use crate::report::{
    analysis::Folder,
    record::{Run, check_same_queries, read_row},
    score::Metric,
};
use crate::{Error, Result, seed::Seed};
use std::path::Path;

/// Chooses the resampled queries: the same for every claim, so that a table of verdicts can be rebuilt byte by byte.
const BOOTSTRAP: Seed = Seed(0);

/// The verdict on an interval of A - B.
///
/// ```
/// use retrace::metric::Interval;
/// use retrace::report::claim::{Direction::Greater, Verdict, judge};
/// let interval = |low, high| Interval { effect: (low + high) / 2.0, low, high };
/// assert_eq!(judge(interval(0.5, 3.0), Greater, Some(9.0)), Verdict::Reproduced); // the side decides, not the size
/// assert_eq!(judge(interval(-3.0, -0.5), Greater, None), Verdict::NotReproduced);
/// assert_eq!(judge(interval(-1.0, 2.0), Greater, Some(9.0)), Verdict::NotReproduced); // holds 0, far from 9
/// assert_eq!(judge(interval(-1.0, 2.0), Greater, Some(1.5)), Verdict::Undecided);
/// ```
pub fn judge(interval: Interval, direction: Direction, paper_effect: Option<f64>) -> Verdict {
    let (low, high, paper) = match direction {
        Direction::Greater => (interval.low, interval.high, paper_effect),
        Direction::Less => (-interval.high, -interval.low, paper_effect.map(|effect| -effect)),
    };
    match paper {
        _ if low > 0.0 => Verdict::Reproduced,
        _ if high < 0.0 => Verdict::NotReproduced,
        Some(paper) if high < paper => Verdict::NotReproduced,
        _ => Verdict::Undecided,
    }
}

/// Tests claims on the runs below `results`.
///
/// # Errors
/// A run that does not hold together, or two rows with different queries (both are named).
pub fn evaluate(results: &Path, claims: &[Claim]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for claim in claims {
        let datasets = match &claim.dataset {
            Some(dataset) => vec![dataset.clone()],
            None => datasets_run(results, claim)?,
        };
        for dataset in &datasets {
            findings.push(evaluate_one(results, claim, dataset)?);
        }
        if datasets.is_empty() {
            let dataset = String::new();
            findings.push(Finding { claim: claim.clone(), dataset, interval: None, verdict: Verdict::NotRun });
        }
    }
    Ok(findings)
}

/// Datasets of the claim's paper in which both rows have a folder, by name.
fn datasets_run(results: &Path, claim: &Claim) -> Result<Vec<String>> {
    let folder = results.join(&claim.slug);
    let mut names = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let entry = entry.map_err(Error::io(&folder))?;
            if entry.path().join(&claim.row_a).is_dir() && entry.path().join(&claim.row_b).is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

fn evaluate_one(results: &Path, claim: &Claim, dataset: &str) -> Result<Finding> {
    let a = read_row(results, &claim.slug, dataset, &claim.row_a)?;
    let b = read_row(results, &claim.slug, dataset, &claim.row_b)?;
    let interval = match claim.metric.analysis() {
        Some(_) => compare_analyses(claim, dataset, results, [a.first(), b.first()])?,
        None => compare(claim.metric, &a, &b)?,
    };
    let verdict = interval.map_or(Verdict::NotRun, |found| judge(found, claim.direction, claim.paper_effect));
    Ok(Finding { claim: claim.clone(), dataset: dataset.into(), interval, verdict })
}

/// A - B over the samples of an analysis of first seeds; none where there is none.
fn compare_analyses(
    claim: &Claim,
    dataset: &str,
    results: &Path,
    [first_a, first_b]: [Option<&Run>; 2],
) -> Result<Option<Interval>> {
    let folder = Folder::of(results, &claim.slug, dataset);
    let a = claim.metric.samples(&folder, &claim.row_a, first_a)?;
    let b = claim.metric.samples(&folder, &claim.row_b, first_b)?;
    let (Some(a), Some(b)) = (a, b) else { return Ok(None) };
    let mean = b.iter().sum::<f64>() / b.len() as f64;
    let unit = if claim.metric.is_relative() { mean / 100.0 } else { 1.0 };
    let scaled = |values: Vec<f64>| values.into_iter().map(|value| value / unit).collect::<Vec<_>>();
    paired_interval(&scaled(a), &scaled(b), BOOTSTRAP).map(Some)
}

/// A - B in a metric over the queries of two rows; none where a row has no run or did not record the metric.
///
/// # Errors
/// Rows with different queries.
pub fn compare(metric: Metric, a: &[Run], b: &[Run]) -> Result<Option<Interval>> {
    let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else { return Ok(None) };
    check_same_queries(first_a, first_b)?;
    match (metric.pooled(a)?, metric.pooled(b)?) {
        (Some(a), Some(b)) => paired_interval(&a, &b, BOOTSTRAP).map(Some),
        _ => Ok(None),
    }
}
