//! The retrieval network, whose weights are made from the query.

use super::config::{Config, Training, TraitSource};
use super::cvae::PhotoRegressor;
use super::descriptor::{Descriptor, normal};
use crate::experiment::Kept;
use crate::model::weights::{self, Storage};
use crate::model::{Init, Linear, Mode, Network, Parameters, l2_normalise};
use crate::seed::{Seed, Stream};
use crate::train::named::{Tensors, join, part};
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;
use std::path::Path;

/// eta of Eq. 10: mean and variance from a description, by a linear layer each.
#[derive(Debug)]
pub struct Generator {
    parameters: Parameters,
    mean: Linear,
    variance: Linear,
    shape: EtaConfig,
}

/// The size of eta and of its noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EtaConfig {
    /// Its length.
    pub length: f64,
    /// Sigma as training begins, where mu is a few hundredths.
    pub noise: f64,
}

/// Mean and log-variance of a batch's weights.
#[derive(Debug)]
pub struct WeightDistribution {
    /// `(b, d)`.
    pub mean: Tensor,
    /// `(b, d)`.
    pub log_variance: Tensor,
    /// The length of eta; 1 in the paper.
    pub length: f64,
}

impl Generator {
    /// From descriptions of `inputs` numbers to weights of `outputs` dimensions.
    ///
    /// # Errors
    /// No inputs or outputs.
    pub fn new(inputs: usize, outputs: usize, shape: EtaConfig, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let mut root = parameters.root();
        // Small: the network begins nearly as the plain one.
        let start = Init::Normal { deviation: 0.02 };
        let mean = Linear::new(inputs, outputs, start, &mut root.push("mean"))?;
        let variance = Linear::new(inputs, outputs, start, &mut root.push("variance"))?;
        Ok(Self { parameters, mean, variance, shape })
    }

    /// The distribution of eta.
    ///
    /// # Errors
    /// Descriptions of another length.
    pub fn distribution(&self, descriptions: &Tensor, mode: Mode) -> Result<WeightDistribution> {
        let mean = self.mean.forward(descriptions, mode)?;
        let log_variance = (self.variance.forward(descriptions, mode)? + 2.0 * self.shape.noise.ln())?;
        Ok(WeightDistribution { mean, log_variance, length: self.shape.length })
    }
}

impl WeightDistribution {
    /// What features are multiplied by: `1 + eta`, where eta is a draw, of a fixed length L: 1 in the paper.
    ///
    /// ```text
    /// eta = L (mu + sigma * n) / |mu + sigma * n|,   n ~ N(0, 1)
    /// psi(x) = eta * F(x) + F(x)
    /// ```
    ///
    /// # Shapes
    /// `noise` and out `(b, d)`.
    ///
    /// # Errors
    /// Noise of another shape.
    ///
    /// # References
    /// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Eq. 8 and 10.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor> {
        let eta = (&self.mean + ((&self.log_variance * 0.5)?.exp()? * noise)?)?;
        Ok(((l2_normalise(&eta)? * self.length)? + 1.0)?)
    }
}

/// Everything that is trained: F, the generator of weights, and the network that describes sketches.
#[derive(Debug)]
pub struct AdaptedNetwork {
    /// F of Eq. 8.
    pub network: Network,
    /// eta; none of `Hard-Transfer`.
    pub generator: Option<Generator>,
    /// phi; none where descriptions are not a network's.
    pub descriptor: Option<Descriptor>,
    /// What makes features of photos; of `CVAE-Regress` alone, whose F does not move.
    pub regressor: Option<PhotoRegressor>,
}

impl AdaptedNetwork {
    /// The networks at their start; F without its pre-trained weights.
    ///
    /// # Errors
    /// Settings that do not build.
    pub fn new(config: &Config, classes: usize, seed: Seed, device: &Device) -> Result<Self> {
        let network = Network::new(config.network(), seed, device)?;
        let descriptor = config.traits.descriptor().map(|_| Descriptor::new(&config.traits, classes, seed, device));
        let descriptor = descriptor.transpose()?;
        let inputs = match (&descriptor, &config.traits) {
            (Some(descriptor), _) => Some(descriptor.dimension()),
            (None, TraitSource::WordVector) => Some(WORD),
            (None, _) => None,
        };
        let outputs = network.dimension();
        let generator = inputs.map(|inputs| Generator::new(inputs, outputs, config.eta(), seed, device)).transpose()?;
        let regressor = match config.training {
            Training::Regress(settings) => Some(PhotoRegressor::new(settings, outputs, seed, device)?),
            _ => None,
        };
        Ok(Self { network, generator, descriptor, regressor })
    }

