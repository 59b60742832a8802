//! The two sides of a comparison: which rows they weigh, and what those scored.

use super::Claim;
use super::spread::{SPREAD, spread};
use crate::metric::{Interval, Term, contrast};
use crate::report::record::{Run, check_same_queries, read_row};
use crate::report::score::{BySeed, RowScores, read_early};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The prefix of a row that is a number of the paper.
pub(super) const PRINTED: &str = "printed:";

/// What stands between rows and those that are subtracted from them.
pub(super) const LESS: &str = " - ";

/// The rows that a side names; none for a printed number.
pub(crate) fn rows(side: &str) -> Vec<&str> {
    if side.starts_with(PRINTED) {
        return Vec::new();
    }
    side.strip_prefix(SPREAD).unwrap_or(side).split_whitespace().filter(|word| *word != "-").collect()
}

/// How much each row of a side counts: the mean of the first rows, less the mean of those after ` - `. Of a spread this
/// comes of what the rows score.
fn weights(side: &str) -> Vec<(&str, f64)> {
    if side.starts_with(SPREAD) {
        return rows(side).into_iter().map(|row| (row, 1.0)).collect();
    }
    let mut weights = Vec::new();
    for (part, sign) in side.split(LESS).zip([1.0, -1.0]) {
        let rows = rows(part);
        weights.extend(rows.iter().map(|row| (*row, sign / rows.len() as f64)));
    }
    weights
}

/// What a claim compares, for people: the mean of several rows by their number.
pub(in crate::report) fn both_sides(claim: &Claim) -> String {
    let title = |part: &str| match rows(part).len() {
        0 | 1 => part.to_string(),
        many => format!("mean of {many} rows"),
    };
    let side = |side: &str| match side.split_once(LESS) {
        _ if side.starts_with(SPREAD) => format!("spread of {} rows", rows(side).len()),
        Some((of, base)) if !side.starts_with(PRINTED) => format!("({} - {})", title(of), title(base)),
        _ => title(side),
    };
    format!("{} - {}", side(&claim.row_a), side(&claim.row_b))
}

/// A row of a comparison.
struct Compared<'a> {
    /// Its name, which may say how much of the sketch was drawn.
    name: &'a str,
    /// How much it counts in A and in B.
    weights: [f64; 2],
    /// Its scores by seed.
    scores: BySeed,
}

impl Compared<'_> {
    fn mean(&self) -> f64 {
        let scores = || self.scores.values().flatten();
        scores().sum::<f64>() / scores().count() as f64
    }
}

/// The spread of the rows of a side, each of which then counts by its slope.
fn weigh_spread(rows: &mut [Compared], side: usize) -> f64 {
    let mut own: Vec<&mut Compared> = rows.iter_mut().filter(|row| row.weights[side] != 0.0).collect();
    let (spread, slopes) = spread(&own.iter().map(|row| row.mean()).collect::<Vec<_>>());
    own.iter_mut().zip(slopes).for_each(|(row, slope)| row.weights[side] = slope);
    spread
}

/// Both sides of a claim on a dataset, as far as they were run.
pub(super) struct Sides<'a> {
    rows: Vec<Compared<'a>>,
    /// The group of every query or sample.
    groups: Vec<u32>,
    /// B, where it is a number of the paper.
    printed: Option<f64>,
    /// The spreads of A and of B, where these are compared.
    spreads: Option<[f64; 2]>,
}

impl<'a> Sides<'a> {
    /// Reads what a claim compares; none where a row has no run that recorded the metric, or the paper prints no number.
    ///
    /// # Errors
    /// A run that is inconsistent, or two rows with different queries or samples (both are named).
    pub(super) fn read(results: &Path, claim: &'a Claim, dataset: &str) -> Result<Option<Self>> {
        let mut names: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        for (side, text) in [&claim.row_a, &claim.row_b].into_iter().enumerate() {
            weights(text).into_iter().for_each(|(row, weight)| names.entry(row).or_default()[side] += weight);
        }
        let (mut rows, mut firsts, mut groups) = (Vec::new(), Vec::<Run>::new(), Vec::new());
        for (name, weights) in names {
            let mut runs = runs(results, claim.printed.slug, dataset, name)?;
            firsts.iter().zip(&runs).try_for_each(|(first, run)| check_same_queries(first, run))?;
            let Some(RowScores { by_seed: scores, groups: own }) = claim.metric.scores(&runs)? else { return Ok(None) };
            match rows.first() {
                None => groups = own,
                Some(Compared { name: first, .. }) if own != groups => {
                    return Err(other_samples(results, claim, dataset, [(first, &groups), (name, &own)]));
                }
                Some(_) => {}
            }
            firsts.extend((firsts.is_empty() && !runs.is_empty()).then(|| runs.swap_remove(0)));
            rows.push(Compared { name, weights, scores });
        }
        if !keep_common(&mut rows) {
            return Ok(None);
        }
        let printed = match claim.row_b.strip_prefix(PRINTED) {
            Some(label) => match claim.printed.level(label, dataset, claim.metric)? {
                None => return Ok(None),
                number => number,
            },
            None => None,
        };
        let spreads = claim.row_a.starts_with(SPREAD).then(|| [0, 1].map(|side| weigh_spread(&mut rows, side)));
        Ok(Some(Self { rows, groups, printed, spreads }))
    }

