//! Every run that tables and figures need, and what the missing ones will cost.

use super::floor::Floor;
use super::{Needs, Paper, Reproduction};
use crate::file::subfolders;
use crate::run::{Places, RunId};
use crate::seed::Seed;
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Whether a paper's main table has a row without learning.
pub fn has_floor(paper: &dyn Paper, floor: Floor) -> bool {
    let rows = paper.tables().into_iter().next().map(|main| main.rows).unwrap_or_default();
    rows.iter().any(|row| row.row.as_deref() == Some(floor.row()))
}

/// The runs of some parts on some corpora, each once: the first seeds of all come before the second ones.
///
/// # Errors
/// A part that the paper does not have; a row that has no preset.
pub fn runs(paper: &dyn Reproduction, parts: &[&str], datasets: &[String], seeds: u64) -> Result<Vec<RunId>> {
    if let Some(other) = parts.iter().find(|part| !paper.parts().contains(part)) {
        return Err(Error::value(format!("part of {}", paper.slug()), paper.parts().join(", "), other));
    }
    let mut runs = Vec::new();
    for seed in (0..seeds).map(Seed) {
        for dataset in datasets {
            let mut seen = BTreeSet::new();
            for row in parts.iter().flat_map(|part| paper.rows(part, dataset)).filter(|row| seen.insert(row.clone())) {
                let run = RunId { slug: paper.slug().into(), dataset: dataset.clone(), row, seed };
                // A row that is not trained has nothing that a seed could change.
                if seed == Seed(0) || paper.needs_of(&run)?.is_trained {
                    runs.push(run);
                }
            }
        }
    }
    Ok(runs)
}

/// A run that cannot start yet.
#[derive(Debug)]
pub struct Waiting {
    /// The run.
    pub run: RunId,
    /// Which pre-trained weights it lacks, and how to get them.
    pub reason: Error,
}

/// Parts a plan in what can be run and what waits for pre-trained weights.
///
/// A run that is finished below `places.results` waits for nothing.
///
/// # Errors
/// A row that has no preset.
pub fn ready(paper: &dyn Reproduction, plan: Vec<RunId>, places: &Places) -> Result<(Vec<RunId>, Vec<Waiting>)> {
    let (mut ready, mut waiting) = (Vec::new(), Vec::new());
    for run in plan {
        let needs: Needs = paper.needs_of(&run)?;
        match needs.find(places) {
            Err(reason) if !run.folder(&places.results).is_finished() => waiting.push(Waiting { run, reason }),
            _ => ready.push(run),
        }
    }
    Ok((ready, waiting))
}

/// The cost of the runs of a plan on one corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The corpus.
    pub dataset: String,
    /// Runs that are finished.
    pub finished: usize,
    /// Runs that are missing.
    pub missing: usize,
    /// Seconds of those, as similar runs took where they were recorded; none where no run of the corpus was.
    pub seconds: Option<f64>,
    /// Missing runs of which no similar one was recorded: they count as the mean of the corpus.
    pub guessed: usize,
}

/// The mean time of the recorded trainings of a run's corpus; none where there is none.
fn usual(recorded: &Path, run: &RunId) -> Result<Option<f64>> {
    let rows = subfolders(&recorded.join(&run.slug).join(&run.dataset))?;
    let mut seconds = Vec::new();
    for row in rows {
        let folder = RunId { row, seed: Seed(0), ..run.clone() }.folder(recorded);
        if folder.is_finished() {
            let summary = folder.summary()?;
            seconds.extend(summary.selected_epoch.map(|_| summary.seconds));
        }
    }
    Ok((!seconds.is_empty()).then(|| seconds.iter().sum::<f64>() / seconds.len() as f64))
}

/// The missing runs below `results`, and the time that similar runs below `recorded` took.
///
/// # Errors
/// A record that cannot be read.
pub fn costs(plan: &[RunId], results: &Path, recorded: &Path) -> Result<Vec<Cost>> {
    let mut costs: BTreeMap<&str, Cost> = BTreeMap::new();
    for run in plan {
        let dataset = run.dataset.clone();
        let cost = costs.entry(&run.dataset);
        let cost = cost.or_insert(Cost { dataset, finished: 0, missing: 0, seconds: Some(0.0), guessed: 0 });
        if run.folder(results).is_finished() {
            cost.finished += 1;
            continue;
        }
        cost.missing += 1;
        let like = RunId { row: run.row.split('+').next().unwrap_or_default().into(), ..run.clone() };
        let folders = [run, &like].map(|run| RunId { seed: Seed(0), ..run.clone() }.folder(recorded));
        let seconds = folders.iter().find(|folder| folder.is_finished()).map(|folder| folder.summary()).transpose()?;
        let seconds = match seconds {
            Some(summary) => Some(summary.seconds),
            None => {
                cost.guessed += 1;
                usual(recorded, run)?
            }
        };
        cost.seconds = cost.seconds.zip(seconds).map(|(sum, own)| sum + own);
    }
    Ok(costs.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::tests::write_run;

    #[test]
    fn costs_are_those_of_similar_runs_or_of_the_corpus() {
        let place = tempfile::tempdir().unwrap();
        let run = |row: &str, seed| RunId { slug: "p".into(), dataset: "d".into(), row: row.into(), seed: Seed(seed) };
        let none = costs(&[run("a", 0)], place.path(), place.path()).unwrap();
        assert_eq!((none[0].missing, none[0].seconds, none[0].guessed), (1, None, 1));
        for (row, seconds) in [("a", 10.0), ("b", 30.0)] {
            let folder = run(row, 0).folder(place.path());
            write_run(&folder, &[1, 2]);
            folder.write_summary(&crate::run::Summary { seconds, ..folder.summary().unwrap() }).unwrap();
        }
        // Seed 1 of a and its variant as a took, c as the mean of both.
        let plan = [run("a", 0), run("a", 1), run("a+x=1", 0), run("c", 0)];
        let found = costs(&plan, place.path(), place.path()).unwrap();
        assert_eq!((found[0].finished, found[0].missing, found[0].seconds, found[0].guessed), (1, 3, Some(40.0), 1));
    }
}
