//! Analyses that explain a result, from the weights, gradients, features and scores of a finished run.
//!
//! | file | what it measures |
//! |---|---|
//! | `direction` | two filter-normalised random directions through the weights |
//! | `landscape` | the loss around the weights along them, and how flat it is |
//! | `covariance` | how much the gradients of single samples differ: nuclear norm of their covariance |
//! | `stability` | how far a series varies around its mean, relative to the mean |
//! | `smoothness` | how alike the photos ranked first are |
//! | `attribution` | whether the model or the sketch causes a wrong answer |
//! | `separation` | how far apart two clouds of features are: the accuracy of a classifier |
//! | `border` | that classifier |
//! | `embedding` | the clouds across and along its border, in one picture |
//! | `grad_cam` | which places of a picture a number of a network depends on, and how far two such maps overlap |
//! | `agreement` | how far two similarities of the same pairs agree |
//!
//! All of them are pure computations: no paper, no model, no file. Their inputs are tensors,
//! slices or closures.

mod agreement;
mod attribution;
mod border;
mod covariance;
mod direction;
mod embedding;
mod grad_cam;
mod landscape;
mod principal;
mod separation;
mod smoothness;
mod stability;

pub use agreement::{Agreement, Correlation, PairSimilarity, agreement, mean_ranks, pearson, spearman};
pub use attribution::{Blame, ErrorScores, MEDIAN, Scenario, Thresholds, attribute};
pub use covariance::{GradientSpread, GradientSum};
pub use direction::Directions;
pub use embedding::{PlacedRow, embed};
pub use grad_cam::{grad_cam, overlap};
pub use landscape::{Grid, Rise, scan};
pub use separation::{Answer, FeatureCloud, balanced, told_apart};
pub use smoothness::{Smoothness, fidelity, smoothness};
pub use stability::{Stability, stability};
