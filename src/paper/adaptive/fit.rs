//! Trainings: of a row, and of the network that it shares with other rows or is taught by.

use super::SLUG;
use super::config::{Config, Training};
use super::expert::per_class;
use super::model::AdaptiveModel;
use super::network::AdaptiveNetwork;
use super::school::{School, learner, pairs, training_index};
use super::task::{Sampler, queries};
use crate::dataset::Split;
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Fitted, Order, Trial};
use crate::file::{hash_bytes, read_json, write_atomic, write_json};
use crate::model::weights::{self, Storage};
use crate::run::{Header, RunConfig, RunFolder};
use crate::seed::Seed;
use crate::train::{Course, CoursePlan, EpochLine, Log, Outcome};
use crate::{Error, Result, device};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

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
        let valid = queries(self.bench.index(), Split::Valid, model.tasks(), setting);
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

    fn header(&self) -> Result<Header> {
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
