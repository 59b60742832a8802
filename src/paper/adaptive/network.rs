//! The network: a backbone with spatial attention, F, an embedding layer, M, and what sets the margin.

use super::config::{Config, MarginSource};
use super::inner::{Comparison, HeadWeights, constant};
use crate::experiment::Kept;
use crate::model::weights::{self, Storage};
use crate::model::{
    Allowance, Backbone, Init, Linear, Mode, Parameters, Scope, SpatialAttention, Weight, build, l2_normalise, pool,
};
use crate::seed::Seed;
use crate::train::named::{Tensors, join, part};
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};
use candle_nn::ops::sigmoid;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// F and M, on weights of their own or on given ones.
pub struct Trunk {
    backbone: Box<dyn Backbone>,
    attention: Option<SpatialAttention>,
    weight: Weight,
    bias: Weight,
}

impl Trunk {
    /// Registers the backbone's tensors, `attention` and `head`.
    ///
    /// # Errors
    /// A dimension of 0; a name that is taken or missing.
    pub fn new(config: &Config, scope: &mut Scope) -> Result<Self> {
        let backbone = build(config.architecture, scope, config.norm)?;
        let channels = backbone.channels();
        let attention =
            config.attention.map(|squash| SpatialAttention::new(channels, squash, &mut scope.push("attention")));
        // Of variance 1 / inputs, so that lengths stay about the same.
        let start = Init::Normal { deviation: (channels as f32).sqrt().recip() };
        let mut head = scope.push("head");
        let weight = head.weight("weight", &[config.dimension, channels], start)?;
        Ok(Self {
            backbone,
            attention: attention.transpose()?,
            weight,
            bias: head.weight("bias", &[config.dimension], Init::Zeros)?,
        })
    }

    /// F: pooled features.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in, `(b, c)` out.
    ///
    /// # Errors
    /// As [`Backbone::forward`].
    pub fn features(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let map = self.backbone.forward(pictures, mode)?;
        pool(&self.attention.as_ref().map_or_else(|| Ok(map.clone()), |attention| attention.forward(&map, mode))?)
    }

    /// M.
    pub fn head(&self, mode: Mode) -> HeadWeights {
        HeadWeights { weight: self.weight.value(mode), bias: self.bias.value(mode) }
    }

    /// Features as points.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in, `(b, d)` out.
    ///
    /// # Errors
    /// As [`Trunk::features`].
    pub fn embed(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        self.head(mode).embed(&self.features(pictures, mode)?)
    }
}

/// What a trained row consists of.
pub struct AdaptiveNetwork {
    trunk: Trunk,
    margin: Margin,
    parameters: Parameters,
    /// Of one network a class, the weights of each.
    pub experts: BTreeMap<String, Tensors>,
    /// Which of the draws of a support it adapts to: the run's seed.
    pub draw: u64,
    config: Config,
}

impl fmt::Debug for AdaptiveNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, d) = (self.config.architecture, self.config.dimension);
        write!(f, "AdaptiveNetwork({name} to {d} dimensions, {} experts)", self.experts.len())
    }
}

impl AdaptiveNetwork {
    /// At its start, without pre-trained weights.
    ///
    /// # Errors
    /// Settings that do not build.
    pub fn new(config: &Config, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let trunk = Trunk::new(config, &mut parameters.root())?;
        let channels = trunk.backbone.channels();
        let margin = Margin::new(config.inner.margin, channels, &mut parameters.root().push("margin"))?;
        Ok(Self { trunk, margin, parameters, experts: BTreeMap::new(), draw: seed.0, config: config.clone() })
    }

    /// Loads pre-trained weights of the backbone; the rest keeps its initial values.
    ///
    /// # Errors
    /// A file that does not hold exactly the backbone's tensors.
    pub fn load_backbone(&self, path: &Path) -> Result<()> {
        let missing = ["attention.*", "head.*", "margin.*"];
        weights::load(path, &self.parameters, &Allowance { missing: &missing, extra: &[] })?;
        Ok(())
    }

    /// F and M.
    pub fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Channels of F.
    pub fn channels(&self) -> usize {
        self.trunk.backbone.channels()
    }

    /// Takes the settings of a row that shares this network's training and differs in what it does at test.
    pub(super) fn set_config(&mut self, config: &Config) {
        self.config = config.clone();
    }

    /// F and M on other weights, such as adapted ones; names that are not given keep the network's own.
    ///
    /// # Errors
    /// A name that the network does not have, or another shape.
    pub fn trunk_on(&self, given: &Tensors) -> Result<Trunk> {
        let mut overlay = self.parameters.overlay(given);
        let trunk = Trunk::new(&self.config, &mut overlay.root())?;
        overlay.finish()?;
        Ok(trunk)
    }

