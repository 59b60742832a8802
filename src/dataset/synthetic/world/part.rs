//! A part of a category: where it hangs, how often, and how it looks.

use super::super::figure::{LineRank, Material};
use super::file::{PartFile, ShapeName, SizeFile};
use super::frame::Frame;
use super::number::{Measure, Misfit, Number, Slots, misfit};
use super::shape::Shape;
use crate::dataset::synthetic::curve::{P2, mix};

/// A part, its names looked up.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Position of the part that it hangs on.
    pub(super) parent: Option<usize>,
    pub(super) shape: Shape,
    pub(super) chance: f32,
    /// Values of options, one of which the object needs.
    pub(super) when: Vec<[usize; 2]>,
    pub(super) cut: bool,
    pub(super) material: Material,
    pub(super) rank: LineRank,
    pub(super) flat: bool,
    pub(super) shade: f32,
    at: [Measure; 2],
    pin: [Measure; 2],
    size: [Measure; 2],
    fit: bool,
    turn: Measure,
    copies: Copies,
}

/// How often a part is there.
#[derive(Debug, Clone)]
struct Copies {
    count: Measure,
    to: Option<[Measure; 2]>,
    around: Option<f32>,
    mirror: bool,
    scatter: f32,
}

/// Most copies of a part: more would be texture.
const MOST: f32 = 40.0;

impl Part {
    /// The part that a file describes; names are looked up by the category.
    pub(super) fn new(file: &PartFile, slots: &mut Slots) -> Result<Self, Misfit> {
        let shape = Shape::new(file, slots)?;
        let size = match &file.size {
            SizeFile::Pair([wide, tall]) => [slots.measure(wide)?, slots.measure(tall)?],
            SizeFile::Both { both } => [slots.measure(both)?; 2],
        };
        if size.iter().any(|side| side.ends()[0] <= 0.0) {
            return Err(misfit("a size above 0", format!("{:?}", size.map(|side| side.ends()))));
        }
        let chance = file.chance.unwrap_or(1.0);
        if !(chance > 0.0 && chance <= 1.0) {
            return Err(misfit("a chance above 0 and at most 1", chance));
        }
        let mut pair = |pair: &Option<[Number; 2]>| pair.as_ref().map(|[x, y]| two(x, y, slots)).transpose();
        let (at, pin) = (pair(&file.at)?, pair(&file.pin)?);
        let is_line = file.shape == ShapeName::Line;
        let usual = if is_line { LineRank::Detail } else { LineRank::Edge };
        let root = if file.on.is_none() { LineRank::Outline } else { usual };
        Ok(Self {
            parent: None,
            shape,
            chance,
            when: Vec::new(),
            cut: file.cut,
            material: file.material.unwrap_or(Material::Body),
            rank: file.rank.unwrap_or(root),
            flat: file.flat || is_line,
            shade: file.shade.unwrap_or(1.0),
            at: at.unwrap_or([Measure::fixed(0.0); 2]),
            pin: pin.unwrap_or([Measure::fixed(0.0); 2]),
            size,
            fit: file.fit,
            turn: file.turn.as_ref().map_or(Ok(Measure::fixed(0.0)), |turn| slots.measure(turn))?,
            copies: Copies::new(file, slots)?,
        })
    }

    /// The boxes of all copies on a part.
    pub(super) fn frames(&self, parent: &Frame, units: &[f32], scatter: &[P2]) -> Vec<Frame> {
        let at = self.at.map(|at| at.get(units));
        let pin = self.pin.map(|pin| pin.get(units));
        let scale = if self.fit { parent.half } else { [0.5; 2] };
        // A sketcher may misjudge a small size to nothing; a fiftieth of the unit can still be drawn.
        let half = [0, 1].map(|axis| (self.size[axis].get(units) * scale[axis]).max(0.01));
        let turn = self.turn.get(units);
        let count = self.copies.count.count(units);
        let one = |k: usize| {
            let off = scatter[k % scatter.len()].map(|off| off * self.copies.scatter);
            let place = |p: P2| [p[0] + off[0], p[1] + off[1]];
            match (self.copies.around, self.copies.to) {
                (Some(over), _) => parent.turned(spread(over, k, count)).child(place(at), pin, half, turn),
                (None, Some(to)) => {
                    let share = if count > 1 { k as f32 / (count - 1) as f32 } else { 0.5 };
                    parent.child(place(mix(at, to.map(|to| to.get(units)), share)), pin, half, turn)
                }
                (None, None) => parent.child(place(at), pin, half, turn),
            }
        };
        let mut frames: Vec<Frame> = (0..count).map(one).collect();
        if self.copies.mirror {
            let other = Self { copies: Copies { mirror: false, ..self.copies.clone() }, ..self.clone() };
            frames.extend(other.frames(&parent.mirrored(), units, scatter));
        }
        frames
    }
}

/// The turn of copy `k`: even over a whole turn, else from one end of the fan to the other.
fn spread(over: f32, k: usize, count: usize) -> f32 {
    if over >= 360.0 {
        over * k as f32 / count.max(1) as f32
    } else if count > 1 {
        over * (k as f32 / (count - 1) as f32 - 0.5)
    } else {
        0.0
    }
}

fn two(x: &Number, y: &Number, slots: &mut Slots) -> Result<[Measure; 2], Misfit> {
    Ok([slots.measure(x)?, slots.measure(y)?])
}

impl Copies {
    fn new(file: &PartFile, slots: &mut Slots) -> Result<Self, Misfit> {
        let count = file.count.as_ref().map_or(Ok(Measure::fixed(1.0)), |count| slots.measure(count))?;
        let [low, high] = count.ends();
        if low < 1.0 || high > MOST || low.fract() != 0.0 || high.fract() != 0.0 {
            return Err(misfit(format!("a count of whole numbers from 1 to {MOST}"), format!("{low} to {high}")));
        }
        if file.around.is_some() && file.to.is_some() {
            return Err(misfit("copies along a line (`to`) or around (`around`)", "both"));
        }
        let spread = file.around.is_some() || file.to.is_some() || file.scatter.is_some();
        if high > 1.0 && !spread {
            return Err(misfit("`to`, `around` or `scatter` where `count` is above 1", "none of them"));
        }
        let to = file.to.as_ref().map(|[x, y]| two(x, y, slots)).transpose()?;
        let (around, mirror, scatter) = (file.around, file.mirror, file.scatter.unwrap_or(0.0));
        Ok(Self { count, to, around, mirror, scatter })
    }
}
