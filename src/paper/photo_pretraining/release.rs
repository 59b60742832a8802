//! A row's model as others get it: what is published, and how it is opened again.

use super::protocol::{checkpoint_path, first_seed};
use super::retrieval::load;
use super::table::{EMBEDDED, tables};
use super::{Config, DEVIATIONS, SLUG, bench::Order};
use crate::file::read_json;
use crate::hub::{Address, CONFIG, Card, Measured, Release, WEIGHTS};
use crate::metric::mean_sd;
use crate::model::{Allowance, Network, weights};
use crate::report::record::{Run, read_row};
use crate::run::{RunConfig, Summary};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The paper, as a card names it.
const PAPER: &str = "Photo Pre-Training, But for Sketch (K. Li, K. Pang, Y.-Z. Song; CVPR 2023)";

/// What holds for every model of this kit.
const LIMITS: [&str; 2] = [
    "It ranks photos of the one kind of object that it was trained on; differences of a few points are within the noise \
     of a test set of this size.",
    "Ranks on another processor can differ by a query or two, since single precision rounds differently.",
];

/// The `config.json` of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// `retrace`: what reads it.
    pub model_type: String,
    /// Version of the kit that released it.
    pub retrace: String,
    /// First 16 digits of the SHA-256 of the run's settings.
    pub config_hash: String,
    /// Which corpus exactly.
    pub data_version: String,
    /// The paper.
    pub slug: String,
    /// The corpus.
    pub dataset: String,
    /// The table row.
    pub row: String,
    /// The seed of these weights.
    pub seed: Seed,
    /// Architecture and every setting of the training.
    pub config: Config,
}

/// The name of a row's repository, below a namespace.
///
/// ```
/// use retrace::paper::photo_pretraining::release::repository;
/// assert_eq!(repository("synth-chair", "ours+ratio=0.3"), "photo_pretraining-ours-ratio-0.3-synth-chair");
/// ```
pub fn repository(dataset: &str, row: &str) -> String {
    format!("{SLUG}-{}-{dataset}", row.replace(['+', '='], "-"))
}

/// Every (corpus, row) below `results` that has a checkpoint and a record, sorted.
///
/// # Errors
/// A folder that cannot be read.
pub fn releasable(results: &Path) -> Result<Vec<(String, String)>> {
    let place = results.join("checkpoints").join(SLUG);
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(&place).min_depth(2).max_depth(2) {
        let path = entry.map_err(|error| Error::data(&place, "checkpoints", error))?.into_path();
        let name = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_string();
        let (dataset, row) = (name(path.parent().and_then(Path::file_name)), name(path.file_stem()));
        let is_weights = path.extension().is_some_and(|extension| extension == "safetensors");
        if is_weights && first_seed(results, &dataset, &row).is_finished() {
            found.push((dataset, row));
        }
    }
    found.sort();
    Ok(found)
}

/// The release of a row's first seed: weights, settings, card, ranks, licence.
///
/// `commit` is the one that last changed the checkpoint, if it is known; the weights' header keeps it.
///
/// # Errors
/// A row without a finished first seed or without a checkpoint; for a frozen row, a backbone that is not at hand.
pub fn release(dataset: &str, row: &str, address: &Address, commit: Option<&str>, order: &Order) -> Result<Release> {
    let results = &order.places.results;
    let runs = read_row(results, SLUG, dataset, row)?;
    let first = runs.first().filter(|run| run.seed == 0);
    let first =
        first.ok_or_else(|| Error::data(results, format!("a finished seed 0 of {row} on {dataset}"), "none"))?;
    let run: RunConfig<Config> = read_json(&first.folder.0.join("config.json"))?;
    let (header, _) = first.folder.log()?;
    let released = Released {
        model_type: "retrace".into(),
        retrace: env!("CARGO_PKG_VERSION").into(),
        config_hash: run.hash()?,
        data_version: header.data_version,
        slug: run.slug.clone(),
        dataset: run.dataset.clone(),
        row: run.row.clone(),
        seed: run.seed,
        config: run.config.clone(),
    };
    let mut release = Release::default();
    release.add(WEIGHTS, weights_of(&run, commit, order)?);
    release.add(CONFIG, serde_json::to_string_pretty(&released)? + "\n");
    release.add("README.md", card(&released, &runs, header.device)?.render(address)?);
    let ranks = first.folder.0.join("ranks.csv");
    release.add("ranks.csv", std::fs::read(&ranks).map_err(Error::io(&ranks))?);
    release.add("LICENSE", licence_text(dataset));
    Ok(release)
}

