//! More Photos are All You Need: Semi-Supervised Learning for Fine-Grained Sketch Based Image Retrieval (Bhunia, Chowdhury,
//! Sain, Yang, Xiang, Song; CVPR 2021): photos without sketches get sketches from a generator; retrieval and generator train
//! each other.
//!
//! | part | what it holds |
//! |---|---|
//! | [`MorePhotos`] | the paper, as the rest of the crate sees it |
//! | [`Config`] | every setting and its place in the paper; the rows of its tables, by name |
//! | [`SpatialNetwork`] | F, the retrieval network (Sec. 3.2) |
//! | [`Generator`] | G, the generator of strokes (Sec. 3.1) |
//! | [`PixelGenerator`] | Pix2Pix and `PhotoSketch` |
//! | [`Critic`] | D, the discriminator, whose certainty weighs pairs (Eq. 5) |
//! | [`stroke`] | sketches as rows of offsets and pen states |
//! | [`PhotoModel`] | a trained row with the pictures of a corpus |
//! | [`table`] | what the tables show |
//! | [`mod@analysis`] | what is measured beside accuracy |
//! | [`mod@figure`] | its figures |
//!
//! # Deviations
//!
//! [`DEVIATIONS`] lists what differs from the paper and why.

pub mod analysis;
mod config;
mod critic;
mod draw;
mod drawer;
pub mod figure;
mod fit;
mod generator;
mod material;
mod model;
mod network;
mod pixel;
mod printed;
mod rehearsal;
mod retrieve;
mod reward;
mod row;
mod semi;
pub mod stroke;
pub mod table;
mod two_way;

pub use config::{
    Config, Drawn, GeneratorConfig, Ranked, RetrievalConfig, Reward, SemiConfig, Sight, Teacher, Unlabelled, Weighing,
};
pub use critic::Critic;
pub use drawer::{Drawer, PixelGenerator};
pub use generator::{Generator, Seen, Trace};
pub use model::{PhotoModel, PhotoNetwork};
pub use network::SpatialNetwork;
pub use printed::PRINTED;

use crate::Result;
use crate::dataset::Split;
use crate::experiment::{
    Analysis, Bench, Fitted, Method, Needs, Order, Origin, Paper, Subject, Trial, describe_backbone,
};
use crate::report::printed::Printed;
use crate::report::table::{DatasetSpec, TableSpec};
use crate::run::RunConfig;
use crate::sketch::Sketch;
use crate::train::Log;
use candle_core::Device;
use image::RgbImage;
use std::path::{Path, PathBuf};

/// The paper's folder in `results/` and `data/papers/`.
pub const SLUG: &str = "more_photos";

/// The paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MorePhotos;

impl Paper for MorePhotos {
    fn printed(&self) -> Printed {
        PRINTED
    }

