//! Two trainings: one whose epoch validation chooses, and one anew for so many epochs on the validation pairs too.

use super::Config;
use super::fit::{step, train_once};
use crate::Result;
use crate::dataset::Split;
use crate::experiment::{EmbeddingModel, Trial};
use crate::run::RunFolder;
use crate::train::named::copies;
use crate::train::{self, Fit, FitConfig, Log, Outcome, SelectOn};

/// What the second training learns from.
const ALL: [Split; 2] = [Split::Train, Split::Valid];

/// Trains in the run's subfolder to choose the epoch, then anew in the run's folder; both go on where they were stopped.
///
/// The second training has the schedule of the first, of which it is the beginning, and its last weights are kept: no data
/// are left to choose by. The outcome has the chosen epoch, its scores in the first training, and the time of both.
///
/// # Errors
/// As a training.
pub(super) fn train_twice(trial: &Trial<Config>, model: &EmbeddingModel, log: &mut Log) -> Result<Outcome> {
    let parameters = model.network.parameters();
    let start = copies(&parameters.tensors())?;
    let chosen = choose(trial, model)?;
    parameters.load(&start)?;
    let outcome = train_anew(trial, model, chosen.epoch, log)?;
    Ok(Outcome { seconds: chosen.seconds + outcome.seconds, ..chosen })
}

/// The first training, with a log of its own.
fn choose(trial: &Trial<Config>, model: &EmbeddingModel) -> Result<Outcome> {
    let folder = RunFolder(trial.folder.choice());
    let (header, _) = trial.folder.log()?;
    let mut log = Log::open(&folder.0.join("log.jsonl"), &header)?;
    train_once(&Trial { folder: &folder, ..*trial }, model, &mut log)
}

fn train_anew(trial: &Trial<Config>, model: &EmbeddingModel, epochs: usize, log: &mut Log) -> Result<Outcome> {
    let Trial { run, bench, folder, order } = *trial;
    let input = model.input();
    let mut step = step(trial, model, &input, &ALL)?;
    let fit = Fit {
        config: FitConfig { select_on: SelectOn::Last, ..run.config.fit },
        seed: run.seed,
        parameters: model.network.parameters(),
        pairs: ALL.into_iter().flat_map(|split| bench.pairs(split)).collect(),
        score: None,
        stop: Some(epochs),
        folder,
        hash: run.hash()?,
        watch: order.watch,
    };
    order.watch.note(&format!("anew on all pairs, for {epochs} epochs"));
    train::fit(&fit, &mut step, log)
}
