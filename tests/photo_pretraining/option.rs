//! Every setting does something: changed alone, it changes the files of a run or why it is refused.

use crate::corpus::CorpusFolder;
use retrace::dataset::{Ink, PrepareConfig};
use retrace::experiment::TaskLoss;
use retrace::model::{Architecture, HeadConfig, HeadStart, NormConfig};
use retrace::paper::photo_pretraining::{Config, Curvature, Neighbourhood, Update};
use retrace::run::RunConfig;
use retrace::seed::Seed;
use retrace::sketch::AugmentConfig;
use retrace::train::{FitConfig, OptimiserConfig, Rule, Schedule, SelectOn};
use retrace::watch::Unwatched;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Two epochs of two steps on pictures of 16 pixels.
pub fn tiny() -> Config {
    let task = OptimiserConfig { weight_decay: 1e-3, ..OptimiserConfig::adam(1e-2) };
    let sgd = Rule::Sgd { momentum: 0.5 };
    let meta = OptimiserConfig { rule: sgd, rate: 0.1, weight_decay: 1e-3 };
    Config {
        architecture: Architecture::Mini,
        weights: "attributes".into(),
        frozen: None,
        head: Some(HeadConfig { dimension: 16, start: HeadStart::Normal }),
        norm: NormConfig::default(),
        prepare: PrepareConfig::new(16, Ink::DarkOnWhite { width: 16.0 }),
        augment: AugmentConfig { shift: 0.1, scale: 0.1, rotation: 5.0, flip: 0.5, own: None },
        valid_photos: 2,
        task: TaskLoss::Triplet,
        valid_by_seed: false,
        retrain: false,
        margin: 0.3,
        neighbourhood: Neighbourhood::new(4, 0.1),
        update: Update::MetaFull { task, meta, epsilon: 0.1, curvature: Curvature::Printed },
        clip: Some(1.0),
        fit: FitConfig { epochs: 2, batch: 4, schedule: Schedule::Cosine, select_on: SelectOn::ValidMean },
    }
}

/// The same with features of a frozen backbone, which is quick, and another update.
fn frozen(update: Update) -> Config {
    Config { frozen: Some(2), update, ..tiny() }
}

