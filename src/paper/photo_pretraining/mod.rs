//! Photo Pre-Training, But for Sketch (Li, Pang, Song; CVPR 2023): neighbouring photos of a pre-trained network stay
//! neighbours while the network learns to find photos by sketch.
//!
//! | part | what it holds |
//! |---|---|
//! | [`PhotoPretraining`] | the paper, as the rest of the crate sees it |
//! | [`Config`] | every setting and its place in the paper |
//! | [`Config::preset`] | the rows of its tables, by name |
//! | [`PaperStep`] | the updates: Eq. 1, 5, 8, 9 |
//! | [`table`] | what the tables show, and the paper's numbers they stand beside |
//! | [`mod@figure`] | its figures |
//! | [`mod@analysis`] | what is measured beside accuracy |
//!
//! # Deviations
//!
//! [`DEVIATIONS`] lists what differs from the paper and why; the paper's page, `results/photo_pretraining/README.md`, copies it.

pub mod analysis;
mod config;
pub mod figure;
mod fit;
mod gain;
mod printed;
mod recipe;
mod retrain;
mod row;
mod step;
pub mod table;

pub use config::{Config, Curvature, Neighbourhood, Query, Update};
pub use printed::PRINTED;
pub use step::{Neighbours, PaperStep};

use crate::Result;
use crate::dataset::Split;
use crate::experiment::{
    Analysis, Bench, EmbeddingModel, Fitted, Method, Needs, Order, Origin, Paper, Subject, Trial, describe_backbone,
};
use crate::model::{Allowance, Network, weights};
use crate::report::block::Block;
use crate::report::claim::Finding;
use crate::report::printed::Printed;
use crate::report::table::{DatasetSpec, TableSpec};
use crate::run::RunConfig;
use crate::train::Log;
use candle_core::Device;
use std::path::{Path, PathBuf};

/// The paper's folder in `results/` and `data/papers/`.
pub const SLUG: &str = "photo_pretraining";

/// The paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhotoPretraining;

impl Paper for PhotoPretraining {
    fn printed(&self) -> Printed {
        PRINTED
    }

    fn citation(&self) -> &'static str {
        "Photo Pre-Training, But for Sketch (K. Li, K. Pang, Y.-Z. Song; CVPR 2023)"
    }

    fn deviations(&self) -> &'static [&'static str] {
        &DEVIATIONS
    }

    fn corpora(&self) -> Vec<DatasetSpec> {
        table::measured()
    }

    fn tables(&self) -> Vec<TableSpec> {
        table::tables().into()
    }

    fn compared(&self) -> Vec<(&'static str, &'static str)> {
        figure::ROWS.into()
    }

    fn parts(&self) -> Vec<&'static str> {
        table::PARTS.into()
    }

    fn rows(&self, part: &str, dataset: &str) -> Vec<String> {
        table::rows(part, dataset)
    }

    fn figures(&self, results: &Path) -> Result<Vec<(String, String)>> {
        figure::draw(results)
    }

    fn more_tables(&self, results: &Path) -> Result<Vec<PathBuf>> {
        Ok(analysis::summary::write(results, &table::measured())?.into())
    }

    fn blocks(&self, findings: &[Finding]) -> Vec<Block> {
        vec![("survival".into(), gain::survival(findings)), ("gains".into(), gain::gains(findings))]
    }

    fn analyses(&self) -> Vec<Analysis> {
        analysis::list()
    }

    fn snippet(&self) -> &'static str {
        SNIPPET
    }
}

impl Method for PhotoPretraining {
    type Config = Config;
    type Network = Network;
    type Model = EmbeddingModel;

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
    }

    fn describe(&self, config: &Config) -> [String; 2] {
        describe_backbone(config.architecture, &config.weights)
    }

    fn fit(&self, trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<EmbeddingModel>> {
        fit::fit(trial, log)
    }

    fn load(&self, run: &RunConfig<Config>, from: Origin, device: &Device) -> Result<Network> {
        let network = Network::new(run.config.network(), run.seed, device)?;
        let (config, zero_shot) = (&run.config, run.config.update == Update::ZeroShot);
        match from {
            Origin::Release(path) => {
                weights::load(path, network.parameters(), &Allowance::default())?;
            }
            Origin::Checkpoint(path, places) => {
                if config.frozen.is_some() || zero_shot {
                    network.load_backbone(&fit::start_of(config, places)?)?;
                }
                if zero_shot {
                    network.round()?;
                } else {
                    network.load(path)?;
                }
            }
        }
        Ok(network)
    }

    fn open(&self, config: &Config, network: Network, bench: &Bench, order: &Order) -> Result<EmbeddingModel> {
        EmbeddingModel::open(network, config.pictures(), bench, &[Split::Test], order)
    }

    fn analyse(&self, part: &str, subjects: &[Subject<Config>]) -> Result<()> {
        analysis::measure(part, subjects)
    }
}

/// How a program loads a release; its card shows it.
#[cfg_attr(feature = "hub", doc = "```no_run")]
#[cfg_attr(not(feature = "hub"), doc = "```ignore")]
#[doc = include_str!("load.rs.txt")]
#[doc = "# Ok::<(), retrace::Error>(())"]
#[doc = "```"]
pub const SNIPPET: &str = include_str!("load.rs.txt");

