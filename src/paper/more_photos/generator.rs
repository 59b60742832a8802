//! The generator of strokes: G (Sec. 3.1).

use super::config::{Drawn, GeneratorConfig, RetrievalConfig, Sight};
use super::stroke::{END, Place, Row, START, Sequences, sketch};
use super::two_way::TwoWay;
use crate::kernel::recurrent::{Looked, Stepper, Unrolled};
use crate::loss::{normal_divergences, sample_stroke, stroke_losses};
use crate::model::{Backbone, Init, Linear, Lstm, MapAttention, Mode, Normalisation, Parameters, Scope, Weight, build};
use crate::seed::{Seed, Stream};
use crate::sketch::Sketch;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use rand::RngExt;
use rand_distr::StandardNormal;
use rayon::prelude::*;

/// Sequences that are drawn together by one thread.
const PART: usize = 16;

/// G: photos to strokes, point by point.
pub struct Generator {
    parameters: Parameters,
    encoder: Box<dyn Backbone>,
    normalisation: Normalisation,
    latent: Latent,
    start: Linear,
    decoder: Lstm,
    attention: Option<MapAttention>,
    output: [Weight; 2],
    scale: Weight,
    /// What only L2S has.
    pub(super) two_way: Option<TwoWay>,
    config: GeneratorConfig,
}

/// A normal distribution over z.
#[derive(Debug)]
pub(super) struct Latent {
    mean: Linear,
    log_variance: Linear,
}

/// What a photo becomes.
#[derive(Debug, Clone)]
pub struct Seen {
    /// B of Eq. 2, `(b, h, w, c)`.
    pub map: Tensor,
    /// mu, `(b, N_z)`.
    pub mean: Tensor,
    /// Logarithm of sigma squared, `(b, N_z)`.
    pub log_variance: Tensor,
}

/// A sketch that was drawn, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its points, and the end where it came to one; offsets in units of the scale.
    pub rows: Vec<Row>,
    /// The draw that z was made of.
    pub noise: Vec<f32>,
    /// Where it looked before each point; empty of a generator without attention.
    pub attention: Vec<Vec<f32>>,
}

impl Latent {
    pub(super) fn new(inputs: usize, config: &GeneratorConfig, scope: &mut Scope) -> Result<Self> {
        let init = Init::Normal { deviation: (inputs as f32).sqrt().recip() };
        Ok(Self {
            mean: Linear::new(inputs, config.latent, init, &mut scope.push("mean"))?,
            // Variances of 1 at first.
            log_variance: Linear::new(inputs, config.latent, Init::Zeros, &mut scope.push("log_variance"))?,
        })
    }

    pub(super) fn of(&self, features: &Tensor, mode: Mode) -> Result<[Tensor; 2]> {
        Ok([self.mean.forward(features, mode)?, self.log_variance.forward(features, mode)?])
    }
}

impl Generator {
    /// At its start; the encoder as it is pre-trained has to be loaded.
    ///
    /// # Errors
    /// A generator of pixels; settings that do not build.
    pub fn new(config: &GeneratorConfig, encoder: &RetrievalConfig, seed: Seed, device: &Device) -> Result<Self> {
        let Drawn::Strokes { sight, two_way } = config.drawn else { return Err(super::network::no_strokes()) };
        let mut parameters = Parameters::new(seed, device);
        let backbone = build(encoder.architecture, &mut parameters.root().push("encoder"), encoder.norm)?;
        let (c, width) = (backbone.channels(), config.width);
        let latent = Latent::new(c, config, &mut parameters.root().push("latent"))?;
        let init = |inputs: usize| Init::Normal { deviation: (inputs as f32).sqrt().recip() };
        let start = Linear::new(config.latent, 2 * width, init(config.latent), &mut parameters.root().push("start"))?;
        let mut looking =
            |kernel| MapAttention::new(c, kernel, config.keys, width, &mut parameters.root().push("attention"));
        let (attention, added) = match sight {
            Sight::Vector => (None, config.latent),
            Sight::Map => (Some(looking([3, 3])?), c),
            Sight::Line => (Some(looking([1, 1])?), c),
        };
        let decoder = Lstm::new(config.pen.width() + added, width, &mut parameters.root().push("decoder"))?;
        let outputs = 6 * config.mixtures + 3;
        let mut root = parameters.root();
        let mut scope = root.push("output");
        let output =
            [scope.weight("weight", &[outputs, width], init(width))?, scope.weight("bias", &[outputs], Init::Zeros)?];
        let scale = parameters.root().buffer("scale", &[1], Init::Ones)?;
        let two_way = match two_way {
            true => Some(TwoWay::new(config, encoder.prepare.side as usize, &mut parameters.root().push("back"))?),
            false => None,
        };
        let normalisation = encoder.architecture.normalisation();
        let config = config.clone();
        Ok(Self {
            parameters,
            encoder: backbone,
            normalisation,
            latent,
            start,
            decoder,
            attention,
            output,
            scale,
            two_way,
            config,
        })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Its settings.
    pub fn config(&self) -> &GeneratorConfig {
        &self.config
    }

    /// Starts the encoder from pre-trained weights.
    ///
    /// # Errors
    /// A file of another backbone.
    pub fn load_encoder(&self, path: &std::path::Path) -> Result<()> {
        let mut tensors = self.parameters.tensors();
        for (name, tensor) in crate::model::weights::read(path)?.tensors {
            tensors.insert(format!("encoder.{name}"), tensor);
        }
        self.parameters.load(&tensors).map(drop)
    }

    /// Pixels of an offset of 1.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn scale(&self) -> Result<f32> {
        Ok(self.scale.value(Mode::Eval).to_vec1::<f32>()?[0])
    }

