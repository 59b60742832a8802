//! The command line: its commands, and where each is run.

mod analyse;
mod check;
mod data;
mod eval;
#[cfg(feature = "hub")]
mod hub;
mod import;
#[cfg(not(feature = "hub"))]
mod no_hub;
mod notebook;
mod progress;
mod record;
mod reproduce;
mod score;
mod show;
mod sketch;
mod train;
mod weights;

use check::Checked;
use clap::{Args, Parser, Subcommand};
use retrace::Result;
use retrace::device::Choice;
use std::path::PathBuf;

/// Fine-grained sketch-based image retrieval: find the one photo that a free-hand sketch shows.
///
/// Without a command: `retrace reproduce`.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
pub struct Options {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    places: PlaceOptions,
}

/// Places as typed.
#[derive(Debug, Args)]
struct PlaceOptions {
    /// Folder of records, tables and checkpoints [default: results; local/results for whatever trains]
    #[arg(long, global = true, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Folder of figures [default: figures; local/figures with `reproduce --train`]
    #[arg(long, global = true, value_name = "DIR")]
    figures: Option<PathBuf>,
    /// Folder of the real corpora [default: the variable RETRACE_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder of imported weights [default: the variable RETRACE_WEIGHTS, else local/weights]
    #[arg(long, global = true, value_name = "DIR")]
    weights: Option<PathBuf>,
    /// Where to compute: auto, cpu or cuda
    #[arg(long, global = true, value_name = "DEVICE", default_value = "auto")]
    device: Choice,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Rank with the shipped checkpoints, show the main tables and verdicts, write tables and figures
    Reproduce(reproduce::ReproduceOptions),
    /// Train one row on one corpus, or resume a stopped training
    Train(train::TrainOptions),
    /// Pre-train a network on synthetic photos, as was done for the shipped weights, or on photos of your own
    Pretrain(train::PretrainOptions),
    /// Rank the test queries of a corpus with a shipped checkpoint, or with one from the Hub
    Eval(eval::EvalOptions),
    /// Draw sketches of photos, as SVG and PNG, with a shipped generator
    Sketch(sketch::SketchOptions),
    /// Run the papers' analyses on finished runs
    Analyse(analyse::AnalyseOptions),
    /// Print papers' tables from the records and write them to results/tables/
    Table(show::TableOptions),
    /// Draw papers' figures from the records
    Figure(show::ShowOptions),
    /// Test papers' claims against the records
    Claims(show::ShowOptions),
    /// Check that records are whole: folders, settings, logs, ranks and summaries against each other
    Check(record::CheckOptions),
    /// List, check and show corpora
    #[command(subcommand)]
    Data(data::DataVerb),
    /// Notebooks: set their kernel up, open them, execute them
    #[command(subcommand)]
    Notebook(notebook::NotebookVerb),
    /// Fetch, import or list pre-trained weights
    #[command(subcommand)]
    Weights(weights::WeightsVerb),
    /// Publish checkpoints on the Hugging Face Hub
    #[cfg(feature = "hub")]
    Publish(hub::PublishArguments),
    /// Fetch a model from the Hugging Face Hub into the cache that Python shares
    #[cfg(feature = "hub")]
    Download(hub::DownloadArguments),
    /// Publish checkpoints on the Hugging Face Hub [needs the feature `hub`]
    #[cfg(not(feature = "hub"))]
    Publish(no_hub::Words),
    /// Fetch a model from the Hugging Face Hub [needs the feature `hub`]
    #[cfg(not(feature = "hub"))]
    Download(no_hub::Words),
}

/// Runs the command.
///
/// # Errors
/// Runs the command and returns its result.
pub fn run(options: Options) -> Result<()> {
    let verb = options.verb.unwrap_or_else(|| Verb::Reproduce(reproduce::ReproduceOptions::default()));
    // New records stay apart from the shipped ones unless the user says otherwise.
    let scratch = match &verb {
        Verb::Reproduce(options) => options.train,
        Verb::Train(_) | Verb::Pretrain(_) => true,
        _ => false,
    };
    let checked = Checked::new(options.places, scratch)?;
    match verb {
        Verb::Reproduce(options) => reproduce::run(&options, &checked),
        Verb::Train(options) => train::run(&options, &checked),
        Verb::Pretrain(options) => train::pretrain(&options, &checked),
        Verb::Eval(options) => eval::run(&options, &checked),
        Verb::Sketch(options) => sketch::run(&options, &checked),
        Verb::Analyse(options) => analyse::run(&options, &checked),
        Verb::Table(options) => show::table(&options, &checked),
        Verb::Figure(options) => show::figure(&options, &checked),
        Verb::Claims(options) => show::claims(&options, &checked),
        Verb::Check(options) => record::run(&options, &checked),
        Verb::Data(verb) => data::run(&verb, &checked),
        Verb::Notebook(verb) => notebook::run(&verb, &checked),
        Verb::Weights(verb) => weights::run(&verb, &checked),
        #[cfg(feature = "hub")]
        Verb::Publish(options) => hub::publish(&options, &checked),
        #[cfg(feature = "hub")]
        Verb::Download(options) => hub::download(&options, &checked),
        #[cfg(not(feature = "hub"))]
        Verb::Publish(words) => words.refuse("publish"),
        #[cfg(not(feature = "hub"))]
        Verb::Download(words) => words.refuse("download"),
    }
}
