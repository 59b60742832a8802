//! Whole pre-trainings of a few photos.

use super::trunk::Trunk;
use super::*;
use crate::file::read_json;
use crate::model::{Allowance, Architecture, Embedder, NormConfig, Parameters, weights};
use crate::run::{Places, RunConfig};
use crate::seed::Seed;
use crate::watch::{Unwatched, Watch};
use crate::{Error, Result};
use candle_core::Device;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

fn tiny() -> PretrainConfig {
    PretrainConfig {
        photos: 24,
        valid_photos: 8,
        side: 32,
        epochs: 4,
        batch: 8,
        ..PretrainConfig::mini(PretrainMethod::Attributes)
    }
}

fn go(config: &PretrainConfig, seed: u64, place: &Path) -> Result<PretrainReport> {
    run(config, Seed(seed), &places(place), &Device::Cpu, "retrace pretrain", &Unwatched)
}

fn places(place: &Path) -> Places {
    let at = |name: &str| place.join(name);
    let (results, shipped) = (place.to_path_buf(), at("shipped"));
    Places {
        results,
        shipped,
        figures: at("figures"),
        data: Some(at("data")),
        weights: at("weights"),
        cache: at("cache"),
    }
}

#[test]
fn a_run_learns_and_leaves_record_and_weights() {
    let place = tempfile::tempdir().unwrap();
    let report = go(&tiny(), 0, place.path()).unwrap();
    let folder = tiny().folder(place.path());
    assert_eq!(read_json::<PretrainReport>(&folder.0.join("summary.json")).unwrap(), report);
    let config: RunConfig<PretrainConfig> = read_json(&folder.0.join("config.json")).unwrap();
    assert_eq!((config.config, config.seed), (tiny(), Seed(0)));

    let log = std::fs::read_to_string(folder.0.join("log.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["counts"]["train"][0]), (5, &24.into()));
    let loss = |line: usize| lines[line]["loss"].as_f64().unwrap();
    assert!(loss(4) < 0.95 * loss(1), "{} then {}", loss(1), loss(4));

    let mut parameters = Parameters::new(Seed(9), &Device::Cpu);
    Embedder::new(Architecture::Mini, NormConfig::running(), None, &mut parameters.root()).unwrap();
    let path = tiny().weights_path(place.path());
    weights::load(&path, &parameters, &Allowance::default()).unwrap();
    let metadata = weights::read(&path).unwrap().metadata;
    assert!(metadata["accuracy"].contains("\"kind\"") && metadata["config"].contains("\"seed\":0"));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let config = PretrainConfig { epochs: 1, ..tiny() };
    let bytes = |seed| {
        let place = tempfile::tempdir().unwrap();
        go(&config, seed, place.path()).unwrap();
        std::fs::read(config.weights_path(place.path())).unwrap()
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

/// Stops after a number of steps; keeps the notes.
struct Stopper {
    steps: AtomicUsize,
    notes: Mutex<Vec<String>>,
}

impl Stopper {
    fn after(steps: usize) -> Self {
        Self { steps: steps.into(), notes: Mutex::default() }
    }

    fn never() -> Self {
        Self::after(usize::MAX)
    }

    fn first_note(&self) -> String {
        self.notes.lock().unwrap()[0].clone()
    }
}

impl Watch for Stopper {
    fn advance(&self, task: &str, _: usize, _: usize) {
        self.steps.fetch_sub(usize::from(task == "steps"), Ordering::Relaxed);
    }
    fn note(&self, line: &str) {
        self.notes.lock().unwrap().push(line.to_string());
    }
    fn is_stopped(&self) -> bool {
        self.steps.load(Ordering::Relaxed) == 0
    }
}

fn watched(config: &PretrainConfig, place: &Path, watch: &dyn Watch) -> Result<PretrainReport> {
    run(config, Seed(0), &places(place), &Device::Cpu, "retrace pretrain", watch)
}

/// The learned weights, and the log without wall times.
fn results(config: &PretrainConfig, place: &Path) -> (Vec<u8>, Vec<serde_json::Value>) {
    let log = std::fs::read_to_string(config.folder(place).0.join("log.jsonl")).unwrap();
    let without_time = |line: &str| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("seconds");
        line
    };
    (std::fs::read(config.weights_path(place)).unwrap(), log.lines().map(without_time).collect())
}

/// Small settings of a method.
fn small(name: &str) -> PretrainMethod {
    match name {
        "obow" => PretrainMethod::Obow { words: 16, hardness: 15.0, scale: 8.0, momentum: 0.9, views: 2 },
        "jigsaw" => PretrainMethod::Jigsaw { orders: 2, tile: 0.85 },
        name => name.parse().unwrap(),
    }
}

#[test]
fn a_stopped_run_is_unfinished_and_goes_on_from_its_last_epoch() {
    let place = tempfile::tempdir().unwrap();
    let config = PretrainConfig { epochs: 2, ..tiny() };
    go(&config, 0, place.path()).unwrap();
    let before = results(&config, place.path());
    let state = config.folder(place.path()).0.join("state.safetensors");
    // Three steps to an epoch; a finished run starts anew.
    for (steps, kept) in [(1, "nothing is saved yet"), (4, "epoch 1 is saved; the same command")] {
        let error = watched(&config, place.path(), &Stopper::after(steps)).unwrap_err();
        assert!(matches!(error, Error::Stopped { .. }) && error.to_string().contains(kept), "{error}");
        assert!(!config.folder(place.path()).is_finished() && state.is_file() == (steps == 4));
        assert_eq!(std::fs::read(config.weights_path(place.path())).unwrap(), before.0);
    }
    assert!(go(&config, 1, place.path()).is_err(), "the folder is another seed's");
    let watch = Stopper::never();
    watched(&config, place.path(), &watch).unwrap();
    assert_eq!(watch.first_note(), "going on after epoch 1");
    assert!(config.folder(place.path()).is_finished() && !state.exists());
    assert_eq!(results(&config, place.path()), before);
}

#[test]
fn every_method_ends_the_same_whether_stopped_or_not() {
    for name in PretrainMethod::NAMES {
        let config = PretrainConfig { method: small(name), side: 48, epochs: 3, ..tiny() };
        let [whole, broken] = [0, 1].map(|_| tempfile::tempdir().unwrap());
        let unbroken = go(&config, 0, whole.path()).unwrap();
        for epoch in 1..3 {
            // One epoch of three steps, and a step of the next, which is lost.
            let error = watched(&config, broken.path(), &Stopper::after(4)).unwrap_err();
            assert!(error.to_string().contains(&format!("epoch {epoch} is saved")), "{name}: {error}");
        }
        let report = go(&config, 0, broken.path()).unwrap();
        assert_eq!((report.attributes, report.mean), (unbroken.attributes, unbroken.mean), "{name}");
        let [whole, broken] = [whole, broken].map(|place| results(&config, place.path()));
        assert!(whole.0 == broken.0, "{name}: other weights");
        assert_eq!(whole.1, broken.1, "{name}");
    }
}

#[test]
fn a_run_that_fails_after_its_last_epoch_trains_nothing_again() {
    let place = tempfile::tempdir().unwrap();
    let config = PretrainConfig { epochs: 1, ..tiny() };
    let report = go(&config, 0, place.path()).unwrap();
    let before = results(&config, place.path());
    std::fs::remove_file(config.weights_path(place.path())).unwrap();
    std::fs::create_dir(config.weights_path(place.path())).unwrap(); // cannot be replaced by a file
    assert!(go(&config, 0, place.path()).is_err());
    std::fs::remove_dir(config.weights_path(place.path())).unwrap();
    let watch = Stopper::never();
    let again = watched(&config, place.path(), &watch).unwrap();
    assert_eq!(*watch.notes.lock().unwrap(), ["going on after epoch 1"]);
    assert_eq!(again.attributes, report.attributes);
    assert_eq!(results(&config, place.path()), before);
}

#[test]
fn every_method_learns_and_leaves_a_backbone() {
    for name in PretrainMethod::NAMES {
        let method = small(name);
        let place = tempfile::tempdir().unwrap();
        // Epochs of three batches are noisy. The words of OBOW change under its loss besides, by a third of it from one
        // epoch to the next: it is given longer and has to fall by more than that.
        let (epochs, share) = if name == "obow" { (24, 0.5) } else { (6, 1.0) };
        let config = PretrainConfig { method, side: 64, epochs, ..tiny() };
        go(&config, 0, place.path()).unwrap();
        let log = std::fs::read_to_string(config.folder(place.path()).0.join("log.jsonl")).unwrap();
        let losses: Vec<f64> = log
            .lines()
            .skip(1)
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["loss"].as_f64().unwrap())
            .collect();
        // The last three together against the first.
        let late = losses[epochs - 3..].iter().sum::<f64>() / 3.0;
        assert!(late < share * losses[0] && losses.iter().all(|loss| loss.is_finite()), "{name}: {losses:?}");
        let path = place.path().join(format!("checkpoints/pretrained/mini-{name}.safetensors"));
        let tensors = weights::read(&path).unwrap().tensors;
        let first = &Trunk::new(Architecture::Mini, Seed(0), &Device::Cpu).unwrap().backbone()["conv1.weight"];
        let moved = (&tensors["conv1.weight"] - first).unwrap().abs().unwrap().max_all().unwrap();
        // A step of Adam is about as long as its rate, 0.001; rounding to half precision moves a weight a tenth of that.
        assert!(moved.to_scalar::<f32>().unwrap() > 1e-3, "{name}: the backbone stays where it was: {moved}");
        assert!(tensors.contains_key("bn1.running_var") && tensors.keys().all(|key| !key.starts_with(name)), "{name}");
    }
}

#[test]
fn unlabelled_photos_are_learned_from_where_weights_are_gone_on_with() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data/some-photos");
    std::fs::create_dir_all(&folder).unwrap();
    for i in 0..12 {
        let photo = crate::dataset::synthetic::Photos { count: 12, side: 40 }.photo(i).unwrap();
        photo.save(folder.join(format!("{i:02}.png"))).unwrap();
    }
    let plain = PretrainConfig { epochs: 1, ..tiny() };
    go(&plain, 3, place.path()).unwrap();
    let first = std::fs::read(plain.weights_path(place.path())).unwrap();
    std::fs::create_dir(place.path().join("weights")).unwrap();
    std::fs::write(place.path().join("weights/mini-first.safetensors"), first).unwrap();
    let method = PretrainMethod::BarlowTwins { width: 16, weight: 0.005 };
    let from = |start: Option<&str>| PretrainConfig {
        method,
        start: start.map(String::from),
        corpus: Some("some-photos".into()),
        photos: 8,
        valid_photos: 4,
        batch: 4,
        epochs: 1,
        ..tiny()
    };
    let report = go(&from(Some("first")), 0, place.path()).unwrap();
    assert_eq!((report.attributes[0].name.as_str(), report.attributes[0].photos), ("own photo", 4));
    assert_eq!(report.attributes[0].commonest, 25.0); // one of four by chance
    let weights = |config: &PretrainConfig| std::fs::read(config.weights_path(place.path())).unwrap();
    let log = std::fs::read_to_string(from(None).folder(place.path()).0.join("log.jsonl")).unwrap();
    assert!(!log.lines().next().unwrap().contains("\"weights\":null"), "the log says what it starts from: {log}");
    let gone_on = weights(&from(None));
    std::fs::remove_dir_all(from(None).folder(place.path()).0).unwrap();
    go(&from(None), 0, place.path()).unwrap();
    assert_ne!(weights(&from(None)), gone_on, "the weights it starts from must matter");

    let message = |config: PretrainConfig| {
        let _ = std::fs::remove_dir_all(config.folder(place.path()).0); // of the run before
        go(&config, 0, place.path()).unwrap_err().to_string()
    };
    assert!(message(PretrainConfig { method: PretrainMethod::Attributes, ..from(None) }).contains("barlow-twins"));
    assert!(message(PretrainConfig { photos: 9, ..from(None) }).contains("9 photos to train on and 4 to hold out"));
    assert!(message(from(Some("second"))).contains("mini-second.safetensors"));
}

#[test]
fn configurations_are_read_back_and_checked() {
    let text = serde_json::to_string(&PretrainConfig::mini(PretrainMethod::Attributes)).unwrap();
    assert_eq!(
        serde_json::from_str::<PretrainConfig>(&text).unwrap(),
        PretrainConfig::mini(PretrainMethod::Attributes)
    );
    let more = text.replacen('{', "{\"colour_jitter\":1,", 1);
    assert!(serde_json::from_str::<PretrainConfig>(&more).unwrap_err().to_string().contains("colour_jitter"));

    let place = tempfile::tempdir().unwrap();
    let message = |config: PretrainConfig| go(&config, 0, place.path()).unwrap_err().to_string();
    assert_eq!(message(PretrainConfig { epochs: 0, ..tiny() }), "epochs: expected 1 or more, found 0");
    assert!(message(PretrainConfig { valid_photos: 0, ..tiny() }).starts_with("valid_photos"));
    assert!(message(PretrainConfig { batch: 25, ..tiny() }).contains("2 to the number of photos, 24, found 25"));
    assert!(message(PretrainConfig { batch: 1, ..tiny() }).starts_with("batch"));
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("results");
    std::fs::write(&file, "a file, not a folder").unwrap();
    let error = go(&tiny(), 0, &file).unwrap_err().to_string();
    assert!(error.contains("results"), "{error}");
}
