//! A loop of its own over the parts: two phases with a network and an optimiser each.

use crate::toy::{Stopper, header, lines, parameters, weights};
use candle_core::Tensor;
use rand::RngExt;
use retrace::model::{Parameters, weights as file};
use retrace::run::RunFolder;
use retrace::seed::Seed;
use retrace::train::named::{Tensors, entry, from_number, join, part, to_number};
use retrace::train::{Course, CoursePlan, Log, Optimiser, OptimiserConfig, Outcome, Resume, Scores, SelectOn};
use retrace::watch::{Unwatched, Watch};
use retrace::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// Epochs of the first phase, and of both.
const FIRST: usize = 2;
const EPOCHS: usize = 5;

/// Steps to an epoch.
const STEPS: usize = 3;

/// One after the other is drawn towards its target; a running mean of the distance is kept beside them.
struct NetworkPair {
    networks: [(Parameters, Optimiser); 2],
    distance: f64,
}

impl NetworkPair {
    fn new() -> Self {
        let network = |seed| {
            let parameters = parameters(seed);
            let optimiser = Optimiser::new(OptimiserConfig::adam(0.05), parameters.trainable());
            (parameters, optimiser)
        };
        Self { networks: [network(1), network(2)], distance: 0.0 }
    }

    fn weights(&self) -> [Vec<f32>; 2] {
        [0, 1].map(|i| weights(&self.networks[i].0))
    }

    /// The first goes to 1 and the second to the first; with noise, and slower the farther they were from it before.
    fn step(&mut self, phase: usize, noise: f64) -> Result<f64> {
        let target = match phase {
            0 => Tensor::ones_like(&self.networks[0].0.tensors()["w"])?,
            _ => self.networks[0].0.tensors()["w"].copy()?,
        };
        let (parameters, optimiser) = &mut self.networks[phase];
        let gradient = ((&parameters.tensors()["w"] - target)? + noise)?;
        let distance = f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        self.distance = 0.9 * self.distance + 0.1 * distance;
        optimiser.step(&[("w".to_string(), gradient)].into(), 1.0 / (1.0 + self.distance))?;
        Ok(distance)
    }
}

impl Resume for NetworkPair {
    fn trained(&self) -> Result<Tensors> {
        let [first, second] = &self.networks;
        Ok(join([("first/", first.0.tensors()), ("second/", second.0.tensors())]))
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.networks[0].0.load(&part(trained, "first/"))?;
        self.networks[1].0.load(&part(trained, "second/")).map(drop)
    }

    fn state(&self) -> Result<Tensors> {
        let [first, second] = &self.networks;
        let distance = Tensors::from([("distance".to_string(), from_number(self.distance)?)]);
        Ok(join([("", distance), ("first/", first.1.state()?), ("second/", second.1.state()?)]))
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.distance = to_number(entry(&state, "distance")?)?;
        self.networks[0].1.restore(part(&state, "first/"))?;
        self.networks[1].1.restore(part(&state, "second/"))
    }
}

/// The end of a training.
struct CourseEnd {
    outcome: Result<Outcome>,
    weights: [Vec<f32>; 2],
    distance: f64,
    log: Vec<String>,
}

fn plan<'a>(folder: &'a RunFolder, select_on: SelectOn, hash: &str, watch: &'a dyn Watch) -> CoursePlan<'a> {
    CoursePlan { epochs: EPOCHS, select_on, folder, hash: hash.into(), watch }
}

/// The scores of an epoch of the second phase: they rise and fall.
fn scores(epoch: usize) -> Option<Scores> {
    let acc1 = [10.0, 30.0, 20.0][epoch.checked_sub(FIRST + 1)?];
    Some(Scores { queries: 100, acc1, acc5: acc1, acc10: acc1, percentile: 50.0 })
}

