//! The analyses of runs, trained on a few made pictures.

use crate::corpus::{CorpusFolder, order};
use crate::option::tiny;
use retrace::Result;
use retrace::experiment::analyse::{self, AnalysisSettings};
use retrace::experiment::{Order, Reproduction, train};
use retrace::file::read_json;
use retrace::paper::photo_pretraining::analysis::{ROWS, list, pretrained_features, separated};
use retrace::paper::photo_pretraining::{Config, Curvature, PhotoPretraining, SLUG, Update};
use retrace::report::analysis::{Folder, grids};
use retrace::run::{Places, RunConfig, RunFolder};
use retrace::seed::Seed;
use retrace::sketch::DeformConfig;
use retrace::train::OptimiserConfig;
use retrace::watch::Unwatched;
use std::process::Command;

const DATASET: &str = "qmul-chair-v2";

fn settings() -> AnalysisSettings {
    let deform = DeformConfig::none();
    AnalysisSettings {
        deform,
        versions: 2,
        smooth: 3,
        attribute: 2,
        steps: [5, 3],
        draws: 2,
        batches: [1, 2],
        last: 3,
        ..AnalysisSettings::default()
    }
}

fn run(dataset: &str, parts: &[&str], seeds: u64, settings: &AnalysisSettings, order: &Order) -> Result<()> {
    analyse::run(&PhotoPretraining, dataset, parts, seeds, settings, order)
}

fn parts() -> Vec<&'static str> {
    list().iter().map(|analysis| analysis.name).collect()
}

/// Every row that an analysis needs, trained for two epochs of two steps.
fn trained() -> (CorpusFolder, Places) {
    let task = OptimiserConfig::adam(1e-3);
    let with = |update| Config { update, head: None, ..tiny() };
    let bench = CorpusFolder::new(&with(Update::Base { task }));
    for (row, update) in [("ours-base", Update::Base { task }), ("ours", Update::MetaFirst { task, meta: task })] {
        bench.run_row("results", row, &with(update), &Unwatched).unwrap();
    }
    for (row, _) in &separated()[1..] {
        let update = Update::MultiTask { task, alpha: 1.0, beta: 1.0 };
        bench.run_row("results", row, &with(update), &Unwatched).unwrap();
    }
    let places = bench.places("results");
    (bench, places)
}

fn folder(places: &Places, row: &str, seed: u64) -> RunFolder {
    RunFolder::of(&places.results, SLUG, DATASET, row, Seed(seed))
}

#[test]
fn every_part_leaves_its_numbers() {
    let (_bench, places) = trained();
    let order = order(&places, &Unwatched);
    run(DATASET, &parts(), 1, &settings(), &order).unwrap();

    // Sketches that are not deformed rank as they were recorded, and so does the whole sketch among its parts.
    for row in ROWS {
        let (record, analysis) = (folder(&places, row, 0), Folder::of(&folder(&places, row, 0)));
        let recorded: Vec<f64> = record.ranks().unwrap().iter().map(|rank| f64::from(rank.rank)).collect();
        let versions = analysis.column("robustness", "rank").unwrap();
        assert_eq!(versions, [recorded.clone(), recorded.clone()].concat());
        let whole = analysis.lines("early", ["percent", "rank"]).unwrap();
        assert_eq!(whole.len(), 20 * recorded.len());
        let last: Vec<f64> = whole.iter().filter(|line| line[0] == 100.0).map(|line| line[1]).collect();
        assert_eq!(last, recorded);
        for name in ["smoothness", "smoothness-hog"] {
            let smooth = analysis.column(name, "value").unwrap();
            assert!(smooth.len() == recorded.len() && smooth.iter().all(|value| *value > 0.0), "{name}");
        }

        // Two epochs of two steps: both epochs are measured, and the last three of the four steps.
        let gradient = analysis.lines("gradient", ["epoch", "nuclear_norm"]).unwrap();
        assert!(gradient.iter().map(|line| line[0]).eq([1.0, 2.0]) && gradient.iter().all(|line| line[1] > 0.0));
        assert_eq!(analysis.column("stability", "step").unwrap(), [2.0, 3.0, 4.0]);

        let seconds = analysis.lines("time", ["round", "seconds"]).unwrap();
        assert!(seconds.len() == 20 && seconds.iter().all(|line| line[1] > 0.0));

        let grids = grids(&analysis).unwrap();
        assert_eq!(grids.iter().map(|grid| grid.loss.len()).collect::<Vec<_>>(), [25, 9]);
        assert_eq!(grids[0].loss[12], grids[1].loss[4]); // both pass through the trained weights
        assert_ne!(grids[0].loss[0], grids[1].loss[0]); // in other directions
    }
    for (row, _) in separated() {
        let analysis = Folder::of(&folder(&places, &row, 0));
        // Of four photos the second and the fourth are held out, and with each its sketch.
        let tested = analysis.lines("domain", ["position", "photo", "right"]).unwrap();
        assert!(
            tested.iter().map(|line| [line[0], line[1]]).eq([[1.0, 1.0], [3.0, 3.0], [1.0, 1.0], [3.0, 3.0]]),
            "{row}"
        );
        // A picture of the same ones: x is above 0 on the photos' side.
        for (domain, side) in [("sketch", -1.0), ("photo", 1.0)] {
            let answers = analysis.lines_where("domain", &[("domain", domain)], ["photo", "right"]).unwrap();
            let placed = analysis.lines_where("plane", &[("domain", domain)], ["photo", "x"]).unwrap();
            let right = |[photo, x]: [f64; 2]| [photo, f64::from(side * x > 0.0)];
            assert_eq!(placed.into_iter().map(right).collect::<Vec<_>>(), answers, "{row} {domain}");
        }
    }
}

