//! Axes with lines, bands over seeds, and every line's name at its end.

use super::canvas::{Area, GRID, INK, PALETTE, Size, fail, render, text, width, write};
use crate::{Result, metric::mean_sd};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Distance that two names at line ends keep, in pixels: the height of their letters and a little air.
const LABEL_STEP: i32 = 16;

/// A coordinate system and what is drawn in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Above the axes.
    pub title: String,
    /// Smaller, below the title: what line and band are.
    pub note: String,
    /// To the right.
    pub x: Axis,
    /// Up.
    pub y: Axis,
    /// Drawn in this order, in the colours of [`PALETTE`].
    pub lines: Vec<Line>,
    /// Whether every point gets a mark of its line's shape; for lines of few points.
    pub marks: bool,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// With its unit.
    pub name: String,
    /// What it shows.
    pub range: (f64, f64),
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Written at its end.
    pub label: String,
    /// By rising x; at least one.
    pub points: Vec<Spread>,
}

/// A point and how far the seeds lie apart there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Epoch, percentage, ...
    pub x: f64,
    /// Mean over seeds.
    pub mean: f64,
    /// Sample standard deviation, where there are two seeds or more.
    pub sd: Option<f64>,
}

/// Mean and deviation at every x that all seeds have, each seed a list of (x, y).
///
/// # Errors
/// A y that is not finite.
pub fn spread(seeds: &[Vec<(f64, f64)>]) -> Result<Vec<Spread>> {
    let Some(first) = seeds.first() else { return Ok(Vec::new()) };
    let mut points = Vec::new();
    for &(x, _) in first {
        let at = |seed: &Vec<(f64, f64)>| seed.iter().find(|point| point.0 == x).map(|point| point.1);
        let values: Option<Vec<f64>> = seeds.iter().map(at).collect();
        if let Some(values) = values {
            let (mean, sd) = mean_sd(&values)?;
            points.push(Spread { x, mean, sd });
        }
    }
    Ok(points)
}

/// Says what line and band are, for runs of these numbers of seeds.
pub fn note(seeds: &[usize]) -> String {
    let most = seeds.iter().max().copied().unwrap_or(0);
    match seeds.iter().min() {
        Some(least) if *least != most => format!("mean over {least} to {most} seeds; band: ± one standard deviation"),
        _ if most > 1 => format!("mean over {most} seeds; band: ± one standard deviation"),
        _ => "one seed".into(),
    }
}

/// The top of an axis from zero that holds every mean and band: the next of 1, 2, 3, 4, 5, 6, 8, 10 times a power of ten.
pub fn top(lines: &[Line]) -> f64 {
    let points = lines.iter().flat_map(|line| &line.points);
    let largest = points.map(|point| point.mean + point.sd.unwrap_or(0.0)).fold(0.0, f64::max);
    if largest <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(largest.log10().floor());
    let steps = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.iter().map(|step| step * power).find(|top| *top >= largest).unwrap_or(10.0 * power)
}

/// A figure of panels side by side, each as wide as the others; `size` is that of the whole, in pixels.
///
/// # Errors
/// A figure that cannot be drawn.
pub fn draw_row(size: (u32, u32), panels: &[Panel]) -> Result<String> {
    render(size, |area| {
        let parts = area.split_evenly((1, panels.len()));
        parts.iter().zip(panels).try_for_each(|(part, panel)| draw(part, panel))
    })
}

/// Draws a panel over the whole area.
///
/// # Errors
/// A character that the font lacks.
pub fn draw(area: &Area<'_>, panel: &Panel) -> Result<()> {
    let widths: Result<Vec<u32>> = panel.lines.iter().map(|line| width(&line.label, Size::Small)).collect();
    let right = widths?.into_iter().max().unwrap_or(0) + 22;
    write(area, &panel.title, (14, 18), text(Size::Title, INK, HPos::Left))?;
    write(area, &panel.note, (14, 40), text(Size::Small, INK, HPos::Left))?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(60)
        .margin_bottom(8)
        .margin_left(8)
        .margin_right(right)
        .x_label_area_size(46)
        .y_label_area_size(54)
        .build_cartesian_2d(panel.x.range.0..panel.x.range.1, panel.y.range.0..panel.y.range.1)
        .map_err(fail)?;
    let (x_decimals, y_decimals) = (decimals(&panel.x), decimals(&panel.y));
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text(Size::Small, INK, HPos::Left))
        .axis_desc_style(text(Size::Normal, INK, HPos::Left))
        .x_desc(&panel.x.name)
        .y_desc(&panel.y.name)
        .x_labels(11)
        .y_labels(6)
        .x_label_formatter(&|value| format!("{value:.x_decimals$}"))
        .y_label_formatter(&|value| format!("{value:.y_decimals$}"))
        .draw()
        .map_err(fail)?;
    let lines = || panel.lines.iter().zip(PALETTE.into_iter().cycle()).enumerate();
    for (_, (line, colour)) in lines() {
        chart.draw_series(band(line, colour)).map_err(fail)?;
    }
    for (i, (line, colour)) in lines() {
        let points = line.points.iter().map(|point| (point.x, point.mean));
        chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2))).map_err(fail)?;
        if panel.marks {
            let marks = points.map(|at| EmptyElement::at(at) + Polygon::new(mark(i), colour.filled()));
            chart.draw_series(marks).map_err(fail)?;
        }
    }
    let last = |line: &Line| line.points.last().map(|point| (point.x, point.mean));
    let ends: Vec<(f64, f64)> = panel.lines.iter().filter_map(last).collect();
    let heights: Vec<i32> = ends.iter().map(|end| chart.backend_coord(end).1).collect();
    let moved = push_apart(&heights, LABEL_STEP);
    for (i, (line, colour)) in lines().filter(|(_, (line, _))| !line.points.is_empty()).take(ends.len()) {
        let style = text(Size::Small, colour, HPos::Left);
        let name = Text::new(line.label.clone(), (9, moved[i] - heights[i]), style);
        chart.draw_series(std::iter::once(EmptyElement::at(ends[i]) + name)).map_err(fail)?;
    }
    Ok(())
}

