//! A whole run that is stopped and resumed, from data to record, against an uninterrupted one.

use crate::corpus::{CorpusFolder, RunRecord, without_time};
use crate::option::tiny;
use retrace::Error;
use retrace::paper::photo_pretraining::{Config, Update};
use retrace::train::{FitConfig, OptimiserConfig};
use retrace::watch::{Unwatched, Watch};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stops after so many training steps.
struct Stopper(AtomicUsize);

impl Watch for Stopper {
    fn advance(&self, task: &str, _: usize, _: usize) {
        if task == "steps" {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    fn note(&self, _: &str) {}
    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// `Ours` with two Adams; two epochs of two steps.
fn ours() -> Config {
    let (task, meta) = (OptimiserConfig::adam(1e-3), OptimiserConfig::adam(2e-3));
    Config { update: Update::MetaFirst { task, meta }, ..tiny() }
}

fn check(bench: &CorpusFolder, config: &Config, name: &str) -> RunRecord {
    let whole = bench.run(&format!("{name}-whole"), config, &Unwatched).unwrap();
    for steps in [1, 3] {
        let results = format!("{name}-{steps}");
        let stopped = bench.run(&results, config, &Stopper(AtomicUsize::new(steps))).unwrap_err();
        assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
        assert_eq!(bench.run(&results, config, &Unwatched).unwrap(), whole, "{name}, stopped after {steps}");
    }
    whole
}

#[test]
fn a_run_taken_up_again_ends_as_if_unbroken() {
    let bench = CorpusFolder::new(&ours());
    let whole = check(&bench, &ours(), "plain");
    assert_eq!((whole.log.len(), whole.summary.queries, whole.summary.gallery), (2, 4, 4));
    assert!(whole.weights.contains_key("conv1.weight") && whole.early.lines().count() == 1 + 9 * 4);
    // The checkpoint that is shipped gives the ranks of the record, and a finished run is not done again.
    assert_eq!(bench.ranks_of_checkpoint("plain-whole", &ours()), whole.ranks);
    assert_eq!(bench.run("plain-whole", &ours(), &Stopper(AtomicUsize::new(0))).unwrap(), whole);
    let other = Config { margin: 0.31, ..ours() };
    let error = bench.run("plain-whole", &other, &Unwatched).unwrap_err().to_string();
    assert!(error.contains("another configuration"), "{error}");
    // Trainings that were stopped or not and those of other settings share network and photos.
    assert_eq!(bench.topologies().len(), 1);
    bench.run("plain-other", &other, &Unwatched).unwrap();
    assert_eq!(bench.topologies().len(), 1);
}

#[test]
fn a_row_that_is_trained_twice_resumes_in_either_training() {
    let config = Config { retrain: true, ..ours() };
    let bench = CorpusFolder::new(&config);
    let whole = check(&bench, &config, "twice");
    let results = "twice-late";
    let stopped = bench.run(results, &config, &Stopper(AtomicUsize::new(5))).unwrap_err(); // four steps choose
    assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
    assert_eq!(bench.run(results, &config, &Unwatched).unwrap(), whole);
    // The first training is the plain one; the second is as long as it chose, and has nothing to be scored on.
    let plain = bench.run("once", &ours(), &Unwatched).unwrap();
    let choice = bench.folder(results, &config).choice();
    let first = std::fs::read_to_string(choice.join("log.jsonl")).unwrap();
    assert_eq!(first.lines().skip(1).map(without_time).collect::<Vec<_>>(), plain.log);
    assert!(!choice.join("state.safetensors").exists());
    assert_eq!(Some(whole.log.len()), whole.summary.selected_epoch);
    assert_eq!(whole.summary.selected_epoch, plain.summary.selected_epoch);
    assert!(whole.log.iter().all(|line| line.contains("loss") && !line.contains("valid")), "{:?}", whole.log);
    assert_eq!(whole.summary.select_on, "valid mean of acc1, acc5, acc10, then trained anew on all pairs");
    assert!(whole.weights != plain.weights);
    assert_eq!(bench.topologies().len(), 2); // of the training photos, and of the validation photos too
}

#[test]
fn finished_run_needs_no_weights() {
    let bench = CorpusFolder::new(&ours());
    let done = bench.run("done", &ours(), &Unwatched).unwrap();
    bench.put_weights(&ours(), "attributes", retrace::seed::Seed(78));
    let error = bench.run("done", &ours(), &Unwatched).unwrap_err().to_string();
    assert!(error.contains("log.jsonl") && error.contains("weights"), "{error}");
    bench.remove_weights("attributes");
    assert_eq!(bench.run("done", &ours(), &Unwatched).unwrap(), done);
    let error = bench.run("new", &ours(), &Unwatched).unwrap_err().to_string();
    assert!(error.contains("mini-attributes.safetensors") && error.contains("no file"), "{error}");
}

#[test]
fn two_trainings_in_one_folder_are_refused() {
    let bench = CorpusFolder::new(&ours());
    let lock = bench.folder("locked", &ours()).lock().unwrap();
    let error = bench.run("locked", &ours(), &Unwatched).unwrap_err().to_string();
    assert!(error.contains("seed0") && error.contains("another process is training there"), "{error}");
    drop(lock);
    let stopped = bench.run("locked", &ours(), &Stopper(AtomicUsize::new(1))).unwrap_err();
    assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
    bench.run("locked", &ours(), &Unwatched).unwrap(); // the stopped one has let go
    drop(bench.folder("locked", &ours()).lock().unwrap());
}

#[test]
fn run_with_a_frozen_backbone_resumes() {
    let config = Config { frozen: Some(2), ..ours() };
    let bench = CorpusFolder::new(&config);
    let whole = check(&bench, &config, "frozen");
    assert_eq!(whole.weights.keys().collect::<Vec<_>>(), ["head.bias", "head.weight"]);
    assert_eq!(bench.ranks_of_checkpoint("frozen-whole", &config), whole.ranks);
    let headless = Config { head: None, ..config };
    let error = bench.run("headless", &headless, &Unwatched).unwrap_err().to_string();
    assert!(error.contains("config.frozen: expected null, or a head to train"), "{error}");
}

#[test]
fn zero_shot_trains_nothing() {
    let config = Config { update: Update::ZeroShot, head: None, ..tiny() };
    let bench = CorpusFolder::new(&config);
    let record = bench.run("zero", &config, &Unwatched).unwrap();
    assert!(record.log.is_empty() && record.weights.is_empty());
    assert_eq!((record.summary.selected_epoch, record.summary.select_on.as_str()), (None, "none"));
    let longer = Config { fit: FitConfig { epochs: 9, ..config.fit }, ..config.clone() };
    assert_eq!(bench.run("longer", &longer, &Unwatched).unwrap().ranks, record.ranks);
    assert_eq!(bench.ranks_of_checkpoint("zero", &config), record.ranks);
}
