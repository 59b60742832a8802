//! `retrace analyse`.

use super::check::{Checked, slug};
use clap::Args;
use retrace::Result;
use retrace::paper::photo_pretraining::SLUG;
use retrace::paper::photo_pretraining::analysis::{self, PARTS, Settings};

/// Options as typed.
#[derive(Debug, Args)]
pub struct Options {
    /// The paper
    #[arg(default_value = SLUG, value_parser = slug)]
    slug: String,
    /// The corpora whose finished runs are looked at
    #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
    dataset: Vec<String>,
    /// Only these: retrieval (robustness, early, smoothness, attribution), separation, time and memory (of a step of
    /// the first seed), landscape, dynamics [default: all]
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = PARTS)]
    part: Vec<String>,
    /// Seeds to look at: 0 to N - 1; where something is not measured yet, a run whose checkpoint is not here (of later seeds
    /// only the cache of the machine that trained them has one) is trained again, which has to end as recorded
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

/// Measures what is not measured yet.
pub fn run(options: &Options, checked: &Checked) -> Result<()> {
    let parts: Vec<&str> = options.part.iter().map(String::as_str).collect();
    let parts = if parts.is_empty() { &PARTS[..] } else { &parts };
    for dataset in &options.dataset {
        analysis::run(dataset, parts, options.seeds, &Settings::default(), &checked.order())?;
    }
    checked.terminal.clear();
    Ok(())
}
