//! Drawing the next point of a sketch from what a network foretells.

use super::{CORRELATION, LOG_DEVIATION};
use crate::seed::Stream;
use crate::{Error, Result};
use rand::RngExt;
use rand_distr::StandardNormal;

/// The next point from a network's row: a state of the pen, and where the drawing goes on, an offset.
///
/// ```text
/// pen ~ softmax(logits / temperature),  j ~ softmax(shares / temperature)
/// (dx, dy) ~ N(mean_j, temperature deviation_j^2, rho_j)
/// ```
///
/// Low temperatures keep to what is most likely. Temperatures are those that [`check_temperature`] lets through.
///
/// # Shapes
/// `row` of `6 M + 3` numbers, as [`stroke_losses`](super::stroke_losses) takes them; out a stroke-5 row, `(0, 0, 0, 0,
/// 1)` at the end of the drawing.
///
/// # Panics
/// A row of fewer than 9 numbers, which has no distribution.
///
/// # References
/// Ha and Eck, A Neural Representation of Sketch Drawings, 2017, Eq. 8.
///
/// ```
/// use retrace::{loss::sample_stroke, seed::Seed};
/// // A pen that stays down, and one distribution at (2, -1) whose deviations are a thousandth.
/// let row = [90.0, 0.0, 0.0, 0.0, 2.0, -1.0, -7.0, -7.0, 0.0];
/// let [dx, dy, pen @ ..] = sample_stroke(&row, 1.0, &mut Seed(0).stream("sample"));
/// assert!((dx - 2.0).abs() < 0.01 && (dy + 1.0).abs() < 0.01);
/// assert_eq!(pen, [1.0, 0.0, 0.0]);
/// ```
pub fn sample_stroke(row: &[f32], temperature: f32, stream: &mut Stream) -> [f32; 5] {
    let mut point = [0.0; 5];
    let pen = choose(&row[..3], temperature, stream);
    point[2 + pen] = 1.0;
    if pen < 2 {
        [point[0], point[1]] = draw_offset(&row[3..], temperature, stream);
    }
    point
}

/// An offset, given the part of a row behind the pen.
fn draw_offset(row: &[f32], temperature: f32, stream: &mut Stream) -> [f32; 2] {
    let mixtures = row.len() / 6;
    let chosen = choose(&row[..mixtures], temperature, stream);
    let part = |k: usize| row[k * mixtures + chosen];
    let [low, high] = LOG_DEVIATION.map(|end| end as f32);
    let deviation = |k: usize| part(k).clamp(low, high).exp() * temperature.sqrt();
    let rho = part(5).tanh() * CORRELATION as f32;
    let [first, second]: [f32; 2] = [stream.sample(StandardNormal), stream.sample(StandardNormal)];
    let across = rho * first + (1.0 - rho * rho).sqrt() * second;
    [part(1) + deviation(3) * first, part(2) + deviation(4) * across]
}

/// A place, as likely as the softmax of logits over temperature says.
fn choose(logits: &[f32], temperature: f32, stream: &mut Stream) -> usize {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> =
        logits.iter().map(|logit| (f64::from(logit - top) / f64::from(temperature)).exp()).collect();
    let mut left = stream.random::<f64>() * weights.iter().sum::<f64>();
    for (place, weight) in weights.iter().enumerate() {
        if left < *weight {
            return place;
        }
        left -= weight;
    }
    // Rounding can leave a crumb behind the last place, and logits that are not numbers leave all.
    weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(weights.len() - 1)
}

/// Refuses a temperature that [`sample_stroke`] cannot use.
///
/// Past 10, logits hardly matter any more: what is drawn is noise.
///
/// # Errors
/// A temperature that is not above 0 and at most 10.
///
/// ```
/// use retrace::loss::check_temperature;
/// assert!(check_temperature(0.4).is_ok());
/// assert!(check_temperature(0.0).unwrap_err().to_string().contains("above 0"));
/// ```
pub fn check_temperature(temperature: f32) -> Result<()> {
    if temperature > 0.0 && temperature <= 10.0 {
        Ok(())
    } else {
        Err(Error::value("temperature", "above 0 and at most 10", temperature))
    }
}
