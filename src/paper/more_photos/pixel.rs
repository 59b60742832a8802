//! Training of a generator of pixels on labelled pairs: Pix2Pix and `PhotoSketch`.

use super::config::{Drawn, GeneratorConfig};
use super::critic::Critic;
use super::drawer::PixelGenerator;
use super::material::Material;
use crate::dataset::{Pair, batches};
use crate::experiment::Desk;
use crate::model::Mode;
use crate::seed::Seed;
use crate::sketch::Affine;
use crate::train::named::{Tensors, join, part};
use crate::train::{Course, CoursePlan, Optimiser, Outcome, Resume, gradients};
use crate::watch::Watch;
use crate::{Error, Result};
use candle_core::{D, Tensor};
use serde_json::json;
use std::collections::BTreeMap;

/// Weight of the distance in pixels beside the discriminator (Isola et al., Sec. 3.3).
pub(super) const DISTANCE: f64 = 100.0;

/// Both networks in training.
pub(super) struct PixelTraining<'a> {
    config: &'a GeneratorConfig,
    generator: &'a PixelGenerator,
    critic: Critic,
    optimisers: [Optimiser; 2],
    material: &'a Material,
    /// The training sketches of every photo.
    sketches: BTreeMap<usize, Vec<usize>>,
}

/// Trains; the generator has the last weights afterwards.
pub(super) fn train(
    config: &GeneratorConfig,
    generator: &PixelGenerator,
    material: &Material,
    seed: Seed,
    watch: &dyn Watch,
    desk: Desk,
) -> Result<Outcome> {
    let critic = Critic::new(32, Seed(seed.0 ^ 1), &material.device)?; // 64 in Isola et al., on pictures of 256
    let variables = [generator.parameters.trainable(), critic.parameters().trainable()];
    let optimisers = variables.map(|variables| Optimiser::new(config.optimiser, variables));
    let mut sketches: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for pair in &material.pairs {
        sketches.entry(pair.photo).or_default().push(pair.sketch);
    }
    let mut training = PixelTraining { config, generator, critic, optimisers, material, sketches };
    let epochs = config.fit.epochs;
    let plan = CoursePlan { epochs, select_on: config.fit.select_on, folder: desk.folder, hash: desk.hash, watch };
    let mut course = Course::open(plan, &mut training, desk.log)?;
    while let Some(epoch) = course.next_epoch() {
        let batches = batches(&material.pairs, config.fit.batch, &mut seed.child("shuffle", epoch as u64));
        if batches.is_empty() {
            let found = format!("{} pairs", material.pairs.len());
            return Err(Error::value(
                "training part",
                format!("{} pairs of different photos", config.fit.batch),
                found,
            ));
        }
        let (total, mut sums) = (batches.len() * epochs, [0.0; 3]);
        for (i, batch) in batches.iter().enumerate() {
            let done = (epoch - 1) * batches.len() + i;
            let factor = config.fit.schedule.factor(done, total);
            let found = course.step(done, total, || training.step(batch, factor))?;
            sums.iter_mut().zip(found).for_each(|(sum, value)| *sum += value / batches.len() as f64);
        }
        let [loss, distance, critic] = sums;
        let line = json!({ "loss": loss, "distance": distance, "critic": critic });
        course.end_epoch(&training, &line, &format!("distance {distance:.4}, critic {critic:.3}"), None)?;
    }
    course.finish(&mut training)
}

impl PixelTraining<'_> {
    /// The loss of the generator, its distance in pixels, and the discriminator's loss.
    fn step(&mut self, batch: &[Pair], factor: f64) -> Result<[f64; 3]> {
        let Self { material, generator, .. } = *self;
        let plain = |positions: Vec<usize>| positions.into_iter().map(|at| (at, Affine::default())).collect::<Vec<_>>();
        let photos = material.album.photos(&plain(batch.iter().map(|pair| pair.photo).collect()), &material.device)?;
        let own = plain(batch.iter().map(|pair| pair.sketch).collect());
        let sketches = material.album.sketches(&own, &material.device)?;
        let drawn = generator.draw(&photos, Mode::Train)?;
        let judged = self.critic.losses(&photos, &sketches, true, Mode::Train)?.mean_all()?;
        let judged = ((judged + self.critic.losses(&photos, &drawn.detach(), false, Mode::Train)?.mean_all()?)? / 2.0)?;
        let variables = self.critic.parameters().trainable();
        self.optimisers[1].step(&gradients(&judged, &variables)?, factor)?;
        let distance = self.distance(batch, &drawn, &sketches)?;
        let fooled = self.critic.losses(&photos, &drawn, true, Mode::Train)?.mean_all()?;
        let loss = (fooled + (&distance * DISTANCE)?)?;
        self.optimisers[0].step(&gradients(&loss, &generator.parameters.trainable())?, factor)?;
        let number = |x: &Tensor| Ok::<_, Error>(f64::from(x.to_scalar::<f32>()?));
        Ok([number(&loss)?, number(&distance)?, number(&judged)?])
    }

    /// The mean distance in pixels: to the sketch of the pair, or to the nearest of all sketches of its photo.
    fn distance(&self, batch: &[Pair], drawn: &Tensor, sketches: &Tensor) -> Result<Tensor> {
        let far = |a: &Tensor, b: &Tensor| a.broadcast_sub(b)?.abs()?.flatten_from(1)?.mean(D::Minus1);
        if self.config.drawn != (Drawn::Pixels { nearest: true }) {
            return Ok(far(drawn, sketches)?.mean_all()?);
        }
        let mut nearest = Vec::with_capacity(batch.len());
        for (i, pair) in batch.iter().enumerate() {
            let views: Vec<(usize, Affine)> =
                self.sketches[&pair.photo].iter().map(|sketch| (*sketch, Affine::default())).collect();
            let all = self.material.album.sketches(&views, &self.material.device)?;
            nearest.push(far(&all, &drawn.narrow(0, i, 1)?)?.min(0)?);
        }
        Ok(Tensor::stack(&nearest, 0)?.mean_all()?)
    }
}

impl Resume for PixelTraining<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(join([("generator/", self.generator.parameters.tensors()), ("critic/", self.critic.parameters().tensors())]))
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.generator.parameters.load(&part(trained, "generator/"))?;
        self.critic.parameters().load(&part(trained, "critic/")).map(drop)
    }

    fn state(&self) -> Result<Tensors> {
        Ok(join([("generator/", self.optimisers[0].state()?), ("critic/", self.optimisers[1].state()?)]))
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.optimisers[0].restore(part(&state, "generator/"))?;
        self.optimisers[1].restore(part(&state, "critic/"))
    }
}
