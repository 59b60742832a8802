//! What every figure shares: size, background, font, colours, saving.

use super::font;
use crate::file::write_atomic;
use crate::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// The part of a figure that drawing functions get.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Okabe and Ito's colours, told apart by every common kind of colour vision; the first two carry the comparison.
pub const PALETTE: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(170, 85, 140), // Okabe and Ito's is (204, 121, 167), too pale for text on white
    RGBColor(120, 120, 120),
    RGBColor(0, 0, 0),
];

/// Text and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);

/// Lines in the background.
pub const GRID: RGBColor = RGBColor(222, 222, 222);

/// plotters divides a size by this before it writes it into an SVG.
const SIZE_RATIO: f64 = 1.24;

/// Sizes of text in pixels as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextSize {
    /// 12 px: ticks, labels, captions.
    Small,
    /// As small, bold: a number that stands out.
    Bold,
    /// 13 px: axis names.
    Normal,
    /// 16 px, bold: the figure's title.
    Title,
}

/// A text style in the figure's font, anchored at its left or right end or in the middle.
pub fn text(size: TextSize, colour: RGBColor, anchor: HPos) -> TextStyle<'static> {
    let (pixels, style) = match size {
        TextSize::Small => (12.0, FontStyle::Normal),
        TextSize::Bold => (12.0, FontStyle::Bold),
        TextSize::Normal => (13.0, FontStyle::Normal),
        TextSize::Title => (16.0, FontStyle::Bold),
    };
    let font = FontDesc::new(FontFamily::Name(font::FAMILY), pixels * SIZE_RATIO, style);
    font.color(&colour).pos(Pos::new(anchor, VPos::Center))
}

/// How wide a text will be, in pixels.
pub fn width(text: &str, size: TextSize) -> Result<u32> {
    font::register()?;
    let style = self::text(size, INK, HPos::Left);
    Ok(style.font.box_size(text).map_err(fail)?.0)
}

/// Renders a figure: white ground, `draw`, the font embedded.
///
/// # Errors
/// What `draw` returns, or a character that the font lacks.
pub fn render(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    font::register()?;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).map_err(fail)?;
        draw(&area)?;
        area.present().map_err(fail)?;
    }
    font::embed(&svg)
}

/// Writes a rendered figure.
///
/// # Errors
/// The folder cannot be written.
pub fn save(path: &Path, svg: &str) -> Result<()> {
    write_atomic(path, svg.as_bytes())
}

/// Writes a text at a pixel of the area.
///
/// # Errors
/// A text that would be cut at a side of the area.
pub(super) fn write(area: &Area<'_>, content: &str, at: (i32, i32), style: TextStyle<'static>) -> Result<()> {
    let length = style.font.box_size(content).map_err(fail)?.0 as i32;
    let start = match style.pos.h_pos {
        HPos::Left => at.0,
        HPos::Center => at.0 - length / 2,
        HPos::Right => at.0 - length,
    };
    let room = area.dim_in_pixel().0 as i32;
    if start < 0 || start + length > room {
        let found = format!("`{content}` from {start} to {}", start + length);
        return Err(Error::value("text of a figure", format!("one within 0 to {room} pixels"), found));
    }
    area.draw(&Text::new(content.to_string(), at, style)).map_err(fail)
}

/// Wraps an error of the plotting crate.
pub(super) fn fail(error: impl std::fmt::Display) -> Error {
    Error::Figure(error.to_string())
}