/// Every tensor of the network: half precision, as it was ranked; single where part of it is somebody else's.
fn weights_of(run: &RunConfig<Config>, commit: Option<&str>, order: &Order) -> Result<Vec<u8>> {
    let network = load(run, &checkpoint_path(&order.places.results, &run.dataset, &run.row), order)?;
    let storage = if run.config.frozen.is_some() { weights::Storage::F32 } else { weights::Storage::F16 };
    let mut metadata = BTreeMap::from([
        ("format".to_string(), "pt".to_string()), // the names and shapes are PyTorch's
        ("retrace".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ("run".to_string(), format!("{}/{}/{}/seed{}", run.slug, run.dataset, run.row, run.seed.0)),
        ("config_hash".to_string(), run.hash()?),
    ]);
    metadata.extend(commit.map(|commit| ("commit".to_string(), commit.to_string())));
    let place = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let path = place.path().join(WEIGHTS);
    weights::save(&path, &network.parameters().tensors(), storage, &metadata)?;
    std::fs::read(&path).map_err(Error::io(&path))
}

fn card(released: &Released, runs: &[Run], device: String) -> Result<Card> {
    let (dataset, row, config) = (&released.dataset, &released.row, &released.config);
    let (label, note) = describe(row);
    let summary = &runs[0].summary;
    Ok(Card {
        title: format!("{label} on {dataset}"),
        paper: PAPER.into(),
        summary: format!("Finds the one photo that a free-hand sketch shows ({label}: {note})."),
        architecture: config.architecture.to_string(),
        dataset: dataset.clone(),
        data_version: released.data_version.clone(),
        started_from: started_from(config),
        licence: licence(dataset),
        seeds: runs.iter().map(|run| run.seed).collect(),
        queries: (summary.queries, summary.gallery),
        measured: measured(runs)?,
        command: format!("retrace train {SLUG} --row {row} --dataset {dataset} --seed {}", released.seed.0),
        cost: (summary.seconds, device),
        limits: limits(dataset),
        deviations: DEVIATIONS.map(str::to_string).to_vec(),
    })
}

fn measured(runs: &[Run]) -> Result<Vec<Measured>> {
    let measure = |metric: &str, get: &dyn Fn(&Summary) -> f64| -> Result<Measured> {
        let values: Vec<f64> = runs.iter().map(|run| get(&run.summary)).collect();
        let (mean, deviation) = mean_sd(&values)?;
        let over_seeds = deviation.map(|deviation| (mean, deviation));
        Ok(Measured { metric: metric.into(), value: values[0], over_seeds })
    };
    Ok(vec![measure("Acc@1", &|s| s.acc1)?, measure("Acc@5", &|s| s.acc5)?, measure("Acc@10", &|s| s.acc10)?])
}

/// What the tables call a row, and what they say of it.
fn describe(row: &str) -> (String, String) {
    let specs = tables().into_iter().flat_map(|spec| spec.rows);
    let named = specs.filter(|spec| spec.row.as_deref() == Some(row)).find(|spec| !spec.note.is_empty());
    named.map_or((row.to_string(), format!("the row `{row}`")), |spec| (spec.label, spec.note))
}

fn started_from(config: &Config) -> String {
    match config.weights.as_str() {
        "imagenet" => format!("ImageNet weights of {}", config.architecture),
        name => format!("`{name}` weights, pre-trained by this kit"),
    }
}

fn limits(dataset: &str) -> Vec<String> {
    let corpus = match is_embedded(dataset) {
        true => "The corpus is drawn by a program: what holds on it need not hold for people's sketches.",
        false => "The corpus states no licence; the weights are for research.",
    };
    [corpus].into_iter().chain(LIMITS).map(str::to_string).collect()
}

fn is_embedded(dataset: &str) -> bool {
    EMBEDDED.contains(&dataset)
}

fn licence(dataset: &str) -> (String, Option<String>) {
    match is_embedded(dataset) {
        true => ("apache-2.0".into(), None),
        false => ("other".into(), Some("research-only".into())),
    }
}

fn licence_text(dataset: &str) -> String {
    const APACHE: &str = include_str!("../../../LICENSE-APACHE");
    match is_embedded(dataset) {
        true => APACHE.into(),
        false => format!(
            "These weights were trained on {dataset}, which states no licence of its own. They are given for research\n\
             only; ask the owners of the corpus before any other use. As far as the makers of retrace are concerned,\n\
             the licence below applies.\n\n{APACHE}"
        ),
    }
}

impl Released {
    /// Reads what a release says of itself: a stranger's word.
    ///
    /// # Errors
    /// A `config.json` of another kind, or with settings that are none.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(CONFIG);
        let released: Self = read_json(&path)?;
        if (released.model_type.as_str(), released.slug.as_str()) != ("retrace", SLUG) {
            let found = format!("{:?} of {:?}", released.model_type, released.slug);
            return Err(Error::data(path, format!("a retrace model of {SLUG}"), found));
        }
        released.config.check()?;
        Ok(released)
    }

    /// The network, with the weights that lie beside.
    ///
    /// # Errors
    /// Weights that are not those of the network.
    pub fn network(&self, folder: &Path, device: &Device) -> Result<Network> {
        let network = Network::new(self.config.network(), self.seed, device)?;
        weights::load(&folder.join(WEIGHTS), network.parameters(), &Allowance::default())?;
        Ok(network)
    }
}
