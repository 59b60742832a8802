//! The analyses of all corpora as one table: pairs of rows that are compared, the paper's numbers beside those measured.
//!
//! A paper writes down once, as a [`SummarySpec`], which rows are compared and which measures of them are shown. Its
//! numbers come from [`super::number`].

mod blame;
mod lines;
mod render;

pub use lines::lines;
pub use render::{markdown, write};

use crate::Result;
use crate::report::printed::Printed;
use crate::report::record::Run;
use crate::report::table::DatasetSpec;

/// The content of the table; written down once in a paper's module.
#[derive(Debug, Clone, Copy)]
pub struct SummarySpec {
    /// The printed tables of the paper.
    pub printed: Printed,
    /// The printed table that holds its numbers, with a column a row.
    pub table: &'static str,
    /// What distinguishes groups, and the name of its column in CSV.
    pub group: (&'static str, &'static str),
    /// The rows of every group, and the names of their columns in CSV and in the printed table; errors of the second are
    /// judged with the first.
    pub rows: [(&'static str, &'static str); 2],
    /// The groups of a corpus, from top to bottom.
    pub groups: fn(&DatasetSpec) -> Vec<SummaryGroup>,
    /// Measures of each group.
    pub measures: &'static [SummaryMeasure],
    /// Measures of training steps, below the groups.
    pub steps: &'static [StepMeasure],
    /// The note below the table.
    pub note: &'static str,
}

/// Two rows that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryGroup {
    /// Its name in the table.
    pub label: &'static str,
    /// The text in brackets behind its labels in the printed table; none for the group without one.
    pub printed: Option<&'static str>,
    /// The folders of its rows, in the order of [`SummarySpec::rows`].
    pub rows: [String; 2],
}

/// A number of a row.
#[derive(Debug, Clone, Copy)]
pub struct SummaryMeasure {
    /// Its name; a percentage ends in ` (%)`, which its label in the printed table does not.
    pub what: &'static str,
    /// The analysis that it is computed from.
    pub analysis: &'static str,
    /// The number as text, of the runs that were analysed.
    pub tell: fn(&[&Run]) -> Result<String>,
}

/// A number of a training step of several rows, each its mean over the steps of the first run that was analysed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMeasure {
    /// Its name, with the rows.
    pub what: &'static str,
    /// The rows, in the order that `what` says.
    pub rows: &'static [&'static str],
    /// The analysis and its column.
    pub column: [&'static str; 2],
    /// The divisor of the column's numbers.
    pub unit: f64,
    /// Digits after the point.
    pub decimals: usize,
}

/// A number of both rows of a group on a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryLine {
    /// [`DatasetSpec::label`].
    pub dataset: String,
    /// [`SummaryGroup::label`].
    pub group: &'static str,
    /// The name of the measure, with its unit.
    pub what: &'static str,
    /// Both rows in the paper, as printed.
    pub paper: [Option<String>; 2],
    /// Both rows as measured; a measure of one row alone has one.
    pub found: [Option<String>; 2],
    /// Seeds of either.
    pub seeds: [usize; 2],
}

#[cfg(test)]
mod tests;
