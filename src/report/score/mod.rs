//! The metrics that tables and claims name: a table of them, and what each scores query by query or sample by sample.
//!
//! [`METRICS`] are those of every paper. A metric that only one paper has is a [`Metric`] in its folder, which its
//! [`Printed`](super::printed::Printed) hands in.

mod early;
mod list;
mod masked;
#[cfg(test)]
pub(crate) mod tests;

pub use early::{EARLY, read_early};
pub use list::{
    ACC1, ACC5, ACC10, AROUND, DROP, EARLY_ACC1, MEMORY, METRICS, RISE, SEPARATION, SMOOTHNESS, SMOOTHNESS_HOG, SPREAD,
    SPREAD_EARLY, SPREAD_LATE, TIME, WANDER,
};
pub(in crate::report) use masked::drawn;
pub use masked::{
    ACC1_MASKED_30, ACC1_MASKED_50, ACC1_MASKED_70, ACC10_MASKED_30, ACC10_MASKED_50, ACC10_MASKED_70, LOST1_30,
    LOST1_50, LOST10_30, LOST10_50, read_masked,
};

use super::analysis::{Folder, Samples};
use super::record::Run;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fmt;

/// A number that a row is judged by.
#[derive(Clone, Copy)]
pub struct Metric {
    /// Its column in `data/papers` and its name in `claims.csv`: unique.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The analysis of a run that it is computed from; none for what a run records itself.
    pub file: Option<&'static str>,
    /// What an interval is over, beside the seeds of rows that have several.
    pub units: &'static str,
    /// Whether a difference is told in percent of the second row's mean: numbers without a scale of their own.
    pub is_relative: bool,
    /// Whether it differs from training to training; what a step takes does not.
    pub differs_by_training: bool,
    /// Reads the samples of a run, with `file` there; no value where the run did not record it.
    pub sample: fn(&Run) -> Result<Samples>,
}

impl Metric {
    /// The metric of a name, among [`METRICS`] and those of a paper.
    ///
    /// # Errors
    /// No such metric.
    ///
    /// ```
    /// use retrace::report::score::{ACC5, Metric};
    /// assert_eq!(Metric::find("acc5", &[])?, &ACC5);
    /// assert!(Metric::find("acc6", &[]).unwrap_err().to_string().contains("acc5, acc10"));
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn find(name: &str, own: &[&'static Self]) -> Result<&'static Self> {
        let all = || METRICS.iter().chain(own).copied();
        let known = || all().map(|metric| metric.name).collect::<Vec<_>>().join(", ");
        all().find(|metric| metric.name == name).ok_or_else(|| Error::value("metric", known(), name))
    }

    /// The samples of a run: queries, draws of directions, epochs, steps or rounds; none where there is no record of it.
    ///
    /// # Errors
    /// A file that cannot be read, or that is of other queries than the run.
    pub fn samples(&self, run: &Run) -> Result<Option<Samples>> {
        if self.file.is_some_and(|file| !Folder::of(&run.folder).has(file)) {
            return Ok(None);
        }
        Ok(Some((self.sample)(run)?).filter(|samples| !samples.values.is_empty()))
    }
}

/// The scores of a row's trainings by their seeds, one a sample.
pub(in crate::report) type BySeed = BTreeMap<u64, Vec<f64>>;

/// What the runs of a row scored.
pub(in crate::report) struct RowScores {
    /// Seed by seed.
    pub by_seed: BySeed,
    /// The group of every sample: the same for all seeds.
    pub groups: Vec<u32>,
}

impl Metric {
    /// The scores of those runs of a row that recorded it; none where there is no such run.
    ///
    /// # Errors
    /// As [`Metric::samples`]; runs of other samples, as they are averaged sample by sample.
    pub(in crate::report) fn scores(&self, runs: &[Run]) -> Result<Option<RowScores>> {
        let mut by_seed = BySeed::new();
        let mut first: Option<(&Run, Vec<u32>)> = None;
        for run in runs {
            let Some(Samples { values, groups }) = self.samples(run)? else { continue };
            match &first {
                Some((other, own)) if *own != groups => return Err(self.other_samples((other, own), (run, &groups))),
                Some(_) => {}
                None => first = Some((run, groups)),
            }
            by_seed.insert(run.seed, values);
        }
        Ok(first.map(|(_, groups)| RowScores { by_seed, groups }))
    }

    /// Two runs with other samples, each with its groups.
    fn other_samples(&self, first: (&Run, &[u32]), other: (&Run, &[u32])) -> Error {
        let (units, wanted, found) = (self.units, first.1.len(), other.1.len());
        let expected = format!("as many {units} as in {} ({wanted} samples)", first.0.folder.0.display());
        let found = match first.1.iter().zip(other.1).position(|(one, other)| one != other) {
            Some(at) => format!("{found} samples, number {at} in group {} and not {}", other.1[at], first.1[at]),
            None => format!("{found} samples"),
        };
        Error::data(&other.0.folder.0, expected, found)
    }
}

/// Metrics of one name are one metric.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Metric({})", self.name)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
