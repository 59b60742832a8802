//! Strokes as a network foretells them: where the pen goes, as a mixture of normal distributions, and its three states.
//!
//! A row of a network has `6 M + 3` numbers for M distributions: three logits of the pen (down, lifted after this
//! point, end of the drawing), then M each of: logit of the share, mean of dx, mean of dy, logarithm of the deviation of
//! dx, of dy, and a number whose `tanh` is the correlation, but for a factor of 0.99.

mod draw;
#[cfg(test)]
mod tests;

pub use draw::{check_temperature, sample_stroke};

use super::cross_entropy::log_softmax;
use crate::{Error, Result};
use candle_core::{D, DType, Tensor};
use std::f64::consts::TAU;

/// Logarithms of deviations are cut to this. Below it, a distribution that sits on one offset (horizontal strokes all
/// have dy = 0) would make a likelihood of infinity; above it, its exponential would overflow. Offsets have a deviation
/// near 1: the ends are a thousandth of it, and 148 times it.
const LOG_DEVIATION: [f64; 2] = [-7.0, 5.0];

/// The largest correlation: at 1 the density has no value, and near it `1 - rho^2` has no digits left in f32.
const CORRELATION: f64 = 0.99;

/// Numbers in a network's row for a mixture of so many distributions.
///
/// ```
/// assert_eq!(retrace::loss::stroke_numbers(20), 123);
/// ```
pub const fn stroke_numbers(mixtures: usize) -> usize {
    6 * mixtures + 3
}

/// How unlikely the points of sketches are, and the states of the pen: one value a sketch.
///
/// ```text
/// L = -1/T sum over i = 1..T of log p(dx_i, dy_i) - 1/(T + 1) sum over i = 1..T + 1 of log p(pen_i)
/// p(dx, dy) = sum over j of share_j N(dx, dy | mean_j, deviation_j, rho_j)
/// ```
///
/// T are the points of a sketch. Its first end row has no offset but a pen, so that the network learns when to stop;
/// the end rows after it do not count. A sketch that fills all rows has no end row, and both means are over T.
///
/// # Shapes
/// `outputs` `(b, t, 6 M + 3)` as the head of `src/loss/stroke.rs` lays them out; `points` `(b, t, 5)`, stroke-5 rows
/// `(dx, dy, p1, p2, p3)` filled up with end rows; out `(b)`.
///
/// # Errors
/// Shapes that do not fit, pen states that are not one-hot, points after an end row, a sketch without a point.
///
/// # References
/// Bhunia et al., More Photos are All You Need, CVPR 2021, Eq. 1 and 3; Ha and Eck, A Neural Representation of Sketch
/// Drawings, 2017, Eq. 5 to 9.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// // One point, at the mean of a standard normal distribution; pen states are all as likely.
/// let outputs = Tensor::zeros((1, 2, 9), DType::F64, &Device::Cpu)?;
/// let points = Tensor::new(&[[[0.0_f64, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]], &Device::Cpu)?;
/// let loss = retrace::loss::stroke_losses(&outputs, &points)?.to_vec1::<f64>()?[0];
/// assert!((loss - std::f64::consts::TAU.ln() - 3.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn stroke_losses(outputs: &Tensor, points: &Tensor) -> Result<Tensor> {
    check(outputs, points)?;
    let counts = count_points(points)?;
    if let Some(at) = counts.iter().position(|count| *count == 0) {
        return Err(Error::value(
            "stroke-5 targets",
            "a point or more in every sketch",
            format!("none in sketch {at}"),
        ));
    }
    Ok(weigh(outputs, points, &counts, |count| 1.0 / count as f64)?.neg()?)
}

/// Logarithms of how likely whole sketches are, ends included: what REINFORCE multiplies with a reward.
///
/// ```text
/// log p = sum over i = 1..T of log p(dx_i, dy_i) + sum over i = 1..T + 1 of log p(pen_i)
/// ```
///
/// Of a drawn sketch it is the likelihood at temperature 1.
///
/// # Shapes
/// As [`stroke_losses`]; a sketch may end at once.
///
/// # Errors
/// As [`stroke_losses`], but for a sketch without a point.
///
/// # References
/// Bhunia et al., More Photos are All You Need, CVPR 2021, Eq. 9.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// let outputs = Tensor::zeros((1, 1, 9), DType::F64, &Device::Cpu)?;
/// let points = Tensor::new(&[[[0.0_f64, 0.0, 0.0, 0.0, 1.0]]], &Device::Cpu)?;
/// let found = retrace::loss::stroke_likelihoods(&outputs, &points)?.to_vec1::<f64>()?[0];
/// assert!((found + 3.0_f64.ln()).abs() < 1e-12); // an end of three states that are all as likely
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn stroke_likelihoods(outputs: &Tensor, points: &Tensor) -> Result<Tensor> {
    check(outputs, points)?;
    weigh(outputs, points, &count_points(points)?, |_| 1.0)
}

fn check(outputs: &Tensor, points: &Tensor) -> Result<()> {
    match (outputs.dims(), points.dims()) {
        (&[b, t, width], &[sketches, rows, 5])
            if [b, t] == [sketches, rows] && b * t > 0 && width >= stroke_numbers(1) && (width - 3) % 6 == 0 =>
        {
            Ok(())
        }
        (found, targets) => {
            let found = format!("{found:?} and {targets:?}");
            Err(Error::value("strokes", "outputs (b, t, 6 M + 3) and points (b, t, 5), none of them 0", found))
        }
    }
}

