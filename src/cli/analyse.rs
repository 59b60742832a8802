//! `retrace analyse`.

use super::check::{AnyPaper, Checked, or_all, paper};
use clap::Args;
use retrace::experiment::analyse::AnalysisSettings;
use retrace::{Error, Result};
use std::collections::BTreeSet;

/// Options as typed.
#[derive(Debug, Args)]
pub struct AnalyseOptions {
    /// The papers [default: all]
    #[arg(value_parser = paper)]
    papers: Vec<AnyPaper>,
    /// The corpora whose finished runs are looked at
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    dataset: Vec<String>,
    /// Only these parts, such as retrieval, separation, time or landscape; an unknown one lists those there are
    /// [default: all]
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    part: Vec<String>,
    /// Seeds to look at: 0 to N - 1; where something is not measured yet, a run whose checkpoint is not here (of later seeds
    /// only the cache of the machine that trained them has one) is trained again, which has to end as recorded
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

/// Measures what is not measured yet.
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
