//! A run in progress, and its result.

use super::{Bench, Order};
use crate::Result;
use crate::run::{RunConfig, RunFolder};
use crate::train::{CoursePlan, Outcome, SelectOn};
use serde::Serialize;

/// A run in progress.
pub struct Trial<'a, C> {
    /// Its settings.
    pub run: &'a RunConfig<C>,
    /// The corpus, its validation part cut.
    pub bench: &'a Bench,
    /// Where its state goes.
    pub folder: &'a RunFolder,
    /// The order for it.
    pub order: &'a Order<'a>,
}

impl<'a, C: Serialize> Trial<'a, C> {
    /// The plan of a course in this run's folder.
    ///
    /// # Errors
    /// Settings that do not serialise.
    pub fn course(&self, epochs: usize, select_on: SelectOn) -> Result<CoursePlan<'a>> {
        let (hash, watch) = (self.run.hash()?, self.order.watch);
        Ok(CoursePlan { epochs, select_on, folder: self.folder, hash, watch })
    }
}

/// The result of a training.
pub struct Fitted<M> {
    /// The model with its kept weights, opened on all parts of the corpus.
    pub model: M,
    /// The epoch that was kept; none where nothing is trained.
    pub outcome: Option<Outcome>,
    /// The rule that chose it, in words; `none` where nothing is trained.
    pub select_on: String,
}
