//! `retrace publish`, `retrace download`, `retrace eval --from`.

use super::check::{Checked, slug};
use clap::Args;
use retrace::hub::{Address, CONFIG, Digest, Hub, HubConfig, PublishOptions, Release, Snapshot, WEIGHTS, read_numbers};
use retrace::model::{Architecture, pretrained};
use retrace::paper::photo_pretraining::release::{Released, releasable, release, repository};
use retrace::paper::photo_pretraining::{Retrieval, SLUG, TOLERANCE, protocol};
use retrace::train::Scores;
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that `eval` needs of a release.
const NEEDED: [&str; 3] = [WEIGHTS, CONFIG, "README.md"];

/// Options as typed.
#[derive(Debug, Args)]
pub struct PublishArguments {
    /// What to publish, by the folders of its record: <paper>/<corpus>/<row>, such as photo_pretraining/synth-chair/ours
    #[arg(value_name = "RUN", required_unless_present = "all")]
    runs: Vec<String>,
    /// Every row of a paper that has a checkpoint
    #[arg(long, value_name = "PAPER", value_parser = slug, conflicts_with = "runs")]
    all: Option<String>,
    /// User or organisation [default: the token's]
    #[arg(long)]
    namespace: Option<String>,
    /// Tag of the version
    #[arg(long, default_value = concat!("v", env!("CARGO_PKG_VERSION")))]
    tag: String,
    /// Let everyone read it, once it is there whole
    #[arg(long)]
    public: bool,
    /// Show every file, its length and its hash, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: write the files below this folder, to look at them
    #[arg(long, value_name = "DIR", requires = "dry_run")]
    into: Option<PathBuf>,
}

/// Options as typed.
#[derive(Debug, Args)]
pub struct DownloadArguments {
    /// <owner>/<name>[@<branch, tag or commit>]
    repository: Address,
    /// Only these files [default: all]
    files: Vec<String>,
    /// Only look into the cache, as with HF_HUB_OFFLINE
    #[arg(long)]
    offline: bool,
}

/// Publishes rows, one repository each.
pub fn publish(options: &PublishArguments, checked: &Checked) -> Result<()> {
    let runs = match &options.all {
        Some(_) => releasable(&checked.places.results)?,
        None => options.runs.iter().map(|run| parse(run)).collect::<Result<_>>()?,
    };
    if runs.is_empty() {
        return Err(Error::data(&checked.places.results, "checkpoints to publish", "none"));
    }
    let hub = if options.dry_run { None } else { Some(Hub::open(HubConfig::from_environment())?) };
    let namespace = match (&options.namespace, &hub) {
        (Some(namespace), _) => namespace.clone(),
        (None, Some(hub)) => hub.name()?,
        (None, None) => "NAMESPACE".into(),
    };
    let mut failed = Vec::new();
    for (i, (dataset, row)) in runs.iter().enumerate() {
        let name = format!("[{}/{}] {SLUG}/{dataset}/{row}", i + 1, runs.len());
        match publish_one(dataset, row, &namespace, hub.as_ref(), options, checked) {
            Ok(said) => println!("{name}: {said}"),
            Err(error @ Error::Stopped { .. }) => return Err(error),
            Err(error) => {
                checked.terminal.note(&format!("{name}: {error}"));
                failed.push(format!("{dataset}/{row}"));
            }
        }
    }
    match failed.as_slice() {
        [] => Ok(()),
        failed => {
            let found = format!("{} that are not: {}", failed.len(), failed.join(", "));
            Err(Error::value("publish", "every row published", found))
        }
    }
}

fn publish_one(
    dataset: &str,
    row: &str,
    namespace: &str,
    hub: Option<&Hub>,
    options: &PublishArguments,
    checked: &Checked,
) -> Result<String> {
    let address = Address::new(namespace, &repository(dataset, row))?.at(&options.tag)?;
    let commit = source_commit(&checked.places.results, dataset, row);
    let release = release(dataset, row, &address, commit.as_deref(), &checked.order())?;
    let Some(hub) = hub else {
        if let Some(folder) = &options.into {
            release.write(&folder.join(address.name()))?;
        }
        return Ok(listing(&address, &release));
    };
    let message = format!("{} by retrace {}", options.tag, env!("CARGO_PKG_VERSION"));
    let asked = PublishOptions { tag: Some(options.tag.clone()), public: options.public, message };
    let published = hub.publish(&address, &release, &asked, &checked.terminal)?;
    checked.terminal.clear();
    let what = if published.is_new { "published" } else { "unchanged" };
    Ok(format!("{what} as {address} ({})", published.address.revision()))
}

fn parse(run: &str) -> Result<(String, String)> {
    let parts: Vec<&str> = run.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        [.., paper, dataset, row] if *paper == SLUG && !dataset.is_empty() && !row.is_empty() => {
            Ok((dataset.to_string(), row.to_string()))
        }
        _ => Err(Error::value("run", format!("{SLUG}/<corpus>/<row>"), format!("`{run}`"))),
    }
}

