//! How sure the difference of two rows is.

use super::quantile::interpolate;
use crate::{Error, Result, seed::Seed};
use rand::{Rng, RngExt};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use std::collections::BTreeMap;

/// Resamples of every interval: the ends of a 95% interval then rest on some 250 values each.
pub const RESAMPLES: usize = 10_000;

/// A mean difference and its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Mean difference over all queries.
    pub effect: f64,
    /// The lower end: near the 2.5th percentile of the resampled means.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The mean of `a - b` over queries, with a 95% percentile interval from resampling seeds and queries.
///
/// ```text
/// row(i)   = mean over the row's seeds s of score(s, i)
/// effect   = mean over queries i of a(i) - b(i)
/// resample = the same, with the seeds of a, the seeds of b and the groups of queries drawn with replacement,
///            RESAMPLES times
/// ```
///
/// Queries are drawn in pairs, as both rows answer the same ones, and a group at a time: sketches of one photo are found
/// or missed together. Seeds are drawn for each row on its own, since a seed is other luck in another training. The
/// variance of `n` values drawn from `n` is short by `(n - 1) / n`, which counts where seeds are three: so a seed's
/// distance from its row's mean is stretched by `sqrt(n / (n - 1))`. A row of one seed says nothing of its luck: the
/// interval is then of the queries alone. For the same reason, and since a deviation of few groups is itself uncertain,
/// the percentiles lie further out than 2.5 and 97.5, as those of Student's t do; for 100 groups by 0.2:
///
/// ```text
/// tail = Phi(sqrt(n / (n - 1)) t(0.025, n - 1)),    n groups, Phi and t the normal and Student's distribution
/// ```
///
/// # Shapes
/// `a` and `b` have a list a seed, each with one score a query, same queries in the same order; `groups` has the group
/// of each query, e.g. the photo it shows. The result is in the unit of the scores.
///
/// # Errors
/// No seed, no query, different lengths, or a score that is not finite.
///
/// # References
/// Efron and Tibshirani, An Introduction to the Bootstrap, 1993, Sec. 13.3 (percentile interval); Davison and Hinkley,
/// Bootstrap Methods and their Application, 1997, Sec. 3.8 (several levels of variation); Hesterberg, What Teachers Should
/// Know About the Bootstrap, The American Statistician 2015, Sec. 3 (expanded percentiles).
///
/// ```
/// use retrace::{metric::paired_interval, seed::Seed};
/// let found = paired_interval(&[vec![100.0, 100.0]], &[vec![0.0, 0.0]], &[0, 1], Seed(0))?;
/// assert_eq!((found.effect, found.low, found.high), (100.0, 100.0, 100.0));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn paired_interval(a: &[Vec<f64>], b: &[Vec<f64>], groups: &[u32], seed: Seed) -> Result<Interval> {
    [a, b].into_iter().try_for_each(|row| check(row, groups))?;
    let (members, count) = (members(groups), groups.len() as f64);
    let sums = [a, b].map(|row| sums(&stretched(row), &members));
    let all = |seeds: &[Vec<f64>]| seeds.iter().flatten().sum::<f64>() / seeds.len() as f64;
    let effect = (all(a) - all(b)) / count;
    let mut stream = seed.stream("bootstrap");
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample(&sums, &members, &mut stream)).collect();
    means.sort_by(f64::total_cmp);
    let tail = tail(members.len())?;
    Ok(Interval { effect, low: interpolate(&means, tail), high: interpolate(&means, 1.0 - tail) })
}

/// The share of resampled means below an interval, and that above it.
fn tail(groups: usize) -> Result<f64> {
    // One group leaves nothing to resample.
    let freedom = groups.saturating_sub(1).max(1) as f64;
    let student = StudentsT::new(0.0, 1.0, freedom).map_err(|error| Error::value("groups", "at least one", error))?;
    Ok(Normal::standard().cdf((1.0 + 1.0 / freedom).sqrt() * student.inverse_cdf(0.025)))
}

/// Every seed's scores, as far from the mean over seeds as they would be among many.
fn stretched(row: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = row.len() as f64;
    let factor = if n > 1.0 { (n / (n - 1.0)).sqrt() } else { 1.0 };
    let mean = |i: usize| row.iter().map(|scores| scores[i]).sum::<f64>() / n;
    let means: Vec<f64> = (0..row[0].len()).map(mean).collect();
    let stretch = |(score, mean): (&f64, &f64)| mean + factor * (score - mean);
    row.iter().map(|scores| scores.iter().zip(&means).map(stretch).collect()).collect()
}

