//! Claims against the runs.

use super::judge::{Judgement, correct, judge};
use super::side::{PRINTED, Sides, rows};
use super::{Claim, Finding, Verdict};
use crate::Result;
use crate::file::subfolders;
use crate::metric::Interval;
use std::path::Path;

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
            findings.push(Finding::not_run(claim, ""));
        }
    }
    correct(&mut findings);
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
    let Some(sides) = Sides::read(results, claim, dataset)? else { return Ok(Finding::not_run(claim, dataset)) };
    let interval = compare(claim, &sides)?;
    let Judgement { verdict, p } = if claim.row_b.starts_with(PRINTED) {
        Judgement { verdict: Verdict::NotComparable, p: None }
    } else {
        judge(interval, claim.direction, shortfall(claim, &sides)?)
    };
    Ok(Finding {
        interval: Some(interval),
        seeds: sides.seeds(),
        verdict,
        p,
        corrected: verdict,
        ..Finding::not_run(claim, dataset)
    })
}

/// A - B, in percent of B's mean where the metric has no scale of its own.
///
/// ```text
/// relative: 100 (A / B - 1), which moves by 100 / B with A and by -100 A / B^2 with B (the delta method)
/// ```
///
/// A value that is never negative cannot fall by more than 100%, so the interval ends there.
fn compare(claim: &Claim, sides: &Sides) -> Result<Interval> {
    let [a, b] = sides.levels();
    if !claim.metric.is_relative {
        return sides.interval(a - b, [1.0, -1.0]);
    }
    let found = sides.interval(100.0 * (a / b - 1.0), [100.0 / b, -100.0 * a / (b * b)])?;
    Ok(if sides.has_negative() { found } else { Interval { low: found.low.max(-100.0), ..found } })
}

/// How much further apart A and B are in the paper than in our runs, in log-odds, with the errors of both.
///
/// ```text
/// shortfall = (l(A') - l(B')) - (l(A) - l(B)),    l(x) = ln(x / (100 - x)),    A', B' the paper's levels
/// error^2   = 1 / (n p (1 - p)) for each of A', B', p = level / 100, of n photos    + that of ours
/// ```
///
/// The paper's numbers are of one run on a test set as large as ours, whose n photos are what varies: sketches of one photo
/// are found together. Its two rows answer the same queries, which makes this error too large; how far its trainings differ
/// is not in it, as the paper prints no spread, which makes it too small. Log-odds compare effects at different levels: 4 points
/// more are much at 95% and little at 50%. None where the paper gives no levels, or one of ours is 0 or 100%.
///
/// # References
/// Agresti, Categorical Data Analysis, 2013, Sec. 3.1 (standard errors of log-odds).
fn shortfall(claim: &Claim, sides: &Sides) -> Result<Option<Interval>> {
    let here = sides.levels();
    let Some(paper) = claim.paper_levels.filter(|_| here.iter().all(|level| *level > 0.0 && *level < 100.0)) else {
        return Ok(None);
    };
    let odds = |[a, b]: [f64; 2]| (a / (100.0 - a)).ln() - (b / (100.0 - b)).ln();
    let slope = |level: f64| 100.0 / (level * (100.0 - level));
    let found = sides.interval(odds(here), [slope(here[0]), -slope(here[1])])?;
    let of_paper: f64 = paper.map(|level| 100.0 * slope(level) / sides.count() as f64).iter().sum();
    let variance = found.error.powi(2) + of_paper;
    // Satterthwaite's degrees: the paper's variance is known.
    let freedom =
        if found.error > 0.0 { variance.powi(2) / found.error.powi(4) * found.freedom } else { f64::INFINITY };
    Interval::of(odds(paper) - odds(here), variance.sqrt(), freedom).map(Some)
}
