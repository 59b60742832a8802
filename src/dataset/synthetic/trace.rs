//! A figure as a sketch: which lines are drawn, in which order, and how inaccurately.

use super::chance::{between, happens, normal};
use super::curve::{P2, add, at, distance, length, mix, part, resample, scale, spline, sub};
use super::figure::{Figure, FigureLine, LineRank};
use super::sketcher::Style;
use crate::seed::Stream;
use crate::sketch::{Point, Sketch};
use std::collections::BTreeMap;

/// The square that sketches fill, as in QMUL-Chair-V2: coordinates 33 to 223 of the 256 canvas.
const LOW: f32 = 33.0;
const FIELD: f32 = 190.0;
/// Coordinates are whole sixteenths of a pixel, so that a last bit of rounding cannot change them.
const GRID: f32 = 16.0;
/// No sketch of QMUL-Chair-V2 has more strokes.
const MOST: usize = 15;
/// The pen may stay down to a line that starts this near, in pixels.
const NEAR: f32 = 16.0;
/// Lines shorter than this, in pixels, are not drawn.
const SPECK: f32 = 7.0;

/// The sketch that a sketcher makes of a figure.
pub(super) fn draw(figure: &Figure, style: &Style, s: &mut Stream) -> Sketch {
    place(strokes(figure.visible(), figure.bounds(), style, s), style, s)
}

/// The strokes that a sketcher makes of an object's visible lines, where they are: with the errors of the pen that the
/// same object has on the whole field.
pub(super) fn draw_there(lines: Vec<FigureLine>, bounds: (P2, P2), style: &Style, s: &mut Stream) -> Vec<Vec<P2>> {
    let unit = unit_of(bounds);
    let mut drawn = strokes(lines, bounds, style, s);
    drawn.iter_mut().flatten().for_each(|p| *p = add(bounds.0, scale(*p, 1.0 / unit)));
    drawn
}

/// Strokes on the field.
fn strokes(lines: Vec<FigureLine>, bounds: (P2, P2), style: &Style, s: &mut Stream) -> Vec<Vec<P2>> {
    let lines = choose(fit(lines, bounds), style, s);
    let lines = order(lines, style);
    let lines = slip(lines, style, s);
    let strokes = join(lines, style, s);
    let strokes = split(strokes, style, s);
    strokes.iter().map(|stroke| hand(stroke, style, s)).collect()
}

/// How much larger an object is on the field.
fn unit_of((low, high): (P2, P2)) -> f32 {
    FIELD / (high[0] - low[0]).max(high[1] - low[1]).max(1e-6)
}

/// Lines scaled to the field.
fn fit(mut lines: Vec<FigureLine>, bounds: (P2, P2)) -> Vec<FigureLine> {
    let (low, unit) = (bounds.0, unit_of(bounds));
    let put = |points: &mut Vec<P2>| points.iter_mut().for_each(|p| *p = scale(sub(*p, low), unit));
    for line in &mut lines {
        put(&mut line.points);
        line.short.iter_mut().for_each(put);
    }
    lines.retain(|line| length(&line.points) > SPECK);
    lines
}

/// A point of a sketch, `low` to `high` on both axes and on the grid.
pub(super) fn on_grid(p: P2, low: f32, high: f32) -> Point {
    let [x, y] = p.map(|v| (v.clamp(low, high) * GRID).round() / GRID);
    Point::new(x, y)
}

/// Leaves out details: whole groups, and single lines of large groups.
fn choose(lines: Vec<FigureLine>, style: &Style, s: &mut Stream) -> Vec<FigureLine> {
    let mut sizes: BTreeMap<(u16, LineRank), usize> = BTreeMap::new();
    for line in &lines {
        *sizes.entry((line.group, line.rank)).or_default() += 1;
    }
    let chance = |rank: LineRank| match rank {
        LineRank::Outline => 1.0,
        LineRank::Edge => 0.5 + 0.5 * style.keep,
        LineRank::Detail => style.keep,
        LineRank::Fine => style.fine,
    };
    let kept: BTreeMap<_, bool> = sizes.keys().map(|key| (*key, happens(s, chance(key.1)))).collect();
    let brief = happens(s, style.short);
    let mut chosen = Vec::new();
    for mut line in lines {
        let key = (line.group, line.rank);
        let crowd = line.rank >= LineRank::Detail && sizes[&key] > 3;
        let thinned = crowd && happens(s, 0.35);
        let most = if brief { 11.0 } else { 7.0 };
        if let Some(short) = line.short.take()
            && is_thin(&line.points, &short, most)
        {
            line.points = short;
        }
        if kept[&key] && !thinned {
            chosen.push(line);
        }
    }
    chosen
}

/// Whether a bar is narrower than `most` pixels where it starts.
fn is_thin(outline: &[P2], middle: &[P2], most: f32) -> bool {
    let width = middle.first().zip(outline.first()).map_or(0.0, |(a, b)| distance(*a, *b)) * 2.0;
    length(middle) > SPECK && width < most
}

