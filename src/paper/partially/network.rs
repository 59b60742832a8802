//! The networks of the rows: a backbone whose map stays a map, and what some rows put on it.

use super::config::Config;
use super::graph::GraphLayers;
use super::matching::Matching;
use super::policy::PolicyConfig;
use super::region::regions;
use crate::experiment::Kept;
use crate::loss;
use crate::model::{
    Allowance, Backbone, Init, Linear, Mode, Parameters, Scope, Weight, build, l2_normalise, weights, weights::Storage,
};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::{D, Device, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What stands on the map of the backbone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Top {
    /// Regions as they are, matched.
    Regions(Matching),
    /// Regions that have looked at each other, and their mean: `Local-Self-Attn`.
    SelfAttention,
    /// One vector by two layers on the pooled map, and the Euclidean distance: `Triplet-SN`.
    Vector {
        /// Numbers of it.
        dimension: usize,
    },
    /// One vector by a layer on the pooled map, and for sketches a second layer that is added to it: `On-the-fly`.
    Policy {
        /// Numbers of it.
        dimension: usize,
        /// How the second layer is trained, once the rest is.
        training: PolicyConfig,
    },
    /// Graphs of annotated objects, by class and place: `SceneSketcher`.
    Graph,
    /// No picture at all: the classes and boxes that people drew around objects, `oracle`.
    Annotations,
    /// Such vectors of the whole and of what a spatial attention picks, compared number by number with every other one:
    /// `HOLEF`.
    HigherOrder {
        /// Numbers of the vector of the whole.
        dimension: usize,
    },
}

/// A backbone and its top.
pub struct RegionNetwork {
    parameters: Parameters,
    /// None of what sees no pixel.
    backbone: Option<Box<dyn Backbone>>,
    head: Head,
    grid: Option<usize>,
}

/// The layers of a [`Top`].
enum Head {
    Annotations,
    Graph(GraphLayers),
    Policy { layer: Linear, added: Linear },
    Regions(Matching),
    SelfAttention(SelfAttention),
    Vector([Linear; 2]),
    HigherOrder { layers: [Linear; 2], attention: [Linear; 2], weights: Weight },
}

/// What a picture becomes, so that distances need no more of it.
///
/// # Shapes
/// `(b, m, c)` of regions, `(b, d)` of vectors.
pub type Encoded = Tensor;

/// The names of the tensors that no backbone has.
const TOP: &str = "top";

/// What the names of the second layer for sketches begin with.
const ADDED: &str = "top.added.";

impl RegionNetwork {
    /// The network at its start; the backbone without its pre-trained weights.
    ///
    /// # Errors
    /// Settings that do not build.
    pub fn new(config: &Config, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let sees = !matches!(config.top, Top::Annotations | Top::Graph);
        let backbone = sees.then(|| build(config.architecture, &mut parameters.root(), config.norm)).transpose()?;
        let channels = backbone.as_ref().map_or(0, |backbone| backbone.channels());
        let head = Head::new(config.top, channels, &mut parameters.root().push(TOP))?;
        Ok(Self { parameters, backbone, head, grid: config.grid })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Loads pre-trained weights of the backbone.
    ///
    /// # Errors
    /// A file that does not hold exactly the backbone's tensors.
    pub fn load_backbone(&self, path: &Path) -> Result<()> {
        let names: Vec<String> = self.parameters.tensors().into_keys().collect();
        let own: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| name.starts_with(&format!("{TOP}."))).collect();
        weights::load(path, &self.parameters, &Allowance { missing: &own, extra: &[] })?;
        Ok(())
    }

    /// Loads a checkpoint.
    ///
    /// # Errors
    /// A file of another network.
    pub fn load(&self, path: &Path) -> Result<()> {
        weights::load(path, &self.parameters, &Allowance::default())?;
        Ok(())
    }

    /// What pictures become.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in, normalised as the backbone expects; of graphs `(b, n, 105)`.
    ///
    /// # Errors
    /// Another shape.
    pub fn encode(&self, pictures: &Tensor, mode: Mode) -> Result<Encoded> {
        if let Head::Graph(layers) = &self.head {
            return layers.forward(pictures, mode);
        }
        let backbone = self.backbone.as_ref().ok_or_else(no_pixels)?;
        let maps = backbone.forward(pictures, mode)?;
        match &self.head {
            Head::Annotations | Head::Graph(_) => Err(no_pixels()),
            Head::Regions(_) => regions(&maps, self.grid),
            Head::SelfAttention(attention) => attention.forward(&regions(&maps, self.grid)?, mode),
            Head::Policy { .. } => l2_normalise(&pooled(&maps)?),
            Head::Vector(layers) => vector(layers, &pooled(&maps)?, mode),
            Head::HigherOrder { layers, attention, .. } => {
                let whole = vector(layers, &pooled(&maps)?, mode)?;
                let picked = l2_normalise(&pooled(&attended(attention, &maps, mode)?)?)?;
                Ok(Tensor::cat(&[whole, picked], 1)?)
            }
        }
    }

    /// The distance of every photo from every sketch.
    ///
    /// # Shapes
    /// `sketches` of a pictures, `photos` of b, as [`Self::encode`] gives them; out `(a, b)`.
    ///
    /// # Errors
    /// Regions of another network.
    pub fn distances(&self, sketches: &Encoded, photos: &Encoded, mode: Mode) -> Result<Tensor> {
        match &self.head {
            Head::Annotations => Err(no_pixels()),
            Head::Regions(matching) => matching.distances(sketches, photos),
            Head::SelfAttention(_) => Matching::Average.distances(sketches, photos),
            Head::Graph(_) => Ok((1.0 - sketches.matmul(&photos.t()?)?)?),
            Head::Policy { .. } => {
                Ok(loss::distances(&self.embed_sketches(sketches, mode)?, &self.embed_in(photos, mode)?)?)
            }
            Head::Vector(_) => Ok(loss::distances(sketches, photos)?),
            Head::HigherOrder { weights, .. } => higher_order(sketches, photos, &weights.value(mode)),
        }
    }

    /// The vectors of sketches by both layers, of features as [`Self::encode`] gives them.
    ///
    /// # Shapes
    /// `(b, c)` in, `(b, d)` out, unit rows.
    ///
    /// # Errors
    /// A row without these layers.
    pub fn embed_sketches(&self, features: &Tensor, mode: Mode) -> Result<Tensor> {
        match &self.head {
            Head::Policy { layer, added } => {
                l2_normalise(&(layer.forward(features, mode)? + added.forward(features, mode)?)?)
            }
            _ => Err(no_policy()),
        }
    }

    /// The vectors of photos by the first layer.
    ///
    /// # Shapes
    /// As [`Self::embed_sketches`].
    ///
    /// # Errors
    /// As there.
    pub fn embed_photos(&self, features: &Tensor) -> Result<Tensor> {
        self.embed_in(features, Mode::Eval)
    }

    fn embed_in(&self, features: &Tensor, mode: Mode) -> Result<Tensor> {
        match &self.head {
            Head::Policy { layer, .. } => l2_normalise(&layer.forward(features, mode)?),
            _ => Err(no_policy()),
        }
    }

    /// What the first training moves: everything but the second layer for sketches.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.parameters.trainable().into_iter().filter(|(name, _)| !name.starts_with(ADDED)).collect()
    }

    /// What the second training moves: that layer; nothing of most rows.
    pub fn policy(&self) -> Vec<(String, Var)> {
        self.parameters.trainable().into_iter().filter(|(name, _)| name.starts_with(ADDED)).collect()
    }

    /// Regions that have looked at each other, where the row has such a layer.
    ///
    /// # Shapes
    /// `(b, m, c)` in and out.
    ///
    /// # Errors
    /// A row without attention.
    pub fn attend(&self, regions: &Tensor, mode: Mode) -> Result<Tensor> {
        match &self.head {
            Head::SelfAttention(attention) => attention.forward(regions, mode),
            _ => Err(Error::value("row", "attention between regions", "none")),
        }
    }

    /// What a loss may add: of `HOLEF`, how far its weights are from comparing each number with itself.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn penalty(&self) -> Result<Option<Tensor>> {
        let Head::HigherOrder { weights, .. } = &self.head else { return Ok(None) };
        let weights = weights.value(Mode::Train);
        let identity = Tensor::eye(weights.dim(0)?, weights.dtype(), weights.device())?;
        Ok(Some(((weights - identity)?.sqr()?.sum_all()? * DECAY)?))
    }
}

