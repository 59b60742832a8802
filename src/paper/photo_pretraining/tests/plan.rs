//! The runs that the tables stand on.

use crate::experiment::plan::{costs, ready, runs};
use crate::paper::photo_pretraining::table::{PARTS, rows};
use crate::paper::photo_pretraining::{PRINTED, PhotoPretraining};
use crate::report::claim::{Claim, rows as side_rows};
use crate::run::{Places, RunId, Summary};
use crate::seed::Seed;
use std::path::Path;

#[test]
fn every_run_stands_once_and_first_seeds_come_first() {
    let plan = runs(&PhotoPretraining, &PARTS, &["synth-chair".into(), "synth-shoe".into()], 3).unwrap();
    let folders: std::collections::BTreeSet<_> = plan.iter().map(|run| run.folder(Path::new("")).0).collect();
    assert_eq!(folders.len(), plan.len());
    assert!(plan.windows(2).all(|pair| pair[0].seed.0 <= pair[1].seed.0));
    // main 3; table 1 adds 3; table 2 8; table 3 9; strength 2; descent 5; recipe 14; Fig. 2 9; table 4 20; Fig. 3 20.
    assert_eq!(plan.iter().filter(|run| run.dataset == "synth-chair" && run.seed == Seed(0)).count(), 93);
    assert_eq!(plan.iter().filter(|run| run.row == "zero-shot").count(), 2);
}

#[test]
fn claims_are_about_rows_of_the_plan() {
    for claim in Claim::read_all(&PRINTED).unwrap() {
        let dataset = claim.dataset.as_deref().unwrap();
        let known: Vec<String> = PARTS.iter().flat_map(|part| rows(part, dataset)).collect();
        let rows = [&claim.row_a, &claim.row_b].into_iter().flat_map(|side| side_rows(side));
        for row in rows.map(|row| row.split('@').next().unwrap().to_string()) {
            assert!(known.contains(&row), "{}: {row} on {dataset}", claim.id);
        }
    }
}

#[test]
fn runs_without_weights_wait_and_hold_up_no_other() {
    let place = tempfile::tempdir().unwrap();
    // Weights of real data, which may lie beside the shipped ones, are missing here.
    let pretrained = place.path().join("checkpoints/pretrained");
    std::fs::create_dir_all(&pretrained).unwrap();
    for name in ["attributes", "jigsaw", "barlow-twins", "clip", "obow"] {
        std::fs::write(pretrained.join(format!("mini-{name}.safetensors")), "").unwrap();
    }
    let [shipped, results, figures, weights, cache] = [(); 5].map(|()| place.path().to_path_buf());
    let places = Places { results, figures, shipped, data: None, weights, cache };
    let datasets = ["synth-chair".into(), "qmul-chair-v2".into()];
    let (now, waiting) =
        ready(&PhotoPretraining, runs(&PhotoPretraining, &["table2"], &datasets, 1).unwrap(), &places).unwrap();
    assert!(now.len() == 10 && now.iter().all(|run| run.dataset == "synth-chair"));
    let reason = |row: &str| {
        waiting.iter().find(|waiting| waiting.run.row == row).map(|found| found.reason.to_string()).unwrap_or_default()
    };
    assert!(reason("ours").contains("efficientnet-lite0-imagenet"), "{}", reason("ours"));
    assert!(reason("ours+weights=obow").contains("efficientnet-lite0-obow"), "{}", reason("ours+weights=obow"));
    assert!(waiting.len() == 8 && reason("ours+weights=clip").is_empty()); // CLIP is not in the plan there
    let done = RunId { seed: Seed(0), ..waiting[0].run.clone() };
    std::fs::create_dir_all(done.folder(place.path()).0).unwrap();
    std::fs::write(done.folder(place.path()).0.join("summary.json"), "{}").unwrap();
    assert_eq!(ready(&PhotoPretraining, vec![done], &places).unwrap().0.len(), 1);
}

#[test]
fn costs_follow_like_runs() {
    let place = tempfile::tempdir().unwrap();
    let plan = runs(&PhotoPretraining, &["table3"], &["synth-chair".into()], 1).unwrap();
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
        checkpoint: None,
    };
    ours.folder(place.path()).write_summary(&summary).unwrap();
    let cost = &costs(&plan, place.path(), place.path()).unwrap()[0];
    assert_eq!((cost.finished, cost.missing, cost.seconds), (1, 9, Some(90.0)));
}
