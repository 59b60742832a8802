//! Confidence intervals for the difference of two rows.

use super::quantile::interpolate;
use crate::{Error, Result, seed::Seed};
use rand::{Rng, RngExt};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use std::collections::BTreeMap;

/// Resamples of every interval: about 250 values lie beyond each end, fewer where only seeds differ.
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
/// Queries are drawn in pairs, as both rows answer the same ones, and a group at a time: sketches of one photo are
/// found or missed together. Seeds are drawn for each row on its own, since the same seed affects different trainings
/// differently. The variance of `n` values drawn from `n` is short by `(n - 1) / n`, which matters for three seeds: so
/// a seed's distance from its row's mean is stretched by `sqrt(n / (n - 1))`. A row of one seed shows no variance over
/// seeds: the interval is then of the queries alone. A deviation of few seeds or groups is itself uncertain: the
/// percentiles lie further out than 2.5 and 97.5, as those of Student's t do, with Satterthwaite's degrees of freedom
/// for a sum of variances:
///
/// ```text
/// v      = variance of the effect by the seeds of a, the seeds of b, and the n groups (whose draws have (n - 1) / n of it)
/// f      = (sum of v)^2 / sum of v^2 / (its number of seeds or groups - 1)
/// tail   = Phi(sqrt(sum of v / sum of v as drawn) t(0.025, f)),    Phi and t the normal and Student's distribution
/// ```
///
/// That is 2.3 for 100 groups and rows of one seed, and below 0.3 for two rows of three seeds where only the seeds vary.
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
/// Know About the Bootstrap, The American Statistician 2015, Sec. 3 (expanded percentiles); Satterthwaite, An Approximate
/// Distribution of Estimates of Variance Components, Biometrics Bulletin 1946.
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
    let spreads = [of_seeds(a), of_seeds(b), of_groups(&sums, effect, &members)];
    let mut stream = seed.stream("bootstrap");
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample(&sums, &members, &mut stream)).collect();
    means.sort_by(f64::total_cmp);
    let tail = tail(&spreads)?;
    Ok(Interval { effect, low: interpolate(&means, tail), high: interpolate(&means, 1.0 - tail) })
}

/// A variance of the effect.
struct EffectVariance {
    variance: f64,
    /// The variance of the draws, which is smaller.
    drawn: f64,
    /// Its degrees of freedom.
    freedom: f64,
}

/// The variance over the seeds of a row; one seed shows none.
fn of_seeds(row: &[Vec<f64>]) -> EffectVariance {
    let means: Vec<f64> = row.iter().map(|scores| scores.iter().sum::<f64>() / scores.len() as f64).collect();
    let n = means.len() as f64;
    let (mean, freedom) = (means.iter().sum::<f64>() / n, (n - 1.0).max(1.0));
    let variance = means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / freedom / n;
    EffectVariance { variance, drawn: variance, freedom } // seeds are drawn stretched
}

/// The variance over groups: a ratio of sums, as groups differ in size. A stretch of seeds does not move their mean.
fn of_groups(sums: &[Vec<Vec<f64>>; 2], effect: f64, members: &[Vec<usize>]) -> EffectVariance {
    let seeds = sums.each_ref().map(|row| (0..row.len()).collect());
    let sizes = members.iter().map(|group| group.len() as f64);
    let (n, count) = (members.len() as f64, sizes.clone().sum::<f64>());
    let off = sizes.enumerate().map(|(group, size)| gain(sums, &seeds, group) - size * effect);
    let drawn = off.map(|off| off.powi(2)).sum::<f64>() / (count * count);
    let freedom = (n - 1.0).max(1.0);
    EffectVariance { variance: drawn * n / freedom, drawn, freedom }
}

/// The share of resampled means below an interval, and that above it.
fn tail(spreads: &[EffectVariance]) -> Result<f64> {
    let sum = |of: fn(&EffectVariance) -> f64| spreads.iter().map(of).sum::<f64>();
    let (variance, drawn) = (sum(|spread| spread.variance), sum(|spread| spread.drawn));
    if drawn == 0.0 {
        return Ok(0.0); // all draws are the effect
    }
    let freedom = variance.powi(2) / sum(|spread| spread.variance.powi(2) / spread.freedom);
    let student =
        StudentsT::new(0.0, 1.0, freedom).map_err(|error| Error::value("degrees of freedom", "> 0", error))?;
    Ok(Normal::standard().cdf((variance / drawn).sqrt() * student.inverse_cdf(0.025)))
}

/// Every seed's scores, stretched from the mean over seeds as above.
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
    let total: f64 = groups.iter().map(|group| gain(sums, &seeds, *group)).sum();
    total / groups.iter().map(|group| members[*group].len()).sum::<usize>() as f64
}

/// The first row's sum over a group, mean over some seeds, less the second row's.
fn gain(sums: &[Vec<Vec<f64>>; 2], seeds: &[Vec<usize>; 2], group: usize) -> f64 {
    let mean =
        |row: usize| seeds[row].iter().map(|seed| sums[row][*seed][group]).sum::<f64>() / seeds[row].len() as f64;
    mean(0) - mean(1)
}

