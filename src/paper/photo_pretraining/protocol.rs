//! One run from configuration to record: data, weights, features, training, the single look at the test part.

use super::{Config, Neighbours, Network, PaperStep, SLUG, Update};
use crate::dataset::{self, Album, Index, Pair, Source, Split};
use crate::loss::Topology;
use crate::model::l2_normalise;
use crate::paper::floor::{self, Floor};
use crate::run::{Header, Places, Rank, RunConfig, RunFolder, Summary, hex};
use crate::seed::Seed;
use crate::train::{self, FeaturePlan, Features, Feed, Fit, Log, Outcome, Pixels, Queries, Watch};
use crate::{Error, Result, device};
use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The validation part is the same for every seed: seeds measure training, not the luck of the cut.
const VALIDATION: Seed = Seed(0);

/// Percentages of the points at which early retrieval is measured (Fig. 5b is read at steps of ten here).
pub const PERCENTS: [u32; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];

/// How a run was asked for.
pub struct Order<'a> {
    /// Where things are read and written.
    pub places: &'a Places,
    /// Where tensors live.
    pub device: &'a Device,
    /// The command line, for the log.
    pub command: String,
    /// Told of progress.
    pub watch: &'a dyn Watch,
}

/// A corpus, opened and divided.
pub struct Bench {
    source: Box<dyn Source>,
    index: Index,
}

impl Bench {
    /// Opens a corpus and cuts `valid_photos` of its training photos off; 0: no validation part.
    ///
    /// # Errors
    /// A corpus that is not there or has too few photos.
    pub fn open(name: &str, valid_photos: usize, places: &Places) -> Result<Self> {
        let source = dataset::open(name, places.data.as_deref())?;
        let index = match valid_photos {
            0 => source.index().clone(),
            count => dataset::with_validation(source.index(), count, VALIDATION)?,
        };
        Ok(Self { source, index })
    }

    /// Its index, validation part included.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The corpus itself.
    pub fn source(&self) -> &dyn Source {
        self.source.as_ref()
    }

    /// Decodes all pictures.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub fn album(&self, config: &Config, watch: &dyn Watch) -> Result<Album> {
        let (done, total) = (AtomicUsize::new(0), self.index.photos.len() + self.index.sketches.len());
        let advance = || watch.advance("reading", done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Album::load(self.source(), config.prepare, &advance)
    }

    fn header(&self, run: &RunConfig<impl serde::Serialize>, weights: Option<String>, order: &Order) -> Result<Header> {
        let versions = [("retrace", env!("CARGO_PKG_VERSION")), ("candle", "0.11.1")];
        Ok(Header {
            command: order.command.clone(),
            config_hash: run.hash()?,
            data_version: self.source.version(),
            counts: self.index.counts(),
            seed: run.seed,
            weights,
            versions: versions.map(|(name, version)| (name.to_string(), version.to_string())).into(),
            device: device::name(order.device).to_string(),
        })
    }

    fn pairs(&self, split: Split) -> Vec<Pair> {
        let pair = |sketch: usize| Pair { sketch, photo: self.index.sketches[sketch].photo };
        self.index.sketches_of(split).into_iter().map(pair).collect()
    }
}

/// Ranks the test part by a row without learning and writes its record.
///
/// # Errors
/// A picture that cannot be read; a folder that cannot be written.
pub fn run_floor(floor: Floor, dataset: &str, order: &Order) -> Result<Summary> {
    let started = Instant::now();
    let bench = Bench::open(dataset, 0, order.places)?;
    let run = RunConfig {
        slug: SLUG.into(),
        dataset: dataset.into(),
        row: floor.row().into(),
        seed: Seed(0),
        config: "no learning".to_string(),
    };
    let folder = run.folder(&order.places.results);
    folder.open(&run)?;
    Log::create(&folder.0.join("log.jsonl"), &bench.header(&run, None, order)?)?;
    let queries = Queries::of(bench.index(), Split::Test);
    let ranks = floor::rank(floor, bench.source(), &queries, order.watch)?;
    record(&folder, &ranks, queries.gallery.len(), None, "none", started.elapsed().as_secs_f64())
}

/// Trains a run, or goes on with it, and writes its record; a finished run is returned as it is.
///
/// # Errors
/// Data or weights that are not there; a watch that stops; a folder that holds another configuration.
pub fn run(run: &RunConfig<Config>, order: &Order) -> Result<Summary> {
    run_on(run, None, order)
}

