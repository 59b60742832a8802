//! Outlines of parts, in their own boxes.

use super::super::curve::{P2, close_to, ellipse, ring, spline, strip, superellipse};
use super::file::{PartFile, ShapeName};
use super::frame::Frame;
use super::number::{Measure, Misfit, Slots, misfit};

/// How a part's outline is made.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    name: ShapeName,
    points: Vec<[Measure; 2]>,
    half: bool,
    round: Measure,
    thick: [Measure; 2],
    rim: Option<Measure>,
}

/// A part's outline on the picture.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline {
    /// The closed outline; none of a line.
    pub(super) area: Vec<P2>,
    /// The middle line of a tube, or the line itself.
    pub(super) middle: Option<Vec<P2>>,
    /// The opening on top.
    pub(super) rim: Option<Vec<P2>>,
}

impl Shape {
    /// Checks what a shape needs and what it cannot have.
    pub(super) fn new(part: &PartFile, slots: &mut Slots) -> Result<Self, Misfit> {
        use ShapeName::*;
        let least = match part.shape {
            Ellipse | Box => 0,
            Polygon | Blob if !part.half => 3,
            _ => 2,
        };
        if part.points.len() < least || (least == 0 && !part.points.is_empty()) {
            let expected = if least == 0 { "no points".to_string() } else { format!("at least {least} points") };
            return Err(misfit(format!("{expected} for `{:?}`", part.shape).to_lowercase(), part.points.len()));
        }
        let is_tube = matches!(part.shape, Tube | Rod);
        let is_lathe = matches!(part.shape, Lathe | Spindle);
        only(part.thick.is_some() == is_tube, "`thick` for a tube or rod and for nothing else")?;
        only(part.round.is_none() || part.shape == Box, "`round` for a box alone")?;
        only(part.rim.is_none() || is_lathe, "`rim` for a lathe or spindle alone")?;
        only(!part.half || matches!(part.shape, Polygon | Blob | Line), "`half` for a polygon, blob or line alone")?;
        let mut pair = |pair: &[_; 2]| Ok([slots.measure(&pair[0])?, slots.measure(&pair[1])?]);
        let points = part.points.iter().map(&mut pair).collect::<Result<_, Misfit>>()?;
        let thick = part.thick.as_ref().map_or(Ok([Measure::fixed(0.0); 2]), pair)?;
        let round = part.round.as_ref().map_or(Ok(Measure::fixed(0.0)), |round| slots.measure(round))?;
        let rim = part.rim.as_ref().map(|rim| slots.measure(rim)).transpose()?;
        Ok(Self { name: part.shape, points, half: part.half, round, thick, rim })
    }

    /// The outline in a frame.
    pub(super) fn outline(&self, frame: &Frame, units: &[f32]) -> Outline {
        use ShapeName::*;
        let points = self.points(units);
        let put = |points: Vec<P2>| points.into_iter().map(|p| frame.point(p)).collect::<Vec<P2>>();
        let area = |points| Outline { area: put(points), ..Outline::default() };
        match self.name {
            Ellipse => area(ellipse([0.0; 2], [1.0, 0.0], [0.0, 1.0])),
            Box => area(rounded(self.round.get(units), frame.half)),
            Polygon => area(points),
            Blob => area(ring(&points)),
            Lathe | Spindle => self.turned(&points, frame, units),
            Tube => self.tube(spline(&put(points)), units),
            Rod => self.tube(put(points), units),
            Line => Outline { middle: Some(spline(&put(points))), ..Outline::default() },
        }
    }

    fn points(&self, units: &[f32]) -> Vec<P2> {
        let mut points: Vec<P2> = self.points.iter().map(|p| [p[0].get(units), p[1].get(units)]).collect();
        if self.half {
            let other = points.iter().rev().filter(|p| p[0] != 0.0).map(|p| [-p[0], p[1]]);
            points.extend(other.collect::<Vec<P2>>());
        }
        points
    }

    /// The silhouette of a body that is the same on both sides, and its opening.
    fn turned(&self, heights: &[P2], frame: &Frame, units: &[f32]) -> Outline {
        let side: Vec<P2> = heights.iter().map(|p| [p[1], p[0]]).collect();
        let side = if self.name == ShapeName::Lathe { spline(&side) } else { side };
        let mut area = side.clone();
        area.extend(side.iter().rev().map(|p| [-p[0], p[1]]).filter(|p| p[0] != 0.0));
        let top = heights[0];
        let rim = self.rim.map(|rim| {
            let tall = rim.get(units) * top[1] * frame.half[0] / frame.half[1].max(1e-6);
            ellipse([0.0, top[0]], [top[1], 0.0], [0.0, tall])
        });
        let put = |points: Vec<P2>| points.into_iter().map(|p| frame.point(p)).collect::<Vec<P2>>();
        Outline { area: put(area), middle: None, rim: rim.map(put) }
    }

    fn tube(&self, middle: Vec<P2>, units: &[f32]) -> Outline {
        let [first, last] = self.thick.map(|thick| thick.get(units) * 0.5);
        let area = strip(&middle, |t| first + (last - first) * t);
        // A line once around has no place to begin with: its two edges are the outline of a ring.
        let middle = (!close_to(middle[0], middle[middle.len() - 1])).then_some(middle);
        Outline { area, middle, rim: None }
    }
}

/// The box with round corners: `round` 0 has none, at 1 the shorter side is a half circle.
fn rounded(round: f32, half: P2) -> Vec<P2> {
    let round = round.clamp(0.0, 1.0);
    if round < 0.02 {
        return vec![[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
    }
    let radius = round * half[0].min(half[1]);
    let (across, down) = (radius / half[0].max(1e-6), radius / half[1].max(1e-6));
    let corners: [(P2, P2, P2); 4] = [
        ([1.0 - across, -1.0 + down], [0.0, -down], [across, 0.0]),
        ([1.0 - across, 1.0 - down], [across, 0.0], [0.0, down]),
        ([-1.0 + across, 1.0 - down], [0.0, down], [-across, 0.0]),
        ([-1.0 + across, -1.0 + down], [-across, 0.0], [0.0, -down]),
    ];
    let quarter = |(centre, a, b): (P2, P2, P2)| {
        let mut points = superellipse(centre, a, b, 0.552_284_8);
        points.truncate(7); // a quarter has six spans
        points
    };
    corners.into_iter().flat_map(quarter).collect()
}

fn only(fits: bool, expected: &str) -> Result<(), Misfit> {
    if fits { Ok(()) } else { Err(misfit(expected, "otherwise")) }
}