    /// What the training of the retrieval network moves.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        let name = |prefix: &'static str| move |(name, var)| (format!("{prefix}{name}"), var);
        let own = self.network.trainable().into_iter().map(name(NETWORK));
        let generator = self.generator.iter().flat_map(|generator| generator.parameters.trainable());
        let regressor = self.regressor.iter().flat_map(|regressor| regressor.parameters().trainable());
        own.chain(generator.map(name(GENERATOR))).chain(regressor.map(name(REGRESSOR))).collect()
    }

    /// The weights of a query: `1 + eta`, or 1 where there is no generator.
    ///
    /// # Shapes
    /// `features` `(b, d)`; `descriptions` `(b, M)`; out `(b, d)`, with the distribution that they were drawn from.
    ///
    /// # Errors
    /// A row with a generator without descriptions.
    pub fn weigh(
        &self,
        features: &Tensor,
        descriptions: Option<&Tensor>,
        noise: impl FnOnce(&[usize]) -> Result<Tensor>,
        mode: Mode,
    ) -> Result<(Tensor, Option<WeightDistribution>)> {
        let Some(generator) = &self.generator else { return Ok((features.ones_like()?, None)) };
        let descriptions = descriptions.ok_or_else(|| Error::value("query", "a description", "none"))?;
        let distribution = generator.distribution(descriptions, mode)?;
        let weights = distribution.sample(&noise(features.dims())?)?;
        Ok((weights, Some(distribution)))
    }

    /// Every tensor of the retrieval network.
    pub fn tensors(&self) -> Tensors {
        let generator = self.generator.as_ref().map(|generator| generator.parameters.tensors()).unwrap_or_default();
        let regressor = self.regressor.as_ref().map(|regressor| regressor.parameters().tensors()).unwrap_or_default();
        join([(NETWORK, self.network.parameters().tensors()), (GENERATOR, generator), (REGRESSOR, regressor)])
    }

    /// Loads what [`Self::tensors`] gave.
    ///
    /// # Errors
    /// Tensors of another network.
    pub fn load_tensors(&self, tensors: &Tensors) -> Result<()> {
        self.network.parameters().load(&part(tensors, NETWORK))?;
        if let Some(generator) = &self.generator {
            generator.parameters.load(&part(tensors, GENERATOR))?;
        }
        if let Some(regressor) = &self.regressor {
            regressor.parameters().load(&part(tensors, REGRESSOR))?;
        }
        Ok(())
    }

    fn all(&self) -> Tensors {
        let descriptor = self.descriptor.as_ref().map(|descriptor| descriptor.parameters().tensors());
        let mut all = self.tensors();
        all.extend(join([(DESCRIPTOR, descriptor.unwrap_or_default())]));
        all
    }

    /// Loads tensors of the trained variables alone, as [`crate::train::values`] gives them.
    ///
    /// # Errors
    /// A variable without a value.
    pub fn set(&self, values: &Tensors) -> Result<()> {
        for (name, var) in self.trainable() {
            var.set(crate::train::named::entry(values, &name)?)?;
        }
        Ok(())
    }

    /// Loads a checkpoint.
    ///
    /// # Errors
    /// A file of another network.
    pub fn load(&self, path: &Path) -> Result<()> {
        let tensors = weights::read(path)?.tensors;
        self.load_tensors(&tensors)?;
        if let Some(descriptor) = &self.descriptor {
            descriptor.parameters().load(&part(&tensors, DESCRIPTOR))?;
        }
        Ok(())
    }

    /// Rounds the weights as they are saved, so that ranks are those of the shipped ones.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn round(&self) -> Result<()> {
        self.network.parameters().round(|_| true)?;
        self.regressor.iter().try_for_each(|regressor| regressor.parameters().round(|_| true))?;
        self.generator.iter().try_for_each(|generator| generator.parameters.round(|_| true))?;
        self.descriptor.iter().try_for_each(|descriptor| descriptor.parameters().round(|_| true))
    }
}

impl Kept for AdaptedNetwork {
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        weights::save(path, &self.all(), Storage::F16, metadata)
    }

    fn release(&self) -> (BTreeMap<String, Tensor>, Storage) {
        (self.all(), Storage::F16)
    }
}

/// The number of classes of a checkpoint's classifier; 0 where it has none.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn classes(path: &Path, config: &Config) -> Result<usize> {
    if !matches!(config.traits, TraitSource::Classifier(_)) {
        return Ok(0);
    }
    let tensors = weights::read(path)?.tensors;
    let name = format!("{DESCRIPTOR}classes.bias");
    let bias = tensors.get(&name).ok_or_else(|| Error::data(path, format!("a tensor `{name}`"), "none"))?;
    Ok(bias.elem_count())
}

/// What the names of the parts begin with in a file.
const NETWORK: &str = "network/";
const GENERATOR: &str = "generator/";
const DESCRIPTOR: &str = "descriptor/";
const REGRESSOR: &str = "regressor/";

/// Numbers of a word vector.
pub(super) const WORD: usize = 100;

/// Draws for a sample of the weights of every query, each from a stream of its own: they do not depend on which queries
/// are ranked together.
pub(super) fn noise(sketches: &[usize], sample: usize, d: usize, seed: Seed, device: &Device) -> Result<Tensor> {
    let row = |sketch: &usize| -> Result<Tensor> {
        let stream: &mut Stream = &mut seed.child(&format!("eta {sample}"), *sketch as u64);
        normal(&[1, d], device, stream)
    };
    Ok(Tensor::cat(&sketches.iter().map(row).collect::<Result<Vec<_>>>()?, 0)?)
}
