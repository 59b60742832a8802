//! Clouds of points, e.g. features of sketches and of photos on both sides of a border.

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

/// How opaque the marks of the larger clouds are: the points under them are seen.
const FAINT: f64 = 0.45;

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
    /// Where an upright dashed line stands in every part; none for no line.
    pub border: Option<f64>,
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

/// Draws the parts; an axis has the same range in all of them. The cloud of the fewest points lies on top, with a white edge
/// around each mark, and the others are faint.
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
        areas.iter().zip(&scatter.parts).try_for_each(|(area, part)| draw_part(area, part, window, scatter.border))
    })
}

/// A range from its low end to its high one.
type Ends = (f64, f64);

/// The ranges to the right and up that hold the points of all parts, and the border.
fn window(scatter: &Scatter) -> Result<[Ends; 2]> {
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
    let x = points().map(|point| point.0).chain(scatter.border);
    Ok([range(x), range(points().map(|point| point.1))])
}

/// The ends of some values, with air around; a single value still gets an axis.
fn range(values: impl Iterator<Item = f64>) -> Ends {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let air = if high > low { AIR * (high - low) } else { 1.0 };
    (low - air, high + air)
}

fn draw_part(area: &Area<'_>, part: &ScatterPart, [x, y]: [Ends; 2], border: Option<f64>) -> Result<()> {
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
        .build_cartesian_2d(x.0..x.1, y.0..y.1)
        .map_err(fail)?;
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
        .x_label_formatter(&|value| tick(*value, x))
        .y_label_formatter(&|value| tick(*value, y))
        .draw()
        .map_err(fail)?;
    if let Some(border) = border {
        let ends = [(border, y.0), (border, y.1)];
        chart.draw_series(DashedLineSeries::new(ends, 6, 4, INK.stroke_width(1))).map_err(fail)?;
    }
    for (above, i) in order(&part.clouds).into_iter().enumerate() {
        let (is_top, colour) = (above + 1 == part.clouds.len(), PALETTE[i % PALETTE.len()]);
        let (fill, edge) = if is_top { (colour.mix(1.0), WHITE.mix(1.0)) } else { (colour.mix(FAINT), TRANSPARENT) };
        let outline: Vec<_> = mark(i).into_iter().chain(mark(i).first().copied()).collect();
        let place = |point: &(f64, f64)| {
            EmptyElement::at(*point)
                + Polygon::new(mark(i), fill.filled())
                + PathElement::new(outline.clone(), edge.stroke_width(1))
        };
        chart.draw_series(part.clouds[i].points.iter().map(place)).map_err(fail)?;
    }
    Ok(())
}

/// The clouds from the one with the most points, which lies at the bottom, to the one with the fewest.
fn order(clouds: &[PointCloud]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..clouds.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(clouds[*i].points.len()));
    order
}

/// A round number with the digits that tell about five ticks of a range apart.
fn tick(value: f64, (low, high): Ends) -> String {
    let decimals = (-((high - low) / 5.0).log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{:.decimals$}", if value.abs() < (high - low) * 1e-6 { 0.0 } else { value })
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
    fn the_window_holds_all_points_and_the_border() {
        let cloud = |points: &[(f64, f64)]| PointCloud { label: "a".into(), points: points.to_vec() };
        let of = |parts: &[&[PointCloud]], border| {
            let part = |clouds: &&[PointCloud]| ScatterPart {
                title: "t".into(),
                note: String::new(),
                x: String::new(),
                y: String::new(),
                clouds: clouds.to_vec(),
            };
            let parts = parts.iter().map(part).collect();
            Scatter { title: String::new(), note: String::new(), parts, border }
        };
        let [near, far] = [&[(0.0, 0.0), (1.0, 2.0)][..], &[(10.0, 4.0)]].map(|points| [cloud(points)]);
        let both = of(&[&[near.clone(), far.clone()].concat()], None);
        let wide = of(&[&near, &far], Some(-10.0));
        assert_eq!(window(&both).unwrap(), [(-0.6, 10.6), (-0.24, 4.24)]);
        assert_eq!(window(&wide).unwrap(), [(-11.2, 11.2), (-0.24, 4.24)]); // of two parts: one window
        assert_eq!(window(&of(&[&[cloud(&[(3.0, 4.0)])]], None)).unwrap(), [(2.0, 4.0), (3.0, 5.0)]);
        for bad in [&[cloud(&[])][..], &[cloud(&[(f64::NAN, 0.0)])], &[]] {
            assert!(window(&of(&[&near, bad], None)).is_err());
        }
        assert!(draw(&of(&[], None)).is_err());
    }

    #[test]
    fn the_fewest_points_lie_on_top() {
        let cloud = |count| PointCloud { label: String::new(), points: vec![(0.0, 0.0); count] };
        assert_eq!(order(&[cloud(2), cloud(5), cloud(1)]), [1, 0, 2]);
        assert_eq!((tick(-1e-9, (-2.0, 2.0)), tick(0.5, (0.0, 3.0))), ("0.0".into(), "0.5".into()));
    }
}
