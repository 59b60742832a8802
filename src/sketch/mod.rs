//! Sketches as vectors: strokes on a 256 x 256 canvas, and everything that turns them into other strokes or into pixels.
//!
//! | module | what it does |
//! |---|---|
//! | [`pen`] | the field's rows of numbers: absolute rows with a pen flag, stroke-3, stroke-5 |
//! | [`svg`], [`json`] | file formats |
//! | [`simplify`] | fewer points, or evenly spaced ones |
//! | [`partial`] | the first p% of a drawing, or a drawing with strokes missing |
//! | [`mod@deform`] | strokes redrawn less carefully |
//! | [`augment`] | shift, scale, rotation and a flip that a photo can share |
//! | [`centre`] | scaled and centred, so that the canvas is filled |
//! | [`rasterise`] | pixels, the field's way or anti-aliased |
//! | [`statistic`] | strokes, points and ink of a corpus |
//!
//! Coordinates are continuous: a raster of side `s` covers the canvas, and its pixel `i` covers the canvas from
//! `256 i / s` to `256 (i + 1) / s`.

pub mod augment;
pub mod centre;
pub mod deform;
pub mod json;
pub mod partial;
pub mod pen;
pub mod rasterise;
pub mod simplify;
pub mod statistic;
pub mod svg;

pub use augment::{Affine, AugmentConfig, OwnDeformation};
pub use centre::{centred, centred_picture};
pub use deform::{DeformConfig, Deformed, deform};
pub use rasterise::{antialiased, bresenham, ink_share};
pub use statistic::Statistics;

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

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

    /// Whether neither coordinate is NaN or infinite.
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }

    /// How far it is to another point, in pixels of the canvas.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
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

    /// Checks that the sketch can be drawn, naming the file it came from.
    ///
    /// # Errors
    /// No stroke, a stroke without points, a coordinate that is NaN or infinite. Strokes and points are counted from 1.
    ///
    /// ```
    /// use retrace::sketch::{Point, Sketch};
    /// let sketch = Sketch { strokes: vec![vec![Point::new(1.0, f32::NAN)]] };
    /// let message = sketch.check("a.json").unwrap_err().to_string();
    /// assert_eq!(message, "a.json: expected finite coordinates, found (1, NaN) at stroke 1, point 1");
    /// ```
    pub fn check(&self, path: impl AsRef<Path>) -> Result<()> {
        if self.strokes.is_empty() {
            return Err(Error::data(path, "at least one stroke", "none"));
        }
        for (at, stroke) in self.strokes.iter().enumerate() {
            if stroke.is_empty() {
                return Err(Error::data(
                    path,
                    "at least one point in each stroke",
                    format!("none in stroke {}", at + 1),
                ));
            }
            if let Some(k) = stroke.iter().position(|point| !point.is_finite()) {
                let found = format!("({}, {}) at stroke {}, point {}", stroke[k].x, stroke[k].y, at + 1, k + 1);
                return Err(Error::data(path, "finite coordinates", found));
            }
        }
        Ok(())
    }

    /// The smallest box around all points, as its top left and bottom right corner; none without points.
    ///
    /// ```
    /// use retrace::sketch::{Point, Sketch};
    /// let sketch = Sketch { strokes: vec![vec![Point::new(1.0, 9.0), Point::new(4.0, 2.0)]] };
    /// assert_eq!(sketch.bounds(), Some((Point::new(1.0, 2.0), Point::new(4.0, 9.0))));
    /// assert_eq!(Sketch::default().bounds(), None);
    /// ```
    pub fn bounds(&self) -> Option<(Point, Point)> {
        self.strokes.iter().flatten().fold(None, |bounds, &point| {
            let (low, high) = bounds.unwrap_or((point, point));
            Some((
                Point::new(low.x.min(point.x), low.y.min(point.y)),
                Point::new(high.x.max(point.x), high.y.max(point.y)),
            ))
        })
    }

    /// The sketch with every point moved by `f`.
    pub fn map(&self, f: impl Fn(Point) -> Point) -> Self {
        Self { strokes: self.strokes.iter().map(|stroke| stroke.iter().map(|&point| f(point)).collect()).collect() }
    }
}

/// What property tests of this folder draw: sketches on the canvas, one-point strokes among them.
#[cfg(test)]
pub(crate) fn any_sketch() -> impl proptest::strategy::Strategy<Value = Sketch> {
    use proptest::prelude::*;
    let point = (0.0f32..CANVAS, 0.0f32..CANVAS).prop_map(|(x, y)| Point::new(x, y));
    proptest::collection::vec(proptest::collection::vec(point, 1..12), 1..8).prop_map(|strokes| Sketch { strokes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(strokes: Vec<Stroke>) -> String {
        Sketch { strokes }.check("x.svg").unwrap_err().to_string()
    }

    #[test]
    fn check_names_what_cannot_be_drawn() {
        let good = vec![Point::new(1.0, 2.0)];
        assert_eq!(message(vec![]), "x.svg: expected at least one stroke, found none");
        assert_eq!(
            message(vec![good.clone(), vec![]]),
            "x.svg: expected at least one point in each stroke, found none in stroke 2"
        );
        assert_eq!(
            message(vec![good.clone(), vec![good[0], Point::new(f32::INFINITY, 0.0)]]),
            "x.svg: expected finite coordinates, found (inf, 0) at stroke 2, point 2"
        );
        Sketch { strokes: vec![good] }.check("x.svg").unwrap();
    }

    #[test]
    fn bounds_of_a_point_are_the_point() {
        let point = Point::new(3.0, 4.0);
        assert_eq!(Sketch { strokes: vec![vec![point]] }.bounds(), Some((point, point)));
        assert_eq!(Sketch { strokes: vec![vec![]] }.bounds(), None);
    }
}