/// Distances with loops, among features of the network as it was before any row was trained.
#[test]
fn smoothness_and_fidelity_are_distances_of_the_pretrained_network() {
    let (_bench, places) = trained();
    let order = order(&places, &Unwatched);
    run(DATASET, &["retrieval"], 1, &settings(), &order).unwrap();
    let found = ROWS.map(|row| PhotoPretraining.open_row(&places.results, DATASET, row, DATASET, &order).unwrap());
    let photos = found[0].queries().photos();
    let judges = ROWS.map(|row| {
        let run = read_json(&folder(&places, row, 0).0.join("config.json")).unwrap();
        pretrained_features(&run, &photos, &order).unwrap()
    });
    assert_eq!(judges[0], judges[1]);
    assert_ne!(found[0].embeddings().unwrap().1, found[1].embeddings().unwrap().1);
    let (features, d) = &judges[0];
    let apart = |a: usize, b: usize| -> f64 {
        let square = |i: usize| (f64::from(features[a * d + i]) - f64::from(features[b * d + i])).powi(2);
        (0..*d).map(square).sum::<f64>().sqrt()
    };
    for (row, found) in ROWS.iter().zip(&found) {
        let analysis = Folder::of(&folder(&places, row, 0));
        let (smooth, blame) = (
            analysis.column("smoothness", "value").unwrap(),
            analysis.lines("attribution", ["smoothness", "fidelity"]).unwrap(),
        );
        for (query, first) in found.first(3).unwrap().iter().enumerate() {
            let (own, [a, b, c]) = (found.queries().own[query], [first[0], first[1], first[2]]);
            let expected = [
                (smooth[query], (apart(a, b) + apart(a, c) + apart(b, c)) / 3.0),
                (blame[query][0], apart(a, b)),
                (blame[query][1], (apart(own, a) + apart(own, b)) / 2.0),
            ];
            for (found, expected) in expected {
                assert!((found - expected).abs() < 1e-6, "{row}, query {query}: {found} {expected}");
            }
        }
    }
}

/// Weights that were retrained under the old name cannot judge a run that started from the old ones.
#[test]
fn smoothness_refuses_retrained_judging_weights() {
    let (bench, places) = trained();
    bench.put_weights(&Config { head: None, ..tiny() }, "attributes", Seed(78));
    let error = run(DATASET, &["retrieval"], 1, &settings(), &order(&places, &Unwatched)).unwrap_err().to_string();
    assert!(error.contains("mini-attributes.safetensors") && error.contains("started from"), "{error}");
    assert!(!Folder::of(&folder(&places, "ours-base", 0)).has("smoothness"));
}

