//! The parts of training: optimiser, schedule, selection, checkpoint, log; and the loop that most papers share.
//!
//! A paper that does not fit the loop owns its own and uses the parts; no hooks are added here for it.

mod evaluate;
mod feature;
mod feed;
mod fit;
mod gradient;
mod log;
mod optimiser;
pub mod pretrain;
mod schedule;
mod topology;

pub use evaluate::{Embedding, Queries, distances, early, evaluate, robustness, rows, scores};
pub use feature::{FeaturePlan, Features};
pub use feed::{Feed, Pixels};
pub(crate) use fit::copies;
pub use fit::{Fit, FitConfig, Outcome, Scores, SelectOn, Step, fit};
pub use gradient::{Gradients, clip, gradients};
pub use log::Log;
pub use optimiser::{Optimiser, OptimiserConfig, Rule};
pub use schedule::Schedule;
pub use topology::{TopologyPlan, unit_features};

/// What a long computation tells, and asks, the one who started it; the library itself prints nothing.
pub trait Watch: Send + Sync {
    /// `done` of `total` units (images, steps) of `task` are finished.
    fn advance(&self, task: &str, done: usize, total: usize);

    /// A line worth keeping, such as the scores of an epoch.
    fn note(&self, line: &str);

    /// Whether to stop at the next safe point.
    fn is_stopped(&self) -> bool;
}

/// Nobody watches: silent, never stopped.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn advance(&self, _: &str, _: usize, _: usize) {}
    fn note(&self, _: &str) {}
    fn is_stopped(&self) -> bool {
        false
    }
}
