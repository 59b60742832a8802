//! Training curves: loss and validation accuracy over the epochs.

use super::axis::Axis;
use super::panel::{self, Deviation, Panel, PanelLine, note, top};
use crate::report::record::read_row;
use crate::run::RunFolder;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// What the two panels show: field of `log.jsonl`, title, name of the axis.
const PANELS: [(&str, &str, &str); 2] = [
    ("loss", "training loss", "Loss of the task, mean over batches"),
    ("valid_acc1", "validation accuracy", "Acc@1 (%)"),
];

/// Draws the curves of some rows, each given as (folder, label), under titles that begin with `title`; none where no row
/// has a finished run that logged them.
///
/// A line is the mean over seeds at the epochs that all of them reached, its band one standard deviation.
///
/// # Errors
/// A run that is inconsistent, or a `log.jsonl` that does not parse; the line is named.
pub fn draw(results: &Path, slug: &str, dataset: &str, title: &str, rows: &[(&str, &str)]) -> Result<Option<String>> {
    let mut panels = Vec::new();
    for (field, name, axis) in PANELS {
        let (lines, counts) = read_lines(results, slug, dataset, rows, field)?;
        let Some(last) = lines.iter().flat_map(|line| &line.points).map(|point| point.x).reduce(f64::max) else {
            return Ok(None);
        };
        panels.push(Panel {
            title: format!("{title}: {name}"),
            note: note(&counts),
            x: Axis::new("Epoch", (0.0, last)),
            y: Axis::new(axis, (0.0, top(&lines))),
            lines,
            levels: Vec::new(),
            marks: false,
            deviation: Deviation::Band,
        });
    }
    panel::draw_row((1100, 380), &panels).map(Some)
}

/// The lines of a field, and over how many seeds each of them is.
fn read_lines(
    results: &Path,
    slug: &str,
    dataset: &str,
    rows: &[(&str, &str)],
    field: &str,
) -> Result<(Vec<PanelLine>, Vec<usize>)> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in rows {
        let runs = read_row(results, slug, dataset, row)?;
        let seeds: Result<Vec<_>> = runs.iter().map(|run| read_log(&run.folder, field)).collect();
        let line = PanelLine::of(label, seeds?)?;
        if !line.points.is_empty() {
            counts.push(runs.len());
            lines.push(line);
        }
    }
    Ok((lines, counts))
}

/// A field of `log.jsonl` over the epochs, as (epoch, value); epochs that did not measure it are left out, and of an
/// epoch logged twice the later line counts.
///
/// # Errors
/// A missing file, or a line after the first that is no JSON object with a whole `epoch`.
pub fn read_log(folder: &RunFolder, field: &str) -> Result<Vec<(f64, f64)>> {
    let path = folder.0.join("log.jsonl");
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let mut values = BTreeMap::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let place =
            |found: String| Error::data(&path, format!("an object with an epoch in line {}", number + 1), found);
        let entry: serde_json::Value = serde_json::from_str(line).map_err(|error| place(error.to_string()))?;
        let epoch = entry.get("epoch").and_then(serde_json::Value::as_u64).ok_or_else(|| place(line.to_string()))?;
        if let Some(value) = entry.get(field).and_then(serde_json::Value::as_f64) {
            values.insert(epoch, value);
        }
    }
    Ok(values.into_iter().map(|(epoch, value)| (epoch as f64, value)).collect())
}