    /// mu for a support, 0 to 1.
    ///
    /// # Shapes
    /// Out a scalar.
    ///
    /// # Errors
    /// A support without pairs.
    pub fn margin(&self, support: &Comparison, mode: Mode) -> Result<Tensor> {
        self.margin.of(support, mode)
    }

    /// What an outer loop moves: everything.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.parameters.trainable()
    }

    /// F and M, which an inner loop over all weights moves.
    pub fn adaptable(&self) -> Vec<(String, Var)> {
        self.trainable().into_iter().filter(|(name, _)| !name.starts_with("margin.")).collect()
    }

    /// Every tensor but those of experts.
    pub fn tensors(&self) -> Tensors {
        self.parameters.tensors()
    }

    /// Loads what [`Self::tensors`] gave.
    ///
    /// # Errors
    /// Tensors of another network.
    pub fn load_tensors(&self, tensors: &Tensors) -> Result<()> {
        self.parameters.load(tensors).map(drop)
    }

    /// Loads a checkpoint.
    ///
    /// # Errors
    /// A file of another network.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let tensors = weights::read(path)?.tensors;
        self.load_tensors(&part(&tensors, NETWORK))?;
        let names = tensors.keys().filter_map(|name| Some(name.strip_prefix(EXPERT)?.split_once('/')?.0.to_string()));
        let names: std::collections::BTreeSet<String> = names.collect();
        let device = self.parameters.device().clone();
        for name in names {
            let own = part(&tensors, &format!("{EXPERT}{name}/")).into_iter();
            let own =
                own.map(|(name, tensor)| Ok((name, tensor.to_device(&device)?.to_dtype(candle_core::DType::F32)?)));
            self.experts.insert(name, own.collect::<Result<_>>()?);
        }
        Ok(())
    }

    /// Rounds the weights as they are saved, so that ranks are those of the shipped ones.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn round(&mut self) -> Result<()> {
        self.parameters.round(|_| true)?;
        for tensor in self.experts.values_mut().flat_map(BTreeMap::values_mut) {
            *tensor = tensor.to_dtype(candle_core::DType::F16)?.to_dtype(candle_core::DType::F32)?;
        }
        Ok(())
    }

    fn all(&self) -> Tensors {
        let mut all = join([(NETWORK, self.tensors())]);
        for (class, tensors) in &self.experts {
            all.extend(join([(format!("{EXPERT}{class}/").as_str(), tensors.clone())]));
        }
        all
    }
}

impl Kept for AdaptiveNetwork {
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        weights::save(path, &self.all(), Storage::F16, metadata)
    }

    fn release(&self) -> (BTreeMap<String, Tensor>, Storage) {
        (self.all(), Storage::F16)
    }
}

/// What the names of the parts begin with in a file.
const NETWORK: &str = "network/";
const EXPERT: &str = "expert/";

/// What sets the margin of the inner loop.
#[derive(Debug)]
enum Margin {
    Fixed(f64),
    Learned { logit: Weight, start: f64 },
    Predicted { layer: Linear, start: f64 },
}

impl Margin {
    fn new(source: MarginSource, channels: usize, scope: &mut Scope) -> Result<Self> {
        Ok(match source {
            MarginSource::Fixed { margin } => Self::Fixed(margin),
            MarginSource::Learned { start } => {
                Self::Learned { logit: scope.weight("logit", &[1], Init::Zeros)?, start }
            }
            MarginSource::Predicted { start } => {
                Self::Predicted { layer: Linear::new(2 * channels, 1, Init::Zeros, scope)?, start }
            }
        })
    }

    /// ```text
    /// fixed: mu        learned: sigmoid(a + logit(start))        predicted: sigmoid(w z + b + logit(start))
    /// z = mean over the support's pairs of (F(s) / |F(s)|, F(p) / |F(p)|)
    /// ```
    fn of(&self, support: &Comparison, mode: Mode) -> Result<Tensor> {
        let (raw, start) = match self {
            Self::Fixed(margin) => return constant(*margin, &support.photos),
            Self::Learned { logit, start } => (logit.value(mode), *start),
            Self::Predicted { layer, start } => {
                support.check()?;
                let own = Tensor::from_slice(&support.own, support.own.len(), support.photos.device())?;
                let photos = support.photos.index_select(&own, 0)?;
                let both = Tensor::cat(&[l2_normalise(&support.sketches)?, l2_normalise(&photos)?], 1)?;
                (layer.forward(&both.mean_keepdim(0)?, mode)?, *start)
            }
        };
        let margin = sigmoid(&(raw + (start / (1.0 - start)).ln())?)?;
        margin.flatten_all()?.get(0).map_err(Error::from)
    }
}
