//! Curves as lists of points, in the plane or in space: splines, ellipses, strips, hulls. No trigonometry, so that
//! every machine gets the same numbers.

/// A point of the plane.
pub(super) type P2 = [f32; 2];
/// A point of space: right, forward (to the viewer), up.
pub(super) type P3 = [f32; 3];

/// Samples of each span of a spline or quarter of an ellipse.
const SPAN: usize = 6;

/// `a + t (b - a)`.
pub(super) fn mix<const N: usize>(a: [f32; N], b: [f32; N], t: f32) -> [f32; N] {
    std::array::from_fn(|i| a[i] + t * (b[i] - a[i]))
}

/// `a + b`.
pub(super) fn add<const N: usize>(a: [f32; N], b: [f32; N]) -> [f32; N] {
    std::array::from_fn(|i| a[i] + b[i])
}

/// `a - b`.
pub(super) fn sub<const N: usize>(a: [f32; N], b: [f32; N]) -> [f32; N] {
    std::array::from_fn(|i| a[i] - b[i])
}

/// `s a`.
pub(super) fn scale<const N: usize>(a: [f32; N], s: f32) -> [f32; N] {
    a.map(|v| v * s)
}

/// Distance of two points.
pub(super) fn distance<const N: usize>(a: [f32; N], b: [f32; N]) -> f32 {
    sub(a, b).iter().map(|v| v * v).sum::<f32>().sqrt()
}

/// Whether two points are the same but for rounding.
pub(super) fn close_to(a: P2, b: P2) -> bool {
    distance(a, b) < 1e-4
}

/// Length of a line through points.
pub(super) fn length<const N: usize>(points: &[[f32; N]]) -> f32 {
    points.windows(2).map(|w| distance(w[0], w[1])).sum()
}

/// Cosine and sine of the angle whose half has the tangent `half`.
pub(super) fn turn(half: f32) -> (f32, f32) {
    let square = half * half;
    ((1.0 - square) / (1.0 + square), 2.0 * half / (1.0 + square))
}

/// A smooth line through the points (Catmull-Rom).
pub(super) fn spline<const N: usize>(through: &[[f32; N]]) -> Vec<[f32; N]> {
    let last = through.len() - 1;
    let mut points = Vec::with_capacity(last * SPAN + 1);
    for i in 0..last {
        let (b, c) = (through[i], through[i + 1]);
        let a = if i > 0 { through[i - 1] } else { b };
        let d = if i + 2 <= last { through[i + 2] } else { c };
        points.extend((0..SPAN).map(|k| blend(a, b, c, d, k as f32 / SPAN as f32)));
    }
    points.push(through[last]);
    points
}

/// A smooth closed line through the points; the first is not repeated at the end.
pub(super) fn ring<const N: usize>(through: &[[f32; N]]) -> Vec<[f32; N]> {
    let n = through.len();
    let at = |i: usize| through[i % n];
    let span = |i: usize| (0..SPAN).map(move |k| (i, k as f32 / SPAN as f32));
    (0..n).flat_map(span).map(|(i, t)| blend(at(i + n - 1), at(i), at(i + 1), at(i + 2), t)).collect()
}

fn blend<const N: usize>(a: [f32; N], b: [f32; N], c: [f32; N], d: [f32; N], t: f32) -> [f32; N] {
    std::array::from_fn(|i| {
        let slope = (c[i] - a[i]) * 0.5;
        let end = (d[i] - b[i]) * 0.5;
        let (square, cube) = (t * t, t * t * t);
        (2.0 * cube - 3.0 * square + 1.0) * b[i]
            + (cube - 2.0 * square + t) * slope
            + (3.0 * square - 2.0 * cube) * c[i]
            + (cube - square) * end
    })
}

/// The ellipse `centre + cos a + sin b`, from four Bezier quarters; the first point is not repeated.
pub(super) fn ellipse<const N: usize>(centre: [f32; N], a: [f32; N], b: [f32; N]) -> Vec<[f32; N]> {
    superellipse(centre, a, b, 0.552_284_8) // the handle that makes a Bezier quarter a circle's to 0.03%
}

/// An ellipse with handles of another length: 0.55 is round, 1 a rectangle with round corners.
pub(super) fn superellipse<const N: usize>(centre: [f32; N], a: [f32; N], b: [f32; N], handle: f32) -> Vec<[f32; N]> {
    let axes = [a, b, scale(a, -1.0), scale(b, -1.0)];
    let mut points = Vec::with_capacity(4 * SPAN);
    for i in 0..4 {
        let (from, to) = (axes[i], axes[(i + 1) % 4]);
        let (first, second) = (add(from, scale(to, handle)), add(to, scale(from, handle)));
        for k in 0..SPAN {
            let t = k as f32 / SPAN as f32;
            let s = 1.0 - t;
            let (p, q) = (s * s * s, 3.0 * s * s * t);
            let (r, u) = (3.0 * s * t * t, t * t * t);
            points.push(std::array::from_fn(|n| centre[n] + p * from[n] + q * first[n] + r * second[n] + u * to[n]));
        }
    }
    points
}

