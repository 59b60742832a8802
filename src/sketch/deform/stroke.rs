//! One redraw of one stroke.

use super::{DeformConfig, within};
use crate::seed::Stream;
use crate::sketch::{Point, Stroke};
use std::f32::consts::PI;

/// Steps 1 to 4 of the module's table.
pub(super) fn redraw(stroke: &[Point], config: &DeformConfig, stream: &mut Stream) -> Stroke {
    let mut points = transform(stroke, config, stream);
    if !config.coherent {
        points.iter_mut().for_each(|point| *point = add(*point, direction(config.noise, stream), 1.0));
    }
    let points = move_ends(points, config, stream);
    if config.coherent { shake(&points, config.noise, stream) } else { points }
}

/// Turns, scales and shifts a stroke about its barycentre.
fn transform(stroke: &[Point], config: &DeformConfig, stream: &mut Stream) -> Stroke {
    let (sin, cos) = within([-config.rotation, config.rotation], stream).to_radians().sin_cos();
    let (first, second) = (within(config.scale, stream), within(config.scale, stream));
    let (wide, tall) = (first, if config.stretch { second } else { first });
    let shift = direction(config.translation, stream);
    // Otherwise rounding would move points that must stay.
    if (sin, wide, tall) == (0.0, 1.0, 1.0) {
        return stroke.iter().map(|point| add(*point, shift, 1.0)).collect();
    }
    let centre = barycentre(stroke);
    let moved = |point: &Point| {
        let (x, y) = (point.x - centre.x, point.y - centre.y);
        let turned = Point::new(wide * (cos * x - sin * y), tall * (sin * x + cos * y));
        add(add(turned, centre, 1.0), shift, 1.0)
    };
    stroke.iter().map(moved).collect()
}

/// Lengthens or shortens both ends along their segments as they were before either moved: an end that becomes longer is
/// a point more, one that becomes shorter moves.
fn move_ends(mut points: Stroke, config: &DeformConfig, stream: &mut Stream) -> Stroke {
    let last = points.len().saturating_sub(1);
    if last == 0 {
        return points; // one point has no direction
    }
    let mut end = |tip: Point, neighbour: Point| {
        let shortest = if config.undershoot { -config.overshoot.min(tip.distance(neighbour)) } else { 0.0 };
        let by = within([shortest, config.overshoot], stream);
        (by, add(tip, unit(neighbour, tip), by))
    };
    let first = end(points[0], points[1]);
    let second = end(points[last], points[last - 1]);
    match second {
        (by, tip) if by > 0.0 => points.push(tip),
        (_, tip) => points[last] = tip,
    }
    match first {
        (by, tip) if by > 0.0 => points.insert(0, tip),
        (_, tip) => points[0] = tip,
    }
    points
}

/// Moves each point along the normal of the segment that leads to it (the first one's: of the segment that leaves it).
fn shake(points: &[Point], noise: f32, stream: &mut Stream) -> Stroke {
    let moved = |(k, point): (usize, &Point)| {
        let by = within([-noise, noise], stream);
        let other = points[if k > 0 { k - 1 } else { 1.min(points.len() - 1) }];
        let along = unit(other, *point);
        add(*point, Point::new(-along.y, along.x), by)
    };
    points.iter().enumerate().map(moved).collect()
}

/// A vector of random direction, no longer than `most`; two draws.
fn direction(most: f32, stream: &mut Stream) -> Point {
    let (sin, cos) = within([-PI, PI], stream).sin_cos();
    let length = within([0.0, most], stream);
    Point::new(length * cos, length * sin)
}

/// The direction from one point to another; no direction where they are the same.
fn unit(from: Point, to: Point) -> Point {
    let length = from.distance(to);
    if length > 0.0 { Point::new((to.x - from.x) / length, (to.y - from.y) / length) } else { Point::new(0.0, 0.0) }
}

/// `point + by * vector`
fn add(point: Point, vector: Point, by: f32) -> Point {
    Point::new(point.x + by * vector.x, point.y + by * vector.y)
}

/// The mean of a stroke's points.
pub(super) fn barycentre(stroke: &[Point]) -> Point {
    let count = stroke.len().max(1) as f32;
    let sum = stroke.iter().fold(Point::new(0.0, 0.0), |sum, point| add(sum, *point, 1.0));
    Point::new(sum.x / count, sum.y / count)
}
