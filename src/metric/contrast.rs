//! Confidence intervals for differences of rows: contrasts of means over seeds and queries.

use crate::{Error, Result};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::collections::BTreeMap;

/// A row of a contrast: how much it counts, and its scores, a list a seed with one score a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// `1.0` for the row that is compared, `-1.0` for the one it is compared with.
    pub weight: f64,
    /// A list a seed.
    pub scores: Vec<Vec<f64>>,
}

/// An effect, its standard error, and its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The effect.
    pub effect: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The standard error of the effect; zero where nothing varies.
    pub error: f64,
    /// The degrees of freedom of Student's t.
    pub freedom: f64,
}

impl Interval {
    /// The 95% interval of an effect with a standard error.
    ///
    /// # Errors
    /// Degrees of freedom that are not above zero.
    ///
    /// ```
    /// # use retrace::metric::Interval;
    /// let found = Interval::of(5.0, 2.0, 4.0)?; // t of 4 degrees ends at 2.776
    /// assert!((found.low + 0.552).abs() < 1e-3 && (found.high - 10.552).abs() < 1e-3);
    /// assert!((found.p_above(0.0) - 0.0334).abs() < 1e-3 && (found.p() - 0.0668).abs() < 1e-3);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn of(effect: f64, error: f64, freedom: f64) -> Result<Self> {
        let reach = if error > 0.0 { error * student(freedom)?.inverse_cdf(0.975) } else { 0.0 };
        Ok(Self { effect, low: effect - reach, high: effect + reach, error, freedom })
    }

    /// How likely an effect at least as large is where the true one is `bound`: small if it lies above.
    pub fn p_above(&self, bound: f64) -> f64 {
        let off = self.effect - bound;
        match student(self.freedom) {
            Ok(student) if self.error > 0.0 => student.sf(off / self.error),
            _ if off > 0.0 => 0.0,
            _ => 1.0,
        }
    }

    /// How likely an effect at least as far from zero is, on either side, where the true one is zero.
    pub fn p(&self) -> f64 {
        let far = Self { effect: self.effect.abs(), ..*self };
        (2.0 * far.p_above(0.0)).min(1.0)
    }
}

/// More degrees of freedom change no fourth digit, and the quantile's search takes seconds with a million of them.
const MOST: f64 = 10_000.0;

fn student(freedom: f64) -> Result<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom.min(MOST)).map_err(|error| Error::value("degrees of freedom", "> 0", error))
}

/// A weighted sum of rows' means, with a 95% interval over seeds and queries.
///
/// ```text
/// y(r, s, i)   score of query i after seed s of row r           w(r)   the row's weight
/// effect       = sum over r of w(r) mean over s, i of y
/// V(r)         = w(r)^2 / n(r) * variance over seeds of their means            n(r) - 1 degrees of freedom
/// I(r)         = w(r)^2 / n(r) * variance of what seed and group do together, a mean over groups
/// V(g)         = variance of the effect by the groups of queries               n(g) - 1 degrees of freedom
/// error^2      = V(g) + sum over r of max(0, V(r) - I(r))
/// interval     = effect -+ t(0.975, f) error,    f = error^4 / (V(g)^2 / (n(g) - 1) + sum over r of V(r)^2 / (n(r) - 1))
/// ```
///
/// Queries are crossed with seeds: all rows answer the same ones, and a group of them stays together, as sketches of one
/// photo are found or missed together. What seed and query do together is in the variance over seeds and in the one over
/// groups, so it is taken away once. Seeds of two rows are independent, as the same seed affects different trainings
/// differently. A row of one seed shows no variance over seeds: the interval is then of the queries alone.
///
/// # Shapes
/// Every seed of every term has one score a query, the same queries in the same order; `groups` has the group of each
/// query, e.g. the photo it shows. The result is in the unit of the scores.
///
/// # Errors
/// No term, no seed, no query, different lengths, or a score that is not finite.
///
/// # References
/// Searle, Casella and McCulloch, Variance Components, 1992, Ch. 4 (crossed random effects); Satterthwaite, An Approximate
/// Distribution of Estimates of Variance Components, Biometrics Bulletin 1946 (the degrees of freedom).
///
/// ```
/// use retrace::metric::{Term, contrast};
/// let row = |weight, score: f64| Term { weight, scores: vec![vec![score, score + 2.0]; 3] };
/// let found = contrast(&[row(1.0, 70.0), row(-1.0, 66.0)], &[0, 1])?;
/// assert_eq!((found.effect, found.low, found.high), (4.0, 4.0, 4.0)); // seeds and queries agree on it
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn contrast(terms: &[Term], groups: &[u32]) -> Result<Interval> {
    check(terms, groups)?;
    let members = members(groups);
    let rows: Vec<Row> = terms.iter().map(|term| Row::of(term, &members, groups.len())).collect();
    let effect = rows.iter().map(|row| row.mean()).sum::<f64>();
    let of_groups = of_groups(&rows, effect, &members, groups.len());
    let mut variance = of_groups.variance;
    let mut uncertain = of_groups.variance.powi(2) / of_groups.freedom;
    for row in &rows {
        let (seeds, both) = (row.of_seeds(), row.interaction(&members, groups.len()));
        if seeds.variance > both {
            variance += seeds.variance - both;
            uncertain += seeds.variance.powi(2) / seeds.freedom;
        }
    }
    let freedom = if uncertain > 0.0 { variance.powi(2) / uncertain } else { 1.0 };
    Interval::of(effect, variance.sqrt(), freedom)
}

