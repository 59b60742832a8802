//! Ranks while a sketch is being drawn, which a run records beside those of whole sketches.

use crate::report::analysis::Samples;
use crate::report::record::{Run, check_ranks};
use crate::run::Rank;
use crate::{Error, Result};

/// Percentages drawn that [`EARLY_ACC1`](super::EARLY_ACC1) averages: the steps of ten before the sketch is whole.
pub const EARLY: [u32; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];

/// Own photo first, query by query: the mean over [`EARLY`]; empty where the run did not record it.
pub(super) fn early(run: &Run) -> Result<Samples> {
    let steps = read_early(run)?;
    let (mut values, mut groups) = (Vec::new(), Vec::new());
    if !steps.is_empty() {
        (values, groups) = (vec![0.0; run.ranks.len()], run.photos());
        for percent in EARLY {
            let ranks = steps.iter().find(|(found, _)| *found == percent).map(|(_, ranks)| ranks);
            let ranks = ranks.ok_or_else(|| {
                Error::data(run.folder.0.join("early.csv"), format!("{percent} percent drawn"), "no such line")
            })?;
            for (value, rank) in values.iter_mut().zip(ranks) {
                let hit = if rank.rank == 1 { 100.0 } else { 0.0 };
                *value += hit / EARLY.len() as f64;
            }
        }
    }
    Ok(Samples { values, groups })
}

/// The ranks at each percentage drawn, every step sorted by query; empty where the run recorded none.
///
/// # Errors
/// Steps with other queries than the run's, or ranks outside the gallery.
pub fn read_early(run: &Run) -> Result<Vec<(u32, Vec<Rank>)>> {
    let path = run.folder.0.join("early.csv");
    let mut steps = run.folder.early()?;
    for (percent, ranks) in &mut steps {
        ranks.sort_by_key(|rank| rank.query);
        check_ranks(&path, ranks, run.summary.gallery)?;
        let key = |rank: &Rank| (rank.query, rank.photo);
        if !ranks.iter().map(key).eq(run.ranks.iter().map(key)) {
            let expected = format!("the {} queries of ranks.csv at {percent} percent", run.ranks.len());
            let found = match ranks.iter().zip(&run.ranks).find(|(found, wanted)| key(found) != key(wanted)) {
                Some((found, wanted)) => {
                    format!("query {} of photo {} and not {:?}", found.query, found.photo, key(wanted))
                }
                None => format!("{} queries", ranks.len()),
            };
            return Err(Error::data(&path, expected, found));
        }
    }
    Ok(steps)
}
