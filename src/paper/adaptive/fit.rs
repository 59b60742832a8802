//! Trainings: of a row, of the network that it shares with other rows or is taught by, and of one network a class.

use super::SLUG;
use super::config::{Config, Setting, Training};
use super::model::AdaptiveModel;
use super::network::AdaptiveNetwork;
use super::outer::Regularisers;
use super::step::Learner;
use super::task::{Sampler, labels, queries, ranked};
use crate::dataset::{Episode, Index, Pair, Split, batches};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Fitted, Order, Trial};
use crate::file::{hash_bytes, read_json, write_atomic, write_json};
use crate::model::weights::{self, Storage};
use crate::run::{RunConfig, RunFolder};
use crate::seed::{Seed, Stream};
use crate::train::named::Tensors;
use crate::train::{Course, CoursePlan, EpochLine, Log, Optimiser, Outcome, Resume};
use crate::{Error, Result, device};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Trains, or goes on where the trial's folder holds a state.
///
/// # Errors
/// A corpus without tasks; a setting that cannot be trained with; a watch that stops.
pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<AdaptiveModel>> {
    let Trial { run, bench, order, folder } = *trial;
    let config = &run.config;
    let (mut network, outcome) = match (config.training, &config.trained_on) {
        (Training::PerClass { passes }, _) => per_class(trial, passes, log)?,
        (_, Some(corpus)) => {
            let there = elsewhere(config, corpus)?;
            let bench = Bench::divide(corpus, &there.needs(), run.seed, order.places)?;
            let study = Study { config: there, dataset: corpus, bench: &bench, seed: run.seed, order };
            let found = study.learn(None)?;
            copy(&study.kept()?, log)?;
            found
        }
        _ => {
            let study = Study { config: config.lesson(), dataset: &run.dataset, bench, seed: run.seed, order };
            study.learn(Some((folder, run.hash()?, log)))?
        }
    };
    network.set_config(config);
    network.round()?;
    let model = AdaptiveModel::open(network, bench, &[Split::Test], order)?;
    Ok(Fitted { model, outcome: Some(outcome), select_on: config.fit.select_on.to_string() })
}

/// The training of a row whose network comes from another corpus, as a row of that corpus.
fn elsewhere(config: &Config, corpus: &str) -> Result<Config> {
    let there = Config::preset(corpus, "baseline")?;
    let Config { valid_categories, valid_photos, setting, .. } = there;
    Ok(Config { trained_on: None, valid_categories, valid_photos, setting, ..config.lesson() })
}

/// A training that rows can share: it is done once, and kept.
struct Study<'a> {
    config: Config,
    dataset: &'a str,
    bench: &'a Bench,
    seed: Seed,
    order: &'a Order<'a>,
}

