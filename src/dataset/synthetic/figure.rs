//! A design seen from one side: parts in painting order, each with its area (for the photo) and its lines
//! (for the sketch).

use super::curve::{P2, distance, holds, mix};

/// The material of a part; the photo gives each a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Material {
    /// Upper of a shoe, frame of a chair.
    Body,
    /// Second colour of the same.
    Accent,
    /// Laces, straps, piping.
    Trim,
    /// Sole of a shoe.
    Sole,
    /// Heel of a shoe, legs of a chair.
    Support,
    /// Lining: darker.
    Inside,
    /// Buckles, castors.
    Metal,
    /// Cushions and upholstery.
    Pad,
}

/// How early a line is drawn and how rarely it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LineRank {
    /// The object's own outline.
    Outline,
    /// A part's outline.
    Edge,
    /// A detail that distinguishes the object from others.
    Detail,
    /// Stitches, holes, buttons.
    Fine,
}

/// A line that a sketch may show and that a photo shows faintly.
#[derive(Debug, Clone)]
pub(super) struct FigureLine {
    /// Its points.
    pub(super) points: Vec<P2>,
    /// When it is drawn.
    pub(super) rank: LineRank,
    /// Lines of one group (all laces, all slats) are kept or left out together.
    pub(super) group: u16,
    /// What a quick sketcher draws instead: one line for a thin bar.
    pub(super) short: Option<Vec<P2>>,
}

/// A part of an object, as seen.
#[derive(Debug, Clone)]
pub(super) struct FigurePart {
    /// Its outline, closed.
    pub(super) area: Vec<P2>,
    /// Holes in it.
    pub(super) holes: Vec<Vec<P2>>,
    /// Lighter or darker faces on it.
    pub(super) faces: Vec<(Vec<P2>, f32)>,
    /// Its material.
    pub(super) surface: Material,
    /// Brightness, 1 = as its colour.
    pub(super) shade: f32,
    /// Nearer parts are painted later.
    pub(super) depth: f32,
    /// Lies flat on another part: hides no line of it.
    pub(super) flat: bool,
    /// Its lines in a sketch.
    pub(super) lines: Vec<FigureLine>,
}

impl FigurePart {
    /// A part without lines.
    pub(super) fn new(surface: Material, area: Vec<P2>) -> Self {
        Self {
            area,
            holes: Vec::new(),
            faces: Vec::new(),
            surface,
            shade: 1.0,
            depth: 0.0,
            flat: false,
            lines: Vec::new(),
        }
    }

    /// A part whose own outline is drawn.
    pub(super) fn drawn(surface: Material, rank: LineRank, group: u16, area: Vec<P2>) -> Self {
        let loop_ = close(&area);
        Self::new(surface, area).line(rank, group, loop_)
    }

    /// Adds a line.
    pub(super) fn line(mut self, rank: LineRank, group: u16, points: Vec<P2>) -> Self {
        self.lines.push(FigureLine { points, rank, group, short: None });
        self
    }

    /// Sets the brightness.
    pub(super) fn shade(mut self, shade: f32) -> Self {
        self.shade = shade;
        self
    }

    /// Sets the depth.
    pub(super) fn depth(mut self, depth: f32) -> Self {
        self.depth = depth;
        self
    }

    /// Lies on another part without hiding its lines.
    pub(super) fn flat(mut self) -> Self {
        self.flat = true;
        self
    }

    fn covers(&self, p: P2) -> bool {
        !self.flat && holds(&self.area, p) && !self.holes.iter().any(|hole| holds(hole, p))
    }
}

/// The outline with its first point repeated at the end.
pub(super) fn close(area: &[P2]) -> Vec<P2> {
    let mut closed = area.to_vec();
    closed.extend(area.first());
    closed
}

/// Whether a line is hidden is asked at so many places along the object's diagonal: about every 3 pixels of a sketch.
const STEPS: f32 = 80.0;

/// An object as seen from one side, y down, in any unit.
#[derive(Debug, Clone, Default)]
pub(super) struct Figure {
    /// In painting order.
    pub(super) parts: Vec<FigurePart>,
}

impl Figure {
    /// Smallest and largest corner of all areas.
    pub(super) fn bounds(&self) -> (P2, P2) {
        bounds(self.parts.iter().flat_map(|part| &part.area))
    }

