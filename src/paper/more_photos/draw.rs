//! Training of a generator of strokes on labelled pairs (Eq. 3), and on drawings that have no photos before that.

use super::config::GeneratorConfig;
use super::generator::Generator;
use super::stroke::{Pen, Row, Sequences, told};
use crate::dataset::{Album, Pair, batches};
use crate::experiment::Desk;
use crate::model::Mode;
use crate::seed::{Seed, Stream};
use crate::sketch::{Affine, AugmentConfig, Sketch};
use crate::train::named::Tensors;
use crate::train::{Course, CoursePlan, Optimiser, Outcome, Resume, clip, gradients};
use crate::watch::Watch;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use serde_json::json;
use std::collections::BTreeMap;

/// What a generator of strokes learns from: pairs of a sketch and what it is shown for it.
pub(super) struct Lesson<'a> {
    /// The pictures.
    pub album: &'a Album,
    /// Trained on.
    pub pairs: Vec<Pair>,
    /// Never trained on; none where there are none.
    pub valid: Vec<Pair>,
    /// Every sketch of both, with few points.
    pub sketches: BTreeMap<usize, Sketch>,
    /// What the generator knows of the pen.
    pub pen: Pen,
    /// How a photo and its sketch are deformed, together.
    pub augment: AugmentConfig,
    /// Whether a sketch's own picture stands for the photo.
    pub shows_sketches: bool,
    /// Where tensors live.
    pub device: &'a Device,
}

impl Lesson<'_> {
    /// Photos and sequences of a batch as they are.
    pub fn batch(&self, pairs: &[Pair], scale: f32) -> Result<(Tensor, Sequences)> {
        self.deformed(pairs, &vec![Affine::default(); pairs.len()], scale)
    }

    /// Photos and sequences of a batch, each pair deformed at random as one.
    pub fn varied(&self, pairs: &[Pair], scale: f32, stream: &mut Stream) -> Result<(Tensor, Sequences)> {
        let affines: Vec<Affine> = pairs.iter().map(|_| Affine::sample(&self.augment, stream)).collect();
        self.deformed(pairs, &affines, scale)
    }

    fn deformed(&self, pairs: &[Pair], affines: &[Affine], scale: f32) -> Result<(Tensor, Sequences)> {
        let place = |pair: &Pair| if self.shows_sketches { pair.sketch } else { pair.photo };
        let shown: Vec<(usize, Affine)> = pairs.iter().map(place).zip(affines.iter().copied()).collect();
        let photos = match self.shows_sketches {
            true => self.album.sketches(&shown, self.device)?,
            false => self.album.photos(&shown, self.device)?,
        };
        let row = |(pair, affine): (&Pair, &Affine)| {
            let missing = || Error::value("sketch", "one whose points were read", pair.sketch);
            told(&affine.apply(self.sketches.get(&pair.sketch).ok_or_else(missing)?))
        };
        let rows = pairs.iter().zip(affines).map(row).collect::<Result<Vec<_>>>()?;
        let rows: Vec<&[Row]> = rows.iter().map(Vec::as_slice).collect();
        Ok((photos, Sequences::new(&rows, scale, self.pen, self.device)?))
    }
}

/// A generator in training.
struct Training<'a> {
    config: &'a GeneratorConfig,
    generator: &'a Generator,
    lesson: &'a Lesson<'a>,
    optimiser: Optimiser,
    epochs: usize,
}

/// Trains for `epochs`; the generator has the kept weights afterwards.
pub(super) fn train(
    generator: &Generator,
    lesson: &Lesson,
    epochs: usize,
    seed: Seed,
    watch: &dyn Watch,
    desk: Desk,
) -> Result<Outcome> {
    let config = generator.config();
    let optimiser = Optimiser::new(config.optimiser, generator.parameters().trainable());
    let mut training = Training { config, generator, lesson, optimiser, epochs };
    let plan = CoursePlan { epochs, select_on: config.fit.select_on, folder: desk.folder, hash: desk.hash, watch };
    let mut course = Course::open(plan, &mut training, desk.log)?;
    while let Some(epoch) = course.next_epoch() {
        let (loss, told) = training.epoch(&course, epoch, seed)?;
        let valid = training.valid(seed)?;
        let line = json!({ "loss": loss, "told": told, "valid_told": valid });
        let note = format!(
            "loss {loss:.3}, strokes {told:.3}, valid {}",
            valid.map_or("none".into(), |valid| format!("{valid:.3}"))
        );
        course.end_epoch(&training, &line, &note, None)?;
    }
    course.finish(&mut training)
}

/// Weight of the divergence at a step: it rises over the first half.
pub(super) fn divergence(config: &GeneratorConfig, done: usize, total: usize) -> f64 {
    let share = (2.0 * done as f64 / total.max(1) as f64).min(1.0);
    config.divergence * (config.divergence_start + (1.0 - config.divergence_start) * share)
}

impl Training<'_> {
    fn epoch(&mut self, course: &Course, epoch: usize, seed: Seed) -> Result<(f64, f64)> {
        let batch = self.config.fit.batch;
        let batches = batches(&self.lesson.pairs, batch, &mut seed.child("shuffle", epoch as u64));
        if batches.is_empty() {
            let found = format!("{} pairs", self.lesson.pairs.len());
            return Err(Error::value("training part", format!("{batch} pairs of different photos"), found));
        }
        let (total, stream) = (batches.len() * self.epochs, &mut seed.child("step", epoch as u64));
        let (mut loss, mut told) = (0.0, 0.0);
        for (i, batch) in batches.iter().enumerate() {
            let done = (epoch - 1) * batches.len() + i;
            let [whole, first] = course.step(done, total, || self.step(batch, stream, done, total))?;
            (loss, told) = (loss + whole, told + first);
        }
        Ok((loss / batches.len() as f64, told / batches.len() as f64))
    }

    fn step(&mut self, batch: &[Pair], stream: &mut Stream, done: usize, total: usize) -> Result<[f64; 2]> {
        let (photos, sequences) = self.lesson.varied(batch, self.generator.scale()?, stream)?;
        let weight = divergence(self.config, done, total);
        let [loss, told] = self.generator.loss(&photos, &sequences, weight, Mode::Train, stream)?;
        let mut slopes = gradients(&loss, &self.generator.parameters().trainable())?;
        clip(&mut slopes, self.config.clip)?;
        self.optimiser.step(&slopes, self.config.fit.schedule.factor(done, total))?;
        Ok([f64::from(loss.to_scalar::<f32>()?), f64::from(told.to_scalar::<f32>()?)])
    }

    /// The mean loss of strokes on the validation part, by the same draws of z every time.
    fn valid(&self, seed: Seed) -> Result<Option<f64>> {
        if self.lesson.valid.is_empty() {
            return Ok(None);
        }
        let (mut sum, stream) = (0.0, &mut seed.stream("valid"));
        for batch in self.lesson.valid.chunks(self.config.fit.batch) {
            let (photos, sequences) = self.lesson.batch(batch, self.generator.scale()?)?;
            let [_, told] = self.generator.loss(&photos, &sequences, 0.0, Mode::Eval, stream)?;
            sum += f64::from(told.to_scalar::<f32>()?) * batch.len() as f64;
        }
        Ok(Some(sum / self.lesson.valid.len() as f64))
    }
}

impl Resume for Training<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.generator.parameters().tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.generator.parameters().load(trained).map(drop)
    }

    fn state(&self) -> Result<Tensors> {
        self.optimiser.state()
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.optimiser.restore(state)
    }
}
