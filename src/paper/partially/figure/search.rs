//! What a query costs over the size of the gallery (supplement, B.3).

use crate::file::read_csv;
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Panel, PanelLine};
use crate::{Error, Result};
use polars::prelude::DataFrame;
use std::path::Path;

/// What was measured, and its name in the figure.
const LINES: [(&str, &str); 4] = [
    ("vectors", "One vector (fast)"),
    ("pairwise attention", "Pairs (slow)"),
    ("transport", "Regions (middle)"),
    ("two stages", "Two stages"),
];

/// Seconds and megabytes over the size of the gallery; none before the benchmark ran.
///
/// # Errors
/// A table that cannot be read.
pub(super) fn draw(results: &Path) -> Result<Option<String>> {
    let path = results.join("bench/search.csv");
    if !path.is_file() {
        return Ok(None);
    }
    let frame = read_csv(&path)?;
    let read = |column, unit| {
        lines(&frame, column, unit).map_err(|error| Error::data(&path, "the table of the benchmark", error))
    };
    let panels = [
        panel(
            "Time of a query",
            "Milliseconds",
            read("seconds", 1000.0)?,
            "one thread, median of three queries; features are kept",
        ),
        panel(
            "Memory of a gallery",
            "Megabytes",
            read("megabytes", 1.0)?,
            "32 bits a number; 16 regions of 256 numbers",
        ),
    ];
    panel::draw_row((1_120, 420), &panels).map(Some)
}

fn panel(title: &str, unit: &str, lines: Vec<PanelLine>, note: &str) -> Panel {
    let means = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.mean));
    let (low, high) = (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max));
    let decades = (low.floor() as i32..=high.ceil() as i32).map(|ten| (f64::from(ten), said(ten))).collect();
    let sizes = [(2.0, "100"), (3.0, "1,000"), (4.0, "10,000"), (5.0, "100,000")];
    Panel {
        title: title.into(),
        note: note.into(),
        x: Axis { name: "Photos".into(), range: (2.0, 5.0), ticks: sizes.map(|(at, text)| (at, text.into())).to_vec() },
        y: Axis { name: unit.into(), range: (low.floor(), high.ceil()), ticks: decades },
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Band,
    }
}

/// A power of ten as it is read.
fn said(ten: i32) -> String {
    if ten < 0 { format!("{:.*}", -ten as usize, 10f64.powi(ten)) } else { format!("{}", 10_u64.pow(ten as u32)) }
}

/// A column, times a factor, by the size of the gallery, both as logarithms.
fn lines(frame: &DataFrame, column: &str, unit: f64) -> Result<Vec<PanelLine>> {
    let names = frame.column("search")?.str()?;
    let numbers = |name: &str| -> Result<Vec<f64>> {
        let cells = frame.column(name)?.cast(&polars::prelude::DataType::Float64)?;
        Ok(cells.f64()?.iter().map(|cell| cell.unwrap_or(f64::NAN)).collect())
    };
    let (photos, values, threads) = (numbers("photos")?, numbers(column)?, numbers("threads")?);
    let mut found = Vec::new();
    for (name, label) in LINES {
        let own = (0..frame.height()).filter(|row| names.get(*row) == Some(name) && threads[*row] == 1.0);
        let mut points: Vec<(f64, f64)> = own.map(|row| (photos[row].log10(), (unit * values[row]).log10())).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if !points.is_empty() {
            found.push(PanelLine::of(label, vec![points])?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_shows_every_search_that_was_measured() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(draw(place.path()).unwrap(), None);
        let mut text = "search,photos,threads,seconds,megabytes,device,versions\n".to_string();
        for (name, seconds) in [("vectors", 1e-5), ("transport", 1e-2), ("pairwise attention", 3e-2)] {
            for photos in [100, 1000] {
                text +=
                    &format!("{name},{photos},1,{},{},cpu,1\n", seconds * f64::from(photos), 0.01 * f64::from(photos));
            }
        }
        crate::file::write_atomic(&place.path().join("bench/search.csv"), text.as_bytes()).unwrap();
        let svg = draw(place.path()).unwrap().unwrap();
        assert!(svg.contains("Regions (middle)") && svg.contains("10,000") && !svg.contains("Two stages"));
        assert_eq!((said(-3), said(2)), ("0.001".to_string(), "100".to_string()));
    }
}
