//! How far two similarities of the same pairs agree.

use crate::metric::quantile;
use crate::seed::Stream;
use crate::{Error, Result};
use rand::RngExt;

/// A pair of items, and how similar they are in two ways.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairSimilarity {
    /// The items, by their numbers from 0.
    pub items: [usize; 2],
    /// Both similarities.
    pub values: [f64; 2],
}

/// A correlation with its 95% interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// -1 to 1.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A correlation of n pairs of numbers: [`pearson`] or [`spearman`].
pub type Correlation = fn(&[[f64; 2]]) -> f64;

/// Pearson's correlation.
///
/// ```text
/// r = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2)
/// ```
///
/// # Shapes
/// `values`: n pairs of numbers; out -1 to 1, and 0 where one of both does not vary.
///
/// ```
/// let found = retrace::analysis::pearson(&[[1.0, 1.0], [2.0, 3.0], [3.0, 2.0]]);
/// assert!((found - 0.5).abs() < 1e-12);
/// ```
pub fn pearson(values: &[[f64; 2]]) -> f64 {
    let n = values.len() as f64;
    let mean = [0, 1].map(|i| values.iter().map(|pair| pair[i]).sum::<f64>() / n);
    let product = |i: usize, j: usize| values.iter().map(|v| (v[i] - mean[i]) * (v[j] - mean[j])).sum::<f64>();
    let scale = (product(0, 0) * product(1, 1)).sqrt();
    if scale > 0.0 { product(0, 1) / scale } else { 0.0 }
}

/// Spearman's correlation: Pearson's of the ranks, where equal values share their mean rank.
///
/// # Shapes
/// As [`pearson`].
///
/// ```
/// assert_eq!(retrace::analysis::spearman(&[[1.0, 1.0], [2.0, 10.0], [3.0, 1000.0]]), 1.0);
/// ```
pub fn spearman(values: &[[f64; 2]]) -> f64 {
    let [a, b] = [0, 1].map(|i| mean_ranks(&values.iter().map(|pair| pair[i]).collect::<Vec<_>>()));
    pearson(&a.into_iter().zip(b).map(|(a, b)| [a, b]).collect::<Vec<_>>())
}

/// Ranks from 1, of equal values their mean.
///
/// ```
/// assert_eq!(retrace::analysis::mean_ranks(&[5.0, 1.0, 5.0]), [2.5, 1.0, 2.5]);
/// ```
pub fn mean_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let (mut ranks, mut before) = (vec![0.0; values.len()], 0);
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|place| ranks[*place] = rank);
        before += equal.len();
    }
    ranks
}

/// A correlation over pairs of items, with a bootstrap interval over the items: pairs that share an item are no
/// independent draws.
///
/// ```text
/// draw items with replacement; a pair counts as often as the product of its items' counts
/// interval = the 2.5% and the 97.5% quantile over the draws
/// ```
///
/// # Shapes
/// `pairs`: every pair of different items at most once; `items`: how many there are.
///
/// # Errors
/// No pair, an item of a number above, a pair of one item, no draw.
///
/// # References
/// Snijders and Borgatti, Non-Parametric Standard Errors and Tests for Network Statistics, Connections 1999.
pub fn agreement(
    pairs: &[PairSimilarity],
    items: usize,
    of: Correlation,
    draws: usize,
    stream: &mut Stream,
) -> Result<Agreement> {
    let fine = |pair: &PairSimilarity| pair.items[0] != pair.items[1] && pair.items.iter().all(|item| *item < items);
    if pairs.is_empty() || !pairs.iter().all(fine) {
        return Err(Error::value("pairs", format!("one or more, of different items below {items}"), pairs.len()));
    }
    let mut found = Vec::with_capacity(draws);
    while found.len() < draws {
        let mut counts = vec![0usize; items];
        (0..items).for_each(|_| counts[stream.random_range(0..items as u32) as usize] += 1);
        let often = |pair: &PairSimilarity| pair.items.iter().map(|item| counts[*item]).product::<usize>();
        let values: Vec<_> = pairs.iter().flat_map(|pair| std::iter::repeat_n(pair.values, often(pair))).collect();
        found.push(if values.is_empty() { 0.0 } else { of(&values) });
    }
    let whole: Vec<[f64; 2]> = pairs.iter().map(|pair| pair.values).collect();
    Ok(Agreement { value: of(&whole), low: quantile(&found, 0.025)?, high: quantile(&found, 0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    /// Items on a line: the second similarity of a pair is the first, or has nothing to do with it.
    fn pairs(items: usize, agrees: bool) -> Vec<PairSimilarity> {
        let stream = &mut Seed(3).stream("pairs");
        let mut pairs = Vec::new();
        for i in 0..items {
            for j in 0..i {
                let (a, b): (f64, f64) = (stream.random(), stream.random());
                pairs.push(PairSimilarity { items: [i, j], values: [a, if agrees { 2.0 * a + 1.0 } else { b }] });
            }
        }
        pairs
    }

    #[test]
    fn the_interval_holds_the_correlation_and_not_zero_where_both_agree() {
        let of = |agrees| agreement(&pairs(20, agrees), 20, spearman, 200, &mut Seed(1).stream("draws")).unwrap();
        let (same, apart) = (of(true), of(false));
        assert!((same.value - 1.0).abs() < 1e-12 && (same.low - 1.0).abs() < 1e-12, "{same:?}");
        assert!(
            apart.low < 0.0 && apart.high > 0.0 && apart.low < apart.value && apart.value < apart.high,
            "{apart:?}"
        );
        assert!(apart.high - apart.low > 0.2, "{apart:?}"); // 190 independent pairs would have 0.28
    }

    #[test]
    fn pairs_that_are_none_are_refused() {
        let stream = &mut Seed(1).stream("draws");
        let pair = |items| [PairSimilarity { items, values: [0.0, 1.0] }];
        assert!(agreement(&[], 2, pearson, 10, stream).is_err());
        assert!(agreement(&pair([0, 2]), 2, pearson, 10, stream).is_err());
        assert!(agreement(&pair([1, 1]), 2, pearson, 10, stream).is_err());
        assert_eq!(pearson(&[[1.0, 2.0], [1.0, 3.0]]), 0.0);
    }
}
