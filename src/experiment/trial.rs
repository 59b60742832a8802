//! A run under way, and what it ends with.

use super::{Bench, Order};
use crate::run::{RunConfig, RunFolder};
use crate::train::Outcome;

/// A run under way.
pub struct Trial<'a, C> {
    /// Its settings.
    pub run: &'a RunConfig<C>,
    /// The corpus, its validation part cut.
    pub bench: &'a Bench,
    /// Where its state goes.
    pub folder: &'a RunFolder,
    /// How it was asked for.
    pub order: &'a Order<'a>,
}

/// What a training ends with.
pub struct Fitted<M> {
    /// The model with its kept weights, opened on all parts of the corpus.
    pub model: M,
    /// The epoch that was kept; none where nothing is trained.
    pub outcome: Option<Outcome>,
    /// What chose it, in words; `none` where nothing is trained.
    pub select_on: String,
}