/// The commit that last changed the checkpoint; none outside git, or where it was never committed.
fn source_commit(results: &Path, dataset: &str, row: &str) -> Option<String> {
    let path = protocol::checkpoint_path(results, dataset, row);
    let said = Command::new("git").args(["log", "-1", "--format=%H", "--"]).arg(path).output().ok()?;
    Some(String::from_utf8(said.stdout).ok()?.trim().to_string()).filter(|commit| !commit.is_empty())
}

fn listing(address: &Address, release: &Release) -> String {
    let line = |(name, bytes): (&str, &[u8])| {
        let digest = Digest::Sha256(String::new()).of_bytes(bytes);
        format!("\n  {:>10} {name:<18} {digest}", bytes.len())
    };
    let lines: String = release.files().map(line).collect();
    format!("would go to {address}, {} bytes, nothing was sent{lines}", release.size())
}

/// Fetches a repository into the cache.
pub fn download(options: &DownloadArguments, checked: &Checked) -> Result<()> {
    let wanted: Vec<&str> = options.files.iter().map(String::as_str).collect();
    let config = HubConfig::from_environment();
    let hub = Hub::open(HubConfig { offline: config.offline || options.offline, ..config })?;
    let snapshot = hub.download(&options.repository, &wanted, &checked.terminal)?;
    checked.terminal.clear();
    println!("{} in {}", snapshot.address, snapshot.folder.display());
    for name in &snapshot.files {
        let path = snapshot.folder.join(name);
        println!("  {:>10} {name}", std::fs::metadata(&path).map_err(Error::io(&path))?.len());
    }
    Ok(())
}

/// Fetches published weights of a backbone and writes them with our names.
pub fn fetch(architecture: Architecture, repository: Option<&str>, checked: &Checked) -> Result<()> {
    let sources = pretrained::sources_of(architecture)?;
    let known = sources.iter().map(|source| source.repo.as_str()).collect::<Vec<_>>().join(", ");
    let named = |source: &&pretrained::Source| repository.is_none_or(|repository| repository == source.repo);
    let (Some(source), Some(published)) = (sources.iter().find(named), architecture.published()) else {
        let expected = format!("published weights of {architecture} ({known})");
        return Err(Error::value("repository", expected, repository.unwrap_or("none")));
    };
    let address = source.repo.parse::<Address>()?.at(&source.revision)?;
    let hub = Hub::open(HubConfig::from_environment())?;
    if let Some(expected) = source.sha256.clone().map(Digest::Sha256).filter(|_| !hub.config().offline) {
        let listed = hub.list(&address, &hub.commit(&address)?)?;
        let found = listed.into_iter().find(|file| file.path == source.file).map(|file| file.digest);
        if found.as_ref() != Some(&expected) {
            let found = found.map_or("no such file".to_string(), |digest| digest.to_string());
            return Err(Error::data(source.repo.as_str(), format!("{expected}, as data/backbones.csv says"), found));
        }
    }
    let snapshot = hub.download(&address, &[&source.file], &checked.terminal)?;
    checked.terminal.clear();
    let path = snapshot.folder.join(&source.file);
    println!("{} of {}, {}", source.file, snapshot.address, source.licence);
    if !source.is_pinned() {
        println!("not pinned: data/backbones.csv has no commit of it");
    }
    super::train::import_as(architecture, &path, published.weights, checked)
}

/// Ranks with a released model and compares with its card.
pub fn eval(address: &Address, on: Option<&str>, checked: &Checked) -> Result<()> {
    let hub = Hub::open(HubConfig::from_environment())?;
    let snapshot = hub.download(address, &NEEDED, &checked.terminal)?;
    checked.terminal.clear();
    let released = Released::read(&snapshot.folder)?;
    let network = released.network(&snapshot.folder, &checked.device)?;
    let corpus = on.unwrap_or(&released.dataset);
    let retrieval = Retrieval::of_network(&released.config, network, corpus, &checked.order())?;
    checked.terminal.clear();
    let scores = retrieval.scores()?;
    let (queries, gallery) = (retrieval.ranks().len(), retrieval.queries().gallery.len());
    println!(
        "{:?} of {}\n{corpus}: {}",
        released.row,
        snapshot.address,
        super::train::spell(&scores, queries, gallery)
    );
    match corpus == released.dataset {
        true => compare(&snapshot, corpus, &scores),
        false => Ok(()),
    }
}

fn compare(snapshot: &Snapshot, corpus: &str, scores: &Scores) -> Result<()> {
    let path = snapshot.folder.join("README.md");
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let numbers = read_numbers(&text)?;
    let card = numbers.iter().find(|(dataset, metric, _)| dataset == corpus && metric == "Acc@1");
    let Some((_, _, card)) = card else {
        return Err(Error::data(path, format!("an Acc@1 on {corpus}"), "none"));
    };
    let is_equal = (card - scores.acc1).abs() <= TOLERANCE; // and not where the card's number is none
    if !is_equal {
        let found = format!("{:.1} with these weights", scores.acc1);
        return Err(Error::data(path, format!("Acc@1 {card:.1} as the card says, to within {TOLERANCE}"), found));
    }
    println!("the card says Acc@1 {card:.1}: confirmed");
    Ok(())
}
