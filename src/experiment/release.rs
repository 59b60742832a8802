//! Releases of a row's model: what is published, and how it is opened.

use super::checkpoint::{checkpoint_path, first_seed, shipped_weights};
use super::{Kept, Method, Order, Origin, Paper, Retrieval};
use crate::dataset;
use crate::file::{hash_bytes, hash_file, read_json};
use crate::hub::{Address, CONFIG, Card, CardMetric, Release, WEIGHTS};
use crate::metric::mean_sd;
use crate::model::weights::{self, Archive};
use crate::report::record::{Run, read_row};
use crate::run::{RunConfig, Summary};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The `model_type` in `config.json`.
const MODEL_TYPE: &str = "retrace";

/// Limits of every model of this kit.
const LIMITS: [&str; 2] = [
    "It ranks photos of the one kind of object that it was trained on; differences of a few points are within the noise \
     of a test set of this size.",
    "Ranks on another processor can differ by a query or two, since single precision rounds differently.",
];

/// The `config.json` of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Released<C> {
    /// `retrace`: what reads it.
    pub model_type: String,
    /// Version of the kit that released it.
    pub retrace: String,
    /// First 16 digits of the SHA-256 of the run's settings.
    pub config_hash: String,
    /// The version of the corpus.
    pub data_version: String,
    /// The paper.
    pub slug: String,
    /// The corpus.
    pub dataset: String,
    /// The table row.
    pub row: String,
    /// The seed of these weights.
    pub seed: Seed,
    /// First 16 digits of the SHA-256 of the weights' file; absent in releases of before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// Architecture and every setting of the training.
    pub config: C,
}

/// The name of a row's repository, below a namespace.
///
/// ```
/// use retrace::experiment::release::repository;
/// assert_eq!(repository("toy", "synth-chair", "base+margin=0.3"), "toy-base-margin-0.3-synth-chair");
/// ```
pub fn repository(slug: &str, dataset: &str, row: &str) -> String {
    format!("{slug}-{}-{dataset}", row.replace(['+', '='], "-"))
}

