//! Axes with lines, bands or bars over seeds, levels to compare with, and every name at the right.

use super::axis::{Axis, Coordinate};
use super::canvas::{Area, GRID, INK, PALETTE, TextSize, fail, render, text, width};
use super::head::Head;
use super::mark::mark;
use super::name::draw_names;
use crate::{Result, metric::mean_sd};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// A dash of a level and the gap after it, in pixels.
const DASH: (i32, i32) = (6, 4);

/// Half the width of a bar's ends, in pixels.
const BAR_END: i32 = 4;

/// A coordinate system and what is drawn in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The title above the axes.
    pub title: String,
    /// Smaller, below the title: what lines, bands and bars are.
    pub note: String,
    /// To the right.
    pub x: Axis,
    /// Up.
    pub y: Axis,
    /// Drawn in this order, in the colours of [`PALETTE`].
    pub lines: Vec<PanelLine>,
    /// Dashed, behind the lines.
    pub levels: Vec<Level>,
    /// Whether every point gets a mark of its line's shape; for lines of few points.
    pub marks: bool,
    /// How the seeds' deviation is drawn.
    pub deviation: Deviation,
}

/// How far the seeds lie apart, one standard deviation to either side of the mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deviation {
    /// A band over neighbouring points; a bar at a point between others of one seed.
    Band,
    /// A bar at every point of two seeds or more.
    Bars,
    /// The lines of the seeds themselves, thin.
    Seeds,
}

impl Deviation {
    /// The width of a line of means, in pixels.
    fn width(self) -> u32 {
        if self == Self::Seeds { 3 } else { 2 }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelLine {
    /// Written to the right of its end.
    pub label: String,
    /// By rising x; at least one.
    pub points: Vec<PointSpread>,
    /// Each seed's own (x, y), for [`Deviation::Seeds`].
    pub seeds: Vec<Vec<(f64, f64)>>,
}

impl PanelLine {
    /// The mean of some seeds at every x that all of them have, each seed a list of (x, y).
    ///
    /// # Errors
    /// As [`spread`].
    pub fn of(label: &str, seeds: Vec<Vec<(f64, f64)>>) -> Result<Self> {
        Ok(Self { label: label.into(), points: spread(&seeds)?, seeds })
    }
}

/// A number that does not depend on x, e.g. of what the lines are compared with: a dashed line across the panel, its
/// deviation a bar at the right end, where one without a label has the hollow mark of its colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Written to the right of its end; empty where the colour is that of a line, which names it.
    pub label: String,
    /// Mean over seeds.
    pub mean: f64,
    /// Sample standard deviation, where there are two seeds or more.
    pub sd: Option<f64>,
    /// The place in [`PALETTE`] of its line.
    pub colour: usize,
}

/// A point and how far the seeds lie apart there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointSpread {
    /// Epoch, percentage, ...
    pub x: f64,
    /// Mean over seeds.
    pub mean: f64,
    /// Sample standard deviation, where there are two seeds or more.
    pub sd: Option<f64>,
}

impl PointSpread {
    /// x, and one standard deviation below and above the mean.
    fn ends(&self) -> Option<(f64, f64, f64)> {
        self.sd.map(|sd| (self.x, self.mean - sd, self.mean + sd))
    }
}

