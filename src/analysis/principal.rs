//! The direction in which a cloud of rows is longest.

use crate::seed::Seed;
use rand::RngExt;
use rand_distr::StandardNormal;

/// Most steps of the power iteration. Directions of nearly equal variance need the most; there, either of them gives an
/// equally good picture.
const STEPS: usize = 1000;

/// A step that turns the direction by less than this (in each coordinate) ends the iteration; the picture is in pixels.
const ENOUGH: f64 = 1e-10;

/// A direction whose variance is below this share of the mean square of rows is rounding, not data.
const ROUNDING: f64 = 1e-12;

/// The unit direction of largest variance (of n) of centred rows among those at right angles to `taken`, a unit direction
/// or 0, and that variance.
///
/// Power iteration, `v <- X^T X v / n` scaled to length 1, without ever forming the d x d matrix; `taken` is taken out of
/// every step. The start is drawn from a fixed seed, so that no data are at right angles to it by construction. The sign is
/// fixed: the largest coordinate, the first of them at a tie, is positive. A direction without variance is 0.
pub(super) fn longest(rows: &[f64], d: usize, taken: &[f64]) -> (Vec<f64>, f64) {
    let mut stream = Seed(0).stream("principal");
    let mut vector: Vec<f64> = (0..d).map(|_| stream.sample(StandardNormal)).collect();
    let mut variance = 0.0;
    shorten(&mut vector, taken);
    for _ in 0..STEPS {
        let mut next = turn(rows, d, &vector);
        variance = shorten(&mut next, taken);
        let largest = next.iter().zip(&vector).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
        vector = next;
        if largest < ENOUGH {
            break;
        }
    }
    if variance <= ROUNDING * dot(rows, rows) / (rows.len() / d) as f64 {
        return (vec![0.0; d], 0.0);
    }
    fix_sign(&mut vector);
    (vector, variance)
}

/// `X^T X v / n`.
fn turn(rows: &[f64], d: usize, vector: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; d];
    let n = (rows.len() / d) as f64;
    for row in rows.chunks_exact(d) {
        let share = dot(row, vector) / n;
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += share * value);
    }
    sum
}

/// Removes a direction and scales the rest to length 1; returns the length before.
fn shorten(vector: &mut [f64], taken: &[f64]) -> f64 {
    let along = dot(vector, taken);
    vector.iter_mut().zip(taken).for_each(|(value, taken)| *value -= along * taken);
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    length
}

fn fix_sign(vector: &mut [f64]) {
    // Coordinates that agree to rounding count as a tie, so that the sign does not depend on the last bit.
    let most = vector.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    if vector.iter().find(|value| value.abs() > most * (1.0 - 1e-6)).is_some_and(|value| *value < 0.0) {
        vector.iter_mut().for_each(|value| *value = -*value);
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_of_a_matrix_by_hand() {
        // Rows +-(3, 3) and +-(1, -1): variances 2 * 18 / 4 along (1, 1) and 2 * 2 / 4 along (1, -1).
        let (rows, half) = ([3.0, 3.0, -3.0, -3.0, 1.0, -1.0, -1.0, 1.0], 0.5_f64.sqrt());
        let first = longest(&rows, 2, &[0.0; 2]);
        let second = longest(&rows, 2, &first.0);
        for (found, expected, variance) in [(first, [half, half], 9.0), (second, [half, -half], 1.0)] {
            assert!(found.0.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-8), "{found:?}");
            assert!((found.1 - variance).abs() < 1e-8);
        }
        assert_eq!(longest(&rows, 2, &[1.0, 0.0]).0, [0.0, 1.0]); // whatever the variance along the other
    }

    #[test]
    fn longest_of_a_line_and_of_a_point() {
        let rows = [-2.0, -4.0, -4.0, 2.0, 4.0, 4.0];
        let first = longest(&rows, 3, &[0.0; 3]);
        assert!(first.0.iter().zip([1.0, 2.0, 2.0]).all(|(a, b)| (a - b / 3.0).abs() < 1e-9), "{first:?}");
        assert!((first.1 - 36.0).abs() < 1e-9);
        assert_eq!(longest(&rows, 3, &first.0), (vec![0.0; 3], 0.0));
        assert_eq!(longest(&[0.0; 6], 3, &[0.0; 3]), (vec![0.0; 3], 0.0));
        assert_eq!(longest(&[-1.0, 1.0], 1, &[1.0]), (vec![0.0], 0.0)); // one dimension
    }
}
