//! What papers claim, against what our runs show.
//!
//! A claim is a line of a paper's `data/papers/<slug>/claims.csv`: row A against row B on a dataset, in a metric, with a direction and, where
//! the paper gives one, the size of the effect. Several datasets, with spaces between them, stand for as many claims, whose
//! names end with theirs; an empty one stands for every dataset in which both rows were run.
//!
//! | row | stands for |
//! |---|---|
//! | `new` | the runs of a row |
//! | `new@70` | the same with 70 percent of every sketch drawn |
//! | `new new+margin=1` | the mean of rows, query by query and seed by seed |
//! | `printed:People [7]` | B alone: what the paper prints in that row of a table, a number without queries |

mod count;
mod evaluate;
mod read;
mod show;
mod side;
#[cfg(test)]
mod tests;

pub use count::{VerdictCounts, counts};
pub use evaluate::{evaluate, judge};
pub(super) use show::both_seeds;
pub use show::{frame, markdown, terminal, write};
pub(super) use side::both_sides;
#[cfg(test)]
pub(crate) use side::rows;

use super::printed::Printed;
use super::score::Metric;
use crate::metric::Interval;

/// The claimed direction of the difference of A and B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A is above B.
    Greater,
    /// A is below B.
    Less,
}

/// A sentence of a paper and the comparison that tests it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Unique within its paper.
    pub id: String,
    /// The printed tables of its paper.
    pub printed: Printed,
    /// Section, table or figure.
    pub place: String,
    /// What is claimed, in our words.
    pub statement: String,
    /// The dataset it is tested on; none for every dataset with a run.
    pub dataset: Option<String>,
    /// The row, or rows, claimed to be better (or worse).
    pub row_a: String,
    /// The row, or rows, that they are compared with.
    pub row_b: String,
    /// The metric.
    pub metric: &'static Metric,
    /// The claimed direction.
    pub direction: Direction,
    /// The paper's A - B, in points.
    pub paper_effect: Option<f64>,
}

/// The verdict of our runs on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The interval lies wholly on the claimed side of zero.
    Reproduced,
    /// It lies wholly on the other side, or it holds zero and lies wholly short of the paper's effect.
    NotReproduced,
    /// It holds zero, and the paper gives no effect or one that it holds too.
    Undecided,
    /// A row has no finished run, or did not record the metric.
    NotRun,
}

impl Verdict {
    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::Undecided => "undecided",
            Self::NotRun => "not run",
        }
    }
}

/// A claim on a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The claim.
    pub claim: Claim,
    /// The dataset; empty where the claim names none and nothing was run.
    pub dataset: String,
    /// Our A - B in points, with its 95% interval.
    pub interval: Option<Interval>,
    /// Seeds of A and of B that it rests on; of an analysis those that were analysed, of a printed number none.
    pub seeds: [usize; 2],
    /// The verdict.
    pub verdict: Verdict,
}
