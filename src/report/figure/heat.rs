//! A table of numbers as coloured cells, e.g. accuracy by pre-training (rows) and by source of the ranking (columns).

use super::canvas::{Area, GRID, INK, TextSize, fail, render, text, width, write};
use super::head::{EDGE, Head};
use super::ramp::{diverging, legible};
use crate::metric::Interval;
use crate::report::table::NOT_RUN;
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Pixels of a cell, at least, and its height.
const CELL: (i32, i32) = (96, 56);

/// Height of the names of the columns, in pixels.
const NAMES: i32 = 44;

/// Height of the key below the cells, and width of each of its colours, in pixels.
const KEY: (i32, i32) = (44, 34);

/// Beside the key.
const KEY_SAYS: &str = "gain in points; bold: 0 is outside the interval";

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
    /// The column that all are compared with: its name and a number for each row. It stands left of them.
    pub base: (String, Vec<Option<f64>>),
    /// What each number gains over the base of its row, with its interval; it stands below the number and gives the colour.
    pub gains: Vec<Option<Interval>>,
    /// Digits after the point.
    pub decimals: usize,
}

/// Draws a table: a cell is the bluer the more its number gains, the redder the more it loses; gains whose intervals leave
/// 0 out are bold, cells without a number say so, and cells of a row and the column of its name have a border.
///
/// # Errors
/// No row or column, another number of values or gains than of cells, a value that is not finite, or a character that the font
/// lacks.
pub fn draw(heat: &Heat) -> Result<String> {
    check(heat)?;
    let widest = |names: &[String]| -> Result<i32> {
        let widths: Result<Vec<u32>> = names.iter().map(|name| width(name, TextSize::Small)).collect();
        Ok(widths?.into_iter().max().unwrap_or(0) as i32)
    };
    let cell = CELL.0.max(widest(&heat.columns)?.max(widest(std::slice::from_ref(&heat.base.0))?) + 12);
    let left = EDGE + widest(&heat.rows)?.max(width(&heat.row, TextSize::Normal)? as i32) + 12;
    let inner = left + cell + GAP;
    let right = inner + cell * heat.columns.len() as i32;
    // As wide as the cells, or a little more for what stands above; the rest of a long note goes to a second line.
    let least = 2 * EDGE + width(&heat.title, TextSize::Title)? as i32;
    let least = least.max(inner + KEY.1 * 5 + 10 + width(KEY_SAYS, TextSize::Small)? as i32 + EDGE);
    let size = u32::try_from(least.max(right + 16)).unwrap_or(0);
    let head = Head::of(&heat.title, &heat.note, size)?;
    let top = head.height() + NAMES;
    let bottom = top + CELL.1 * heat.rows.len() as i32;
    let most = heat.gains.iter().flatten().fold(0.0, |most: f64, gain| most.max(gain.effect.abs()));
    render((size, u32::try_from(bottom + KEY.0 + 16).unwrap_or(0)), |area| {
        head.draw(area)?;
        write(area, &heat.column, ((inner + right) / 2, top - 40), text(TextSize::Normal, INK, HPos::Center))?;
        write(area, &heat.row, (left - 10, top - 16), text(TextSize::Normal, INK, HPos::Right))?;
        let starts = (0..heat.columns.len() as i32).map(|i| inner + cell * i);
        for (name, x) in std::iter::once((&heat.base.0, left)).chain(heat.columns.iter().zip(starts.clone())) {
            write(area, name, (x + cell / 2, top - 16), text(TextSize::Small, INK, HPos::Center))?;
        }
        for (i, name) in heat.rows.iter().enumerate() {
            let y = top + CELL.1 * i as i32;
            write(area, name, (left - 10, y + CELL.1 / 2), text(TextSize::Small, INK, HPos::Right))?;
            draw_cell(area, heat, (heat.base.1[i], None, most), ((left, y), cell), false)?;
            for (j, x) in starts.clone().enumerate() {
                let at = i * heat.columns.len() + j;
                let is_own = heat.columns[j] == *name;
                draw_cell(area, heat, (heat.values[at], heat.gains[at], most), ((x, y), cell), is_own)?;
            }
        }
        draw_key(area, most, (inner, bottom + 14))
    })
}