impl Study<'_> {
    /// Trains, or reads what the same training left. In a run's own folder it can be resumed there, and its log is the
    /// run's.
    fn learn(&self, own: Option<(&RunFolder, String, &mut Log)>) -> Result<(AdaptiveNetwork, Outcome)> {
        let kept = self.kept()?;
        let network = AdaptiveNetwork::new(&self.config, self.seed, self.order.device)?;
        if kept.0.join(DONE).is_file() {
            network.load_tensors(&weights::read(&kept.0.join(WEIGHTS))?.tensors)?;
            own.map_or(Ok(()), |(_, _, log)| copy(&kept, log))?;
            return Ok((network, read_json(&kept.0.join(DONE))?));
        }
        self.config.needs().find(self.order.places)?.iter().try_for_each(|start| network.load_backbone(start))?;
        let teacher = match self.config.training {
            Training::Distill { .. } => {
                let first = Study { config: Config { training: Training::Plain, ..self.config.clone() }, ..*self };
                Some(first.learn(None)?.0)
            }
            _ => None,
        };
        std::fs::create_dir_all(&kept.0).map_err(Error::io(&kept.0))?;
        let _lock = kept.lock()?;
        let (network, outcome) = match own {
            Some((folder, hash, log)) => {
                let found = self.course(network, teacher.as_ref(), folder, hash, log)?;
                write_atomic(&kept.0.join(LINES), lines(folder)?.join("\n").as_bytes())?;
                found
            }
            None => {
                let mut log = Log::open(&kept.0.join("log.jsonl"), &self.header()?)?;
                let found = self.course(network, teacher.as_ref(), &kept, self.key()?, &mut log)?;
                write_atomic(&kept.0.join(LINES), lines(&kept)?.join("\n").as_bytes())?;
                kept.remove_state()?;
                found
            }
        };
        weights::save(&kept.0.join(WEIGHTS), &network.tensors(), Storage::F32, &BTreeMap::new())?;
        write_json(&kept.0.join(DONE), &outcome)?;
        Ok((network, outcome))
    }

    /// Epoch by epoch.
    fn course(
        &self,
        network: AdaptiveNetwork,
        teacher: Option<&AdaptiveNetwork>,
        folder: &RunFolder,
        hash: String,
        log: &mut Log,
    ) -> Result<(AdaptiveNetwork, Outcome)> {
        let Config { fit, setting, .. } = self.config;
        let model = AdaptiveModel::in_training(network, self.bench, self.order)?;
        let valid = queries(self.bench.index(), model.tasks(), setting);
        let index = training_index(self.bench, &self.config)?;
        let learner = learner(&model, &index, &self.config, teacher, self.seed, self.order)?;
        let pairs = pairs(&index, &self.config);
        let sampler = match self.config.training {
            Training::Episodes => Some(Sampler::new(&index, &self.config)?),
            _ => None,
        };
        let mut school = School { learner, pairs, sampler };
        let plan = CoursePlan { epochs: fit.epochs, select_on: fit.select_on, folder, hash, watch: self.order.watch };
        let mut course = Course::open(plan, &mut school, log)?;
        while let Some(epoch) = course.next_epoch() {
            let loss = school.epoch(&course, epoch, self.seed)?;
            let scores = valid.scores(&evaluate(&model, &valid)?)?;
            let note = format!("loss {loss:.4}, valid Acc@1 {:.1}", scores.acc1);
            course.end_epoch(&school, &EpochLine::new(loss, Some(&scores)), &note, Some(scores))?;
        }
        let outcome = course.finish(&mut school)?;
        drop(school);
        Ok((model.into_network(), outcome))
    }

    /// Where its result is kept.
    fn kept(&self) -> Result<RunFolder> {
        Ok(RunFolder(self.order.places.cache.join(format!("{SLUG}-{}", self.key()?))))
    }

    /// Names the training: settings, data, seed, weights and device.
    fn key(&self) -> Result<String> {
        let (settings, data) = (serde_json::to_string(&self.config)?, self.bench.source().version());
        let (start, photos) =
            (self.config.needs().hash(self.order.places)?, self.bench.index().photos_of(Split::Train));
        let device = device::name(self.order.device);
        let text = format!("{} {data} {settings} {start:?} {:?} {photos:?} {device}", self.dataset, self.seed);
        Ok(hash_bytes(text.as_bytes())[..16].to_string())
    }

    fn header(&self) -> Result<crate::run::Header> {
        let (slug, dataset, row) = (SLUG.to_string(), self.dataset.to_string(), "shared".to_string());
        let run = RunConfig { slug, dataset, row, seed: self.seed, config: self.config.clone() };
        self.bench.header(&run, self.config.needs().hash(self.order.places)?, self.order)
    }
}

/// The files of a training that is kept.
const WEIGHTS: &str = "network.safetensors";
const LINES: &str = "lines.jsonl";
const DONE: &str = "outcome.json";

/// The lines of a log below its header.
fn lines(folder: &RunFolder) -> Result<Vec<String>> {
    Ok(folder.log()?.1)
}

/// Puts the lines of a kept training into a run's log.
fn copy(kept: &RunFolder, log: &mut Log) -> Result<()> {
    let path = kept.0.join(LINES);
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    log.truncate(0)?;
    text.lines().try_for_each(|line| log.append(&serde_json::from_str::<Box<RawValue>>(line)?))
}

