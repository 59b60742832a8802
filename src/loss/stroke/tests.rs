//! Likelihoods of strokes against a slow twin, differences and PyTorch; draws against the probabilities they come from.

use super::*;
use crate::seed::{Seed, Stream};
use candle_core::{Device, Var};
use rand::RngExt;
use serde::Deserialize;
use std::path::Path;

type Rows = Vec<Vec<Vec<f64>>>;
type Losses = fn(&Tensor, &Tensor) -> Result<Tensor>;

const END: [f64; 5] = [0.0, 0.0, 0.0, 0.0, 1.0];

fn tensor(rows: &[Vec<Vec<f64>>]) -> Tensor {
    let shape = (rows.len(), rows[0].len(), rows[0][0].len());
    Tensor::from_vec(rows.concat().concat(), shape, &Device::Cpu).unwrap()
}

/// Sketches of 2, 5 and 1 points in 5 rows, and outputs for 2 distributions.
fn case(stream: &mut Stream) -> (Rows, Rows) {
    let mut draw = || -> f64 { stream.random_range(-1.5..1.5) };
    let outputs = (0..3).map(|_| (0..5).map(|_| (0..15).map(|_| draw()).collect()).collect()).collect();
    let mut point =
        |i: usize| if i.is_multiple_of(2) { [draw(), draw(), 1.0, 0.0, 0.0] } else { [draw(), draw(), 0.0, 1.0, 0.0] };
    let mut row = |i: usize, count: usize| if i < count { point(i) } else { END };
    let mut sketch = |count: usize| -> Vec<Vec<f64>> { (0..5).map(|i| row(i, count).to_vec()).collect() };
    (outputs, vec![sketch(2), sketch(5), sketch(1)])
}

fn density(row: &[f64], point: &[f64]) -> f64 {
    let m = (row.len() - 3) / 6;
    let shares: f64 = row[3..3 + m].iter().map(|x| x.exp()).sum();
    let normal = |j: usize| {
        let part = |k: usize| row[3 + k * m + j];
        let (a, b, rho) = (part(3).exp(), part(4).exp(), 0.99 * part(5).tanh());
        let (x, y) = ((point[0] - part(1)) / a, (point[1] - part(2)) / b);
        let square = (x * x + y * y - 2.0 * rho * x * y) / (1.0 - rho * rho);
        part(0).exp() / shares * (-square / 2.0).exp() / (TAU * a * b * (1.0 - rho * rho).sqrt())
    };
    (0..m).map(normal).sum()
}

fn pen_probability(row: &[f64], point: &[f64]) -> f64 {
    let sum: f64 = row[..3].iter().map(|x| x.exp()).sum();
    (0..3).map(|k| row[k].exp() / sum * point[2 + k]).sum()
}

fn slow(outputs: &[Vec<f64>], points: &[Vec<f64>], is_mean: bool) -> f64 {
    let t = points.len();
    let count = points.iter().position(|point| point[4] == 1.0).unwrap_or(t);
    let with_end = (count + 1).min(t);
    let offsets: f64 = (0..count).map(|i| density(&outputs[i], &points[i]).ln()).sum();
    let pens: f64 = (0..with_end).map(|i| pen_probability(&outputs[i], &points[i]).ln()).sum();
    if is_mean { -offsets / count as f64 - pens / with_end as f64 } else { offsets + pens }
}

/// The gradient of the sum over sketches, each with its weight.
fn gradient(losses: Losses, outputs: &Tensor, points: &Tensor, weights: &[f64]) -> Rows {
    let variable = Var::from_tensor(outputs).unwrap();
    let weights = Tensor::new(weights, &Device::Cpu).unwrap().to_dtype(outputs.dtype()).unwrap();
    let sum = (losses(variable.as_tensor(), points).unwrap() * weights).unwrap().sum_all().unwrap();
    let gradient = sum.backward().unwrap().get(&variable).unwrap().to_dtype(DType::F64).unwrap();
    gradient.to_vec3().unwrap()
}

