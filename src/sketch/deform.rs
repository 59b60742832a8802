//! Strokes redrawn less carefully: turned, scaled, shifted, too long or too short, and shaky.
//!
//! These are the deformations of `svg_disturber`, the tool that the test of robustness of photo pre-training names. It
//! deforms each stroke on its own and has **no** transform of the whole sketch and **no** removal of strokes (for that see
//! [`partial::drop_strokes`](super::partial::drop_strokes)). Its lengths are units of an SVG file; here they are pixels
//! of the 256 canvas.
//!
//! A stroke is redrawn a random number of times, each time from the original and with fresh draws, in this order:
//!
//! ```text
//! 1  p' = S R (p - c) + c + t              c: mean of the stroke's points (barycentre)
//!      R   rotation by U(-rotation, rotation)
//!      S   scale by U(scale) in x and in y, or by one U(scale) for both
//!      t   random direction, length U(0, translation)
//! 2  plain noise: every point by a random direction, length U(0, noise)
//! 3  both ends along their end segment by U(0, overshoot), or U(max(-overshoot, -segment), overshoot)
//! 4  coherent noise: every point by U(-noise, noise) along the normal of the segment before it
//! ```
//!
//! Of steps 2 and 4 one takes place. What differs from the tool: a seed decides (the tool has none, so its
//! results cannot be reproduced); a stroke of one point takes part in steps 1 and 2 (the tool fails on it); its flag `-f`,
//! one random factor for all amplitudes of a sketch, is left out, since the published setting does not use it.
//!
//! # References
//! INRIA, `svg_disturber.py` (gitlab.inria.fr/D3/contour-detect); Li et al., Photo Pre-Training, But for Sketch, CVPR
//! 2023, Sec. 3 (robustness to input perturbations).

mod stroke;

use super::Sketch;
use crate::{Error, Result, seed::Stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// How strongly strokes are deformed; the tool's flags in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeformConfig {
    /// Largest rotation either way, in degrees (`-r`).
    pub rotation: f32,
    /// Smallest and largest scale (`-sl`, `-su`).
    pub scale: [f32; 2],
    /// Whether x and y are scaled each by its own factor (`-a`).
    pub stretch: bool,
    /// Largest shift, in pixels of the canvas (`-t`).
    pub translation: f32,
    /// Largest displacement of a point, in pixels of the canvas (`-n`).
    pub noise: f32,
    /// Whether points move along the normal of their stroke; else in any direction (`-c`).
    pub coherent: bool,
    /// Fewest and most times that a stroke is drawn (`-min`, `-max`).
    pub redraws: [u32; 2],
    /// Most that an end is too long, in pixels of the canvas (`-os`).
    pub overshoot: f32,
    /// Whether an end may be too short by as much (`-u`).
    pub undershoot: bool,
    /// Width of the pen that [`Self::pen_variation`] refers to, in the tool's SVG units (`-pen`).
    pub pen: f32,
    /// Difference between the thickest and the thinnest pen, in the same units (`-penv`).
    pub pen_variation: f32,
}

impl Default for DeformConfig {
    /// The setting of Zhong et al., Deep Sketch-Based Modeling, 3DV 2020 (README of their code): the one published
    /// setting for sketches that serve as input of a network. Li et al. do not print theirs.
    fn default() -> Self {
        Self {
            rotation: 2.5,
            scale: [0.9, 1.1],
            stretch: true,
            translation: 2.0,
            noise: 1.3,
            coherent: true,
            redraws: [1, 2],
            overshoot: 1.0,
            undershoot: true,
            pen: 2.5,
            pen_variation: 1.5,
        }
    }
}

impl DeformConfig {
    /// No deformation at all: every sketch comes back as it was.
    pub fn none() -> Self {
        Self {
            rotation: 0.0,
            scale: [1.0; 2],
            translation: 0.0,
            noise: 0.0,
            redraws: [1; 2],
            overshoot: 0.0,
            pen_variation: 0.0,
            ..Self::default()
        }
    }