/// Where a setting stands in the JSON of a configuration, and another value for it.
type Change = (&'static str, Value);

fn of_the_full_update() -> Vec<Change> {
    vec![
        ("/update/meta-full/task/rule/adam/beta1", json!(0.5)),
        ("/update/meta-full/task/rule/adam/beta2", json!(0.5)),
        ("/update/meta-full/task/rule/adam/epsilon", json!(0.1)),
        ("/update/meta-full/task/rate", json!(0.02)),
        ("/update/meta-full/task/weight_decay", json!(0.1)),
        ("/update/meta-full/meta/rule/sgd/momentum", json!(0.0)),
        ("/update/meta-full/meta/rate", json!(0.3)),
        ("/update/meta-full/meta/weight_decay", json!(0.1)),
        ("/update/meta-full/epsilon", json!(1.0)),
        ("/update/meta-full/curvature", json!("chain-rule")),
        ("/architecture", json!("resnet18")),
        ("/weights", json!("imagenet")),
        ("/frozen", json!(3)),
        ("/head/dimension", json!(12)),
        ("/head/start", json!("identity")),
        ("/prepare/side", json!(24)),
        ("/prepare/ink/dark-on-white/width", json!(24.0)),
        ("/prepare/ink", json!("white-on-black")),
        ("/augment/shift", json!(0.05)),
        ("/augment/scale", json!(0.2)),
        ("/augment/rotation", json!(20.0)),
        ("/augment/flip", json!(0.0)),
        ("/prepare/source", json!(32)),
        ("/valid_photos", json!(3)),
        ("/valid_by_seed", json!(true)),
        ("/task", json!({"contrastive": {"temperature": 0.1}})),
        ("/margin", json!(0.5)),
        ("/neighbourhood/pairs", json!(2)),
        ("/neighbourhood/margin", json!(0.3)),
        ("/neighbourhood/draw", json!("nearest")),
        ("/neighbourhood/query", json!("photo")),
        ("/neighbourhood/source", json!("jigsaw")),
        ("/clip", json!(0.01)),
        ("/fit/epochs", json!(3)),
        ("/fit/batch", json!(3)),
        ("/fit/schedule", json!("constant")),
        ("/fit/schedule", json!("warm-cosine")),
        ("/fit/select_on", json!("last")),
    ]
}

fn changed(config: &Config, (place, value): &Change) -> Config {
    let mut json = serde_json::to_value(config).unwrap();
    let (parent, name) = place.rsplit_once('/').unwrap();
    // A setting that is left out where it is the usual one is put there; one that does not exist is refused below.
    let parent = json.pointer_mut(parent).unwrap_or_else(|| panic!("no setting {place}"));
    parent.as_object_mut().unwrap().insert(name.into(), value.clone());
    serde_json::from_value(json).unwrap()
}

fn hash(config: &Config) -> String {
    let (slug, dataset, row) = ("p".to_string(), "d".to_string(), "r".to_string());
    RunConfig { slug, dataset, row, seed: Seed(0), config: config.clone() }.hash().unwrap()
}

/// Runs the configuration as it is, twice, and with each change; every change must show, in the hash and in the run.
fn check(base: &Config, changes: &[Change]) {
    let bench = CorpusFolder::new(base);
    let run = |results: &str, config: &Config| match bench.run(results, config, &Unwatched) {
        Ok(record) => format!("{record:?}"),
        Err(error) => error.to_string(),
    };
    let outcome = run("base", base);
    assert!(outcome.starts_with("RunRecord"), "{outcome}");
    assert_eq!(outcome, run("again", base));
    for (i, change) in changes.iter().enumerate() {
        let config = changed(base, change);
        assert_ne!(hash(&config), hash(base), "{change:?} leaves the hash as it is");
        let found = run(&i.to_string(), &config);
        assert_ne!(found, outcome, "{change:?} changes nothing");
        // Other weights would have to be there; everything else runs.
        let refused = found.contains(".safetensors: expected pre-trained weights");
        let other_weights = ["/architecture", "/weights", "/neighbourhood/source"];
        assert_eq!(refused, other_weights.contains(&change.0), "{change:?}: {found}");
        assert!(refused || found.starts_with("RunRecord"), "{change:?}: {found}");
    }
}

/// Places of all numbers, names and absent values of a configuration.
fn leaves(value: &Value, place: String, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, format!("{place}/{name}"), found))
        }
        _ => drop(found.insert(place)),
    }
}

#[test]
fn every_setting_has_a_change() {
    let mut settings = BTreeSet::new();
    leaves(&serde_json::to_value(frozen(tiny().update)).unwrap(), String::new(), &mut settings);
    let all = [of_the_full_update(), of_norm()].concat();
    let changes: BTreeSet<String> = all.into_iter().map(|(place, _)| place.to_string()).collect();
    let missing: Vec<_> = settings.difference(&changes).collect();
    assert!(missing.is_empty(), "no change for {missing:?}");
}

#[test]
fn with_a_frozen_backbone_every_setting_changes_the_run() {
    check(&frozen(tiny().update), &of_the_full_update());
}

#[test]
fn weights_of_the_sum_change_the_run() {
    let task = OptimiserConfig::adam(1e-2);
    let changes = [("/update/multi-task/alpha", json!(0.5)), ("/update/multi-task/beta", json!(0.5))];
    check(&frozen(Update::MultiTask { task, alpha: 1.0, beta: 1.0 }), &changes);
}

fn of_norm() -> Vec<Change> {
    vec![("/norm/statistic", json!("running")), ("/norm/trainable", json!(false))]
}

#[test]
fn with_a_trained_backbone_norm_and_pictures_change_the_run() {
    let own = json!({"shift": 0.1, "scale": 0.0, "rotation": 0.0});
    let of_pictures = [
        ("/augment/shift", json!(0.05)),
        ("/augment/own", own.clone()),
        ("/head", json!(null)),
        ("/frozen", json!(2)),
        ("/retrain", json!(true)),
    ];
    check(&tiny(), &[&of_norm()[..], &of_pictures].concat());
    let frozen = changed(&frozen(tiny().update), &("/augment/own", own));
    assert!(frozen.check().unwrap_err().to_string().starts_with("config.augment.own: expected null"));
}

#[test]
fn unknown_settings_are_refused() {
    let mut json = serde_json::to_value(tiny()).unwrap();
    json["fit"]["epoch"] = json!(3);
    let error = serde_json::from_value::<Config>(json).unwrap_err().to_string();
    assert!(error.contains("unknown field `epoch`"), "{error}");
}
