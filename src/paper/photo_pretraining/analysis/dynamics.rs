//! A training watched from inside: its gradients after every epoch, and test accuracy after each of its last steps.

use super::landscape::{Batch, task_loss};
use super::{Subject, lines_frame};
use crate::analysis::Gradients as Spread;
use crate::dataset::{Pair, Split, batches};
use crate::paper::photo_pretraining::Network;
use crate::paper::photo_pretraining::again::Again;
use crate::seed::Stream;
use crate::sketch::AugmentConfig;
use crate::train::named::copies;
use crate::train::{self, Gradients, Queries, Step, gradients};
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

impl Subject<'_> {
    /// Trains the run again, as it was recorded, and keeps what is seen on the way.
    pub(super) fn dynamics(&self) -> Result<()> {
        let run = &self.run;
        let (series, spreads) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let training = Again::new(run, self.order)?;
        let (bench, network, pixels) = (&training.bench, &training.network, training.pixels());
        let pairs = bench.pairs(Split::Train);
        let fit = run.config.fit;
        let count = |epoch| batches(&pairs, fit.batch, &mut run.seed.child("shuffle", epoch as u64)).len();
        let total: usize = (1..=fit.epochs).map(count).sum();
        let plain = train::Pixels { augment: AugmentConfig::none(), device: pixels.device.clone(), ..pixels };
        let fixed = self.batches(&plain, &pairs, fit.batch, self.settings.batches[1])?;
        let queries = Queries::of(bench.index(), Split::Test);
        let score = || {
            let ranks = train::evaluate(&|x| network.embed_in_evaluation(x), &pixels, &queries)?;
            Ok(train::scores(&ranks, queries.gallery.len())?.acc1)
        };
        let after_epoch = || {
            let spread = spread_of(network, &fixed, run.config.margin)?.spread()?;
            let mut spreads = spreads.borrow_mut();
            let epoch = spreads.len() + 1;
            spreads.push(vec![epoch as f64, spread.nuclear_norm, spread.signal]);
            Ok(())
        };
        let inner = training.step(&pixels)?;
        let first = total.saturating_sub(self.settings.last);
        let mut step = Watched { inner: Box::new(inner), score: &score, taken: 0, first, series: &series };
        training.fit(&pixels, &mut step, &after_epoch)?;
        drop(step); // which holds the series
        let steps: Vec<_> = series.into_inner().into_iter().map(|(step, acc1)| vec![step as f64, acc1]).collect();
        self.write("gradient", lines_frame(&["epoch", "nuclear_norm", "signal"], &spreads.into_inner())?)?;
        self.write("stability", lines_frame(&["step", "acc1"], &steps)?)
    }
}

/// Gradients of the task's loss, Eq. 1, on the same batches for both rows: what Ours adds to it would only be another
/// quantity. Looking leaves no trace: running means and variances are put back.
fn spread_of(network: &Network, batches: &[Batch], margin: f64) -> Result<Spread> {
    let before = copies(&network.parameters().tensors())?;
    let mut spread = Spread::default();
    for (inputs, owners) in batches {
        let loss = task_loss(&network.embed_in_training(inputs)?, owners, margin)?;
        spread.add(&gradients(&loss, &network.trainable())?)?;
    }
    network.parameters().load(&before)?;
    Ok(spread)
}
