//! The sketchers: each has the same habits in every sketch.

use super::ObjectKind;
use super::chance::{between, happens};
use crate::seed::Stream;

/// The habits of one sketcher. Lengths are pixels of the 256 canvas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Style {
    /// How far measures are misjudged, as a share of their range.
    pub(super) error: f32,
    /// Stretch of every sketch's width.
    pub(super) aspect: f32,
    /// Share of the details that are drawn.
    pub(super) keep: f32,
    /// Share of the finest details that are drawn.
    pub(super) fine: f32,
    /// How often a thin bar becomes one line.
    pub(super) short: f32,
    /// Amplitude of the hand's slow waver.
    pub(super) wobble: f32,
    /// Offset of a whole stroke from its place.
    pub(super) shift: f32,
    /// How far ends run on (or stop short, below 0).
    pub(super) overshoot: f32,
    /// How often a long line is drawn in two.
    pub(super) split: f32,
    /// How often the pen stays down to the next line.
    pub(super) join: f32,
    /// Offset of a whole part from its place.
    pub(super) slip: f32,
    /// How often a stroke goes back over itself.
    pub(super) restate: f32,
    /// Lean of every sketch: right per down.
    pub(super) lean: f32,
    /// Distance of recorded points.
    pub(super) step: f32,
    /// Strokes after which the sketch is thought done.
    pub(super) limit: usize,
    /// Lines of one importance are drawn from the top, else from the left.
    pub(super) from_top: bool,
    /// Size of the drawing as a share of the field that sketches fill.
    pub(super) size: f32,
}

impl Style {
    /// The style of a sketcher of shoes or of chairs.
    pub(super) fn of(kind: ObjectKind, sketcher: u32) -> Self {
        let s = &mut kind.seed().child("sketcher", u64::from(sketcher));
        let care = between(s, 0.0, 1.0);
        let loose = |s: &mut Stream, low: f32, high: f32| {
            low + (high - low) * (0.6 * (1.0 - care) + 0.4 * between(s, 0.0, 1.0))
        };
        Self {
            error: loose(s, 0.08, 0.24),
            aspect: between(s, 0.87, 1.13),
            keep: 1.0 - loose(s, 0.0, 0.35),
            fine: 1.0 - loose(s, 0.2, 0.9),
            short: between(s, 0.4, 1.0),
            wobble: loose(s, 0.7, 2.6),
            shift: loose(s, 1.0, 4.0),
            overshoot: between(s, -1.0, 4.0),
            split: between(s, 0.1, 0.7),
            join: between(s, 0.3, 0.9),
            slip: loose(s, 1.0, 6.0),
            // A shoe has fewer lines and longer ones; hands go over them more.
            restate: between(s, 0.0, if kind == ObjectKind::Shoe { 0.6 } else { 0.25 }),
            lean: between(s, -0.08, 0.08),
            step: between(s, 10.0, 14.5),
            limit: between(s, 6.0, 13.99) as usize,
            from_top: happens(s, 0.7),
            size: between(s, 0.9, 1.0),
        }
    }
}
