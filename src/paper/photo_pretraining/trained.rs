//! The network in front of a corpus: what is trained, and what ranks.

use super::{Config, Neighbours, PaperStep, Update};
use crate::dataset::{Album, Split};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Fitted, Kept, Model, Order, Queries, Space, Trial, View};
use crate::file::{hash_file, hex};
use crate::loss::Topology;
use crate::model::{Network, l2_normalise};
use crate::report::score::EARLY;
use crate::run::{Places, RunConfig};
use crate::train::{self, FeaturePlan, Features, Feed, Fit, Log, Outcome, Pixels, Step, TopologyPlan};
use crate::{Result, device};
use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A network with the pictures of a corpus.
pub struct Trained {
    config: Config,
    pub(super) network: Network,
    album: Album,
    /// Kept ones, where the backbone is frozen.
    features: Option<Features>,
    device: Device,
}

/// Where the network's input comes from.
pub(super) enum Input<'a> {
    Pixels(Pixels<'a>),
    Features(&'a Features),
}

impl Input<'_> {
    pub(super) fn feed(&self) -> &dyn Feed {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Features(features) => *features,
        }
    }
}

impl Trained {
    /// The network with its pre-trained weights, and the pictures of all splits.
    ///
    /// # Errors
    /// Weights or pictures that are not there; a watch that stops.
    pub fn start(run: &RunConfig<Config>, bench: &Bench, order: &Order) -> Result<Self> {
        let network = Network::new(run.config.network(), run.seed, order.device)?;
        network.load_backbone(&start_of(&run.config, order.places)?)?;
        Self::open(&run.config, network, bench, &Split::ALL, order)
    }

    /// A network with the pictures of some splits.
    ///
    /// # Errors
    /// Pictures that are not there; a watch that stops.
    pub fn open(config: &Config, network: Network, bench: &Bench, splits: &[Split], order: &Order) -> Result<Self> {
        let album = bench.album(config.prepare, splits, order.watch)?;
        Ok(Self { config: config.clone(), network, album, features: None, device: order.device.clone() })
    }

    /// Trains, or goes on where the trial's folder holds a state.
    ///
    /// # Errors
    /// A setting that cannot be trained with; a watch that stops.
    pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<Self>> {
        let mut trained = Self::start(trial.run, trial.bench, trial.order)?;
        if let Some(versions) = trial.run.config.frozen {
            trained.features = Some(trained.keep_features(trial, versions)?);
        }
        if trial.run.config.update == Update::ZeroShot {
            return trained.end(None);
        }
        let input = trained.input();
        let outcome = trained.train(trial, &input, &mut trained.step(trial, &input)?, log, &|| Ok(()))?;
        drop(input);
        trained.end(Some(outcome))
    }

    /// Rounded as it will be kept, so that what is ranked is what is shipped.
    pub(super) fn end(self, outcome: Option<Outcome>) -> Result<Fitted<Self>> {
        self.network.round()?;
        let select_on = outcome.map_or("none".to_string(), |_| self.config.fit.select_on.to_string());
        Ok(Fitted { model: self, outcome, select_on })
    }