/// Every (corpus, row) of a paper below `results` that has a checkpoint and a record, sorted.
///
/// # Errors
/// A folder that cannot be read.
pub fn releasable(results: &Path, slug: &str) -> Result<Vec<(String, String)>> {
    let place = results.join("checkpoints").join(slug);
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(&place).min_depth(2).max_depth(2) {
        let path = entry.map_err(|error| Error::data(&place, "checkpoints", error))?.into_path();
        let name = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_string();
        let (dataset, row) = (name(path.parent().and_then(Path::file_name)), name(path.file_stem()));
        let is_weights = path.extension().is_some_and(|extension| extension == "safetensors");
        if is_weights && first_seed(results, slug, &dataset, &row).is_finished() {
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
/// A row without a finished first seed or without a checkpoint; weights of another run; for a frozen row, a missing
/// backbone.
pub fn release<M: Method>(
    paper: &M,
    (dataset, row): (&str, &str),
    address: &Address,
    commit: Option<&str>,
    order: &Order,
) -> Result<Release> {
    let results = &order.places.results;
    let runs = read_row(results, paper.slug(), dataset, row)?;
    let first = runs.first().filter(|run| run.seed == 0);
    let first =
        first.ok_or_else(|| Error::data(results, format!("a finished seed 0 of {row} on {dataset}"), "none"))?;
    let run: RunConfig<M::Config> = read_json(&first.folder.0.join("config.json"))?;
    let header = &first.origin.header;
    let weights = weights_of(paper, &run, commit, order)?;
    let released = Released {
        model_type: MODEL_TYPE.into(),
        retrace: env!("CARGO_PKG_VERSION").into(),
        config_hash: run.hash()?,
        data_version: header.data_version.clone(),
        slug: run.slug.clone(),
        dataset: run.dataset.clone(),
        row: run.row.clone(),
        seed: run.seed,
        weights: Some(hash_bytes(&weights)),
        config: run.config.clone(),
    };
    let mut release = Release::default();
    release.add(WEIGHTS, weights);
    release.add(CONFIG, serde_json::to_string_pretty(&released)? + "\n");
    release.add("README.md", card(paper, &released, &runs, header.device.clone())?.render(address)?);
    let ranks = first.folder.0.join("ranks.csv");
    release.add("ranks.csv", std::fs::read(&ranks).map_err(Error::io(&ranks))?);
    release.add("LICENSE", licence_text(dataset));
    Ok(release)
}

/// Every tensor of the model, as precise as it was ranked.
fn weights_of<M: Method>(
    paper: &M,
    run: &RunConfig<M::Config>,
    commit: Option<&str>,
    order: &Order,
) -> Result<Vec<u8>> {
    let results = &order.places.results;
    let checkpoint = checkpoint_path(results, &run.slug, &run.dataset, &run.row);
    let checkpoint = shipped_weights(&run.folder(results), checkpoint)?;
    let (tensors, storage) = paper.load(run, Origin::Checkpoint(&checkpoint, order.places), order.device)?.release();
    let mut metadata = BTreeMap::from([
        ("format".to_string(), "pt".to_string()), // the names and shapes are PyTorch's
        ("retrace".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ("run".to_string(), format!("{}/{}/{}/seed{}", run.slug, run.dataset, run.row, run.seed.0)),
        ("config_hash".to_string(), run.hash()?),
    ]);
    metadata.extend(commit.map(|commit| ("commit".to_string(), commit.to_string())));
    let place = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let path = place.path().join(WEIGHTS);
    weights::save(&path, &tensors, storage, &metadata)?;
    std::fs::read(&path).map_err(Error::io(&path))
}

fn card<M: Method>(paper: &M, released: &Released<M::Config>, runs: &[Run], device: String) -> Result<Card> {
    let (dataset, row) = (&released.dataset, &released.row);
    let (label, note) = describe(paper, row);
    let [architecture, started_from] = paper.describe(&released.config);
    let summary = &runs[0].summary;
    Ok(Card {
        title: format!("{label} on {dataset}"),
        paper: paper.citation().into(),
        summary: format!("Finds the one photo that a free-hand sketch shows ({label}: {note})."),
        architecture,
        dataset: dataset.clone(),
        data_version: released.data_version.clone(),
        started_from,
        licence: licence(dataset),
        seeds: runs.iter().map(|run| run.seed).collect(),
        queries: (summary.queries, summary.gallery),
        measured: measured(runs)?,
        command: format!("retrace train {} --row {row} --dataset {dataset} --seed {}", paper.slug(), released.seed.0),
        cost: (summary.seconds, device),
        limits: limits(dataset),
        deviations: paper.deviations().iter().map(ToString::to_string).collect(),
        snippet: paper.snippet(),
    })
}

fn measured(runs: &[Run]) -> Result<Vec<CardMetric>> {
    let measure = |metric: &str, get: &dyn Fn(&Summary) -> f64| -> Result<CardMetric> {
        let values: Vec<f64> = runs.iter().map(|run| get(&run.summary)).collect();
        let (mean, deviation) = mean_sd(&values)?;
        let over_seeds = deviation.map(|deviation| (mean, deviation));
        Ok(CardMetric { metric: metric.into(), value: values[0], over_seeds })
    };
    Ok(vec![measure("Acc@1", &|s| s.acc1)?, measure("Acc@5", &|s| s.acc5)?, measure("Acc@10", &|s| s.acc10)?])
}

/// The name and the note of a row in the tables.
fn describe(paper: &dyn Paper, row: &str) -> (String, String) {
    let specs = paper.tables().into_iter().flat_map(|spec| spec.rows);
    let named = specs.filter(|spec| spec.row.as_deref() == Some(row)).find(|spec| !spec.note.is_empty());
    named.map_or((row.to_string(), format!("the row `{row}`")), |spec| (spec.label, spec.note))
}

fn limits(dataset: &str) -> Vec<String> {
    let corpus = if dataset::is_embedded(dataset) {
        "The corpus is drawn by a program: what holds on it need not hold for people's sketches."
    } else {
        "The corpus states no licence; the weights are for research."
    };
    [corpus].into_iter().chain(LIMITS).map(str::to_string).collect()
}

fn licence(dataset: &str) -> (String, Option<String>) {
    if dataset::is_embedded(dataset) {
        ("apache-2.0".into(), None)
    } else {
        ("other".into(), Some("research-only".into()))
    }
}

fn licence_text(dataset: &str) -> String {
    const APACHE: &str = include_str!("../../LICENSE-APACHE");
    if dataset::is_embedded(dataset) {
        return APACHE.into();
    }
    format!(
        "These weights were trained on {dataset}, which states no licence of its own. They are given for research\n\
         only; ask the owners of the corpus before any other use. As far as the makers of retrace are concerned,\n\
         the licence below applies.\n\n{APACHE}"
    )
}

/// What the untrusted `config.json` of a release says, read before its paper is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Label {
    /// `retrace`: what reads it.
    pub model_type: String,
    /// The paper.
    pub slug: String,
    /// The corpus.
    pub dataset: String,
    /// The table row.
    pub row: String,
}

impl Label {
    /// Reads the label of a release that one of some papers can open.
    ///
    /// # Errors
    /// A `config.json` of another kind, or of a paper that is not among them.
    pub fn read(folder: &Path, slugs: &[&str]) -> Result<Self> {
        let path = folder.join(CONFIG);
        let label: Self = read_json(&path)?;
        if label.model_type != MODEL_TYPE || !slugs.contains(&label.slug.as_str()) {
            let found = format!("{:?} of {:?}", label.model_type, label.slug);
            return Err(Error::data(path, format!("a {MODEL_TYPE} model of {}", slugs.join(", ")), found));
        }
        Ok(label)
    }
}

/// Ranks the test part of a corpus, a name or a folder, with a release: the folder of a [`crate::hub::Snapshot`].
///
/// # Errors
/// A `config.json` of another kind or with settings that are none; weights that are not those of the network; a corpus
/// that is not there.
pub fn open<M: Method>(paper: &M, folder: &Path, corpus: &str, order: &Order) -> Result<Retrieval> {
    let (run, network) = load(paper, folder, order.device)?;
    Retrieval::of_network(paper, &run, network, corpus, order)
}

/// The network of a release, with the run that it is of.
///
/// # Errors
/// As [`open`], but for the corpus.
pub fn load<M: Method>(paper: &M, folder: &Path, device: &Device) -> Result<(RunConfig<M::Config>, M::Network)> {
    Label::read(folder, &[paper.slug()])?;
    let Released { slug, dataset, row, seed, config, config_hash, weights, .. } = read_json(&folder.join(CONFIG))?;
    paper.check(&config)?;
    let (run, path) = (RunConfig { slug, dataset, row, seed, config }, folder.join(WEIGHTS));
    check_weights(&path, &config_hash, weights.as_deref())?;
    let network = paper.load(&run, Origin::Release(&path), device)?;
    Ok((run, network))
}

/// Checks that weights are those that a `config.json`, and with it a card's numbers, stands beside.
fn check_weights(path: &Path, config_hash: &str, hash: Option<&str>) -> Result<()> {
    let archive = Archive::open(path)?;
    let own = archive.metadata().get("config_hash").map_or("none", String::as_str);
    if own != config_hash {
        let found = own.escape_debug().to_string(); // any text can stand there
        return Err(Error::data(path, format!("weights of the run with the config_hash {config_hash}"), found));
    }
    match (hash, hash_file(path)?) {
        (Some(wanted), found) if wanted != found => {
            Err(Error::data(path, format!("the weights {wanted} that {CONFIG} names"), found))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::Storage;
    use candle_core::Tensor;

    #[test]
    fn weights_that_the_config_does_not_name_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(WEIGHTS);
        let write = |value: f32| {
            let metadata = [("config_hash".to_string(), "a".to_string())].into();
            let tensors = [("w".to_string(), Tensor::new(&[value], &Device::Cpu).unwrap())].into();
            weights::save(&path, &tensors, Storage::F32, &metadata).unwrap();
            hash_file(&path).unwrap()
        };
        let (first, second) = (write(1.0), write(2.0));
        let refused = |config, hash| check_weights(&path, config, hash).err().map(|error| error.to_string());
        assert_eq!((refused("a", Some(second.as_str())), refused("a", None)), (None, None));
        assert!(refused("a", Some(&first)).unwrap().ends_with(&second));
        assert!(refused("b", Some(&second)).unwrap().contains("the run with the config_hash b"));
    }
}