/// Outline first; within one importance from the top or from the left, but on from where the pen is if a line starts there.
fn order(mut lines: Vec<FigureLine>, style: &Style) -> Vec<FigureLine> {
    let axis = usize::from(style.from_top);
    let key = |line: &FigureLine| line.points.iter().map(|p| p[axis]).sum::<f32>() / line.points.len() as f32;
    lines.sort_by(|a, b| a.rank.cmp(&b.rank).then(key(a).total_cmp(&key(b))));
    let mut ordered: Vec<FigureLine> = Vec::with_capacity(lines.len());
    while !lines.is_empty() {
        let rank = lines[0].rank;
        let pen = ordered.last().map(|line| line.points[line.points.len() - 1]);
        let follows = |line: &FigureLine| line.rank == rank && pen.is_some_and(|pen| ends(line, pen) < NEAR);
        let next = lines.iter().position(follows).unwrap_or(0);
        let mut line = lines.remove(next);
        if let Some(pen) = pen
            && distance(pen, line.points[line.points.len() - 1]) < distance(pen, line.points[0])
        {
            line.points.reverse();
        }
        ordered.push(line);
    }
    ordered
}

/// Distance from the pen to the nearer end of a line.
fn ends(line: &FigureLine, pen: P2) -> f32 {
    distance(pen, line.points[0]).min(distance(pen, line.points[line.points.len() - 1]))
}

/// Puts whole parts (lines of one group) a little off their place.
fn slip(mut lines: Vec<FigureLine>, style: &Style, s: &mut Stream) -> Vec<FigureLine> {
    let mut off: BTreeMap<u16, P2> = BTreeMap::new();
    for line in &mut lines {
        let by = *off.entry(line.group).or_insert_with(|| [style.slip * normal(s), style.slip * normal(s)]);
        line.points.iter_mut().for_each(|p| *p = add(*p, by));
    }
    lines
}

/// Keeps the pen down where one line starts near the end of the last, and stops when the sketch is thought done: what
/// is left then are details.
fn join(lines: Vec<FigureLine>, style: &Style, s: &mut Stream) -> Vec<Vec<P2>> {
    let mut strokes: Vec<Vec<P2>> = Vec::new();
    for line in lines {
        let mut points = line.points;
        let pen = strokes.last().and_then(|stroke| stroke.last()).copied();
        if pen.is_some_and(|pen| distance(pen, points[0]) < NEAR) && happens(s, style.join) {
            strokes.last_mut().into_iter().for_each(|stroke| stroke.append(&mut points));
            continue;
        }
        if strokes.len() < if line.rank == LineRank::Outline { MOST } else { style.limit } {
            strokes.push(points);
        }
    }
    strokes
}

/// Draws some long lines in two.
fn split(strokes: Vec<Vec<P2>>, style: &Style, s: &mut Stream) -> Vec<Vec<P2>> {
    let mut pieces = Vec::new();
    let mut left = strokes.len();
    for stroke in strokes {
        left -= 1;
        if pieces.len() + left + 2 <= MOST && length(&stroke) > 150.0 && happens(s, style.split) {
            let cut = between(s, 0.3, 0.7);
            pieces.push(part(&stroke, 0.0, cut));
            pieces.push(part(&stroke, cut, 1.0));
        } else {
            pieces.push(stroke);
        }
    }
    pieces
}

/// The line with the errors of the pen.
fn hand(stroke: &[P2], style: &Style, s: &mut Stream) -> Vec<P2> {
    let mut points = record(stroke, style.step * between(s, 0.85, 1.15));
    if happens(s, style.restate) {
        let back = (points.len() as f32 * between(s, 0.3, 0.8)) as usize;
        let again: Vec<P2> = points.iter().rev().skip(1).take(back).copied().collect();
        points.extend(again);
    }
    stretch_ends(&mut points, style, s);
    let long = length(&points);
    let middle = at(&points, 0.5);
    let small = (long / 60.0).min(1.0);
    let off = [style.shift * normal(s) * small, style.shift * normal(s) * small];
    let grow = 1.0 + 0.02 * style.shift * normal(s) * 0.5;
    let slope = 0.012 * style.shift * normal(s);
    let knots = (long / 40.0).ceil() as usize + 2;
    let waver: Vec<P2> = (0..knots).map(|_| [style.wobble * normal(s), style.wobble * normal(s)]).collect();
    let waver = spline(&waver);
    let last = points.len().max(2) - 1;
    for (i, p) in points.iter_mut().enumerate() {
        let from = sub(*p, middle);
        let turned = [from[0] * grow - from[1] * slope, from[1] * grow + from[0] * slope];
        let share = i as f32 / last as f32 * (waver.len() - 1) as f32;
        let wave = scale(waver[share as usize], (0.35 + 0.65 * small).min(1.0));
        *p = add(add(middle, turned), add(off, wave));
    }
    points
}

