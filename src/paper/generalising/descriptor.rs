//! The networks that describe a sketch by a vector: by a word of a dictionary, a latent mean, or a classifier's features.

use super::coder::{CODE, Decoder, Encoder};
use super::config::{Assignment, DescriptorConfig, TraitSource};
use crate::loss::{
    column_entropy, cross_entropy_loss, distances, gumbel, normal_divergence, row_entropy, straight_through,
    uniform_divergence,
};
use crate::model::{Fan, Init, Linear, Mode, Parameters, Weight};
use crate::seed::{Seed, Stream};
use crate::{Error, Result};
use candle_core::{D, Device, Tensor};
use candle_nn::ops::softmax;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;

/// A network that describes sketches.
#[derive(Debug)]
pub struct Descriptor {
    config: DescriptorConfig,
    parameters: Parameters,
    encoder: Encoder,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Dictionary { assign: Linear, skip: Linear, words: Weight, decoder: Decoder },
    Vae { mean: Linear, variance: Linear, decoder: Decoder, centres: Option<Weight> },
    Classifier { hidden: Linear, classes: Linear },
}

/// The loss of a step, and what is logged of it.
#[derive(Debug)]
pub struct DescriptorLoss {
    /// What is minimised.
    pub loss: Tensor,
    /// `|s - s'|`, or the cross-entropy of a classifier: the mean over the batch.
    pub first: f64,
}

impl Descriptor {
    /// The network at its start; the words are unit vectors at random.
    ///
    /// `classes`: seen categories, for a classifier.
    ///
    /// # Errors
    /// A source that needs no network; words of another length than the decoder's input.
    pub fn new(source: &TraitSource, classes: usize, seed: Seed, device: &Device) -> Result<Self> {
        let config =
            *source.descriptor().ok_or_else(|| Error::value("descriptor network", "a row with one", "none"))?;
        if config.dimension != CODE && !matches!(source, TraitSource::Classifier(_)) {
            return Err(Error::value(
                "config.traits.dimension",
                format!("{CODE}, as the decoder has"),
                config.dimension,
            ));
        }
        let mut parameters = Parameters::new(seed, device);
        let mut root = parameters.root();
        let encoder = Encoder::new(&mut root.push("encoder"))?;
        let kaiming = Init::KaimingNormal(Fan::In);
        let kind = match source {
            TraitSource::Vae(_) | TraitSource::VaeKmeans(_) => Kind::Vae {
                mean: Linear::new(CODE, config.dimension, kaiming, &mut root.push("mean"))?,
                variance: Linear::new(CODE, config.dimension, Init::Zeros, &mut root.push("variance"))?,
                decoder: Decoder::new(&mut root.push("decoder"))?,
                centres: match source {
                    TraitSource::VaeKmeans(_) => {
                        Some(root.buffer("centres", &[config.words, config.dimension], Init::Zeros)?)
                    }
                    _ => None,
                },
            },
            TraitSource::Classifier(_) => Kind::Classifier {
                hidden: Linear::new(CODE, config.dimension, kaiming, &mut root.push("hidden"))?,
                classes: Linear::new(config.dimension, classes, kaiming, &mut root.push("classes"))?,
            },
            _ => Kind::Dictionary {
                assign: Linear::new(CODE, config.words, kaiming, &mut root.push("assign"))?,
                skip: Linear::new(CODE, config.dimension, kaiming, &mut root.push("skip"))?,
                words: root.buffer("words", &[config.words, config.dimension], Init::Normal { deviation: 1.0 })?,
                decoder: Decoder::new(&mut root.push("decoder"))?,
            },
        };
        if let Kind::Dictionary { words, .. } = &kind {
            words.update(|words| words.broadcast_div(&words.sqr()?.sum_keepdim(1)?.sqrt()?))?;
        }
        Ok(Self { config, parameters, encoder, kind })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Numbers of a description.
    pub fn dimension(&self) -> usize {
        self.config.dimension
    }

    /// The loss of Eq. 7, or that of the network in its place.
    ///
    /// ```text
    /// dictionary, soft: |s - s'| + l_row H_row - l_col H_col        hard: |s - s'| + l_KL KL(p || uniform)
    /// autoencoder:      |s - s'| + KL(N(mu, sigma^2) || N(0, 1))    classifier: cross-entropy
    /// ```
    ///
    /// # Shapes
    /// `sketches` `(b, 64, 64, 1)`; `labels` b classes, for a classifier; `weights` of KL, row and column.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn loss(
        &self,
        sketches: &Tensor,
        labels: &[u32],
        weights: [f64; 3],
        stream: &mut Stream,
    ) -> Result<DescriptorLoss> {
        let code = self.encoder.forward(sketches, Mode::Train)?;
        let (first, more) = match &self.kind {
            Kind::Dictionary { assign, skip, words, decoder } => {
                let logits = assign.forward(&code, Mode::Train)?;
                let trait_ = self.share(&logits, stream)?.matmul(&words.value(Mode::Train))?;
                let passed = skip.forward(&code, Mode::Train)?.tanh()?;
                let seen = (&trait_ * ((passed * self.config.skip)? + 1.0)?)?; // Eq. 2
                let drawn = decoder.forward(&seen, Mode::Train)?;
                (far(sketches, &drawn)?, Some(self.spread(&logits, weights)?))
            }
            Kind::Vae { mean, variance, decoder, .. } => {
                let (mean, variance) = (mean.forward(&code, Mode::Train)?, variance.forward(&code, Mode::Train)?);
                let sample = ((&variance * 0.5)?.exp()? * normal(mean.shape().dims(), mean.device(), stream)?)?;
                let drawn = decoder.forward(&(&mean + sample)?, Mode::Train)?;
                (far(sketches, &drawn)?, Some(normal_divergence(&mean, &variance)?))
            }
            Kind::Classifier { hidden, classes } => {
                let logits = classes.forward(&hidden.forward(&code, Mode::Train)?.relu()?, Mode::Train)?;
                let labels: Vec<Option<usize>> = labels.iter().map(|label| Some(*label as usize)).collect();
                (cross_entropy_loss(&logits, &labels)?, None)
            }
        };
        let value = f64::from(first.to_scalar::<f32>()?);
        let loss = more.map_or_else(|| Ok(first.clone()), |more| &first + more)?;
        Ok(DescriptorLoss { loss, first: value })
    }