fn assert_near(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    let is_near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < within);
    assert!(is_near, "{found:?} against {expected:?}");
}

#[test]
fn stroke_losses_agree_with_their_twin_and_differences() {
    let (outputs, points) = case(&mut Seed(41).stream("test"));
    let weights = [1.0, -2.0, 0.5];
    for (losses, is_mean) in [(stroke_losses as Losses, true), (stroke_likelihoods as Losses, false)] {
        let of = |outputs: &Rows| -> Vec<f64> { (0..3).map(|i| slow(&outputs[i], &points[i], is_mean)).collect() };
        let found = losses(&tensor(&outputs), &tensor(&points)).unwrap().to_vec1::<f64>().unwrap();
        assert_near(&found, &of(&outputs), 1e-10);
        let slopes = gradient(losses, &tensor(&outputs), &tensor(&points), &weights);
        for (b, i, j) in (0..3).flat_map(|b| (0..5).flat_map(move |i| (0..15).map(move |j| (b, i, j)))) {
            let at = |by: f64| -> f64 {
                let mut moved = outputs.clone();
                moved[b][i][j] += by;
                of(&moved).iter().zip(weights).map(|(loss, weight)| loss * weight).sum()
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slopes[b][i][j] - expected).abs() < 1e-6, "{b},{i},{j}: {} {expected}", slopes[b][i][j]);
        }
    }
}

#[test]
fn stroke_losses_of_one_distribution_by_hand() {
    let loss = |row: [f64; 9], point: [f64; 2]| {
        let points = vec![vec![vec![point[0], point[1], 0.0, 1.0, 0.0], END.to_vec()]];
        let outputs = vec![vec![row.to_vec(); 2]];
        stroke_losses(&tensor(&outputs), &tensor(&points)).unwrap().to_vec1::<f64>().unwrap()[0]
    };
    // One deviation of 2 off along x. The pen is lifted with 1/4, the end comes with 1/2.
    let ln2 = 2.0_f64.ln();
    let plain = loss([0.0, 0.0, ln2, 7.0, 1.0, 2.0, ln2, 0.0, 0.0], [3.0, 2.0]);
    assert!((plain - (TAU.ln() + ln2 + 0.5 + 1.5 * ln2)).abs() < 1e-12, "{plain}");
    // A correlation of 0.6, one deviation off along both: (1 + 1 - 1.2) / 0.64 = 1.25.
    let oblique = loss([0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0, 0.0, (0.6_f64 / 0.99).atanh()], [1.0, 1.0]);
    assert!((oblique - (TAU.ln() + 0.8_f64.ln() + 0.625 + 3.0_f64.ln())).abs() < 1e-12, "{oblique}");
}

/// As `tests/fixtures/stroke/make.py` writes it.
#[derive(Deserialize)]
struct Expected {
    outputs: Rows,
    points: Rows,
    losses: Vec<f64>,
    likelihoods: Vec<f64>,
    loss_gradient: Rows,
    likelihood_gradient: Rows,
}

#[test]
fn stroke_losses_are_those_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stroke/strokes.json");
    let expected: Expected = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (outputs, points) = (tensor(&expected.outputs), tensor(&expected.points));
    for (losses, values, slopes) in [
        (stroke_losses as Losses, &expected.losses, &expected.loss_gradient),
        (stroke_likelihoods as Losses, &expected.likelihoods, &expected.likelihood_gradient),
    ] {
        assert_near(&losses(&outputs, &points).unwrap().to_vec1::<f64>().unwrap(), values, 1e-10);
        let found = gradient(losses, &outputs, &points, &[1.0, -2.0]);
        assert_near(&found.concat().concat(), &slopes.concat().concat(), 1e-10);
    }
}

