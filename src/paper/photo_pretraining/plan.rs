//! Every run that tables and figures stand on, and what the missing ones will cost.

use super::bench::{source_path, weights_path};
use super::table::{BETAS, EMBEDDED, PRETRAININGS, Pretraining, base, tables, weighed};
use super::{Config, Query, SLUG, Update};
use crate::run::{Places, RunConfig};
use crate::seed::Seed;
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a run is for: the names of tables, and of the figures that need runs of their own.
pub const PARTS: [&str; 8] = ["main", "table1", "table2", "table3", "strength", "fig2", "table4", "fig3"];

/// The rows of a part that are trained or ranked on a corpus, floors left out, from the top down.
///
/// CLIP learns from photos with words, which the photos of the real corpora do not have: its rows are not theirs.
///
/// ```
/// use retrace::paper::photo_pretraining::plan::rows;
/// assert_eq!(rows("main", "synth-chair"), ["zero-shot", "ours-base", "ours"]);
/// assert_eq!(rows("table4", "synth-chair").len(), 5 + 25); // Ours-Base, Ours
/// assert_eq!(rows("table4", "qmul-chair-v2").len(), 4 + 16);
/// assert_eq!(rows("fig3", "synth-chair").len(), 5 + 25); // each pre-training beside its Ours-Base
/// assert!(rows("table4", "qmul-shoe-v1").is_empty()); // the paper fills it for Chair-V2 and Shoe-V2
/// ```
pub fn rows(part: &str, dataset: &str) -> Vec<String> {
    let needs_words = |row: &String| row.contains("=clip");
    let mut rows = every_row(part, dataset);
    rows.retain(|row| EMBEDDED.contains(&dataset) || !needs_words(row));
    rows
}

fn every_row(part: &str, dataset: &str) -> Vec<String> {
    let betas = |weights: Option<&str>, query| BETAS.map(|beta| weighed(weights, query, beta));
    match part {
        "fig2" => {
            let swept = [Query::Photo, Query::Sketch].into_iter().flat_map(|query| betas(None, query));
            ["ours-base".to_string()].into_iter().chain(swept).collect()
        }
        "fig3" => {
            let swept = |own: &Pretraining| [base(*own)].into_iter().chain(betas(own.weights, Query::Sketch));
            PRETRAININGS.iter().flat_map(swept).collect()
        }
        name => {
            let spec = tables().into_iter().find(|spec| spec.name == name);
            let is_on = spec.iter().any(|spec| spec.datasets.iter().any(|on| on.name == dataset));
            let rows = spec.into_iter().filter(|_| is_on).flat_map(|spec| spec.rows);
            let here = rows.filter(|row| row.only.is_empty() || row.only.contains(&dataset));
            here.filter_map(|row| row.row).filter(|row| row != "pixels" && row != "hog").collect()
        }
    }
}

