//! Clouds of points, e.g. features of sketches and of photos in the plane in which they are widest.

use super::canvas::{Area, GRID, INK, PALETTE, TextSize, fail, render, text, width, write};
use super::head::{EDGE, Head};
use super::mark::mark;
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Pixels of a part: width, and height with title, note and key.
const PART: (u32, u32) = (420, 462);

/// Parts side by side at most: more would be too small on a page.
const COLUMNS: usize = 3;

/// Height of a part's title, note and key, in pixels.
const HEAD: i32 = 78;

/// Free space around the points, as a share of their extent.
const AIR: f64 = 0.06;

/// Parts side by side, and in lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// The title.
    pub title: String,
    /// Smaller, below the title: what holds for all parts.
    pub note: String,
    /// From left to right, three in a line.
    pub parts: Vec<ScatterPart>,
}

/// A coordinate system with clouds of points.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPart {
    /// The title above the axes.
    pub title: String,
    /// Smaller, below the title.
    pub note: String,
    /// Name of the axis to the right.
    pub x: String,
    /// Name of the axis up.
    pub y: String,
    /// In the colours of [`PALETTE`], each with a mark of its own.
    pub clouds: Vec<PointCloud>,
}

/// Points of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct PointCloud {
    /// In the key.
    pub label: String,
    /// (to the right, up)
    pub points: Vec<(f64, f64)>,
}

/// Draws the parts; a unit is as long to the right as up, and as long in one part as in the others.
///
/// # Errors
/// No part, a part without points, a point that is not finite, or a character that the font lacks.
pub fn draw(scatter: &Scatter) -> Result<String> {
    let window = window(scatter)?;
    let columns = scatter.parts.len().min(COLUMNS);
    let lines = scatter.parts.len().div_ceil(columns);
    let width = PART.0 * columns as u32;
    let head = Head::of(&scatter.title, &scatter.note, width)?;
    render((width, head.height().unsigned_abs() + PART.1 * lines as u32), |area| {
        head.draw(area)?;
        let areas = area.split_vertically(head.height()).1.split_evenly((lines, columns));
        areas.iter().zip(&scatter.parts).try_for_each(|(area, part)| draw_part(area, part, window))
    })
}

/// Centre and half the side of the square that holds the points of all parts.
fn window(scatter: &Scatter) -> Result<((f64, f64), f64)> {
    if scatter.parts.is_empty() {
        return Err(Error::value("scatter", "at least one part", "none"));
    }
    for part in &scatter.parts {
        let mut points = part.clouds.iter().flat_map(|cloud| &cloud.points).peekable();
        if points.peek().is_none() {
            return Err(Error::value(&part.title, "at least one point", "none"));
        }
        if let Some(point) = points.find(|point| !(point.0.is_finite() && point.1.is_finite())) {
            return Err(Error::value(&part.title, "finite points", format!("{point:?}")));
        }
    }
    let points = || scatter.parts.iter().flat_map(|part| &part.clouds).flat_map(|cloud| &cloud.points);
    let ends = |side: fn(&(f64, f64)) -> f64| {
        points().map(side).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (x, y) = (ends(|point| point.0), ends(|point| point.1));
    let half = (x.1 - x.0).max(y.1 - y.0) / 2.0 * (1.0 + 2.0 * AIR);
    // A single point still gets axes.
    Ok((((x.0 + x.1) / 2.0, (y.0 + y.1) / 2.0), if half > 0.0 { half } else { 1.0 }))
}

fn draw_part(area: &Area<'_>, part: &ScatterPart, ((x, y), half): ((f64, f64), f64)) -> Result<()> {
    write(area, &part.title, (EDGE, 12), text(TextSize::Normal, INK, HPos::Left))?;
    write(area, &part.note, (EDGE, 32), text(TextSize::Small, INK, HPos::Left))?;
    draw_key(area, &part.clouds)?;
    // Left and right, top and bottom leave a square.
    let mut chart = ChartBuilder::on(area)
        .margin_top(HEAD)
        .margin_bottom(6)
        .margin_left(8)
        .margin_right(20)
        .x_label_area_size(PART.1 - HEAD as u32 - 6 - SIDE)
        .y_label_area_size(PART.0 - 28 - SIDE)
        .build_cartesian_2d(x - half..x + half, y - half..y + half)
        .map_err(fail)?;
    let decimals = (-(half / 2.5).log10().floor()).clamp(0.0, 6.0) as usize;
    let label = |value: &f64| format!("{:.decimals$}", if value.abs() < half * 1e-6 { 0.0 } else { *value });
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text(TextSize::Small, INK, HPos::Left))
        .axis_desc_style(text(TextSize::Normal, INK, HPos::Left))
        .x_desc(&part.x)
        .y_desc(&part.y)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .draw()
        .map_err(fail)?;
    // In turns, each cloud as often as it has points, so that no cloud covers another.
    let turn = |i: usize| move |(at, count): (usize, usize)| ((at as f64 + 0.5) / count as f64, i, at);
    let turns = part.clouds.iter().enumerate().flat_map(|(i, cloud)| {
        let count = cloud.points.len();
        (0..count).map(move |at| (at, count)).map(turn(i))
    });
    let mut turns: Vec<(f64, usize, usize)> = turns.collect();
    turns.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, i, at) in turns {
        let colour = PALETTE[i % PALETTE.len()];
        let place = EmptyElement::at(part.clouds[i].points[at]);
        chart.draw_series([place + Polygon::new(mark(i), colour.mix(0.7).filled())]).map_err(fail)?;
    }
    Ok(())
}

