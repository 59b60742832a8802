//! Training with generated pairs: retrieval, generator and discriminator in turns (Sec. 3.3 and 3.4, Algorithm 1).

use super::config::{Config, Reward, SemiConfig, Teacher, Weighing};
use super::critic::Critic;
use super::draw::Lesson;
use super::drawer::{Drawer, streams};
use super::material::Material;
use super::network::SpatialNetwork;
use super::retrieve::{pair_loss, valid_scores};
use super::reward::{Judged, policy_loss};
use crate::dataset::{Album, Pair, batches};
use crate::experiment::{Bench, Desk};
use crate::loss::triplet_losses;
use crate::model::Mode;
use crate::seed::{Seed, Stream};
use crate::sketch::Affine;
use crate::train::named::{Tensors, join, part};
use crate::train::{Course, CoursePlan, EpochLine, Feed, Optimiser, Outcome, Resume, clip, gradients};
use crate::watch::Watch;
use crate::{Error, Result};
use candle_core::{D, Tensor};
use rand::RngExt;
use rand::seq::SliceRandom;

/// The networks of a training, and what they learn from.
pub(super) struct SemiTraining<'a> {
    pub config: &'a Config,
    pub semi: &'a SemiConfig,
    pub retrieval: SpatialNetwork,
    /// As it was before this training; never trained.
    pub teacher: SpatialNetwork,
    pub drawer: Drawer,
    pub critic: Critic,
    pub optimisers: [Optimiser; 3],
    pub material: &'a Material,
    /// The labelled pairs as the generator sees them; none of a generator of pixels.
    pub lesson: Option<&'a Lesson<'a>>,
    /// Photos without sketches.
    pub photos: &'a Album,
    /// How many.
    pub count: usize,
}

/// What the names of the parts begin with.
pub(super) const RETRIEVAL: &str = "retrieval/";
pub(super) const GENERATOR: &str = "generator/";
pub(super) const CRITIC: &str = "critic/";

/// Generated pairs: pictures, and nothing that gradients would pass.
struct Made {
    photos: Tensor,
    sketches: Tensor,
}

/// Trains; the networks have the kept weights afterwards.
pub(super) fn train(
    training: &mut SemiTraining,
    bench: &Bench,
    seed: Seed,
    watch: &dyn Watch,
    desk: Desk,
) -> Result<Outcome> {
    let fit = training.semi.fit;
    let plan = CoursePlan { epochs: fit.epochs, select_on: fit.select_on, folder: desk.folder, hash: desk.hash, watch };
    let mut course = Course::open(plan, training, desk.log)?;
    while let Some(epoch) = course.next_epoch() {
        let loss = training.epoch(&course, epoch, seed)?;
        let scores = valid_scores(&training.retrieval, training.material, bench)?;
        let note = format!("loss {loss:.4}, valid Acc@1 {:.1}", scores.acc1);
        course.end_epoch(training, &EpochLine::new(loss, Some(&scores)), &note, Some(scores))?;
    }
    course.finish(training)
}

