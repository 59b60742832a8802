//! Which objects a scene has, and where they stand.

use super::super::chance::{between, count, normal, unit};
use super::super::curve::{P2, mix};
use super::super::figure::Figure;
use super::super::world::{Category, CategoryKind, WorldDesign};
use crate::seed::Stream;

/// Objects of a scene, fewest and most.
const OBJECTS: [usize; 2] = [6, 16];
/// Categories of a scene, fewest and most.
const CATEGORIES: [usize; 2] = [3, 8];
/// Places tried for an object until none of the others hides, or is hidden by, more of it than [`OVERLAP`].
const TRIES: usize = 40;
/// Share of the smaller of two boxes that both may cover.
const OVERLAP: f32 = 0.35;
/// The size of things on paper, and how much of the way to it every object goes in a sketch.
const USUAL: f32 = 0.25;
const EVEN: f32 = 0.4;
/// Least width or height of a sketched scene, as a share of the photo's.
const NARROW: f32 = 0.7;
/// Size of an object at the horizon, as a share of that at the front.
const FAR: f32 = 0.4;

/// How a sketcher fills the paper: nobody keeps the frame of the photo.
#[derive(Debug, Clone, Copy)]
pub(super) struct Composition {
    stretch: P2,
    shift: P2,
}

impl Composition {
    /// A composition at random that stays on the paper.
    pub(super) fn new(s: &mut Stream) -> Self {
        let stretch = [between(s, NARROW, 1.0), between(s, NARROW, 1.0)];
        let shift = stretch.map(|stretch| between(s, -0.5, 0.5) * (1.0 - stretch));
        Self { stretch, shift }
    }
}

/// An object of a scene. Lengths are shares of the photo's side.
#[derive(Debug, Clone)]
pub(super) struct SceneObject {
    /// Position in the list of categories.
    pub(super) category: usize,
    pub(super) design: WorldDesign,
    /// 0 at the horizon, 1 at the front.
    depth: f32,
    /// The middle of where it stands.
    foot: P2,
    /// Its longer side.
    size: f32,
    /// Width and height as shares of the longer side.
    aspect: P2,
}

/// The categories that the scenes of a family share.
pub(super) fn family(categories: &[Category], s: &mut Stream) -> Vec<usize> {
    let wanted = count(s, CATEGORIES[0], CATEGORIES[1]).min(categories.len());
    let mut chosen = Vec::with_capacity(wanted);
    while chosen.len() < wanted {
        let category = count(s, 0, categories.len() - 1);
        if !chosen.contains(&category) {
            chosen.push(category);
        }
    }
    chosen
}

/// The objects of a scene, far ones first: each category of the family once, then any of them.
pub(super) fn arrange(family: &[usize], categories: &[Category], horizon: f32, s: &mut Stream) -> Vec<SceneObject> {
    let wanted = count(s, OBJECTS[0].max(family.len()), OBJECTS[1]);
    let mut objects: Vec<SceneObject> = Vec::with_capacity(wanted);
    for k in 0..wanted {
        let category = if k < family.len() { family[k] } else { family[count(s, 0, family.len() - 1)] };
        let design = WorldDesign::new(&categories[category], s);
        let aspect = aspect(design.figure(&categories[category]).bounds());
        let tried: Vec<SceneObject> = (0..TRIES)
            .map(|_| SceneObject::place(category, categories[category].kind, &design, aspect, horizon, s))
            .collect();
        let free = tried.iter().find(|one| objects.iter().all(|other| one.overlap(other) < OVERLAP));
        // A crowded scene has no free place left: it has fewer objects, but never too few.
        let place = if objects.len() < OBJECTS[0] { free.or(tried.first()) } else { free };
        objects.extend(place.cloned());
    }
    objects.sort_by(|a, b| a.depth.total_cmp(&b.depth));
    objects
}

impl SceneObject {
    fn place(
        position: usize,
        kind: CategoryKind,
        design: &WorldDesign,
        aspect: P2,
        horizon: f32,
        s: &mut Stream,
    ) -> Self {
        let depth = between(s, 0.0, 1.0);
        let size = natural(kind) * (FAR + (1.0 - FAR) * depth) * between(s, 0.85, 1.15);
        let foot = [between(s, 0.06, 0.94), horizon + (0.97 - horizon) * depth];
        Self { category: position, design: design.clone(), depth, foot, size, aspect }
    }

