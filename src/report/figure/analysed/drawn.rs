//! Retrieval while the sketch is being drawn, in the steps of its analysis; [`crate::report::figure::early`] shows the steps
//! of ten that every run records.

use super::{Rows, over_seeds};
use crate::Result;
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Panel, note, top};
use crate::report::records::Records;
use crate::report::score::read_early;

/// Acc@1 against the share of the sketch that is drawn. `tenths` names the figure in tenths: the note points to it where
/// that one is of more seeds, for a seed alone can be off by more than what rows differ by.
///
/// # Errors
/// A record that cannot be read.
pub fn drawn(records: &Records, rows: Rows, title: &str, tenths: &str) -> Result<Option<String>> {
    let Some((lines, counts)) = over_seeds(records, rows, "early", &|folder| folder.acc1_by("early", "percent"))?
    else {
        return Ok(None);
    };
    let panel = Panel {
        title: title.into(),
        note: format!("{}{}", note(&counts), see_tenths(records, rows, &counts, tenths)?),
        x: Axis::new("Share of the sketch drawn (% of its points)", (0.0, 100.0)),
        y: Axis::new("Acc@1 (%)", (0.0, top(&lines))),
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Band,
    };
    panel::draw_row((640, 400), &[panel]).map(Some)
}

/// For the note of the figure in tenths: where that of [`drawn`] is; empty where there is none.
pub fn see_drawn(records: &Records, rows: Rows, name: &str) -> String {
    let is_drawn = rows.iter().all(|(row, _)| records.first_analysed(row, "early").is_some());
    if is_drawn { format!("see {name} for steps of 5%") } else { String::new() }
}

/// Where a figure of more than `counts` seeds is; empty where there is none.
fn see_tenths(records: &Records, rows: Rows, counts: &[usize], name: &str) -> Result<String> {
    let mut seeds = usize::MAX;
    for (row, _) in rows {
        let mut count = 0;
        for run in &records.runs(row)? {
            count += usize::from(!read_early(run)?.is_empty());
        }
        seeds = seeds.min(count);
    }
    let more = counts.iter().any(|count| *count < seeds);
    Ok(if more { format!("; see {name} for the mean over {seeds} seeds") } else { String::new() })
}
