//! The analyses of a baseline and of `Ours`, trained on a few made pictures.

use crate::corpus::{Bench, order};
use crate::option::tiny;
use retrace::paper::photo_pretraining::analysis::{PARTS, ROWS, Settings, run, separated};
use retrace::paper::photo_pretraining::{Config, SLUG, Update};
use retrace::report::analysis::{Folder, grids};
use retrace::run::Places;
use retrace::sketch::DeformConfig;
use retrace::train::{OptimiserConfig, Unwatched};

const DATASET: &str = "qmul-chair-v2";

fn settings() -> Settings {
    let deform = DeformConfig::none();
    Settings {
        deform,
        versions: 2,
        smooth: 3,
        attribute: 2,
        steps: [5, 3],
        draws: 2,
        batches: [1, 2],
        last: 3,
        ..Settings::default()
    }
}

/// Every row that an analysis looks at, trained for two epochs of two steps.
fn trained() -> (Bench, Places) {
    let task = OptimiserConfig::adam(1e-3);
    let with = |update| Config { update, head: None, ..tiny() };
    let bench = Bench::new(&with(Update::Base { task }));
    for (row, update) in [
        ("ours-base", Update::Base { task }),
        ("ours", Update::MetaFirst { task, meta: task }),
        (separated()[1].0.as_str(), Update::MultiTask { task, alpha: 1.0, beta: 1.0 }),
        (separated()[2].0.as_str(), Update::MultiTask { task, alpha: 1.0, beta: 2.0 }),
    ] {
        bench.run_row("results", row, &with(update), &Unwatched).unwrap();
    }
    let places = bench.places("results");
    (bench, places)
}

#[test]
fn every_part_leaves_its_numbers() {
    let (_bench, places) = trained();
    let order = order(&places, &Unwatched);
    run(DATASET, &PARTS, settings(), &order).unwrap();
    let folder = Folder::of(&places.results, SLUG, DATASET);

    // Sketches that are not deformed rank as they were recorded, and so does the whole sketch among its parts.
    for row in ROWS {
        let recorded =
            std::fs::read_to_string(places.results.join(SLUG).join(DATASET).join(row).join("seed0/ranks.csv")).unwrap();
        let recorded: Vec<f64> =
            recorded.lines().skip(1).map(|line| line.split(',').next_back().unwrap().parse().unwrap()).collect();
        let versions = folder.lines("robustness", row, ["rank"]).unwrap();
        assert_eq!(versions.concat(), [recorded.clone(), recorded.clone()].concat());
        let whole = folder.lines("early", row, ["percent", "rank"]).unwrap();
        assert_eq!(whole.len(), 20 * recorded.len());
        let last: Vec<f64> = whole.iter().filter(|line| line[0] == 100.0).map(|line| line[1]).collect();
        assert_eq!(last, recorded);
        let smooth = folder.lines("smoothness", row, ["value"]).unwrap();
        assert!(smooth.len() == recorded.len() && smooth.iter().all(|line| line[0] >= 0.0));

        // Two epochs of two steps: both are looked at, and of the four steps the last three.
        let gradient = folder.lines("gradient", row, ["epoch", "nuclear_norm"]).unwrap();
        assert!(gradient.iter().map(|line| line[0]).eq([1.0, 2.0]) && gradient.iter().all(|line| line[1] > 0.0));
        let steps: Vec<f64> = folder.lines("stability", row, ["step"]).unwrap().concat();
        assert_eq!(steps, [2.0, 3.0, 4.0]);

        let grids = grids(&folder, row).unwrap();
        assert_eq!(grids.iter().map(|grid| grid.loss.len()).collect::<Vec<_>>(), [25, 9]);
        assert_eq!(grids[0].loss[12], grids[1].loss[4]); // both pass through the trained weights
        assert_ne!(grids[0].loss[0], grids[1].loss[0]); // in other directions
    }
    let wrong = folder.lines("attribution", "ours", ["query"]).unwrap().len();
    let ranks = folder.lines_where("early", &[("row", "ours")], ["percent", "rank"]).unwrap();
    assert_eq!(wrong, ranks.iter().filter(|line| line[0] == 100.0 && line[1] > 1.0).count());
    for (row, _) in separated() {
        let clouds = ["sketch", "photo"].map(|domain| {
            folder.lines_where("separation", &[("row", &row), ("domain", domain)], ["accuracy"]).unwrap()
        });
        assert!(clouds.iter().all(|cloud| cloud.len() == 4 && (0.0..=100.0).contains(&cloud[0][0])), "{row}");
    }
}

#[test]
fn nothing_is_measured_twice_and_other_settings_are_refused() {
    let (_bench, places) = trained();
    let order = order(&places, &Unwatched);
    run(DATASET, &["retrieval"], settings(), &order).unwrap();
    let path = Folder::of(&places.results, SLUG, DATASET).0.join("smoothness.csv");
    std::fs::write(&path, "kept").unwrap();
    run(DATASET, &["retrieval"], settings(), &order).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
    let error = run(DATASET, &["retrieval"], Settings { versions: 3, ..settings() }, &order).unwrap_err().to_string();
    assert!(error.contains("settings.json") && error.contains("other settings"), "{error}");
    let error = run("synth-chair", &PARTS, settings(), &order).unwrap_err().to_string();
    assert!(error.contains("ours-base.safetensors"), "{error}");
}
