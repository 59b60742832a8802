//! Measurements of trainings: of a step, around the trained weights, and during the training.

use crate::dataset::{Split, batches};
use crate::experiment::again::{checkpoint, train_again};
use crate::experiment::analyse::{self, AnalysisSettings, Batch, Seen, Stepper, Watched, first_batches};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, EmbeddingModel, Fitted, Method, Origin, Queries, Subject, Trial};
use crate::loss::triplet_loss;
use crate::model::{Mode, Network};
use crate::paper::photo_pretraining::{Config, PhotoPretraining, fit};
use crate::run::RunConfig;
use crate::sketch::AugmentConfig;
use crate::train::{Log, Pixels};
use crate::{Error, Result};
use candle_core::Tensor;

/// The triplet loss of Eq. 1, for all rows: with the loss that Ours adds, rows could not be compared.
fn task_loss(network: &Network, (inputs, owners): &Batch, mode: Mode, margin: f64) -> Result<Tensor> {
    let (both, b) = match mode {
        Mode::Train => (network.embed_in_training(inputs)?, owners.len()),
        Mode::Eval => (network.embed_in_evaluation(inputs)?, owners.len()),
    };
    triplet_loss(&both.narrow(0, 0, b)?, &both.narrow(0, b, b)?, owners, margin)
}

/// A run on kept features of a frozen network takes other steps than one on pixels.
fn refuse_frozen(run: &RunConfig<Config>) -> Result<()> {
    if run.config.frozen.is_some() {
        return Err(Error::value(format!("row {}", run.row), "one that trains its whole network", "a frozen one"));
    }
    Ok(())
}

/// Passes the runs at their start, apart from their records, to a measurement of their steps.
pub(super) fn with_steps(
    subjects: &[Subject<Config>],
    measure: impl FnOnce(&mut [Stepper]) -> Result<()>,
) -> Result<()> {
    let start = |subject: &Subject<Config>| -> Result<(Bench, EmbeddingModel)> {
        refuse_frozen(&subject.run)?;
        let bench =
            Bench::divide(&subject.run.dataset, &subject.run.config.needs(), subject.run.seed, subject.order.places)?;
        let model = fit::start(&subject.run, &bench, subject.order)?;
        Ok((bench, model))
    };
    let starts = subjects.iter().map(start).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<_> = starts.iter().map(|(bench, model)| (model.input(), bench.pairs(Split::Train))).collect();
    let mut steppers = Vec::new();
    for ((Subject { run, record, order, .. }, (bench, model)), (input, pairs)) in
        subjects.iter().zip(&starts).zip(&inputs)
    {
        let step = Box::new(fit::step(&Trial { run, bench, folder: record, order }, model, input, &[Split::Train])?);
        steppers.push(Stepper { step, pairs, batch: run.config.fit.batch });
    }
    measure(&mut steppers)
}

/// The triplet loss of Eq. 1 over a grid of weights, in evaluation mode as Li et al. (NeurIPS 2018) do.
pub(super) fn landscape(subject: &Subject<Config>) -> Result<()> {
    let Subject { run, settings, order, .. } = subject;
    let checkpoint = checkpoint(&PhotoPretraining, run, order)?;
    let network = PhotoPretraining.load(run, Origin::Checkpoint(&checkpoint, order.places), order.device)?;
    let bench = Bench::divide(&run.dataset, &run.config.needs(), run.seed, order.places)?;
    let model = EmbeddingModel::open(network, run.config.pictures(), &bench, &[Split::Train], order)?;
    let feed = Pixels { augment: AugmentConfig::none(), ..model.pixels() };
    let batches = first_batches(&feed, &bench.pairs(Split::Train), run.config.fit.batch, settings.batches[0])?;
    let loss = |batch: &Batch| task_loss(&model.network, batch, Mode::Eval, run.config.margin);
    analyse::landscape(subject, model.network.parameters(), &batches, &loss)
}

/// Trains the run again, as it was recorded, and keeps the observations.
pub(super) fn dynamics(subject: &Subject<Config>) -> Result<()> {
    refuse_frozen(&subject.run)?;
    let seen = Seen::default();
    let fit = |trial: &Trial<Config>, log: &mut Log| watch(&seen, &subject.settings, trial, log);
    train_again(&PhotoPretraining, &subject.run, subject.order, &fit)?;
    seen.write(subject)
}

/// The paper's training, observed.
fn watch(
    seen: &Seen,
    settings: &AnalysisSettings,
    trial: &Trial<Config>,
    log: &mut Log,
) -> Result<Fitted<EmbeddingModel>> {
    let (run, bench) = (trial.run, trial.bench);
    let model = fit::start(run, bench, trial.order)?;
    let (pairs, length) = (bench.pairs(Split::Train), run.config.fit);
    let count = |epoch| batches(&pairs, length.batch, &mut run.seed.child("shuffle", epoch as u64)).len();
    let total: usize = (1..=length.epochs).map(count).sum();
    let plain = Pixels { augment: AugmentConfig::none(), ..model.pixels() };
    let fixed = first_batches(&plain, &pairs, length.batch, settings.batches[1])?;
    let queries = Queries::of(bench.index(), Split::Test);
    let score = || Ok(queries.scores(&evaluate(&model, &queries)?)?.acc1);
    let loss = |batch: &Batch| task_loss(&model.network, batch, Mode::Train, run.config.margin);
    let after_epoch = || seen.epoch(&model.network, &fixed, &loss);
    let input = model.input();
    let (inner, first) =
        (Box::new(fit::step(trial, &model, &input, &[Split::Train])?), total.saturating_sub(settings.last));
    let mut step = Watched { inner, score: &score, taken: 0, first, seen };
    let outcome = fit::train(trial, &model, &mut step, log, &after_epoch)?;
    drop(step);
    fit::end(&run.config, model, Some(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn frozen_run_is_refused() {
        let (slug, dataset, row) = ("p".to_string(), "qmul-chair-v2".to_string(), "ours-frozen".to_string());
        let run = RunConfig { slug, dataset, row, seed: Seed(0), config: Config::frozen() };
        let error = refuse_frozen(&run).unwrap_err().to_string();
        assert!(error.starts_with("row ours-frozen: expected one that trains its whole network"), "{error}");
    }
}