#[test]
fn stroke_losses_learn_the_first_end_and_nothing_after_it() {
    let (outputs, points) = case(&mut Seed(42).stream("test"));
    let slopes = gradient(stroke_losses, &tensor(&outputs), &tensor(&points), &[1.0; 3]);
    // The first sketch has two points: rows 0 and 1, the end in row 2.
    assert!(slopes[0][1].iter().all(|slope| *slope != 0.0));
    assert!(slopes[0][2][2] < 0.0, "a larger logit of the end makes the loss smaller: {:?}", slopes[0][2]);
    assert!(slopes[0][2][3..].iter().chain(&slopes[0][3..].concat()).all(|slope| *slope == 0.0));
    assert!(slopes[1].concat().iter().all(|slope| *slope != 0.0), "without an end all rows count");
}

#[test]
fn extreme_strokes_keep_losses_and_gradients_finite() {
    let point = |x: f64| vec![x, -x, 1.0, 0.0, 0.0];
    for (size, far) in [(1e4, 1e6), (-1e4, 1e6), (1e3, 0.0), (-1e3, 0.0)] {
        let row: Vec<f64> = (0..15).map(|k| if k % 2 == 0 { size } else { -size }).collect();
        let outputs = tensor(&[vec![row.clone(), row.iter().map(|x| -x).collect(), vec![size; 15]]]);
        let points = tensor(&[vec![point(far), point(-far), END.to_vec()]]).to_dtype(DType::F32).unwrap();
        let outputs = outputs.to_dtype(DType::F32).unwrap();
        for losses in [stroke_losses as Losses, stroke_likelihoods as Losses] {
            let value = losses(&outputs, &points).unwrap().to_vec1::<f32>().unwrap()[0];
            let slopes = gradient(losses, &outputs, &points, &[1.0]).concat().concat();
            assert!(value.is_finite() && slopes.iter().all(|slope| slope.is_finite()), "{value} {slopes:?}");
        }
    }
}

#[test]
fn a_dot_that_never_moves_has_a_bounded_likelihood() {
    // Every offset is the mean itself, and the network wants no deviation at all.
    let outputs = tensor(&[vec![vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -900.0, -900.0, 0.0]; 2]]);
    let points = tensor(&[vec![vec![0.0, 0.0, 0.0, 1.0, 0.0], END.to_vec()]]);
    let loss = stroke_losses(&outputs, &points).unwrap().to_vec1::<f64>().unwrap()[0];
    assert!((loss - (TAU.ln() - 14.0 + 3.0_f64.ln())).abs() < 1e-12, "{loss}");
}

#[test]
fn stroke_losses_refuse_shapes_and_pens() {
    let outputs = |width: usize| Tensor::zeros((1, 2, width), DType::F64, &Device::Cpu).unwrap();
    let message = |width: usize, rows: [[f64; 5]; 2]| {
        let points = tensor(&[rows.map(|row| row.to_vec()).to_vec()]);
        stroke_losses(&outputs(width), &points).unwrap_err().to_string()
    };
    let down = [0.5, 0.0, 1.0, 0.0, 0.0];
    for width in [3, 8, 10, 14] {
        assert!(message(width, [down, END]).contains("6 M + 3"), "{width}");
    }
    assert!(message(9, [END, END]).contains("none in sketch 0"));
    assert!(message(9, [END, down]).contains("no point after the end, found [1.0, 0.0, 0.0] in sketch 0, row 1"));
    assert!(message(9, [[0.0, 0.0, 1.0, 1.0, 0.0], END]).contains("[1.0, 1.0, 0.0] in sketch 0, row 0"));
    let short = tensor(&[vec![END.to_vec()]]);
    assert!(stroke_losses(&outputs(9), &short).unwrap_err().to_string().contains("[1, 2, 9] and [1, 1, 5]"));
}

/// A pen that stays down, and two distributions far apart.
const ROW: [f32; 15] = [90.0, 0.0, 0.0, 0.4, -0.6, 50.0, -50.0, 20.0, -20.0, 0.3, -0.5, -0.2, 0.1, 0.8, -0.4];

/// Enough for shares to be right to a few thousandths.
const DRAWS: usize = 20_000;

fn draws(row: &[f32], temperature: f32) -> Vec<[f32; 5]> {
    let mut stream = Seed(43).stream("test");
    (0..DRAWS).map(|_| sample_stroke(row, temperature, &mut stream)).collect()
}

