//! What the network draws of sketches, and the share of words in use.

use super::super::analysis::ROWS;
use crate::report::analysis::Folder;
use crate::report::figure::axis::Axis;
use crate::report::figure::curve::read_log;
use crate::report::figure::panel::{self, Deviation, Panel, PanelLine, note};
use crate::report::figure::picture_grid::{self, PictureCell, PictureGrid, PictureRow};
use crate::report::records::Records;
use crate::run::RunFolder;
use crate::{Error, Result};
use image::RgbImage;

/// Side of a picture in `reconstructions.png`.
const SIDE: u32 = super::super::coder::SIDE as u32;

/// Lines of that picture: sketches, by word, by mixture, of seen and of unseen categories.
const LINES: u32 = 6;

/// The reconstructions, where they may be shown, beside the share of words in use; none where there is neither.
///
/// # Errors
/// A record that cannot be read.
pub(super) fn draw(records: &Records) -> Result<Option<String>> {
    let (rows, beside) = (rows(records)?, used(records)?);
    let Some(columns) = rows.first().map(|row| row.cells.len()) else {
        return beside.map(|panel| panel::draw_row((640, 400), &[panel])).transpose();
    };
    let grid = PictureGrid {
        title: format!("What the network draws of a sketch through a word of its dictionary, {}", records.dataset),
        note: "The first sketch of categories at even steps, as the network sees it, and below it its reconstructions: from \
               the most probable word, which retrieval takes, and of soft assignment also from the mixture of words that it \
               learned with; both with 2% of the sketch's own code (Eq. 2). The first seed."
            .into(),
        heads: vec![(String::new(), columns)],
        rows,
        beside,
    };
    picture_grid::draw(&grid).map(Some)
}

/// Sketches of seen and of unseen categories, each above its reconstructions by either row.
fn rows(records: &Records) -> Result<Vec<PictureRow>> {
    let mut found = Vec::new();
    for (row, label) in ROWS {
        let Some(folder) = records.first_analysed(row, "dictionary") else { continue };
        let Some(lines) = read(&folder)? else { continue };
        found.push((label, lines));
    }
    let Some((_, first)) = found.first() else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for (part, name) in ["seen", "unseen"].into_iter().enumerate() {
        let row = |label: String, lines: &Vec<Vec<RgbImage>>, at: usize| PictureRow {
            label,
            cells: lines[3 * part + at].iter().cloned().map(PictureCell::plain).collect(),
        };
        rows.push(row(format!("Sketches, {name}"), first, 0));
        for (label, lines) in &found {
            rows.push(row(label.to_string(), lines, 1));
            let is_mixed = lines[1] != lines[2]; // hard assignment has no mixture
            rows.extend(is_mixed.then(|| row(format!("{label}, mixture"), lines, 2)));
        }
    }
    Ok(rows)
}

/// The six lines of `reconstructions.png`; none where there is no such file.
fn read(folder: &Folder) -> Result<Option<Vec<Vec<RgbImage>>>> {
    let path = folder.0.join("reconstructions.png");
    if !path.is_file() {
        return Ok(None);
    }
    let whole = image::open(&path).map_err(|error| Error::data(&path, "a picture", error))?.to_rgb8();
    if whole.height() != LINES * SIDE || whole.width() < SIDE {
        let expected = format!("{LINES} lines of pictures of {SIDE} pixels");
        return Err(Error::data(&path, expected, format!("{} x {}", whole.width(), whole.height())));
    }
    let cut = |x: u32, y: u32| image::imageops::crop_imm(&whole, x * SIDE, y * SIDE, SIDE, SIDE).to_image();
    Ok(Some((0..LINES).map(|y| (0..whole.width() / SIDE).map(|x| cut(x, y)).collect()).collect()))
}

/// The share of words in use over the training, of rows whose records have it.
fn used(records: &Records) -> Result<Option<Panel>> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in ROWS {
        let mut curves = Vec::new();
        for run in records.runs(row)? {
            let folder = RunFolder(run.folder.0.join("descriptor"));
            if folder.0.join("log.jsonl").is_file() {
                let points = read_log(&folder, "used")?.into_iter();
                curves.push(points.map(|(epoch, share)| (epoch, 100.0 * share)).collect());
            }
        }
        let line = PanelLine::of(label, curves)?;
        if !line.points.is_empty() {
            counts.push(line.seeds.len());
            lines.push(line);
        }
    }
    let last = lines.iter().flat_map(|line| &line.points).map(|point| point.x).fold(1.0, f64::max);
    Ok((!lines.is_empty()).then(|| Panel {
        title: "Words in use while it learns".into(),
        note: note(&counts),
        x: Axis::new("Pass over the training sketches", (0.0, last)),
        y: Axis::new("Words that a training sketch or more has (%)", (0.0, 100.0)),
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Band,
    }))
}
