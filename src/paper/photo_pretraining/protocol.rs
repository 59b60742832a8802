//! One run from configuration to record: data, weights, features, training, the single look at the test part.

use super::again::kept_at;
use super::bench::{Bench, Order, hash_weights, pixels, source_path, weights_path};
use super::{Config, Neighbours, PaperStep, SLUG, Update, analysis};
use crate::dataset::{Album, Split};
use crate::file::{hash_file, hex};
use crate::loss::Topology;
use crate::model::Network;
use crate::paper::floor::{self, Floor};
use crate::report::score::EARLY;
use crate::run::{Rank, RunConfig, RunFolder, Summary};
use crate::seed::Seed;
use crate::train::{self, FeaturePlan, Features, Feed, Fit, Log, Outcome, Pixels, Queries, Step, TopologyPlan};
use crate::{Result, device};
use candle_core::Tensor;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Ranks the test part by a row without learning and writes its record, unless the same ranks are recorded already.
///
/// # Errors
/// A picture that cannot be read; a folder that cannot be written.
pub fn run_floor(floor: Floor, dataset: &str, order: &Order) -> Result<Summary> {
    let started = Instant::now();
    let bench = Bench::open(dataset, 0, order.places)?;
    let (row, config) = (floor.row().to_string(), "no learning".to_string());
    let run = RunConfig { slug: SLUG.into(), dataset: dataset.into(), row, seed: Seed(0), config };
    let folder = run.folder(&order.places.results);
    folder.open(&run)?;
    let queries = Queries::of(bench.index(), Split::Test);
    let ranks = floor::rank(floor, bench.source(), &queries, order.watch)?;
    if folder.is_finished() && folder.ranks()? == ranks {
        return folder.summary();
    }
    Log::create(&folder.0.join("log.jsonl"), &bench.header(&run, None, order)?)?;
    record(&folder, &ranks, queries.gallery.len(), None, "none", started.elapsed().as_secs_f64())
}

/// Trains a run, or goes on with it, and writes its record; a finished run is returned as it is.
///
/// # Errors
/// Data or weights that are not there, or others than the run began with; a setting that cannot be; a watch that
/// stops; a folder that holds another configuration, or that another process trains in.
pub fn run(run: &RunConfig<Config>, order: &Order) -> Result<Summary> {
    run_on(run, &run.dataset, order)
}

/// As [`run()`], with the corpus in a folder of the user's own.
///
/// # Errors
/// As [`run()`].
pub fn run_on(run: &RunConfig<Config>, corpus: &str, order: &Order) -> Result<Summary> {
    run.config.check()?;
    let folder = run.folder(&order.places.results);
    let started = Instant::now();
    let bench = Bench::open(corpus, run.config.valid_photos, order.places)?;
    if run.config.update != Update::ZeroShot {
        bench.index().require(Split::Train)?;
        bench.index().require(Split::Valid)?;
    }
    let _lock = folder.lock()?;
    folder.open(run)?;
    let weights = hash_weights(&run.config, order.places);
    let log = |weights| Log::open(&folder.0.join("log.jsonl"), &bench.header(run, Some(weights), order)?);
    if folder.is_finished() {
        weights.ok().map(log).transpose()?; // weights that are there have to be the run's, but what is finished needs none
        folder.remove_state()?;
        return folder.summary();
    }
    let mut log = log(weights?)?;
    let (network, album) = start(run, &bench, order)?;
    let pixels = pixels(&album, &run.config, order.device);
    let trial = Trial { run, bench: &bench, network: &network, folder: &folder, order };
    let features = run.config.frozen.map(|versions| trial.features(&pixels, versions)).transpose()?;
    let feed: &dyn Feed = match &features {
        Some(features) => features,
        None => &pixels,
    };
    let outcome = match run.config.update {
        Update::ZeroShot => None,
        _ => Some(trial.fit(feed, &mut trial.step(feed, &pixels)?, &mut log, &|| Ok(()))?),
    };
    network.round()?;
    trial.finish(feed, &album, outcome, started)
}

/// The network with its pre-trained weights, and the pictures of all splits.
pub(super) fn start(run: &RunConfig<Config>, bench: &Bench, order: &Order) -> Result<(Network, Album)> {
    let network = Network::new(run.config.network(), run.seed, order.device)?;
    network.load_backbone(&weights_path(&run.config, order.places)?)?;
    Ok((network, bench.album(&run.config, &Split::ALL, order.watch)?))
}

/// A run under way.
pub(super) struct Trial<'a> {
    pub(super) run: &'a RunConfig<Config>,
    pub(super) bench: &'a Bench,
    pub(super) network: &'a Network,
    pub(super) folder: &'a RunFolder,
    pub(super) order: &'a Order<'a>,
}

impl<'a> Trial<'a> {
    /// Names what a pre-trained network sees, and the network, by its file of weights.
    fn key(&self, weights: &Path) -> Result<String> {
        let (config, data) = (&self.run.config, self.bench.source().version());
        let prepare = serde_json::to_string(&config.prepare)?;
        Ok(format!("{} {data} {} {} {prepare}", self.run.dataset, config.architecture, hash_file(weights)?))
    }

    fn features(&self, pixels: &Pixels, versions: u32) -> Result<Features> {
        let index = self.bench.index();
        let partial = match pixels.album.is_vector() {
            true => (index.sketches_of(Split::Test), EARLY.to_vec()),
            false => (Vec::new(), Vec::new()),
        };
        let plan = FeaturePlan {
            pixels,
            backbone: &|x| self.network.features(x),
            counts: [index.photos.len(), index.sketches.len()],
            versions,
            partial,
            key: format!(
                "{} {}",
                self.key(&weights_path(&self.run.config, self.order.places)?)?,
                device::name(self.order.device)
            ),
        };
        Features::open(&plan, &self.order.places.cache, self.order.watch)
    }

