//! Rewards of drawn sketches, and the gradient that they give the generator (Eq. 8 and 9).

use super::config::Reward;
use super::critic::Critic;
use super::drawer::streams;
use super::generator::{Generator, Seen, Trace};
use super::network::SpatialNetwork;
use super::stroke::{Row, Sequences};
use crate::Result;
use crate::dataset::Album;
use crate::loss::{stroke_likelihoods, triplet_losses};
use crate::model::Mode;
use crate::seed::Seed;
use crate::sketch::Affine;
use candle_core::Tensor;

/// Who judges sketches.
pub(super) struct Judged<'a> {
    pub retrieval: &'a SpatialNetwork,
    pub critic: &'a Critic,
    pub reward: Reward,
    pub margin: f64,
}

impl Judged<'_> {
    /// R of Eq. 8, one value a sketch; gradients pass the sketches.
    ///
    /// # Shapes
    /// `photos` and `sketches` `(b, 3, h, w)`; out `(b)`.
    pub fn rewards(&self, photos: &Tensor, sketches: &Tensor) -> Result<Tensor> {
        let b = photos.dim(0)?;
        let points = self.retrieval.embed(&Tensor::cat(&[sketches, photos], 0)?, Mode::Eval)?;
        let places: Vec<usize> = (0..b).collect();
        let losses = triplet_losses(&points.narrow(0, 0, b)?, &points.narrow(0, b, b)?, &places, self.margin)?;
        let certainty = self.critic.certainty(photos, sketches, Mode::Eval)?;
        Ok(((certainty * self.reward.certainty)? - (losses * self.reward.retrieval)?)?)
    }
}

/// Draws a sketch of every photo and gives back what a rewarded step descends:
///
/// ```text
/// - 1/b sum over sketches of (R - mean of R) / T sum over their T rows of log p
/// ```
///
/// States stay as they were when it drew, so that the last layer alone learns (Sec. 3.4). The mean reward of the batch is
/// the baseline: without one, all that is drawn would be made more or less probable together.
///
/// # Errors
/// Pictures of another shape.
pub(super) fn policy_loss(
    generator: &Generator,
    photos: &Tensor,
    album: &Album,
    judged: &Judged,
    seed: Seed,
) -> Result<Tensor> {
    let places: Vec<usize> = (0..photos.dim(0)?).collect();
    let seen = generator.see(photos, Mode::Eval)?;
    // Rows are drawn as the generator says, not sharper: else the gradient would be of another choice.
    let traces = generator.draw_freely(&seen, 1.0, &streams(seed, "policy", &places))?;
    let sketches =
        traces.iter().map(|trace| Ok((generator.sketch(trace)?, Affine::default()))).collect::<Result<Vec<_>>>()?;
    let rewards = judged.rewards(photos, &album.others(&sketches, photos.device())?)?.detach();
    rewarded(generator, &seen, &traces, &rewards)
}

/// The same of sketches that were drawn and rewarded.
pub(super) fn rewarded(generator: &Generator, seen: &Seen, traces: &[Trace], rewards: &Tensor) -> Result<Tensor> {
    let device = rewards.device();
    let rows: Vec<&[Row]> = traces.iter().map(|trace| trace.rows.as_slice()).collect();
    let sequences = Sequences::new(&rows, 1.0, generator.config().pen, device)?;
    let noise: Vec<f32> = traces.iter().flat_map(|trace| trace.noise.iter().copied()).collect();
    let z = Generator::latent(seen, &Tensor::from_vec(noise, seen.mean.dims(), device)?)?.detach();
    let hidden = generator.unroll(seen, &z, &sequences.inputs, Mode::Eval)?.hidden.detach();
    let likelihoods = stroke_likelihoods(&generator.say(&hidden, Mode::Train)?, &sequences.targets)?;
    let lengths: Vec<f32> = rows.iter().map(|rows| rows.len() as f32).collect();
    let lengths = Tensor::from_vec(lengths, traces.len(), device)?;
    let advantages = rewards.broadcast_sub(&rewards.mean_all()?)?;
    Ok(((likelihoods / lengths)? * advantages)?.mean_all()?.neg()?)
}
