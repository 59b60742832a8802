//! Training of the retrieval network on labelled pairs (Eq. 4).

use super::config::RetrievalConfig;
use super::material::Material;
use super::network::SpatialNetwork;
use crate::Result;
use crate::dataset::{Pair, Split};
use crate::experiment::ranker::{Embedded, evaluate};
use crate::experiment::{Bench, Desk, Queries, TaskLoss};
use crate::loss::distances;
use crate::model::Mode;
use crate::seed::{Seed, Stream};
use crate::train::{self, Feed, Fit, Gradients, Optimiser, Outcome, Scores, Step, gradients};
use crate::watch::Watch;
use candle_core::Tensor;

/// Trains; the network has the kept weights afterwards.
pub(super) fn train(
    config: &RetrievalConfig,
    network: &SpatialNetwork,
    material: &Material,
    bench: &Bench,
    seed: Seed,
    watch: &dyn Watch,
    desk: Desk,
) -> Result<Outcome> {
    let score = || valid_scores(network, material, bench);
    let fit = Fit {
        config: config.fit,
        seed,
        parameters: network.parameters(),
        pairs: material.pairs.clone(),
        score: Some(&score),
        stop: None,
        folder: desk.folder,
        hash: desk.hash,
        watch,
    };
    let optimiser = Optimiser::new(config.optimiser, network.trainable());
    train::fit(&fit, &mut RetrievalStep { config, network, material, optimiser }, desk.log)
}

/// Scores on the validation part.
pub(super) fn valid_scores(network: &SpatialNetwork, material: &Material, bench: &Bench) -> Result<Scores> {
    let valid = Queries::of(bench.index(), Split::Valid);
    let pixels = material.pixels();
    let embed = |pictures: &Tensor| Ok(network.embed(pictures, Mode::Eval)?.detach());
    valid.scores(&evaluate(&Embedded { embed: &embed, feed: &pixels }, &valid)?)
}

/// The loss of a batch of pairs by their points.
pub(super) fn pair_loss(
    config: &RetrievalConfig,
    sketches: &Tensor,
    photos: &Tensor,
    owners: &[usize],
) -> Result<Tensor> {
    let far = distances(sketches, photos)?;
    let far = match config.task {
        TaskLoss::Triplet => far,
        TaskLoss::Contrastive { .. } => far.sqr()?, // that loss takes squares
    };
    config.task.of(&far, owners, config.margin)
}

/// The update of a batch.
struct RetrievalStep<'a> {
    config: &'a RetrievalConfig,
    network: &'a SpatialNetwork,
    material: &'a Material,
    optimiser: Optimiser,
}

impl Step for RetrievalStep<'_> {
    fn step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let (sketches, photos) = self.material.pixels().pairs(batch, stream)?;
        let points = self.network.embed(&Tensor::cat(&[sketches, photos], 0)?, Mode::Train)?;
        let b = batch.len();
        let owners: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
        let loss = pair_loss(self.config, &points.narrow(0, 0, b)?, &points.narrow(0, b, b)?, &owners)?;
        self.optimiser.step(&gradients(&loss, &self.network.trainable())?, factor)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    fn state(&self) -> Result<Gradients> {
        self.optimiser.state()
    }

    fn restore(&mut self, state: Gradients) -> Result<()> {
        self.optimiser.restore(state)
    }
}
