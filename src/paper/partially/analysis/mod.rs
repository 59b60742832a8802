//! What is measured of finished runs beside accuracy.
//!
//! ```text
//! results/partially/<dataset>/<row>/seed<k>/analysis/
//!   flow.csv      query,photo,percent,cells,mass,moved: the share of regions with ink, of mass on them, and of mass that
//!                 goes from them to regions of the photo with an object, whole and with half left out
//!   plan.csv      query,photo,percent,from,to,share: the plans of a few pairs (embedded corpora alone)
//!   search.csv    query,photo,exact,first10,first25,first50,first100,half,byte: ranks by transport over all photos, over the
//!                 first by vectors, and with regions stored in 16 and in 8 bits
//! ```

mod flow;
mod search;
pub mod summary;

use super::Config;
use crate::experiment::{Analysis, Subject};
use crate::{Error, Result};

/// The rows with plans, and their labels.
pub const ROWS: [(&str, &str); 2] = [("local-ot", "Ours-Local-OT"), ("proposed", "Proposed")];

/// What can be measured, cheapest first.
pub fn list() -> Vec<Analysis> {
    let rows = || ROWS.map(|(row, _)| row.to_string()).to_vec();
    vec![Analysis::new("search", rows(), &["search"]), Analysis::new("flow", rows(), &["plan", "flow"])]
}

/// Measures a part on the runs that do not have it yet.
pub(super) fn measure(part: &str, subjects: &[Subject<Config>]) -> Result<()> {
    subjects.iter().try_for_each(|subject| match part {
        "search" => search::measure(subject),
        "flow" => flow::measure(subject),
        other => {
            let names: Vec<&str> = list().iter().map(|analysis| analysis.name).collect();
            Err(Error::value("part", names.join(", "), other))
        }
    })
}