    /// Shares of the words: a mixture, or one of them with a gradient straight through.
    fn share(&self, logits: &Tensor, stream: &mut Stream) -> Result<Tensor> {
        match self.config.assignment {
            Assignment::Soft => Ok(softmax(logits, D::Minus1)?),
            Assignment::Hard => {
                let noisy = ((logits + gumbel(logits, stream)?)? / self.config.temperature)?;
                straight_through(&softmax(&noisy, D::Minus1)?)
            }
        }
    }

    fn spread(&self, logits: &Tensor, [divergence, row, column]: [f64; 3]) -> Result<Tensor> {
        Ok(match self.config.assignment {
            Assignment::Soft => {
                // As printed, in nats: the column entropy is given as a share of its maximum, log K.
                let most = (self.config.words as f64).ln();
                ((row_entropy(logits)? * row)? - (column_entropy(logits)? * (column * most))?)?
            }
            Assignment::Hard => (uniform_divergence(logits)? * divergence)?,
        })
    }

    /// The word of each sketch: the most probable one.
    ///
    /// # Errors
    /// A network without a dictionary.
    pub fn words(&self, sketches: &Tensor) -> Result<Vec<u32>> {
        let Kind::Dictionary { assign, .. } = &self.kind else {
            return Err(Error::value("words of a sketch", "a network with a dictionary", "one without"));
        };
        Ok(most_probable(assign, &self.encoder.forward(sketches, Mode::Eval)?)?.to_vec1()?)
    }