    pub(super) fn input(&self) -> Input<'_> {
        self.features.as_ref().map_or_else(|| Input::Pixels(self.pixels()), Input::Features)
    }

    /// Pixels as the network expects them.
    pub(super) fn pixels(&self) -> Pixels<'_> {
        self.config.pixels(&self.album, &self.device)
    }

    /// Pooled features of photos, rows of length 1.
    ///
    /// # Errors
    /// A position outside the pictures that are there.
    pub(super) fn pooled(&self, photos: &[usize]) -> Result<Tensor> {
        Ok(l2_normalise(&self.network.features(&self.pixels().photos(photos)?)?)?.detach())
    }

    /// Names what a pre-trained network sees, and the network, by its file of weights.
    fn key(&self, trial: &Trial<Config>, weights: &Path) -> Result<String> {
        let Trial { run, bench, .. } = trial;
        let (config, data) = (&run.config, bench.source().version());
        let prepare = serde_json::to_string(&config.prepare)?;
        Ok(format!("{} {data} {} {} {prepare}", run.dataset, config.architecture, hash_file(weights)?))
    }

    fn keep_features(&self, trial: &Trial<Config>, versions: u32) -> Result<Features> {
        let index = trial.bench.index();
        let partial = if self.album.is_vector() {
            (index.sketches_of(Split::Test), EARLY.to_vec())
        } else {
            (Vec::new(), Vec::new())
        };
        let key = self.key(trial, &start_of(&self.config, trial.order.places)?)?;
        let plan = FeaturePlan {
            pixels: &self.pixels(),
            backbone: &|x| self.network.features(x),
            counts: [index.photos.len(), index.sketches.len()],
            versions,
            partial,
            key: format!("{key} {}", device::name(&self.device)),
        };
        Features::open(&plan, &trial.order.places.cache, trial.order.watch)
    }

    /// The topology of the training photos under the network as it was pre-trained, or under another one (Table 4); every
    /// seed has the same.
    fn neighbours(&self, trial: &Trial<Config>, input: &Input) -> Result<Neighbours> {
        let photos = trial.bench.index().photos_of(Split::Train);
        let weights = self.config.needs().find(trial.order.places)?;
        let source = weights.last().cloned().unwrap_or_default();
        let other = if weights.len() > 1 { Some(self.with_weights(&source, trial)?) } else { None };
        let pixels = self.pixels();
        let (network, feed): (_, &dyn Feed) = match &other {
            Some(other) => (other, &pixels), // what is kept of a frozen backbone is not this one's
            None => (&self.network, input.feed()),
        };
        let build = || Topology::new(&train::unit_features(&|x| network.features(x), feed, &photos)?);
        // Kept features and fresh ones, and those of other devices, may differ in their last bits.
        let features = if self.config.frozen.is_some() && other.is_none() { "kept" } else { "fresh" };
        let rows = hex(&Sha256::digest(format!("{photos:?}"))[..8]);
        let key = format!("{} {features} {} {rows}", self.key(trial, &source)?, device::name(&self.device));
        let folder = &trial.order.places.cache;
        let topology = TopologyPlan { key, folder, photos: photos.len(), build: &build }.open()?;
        Ok(Neighbours { topology, rows: photos.into_iter().enumerate().map(|(row, photo)| (photo, row)).collect() })
    }

    /// The same network, untrained, with other pre-trained weights.
    fn with_weights(&self, weights: &Path, trial: &Trial<Config>) -> Result<Network> {
        let network = Network::new(self.config.network(), trial.run.seed, &self.device)?;
        network.load_backbone(weights)?;
        Ok(network)
    }

    /// The update, at its start; the network still holds the pre-trained weights here, also where a training goes on.
    pub(super) fn step<'a>(&'a self, trial: &Trial<Config>, input: &'a Input) -> Result<PaperStep<'a>> {
        let needed = self.config.update.needs_neighbours();
        let neighbours = needed.then(|| self.neighbours(trial, input)).transpose()?;
        PaperStep::new(&self.config, &self.network, input.feed(), neighbours)
    }

    /// Trains; `after_epoch` is told when an epoch's validation begins.
    pub(super) fn train(
        &self,
        trial: &Trial<Config>,
        input: &Input,
        step: &mut dyn Step,
        log: &mut Log,
        after_epoch: &dyn Fn() -> Result<()>,
    ) -> Result<Outcome> {
        let Trial { run, bench, folder, order } = *trial;
        let valid = Queries::of(bench.index(), Split::Valid);
        let score = || {
            after_epoch()?;
            valid.scores(&evaluate(&Seen { trained: self, input: input.feed() }, &valid)?)
        };
        let fit = Fit {
            config: run.config.fit,
            seed: run.seed,
            parameters: self.network.parameters(),
            pairs: bench.pairs(Split::Train),
            score: &score,
            folder,
            hash: run.hash()?,
            watch: order.watch,
        };
        train::fit(&fit, step, log)
    }
}

impl Config {
    /// Pixels of an album as the network expects them.
    pub fn pixels<'a>(&self, album: &'a Album, device: &Device) -> Pixels<'a> {
        let normalisation = self.architecture.normalisation();
        Pixels { augment: self.augment, ..Pixels::plain(album, normalisation, device) }
    }
}

/// The weights that a run starts from.
pub(super) fn start_of(config: &Config, places: &Places) -> Result<PathBuf> {
    places.pretrained(&format!("{}-{}", config.architecture, config.weights))
}

/// A network by a feed.
struct Seen<'a> {
    trained: &'a Trained,
    input: &'a dyn Feed,
}

impl Space for Seen<'_> {
    fn photos(&self, photos: &[usize]) -> Result<Tensor> {
        self.trained.network.embed_in_evaluation(&self.input.photos(photos)?)
    }

    fn sketches(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        self.trained.network.embed_in_evaluation(&view.of(self.input, sketches)?)
    }
}

impl Space for Trained {
    fn photos(&self, photos: &[usize]) -> Result<Tensor> {
        Seen { trained: self, input: self.input().feed() }.photos(photos)
    }

    fn sketches(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        Seen { trained: self, input: self.input().feed() }.sketches(sketches, view)
    }
}

impl Model for Trained {
    fn network(&self) -> &dyn Kept {
        &self.network
    }

    fn is_vector(&self) -> bool {
        self.album.is_vector()
    }

    fn distance(&self) -> &'static str {
        "how far its features are from those of the sketch"
    }

    fn space(&self) -> Option<&dyn Space> {
        Some(self)
    }
}
