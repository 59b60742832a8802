//! A run that is stopped and resumed, against an uninterrupted one.

use crate::toy::{Stopper, config, header, lines, train};
use retrace::Error;
use retrace::train::{FitConfig, Log};
use retrace::watch::Unwatched;
use std::path::Path;

const STEPS: usize = 20; // five epochs of four

fn is_stopped(end: &crate::toy::End) -> bool {
    matches!(end.outcome, Err(Error::Stopped { .. }))
}

/// Same weights to the bit, same log, same choice.
fn assert_same(one: &crate::toy::End, other: &crate::toy::End) {
    assert_eq!((&one.weights, &one.log), (&other.weights, &other.log));
    let (one, other) = (one.outcome.as_ref().unwrap(), other.outcome.as_ref().unwrap());
    assert_eq!((one.epoch, one.scores), (other.epoch, other.scores));
}

#[test]
fn stopped_after_any_step_a_run_ends_as_if_unbroken() {
    let place = tempfile::tempdir().unwrap();
    let unbroken = train(&place.path().join("whole"), config(), "a", &Unwatched);
    for steps in 0..STEPS {
        let folder = place.path().join(steps.to_string());
        let stopped = train(&folder, config(), "a", &Stopper::after(steps));
        assert!(is_stopped(&stopped) && stopped.log.len() == 1 + steps / 4, "{steps}: {:?}", stopped.log);
        assert_same(&train(&folder, config(), "a", &Unwatched), &unbroken);
    }
}

#[test]
fn run_stopped_in_every_epoch_ends_as_if_unbroken() {
    let place = tempfile::tempdir().unwrap();
    let unbroken = train(&place.path().join("whole"), config(), "a", &Unwatched);
    let folder = place.path().join("broken");
    for _ in 0..4 {
        assert!(is_stopped(&train(&folder, config(), "a", &Stopper::after(6))));
    }
    assert_same(&train(&folder, config(), "a", &Unwatched), &unbroken);
    // Once more on what is finished: nothing is trained again.
    assert_same(&train(&folder, config(), "a", &Stopper::after(0)), &unbroken);
}

#[test]
fn a_stop_says_what_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let error = train(place.path(), config(), "a", &Stopper::after(9)).outcome.unwrap_err().to_string();
    assert_eq!(error, "stopped; epoch 2 is saved; the same command (`train`: with --resume) goes on from it");
}

/// Killed between the log's line and the state of an epoch: the line is written again, not twice.
#[test]
fn a_line_without_its_state_is_dropped() {
    let place = tempfile::tempdir().unwrap();
    let unbroken = train(&place.path().join("whole"), config(), "a", &Unwatched);
    for saved in [0, 1, 3] {
        let folder = place.path().join(saved.to_string());
        train(&folder, config(), "a", &Stopper::after(4 * saved));
        add_line(&folder.join("log.jsonl"));
        assert_same(&train(&folder, config(), "a", &Unwatched), &unbroken);
    }
}

fn add_line(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, text + "{\"epoch\":9}\n").unwrap();
}

#[test]
fn a_state_of_another_configuration_is_refused() {
    let place = tempfile::tempdir().unwrap();
    train(place.path(), config(), "a", &Stopper::after(5));
    let error = train(place.path(), config(), "b", &Unwatched).outcome.unwrap_err().to_string();
    assert!(error.contains("state.safetensors: expected a state of configuration b, found one of a"), "{error}");
    let path = place.path().join("state.safetensors");
    std::fs::write(&path, b"half a file").unwrap();
    let error = train(place.path(), config(), "a", &Unwatched).outcome.unwrap_err().to_string();
    assert!(error.contains("state.safetensors: expected a header of at most 4194304 bytes"), "{error}");
}

#[test]
fn a_log_that_lost_lines_is_refused() {
    let place = tempfile::tempdir().unwrap();
    train(place.path(), config(), "a", &Stopper::after(9));
    Log::create(&place.path().join("log.jsonl"), &header()).unwrap();
    let error = train(place.path(), config(), "a", &Unwatched).outcome.unwrap_err().to_string();
    assert!(error.contains("log.jsonl: expected a header and 2 epochs, found 1 lines"), "{error}");
}

#[test]
fn a_batch_that_cannot_be_filled_is_an_error() {
    let place = tempfile::tempdir().unwrap();
    for batch in [17, 1000] {
        let error = train(place.path(), FitConfig { batch, ..config() }, "a", &Unwatched).outcome.unwrap_err();
        let error = error.to_string();
        assert_eq!(
            error,
            format!(
                "batch: expected a size that the training photos can fill, found {batch} from 16 training sketches"
            )
        );
    }
    let error = train(place.path(), FitConfig { epochs: 0, ..config() }, "a", &Unwatched).outcome.unwrap_err();
    assert_eq!(error.to_string(), "epochs: expected 1 or more, found 0");
}

#[test]
fn the_log_is_a_header_and_a_line_an_epoch() {
    let place = tempfile::tempdir().unwrap();
    train(place.path(), config(), "a", &Unwatched);
    let log = lines(&place.path().join("log.jsonl"));
    assert_eq!(log.len(), 6);
    assert_eq!(serde_json::from_str::<retrace::run::Header>(&log[0]).unwrap(), header());
    for (i, line) in log[1..].iter().enumerate() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let names: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(names, ["epoch", "loss", "valid_acc1", "valid_acc5", "valid_acc10", "valid_percentile"]);
        assert!(line["epoch"] == i + 1 && line["loss"].as_f64().unwrap() > 0.0);
    }
}

/// The result depends on the seed, the schedule and the order of batches.
#[test]
fn the_schedule_reaches_the_step() {
    let place = tempfile::tempdir().unwrap();
    let constant = FitConfig { schedule: retrace::train::Schedule::Constant, ..config() };
    let ends = [config(), constant]
        .map(|config| train(&place.path().join(format!("{:?}", config.schedule)), config, "a", &Unwatched));
    assert_ne!(ends[0].weights, ends[1].weights);
}
