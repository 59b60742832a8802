//! A classifier of sketches, which says what a generated one shows, and whose features compare generated ones with people's.

use super::super::SLUG;
use super::super::config::{Config, RetrievalConfig};
use crate::dataset::{Album, Pair, Split, batches, is_embedded};
use crate::experiment::{Bench, NeededWeights, Needs, Order, SharedTraining, Subject};
use crate::loss::cross_entropy_loss;
use crate::model::{Allowance, weights};
use crate::model::{Backbone, Init, Linear, Mode, Normalisation, Parameters, build, pool};
use crate::seed::Seed;
use crate::sketch::{Affine, AugmentConfig};
use crate::train::{Course, CoursePlan, Optimiser, OptimiserConfig, Schedule, SelectOn, gradients};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use serde_json::json;
use std::collections::BTreeMap;

/// Sketches to a forward pass.
const CHUNK: usize = 64;

/// Most sketches of a class that are trained on: classes of thousands would be all that is learned.
const MOST: usize = 150;

/// Passes over them.
const EPOCHS: usize = 12;

/// A trained classifier.
pub(super) struct Judge {
    parameters: Parameters,
    backbone: Box<dyn Backbone>,
    head: Linear,
    normalisation: Normalisation,
    classes: Vec<String>,
}

/// The sketches of a corpus that are trained on, by class.
struct Lesson {
    album: Album,
    /// Sketch and class.
    items: Vec<(usize, usize)>,
}

impl Judge {
    /// The classifier for a corpus: trained once, with seed 0, whatever the run.
    ///
    /// # Errors
    /// Corpora or weights that are not there; a watch that stops.
    pub fn learn(subject: &Subject<Config>) -> Result<Self> {
        let (config, order) = (&subject.run.config.retrieval, subject.order);
        let names: &[&str] = if is_embedded(&subject.run.dataset) {
            &["synth-world", "synth-chair", "synth-shoe"]
        } else {
            &["sketchy-mini"]
        };
        let start = start(config);
        let needs = Needs { weights: vec![start], ..Needs::default() };
        let benches = names.iter().map(|name| Bench::open(name, order.places)).collect::<Result<Vec<_>>>()?;
        let classes = classes(&benches);
        let judge = Self::new(config, &classes, order.device)?;
        let settings = format!("{:?} {names:?} {:?} {EPOCHS} {MOST}", config.prepare, needs.hash(order.places)?);
        let first = Bench::open(names[0], order.places)?;
        let shared = SharedTraining {
            slug: SLUG,
            name: "classifier",
            dataset: names[0],
            bench: &first,
            seed: Seed(0),
            order,
            settings,
        };
        let (tensors, _) = shared.once(|desk| {
            for path in needs.find(order.places)? {
                weights::load(&path, &judge.parameters, &Allowance { missing: &["classes.*"], extra: &[] })?;
            }
            let lessons =
                benches.iter().map(|bench| Lesson::open(bench, &classes, config, order)).collect::<Result<Vec<_>>>()?;
            let plan = CoursePlan {
                epochs: EPOCHS,
                select_on: SelectOn::Last,
                folder: desk.folder,
                hash: desk.hash,
                watch: order.watch,
            };
            let mut parameters = judge.parameters.clone();
            let mut optimiser = Optimiser::new(OptimiserConfig::adam(5e-4), judge.parameters.trainable());
            let mut course = Course::open(plan, &mut parameters, desk.log)?;
            while let Some(epoch) = course.next_epoch() {
                let loss = judge.epoch(&lessons, &course, epoch, &mut optimiser, order.device)?;
                course.end_epoch(
                    &parameters,
                    &json!({ "loss": loss }),
                    &format!("classifier: loss {loss:.3}"),
                    None,
                )?;
            }
            let outcome = course.finish(&mut parameters)?;
            Ok((judge.parameters.tensors(), outcome))
        })?;
        judge.parameters.load(&tensors)?;
        Ok(judge)
    }

    fn new(config: &RetrievalConfig, classes: &[String], device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(Seed(0), device);
        let backbone = build(config.architecture, &mut parameters.root(), config.norm)?;
        let init = Init::Normal { deviation: (backbone.channels() as f32).sqrt().recip() };
        let head = Linear::new(backbone.channels(), classes.len(), init, &mut parameters.root().push("classes"))?;
        let normalisation = config.architecture.normalisation();
        Ok(Self { parameters, backbone, head, normalisation, classes: classes.to_vec() })
    }

    fn pooled(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        pool(&self.backbone.forward(&self.normalisation.apply(pictures)?, mode)?)
    }

