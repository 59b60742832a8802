//! A table of numbers as coloured cells, e.g. accuracy by pre-training (rows) and by source of the ranking (columns).

use super::canvas::{Area, GRID, INK, Size, fail, render, text, width, write};
use super::ramp::{legible, pale};
use crate::report::table::NOT_RUN;
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Pixels of a cell, at least, and its height.
const CELL: (i32, i32) = (84, 44);

/// Where the names of the columns start, in pixels, and where the cells.
const NAMES: i32 = 64;
const HEAD: i32 = 104;

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    /// Above all.
    pub title: String,
    /// Smaller, below the title: what a number is.
    pub note: String,
    /// What the rows are, left of their names.
    pub row: String,
    /// What the columns are, above their names.
    pub column: String,
    /// From top to bottom.
    pub rows: Vec<String>,
    /// From left to right.
    pub columns: Vec<String>,
    /// A number for each row and column, row by row; none where it was not measured.
    pub values: Vec<Option<f64>>,
    /// Digits after the point.
    pub decimals: usize,
}

/// Draws a table: the larger a number, the darker its cell; cells without one say so.
///
/// # Errors
/// No row or column, another number of values than of cells, a value that is not finite, or a character that the font
/// lacks.
pub fn draw(heat: &Heat) -> Result<String> {
    check(heat)?;
    let widest = |names: &[String]| -> Result<i32> {
        let widths: Result<Vec<u32>> = names.iter().map(|name| width(name, Size::Small)).collect();
        Ok(widths?.into_iter().max().unwrap_or(0) as i32)
    };
    let left = 14 + widest(&heat.rows)?.max(width(&heat.row, Size::Normal)? as i32) + 12;
    let cell = CELL.0.max(widest(&heat.columns)? + 12);
    let right = left + cell * heat.columns.len() as i32;
    let least = 28 + width(&heat.note, Size::Small)?.max(width(&heat.title, Size::Title)?) as i32;
    let size = (least.max(right + 16), HEAD + CELL.1 * heat.rows.len() as i32 + 16);
    let place = |row: usize, column: usize| (left + cell * column as i32, HEAD + CELL.1 * row as i32);
    render((u32::try_from(size.0).unwrap_or(0), u32::try_from(size.1).unwrap_or(0)), |area| {
        write(area, &heat.title, (14, 18), text(Size::Title, INK, HPos::Left))?;
        write(area, &heat.note, (14, 40), text(Size::Small, INK, HPos::Left))?;
        write(area, &heat.column, ((left + right) / 2, NAMES), text(Size::Normal, INK, HPos::Center))?;
        write(area, &heat.row, (left - 10, HEAD - 16), text(Size::Normal, INK, HPos::Right))?;
        for (i, name) in heat.columns.iter().enumerate() {
            write(area, name, (place(0, i).0 + cell / 2, HEAD - 16), text(Size::Small, INK, HPos::Center))?;
        }
        for (i, name) in heat.rows.iter().enumerate() {
            write(area, name, (left - 10, place(i, 0).1 + CELL.1 / 2), text(Size::Small, INK, HPos::Right))?;
        }
        let range = range(heat);
        for (i, value) in heat.values.iter().enumerate() {
            let (row, column) = (i / heat.columns.len(), i % heat.columns.len());
            draw_cell(area, *value, range, heat.decimals, (place(row, column), cell))?;
        }
        Ok(())
    })
}

fn check(heat: &Heat) -> Result<()> {
    let cells = heat.rows.len() * heat.columns.len();
    if cells == 0 || heat.values.len() != cells {
        let expected = format!("{} x {} values, at least one", heat.rows.len(), heat.columns.len());
        return Err(Error::value(&heat.title, expected, heat.values.len()));
    }
    match heat.values.iter().flatten().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::value(&heat.title, "finite values", value)),
        None => Ok(()),
    }
}

/// The smallest and the largest value.
fn range(heat: &Heat) -> (f64, f64) {
    let values = heat.values.iter().flatten();
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

fn draw_cell(
    area: &Area<'_>,
    value: Option<f64>,
    (low, high): (f64, f64),
    decimals: usize,
    ((x, y), cell): ((i32, i32), i32),
) -> Result<()> {
    // A white line between cells.
    let corners = [(x + 1, y + 1), (x + cell - 1, y + CELL.1 - 1)];
    let middle = (x + cell / 2, y + CELL.1 / 2);
    let Some(value) = value else {
        area.draw(&Rectangle::new(corners, GRID)).map_err(fail)?;
        return write(area, NOT_RUN, middle, text(Size::Small, INK, HPos::Center));
    };
    // Values that are all the same get the middle colour.
    let colour = pale(if high > low { (value - low) / (high - low) } else { 0.5 });
    area.draw(&Rectangle::new(corners, colour.filled())).map_err(fail)?;
    write(area, &format!("{value:.decimals$}"), middle, text(Size::Normal, legible(colour), HPos::Center))
}