/// As [`run()`], with the corpus in a folder of the user's own.
///
/// # Errors
/// As [`run()`].
pub fn run_on(run: &RunConfig<Config>, corpus: Option<&str>, order: &Order) -> Result<Summary> {
    let folder = run.folder(&order.places.results);
    folder.open(run)?;
    if folder.is_finished() {
        return folder.summary();
    }
    let started = Instant::now();
    let bench = Bench::open(corpus.unwrap_or(&run.dataset), run.config.valid_photos, order.places)?;
    let network = network(run, order)?;
    let album = bench.album(&run.config, order.watch)?;
    let pixels = pixels(&album, &run.config, order.device);
    let features = run.config.frozen.map(|versions| features(run, &bench, &network, &pixels, versions, order));
    let features = features.transpose()?;
    let feed: &dyn Feed = match &features {
        Some(features) => features,
        None => &pixels,
    };
    let mut log = Log::open(
        &folder.0.join("log.jsonl"),
        &bench.header(run, Some(hash_weights(&run.config, order.places)?), order)?,
    )?;
    let outcome = match run.config.update {
        Update::ZeroShot => None,
        _ => Some(train(run, &bench, &network, feed, &folder, &mut log, order)?),
    };
    network.round()?;
    finish(run, &bench, &network, feed, &album, outcome, started, order)
}

fn network(run: &RunConfig<Config>, order: &Order) -> Result<Network> {
    let network = Network::new(&run.config, run.seed, order.device)?;
    network.load_backbone(&weights_path(&run.config, order.places)?)?;
    Ok(network)
}

/// The pre-trained weights: shipped ones first, then imported ones.
///
/// # Errors
/// Weights that are in neither place; the message says how to get them.
pub fn weights_path(config: &Config, places: &Places) -> Result<PathBuf> {
    let name = format!("{}-{}.safetensors", config.architecture, config.weights);
    let candidates = [places.shipped.join("checkpoints/pretrained").join(&name), places.weights.join(&name)];
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let expected = "pre-trained weights (`retrace weights import --help` says how to get them)";
        Error::data(&candidates[1], expected, "no file")
    })
}

/// First 16 digits of the SHA-256 of the pre-trained weights' file.
fn hash_weights(config: &Config, places: &Places) -> Result<String> {
    let path = weights_path(config, places)?;
    Ok(hex(&Sha256::digest(std::fs::read(&path).map_err(Error::io(&path))?)[..8]))
}

fn pixels<'a>(album: &'a Album, config: &Config, device: &Device) -> Pixels<'a> {
    let normalisation = config.architecture.normalisation();
    Pixels { album, augment: config.augment, normalisation, device: device.clone() }
}

fn features(
    run: &RunConfig<Config>,
    bench: &Bench,
    network: &Network,
    pixels: &Pixels,
    versions: u32,
    order: &Order,
) -> Result<Features> {
    let weights = hash_weights(&run.config, order.places)?;
    let prepare = serde_json::to_string(&run.config.prepare)?;
    let partial = if pixels.album.is_vector() { bench.index().sketches_of(Split::Test) } else { Vec::new() };
    let plan = FeaturePlan {
        pixels,
        backbone: &|x| network.features(x),
        counts: [bench.index().photos.len(), bench.index().sketches.len()],
        versions,
        partial: (partial, if pixels.album.is_vector() { PERCENTS.to_vec() } else { Vec::new() }),
        key: format!("{} {} {} {weights} {prepare}", run.dataset, bench.source().version(), run.config.architecture),
    };
    Features::open(&plan, &order.places.cache, order.watch)
}

/// The topology of the training photos under the network as it was pre-trained.
fn neighbours(network: &Network, bench: &Bench, feed: &dyn Feed) -> Result<Neighbours> {
    let photos = bench.index().photos_of(Split::Train);
    let frozen = |chunk: &[usize]| -> Result<Tensor> {
        let input = feed.photos(chunk)?;
        let features = if input.rank() == 4 { network.features(&input)? } else { input };
        Ok(l2_normalise(&features)?.detach())
    };
    let rows = photos.chunks(64).map(frozen).collect::<Result<Vec<_>>>()?;
    let topology = Topology::new(&Tensor::cat(&rows, 0)?)?;
    Ok(Neighbours { topology, rows: photos.into_iter().enumerate().map(|(row, photo)| (photo, row)).collect() })
}

