//! Partially Does It: Towards Scene-Level FG-SBIR with Partial Input (Chowdhury, Bhunia, Gajjala, Sain, Xiang, Song;
//! CVPR 2022): a sketch leaves things out, so its regions are matched with those of a photo by optimal transport, and not
//! their averages.
//!
//! | part | what it holds |
//! |---|---|
//! | [`Partially`] | the paper, as the rest of the crate sees it |
//! | [`Config`] | every setting and its place in the paper; the rows of its tables, by name |
//! | [`regions`], [`cosines`] | regions of a feature map and how much alike they are |
//! | [`Matching`] | the distances of two sets of regions, Eq. 4 to 10 and those they are compared with |
//! | [`Adjacency`] | how regions lie to each other, Eq. 12 and 13 |
//! | [`RegionNetwork`] | a backbone with what each row puts on its map |
//! | [`RegionModel`] | retrieval with it |
//! | [`box_distance`] | the oracle, which reads annotations |
//! | [`table`] | what the tables show |
//! | [`mod@analysis`] | what is measured beside accuracy |
//! | [`mod@figure`] | its figures |
//!
//! # Deviations
//!
//! [`DEVIATIONS`] lists what differs from the paper and why.

mod adjacency;
pub mod analysis;
mod boxes;
mod config;
pub mod figure;
mod fit;
mod graph;
mod matching;
mod model;
mod network;
mod policy;
mod printed;
mod region;
pub mod table;

pub use adjacency::Adjacency;
pub use boxes::box_distance;
pub use config::{AdjacencyLoss, Config};
pub use matching::{Masses, Matching, TransportMatching};
pub use model::RegionModel;
pub use network::{Encoded, RegionNetwork, Top};
pub use policy::PolicyConfig;
pub use printed::PRINTED;
pub use region::{cosines, mean_region, regions};

use crate::Result;
use crate::dataset::{SceneMask, Split};
use crate::experiment::{
    Analysis, Bench, Fitted, Masking, Method, Needs, Order, Origin, Paper, Subject, Trial, describe_backbone,
};
use crate::report::printed::Printed;
use crate::report::table::{DatasetSpec, TableSpec};
use crate::run::RunConfig;
use crate::train::Log;
use candle_core::Device;
use std::path::{Path, PathBuf};

/// The paper's folder in `results/` and `data/papers/`.
pub const SLUG: &str = "partially";

/// Shares that are left out (Tables 1 to 3 and Fig. 1b), and the draws of each (Sec. 5).
const SHARES: &[u32] = &[30, 50, 70];
const DRAWS: u32 = 10;

/// The paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partially;

impl Paper for Partially {
    fn printed(&self) -> Printed {
        PRINTED
    }

    fn citation(&self) -> &'static str {
        "Partially Does It: Towards Scene-Level FG-SBIR with Partial Input (P. N. Chowdhury, A. K. Bhunia, V. R. Gajjala, \
         A. Sain, T. Xiang, Y.-Z. Song; CVPR 2022)"
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

    /// Objects of scenes, strokes of single objects.
    fn masking(&self, dataset: &str, row: &str) -> Option<Masking> {
        if row == "oracle" {
            return None; // what stays of an annotation is no question
        }
        let of = if is_scene(dataset) { SceneMask::Instances } else { SceneMask::Strokes };
        Some(Masking { of, percents: SHARES, versions: DRAWS })
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

    fn compared(&self) -> Vec<(&'static str, &'static str)> {
        vec![("global", "Global average"), ("proposed", "Proposed")]
    }
}

/// Whether sketches of a corpus show several objects.
fn is_scene(dataset: &str) -> bool {
    ["scene", "coco", "friss"].iter().any(|part| dataset.contains(part))
}

impl Method for Partially {
    type Config = Config;
    type Network = RegionNetwork;
    type Model = RegionModel;

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
        if let Top::Policy { training, .. } = &mut config.top {
            training.passes = training.passes.min(epochs);
        }
    }

    fn describe(&self, config: &Config) -> [String; 2] {
        describe_backbone(config.architecture, config.weights.as_deref().unwrap_or("none"))
    }