/// Side of the square of the axes, in pixels.
const SIDE: u32 = 330;

fn draw_key(area: &Area<'_>, clouds: &[PointCloud]) -> Result<()> {
    let mut x = 20;
    for (i, (cloud, colour)) in clouds.iter().zip(PALETTE.into_iter().cycle()).enumerate() {
        let corners: Vec<(i32, i32)> = mark(i).into_iter().map(|(dx, dy)| (x + dx, 54 + dy)).collect();
        area.draw(&Polygon::new(corners, colour.filled())).map_err(fail)?;
        write(area, &cloud.label, (x + 10, 54), text(TextSize::Small, INK, HPos::Left))?;
        x += 10 + width(&cloud.label, TextSize::Small)? as i32 + 26;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_a_square_around_all_points() {
        let cloud = |points: &[(f64, f64)]| PointCloud { label: "a".into(), points: points.to_vec() };
        let of = |parts: &[&[PointCloud]]| {
            let part = |clouds: &&[PointCloud]| ScatterPart {
                title: "t".into(),
                note: String::new(),
                x: String::new(),
                y: String::new(),
                clouds: clouds.to_vec(),
            };
            Scatter { title: String::new(), note: String::new(), parts: parts.iter().map(part).collect() }
        };
        let (near, far) = (cloud(&[(0.0, 0.0), (1.0, 2.0)]), cloud(&[(10.0, 4.0)]));
        let (centre, half) = window(&of(&[&[near.clone(), far.clone()]])).unwrap();
        assert_eq!(centre, (5.0, 2.0));
        assert!((half - 5.0 * 1.12).abs() < 1e-12);
        assert_eq!(window(&of(&[&[near], &[far]])).unwrap(), (centre, half)); // of two parts: one window
        assert_eq!(window(&of(&[&[cloud(&[(3.0, 4.0)])]])).unwrap(), ((3.0, 4.0), 1.0));
        assert!(window(&of(&[&[cloud(&[])]])).is_err() && window(&of(&[&[cloud(&[(f64::NAN, 0.0)])]])).is_err());
        assert!(window(&of(&[&[cloud(&[(3.0, 4.0)])], &[]])).is_err() && draw(&of(&[])).is_err());
    }
}