fn train(
    run: &RunConfig<Config>,
    bench: &Bench,
    network: &Network,
    feed: &dyn Feed,
    folder: &RunFolder,
    log: &mut Log,
    order: &Order,
) -> Result<Outcome> {
    let needed = run.config.update.needs_neighbours();
    let neighbours = needed.then(|| neighbours(network, bench, feed)).transpose()?;
    let mut step = PaperStep::new(network, feed, neighbours)?;
    let valid = Queries::of(bench.index(), Split::Valid);
    let score = || {
        let ranks = train::evaluate(&|x| network.embed_in_evaluation(x), feed, &valid)?;
        train::scores(&ranks, valid.gallery.len())
    };
    let fit = Fit {
        config: run.config.fit,
        seed: run.seed,
        parameters: network.parameters(),
        pairs: bench.pairs(Split::Train),
        score: &score,
        folder,
        hash: run.hash()?,
        watch: order.watch,
    };
    train::fit(&fit, &mut step, log)
}

#[allow(clippy::too_many_arguments)]
fn finish(
    run: &RunConfig<Config>,
    bench: &Bench,
    network: &Network,
    feed: &dyn Feed,
    album: &Album,
    outcome: Option<Outcome>,
    started: Instant,
    order: &Order,
) -> Result<Summary> {
    let folder = run.folder(&order.places.results);
    let queries = Queries::of(bench.index(), Split::Test);
    let embed = |x: &Tensor| network.embed_in_evaluation(x);
    let ranks = train::evaluate(&embed, feed, &queries)?;
    if album.is_vector() {
        folder.write_early(&train::early(&embed, feed, &queries, &PERCENTS)?)?;
    }
    if outcome.is_some() && run.seed == Seed(0) {
        let metadata = BTreeMap::from([
            ("config".to_string(), serde_json::to_string(run)?),
            ("config_hash".to_string(), run.hash()?),
            ("retrace".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ]);
        network.save(&checkpoint_path(&order.places.results, &run.dataset, &run.row), &metadata)?;
    }
    let select_on = outcome.map_or("none".to_string(), |_| run.config.fit.select_on.to_string());
    let seconds = outcome.as_ref().map_or(started.elapsed().as_secs_f64(), |outcome| outcome.seconds);
    let summary = record(&folder, &ranks, queries.gallery.len(), outcome.map(|o| o.epoch), &select_on, seconds)?;
    folder.remove_state()?;
    Ok(summary)
}

/// Where the checkpoint of a row's first seed is shipped.
pub fn checkpoint_path(results: &Path, dataset: &str, row: &str) -> PathBuf {
    results.join("checkpoints").join(SLUG).join(dataset).join(format!("{row}.safetensors"))
}

/// The test part, ranked.
pub struct Ranking {
    /// Sketches, gallery, and where each sketch's own photo stands in it.
    pub queries: Queries,
    /// Distance of every query to every photo of the gallery, row by row.
    pub distances: Vec<f32>,
    /// The rank of each query's own photo.
    pub ranks: Vec<Rank>,
}

/// Ranks the test part with the checkpoint that belongs to a run.
///
/// # Errors
/// A checkpoint that is not there or is of another network.
pub fn rank_checkpoint(run: &RunConfig<Config>, order: &Order) -> Result<Ranking> {
    rank_with(run, &checkpoint_path(&order.places.results, &run.dataset, &run.row), order)
}

/// Ranks the test part of `run.dataset` with any checkpoint of the run's network.
///
/// # Errors
/// A checkpoint that is not there or is of another network.
pub fn rank_with(run: &RunConfig<Config>, checkpoint: &Path, order: &Order) -> Result<Ranking> {
    let bench = Bench::open(&run.dataset, run.config.valid_photos, order.places)?;
    let network = Network::new(&run.config, run.seed, order.device)?;
    if run.config.frozen.is_some() || run.config.update == Update::ZeroShot {
        network.load_backbone(&weights_path(&run.config, order.places)?)?;
    }
    match run.config.update {
        Update::ZeroShot => network.round()?,
        _ => network.load(checkpoint)?,
    }
    let queries = Queries::of(bench.index(), Split::Test);
    let album = bench.album(&run.config, order.watch)?;
    let feed = pixels(&album, &run.config, order.device);
    let distances = train::distances(&|x| network.embed_in_evaluation(x), &feed, &queries)?;
    let ranks = queries.ranks(&distances)?;
    Ok(Ranking { queries, distances, ranks })
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
