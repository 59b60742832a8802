//! Analyses of finished runs: what is measured beside accuracy.
//!
//! ```text
//! results/<slug>/<dataset>/<row>/seed<k>/analysis/
//!   settings.json      what was measured, and of which ranks
//!   <name>.csv         one file a measurement; a paper says which it has, and what their columns are
//! ```

mod frame;
mod landscape;
mod ranked;
mod step;
mod subject;
mod watched;

pub use frame::{lines_frame, ranks_frame};
pub use landscape::{Batch, first_batches, landscape};
pub use step::{Stepper, memory, time};
pub use subject::{Analysis, AnalysisSettings, SEED, Subject};
pub use watched::{Seen, Watched};

use super::{Method, Order};
use crate::run::{RunConfig, RunFolder};
use crate::seed::Seed;
use crate::{Error, Result};
use serde::de::DeserializeOwned;

/// Measures what has not been measured yet on the finished runs of a corpus, of seeds below `seeds`.
///
/// # Errors
/// A part that the paper does not have; no run to analyse; a missing checkpoint that training again does not restore; a
/// folder that holds an analysis of another run or with other settings.
pub fn run<M: Method>(
    paper: &M,
    dataset: &str,
    parts: &[&str],
    seeds: u64,
    settings: &AnalysisSettings,
    order: &Order,
) -> Result<()> {
    let known = paper.analyses();
    let mut found = false;
    for part in parts {
        let analysis = known.iter().find(|analysis| analysis.name == *part).ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|analysis| analysis.name).collect();
            Error::value("part", names.join(", "), part)
        })?;
        let subjects = subjects(paper.slug(), dataset, analysis, seeds, settings, order)?;
        found |= !subjects.is_empty();
        measure(paper, analysis, subjects)?;
    }
    if found {
        return Ok(());
    }
    let expected = "a finished run to analyse (`retrace reproduce --train` trains one)";
    Err(Error::data(order.places.results.join(paper.slug()).join(dataset), expected, "none"))
}

fn subjects<'a, C: DeserializeOwned>(
    slug: &str,
    dataset: &str,
    analysis: &Analysis,
    seeds: u64,
    settings: &AnalysisSettings,
    order: &'a Order<'a>,
) -> Result<Vec<Subject<'a, C>>> {
    let mut subjects = Vec::new();
    for row in &analysis.rows {
        for seed in 0..if analysis.first_seed { seeds.min(1) } else { seeds } {
            let folder = RunFolder::of(&order.places.results, slug, dataset, row, Seed(seed));
            if folder.is_finished() {
                subjects.push(Subject::open(&folder, settings, order)?);
            } else {
                order.watch.note(&format!("{dataset} {row}, seed {seed}: no finished run, left out"));
            }
        }
    }
    Ok(subjects)
}

fn measure<M: Method>(paper: &M, analysis: &Analysis, mut subjects: Vec<Subject<M::Config>>) -> Result<()> {
    if analysis.together {
        let is_done = subjects.iter().all(|subject| subject.is_done(analysis));
        return if is_done { Ok(()) } else { paper.analyse(analysis.name, &subjects) };
    }
    subjects.retain(|subject| !subject.is_done(analysis));
    for subject in &subjects {
        let RunConfig { dataset, row, seed, .. } = &subject.run;
        subject.order.watch.note(&format!("{dataset} {row}, seed {}: {}", seed.0, analysis.name));
        paper.analyse(analysis.name, std::slice::from_ref(subject))?;
    }
    Ok(())
}
