use super::Config;
use crate::experiment::Kept;
use crate::model::{Allowance, Embedder, Mode, Parameters, weights};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;
use std::path::Path;

/// The one network of the paper: sketches and photos go through the same weights.
pub struct Network {
    config: Config,
    parameters: Parameters,
    embedder: Embedder,
}

impl Network {
    /// The architecture with seeded initial values.
    ///
    /// # Errors
    /// A configuration that does not build.
    pub fn new(config: &Config, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let embedder = Embedder::new(config.architecture, config.norm, config.head, &mut parameters.root())?;
        Ok(Self { config: config.clone(), parameters, embedder })
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Loads pre-trained weights of the backbone; the head keeps its initial values.
    ///
    /// # Errors
    /// A file that does not hold exactly the backbone's tensors.
    pub fn load_backbone(&self, path: &Path) -> Result<()> {
        let head: Vec<&str> = HEAD.iter().copied().filter(|_| self.config.head.is_some()).collect();
        weights::load(path, &self.parameters, &Allowance { missing: &head, extra: &[] })?;
        Ok(())
    }

    /// Loads what [`Network::save`] wrote.
    ///
    /// # Errors
    /// A file of another network.
    pub fn load(&self, path: &Path) -> Result<()> {
        let names: Vec<String> = self.parameters.tensors().into_keys().collect();
        let backbone: Vec<&str> = names.iter().map(String::as_str).filter(|name| !self.is_saved(name)).collect();
        weights::load(path, &self.parameters, &Allowance { missing: &backbone, extra: &[] })?;
        Ok(())
    }

    /// Writes the trained tensors in half precision; a frozen backbone, which is somebody else's, stays out.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        let tensors = self.parameters.tensors().into_iter().filter(|(name, _)| self.is_saved(name)).collect();
        weights::save(path, &tensors, weights::Storage::F16, metadata)
    }

    fn is_saved(&self, name: &str) -> bool {
        self.config.frozen.is_none() || HEAD.contains(&name)
    }

    /// Rounds what [`Network::save`] writes to half precision, so that ranks are of the very weights that are shipped.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn round(&self) -> Result<()> {
        self.parameters.round(|name| self.is_saved(name))
    }

    /// What an optimiser moves.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.parameters.trainable().into_iter().filter(|(name, _)| self.is_saved(name)).collect()
    }

    /// Embeds the input of a training step: pixels, or features where the backbone is frozen.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn embed_in_training(&self, input: &Tensor) -> Result<Tensor> {
        self.embed(input, Mode::Train)
    }

    /// Embeds in evaluation: pixels or, by their shape, features.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` or `(b, c)` in, `(b, d)` unit rows out.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn embed_in_evaluation(&self, input: &Tensor) -> Result<Tensor> {
        Ok(self.embed(input, Mode::Eval)?.detach())
    }

    fn embed(&self, input: &Tensor, mode: Mode) -> Result<Tensor> {
        match input.rank() {
            4 => self.embedder.forward(input, mode),
            2 if self.config.frozen.is_some() => self.embedder.embed(input, mode),
            rank => Err(Error::value("input", "pictures (b, 3, h, w)", format!("{rank} dimensions"))),
        }
    }

    /// Pooled features of the backbone.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn features(&self, input: &Tensor) -> Result<Tensor> {
        self.embedder.features(input, Mode::Eval)
    }
}

impl Kept for Network {
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        Self::save(self, path, metadata)
    }

    /// Half precision, as it was ranked; single where part of it is somebody else's.
    fn release(&self) -> (BTreeMap<String, Tensor>, weights::Storage) {
        let storage = if self.config.frozen.is_some() { weights::Storage::F32 } else { weights::Storage::F16 };
        (self.parameters.tensors(), storage)
    }
}

/// The tensors of the head.
const HEAD: [&str; 2] = ["head.weight", "head.bias"];
