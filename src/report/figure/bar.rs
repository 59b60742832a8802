//! A table as bars, with the paper's numbers as marks.

use super::canvas::{Area, GRID, INK, PALETTE, TextSize, fail, render, text, width, write};
use super::seeds;
use crate::Result;
use crate::report::render::format_mean;
use crate::report::score::Metric;
use crate::report::table::{Table, TableLine};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Pixels from one bar to the next, and of a bar.
const STEP: i32 = 24;
const BAR: i32 = 14;

/// Pixels of the axis from 0 to 100%.
const LENGTH: i32 = 400;

/// The first colour of the palette, lighter, so that a whisker stands out on it.
const FILL: RGBColor = RGBColor(102, 170, 209);

/// The key of a bar. Not "ours", as papers call a row of their own.
const MEASURED: &str = "measured here, mean ± standard deviation over seeds";

/// The key of a thin line.
const NOISE: &str = "95%, by the number of photos alone";

/// The key of a diamond.
const PRINTED: &str = "the paper, on its own data and network";

/// Where the bars start, in pixels.
const HEAD: i32 = 70;

/// Draws a table in the metric of its paper's numbers: a bar a line, its thick whisker one standard deviation over seeds, its
/// thin one the noise of the queries, a diamond the paper's number.
///
/// ```text
/// noise = 1.96 sqrt(p (1 - p) / n),    p the mean, n the photos that are asked for: sketches of one are found together
/// ```
///
/// # Errors
/// A character that the font lacks.
pub fn draw(table: &Table) -> Result<String> {
    let widths: Result<Vec<u32>> = table.lines.iter().map(|line| width(&line.label, TextSize::Small)).collect();
    let left = widths?.into_iter().max().unwrap_or(0) as i32 + 26;
    let groups = table.lines.chunk_by(|a, b| a.dataset == b.dataset).count() as i32;
    let bottom = HEAD + STEP * (table.lines.len() as i32 + groups);
    let key = key_mark()? + 12 + width(PRINTED, TextSize::Small)? as i32 + 14;
    let least = key.max(28 + width(&table.title, TextSize::Title)? as i32);
    let size = (least.max(left + LENGTH + 240), bottom + 52);
    render((u32::try_from(size.0).unwrap_or(0), u32::try_from(size.1).unwrap_or(0)), |area| {
        write(area, &table.title, (14, 18), text(TextSize::Title, INK, HPos::Left))?;
        draw_key(area)?;
        draw_axis(area, table.metric.title, left, bottom)?;
        let mut y = HEAD + STEP / 2;
        for group in table.lines.chunk_by(|a, b| a.dataset == b.dataset) {
            write(area, &group[0].dataset_label, (14, y), text(TextSize::Normal, INK, HPos::Left))?;
            for line in group {
                y += STEP;
                draw_line(area, line, table.metric, left, y)?;
            }
            y += STEP;
        }
        Ok(())
    })
}

fn draw_key(area: &Area<'_>) -> Result<()> {
    let small = |colour| text(TextSize::Small, colour, HPos::Left);
    let bar = Rectangle::new([(14, 38), (34, 50)], FILL.filled());
    area.draw(&bar).map_err(fail)?;
    write(area, MEASURED, (40, 44), small(INK))?;
    let noise = key_noise()?;
    area.draw(&PathElement::new(vec![(noise, 44), (noise + 20, 44)], INK)).map_err(fail)?;
    write(area, NOISE, (noise + 26, 44), small(INK))?;
    let start = key_mark()?;
    area.draw(&diamond(start, 44)).map_err(fail)?;
    write(area, PRINTED, (start + 12, 44), small(INK))
}

/// Where the thin line of the key is, behind what a bar is.
fn key_noise() -> Result<i32> {
    Ok(40 + width(MEASURED, TextSize::Small)? as i32 + 24)
}

/// Where the diamond of the key is, behind that.
fn key_mark() -> Result<i32> {
    Ok(key_noise()? + 26 + width(NOISE, TextSize::Small)? as i32 + 24)
}

fn draw_axis(area: &Area<'_>, name: &str, left: i32, bottom: i32) -> Result<()> {
    for percent in (0..=100).step_by(20) {
        let x = left + LENGTH * percent / 100;
        let colour = if percent == 0 { INK } else { GRID };
        area.draw(&PathElement::new(vec![(x, HEAD), (x, bottom)], colour)).map_err(fail)?;
        write(area, &percent.to_string(), (x, bottom + 12), text(TextSize::Small, INK, HPos::Center))?;
    }
    write(area, &format!("{name} (%)"), (left + LENGTH / 2, bottom + 34), text(TextSize::Normal, INK, HPos::Center))
}

fn draw_line(area: &Area<'_>, line: &TableLine, metric: &Metric, left: i32, y: i32) -> Result<()> {
    let at = |percent: f64| left + (f64::from(LENGTH) * percent.clamp(0.0, 100.0) / 100.0).round() as i32;
    write(area, &line.label, (left - 8, y), text(TextSize::Small, INK, HPos::Right))?;
    let mut value = line.missing().to_string();
    if let Some(measured) = &line.measured
        && let Some((mean, sd)) = measured.get(metric)
    {
        let corners = [(left, y - BAR / 2), (at(mean), y + BAR / 2)];
        area.draw(&Rectangle::new(corners, FILL.filled())).map_err(fail)?;
        let noise = 1.96 * (mean * (100.0 - mean) / measured.photos as f64).sqrt();
        area.draw(&PathElement::new(vec![(at(mean - noise), y), (at(mean + noise), y)], INK)).map_err(fail)?;
        if let Some(sd) = sd {
            let whisker = vec![(at(mean - sd), y), (at(mean + sd), y)];
            area.draw(&PathElement::new(whisker, INK.stroke_width(4))).map_err(fail)?;
        }
        value = format!("{}, {}", format_mean((mean, sd)), seeds::count(&[measured.seeds]));
    }
    if let Some(paper) = &line.paper {
        if let Ok(percent) = paper.parse() {
            area.draw(&diamond(at(percent), y)).map_err(fail)?;
        }
        value += &format!("   (paper {paper})");
    }
    write(area, &value, (left + LENGTH + 14, y), text(TextSize::Small, INK, HPos::Left))
}

/// The paper's number.
fn diamond(x: i32, y: i32) -> Polygon<(i32, i32)> {
    Polygon::new(vec![(x, y - 7), (x + 5, y), (x, y + 7), (x - 5, y)], PALETTE[1].filled())
}
