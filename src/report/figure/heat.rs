//! A table of numbers as coloured cells, e.g. accuracy by pre-training (rows) and by source of the ranking (columns).

use super::canvas::{Area, GRID, INK, TextSize, fail, render, text, width, write};
use super::head::{EDGE, Head};
use super::ramp::{legible, pale};
use crate::report::table::NOT_RUN;
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Pixels of a cell, at least, and its height.
const CELL: (i32, i32) = (84, 44);

/// Height of the names of the columns, in pixels.
const NAMES: i32 = 44;

/// Pixels between what the columns are compared with and the columns.
const GAP: i32 = 14;

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    /// The title.
    pub title: String,
    /// Smaller, below the title: what a number is.
    pub note: String,
    /// The heading of the rows, left of their names.
    pub row: String,
    /// The heading of the columns, above their names.
    pub column: String,
    /// From top to bottom.
    pub rows: Vec<String>,
    /// From left to right.
    pub columns: Vec<String>,
    /// A number for each row and column, row by row; none where it was not measured.
    pub values: Vec<Option<f64>>,
    /// The column that all are compared with: its name and a number for each row. It stands left of them, and below every
    /// number of theirs stands the difference.
    pub base: Option<(String, Vec<Option<f64>>)>,
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
        let widths: Result<Vec<u32>> = names.iter().map(|name| width(name, TextSize::Small)).collect();
        Ok(widths?.into_iter().max().unwrap_or(0) as i32)
    };
    let base = heat.base.as_slice();
    let bases: Vec<String> = base.iter().map(|base| base.0.clone()).collect();
    let cell = CELL.0.max(widest(&heat.columns)?.max(widest(&bases)?) + 12);
    let left = EDGE + widest(&heat.rows)?.max(width(&heat.row, TextSize::Normal)? as i32) + 12;
    let inner = left + (cell + GAP) * bases.len() as i32;
    let right = inner + cell * heat.columns.len() as i32;
    // As wide as the cells, or a little more for what stands above; the rest of a long note goes to a second line.
    let least = 2 * EDGE + width(&heat.title, TextSize::Title)? as i32;
    let size = u32::try_from(least.max(right + 16)).unwrap_or(0);
    let head = Head::of(&heat.title, &heat.note, size)?;
    let top = head.height() + NAMES;
    let bottom = top + CELL.1 * heat.rows.len() as i32;
    render((size, u32::try_from(bottom + 16).unwrap_or(0)), |area| {
        head.draw(area)?;
        write(area, &heat.column, ((inner + right) / 2, top - 40), text(TextSize::Normal, INK, HPos::Center))?;
        write(area, &heat.row, (left - 10, top - 16), text(TextSize::Normal, INK, HPos::Right))?;
        let starts = (0..heat.columns.len() as i32).map(|i| inner + cell * i);
        for (name, x) in bases.iter().zip([left]).chain(heat.columns.iter().zip(starts)) {
            write(area, name, (x + cell / 2, top - 16), text(TextSize::Small, INK, HPos::Center))?;
        }
        let range = range(heat);
        for (i, name) in heat.rows.iter().enumerate() {
            let y = top + CELL.1 * i as i32;
            write(area, name, (left - 10, y + CELL.1 / 2), text(TextSize::Small, INK, HPos::Right))?;
            let base = base.first().map(|base| base.1[i]);
            if let Some(value) = base {
                draw_cell(area, (value, None), range, heat.decimals, ((left, y), cell))?;
            }
            let values = heat.values.iter().skip(i * heat.columns.len()).take(heat.columns.len());
            for (value, x) in values.zip((0..).map(|i| inner + cell * i)) {
                draw_cell(area, (*value, base.flatten()), range, heat.decimals, ((x, y), cell))?;
            }
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
    if let Some((name, values)) = heat.base.as_ref().filter(|base| base.1.len() != heat.rows.len()) {
        return Err(Error::value(name, format!("{} values", heat.rows.len()), values.len()));
    }
    match all(heat).find(|value| !value.is_finite()) {
        Some(value) => Err(Error::value(&heat.title, "finite values", value)),
        None => Ok(()),
    }
}

/// Every number that is shown.
fn all(heat: &Heat) -> impl Iterator<Item = &f64> {
    heat.values.iter().chain(heat.base.iter().flat_map(|base| &base.1)).flatten()
}

/// The smallest and the largest number.
fn range(heat: &Heat) -> (f64, f64) {
    all(heat).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// Draws a number, or that there is none, and below it how far it is from another.
fn draw_cell(
    area: &Area<'_>,
    (value, base): (Option<f64>, Option<f64>),
    (low, high): (f64, f64),
    decimals: usize,
    ((x, y), cell): ((i32, i32), i32),
) -> Result<()> {
    // A white line between cells.
    let corners = [(x + 1, y + 1), (x + cell - 1, y + CELL.1 - 1)];
    let (centre, middle) = (x + cell / 2, y + CELL.1 / 2);
    let Some(value) = value else {
        area.draw(&Rectangle::new(corners, GRID)).map_err(fail)?;
        return write(area, NOT_RUN, (centre, middle), text(TextSize::Small, INK, HPos::Center));
    };
    // Values that are all the same get the middle colour.
    let colour = pale(if high > low { (value - low) / (high - low) } else { 0.5 });
    area.draw(&Rectangle::new(corners, colour.filled())).map_err(fail)?;
    let style = |size| text(size, legible(colour), HPos::Center);
    if let Some(base) = base {
        let difference = format!("{:+.decimals$}", value - base);
        write(area, &difference, (centre, middle + 10), style(TextSize::Small))?;
    }
    let up = if base.is_some() { 8 } else { 0 };
    write(area, &format!("{value:.decimals$}"), (centre, middle - up), style(TextSize::Normal))
}