/// Of the authors' paper, for the penalty on the weights of higher-order differences (lambda).
const DECAY: f64 = 5e-4;

impl Head {
    fn new(top: Top, c: usize, scope: &mut Scope) -> Result<Self> {
        let normal = |inputs: usize| Init::Normal { deviation: (inputs as f32).sqrt().recip() };
        let layers = |d: usize, scope: &mut Scope| -> Result<[Linear; 2]> {
            let first = Linear::new(c, d, normal(c), &mut scope.push("fc6"))?;
            Ok([first, Linear::new(d, d, normal(d), &mut scope.push("fc7"))?])
        };
        Ok(match top {
            Top::Annotations => Self::Annotations,
            Top::Policy { dimension, .. } => {
                let layer = Linear::new(c, dimension, normal(c), &mut scope.push("fc"))?;
                Self::Policy { layer, added: Linear::new(c, dimension, Init::Zeros, &mut scope.push("added"))? }
            }
            Top::Graph => Self::Graph(GraphLayers::new(scope)?),
            Top::Regions(matching) => Self::Regions(matching),
            Top::SelfAttention => Self::SelfAttention(SelfAttention::new(c, scope)?),
            Top::Vector { dimension } => Self::Vector(layers(dimension, scope)?),
            Top::HigherOrder { dimension } => {
                let layers = layers(dimension, scope)?;
                let first = Linear::new(c, c, normal(c), &mut scope.push("attention1"))?;
                let second = Linear::new(c, 1, normal(c), &mut scope.push("attention2"))?;
                let d = dimension + c;
                let weights = scope.push("order").weight("weight", &[d, d], Init::Identity)?;
                Self::HigherOrder { layers, attention: [first, second], weights }
            }
        })
    }
}

