//! The paper's training: the inputs of its step, and the loop.

use super::retrain::train_twice;
use super::{Config, Neighbours, PaperStep, Update};
use crate::dataset::Split;
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, EmbeddingModel, Fitted, Input, Order, Queries, Trial};
use crate::file::hex;
use crate::loss::Topology;
use crate::model::Network;
use crate::run::{Places, RunConfig};
use crate::train::{self, Feed, Fit, Log, Outcome, Step, TopologyPlan};
use crate::{Result, device};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Trains, or goes on where the trial's folder holds a state.
///
/// # Errors
/// A setting that cannot be trained with; a watch that stops.
pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<EmbeddingModel>> {
    let Trial { run, bench, order, .. } = *trial;
    let mut model = start(run, bench, order)?;
    if let Some(versions) = run.config.frozen {
        let key = model.key(&run.dataset, bench, &start_of(&run.config, order.places)?)?;
        model.keep_features(&key, versions, bench, order)?;
    }
    if run.config.update == Update::ZeroShot {
        return end(&run.config, model, None);
    }
    let outcome = if run.config.retrain { train_twice(trial, &model, log)? } else { train_once(trial, &model, log)? };
    end(&run.config, model, Some(outcome))
}

/// A training whose epoch validation chooses, where it does.
pub(super) fn train_once(trial: &Trial<Config>, model: &EmbeddingModel, log: &mut Log) -> Result<Outcome> {
    let input = model.input();
    train(trial, model, &mut step(trial, model, &input, &[Split::Train])?, log, &|| Ok(()))
}

/// The network with its pre-trained weights, and the pictures of all splits.
pub(super) fn start(run: &RunConfig<Config>, bench: &Bench, order: &Order) -> Result<EmbeddingModel> {
    let network = Network::new(run.config.network(), run.seed, order.device)?;
    network.load_backbone(&start_of(&run.config, order.places)?)?;
    EmbeddingModel::open(network, run.config.pictures(), bench, &Split::ALL, order)
}

/// The weights that a run starts from.
pub(super) fn start_of(config: &Config, places: &Places) -> Result<PathBuf> {
    places.pretrained(&format!("{}-{}", config.architecture, config.weights))
}

/// Rounded as it will be saved, so that the ranked weights are the shipped ones.
pub(super) fn end(config: &Config, model: EmbeddingModel, outcome: Option<Outcome>) -> Result<Fitted<EmbeddingModel>> {
    model.network.round()?;
    let again = if config.retrain { ", then trained anew on all pairs" } else { "" };
    let select_on = outcome.map_or("none".to_string(), |_| format!("{}{again}", config.fit.select_on));
    Ok(Fitted { model, outcome, select_on })
}

/// The topology of the photos that are trained on under the network as it was pre-trained, or under another one (Table 4); every
/// seed has the same.
fn neighbours(trial: &Trial<Config>, model: &EmbeddingModel, input: &Input, splits: &[Split]) -> Result<Neighbours> {
    let Trial { run, bench, order, .. } = *trial;
    let photos: Vec<usize> = splits.iter().flat_map(|split| bench.index().photos_of(*split)).collect();
    let weights = run.config.needs().find(order.places)?;
    let source = weights.last().cloned().unwrap_or_default();
    let other = if weights.len() > 1 { Some(with_weights(&source, trial)?) } else { None };
    let pixels = model.pixels();
    let (network, feed): (_, &dyn Feed) = match &other {
        Some(other) => (other, &pixels), // kept features of a frozen backbone are not this network's
        None => (&model.network, input.feed()),
    };
    let build = || Topology::new(&train::unit_features(&|x| network.features(x), feed, &photos)?);
    // Kept features and fresh ones, and those of other devices, may differ in their last bits.
    let features = if run.config.frozen.is_some() && other.is_none() { "kept" } else { "fresh" };
    let rows = hex(&Sha256::digest(format!("{photos:?}"))[..8]);
    let key = model.key(&run.dataset, bench, &source)?;
    let key = format!("{key} {features} {} {rows}", device::name(order.device));
    let topology = TopologyPlan { key, folder: &order.places.cache, photos: photos.len(), build: &build }.open()?;
    Ok(Neighbours { topology, rows: photos.into_iter().enumerate().map(|(row, photo)| (photo, row)).collect() })
}

/// The network of a trial, untrained, with other pre-trained weights.
fn with_weights(weights: &Path, trial: &Trial<Config>) -> Result<Network> {
    let network = Network::new(trial.run.config.network(), trial.run.seed, trial.order.device)?;
    network.load_backbone(weights)?;
    Ok(network)
}

/// The update on the pairs of some splits, at its start; the network still holds the pre-trained weights here, also where a
/// training goes on.
pub(super) fn step<'a>(
    trial: &Trial<Config>,
    model: &'a EmbeddingModel,
    input: &'a Input,
    splits: &[Split],
) -> Result<PaperStep<'a>> {
    let config = &trial.run.config;
    let needed = config.update.needs_neighbours();
    let neighbours = needed.then(|| neighbours(trial, model, input, splits)).transpose()?;
    PaperStep::new(config, &model.network, input.feed(), neighbours)
}

/// Trains; `after_epoch` is told when an epoch's validation begins.
pub(super) fn train(
    trial: &Trial<Config>,
    model: &EmbeddingModel,
    step: &mut dyn Step,
    log: &mut Log,
    after_epoch: &dyn Fn() -> Result<()>,
) -> Result<Outcome> {
    let Trial { run, bench, folder, order } = *trial;
    let valid = Queries::of(bench.index(), Split::Valid);
    let score = || {
        after_epoch()?;
        valid.scores(&evaluate(model, &valid)?)
    };
    let fit = Fit {
        config: run.config.fit,
        seed: run.seed,
        parameters: model.network.parameters(),
        pairs: bench.pairs(Split::Train),
        score: Some(&score),
        stop: None,
        folder,
        hash: run.hash()?,
        watch: order.watch,
    };
    train::fit(&fit, step, log)
}