/// What the colours stand for: five of them, from the largest loss to the largest gain.
fn draw_key(area: &Area<'_>, most: f64, (x, y): (i32, i32)) -> Result<()> {
    for (place, share) in [-1.0, -0.5, 0.0, 0.5, 1.0].into_iter().enumerate() {
        let left = x + KEY.1 * place as i32;
        area.draw(&Rectangle::new([(left, y), (left + KEY.1, y + 14)], diverging(share).filled())).map_err(fail)?;
        if share != -0.5 && share != 0.5 {
            let said = if share == 0.0 { "0".into() } else { format!("{:+.0}", share * most) };
            write(area, &said, (left + KEY.1 / 2, y + 24), text(TextSize::Small, INK, HPos::Center))?;
        }
    }
    let beside = (x + KEY.1 * 5 + 10, y + 7);
    write(area, KEY_SAYS, beside, text(TextSize::Small, INK, HPos::Left))
}

fn check(heat: &Heat) -> Result<()> {
    let cells = heat.rows.len() * heat.columns.len();
    if cells == 0 || heat.values.len() != cells {
        let expected = format!("{} x {} values, at least one", heat.rows.len(), heat.columns.len());
        return Err(Error::value(&heat.title, expected, heat.values.len()));
    }
    if heat.gains.len() != cells {
        return Err(Error::value(&heat.title, format!("{cells} gains"), heat.gains.len()));
    }
    if heat.base.1.len() != heat.rows.len() {
        return Err(Error::value(&heat.base.0, format!("{} values", heat.rows.len()), heat.base.1.len()));
    }
    let shown = heat.values.iter().chain(&heat.base.1).flatten();
    match shown.copied().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::value(&heat.title, "finite values", value)),
        None => Ok(()),
    }
}

/// Draws a number, or that there is none, and below it what it gains.
fn draw_cell(
    area: &Area<'_>,
    heat: &Heat,
    (value, gain, most): (Option<f64>, Option<Interval>, f64),
    ((x, y), cell): ((i32, i32), i32),
    is_own: bool,
) -> Result<()> {
    // A white line between cells.
    let corners = [(x + 1, y + 1), (x + cell - 1, y + CELL.1 - 1)];
    let (centre, middle, decimals) = (x + cell / 2, y + CELL.1 / 2, heat.decimals);
    let Some(value) = value else {
        area.draw(&Rectangle::new(corners, GRID)).map_err(fail)?;
        return write(area, NOT_RUN, (centre, middle), text(TextSize::Small, INK, HPos::Center));
    };
    let colour = diverging(gain.map_or(0.0, |gain| gain.effect / most.max(f64::MIN_POSITIVE)));
    area.draw(&Rectangle::new(corners, colour.filled())).map_err(fail)?;
    if is_own {
        let inside = [(x + 3, y + 3), (x + cell - 3, y + CELL.1 - 3)];
        area.draw(&Rectangle::new(inside, INK.stroke_width(1))).map_err(fail)?;
    }
    let style = |size| text(size, legible(colour), HPos::Center);
    if let Some(gain) = gain {
        let size = if gain.low > 0.0 || gain.high < 0.0 { TextSize::Bold } else { TextSize::Small };
        write(area, &format!("{:+.decimals$}", gain.effect), (centre, middle + 2), style(size))?;
        let ends = format!("[{:.decimals$}, {:.decimals$}]", gain.low + 0.0, gain.high + 0.0);
        write(area, &ends, (centre, middle + 17), style(TextSize::Small))?;
    }
    let up = if gain.is_some() { 15 } else { 0 };
    write(area, &format!("{value:.decimals$}"), (centre, middle - up), style(TextSize::Normal))
}
