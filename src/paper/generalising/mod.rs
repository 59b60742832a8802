//! Generalising Fine-Grained Sketch-Based Image Retrieval (Pang, Li, Yang, Zhang, Hospedales, Xiang, Song; CVPR 2019):
//! a network describes the query by a visual trait that all categories share, and the retrieval network's weights are
//! made from it, so that it works on categories that it never saw.
//!
//! | part | what it holds |
//! |---|---|
//! | [`Generalising`] | the paper, as the rest of the crate sees it |
//! | [`Config`] | every setting and its place in the paper; the rows of its tables, by name |
//! | [`Encoder`], [`Decoder`] | the networks of sketches of 64 x 64 pixels |
//! | [`Descriptor`] | the dictionary of traits, Eq. 1 to 7, and what stands in its place in Table 1 |
//! | [`AdaptedNetwork`] | weights made from the query, Eq. 8 to 10 |
//! | [`AdaptedModel`] | retrieval with them |
//! | [`PhotoRegressor`], [`DomainNetwork`] | competitors of Table 1: CVAE-Regress and CrossGrad |
//! | [`table`] | what the tables show |
//! | [`mod@analysis`] | what is measured beside accuracy |
//! | [`mod@figure`] | its figures |
//!
//! # Deviations
//!
//! [`DEVIATIONS`] lists what differs from the paper and why.

mod adapt;
pub mod analysis;
mod coder;
mod config;
mod cross;
mod cvae;
mod descriptor;
pub mod figure;
mod fit;
mod model;
mod printed;
mod retrieve;
mod study;
pub mod table;

pub use adapt::{AdaptedNetwork, EtaConfig, Generator, WeightDistribution};
pub use coder::{Decoder, Encoder};
pub use config::{Assignment, Borrowed, Config, DescriptorConfig, Divergence, Drawn, Training, TraitSource};
pub use cross::{CrossConfig, DomainNetwork, perturb};
pub use cvae::{PhotoRegressor, RegressConfig};
pub use descriptor::{Descriptor, DescriptorLoss};
pub use model::AdaptedModel;
pub use printed::PRINTED;

use crate::Result;
use crate::dataset::Split;
use crate::experiment::{
    Analysis, Bench, Fitted, Method, Needs, Order, Origin, Paper, Subject, Trial, describe_backbone,
};
use crate::report::printed::Printed;
use crate::report::table::{DatasetSpec, TableSpec};
use crate::run::RunConfig;
use crate::train::Log;
use candle_core::Device;
use std::path::{Path, PathBuf};

/// The paper's folder in `results/` and `data/papers/`.
pub const SLUG: &str = "generalising";

/// The paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generalising;

impl Paper for Generalising {
    fn printed(&self) -> Printed {
        PRINTED
    }

    fn citation(&self) -> &'static str {
        "Generalising Fine-Grained Sketch-Based Image Retrieval (K. Pang, K. Li, Y. Yang, H. Zhang, T. M. Hospedales, \
         T. Xiang, Y.-Z. Song; CVPR 2019)"
    }

    fn deviations(&self) -> &'static [&'static str] {
        &DEVIATIONS
    }

    fn corpora(&self) -> Vec<DatasetSpec> {
        table::corpora()
    }

    fn tables(&self) -> Vec<TableSpec> {
        table::tables().into()
    }

    fn figures(&self, results: &Path) -> Result<Vec<(String, String)>> {
        figure::draw(results)
    }

    fn more_tables(&self, results: &Path) -> Result<Vec<PathBuf>> {
        Ok(analysis::summary::write(results, &table::categories())?.into())
    }

    fn analyses(&self) -> Vec<Analysis> {
        analysis::list()
    }

    fn compared(&self) -> Vec<(&'static str, &'static str)> {
        vec![("hard-transfer", "Hard-Transfer"), ("ours-full", "Ours-Full")]
    }
}

impl Method for Generalising {
    type Config = Config;
    type Network = AdaptedNetwork;
    type Model = AdaptedModel;

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
        if let TraitSource::Dictionary(traits)
        | TraitSource::Vae(traits)
        | TraitSource::VaeKmeans(traits)
        | TraitSource::Classifier(traits) = &mut config.traits
        {
            traits.epochs = traits.epochs.min(epochs);
        }
    }

    fn describe(&self, config: &Config) -> [String; 2] {
        describe_backbone(config.architecture, &config.weights)
    }

    fn fit(&self, trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<AdaptedModel>> {
        fit::fit(trial, log)
    }

    fn load(&self, run: &RunConfig<Config>, from: Origin, device: &Device) -> Result<AdaptedNetwork> {
        let (Origin::Checkpoint(path, _) | Origin::Release(path)) = from;
        let network = AdaptedNetwork::new(&run.config, adapt::classes(path, &run.config)?, run.seed, device)?;
        network.load(path)?;
        Ok(network)
    }

    fn open(&self, config: &Config, network: AdaptedNetwork, bench: &Bench, order: &Order) -> Result<AdaptedModel> {
        AdaptedModel::open(config, network, bench, &[Split::Test], order)
    }

    fn analyse(&self, part: &str, subjects: &[Subject<Config>]) -> Result<()> {
        analysis::measure(part, subjects)
    }
}