fn learn(pair: &mut NetworkPair, course: &mut Course) -> Result<()> {
    while let Some(epoch) = course.next_epoch() {
        let (phase, mut stream) = (usize::from(epoch > FIRST), Seed(3).child("step", epoch as u64));
        let mut sum = 0.0;
        for i in 0..STEPS {
            let noise = stream.random_range(-0.3..0.3);
            sum += course.step((epoch - 1) * STEPS + i, EPOCHS * STEPS, || pair.step(phase, noise))?;
        }
        let line = BTreeMap::from([("phase", phase as f64 + 1.0), ("distance", sum)]);
        course.end_epoch(pair, &line, &format!("distance {sum:.2}"), scores(epoch))?;
    }
    Ok(())
}

fn train(folder: &Path, select_on: SelectOn, hash: &str, watch: &dyn Watch) -> CourseEnd {
    let (path, folder) = (folder.join("log.jsonl"), RunFolder(folder.to_path_buf()));
    let (mut log, mut pair) = (Log::open(&path, &header()).unwrap(), NetworkPair::new());
    let outcome = Course::open(plan(&folder, select_on, hash, watch), &mut pair, &mut log).and_then(|mut course| {
        learn(&mut pair, &mut course)?;
        course.finish(&mut pair)
    });
    CourseEnd { outcome, weights: pair.weights(), distance: pair.distance, log: lines(&path) }
}

fn is_stopped(end: &CourseEnd) -> bool {
    matches!(end.outcome, Err(Error::Stopped { .. }))
}

/// Same weights, state and log to the bit, same choice.
fn assert_same(one: &CourseEnd, other: &CourseEnd) {
    assert_eq!((&one.weights, one.distance, &one.log), (&other.weights, other.distance, &other.log));
    let chosen = |end: &CourseEnd| end.outcome.as_ref().map(|outcome| (outcome.epoch, outcome.scores)).unwrap();
    assert_eq!(chosen(one), chosen(other));
}

#[test]
fn course_stopped_after_any_step_of_either_phase_ends_as_if_unbroken() {
    let place = tempfile::tempdir().unwrap();
    for rule in [SelectOn::ValidAcc1, SelectOn::Last] {
        let unbroken = train(&place.path().join(format!("{rule}")), rule, "a", &Unwatched);
        for steps in 0..EPOCHS * STEPS {
            let folder = place.path().join(format!("{rule} {steps}"));
            let stopped = train(&folder, rule, "a", &Stopper::after(steps));
            assert!(is_stopped(&stopped) && stopped.log.len() == 1 + steps / STEPS, "{steps}: {:?}", stopped.log);
            assert_same(&train(&folder, rule, "a", &Unwatched), &unbroken);
        }
    }
}

#[test]
fn course_stopped_after_each_epoch_ends_as_if_unbroken() {
    let place = tempfile::tempdir().unwrap();
    let unbroken = train(&place.path().join("whole"), SelectOn::ValidAcc1, "a", &Unwatched);
    let folder = place.path().join("broken");
    for epoch in 1..EPOCHS {
        let stopped = train(&folder, SelectOn::ValidAcc1, "a", &Stopper::after(STEPS));
        let error = stopped.outcome.unwrap_err().to_string();
        assert!(error.contains(&format!("epoch {epoch} is saved; the same command")), "{error}");
    }
    assert_same(&train(&folder, SelectOn::ValidAcc1, "a", &Unwatched), &unbroken);
    // Once more on what is finished: nothing is trained again.
    assert_same(&train(&folder, SelectOn::ValidAcc1, "a", &Stopper::after(0)), &unbroken);
}

#[test]
fn course_selection_ignores_epochs_without_scores() {
    let chosen = |rule| {
        let place = tempfile::tempdir().unwrap();
        let end = train(place.path(), rule, "a", &Unwatched);
        let outcome = end.outcome.unwrap();
        assert_eq!(outcome.scores, scores(outcome.epoch));
        (outcome.epoch, end.weights)
    };
    let ((best, of_best), (last, of_last)) = (chosen(SelectOn::ValidAcc1), chosen(SelectOn::Last));
    assert_eq!((best, last), (FIRST + 2, EPOCHS));
    assert_eq!(of_best[0], of_last[0], "the second phase leaves the first network alone");
    assert_ne!(of_best[1], of_last[1]);
}

