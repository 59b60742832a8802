//! Table 4 as a figure.

use super::{name, records};
use crate::Result;
use crate::paper::photo_pretraining::table::{PRETRAININGS, base, cross};
use crate::report::figure::crossed::{self, Crossed};
use std::path::Path;

/// Table 4 as a matrix beside Ours-Base; none before one of its crossed cells was run.
///
/// A pre-training of which nothing was run has no line and no column: CLIP on real photos, which have no words.
///
/// # Errors
/// A record that cannot be read.
pub fn table4(results: &Path, dataset: &str) -> Result<Option<String>> {
    let crossed = Crossed {
        title: format!("Table 4: Acc@1 (%) of Ours by source of R, {dataset}"),
        question: "Whether R helps".into(),
        row: "Pre-training".into(),
        column: "Ours, source of R".into(),
        base: "Ours-Base".into(),
        kinds: PRETRAININGS.map(|own| name(&own).to_string()).into(),
        bases: PRETRAININGS.map(base).into(),
        cells: PRETRAININGS.map(|own| PRETRAININGS.map(|source| cross(own, source)).into()).into(),
    };
    crossed::draw(&records(results, dataset), &crossed)
}
