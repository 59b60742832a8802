//! Training: Eq. 11 and 14.

use super::config::{AdjacencyLoss, Config};
use super::model::RegionModel;
use super::network::{RegionNetwork, Top, expect_regions};
use super::policy;
use crate::Result;
use crate::dataset::{Pair, Split};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Fitted, Queries, TaskLoss, Trial};
use crate::model::Mode;
use crate::seed::Stream;
use crate::train::{self, Fit, Gradients, Log, Optimiser, Step, gradients};
use candle_core::Tensor;

/// Trains, or goes on where the trial's folder holds a state.
///
/// # Errors
/// A setting that cannot be trained with; a watch that stops.
pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<RegionModel>> {
    let Trial { run, bench, folder, order } = *trial;
    let config = &run.config;
    let network = RegionNetwork::new(config, run.seed, order.device)?;
    config.needs().find(order.places)?.iter().try_for_each(|start| network.load_backbone(start))?;
    let model = RegionModel::open(config, network, bench, &Split::ALL, order)?;
    if !config.needs().is_trained {
        return Ok(Fitted { model, outcome: None, select_on: "none".into() });
    }
    let valid = Queries::of(bench.index(), Split::Valid);
    let score = || valid.scores(&evaluate(&model, &valid)?);
    let fit = Fit {
        config: config.fit,
        seed: run.seed,
        parameters: model.network.parameters(),
        pairs: bench.pairs(Split::Train),
        score: Some(&score),
        stop: None,
        folder,
        hash: run.hash()?,
        watch: order.watch,
    };
    let outcome = train::fit(&fit, &mut RegionStep::new(config, &model), log)?;
    if let Top::Policy { training, .. } = config.top {
        policy::refine(trial, &model, training)?;
    }
    model.network.parameters().round(|_| true)?; // ranked as it will be shipped
    Ok(Fitted { model, outcome: Some(outcome), select_on: config.fit.select_on.to_string() })
}

/// The update of a batch.
struct RegionStep<'a> {
    config: &'a Config,
    model: &'a RegionModel,
    optimiser: Optimiser,
}

impl<'a> RegionStep<'a> {
    fn new(config: &'a Config, model: &'a RegionModel) -> Self {
        let optimiser = Optimiser::new(config.optimiser, model.network.trainable());
        Self { config, model, optimiser }
    }

    /// L_R, and alpha L_G where the row has it.
    fn loss(&self, sketches: &Tensor, photos: &Tensor, owners: &[usize]) -> Result<Tensor> {
        let network = &self.model.network;
        let distances = network.distances(sketches, photos, Mode::Train)?;
        let distances = match self.config.task {
            TaskLoss::Triplet => distances,
            // That loss takes squares: of unit vectors they are twice their cosine's cost.
            TaskLoss::Contrastive { .. } => (distances * 2.0)?,
        };
        let mut loss = self.config.task.of(&distances, owners, self.config.margin)?;
        if let Some(AdjacencyLoss { places, alpha }) = self.config.adjacency {
            expect_regions(sketches)?;
            loss = (loss + (places.differences(sketches, photos)?.mean_all()? * alpha)?)?;
        }
        if let Some(penalty) = network.penalty()? {
            loss = (loss + penalty)?;
        }
        Ok(loss)
    }
}

impl Step for RegionStep<'_> {
    fn step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let [sketches, photos] = self.model.batch(batch, stream)?;
        let owners: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
        let loss = self.loss(&sketches, &photos, &owners)?;
        let variables = self.model.network.trainable();
        self.optimiser.step(&gradients(&loss, &variables)?, factor)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    fn state(&self) -> Result<Gradients> {
        self.optimiser.state()
    }

    fn restore(&mut self, state: Gradients) -> Result<()> {
        self.optimiser.restore(state)
    }
}
