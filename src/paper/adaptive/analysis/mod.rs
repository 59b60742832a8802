//! The paper's analyses, on finished runs.
//!
//! ```text
//! results/adaptive/<dataset>/<row>/seed<k>/analysis/
//!   draws.csv      query,photo,task,draw0,...,draw9: ranks after adapting to ten draws of the support
//!   steps.csv      step,query,photo,rank: ranks after 0 to 5 steps at test
//!   margins.csv    task,margin,acc1,best,searched: the margin of each task and what it finds, and those of the best one by search
//! ```

mod draw;
mod margin;
mod step;
pub mod summary;

pub use draw::{DRAWS, tasks_of};

use super::{Adaptive, AdaptiveModel, Config};
use crate::Result;
use crate::dataset::Split;
use crate::experiment::{Analysis, Bench, Method, Origin, Paper, Queries, Subject};

/// The rows that adapt, whose draws are compared.
pub const ADAPTING: [&str; 11] = [
    "fine-tune+shots=1",
    "fine-tune",
    "fine-tune+shots=10",
    "maml",
    "anil+shots=1",
    "anil",
    "anil+shots=10",
    "sign-maml",
    "ours+shots=1",
    "ours",
    "ours+shots=10",
];

/// What can be measured, cheapest first.
pub fn list() -> Vec<Analysis> {
    let rows = |rows: &[&str]| rows.iter().map(ToString::to_string).collect::<Vec<_>>();
    vec![
        Analysis::new("draws", rows(&[&["baseline"], &ADAPTING[..]].concat()), &["draws"]),
        Analysis::new("steps", rows(&["anil", "ours"]), &["steps"]),
        Analysis { first_seed: true, ..Analysis::new("margins", rows(&["ours"]), &["margins"]) },
    ]
}

/// Measures a part on the runs that do not have it yet.
pub(super) fn measure(part: &str, subjects: &[Subject<Config>]) -> Result<()> {
    subjects.iter().try_for_each(|subject| match part {
        "draws" => draw::measure(subject),
        "steps" => step::measure(subject),
        "margins" => margin::measure(subject),
        other => {
            let names: Vec<&str> = list().iter().map(|analysis| analysis.name).collect();
            Err(crate::Error::value("part", names.join(", "), other))
        }
    })
}

/// The trained network of a run on its test part, and what is ranked.
fn open(subject: &Subject<Config>) -> Result<(AdaptiveModel, Queries)> {
    let (run, order) = (&subject.run, subject.order);
    let bench = Bench::open(&run.dataset, order.places)?;
    let origin = subject.checkpoint(&Adaptive)?;
    let network = Adaptive.load(run, Origin::Checkpoint(&origin, order.places), order.device)?;
    let mut model = AdaptiveModel::open(network, &bench, &[Split::Test], order)?;
    model.remember()?;
    Ok((model, Adaptive.queries(&run.dataset, &run.row, bench.index(), Split::Test)))
}
