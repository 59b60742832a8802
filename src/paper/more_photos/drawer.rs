//! Generators of both kinds behind one face: photos to pictures of sketches.

use super::config::{Drawn, GeneratorConfig, RetrievalConfig};
use super::generator::{Generator, Trace};
use crate::Result;
use crate::dataset::Album;
use crate::kernel::channels_last;
use crate::model::{Mode, Parameters, Translator};
use crate::seed::{Seed, Stream};
use crate::sketch::Affine;
use candle_core::{Device, Tensor};

/// Channels of a translator's first layer: 64 in Isola et al., on pictures of 256.
const WIDTH: usize = 32;

/// A generator.
pub enum Drawer {
    /// Of strokes.
    Strokes(Box<Generator>),
    /// Of pixels.
    Pixels(PixelGenerator),
}

/// Photos to pictures of sketches: Pix2Pix.
pub struct PixelGenerator {
    pub(super) parameters: Parameters,
    translator: Translator,
}

impl PixelGenerator {
    fn new(side: u32, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        // Halved until 4 x 4 are left.
        let depth = (side / 4).ilog2() as usize;
        let translator = Translator::new(WIDTH, depth, &mut parameters.root())?;
        Ok(Self { parameters, translator })
    }

    /// Pictures of sketches, dark on white.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in and out, 0 to 1, the three channels equal.
    ///
    /// # Errors
    /// A side that cannot be halved as often as the network does.
    pub fn draw(&self, photos: &Tensor, mode: Mode) -> Result<Tensor> {
        let drawn = self.translator.forward(&channels_last(photos)?, mode)?.unsqueeze(1)?;
        let (b, _, h, w) = drawn.dims4()?;
        Ok(drawn.broadcast_as((b, 3, h, w))?.contiguous()?)
    }
}

impl Drawer {
    /// At its start; pre-trained weights of an encoder have to be loaded.
    ///
    /// # Errors
    /// Settings that do not build.
    pub fn new(config: &GeneratorConfig, retrieval: &RetrievalConfig, seed: Seed, device: &Device) -> Result<Self> {
        Ok(match config.drawn {
            Drawn::Strokes { .. } => Self::Strokes(Box::new(Generator::new(config, retrieval, seed, device)?)),
            Drawn::Pixels { .. } => Self::Pixels(PixelGenerator::new(retrieval.prepare.side, seed, device)?),
        })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        match self {
            Self::Strokes(generator) => generator.parameters(),
            Self::Pixels(generator) => &generator.parameters,
        }
    }

    /// Draws a sketch of every photo without gradients, each by a stream of its own; strokes are deformed as `affines` say.
    ///
    /// # Shapes
    /// `photos (b, 3, h, w)` of 0 to 1; out the same, of sketches, and their strokes where there are some.
    ///
    /// # Errors
    /// Another number of streams or transforms.
    pub(super) fn draw(
        &self,
        photos: &Tensor,
        temperature: f32,
        streams: &[Stream],
        affines: &[Affine],
        album: &Album,
    ) -> Result<(Tensor, Vec<Trace>)> {
        match self {
            Self::Pixels(generator) => Ok((generator.draw(photos, Mode::Eval)?.detach(), Vec::new())),
            Self::Strokes(generator) => {
                let seen = generator.see(photos, Mode::Eval)?;
                let traces = generator.draw(&seen, temperature, streams)?;
                let sketch = |(trace, affine): (&Trace, &Affine)| Ok((generator.sketch(trace)?, *affine));
                let sketches = traces.iter().zip(affines).map(sketch).collect::<Result<Vec<_>>>()?;
                Ok((album.others(&sketches, photos.device())?, traces))
            }
        }
    }
}

/// Streams of some positions.
pub(super) fn streams(seed: Seed, name: &str, positions: &[usize]) -> Vec<Stream> {
    positions.iter().map(|position| seed.child(name, *position as u64)).collect()
}