    /// The number of groups of queries or samples, e.g. of photos.
    pub(super) fn count(&self) -> usize {
        self.groups.iter().collect::<BTreeSet<_>>().len()
    }

    /// The fewest trainings of a row of A, and of B; a printed number has none.
    pub(super) fn seeds(&self) -> [usize; 2] {
        let of = |side: usize| self.rows.iter().filter(move |row| row.weights[side] != 0.0).map(|row| row.scores.len());
        [0, 1].map(|side| of(side).min().unwrap_or(0))
    }

    /// The mean of A and of B.
    pub(super) fn levels(&self) -> [f64; 2] {
        if let Some(spreads) = self.spreads {
            return spreads;
        }
        let of = |side: usize| self.rows.iter().map(|row| row.weights[side] * row.mean()).sum::<f64>();
        [of(0), of(1) + self.printed.unwrap_or(0.0)]
    }

    /// Whether a score is below zero.
    pub(super) fn has_negative(&self) -> bool {
        self.rows.iter().any(|row| row.scores.values().flatten().any(|score| *score < 0.0))
    }

    /// The interval of an effect that moves by `slopes` with A and with B.
    ///
    /// Rows of one training (`row@70` and `row`) are compared within each seed that has both.
    pub(super) fn interval(&self, effect: f64, slopes: [f64; 2]) -> Result<Interval> {
        let mut trained: BTreeMap<&str, Vec<(f64, &BySeed)>> = BTreeMap::new();
        for row in &self.rows {
            let weight = slopes[0] * row.weights[0] + slopes[1] * row.weights[1];
            trained.entry(training(row.name)).or_default().push((weight, &row.scores));
        }
        let terms: Vec<Term> =
            trained.values().map(|variants| Term { weight: 1.0, scores: summed(variants) }).collect();
        let found = contrast(&terms, &self.groups)?;
        Interval::of(effect, found.error, found.freedom)
    }
}

/// The training of a row: `row` of `row@70`.
fn training(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// Leaves the seeds that all variants of a training have; says whether each has one.
fn keep_common(rows: &mut [Compared]) -> bool {
    for at in 0..rows.len() {
        let own = |row: &&Compared| training(row.name) == training(rows[at].name);
        let seeds = rows.iter().filter(own).map(|row| row.scores.keys().copied().collect::<BTreeSet<u64>>());
        let common = seeds.reduce(|a, b| &a & &b).unwrap_or_default();
        rows[at].scores.retain(|seed, _| common.contains(seed));
    }
    rows.iter().all(|row| !row.scores.is_empty())
}

/// The weighted sum of the variants of a training, for every seed that has all of them.
fn summed(variants: &[(f64, &BySeed)]) -> Vec<Vec<f64>> {
    let Some((_, first)) = variants.first() else { return Vec::new() };
    let of_seed = |(seed, scores): (&u64, &Vec<f64>)| {
        let mut sum = vec![0.0; scores.len()];
        for (weight, variant) in variants {
            sum.iter_mut().zip(variant.get(seed)?).for_each(|(sum, score)| *sum += weight * score);
        }
        Some(sum)
    };
    first.iter().filter_map(of_seed).collect()
}

/// The finished runs of a row; of `row@percent`, with so much of the sketch drawn, those that recorded it.
fn runs(results: &Path, slug: &str, dataset: &str, row: &str) -> Result<Vec<Run>> {
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

/// Two rows can be compared only sample by sample.
fn other_samples(results: &Path, claim: &Claim, dataset: &str, [a, b]: [(&str, &[u32]); 2]) -> Error {
    let samples = |(row, groups): (&str, &[u32])| format!("{} {} of {row}", groups.len(), claim.metric.units);
    let place = results.join(claim.printed.slug).join(dataset);
    Error::data(place, format!("for claim {} the same as {}", claim.id, samples(a)), samples(b))
}
