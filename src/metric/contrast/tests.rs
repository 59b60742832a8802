//! Intervals against arithmetic, and their coverage against draws whose truth is known.

use super::*;
use crate::seed::{Seed, Stream};
use rand_distr::{Distribution, StandardNormal};

/// Every query a group of its own.
fn apart(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

fn row(weight: f64, scores: Vec<Vec<f64>>) -> Term {
    Term { weight, scores }
}

fn half_width(found: Interval) -> f64 {
    (found.high - found.low) / 2.0
}

#[test]
fn interval_equals_the_normal_one_for_many_queries() {
    // 400 queries, 120 gained and 40 lost: mean 20, variance of a difference 0.4 - 0.04 with 399 degrees of freedom.
    let a: Vec<f64> = (0..400).map(|i| if i < 120 { 100.0 } else { 0.0 }).collect();
    let b: Vec<f64> = (0..400).map(|i| if i >= 360 { 100.0 } else { 0.0 }).collect();
    let found = contrast(&[row(1.0, vec![a]), row(-1.0, vec![b])], &apart(400)).unwrap();
    assert!((found.effect - 20.0).abs() < 1e-9 && (found.error - 60.0 / f64::sqrt(399.0)).abs() < 1e-9, "{found:?}");
    assert!((half_width(found) - 1.9659 * found.error).abs() < 1e-3, "{found:?}"); // t of 399 degrees
}

#[test]
fn interval_of_equal_rows_is_zero() {
    // The same scores in both rows differ in no query, however much the queries differ among themselves.
    let scores: Vec<f64> = (0..50).map(f64::from).collect();
    let found = contrast(&[row(1.0, vec![scores.clone()]), row(-1.0, vec![scores])], &apart(50)).unwrap();
    assert_eq!((found.effect, found.low, found.high, found.p()), (0.0, 0.0, 0.0, 1.0));
}

#[test]
fn grouped_queries_count_once() {
    let one: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { 100.0 } else { 0.0 }).collect();
    let four: Vec<f64> = one.iter().flat_map(|score| [*score; 4]).collect();
    let groups: Vec<u32> = (0..400).map(|i| i / 4).collect();
    let single = contrast(&[row(1.0, vec![one])], &apart(100)).unwrap();
    assert_eq!(contrast(&[row(1.0, vec![four.clone()])], &groups).unwrap(), single);
    let loose = contrast(&[row(1.0, vec![four])], &apart(400)).unwrap();
    assert!((single.error / loose.error - f64::sqrt(399.0 / 99.0)).abs() < 1e-9);
}

#[test]
fn seeds_that_differ_widen_the_interval_as_their_variance_says() {
    // Every query of seed s scores x(s): queries add nothing. Seeds 0, 6, 12: variance 36, of the mean 12; t 4.303, 2.776.
    let a = || [0.0, 6.0, 12.0].map(|score| vec![score; 20]).to_vec();
    let one = contrast(&[row(1.0, a()), row(-1.0, vec![vec![0.0; 20]])], &apart(20)).unwrap();
    assert!((one.effect - 6.0).abs() < 1e-9 && (one.error - f64::sqrt(12.0)).abs() < 1e-9, "{one:?}");
    assert!((one.freedom - 2.0).abs() < 1e-9 && (half_width(one) - 4.3027 * one.error).abs() < 1e-3);
    let both = contrast(&[row(1.0, a()), row(-1.0, a())], &apart(20)).unwrap();
    assert!(
        (both.freedom - 4.0).abs() < 1e-9 && (half_width(both) - 2.7764 * f64::sqrt(24.0)).abs() < 1e-3,
        "{both:?}"
    );
    // Half as much of a row is a quarter of its variance.
    assert!((contrast(&[row(0.5, a())], &apart(20)).unwrap().error - f64::sqrt(3.0)).abs() < 1e-9);
}

#[test]
fn what_seed_and_query_do_together_counts_once() {
    // Seeds 0, 1 and queries 0, 1: scores 5 and 1, 3 and 7. Means of seeds 3 and 5: V = 2 / 2 = 1. Means of queries 4 and 4:
    // V(g) = 0. Off both: 5 - 4 + 1 = 2, -2, -2, 2: variance 16 / (1 * 1), I = 16 / 2 / 2 = 4, more than all of V.
    let found = contrast(&[row(1.0, vec![vec![5.0, 1.0], vec![3.0, 7.0]])], &[0, 1]).unwrap();
    assert_eq!((found.effect, found.error), (4.0, 0.0));
    // 0 and 2, 6 and 12: seeds 1 and 9, V = 32 / 2 = 16 at 1 degree; queries 3 and 7, V(g) = 8 / 2 = 4 at 1 degree;
    // off both 0 - 3 + 4 - ... = +-1: 4 / 2 / 2 = 1. error^2 = 4 + 16 - 1 = 19, f = 361 / (16 + 256).
    let found = contrast(&[row(1.0, vec![vec![0.0, 2.0], vec![6.0, 12.0]])], &[0, 1]).unwrap();
    assert!((found.error.powi(2) - 19.0).abs() < 1e-9 && (found.freedom - 361.0 / 272.0).abs() < 1e-9, "{found:?}");
}

