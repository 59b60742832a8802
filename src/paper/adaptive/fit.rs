//! Trainings: of a row, and of the network that it shares with other rows or is taught by.

use super::SLUG;
use super::config::{Config, Training};
use super::expert::per_class;
use super::model::AdaptiveModel;
use super::network::AdaptiveNetwork;
use super::school::{School, learner, pairs, training_index};
use super::task::{Sampler, queries};
use crate::Result;
use crate::dataset::Split;
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Desk, Fitted, Order, SharedTraining, Trial};
use crate::seed::Seed;
use crate::train::{Course, CoursePlan, EpochLine, Log, Outcome};

/// Trains, or goes on where the trial's folder holds a state.
///
/// # Errors
/// A corpus without tasks; a setting that cannot be trained with; a watch that stops.
pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<AdaptiveModel>> {
    let Trial { run, bench, order, .. } = *trial;
    let config = &run.config;
    let (mut network, outcome) = match (config.training, &config.trained_on) {
        (Training::PerClass { passes }, _) => per_class(trial, passes, log)?,
        (_, Some(corpus)) => {
            let there = elsewhere(config, corpus)?;
            let bench = Bench::divide(corpus, &there.needs(), run.seed, order.places)?;
            let study = Study { config: there, dataset: corpus, bench: &bench, seed: run.seed, order };
            study.learn(Some(log))?
        }
        _ => {
            let study = Study { config: config.lesson(), dataset: &run.dataset, bench, seed: run.seed, order };
            study.learn(Some(log))?
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
    /// Trains, or reads what the same training left; its lines become those of a log.
    fn learn(&self, log: Option<&mut Log>) -> Result<(AdaptiveNetwork, Outcome)> {
        let network = || AdaptiveNetwork::new(&self.config, self.seed, self.order.device);
        let shared = self.shared()?;
        let (tensors, outcome) = shared.once(|desk| {
            let network = network()?;
            self.config.needs().find(self.order.places)?.iter().try_for_each(|start| network.load_backbone(start))?;
            let teacher = match self.config.training {
                Training::Distill { .. } => {
                    let first = Study { config: Config { training: Training::Plain, ..self.config.clone() }, ..*self };
                    Some(first.learn(None)?.0)
                }
                _ => None,
            };
            let (network, outcome) = self.course(network, teacher.as_ref(), desk)?;
            Ok((network.tensors(), outcome))
        })?;
        log.map_or(Ok(()), |log| shared.copy_lines(log))?;
        let network = network()?;
        network.load_tensors(&tensors)?;
        Ok((network, outcome))
    }

    fn shared(&self) -> Result<SharedTraining<'_>> {
        let Self { dataset, bench, seed, order, .. } = *self;
        let start = self.config.needs().hash(order.places)?;
        let settings = format!("{} {start:?}", serde_json::to_string(&self.config)?);
        Ok(SharedTraining { slug: SLUG, name: "network", dataset, bench, seed, order, settings })
    }

    /// Epoch by epoch.
    fn course(
        &self,
        network: AdaptiveNetwork,
        teacher: Option<&AdaptiveNetwork>,
        desk: Desk,
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
        let Desk { folder, hash, log } = desk;
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
}
