//! The parts of training: optimiser, schedule, selection, checkpoint, log; and the loop that most papers share.
//!
//! A paper that does not fit the loop ([`fit()`]) owns its own and uses the parts; no hooks are added here for it. [`Course`]
//! gives such a loop state, resume, log, selection and progress; [`fit()`] is a thin loop over it.

mod course;
mod feature;
mod feed;
mod fit;
mod gradient;
mod log;
pub mod named;
mod optimiser;
pub mod pretrain;
mod resume;
mod schedule;
mod select;
mod state;
mod topology;

pub use course::{Course, CoursePlan};
pub use feature::{FeaturePlan, Features};
pub use feed::{Feed, Pixels};
pub use fit::{EpochLine, Fit, FitConfig, Step, fit};
pub use gradient::{Gradients, clip, gradients, hessian_product, values};
pub use log::Log;
pub use optimiser::{Optimiser, OptimiserConfig, Rule};
pub use resume::Resume;
pub use schedule::Schedule;
pub use select::{Outcome, Scores, SelectOn};
pub use topology::{TopologyPlan, unit_features};

/// A network in evaluation: input rows to points.
pub type EmbedFn<'a> = &'a dyn Fn(&candle_core::Tensor) -> crate::Result<candle_core::Tensor>;
