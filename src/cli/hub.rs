//! `retrace publish`, `retrace download`, `retrace eval --from`.

use super::check::{AnyPaper, Checked, paper, slugs};
use clap::Args;
use retrace::experiment::release::{Label, releasable, repository};
use retrace::experiment::{TOLERANCE, checkpoint_path, find};
use retrace::hub::{Address, CONFIG, Digest, Hub, HubConfig, PublishOptions, Release, Snapshot, WEIGHTS, read_numbers};
use retrace::model::{Architecture, pretrained};
use retrace::paper::PAPERS;
use retrace::run::RunId;
use retrace::seed::Seed;
use retrace::train::Scores;
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that `eval` needs of a release.
const NEEDED: [&str; 3] = [WEIGHTS, CONFIG, "README.md"];

/// Options of `retrace publish`, as typed.
#[derive(Debug, Args)]
pub struct PublishArguments {
    /// Runs to publish, by their folders below results/: <paper>/<corpus>/<row>
    #[arg(value_name = "RUN", required_unless_present = "all")]
    runs: Vec<String>,
    /// Every row of a paper that has a checkpoint
    #[arg(long, value_name = "PAPER", value_parser = paper, conflicts_with = "runs")]
    all: Option<AnyPaper>,
    /// User or organisation [default: the token's]
    #[arg(long)]
    namespace: Option<String>,
    /// Tag of the version
    #[arg(long, default_value = concat!("v", env!("CARGO_PKG_VERSION")))]
    tag: String,
    /// Make it public when it is complete
    #[arg(long)]
    public: bool,
    /// Show every file, its length and its hash, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: write the files below this folder, to look at them
    #[arg(long, value_name = "DIR", requires = "dry_run")]
    into: Option<PathBuf>,
}

/// Options of `retrace download`, as typed.
#[derive(Debug, Args)]
pub struct DownloadArguments {
    /// <owner>/<name>[@<branch, tag or commit>]
    repository: Address,
    /// Only these files [default: all]
    files: Vec<String>,
    /// Only use the cache, as with HF_HUB_OFFLINE
    #[arg(long)]
    offline: bool,
}

/// Publishes rows, one repository each.
pub fn publish(options: &PublishArguments, checked: &Checked) -> Result<()> {
    let runs = match options.all {
        Some(paper) => all_of(paper, &checked.places.results)?,
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
    for (i, run) in runs.iter().enumerate() {
        let name = format!("[{}/{}] {}/{}/{}", i + 1, runs.len(), run.slug, run.dataset, run.row);
        match publish_one(run, &namespace, hub.as_ref(), options, checked) {
            Ok(said) => println!("{name}: {said}"),
            Err(error @ Error::Stopped { .. }) => return Err(error),
            Err(error) => {
                checked.terminal.note(&format!("{name}: {error}"));
                failed.push(format!("{}/{}", run.dataset, run.row));
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
    run: &RunId,
    namespace: &str,
    hub: Option<&Hub>,
    options: &PublishArguments,
    checked: &Checked,
) -> Result<String> {
    let RunId { slug, dataset, row, .. } = run;
    let address = Address::new(namespace, &repository(slug, dataset, row))?.at(&options.tag)?;
    let commit = source_commit(&checked.places.results, run);
    let release = find(&PAPERS, slug)?.release(dataset, row, &address, commit.as_deref(), &checked.order())?;
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

fn all_of(paper: AnyPaper, results: &Path) -> Result<Vec<RunId>> {
    let rows = releasable(results, paper.slug())?.into_iter();
    Ok(rows.map(|(dataset, row)| first_of(paper, &dataset, &row)).collect())
}

fn first_of(paper: AnyPaper, dataset: &str, row: &str) -> RunId {
    RunId { slug: paper.slug().into(), dataset: dataset.into(), row: row.into(), seed: Seed(0) }
}

fn parse(run: &str) -> Result<RunId> {
    let parts: Vec<&str> = run.trim_end_matches('/').split('/').collect();
    if let [.., slug, dataset, row] = parts.as_slice()
        && let Ok(paper) = find(&PAPERS, slug)
        && !dataset.is_empty()
        && !row.is_empty()
    {
        return Ok(first_of(paper, dataset, row));
    }
    let expected = slugs().iter().map(|slug| format!("{slug}/<corpus>/<row>")).collect::<Vec<_>>().join(" or ");
    Err(Error::value("run", expected, format!("`{run}`")))
}

/// The commit that last changed the checkpoint; none outside git, or where it was never committed.
fn source_commit(results: &Path, run: &RunId) -> Option<String> {
    let path = checkpoint_path(results, &run.slug, &run.dataset, &run.row);
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
    let named = |source: &&pretrained::WeightsSource| repository.is_none_or(|repository| repository == source.repo);
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
    super::import::import_as(architecture, &path, published.weights, checked)
}

/// Ranks with a released model and compares with its card.
pub fn eval(address: &Address, on: Option<&str>, adapt: Option<&str>, checked: &Checked) -> Result<()> {
    let hub = Hub::open(HubConfig::from_environment())?;
    let snapshot = hub.download(address, &NEEDED, &checked.terminal)?;
    checked.terminal.clear();
    let label = Label::read(&snapshot.folder, &slugs())?;
    let (paper, corpus) = (find(&PAPERS, &label.slug)?, adapt.or(on).unwrap_or(&label.dataset));
    let retrieval = match adapt {
        Some(pairs) => paper.adapt_release(&snapshot.folder, pairs, &checked.order())?,
        None => paper.open_release(&snapshot.folder, corpus, &checked.order())?,
    };
    checked.terminal.clear();
    let scores = retrieval.scores()?;
    let (queries, gallery) = (retrieval.ranks().len(), retrieval.queries().gallery_size());
    let said = super::score::spell(&scores, queries, gallery);
    println!("{:?} of {}\n{corpus}: {said}", label.row, snapshot.address);
    if corpus == label.dataset { compare(&snapshot, corpus, &scores) } else { Ok(()) }
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