/// Mean and deviation at every x that all seeds have, each seed a list of (x, y).
///
/// # Errors
/// A y that is not finite.
pub fn spread(seeds: &[Vec<(f64, f64)>]) -> Result<Vec<PointSpread>> {
    let Some(first) = seeds.first() else { return Ok(Vec::new()) };
    let mut points = Vec::new();
    for &(x, _) in first {
        let at = |seed: &Vec<(f64, f64)>| seed.iter().find(|point| point.0 == x).map(|point| point.1);
        let values: Option<Vec<f64>> = seeds.iter().map(at).collect();
        if let Some(values) = values {
            let (mean, sd) = mean_sd(&values)?;
            points.push(PointSpread { x, mean, sd });
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

/// The lowest and the highest end of (mean, deviation).
pub fn reach(points: impl Iterator<Item = (f64, Option<f64>)>) -> (f64, f64) {
    points.fold((f64::MAX, f64::MIN), |(low, high), (mean, sd)| {
        let sd = sd.unwrap_or(0.0);
        (low.min(mean - sd), high.max(mean + sd))
    })
}

/// The top of an axis from zero that holds every mean and band: the next of 1, 2, 3, 4, 5, 6, 8, 10 times a power of ten.
pub fn top(lines: &[PanelLine]) -> f64 {
    let points = lines.iter().flat_map(|line| &line.points).map(|point| (point.mean, point.sd));
    let (_, largest) = reach(points);
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
        let heads = parts.iter().zip(panels).map(|(part, panel)| head(part, panel)).collect::<Result<Vec<_>>>()?;
        // The axes begin at one height, whatever the lengths of the titles.
        let top = heads.iter().map(Head::height).max().unwrap_or(0);
        parts.iter().zip(panels).zip(&heads).try_for_each(|((part, panel), head)| draw_below(part, panel, head, top))
    })
}

/// Draws a panel into a part of a figure.
pub(super) fn draw_in(area: &Area<'_>, panel: &Panel) -> Result<()> {
    let head = head(area, panel)?;
    draw_below(area, panel, &head, head.height())
}

fn head(area: &Area<'_>, panel: &Panel) -> Result<Head> {
    Head::of(&panel.title, &panel.note, area.dim_in_pixel().0)
}

/// The coordinate system of a panel.
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Coordinate, Coordinate>>;

fn draw_below(area: &Area<'_>, panel: &Panel, head: &Head, top: i32) -> Result<()> {
    let labels = || panel.lines.iter().map(|line| &line.label).chain(panel.levels.iter().map(|level| &level.label));
    let widths: Result<Vec<u32>> = labels().map(|label| width(label, TextSize::Small)).collect();
    head.draw(area)?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(top)
        .margin_bottom(8)
        .margin_left(8)
        .margin_right(widths?.into_iter().max().unwrap_or(0) + 22)
        .x_label_area_size(46)
        .y_label_area_size(54)
        .build_cartesian_2d(panel.x.coordinate(11), panel.y.coordinate(6))
        .map_err(fail)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text(TextSize::Small, INK, HPos::Left))
        .axis_desc_style(text(TextSize::Normal, INK, HPos::Left))
        .x_desc(&panel.x.name)
        .y_desc(&panel.y.name)
        .x_label_formatter(&|value| panel.x.label(*value))
        .y_label_formatter(&|value| panel.y.label(*value))
        .draw()
        .map_err(fail)?;
    draw_levels(&mut chart, panel)?;
    draw_lines(&mut chart, panel)?;
    draw_names(&chart, panel, area)
}

pub(super) fn colour(i: usize) -> RGBColor {
    PALETTE[i % PALETTE.len()]
}

fn draw_levels(chart: &mut Chart<'_, '_>, panel: &Panel) -> Result<()> {
    let (left, right) = panel.x.range;
    for level in &panel.levels {
        let ends = [(left, level.mean), (right, level.mean)];
        let dashes = DashedLineSeries::new(ends, DASH.0, DASH.1, colour(level.colour).stroke_width(1));
        chart.draw_series(dashes).map_err(fail)?;
        draw_bars(chart, &[PointSpread { x: right, mean: level.mean, sd: level.sd }], colour(level.colour))?;
        if level.label.is_empty() {
            let corners = mark(level.colour);
            let outline = corners.iter().chain(corners.first()).copied().collect::<Vec<_>>();
            let hollow = EmptyElement::at((right, level.mean))
                + Polygon::new(corners, WHITE.filled())
                + PathElement::new(outline, colour(level.colour).stroke_width(1));
            chart.draw_series([hollow]).map_err(fail)?;
        }
    }
    Ok(())
}