/// Five standard errors of a share: one seed in a million is further off.
fn assert_share(count: usize, expected: f64) {
    let found = count as f64 / DRAWS as f64;
    let error = (expected * (1.0 - expected) / DRAWS as f64).sqrt();
    assert!((found - expected).abs() < 5.0 * error, "{found} against {expected}");
}

#[test]
fn draws_follow_the_shares_at_a_temperature() {
    let mut row = ROW;
    row[..3].copy_from_slice(&[0.5, -0.3, -1.0]);
    for temperature in [1.0_f32, 0.6] {
        let weight = |k: usize| f64::from(row[k] / temperature).exp();
        let pens: f64 = (0..3).map(weight).sum();
        let found = draws(&row, temperature);
        for pen in 0..3 {
            assert_share(found.iter().filter(|point| point[2 + pen] == 1.0).count(), weight(pen) / pens);
        }
        let first = found.iter().filter(|point| point[0] > 25.0).count();
        assert_share(first, (1.0 - weight(2) / pens) * weight(3) / (weight(3) + weight(4)));
        assert!(found.iter().all(|point| point[2..].iter().sum::<f32>() == 1.0));
        assert!(found.iter().filter(|point| point[4] == 1.0).all(|point| point[..2] == [0.0, 0.0]));
    }
}

#[test]
fn draws_have_the_moments_of_their_distribution() {
    let row = [90.0, 0.0, 0.0, 0.0, 1.0, -2.0, 0.3, -0.5, 0.8];
    let (n, temperature) = (DRAWS as f64, 0.5_f32);
    let found = draws(&row, temperature);
    let mean = |k: usize| found.iter().map(|point| f64::from(point[k])).sum::<f64>() / n;
    let means = [mean(0), mean(1)];
    let product = |i: usize, j: usize| {
        let term = |point: &[f32; 5]| (f64::from(point[i]) - means[i]) * (f64::from(point[j]) - means[j]);
        found.iter().map(term).sum::<f64>() / n
    };
    for (axis, (expected, log)) in [(1.0, 0.3_f64), (-2.0, -0.5)].into_iter().enumerate() {
        let variance = 0.5 * (2.0 * log).exp();
        assert!((means[axis] - expected).abs() < 5.0 * (variance / n).sqrt(), "{means:?}");
        // A normal variable's variance has a standard error of sqrt(2 / n) of it.
        assert!((product(axis, axis) / variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{}", product(axis, axis));
    }
    let (rho, expected) = (product(0, 1) / (product(0, 0) * product(1, 1)).sqrt(), 0.99 * 0.8_f64.tanh());
    assert!((rho - expected).abs() < 5.0 * (1.0 - expected * expected) / n.sqrt(), "{rho} against {expected}");
}

#[test]
fn a_cold_draw_is_the_mode() {
    // At a millionth, deviations shrink to a thousandth: 1.35 and 0.82 of the first distribution.
    for [dx, dy, pen @ ..] in draws(&ROW, 1e-6).into_iter().take(100) {
        assert!((dx - 50.0).abs() < 0.01 && (dy - 20.0).abs() < 0.01 && pen == [1.0, 0.0, 0.0], "{dx} {dy}");
    }
    let mut ends = ROW;
    ends[2] = 91.0;
    assert!(draws(&ends, 1e-6)[..100].iter().all(|point| *point == [0.0, 0.0, 0.0, 0.0, 1.0]));
}

#[test]
fn a_broken_network_ends_its_drawing() {
    assert_eq!(sample_stroke(&[f32::NAN; 9], 1.0, &mut Seed(1).stream("test")), [0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn temperatures_are_checked() {
    for temperature in [0.0, -1.0, 10.5, f32::NAN, f32::INFINITY] {
        assert!(check_temperature(temperature).is_err(), "{temperature}");
    }
    assert!([1e-6, 1.0, 10.0].into_iter().all(|temperature| check_temperature(temperature).is_ok()));
}
