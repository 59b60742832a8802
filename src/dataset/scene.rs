//! Scenes: photos of several objects, and sketches of them object by object.

use crate::{Error, Result, sketch::Sketch};
use image::GrayImage;

/// Which object each pixel of a picture shows.
///
/// # Shapes
/// `pixels`: 0 is the ground, `k` from 1 the object `categories[k - 1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceMap {
    pixels: GrayImage,
    categories: Vec<String>,
}

impl InstanceMap {
    /// A map of labelled pixels.
    ///
    /// # Errors
    /// A pixel with a label that no category stands for.
    ///
    /// ```
    /// use image::{GrayImage, Luma};
    /// use retrace::dataset::InstanceMap;
    /// let mut pixels = GrayImage::new(4, 2);
    /// pixels.put_pixel(3, 1, Luma([1]));
    /// let map = InstanceMap::new(pixels.clone(), vec!["lamp".into()])?;
    /// assert_eq!((map.area(0), map.bounds(0)), (1, Some([3, 1, 4, 2])));
    /// assert!(InstanceMap::new(pixels, vec![]).is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn new(pixels: GrayImage, categories: Vec<String>) -> Result<Self> {
        let largest = pixels.pixels().map(|pixel| pixel.0[0]).max().unwrap_or(0);
        if usize::from(largest) > categories.len() {
            let expected = format!("at most {}, one for each category", categories.len());
            return Err(Error::value("label of an instance map", expected, largest));
        }
        Ok(Self { pixels, categories })
    }

    /// The labels, pixel by pixel.
    pub fn pixels(&self) -> &GrayImage {
        &self.pixels
    }

    /// The category of each object; an object that is wholly hidden has no pixel.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Pixels of an object, by its position in [`Self::categories`].
    pub fn area(&self, object: usize) -> usize {
        self.pixels.pixels().filter(|pixel| usize::from(pixel.0[0]) == object + 1).count()
    }

    /// Left, top, right and bottom of an object in pixels, right and bottom just beyond it; none of a hidden one.
    pub fn bounds(&self, object: usize) -> Option<[u32; 4]> {
        let own = self.pixels.enumerate_pixels().filter(|(_, _, pixel)| usize::from(pixel.0[0]) == object + 1);
        own.fold(None, |bounds: Option<[u32; 4]>, (x, y, _)| {
            let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
            Some([left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)])
        })
    }
}

/// The strokes of one object in a sketch of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct SketchInstance {
    /// What it is.
    pub category: String,
    /// The object of the photo's [`InstanceMap`] that it shows, by position, where the corpus says.
    pub object: Option<usize>,
    /// Its strokes, on the canvas of the whole sketch.
    pub strokes: Sketch,
}

/// The category of what has no name of its own in a scene, such as grass, trees and clouds.
pub const BACKGROUND: &str = "background";

/// The category of every photo of scenes: they have none of their own.
pub(super) const SCENE: &str = "scene";

/// A box around an object, drawn by people.
///
/// # Shapes
/// `bounds`: left, top, right and bottom as shares of the picture's width and height, so that a picture may be stored at
/// any size; `0..=1`, but some released boxes reach beyond their picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectBox {
    /// What it is.
    pub category: String,
    /// Left, top, right, bottom.
    pub bounds: [f32; 4],
}

impl ObjectBox {
    /// A box that is given in pixels of a picture of this width and height.
    ///
    /// # Errors
    /// A picture or a box without an area.
    ///
    /// ```
    /// use retrace::dataset::ObjectBox;
    /// let lamp = ObjectBox::in_pixels("lamp", [16.0, 0.0, 48.0, 8.0], [64, 32])?;
    /// assert_eq!(lamp.bounds, [0.25, 0.0, 0.75, 0.25]);
    /// assert!(ObjectBox::in_pixels("lamp", [16.0, 0.0, 16.0, 8.0], [64, 32]).is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn in_pixels(category: &str, [left, top, right, bottom]: [f32; 4], size: [u32; 2]) -> Result<Self> {
        if size.contains(&0) {
            return Err(Error::value("picture", "a size in pixels", format!("{size:?}")));
        }
        if !(left < right && top < bottom) {
            let found = format!("{left}, {top}, {right}, {bottom}");
            return Err(Error::value("box of an object", "left, top, right and bottom around an area", found));
        }
        let [width, height] = size.map(|side| side as f32);
        Ok(Self { category: category.into(), bounds: [left / width, top / height, right / width, bottom / height] })
    }
}

/// What a corpus of scenes knows of single objects, beside what every [`super::Source`] gives.
pub trait Scenes {
    /// The objects of a photo; none where the corpus has no map of it.
    ///
    /// # Errors
    /// A position outside the index; a file that cannot be read.
    fn photo_instances(&self, photo: usize) -> Result<Option<InstanceMap>>;

    /// The objects of a sketch, as pixels; none where the corpus has no map of it.
    ///
    /// # Errors
    /// As [`Self::photo_instances`].
    fn sketch_instances(&self, sketch: usize) -> Result<Option<InstanceMap>>;

    /// The objects of a sketch, as strokes in the order in which they were drawn; none of a sketch of pixels.
    ///
    /// # Errors
    /// As [`Self::photo_instances`].
    fn instance_strokes(&self, sketch: usize) -> Result<Option<Vec<SketchInstance>>>;

    /// Boxes around objects of a photo; none where the corpus has none.
    ///
    /// To match them with those of a sketch is no retrieval by pixels: an oracle.
    ///
    /// # Errors
    /// A position outside the index.
    fn photo_boxes(&self, _photo: usize) -> Result<Option<Vec<ObjectBox>>> {
        Ok(None)
    }

    /// Boxes around objects of a sketch; none where the corpus has none.
    ///
    /// # Errors
    /// A position outside the index.
    fn sketch_boxes(&self, _sketch: usize) -> Result<Option<Vec<ObjectBox>>> {
        Ok(None)
    }
}
