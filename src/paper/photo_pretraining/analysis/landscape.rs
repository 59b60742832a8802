//! The loss round the trained weights.

use crate::analysis::{Directions, scan};
use crate::dataset::{Pair, Split, batches};
use crate::experiment::again::checkpoint;
use crate::experiment::analyse::{SEED, lines_frame};
use crate::experiment::{Bench, Method, Origin, Subject};
use crate::loss::triplet_loss;
use crate::paper::photo_pretraining::{Config, PhotoPretraining, Trained};
use crate::seed::Seed;
use crate::sketch::AugmentConfig;
use crate::train::{Feed, Pixels};
use crate::{Error, Result};
use candle_core::{DType, Tensor};

/// A training batch as tensors: both inputs in one, and the photo of each sketch.
pub(super) type Batch = (Tensor, Vec<usize>);

/// The triplet loss of a batch, sketches and photos embedded below each other.
pub(super) fn task_loss(both: &Tensor, owners: &[usize], margin: f64) -> Result<Tensor> {
    let b = owners.len();
    triplet_loss(&both.narrow(0, 0, b)?, &both.narrow(0, b, b)?, owners, margin)
}

/// The first batches of the training part, not deformed: the same ones for every row.
pub(super) fn first_batches(feed: &dyn Feed, pairs: &[Pair], size: usize, count: usize) -> Result<Vec<Batch>> {
    let mut stream = SEED.stream("analysis");
    let all = batches(pairs, size, &mut stream);
    let batch = |pairs: &Vec<Pair>| -> Result<Batch> {
        let (sketches, photos) = feed.pairs(pairs, &mut SEED.stream("none"))?;
        Ok((Tensor::cat(&[sketches, photos], 0)?, pairs.iter().map(|pair| pair.photo).collect()))
    };
    all.iter().take(count).map(batch).collect()
}

/// The triplet loss of Eq. 1 over a grid of weights, in evaluation mode as Li et al. do.
pub(super) fn landscape(subject: &Subject<Config>) -> Result<()> {
    let Subject { run, settings, order, .. } = subject;
    let checkpoint = checkpoint(&PhotoPretraining, run, order)?;
    let network = PhotoPretraining.load(run, Origin::Checkpoint(&checkpoint, order.places), order.device)?;
    let bench = Bench::open(&run.dataset, run.config.valid_photos, order.places)?;
    let trained = Trained::open(&run.config, network, &bench, &[Split::Train], order)?;
    let feed = Pixels { augment: AugmentConfig::none(), ..trained.pixels() };
    let batches = first_batches(&feed, &bench.pairs(Split::Train), run.config.fit.batch, settings.batches[0])?;
    let network = &trained.network;
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
        let directions = Directions::draw(&values, Seed(draw))?;
        let steps = settings.steps[usize::from(draw > 0)];
        let advance = |done: usize, total: usize| order.watch.advance(&format!("landscape {draw}"), done, total);
        let grid = scan(&weights, &directions, (settings.extent, steps), &loss, &advance)?;
        for (i, alpha) in grid.alphas.iter().enumerate() {
            for (j, beta) in grid.betas.iter().enumerate() {
                lines.push(vec![draw as f64, *alpha, *beta, grid.loss[i * grid.betas.len() + j]]);
            }
        }
    }
    subject.write("landscape", lines_frame(&["draw", "alpha", "beta", "loss"], &lines)?)
}
