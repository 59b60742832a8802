//! Sketches as vectors: strokes on a 256 x 256 canvas, and everything that turns them into other strokes or into pixels.

use serde::{Deserialize, Serialize};

/// Side of the canvas that all coordinates refer to, in pixels (origin top left, y down).
pub const CANVAS: f32 = 256.0;

/// A pen position, in pixels of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right, `0..256`.
    pub x: f32,
    /// Down, `0..256`.
    pub y: f32,
}

impl Point {
    /// A point at `(x, y)`.
    pub fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }
}

/// A line drawn without lifting the pen: its points in drawing order.
pub type Stroke = Vec<Point>;

/// A free-hand drawing: its strokes in drawing order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Sketch {
    /// First drawn first; a stroke has at least one point.
    pub strokes: Vec<Stroke>,
}

impl Sketch {
    /// How many points all strokes have together.
    pub fn points(&self) -> usize {
        self.strokes.iter().map(Vec::len).sum()
    }
}
