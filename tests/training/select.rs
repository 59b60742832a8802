//! Which epoch is kept, by scripted scores.

use crate::toy::{Stopper, config, parameters, train, train_scored, weights};
use retrace::train::{FitConfig, Scores, SelectOn};
use retrace::watch::{Unwatched, Watch};
use std::cell::RefCell;
use std::path::Path;

fn scores(acc1: f64, acc5: f64, acc10: f64, percentile: f64) -> Scores {
    Scores { queries: 3843, acc1, acc5, acc10, percentile } // 61 x 63: the thirds below are whole counts
}

/// Trains with these scores, one an epoch; checks that the kept weights are those of the epoch that is named.
fn select(folder: &Path, select_on: SelectOn, script: &[Scores], watch: &dyn Watch) -> Option<usize> {
    let parameters = parameters(1);
    let seen = RefCell::new(Vec::new());
    let score = || {
        seen.borrow_mut().push(weights(&parameters));
        Ok(script[seen.borrow().len() - 1])
    };
    let config = FitConfig { epochs: script.len(), select_on, ..config() };
    let end = train_scored(folder, config, "a", watch, &parameters, &score);
    let outcome = end.outcome.ok()?;
    assert_eq!(outcome.scores, Some(script[outcome.epoch - 1]));
    assert_eq!(end.weights, seen.borrow()[outcome.epoch - 1]);
    Some(outcome.epoch)
}

fn selected(select_on: SelectOn, script: &[Scores]) -> usize {
    select(tempfile::tempdir().unwrap().path(), select_on, script, &Unwatched).unwrap()
}

#[test]
fn selection_rules_keep_their_own_best() {
    let script = [scores(10.0, 20.0, 30.0, 50.0), scores(30.0, 31.0, 32.0, 60.0), scores(20.0, 60.0, 70.0, 55.0)];
    let script = [&script[..], &[scores(0.0, 0.0, 0.0, 0.0)]].concat();
    assert_eq!(selected(SelectOn::ValidAcc1, &script), 2);
    assert_eq!(selected(SelectOn::ValidMean, &script), 3);
    assert_eq!(selected(SelectOn::Last, &script), 4);
}

#[test]
fn selection_breaks_ties_by_percentile_then_epoch() {
    let script = [70.0, 80.0, 80.0, 60.0].map(|percentile| scores(40.0, 50.0, 60.0, percentile));
    assert_eq!(selected(SelectOn::ValidAcc1, &script), 2);
    assert_eq!(selected(SelectOn::ValidMean, &script), 2);
    assert_eq!(selected(SelectOn::Last, &script), 4);
}

#[test]
fn selection_can_keep_the_first_epoch() {
    let script = [scores(0.0, 0.0, 0.0, 0.0); 3];
    assert_eq!(selected(SelectOn::ValidAcc1, &script), 1);
}

/// A score that a state has kept is still equal to the same score: thirds and sevenths have no short decimals.
#[test]
fn selection_tie_survives_a_stop() {
    for i in 0..60 {
        let tied = scores(100.0 * f64::from(i) / 63.0, 100.0 * f64::from(i) / 61.0, 97.3, 100.0 - f64::from(i) / 59.0);
        let place = tempfile::tempdir().unwrap();
        assert_eq!(select(place.path(), SelectOn::ValidMean, &[tied; 2], &Stopper::after(4)), None);
        let parameters = parameters(1);
        let config = FitConfig { epochs: 2, select_on: SelectOn::ValidMean, ..config() };
        let end = train_scored(place.path(), config, "a", &Unwatched, &parameters, &|| Ok(tied));
        let outcome = end.outcome.unwrap();
        assert_eq!((outcome.epoch, outcome.scores), (1, Some(tied)));
    }
}

#[test]
fn selection_rules_have_full_names() {
    let names = [SelectOn::ValidAcc1, SelectOn::ValidMean, SelectOn::Last].map(|rule| rule.to_string());
    assert_eq!(names, ["valid acc1", "valid mean of acc1, acc5, acc10", "last epoch"]);
}

/// The weights after every epoch of a run that keeps the last, against the mean that the other rule keeps.
#[test]
fn selection_keeps_the_mean_of_the_last_epochs() {
    let seen = |select_on| {
        let (parameters, place) = (parameters(1), tempfile::tempdir().unwrap());
        let seen = RefCell::new(Vec::new());
        let score = || {
            seen.borrow_mut().push(weights(&parameters));
            Ok(scores(0.0, 0.0, 0.0, 0.0))
        };
        let config = FitConfig { epochs: 5, select_on, ..config() };
        let end = train_scored(place.path(), config, "a", &Unwatched, &parameters, &score);
        assert_eq!(end.outcome.unwrap().epoch, 5);
        (end.weights, seen.into_inner())
    };
    let (last, each) = seen(SelectOn::Last);
    let (mean, scored) = seen(SelectOn::MeanOfLast(3));
    for (i, mean) in mean.iter().enumerate() {
        let expected = (each[2][i] + each[3][i] + each[4][i]) / 3.0;
        assert!((mean - expected).abs() < 1e-6, "{mean} {expected}");
    }
    assert!(mean != last && scored[4] == mean && scored[..4] == each[..4]); // what is scored is what is kept
    assert_eq!(seen(SelectOn::MeanOfLast(1)).0, last);
}

#[test]
fn selection_of_a_mean_survives_a_stop() {
    let config = FitConfig { epochs: 5, select_on: SelectOn::MeanOfLast(3), ..config() };
    let whole = train(tempfile::tempdir().unwrap().path(), config, "a", &Unwatched).weights;
    let place = tempfile::tempdir().unwrap();
    for steps in [4, 13, 17] {
        train(place.path(), config, "a", &Stopper::after(steps)); // four steps an epoch: before, within and after the first of three
    }
    assert_eq!(train(place.path(), config, "a", &Unwatched).weights, whole);
    for averaged in [0, 6] {
        let config = FitConfig { select_on: SelectOn::MeanOfLast(averaged), ..config };
        let error = train(tempfile::tempdir().unwrap().path(), config, "a", &Unwatched).outcome.unwrap_err();
        assert!(error.to_string().contains("1 to 5"), "{error}");
    }
}
