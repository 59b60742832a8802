//! Losses on embeddings, and on logits where classes are learnt: one file each, lower is better.
//!
//! `*_loss` is a mean over what is stated; `*_losses` gives one value a sample, for weights or rewards of single samples.

mod assignment;
mod contrastive;
mod correlation;
mod cross_entropy;
mod neighbourhood;
mod soft_cross_entropy;
mod stroke;
mod topology;
mod triple;
mod triplet;
mod weighted;

pub use assignment::{
    column_entropy, gumbel, normal_divergence, normal_divergences, row_entropy, straight_through, uniform_divergence,
};
pub use contrastive::{contrastive_loss, contrastive_loss_of, contrastive_losses};
pub use correlation::barlow_twins_loss;
pub use cross_entropy::{cross_entropy_loss, cross_entropy_losses};
pub use neighbourhood::{agreement, neighbourhood_loss, neighbourhood_losses};
pub use soft_cross_entropy::{soft_cross_entropy_loss, soft_cross_entropy_losses};
pub use stroke::{check_temperature, sample_stroke, stroke_likelihoods, stroke_losses, stroke_numbers};
pub use topology::Topology;
pub use triple::{Draw, Triple, draw_triples};
pub use triplet::{triplet_loss, triplet_loss_of, triplet_losses};
pub use weighted::weighted_distances;

use candle_core::{D, Result, Tensor};

/// Keeps the root's gradient finite where two embeddings coincide; far below the rounding error of unit vectors in f32.
const ROOT_FLOOR: f64 = 1e-12;

/// Euclidean distance of every row of `a` to every row of `b`.
///
/// ```text
/// d(i, j) = sqrt(| |a_i|^2 + |b_j|^2 - 2 a_i . b_j | + 1e-12)
/// ```
///
/// # Shapes
/// `a` `(n, d)`, `b` `(m, d)`; out `(n, m)`.
///
/// # Errors
/// Row lengths that differ.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let a = Tensor::new(&[[0.0_f64, 0.0]], &Device::Cpu)?;
/// let b = Tensor::new(&[[3.0_f64, 4.0]], &Device::Cpu)?;
/// let distance = retrace::loss::distances(&a, &b)?.to_vec2::<f64>()?;
/// assert!((distance[0][0] - 5.0).abs() < 1e-9);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn distances(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (a_square, b_square) = (a.sqr()?.sum_keepdim(D::Minus1)?, b.sqr()?.sum_keepdim(D::Minus1)?.t()?);
    let square = a_square.broadcast_add(&b_square)?.sub(&(a.matmul(&b.t()?)? * 2.0)?)?;
    // Rounding can leave a square just below zero; the absolute value, unlike a maximum, lets NaN through.
    (square.abs()? + ROOT_FLOOR)?.sqrt()
}

/// `max(x, 0)`, and NaN where `x` is NaN (candle's `relu` would make it 0 and hide a broken network).
fn hinge(x: &Tensor) -> Result<Tensor> {
    (x + x.abs()?)? / 2.0
}

#[cfg(test)]
mod tests;
