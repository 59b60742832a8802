//! Pictures in rows and columns, with axes beside them where a figure has both.

use super::canvas::{GRID, INK, PALETTE, TextSize, fail, render, text, width, write};
use super::head::{EDGE, Head};
use super::panel::{self, Panel};
use super::picture::element;
use crate::{Error, Result};
use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Side of a picture as shown, and the space after it to the right and down.
const SIDE: i32 = 80;
const SPACE: (i32, i32) = (8, 10);

/// Height of a caption, and space before a group of columns.
const CAPTION: i32 = 16;
const GAP: i32 = 16;

/// Width of the axes beside the pictures.
const BESIDE: i32 = 480;

/// Pictures in rows and columns.
#[derive(Debug, Clone)]
pub struct PictureGrid {
    /// The title.
    pub title: String,
    /// Smaller, below the title.
    pub note: String,
    /// Above the columns, each with the number of columns that it stands over.
    pub heads: Vec<(String, usize)>,
    /// From top to bottom.
    pub rows: Vec<PictureRow>,
    /// Axes to the right.
    pub beside: Option<Panel>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct PictureRow {
    /// To its left.
    pub label: String,
    /// From left to right.
    pub cells: Vec<PictureCell>,
}

/// A picture of a row.
#[derive(Debug, Clone)]
pub struct PictureCell {
    /// The picture.
    pub picture: RgbImage,
    /// Below it; empty for none.
    pub caption: String,
    /// Whether it has a frame in the second colour.
    pub framed: bool,
}

impl PictureCell {
    /// A picture alone.
    pub fn plain(picture: RgbImage) -> Self {
        Self { picture, caption: String::new(), framed: false }
    }
}

/// Draws the pictures; columns under one head stand closer together.
///
/// # Errors
/// No row, a row of another number of cells than the heads have columns, an empty picture, or a text that would be cut.
pub fn draw(grid: &PictureGrid) -> Result<String> {
    let columns = columns(grid)?;
    let labels: Result<Vec<u32>> = grid.rows.iter().map(|row| width(&row.label, TextSize::Small)).collect();
    let left = EDGE + labels?.into_iter().max().unwrap_or(0) as i32 + 12;
    let right = left + columns.last().map_or(0, |last| last + SIDE) + SPACE.0;
    let size = right + if grid.beside.is_some() { BESIDE } else { EDGE };
    let least = width(&grid.title, TextSize::Title)? as i32 + 2 * EDGE;
    let size = size.max(least).unsigned_abs();
    let head = Head::of(&grid.title, &grid.note, size)?;
    let has_captions = grid.rows.iter().flat_map(|row| &row.cells).any(|cell| !cell.caption.is_empty());
    let step = SIDE + SPACE.1 + if has_captions { CAPTION } else { 0 };
    let top = head.height() + 26;
    let bottom = top + step * grid.rows.len() as i32 + 6;
    let mut pictures = String::new();
    let svg = render((size, bottom.unsigned_abs()), |area| {
        head.draw(area)?;
        let mut first = 0;
        for (name, span) in &grid.heads {
            let middle = (columns[first] + columns[first + span - 1] + SIDE) / 2;
            write(area, name, (left + middle, top - 14), text(TextSize::Small, INK, HPos::Center))?;
            first += span;
        }
        for (row, y) in grid.rows.iter().zip((0..).map(|i| top + step * i)) {
            write(area, &row.label, (left - 10, y + SIDE / 2), text(TextSize::Small, INK, HPos::Right))?;
            for (cell, x) in row.cells.iter().zip(columns.iter().map(|x| left + x)) {
                let corners =
                    [(-2, -2), (SIDE + 2, -2), (SIDE + 2, SIDE + 2), (-2, SIDE + 2), (-2, -2), (SIDE + 2, -2)];
                let corners = corners.map(|(dx, dy)| (x + dx, y + dy)).to_vec();
                let style = if cell.framed { PALETTE[1].stroke_width(2) } else { GRID.stroke_width(1) };
                area.draw(&PathElement::new(corners, style)).map_err(fail)?;
                let below = (x + SIDE / 2, y + SIDE + 11);
                write(area, &cell.caption, below, text(TextSize::Small, INK, HPos::Center))?;
                pictures += &element(&cell.picture, (x, y), SIDE)?;
            }
        }
        let room = (BESIDE, bottom - head.height());
        grid.beside
            .iter()
            .try_for_each(|panel| panel::draw_in(&area.clone().shrink((right, head.height()), room), panel))
    })?;
    Ok(svg.replacen("</svg>", &format!("{pictures}</svg>"), 1))
}

/// Where the columns begin, from the first one on.
fn columns(grid: &PictureGrid) -> Result<Vec<i32>> {
    let (mut columns, mut x) = (Vec::new(), 0);
    for (_, span) in &grid.heads {
        for _ in 0..*span {
            columns.push(x);
            x += SIDE + SPACE.0;
        }
        x += GAP;
    }
    let wrong = grid.rows.iter().find(|row| row.cells.len() != columns.len());
    if let Some(row) = wrong {
        return Err(Error::value(&row.label, format!("{} pictures", columns.len()), row.cells.len()));
    }
    if grid.rows.is_empty() || grid.heads.iter().any(|(_, span)| *span == 0) || columns.is_empty() {
        return Err(Error::value("pictures", "one row and one column or more", "none"));
    }
    Ok(columns)
}
