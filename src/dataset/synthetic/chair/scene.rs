//! Solids in space and how they look from the camera: slabs, bars and walls.

use super::super::curve::{P2, P3, add, distance, hull, scale, strip, turn};
use super::super::figure::{Figure, FigurePart, LineRank, Material, close};

/// The view of the chair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    azimuth: (f32, f32),
    elevation: (f32, f32),
}

/// The camera stands this many metres away: far enough for lines to stay nearly parallel, as in a shop's photo.
const DISTANCE: f32 = 5.0;

impl Camera {
    /// Half tangents of the camera's turn to the side and of its elevation.
    pub(super) fn new(azimuth: f32, elevation: f32) -> Self {
        Self { azimuth: turn(azimuth), elevation: turn(elevation) }
    }

    /// Place on the picture (y down) and depth (nearer is larger).
    pub(super) fn see(&self, p: P3) -> (P2, f32) {
        let (cos, sin) = self.azimuth;
        let (across, forward) = (p[0] * cos + p[1] * sin, p[1] * cos - p[0] * sin);
        let (cos, sin) = self.elevation;
        let (depth, up) = (forward * cos + p[2] * sin, p[2] * cos - forward * sin);
        let near = DISTANCE / (DISTANCE - depth);
        ([across * near, -up * near], depth)
    }

    /// How much a horizontal direction points to the camera.
    pub(super) fn faces(&self, normal: P2) -> f32 {
        normal[1] * self.azimuth.0 - normal[0] * self.azimuth.1
    }
}

/// How a solid is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct FaceLook {
    pub(super) surface: Material,
    pub(super) rank: LineRank,
    pub(super) group: u16,
    /// Added to the depth where a solid's centre does not order it.
    pub(super) bias: f32,
}

impl FaceLook {
    pub(super) fn new(surface: Material, rank: LineRank, group: u16) -> Self {
        Self { surface, rank, group, bias: 0.0 }
    }

    pub(super) fn bias(self, bias: f32) -> Self {
        Self { bias, ..self }
    }
}

/// The solids of one chair.
pub(super) struct Scene {
    pub(super) camera: Camera,
    parts: Vec<FigurePart>,
}

impl Scene {
    pub(super) fn new(camera: Camera) -> Self {
        Self { camera, parts: Vec::new() }
    }

    fn look(&self, points: &[P3]) -> (Vec<P2>, f32) {
        let seen: Vec<(P2, f32)> = points.iter().map(|p| self.camera.see(*p)).collect();
        let depth = seen.iter().map(|s| s.1).sum::<f32>() / seen.len().max(1) as f32;
        (seen.into_iter().map(|s| s.0).collect(), depth)
    }

    /// A convex face and the solid that it sweeps when moved by `push`.
    pub(super) fn slab(&mut self, face: &[P3], push: P3, look: FaceLook) {
        let far: Vec<P3> = face.iter().map(|p| add(*p, push)).collect();
        let (front, depth) = self.look(face);
        let (behind, _) = self.look(&far);
        let outline = hull(&[front.clone(), behind].concat());
        let closed = close(&outline);
        let mut part = FigurePart::new(look.surface, outline.clone()).shade(0.8).depth(depth + look.bias);
        part.lines.extend(FigurePart::new(look.surface, Vec::new()).line(look.rank, look.group, closed).lines);
        let edge = inner(&front, &outline);
        if edge.len() > 2 {
            part = part.line(LineRank::Edge.max(look.rank), look.group, edge);
        }
        part.faces.push((front, 1.25));
        self.parts.push(part);
    }

    /// A slab with a hole, its inner outline drawn too.
    pub(super) fn frame(&mut self, face: &[P3], hole: &[P3], push: P3, look: FaceLook) {
        self.slab(face, push, look);
        let (inner, _) = self.look(hole);
        if let Some(part) = self.parts.last_mut() {
            let (face, _) = part.faces.remove(0);
            part.shade = 1.0;
            part.lines.retain(|line| line.points.len() > face.len() / 2);
            part.lines.extend(
                FigurePart::new(look.surface, Vec::new()).line(LineRank::Edge, look.group, close(&inner)).lines,
            );
            part.holes.push(inner);
        }
    }