    /// phi(s): a word of the dictionary, a latent mean, or features before the classes.
    ///
    /// # Shapes
    /// `(b, 64, 64, 1)` in, `(b, M)` out.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn describe(&self, sketches: &Tensor) -> Result<Tensor> {
        self.describe_code(&self.encoder.forward(sketches, Mode::Eval)?)
    }

    fn describe_code(&self, code: &Tensor) -> Result<Tensor> {
        let found = match &self.kind {
            Kind::Dictionary { assign, words, .. } => {
                words.value(Mode::Eval).index_select(&most_probable(assign, code)?, 0)?
            }
            Kind::Vae { mean, centres, .. } => {
                let latent = mean.forward(code, Mode::Eval)?;
                match centres {
                    Some(centres) => nearest(&latent, &centres.value(Mode::Eval))?,
                    None => latent,
                }
            }
            Kind::Classifier { hidden, .. } => hidden.forward(code, Mode::Eval)?.relu()?,
        };
        Ok(found.detach())
    }

    /// The latent means of sketches, and the centres that [`Self::settle`] fills; none of other networks.
    fn latent(&self, sketches: &Tensor) -> Result<Option<(Tensor, &Weight)>> {
        let Kind::Vae { mean, centres: Some(centres), .. } = &self.kind else { return Ok(None) };
        let code = self.encoder.forward(sketches, Mode::Eval)?;
        Ok(Some((mean.forward(&code, Mode::Eval)?.detach(), centres)))
    }

    /// Puts the K means of the training sketches' latent codes in place, where the descriptions are these.
    ///
    /// # Errors
    /// Fewer sketches than words.
    pub fn settle(&self, chunks: &[Tensor], seed: Seed) -> Result<()> {
        let mut found = Vec::new();
        let mut place = None;
        for chunk in chunks {
            let Some((latent, centres)) = self.latent(chunk)? else { return Ok(()) };
            found.push(latent);
            place = Some(centres);
        }
        let Some(place) = place else { return Ok(()) };
        let means = kmeans(&Tensor::cat(&found, 0)?, self.config.words, seed)?;
        place.update(|_| Ok(means))
    }

    /// What the network draws of sketches, through their words alone and the skip connection; none of a classifier.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn draw(&self, sketches: &Tensor) -> Result<Option<Tensor>> {
        let code = self.encoder.forward(sketches, Mode::Eval)?;
        let (seen, decoder) = match &self.kind {
            Kind::Dictionary { skip, decoder, .. } => {
                let passed = skip.forward(&code, Mode::Eval)?.tanh()?;
                ((self.describe_code(&code)? * ((passed * self.config.skip)? + 1.0)?)?, decoder)
            }
            Kind::Vae { decoder, .. } => (self.describe_code(&code)?, decoder),
            Kind::Classifier { .. } => return Ok(None),
        };
        Ok(Some(decoder.forward(&seen, Mode::Eval)?.detach()))
    }

    /// What a network with a dictionary draws of sketches through the mixture of words that it is trained with; of hard
    /// assignment, and of another network, as [`Self::draw`].
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn draw_mixed(&self, sketches: &Tensor) -> Result<Option<Tensor>> {
        let Kind::Dictionary { assign, skip, words, decoder } = &self.kind else { return self.draw(sketches) };
        if self.config.assignment == Assignment::Hard {
            return self.draw(sketches);
        }
        let code = self.encoder.forward(sketches, Mode::Eval)?;
        let mixed = softmax(&assign.forward(&code, Mode::Eval)?, D::Minus1)?.matmul(&words.value(Mode::Eval))?;
        let passed = skip.forward(&code, Mode::Eval)?.tanh()?;
        Ok(Some(decoder.forward(&(mixed * ((passed * self.config.skip)? + 1.0)?)?, Mode::Eval)?.detach()))
    }

    /// Replaces the words that no sketch has by the most used one, shaken: `D_j = D_i (1 + beta N(0, 1))`; returns the
    /// share of words that were in use, 0 to 1.
    ///
    /// # Errors
    /// A network without a dictionary; no sketches.
    pub fn replace_unused(&self, chosen: &[u32], stream: &mut Stream) -> Result<f64> {
        let Kind::Dictionary { words, .. } = &self.kind else {
            return Err(Error::value("words to replace", "a network with a dictionary", "one without"));
        };
        let DescriptorConfig { words: count, dimension, replace, .. } = self.config;
        let mut uses = vec![0usize; count];
        chosen.iter().for_each(|word| uses[*word as usize] += 1);
        // Of equal ones the first: the last that is strictly larger than those before it.
        let most = (0..count).rev().max_by_key(|word| uses[*word]).unwrap_or(0);
        let unused: Vec<usize> = (0..count).filter(|word| uses[*word] == 0).collect();
        let mut values = words.value(Mode::Eval).flatten_all()?.to_vec1::<f32>()?;
        let source: Vec<f32> = values[most * dimension..(most + 1) * dimension].to_vec();
        for word in &unused {
            for (i, value) in source.iter().enumerate() {
                let shaken = 1.0 + replace * stream.sample::<f64, _>(StandardNormal);
                values[word * dimension + i] = (f64::from(*value) * shaken) as f32;
            }
        }
        words.update(|old| Tensor::from_vec(values, old.shape(), old.device()))?;
        Ok((count - unused.len()) as f64 / count as f64)
    }
}