/// The points of every sketch, before its first end row.
fn count_points(points: &Tensor) -> Result<Vec<usize>> {
    let pens = points.detach().to_dtype(DType::F64)?.narrow(2, 2, 3)?.to_vec3::<f64>()?;
    pens.iter().enumerate().map(|(at, rows)| count_rows(at, rows)).collect()
}

/// The points of one sketch, given the pen states of its rows.
fn count_rows(at: usize, rows: &[Vec<f64>]) -> Result<usize> {
    let count = rows.iter().position(|pen| pen[2] == 1.0).unwrap_or(rows.len());
    let fits = |i: usize, pen: &[f64]| {
        if i < count { pen == [1.0, 0.0, 0.0] || pen == [0.0, 1.0, 0.0] } else { pen == [0.0, 0.0, 1.0] }
    };
    match rows.iter().enumerate().find(|(i, pen)| !fits(*i, pen)) {
        None => Ok(count),
        Some((i, pen)) => {
            let expected = "pen states with a single 1, and no point after the end";
            Err(Error::value("stroke-5 targets", expected, format!("{pen:?} in sketch {at}, row {i}")))
        }
    }
}

/// Sums of logarithms, each row multiplied by what `weight` makes of the number of rows that count.
fn weigh(outputs: &Tensor, points: &Tensor, counts: &[usize], weight: impl Fn(usize) -> f64) -> Result<Tensor> {
    let (_, t, width) = outputs.dims3()?;
    let points = points.to_dtype(outputs.dtype())?;
    let mixture = Mixture::new(outputs, (width - 3) / 6)?;
    let offsets = (mixture.log_likelihood(&points)? * mask(counts, t, &weight, outputs)?)?;
    let with_end: Vec<usize> = counts.iter().map(|count| (count + 1).min(t)).collect();
    let pens = (log_softmax(&outputs.narrow(2, 0, 3)?)? * points.narrow(2, 2, 3)?)?.sum(D::Minus1)?;
    let pens = (pens * mask(&with_end, t, &weight, outputs)?)?;
    Ok((offsets + pens)?.sum(D::Minus1)?)
}

/// The weight of every row, 0 past the rows that count.
fn mask(counts: &[usize], t: usize, weight: &impl Fn(usize) -> f64, like: &Tensor) -> Result<Tensor> {
    let of_sketch = |&count: &usize| {
        let value = weight(count);
        (0..t).map(move |i| if i < count { value } else { 0.0 })
    };
    let values: Vec<f64> = counts.iter().flat_map(of_sketch).collect();
    Ok(Tensor::from_vec(values, (counts.len(), t), like.device())?.to_dtype(like.dtype())?)
}

/// A mixture of normal distributions for every row, each part `(b, t, M)`.
struct Mixture {
    log_share: Tensor,
    mean: [Tensor; 2],
    log_deviation: [Tensor; 2],
    correlation: Tensor,
}

impl Mixture {
    fn new(outputs: &Tensor, mixtures: usize) -> Result<Self> {
        let part = |k: usize| outputs.narrow(2, 3 + k * mixtures, mixtures);
        let [low, high] = LOG_DEVIATION;
        Ok(Self {
            log_share: log_softmax(&part(0)?)?,
            mean: [part(1)?, part(2)?],
            log_deviation: [part(3)?.clamp(low, high)?, part(4)?.clamp(low, high)?],
            correlation: (part(5)?.tanh()? * CORRELATION)?,
        })
    }

    /// `log p(dx, dy)` of every point, `(b, t)`: a sum over distributions of exponentials, the largest taken out first.
    fn log_likelihood(&self, points: &Tensor) -> Result<Tensor> {
        let terms = (&self.log_share + self.log_density(points)?)?;
        let top = terms.max_keepdim(D::Minus1)?.detach();
        let sum = terms.broadcast_sub(&top)?.exp()?.sum_keepdim(D::Minus1)?.log()?;
        Ok((sum + top)?.squeeze(D::Minus1)?)
    }

    /// The logarithm of every distribution's density.
    fn log_density(&self, points: &Tensor) -> Result<Tensor> {
        let (x, y) = (self.standardise(points, 0)?, self.standardise(points, 1)?);
        let rest = self.correlation.sqr()?.affine(-1.0, 1.0)?;
        let cross = ((&x * &y)? * &self.correlation)?;
        let square = ((x.sqr()? + y.sqr()?)? - (cross * 2.0)?)?;
        let [log_x, log_y] = &self.log_deviation;
        let log_area = (((log_x + log_y)? + (rest.log()? * 0.5)?)? + TAU.ln())?;
        Ok((((square / rest)? * -0.5)? - log_area)?)
    }

    /// Offsets along an axis in deviations from the mean.
    fn standardise(&self, points: &Tensor, axis: usize) -> Result<Tensor> {
        let scale = self.log_deviation[axis].neg()?.exp()?;
        Ok((self.mean[axis].neg()?.broadcast_add(&points.narrow(2, axis, 1)?)? * scale)?)
    }
}
