//! A training watched from inside: its gradients after every epoch, and test accuracy after each of its last steps.

use super::landscape::{Batch, first_batches, task_loss};
use super::step::refuse_frozen;
use crate::analysis::Gradients as Spread;
use crate::dataset::{Pair, Split, batches};
use crate::experiment::again::train_again;
use crate::experiment::analyse::{Settings, lines_frame};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Fitted, Queries, Subject, Trial};
use crate::model::Network;
use crate::paper::photo_pretraining::{Config, PhotoPretraining, Trained};
use crate::seed::Stream;
use crate::sketch::AugmentConfig;
use crate::train::{Gradients, Log, Pixels, Step, copies, gradients};
use crate::{Error, Result};
use std::cell::RefCell;

/// The steps of a training, the last of them followed by a look at the test part.
struct Watched<'a> {
    inner: Box<dyn Step + 'a>,
    score: &'a dyn Fn() -> Result<f64>,
    taken: usize,
    first: usize,
    series: &'a RefCell<Vec<(usize, f64)>>,
}

impl Step for Watched<'_> {
    fn step(&mut self, pairs: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let loss = self.inner.step(pairs, stream, factor)?;
        self.taken += 1;
        if self.taken > self.first {
            self.series.borrow_mut().push((self.taken, (self.score)()?));
        }
        Ok(loss)
    }

    fn state(&self) -> Result<Gradients> {
        self.inner.state()
    }

    fn restore(&mut self, _: Gradients) -> Result<()> {
        Err(Error::value("watched training", "one from its start", "one that was stopped"))
    }
}

/// What is seen of a training.
#[derive(Default)]
struct Seen {
    /// Test Acc@1 after the last steps, as (step, acc1).
    series: RefCell<Vec<(usize, f64)>>,
    /// Of every epoch: its number, the nuclear norm, the signal.
    spreads: RefCell<Vec<Vec<f64>>>,
}

/// Trains the run again, as it was recorded, and keeps what is seen on the way.
pub(super) fn dynamics(subject: &Subject<Config>) -> Result<()> {
    refuse_frozen(&subject.run)?;
    let seen = Seen::default();
    let fit = |trial: &Trial<Config>, log: &mut Log| watch(&seen, &subject.settings, trial, log);
    train_again(&PhotoPretraining, &subject.run, subject.order, &fit)?;
    let steps: Vec<_> = seen.series.into_inner().into_iter().map(|(step, acc1)| vec![step as f64, acc1]).collect();
    subject.write("gradient", lines_frame(&["epoch", "nuclear_norm", "signal"], &seen.spreads.into_inner())?)?;
    subject.write("stability", lines_frame(&["step", "acc1"], &steps)?)
}

/// The paper's training, looked at.
fn watch(seen: &Seen, settings: &Settings, trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<Trained>> {
    let (run, bench) = (trial.run, trial.bench);
    let trained = Trained::start(run, bench, trial.order)?;
    let (pairs, fit) = (bench.pairs(Split::Train), run.config.fit);
    let count = |epoch| batches(&pairs, fit.batch, &mut run.seed.child("shuffle", epoch as u64)).len();
    let total: usize = (1..=fit.epochs).map(count).sum();
    let plain = Pixels { augment: AugmentConfig::none(), ..trained.pixels() };
    let fixed = first_batches(&plain, &pairs, fit.batch, settings.batches[1])?;
    let queries = Queries::of(bench.index(), Split::Test);
    let score = || Ok(queries.scores(&evaluate(&trained, &queries)?)?.acc1);
    let after_epoch = || {
        let spread = spread_of(&trained.network, &fixed, run.config.margin)?.spread()?;
        let mut spreads = seen.spreads.borrow_mut();
        let epoch = spreads.len() + 1;
        spreads.push(vec![epoch as f64, spread.nuclear_norm, spread.signal]);
        Ok(())
    };
    let input = trained.input();
    let (inner, first) = (Box::new(trained.step(trial, &input)?), total.saturating_sub(settings.last));
    let mut step = Watched { inner, score: &score, taken: 0, first, series: &seen.series };
    let outcome = trained.train(trial, &input, &mut step, log, &after_epoch)?;
    drop(step);
    drop(input);
    trained.end(Some(outcome))
}

/// Gradients of the task's loss, Eq. 1, on the same batches for both rows: what Ours adds to it would only be another
/// quantity. Looking leaves no trace: running means and variances are put back.
fn spread_of(network: &Network, batches: &[Batch], margin: f64) -> Result<Spread> {
    let before = copies(network.parameters())?;
    let mut spread = Spread::default();
    for (inputs, owners) in batches {
        let loss = task_loss(&network.embed_in_training(inputs)?, owners, margin)?;
        spread.add(&gradients(&loss, &network.trainable())?)?;
    }
    network.parameters().load(&before)?;
    Ok(spread)
}