/// Points at even steps, corners kept.
fn record(stroke: &[P2], step: f32) -> Vec<P2> {
    let step = step.min(0.4 * length(stroke)); // a small ring keeps its shape
    let mut points: Vec<P2> = Vec::new();
    let mut run = vec![stroke[0]];
    for i in 1..stroke.len() {
        run.push(stroke[i]);
        if i + 1 == stroke.len() || is_corner(stroke[i - 1], stroke[i], stroke[i + 1]) {
            let piece = resample(&run, step);
            points.extend(piece.into_iter().skip(usize::from(!points.is_empty())));
            run = vec![stroke[i]];
        }
    }
    points.dedup_by(|a, b| distance(*a, *b) < 1.0);
    points
}

fn is_corner(a: P2, b: P2, c: P2) -> bool {
    let (u, v) = (sub(b, a), sub(c, b));
    let dot = u[0] * v[0] + u[1] * v[1];
    let (long, wide) = (distance(a, b), distance(b, c));
    long > 1e-3 && wide > 1e-3 && dot < 0.7 * long * wide
}

/// Lets the ends run on or stop short.
fn stretch_ends(points: &mut [P2], style: &Style, s: &mut Stream) {
    let n = points.len();
    if n < 2 {
        return;
    }
    for (end, inner) in [(0, 1), (n - 1, n - 2)] {
        let along = sub(points[end], points[inner]);
        let long = distance(points[end], points[inner]).max(1e-3);
        let by = (style.overshoot + 2.0 * normal(s)).clamp(-0.4 * long, 8.0);
        points[end] = add(points[end], scale(along, by / long));
    }
}

/// Puts the drawing on the canvas, in whole sixteenths of a pixel.
fn place(mut strokes: Vec<Vec<P2>>, style: &Style, s: &mut Stream) -> Sketch {
    let lean = style.lean + 0.03 * normal(s);
    let aspect = style.aspect * (1.0 + 0.04 * normal(s));
    strokes.iter_mut().flatten().for_each(|p| p[0] = p[0] * aspect + p[1] * lean);
    let all = || strokes.iter().flatten();
    let bound = |axis: usize| all().fold((f32::MAX, f32::MIN), |b, p| (b.0.min(p[axis]), b.1.max(p[axis])));
    let ((left, right), (top, bottom)) = (bound(0), bound(1));
    let field = FIELD * style.size;
    let unit = field / (right - left).max(bottom - top).max(1e-6);
    let middle = LOW + FIELD * 0.5;
    let spare = (FIELD - field) * 0.5;
    let centre = [middle + spare * between(s, -1.0, 1.0), middle + spare * between(s, -1.0, 1.0)];
    let from = mix([left, top], [right, bottom], 0.5);
    let put = |p: &P2| on_grid(add(centre, scale(sub(*p, from), unit)), LOW, LOW + FIELD);
    Sketch { strokes: strokes.iter().map(|stroke| stroke.iter().map(put).collect()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::synthetic::{ObjectKind, figure::FigureLine};
    use crate::seed::Seed;

    fn line(rank: LineRank, from: P2, to: P2) -> FigureLine {
        FigureLine { points: vec![from, to], rank, group: 0, short: None }
    }

    #[test]
    fn outlines_come_first_and_the_pen_goes_on_from_where_it_is() {
        let style = Style { from_top: true, ..Style::of(ObjectKind::Chair, 0) };
        let lines = vec![
            line(LineRank::Detail, [0.0, 0.0], [9.0, 0.0]),
            line(LineRank::Outline, [90.0, 60.0], [50.0, 60.0]),
            line(LineRank::Outline, [0.0, 50.0], [9.0, 50.0]),
            line(LineRank::Outline, [12.0, 90.0], [9.0, 52.0]),
        ];
        let found = order(lines, &style);
        assert_eq!(found[0].points, [[0.0, 50.0], [9.0, 50.0]]);
        assert_eq!(found[1].points, [[9.0, 52.0], [12.0, 90.0]]);
        assert_eq!(found[2].points[0][1], 60.0);
        assert_eq!(found[3].rank, LineRank::Detail);
    }

    #[test]
    fn a_steady_hand_stays_on_the_line() {
        let still = Style { wobble: 0.0, shift: 0.0, restate: 0.0, ..Style::of(ObjectKind::Chair, 0) };
        let drawn = hand(&[[0.0, 0.0], [100.0, 0.0]], &still, &mut Seed(1).stream("test"));
        assert!(drawn.len() > 6);
        assert!(drawn.iter().all(|p| p[1].abs() < 1e-3 && (-9.0..109.0).contains(&p[0])), "{drawn:?}");
        let loose = Style { wobble: 3.0, ..still };
        let drawn = hand(&[[0.0, 0.0], [100.0, 0.0]], &loose, &mut Seed(1).stream("test"));
        assert!(drawn.iter().any(|p| p[1].abs() > 1.0));
    }

    #[test]
    fn corners_are_recorded() {
        let recorded = record(&[[0.0, 0.0], [33.0, 0.0], [33.0, 41.0]], 10.0);
        assert!(recorded.contains(&[33.0, 0.0]));
        assert_eq!(recorded.len(), 3 + 4 + 1);
    }
}