/// The word of the largest share in each row of codes.
fn most_probable(assign: &Linear, code: &Tensor) -> Result<Tensor> {
    Ok(assign.forward(code, Mode::Eval)?.argmax(D::Minus1)?)
}

/// The nearest centre of each row.
fn nearest(rows: &Tensor, centres: &Tensor) -> Result<Tensor> {
    let chosen = distances(rows, centres)?.argmin(D::Minus1)?;
    Ok(centres.index_select(&chosen, 0)?)
}

/// Rounds of [`kmeans`]; by then few rows change their centre.
const ROUNDS: usize = 25;

/// K means by Lloyd's method, from rows drawn at random; a centre that loses all rows stays where it is.
///
/// The crates for it bring an array library of their own; on tensors it is a product and a sum.
///
/// # References
/// Lloyd, Least Squares Quantization in PCM, 1982.
fn kmeans(rows: &Tensor, words: usize, seed: Seed) -> Result<Tensor> {
    let (count, d) = rows.dims2()?;
    if words > count {
        return Err(Error::value("+words", format!("at most as many as training sketches, {count}"), words));
    }
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(&mut seed.stream("kmeans"));
    let mut centres = rows.index_select(&Tensor::from_slice(&order[..words], words, rows.device())?, 0)?;
    let values = rows.to_vec2::<f32>()?;
    for _ in 0..ROUNDS {
        let chosen = distances(rows, &centres)?.argmin(D::Minus1)?.to_vec1::<u32>()?;
        let mut means = centres.to_vec2::<f32>()?;
        for (word, mean) in means.iter_mut().enumerate() {
            let own: Vec<&Vec<f32>> =
                values.iter().zip(&chosen).filter(|(_, c)| **c as usize == word).map(|(v, _)| v).collect();
            if !own.is_empty() {
                *mean = (0..d).map(|i| own.iter().map(|row| row[i]).sum::<f32>() / own.len() as f32).collect();
            }
        }
        centres = Tensor::new(means, rows.device())?;
    }
    Ok(centres)
}

/// `|s - s'|`, the mean over the batch.
fn far(sketches: &Tensor, drawn: &Tensor) -> Result<Tensor> {
    let square = (sketches - drawn)?.sqr()?.flatten_from(1)?.sum(1)?;
    Ok((square + 1e-12)?.sqrt()?.mean_all()?) // keeps the root's gradient finite where a drawing is exact
}

/// Standard normal draws.
pub(super) fn normal(shape: &[usize], device: &Device, stream: &mut Stream) -> Result<Tensor> {
    let values: Vec<f32> = (0..shape.iter().product::<usize>()).map(|_| stream.sample(StandardNormal)).collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kmeans_finds_three_clouds() {
        let stream = &mut Seed(1).stream("clouds");
        let near = |centre: f32, s: &mut Stream| vec![centre + 0.1 * s.sample::<f32, _>(StandardNormal), 5.0 - centre];
        let rows: Vec<Vec<f32>> = (0..90).map(|n| near([0.0, 10.0, 20.0][n % 3], stream)).collect();
        let rows = Tensor::new(rows, &Device::Cpu).unwrap();
        // From a start with a row of each cloud, which seed 2 draws.
        let mut found = kmeans(&rows, 3, Seed(2)).unwrap().to_vec2::<f32>().unwrap();
        found.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for (centre, expected) in found.iter().zip([0.0, 10.0, 20.0]) {
            assert!((centre[0] - expected).abs() < 0.1 && (centre[1] - (5.0 - expected)).abs() < 1e-4, "{found:?}");
        }
        assert!(kmeans(&rows, 91, Seed(0)).is_err());
    }
}
