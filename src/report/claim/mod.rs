//! What papers claim, against what our runs show.
//!
//! A claim is a line of a paper's `data/papers/<slug>/claims.csv`: row A against row B on a dataset, in a metric, with
//! a direction and, where the paper gives them, the size of the effect and the two levels it lies between. Several
//! datasets, with spaces between them, stand for as many claims, whose names end with theirs; an empty one stands for
//! every dataset in which both rows were run.
//!
//! | row | stands for |
//! |---|---|
//! | `new` | the runs of a row |
//! | `new@70` | the same with 70 percent of every sketch drawn |
//! | `new new+margin=1` | the mean of rows, each over all of its seeds |
//! | `new - old` | the mean of rows less that of others: a gain, to be compared with another gain |
//! | `spread: new new+margin=1` | the standard deviation of the means of rows, to be compared with another spread |
//! | `printed:People [7]` | B alone: what the paper prints in that row of a table, a number without queries |
//!
//! A direction is `greater`, `less` or `within 3`: no more than 3 points apart.

mod count;
mod evaluate;
mod judge;
mod read;
mod show;
mod side;
mod spread;
#[cfg(test)]
mod tests;

pub use count::{VerdictCounts, corrected_counts, counts};
pub use evaluate::evaluate;
pub use judge::{Judgement, judge};
pub(super) use show::{FindingCells, cells};
pub use show::{frame, markdown, primary, terminal, write};
#[cfg(test)]
pub(crate) use side::rows;

use super::printed::Printed;
use super::score::Metric;
use crate::metric::Interval;
use std::fmt;

/// The claimed direction of the difference of A and B.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Direction {
    /// A is above B.
    Greater,
    /// A is below B.
    Less,
    /// A and B are less than so many points apart.
    Within(f64),
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greater => f.write_str("greater"),
            Self::Less => f.write_str("less"),
            Self::Within(bound) => write!(f, "within {bound}"),
        }
    }
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
    /// The paper's A and B in percent, where it prints both: an effect whose error can be told.
    pub paper_levels: Option<[f64; 2]>,
    /// Whether it is one of the few that the paper's abstract rests on.
    pub is_primary: bool,
}

/// The verdict of our runs on a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The interval lies wholly on the claimed side of zero; of "within", inside the bounds.
    Reproduced,
    /// It lies wholly on the other side; or it holds zero, and the paper's effect is larger by more than both errors.
    NotReproduced,
    /// Neither.
    Undecided,
    /// B is printed by the paper, for another network than ours.
    NotComparable,
    /// A row has no finished run, or did not record the metric.
    NotRun,
}

impl Verdict {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 5] =
        [Self::Reproduced, Self::NotReproduced, Self::Undecided, Self::NotComparable, Self::NotRun];

    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::Undecided => "undecided",
            Self::NotComparable => "not comparable",
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
    /// Seeds of A and of B that it rests on, of several rows the fewest; a printed number has none.
    pub seeds: [usize; 2],
    /// The verdict.
    pub verdict: Verdict,
    /// The p-value behind it.
    pub p: Option<f64>,
    /// The verdict once the number of comparisons is allowed for.
    pub corrected: Verdict,
}

impl Finding {
    /// A claim without runs on a dataset.
    pub(crate) fn not_run(claim: &Claim, dataset: &str) -> Self {
        let verdict = Verdict::NotRun;
        let (claim, dataset) = (claim.clone(), dataset.to_string());
        Self { claim, dataset, interval: None, seeds: [0, 0], verdict, p: None, corrected: verdict }
    }
}