    /// The topology of the training photos under the network as it was pre-trained, or under another one (Table 4); every
    /// seed has the same.
    fn neighbours(&self, feed: &dyn Feed, pixels: &Pixels) -> Result<Neighbours> {
        let photos = self.bench.index().photos_of(Split::Train);
        let config = &self.run.config;
        let weights = source_path(config, self.order.places)?;
        let other = config.neighbourhood.source.as_ref().map(|_| -> Result<Network> {
            let other = Network::new(config.network(), self.run.seed, self.order.device)?;
            other.load_backbone(&weights)?;
            Ok(other)
        });
        let other = other.transpose()?;
        let (network, feed) = match &other {
            Some(other) => (other, pixels as &dyn Feed), // what is kept of a frozen backbone is not this one's
            None => (self.network, feed),
        };
        let build = || Topology::new(&train::unit_features(&|x| network.features(x), feed, &photos)?);
        // Kept features and fresh ones, and those of other devices, may differ in their last bits.
        let features = if config.frozen.is_some() && other.is_none() { "kept" } else { "fresh" };
        let rows = hex(&Sha256::digest(format!("{photos:?}"))[..8]);
        let key = format!("{} {features} {} {rows}", self.key(&weights)?, device::name(self.order.device));
        let folder = &self.order.places.cache;
        let topology = TopologyPlan { key, folder, photos: photos.len(), build: &build }.open()?;
        Ok(Neighbours { topology, rows: photos.into_iter().enumerate().map(|(row, photo)| (photo, row)).collect() })
    }

    /// The update, at its start; the network still holds the pre-trained weights here, also where a training goes on.
    pub(super) fn step(&self, feed: &'a dyn Feed, pixels: &Pixels) -> Result<PaperStep<'a>> {
        let needed = self.run.config.update.needs_neighbours();
        let neighbours = needed.then(|| self.neighbours(feed, pixels)).transpose()?;
        PaperStep::new(&self.run.config, self.network, feed, neighbours)
    }

    /// Trains; `after_epoch` is told when an epoch's validation begins.
    pub(super) fn fit(
        &self,
        feed: &dyn Feed,
        step: &mut dyn Step,
        log: &mut Log,
        after_epoch: &dyn Fn() -> Result<()>,
    ) -> Result<Outcome> {
        let valid = Queries::of(self.bench.index(), Split::Valid);
        let score = || {
            after_epoch()?;
            let ranks = train::evaluate(&|x| self.network.embed_in_evaluation(x), feed, &valid)?;
            train::scores(&ranks, valid.gallery.len())
        };
        let fit = Fit {
            config: self.run.config.fit,
            seed: self.run.seed,
            parameters: self.network.parameters(),
            pairs: self.bench.pairs(Split::Train),
            score: &score,
            folder: self.folder,
            hash: self.run.hash()?,
            watch: self.order.watch,
        };
        train::fit(&fit, step, log)
    }

    /// Ranks the test part, once, and writes the record.
    fn finish(&self, feed: &dyn Feed, album: &Album, outcome: Option<Outcome>, started: Instant) -> Result<Summary> {
        let (run, results) = (self.run, &self.order.places.results);
        let queries = Queries::of(self.bench.index(), Split::Test);
        let embed = |x: &Tensor| self.network.embed_in_evaluation(x);
        let ranks = train::evaluate(&embed, feed, &queries)?;
        if album.is_vector() {
            self.folder.write_early(&train::early(&embed, feed, &queries, &EARLY)?)?;
        }
        if outcome.is_some() && run.seed == Seed(0) {
            self.save(&checkpoint_path(results, &run.dataset, &run.row))?;
        }
        let select_on = outcome.map_or("none".to_string(), |_| run.config.fit.select_on.to_string());
        let seconds = outcome.map_or(started.elapsed().as_secs_f64(), |outcome| outcome.seconds);
        let epoch = outcome.map(|outcome| outcome.epoch);
        let summary = record(self.folder, &ranks, queries.gallery.len(), epoch, &select_on, seconds)?;
        if epoch.is_some() && run.seed != Seed(0) && analysis::needs_weights_of(&run.row) {
            self.save(&kept_at(run, self.order)?)?;
        }
        self.folder.remove_state()?;
        Ok(summary)
    }

    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let metadata = BTreeMap::from([
            ("config".to_string(), serde_json::to_string(self.run)?),
            ("config_hash".to_string(), self.run.hash()?),
            ("retrace".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ]);
        self.network.save(path, &metadata)
    }
}

/// Where the checkpoint of a row's first seed is shipped.
pub fn checkpoint_path(results: &Path, dataset: &str, row: &str) -> PathBuf {
    results.join("checkpoints").join(SLUG).join(dataset).join(format!("{row}.safetensors"))
}

/// Where the record of a row's first seed is.
pub fn first_seed(results: &Path, dataset: &str, row: &str) -> RunFolder {
    RunFolder::of(results, SLUG, dataset, row, Seed(0))
}

fn record(
    folder: &RunFolder,
    ranks: &[Rank],
    gallery: usize,
    selected_epoch: Option<usize>,
    select_on: &str,
    seconds: f64,
) -> Result<Summary> {
    folder.write_ranks(ranks)?;
    let scores = train::scores(ranks, gallery)?;
    let summary = Summary {
        acc1: scores.acc1,
        acc5: scores.acc5,
        acc10: scores.acc10,
        queries: ranks.len(),
        gallery,
        selected_epoch,
        select_on: select_on.to_string(),
        seconds: (seconds * 10.0).round() / 10.0,
    };
    folder.write_summary(&summary)?;
    Ok(summary)
}