    /// The figure with every point moved.
    pub(super) fn moved(mut self, place: impl Fn(P2) -> P2) -> Self {
        let put = |points: &mut Vec<P2>| points.iter_mut().for_each(|p| *p = place(*p));
        for part in &mut self.parts {
            put(&mut part.area);
            part.holes.iter_mut().for_each(put);
            part.faces.iter_mut().for_each(|face| put(&mut face.0));
            for line in &mut part.lines {
                put(&mut line.points);
                line.short.iter_mut().for_each(put);
            }
        }
        self
    }

    /// All lines without the runs that parts painted later cover; runs shorter than two points are gone.
    pub(super) fn visible(&self) -> Vec<FigureLine> {
        let boxes: Vec<_> = self.parts.iter().map(|part| bounds(&part.area)).collect();
        let (low, high) = self.bounds();
        let step = distance(low, high) / STEPS;
        let mut seen = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            let covered = |p: P2| {
                let near = |b: &(P2, P2)| p[0] >= b.0[0] && p[0] <= b.1[0] && p[1] >= b.0[1] && p[1] <= b.1[1];
                (i + 1..self.parts.len()).any(|j| near(&boxes[j]) && self.parts[j].covers(p))
            };
            for line in &part.lines {
                let short =
                    line.short.as_ref().and_then(|s| runs(&dense(s, step), &covered).into_iter().max_by_key(Vec::len));
                let (rank, group) = (line.rank, line.group);
                for (n, points) in runs(&dense(&line.points, step), &covered).into_iter().enumerate() {
                    let short = if n == 0 { short.clone() } else { None };
                    seen.push(FigureLine { points, rank, group, short });
                }
            }
        }
        seen
    }
}

fn bounds<'a>(points: impl IntoIterator<Item = &'a P2>) -> (P2, P2) {
    points.into_iter().fold(([f32::MAX; 2], [f32::MIN; 2]), |(low, high), p| {
        ([low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])])
    })
}

/// The line with points added where two lie further apart than a step.
fn dense(points: &[P2], step: f32) -> Vec<P2> {
    let mut filled = Vec::with_capacity(points.len());
    for pair in points.windows(2) {
        let n = (distance(pair[0], pair[1]) / step).ceil().max(1.0) as usize;
        filled.extend((0..n).map(|k| mix(pair[0], pair[1], k as f32 / n as f32)));
    }
    filled.extend(points.last());
    filled
}

/// The runs of points that are not covered. A closed line that is cut is joined over its first point.
fn runs(points: &[P2], covered: &impl Fn(P2) -> bool) -> Vec<Vec<P2>> {
    let mut found: Vec<Vec<P2>> = Vec::new();
    let mut run: Vec<P2> = Vec::new();
    for &p in points {
        if covered(p) {
            found.push(std::mem::take(&mut run));
        } else {
            run.push(p);
        }
    }
    let whole = found.is_empty();
    let closed = points.first() == points.last();
    if !whole && closed && !run.is_empty() && found.first().is_some_and(|first| !first.is_empty()) {
        let first = found.remove(0);
        run.extend(first.into_iter().skip(1));
    }
    found.push(run);
    found.retain(|run| run.len() > 1);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(at: f32, size: f32) -> Vec<P2> {
        vec![[at, at], [at + size, at], [at + size, at + size], [at, at + size]]
    }

    fn figure(flat: bool) -> Figure {
        let far = FigurePart::drawn(Material::Body, LineRank::Outline, 0, square(0.0, 2.0));
        let near = FigurePart::drawn(Material::Body, LineRank::Edge, 1, square(1.0, 2.0));
        Figure { parts: vec![far, if flat { near.flat() } else { near }] }
    }

    #[test]
    fn a_nearer_part_hides_a_corner() {
        let lines = figure(false).visible();
        assert_eq!(lines.len(), 2);
        let far = &lines[0].points;
        assert!(far.iter().all(|p| !(p[0] > 1.0 && p[1] > 1.0)), "{far:?}");
        // One run from just before the corner that is hidden, over the first point, to just after it.
        let step = distance([0.0; 2], [3.0, 3.0]) / STEPS;
        assert!(distance(far[0], [1.0, 2.0]) <= step && distance(far[far.len() - 1], [2.0, 1.0]) <= step, "{far:?}");
    }

    #[test]
    fn a_flat_part_hides_nothing() {
        let lines = figure(true).visible();
        assert!(lines.iter().all(|line| line.points.first() == line.points.last()));
    }

    #[test]
    fn a_hidden_line_is_gone() {
        let mut figure = figure(false);
        figure.parts.push(FigurePart::new(Material::Body, square(-1.0, 9.0)));
        assert!(figure.visible().is_empty());
    }
}
