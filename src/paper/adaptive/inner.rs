//! The inner loop: the embedding layer after some steps on the support, as an expression of the layer that it began with,
//! of the features and of the margin. So candle's own backward pass gives the exact gradient of what comes after it.

use crate::loss::distances;
use crate::model::l2_normalise;
use crate::{Error, Result};
use candle_core::{D, Tensor};
use candle_nn::ops::sigmoid;
use serde::{Deserialize, Serialize};

/// The last layer, M: features to points of length 1.
///
/// ```text
/// e = v / |v|,   v = weight u + bias
/// ```
///
/// # Shapes
/// `weight (d, c)`, `bias (d)`.
#[derive(Debug, Clone)]
pub struct HeadWeights {
    /// `(d, c)`.
    pub weight: Tensor,
    /// `(d)`.
    pub bias: Tensor,
}

impl HeadWeights {
    /// Points of features.
    ///
    /// # Shapes
    /// `(n, c)` in, `(n, d)` out.
    ///
    /// # Errors
    /// Features of another length.
    pub fn embed(&self, features: &Tensor) -> Result<Tensor> {
        l2_normalise(&self.project(features)?)
    }

    fn project(&self, features: &Tensor) -> Result<Tensor> {
        Ok(features.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?)
    }
}

/// Sketches, the photos that they are compared with, and which of these each of them shows.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Features `(n, c)`.
    pub sketches: Tensor,
    /// Features `(g, c)`.
    pub photos: Tensor,
    /// n rows of `photos`.
    pub own: Vec<u32>,
}

impl Comparison {
    /// Checks that there is a triplet.
    ///
    /// # Errors
    /// No sketch; fewer than two photos; not one own photo a sketch, or one that is not there.
    pub fn check(&self) -> Result<()> {
        let (sketches, photos) = (self.sketches.dim(0)?, self.photos.dim(0)?);
        if sketches == 0 || self.own.len() != sketches {
            return Err(Error::value("pairs to adapt to", "one photo for each of 1 sketch or more", self.own.len()));
        }
        if photos < 2 {
            return Err(Error::value("photos to compare with", "the own one and at least one other", photos));
        }
        match self.own.iter().find(|own| **own as usize >= photos) {
            Some(lost) => Err(Error::value("own photo", format!("below {photos}"), lost)),
            None => Ok(()),
        }
    }

    /// Where the own photo of each sketch stands.
    fn columns(&self) -> Result<Tensor> {
        Ok(Tensor::from_slice(&self.own, (self.own.len(), 1), self.photos.device())?)
    }

    /// 1 for every photo but the own one.
    fn negatives(&self) -> Result<Tensor> {
        let (n, g) = (self.own.len(), self.photos.dim(0)?);
        let is_other =
            |own: &u32| (0..g as u32).map(move |photo| f32::from(u8::from(photo != *own))).collect::<Vec<_>>();
        let mask: Vec<f32> = self.own.iter().flat_map(is_other).collect();
        Ok(Tensor::from_vec(mask, (n, g), self.photos.device())?.to_dtype(self.photos.dtype())?)
    }

    fn triplets(&self) -> Result<f64> {
        Ok((self.own.len() * (self.photos.dim(0)? - 1)) as f64)
    }

    /// `margin + d(s_i, p_i) - d(s_i, p_k)` for all i and k.
    fn violations(&self, head: &HeadWeights, margin: &Tensor) -> Result<Tensor> {
        let far = distances(&head.embed(&self.sketches)?, &head.embed(&self.photos)?)?;
        let own = far.gather(&self.columns()?, 1)?;
        Ok(own.broadcast_sub(&far)?.broadcast_add(margin)?)
    }
}

/// How a triplet that is violated counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Hinge {
    /// `max(x, 0)`, as printed. Its slope is 0 or 1, and does not change with the margin but by jumps.
    Hard,
    /// `t log(1 + exp(x / t))`, which is `max(x, 0)` as t goes to 0. Its slope rises with the margin, so that the margin can
    /// be learned through a step.
    Soft {
        /// t.
        temperature: f64,
    },
}

