//! The outer losses beside L_T, on the features of F: domain, class, semantics, user.

use super::config::{Config, LossWeights, Setting};
use super::task::classes;
use crate::dataset::{Index, WordVectors};
use crate::loss::{cross_entropy_loss, distances};
use crate::model::{Init, Linear, Mode, Parameters, l2_normalise};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::{D, Device, Tensor, Var};

/// Features of a batch, and the number of the class or of the person of each.
#[derive(Debug)]
pub struct LabelledFeatures<'a> {
    /// `(n, c)`.
    pub sketches: &'a Tensor,
    /// `(m, c)`.
    pub photos: &'a Tensor,
    /// n of them.
    pub of_sketches: Vec<usize>,
    /// m of them; of classes alone.
    pub of_photos: Vec<usize>,
}

/// The layers that the outer losses need; training uses them, and nothing else does.
#[derive(Debug)]
pub struct Regularisers {
    parameters: Parameters,
    weights: LossWeights,
    domain: Option<Linear>,
    class: Option<Linear>,
    semantic: Option<Linear>,
    words: Option<Tensor>,
}

impl Regularisers {
    /// The layers of the losses whose weight is above 0.
    ///
    /// # Errors
    /// A class without a word vector; a corpus without classes to tell apart.
    pub fn new(config: &Config, channels: usize, index: &Index, seed: Seed, device: &Device) -> Result<Self> {
        let weights = config.losses;
        let mut parameters = Parameters::new(seed, device);
        let names = classes(index, config);
        let start = Init::Normal { deviation: (channels as f32).sqrt().recip() };
        let mut layer = |weight: f64, outputs: usize, name: &str| {
            (weight > 0.0).then(|| Linear::new(channels, outputs, start, &mut parameters.root().push(name))).transpose()
        };
        let vectors = if config.setting == Setting::Category && weights.semantic > 0.0 {
            let words = WordVectors::embedded()?;
            let rows = names.iter().map(|class| words.of_class(class)).collect::<Result<Vec<_>>>()?;
            Some(Tensor::new(rows, device)?)
        } else {
            None
        };
        let d = vectors.as_ref().map_or(Ok(1), |rows| rows.dim(1))?;
        let (domain, class) = (layer(weights.domain, 1, "domain")?, layer(weights.class, names.len(), "class")?);
        let semantic = layer(weights.semantic, d, "semantic")?;
        Ok(Self { parameters, weights, domain, class, semantic, words: vectors })
    }

    /// Their tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What the outer loop moves of them.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        let own = self.parameters.trainable().into_iter();
        own.map(|(name, var)| (format!("outer/{name}"), var)).collect()
    }

    /// The weighted sum; none where every weight is 0.
    ///
    /// # Errors
    /// Features of another length.
    pub fn loss(&self, features: &LabelledFeatures) -> Result<Option<Tensor>> {
        let mut sum: Option<Tensor> = None;
        let mut add = |weight: f64, loss: Tensor| -> Result<()> {
            let part = (loss * weight)?;
            sum = Some(match sum.take() {
                Some(sum) => (sum + part)?,
                None => part,
            });
            Ok(())
        };
        let both = Tensor::cat(&[features.sketches, features.photos], 0)?;
        let labels = [features.of_sketches.clone(), features.of_photos.clone()].concat();
        if let Some(domain) = &self.domain {
            // Of length 1: else F grows without bound, as the loss that it works against has none.
            let logits = domain.forward(&reversed(&l2_normalise(&both)?)?, Mode::Train)?;
            add(self.weights.domain, domain_loss(&logits, features.of_sketches.len())?)?;
        }
        if let Some(class) = &self.class {
            let labels: Vec<Option<usize>> = labels.iter().copied().map(Some).collect();
            add(self.weights.class, cross_entropy_loss(&class.forward(&both, Mode::Train)?, &labels)?)?;
        }
        if let (Some(semantic), Some(words)) = (&self.semantic, &self.words) {
            let numbers: Vec<u32> = labels.iter().map(|label| *label as u32).collect();
            let rows = words.index_select(&Tensor::new(numbers.as_slice(), both.device())?, 0)?;
            add(self.weights.semantic, semantic_loss(&semantic.forward(&both, Mode::Train)?, &rows)?)?;
        }
        if self.weights.user > 0.0
            && let Some(loss) = user_loss(features.sketches, &features.of_sketches, super::config::MARGIN)?
        {
            add(self.weights.user, loss)?;
        }
        Ok(sum)
    }
}

/// The same values; gradients come back with the other sign, so that what is before works against what is behind.
fn reversed(x: &Tensor) -> Result<Tensor> {
    Ok(((x.detach() * 2.0)? - x)?)
}

/// How badly sketches, the first `sketches` rows, and photos are told apart: what D learns from, and F against.
///
/// ```text
/// L = - mean of t log D + (1 - t) log(1 - D),   D = sigmoid(logit), t = 1 for sketches
/// ```
///
/// The paper's L_D is the negative of it, which D makes large and F small.
///
/// # Shapes
/// `logits (n, 1)`; out a scalar.
///
/// # Errors
/// Fewer rows than sketches.
///
/// # References
/// Bhunia et al., Adaptive Fine-Grained Sketch-Based Image Retrieval, ECCV 2022, L_D.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let logits = Tensor::new(&[[0.0_f64], [3.0_f64.ln()]], &Device::Cpu)?;
/// // D is a half for the sketch and three quarters for the photo: -(ln 1/2 + ln 1/4) / 2.
/// let loss = retrace::paper::adaptive::domain_loss(&logits, 1)?.to_scalar::<f64>()?;
/// assert!((loss - 8.0_f64.ln() / 2.0).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn domain_loss(logits: &Tensor, sketches: usize) -> Result<Tensor> {
    let n = logits.dim(0)?;
    if sketches > n {
        return Err(Error::value("sketches of a batch", format!("at most {n}"), sketches));
    }
    // log(1 + exp(z)) - t z, without a large exponential.
    let hard = ((logits + logits.abs()?)? / 2.0)?;
    let rest = ((logits.abs()?.neg()?.exp()? + 1.0)?).log()?;
    let target = Tensor::cat(
        &[logits.narrow(0, 0, sketches)?.ones_like()?, logits.narrow(0, sketches, n - sketches)?.zeros_like()?],
        0,
    )?;
    Ok(((hard + rest)? - (target * logits)?)?.mean_all()?)
}