    /// A thin board of any outline.
    pub(super) fn plate(&mut self, face: &[P3], look: FaceLook) {
        let (outline, depth) = self.look(face);
        let mut part = FigurePart::drawn(look.surface, look.rank, look.group, outline.clone()).depth(depth + look.bias);
        part.shade = 1.05;
        self.parts.push(part);
    }

    /// A bar along a line, as thick as `radius` says.
    pub(super) fn bar(&mut self, line: &[P3], radius: impl Fn(f32) -> f32, look: FaceLook) {
        let (centre, depth) = self.look(line);
        let outline = strip(&centre, &radius);
        let mut part = FigurePart::drawn(look.surface, look.rank, look.group, outline).depth(depth + look.bias);
        part.lines[0].short = Some(centre.clone());
        let shift: Vec<P2> = centre.iter().map(|p| add(*p, [-0.3 * radius(0.5), 0.0])).collect();
        part.faces.push((strip(&shift, |t| 0.4 * radius(t)), 1.25));
        self.parts.push(part);
    }

    /// A standing wall along a line on the ground, between two heights at each point: its inner side where it turns
    /// from the camera, its outer side where it turns to it.
    pub(super) fn wall(&mut self, top: &[P3], bottom: &[P3], look: FaceLook) {
        let last = top.len() - 1;
        let outward = |i: usize| {
            let (a, b) = (top[i.saturating_sub(1)], top[(i + 1).min(last)]);
            self.camera.faces([a[1] - b[1], b[0] - a[0]]) > 0.0
        };
        let mut start = 0;
        let mut found = Vec::new();
        for i in 1..=last {
            if outward(i) != outward(start) || i == last {
                found.push((start, i, outward(start)));
                start = i;
            }
        }
        for (from, to, outer) in found {
            let (upper, depth) = self.look(&top[from..=to]);
            let (lower, _) = self.look(&bottom[from..=to]);
            let mut area = upper.clone();
            area.extend(lower.iter().rev());
            let (bias, shade) = if outer { (look.bias + 0.25, 0.95) } else { (-0.3, 0.78) };
            let part = FigurePart::drawn(look.surface, look.rank, look.group + u16::from(outer), area);
            self.parts.push(part.shade(shade).depth(depth + bias));
        }
    }

    /// A line on a surface that is there already.
    pub(super) fn mark(&mut self, line: &[P3], rank: LineRank, group: u16, look: FaceLook) {
        let (seen, depth) = self.look(line);
        let area = strip(&seen, |_| 0.004);
        self.parts.push(
            FigurePart::new(look.surface, area).shade(0.55).depth(depth + look.bias).line(rank, group, seen).flat(),
        );
    }

    /// A small ball.
    pub(super) fn ball(&mut self, at: P3, radius: f32, look: FaceLook) {
        let (centre, depth) = self.camera.see(at);
        let area = super::super::curve::ellipse(centre, [radius, 0.0], [0.0, radius]);
        self.parts.push(FigurePart::drawn(look.surface, look.rank, look.group, area).depth(depth + look.bias));
    }

    /// All solids, far ones first.
    pub(super) fn figure(mut self) -> Figure {
        self.parts.sort_by(|a, b| a.depth.total_cmp(&b.depth));
        Figure { parts: self.parts }
    }
}

/// The longest run of a face's edge that does not lie on the outline.
fn inner(face: &[P2], outline: &[P2]) -> Vec<P2> {
    let on = |p: P2| {
        let n = outline.len();
        (0..n).any(|i| to_segment(p, outline[i], outline[(i + 1) % n]) < 0.002)
    };
    let flags: Vec<bool> = face.iter().map(|p| on(*p)).collect();
    let n = face.len();
    let Some(start) = (0..n).find(|&i| flags[i] && !flags[(i + 1) % n]) else { return Vec::new() };
    let mut run = vec![face[start]];
    for k in 1..=n {
        let i = (start + k) % n;
        run.push(face[i]);
        if flags[i] {
            break;
        }
    }
    run
}

fn to_segment(p: P2, a: P2, b: P2) -> f32 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let square = along[0] * along[0] + along[1] * along[1];
    let t = ((p[0] - a[0]) * along[0] + (p[1] - a[1]) * along[1]) / square.max(1e-12);
    distance(p, add(a, scale(along, t.clamp(0.0, 1.0))))
}