/// The training part of a row: of [`Training::Joint`], with the photos that others adapt to.
fn training_index<'a>(bench: &'a Bench, config: &Config) -> Result<Cow<'a, Index>> {
    if config.training != Training::Joint {
        return Ok(Cow::Borrowed(bench.index()));
    }
    let mut index = bench.index().clone();
    for task in ranked(bench.index(), Split::Test, config)? {
        for sketch in task.support {
            let photo = index.sketches[sketch].photo;
            index.photos[photo].split = Split::Train;
        }
    }
    Ok(Cow::Owned(index))
}

/// The pairs that are trained on; those of a class come together.
fn pairs(index: &Index, config: &Config) -> Vec<Pair> {
    let group = |label| if config.setting == Setting::Category { label } else { 0 };
    let pair = |(sketch, label)| Pair { sketch, photo: index.sketches[sketch].photo, group: group(label) };
    labels(index, config).into_iter().map(pair).collect()
}

fn learner<'a>(
    model: &'a AdaptiveModel,
    index: &'a Index,
    config: &'a Config,
    teacher: Option<&'a AdaptiveNetwork>,
    seed: Seed,
    order: &Order,
) -> Result<Learner<'a>> {
    let network = &model.network;
    let outer = Regularisers::new(config, network.channels(), index, seed, order.device)?;
    let optimiser = Optimiser::new(config.optimiser, Learner::trainable(network, &outer));
    let labels = labels(index, config).into_iter().collect();
    Ok(Learner { config, network, outer, optimiser, teacher, pixels: model.pixels(), index, labels })
}

/// A training in progress.
struct School<'a> {
    learner: Learner<'a>,
    pairs: Vec<Pair>,
    sampler: Option<Sampler<'a>>,
}

impl School<'_> {
    /// Returns the mean of L_T. An epoch of tasks ranks about as many sketches as one of batches has pairs.
    fn epoch(&mut self, course: &Course, epoch: usize, seed: Seed) -> Result<f64> {
        let (shuffle, stream) = (&mut seed.child("shuffle", epoch as u64), &mut seed.child("step", epoch as u64));
        let Config { fit, episode, .. } = *self.learner.config;
        match &self.sampler {
            Some(sampler) => {
                let count = (self.pairs.len() / (episode.tasks * (episode.shots + episode.queries))).max(1);
                let lessons = (0..count).map(|_| sampler.draw(&episode, shuffle)).collect::<Result<Vec<_>>>()?;
                self.steps(course, epoch, &lessons, stream, |learner, lessons, stream, factor| {
                    learner.tasks(lessons, stream, factor)
                })
            }
            None => {
                let batches = batches(&self.pairs, fit.batch, shuffle);
                if batches.is_empty() {
                    let found = format!("{} pairs", self.pairs.len());
                    return Err(Error::value(
                        "training part",
                        format!("{} pairs of different photos", fit.batch),
                        found,
                    ));
                }
                self.steps(course, epoch, &batches, stream, |learner, batch, stream, factor| {
                    learner.batch(batch, stream, factor)
                })
            }
        }
    }

    fn steps<T>(
        &mut self,
        course: &Course,
        epoch: usize,
        all: &[T],
        stream: &mut Stream,
        step: impl Fn(&mut Learner, &T, &mut Stream, f64) -> Result<f64>,
    ) -> Result<f64> {
        let fit = self.learner.config.fit;
        let (total, mut sum) = (all.len() * fit.epochs, 0.0);
        for (i, own) in all.iter().enumerate() {
            let done = (epoch - 1) * all.len() + i;
            let factor = fit.schedule.factor(done, total);
            sum += course.step(done, total, || step(&mut self.learner, own, stream, factor))?;
        }
        Ok(sum / all.len() as f64)
    }
}

