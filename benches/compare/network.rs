//! Our networks at work.

use super::request::Work;
use candle_core::{Device, Tensor};
use rand::RngExt;
use retrace::loss::triplet_loss;
use retrace::model::{Architecture, Embedder, Mode, NormConfig, Parameters};
use retrace::seed::Seed;
use retrace::train::{Optimiser, OptimiserConfig, gradients};
use retrace::{Error, Result};

/// Pictures a step.
pub const BATCH: usize = 32;

/// Unit vectors are at most 2 apart, so no triplet ever stops having a gradient.
pub const MARGIN: f64 = 2.0;

/// Small, so that the weights stay near where they start however long the benchmark runs.
pub const RATE: f64 = 1e-5;

/// A network with its batch and all that a step needs.
pub trait Runner {
    /// Embeds the batch, or trains on it once.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn step(&mut self) -> Result<()>;

    /// How many numbers the network trains.
    fn parameters(&self) -> usize;
}

/// This library's network.
pub struct Ours {
    embedder: Embedder,
    parameters: Parameters,
    pictures: Tensor,
    optimiser: Optimiser,
    work: Work,
}

impl Ours {
    /// Builds a network with random weights, and its batch.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn new(network: Architecture, work: Work, device: &Device) -> Result<Self> {
        let norm = match network {
            // As the papers' rows train it: from pre-trained weights, with their running statistics.
            Architecture::EfficientNetLite0 => NormConfig::running(),
            _ => NormConfig::default(),
        };
        let mut parameters = Parameters::new(Seed(0), device);
        let embedder = Embedder::new(network, norm, None, &mut parameters.root())?;
        let optimiser = Optimiser::new(OptimiserConfig::adam(RATE), parameters.trainable());
        Ok(Self { embedder, parameters, pictures: pictures(network, device)?, optimiser, work })
    }

    fn train(&mut self) -> Result<()> {
        let loss = loss(&self.embedder.forward(&self.pictures, Mode::Train)?)?;
        let gradients = gradients(&loss, &self.parameters.trainable())?;
        self.optimiser.step(&gradients, 1.0)
    }
}

impl Runner for Ours {
    fn step(&mut self) -> Result<()> {
        match self.work {
            Work::Embed => self.embedder.forward(&self.pictures, Mode::Eval).map(drop),
            Work::Train => self.train(),
        }
    }

    fn parameters(&self) -> usize {
        self.parameters.trainable_count()
    }
}

/// A batch of made-up pictures in [-1, 1].
///
/// # Errors
/// A failing tensor operation.
pub fn pictures(network: Architecture, device: &Device) -> Result<Tensor> {
    let side = match network {
        Architecture::Mini => 64,
        Architecture::ClipVitB32 => 224, // the one size that it takes
        _ => 128,
    };
    let mut stream = Seed(0).stream("pictures");
    let values = (0..BATCH * 3 * side * side).map(|_| 2.0 * stream.random::<f32>() - 1.0).collect();
    Ok(Tensor::from_vec(values, (BATCH, 3, side, side), device)?)
}

/// The triplet loss of a batch whose first half are sketches, each with its photo in the second half.
///
/// # Errors
/// A failing tensor operation.
pub fn loss(embedding: &Tensor) -> Result<Tensor> {
    let pairs = BATCH / 2;
    let owners: Vec<usize> = (0..pairs).collect();
    let half = |start| embedding.narrow(0, start, pairs).map_err(Error::from);
    triplet_loss(&half(0)?, &half(pairs)?, &owners, MARGIN)
}