impl SemiTraining<'_> {
    /// Returns the mean loss of the retrieval network: an epoch shows it every labelled pair once.
    fn epoch(&mut self, course: &Course, epoch: usize, seed: Seed) -> Result<f64> {
        let (fit, [for_retrieval, for_generator]) = (self.semi.fit, self.semi.steps);
        let batches = batches(&self.material.pairs, fit.batch, &mut seed.child("shuffle", epoch as u64));
        if batches.is_empty() || self.count < fit.batch {
            let expected = format!("{0} labelled pairs and {0} photos without sketches", fit.batch);
            let found = format!("{} and {}", self.material.pairs.len(), self.count);
            return Err(Error::value("training part", expected, found));
        }
        let stream = &mut seed.child("step", epoch as u64);
        let (total, mut sum) = (batches.len() * fit.epochs, 0.0);
        for (i, batch) in batches.iter().enumerate() {
            let done = (epoch - 1) * batches.len() + i;
            let factor = fit.schedule.factor(done, total);
            sum += course.step(done, total, || self.retrieval_step(batch, stream, factor))?;
            let is_round_over = (i + 1) % for_retrieval == 0;
            if let Some(reward) = self.semi.reward.filter(|_| is_round_over) {
                for _ in 0..for_generator {
                    course.go_on()?;
                    let own = &batches[stream.random_range(0..batches.len() as u32) as usize];
                    self.generator_step(own, reward, stream, factor)?;
                }
            }
        }
        Ok(sum / batches.len() as f64)
    }

    /// So many photos without sketches, each once.
    fn choose(&self, stream: &mut Stream) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.count).collect();
        all.partial_shuffle(stream, self.semi.fit.batch).0.to_vec()
    }

    /// Eq. 7 for the retrieval network, Eq. 5 for the discriminator.
    fn retrieval_step(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let (b, material) = (batch.len(), self.material);
        let (sketches, photos) = material.pixels().pairs(batch, stream)?;
        let made = self.make(stream)?;
        let all = Tensor::cat(&[&sketches, &photos, &made.sketches, &made.photos], 0)?;
        let points = self.retrieval.embed(&all, Mode::Train)?;
        let at = |i: usize| points.narrow(0, i * b, b);
        let owners: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
        let places: Vec<usize> = (0..b).collect();
        let config = &self.config.retrieval;
        let labelled = pair_loss(config, &at(0)?, &at(1)?, &owners)?;
        let generated = triplet_losses(&at(2)?, &at(3)?, &places, config.margin)?;
        let weights = self.weights(&made)?;
        let mut loss = (labelled + (generated * weights)?.mean_all()?)?;
        if let Some(taught) = self.taught(&all, &points)? {
            loss = (loss + (taught * self.semi.distillation)?)?;
        }
        self.optimisers[0].step(&gradients(&loss, &self.retrieval.trainable())?, factor)?;
        if self.uses_critic() {
            self.critic_step([&photos, &sketches], &made, factor)?;
        }
        Ok(f64::from(loss.to_scalar::<f32>()?))
    }

    fn uses_critic(&self) -> bool {
        self.semi.weighing != Weighing::Even || self.semi.reward.is_some_and(|reward| reward.certainty != 0.0)
    }

    fn critic_step(&mut self, [photos, sketches]: [&Tensor; 2], made: &Made, factor: f64) -> Result<()> {
        let real = self.critic.losses(photos, sketches, true, Mode::Train)?.mean_all()?;
        let loss = (real + self.critic.losses(&made.photos, &made.sketches, false, Mode::Train)?.mean_all()?)?;
        self.optimisers[2].step(&gradients(&loss, &self.critic.parameters().trainable())?, factor)
    }

    /// Pairs of photos without sketches, deformed as labelled ones are.
    fn make(&self, stream: &mut Stream) -> Result<Made> {
        let (chosen, material) = (self.choose(stream), self.material);
        let affines: Vec<(Affine, Affine)> =
            chosen.iter().map(|_| Affine::sample_pair(&material.augment, stream)).collect();
        let plain: Vec<(usize, Affine)> = chosen.iter().map(|photo| (*photo, Affine::default())).collect();
        let views: Vec<(usize, Affine)> = chosen.iter().copied().zip(affines.iter().map(|(_, photo)| *photo)).collect();
        let to_sketches: Vec<Affine> = affines.iter().map(|(sketch, _)| *sketch).collect();
        let own = streams(Seed(stream.random()), "draw", &chosen);
        let seen = self.photos.photos(&plain, &material.device)?;
        let (sketches, _) = self.drawer.draw(&seen, self.temperature(), &own, &to_sketches, &material.album)?;
        // Pixels are drawn where the photo is: their pairs stay as they are.
        let photos = if self.lesson.is_some() { self.photos.photos(&views, &material.device)? } else { seen };
        Ok(Made { photos, sketches })
    }

    fn temperature(&self) -> f32 {
        self.config.generator.as_ref().map_or(1.0, |generator| generator.temperature)
    }

    /// omega of Eq. 7.
    fn weights(&self, made: &Made) -> Result<Tensor> {
        let certainty = || Ok::<_, Error>(self.critic.certainty(&made.photos, &made.sketches, Mode::Eval)?.detach());
        Ok(match self.semi.weighing {
            Weighing::Even => Tensor::ones(made.photos.dim(0)?, made.photos.dtype(), made.photos.device())?,
            Weighing::Certainty => certainty()?,
            Weighing::Threshold(least) => certainty()?.ge(least)?.to_dtype(made.photos.dtype())?,
        })
    }

    /// `L_KD`, the mean over pairs; none without a teacher.
    fn taught(&self, all: &Tensor, points: &Tensor) -> Result<Option<Tensor>> {
        if self.semi.teacher == Teacher::None {
            return Ok(None);
        }
        let known = self.teacher.embed(all, Mode::Eval)?.detach();
        let b = all.dim(0)? / 4;
        let apart =
            |a: &Tensor, b: &Tensor| -> Result<Tensor> { Ok(((a - b)?.sqr()?.sum(D::Minus1)? + 1e-12)?.sqrt()?) };
        if self.semi.teacher == Teacher::Absolute {
            return Ok(Some(apart(points, &known)?.mean_all()?));
        }
        let far = |points: &Tensor| -> Result<Tensor> {
            let at = |i: usize| points.narrow(0, i * b, b);
            Ok(Tensor::cat(&[apart(&at(0)?, &at(1)?)?, apart(&at(2)?, &at(3)?)?], 0)?)
        };
        Ok(Some((far(points)? - far(&known)?)?.abs()?.mean_all()?))
    }

    /// Eq. 9.
    fn generator_step(&mut self, batch: &[Pair], reward: Reward, stream: &mut Stream, factor: f64) -> Result<()> {
        let device = &self.material.device;
        let plain: Vec<(usize, Affine)> = self.choose(stream).into_iter().map(|at| (at, Affine::default())).collect();
        let unlabelled = self.photos.photos(&plain, device)?;
        let labelled: Vec<(usize, Affine)> = batch.iter().map(|pair| (pair.photo, Affine::default())).collect();
        let photos = Tensor::cat(&[self.material.album.photos(&labelled, device)?, unlabelled], 0)?;
        let judged =
            Judged { retrieval: &self.retrieval, critic: &self.critic, reward, margin: self.config.retrieval.margin };
        let (loss, limit) = match (&self.drawer, self.lesson) {
            (Drawer::Strokes(generator), Some(lesson)) => {
                let (own, sequences) = lesson.batch(batch, generator.scale()?)?;
                let config = generator.config();
                let [told, _] = generator.loss(&own, &sequences, config.divergence, Mode::Train, stream)?;
                let seed = Seed(stream.random());
                let rewarded = policy_loss(generator, &photos, &self.material.album, &judged, seed)?;
                ((told + (rewarded * self.semi.policy)?)?, Some(config.clip))
            }
            (Drawer::Pixels(generator), _) => {
                // Gradients pass pixels: the reward itself is made larger.
                let drawn = generator.draw(&photos, Mode::Train)?;
                let rewards = judged.rewards(&photos, &drawn)?.mean_all()?;
                let own = self.material.album.sketches(&sketches_of(batch), device)?;
                let b = batch.len();
                let distance = (drawn.narrow(0, 0, b)? - own)?.abs()?.mean_all()?;
                (((distance * super::pixel::DISTANCE)? - (rewards * self.semi.policy)?)?, None)
            }
            _ => return Err(super::network::no_strokes()),
        };
        let mut slopes = gradients(&loss, &self.drawer.parameters().trainable())?;
        if let Some(limit) = limit {
            clip(&mut slopes, limit)?;
        }
        self.optimisers[1].step(&slopes, factor)
    }
}

fn sketches_of(batch: &[Pair]) -> Vec<(usize, Affine)> {
    batch.iter().map(|pair| (pair.sketch, Affine::default())).collect()
}

impl Resume for SemiTraining<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(join([
            (RETRIEVAL, self.retrieval.parameters().tensors()),
            (GENERATOR, self.drawer.parameters().tensors()),
            (CRITIC, self.critic.parameters().tensors()),
        ]))
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.retrieval.parameters().load(&part(trained, RETRIEVAL))?;
        self.drawer.parameters().load(&part(trained, GENERATOR))?;
        self.critic.parameters().load(&part(trained, CRITIC)).map(drop)
    }

    fn state(&self) -> Result<Tensors> {
        let [retrieval, generator, critic] = &self.optimisers;
        Ok(join([(RETRIEVAL, retrieval.state()?), (GENERATOR, generator.state()?), (CRITIC, critic.state()?)]))
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        for (optimiser, name) in self.optimisers.iter_mut().zip([RETRIEVAL, GENERATOR, CRITIC]) {
            optimiser.restore(part(&state, name))?;
        }
        Ok(())
    }
}
