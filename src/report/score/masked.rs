//! Ranks with parts of the sketches left out, which some papers record beside those of whole sketches.

use super::Metric;
use crate::report::analysis::Samples;
use crate::report::analysis::sample::hits;
use crate::report::record::{Run, check_ranks};
use crate::run::{MaskedRanks, Rank};
use crate::{Error, Result};

/// The masked ranks of a run, every draw sorted by query; empty where it recorded none.
///
/// # Errors
/// Draws with other queries than the run's, or ranks outside the gallery.
pub fn read_masked(run: &Run) -> Result<Vec<MaskedRanks>> {
    let (path, mut draws) = (run.folder.0.join("masked.csv"), run.folder.masked()?);
    for draw in &mut draws {
        draw.ranks.sort_by_key(|rank| rank.query);
        check_ranks(&path, &draw.ranks, run.summary.gallery)?;
        let key = |rank: &Rank| (rank.query, rank.photo);
        if !draw.ranks.iter().map(key).eq(run.ranks.iter().map(key)) {
            let expected = format!("the {} queries of ranks.csv at {} percent", run.ranks.len(), draw.percent);
            return Err(Error::data(&path, expected, format!("{} others", draw.ranks.len())));
        }
    }
    Ok(draws)
}

/// The runs of the draws of a share: each with its own ranks.
pub(in crate::report) fn drawn(run: &Run, percent: u32) -> Result<Vec<Run>> {
    let own = read_masked(run)?.into_iter().filter(|draw| draw.percent == percent);
    Ok(own.map(|draw| Run { ranks: draw.ranks, ..run.clone() }).collect())
}

/// Own photo among the first K, query by query: the mean over the draws; empty where the run did not record the share.
fn masked<const K: u32, const PERCENT: u32>(run: &Run) -> Result<Samples> {
    let draws = drawn(run, PERCENT)?;
    if draws.is_empty() {
        return Ok(Samples { values: Vec::new(), groups: Vec::new() });
    }
    let mut mean = vec![0.0; run.ranks.len()];
    for draw in &draws {
        mean.iter_mut().zip(hits(draw, K).values).for_each(|(mean, hit)| *mean += hit / draws.len() as f64);
    }
    Ok(Samples { values: mean, groups: run.photos() })
}

/// What is lost of whole sketches' hits, query by query.
fn lost<const K: u32, const PERCENT: u32>(run: &Run) -> Result<Samples> {
    let left = masked::<K, PERCENT>(run)?;
    let values = hits(run, K).values.iter().zip(&left.values).map(|(whole, left)| whole - left).collect();
    Ok(Samples { values, ..left })
}

const fn metric(name: &'static str, title: &'static str, sample: fn(&Run) -> Result<Samples>) -> Metric {
    Metric { name, title, file: None, units: "photos", is_relative: false, differs_by_training: true, sample }
}

/// Own photo first, with 30 percent of the sketch's objects or strokes left out; mean over the draws.
pub static ACC1_MASKED_30: Metric = metric("acc1-masked30", "Acc@1, 30% left out", masked::<1, 30>);
/// With 50 percent left out.
pub static ACC1_MASKED_50: Metric = metric("acc1-masked50", "Acc@1, 50% left out", masked::<1, 50>);
/// With 70 percent left out.
pub static ACC1_MASKED_70: Metric = metric("acc1-masked70", "Acc@1, 70% left out", masked::<1, 70>);
/// Own photo among the first ten, with 30 percent left out.
pub static ACC10_MASKED_30: Metric = metric("acc10-masked30", "Acc@10, 30% left out", masked::<10, 30>);
/// With 50 percent left out.
pub static ACC10_MASKED_50: Metric = metric("acc10-masked50", "Acc@10, 50% left out", masked::<10, 50>);
/// With 70 percent left out.
pub static ACC10_MASKED_70: Metric = metric("acc10-masked70", "Acc@10, 70% left out", masked::<10, 70>);
/// Points of Acc@1 that are lost to 30 percent left out. Lower is better, as of those below.
pub static LOST1_30: Metric = metric("lost1-masked30", "points of Acc@1 lost to 30% left out", lost::<1, 30>);
/// To 50 percent.
pub static LOST1_50: Metric = metric("lost1-masked50", "points of Acc@1 lost to 50% left out", lost::<1, 50>);
/// Points of Acc@10 that are lost to 30 percent left out.
pub static LOST10_30: Metric = metric("lost10-masked30", "points of Acc@10 lost to 30% left out", lost::<10, 30>);
/// To 50 percent.
pub static LOST10_50: Metric = metric("lost10-masked50", "points of Acc@10 lost to 50% left out", lost::<10, 50>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::{read_row, tests::*};
    use std::path::Path;

    fn run_with(results: &Path, ranks: &[u32]) -> Run {
        write_run(&folder(results, "d", "r", 0), ranks);
        read_row(results, "p", "d", "r").unwrap().remove(0)
    }

    #[test]
    fn masked_hits_are_the_mean_over_draws() {
        let place = tempfile::tempdir().unwrap();
        let run = run_with(place.path(), &[1, 1, 12]);
        assert!(ACC1_MASKED_30.samples(&run).unwrap().is_none());
        let draw = |percent, version, ranks: [u32; 3]| MaskedRanks {
            percent,
            version,
            ranks: run.ranks.iter().zip(ranks).map(|(own, rank)| Rank { rank, ..*own }).collect(),
        };
        run.folder.write_masked(&[draw(30, 0, [1, 2, 3]), draw(30, 1, [1, 1, 20])]).unwrap();
        let values = |metric: &Metric| metric.samples(&run).unwrap().map(|samples| samples.values);
        assert_eq!(values(&ACC1_MASKED_30).unwrap(), [100.0, 50.0, 0.0]);
        assert_eq!(values(&ACC10_MASKED_30).unwrap(), [100.0, 100.0, 50.0]);
        assert_eq!(values(&LOST1_30).unwrap(), [0.0, 50.0, 0.0]);
        assert_eq!(values(&LOST10_30).unwrap(), [0.0, 0.0, -50.0]);
        assert_eq!(values(&ACC1_MASKED_50), None);
    }

    #[test]
    fn masked_ranks_of_other_queries_are_named() {
        let place = tempfile::tempdir().unwrap();
        let run = run_with(place.path(), &[1, 2]);
        let ranks = vec![Rank { query: 77, ..run.ranks[0] }, run.ranks[1]];
        run.folder.write_masked(&[MaskedRanks { percent: 30, version: 0, ranks }]).unwrap();
        assert!(read_masked(&run).unwrap_err().to_string().contains("the 2 queries of ranks.csv at 30 percent"));
    }
}