    /// Checks that every field is in its range.
    ///
    /// # Errors
    /// A rotation outside 0 to 180; scales that are not above 0 and rising; a length below 0 or without an end; fewer
    /// than one redraw, or more at least than at most; a pen that is not above 0, or could become so thin.
    pub fn check(&self) -> Result<()> {
        let [low, high] = self.scale;
        let length = |value: f32| value >= 0.0 && value.is_finite();
        let [few, many] = self.redraws;
        let thin = self.pen - self.pen_variation / 2.0;
        let fields = [
            ("rotation", (0.0..=180.0).contains(&self.rotation), "0 to 180 degrees", self.rotation.to_string()),
            (
                "scale",
                low > 0.0 && low <= high && high.is_finite(),
                "two factors above 0, rising",
                format!("{:?}", self.scale),
            ),
            ("translation", length(self.translation), "0 pixels or more", self.translation.to_string()),
            ("noise", length(self.noise), "0 pixels or more", self.noise.to_string()),
            ("redraws", 1 <= few && few <= many, "two counts from 1, rising", format!("{:?}", self.redraws)),
            ("overshoot", length(self.overshoot), "0 pixels or more", self.overshoot.to_string()),
            ("pen", self.pen > 0.0 && self.pen.is_finite(), "above 0", self.pen.to_string()),
            (
                "pen_variation",
                length(self.pen_variation) && thin > 0.0,
                "0 to below twice the pen",
                self.pen_variation.to_string(),
            ),
        ];
        match fields.into_iter().find(|field| !field.1) {
            Some((name, _, expected, found)) => Err(Error::value(format!("deform.{name}"), expected, found)),
            None => Ok(()),
        }
    }
}

/// A deformed sketch and the pen that it is drawn with.
#[derive(Debug, Clone, PartialEq)]
pub struct Deformed {
    /// The redrawn strokes, those of one stroke one after the other; points may leave the canvas.
    pub sketch: Sketch,
    /// Width of the pen, in the units of [`DeformConfig::pen`].
    ///
    /// A corpus is drawn with an ink of its own width, in pixels of the canvas; `width * pen / config.pen` varies that
    /// one by as much. Drawn hard-edged, white on black, lines have one width, and the pen changes nothing.
    pub pen: f32,
}

/// Deforms every stroke of a sketch; the same state of the stream gives the same result.
///
/// `config` is one that [`DeformConfig::check`] lets pass.
///
/// ```text
/// pen = U(pen - pen_variation / 2, pen + pen_variation / 2), once a sketch; strokes as in the module's table
/// ```
///
/// # Shapes
/// For each stroke `redraws[0]` to `redraws[1]` strokes, each of as many points and up to two more.
///
/// ```
/// use retrace::{seed::Seed, sketch::{DeformConfig, Point, Sketch, deform}};
/// let sketch = Sketch { strokes: vec![vec![Point::new(10.0, 20.0), Point::new(90.0, 20.0)]] };
/// let same = deform(&sketch, &DeformConfig::none(), &mut Seed(1).stream("deform"));
/// assert_eq!((same.sketch, same.pen), (sketch.clone(), 2.5));
/// let twice = DeformConfig { redraws: [2, 2], ..DeformConfig::none() };
/// assert_eq!(deform(&sketch, &twice, &mut Seed(1).stream("deform")).sketch.strokes.len(), 2);
/// ```
///
/// # References
/// See [the module](self).
pub fn deform(sketch: &Sketch, config: &DeformConfig, stream: &mut Stream) -> Deformed {
    let half = config.pen_variation / 2.0;
    let pen = within([config.pen - half, config.pen + half], stream);
    let mut strokes = Vec::with_capacity(sketch.strokes.len());
    for stroke in &sketch.strokes {
        let [few, many] = config.redraws;
        for _ in 0..stream.random_range(few..=many.max(few)) {
            strokes.push(stroke::redraw(stroke, config, stream));
        }
    }
    Deformed { sketch: Sketch { strokes }, pen }
}

/// A number between two bounds. Always takes one draw, so that a field that is off leaves the draws of the others.
fn within([low, high]: [f32; 2], stream: &mut Stream) -> f32 {
    low + (high - low) * stream.random::<f32>()
}

#[cfg(test)]
mod tests;
