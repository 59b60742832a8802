//! Steps of the outer loop: batch by batch, and task by task.

use super::config::{Config, Reach, Setting, Training};
use super::inner::{Comparison, HeadWeights, Hinge, adapt, constant, support_loss};
use super::maml::meta_gradient;
use super::network::{AdaptiveNetwork, Trunk};
use super::outer::{LabelledFeatures, Regularisers};
use super::task::Lesson;
use crate::dataset::{Index, Pair};
use crate::experiment::TaskLoss;
use crate::loss::{cross_entropy_loss, distances};
use crate::model::Mode;
use crate::seed::Stream;
use crate::sketch::Affine;
use crate::train::named::{Tensors, entry, join, part};
use crate::train::{Feed, Gradients, Optimiser, Pixels, gradients};
use crate::{Error, Result};
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// A network in training.
pub(super) struct Learner<'a> {
    pub config: &'a Config,
    pub network: &'a AdaptiveNetwork,
    pub outer: Regularisers,
    pub optimiser: Optimiser,
    pub teacher: Option<&'a AdaptiveNetwork>,
    pub pixels: Pixels<'a>,
    pub index: &'a Index,
    /// The number of the class or of the person of each training sketch.
    pub labels: BTreeMap<usize, usize>,
}

impl Learner<'_> {
    /// What the outer loop moves.
    pub fn trainable(network: &AdaptiveNetwork, outer: &Regularisers) -> Vec<(String, Var)> {
        let own = network.trainable().into_iter().map(|(name, var)| (format!("{NETWORK}{name}"), var));
        own.chain(outer.trainable()).collect()
    }

    /// A step on a batch of pairs; returns L_T.
    pub fn batch(&mut self, batch: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let (sketches, photos) = self.pixels.pairs(batch, stream)?;
        let b = batch.len();
        let pictures = Tensor::cat(&[sketches, photos], 0)?;
        let trunk = self.network.trunk();
        let features = trunk.features(&pictures, Mode::Train)?;
        let (sketches, photos) = (features.narrow(0, 0, b)?, features.narrow(0, b, b)?);
        let head = trunk.head(Mode::Train);
        let far = distances(&head.embed(&sketches)?, &head.embed(&photos)?)?;
        let owners: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
        let task = match self.config.task {
            TaskLoss::Triplet => self.config.task.of(&far, &owners, self.config.margin)?,
            TaskLoss::Contrastive { .. } => self.config.task.of(&far.sqr()?, &owners, self.config.margin)?,
        };
        let labels: Vec<usize> = batch.iter().map(|pair| self.label(pair.sketch)).collect::<Result<_>>()?;
        let of_photos = if self.config.setting == Setting::User { Vec::new() } else { labels.clone() };
        let labelled = LabelledFeatures { sketches: &sketches, photos: &photos, of_sketches: labels, of_photos };
        let mut loss = plus(&task, self.outer.loss(&labelled)?)?;
        if let (Some(teacher), Training::Distill { weight }) = (self.teacher, self.config.training) {
            let points = teacher.trunk().embed(&pictures, Mode::Eval)?.detach();
            let wanted = distances(&points.narrow(0, 0, b)?, &points.narrow(0, b, b)?)?;
            loss = (loss + ((far - wanted)?.sqr()?.mean_all()? * weight)?)?;
        }
        let slopes = gradients(&loss, &Self::trainable(self.network, &self.outer))?;
        self.optimiser.step(&slopes, factor)?;
        Ok(f64::from(task.to_scalar::<f32>()?))
    }

    fn label(&self, sketch: usize) -> Result<usize> {
        let found = self.labels.get(&sketch).copied();
        found.ok_or_else(|| Error::value("training sketch", "one with a class or a person", sketch))
    }

    /// A step on some tasks; returns L_T after adaptation.
    pub fn tasks(&mut self, lessons: &[Lesson], stream: &mut Stream, factor: f64) -> Result<f64> {
        let shown = lessons.iter().map(|lesson| self.show(lesson, stream)).collect::<Result<Vec<_>>>()?;
        let (task, slopes) = if self.config.inner.reach == Reach::All {
            self.through_all(lessons, &shown)?
        } else {
            self.through_head(lessons, &shown)?
        };
        self.optimiser.step(&slopes, factor)?;
        Ok(task)
    }

    /// The pictures of a task. A photo and all of its sketches are flipped together.
    fn show(&self, lesson: &Lesson, stream: &mut Stream) -> Result<Shown> {
        let augment = &self.pixels.augment;
        let drawn: Vec<(Affine, Affine)> =
            lesson.gallery.iter().map(|_| Affine::sample_pair(augment, stream)).collect();
        let (support, queries) = (lesson.own(self.index, &lesson.support)?, lesson.own(self.index, &lesson.queries)?);
        let sketches = lesson.support.iter().chain(&lesson.queries).zip(support.iter().chain(&queries));
        let sketches: Vec<(usize, Affine)> = sketches.map(|(at, own)| (*at, drawn[*own as usize].0)).collect();
        let photos: Vec<(usize, Affine)> = lesson.gallery.iter().zip(&drawn).map(|(at, pair)| (*at, pair.1)).collect();
        let Pixels { album, normalisation, device, .. } = &self.pixels;
        let sketches = normalisation.apply(&album.sketches(&sketches, device)?)?;
        let photos = normalisation.apply(&album.photos(&photos, device)?)?;
        Ok(Shown { pictures: Tensor::cat(&[sketches, photos], 0)?, support, queries })
    }

    /// The exact gradient through steps on M.
    fn through_head(&self, lessons: &[Lesson], shown: &[Shown]) -> Result<(f64, Gradients)> {
        let trunk = self.network.trunk();
        let pictures: Vec<&Tensor> = shown.iter().map(|shown| &shown.pictures).collect();
        let features = trunk.features(&Tensor::cat(&pictures, 0)?, Mode::Train)?;
        let (head, mut start, mut parts) = (trunk.head(Mode::Train), 0, Vec::new());
        let mut task: Option<Tensor> = None;
        for shown in shown {
            let own = features.narrow(0, start, shown.pictures.dim(0)?)?;
            start += shown.pictures.dim(0)?;
            let [support, queries] = shown.divide(&own)?;
            let margin = self.network.margin(&support, Mode::Train)?;
            let adapted = adapt(&head, &support, &margin, &self.config.inner.step)?;
            let loss = self.query_loss(&adapted, &queries)?;
            task = Some(match task {
                Some(sum) => (sum + loss)?,
                None => loss,
            });
            parts.push(Divided { support: Some(support), queries });
        }
        let task = task.ok_or_else(|| Error::value("tasks of a step", "1 or more", 0))?;
        let task = (task / shown.len() as f64)?;
        let loss = plus(&task, self.outer_loss(lessons, &parts)?)?;
        let slopes = gradients(&loss, &Self::trainable(self.network, &self.outer))?;
        Ok((f64::from(task.to_scalar::<f32>()?), slopes))
    }

    /// The gradient through steps on all of F and M, task by task.
    fn through_all(&self, lessons: &[Lesson], shown: &[Shown]) -> Result<(f64, Gradients)> {
        let prefixed = |(name, var)| (format!("{NETWORK}{name}"), var);
        let variables: Vec<(String, Var)> = self.network.adaptable().into_iter().map(prefixed).collect();
        let (others, trunk) = (self.outer.trainable(), self.network.trunk());
        let (mut sum, mut task) = (Gradients::new(), 0.0);
        for (lesson, shown) in lessons.iter().zip(shown) {
            let features = |part: Part| shown.part(part, trunk);
            let inner = || {
                let support = features(Part::Support)?;
                let margin = self.network.margin(&support, Mode::Eval)?;
                support_loss(&trunk.head(Mode::Train), &support, &margin, self.config.inner.step.hinge)
            };
            let measured = std::cell::Cell::new(0.0);
            let outer = || {
                let queries = features(Part::Queries)?;
                let loss = self.query_loss(&trunk.head(Mode::Train), &queries)?;
                measured.set(f64::from(loss.to_scalar::<f32>()?));
                plus(&loss, self.outer_loss(std::slice::from_ref(lesson), &[Divided { support: None, queries }])?)
            };
            let found = meta_gradient(&inner, &outer, &variables, &others, &self.config.inner.step)?;
            task += measured.get() / lessons.len() as f64;
            for (name, slope) in found.gradients {
                let share = (slope / lessons.len() as f64)?;
                let whole = sum.remove(&name).map_or(Ok(share.clone()), |before| before + share)?;
                sum.insert(name, whole);
            }
        }
        Ok((task, sum))
    }

    /// L_T on the queries of a task.
    fn query_loss(&self, head: &HeadWeights, queries: &Comparison) -> Result<Tensor> {
        match self.config.task {
            TaskLoss::Triplet => {
                support_loss(head, queries, &constant(self.config.margin, &queries.photos)?, Hinge::Hard)
            }
            TaskLoss::Contrastive { temperature } => {
                let far = distances(&head.embed(&queries.sketches)?, &head.embed(&queries.photos)?)?;
                let own: Vec<Option<usize>> = queries.own.iter().map(|own| Some(*own as usize)).collect();
                cross_entropy_loss(&(far.sqr()? / (-2.0 * temperature))?, &own)
            }
        }
    }

    fn outer_loss(&self, lessons: &[Lesson], parts: &[Divided]) -> Result<Option<Tensor>> {
        let (mut of_sketches, mut of_photos) = (Vec::new(), Vec::new());
        let (mut sketches, mut photos) = (Vec::new(), Vec::new());
        for (lesson, Divided { support, queries }) in lessons.iter().zip(parts) {
            for sketch in support.iter().chain([queries]).map(|part| &part.sketches) {
                of_sketches.extend(vec![lesson.label; sketch.dim(0)?]);
                sketches.push(sketch.clone());
            }
            of_photos.extend(vec![lesson.label; queries.photos.dim(0)?]);
            photos.push(queries.photos.clone());
        }
        if self.config.setting == Setting::User {
            of_photos.clear();
        }
        let (sketches, photos) = (Tensor::cat(&sketches, 0)?, Tensor::cat(&photos, 0)?);
        self.outer.loss(&LabelledFeatures { sketches: &sketches, photos: &photos, of_sketches, of_photos })
    }

    /// Everything that a resumed training needs beside the network.
    pub fn state(&self) -> Result<Tensors> {
        Ok(join([(OUTER, self.outer.parameters().tensors()), (OPTIMISER, self.optimiser.state()?)]))
    }

    pub fn restore(&mut self, state: &Tensors) -> Result<()> {
        self.outer.parameters().load(&part(state, OUTER))?;
        entry(state, &format!("{OPTIMISER}steps"))?;
        self.optimiser.restore(part(state, OPTIMISER))
    }
}