impl Hinge {
    /// The value of a violation.
    fn value(self, x: &Tensor) -> Result<Tensor> {
        let hard = ((x + x.abs()?)? / 2.0)?;
        Ok(match self {
            Self::Hard => hard,
            Self::Soft { temperature } => {
                let rest = ((x.abs()? * (-1.0 / temperature))?.exp()? + 1.0)?.log()?;
                (hard + (rest * temperature)?)?
            }
        })
    }

    /// Its derivative.
    fn slope(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Hard => x.gt(0.0)?.to_dtype(x.dtype())?.detach(),
            Self::Soft { temperature } => sigmoid(&(x / temperature)?)?,
        })
    }
}

/// Pulls every sketch to its own photo and away from the others, after the head.
///
/// ```text
/// L = mean over i, k != own(i) of hinge(margin + d(s_i, p_own(i)) - d(s_i, p_k)),   d Euclidean, of points of length 1
/// ```
///
/// # Shapes
/// `margin` a scalar; out a scalar.
///
/// # Errors
/// As [`Comparison::check`].
///
/// # References
/// Bhunia et al., Adaptive Fine-Grained Sketch-Based Image Retrieval, ECCV 2022, L_T.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::paper::adaptive::{Comparison, HeadWeights, Hinge, support_loss};
/// let head = HeadWeights { weight: Tensor::eye(2, candle_core::DType::F64, &Device::Cpu)?,
///                          bias: Tensor::zeros(2, candle_core::DType::F64, &Device::Cpu)? };
/// let sketches = Tensor::new(&[[3.0_f64, 4.0]], &Device::Cpu)?;
/// let photos = Tensor::new(&[[6.0_f64, 8.0], [0.0, 2.0]], &Device::Cpu)?;
/// let support = Comparison { sketches, photos, own: vec![0] };
/// let margin = Tensor::new(1.0_f64, &Device::Cpu)?;
/// // Points (0.6, 0.8), (0.6, 0.8) and (0, 1): 1 + 0 - sqrt(0.4).
/// let loss = support_loss(&head, &support, &margin, Hinge::Hard)?.to_scalar::<f64>()?;
/// assert!((loss - 1.0 + 0.4_f64.sqrt()).abs() < 1e-5);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn support_loss(head: &HeadWeights, support: &Comparison, margin: &Tensor, hinge: Hinge) -> Result<Tensor> {
    support.check()?;
    let all = hinge.value(&support.violations(head, margin)?)?;
    Ok(((all * support.negatives()?)?.sum_all()? / support.triplets()?)?)
}

/// The gradient of [`support_loss`] with respect to the head, as an expression: it can be differentiated again.
///
/// ```text
/// A(i, k) = hinge'(x(i, k)) / triplets for k != own(i)       G = A's row sums in the column own(i), -A elsewhere
/// H = G / d        dL/de_s = diag(H 1) E_s - H E_p           dL/de_p = diag(H^T 1) E_p - H^T E_s
/// dL/dv = (g - e (e . g)) / |v|                              dL/dweight = sum of dL/dv u^T,  dL/dbias = sum of dL/dv
/// ```
///
/// # Errors
/// As [`Comparison::check`].
pub fn support_gradient(
    head: &HeadWeights,
    support: &Comparison,
    margin: &Tensor,
    hinge: Hinge,
) -> Result<HeadWeights> {
    support.check()?;
    let (sketches, photos) = (Points::of(head, &support.sketches)?, Points::of(head, &support.photos)?);
    let far = distances(&sketches.unit, &photos.unit)?;
    let own = far.gather(&support.columns()?, 1)?;
    let slopes = hinge.slope(&own.broadcast_sub(&far)?.broadcast_add(margin)?)?;
    let negatives = support.negatives()?;
    let pushed = ((slopes * &negatives)? / support.triplets()?)?;
    let is_own = negatives.affine(-1.0, 1.0)?;
    let pulled = is_own.broadcast_mul(&pushed.sum_keepdim(1)?)?;
    let weights = ((pulled - pushed)? / far)?;
    let to_sketches = (sketches.unit.broadcast_mul(&weights.sum_keepdim(1)?)? - weights.matmul(&photos.unit)?)?;
    let back = weights.t()?.contiguous()?;
    let to_photos = (photos.unit.broadcast_mul(&back.sum_keepdim(1)?)? - back.matmul(&sketches.unit)?)?;
    let (of_sketches, of_photos) = (sketches.before(&to_sketches)?, photos.before(&to_photos)?);
    let product = |v: &Tensor, u: &Tensor| Ok::<_, Error>(v.t()?.contiguous()?.matmul(u)?);
    Ok(HeadWeights {
        weight: (product(&of_sketches, &support.sketches)? + product(&of_photos, &support.photos)?)?,
        bias: (of_sketches.sum(0)? + of_photos.sum(0)?)?,
    })
}

