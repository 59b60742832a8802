//! Observes a training: its gradients after every epoch, and a score after each of its last steps.

use super::frame::lines_frame;
use super::landscape::Batch;
use super::subject::Subject;
use crate::analysis::GradientSum;
use crate::dataset::Pair;
use crate::model::Network;
use crate::seed::Stream;
use crate::train::{Gradients, Step, gradients, named::copies};
use crate::{Error, Result};
use candle_core::Tensor;
use std::cell::RefCell;

/// Observations of a training.
#[derive(Debug, Default)]
pub struct Seen {
    /// Test Acc@1 after the last steps, as (step, acc1).
    series: RefCell<Vec<(usize, f64)>>,
    /// Number, nuclear norm and signal of every epoch.
    spreads: RefCell<Vec<Vec<f64>>>,
}

impl Seen {
    /// Keeps the spread of the gradients of some batches after an epoch. Running means and variances are
    /// restored afterwards.
    ///
    /// # Errors
    /// A failing loss.
    pub fn epoch(&self, network: &Network, batches: &[Batch], loss: &dyn Fn(&Batch) -> Result<Tensor>) -> Result<()> {
        let before = copies(&network.parameters().tensors())?;
        let mut spread = GradientSum::default();
        for batch in batches {
            spread.add(&gradients(&loss(batch)?, &network.trainable())?)?;
        }
        network.parameters().load(&before)?;
        let (spread, mut spreads) = (spread.spread()?, self.spreads.borrow_mut());
        let epoch = spreads.len() + 1;
        spreads.push(vec![epoch as f64, spread.nuclear_norm, spread.signal]);
        Ok(())
    }

    /// Writes `gradient.csv` (epoch,nuclear_norm,signal) and `stability.csv` (step,acc1).
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write<C>(self, subject: &Subject<C>) -> Result<()> {
        let steps = self.series.into_inner().into_iter().map(|(step, acc1)| vec![step as f64, acc1]);
        let (steps, spreads) = (steps.collect::<Vec<_>>(), self.spreads.into_inner());
        subject.write("gradient", lines_frame(&["epoch", "nuclear_norm", "signal"], &spreads)?)?;
        subject.write("stability", lines_frame(&["step", "acc1"], &steps)?)
    }
}

/// The steps of a training; each of the last ones is followed by a ranking of the test part.
pub struct Watched<'a> {
    /// The training's own.
    pub inner: Box<dyn Step + 'a>,
    /// Acc@1 as the network is now.
    pub score: &'a dyn Fn() -> Result<f64>,
    /// Steps taken so far.
    pub taken: usize,
    /// Steps before the first one that is followed by a ranking.
    pub first: usize,
    /// Where the scores are kept.
    pub seen: &'a Seen,
}

impl Step for Watched<'_> {
    fn step(&mut self, pairs: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let loss = self.inner.step(pairs, stream, factor)?;
        self.taken += 1;
        if self.taken > self.first {
            self.seen.series.borrow_mut().push((self.taken, (self.score)()?));
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
