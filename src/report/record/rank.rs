//! The ranks of a run, and the summary of them.

use super::Run;
use crate::metric::acc_at;
use crate::run::Rank;
use crate::{Error, Result};
use std::path::Path;

/// `ranks` sorted by query: each query once, each rank in its own gallery, or in the one of all.
pub(in crate::report) fn check_ranks(path: &Path, ranks: &[Rank], gallery: usize) -> Result<()> {
    if ranks.is_empty() {
        return Err(Error::data(path, "a line a query", "none"));
    }
    if let Some(pair) = ranks.windows(2).find(|pair| pair[0].query == pair[1].query) {
        return Err(Error::data(path, "every query once", format!("query {} twice", pair[0].query)));
    }
    let own = |rank: &Rank| rank.gallery.map_or(gallery, |own| own as usize);
    if let Some(bad) = ranks.iter().find(|rank| own(rank) > gallery) {
        let found = format!("{} of query {}", own(bad), bad.query);
        return Err(Error::data(path, format!("galleries of {gallery} photos at most, as in summary.json"), found));
    }
    match ranks.iter().find(|rank| rank.rank == 0 || rank.rank as usize > own(rank)) {
        Some(bad) => {
            let expected = format!("ranks in 1 to {}", own(bad));
            Err(Error::data(path, expected, format!("{} of query {}", bad.rank, bad.query)))
        }
        None => Ok(()),
    }
}

/// What the summary says of the ranks, and the log of the test part.
pub(super) fn check_summary(run: &Run) -> Result<()> {
    let (path, summary) = (run.folder.0.join("summary.json"), &run.summary);
    if summary.queries != run.ranks.len() {
        return Err(Error::data(path, format!("queries {}, as in ranks.csv", run.ranks.len()), summary.queries));
    }
    check_counts(run)?;
    let values = run.values();
    for (name, k, said) in [("acc1", 1, summary.acc1), ("acc5", 5, summary.acc5), ("acc10", 10, summary.acc10)] {
        let found = acc_at(&values, k)?;
        // One query of a million is 1e-4 points: anything further off is another set of ranks.
        if (found - said).abs() > 1e-6 || said.is_nan() {
            return Err(Error::data(path, format!("{name} {found}, as in ranks.csv"), said));
        }
    }
    Ok(())
}

/// Where all queries share one gallery they are the whole test part; else a gallery may leave some out.
fn check_counts(run: &Run) -> Result<()> {
    let [photos, sketches] = run.origin.header.counts.get("test").copied().unwrap_or_default();
    let (queries, gallery) = (run.summary.queries, run.summary.gallery);
    let is_whole = run.ranks.iter().all(|rank| rank.gallery.is_none());
    let fits =
        if is_whole { [gallery, queries] == [photos, sketches] } else { gallery <= photos && queries <= sketches };
    if fits {
        return Ok(());
    }
    let most = if is_whole { "" } else { "at most " };
    let expected = format!("{most}{sketches} queries of {photos} photos, the test part in log.jsonl");
    Err(Error::data(run.folder.0.join("summary.json"), expected, format!("{queries} of {gallery}")))
}