fn draw_lines(chart: &mut Chart<'_, '_>, panel: &Panel) -> Result<()> {
    for (i, line) in panel.lines.iter().enumerate() {
        match panel.deviation {
            Deviation::Bars => draw_bars(chart, &line.points, colour(i))?,
            Deviation::Band => draw_bands(chart, &line.points, colour(i))?,
            Deviation::Seeds => draw_seeds(chart, &line.seeds, colour(i))?,
        }
    }
    for (i, line) in panel.lines.iter().enumerate() {
        let points = line.points.iter().map(|point| (point.x, point.mean));
        chart
            .draw_series(LineSeries::new(points.clone(), colour(i).stroke_width(panel.deviation.width())))
            .map_err(fail)?;
        if panel.marks {
            let marks = points.map(|at| EmptyElement::at(at) + Polygon::new(mark(i), colour(i).filled()));
            chart.draw_series(marks).map_err(fail)?;
        }
    }
    Ok(())
}

/// A thin line a seed, where there are two or more.
fn draw_seeds(chart: &mut Chart<'_, '_>, seeds: &[Vec<(f64, f64)>], colour: RGBColor) -> Result<()> {
    for seed in seeds.iter().filter(|_| seeds.len() > 1) {
        let thin = LineSeries::new(seed.iter().copied(), colour.mix(0.5).stroke_width(1));
        chart.draw_series(thin).map_err(fail)?;
    }
    Ok(())
}

/// A bar with ends at every point of two seeds or more.
fn draw_bars(chart: &mut Chart<'_, '_>, points: &[PointSpread], colour: RGBColor) -> Result<()> {
    let style = colour.stroke_width(1);
    for (x, low, high) in points.iter().filter_map(|point| point.ends()) {
        chart.draw_series([PathElement::new(vec![(x, low), (x, high)], style)]).map_err(fail)?;
        let end = |y| EmptyElement::at((x, y)) + PathElement::new(vec![(-BAR_END, 0), (BAR_END, 0)], style);
        chart.draw_series([low, high].map(end)).map_err(fail)?;
    }
    Ok(())
}

/// A band over every stretch of points of two seeds or more, a bar where such a stretch is a single point.
fn draw_bands(chart: &mut Chart<'_, '_>, points: &[PointSpread], colour: RGBColor) -> Result<()> {
    for stretch in points.chunk_by(|a, b| a.sd.is_some() == b.sd.is_some()) {
        let ends: Vec<_> = stretch.iter().filter_map(|point| point.ends()).collect();
        if ends.len() < 2 {
            draw_bars(chart, stretch, colour)?;
            continue;
        }
        let above = ends.iter().map(|(x, _, high)| (*x, *high));
        let below = ends.iter().rev().map(|(x, low, _)| (*x, *low));
        let band = Polygon::new(above.chain(below).collect::<Vec<_>>(), colour.mix(0.16));
        chart.draw_series([band]).map_err(fail)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_of_seeds_by_hand() {
        let seeds = [vec![(1.0, 2.0), (2.0, 8.0), (3.0, 1.0)], vec![(2.0, 6.0), (1.0, 4.0)]];
        let points = spread(&seeds).unwrap();
        assert_eq!(points.iter().map(|p| (p.x, p.mean)).collect::<Vec<_>>(), [(1.0, 3.0), (2.0, 7.0)]);
        assert!((points[0].sd.unwrap() - 2_f64.sqrt()).abs() < 1e-12);
        assert_eq!(spread(&seeds[..1]).unwrap()[0].sd, None);
        assert!(spread(&[]).unwrap().is_empty());
        assert!(spread(&[vec![(1.0, f64::NAN)]]).is_err());
    }

    #[test]
    fn extent_includes_deviations() {
        assert_eq!(reach([(4.0, Some(1.5)), (3.0, None)].into_iter()), (2.5, 5.5));
    }

    #[test]
    fn top_is_a_round_number() {
        let points = |mean, sd| vec![PointSpread { x: 0.0, mean, sd }];
        let line = |mean, sd| PanelLine { label: "a".into(), points: points(mean, sd), seeds: Vec::new() };
        assert_eq!(top(&[line(47.0, None)]), 50.0);
        assert_eq!(top(&[line(47.0, Some(4.0))]), 60.0);
        assert!((top(&[line(0.023, None)]) - 0.03).abs() < 1e-12);
        assert_eq!(top(&[line(0.0, None)]), 1.0);
        assert_eq!(top(&[]), 1.0);
    }
}