/// How far decoded features point from the word vectors of their classes.
///
/// ```text
/// L = mean of (1 - cos(G(F(I)), w)) / 2
/// ```
///
/// # Shapes
/// Both `(n, d)`; out a scalar.
///
/// # Errors
/// Other shapes.
///
/// # References
/// Bhunia et al., Adaptive Fine-Grained Sketch-Based Image Retrieval, ECCV 2022, L_S.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let decoded = Tensor::new(&[[3.0_f64, 0.0], [0.0, 2.0]], &Device::Cpu)?;
/// let words = Tensor::new(&[[1.0_f64, 0.0], [0.0, -1.0]], &Device::Cpu)?;
/// let loss = retrace::paper::adaptive::semantic_loss(&decoded, &words)?.to_scalar::<f64>()?;
/// assert!((loss - 0.5).abs() < 1e-9); // 0 and 1
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn semantic_loss(decoded: &Tensor, words: &Tensor) -> Result<Tensor> {
    let cosine = (l2_normalise(decoded)? * l2_normalise(words)?)?.sum(D::Minus1)?;
    Ok(cosine.affine(-0.5, 0.5)?.mean_all()?)
}

/// Makes every sketch's features nearer to those of the same person's sketches than to those of others; none where no
/// person has two sketches, or there is one person alone.
///
/// ```text
/// L = mean over i, j of one person and k of another of max(margin + d(f_i, f_j) - d(f_i, f_k), 0),   f of length 1
/// ```
///
/// # Shapes
/// `features (n, c)`, `people` n numbers; out a scalar.
///
/// # Errors
/// As many people as features are needed.
///
/// # References
/// Bhunia et al., Adaptive Fine-Grained Sketch-Based Image Retrieval, ECCV 2022, L_ud.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let features = Tensor::new(&[[1.0_f64, 0.0], [0.0, 5.0], [0.0, 1.0]], &Device::Cpu)?;
/// // Two of one person at distance sqrt 2, the other one at sqrt 2 from the first and at 0 from the second.
/// let loss = retrace::paper::adaptive::user_loss(&features, &[7, 7, 8], 0.5)?.unwrap().to_scalar::<f64>()?;
/// assert!((loss - (0.5 + 0.5 + 2.0_f64.sqrt()) / 2.0).abs() < 1e-4);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn user_loss(features: &Tensor, people: &[usize], margin: f64) -> Result<Option<Tensor>> {
    let n = features.dim(0)?;
    if people.len() != n {
        return Err(Error::value("people of sketches", n, people.len()));
    }
    let mut mask = vec![0.0_f32; n * n * n];
    for i in 0..n {
        for j in (0..n).filter(|j| *j != i && people[*j] == people[i]) {
            for k in (0..n).filter(|k| people[*k] != people[i]) {
                mask[(i * n + j) * n + k] = 1.0;
            }
        }
    }
    let count = mask.iter().sum::<f32>();
    if count == 0.0 {
        return Ok(None);
    }
    let unit = l2_normalise(features)?;
    let far = distances(&unit, &unit)?;
    let x = (far.unsqueeze(2)?.broadcast_sub(&far.unsqueeze(1)?)? + margin)?;
    let hinge = ((&x + x.abs()?)? / 2.0)?;
    let mask = Tensor::from_vec(mask, (n, n, n), features.device())?.to_dtype(features.dtype())?;
    Ok(Some(((hinge * mask)?.sum_all()? / f64::from(count))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Var;

    #[test]
    fn features_work_against_the_domain_layer() {
        let x = Var::new(&[[0.6_f64, 0.8], [1.0, 0.0]], &Device::Cpu).unwrap();
        let w = Var::new(&[[0.5_f64], [-0.3]], &Device::Cpu).unwrap();
        let slopes = |own: &Tensor| {
            let loss = domain_loss(&own.matmul(&w).unwrap(), 1).unwrap();
            let slopes = loss.backward().unwrap();
            [&x, &w].map(|var| slopes.get(var).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap())
        };
        let ([plain_x, plain_w], [x_back, w_back]) = (slopes(&x), slopes(&reversed(&x).unwrap()));
        assert_eq!(plain_w, w_back);
        assert!(plain_x.iter().zip(&x_back).all(|(a, b)| (a + b).abs() < 1e-12 && a.abs() > 1e-3));
        assert!(domain_loss(&w, 3).is_err());
    }

    #[test]
    fn user_loss_needs_two_sketches_of_one_person_and_another_person() {
        let features = Tensor::new(&[[1.0_f64, 0.0], [0.0, 1.0]], &Device::Cpu).unwrap();
        assert!(user_loss(&features, &[1, 1], 0.2).unwrap().is_none());
        assert!(user_loss(&features, &[1, 2], 0.2).unwrap().is_none());
        assert!(user_loss(&features, &[1], 0.2).is_err());
    }
}
