//! `retrace table`, `retrace figure`, `retrace claims`.

use super::check::{AnyPaper, Checked, or_all, paper};
use clap::Args;
use retrace::experiment::{Paper, figure as figures, page};
use retrace::paper::PAPERS;
use retrace::report::claim::{self, Claim, Finding};
use retrace::report::table::Table;
use retrace::report::{block, cost, overview, render};
use retrace::{Error, Result};
use std::path::{Path, PathBuf};

/// Options of `retrace table`, as typed.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// The papers [default: all]
    #[arg(value_parser = paper)]
    papers: Vec<AnyPaper>,
}

/// Options of `retrace figure`, as typed.
#[derive(Debug, Args)]
pub struct TableOptions {
    #[command(flatten)]
    papers: ShowOptions,
    /// Which tables to print; an unknown name lists all of them; all are written
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "main")]
    name: Vec<String>,
    /// Also fill the generated parts of README.md, benches/README.md, docs/world.md and of the papers' pages in results/
    #[arg(long, hide = true)]
    readme: bool,
}

/// Tables, figures and claims, in a few lines a paper.
pub fn everything(papers: &[AnyPaper], checked: &Checked) -> Result<()> {
    let (results, figures) = (&checked.places.results, &checked.places.figures);
    let (findings, _) = write_claims(checked)?;
    figures::draw_sheets(&checked.places)?;
    for paper in papers {
        let drawn = figures::draw(*paper, &checked.order())?.len();
        let (written, paths) = write_tables(*paper, results)?;
        checked.terminal.clear();
        if let Some(main) = written.first() {
            println!("{}", overview::text(main));
        }
        let own: Vec<Finding> = of(*paper, &findings);
        println!("Claims: {}. Each of them: retrace claims {}", claim::counts(&own), paper.slug());
        let (slug, tables) = (paper.slug(), results.join("tables").display().to_string());
        println!("{} tables in {tables}/{slug}, {drawn} figures in {}/{slug}\n", paths.len(), figures.display());
    }
    Ok(())
}

/// Prints and writes the tables.
pub fn table(options: &TableOptions, checked: &Checked) -> Result<()> {
    let (papers, results) = (or_all(&options.papers.papers), &checked.places.results);
    check_names(&papers, &options.name)?;
    for paper in papers {
        let (written, paths) = write_tables(paper, results)?;
        for table in written.iter().filter(|table| options.name.contains(&table.name)) {
            println!("{}", render::terminal(table));
        }
        paths.iter().for_each(|path| println!("written to {}", path.display()));
    }
    if options.readme { rewrite_pages(results) } else { Ok(()) }
}

fn check_names(papers: &[AnyPaper], names: &[String]) -> Result<()> {
    let known: Vec<&str> = papers.iter().flat_map(|paper| paper.tables()).map(|spec| spec.name).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(other) => Err(Error::value("--name", known.join(", "), format!("`{other}`"))),
        None => Ok(()),
    }
}

/// Writes the tables of a paper, and what else it has: analyses and cost.
fn write_tables(paper: AnyPaper, results: &Path) -> Result<(Vec<Table>, Vec<PathBuf>)> {
    let (mut written, mut paths) = (Vec::new(), Vec::new());
    for spec in &paper.tables() {
        let (table, files) = render::write(results, spec)?;
        written.push(table);
        paths.extend(files);
    }
    paths.extend(paper.more_tables(results)?);
    paths.extend(cost::write(results, paper.slug())?);
    Ok((written, paths))
}

/// Fills the generated parts of the README, of the pages of speeds and of embedded corpora, and of the papers' pages.
fn rewrite_pages(results: &Path) -> Result<()> {
    let papers: Vec<&dyn Paper> = PAPERS.iter().map(|paper| *paper as &dyn Paper).collect();
    block::rewrite("README.md".as_ref(), &page::readme(&papers, results)?)?;
    block::rewrite("benches/README.md".as_ref(), &page::speeds(results)?)?;
    block::rewrite("docs/world.md".as_ref(), &page::corpora(&papers, results)?)?;
    for paper in papers {
        block::rewrite(&results.join(paper.slug()).join("README.md"), &page::page(paper, results)?)?;
    }
    Ok(())
}

/// Draws every figure that has records, and the contact sheets of the embedded corpora.
pub fn figure(options: &ShowOptions, checked: &Checked) -> Result<()> {
    figures::draw_sheets(&checked.places)?.iter().for_each(|path| println!("written to {}", path.display()));
    for paper in or_all(&options.papers) {
        let written = figures::draw(paper, &checked.order())?;
        checked.terminal.clear();
        written.iter().for_each(|path| println!("written to {}", path.display()));
    }
    Ok(())
}

/// Prints and writes the verdicts.
pub fn claims(options: &ShowOptions, checked: &Checked) -> Result<()> {
    let (findings, path) = write_claims(checked)?;
    for paper in or_all(&options.papers) {
        let own = of(paper, &findings);
        println!("{}", claim::terminal(&own));
        println!("{}: {}", paper.citation(), claim::counts(&own));
        println!("once the number of comparisons is allowed for: {}", claim::corrected_counts(&own));
    }
    println!("written to {}", path.display());
    Ok(())
}

/// Tests the claims of all papers, which stand in one file.
fn write_claims(checked: &Checked) -> Result<(Vec<Finding>, PathBuf)> {
    let claims = PAPERS.iter().map(|paper| Claim::read_all(&paper.printed())).collect::<Result<Vec<_>>>()?.concat();
    claim::write(&checked.places.results, &claims)
}

fn of(paper: AnyPaper, findings: &[Finding]) -> Vec<Finding> {
    findings.iter().filter(|finding| finding.claim.printed.slug == paper.slug()).cloned().collect()
}
