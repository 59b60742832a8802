//! Table 4 as a figure.

use super::{count_seeds, measured, name};
use crate::Result;
use crate::paper::photo_pretraining::table::{PRETRAININGS, base, cross};
use crate::report::figure::heat::{self, Heat};
use std::path::Path;

/// Table 4 as a matrix beside Ours-Base; none before one of its crossed cells was run.
///
/// # Errors
/// A record that does not read.
pub fn table4(results: &Path, dataset: &str) -> Result<Option<String>> {
    let (mut values, mut bases, mut own_seeds, mut crossed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for own in PRETRAININGS {
        let found = measured(results, dataset, &base(own))?;
        own_seeds.extend(found.as_ref().map(|found| found.seeds));
        bases.push(found.map(|found| found.acc1.0));
        for source in PRETRAININGS {
            let found = measured(results, dataset, &cross(own, source))?;
            let seeds = if own.weights == source.weights { &mut own_seeds } else { &mut crossed };
            seeds.extend(found.as_ref().map(|found| found.seeds));
            values.push(found.map(|found| found.acc1.0));
        }
    }
    if crossed.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = PRETRAININGS.map(|own| name(&own).to_string()).into();
    let heat = Heat {
        title: format!("Table 4: Acc@1 (%) of Ours by source of R, {dataset}"),
        note: format!(
            "Whether R helps: compare a cell with Ours-Base of its line; below each number stands the difference. Means \
             over seeds: Ours-Base and the diagonal {}, the other cells {}.",
            count_seeds(&own_seeds),
            count_seeds(&crossed)
        ),
        row: "Pre-training".into(),
        column: "Ours, source of R".into(),
        rows: names.clone(),
        columns: names,
        values,
        base: Some(("Ours-Base".into(), bases)),
        decimals: 1,
    };
    heat::draw(&heat).map(Some)
}
