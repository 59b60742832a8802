//! The finished runs of a row, and whether their records can be believed.
//!
//! Tables, claims, figures, costs, releases and the checks of checkpoints all read a run by [`read_run`] or [`read_row`]:
//! so a record that contradicts itself, its folder or another seed is an error wherever it is used.
//!
//! | part | what it checks |
//! |---|---|
//! | `origin` | folder, `config.json` and `log.jsonl` are of one run, and the log is whole |
//! | `rank` | `ranks.csv`: every query once, every rank in its gallery; `summary.json` says what the ranks say |
//! | `row` | runs that are averaged differ in their seed alone, and are not copies |
//! | `below` | every record below a folder, for `retrace check` |

mod below;
mod origin;
mod rank;
mod row;
#[cfg(test)]
pub(crate) mod tests;

pub use below::{Inspected, inspect};
pub use origin::Origin;
pub(super) use rank::check_ranks;
pub use row::check_same_queries;

use crate::Result;
use crate::file::subfolders;
use crate::run::{Rank, RunFolder, Summary};
use std::path::Path;

/// One finished run, checked by [`read_run`].
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Where it is.
    pub folder: RunFolder,
    /// From the folder's name.
    pub seed: u64,
    /// Sorted by query.
    pub ranks: Vec<Rank>,
    /// The run's own summary.
    pub summary: Summary,
    /// Its settings and its log.
    pub origin: Origin,
}

impl Run {
    /// The bare ranks, in the order of [`Run::ranks`].
    pub fn values(&self) -> Vec<u32> {
        self.ranks.iter().map(|rank| rank.rank).collect()
    }

    /// The photo that each query shows, in the order of [`Run::ranks`].
    pub fn photos(&self) -> Vec<u32> {
        self.ranks.iter().map(|rank| rank.photo).collect()
    }
}

/// Reads every finished run of a row, by rising seed; an unfinished one (no `summary.json`) does not count.
///
/// # Errors
/// A folder that is not called `seed<number>`; a run that [`read_run`] refuses; seeds with different queries, settings,
/// data or weights, or with the same ranks, as a copy has.
pub fn read_row(results: &Path, slug: &str, dataset: &str, row: &str) -> Result<Vec<Run>> {
    let folders = seed_folders(&results.join(slug).join(dataset).join(row))?;
    let runs = folders.iter().filter(|folder| folder.is_finished()).map(read_run).collect::<Result<Vec<Run>>>()?;
    row::check_row(&runs)?;
    Ok(runs)
}

/// Reads a finished run and checks its record.
///
/// # Errors
/// A missing or malformed file; a folder, a `config.json` and a `log.jsonl` that are not of one run; a log that is not
/// whole; no query, a query listed twice, a rank outside the gallery; a summary that ranks and log do not confirm. The file
/// is named.
pub fn read_run(folder: &RunFolder) -> Result<Run> {
    let id = folder.id()?;
    let (mut ranks, summary) = (folder.ranks()?, folder.summary()?);
    ranks.sort_by_key(|rank| rank.query);
    let origin = Origin::read(folder, &id)?;
    let run = Run { folder: folder.clone(), seed: id.seed.0, ranks, summary, origin };
    rank::check_ranks(&folder.0.join("ranks.csv"), &run.ranks, run.summary.gallery)?;
    rank::check_summary(&run)?;
    run.origin.check_training(folder, &run.summary)?;
    Ok(run)
}

fn seed_folders(row: &Path) -> Result<Vec<RunFolder>> {
    let folders = subfolders(row)?.into_iter().map(|name| RunFolder(row.join(name)));
    let mut found = folders.map(|folder| Ok((folder.id()?.seed.0, folder))).collect::<Result<Vec<_>>>()?;
    found.sort_by_key(|(seed, _)| *seed);
    Ok(found.into_iter().map(|(_, folder)| folder).collect())
}
