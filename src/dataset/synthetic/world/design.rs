//! One object of a category: its draws, and its figure.

use super::super::chance::{between, count, happens, normal, unit};
use super::super::curve::P2;
use super::super::figure::{Figure, FigurePart, LineRank, Material, close};
use super::category::Category;
use super::frame::Frame;
use super::part::Part;
use super::shape::Outline;
use crate::seed::Stream;

/// Places that scattered copies take in turn.
const SCATTER: usize = 32;

/// The draws of one object.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct WorldDesign {
    /// A value for every range of the file, 0 to 1.
    units: Vec<f32>,
    /// The value of every option.
    options: Vec<usize>,
    /// Which parts are there.
    present: Vec<bool>,
    scatter: Vec<P2>,
    flipped: bool,
}

impl WorldDesign {
    /// An object at random.
    pub(in super::super) fn new(category: &Category, s: &mut Stream) -> Self {
        Self {
            units: (0..category.slots).map(|_| unit(s)).collect(),
            options: category.options.iter().map(|values| count(s, 0, values - 1)).collect(),
            present: category.parts.iter().map(|part| happens(s, part.chance)).collect(),
            scatter: (0..SCATTER).map(|_| [between(s, -1.0, 1.0), between(s, -1.0, 1.0)]).collect(),
            flipped: category.flips && happens(s, 0.5),
        }
    }

    /// The same object with every measure misjudged, as a sketcher sees it.
    pub(in super::super) fn misjudged(&self, s: &mut Stream, error: f32) -> Self {
        let mut other = self.clone();
        let shift = |value: &mut f32, s: &mut Stream| *value += error * normal(s);
        for value in &mut other.units {
            shift(value, s);
            *value = value.clamp(-0.15, 1.15);
        }
        other.scatter.iter_mut().flatten().for_each(|value| shift(value, s));
        other
    }

    /// The object, y down, in the units of its file.
    pub(in super::super) fn figure(&self, category: &Category) -> Figure {
        let mut drawing = Drawing { design: self, category, parts: Vec::new() };
        let origin = if self.flipped { Frame::ORIGIN.mirrored() } else { Frame::ORIGIN };
        drawing.hang(None, &origin, None);
        drawing.parts.sort_by_key(|(position, _)| *position); // stable: copies stay in their order
        Figure { parts: drawing.parts.into_iter().map(|(_, part)| part).collect() }
    }

    /// Whether two objects have the same options and parts and face the same way.
    #[cfg(test)]
    pub(super) fn has_same_choices(&self, other: &Self) -> bool {
        (&self.options, &self.present, self.flipped) == (&other.options, &other.present, other.flipped)
    }

    fn has(&self, part: usize, category: &Category) -> bool {
        let Part { when, .. } = &category.parts[part];
        let fits = when.is_empty() || when.iter().any(|[option, value]| self.options[*option] == *value);
        self.present[part] && fits
    }
}

/// A figure in the making: parts with their position in the file.
struct Drawing<'a> {
    design: &'a WorldDesign,
    category: &'a Category,
    parts: Vec<(usize, FigurePart)>,
}

impl Drawing<'_> {
    /// Adds all parts that hang on a copy of one; `carrier` is where that copy stands in the list.
    fn hang(&mut self, parent: Option<usize>, frame: &Frame, carrier: Option<usize>) {
        let category = self.category;
        for position in 0..category.parts.len() {
            let part = &category.parts[position];
            if part.parent != parent || !self.design.has(position, category) {
                continue;
            }
            for own in part.frames(frame, &self.design.units, &self.design.scatter) {
                let outline = part.shape.outline(&own, &self.design.units);
                match carrier.filter(|_| part.cut) {
                    Some(carrier) => cut(&mut self.parts[carrier].1, outline.area, position),
                    None => {
                        let place = self.parts.len();
                        self.add(position, outline);
                        self.hang(Some(position), &own, Some(place));
                    }
                }
            }
        }
    }

    fn add(&mut self, position: usize, outline: Outline) {
        let part = &self.category.parts[position];
        let group = position as u16;
        let mut figure = if outline.area.is_empty() {
            let line = outline.middle.clone().unwrap_or_default();
            FigurePart::new(part.material, hair(&line)).line(part.rank, group, line)
        } else {
            let mut drawn = FigurePart::drawn(part.material, part.rank, group, outline.area);
            drawn.lines[0].short = outline.middle;
            drawn
        };
        figure = figure.shade(part.shade);
        figure.flat = part.flat;
        self.parts.push((position, figure));
        if let Some(rim) = outline.rim {
            let opening = FigurePart::drawn(Material::Inside, part.rank.max(LineRank::Edge), group, rim).shade(0.75);
            self.parts.push((position, opening));
        }
    }
}

fn cut(part: &mut FigurePart, hole: Vec<P2>, position: usize) {
    let lines = FigurePart::new(part.surface, Vec::new()).line(LineRank::Edge, position as u16, close(&hole)).lines;
    part.lines.extend(lines);
    part.holes.push(hole);
}

/// A line as an area, thin enough to be painted as a seam.
fn hair(line: &[P2]) -> Vec<P2> {
    if line.len() < 2 { Vec::new() } else { super::super::curve::strip(line, |_| 0.004) }
}
