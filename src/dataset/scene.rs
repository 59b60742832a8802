//! Scenes: photos of several objects, and sketches of them object by object.

use crate::seed::Seed;
use crate::sketch::{Sketch, partial::drop_items};
use crate::{Error, Result};
use image::{GrayImage, Rgb, RgbImage};
use serde::{Deserialize, Serialize};

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

    /// The map as a picture: the ground white, every object in a colour of its own.
    pub fn painted(&self) -> RgbImage {
        // Steps of the golden ratio around the circle of hues keep neighbours apart.
        let colour = |label: u8| {
            let hue = (f32::from(label) * 0.618_034).fract() * 6.0;
            [0.0, 2.0, 4.0].map(|shift: f32| {
                let away = ((hue + shift).rem_euclid(6.0) - 3.0).abs() - 1.0;
                (60.0 + 170.0 * away.clamp(0.0, 1.0)) as u8
            })
        };
        let (width, height) = self.pixels.dimensions();
        RgbImage::from_fn(width, height, |x, y| match self.pixels.get_pixel(x, y).0[0] {
            0 => Rgb([255; 3]),
            label => Rgb(colour(label)),
        })
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

/// What is missing of a scene sketch.
///
/// # References
/// Chowdhury et al., Partially Does It, CVPR 2022, Sec. 5 (`p_mask`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SceneMask {
    /// Whole objects.
    Instances,
    /// Single strokes.
    Strokes,
}

impl SceneMask {
    /// The sketch without `share` percent of its objects or strokes, drawn without replacement; the rest keeps its order.
    ///
    /// A version of a sketch loses the same with every call, and with a larger share the same and more.
    ///
    /// # Shapes
    /// `share`: 0 to 100; `round((1 - share / 100) n)` of `n` are kept, at least one. `version`: below 10 in the paper.
    ///
    /// # Errors
    /// A share outside 0 to 100.
    ///
    /// ```
    /// use retrace::{dataset::{SceneMask, SketchInstance}, seed::Seed, sketch::{Point, Sketch}};
    /// let object = |x| SketchInstance { category: "owl".into(), object: None, strokes: Sketch { strokes: vec![vec![Point::new(x, 0.0)]] } };
    /// let scene: Vec<_> = [1.0, 2.0, 3.0, 4.0].map(object).to_vec();
    /// let left = SceneMask::Instances.apply(&scene, 50.0, Seed(1), 7, 0)?;
    /// assert_eq!(left.len(), 2);
    /// assert_eq!(left, SceneMask::Instances.apply(&scene, 50.0, Seed(1), 7, 0)?);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn apply(
        self,
        instances: &[SketchInstance],
        share: f64,
        seed: Seed,
        sketch: usize,
        version: u32,
    ) -> Result<Vec<SketchInstance>> {
        let stream = &mut seed.child(&format!("mask {version}"), sketch as u64);
        if self == Self::Instances {
            return drop_items(instances, share, stream);
        }
        let places = instances.iter().enumerate();
        let strokes: Vec<(usize, usize)> =
            places.flat_map(|(at, one)| (0..one.strokes.strokes.len()).map(move |stroke| (at, stroke))).collect();
        let kept = drop_items(&strokes, share, stream)?;
        let left = instances.iter().enumerate().map(|(at, one)| {
            let own = kept.iter().filter(|(instance, _)| *instance == at);
            let strokes = own.map(|(_, stroke)| one.strokes.strokes[*stroke].clone()).collect();
            SketchInstance { strokes: Sketch { strokes }, ..one.clone() }
        });
        Ok(left.filter(|one| !one.strokes.strokes.is_empty()).collect())
    }
}

/// All strokes of a scene in one sketch.
pub fn whole(instances: &[SketchInstance]) -> Sketch {
    Sketch { strokes: instances.iter().flat_map(|one| one.strokes.strokes.iter().cloned()).collect() }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::Point;

    /// Three objects of two strokes; x tells the object, y the stroke.
    fn scene() -> Vec<SketchInstance> {
        let object = |x: usize| SketchInstance {
            category: "owl".into(),
            object: Some(x),
            strokes: Sketch { strokes: (0..2).map(|y| vec![Point::new(x as f32, y as f32)]).collect() },
        };
        (0..3).map(object).collect()
    }

    #[test]
    fn masks_keep_counts_and_order() {
        for version in 0..10 {
            let kept = |mask: SceneMask, share| mask.apply(&scene(), share, Seed(3), 5, version).unwrap();
            let objects = |share| kept(SceneMask::Instances, share).len();
            assert_eq!([0.0, 30.0, 50.0, 70.0, 100.0].map(objects), [3, 2, 2, 1, 1]);
            let strokes = |share| whole(&kept(SceneMask::Strokes, share)).strokes.len();
            assert_eq!([0.0, 30.0, 50.0, 70.0, 100.0].map(strokes), [6, 4, 3, 2, 1]);
            let (less, more) = (kept(SceneMask::Strokes, 30.0), kept(SceneMask::Strokes, 70.0));
            assert!(whole(&more).strokes.iter().all(|stroke| whole(&less).strokes.contains(stroke)));
            assert!(less.windows(2).all(|pair| pair[0].object < pair[1].object));
        }
        assert!(SceneMask::Strokes.apply(&scene(), 101.0, Seed(3), 5, 0).is_err());
    }

    #[test]
    fn versions_and_sketches_lose_different_objects() {
        let of =
            |sketch, version| SceneMask::Instances.apply(&scene(), 70.0, Seed(0), sketch, version).unwrap()[0].object;
        let versions: std::collections::BTreeSet<_> = (0..10).map(|version| of(0, version)).collect();
        let sketches: std::collections::BTreeSet<_> = (0..10).map(|sketch| of(sketch, 0)).collect();
        assert!(versions.len() == 3 && sketches.len() == 3);
    }

    #[test]
    fn map_is_measured_and_painted() {
        let mut pixels = GrayImage::new(4, 3);
        for (x, y, label) in [(1, 0, 1), (2, 2, 1), (3, 1, 3)] {
            pixels.put_pixel(x, y, image::Luma([label]));
        }
        let map = InstanceMap::new(pixels, ["owl", "owl", "car"].map(str::to_string).to_vec()).unwrap();
        assert_eq!([0, 1, 2].map(|object| map.area(object)), [2, 0, 1]);
        assert_eq!([0, 1, 2].map(|object| map.bounds(object)), [Some([1, 0, 3, 3]), None, Some([3, 1, 4, 2])]);
        let painted = map.painted();
        assert_eq!(painted.get_pixel(0, 0).0, [255; 3]);
        assert_eq!(painted.get_pixel(1, 0), painted.get_pixel(2, 2));
        assert_ne!(painted.get_pixel(1, 0), painted.get_pixel(3, 1));
    }
}
