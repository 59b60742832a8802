//! The parts of training: optimiser, schedule, selection, checkpoint, log; and the loop that most papers share.
//!
//! A paper that does not fit the loop owns its own and uses the parts; no hooks are added here for it.

mod feature;
mod feed;
mod fit;
mod gradient;
mod log;
mod optimiser;
pub mod pretrain;
mod schedule;
mod topology;

pub use feature::{FeaturePlan, Features};
pub use feed::{Feed, Pixels};
pub(crate) use fit::copies;
pub use fit::{Fit, FitConfig, Outcome, Scores, SelectOn, Step, fit};
pub use gradient::{Gradients, clip, gradients, hessian_product, values};
pub use log::Log;
pub use optimiser::{Optimiser, OptimiserConfig, Rule};
pub use schedule::Schedule;
pub use topology::{TopologyPlan, unit_features};

/// A network in evaluation: input rows to points.
pub type Embedding<'a> = &'a dyn Fn(&candle_core::Tensor) -> crate::Result<candle_core::Tensor>;