    /// Sets it, once, from the sketches that are trained on.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn set_scale(&self, scale: f32) -> Result<()> {
        self.scale.update(|old| Tensor::new(&[scale], old.device()))
    }

    /// What photos become.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` of 0 to 1 in.
    ///
    /// # Errors
    /// Pictures of another shape.
    pub fn see(&self, photos: &Tensor, mode: Mode) -> Result<Seen> {
        let map = self.encoder.forward(&self.normalisation.apply(photos)?, mode)?;
        let [mean, log_variance] = self.latent.of(&map.mean((1, 2))?, mode)?;
        Ok(Seen { map, mean, log_variance })
    }

    /// A z for every photo: `mu + sigma e`.
    ///
    /// # Shapes
    /// `noise (b, N_z)`; out the same.
    ///
    /// # Errors
    /// Another shape.
    pub fn latent(seen: &Seen, noise: &Tensor) -> Result<Tensor> {
        Ok((&seen.mean + ((&seen.log_variance / 2.0)?.exp()? * noise)?)?)
    }

    /// The decoder's states over sequences whose points are known.
    ///
    /// # Shapes
    /// `z (b, N_z)`, `inputs (b, t, 5)`; states `(b, t, h)`.
    ///
    /// # Errors
    /// Other shapes.
    pub fn unroll(&self, seen: &Seen, z: &Tensor, inputs: &Tensor, mode: Mode) -> Result<Unrolled> {
        let start = self.start.forward(z, mode)?.tanh()?;
        let looked = self.look(seen, mode)?;
        let (b, t, _) = inputs.dims3()?;
        let inputs = match &looked {
            Some(_) => inputs.clone(),
            None => Tensor::cat(&[inputs.clone(), z.unsqueeze(1)?.broadcast_as((b, t, z.dim(1)?))?], 2)?,
        };
        self.decoder.forward(&inputs, &start, looked.as_ref(), mode)
    }

    fn look(&self, seen: &Seen, mode: Mode) -> Result<Option<Looked>> {
        self.attention.as_ref().map(|attention| attention.look(&seen.map, mode)).transpose()
    }

    /// What is said of the next point.
    ///
    /// # Shapes
    /// `(b, t, h)` in, `(b, t, 6 M + 3)` out.
    ///
    /// # Errors
    /// Another shape.
    pub fn say(&self, hidden: &Tensor, mode: Mode) -> Result<Tensor> {
        let (b, t, h) = hidden.dims3()?;
        let rows = hidden.contiguous()?.reshape((b * t, h))?;
        let said = rows.matmul(&self.output[0].value(mode).t()?)?.broadcast_add(&self.output[1].value(mode))?;
        Ok(said.reshape((b, t, ()))?)
    }

    /// The loss of Eq. 3 of known sketches, with `divergence` as weight of the second part.
    ///
    /// # Shapes
    /// `photos (b, 3, h, w)`; out a scalar, and the mean of the first part.
    ///
    /// # Errors
    /// Other shapes.
    pub fn loss(
        &self,
        photos: &Tensor,
        sequences: &Sequences,
        divergence: f64,
        mode: Mode,
        stream: &mut Stream,
    ) -> Result<[Tensor; 2]> {
        let seen = self.see(photos, mode)?;
        let z = Self::latent(&seen, &noise(seen.mean.dims(), stream, photos.device())?)?;
        let said = self.say(&self.unroll(&seen, &z, &sequences.inputs, mode)?.hidden, mode)?;
        let told = stroke_losses(&said, &sequences.targets)?.mean_all()?;
        // A mean over numbers of z, as sketch-rnn has it.
        let spread = (normal_divergences(&seen.mean, &seen.log_variance)?.mean_all()? / self.config.latent as f64)?;
        let mut loss = (&told + (spread * divergence)?)?;
        if let Some(way) = &self.two_way {
            loss = (loss + way.loss(self, photos, sequences, &z, mode, stream)?)?;
        }
        Ok([loss, told])
    }

    /// The mean loss of strokes that are told from z, where the generator sees nothing else.
    pub(super) fn told(&self, z: &Tensor, sequences: &Sequences, mode: Mode) -> Result<Tensor> {
        // No map is looked at: what stands for the photo is z alone.
        let nothing = Seen { map: z.clone(), mean: z.clone(), log_variance: z.clone() };
        let said = self.say(&self.unroll(&nothing, z, &sequences.inputs, mode)?.hidden, mode)?;
        Ok(stroke_losses(&said, &sequences.targets)?.mean_all()?)
    }

    /// Draws a sketch of every photo, each by a stream of its own, so that none depends on the others; it has a point at least.
    ///
    /// # Shapes
    /// `seen` of b photos and b streams; out b sketches of at most as many points as the settings say.
    ///
    /// # Errors
    /// Another number of streams.
    pub fn draw(&self, seen: &Seen, temperature: f32, streams: &[Stream]) -> Result<Vec<Trace>> {
        self.draw_all(seen, temperature, streams, true)
    }

    /// The same where a sketch may end before its first point, as the generator may say.
    ///
    /// # Errors
    /// As [`Self::draw`].
    pub(super) fn draw_freely(&self, seen: &Seen, temperature: f32, streams: &[Stream]) -> Result<Vec<Trace>> {
        self.draw_all(seen, temperature, streams, false)
    }

    fn draw_all(&self, seen: &Seen, temperature: f32, streams: &[Stream], has_point: bool) -> Result<Vec<Trace>> {
        if streams.len() != seen.map.dim(0)? {
            return Err(Error::value("streams", seen.map.dim(0)?, streams.len()));
        }
        let parts: Vec<(usize, &[Stream])> =
            streams.chunks(PART).enumerate().map(|(i, part)| (i * PART, part)).collect();
        let part = |(from, streams): (usize, &[Stream])| {
            let rows = |x: &Tensor| x.narrow(0, from, streams.len());
            let seen = Seen { map: rows(&seen.map)?, mean: rows(&seen.mean)?, log_variance: rows(&seen.log_variance)? };
            self.draw_part(&seen, temperature, streams.to_vec(), has_point)
        };
        let drawn: Vec<Vec<Trace>> = parts.into_par_iter().map(part).collect::<Result<_>>()?;
        Ok(drawn.into_iter().flatten().collect())
    }

    fn draw_part(
        &self,
        seen: &Seen,
        temperature: f32,
        mut streams: Vec<Stream>,
        has_point: bool,
    ) -> Result<Vec<Trace>> {
        let b = streams.len();
        let noise: Vec<Vec<f32>> = streams.iter_mut().map(|stream| draws(self.config.latent, stream)).collect();
        let eased = Tensor::from_vec(noise.concat(), (b, self.config.latent), seen.mean.device())?;
        let z = Self::latent(seen, &(eased * f64::from(temperature).sqrt())?)?;
        let looked = self.look(seen, Mode::Eval)?;
        let stepper = Stepper::new(
            &self.decoder.weights(Mode::Eval),
            looked.as_ref(),
            &self.start.forward(&z, Mode::Eval)?.tanh()?,
        )?;
        let [weight, bias] = self.output.each_ref().map(|weight| weight.value(Mode::Eval));
        let mut stepper = stepper.with_output(&weight, &bias)?;
        let outputs = bias.elem_count();
        let known: Vec<Vec<f32>> = if looked.is_some() { vec![Vec::new(); b] } else { z.to_vec2::<f32>()? };
        let places = looked.as_ref().map_or(0, |looked| looked.keys.dims()[1]);
        let mut drawn: Vec<Trace> =
            noise.into_iter().map(|noise| Trace { rows: Vec::new(), noise, attention: Vec::new() }).collect();
        let (mut before, mut places_of_pens) = (vec![START; b], vec![Place::default(); b]);
        for step in 0..self.config.points {
            let mut inputs = Vec::with_capacity(b * (self.config.pen.width() + known[0].len()));
            for ((row, known), place) in before.iter().zip(&known).zip(&mut places_of_pens) {
                inputs.extend(place.seen(row, self.config.pen).chain(known.iter().copied()));
            }
            let memory = stepper.step(&inputs);
            for (i, own) in drawn.iter_mut().enumerate().filter(|(_, own)| own.rows.last() != Some(&END)) {
                let mut said = memory.output[i * outputs..][..outputs].to_vec();
                if step == 0 && has_point {
                    said[2] = f32::NEG_INFINITY;
                }
                let row = sample_stroke(&said, temperature, &mut streams[i]);
                own.rows.push(row);
                if places > 0 {
                    own.attention.push(memory.attention[i * places..][..places].to_vec());
                }
                before[i] = row;
            }
            if drawn.iter().all(|own| own.rows.last() == Some(&END)) {
                break;
            }
        }
        Ok(drawn)
    }

    /// The sketch of what was drawn.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn sketch(&self, drawn: &Trace) -> Result<Sketch> {
        Ok(sketch(&drawn.rows, self.scale()?))
    }
}

/// Standard normal draws.
pub(super) fn draws(count: usize, stream: &mut Stream) -> Vec<f32> {
    (0..count).map(|_| stream.sample(StandardNormal)).collect()
}

/// Standard normal draws of a shape.
pub(super) fn noise(shape: &[usize], stream: &mut Stream, device: &Device) -> Result<Tensor> {
    Ok(Tensor::from_vec(draws(shape.iter().product(), stream), shape, device)?)
}
