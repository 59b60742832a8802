//! How far rows lie apart: the standard deviation of their means, and how it moves with each of them.

/// What a side begins with that is the spread of its rows.
pub(super) const SPREAD: &str = "spread: ";

/// The standard deviation of some means, and its slope with each.
///
/// ```text
/// s = sqrt(sum((m(i) - mean)^2) / (n - 1))        ds / dm(i) = (m(i) - mean) / ((n - 1) s)
/// ```
///
/// The slopes turn an interval of means into one of their spread, to first order (the delta method). They have the squares'
/// sum 1 / (n - 1) wherever the means lie, so where all rows are alike but for noise the interval is wider than it need
/// be: the spread of n means without a difference varies less. Means that are equal have no slope: that of the first two
/// stands for it. Noise alone spreads means too, on both sides alike where these have as many rows and seeds.
pub(super) fn spread(means: &[f64]) -> (f64, Vec<f64>) {
    let (n, rest) = (means.len() as f64, means.len() as f64 - 1.0);
    let mean = means.iter().sum::<f64>() / n;
    let spread = (means.iter().map(|own| (own - mean).powi(2)).sum::<f64>() / rest).sqrt();
    if spread > 0.0 {
        return (spread, means.iter().map(|own| (own - mean) / (rest * spread)).collect());
    }
    let length = (0.5 / rest).sqrt();
    let slope = |i: usize| [length, -length].get(i).copied().unwrap_or(0.0);
    (0.0, (0..means.len()).map(slope).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Interval, Term, contrast};
    use crate::seed::Seed;
    use rand::RngExt;
    use rand_distr::StandardNormal;

    #[test]
    fn spread_by_hand() {
        let (found, slopes) = spread(&[1.0, 2.0, 6.0]); // mean 3: squares 4, 1 and 9
        assert!((found - 7_f64.sqrt()).abs() < 1e-12);
        for (slope, off) in slopes.iter().zip([-2.0, -1.0, 3.0]) {
            assert!((slope - off / (2.0 * 7_f64.sqrt())).abs() < 1e-12, "{slopes:?}");
        }
        assert_eq!(spread(&[5.0, 5.0, 5.0]), (0.0, vec![0.5, -0.5, 0.0]));
    }

    /// A row of three seeds of 60 queries, about a mean.
    fn row(mean: f64, stream: &mut crate::seed::Stream, luck: &[f64]) -> Vec<Vec<f64>> {
        let mut normal = || -> f64 { stream.sample(StandardNormal) };
        let seed = |own: f64, normal: &mut dyn FnMut() -> f64| {
            luck.iter().map(|luck| mean + own + luck + 10.0 * normal()).collect::<Vec<_>>()
        };
        (0..3).map(|_| 2.0 * normal()).collect::<Vec<f64>>().into_iter().map(|own| seed(own, &mut normal)).collect()
    }

    /// The interval of the difference of the spreads of two lots of rows in a made-up world.
    fn world(number: u64, lots: [&[f64]; 2]) -> Interval {
        let mut stream = Seed(5).child("world", number);
        let luck: Vec<f64> = (0..60).map(|_| 20.0 * stream.sample::<f64, _>(StandardNormal)).collect();
        let (mut terms, mut effect) = (Vec::new(), 0.0);
        for (lot, sign) in lots.into_iter().zip([1.0, -1.0]) {
            let rows: Vec<_> = lot.iter().map(|mean| row(*mean, &mut stream, &luck)).collect();
            let means: Vec<f64> = rows.iter().map(|row| row.iter().flatten().sum::<f64>() / 180.0).collect();
            let (spread, slopes) = spread(&means);
            effect += sign * spread;
            terms.extend(rows.into_iter().zip(slopes).map(|(scores, slope)| Term { weight: sign * slope, scores }));
        }
        let found = contrast(&terms, &(0..60).collect::<Vec<u32>>()).unwrap();
        Interval::of(effect, found.error, found.freedom).unwrap()
    }

    /// How often of 200 worlds the interval holds the true difference.
    fn held(lots: [&[f64]; 2]) -> usize {
        let truth = spread(lots[0]).0 - spread(lots[1]).0;
        let holds = |found: Interval| found.low <= truth && truth <= found.high;
        (0..200).filter(|number| holds(world(*number, lots))).count()
    }

    #[test]
    fn the_interval_holds_the_true_difference_as_often_as_it_says() {
        // 95% of 200 are 190, give or take 3.
        let wide = held([&[30.0, 40.0, 50.0, 60.0], &[40.0, 45.0, 50.0, 55.0]]);
        assert!(wide >= 180, "{wide}");
        let even = held([&[40.0; 4], &[50.0; 4]]); // rows that differ by noise alone: wider than need be
        assert!(even >= 190, "{even}");
    }

    #[test]
    fn spreads_that_differ_are_told_apart() {
        let told = (0..50).filter(|number| world(*number, [&[20.0, 40.0, 60.0, 80.0], &[50.0; 4]]).low > 0.0).count();
        assert!(told >= 48, "{told}");
    }
}