/// Checkpoints of first seeds are kept with the results, those of other seeds in the cache. A missing one is trained again,
/// once.
#[test]
fn a_later_seed_is_trained_again_and_must_end_as_recorded() {
    let (_bench, places) = trained();
    let order = order(&places, &Unwatched);
    let first: RunConfig<Config> = read_json(&folder(&places, "ours-base", 0).0.join("config.json")).unwrap();
    let later = RunConfig { seed: Seed(1), ..first };
    train(&PhotoPretraining, &later, DATASET, &order).unwrap();
    train(&PhotoPretraining, &RunConfig { row: "no-analysis".into(), ..later }, DATASET, &order).unwrap();
    let kept = || std::fs::read_dir(places.cache.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(kept().count(), 1);
    let path = kept().next().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    run(DATASET, &["retrieval"], 2, &settings(), &order).unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);
    let record = folder(&places, "ours-base", 1);
    let recorded: Vec<f64> = record.ranks().unwrap().iter().map(|rank| f64::from(rank.rank)).collect();
    assert_eq!(Folder::of(&record).column("robustness", "rank").unwrap(), [recorded.clone(), recorded].concat());
    run(DATASET, &["dynamics"], 2, &settings(), &order).unwrap(); // keeps those of the first seeds too
    assert_eq!((Folder::of(&record).column("gradient", "epoch").unwrap(), kept().count()), (vec![1.0, 2.0], 3));

    // Another record: the training is repeated and ends in other ranks.
    let mut ranks = record.ranks().unwrap();
    ranks[0].rank = if ranks[0].rank == 1 { 2 } else { 1 };
    record.write_ranks(&ranks).unwrap();
    std::fs::remove_dir_all(Folder::of(&record).0).unwrap();
    let error = run(DATASET, &["retrieval"], 2, &settings(), &order).unwrap_err().to_string();
    assert!(
        error.contains("seed1") && error.contains("ranks.csv") && error.contains("found 1 of 4 ranks that differ"),
        "{error}"
    );
    assert!(kept().count() == 3 && !Folder::of(&record).0.exists());
}

/// The full update sets more aside than the first-order one, and every training of the same takes the same.
#[test]
fn memory_of_a_step_is_counted_to_the_byte() {
    // The count is of the whole program: this test is all that its program does.
    const ALONE: &str = "RETRACE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "analysis::memory_of_a_step_is_counted_to_the_byte", "--nocapture"]);
        let done = program.envs([(ALONE, "1"), ("RAYON_NUM_THREADS", "1")]).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&done.stderr));
        return;
    }
    let (bench, places) = trained();
    let order = order(&places, &Unwatched);
    let task = OptimiserConfig::adam(1e-3);
    let full = Update::MetaFull { task, meta: task, epsilon: 0.01, curvature: Curvature::Printed };
    bench.run_row("results", "meta-full", &Config { update: full, head: None, ..tiny() }, &Unwatched).unwrap();
    let bytes = |row: &str| Folder::of(&folder(&places, row, 0)).column("memory", "bytes").unwrap();
    run(DATASET, &["memory"], 3, &settings(), &order).unwrap();
    let (first, second) = (bytes("ours"), bytes("meta-full"));
    assert_eq!(first.len(), 5);
    // Two copies of the weights at least lie beside an update of the second order.
    assert!(first.iter().zip(&second).all(|(first, second)| second > first), "{first:?} {second:?}");
    Folder::of(&folder(&places, "ours", 0)).remove("memory").unwrap();
    run(DATASET, &["memory"], 3, &settings(), &order).unwrap();
    assert_eq!(bytes("ours"), first);
}

/// Times are measured together: if one is missing, all are measured again.
#[test]
fn times_are_measured_together() {
    let (_bench, places) = trained();
    let order = order(&places, &Unwatched);
    let time = |row: &str| Folder::of(&folder(&places, row, 0));
    run(DATASET, &["time"], 3, &settings(), &order).unwrap();
    let first = time("ours").column("time", "seconds").unwrap();
    run(DATASET, &["time"], 3, &settings(), &order).unwrap();
    assert_eq!(time("ours").column("time", "seconds").unwrap(), first);
    time("ours-base").remove("time").unwrap();
    run(DATASET, &["time"], 3, &settings(), &order).unwrap();
    assert_ne!(time("ours").column("time", "seconds").unwrap(), first);
}

#[test]
fn nothing_is_measured_twice_and_other_settings_are_refused() {
    let (_bench, places) = trained();
    let order = order(&places, &Unwatched);
    run(DATASET, &["retrieval"], 1, &settings(), &order).unwrap();
    let path = Folder::of(&folder(&places, "ours", 0)).0.join("smoothness.csv");
    std::fs::write(&path, "kept").unwrap();
    run(DATASET, &["retrieval"], 1, &settings(), &order).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
    let other = AnalysisSettings { versions: 3, ..settings() };
    let error = run(DATASET, &["retrieval"], 1, &other, &order).unwrap_err().to_string();
    assert!(error.contains("settings.json") && error.contains("other settings"), "{error}");
    let error = run("synth-chair", &parts(), 1, &settings(), &order).unwrap_err().to_string();
    assert!(error.contains("synth-chair") && error.contains("a finished run to analyse"), "{error}");
    let error = run(DATASET, &["colour"], 1, &settings(), &order).unwrap_err().to_string();
    assert!(error.starts_with("part: expected retrieval"), "{error}");
}