impl Resume for School<'_> {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.learner.network.tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.learner.network.load_tensors(trained)
    }

    fn state(&self) -> Result<Tensors> {
        self.learner.state()
    }

    fn restore(&mut self, state: Tensors) -> Result<()> {
        self.learner.restore(&state)
    }
}

/// One network a class, each from the start on the class's support part. All of them are one epoch, which is not resumed.
fn per_class(trial: &Trial<Config>, passes: usize, log: &mut Log) -> Result<(AdaptiveNetwork, Outcome)> {
    let Trial { run, bench, order, .. } = *trial;
    let network = AdaptiveNetwork::new(&run.config, run.seed, order.device)?;
    run.config.needs().find(order.places)?.iter().try_for_each(|start| network.load_backbone(start))?;
    let start = crate::train::named::copies(&network.tensors())?;
    let model = AdaptiveModel::open(network, bench, &[Split::Test], order)?;
    let mut experts = Experts(BTreeMap::new());
    let mut course = Course::open(trial.course(1, run.config.fit.select_on)?, &mut experts, log)?;
    let mut sum = 0.0;
    while course.next_epoch().is_some() {
        let count = model.tasks().len();
        for (at, task) in model.tasks().iter().enumerate() {
            model.network.load_tensors(&start)?;
            sum += course.step(at, count, || one_class(&model, bench, run, task, passes, order))? / count as f64;
            experts.0.insert(task.category.clone(), crate::train::named::copies(&model.network.tensors())?);
        }
        let note = format!("loss {sum:.4}, {count} networks");
        course.end_epoch(&experts, &EpochLine::new(sum, None), &note, None)?;
    }
    let outcome = course.finish(&mut experts)?;
    let mut network = model.into_network();
    network.load_tensors(&start)?;
    network.experts = experts.0;
    Ok((network, outcome))
}

/// Trains on the support part of a class; returns the mean loss of the last pass.
fn one_class(
    model: &AdaptiveModel,
    bench: &Bench,
    run: &RunConfig<Config>,
    task: &Episode,
    passes: usize,
    order: &Order,
) -> Result<f64> {
    let (index, config) = (bench.index(), &run.config);
    let pairs: Vec<Pair> =
        task.support.iter().map(|at| Pair { sketch: *at, photo: index.sketches[*at].photo, group: 0 }).collect();
    let photos: BTreeSet<usize> = pairs.iter().map(|pair| pair.photo).collect();
    if photos.len() < 2 {
        return Err(Error::value(format!("photos to train on of `{}`", task.category), "2 or more", photos.len()));
    }
    let mut learner = learner(model, index, config, None, run.seed, order)?;
    learner.labels = pairs.iter().map(|pair| (pair.sketch, 0)).collect();
    let (shuffle, step) = (format!("shuffle {}", task.category), format!("step {}", task.category));
    let mut mean = 0.0;
    for pass in 0..passes {
        let batches = batches(&pairs, config.fit.batch.min(photos.len()), &mut run.seed.child(&shuffle, pass as u64));
        let stream = &mut run.seed.child(&step, pass as u64);
        let total = passes * batches.len();
        mean = 0.0;
        for (i, batch) in batches.iter().enumerate() {
            let factor = config.fit.schedule.factor(pass * batches.len() + i, total);
            mean += learner.batch(batch, stream, factor)? / batches.len() as f64;
        }
    }
    Ok(mean)
}

/// Networks of classes, as a course saves them.
struct Experts(BTreeMap<String, Tensors>);

impl Resume for Experts {
    fn trained(&self) -> Result<Tensors> {
        let one = |(class, own): (&String, &Tensors)| {
            own.iter().map(|(name, tensor)| (format!("{class}/{name}"), tensor.clone())).collect::<Vec<_>>()
        };
        Ok(self.0.iter().flat_map(one).collect())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        self.0.clear();
        for (name, tensor) in trained {
            if let Some((class, name)) = name.split_once('/') {
                self.0.entry(class.to_string()).or_default().insert(name.to_string(), tensor.clone());
            }
        }
        Ok(())
    }
}
