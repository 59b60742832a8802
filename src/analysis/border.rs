//! A linear classifier of two clouds: a plane between them.

use super::principal::dot;

/// Steps of the training; the test of two touching clouds converges long before.
const STEPS: usize = 500;

/// Weight of the penalty, small beside a loss of log 2 and above 0, so that weights stay finite where clouds are apart.
const PENALTY: f64 = 1e-3;

/// The plane that tells two clouds apart best by the logistic loss.
pub(super) struct Border {
    /// The weights and, last, the constant.
    line: Vec<f64>,
}

impl Border {
    /// Trains on two clouds, row by row, both of which count the same.
    pub(super) fn between(clouds: [&[f64]; 2], d: usize) -> Self {
        Self { line: train(clouds, d) }
    }

    /// Above 0 on the side of the second cloud.
    pub(super) fn score(&self, row: &[f64]) -> f64 {
        dot(row, &self.line) + self.line[row.len()]
    }

    /// How far a row lies from the plane, below 0 on the side of the first cloud.
    pub(super) fn distance(&self, row: &[f64]) -> f64 {
        let score = self.score(row);
        let length = dot(&self.line[..row.len()], &self.line[..row.len()]).sqrt();
        if length > 0.0 { score / length } else { score }
    }

    /// The direction across the plane, of length 1, for rows whose columns were multiplied by `scales` before they got here:
    /// along all others at right angles to it the score stays the same. It is 0 where the clouds have no difference.
    pub(super) fn normal(&self, scales: &[f64]) -> Vec<f64> {
        let weights: Vec<f64> = self.line.iter().zip(scales).map(|(weight, scale)| weight * scale).collect();
        let length = dot(&weights, &weights).sqrt();
        weights.iter().map(|weight| if length > 0.0 { weight / length } else { 0.0 }).collect()
    }
}

/// The weights and, last, the constant; positive on the side of the second cloud.
fn train(clouds: [&[f64]; 2], d: usize) -> Vec<f64> {
    // The logistic loss bends by at most 1/4 of the squared length of its input, 1 more for the constant.
    let square = |rows: &[f64]| 1.0 + dot(rows, rows) / (rows.len() / d) as f64;
    let step = 1.0 / (0.25 * (square(clouds[0]) + square(clouds[1])) / 2.0 + PENALTY);
    let (mut line, mut ahead) = (vec![0.0; d + 1], vec![0.0; d + 1]);
    for i in 0..STEPS {
        let slope = slope(clouds, d, &ahead);
        let next: Vec<f64> = ahead.iter().zip(slope).map(|(value, slope)| value - step * slope).collect();
        let push = i as f64 / (i as f64 + 3.0); // Nesterov's momentum, in its usual short form
        ahead = next.iter().zip(&line).map(|(next, line)| next + push * (next - line)).collect();
        line = next;
    }
    line
}

fn slope(clouds: [&[f64]; 2], d: usize, line: &[f64]) -> Vec<f64> {
    let mut sum: Vec<f64> = line[..d].iter().map(|weight| PENALTY * weight).chain([0.0]).collect();
    for (rows, side) in clouds.into_iter().zip([-1.0, 1.0]) {
        let share = 0.5 / (rows.len() / d) as f64;
        for row in rows.chunks_exact(d) {
            let pull = -side * share / (1.0 + (side * (dot(row, line) + line[d])).exp());
            sum.iter_mut().zip(row.iter().chain([&1.0])).for_each(|(sum, value)| *sum += pull * value);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::separation::tests::cloud;
    use super::*;

    #[test]
    fn training_has_converged() {
        let rows = |name, moved| cloud(name, 200, moved).into_iter().map(f64::from).collect::<Vec<f64>>();
        let (a, b) = (rows("a", 0.0), rows("b", 1.0));
        let slope = slope([&a, &b], 8, &train([&a, &b], 8));
        assert!(slope.iter().all(|slope| slope.abs() < 1e-3), "{slope:?}");
    }

    #[test]
    fn normal_of_two_points_lies_between_them() {
        let border = Border::between([&[-3.0, -4.0], &[3.0, 4.0]], 2);
        let normal = border.normal(&[1.0, 1.0]);
        assert!((normal[0] - 0.6).abs() < 1e-6 && (normal[1] - 0.8).abs() < 1e-6, "{normal:?}");
        assert!((border.distance(&[3.0, 4.0]) - 5.0).abs() < 1e-6);
        let halved = border.normal(&[0.5, 0.375]); // 3 * 0.5 = 4 * 0.375
        assert!((halved[0] - halved[1]).abs() < 1e-6, "{halved:?}");
        let none = Border::between([&[0.0], &[0.0]], 1);
        assert_eq!((none.normal(&[1.0]), none.distance(&[0.0])), (vec![0.0], 0.0));
    }
}