/// What the names of the parts begin with, in an optimiser and in a saved state.
const NETWORK: &str = "network/";
const OUTER: &str = "layers/";
const OPTIMISER: &str = "optimiser/";

/// The pictures of a task: sketches of the support, sketches to rank, photos; and where the own photos stand.
struct Shown {
    pictures: Tensor,
    support: Vec<u32>,
    queries: Vec<u32>,
}

/// A half of a task.
#[derive(Clone, Copy)]
enum Part {
    Support,
    Queries,
}

/// The features of a task; without its support, where that was used up by steps on all weights.
struct Divided {
    support: Option<Comparison>,
    queries: Comparison,
}

impl Shown {
    fn divide(&self, features: &Tensor) -> Result<[Comparison; 2]> {
        let (k, q) = (self.support.len(), self.queries.len());
        let photos = features.narrow(0, k + q, features.dim(0)? - k - q)?;
        let half = |start, own: &Vec<u32>| -> Result<Comparison> {
            let sketches = features.narrow(0, start, own.len())?;
            Ok(Comparison { sketches, photos: photos.clone(), own: own.clone() })
        };
        Ok([half(0, &self.support)?, half(k, &self.queries)?])
    }

    /// Features of one half under the weights of now.
    fn part(&self, part: Part, trunk: &Trunk) -> Result<Comparison> {
        let (k, q) = (self.support.len(), self.queries.len());
        let (start, own) = match part {
            Part::Support => (0, &self.support),
            Part::Queries => (k, &self.queries),
        };
        let photos = self.pictures.narrow(0, k + q, self.pictures.dim(0)? - k - q)?;
        let pictures = Tensor::cat(&[self.pictures.narrow(0, start, own.len())?, photos], 0)?;
        let features = trunk.features(&pictures, Mode::Train)?;
        let (sketches, photos) =
            (features.narrow(0, 0, own.len())?, features.narrow(0, own.len(), features.dim(0)? - own.len())?);
        Ok(Comparison { sketches, photos, own: own.clone() })
    }
}

/// A loss and another, where there is one.
fn plus(loss: &Tensor, other: Option<Tensor>) -> Result<Tensor> {
    other.map_or_else(|| Ok(loss.clone()), |other| Ok((loss + other)?))
}
