//! The loss round the trained weights.

use super::{SEED, Subject, lines_frame};
use crate::analysis::{Directions, scan};
use crate::dataset::{Pair, Split, batches};
use crate::loss::triplet_loss;
use crate::paper::photo_pretraining::again::checkpoint;
use crate::paper::photo_pretraining::bench::{Bench, pixels};
use crate::paper::photo_pretraining::retrieval::load;
use crate::sketch::AugmentConfig;
use crate::train::Feed;
use crate::{Error, Result};
use candle_core::{DType, Tensor};

/// A training batch as tensors: both inputs in one, and the photo of each sketch.
pub(super) type Batch = (Tensor, Vec<usize>);

/// The triplet loss of a batch, sketches and photos embedded below each other.
pub(super) fn task_loss(both: &Tensor, owners: &[usize], margin: f64) -> Result<Tensor> {
    let b = owners.len();
    triplet_loss(&both.narrow(0, 0, b)?, &both.narrow(0, b, b)?, owners, margin)
}

impl Subject<'_> {
    /// The first batches of the training part, not deformed: the same ones for every row.
    pub(super) fn batches(&self, feed: &dyn Feed, pairs: &[Pair], size: usize, count: usize) -> Result<Vec<Batch>> {
        let mut stream = SEED.stream("analysis");
        let all = batches(pairs, size, &mut stream);
        let batch = |pairs: &Vec<Pair>| -> Result<Batch> {
            let (sketches, photos) = feed.pairs(pairs, &mut SEED.stream("none"))?;
            Ok((Tensor::cat(&[sketches, photos], 0)?, pairs.iter().map(|pair| pair.photo).collect()))
        };
        all.iter().take(count).map(batch).collect()
    }

    /// The triplet loss of Eq. 1 over a grid of weights, in evaluation mode as Li et al. do.
    pub(super) fn landscape(&self) -> Result<()> {
        let Self { run, settings, order, .. } = self;
        let network = load(run, &checkpoint(run, order)?, order)?;
        let bench = Bench::open(&run.dataset, run.config.valid_photos, order.places)?;
        let album = bench.album(&run.config, &[Split::Train], order.watch)?;
        let feed = crate::train::Pixels { augment: AugmentConfig::none(), ..pixels(&album, &run.config, order.device) };
        let batches = self.batches(&feed, &bench.pairs(Split::Train), run.config.fit.batch, settings.batches[0])?;
        let loss = || -> Result<f64> {
            if order.watch.is_stopped() {
                return Err(Error::Stopped { resume: "the landscape starts again".into() });
            }
            let mut sum = 0.0;
            for (inputs, owners) in &batches {
                let loss = task_loss(&network.embed_in_evaluation(inputs)?, owners, run.config.margin)?;
                sum += loss.to_dtype(DType::F64)?.to_scalar::<f64>()?;
            }
            Ok(sum / batches.len() as f64)
        };
        let weights = network.parameters().trainable();
        let values = weights.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect();
        let mut lines = Vec::new();
        for draw in 0..settings.draws {
            let directions = Directions::draw(&values, crate::seed::Seed(draw))?;
            let steps = settings.steps[usize::from(draw > 0)];
            let advance = |done: usize, total: usize| order.watch.advance(&format!("landscape {draw}"), done, total);
            let grid = scan(&weights, &directions, (settings.extent, steps), &loss, &advance)?;
            for (i, alpha) in grid.alphas.iter().enumerate() {
                for (j, beta) in grid.betas.iter().enumerate() {
                    lines.push(vec![draw as f64, *alpha, *beta, grid.loss[i * grid.betas.len() + j]]);
                }
            }
        }
        self.write("landscape", lines_frame(&["draw", "alpha", "beta", "loss"], &lines)?)
    }
}
