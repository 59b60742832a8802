//! Fewer points, or evenly spaced ones.
//!
//! Own code, because `imageproc::geometry::approximate_polygon_dp` measures the distance to an endless line, which is
//! undefined for a closed stroke (first point = last point) and loses it.

use super::{CANVAS, Point, Sketch, Stroke};
use crate::{Error, Result};

/// More intervals than this in one stroke is a mistake in the spacing, not a drawing (a canvas has 65,536 pixels).
const MOST_INTERVALS: f32 = 65_536.0;

/// Leaves out points that lie within `tolerance` of the line drawn without them (Ramer-Douglas-Peucker).
///
/// ```text
/// keep(a..b): find the point farthest from the segment a b; beyond the tolerance, keep it and do both halves
/// ```
///
/// Every stroke keeps its first and last point; every point left out lies within `tolerance` of the result.
///
/// # Shapes
/// `tolerance`: pixels of the canvas, 0 leaves out only points exactly on the line. QuickDraw's simplified form has 2.
///
/// # Errors
/// A tolerance below 0 or NaN.
///
/// # References
/// Ramer, An iterative procedure for the polygonal approximation of plane curves, 1972; Douglas and Peucker, 1973.
///
/// ```
/// use retrace::sketch::{Point, Sketch, simplify::simplify};
/// let stroke = [(0.0, 0.0), (5.0, 0.5), (10.0, 0.0), (10.0, 10.0)].map(|(x, y)| Point::new(x, y)).to_vec();
/// let simple = simplify(&Sketch { strokes: vec![stroke.clone()] }, 1.0)?;
/// assert_eq!(simple.strokes, [vec![stroke[0], stroke[2], stroke[3]]]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn simplify(sketch: &Sketch, tolerance: f32) -> Result<Sketch> {
    if tolerance.is_nan() || tolerance < 0.0 {
        return Err(Error::value("tolerance", "a number of pixels, 0 or more", tolerance));
    }
    Ok(Sketch { strokes: sketch.strokes.iter().map(|stroke| simplify_stroke(stroke, tolerance)).collect() })
}

/// The fewest steps of tolerance that leave at most `points` points.
///
/// [`simplify`] with `tolerance`, then with ever larger ones, each by a quarter, until the sketch has few enough points.
/// Where the strokes are so many that their ends alone are more, what is drawn last is left out.
///
/// # Shapes
/// `tolerance`: pixels of the canvas, above 0; `points`: 1 or more.
///
/// # Errors
/// A tolerance that is not above 0; no points.
///
/// ```
/// use retrace::sketch::{Point, Sketch, simplify::simplify_to};
/// let wave = |k: u8| Point::new(f32::from(k), 4.0 * (f32::from(k) * 0.9).sin());
/// let sketch = Sketch { strokes: vec![(0..60).map(wave).collect()] };
/// assert!(simplify_to(&sketch, 0.1, 20)?.points() <= 20 && simplify_to(&sketch, 0.1, 60)?.points() > 20);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn simplify_to(sketch: &Sketch, tolerance: f32, points: usize) -> Result<Sketch> {
    if tolerance.is_nan() || tolerance <= 0.0 || points == 0 {
        let found = format!("{tolerance} and {points}");
        return Err(Error::value("tolerance and points", "a tolerance above 0 and 1 point or more", found));
    }
    let mut tolerance = tolerance;
    let mut simple = simplify(sketch, tolerance)?;
    while simple.points() > points && tolerance < CANVAS {
        tolerance *= 1.25;
        simple = simplify(sketch, tolerance)?;
    }
    let mut left = points;
    for stroke in &mut simple.strokes {
        stroke.truncate(left);
        left -= stroke.len();
    }
    simple.strokes.retain(|stroke| !stroke.is_empty());
    Ok(simple)
}

fn simplify_stroke(stroke: &[Point], tolerance: f32) -> Stroke {
    if stroke.len() < 3 {
        return stroke.to_vec();
    }
    let mut keep = vec![false; stroke.len()];
    keep[0] = true;
    keep[stroke.len() - 1] = true;
    // A stack of our own: a spiral of a million points would overflow the thread's.
    let mut spans = vec![(0, stroke.len() - 1)];
    while let Some((first, last)) = spans.pop() {
        if let Some(middle) = farthest(stroke, first, last, tolerance) {
            keep[middle] = true;
            spans.extend([(first, middle), (middle, last)]);
        }
    }
    stroke.iter().zip(keep).filter_map(|(&point, keep)| keep.then_some(point)).collect()
}

