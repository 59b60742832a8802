//! `retrace table`, `retrace figure`, `retrace claims`.

use super::check::{Checked, slug};
use clap::Args;
use retrace::paper::photo_pretraining::analysis::summary;
use retrace::paper::photo_pretraining::protocol::{checkpoint_path, first_seed};
use retrace::paper::photo_pretraining::table::{EMBEDDED, measured, tables as paper_tables};
use retrace::paper::photo_pretraining::{PRINTED, Retrieval, SLUG, figure as paper_figure, page};
use retrace::report::table::TableSpec;
use retrace::report::{block, claim, cost, render};
use retrace::{Error, Result};
use std::path::{Path, PathBuf};

/// Options as typed.
#[derive(Debug, Args)]
pub struct Options {
    /// The paper
    #[arg(default_value = SLUG, value_parser = slug)]
    slug: String,
}

/// Options as typed.
#[derive(Debug, Args)]
pub struct TableOptions {
    #[command(flatten)]
    paper: Options,
    /// Which tables to print: main, table1, table2, table3, table4, strength; all are written
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "main")]
    name: Vec<String>,
    /// Also fill the generated parts of README.md and of the paper's page in results/
    #[arg(long, hide = true)]
    readme: bool,
}

/// Tables, figures and claims.
pub fn everything(slug: &str, checked: &Checked) -> Result<()> {
    let paper = Options { slug: slug.to_string() };
    figure(&paper, checked)?;
    claims(&paper, checked)?;
    table(&TableOptions { paper, name: vec!["main".into()], readme: false }, checked)
}

/// Prints and writes the tables.
pub fn table(options: &TableOptions, checked: &Checked) -> Result<()> {
    let specs = tables_of(&options.paper.slug)?;
    let known = || specs.iter().map(|spec| spec.name).collect::<Vec<_>>();
    if let Some(other) = options.name.iter().find(|name| !known().contains(&name.as_str())) {
        return Err(Error::value("--name", known().join(", "), other));
    }
    for spec in &specs {
        let (table, written) = render::write(&checked.places.results, spec)?;
        if options.name.iter().any(|name| name == spec.name) {
            println!("{}", render::terminal(&table));
        }
        let written: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        println!("written to {}", written.join(", "));
    }
    for path in other_tables(&options.paper.slug, &checked.places.results)? {
        println!("written to {}", path.display());
    }
    match options.readme {
        true => rewrite_pages(&options.paper.slug, &checked.places.results),
        false => Ok(()),
    }
}

/// Fills the generated parts of the README and of the paper's page.
fn rewrite_pages(slug: &str, results: &Path) -> Result<()> {
    match slug {
        SLUG => {
            block::rewrite("README.md".as_ref(), &page::readme(results)?)?;
            block::rewrite(&results.join(slug).join("README.md"), &page::page(results)?)
        }
        _ => Err(Error::value("paper", SLUG, slug)),
    }
}

/// Draws everything that there are records for.
pub fn figure(options: &Options, checked: &Checked) -> Result<()> {
    let written = figures_of(&options.slug, checked)?;
    checked.terminal.clear();
    written.iter().for_each(|path| println!("written to {}", path.display()));
    Ok(())
}

/// Prints and writes the verdicts.
pub fn claims(options: &Options, checked: &Checked) -> Result<()> {
    let (findings, path) = claim::write(&checked.places.results, &claim::Claim::read_all(&PRINTED)?)?;
    let own: Vec<_> = findings.into_iter().filter(|finding| finding.claim.printed.slug == options.slug).collect();
    println!("{}", claim::terminal(&own));
    println!("written to {}", path.display());
    Ok(())
}

/// The one place where a paper's name leads to its tables.
fn tables_of(slug: &str) -> Result<Vec<TableSpec>> {
    match slug {
        SLUG => Ok(paper_tables().into()),
        _ => Err(Error::value("paper", SLUG, slug)),
    }
}

/// What is no table of accuracies: analyses and cost.
fn other_tables(slug: &str, results: &Path) -> Result<Vec<PathBuf>> {
    match slug {
        SLUG => Ok([summary::write(results, &measured())?, cost::write(results, SLUG)?].concat()),
        _ => Err(Error::value("paper", SLUG, slug)),
    }
}

/// The one place where a paper's name leads to its figures.
fn figures_of(slug: &str, checked: &Checked) -> Result<Vec<PathBuf>> {
    if slug != SLUG {
        return Err(Error::value("paper", SLUG, slug));
    }
    let mut written = paper_figure::draw_records(&checked.places)?;
    for dataset in EMBEDDED {
        let (results, row) = (&checked.places.results, "ours");
        if checkpoint_path(results, dataset, row).is_file() && first_seed(results, dataset, row).is_finished() {
            let retrieval = Retrieval::of_row(results, dataset, row, dataset, &checked.order())?;
            written.push(paper_figure::draw_gallery(dataset, &retrieval, &checked.places)?);
        }
        written.push(paper_figure::draw_sheet(dataset, &checked.places)?);
    }
    Ok(written)
}