    /// Corners of its box.
    fn bounds(&self) -> (P2, P2) {
        let [wide, tall] = self.aspect.map(|side| side * self.size);
        ([self.foot[0] - wide * 0.5, self.foot[1] - tall], [self.foot[0] + wide * 0.5, self.foot[1]])
    }

    /// Share of the smaller of two boxes that both cover.
    fn overlap(&self, other: &Self) -> f32 {
        let ((a, b), (c, d)) = (self.bounds(), other.bounds());
        let common = |axis: usize| (b[axis].min(d[axis]) - a[axis].max(c[axis])).max(0.0);
        let area = |low: P2, high: P2| (high[0] - low[0]) * (high[1] - low[1]);
        common(0) * common(1) / area(a, b).min(area(c, d)).max(1e-9)
    }

    /// The object where it stands.
    pub(super) fn figure(&self, categories: &[Category]) -> Figure {
        let figure = self.design.figure(&categories[self.category]);
        let (low, high) = figure.bounds();
        let unit = self.size / (high[0] - low[0]).max(high[1] - low[1]).max(1e-6);
        let middle = (low[0] + high[0]) * 0.5;
        figure.moved(|p| [self.foot[0] + (p[0] - middle) * unit, self.foot[1] + (p[1] - high[1]) * unit])
    }

    /// The object as a sketcher remembers it: measures and place are misjudged, and its size comes nearer to what all
    /// things have on paper.
    pub(super) fn misjudged(&self, s: &mut Stream, error: f32, slip: f32) -> Self {
        let design = self.design.misjudged(s, error);
        let foot = [self.foot[0] + slip * normal(s), self.foot[1] + slip * normal(s)];
        let size = mix([self.size], [USUAL], EVEN)[0] * (1.0 + slip * normal(s)).max(0.5);
        Self { design, foot, size, ..self.clone() }
    }

    /// The object in a composition that is shifted and stretched.
    pub(super) fn framed(&self, frame: &Composition) -> Self {
        let foot = [0, 1].map(|axis| 0.5 + (self.foot[axis] - 0.5) * frame.stretch[axis] + frame.shift[axis]);
        Self { foot, size: self.size * frame.stretch[0].min(frame.stretch[1]), ..self.clone() }
    }

    /// How likely it is drawn: large objects come to mind first.
    fn weight(&self) -> f32 {
        self.size
    }
}

/// About half of the objects, drawn by their size; at least two. Positions stay in their order.
pub(super) fn remembered(objects: &[SceneObject], s: &mut Stream) -> Vec<usize> {
    // Sketches of SketchyCOCO hold 49.7% of their photos' objects.
    let share = between(s, 0.35, 0.65);
    let wanted = ((objects.len() as f32 * share).round() as usize).clamp(2, objects.len());
    let mut left: Vec<usize> = (0..objects.len()).collect();
    while left.len() > wanted {
        // What is forgotten is drawn by the inverse of its size.
        let total: f32 = left.iter().map(|at| 1.0 / objects[*at].weight()).sum();
        let mut ball = unit(s) * total;
        let lost = left.iter().position(|at| {
            ball -= 1.0 / objects[*at].weight();
            ball < 0.0
        });
        left.remove(lost.unwrap_or(left.len() - 1));
    }
    left
}

fn aspect((low, high): (P2, P2)) -> P2 {
    let sides = [high[0] - low[0], high[1] - low[1]];
    sides.map(|side| side / sides[0].max(sides[1]).max(1e-6))
}

/// How large things are beside each other, as shares of the photo's side at its front.
fn natural(kind: CategoryKind) -> f32 {
    match kind {
        CategoryKind::Building => 0.46,
        CategoryKind::Vehicle => 0.4,
        CategoryKind::Plant => 0.36,
        CategoryKind::Animal => 0.33,
        CategoryKind::Artefact | CategoryKind::Clothes => 0.28,
    }
}
