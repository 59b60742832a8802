//! The records of one corpus in a paper's folder: its rows by name.

use super::analysis::Folder;
use super::record::{Run, read_row};
use super::table::{Measured, measure};
use crate::Result;
use crate::run::RunFolder;
use crate::seed::Seed;
use std::path::Path;

/// Where the rows of a corpus are: `<results>/<slug>/<dataset>/<row>`.
///
/// ```
/// use retrace::report::records::Records;
/// let none = Records { results: "nowhere".as_ref(), slug: "toy", dataset: "chair" };
/// assert!(none.runs("row")?.is_empty() && none.measured("row")?.is_none());
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Records<'a> {
    /// The folder of all results.
    pub results: &'a Path,
    /// The paper's folder in it.
    pub slug: &'a str,
    /// The corpus' folder in that.
    pub dataset: &'a str,
}

impl Records<'_> {
    /// The finished runs of a row, by rising seed.
    ///
    /// # Errors
    /// As [`read_row`].
    pub fn runs(&self, row: &str) -> Result<Vec<Run>> {
        read_row(self.results, self.slug, self.dataset, row)
    }

    /// Mean and deviation over the seeds of a row; none where it has no finished run.
    ///
    /// # Errors
    /// As [`Records::runs`].
    pub fn measured(&self, row: &str) -> Result<Option<Measured>> {
        measure(&self.runs(row)?)
    }

    /// The analyses of a row's first seed, if the given one is among them.
    pub fn first_analysed(&self, row: &str, name: &str) -> Option<Folder> {
        let run = RunFolder::of(self.results, self.slug, self.dataset, row, Seed(0));
        Some(Folder::of(&run)).filter(|folder| folder.has(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;
    use crate::report::record::tests::{folder, write_run};

    #[test]
    fn first_analysed_is_of_seed_0_and_of_the_analysis_asked_for() {
        let place = tempfile::tempdir().unwrap();
        let records = Records { results: place.path(), slug: "p", dataset: "d" };
        let put = |seed| {
            let run = folder(place.path(), "d", "r", seed);
            write_run(&run, &[1, 2]);
            write_atomic(&run.0.join("analysis/early.csv"), b"percent,rank\n50,1\n").unwrap();
            Folder::of(&run)
        };
        put(1);
        assert_eq!(records.first_analysed("r", "early"), None);
        let first = put(0);
        assert_eq!(records.first_analysed("r", "early"), Some(first));
        assert_eq!(records.first_analysed("r", "landscape"), None);
        assert_eq!(records.measured("r").unwrap().unwrap().seeds, 2);
    }
}