/// The point strictly between two others that is farthest from their segment, if farther than `tolerance`.
fn farthest(stroke: &[Point], first: usize, last: usize, tolerance: f32) -> Option<usize> {
    let mut found = None;
    let mut most = tolerance;
    for middle in first + 1..last {
        let distance = segment_distance(stroke[middle], stroke[first], stroke[last]);
        if distance > most {
            (found, most) = (Some(middle), distance);
        }
    }
    found
}

/// How far a point is from the segment between two others, which may be the same.
fn segment_distance(point: Point, a: Point, b: Point) -> f32 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let square = dx * dx + dy * dy;
    let share = if square > 0.0 { ((point.x - a.x) * dx + (point.y - a.y) * dy) / square } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    point.distance(Point::new(a.x + share * dx, a.y + share * dy))
}

/// Places points at even distances along every stroke, the first and the last where they were.
///
/// ```text
/// intervals = max(1, round(length of the stroke / spacing))
/// ```
///
/// A stroke of one point or of length 0 becomes one point.
///
/// # Shapes
/// `spacing`: pixels of the canvas, above 0.
///
/// # Errors
/// A spacing that is not above 0, or so small that a stroke would get more than 65,536 intervals; a coordinate that is
/// not finite.
///
/// ```
/// use retrace::sketch::{Point, Sketch, simplify::resample};
/// let sketch = Sketch { strokes: vec![vec![Point::new(0.0, 0.0), Point::new(9.0, 0.0)]] };
/// let x: Vec<f32> = resample(&sketch, 3.0)?.strokes[0].iter().map(|point| point.x).collect();
/// assert_eq!(x, [0.0, 3.0, 6.0, 9.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn resample(sketch: &Sketch, spacing: f32) -> Result<Sketch> {
    if spacing.is_nan() || spacing <= 0.0 {
        return Err(Error::value("spacing", "a number of pixels above 0", spacing));
    }
    let strokes = sketch.strokes.iter().map(|stroke| resample_stroke(stroke, spacing));
    Ok(Sketch { strokes: strokes.collect::<Result<_>>()? })
}

fn resample_stroke(stroke: &[Point], spacing: f32) -> Result<Stroke> {
    let (Some(&first), Some(&last)) = (stroke.first(), stroke.last()) else { return Ok(Stroke::new()) };
    let length: f32 = stroke.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
    if !length.is_finite() {
        return Err(Error::value("stroke", "finite coordinates", format!("a length of {length}")));
    }
    if length == 0.0 {
        return Ok(vec![first]);
    }
    let intervals = (length / spacing).round().max(1.0);
    if intervals > MOST_INTERVALS {
        return Err(Error::value("spacing", "at most 65,536 intervals in a stroke", intervals));
    }
    let mut resampled = vec![first];
    let (mut before, mut segment) = (0.0, 0);
    for k in 1..intervals as usize {
        let target = length * k as f32 / intervals;
        // Rounding may leave the last target slightly beyond the sum of the segments: stay on the last one.
        while segment + 2 < stroke.len() && before + stroke[segment].distance(stroke[segment + 1]) < target {
            before += stroke[segment].distance(stroke[segment + 1]);
            segment += 1;
        }
        resampled.push(along(stroke[segment], stroke[segment + 1], target - before));
    }
    resampled.push(last);
    Ok(resampled)
}

