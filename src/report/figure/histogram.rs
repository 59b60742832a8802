//! Bars with names, in parts, each with pictures of what it counts.

use super::canvas::{Area, GRID, INK, PALETTE, TextSize, fail, render, text, width, write};
use super::head::{EDGE, Head};
use super::picture::element;
use crate::{Error, Result};
use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Width of a part, side of a picture, and from one picture to the next.
const WIDTH: i32 = 390;
const SIDE: i32 = 76;
const STEP: i32 = 92;

/// Heights of title, note and key, of pictures with their captions, and of a bar.
const TITLE: i32 = 46;
const KEY: i32 = 20;
const PICTURES: i32 = SIDE + 30;
const BAR: i32 = 9;

/// Parts in lines.
#[derive(Debug, Clone)]
pub struct Histograms {
    /// The title.
    pub title: String,
    /// Smaller, below the title.
    pub note: String,
    /// Line by line.
    pub parts: Vec<HistogramPart>,
    /// Parts to a line.
    pub columns: usize,
}

/// Bars of one or several series.
#[derive(Debug, Clone)]
pub struct HistogramPart {
    /// Above the bars.
    pub title: String,
    /// Smaller, below the title.
    pub note: String,
    /// Names of the series, in the order of the colours; none for a single one that the title names.
    pub series: Vec<String>,
    /// From top to bottom.
    pub bars: Vec<HistogramBar>,
    /// Beside each other, with their captions.
    pub pictures: Vec<(RgbImage, String)>,
}

/// The bars of a name, one a series.
#[derive(Debug, Clone, PartialEq)]
pub struct HistogramBar {
    /// To its left.
    pub label: String,
    /// Lengths, which also stand at the ends: whole numbers, 0 or more.
    pub values: Vec<f64>,
    /// Whether the name is bold.
    pub bold: bool,
}

/// Draws the parts, each with a scale of its own.
///
/// # Errors
/// No part, a part without bars, bars of other numbers of series, a length that is below 0 or not finite, an empty
/// picture, or a text that would be cut.
pub fn draw(figure: &Histograms) -> Result<String> {
    check(figure)?;
    let columns = figure.columns.clamp(1, figure.parts.len());
    let size = WIDTH * columns as i32 + 2 * EDGE;
    let head = Head::of(&figure.title, &figure.note, size.unsigned_abs())?;
    let heights: Vec<i32> =
        figure.parts.chunks(columns).map(|line| line.iter().map(height).max().unwrap_or(0)).collect();
    let whole = head.height() + heights.iter().sum::<i32>();
    let mut pictures = String::new();
    let svg = render((size.unsigned_abs(), whole.unsigned_abs()), |area| {
        head.draw(area)?;
        let mut y = head.height();
        for (line, height) in figure.parts.chunks(columns).zip(&heights) {
            for (part, x) in line.iter().zip((0..).map(|i| EDGE + WIDTH * i)) {
                pictures += &draw_part(area, part, (x, y))?;
            }
            y += height;
        }
        Ok(())
    })?;
    Ok(svg.replacen("</svg>", &format!("{pictures}</svg>"), 1))
}

fn height(part: &HistogramPart) -> i32 {
    let (pictures, key) = (!part.pictures.is_empty(), !part.series.is_empty());
    let above = TITLE + if key { KEY } else { 0 } + if pictures { PICTURES } else { 0 };
    above + pitch(part) * part.bars.len() as i32 + 22
}

/// From one name to the next: that of a text at least.
fn pitch(part: &HistogramPart) -> i32 {
    (BAR * part.bars.first().map_or(1, |bar| bar.values.len()) as i32 + 5).max(17)
}

fn check(figure: &Histograms) -> Result<()> {
    if figure.parts.is_empty() {
        return Err(Error::value("histograms", "one part or more", "none"));
    }
    for part in &figure.parts {
        let series = part.series.len().max(1);
        let fine =
            |bar: &HistogramBar| bar.values.len() == series && bar.values.iter().all(|v| *v >= 0.0 && v.is_finite());
        if part.bars.is_empty() || !part.bars.iter().all(fine) {
            let expected = format!("one bar or more, each of {series} finite lengths");
            return Err(Error::value(&part.title, expected, format!("{:?}", part.bars)));
        }
    }
    Ok(())
}

/// Draws everything of a part but its pictures, which come back as elements.
fn draw_part(area: &Area<'_>, part: &HistogramPart, (x, y): (i32, i32)) -> Result<String> {
    write(area, &part.title, (x, y + 12), text(TextSize::Normal, INK, HPos::Left))?;
    write(area, &part.note, (x, y + 30), text(TextSize::Small, INK, HPos::Left))?;
    let (mut key, mut top) = (x, y + TITLE);
    for (name, colour) in part.series.iter().zip(PALETTE) {
        area.draw(&Rectangle::new([(key, top), (key + 12, top + 10)], colour.filled())).map_err(fail)?;
        write(area, name, (key + 18, top + 5), text(TextSize::Small, INK, HPos::Left))?;
        key += 18 + width(name, TextSize::Small)? as i32 + 24;
    }
    top += if part.series.is_empty() { 0 } else { KEY };
    let mut pictures = String::new();
    for ((picture, caption), left) in part.pictures.iter().zip((0..).map(|i| x + STEP * i)) {
        area.draw(&Rectangle::new([(left - 1, top - 1), (left + SIDE + 1, top + SIDE + 1)], GRID)).map_err(fail)?;
        write(area, caption, (left + SIDE / 2, top + SIDE + 11), text(TextSize::Small, INK, HPos::Center))?;
        pictures += &element(picture, (left, top), SIDE)?;
    }
    top += if part.pictures.is_empty() { 0 } else { PICTURES };
    draw_bars(area, part, (x, top))?;
    Ok(pictures)
}

fn draw_bars(area: &Area<'_>, part: &HistogramPart, (x, top): (i32, i32)) -> Result<()> {
    let widths: Result<Vec<u32>> = part.bars.iter().map(|bar| width(&bar.label, TextSize::Bold)).collect();
    let start = x + widths?.into_iter().max().unwrap_or(0) as i32 + 8;
    let most = part.bars.iter().flat_map(|bar| bar.values.iter().copied()).fold(1.0, f64::max);
    let room = f64::from(x + WIDTH - 56 - start);
    for (bar, y) in part.bars.iter().zip((0..).map(|i| top + pitch(part) * i)) {
        let size = if bar.bold { TextSize::Bold } else { TextSize::Small };
        let middle = y + BAR * bar.values.len() as i32 / 2;
        write(area, &bar.label, (start - 8, middle), text(size, INK, HPos::Right))?;
        for ((value, colour), y) in bar.values.iter().zip(PALETTE).zip((0..).map(|i| y + BAR * i)) {
            let end = start + (room * value / most).round() as i32;
            area.draw(&Rectangle::new([(start, y), (end.max(start + 1), y + BAR - 1)], colour.filled()))
                .map_err(fail)?;
        }
        let said: Vec<String> = bar.values.iter().map(|value| format!("{value:.0}")).collect();
        let most_of_bar = bar.values.iter().copied().fold(0.0, f64::max);
        let end = start + (room * most_of_bar / most).round() as i32;
        write(area, &said.join(", "), (end + 6, middle), text(TextSize::Small, INK, HPos::Left))?;
    }
    Ok(())
}
