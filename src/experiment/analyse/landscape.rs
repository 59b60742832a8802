//! The loss around the trained weights.

use super::frame::lines_frame;
use super::subject::{SEED, Subject};
use crate::analysis::{Directions, scan};
use crate::dataset::{Pair, batches};
use crate::model::Parameters;
use crate::seed::Seed;
use crate::train::Feed;
use crate::{Error, Result};
use candle_core::{DType, Tensor};

/// A training batch as tensors: sketches and photos below each other in one, and the photo of each sketch.
pub type Batch = (Tensor, Vec<usize>);

/// The first batches of the training part: the same ones for every row.
///
/// # Errors
/// A position outside the feed.
pub fn first_batches(feed: &dyn Feed, pairs: &[Pair], size: usize, count: usize) -> Result<Vec<Batch>> {
    let all = batches(pairs, size, &mut SEED.stream("analysis"));
    let batch = |pairs: &Vec<Pair>| -> Result<Batch> {
        let (sketches, photos) = feed.pairs(pairs, &mut SEED.stream("none"))?;
        Ok((Tensor::cat(&[sketches, photos], 0)?, pairs.iter().map(|pair| pair.photo).collect()))
    };
    all.iter().take(count).map(batch).collect()
}

/// Writes `landscape.csv` (draw,alpha,beta,loss): the mean loss of some batches over grids of weights around the trained
/// ones.
///
/// # Errors
/// A failing loss; a watch that stops.
///
/// # References
/// Li et al., Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018, Sec. 4.
pub fn landscape<C>(
    subject: &Subject<C>,
    parameters: &Parameters,
    batches: &[Batch],
    loss: &dyn Fn(&Batch) -> Result<Tensor>,
) -> Result<()> {
    let Subject { settings, order, .. } = subject;
    let mean = || -> Result<f64> {
        if order.watch.is_stopped() {
            return Err(Error::Stopped { resume: "the landscape starts again".into() });
        }
        let mut sum = 0.0;
        for batch in batches {
            sum += loss(batch)?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        }
        Ok(sum / batches.len() as f64)
    };
    let weights = parameters.trainable();
    let values = weights.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect();
    let mut lines = Vec::new();
    for draw in 0..settings.draws {
        let directions = Directions::draw(&values, Seed(draw))?;
        let steps = settings.steps[usize::from(draw > 0)];
        let advance = |done: usize, total: usize| order.watch.advance(&format!("landscape {draw}"), done, total);
        let grid = scan(&weights, &directions, (settings.extent, steps), &mean, &advance)?;
        for (i, alpha) in grid.alphas.iter().enumerate() {
            for (j, beta) in grid.betas.iter().enumerate() {
                lines.push(vec![draw as f64, *alpha, *beta, grid.loss[i * grid.betas.len() + j]]);
            }
        }
    }
    subject.write("landscape", lines_frame(&["draw", "alpha", "beta", "loss"], &lines)?)
}