#[test]
fn groups_of_other_sizes_weigh_as_their_queries() {
    // Effect 2; groups of 3 and 1 are 3 and -3 off: (9 + 9) / 16 * 2 at one degree, t = 12.706.
    let found = contrast(&[row(1.0, vec![vec![1.0, 1.0, 1.0, 5.0]])], &[7, 7, 7, 3]).unwrap();
    assert!((found.effect - 2.0).abs() < 1e-9 && (half_width(found) - 12.7062 * 1.5).abs() < 1e-2, "{found:?}");
}

#[test]
fn one_group_of_one_seed_leaves_nothing_uncertain() {
    let found = contrast(&[row(1.0, vec![vec![3.0, 5.0]])], &[4, 4]).unwrap();
    assert_eq!((found.effect, found.low, found.high, found.p()), (4.0, 4.0, 4.0, 0.0));
    assert_eq!((found.p_above(4.0), found.p_above(3.0)), (1.0, 0.0));
}

#[test]
fn refuses_empty_and_unequal_scores() {
    let fails = |terms: &[Term], groups: &[u32]| contrast(terms, groups).unwrap_err().to_string();
    assert!(fails(&[], &[0]).contains("one or more seeds"));
    assert!(fails(&[row(1.0, vec![])], &[0]).contains("one or more seeds"));
    assert!(fails(&[row(1.0, vec![vec![]])], &[]).contains("at least one"));
    assert!(fails(&[row(1.0, vec![vec![1.0]]), row(1.0, vec![vec![1.0, 2.0]])], &[0]).contains("[[1], [2]]"));
    assert!(fails(&[row(1.0, vec![vec![1.0], vec![f64::NAN]])], &[0]).contains("query 0"));
}

/// Deviations of seeds, of a query's difference, and of seed and query together, in points.
struct World {
    seeds: usize,
    groups: usize,
    deviation: [f64; 3],
}

impl World {
    /// Scores of a row: the queries' part is shared by both rows, so only their difference is drawn, in the first.
    fn row(&self, weight: f64, query: &[f64], stream: &mut Stream) -> Term {
        let mut draw = |deviation: f64| deviation * Distribution::<f64>::sample(&StandardNormal, stream);
        let seed = |_| {
            let own = draw(self.deviation[0]);
            query.iter().map(|of| own + of + draw(self.deviation[2])).collect()
        };
        row(weight, (0..self.seeds).map(seed).collect())
    }

    /// How often the interval holds the truth, which is zero.
    fn coverage(&self, rounds: usize) -> f64 {
        let mut stream = Seed(self.seeds as u64).stream("coverage");
        let mut held = 0;
        for _ in 0..rounds {
            let query: Vec<f64> = (0..self.groups).map(|_| self.normal(&mut stream)).collect();
            let a = self.row(1.0, &query, &mut stream);
            let b = self.row(-1.0, &vec![0.0; self.groups], &mut stream);
            let found = contrast(&[a, b], &apart(self.groups)).unwrap();
            held += usize::from(found.low <= 0.0 && found.high >= 0.0);
        }
        held as f64 / rounds as f64
    }

    fn normal(&self, stream: &mut Stream) -> f64 {
        self.deviation[1] * Distribution::<f64>::sample(&StandardNormal, stream)
    }
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    // 2,000 rounds: a share of 0.95 has a deviation of 0.5 points, so 93.5 is three below; more than 98.5 would be wide.
    for seeds in [3, 6] {
        for deviation in [[0.0, 40.0, 40.0], [2.0, 10.0, 45.0], [4.0, 30.0, 40.0], [8.0, 5.0, 20.0], [4.0, 0.0, 40.0]] {
            let found = World { seeds, groups: 100, deviation }.coverage(2000);
            assert!((0.935..=0.985).contains(&found), "{seeds} seeds, {deviation:?}: {found}");
        }
    }
}
