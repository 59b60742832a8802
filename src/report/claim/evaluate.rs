//! Claims against the runs.

use super::side::{ClaimSide, PRINTED, mean, printed, rows, runs};
use super::{Claim, Direction, Finding, Verdict};
use crate::file::subfolders;
use crate::metric::{Interval, paired_interval};
use crate::report::record::check_same_queries;
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
/// A run that is inconsistent, or two rows with different queries (both are named).
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
            let (seeds, verdict) = ([0, 0], Verdict::NotRun);
            findings.push(Finding { claim: claim.clone(), dataset, interval: None, seeds, verdict });
        }
    }
    Ok(findings)
}

/// Datasets of the claim's paper in which every row has a folder, by name.
fn datasets_run(results: &Path, claim: &Claim) -> Result<Vec<String>> {
    let folder = results.join(claim.printed.slug);
    let has_all = |dataset: &String| {
        let mut named = rows(&claim.row_a).into_iter().chain(rows(&claim.row_b));
        named.all(|row| folder.join(dataset).join(row).is_dir())
    };
    Ok(subfolders(&folder)?.into_iter().filter(has_all).collect())
}

fn evaluate_one(results: &Path, claim: &Claim, dataset: &str) -> Result<Finding> {
    let read = |side: &str| -> Result<Vec<_>> {
        rows(side).into_iter().map(|row| runs(results, claim.printed.slug, dataset, row)).collect()
    };
    let (runs_a, runs_b) = (read(&claim.row_a)?, read(&claim.row_b)?);
    let firsts: Vec<_> = runs_a.iter().chain(&runs_b).filter_map(|runs| runs.first()).collect();
    firsts.windows(2).try_for_each(|pair| check_same_queries(pair[0], pair[1]))?;
    let a = mean(claim, &runs_a)?;
    let b = match claim.row_b.strip_prefix(PRINTED) {
        Some(label) => a.as_ref().map(|a| printed(claim, dataset, label, &a.groups)).transpose()?.flatten(),
        None => mean(claim, &runs_b)?,
    };
    if let (Some(a), Some(b)) = (&a, &b) {
        check_same_samples(results, claim, dataset, [a, b])?;
    }
    let seeds = [&a, &b].map(|side| side.as_ref().map_or(0, |side| side.seeds));
    let interval = a.zip(b).map(|(a, b)| compare(claim, a, b)).transpose()?;
    let verdict = interval.map_or(Verdict::NotRun, |found| judge(found, claim.direction, claim.paper_effect));
    Ok(Finding { claim: claim.clone(), dataset: dataset.into(), interval, seeds, verdict })
}

/// Two rows can be compared only sample by sample.
fn check_same_samples(results: &Path, claim: &Claim, dataset: &str, [a, b]: [&ClaimSide; 2]) -> Result<()> {
    if a.groups == b.groups {
        return Ok(());
    }
    let samples = |row: &str, side: &ClaimSide| format!("{} {} of {row}", side.groups.len(), claim.metric.resampled);
    let place = results.join(claim.printed.slug).join(dataset);
    let expected = format!("for claim {} the same as {}", claim.id, samples(&claim.row_a, a));
    Err(Error::data(place, expected, samples(&claim.row_b, b)))
}

/// A - B, in percent of B's mean where the metric has no scale of its own.
///
/// If both sides use the same trainings (`row@70` and `row`), seeds are paired: the difference of each seed is resampled.
/// A value that is never negative cannot fall by more than 100%, so the interval ends there.
fn compare(claim: &Claim, a: ClaimSide, b: ClaimSide) -> Result<Interval> {
    let trained = |row: &str| row.split('@').next().map(String::from);
    if trained(&claim.row_a) == trained(&claim.row_b) && a.scores.len() == b.scores.len() {
        let less = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let differences: Vec<Vec<f64>> = a.scores.iter().zip(&b.scores).map(less).collect();
        return paired_interval(&differences, &[vec![0.0; b.groups.len()]], &a.groups, BOOTSTRAP);
    }
    if !claim.metric.is_relative {
        return paired_interval(&a.scores, &b.scores, &a.groups, BOOTSTRAP);
    }
    let negative = [&a, &b].iter().any(|side| side.scores.iter().flatten().any(|score| *score < 0.0));
    let [of_a, of_b] = in_percent(a.scores, b.scores);
    let found = paired_interval(&of_a, &of_b, &a.groups, BOOTSTRAP)?;
    Ok(if negative { found } else { Interval { low: found.low.max(-100.0), ..found } })
}

/// Scores whose difference is that of A and B in percent of B's mean.
///
/// ```text
/// relative: 100 (A / B - 1), A and B the means, R = A / B
/// a'(i) = 100 a(i) / B        b'(i) = 100 (R b(i) / B + 1 - R)
/// ```
///
/// The mean of a' - b' is the ratio's, and a resampled mean moves as the ratio would, to first order (the delta method):
/// B's own variance counts too.
fn in_percent(mut a: Vec<Vec<f64>>, mut b: Vec<Vec<f64>>) -> [Vec<Vec<f64>>; 2] {
    let mean = |scores: &[Vec<f64>]| scores.iter().flatten().sum::<f64>() / scores.concat().len() as f64;
    let (of_a, of_b) = (mean(&a), mean(&b));
    let ratio = of_a / of_b;
    a.iter_mut().flatten().for_each(|score| *score *= 100.0 / of_b);
    b.iter_mut().flatten().for_each(|score| *score = 100.0 * (ratio * *score / of_b + 1.0 - ratio));
    [a, b]
}