    fn epoch(
        &self,
        lessons: &[Lesson],
        course: &Course,
        epoch: usize,
        optimiser: &mut Optimiser,
        device: &Device,
    ) -> Result<f64> {
        let stream = &mut Seed(0).child("classifier", epoch as u64);
        let of = |(at, lesson): (usize, &Lesson)| {
            lesson.items.iter().map(|(sketch, class)| (at, *sketch, *class)).collect::<Vec<_>>()
        };
        let items: Vec<(usize, usize, usize)> = lessons.iter().enumerate().flat_map(of).collect();
        // Each sketch stands for a photo of its own, so that any can meet in a batch.
        let all: Vec<Pair> = (0..items.len()).map(|at| Pair { sketch: at, photo: at, group: 0 }).collect();
        let batches = batches(&all, CHUNK, stream);
        let (total, mut sum) = (batches.len() * EPOCHS, 0.0);
        for (i, batch) in batches.iter().enumerate() {
            let done = (epoch - 1) * batches.len() + i;
            sum += course.step(done, total, || {
                let (mut pictures, mut labels) = (Vec::new(), Vec::new());
                for pair in batch {
                    let (lesson, sketch, class) = items[pair.sketch];
                    let affine = Affine::sample(&AugmentConfig::default(), stream);
                    pictures.push(lessons[lesson].album.sketches(&[(sketch, affine)], device)?);
                    labels.push(Some(class));
                }
                let logits = self.head.forward(&self.pooled(&Tensor::cat(&pictures, 0)?, Mode::Train)?, Mode::Train)?;
                let loss = cross_entropy_loss(&logits, &labels)?;
                let slopes = gradients(&loss, &self.parameters.trainable())?;
                optimiser.step(&slopes, Schedule::Cosine.factor(done, total))?;
                Ok(f64::from(loss.to_scalar::<f32>()?))
            })?;
        }
        Ok(sum / batches.len() as f64)
    }

    /// Features of pictures of sketches, row by row, and how many each has.
    ///
    /// # Errors
    /// Pictures of another size.
    pub fn features(&self, pictures: &Tensor) -> Result<(Vec<f64>, usize)> {
        let found = self.by_chunk(pictures, &|chunk| self.pooled(chunk, Mode::Eval))?;
        let d = found.dim(1)?;
        Ok((found.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect(), d))
    }

    /// Where a class stands in the order of what each picture may show, 1 first.
    ///
    /// # Errors
    /// A class that it does not know.
    pub fn ranks(&self, pictures: &Tensor, class: &str) -> Result<Vec<u32>> {
        let own = self.classes.iter().position(|name| name == class);
        let own = own.ok_or_else(|| Error::value("class of a sketch", self.classes.join(", "), class))?;
        let logits =
            self.by_chunk(pictures, &|chunk| self.head.forward(&self.pooled(chunk, Mode::Eval)?, Mode::Eval))?;
        let rank = |row: &Vec<f32>| 1 + row.iter().filter(|other| **other > row[own]).count() as u32;
        Ok(logits.to_vec2::<f32>()?.iter().map(rank).collect())
    }

    fn by_chunk(&self, pictures: &Tensor, of: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let count = pictures.dim(0)?;
        let part = |from: usize| Ok(of(&pictures.narrow(0, from, CHUNK.min(count - from))?)?.detach());
        let parts = (0..count).step_by(CHUNK).map(part).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&parts, 0)?)
    }
}

/// The plain weights of the backbone, whatever a row starts from.
fn start(config: &RetrievalConfig) -> NeededWeights {
    let plain = if config.architecture == crate::model::Architecture::Mini { "attributes" } else { "imagenet" };
    NeededWeights::start(format!("{}-{plain}", config.architecture))
}

/// The classes of the training parts.
fn classes(benches: &[Bench]) -> Vec<String> {
    let of = |bench: &Bench| -> Vec<String> {
        let index = bench.index();
        index.categories(&index.photos_of(Split::Train)).into_iter().map(String::from).collect()
    };
    let mut all: Vec<String> = benches.iter().flat_map(of).collect();
    all.sort();
    all.dedup();
    all
}

impl Lesson {
    fn open(bench: &Bench, classes: &[String], config: &RetrievalConfig, order: &Order) -> Result<Self> {
        let album = bench.album(config.prepare, &[Split::Train], order.watch)?;
        let places: BTreeMap<&str, usize> = classes.iter().map(String::as_str).zip(0..).collect();
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut items = Vec::new();
        for sketch in bench.index().sketches_of(Split::Train) {
            let photo = &bench.index().photos[bench.index().sketches[sketch].photo];
            let class = places[photo.category.as_str()];
            let count = counts.entry(class).or_default();
            if *count < MOST {
                items.push((sketch, class));
            }
            *count += 1;
        }
        Ok(Self { album, items })
    }
}