/// A variance of the effect.
struct EffectVariance {
    variance: f64,
    freedom: f64,
}

/// A term, group by group.
struct Row {
    /// Seed by seed, the weighted sum of the scores of every group.
    sums: Vec<Vec<f64>>,
    /// Seed by seed, the weighted mean.
    means: Vec<f64>,
}

impl Row {
    fn of(term: &Term, members: &[Vec<usize>], count: usize) -> Self {
        let sum = |scores: &[f64], group: &[usize]| term.weight * group.iter().map(|i| scores[*i]).sum::<f64>();
        let of_seed = |scores: &Vec<f64>| members.iter().map(|group| sum(scores, group)).collect::<Vec<_>>();
        let sums: Vec<Vec<f64>> = term.scores.iter().map(of_seed).collect();
        let means = sums.iter().map(|sums| sums.iter().sum::<f64>() / count as f64).collect();
        Self { sums, means }
    }

    fn mean(&self) -> f64 {
        self.means.iter().sum::<f64>() / self.means.len() as f64
    }

    /// The mean over seeds of a group's sum.
    fn of_group(&self, group: usize) -> f64 {
        self.sums.iter().map(|sums| sums[group]).sum::<f64>() / self.sums.len() as f64
    }

    /// The variance over seeds; one seed shows none.
    fn of_seeds(&self) -> EffectVariance {
        let (n, mean) = (self.means.len() as f64, self.mean());
        let freedom = (n - 1.0).max(1.0);
        EffectVariance { variance: self.means.iter().map(|of| (of - mean).powi(2)).sum::<f64>() / freedom / n, freedom }
    }

    /// The share of [`Row::of_seeds`] that the variance over groups holds as well.
    fn interaction(&self, members: &[Vec<usize>], count: usize) -> f64 {
        let (seeds, groups, mean) = (self.sums.len() as f64, members.len() as f64, self.mean());
        if seeds < 2.0 || groups < 2.0 {
            return 0.0;
        }
        let mut squares = 0.0;
        for (group, queries) in members.iter().enumerate() {
            let (size, usual) = (queries.len() as f64, self.of_group(group));
            let own = |(sums, of_seed): (&Vec<f64>, &f64)| sums[group] - usual - size * (of_seed - mean);
            squares += self.sums.iter().zip(&self.means).map(own).map(|off| off.powi(2)).sum::<f64>();
        }
        squares / ((seeds - 1.0) * (groups - 1.0)) / seeds * groups / (count * count) as f64
    }
}

/// The variance over groups: of a ratio of sums, as groups differ in size.
fn of_groups(rows: &[Row], effect: f64, members: &[Vec<usize>], count: usize) -> EffectVariance {
    let (n, freedom) = (members.len() as f64, (members.len() as f64 - 1.0).max(1.0));
    let off = |(group, queries): (usize, &Vec<usize>)| {
        rows.iter().map(|row| row.of_group(group)).sum::<f64>() - queries.len() as f64 * effect
    };
    let squares = members.iter().enumerate().map(off).map(|off| off.powi(2)).sum::<f64>();
    EffectVariance { variance: squares / (count * count) as f64 * n / freedom, freedom }
}

/// The queries of every group, groups by rising name.
fn members(groups: &[u32]) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    groups.iter().enumerate().for_each(|(i, group)| members.entry(*group).or_default().push(i));
    members.into_values().collect()
}

fn check(terms: &[Term], groups: &[u32]) -> Result<()> {
    let lengths = |term: &Term| term.scores.iter().map(Vec::len).collect::<Vec<_>>();
    let wrong = |term: &&Term| term.scores.is_empty() || lengths(term).iter().any(|length| *length != groups.len());
    if terms.is_empty() || groups.is_empty() || terms.iter().any(|term| wrong(&term)) {
        let expected = format!("rows of one or more seeds of {} scores, at least one", groups.len());
        let found = terms.iter().map(lengths).collect::<Vec<_>>();
        return Err(Error::value("scores of a contrast", expected, format!("{found:?}")));
    }
    for scores in terms.iter().flat_map(|term| &term.scores) {
        if let Some((query, score)) = scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
            return Err(Error::value(format!("score of query {query}"), "a finite number", score));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
