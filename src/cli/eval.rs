//! `retrace eval`.

use super::check::{AnyPaper, Checked, paper};
use super::score::spell;
use clap::Args;
use retrace::dataset::name_of;
use retrace::experiment::first_seed;
use retrace::paper::PAPERS;
use retrace::{Error, Result};
use std::path::Path;

/// Options of `retrace eval`, as typed.
#[derive(Debug, Args)]
pub struct EvalOptions {
    /// The paper [default: the one that has such a row]
    #[arg(value_parser = paper)]
    paper: Option<AnyPaper>,
    /// The table row
    #[arg(long, required_unless_present = "from")]
    row: Option<String>,
    /// The corpus that the checkpoint was trained on
    #[arg(long, required_unless_present = "from")]
    dataset: Option<String>,
    /// Rank with a released model, <owner>/<name>[@<revision>], and compare with its card [needs the feature `hub`]
    #[arg(long, value_name = "REPOSITORY", conflicts_with_all = ["row", "dataset"])]
    from: Option<Released>,
    /// Rank another corpus with it: a name of `retrace data list`, or a folder
    #[arg(long, value_name = "NAME")]
    on: Option<String>,
    /// Adapt it to the training pairs of a folder with a `manifest.csv`, and rank what that lists as `test` [for rows that
    /// adapt]
    #[arg(long, value_name = "FOLDER", conflicts_with = "on")]
    adapt: Option<String>,
}

/// Where a released model is.
#[cfg(feature = "hub")]
type Released = retrace::hub::Address;
#[cfg(not(feature = "hub"))]
type Released = String;

/// Ranks with a shipped checkpoint, or with one from the Hub.
pub fn run(options: &EvalOptions, checked: &Checked) -> Result<()> {
    if let Some(address) = &options.from {
        return released(address, options, checked);
    }
    let (Some(row), Some(dataset)) = (&options.row, &options.dataset) else {
        let found = if options.row.is_none() { "no --row" } else { "no --dataset" };
        return Err(Error::value("eval", "--row and --dataset", found));
    };
    let (results, trained_on) = (&checked.places.results, name_of(dataset)?);
    let paper = options.paper.map_or_else(|| paper_of(&trained_on, row, results), Ok)?;
    let corpus = options.adapt.as_ref().or(options.on.as_ref()).unwrap_or(dataset);
    let retrieval = match &options.adapt {
        Some(pairs) => paper.adapt_row(results, &trained_on, row, pairs, &checked.order())?,
        None => paper.open_row(results, &trained_on, row, corpus, &checked.order())?,
    };
    checked.terminal.clear();
    let (queries, gallery) = (retrieval.ranks().len(), retrieval.queries().gallery_size());
    println!("{row} on {corpus}: {}", spell(&retrieval.scores()?, queries, gallery));
    Ok(())
}

#[cfg(feature = "hub")]
fn released(address: &Released, options: &EvalOptions, checked: &Checked) -> Result<()> {
    super::hub::eval(address, options.on.as_deref(), options.adapt.as_deref(), checked)
}

#[cfg(not(feature = "hub"))]
fn released(_: &Released, _: &EvalOptions, _: &Checked) -> Result<()> {
    super::no_hub::refuse("eval --from")
}

/// The one paper that has a record of a row on a corpus.
fn paper_of(dataset: &str, row: &str, results: &Path) -> Result<AnyPaper> {
    let has = |paper: &AnyPaper| first_seed(results, paper.slug(), dataset, row).is_finished();
    let found: Vec<AnyPaper> = PAPERS.into_iter().filter(has).collect();
    match found.as_slice() {
        [paper] => Ok(*paper),
        [] => Err(Error::data(results, format!("a finished run of {row} on {dataset}"), "none")),
        several => {
            let slugs: Vec<&str> = several.iter().map(|paper| paper.slug()).collect();
            Err(Error::value(format!("row {row}"), "the paper it is of, since several have it", slugs.join(", ")))
        }
    }
}