/// The queries of every group, groups by rising name.
fn members(groups: &[u32]) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    groups.iter().enumerate().for_each(|(i, group)| members.entry(*group).or_default().push(i));
    members.into_values().collect()
}

/// Seed by seed, the sum of the scores of every group.
fn sums(row: &[Vec<f64>], members: &[Vec<usize>]) -> Vec<Vec<f64>> {
    let sum = |scores: &[f64], group: &[usize]| group.iter().map(|i| scores[*i]).sum();
    row.iter().map(|scores| members.iter().map(|group| sum(scores, group)).collect()).collect()
}

/// The mean difference of one draw.
fn resample(sums: &[Vec<Vec<f64>>; 2], members: &[Vec<usize>], stream: &mut impl Rng) -> f64 {
    // u32, not usize: the same draws on every machine.
    let mut draw =
        |count: usize| -> Vec<usize> { (0..count).map(|_| stream.random_range(0..count as u32) as usize).collect() };
    let seeds = sums.each_ref().map(|row| draw(row.len()));
    let groups = draw(members.len());
    let mean = |row: usize, group: usize| {
        seeds[row].iter().map(|seed| sums[row][*seed][group]).sum::<f64>() / seeds[row].len() as f64
    };
    let total: f64 = groups.iter().map(|group| mean(0, *group) - mean(1, *group)).sum();
    total / groups.iter().map(|group| members[*group].len()).sum::<usize>() as f64
}

