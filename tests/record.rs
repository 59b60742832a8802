//! The record's format: a hash that changes only with the configuration, and a configuration that reads back.
#![allow(clippy::unwrap_used)]

use retrace::file::{read_json, write_json};
use retrace::paper::photo_pretraining::{Config, SLUG};
use retrace::run::{RunConfig, RunFolder};
use retrace::seed::Seed;
use retrace::train::{Outcome, Scores, SelectOn};

/// Every committed run of a row that is trained or ranked by a network reads as settings of today, under the hash that its
/// log names.
#[test]
fn committed_records_keep_their_hashes() {
    let results = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(SLUG);
    let folders = walkdir::WalkDir::new(results).into_iter().map(|entry| entry.unwrap().into_path());
    let is_learned = |path: &std::path::PathBuf| {
        path.ends_with("config.json") && !["hog", "pixels"].iter().any(|row| path.iter().any(|part| part == *row))
    };
    let mut count = 0;
    for path in folders.filter(is_learned) {
        let run: RunConfig<Config> = read_json(&path).unwrap();
        let (header, _) = RunFolder(path.parent().unwrap().to_path_buf()).log().unwrap();
        assert_eq!(run.hash().unwrap(), header.config_hash, "{}", path.display());
        count += 1;
    }
    assert!(count > 400, "{count} records");
}

/// What an epoch's line in a log says.
#[derive(serde::Deserialize)]
struct EpochLine {
    epoch: usize,
    valid_acc1: f64,
    valid_acc5: f64,
    valid_acc10: f64,
    valid_percentile: f64,
}

fn outcome(line: &str, queries: usize) -> Outcome {
    let EpochLine { epoch, valid_acc1: acc1, valid_acc5: acc5, valid_acc10: acc10, valid_percentile: percentile } =
        serde_json::from_str(line).unwrap();
    Outcome { epoch, scores: Some(Scores { queries, acc1, acc5, acc10, percentile }), seconds: 0.0 }
}

/// Runs that were recorded before hits were counted may have kept an epoch of an equal sum that the percentile does not
/// prefer: the page lists these, and no other.
#[test]
fn committed_records_kept_the_epoch_of_the_rule_but_for_those_that_the_page_lists() {
    let results = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(SLUG);
    let page = std::fs::read_to_string(results.join("README.md")).unwrap();
    let mut different = Vec::new();
    for entry in walkdir::WalkDir::new(&results).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let folder = RunFolder(path.parent().unwrap().to_path_buf());
        if !path.ends_with("summary.json") || folder.summary().unwrap().select_on != SelectOn::ValidMean.to_string() {
            continue;
        }
        let (kept, (header, lines)) = (folder.summary().unwrap().selected_epoch, folder.log().unwrap());
        let training: Vec<Outcome> = lines.iter().map(|line| outcome(line, header.counts["valid"][1])).collect();
        let chosen = SelectOn::ValidMean.choose(&training);
        if chosen != kept {
            let run = folder.0.strip_prefix(&results).unwrap().display().to_string();
            let [kept, chosen] = [kept, chosen].map(Option::unwrap);
            different.push(format!("| `{run}` | {kept} | {chosen} |"));
        }
    }
    let listed: Vec<&str> = page.lines().filter(|line| different.iter().any(|own| own == line)).collect();
    assert_eq!(listed, different, "the page has to list these");
    // Of how many is a matter of when they were read; later runs choose by counts.
    let said = format!("{} of the", different.len());
    assert!(page.contains(&said), "the page has to say `{said}`");
}

fn run(config: Config) -> RunConfig<Config> {
    let (slug, dataset, row) = (SLUG.to_string(), "synth-chair".to_string(), "ours".to_string());
    RunConfig { slug, dataset, row, seed: Seed(1), config }
}

/// A configuration that does not follow the presets, so that only a change of the format changes its hash.
fn fixed() -> Config {
    let json = r#"{
        "architecture": "mini", "weights": "attributes", "frozen": null,
        "head": {"dimension": 8, "start": "identity"},
        "norm": {"statistic": "running", "trainable": true},
        "prepare": {"side": 64, "ink": {"dark-on-white": {"width": 4.0}}},
        "augment": {"shift": 0.08, "scale": 0.1, "rotation": 0.0, "flip": 0.5},
        "valid_photos": 30, "margin": 0.3, "neighbourhood": {"pairs": 10, "margin": 0.01},
        "update": {"meta-first": {
            "task": {"rule": {"adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}}, "rate": 0.0005, "weight_decay": 0.0},
            "meta": {"rule": {"sgd": {"momentum": 0.5}}, "rate": 0.1, "weight_decay": 0.0}}},
        "clip": null,
        "fit": {"epochs": 24, "batch": 32, "schedule": "cosine", "select_on": "valid-mean"}
    }"#;
    serde_json::from_str(json).unwrap()
}

/// If this fails, records that are already in `results/` no longer belong to their configurations: change the format
/// on purpose, or not at all.
#[test]
fn the_hash_of_a_fixed_configuration_stays() {
    assert_eq!(run(fixed()).hash().unwrap(), "a98b4675fa79cc1f");
}

#[test]
fn the_hash_knows_seed_row_and_corpus() {
    let base = run(fixed());
    let others = [
        RunConfig { seed: Seed(2), ..base.clone() },
        RunConfig { row: "ours-base".into(), ..base.clone() },
        RunConfig { dataset: "synth-shoe".into(), ..base.clone() },
        RunConfig { slug: "more_photos".into(), ..base.clone() },
    ];
    assert!(others.iter().all(|other| other.hash().unwrap() != base.hash().unwrap()));
}

#[test]
fn every_preset_reads_back_as_it_was_written() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("config.json");
    for dataset in ["synth-chair", "synth-shoe", "qmul-chair-v2"] {
        for row in ["zero-shot", "ours-base", "ours", "multi-task", "meta-full", "ours-frozen", "ours-base-frozen"] {
            let run = run(Config::preset(dataset, row).unwrap());
            write_json(&path, &run).unwrap();
            assert_eq!(read_json::<RunConfig<Config>>(&path).unwrap(), run, "{dataset} {row}");
        }
    }
    let error = Config::preset("synth-chair", "theirs").unwrap_err().to_string();
    assert!(error.contains("zero-shot, ours-base, ours") && error.contains("`theirs`"), "{error}");
}

/// A results folder whose checkpoint is of another row, while the working directory has the right one.
#[test]
fn reproduce_ranks_with_the_checkpoints_of_its_results_folder() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (shipped, place) = (root.join("results"), tempfile::tempdir().unwrap());
    let results = place.path().join("other");
    let copy = |from: &str, to: &str| {
        let to = results.join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(shipped.join(from), to).unwrap();
    };
    for file in ["config.json", "log.jsonl", "ranks.csv", "early.csv", "summary.json"] {
        let own = format!("{SLUG}/synth-chair/ours-base/seed0/{file}");
        copy(&own, &own);
    }
    let weights = |row: &str| format!("checkpoints/{SLUG}/synth-chair/{row}.safetensors");
    copy(&weights("ours"), &weights("ours-base"));
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_retrace"))
        .current_dir(root)
        .args(["reproduce", SLUG, "--dataset", "synth-chair"])
        .args(["--results".as_ref(), results.as_os_str(), "--figures".as_ref(), place.path().as_os_str()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success(), "{said}");
    let path = results.join(weights("ours-base"));
    let expected = format!("{}: expected weights of the run with the config_hash", path.display());
    assert!(said.replace("\n", " ").contains(&expected), "{said}");
}
