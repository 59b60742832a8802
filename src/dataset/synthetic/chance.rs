//! Draws that come out the same on every machine: sums and comparisons only, never a library's `ln` or `cos`.

use crate::seed::Stream;
use rand::RngExt;

/// A number in `0..1`.
pub(super) fn unit(stream: &mut Stream) -> f32 {
    stream.random()
}

/// A number in `low..high`.
pub(super) fn between(stream: &mut Stream, low: f32, high: f32) -> f32 {
    low + (high - low) * unit(stream)
}

/// About normal, mean 0, deviation 1: the sum of four uniforms (Irwin-Hall), which ends at 3.5 deviations.
pub(super) fn normal(stream: &mut Stream) -> f32 {
    let sum: f32 = (0..4).map(|_| unit(stream)).sum();
    (sum - 2.0) * 3f32.sqrt()
}

/// True with probability `p`.
pub(super) fn happens(stream: &mut Stream, p: f32) -> bool {
    unit(stream) < p
}

/// One of the choices, each as likely as its weight says.
pub(super) fn pick<T: Copy>(stream: &mut Stream, choices: &[(T, f32)]) -> T {
    let total: f32 = choices.iter().map(|c| c.1).sum();
    let mut left = unit(stream) * total;
    for (choice, weight) in choices {
        left -= weight;
        if left < 0.0 {
            return *choice;
        }
    }
    choices[choices.len() - 1].0
}

/// A whole number in `low..=high`.
pub(super) fn count(stream: &mut Stream, low: usize, high: usize) -> usize {
    stream.random_range(low as u32..=high as u32) as usize
}