fn no_pixels() -> Error {
    Error::value("row", "a network that sees pictures", "annotations alone")
}

fn no_policy() -> Error {
    Error::value("row", "layers for photos and for sketches", "one without")
}

fn pooled(maps: &Tensor) -> Result<Tensor> {
    Ok(maps.mean((1, 2))?)
}

/// Two layers, rectified between, of length 1.
fn vector([first, second]: &[Linear; 2], pooled: &Tensor, mode: Mode) -> Result<Tensor> {
    l2_normalise(&second.forward(&first.forward(pooled, mode)?.relu()?, mode)?)
}

/// `f + alpha f`, with alpha a softmax over the places of two 1 x 1 convolutions.
fn attended([first, second]: &[Linear; 2], maps: &Tensor, mode: Mode) -> Result<Tensor> {
    let (b, h, w, c) = maps.dims4()?;
    let rows = maps.contiguous()?.reshape((b * h * w, c))?;
    let scores = second.forward(&first.forward(&rows, mode)?.relu()?, mode)?.reshape((b, h * w))?;
    let shares = candle_nn::ops::softmax(&scores, D::Minus1)?.reshape((b, h, w, 1))?;
    Ok(maps.broadcast_mul(&(shares + 1.0)?)?)
}

/// The energy of all differences of two vectors' numbers.
///
/// ```text
/// D = sum over i, j of |W_ij| (s_i - p_j)^2
/// ```
///
/// # References
/// Song et al., Deep Spatial-Semantic Attention for Fine-Grained Sketch-Based Image Retrieval, ICCV 2017, Sec. 3.3.
fn higher_order(sketches: &Tensor, photos: &Tensor, weights: &Tensor) -> Result<Tensor> {
    let weights = weights.abs()?;
    let own = sketches.sqr()?.broadcast_mul(&weights.sum(1)?)?.sum_keepdim(1)?;
    let other = photos.sqr()?.broadcast_mul(&weights.sum(0)?)?.sum_keepdim(1)?.t()?;
    let cross = sketches.matmul(&weights)?.matmul(&photos.t()?)?;
    Ok((own.broadcast_add(&other)? - (cross * 2.0)?)?.abs()?)
}

/// One head of attention between the regions of a picture, added to them.
struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
}

/// Numbers of a query and of a key.
const KEY: usize = 64;

impl SelfAttention {
    fn new(c: usize, scope: &mut Scope) -> Result<Self> {
        let normal = Init::Normal { deviation: (c as f32).sqrt().recip() };
        Ok(Self {
            query: Linear::new(c, KEY, normal, &mut scope.push("query"))?,
            key: Linear::new(c, KEY, normal, &mut scope.push("key"))?,
            // Training begins at the regions as they are.
            value: Linear::new(c, c, Init::Zeros, &mut scope.push("value"))?,
        })
    }

    /// `u_i + sum over j of a_ij V u_j`, `a_i = softmax over j of (Q u_i . K u_j / sqrt(64))`.
    fn forward(&self, regions: &Tensor, mode: Mode) -> Result<Tensor> {
        let (query, key) = (self.query.forward(regions, mode)?, self.key.forward(regions, mode)?);
        let scores = (query.matmul(&key.transpose(1, 2)?.contiguous()?)? / (KEY as f64).sqrt())?;
        let shares = candle_nn::ops::softmax(&scores, D::Minus1)?;
        Ok((regions + shares.matmul(&self.value.forward(regions, mode)?)?)?)
    }
}

impl Kept for RegionNetwork {
    fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        weights::save(path, &self.parameters.tensors(), Storage::F16, metadata)
    }

    fn release(&self) -> (BTreeMap<String, Tensor>, Storage) {
        (self.parameters.tensors(), Storage::F16)
    }
}

/// Refuses a distance of vectors where regions are needed.
pub(super) fn expect_regions(encoded: &Encoded) -> Result<()> {
    match encoded.rank() {
        3 => Ok(()),
        rank => Err(Error::value("encoded pictures", "regions (b, m, c)", format!("{rank} dimensions"))),
    }
}