/// Runs epochs that do nothing, none of them scored.
fn unscored(epochs: usize, select_on: SelectOn) -> Result<Outcome> {
    let place = tempfile::tempdir().unwrap();
    let folder = RunFolder(place.path().to_path_buf());
    let mut log = Log::open(&place.path().join("log.jsonl"), &header())?;
    let (mut pair, plan) = (NetworkPair::new(), plan(&folder, select_on, "a", &Unwatched));
    let mut course = Course::open(CoursePlan { epochs, ..plan }, &mut pair, &mut log)?;
    while course.next_epoch().is_some() {
        course.end_epoch(&pair, &BTreeMap::<&str, f64>::new(), "nothing", None)?;
    }
    course.finish(&mut pair)
}

#[test]
fn course_without_scores_keeps_the_last_epoch_or_says_that_none_can_be_chosen() {
    let last = unscored(2, SelectOn::Last).unwrap();
    assert_eq!((last.epoch, last.scores), (2, None));
    let error = unscored(2, SelectOn::ValidAcc1).unwrap_err().to_string();
    assert_eq!(error, "valid acc1: expected an epoch with scores, found none of 2 epochs");
    assert_eq!(unscored(0, SelectOn::Last).unwrap_err().to_string(), "epochs: expected 1 or more, found 0");
}

#[test]
fn course_refuses_a_state_of_another_configuration() {
    let place = tempfile::tempdir().unwrap();
    train(place.path(), SelectOn::Last, "a", &Stopper::after(STEPS));
    let error = train(place.path(), SelectOn::Last, "b", &Unwatched).outcome.unwrap_err().to_string();
    assert!(error.contains("state.safetensors: expected a state of configuration b, found one of a"), "{error}");
}

#[test]
fn course_counts_time_before_the_first_epoch() {
    let place = tempfile::tempdir().unwrap();
    let folder = RunFolder(place.path().to_path_buf());
    let mut log = Log::open(&place.path().join("log.jsonl"), &header()).unwrap();
    let mut pair = NetworkPair::new();
    let mut course = Course::open(plan(&folder, SelectOn::Last, "a", &Unwatched), &mut pair, &mut log).unwrap();
    course.count_seconds(1000.0);
    learn(&mut pair, &mut course).unwrap();
    let seconds = course.finish(&mut pair).unwrap().seconds;
    assert!((1000.0..1060.0).contains(&seconds), "{seconds}");
}

/// The file's layout must not change but for fields that it may lack, such as `queries`: a training that an earlier version
/// began can be resumed.
#[test]
fn course_state_has_the_layout_that_earlier_versions_wrote() {
    let place = tempfile::tempdir().unwrap();
    crate::toy::train(place.path(), crate::toy::config(), "a", &Stopper::after(9));
    let file::Weights { tensors, metadata } = file::read(&place.path().join("state.safetensors")).unwrap();
    let names = ["best/w", "parameter/w", "step/mean/w", "step/square/w", "step/steps"];
    assert_eq!(tensors.keys().collect::<Vec<_>>(), names);
    let found = &metadata["progress"];
    let seconds = found.rsplit_once(':').unwrap().1.trim_end_matches('}');
    let acc = crate::toy::score(&tensors["best/w"].to_vec1::<f32>().unwrap()).acc1;
    let scores = format!(r#"{{"queries":1000000,"acc1":"{acc}","acc5":"{acc}","acc10":"{acc}","percentile":"50"}}"#);
    let best = format!(r#"{{"epoch":2,"scores":{scores},"seconds":{seconds}}}"#);
    assert_eq!(*found, format!(r#"{{"hash":"a","epoch":2,"best":{best},"seconds":{seconds}}}"#));
    assert_eq!(metadata.len(), 1);
}