/// The point `distance` away from `a` towards `b`, at most `b`.
fn along(a: Point, b: Point, distance: f32) -> Point {
    let length = a.distance(b);
    let share = if length > 0.0 { (distance / length).clamp(0.0, 1.0) } else { 0.0 };
    Point::new(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::any_sketch;
    use proptest::prelude::*;

    fn stroke(points: &[(f32, f32)]) -> Stroke {
        points.iter().map(|&(x, y)| Point::new(x, y)).collect()
    }

    fn one(points: &[(f32, f32)]) -> Sketch {
        Sketch { strokes: vec![stroke(points)] }
    }

    /// The textbook's recursion, with the distance searched along the segment in tiny steps.
    fn slow(points: &[Point], tolerance: f32) -> Stroke {
        if points.len() < 3 {
            return points.to_vec();
        }
        let (a, b) = (points[0], points[points.len() - 1]);
        let distance = |p: Point| {
            (0..=2000)
                .map(|k| k as f32 / 2000.0)
                .map(|t| p.distance(Point::new(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y))))
                .fold(f32::INFINITY, f32::min)
        };
        let (mut most, mut at) = (0.0, 0);
        for (k, &point) in points.iter().enumerate() {
            if distance(point) > most {
                (most, at) = (distance(point), k);
            }
        }
        if most <= tolerance {
            return vec![a, b];
        }
        let mut left = slow(&points[..=at], tolerance);
        left.pop();
        left.extend(slow(&points[at..], tolerance));
        left
    }

    #[test]
    fn a_closed_square_keeps_its_corners() {
        let square = [(0.0, 0.0), (5.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 5.0), (0.0, 0.0)];
        let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)];
        assert_eq!(simplify(&one(&square), 1.0).unwrap(), one(&corners));
    }

    #[test]
    fn a_turning_back_is_kept() {
        // All on one line, but the middle point lies beyond the segment's end.
        let there_and_back = one(&[(0.0, 0.0), (20.0, 0.0), (5.0, 0.0)]);
        assert_eq!(simplify(&there_and_back, 2.0).unwrap(), there_and_back);
    }

    #[test]
    fn simplify_keeps_empty_and_short_strokes() {
        for sketch in [Sketch::default(), one(&[(1.0, 1.0)]), one(&[(1.0, 1.0), (1.0, 1.0)])] {
            assert_eq!(simplify(&sketch, 5.0).unwrap(), sketch);
        }
        assert_eq!(simplify(&one(&[(1.0, 1.0); 9]), 0.0).unwrap(), one(&[(1.0, 1.0); 2]));
    }

    #[test]
    fn a_tolerance_or_spacing_that_is_none_is_refused() {
        for bad in [-1.0, f32::NAN] {
            assert!(simplify(&one(&[(0.0, 0.0)]), bad).is_err());
            assert!(resample(&one(&[(0.0, 0.0)]), bad).is_err());
        }
        assert!(resample(&one(&[(0.0, 0.0)]), 0.0).is_err());
        assert!(resample(&one(&[(0.0, 0.0), (9.0, 0.0)]), 1e-9).unwrap_err().to_string().contains("65,536"));
        assert!(resample(&one(&[(0.0, 0.0), (f32::NAN, 0.0)]), 1.0).is_err());
    }

    #[test]
    fn resample_by_hand() {
        // An L of length 8 in 4 intervals of 2; the corner at 3 falls between two points.
        let bent = one(&[(0.0, 0.0), (3.0, 0.0), (3.0, 5.0)]);
        let expected = one(&[(0.0, 0.0), (2.0, 0.0), (3.0, 1.0), (3.0, 3.0), (3.0, 5.0)]);
        assert_eq!(resample(&bent, 2.1).unwrap(), expected);
        assert_eq!(resample(&bent, 100.0).unwrap(), one(&[(0.0, 0.0), (3.0, 5.0)]));
        assert_eq!(resample(&one(&[(4.0, 4.0); 3]), 1.0).unwrap(), one(&[(4.0, 4.0)]));
        assert_eq!(resample(&Sketch::default(), 1.0).unwrap(), Sketch::default());
    }

    proptest! {
        #[test]
        fn simplify_agrees_with_the_slow_twin(sketch in any_sketch(), tolerance in 1.0f32..60.0) {
            // The twin's search along the segment is off by up to 362 / 2000 / 2 px sideways: leave near ties out.
            let near = |t: f32| simplify(&sketch, t).unwrap();
            prop_assume!(near(tolerance * 0.99) == near(tolerance * 1.01));
            let expected = Sketch { strokes: sketch.strokes.iter().map(|s| slow(s, tolerance)).collect() };
            prop_assert_eq!(near(tolerance), expected);
        }

        #[test]
        fn simplify_drops_only_near_points(sketch in any_sketch(), tolerance in 0.0f32..60.0) {
            let simple = simplify(&sketch, tolerance).unwrap();
            for (before, after) in sketch.strokes.iter().zip(&simple.strokes) {
                prop_assert_eq!((before.first(), before.last()), (after.first(), after.last()));
                for &point in before {
                    let near = after.windows(2).map(|p| segment_distance(point, p[0], p[1])).fold(f32::INFINITY, f32::min);
                    prop_assert!(after.len() == 1 || near <= tolerance + 1e-3);
                }
            }
        }

        #[test]
        fn resampled_points_are_evenly_spaced_along_a_line(x in 1.0f32..256.0, y in 1.0f32..256.0, spacing in 0.5f32..30.0) {
            let line = resample(&one(&[(0.0, 0.0), (x / 3.0, y / 3.0), (x, y)]), spacing).unwrap();
            let step = x.hypot(y) / (line.points() - 1) as f32;
            for pair in line.strokes[0].windows(2) {
                prop_assert!((pair[0].distance(pair[1]) - step).abs() < 1e-2);
            }
        }
    }
}
