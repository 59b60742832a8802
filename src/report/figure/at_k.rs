//! Acc@K against K.

use super::axis::Axis;
use super::panel::{self, Deviation, Panel, PanelLine, note, top};
use crate::Result;
use crate::metric::acc_at;
use crate::report::record::Run;
use crate::report::records::Records;

/// The largest K.
const MOST: u32 = 10;

/// Draws some rows, each given as (folder, label), a line each: the mean over seeds, its band one standard deviation. Rows
/// without a finished run are left out; none where no row has one.
///
/// # Errors
/// A run that is inconsistent.
pub fn draw(records: &Records, title: &str, rows: &[(&str, &str)]) -> Result<Option<String>> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in rows {
        let curves = records.runs(row)?.iter().map(points).collect::<Result<Vec<_>>>()?;
        let line = PanelLine::of(label, curves)?;
        if !line.points.is_empty() {
            counts.push(line.seeds.len());
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let panel = Panel {
        title: title.into(),
        note: note(&counts),
        x: Axis {
            name: "K: the own photo is among the first K".into(),
            range: (0.0, f64::from(MOST)),
            ticks: (1..=MOST).map(|k| (f64::from(k), k.to_string())).collect(),
        },
        y: Axis::new("Acc@K (%)", (0.0, top(&lines))),
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Band,
    };
    panel::draw_row((640, 420), &[panel]).map(Some)
}

fn points(run: &Run) -> Result<Vec<(f64, f64)>> {
    let ranks = run.values();
    (1..=MOST).map(|k| Ok((f64::from(k), acc_at(&ranks, k)?))).collect()
}