/// What differs from the paper, and why.
pub const DEVIATIONS: [&str; 19] = [
    "Backbone: EfficientNet-Lite0 at 128 px with ImageNet weights (real data) or a 1.2 M parameter residual net at \
     64 px (embedded corpora) instead of Inception-v3 at 299 px, which `+backbone=inception-v3` trains where its weights \
     are at hand.",
    "Corpora: Sketchy-mini, 25 sketches of about five photos of each of Sketchy's 125 classes among 25 photos a class, for \
     the whole of Sketchy; `synth-world`, 39 seen and 12 unseen categories that a program draws.",
    "Galleries hold the photos of the query's category; the paper does not say which photos its sketches are ranked \
     against, and its Upper-Bound, which is trained on half of them, tests on all images of one category.",
    "Selection: on seen categories that are set aside (5 of 39, 10 of 104); the paper names no validation.",
    "Features F have length 1 and batch norm keeps its pre-trained statistics, as in the rest of this kit; the paper \
     says neither.",
    "d of Eq. 9 is the squared distance: the paper does not say; in it psi costs two products for all photos.",
    "Negatives are all other photos of a batch, of one category as far as they can be, of which the mean is taken; the \
     paper samples triplets and does not say from where.",
    "Channels of the descriptor network, its kernels (3 x 3, and 6 x 6 for a stride of 1/2) and its batches of 128 are \
     chosen here; the paper prints none.",
    "The retrieval network is trained for 5 passes (Sketchy-mini) or 10 (`synth-world`), not 20: Sketchy-mini has 2,350 training \
     pairs; of the first passes of Hard-Transfer none after the first was better on validation categories, though other seeds chose \
     the second to the fifth.",
    "The descriptor network is trained for 20 passes (embedded) or 40 (real), not 200: with 100 (`synth-world`, seed 0) its \
     loss falls on, from 26.3 to 24.7, and all words are in use, but Ours-Full finds no more on validation categories (mean of \
     Acc@1, 5 and 10: 64.1 against 65.0). The weights of Eq. 7 grow over these from their first to their last printed values.",
    "L_con of Eq. 11 is the mean over the dimensions of eta, as in the program of StackGAN, from which the paper takes it; as \
     a sum (`+divergence=sum`) it leaves nothing of the word in the weights.",
    "Eq. 5 and 6 as printed, in nats; the maximum of Eq. 6 is then log K, not 1, as the text says.",
    "phi is the word of the largest share in retrieval also after soft assignment; the paper says that the generator's \
     input is a discrete set of vectors.",
    "Reptile: half of the seen categories to two tasks, of 50 steps each, not 500; the weights then go half of the way to \
     the mean of both. Upper-Bound: trained on half of the photos of the unseen categories alone, to the last epoch.",
    "CVAE-Regress: layers and weights of its authors' program on narrower features, those of F with \
     length 1, without batch norm, dropout, and bounds of outputs; ten draws of z, of which the smallest distance counts. \
     The paper prints no setting.",
    "CrossGrad: photo ids enter as owners in the triplet loss, since the 100 classes that the paper names would join \
     unrelated photos of all categories; perturbations have one size, 1/255, in place of a multiple of the gradient; the \
     retrieval network does not see the other's features, as it does in CrossGrad's own paper.",
    "Table 2: on QMUL-Shoe-V1, whose attributes are published, and on `synth-shoe` by its generator's; the paper forms its \
     kinds of QMUL-Shoe-V2 and does not say how. Sandals: all others to those on a wedge, as there are few flat ones. A \
     tuned dictionary keeps the words that no sketch of the seen kind has.",
    "Words of a category: beside its count stands that of as many sketches of any category, since ours has fewer sketches \
     than the paper's; Fig. 4's pairs are chosen by ranks (largest difference, highest lower one), where the paper shows three.",
    "Fig. 3: the dimension that contributes most is that of the largest product of psi of sketch and photo, without noise \
     on the weights and of features of constant length, chosen anew for every word; the overlap of maps and foreign words of \
     the seed are this kit's.",
];

#[cfg(test)]
mod tests;