fn check(row: &[Vec<f64>], groups: &[u32]) -> Result<()> {
    let lengths: Vec<usize> = row.iter().map(Vec::len).collect();
    if row.is_empty() || groups.is_empty() || lengths.iter().any(|length| *length != groups.len()) {
        let expected = format!("one or more seeds of {} scores, at least one", groups.len());
        return Err(Error::value("paired scores", expected, format!("{lengths:?}")));
    }
    match row.iter().flatten().position(|value| !value.is_finite()) {
        Some(at) => Err(Error::value(format!("scores of query {}", at % groups.len()), "finite numbers", "another")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every query a group of its own.
    fn apart(count: usize) -> Vec<u32> {
        (0..count as u32).collect()
    }

    fn half_width(found: Interval) -> f64 {
        (found.high - found.low) / 2.0
    }

    #[test]
    fn the_interval_is_the_normal_one_for_many_queries() {
        // 400 queries, 120 gained and 40 lost: mean 20, sd of a difference sqrt(0.4 - 0.04) * 100 = 60,
        // standard error 60 / sqrt(400) = 3, so the interval is near 20 -+ 1.96 * 3.
        let a: Vec<f64> = (0..400).map(|i| if i < 120 { 100.0 } else { 0.0 }).collect();
        let b: Vec<f64> = (0..400).map(|i| if i >= 360 { 100.0 } else { 0.0 }).collect();
        let found = paired_interval(&[a], &[b], &apart(400), Seed(3)).unwrap();
        assert!((found.effect - 20.0).abs() < 1e-9, "{found:?}");
        assert!((found.low - 14.12).abs() < 0.5 && (found.high - 25.88).abs() < 0.5, "{found:?}");
    }

    #[test]
    fn pairing_counts() {
        // The same scores in both rows differ in no query, however much the queries differ among themselves.
        let scores: Vec<f64> = (0..50).map(f64::from).collect();
        let found = paired_interval(std::slice::from_ref(&scores), std::slice::from_ref(&scores), &apart(50), Seed(0));
        assert_eq!(found.unwrap(), Interval { effect: 0.0, low: 0.0, high: 0.0 });
    }

    #[test]
    fn queries_that_stand_and_fall_together_count_once() {
        // 100 independent queries, each four times: the standard error is that of 100, not of 400.
        let one: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { 100.0 } else { 0.0 }).collect();
        let four: Vec<f64> = one.iter().flat_map(|score| [*score; 4]).collect();
        let groups: Vec<u32> = (0..400).map(|i| i / 4).collect();
        let single = paired_interval(&[one], &[vec![0.0; 100]], &apart(100), Seed(1)).unwrap();
        let grouped = paired_interval(std::slice::from_ref(&four), &[vec![0.0; 400]], &groups, Seed(1)).unwrap();
        assert_eq!(grouped, single);
        let loose = paired_interval(&[four], &[vec![0.0; 400]], &apart(400), Seed(1)).unwrap();
        assert!((half_width(grouped) / half_width(loose) - 2.0).abs() < 0.1, "{grouped:?} {loose:?}");
    }

    #[test]
    fn seeds_that_differ_widen_the_interval_as_their_variance_says() {
        // Every query of seed s scores x(s): queries add nothing. Seeds 0, 6, 12: variance 36, of the mean 36 / 3 = 12.
        // The resampled means have that variance exactly; their 10 values end at 6 -+ sqrt(3 / 2) * 6.
        let a: Vec<Vec<f64>> = [0.0, 6.0, 12.0].map(|score| vec![score; 20]).into();
        let found = paired_interval(&a, &[vec![0.0; 20]], &apart(20), Seed(2)).unwrap();
        let edge = 6.0 * f64::sqrt(1.5);
        assert!((found.effect - 6.0).abs() < 1e-9, "{found:?}");
        assert!((found.low - (6.0 - edge)).abs() < 1e-9 && (found.high - (6.0 + edge)).abs() < 1e-9, "{found:?}");
        // A second row of seeds as different: independent, so wider by about sqrt(2).
        let both = paired_interval(&a, &a, &apart(20), Seed(2)).unwrap();
        assert!(both.effect == 0.0 && (1.1..1.5).contains(&(half_width(both) / edge)), "{both:?}");
    }

    #[test]
    fn groups_of_other_sizes_weigh_as_their_queries() {
        let found = paired_interval(&[vec![1.0, 1.0, 1.0, 5.0]], &[vec![0.0; 4]], &[7, 7, 7, 3], Seed(0)).unwrap();
        assert_eq!((found.effect, found.low, found.high), (2.0, 1.0, 5.0)); // each group alone is the extreme draw
    }

    #[test]
    fn few_groups_reach_as_far_as_students_t() {
        // Five groups with mean 0 and variance (4 + 1 + 0 + 1 + 4) / 4 = 2.5: t says -+ 2.776 sqrt(2.5 / 5) = 1.963,
        // percentiles of means that are held within -2 to 2, less; 2.5 and 97.5 say 1.2.
        let values = vec![-2.0, -1.0, 0.0, 1.0, 2.0];
        let found = paired_interval(&[values], &[vec![0.0; 5]], &apart(5), Seed(4)).unwrap();
        assert!((1.6..1.96).contains(&half_width(found)), "{found:?}");
        // Tables of t: 12.706, 2.776, 1.984 at 1, 4, 99 degrees.
        for (groups, t) in [(2, 12.706), (5, 2.776), (100, 1.984)] {
            let n = groups as f64;
            let expected = Normal::standard().cdf(-(n / (n - 1.0)).sqrt() * t);
            assert!((tail(groups).unwrap() / expected - 1.0).abs() < 0.01, "{groups}");
        }
        assert!((tail(100).unwrap() - 0.0231).abs() < 1e-4 && (tail(100_000).unwrap() - 0.025).abs() < 1e-5);
        assert!(tail(1).is_ok());
    }

    #[test]
    fn the_seed_decides() {
        let (a, b) = ([vec![100.0, 0.0, 100.0, 0.0, 0.0, 0.0, 100.0]], [vec![0.0; 7]]);
        let first = paired_interval(&a, &b, &apart(7), Seed(1)).unwrap();
        assert_eq!(first, paired_interval(&a, &b, &apart(7), Seed(1)).unwrap());
        assert!(first.low < first.effect && first.effect < first.high);
    }

    #[test]
    fn degenerate_input_is_an_error() {
        let fails = |a: &[Vec<f64>], b: &[Vec<f64>], groups: &[u32]| {
            paired_interval(a, b, groups, Seed(0)).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(fails(&[], &[vec![1.0]], &[0]).contains("one or more seeds"));
        assert!(fails(&[vec![]], &[vec![]], &[]).contains("at least one"));
        assert!(fails(&[vec![1.0]], &[vec![1.0, 2.0]], &[0]).contains("[2]"));
        assert!(fails(&[vec![1.0], vec![f64::NAN]], &[vec![1.0]], &[0]).contains("query 0"));
    }
}
