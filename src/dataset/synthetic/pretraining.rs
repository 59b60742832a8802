//! Labelled photos of both kinds of object, for supervised pre-training: what ImageNet is to the real sets.

use super::chance::pick;
use super::palette::{COLOURS, Look};
use super::{Design, Kind, missing, photo};
use crate::Result;
use crate::seed::{Seed, Stream};
use image::RgbImage;

/// The seed of these photos; no corpus uses it, so none of its objects is seen here.
const SEED: Seed = Seed(0x5eed_1000);

/// A stream of photos with coarse labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Photos {
    /// How many.
    pub count: usize,
    /// Side in pixels.
    pub side: u32,
}

impl Photos {
    /// The photo at a position.
    ///
    /// # Errors
    /// A position outside the stream, or a side of no pixels.
    pub fn photo(&self, position: usize) -> Result<RgbImage> {
        let (kind, design, look) = self.item(position)?;
        let _ = kind;
        photo::render(design.figure(), &look, self.side, &mut SEED.child("noise", position as u64))
    }

    fn item(&self, position: usize) -> Result<(Kind, Design, Look)> {
        if position >= self.count {
            return Err(missing("photo", self.count, position));
        }
        let item = position as u64;
        let draw: &mut Stream = &mut SEED.child("kind", item);
        let kind = pick(draw, &[(Kind::Shoe, 0.5), (Kind::Chair, 0.5)]);
        let design = Design::new(kind, &mut SEED.child("design", item));
        Ok((kind, design, Look::new(&mut SEED.child("look", item), kind == Kind::Shoe)))
    }
}

/// Number of colour classes.
pub(super) const COLOUR_CLASSES: usize = COLOURS.len();
