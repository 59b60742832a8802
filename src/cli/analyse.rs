//! `retrace analyse`.

use super::check::{AnyPaper, Checked, or_all, paper};
use clap::Args;
use retrace::experiment::analyse::AnalysisSettings;
use retrace::{Error, Result};
use std::collections::BTreeSet;

/// Options of `retrace analyse`, as typed.
#[derive(Debug, Args)]
pub struct AnalyseOptions {
    /// The papers [default: all]
    #[arg(value_parser = paper)]
    papers: Vec<AnyPaper>,
    /// The corpora whose finished runs are analysed
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    dataset: Vec<String>,
    /// Only these parts, such as retrieval, separation, time or landscape; an unknown name lists all of them
    /// [default: all]
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    part: Vec<String>,
    /// Seeds to analyse: 0 to N - 1. A run without a checkpoint here is trained again and must end in the recorded ranks
    /// (checkpoints of later seeds are only in the cache of the machine that trained them)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

/// Measures what has not been measured yet.
pub fn run(options: &AnalyseOptions, checked: &Checked) -> Result<()> {
    let papers = or_all(&options.papers);
    check_parts(&papers, &options.part)?;
    for paper in papers {
        let known = paper.analyses();
        let is_wanted = |name: &str| options.part.is_empty() || options.part.iter().any(|part| part == name);
        let parts: Vec<&str> = known.iter().map(|analysis| analysis.name).filter(|name| is_wanted(name)).collect();
        for dataset in options.dataset.iter().filter(|_| !parts.is_empty()) {
            paper.analyse(dataset, &parts, options.seeds, &AnalysisSettings::default(), &checked.order())?;
        }
    }
    checked.terminal.clear();
    Ok(())
}

fn check_parts(papers: &[AnyPaper], parts: &[String]) -> Result<()> {
    let known: BTreeSet<&str> =
        papers.iter().flat_map(|paper| paper.analyses()).map(|analysis| analysis.name).collect();
    match parts.iter().find(|part| !known.contains(part.as_str())) {
        Some(other) => {
            Err(Error::value("--part", known.into_iter().collect::<Vec<_>>().join(", "), format!("`{other}`")))
        }
        None => Ok(()),
    }
}