/// The line from share `from` to share `to` of its length.
pub(super) fn part<const N: usize>(points: &[[f32; N]], from: f32, to: f32) -> Vec<[f32; N]> {
    let total = length(points);
    let (start, end) = (from * total, to * total);
    let mut cut = vec![at(points, from)];
    let mut walked = 0.0;
    for w in points.windows(2) {
        walked += distance(w[0], w[1]);
        if walked > start && walked < end {
            cut.push(w[1]);
        }
    }
    cut.push(at(points, to));
    cut
}

/// The point at a share of a line's length.
pub(super) fn at<const N: usize>(points: &[[f32; N]], share: f32) -> [f32; N] {
    let mut left = share.clamp(0.0, 1.0) * length(points);
    for w in points.windows(2) {
        let step = distance(w[0], w[1]);
        if left <= step && step > 0.0 {
            return mix(w[0], w[1], left / step);
        }
        left -= step;
    }
    points[points.len() - 1]
}

/// The outline of a strip along a line, half as wide at each point as `half` says: down one side, back up the other.
pub(super) fn strip(points: &[P2], half: impl Fn(f32) -> f32) -> Vec<P2> {
    let last = points.len() - 1;
    let side = |sign: f32| {
        move |i: usize, half: f32| {
            let along = sub(points[(i + 1).min(last)], points[i.saturating_sub(1)]);
            let long = distance(along, [0.0; 2]).max(1e-6);
            add(points[i], [-along[1] / long * half * sign, along[0] / long * half * sign])
        }
    };
    let share = |i: usize| i as f32 / last as f32;
    let (left, right) = (side(1.0), side(-1.0));
    let mut outline: Vec<P2> = (0..=last).map(|i| left(i, half(share(i)))).collect();
    outline.extend((0..=last).rev().map(|i| right(i, half(share(i)))));
    outline
}

/// The convex hull, by Andrew's monotone chain.
pub(super) fn hull(points: &[P2]) -> Vec<P2> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let chain = |points: &mut dyn Iterator<Item = &P2>| {
        let mut chain: Vec<P2> = Vec::new();
        for &p in points {
            while chain.len() > 1 && cross(chain[chain.len() - 2], chain[chain.len() - 1], p) <= 0.0 {
                chain.pop();
            }
            chain.push(p);
        }
        chain.pop();
        chain
    };
    let mut whole = chain(&mut sorted.iter());
    whole.extend(chain(&mut sorted.iter().rev()));
    whole
}

fn cross(a: P2, b: P2, c: P2) -> f32 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Whether a closed outline holds a point (even-odd rule).
pub(super) fn holds(outline: &[P2], p: P2) -> bool {
    let mut inside = false;
    let mut previous = outline.len().wrapping_sub(1);
    for i in 0..outline.len() {
        let (a, b) = (outline[i], outline[previous]);
        if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0] {
            inside = !inside;
        }
        previous = i;
    }
    inside
}

/// Points at even steps of about `step` along a line, both ends kept.
pub(super) fn resample(points: &[P2], step: f32) -> Vec<P2> {
    let pieces = (length(points) / step).round().max(1.0) as usize;
    (0..=pieces).map(|i| at(points, i as f32 / pieces as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipse_is_round() {
        for p in ellipse([1.0, 2.0], [3.0, 0.0], [0.0, 3.0]) {
            assert!((distance(p, [1.0, 2.0]) - 3.0).abs() < 0.002, "{p:?}");
        }
    }

    #[test]
    fn a_turn_has_length_one() {
        let (cos, sin) = turn(0.5); // tan(a/2) = 1/2: the 3-4-5 triangle
        assert!((cos - 0.6).abs() < 1e-6 && (sin - 0.8).abs() < 1e-6);
    }

    #[test]
    fn a_hull_drops_what_lies_inside() {
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        let found = hull(&[&square[..], &[[1.0, 1.0], [0.5, 1.5]]].concat());
        assert_eq!(found.len(), 4);
        assert!(square.iter().all(|p| found.contains(p)));
    }

    #[test]
    fn a_square_holds_its_middle_only() {
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        assert!(holds(&square, [1.0, 1.0]));
        assert!(!holds(&square, [3.0, 1.0]) && !holds(&square, [1.0, -1.0]));
        assert!(!holds(&[], [1.0, 1.0]));
    }

    #[test]
    fn splines_pass_through_their_points() {
        let through = [[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]];
        let (open, closed) = (spline(&through), ring(&through));
        assert!(through.iter().all(|p| open.contains(p) && closed.contains(p)));
        assert_eq!((open.len(), closed.len()), (2 * SPAN + 1, 3 * SPAN));
    }

    #[test]
    fn a_part_has_its_share_of_the_length() {
        let line = [[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]];
        assert_eq!(part(&line, 0.5, 1.0), vec![[2.0, 0.0], [3.0, 0.0], [3.0, 1.0]]);
        assert_eq!(resample(&line[..2], 1.0).len(), 4);
        assert_eq!(resample(&[[1.0, 1.0], [1.0, 1.0]], 1.0).len(), 2);
    }
}
