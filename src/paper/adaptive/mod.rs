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
//! | [`mod@figure`] | its figures |
//!
//! # Deviations
//!
//! [`DEVIATIONS`] lists what differs from the paper and why.

pub mod analysis;
mod config;
mod expert;
pub mod figure;
mod fit;
mod gallery;
mod inner;
mod maml;
mod model;
mod network;
mod outer;
mod printed;
mod row;
mod school;
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

use crate::dataset::{Index, Split};
use crate::experiment::{
    Analysis, Bench, Fitted, Method, Needs, Order, Origin, Paper, Queries, Subject, Trial, describe_backbone,
};
use crate::report::printed::Printed;
use crate::report::table::{DatasetSpec, TableSpec};
use crate::run::RunConfig;
use crate::train::Log;
use crate::{Error, Result};
use candle_core::Device;
use std::path::{Path, PathBuf};

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
        let found = config
            .and_then(|config| Ok(task::queries(index, split, &task::ranked(index, split, &config)?, config.setting)));
        found.unwrap_or_else(|_| Queries::of(index, split))
    }

    fn figures(&self, results: &Path) -> Result<Vec<(String, String)>> {
        figure::draw(results)
    }

    fn more_tables(&self, results: &Path) -> Result<Vec<PathBuf>> {
        analysis::summary::write(results)
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

    fn adapt(&self, config: &Config, network: AdaptiveNetwork, bench: &Bench, order: &Order) -> Result<AdaptiveModel> {
        if config.inner.reach == Reach::Nothing {
            return Err(Error::value(
                "a model to adapt",
                "one of a row that adapts, such as ours",
                "one that does not",
            ));
        }
        let (tasks, mut network) = (task::own_classes(bench.index())?, network);
        let shots = tasks.iter().map(|task| task.support.len()).max().unwrap_or(1);
        network.set_config(&Config { episode: EpisodeConfig { shots, ..config.episode }, ..config.clone() });
        AdaptiveModel::with_tasks(network, bench, tasks, order)
    }

    fn analyse(&self, part: &str, subjects: &[Subject<Config>]) -> Result<()> {
        analysis::measure(part, subjects)
    }
}

/// What differs from the paper, and why. Its text is not at hand: the supplement is, with the poster's tables, equations and
/// plots; the authors' program holds the baseline, and of the meta-learning nothing.
pub const DEVIATIONS: [&str; 19] = [
    "Backbone: EfficientNet-Lite0 at 128 px with ImageNet weights (real data) or a 1.2 M parameter residual net at 64 px (embedded \
     corpora) instead of VGG-16 at 299 px, which `+backbone=vgg16` trains at 224 px where its weights are at hand. Batch norm \
     keeps its pre-trained statistics.",
    "Corpora: Sketchy-mini, 25 sketches of about five photos of each of Sketchy's 125 classes among 25 photos a class, for the \
     whole of Sketchy; `synth-world`, 39 seen and 12 unseen classes that a program draws; `synth-shoe`, 30 people of whom a \
     program draws each in one style, for QMUL-Shoe-V2, whose people are not published.",
    "Support and queries of an unseen class: the sketches of half of its photos, and those of the others; the authors' program \
     takes its training and test part, which are not published. All photos of the class are in the gallery, those of the \
     support too, as there. On Sketchy-mini some classes have fewer than ten sketches in the support: k is then what is there, \
     and k pairs are of two or three photos.",
    "People: 10 of 30 are unseen. One adapts to sketches that he or she made of training photos, whose other sketches the network \
     knows. The epoch is chosen on seen people's sketches of photos that are set aside.",
    "The support is drawn anew for every seed (the ranks of a run are of one draw); ten draws of each class are an analysis, with \
     the ranks of all of them.",
    "Negatives of the support are all other photos of the gallery, and the inner loss is their mean: with k = 1 there is no other \
     photo in the support. A user has a gallery, too, and its photos need no labels.",
    "The inner hinge is soft, t log(1 + exp(x / t)) with t = 0.05: through the printed one the exact gradient of the margin is zero \
     but for jumps, as it only decides which triplets count, so that it cannot be learned. `+hinge=hard` is the printed one.",
    "mu of a task comes from its support, by a sigmoid of a linear layer on the mean features of the pairs: the supplement says \
     that it is decided for a specific category during inference, and the poster plots one value a class; how is not said. One \
     learned number for all is `+margin=learned`. Both begin at 0.2.",
    "The outer L_T has the margin 0.2 of the baseline's program: one that is learned there would go to 0.",
    "Rates of the inner loop are not printed: 0.5 for M, 0.01 for F and M, 0.0001 by signs; one step of k pairs also where others \
     take more. Fine-tuning takes five steps on F and M.",
    "Weights of L_D, L_C, L_S and L_ud are not printed: 0.1, since the baseline's program weighs triplets ten times as much as \
     classes. They were not tuned.",
    "L_D as printed is what D makes large and F small: D learns by the negative, and F gets that gradient with the other sign, as \
     in domain-adversarial training. D is linear, on features of length 1; on features of any length F grew without bound.",
    "L_ud is read as a triplet of sketches: one of the same person nearer than one of another, by features of length 1, with the \
     margin 0.2; the poster gives the formula and not what b' stands for.",
    "L_S: word vectors of GloVe, 100 numbers; the paper takes those of Doodle2Search.",
    "Spatial attention is a convolution of 1 x 1 with a softmax over places, whose product with the map is added to it; the text at \
     hand says only that there is some. `+attention=sigmoid` and `+attention=none` are the others.",
    "A task in training has 5 sketches of support, 11 to rank and 16 photos (5 and 8 on Sketchy-mini), two tasks to a step; an \
     epoch ranks about as many sketches as there are, 10 epochs of `synth-world` and 5 of Sketchy-mini, not 200. The epoch is \
     chosen on validation classes; the authors' program takes the best iteration on the test part.",
    "MAML's outer gradient goes through the steps by products with the Hessian, each a difference of two gradients; Sign-MAML's \
     needs none.",
    "Distill is not explained in what is at hand: a first network, trained as the baseline, teaches a second one its distances. \
     Upper bound: the seen classes and the supports of all unseen ones. One model a class: 40 passes over its support.",
    "Table 8 adapts to training pairs of the other corpus; handbags and QMUL-Shoe-V2's sketches are not at hand. Fig. 6 is drawn \
     on `synth-world-seen`: networks that train on more and more classes, all ranked on the same ten.",
];

#[cfg(test)]
mod tests;