/// One standard deviation to either side of the mean.
fn band(line: &Line, colour: RGBColor) -> Option<Polygon<(f64, f64)>> {
    let known: Vec<(f64, f64, f64)> = line.points.iter().filter_map(|p| p.sd.map(|sd| (p.x, p.mean, sd))).collect();
    let above = known.iter().map(|(x, mean, sd)| (*x, mean + sd));
    let below = known.iter().rev().map(|(x, mean, sd)| (*x, mean - sd));
    (known.len() > 1).then(|| Polygon::new(above.chain(below).collect::<Vec<_>>(), colour.mix(0.16)))
}

/// Corners of a diamond, a square or a triangle around a point, in pixels, so that lines differ without colour.
pub(super) fn mark(line: usize) -> Vec<(i32, i32)> {
    match line % 3 {
        0 => vec![(0, -5), (5, 0), (0, 5), (-5, 0)],
        1 => vec![(-4, -4), (4, -4), (4, 4), (-4, 4)],
        _ => vec![(0, -5), (5, 4), (-5, 4)],
    }
}

/// Digits after the point that tell the ticks of an axis apart.
fn decimals(axis: &Axis) -> usize {
    let span = axis.range.1 - axis.range.0;
    // About five ticks: their step is a fifth of the span or a little less.
    (-(span / 5.0).log10().floor()).clamp(0.0, 6.0) as usize
}

/// Moves heights (pixels, down) so that any two are `step` apart, each as little as the ones above it allow; the whole
/// pile is then centred on where it was.
pub(super) fn push_apart(heights: &[i32], step: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by_key(|&i| (heights[i], i));
    let mut moved = heights.to_vec();
    let mut start = 0;
    for i in 1..order.len() {
        let free = moved[order[i - 1]] + step;
        if moved[order[i]] >= free {
            start = i;
            continue;
        }
        moved[order[i]] = free;
        let pile = &order[start..=i];
        let wanted: i32 = pile.iter().map(|&j| heights[j]).sum::<i32>() / pile.len() as i32;
        let above = if start > 0 { moved[order[start - 1]] + step } else { i32::MIN };
        let top = (wanted - step * (pile.len() as i32 - 1) / 2).max(above);
        pile.iter().zip(0..).for_each(|(&j, k)| moved[j] = top + step * k);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_distance() {
        assert_eq!(push_apart(&[10, 50, 90], 16), [10, 50, 90]);
        assert_eq!(push_apart(&[50, 50], 16), [42, 58]);
        assert_eq!(push_apart(&[60, 50], 16), [63, 47]);
        let moved = push_apart(&[100, 101, 103, 20, 104], 16);
        let mut sorted = moved.clone();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 16), "{moved:?}");
        assert_eq!(moved[3], 20);
        assert!(push_apart(&[], 16).is_empty());
    }

    #[test]
    fn spread_by_hand() {
        let seeds = [vec![(1.0, 2.0), (2.0, 8.0), (3.0, 1.0)], vec![(2.0, 6.0), (1.0, 4.0)]];
        let points = spread(&seeds).unwrap();
        assert_eq!(points.iter().map(|p| (p.x, p.mean)).collect::<Vec<_>>(), [(1.0, 3.0), (2.0, 7.0)]);
        assert!((points[0].sd.unwrap() - 2_f64.sqrt()).abs() < 1e-12);
        assert_eq!(spread(&seeds[..1]).unwrap()[0].sd, None);
        assert!(spread(&[]).unwrap().is_empty());
        assert!(spread(&[vec![(1.0, f64::NAN)]]).is_err());
    }

    #[test]
    fn the_top_is_round() {
        let line = |mean, sd| Line { label: "a".into(), points: vec![Spread { x: 0.0, mean, sd }] };
        assert_eq!(top(&[line(47.0, None)]), 50.0);
        assert_eq!(top(&[line(47.0, Some(4.0))]), 60.0);
        assert!((top(&[line(0.023, None)]) - 0.03).abs() < 1e-12);
        assert_eq!(top(&[line(0.0, None)]), 1.0);
        assert_eq!(top(&[]), 1.0);
        assert_eq!(decimals(&Axis { name: String::new(), range: (0.0, 0.3) }), 2);
        assert_eq!(decimals(&Axis { name: String::new(), range: (0.0, 60.0) }), 0);
    }
}