/// What differs from the paper, and why.
pub const DEVIATIONS: [&str; 25] = [
    "Backbone: EfficientNet-Lite0 at 128 px with ImageNet weights (real data) or a 1.2 M parameter residual net at \
     64 px (embedded corpora) instead of ResNet-50, and of ViT-B/32 for CLIP.",
    "Chosen here, since the paper prints none of it and its supplement is not at hand: input size, schedule and \
     epochs; batches of 16 pairs (real data) or 32 (embedded corpora, frozen rows); shift, zoom and flip in \
     training; margin 0.3 of Eq. 1; features of length 1 in both losses and in R; weights of 1 and 1 for Eq. 5 in \
     Table 1.",
    "Batch norm keeps the means and variances of the pre-training in every run; the paper does not say.",
    "Eq. 1: a batch has one sketch of a photo, where the paper prints a maximum over its sketches; negatives are all \
     other photos of the batch, of which the mean is taken, where it names one p_k.",
    "Eq. 4: the random sketch of a photo is always the one that Eq. 1 has in the same batch.",
    "Eq. 9: equal rates of the two steps, each with an Adam of its own; the paper prints plain descent and of the \
     rates only their product, 1e-6 to 1e-8 (here 1e-8 on real data, 2.5e-7 on the embedded corpora).",
    "Eq. 8 (`meta-full`): the second-order term is scaled by eta_s as printed, also where the step itself is Adam's; \
     its sign can be the printed one or the chain rule's, which differ; its difference is taken 0.01 to either side, \
     along the gradient's direction, where the paper prints a small multiple of the gradient.",
    "`Nearest` in Table 3: the nearest other photo of the batch against a random third one; the paper speaks of a \
     fixed set of nearest photos.",
    "Frozen rows: no weight of the backbone is trained, only a linear layer on its pooled features; the paper has \
     none.",
    "Pre-training of the embedded corpora: supervised attributes of 12,000 other synthetic photos, in place of \
     ImageNet; jigsaw, Barlow Twins, CLIP and OBOW on the same photos, six passes each, in place of published \
     weights. CLIP's texts are sets of attribute words, which real photos lack: no CLIP rows there. Jigsaw is that of \
     photos, where Table 4 names the mixed-modal one of the paper's [51].",
    "Pre-training on real data: jigsaw, Barlow Twins and OBOW go on from ImageNet weights, for four passes over 1,800 \
     unlabelled photos of shoes (QMUL-Shoe-V2), for the chairs too, in place of published weights; all seeds of a row \
     start from the same weights. Batch norm's statistics are measured on whole photos at the end.",
    "Weights: Tables 1 and 3, Fig. 2, 4 and 5b and what is claimed of them are measured from supervised weights here, but \
     for the rows of Table 1 that say OBOW; the paper's default, and its Tables 1 and 3, are from OBOW's.",
    "Barlow Twins and OBOW differ from their authors': zoom and shift in place of crops; one pass of batch norm over \
     both views of Barlow Twins; 2 views and 1,024 words for OBOW.",
    "Fig. 2 and 3: weights of 0.1, 0.3, 1, 3 and 10; the axes of the printed figures are not legible in the text at \
     hand.",
    "Fig. 2b, c: held-out features across the border of a linear classifier of the two domains, and along the widest \
     direction beside it; the classifier is trained on every second test photo and its sketches, and its accuracy is of \
     the others; at weights of 1 and 10. The paper does not say how its picture is made.",
    "Fig. 4a: the loss is Eq. 1's over the first four training batches, not deformed; how flat it is, the mean of its rise \
     within a fifth of a filter's length over five pairs of directions. The paper shows the picture alone.",
    "Fig. 4b: gradients of Eq. 1 over 16 training batches after every epoch, for both rows; the paper does not say \
     of which loss and how many samples.",
    "Fig. 4c on synth-chair: the rate of the last 100 steps falls from 9% of the first one to 0, by the cosine \
     schedule; the paper prints no schedule.",
    "Fig. 5b: without the comparison with the paper's [8]. Sketches of Shoe-V1 are pixels: neither early retrieval \
     nor robustness can be measured there.",
    "Smoothness and error attribution: distances under the pre-trained network, which R comes from too, instead of \
     VGG-16, and for smoothness by histograms of gradients beside it; medians over the errors as thresholds, since the \
     paper names none; its human trials are not repeated.",
    "Robustness: the published setting of svg_disturber; the paper prints none. It can neither remove strokes nor \
     move the whole sketch, though the paper names global deformations.",
    "Selection: on a tenth of the training photos, which are not trained on; released code of the field selects on test \
     data.",
    "QMUL-Chair-V2: nearly the paper's test set. Of the 27 values that it prints 23 are multiples of 1/311 and one of \
     1/323: it used the web release (964 / 311), ours has 323 queries of the same 100 photos.",
    "The K triples of a query are drawn with replacement: of 16 pairs there are 210 triples to a query, so that K = 100 \
     repeats some. The paper does not say how it draws.",
    "Weights are rounded to 16 bits when a run ends, and ranks are those of the rounded weights, which are the ones \
     that are shipped.",
];

#[cfg(test)]
mod tests;
