//! `retrace table`, `retrace figure`, `retrace claims`.

use super::check::{Checked, slug};
use clap::Args;
use retrace::Result;
use retrace::paper::photo_pretraining::table::{EMBEDDED, main_table, readme};
use retrace::paper::photo_pretraining::{SLUG, figure as paper_figure};
use retrace::report::{block, claim, render, table as tables};
use retrace::train::Watch;
use std::path::PathBuf;

/// Options as typed.
#[derive(Debug, Args)]
pub struct Options {
    /// The paper
    #[arg(default_value = SLUG, value_parser = slug)]
    slug: String,
    /// Also fill the generated parts of a markdown file, such as README.md
    #[arg(long, value_name = "FILE", hide = true)]
    readme: Option<PathBuf>,
}

/// Table, figures and claims.
pub fn everything(slug: &str, checked: &Checked) -> Result<()> {
    let options = Options { slug: slug.to_string(), readme: None };
    figure(&options, checked)?;
    claims(&options, checked)?;
    table(&options, checked)
}

/// Prints and writes the table.
pub fn table(options: &Options, checked: &Checked) -> Result<()> {
    let (table, written) = tables::write(&checked.places.results, &main_table())?;
    println!("{}", render::terminal(&table));
    let written: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    println!("written to {}", written.join(", "));
    match &options.readme {
        Some(path) => block::rewrite(path, &readme(&checked.places.results)?),
        None => Ok(()),
    }
}

/// Draws everything that there are records for.
pub fn figure(_: &Options, checked: &Checked) -> Result<()> {
    for path in paper_figure::draw_records(&checked.places)? {
        println!("written to {}", path.display());
    }
    for dataset in EMBEDDED {
        for path in paper_figure::draw_gallery(dataset, &checked.order())? {
            checked.terminal.clear();
            println!("written to {}", path.display());
        }
    }
    Ok(())
}

/// Prints and writes the verdicts.
pub fn claims(_: &Options, checked: &Checked) -> Result<()> {
    let (findings, path) = claim::write(&checked.places.results)?;
    println!("{}", claim::terminal(&findings));
    checked.terminal.note(&format!("written to {}", path.display()));
    Ok(())
}