/// Points, and how long they were before they were scaled.
struct Points {
    unit: Tensor,
    length: Tensor,
}

impl Points {
    fn of(head: &HeadWeights, features: &Tensor) -> Result<Self> {
        let v = head.project(features)?;
        let length = (v.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?; // as l2_normalise
        Ok(Self { unit: v.broadcast_div(&length)?, length })
    }

    /// The gradient before scaling, from that after it.
    fn before(&self, after: &Tensor) -> Result<Tensor> {
        let along = (&self.unit * after)?.sum_keepdim(1)?;
        Ok((after - self.unit.broadcast_mul(&along)?)?.broadcast_div(&self.length)?)
    }
}

/// How far a gradient of a gradient goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The outer gradient is exact.
    #[default]
    Second,
    /// A step counts as a constant: the outer gradient is taken where the steps end.
    First,
}

/// What a step does with a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepRule {
    /// Goes along it.
    #[default]
    Gradient,
    /// Goes along its sign, whose own gradient is zero.
    Sign,
}

/// Steps of the inner loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// How many.
    pub steps: usize,
    /// alpha: how far each goes.
    pub rate: f64,
    /// What it does with the gradient.
    pub rule: StepRule,
    /// How the outer gradient goes through it.
    pub order: Order,
    /// The loss that it goes down.
    pub hinge: Hinge,
}

/// The head after the inner loop.
///
/// ```text
/// M_0 = M,   M_(t+1) = M_t - alpha dL(M_t; support, margin)/dM_t
/// ```
///
/// The result is an expression of `head`, of the features and of `margin`: gradients reach all three, unless the order is
/// [`Order::First`] or the rule is [`StepRule::Sign`], where they reach `head` alone, as if the steps were constants.
///
/// # Shapes
/// `margin` a scalar.
///
/// # Errors
/// As [`Comparison::check`].
///
/// # References
/// Bhunia et al., Adaptive Fine-Grained Sketch-Based Image Retrieval, ECCV 2022, Eq. 8; Finn et al., Model-Agnostic
/// Meta-Learning, ICML 2017, Eq. 1; Fan et al., Sign-MAML, 2021.
pub fn adapt(head: &HeadWeights, support: &Comparison, margin: &Tensor, config: &StepConfig) -> Result<HeadWeights> {
    let mut now = head.clone();
    for _ in 0..config.steps {
        let slope = support_gradient(&now, support, margin, config.hinge)?;
        now = HeadWeights {
            weight: moved(&now.weight, &slope.weight, config)?,
            bias: moved(&now.bias, &slope.bias, config)?,
        };
    }
    Ok(now)
}

fn moved(from: &Tensor, slope: &Tensor, config: &StepConfig) -> Result<Tensor> {
    let step = stride(slope, config.rule)?;
    let step = if config.order == Order::First { step.detach() } else { step };
    Ok((from - (step * config.rate)?)?)
}

/// The direction in which a rule goes.
pub(super) fn stride(slope: &Tensor, rule: StepRule) -> Result<Tensor> {
    Ok(match rule {
        StepRule::Gradient => slope.clone(),
        StepRule::Sign => slope.sign()?.detach(),
    })
}

/// A scalar margin.
pub(super) fn constant(margin: f64, like: &Tensor) -> Result<Tensor> {
    Ok(Tensor::full(margin, (), like.device())?.to_dtype(like.dtype())?)
}