    fn fit(&self, trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<RegionModel>> {
        fit::fit(trial, log)
    }

    fn load(&self, run: &RunConfig<Config>, from: Origin, device: &Device) -> Result<RegionNetwork> {
        let (Origin::Checkpoint(path, _) | Origin::Release(path)) = from;
        let network = RegionNetwork::new(&run.config, run.seed, device)?;
        network.load(path)?;
        Ok(network)
    }

    fn open(&self, config: &Config, network: RegionNetwork, bench: &Bench, order: &Order) -> Result<RegionModel> {
        RegionModel::open(config, network, bench, &[Split::Test], order)
    }

    fn analyse(&self, part: &str, subjects: &[Subject<Config>]) -> Result<()> {
        analysis::measure(part, subjects)
    }
}

/// What differs from the paper, and why.
pub const DEVIATIONS: [&str; 14] = [
    "Backbone: EfficientNet-Lite0 at 128 px with ImageNet weights (real data) or a 1.2 M parameter residual net at 64 px \
     (embedded corpora) instead of Inception-v3 at 299 px, which `+backbone=inception-v3` trains where its weights are at \
     hand. Both maps have 4 x 4 places: 16 regions.",
    "Corpora: `synth-scene`, 1,000 and 200 drawn scenes, for SketchyScene, whose list of pairs is not published; the paper's \
     210 test pairs of SketchyCOCO, but trained on 247 pairs of FS-COCO and the drawn scenes, as its 1,015 training pairs are \
     not published; QMUL-Chair-V2 for QMUL-Shoe-V2.",
    "Trained for 15 passes (real) or 20 (embedded; `synth-shoe` 10), not 200, and selected on training photos that are set \
     aside; the paper names no validation.",
    "Negatives are all other photos of a batch, of which the mean is taken; the paper does not say where they come from.",
    "Masses of both sides are scaled to a sum of 1. Eq. 10's sums are equal until the supplement cuts them at 0 and adds \
     0.001; a plan then needs equal ones, and a total that grows with the likeness of two pictures would make like pictures \
     farther apart. Eq. 4's factor 1 / (m n) is gone with it.",
    "The plan is the exact optimum of the linear programme, in training too, with its duals as gradient of the masses; the \
     paper trains through a quadratic programme with a ridge, which `+solver=quadratic` is.",
    "L_G compares a sketch with its own photo alone; the paper does not say whether other photos enter.",
    "Local-Align is each region of the sketch with the photo's nearest, Local-MIL the nearest pair (supplement, B.1), \
     Local-Self-Attn one head of attention over a picture's own regions, and Local-MMD a mixture of five Gaussian kernels: \
     what is at hand of the paper names them without equations.",
    "The baseline is the cosine of the mean regions, which finds more on validation than the mean cost of all pairs \
     (`+average=costs`), as its Sec. 3 may be read; in Table 1 the row of that number is called after SketchyScene's own network.",
    "Triplet-SN and HOLEF: the five convolutions of Sketch-a-Net on pictures of 128 px in three channels, pooled by their \
     mean, from random weights; theirs is pre-trained on sketches and edge maps. HOLEF's penalty is on the squares of its \
     weights' distance from the identity.",
    "SceneSketcher: a graph of classes (word vectors) and boxes of annotated objects under two layers that weigh neighbours by their \
     distance, without the pictures of the objects that its authors' network sees; on `synth-scene`, whose classes have word vectors.",
    "On-the-fly: rewards are reciprocal ranks alone, over ten shares of a sketch's points and not twenty; the layer that is trained by \
     them is added to that of the first training, and its clipped objective, deviation and passes are chosen here.",
    "The oracle compares annotated boxes of one class by their overlap, from both sides; what it was measured with elsewhere is \
     not said, so that its numbers differ a little from 41.4 / 90.5.",
    "Masks leave out objects of the map, background pieces such as grass among them, or strokes; at least one of them stays. \
     Every run is shown the same ten draws.",
];

#[cfg(test)]
mod tests;