    fn citation(&self) -> &'static str {
        "More Photos are All You Need: Semi-Supervised Learning for Fine-Grained Sketch Based Image Retrieval \
         (A. K. Bhunia, P. N. Chowdhury, A. Sain, Y. Yang, T. Xiang, Y.-Z. Song; CVPR 2021)"
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
        vec![("ours-f", "Ours-F"), ("ours-f-full", "Ours-F-Full")]
    }

    fn artist(&self) -> Option<(&'static str, &'static str)> {
        Some(("ours-g", "synth-chair"))
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

impl Method for MorePhotos {
    type Config = Config;
    type Network = PhotoNetwork;
    type Model = PhotoModel;

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
        let shorten = |own: &mut usize| *own = (*own).min(epochs);
        shorten(&mut config.retrieval.fit.epochs);
        config.generator.iter_mut().for_each(|generator| {
            if epochs < generator.fit.epochs {
                generator.rehearsal = 0; // a pass over all drawings takes longer than the rest of a quick run
            }
            shorten(&mut generator.fit.epochs);
        });
        config.semi.iter_mut().for_each(|semi| shorten(&mut semi.fit.epochs));
    }

    fn describe(&self, config: &Config) -> [String; 2] {
        describe_backbone(config.retrieval.architecture, &config.retrieval.weights)
    }

    fn fit(&self, trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<PhotoModel>> {
        fit::fit(trial, log)
    }

    fn load(&self, run: &RunConfig<Config>, from: Origin, device: &Device) -> Result<PhotoNetwork> {
        let (Origin::Checkpoint(path, _) | Origin::Release(path)) = from;
        let network = PhotoNetwork::new(&run.config, run.seed, device)?;
        network.load(path)?;
        Ok(network)
    }

    fn open(&self, _: &Config, network: PhotoNetwork, bench: &Bench, order: &Order) -> Result<PhotoModel> {
        PhotoModel::open(network, bench, &[Split::Test], order)
    }

    fn sketch(&self, network: &PhotoNetwork, photos: &[RgbImage]) -> Result<Vec<Sketch>> {
        network.sketch(photos)
    }

    fn analyse(&self, part: &str, subjects: &[Subject<Config>]) -> Result<()> {
        analysis::measure(part, subjects)
    }
}

/// What differs from the paper, and why.
pub const DEVIATIONS: [&str; 17] = [
    "Backbones: EfficientNet-Lite0 at 128 px with ImageNet weights (real data) or a 1.2 M parameter residual net at 64 px (embedded \
     corpora) instead of Inception-v3 for retrieval and VGG-16 for the generator at 256 px. Both maps have 4 x 4 places, the paper's \
     8 x 8. Batch norm keeps its pre-trained statistics.",
    "Unlabelled photos: 1,500 further photos of `synth-chair` and 9,000 of `synth-shoe`; 577 photos of chairs for the paper's 7,800, \
     which were not published; 2,000 of Shoe-V2 and 3,000 other shoes for UT-Zap50K. Copies of test photos are left out.",
    "Points have length 1 before distances are taken, so that the margin means the same for both backbones.",
    "Retrieval is trained for 15 passes (real) or 20 (embedded; `synth-shoe` 10), generators for 60 (`synth-shoe` 12), generated pairs \
     are added for 10 (3); the paper does not say how long. The epoch is chosen on photos that are set aside; a generator keeps its \
     last one.",
    "The recurrent state has 256 numbers and a key 128, half of the paper's, which `+width=512` trains; Adam's rate is 1e-3 and not \
     1e-4 for a generator, whose training is shorter.",
    "At every step the generator is told where its pen is, the sum of all offsets, and not only the last row: from 951 sketches it \
     does not learn to keep count (`+pen=row`, the paper's input: 2.18 nats a row on the validation part of `synth-chair`, and 2.07).",
    "The paper names a pre-training of another paper: there 200,000 steps on QuickDraw's shoes, each shown its own picture. Here one \
     pass over QuickDraw's 345 classes (about 9,500 drawings), or over the sketches of `synth-world`.",
    "Offsets are divided by their deviation over training sketches; the authors' program takes test sketches too. The first offset is \
     from the middle of the canvas, and sketches are drawn where they come out: theirs stretches them to the canvas, which loses \
     their proportions.",
    "The end of a sketch is learned: the authors' program leaves out that term, and cuts a drawing at the length of the person's, \
     which an unlabelled photo does not have.",
    "Every sketch of a person is reduced to 100 points or fewer; the authors' program drops those of 81 or more.",
    "z is of the mean over the map, as the paper has it; the authors' program takes the maximum. The weight of the divergence rises \
     from 0.01 to 1 over the first half of a training, and the divergence is a mean over the numbers of z, as in sketch-rnn.",
    "Rewards: the mean reward of a batch is the baseline, which the paper does not name; log-likelihoods are divided by the number of \
     rows, as the supervised loss is. Sketches are drawn at temperature 1 for rewards and 0.4 for pairs and for tables. The generator \
     learns at a tenth of the rate of the retrieval network.",
    "Table 1: each person's test sketch has one generated sketch in its place, so that both are ranked as often. The classifier is \
     trained on Sketchy-mini's 125 classes, or on 39 classes of `synth-world` with chairs and shoes; the paper's on 250 of TU-Berlin. \
     Fréchet distances are of its pooled features.",
    "Pix2Pix: a U-Net and discriminator of half the width, without dropout, maps doubled by repetition. PhotoSketch takes the nearest \
     of a photo's sketches, as its own paper does; this one says a mean. Ours-F-Pix2Pix: gradients flow through its pixels.",
    "L2S: the two ways and both reconstructions share the decoder of strokes; photos are reconstructed at the size of the input.",
    "Jigsaw-Pretrain starts from a jigsaw of photos alone, not of photos and their edges mixed; Edgemap-Pretrain from the contrastive \
     loss of photos and their edge maps.",
    "The hard threshold of a pair's certainty is a half; the paper optimised it and does not print it.",
];

#[cfg(test)]
mod tests;
