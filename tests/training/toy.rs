//! A network of four numbers that learns a number for every photo, and what a fit of it needs.

use candle_core::{Device, Tensor};
use rand::RngExt;
use retrace::dataset::Pair;
use retrace::model::{Init, Parameters};
use retrace::run::{Header, RunFolder};
use retrace::seed::{Seed, Stream};
use retrace::train::{
    Fit, FitConfig, Gradients, Log, Optimiser, OptimiserConfig, Outcome, Schedule, Scores, SelectOn, Step, fit,
};
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A sketch of each of sixteen photos: epochs of four batches of four.
pub fn pairs() -> Vec<Pair> {
    (0..16).map(|sketch| Pair { sketch, photo: sketch, group: 0 }).collect()
}

pub fn parameters(seed: u64) -> Parameters {
    let mut parameters = Parameters::new(Seed(seed), &Device::Cpu);
    parameters.root().weight("w", &[4], Init::Normal { deviation: 1.0 }).unwrap();
    parameters
}

pub fn weights(parameters: &Parameters) -> Vec<f32> {
    parameters.tensors()["w"].to_vec1().unwrap()
}

/// `(w[photo mod 4] - sketch / 10 - noise)^2`, with noise from the step's stream.
pub struct Regression {
    variable: candle_core::Var,
    optimiser: Optimiser,
}

impl Regression {
    pub fn new(parameters: &Parameters) -> Self {
        let variables = parameters.trainable();
        let variable = variables[0].1.clone();
        Self { variable, optimiser: Optimiser::new(OptimiserConfig::adam(0.05), variables) }
    }
}

impl Step for Regression {
    fn step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let (w, mut slope, mut loss) = (self.variable.to_vec1::<f32>()?, [0.0_f32; 4], 0.0);
        for pair in batch {
            let gap = w[pair.photo % 4] - pair.sketch as f32 / 10.0 - stream.random_range(-0.3..0.3_f32);
            slope[pair.photo % 4] += 2.0 * gap;
            loss += f64::from(gap * gap);
        }
        let gradient = Tensor::new(&slope, &Device::Cpu)?;
        self.optimiser.step(&[("w".to_string(), gradient)].into(), factor)?;
        Ok(loss)
    }

    fn state(&self) -> Result<Gradients> {
        self.optimiser.state()
    }

    fn restore(&mut self, state: Gradients) -> Result<()> {
        self.optimiser.restore(state)
    }
}

/// Stops once so many steps were told of.
pub struct Stopper(AtomicUsize);

impl Stopper {
    pub fn after(steps: usize) -> Self {
        Self(AtomicUsize::new(steps))
    }
}

impl Watch for Stopper {
    fn advance(&self, _: &str, _: usize, _: usize) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
    fn note(&self, _: &str) {}
    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

pub fn config() -> FitConfig {
    FitConfig { epochs: 5, batch: 4, schedule: Schedule::Cosine, select_on: SelectOn::ValidAcc1 }
}

pub fn header() -> Header {
    Header {
        command: "retrace train".into(),
        config_hash: "0".into(),
        data_version: "1".into(),
        counts: [("train".to_string(), [16, 16])].into(),
        seed: Seed(3),
        versions: [("retrace".to_string(), "0".to_string())].into(),
        weights: None,
        device: "cpu".into(),
    }
}

/// The validation score of the weights: any function that rises and falls will do.
pub fn score(w: &[f32]) -> Scores {
    let acc1 = f64::from((w.iter().sum::<f32>() * 5.0).sin().abs()) * 100.0 / 3.0;
    Scores { queries: 1_000_000, acc1, acc5: acc1, acc10: acc1, percentile: 50.0 }
}

/// The end of a run: its outcome, or why there is none.
pub struct End {
    pub outcome: Result<Outcome, Error>,
    pub weights: Vec<f32>,
    pub log: Vec<String>,
}

/// Trains in `folder` with fresh parameters, a fresh step and whatever state is there.
pub fn train(folder: &Path, config: FitConfig, hash: &str, watch: &dyn Watch) -> End {
    let parameters = parameters(1);
    let measure = || Ok(score(&weights(&parameters)));
    train_scored(folder, config, hash, watch, &parameters, &measure)
}

pub fn train_scored(
    folder: &Path,
    config: FitConfig,
    hash: &str,
    watch: &dyn Watch,
    parameters: &Parameters,
    score: &dyn Fn() -> Result<Scores>,
) -> End {
    let path = folder.join("log.jsonl");
    let mut log = Log::open(&path, &header()).unwrap();
    let folder = RunFolder(folder.to_path_buf());
    let mut step = Regression::new(parameters);
    let hash = hash.to_string();
    let (score, stop) = (Some(score), None);
    let whole = Fit { config, seed: Seed(3), parameters, pairs: pairs(), score, stop, folder: &folder, hash, watch };
    let outcome = fit(&whole, &mut step, &mut log);
    End { outcome, weights: weights(parameters), log: lines(&path) }
}

/// The lines of a log, without the wall time that no two runs share.
pub fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    let plain = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        value.as_object_mut().unwrap().remove("seconds");
        value.to_string()
    };
    text.lines().map(plain).collect()
}
