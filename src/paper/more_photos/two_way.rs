//! What L2S adds to a generator of strokes: the way back, and each side's own reconstruction.

use super::config::GeneratorConfig;
use super::generator::{Generator, Latent, noise};
use super::stroke::Sequences;
use crate::loss::normal_divergences;
use crate::model::{Activation, ConvConfig, Convolution, Init, Linear, Lstm, Mode, Scope, upsample};
use crate::seed::Stream;
use crate::{Error, Result};
use candle_core::Tensor;
use candle_nn::ops::sigmoid;

/// An encoder of sketches and a decoder of photos.
///
/// # References
/// Song et al., Learning to Sketch with Shortcut Cycle Consistency, CVPR 2018, Sec. 3.
#[derive(Debug)]
pub(super) struct TwoWay {
    forwards: Lstm,
    backwards: Lstm,
    latent: Latent,
    photo: PhotoDecoder,
    width: usize,
}

/// Weight of the divergence of sketches (the authors' program).
const DIVERGENCE: f64 = 0.01;

/// Rows and columns that the decoder of photos begins with, and its channels there.
const FIRST: usize = 4;
const CHANNELS: usize = 128;

impl TwoWay {
    /// For photos of `side` pixels.
    pub(super) fn new(config: &GeneratorConfig, side: usize, scope: &mut Scope) -> Result<Self> {
        let width = config.width;
        Ok(Self {
            forwards: Lstm::new(5, width, &mut scope.push("forwards"))?,
            backwards: Lstm::new(5, width, &mut scope.push("backwards"))?,
            latent: Latent::new(2 * width, config, &mut scope.push("latent"))?,
            photo: PhotoDecoder::new(config.latent, side, &mut scope.push("photo"))?,
            width,
        })
    }

    /// Sketch to photo, photo to photo, sketch to sketch, and the divergence of sketches.
    pub(super) fn loss(
        &self,
        generator: &Generator,
        photos: &Tensor,
        sequences: &Sequences,
        z: &Tensor,
        mode: Mode,
        stream: &mut Stream,
    ) -> Result<Tensor> {
        let [mean, log_variance] = self.latent.of(&self.read(sequences, mode)?, mode)?;
        let drawn = ((&log_variance / 2.0)?.exp()? * noise(mean.dims(), stream, photos.device())?)?;
        let own = (&mean + drawn)?;
        let shown = photos.permute((0, 2, 3, 1))?;
        let square = |z: &Tensor| -> Result<Tensor> { Ok((self.photo.forward(z, mode)? - &shown)?.sqr()?.mean_all()?) };
        let divergence = (normal_divergences(&mean, &log_variance)?.mean_all()? / mean.dim(1)? as f64)?;
        let pictures = (square(&own)? + square(z)?)?;
        Ok(((generator.told(&own, sequences, mode)? + pictures)? + (divergence * DIVERGENCE)?)?)
    }

    /// Both directions' states at the end of every sketch.
    ///
    /// # Shapes
    /// out `(b, 2 h)`.
    fn read(&self, sequences: &Sequences, mode: Mode) -> Result<Tensor> {
        let lengths = sequences.lengths()?;
        let states = |layer: &Lstm, rows: &Tensor| {
            let start = Tensor::zeros((lengths.len(), 2 * self.width), rows.dtype(), rows.device())?;
            last(&layer.forward(rows, &start, None, mode)?.hidden, &lengths)
        };
        let turned = turn(&sequences.targets, &lengths)?;
        Ok(Tensor::cat(&[states(&self.forwards, &sequences.targets)?, states(&self.backwards, &turned)?], 1)?)
    }
}

/// The state at the last row of every sequence.
fn last(states: &Tensor, lengths: &[usize]) -> Result<Tensor> {
    let (b, t, h) = states.dims3()?;
    let places: Vec<u32> = lengths.iter().enumerate().map(|(i, length)| (i * t + length - 1) as u32).collect();
    let places = Tensor::from_vec(places, b, states.device())?;
    Ok(states.contiguous()?.reshape((b * t, h))?.index_select(&places, 0)?)
}

/// Every sequence from its last row to its first; what fills it up stays behind.
fn turn(rows: &Tensor, lengths: &[usize]) -> Result<Tensor> {
    let (b, t, k) = rows.dims3()?;
    let place = |i: usize, j: usize| (i * t + if j < lengths[i] { lengths[i] - 1 - j } else { j }) as u32;
    let places: Vec<u32> = (0..b).flat_map(|i| (0..t).map(move |j| (i, j))).map(|(i, j)| place(i, j)).collect();
    let places = Tensor::from_vec(places, b * t, rows.device())?;
    Ok(rows.reshape((b * t, k))?.index_select(&places, 0)?.reshape((b, t, k))?)
}

/// z to a photo: a map of 4 x 4, doubled until it is large enough.
#[derive(Debug)]
struct PhotoDecoder {
    first: Linear,
    layers: Vec<Convolution>,
    last: Convolution,
}

impl PhotoDecoder {
    fn new(latent: usize, side: usize, scope: &mut Scope) -> Result<Self> {
        let doublings = (side / FIRST).checked_ilog2().filter(|doublings| FIRST << doublings == side);
        let doublings =
            doublings.ok_or_else(|| Error::value("side of a photo of L2S", "4 doubled some times", side))?;
        let init = Init::Normal { deviation: (latent as f32).sqrt().recip() };
        let first = Linear::new(latent, FIRST * FIRST * CHANNELS, init, &mut scope.push("first"))?;
        let mut channels = CHANNELS;
        let mut layers = Vec::new();
        for i in 0..doublings {
            let next = (channels / 2).max(16); // the last maps are large: more channels would take most of the time
            let config = ConvConfig { bias: true, ..ConvConfig::new(channels, next, 3) };
            layers.push(Convolution::new(config, &mut scope.push(format!("layer{i}")))?);
            channels = next;
        }
        let config = ConvConfig { bias: true, ..ConvConfig::new(channels, 3, 3) };
        Ok(Self { first, layers, last: Convolution::new(config, &mut scope.push("last"))? })
    }

    /// `(b, N_z)` in, `(b, h, w, 3)` of 0 to 1 out.
    fn forward(&self, z: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut map = self.first.forward(z, mode)?.relu()?.reshape((z.dim(0)?, FIRST, FIRST, CHANNELS))?;
        for layer in &self.layers {
            map = layer.forward_rectified(&upsample(&map)?, Activation::Relu, mode)?;
        }
        Ok(sigmoid(&self.last.forward(&map, mode)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn sequences_are_turned_and_read_to_their_own_ends() {
        let rows = Tensor::from_vec((0..12).map(|i| i as f32).collect(), (2, 3, 2), &Device::Cpu).unwrap();
        let turned = turn(&rows, &[3, 2]).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(turned, [4.0, 5.0, 2.0, 3.0, 0.0, 1.0, 8.0, 9.0, 6.0, 7.0, 10.0, 11.0]);
        assert_eq!(last(&rows, &[3, 2]).unwrap().to_vec2::<f32>().unwrap(), [[4.0, 5.0], [8.0, 9.0]]);
    }
}