/// The runs of some parts on some corpora, each once: the first seeds of all come before the second ones.
///
/// # Errors
/// A row that has no preset.
pub fn runs(parts: &[&str], datasets: &[String], seeds: u64) -> Result<Vec<RunConfig<Config>>> {
    let mut runs = Vec::new();
    for seed in (0..seeds).map(Seed) {
        for dataset in datasets {
            let mut seen = BTreeSet::new();
            for row in parts.iter().flat_map(|part| rows(part, dataset)).filter(|row| seen.insert(row.clone())) {
                let config = Config::preset(dataset, &row)?;
                let run = RunConfig { slug: SLUG.into(), dataset: dataset.clone(), row, seed, config };
                // A row that is not trained has nothing that a seed could change.
                if seed == Seed(0) || run.config.update != Update::ZeroShot {
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
    pub run: RunConfig<Config>,
    /// Which pre-trained weights it lacks, and how to get them.
    pub reason: Error,
}

/// Parts a plan in what can be run and what waits for pre-trained weights.
///
/// A run that is finished below `places.results` waits for nothing.
pub fn ready(plan: Vec<RunConfig<Config>>, places: &Places) -> (Vec<RunConfig<Config>>, Vec<Waiting>) {
    let (mut ready, mut waiting) = (Vec::new(), Vec::new());
    for run in plan {
        let found = weights_path(&run.config, places).and_then(|_| source_path(&run.config, places));
        match found {
            Err(reason) if !run.folder(&places.results).is_finished() => waiting.push(Waiting { run, reason }),
            _ => ready.push(run),
        }
    }
    (ready, waiting)
}

/// What the runs of a plan on one corpus will cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The corpus.
    pub dataset: String,
    /// Runs that are finished.
    pub finished: usize,
    /// Runs that are missing.
    pub missing: usize,
    /// Seconds of those, as like runs took where they were recorded; none where no such run was recorded.
    pub seconds: Option<f64>,
}

/// What is missing below `results`, and how long like runs below `recorded` took.
///
/// # Errors
/// A record that does not read.
pub fn costs(plan: &[RunConfig<Config>], results: &Path, recorded: &Path) -> Result<Vec<Cost>> {
    let mut costs: BTreeMap<&str, Cost> = BTreeMap::new();
    for run in plan {
        let dataset = run.dataset.clone();
        let cost = costs.entry(&run.dataset);
        let cost = cost.or_insert(Cost { dataset, finished: 0, missing: 0, seconds: Some(0.0) });
        if run.folder(results).is_finished() {
            cost.finished += 1;
            continue;
        }
        cost.missing += 1;
        let like = RunConfig { row: run.row.split('+').next().unwrap_or_default().into(), ..run.clone() };
        let folders = [run, &like].map(|run| RunConfig { seed: Seed(0), ..run.clone() }.folder(recorded));
        let seconds = folders.iter().find(|folder| folder.is_finished()).map(|folder| folder.summary()).transpose()?;
        cost.seconds = cost.seconds.zip(seconds).map(|(sum, summary)| sum + summary.seconds);
    }
    Ok(costs.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Summary;

    #[test]
    fn every_run_stands_once_and_first_seeds_come_first() {
        let plan = runs(&PARTS, &["synth-chair".into(), "synth-shoe".into()], 3).unwrap();
        let folders: std::collections::BTreeSet<_> = plan.iter().map(|run| run.folder(Path::new("")).0).collect();
        assert_eq!(folders.len(), plan.len());
        assert!(plan.windows(2).all(|pair| pair[0].seed.0 <= pair[1].seed.0));
        // main 3; table 1 adds 2; table 2 8; table 3 9; strength 2; Fig. 2 9; table 4 20; Fig. 3 20.
        assert_eq!(plan.iter().filter(|run| run.dataset == "synth-chair" && run.seed == Seed(0)).count(), 73);
        assert_eq!(plan.iter().filter(|run| run.row == "zero-shot").count(), 2);
    }

    #[test]
    fn claims_are_about_rows_of_the_plan() {
        for claim in crate::report::claim::Claim::read_all(&super::super::PRINTED).unwrap() {
            let dataset = claim.dataset.as_deref().unwrap();
            let known: Vec<String> = PARTS.iter().flat_map(|part| rows(part, dataset)).collect();
            let rows = [&claim.row_a, &claim.row_b].into_iter().flat_map(|side| crate::report::claim::rows(side));
            for row in rows.map(|row| row.split('@').next().unwrap().to_string()) {
                assert!(known.contains(&row), "{}: {row} on {dataset}", claim.id);
            }
        }
    }

    #[test]
    fn runs_without_weights_wait_and_hold_up_no_other() {
        let place = tempfile::tempdir().unwrap();
        // Those of real data, which may lie beside the shipped ones, are not there.
        let pretrained = place.path().join("checkpoints/pretrained");
        std::fs::create_dir_all(&pretrained).unwrap();
        for name in ["attributes", "jigsaw", "barlow-twins", "clip", "obow"] {
            std::fs::write(pretrained.join(format!("mini-{name}.safetensors")), "").unwrap();
        }
        let [shipped, results, figures, weights, cache] = [(); 5].map(|()| place.path().to_path_buf());
        let places = Places { results, figures, shipped, data: None, weights, cache };
        let datasets = ["synth-chair".into(), "qmul-chair-v2".into()];
        let (ready, waiting) = ready(runs(&["table2"], &datasets, 1).unwrap(), &places);
        assert!(ready.len() == 10 && ready.iter().all(|run| run.dataset == "synth-chair"));
        let reason = |row: &str| {
            waiting
                .iter()
                .find(|waiting| waiting.run.row == row)
                .map(|found| found.reason.to_string())
                .unwrap_or_default()
        };
        assert!(reason("ours").contains("efficientnet-lite0-imagenet"), "{}", reason("ours"));
        assert!(reason("ours+weights=obow").contains("efficientnet-lite0-obow"), "{}", reason("ours+weights=obow"));
        assert!(waiting.len() == 8 && reason("ours+weights=clip").is_empty()); // CLIP is not in the plan there
        let done = RunConfig { seed: Seed(0), ..waiting[0].run.clone() };
        std::fs::create_dir_all(done.folder(place.path()).0).unwrap();
        std::fs::write(done.folder(place.path()).0.join("summary.json"), "{}").unwrap();
        assert_eq!(super::ready(vec![done], &places).0.len(), 1);
    }

    #[test]
    fn costs_follow_like_runs() {
        let place = tempfile::tempdir().unwrap();
        let plan = runs(&["table3"], &["synth-chair".into()], 1).unwrap();
        assert_eq!(costs(&plan, place.path(), place.path()).unwrap()[0].seconds, None);
        let ours = plan.iter().find(|run| run.row == "ours").unwrap();
        let (seconds, select_on) = (10.0, "none".to_string());
        let summary = Summary {
            acc1: 0.0,
            acc5: 0.0,
            acc10: 0.0,
            queries: 1,
            gallery: 1,
            selected_epoch: None,
            select_on,
            seconds,
        };
        ours.folder(place.path()).write_summary(&summary).unwrap();
        let cost = &costs(&plan, place.path(), place.path()).unwrap()[0];
        assert_eq!((cost.finished, cost.missing, cost.seconds), (1, 9, Some(90.0)));
    }
}