fn check(row: &[Vec<f64>], groups: &[u32]) -> Result<()> {
    let lengths: Vec<usize> = row.iter().map(Vec::len).collect();
    if row.is_empty() || groups.is_empty() || lengths.iter().any(|length| *length != groups.len()) {
        let expected = format!("one or more seeds of {} scores, at least one", groups.len());
        return Err(Error::value("paired scores", expected, format!("{lengths:?}")));
    }
    match row.iter().flatten().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((at, value)) => {
            let (seed, query) = (at / groups.len(), at % groups.len());
            Err(Error::value(format!("score of query {query}, seed {seed}"), "a finite number", value))
        }
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
    fn interval_equals_the_normal_one_for_many_queries() {
        // 400 queries, 120 gained and 40 lost: mean 20, sd of a difference sqrt(0.4 - 0.04) * 100 = 60,
        // standard error 60 / sqrt(400) = 3, so the interval is near 20 -+ 1.96 * 3.
        let a: Vec<f64> = (0..400).map(|i| if i < 120 { 100.0 } else { 0.0 }).collect();
        let b: Vec<f64> = (0..400).map(|i| if i >= 360 { 100.0 } else { 0.0 }).collect();
        let found = paired_interval(&[a], &[b], &apart(400), Seed(3)).unwrap();
        assert!((found.effect - 20.0).abs() < 1e-9, "{found:?}");
        assert!((found.low - 14.12).abs() < 0.5 && (found.high - 25.88).abs() < 0.5, "{found:?}");
    }

    #[test]
    fn interval_of_equal_rows_is_zero() {
        // The same scores in both rows differ in no query, however much the queries differ among themselves.
        let scores: Vec<f64> = (0..50).map(f64::from).collect();
        let found = paired_interval(std::slice::from_ref(&scores), std::slice::from_ref(&scores), &apart(50), Seed(0));
        assert_eq!(found.unwrap(), Interval { effect: 0.0, low: 0.0, high: 0.0 });
    }

    #[test]
    fn grouped_queries_count_once() {
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
        // A second row of seeds as different. t of 4 degrees says 2.776 sqrt(2 * 12), 1.85 edges; of the differences that
        // can be drawn 2 edges has 1 in 729 on a side, below the 2.8 in 1000 of the tail, and the next is 5/3.
        let both = paired_interval(&a, &a, &apart(20), Seed(2)).unwrap();
        assert!(both.effect == 0.0 && (half_width(both) / edge - 5.0 / 3.0).abs() < 1e-9, "{both:?}");
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
        let tail = |groups: usize| {
            let values: Vec<f64> = (0..groups).map(|i| i as f64).collect();
            let mean = values.iter().sum::<f64>() / groups as f64;
            super::tail(&[of_groups(&[vec![values], vec![vec![0.0; groups]]], mean, &members(&apart(groups)))]).unwrap()
        };
        for (groups, t) in [(2, 12.706), (5, 2.776), (100, 1.984)] {
            let n = groups as f64;
            let expected = Normal::standard().cdf(-(n / (n - 1.0)).sqrt() * t);
            assert!((tail(groups) / expected - 1.0).abs() < 0.01, "{groups}");
        }
        assert!((tail(100) - 0.0231).abs() < 1e-4 && (tail(100_000) - 0.025).abs() < 1e-5);
        assert_eq!(tail(1), 0.0); // one group leaves nothing to resample
    }

    #[test]
    fn few_seeds_are_as_uncertain_as_satterthwaite_says() {
        // Three seeds with means 0, 6, 12: variance of the mean 12 at 2 degrees. Two groups of sizes 1 and 3, effect 2 and
        // sums 5 and 3, 3 and -3 off: (9 + 9) / 16 as drawn, twice that at 1 degree.
        let seeds = of_seeds(&[0.0, 6.0, 12.0].map(|score| vec![score - 1.0, score + 1.0]));
        let groups = of_groups(&[vec![vec![5.0, 3.0]], vec![vec![0.0; 2]]], 2.0, &members(&[0, 1, 1, 1]));
        assert_eq!((seeds.variance, seeds.drawn, seeds.freedom), (12.0, 12.0, 2.0));
        assert_eq!((groups.variance, groups.drawn, groups.freedom), (2.25, 1.125, 1.0));
        // Two rows of such seeds: 24^2 / (2 * 12^2 / 2) = 4 degrees, t = 2.776.
        let spreads = [of_seeds(&[vec![0.0], vec![6.0], vec![12.0]]), seeds];
        assert!((super::tail(&spreads).unwrap() / Normal::standard().cdf(-2.776) - 1.0).abs() < 0.01);
        // One of them and the groups: 14.25^2 / (12^2 / 2 + 2.25^2) = 2.635 degrees.
        let student = StudentsT::new(0.0, 1.0, 14.25 * 14.25 / 77.0625).unwrap().inverse_cdf(0.025);
        let expected = Normal::standard().cdf((14.25_f64 / 13.125).sqrt() * student);
        let [first, _] = spreads;
        assert!((super::tail(&[first, groups]).unwrap() - expected).abs() < 1e-12);
        assert_eq!((of_seeds(&[vec![3.0, 5.0]]).variance, of_seeds(&[vec![3.0, 5.0]]).freedom), (0.0, 1.0));
    }

    #[test]
    fn interval_depends_on_the_seed() {
        let (a, b) = ([vec![100.0, 0.0, 100.0, 0.0, 0.0, 0.0, 100.0]], [vec![0.0; 7]]);
        let first = paired_interval(&a, &b, &apart(7), Seed(1)).unwrap();
        assert_eq!(first, paired_interval(&a, &b, &apart(7), Seed(1)).unwrap());
        assert!(first.low < first.effect && first.effect < first.high);
    }

    #[test]
    fn interval_refuses_empty_and_unequal_scores() {
        let fails = |a: &[Vec<f64>], b: &[Vec<f64>], groups: &[u32]| {
            paired_interval(a, b, groups, Seed(0)).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(fails(&[], &[vec![1.0]], &[0]).contains("one or more seeds"));
        assert!(fails(&[vec![]], &[vec![]], &[]).contains("at least one"));
        assert!(fails(&[vec![1.0]], &[vec![1.0, 2.0]], &[0]).contains("[2]"));
        assert!(fails(&[vec![1.0], vec![f64::NAN]], &[vec![1.0]], &[0]).contains("query 0"));
    }
}
