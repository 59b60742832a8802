//! The names of a panel's lines, at their ends.

use super::canvas::{Area, TextSize, fail, text, write};
use super::label::{STEP, push_apart};
use super::panel::{Chart, Panel, PanelLine, colour};
use crate::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// How far names stand from the axes, and the lines that lead to them from the points, in pixels.
const NAME: i32 = 9;
const BESIDE: i32 = 7;

/// A line that leads to a name.
const LEADER: RGBColor = RGBColor(170, 170, 170);

/// Names to the right of the axes, each as near the end of its line as the others allow; a thin line leads to one that lies
/// apart from it.
pub(super) fn draw_names(chart: &Chart<'_, '_>, panel: &Panel, area: &Area<'_>) -> Result<()> {
    let right = panel.x.range.1;
    let end = |(colour, line): (usize, &PanelLine)| {
        let last = *line.points.last()?;
        Some((line.label.clone(), (last.x, last.mean), colour))
    };
    let lines = panel.lines.iter().enumerate().filter_map(end);
    let named = panel.levels.iter().filter(|level| !level.label.is_empty());
    let levels = named.map(|level| (level.label.clone(), (right, level.mean), level.colour));
    let names: Vec<(String, (f64, f64), usize)> = lines.chain(levels).collect();
    let start = area.get_base_pixel();
    let pixel = |at: (f64, f64)| {
        let (x, y) = chart.backend_coord(&at);
        (x - start.0, y - start.1)
    };
    let heights: Vec<i32> = names.iter().map(|name| pixel(name.1).1).collect();
    let x = pixel((right, panel.y.range.0)).0 + NAME;
    for ((label, at, i), height) in names.into_iter().zip(push_apart(&heights, STEP)) {
        let end = pixel(at);
        if x - end.0 > 2 * NAME || (height - end.1).abs() > STEP / 4 {
            let path = vec![(end.0 + BESIDE, end.1), (x - 3, height)];
            area.draw(&PathElement::new(path, LEADER.stroke_width(1))).map_err(fail)?;
        }
        write(area, &label, (x, height), text(TextSize::Small, colour(i), HPos::Left))?;
    }
    Ok(())
}
