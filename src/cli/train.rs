//! `retrace train`, `retrace pretrain`.

use super::check::{AnyPaper, Checked, paper};
use clap::Args;
use retrace::dataset::name_of;
use retrace::run::RunId;
use retrace::seed::Seed;
use retrace::train::Course;
use retrace::train::pretrain::{self, PretrainConfig, PretrainMethod};
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::path::PathBuf;

/// Options of `retrace train`, as typed.
#[derive(Debug, Args)]
pub struct TrainOptions {
    /// The paper
    #[arg(value_parser = paper)]
    paper: AnyPaper,
    /// The table row, such as those of `retrace table`; an unknown name lists all of them
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
    /// Resume a training that was stopped
    #[arg(long)]
    resume: bool,
    /// Print the settings of the row as JSON, and do nothing
    #[arg(long)]
    print_config: bool,
}

/// Options of `retrace pretrain`, as typed.
#[derive(Debug, Args)]
pub struct PretrainOptions {
    /// The method: attributes, jigsaw, barlow-twins, clip, obow or edges
    #[arg(default_value = "attributes")]
    method: PretrainMethod,
    /// Start from ImageNet weights of EfficientNet-Lite0, on the photos of a folder of the real corpora, without labels,
    /// or of several, joined by `+`; `a/*` is every folder in `a` [default: the small network, from scratch, on synthetic photos]
    #[arg(long, value_name = "FOLDERS")]
    photos: Option<String>,
    /// How many of these photos to train on; 200 more are held out
    #[arg(long, value_name = "N", default_value_t = 1800, requires = "photos")]
    count: usize,
    /// The run's seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Trains one run.
pub fn run(options: &TrainOptions, checked: &Checked) -> Result<()> {
    let (paper, file) = (options.paper, options.config.as_deref());
    let dataset = name_of(&options.dataset)?;
    if options.print_config {
        println!("{}", paper.settings(&dataset, &options.row, file)?);
        return Ok(());
    }
    let slug = paper.slug().to_string();
    let run = RunId { slug, dataset, row: options.row.clone(), seed: Seed(options.seed) };
    let folder = run.folder(&checked.places.results);
    if folder.is_finished() {
        checked.terminal.note(&format!("{} is finished", folder.0.display()));
    } else if Course::is_under_way(&folder) && !options.resume {
        return Err(Error::data(&folder.0, "no training under way, or --resume", "one that was stopped"));
    }
    let summary = paper.train(&run, file, &options.dataset, &checked.order())?;
    checked.terminal.clear();
    println!("{}\nrecorded in {}", serde_json::to_string_pretty(&summary)?, folder.0.display());
    Ok(())
}

/// Pre-trains a network; its weights go below the results folder, where every training looks first.
pub fn pretrain(options: &PretrainOptions, checked: &Checked) -> Result<()> {
    let config = match &options.photos {
        Some(folders) => PretrainConfig { photos: options.count, ..PretrainConfig::lite(options.method, folders) },
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
