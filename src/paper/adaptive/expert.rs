//! One network for each class.

use super::config::Config;
use super::model::AdaptiveModel;
use super::network::AdaptiveNetwork;
use super::school::learner;
use crate::dataset::{Episode, Pair, Split, batches};
use crate::experiment::{Bench, Order, Trial};
use crate::run::RunConfig;
use crate::train::named::{Tensors, copies};
use crate::train::{Course, EpochLine, Log, Outcome, Resume};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// One network a class, each from the start on the class's support part. All of them are one epoch, which is not resumed.
pub(super) fn per_class(trial: &Trial<Config>, passes: usize, log: &mut Log) -> Result<(AdaptiveNetwork, Outcome)> {
    let Trial { run, bench, order, .. } = *trial;
    let network = AdaptiveNetwork::new(&run.config, run.seed, order.device)?;
    run.config.needs().find(order.places)?.iter().try_for_each(|start| network.load_backbone(start))?;
    let start = copies(&network.tensors())?;
    let model = AdaptiveModel::open(network, bench, &[Split::Test], order)?;
    let mut experts = Experts(BTreeMap::new());
    let mut course = Course::open(trial.course(1, run.config.fit.select_on)?, &mut experts, log)?;
    let mut sum = 0.0;
    while course.next_epoch().is_some() {
        let count = model.tasks().len();
        for (at, task) in model.tasks().iter().enumerate() {
            model.network.load_tensors(&start)?;
            sum += course.step(at, count, || one_class(&model, bench, run, task, passes, order))? / count as f64;
            experts.0.insert(task.category.clone(), copies(&model.network.tensors())?);
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
