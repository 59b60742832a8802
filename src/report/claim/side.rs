//! One side of a comparison: what a row scored, or the mean of several, seed by seed.

use super::Claim;
use crate::report::analysis::Samples;
use crate::report::record::{Run, read_row};
use crate::report::score::read_early;
use crate::{Error, Result};
use std::path::Path;

/// The prefix of a row that is a number of the paper.
pub(super) const PRINTED: &str = "printed:";

/// The rows that a side names; none for a printed number.
pub(crate) fn rows(side: &str) -> Vec<&str> {
    if side.starts_with(PRINTED) { Vec::new() } else { side.split_whitespace().collect() }
}

/// What a claim compares, for people: the mean of several rows by their number.
pub(in crate::report) fn both_sides(claim: &Claim) -> String {
    let title = |side: &str| match rows(side).len() {
        0 | 1 => side.to_string(),
        many => format!("mean of {many} rows"),
    };
    format!("{} - {}", title(&claim.row_a), title(&claim.row_b))
}

/// Scores that are compared, and the groups of queries or samples that are resampled together.
pub(super) struct ClaimSide {
    /// A list a seed.
    pub scores: Vec<Vec<f64>>,
    /// The group of every query or sample.
    pub groups: Vec<u32>,
    /// Trainings that the scores are of.
    pub seeds: usize,
}

/// The finished runs of a row; of `row@percent`, with so much of the sketch drawn, those that recorded it.
pub(super) fn runs(results: &Path, slug: &str, dataset: &str, row: &str) -> Result<Vec<Run>> {
    let Some((row, percent)) = row.split_once('@') else { return read_row(results, slug, dataset, row) };
    let mut drawn = Vec::new();
    for mut run in read_row(results, slug, dataset, row)? {
        let step = read_early(&run)?.into_iter().find(|(step, _)| step.to_string() == percent);
        if let Some((_, ranks)) = step {
            run.ranks = ranks;
            drawn.push(run);
        }
    }
    Ok(drawn)
}

/// The scores of the runs of a row that recorded the metric; none where there is no such run.
fn scored(claim: &Claim, runs: &[Run]) -> Result<Option<ClaimSide>> {
    let found = runs.iter().map(|run| Ok(claim.metric.samples(run)?.map(|samples| (run, samples))));
    let found: Vec<(&Run, Samples)> = found.filter_map(Result::transpose).collect::<Result<_>>()?;
    let Some((first, Samples { groups, .. })) = found.first() else { return Ok(None) };
    if let Some((other, Samples { groups: samples, .. })) = found.iter().find(|found| found.1.groups != *groups) {
        return Err(other_samples(claim, (first, groups), (other, samples)));
    }
    let (groups, seeds) = (groups.clone(), found.len());
    Ok(Some(ClaimSide { scores: found.into_iter().map(|(_, samples)| samples.values).collect(), groups, seeds }))
}

/// Runs are averaged sample by sample, so all of them need the same samples. Each run comes with its groups.
fn other_samples(claim: &Claim, first: (&Run, &[u32]), other: (&Run, &[u32])) -> Error {
    let (resampled, wanted, found) = (claim.metric.resampled, first.1.len(), other.1.len());
    let expected = format!("as many {resampled} as in {} ({wanted} samples)", first.0.folder.0.display());
    let found = match first.1.iter().zip(other.1).position(|(one, other)| one != other) {
        Some(at) => format!("{found} samples, number {at} in group {} and not {}", other.1[at], first.1[at]),
        None => format!("{found} samples"),
    };
    Error::data(&other.0.folder.0, expected, found)
}

/// The mean of rows, query by query and seed by seed, over as many seeds as each of them has: trainings of one seed
/// share, for example, the order of the data, so they stay together.
pub(super) fn mean(claim: &Claim, rows: &[Vec<Run>]) -> Result<Option<ClaimSide>> {
    let sides = rows.iter().map(|runs| scored(claim, runs)).collect::<Result<Option<Vec<ClaimSide>>>>()?;
    let Some((first, others)) = sides.as_ref().and_then(|sides| sides.split_first()) else { return Ok(None) };
    for (other, runs) in others.iter().zip(&rows[1..]) {
        if other.groups != first.groups {
            return Err(other_samples(claim, (&rows[0][0], &first.groups), (&runs[0], &other.groups)));
        }
    }
    let all = || std::iter::once(first).chain(others);
    let seeds = all().map(|side| side.scores.len()).min().unwrap_or(0);
    let score = |seed: usize, i: usize| all().map(|side| side.scores[seed][i]).sum::<f64>() / rows.len() as f64;
    let scores = (0..seeds).map(|seed| (0..first.groups.len()).map(|i| score(seed, i)).collect()).collect();
    Ok(Some(ClaimSide { scores, groups: first.groups.clone(), seeds }))
}

/// A number of the paper as a row that scores it with every query; none where the paper prints none.
pub(super) fn printed(claim: &Claim, dataset: &str, label: &str, groups: &[u32]) -> Result<Option<ClaimSide>> {
    let number = claim.printed.level(label, dataset, claim.metric)?;
    Ok(number.map(|number| ClaimSide { scores: vec![vec![number; groups.len()]], groups: groups.to_vec(), seeds: 0 }))
}
