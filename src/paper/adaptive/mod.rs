//! Adaptive Fine-Grained Sketch-Based Image Retrieval (Bhunia, Sain, Shah, Gupta, Chowdhury, Xiang, Song; ECCV 2022): one
//! network adapts to a new class, or to a new hand, by a gradient step of its last layer on a few pairs of sketches and photos.
//!
//! | part | what it holds |
//! |---|---|
//! | [`Adaptive`] | the paper, as the rest of the crate sees it |
//! | [`Config`] | every setting and its place in the paper; the rows of its tables, by name |
//! | [`adapt()`] | the inner loop on the last layer, as an expression with an exact outer gradient |
//! | [`meta_gradient`] | MAML over all weights |
//! | [`AdaptiveNetwork`] | backbone with spatial attention, embedding layer, margin |
//! | [`Regularisers`] | the outer losses beside triplets |
//! | [`tasks`], [`Sampler`] | classes and people, to rank and to train on |
//! | [`AdaptiveModel`] | retrieval after adaptation |
//! | [`table`] | what the tables show |
//! | [`mod@analysis`] | what is measured beside accuracy |
//!
//! # Deviations
//!
//! [`DEVIATIONS`] lists what differs from the paper and why.

pub mod analysis;
mod config;
mod fit;
mod inner;
mod maml;
mod model;
mod network;
mod outer;
mod printed;
mod row;
mod step;
pub mod table;
mod task;

pub use config::{Config, EpisodeConfig, InnerConfig, LossWeights, MarginSource, Reach, Setting, Training};
pub use inner::{
    Comparison, HeadWeights, Hinge, Order as MetaOrder, StepConfig, StepRule, adapt, support_gradient, support_loss,
};
pub use maml::{MetaGradient, meta_gradient};
pub use model::AdaptiveModel;
pub use network::{AdaptiveNetwork, Trunk};
pub use outer::{LabelledFeatures, Regularisers, domain_loss, semantic_loss, user_loss};
pub use printed::PRINTED;
pub use task::{Lesson, Sampler, tasks, unseen_people};

use crate::Result;
use crate::dataset::{Index, Split};
use crate::experiment::{
    Analysis, Bench, Fitted, Method, Needs, Order, Origin, Paper, Queries, Subject, Trial, describe_backbone,
};
use crate::report::printed::Printed;
use crate::report::table::{DatasetSpec, TableSpec};
use crate::run::RunConfig;
use crate::train::Log;
use candle_core::Device;

/// The paper's folder in `results/` and `data/papers/`.
pub const SLUG: &str = "adaptive";

/// The paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adaptive;

impl Paper for Adaptive {
    fn printed(&self) -> Printed {
        PRINTED
    }

    fn citation(&self) -> &'static str {
        "Adaptive Fine-Grained Sketch-Based Image Retrieval (A. K. Bhunia, A. Sain, P. H. Shah, A. Gupta, P. N. Chowdhury, \
         T. Xiang, Y.-Z. Song; ECCV 2022)"
    }

    fn deviations(&self) -> &'static [&'static str] {
        &DEVIATIONS
    }

    fn corpora(&self) -> Vec<DatasetSpec> {
        table::corpora()
    }

    fn tables(&self) -> Vec<TableSpec> {
        table::tables()
    }

    fn compared(&self) -> Vec<(&'static str, &'static str)> {
        vec![("baseline", "Baseline"), ("ours", "Ours, k = 5")]
    }

    /// What a row's tasks rank; of a corpus that has none, every sketch of the split: opening a model says why.
    fn queries(&self, dataset: &str, row: &str, index: &Index, split: Split) -> Queries {
        let config = Config::preset(dataset, row).or_else(|_| Config::preset(dataset, "baseline"));
        let found =
            config.and_then(|config| Ok(task::queries(index, &task::ranked(index, split, &config)?, config.setting)));
        found.unwrap_or_else(|_| Queries::of(index, split))
    }

    fn analyses(&self) -> Vec<Analysis> {
        analysis::list()
    }
}

impl Method for Adaptive {
    type Config = Config;
    type Network = AdaptiveNetwork;
    type Model = AdaptiveModel;

    fn preset(&self, dataset: &str, row: &str) -> Result<Config> {
        Config::preset(dataset, row)
    }

    fn check(&self, config: &Config) -> Result<()> {
        config.check()
    }

    fn needs(&self, config: &Config) -> Needs {
        config.needs()
    }

    fn shorten(&self, config: &mut Config, epochs: usize) {
        config.fit.epochs = config.fit.epochs.min(epochs);
        if let Training::PerClass { passes } = &mut config.training {
            *passes = (*passes).min(epochs);
        }
    }

    fn describe(&self, config: &Config) -> [String; 2] {
        describe_backbone(config.architecture, &config.weights)
    }

    fn fit(&self, trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<AdaptiveModel>> {
        fit::fit(trial, log)
    }

    fn load(&self, run: &RunConfig<Config>, from: Origin, device: &Device) -> Result<AdaptiveNetwork> {
        let (Origin::Checkpoint(path, _) | Origin::Release(path)) = from;
        let mut network = AdaptiveNetwork::new(&run.config, run.seed, device)?;
        network.load(path)?;
        Ok(network)
    }

    fn open(&self, _: &Config, network: AdaptiveNetwork, bench: &Bench, order: &Order) -> Result<AdaptiveModel> {
        AdaptiveModel::open(network, bench, &[Split::Test], order)
    }

    fn analyse(&self, part: &str, subjects: &[Subject<Config>]) -> Result<()> {
        analysis::measure(part, subjects)
    }
}

/// What differs from the paper, and why.
pub const DEVIATIONS: [&str; 1] = ["Backbone"];

#[cfg(test)]
mod tests;
