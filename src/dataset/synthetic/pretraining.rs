//! Labelled photos of both kinds of object, for supervised pre-training: what ImageNet is to the real sets.

use super::chance::pick;
use super::palette::{COLOURS, PhotoLook, TEXTURES};
use super::{Design, ObjectKind, chair, missing, photo, shoe};
use crate::Result;
use crate::seed::Seed;
use image::RgbImage;

/// The seed of these photos; no corpus uses it, so no object of a corpus is seen here.
const SEED: Seed = Seed(0x5eed_1000);

/// Classes of the ratio of width to height, and their upper ends: a quarter each of shoes and of chairs by eye.
const RATIOS: [f32; 5] = [0.6, 0.8, 1.1, 1.6, f32::MAX];

/// A stream of photos with coarse labels, which describe an object but do not distinguish it from similar ones.
///
/// ```
/// use retrace::dataset::synthetic::Photos;
/// let photos = Photos { count: 4, side: 64 };
/// assert_eq!(photos.photo(3)?.dimensions(), (64, 64));
/// assert_eq!(photos.labels(3)?.len(), Photos::classes().len());
/// assert!(photos.labels(4).is_err());
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Photos {
    /// How many.
    pub count: usize,
    /// Side in pixels.
    pub side: u32,
}

/// The attributes and their numbers of classes; class 0 of a shoe's attributes means a chair, and the other way round.
const CLASSES: [(&str, usize); 20] = [
    ("kind", 2),
    ("ratio", RATIOS.len()),
    ("colour", COLOURS.len()),
    ("texture", TEXTURES),
    ("shoe family", 6),
    ("shoe heel", 8),
    ("shoe toe", 5),
    ("shoe closure", 7),
    ("shoe side", 7),
    ("shoe strap", 6),
    ("shoe heel height", 4),
    ("shoe collar", 4),
    ("chair base", 10),
    ("chair back", 11),
    ("chair arms", 5),
    ("chair seat", 4),
    ("chair stretcher", 5),
    ("chair back height", 4),
    ("chair width", 4),
    ("chair side seen", 3),
];

impl Photos {
    /// Each attribute's name and its number of classes, in the order of [`Self::labels`].
    pub fn classes() -> &'static [(&'static str, usize)] {
        &CLASSES
    }

    /// The photo at a position.
    ///
    /// # Errors
    /// A position outside the stream, or a side of no pixels.
    pub fn photo(&self, position: usize) -> Result<RgbImage> {
        let (_, design, look) = self.item(position)?;
        photo::render(design.figure(), &look, self.side, &mut SEED.child("noise", position as u64))
    }

    /// The class of each attribute of [`Self::classes`].
    ///
    /// # Errors
    /// A position outside the stream.
    pub fn labels(&self, position: usize) -> Result<Vec<usize>> {
        let (kind, design, look) = self.item(position)?;
        let (low, high) = design.figure().bounds();
        let ratio = (high[0] - low[0]) / (high[1] - low[1]).max(1e-6);
        let class = RATIOS.iter().position(|end| ratio < *end).unwrap_or(0);
        let mut labels = vec![kind as usize, class, look.colour, look.texture as usize];
        let (shoe, chair) = match &design {
            Design::Shoe(shoe) => (shoe.labels().map(|label| label + 1), [0; chair::LABELS]),
            Design::Chair(chair) => ([0; shoe::LABELS], chair.labels().map(|label| label + 1)),
        };
        labels.extend(shoe);
        labels.extend(chair);
        Ok(labels)
    }

    pub(super) fn item(&self, position: usize) -> Result<(ObjectKind, Design, PhotoLook)> {
        if position >= self.count {
            return Err(missing("photo", self.count, position));
        }
        let item = position as u64;
        let kind = pick(&mut SEED.child("kind", item), &[(ObjectKind::Shoe, 0.5), (ObjectKind::Chair, 0.5)]);
        let design = Design::new(kind, &mut SEED.child("design", item));
        Ok((kind, design, PhotoLook::new(&mut SEED.child("look", item), kind == ObjectKind::Shoe)))
    }
}
