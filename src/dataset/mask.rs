//! Sketches of which objects or strokes are left out, as they are shown at a test.

use super::scene::{InstanceMap, SceneMask, SketchInstance, whole};
use super::{Drawing, Source};
use crate::seed::Seed;
use crate::sketch::{Sketch, partial::drop_items};
use crate::{Error, Result};
use image::{GrayImage, Luma};

/// What is left out of every sketch of a corpus.
///
/// A sketch loses the same in every call, and with a larger share the same and more; other sketches and their order do not
/// count.
///
/// # References
/// Chowdhury et al., Partially Does It, CVPR 2022, Sec. 5 (`p_mask`): 30 and 50 percent, ten times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask {
    /// Objects or strokes.
    pub of: SceneMask,
    /// The share that is left out, in `0..=100`.
    pub percent: u32,
    /// Splits into the streams of the sketches.
    pub seed: Seed,
    /// One of several draws.
    pub version: u32,
}

/// The parts of a sketch of a scene, which a mask leaves out one by one.
#[derive(Debug, Clone)]
pub(super) enum Parts {
    /// Strokes, object by object.
    Strokes(Vec<SketchInstance>),
    /// A picture of any size, and the object that each of its pixels belongs to.
    Map(GrayImage, InstanceMap),
}

impl Parts {
    /// What a corpus knows of a sketch; none where it is not of scenes, or has no map of it.
    pub fn of(source: &dyn Source, sketch: usize) -> Result<Option<Self>> {
        let Some(scenes) = source.scenes() else { return Ok(None) };
        if let Some(instances) = scenes.instance_strokes(sketch)? {
            return Ok(Some(Self::Strokes(instances)));
        }
        let Some(map) = scenes.sketch_instances(sketch)? else { return Ok(None) };
        match source.drawing(sketch)? {
            Drawing::Raster(picture) if picture.dimensions() == map.pixels().dimensions() => {
                Ok(Some(Self::Map(picture, map)))
            }
            Drawing::Raster(picture) => {
                let found = format!("{:?} and {:?}", map.pixels().dimensions(), picture.dimensions());
                Err(Error::value("instance map", "as many pixels as its sketch", found))
            }
            Drawing::Vector(_) => Ok(None),
        }
    }
}

impl Mask {
    /// A sketch of a corpus with parts left out.
    ///
    /// # Errors
    /// A position outside the index; parts that the corpus does not know.
    pub fn of_source(&self, source: &dyn Source, sketch: usize) -> Result<Drawing> {
        self.apply(Parts::of(source, sketch)?.as_ref(), &source.drawing(sketch)?, sketch)
    }

    /// The sketch with parts left out; a picture without any object stays as it is.
    ///
    /// # Errors
    /// A share above 100; objects of a sketch that has none known; strokes of a picture.
    pub(super) fn apply(&self, parts: Option<&Parts>, drawing: &Drawing, sketch: usize) -> Result<Drawing> {
        match (self.of, parts, drawing) {
            (_, Some(Parts::Strokes(instances)), _) => self.without(instances, sketch),
            (SceneMask::Strokes, None, Drawing::Vector(strokes)) => self.without(&[alone(strokes)], sketch),
            (SceneMask::Instances, Some(Parts::Map(picture, map)), _) => {
                Ok(Drawing::Raster(self.erase(picture, map, sketch)?))
            }
            (SceneMask::Instances, ..) => {
                Err(Error::value("masked sketch", "its objects, as strokes or as a map", "a sketch as a whole"))
            }
            (SceneMask::Strokes, ..) => Err(Error::value("masked sketch", "strokes", "a picture of a sketch")),
        }
    }

    fn without(&self, instances: &[SketchInstance], sketch: usize) -> Result<Drawing> {
        let left = self.of.apply(instances, f64::from(self.percent), self.seed, sketch, self.version)?;
        Ok(Drawing::Vector(whole(&left)))
    }

    /// The parts of a sketch that are left, of any kind: a mask leaves the same ones of a picture, of strokes and of boxes.
    ///
    /// # Errors
    /// A share above 100.
    pub fn keep<T: Clone>(&self, parts: &[T], sketch: usize) -> Result<Vec<T>> {
        let stream = &mut self.seed.child(&format!("mask {}", self.version), sketch as u64);
        drop_items(parts, f64::from(self.percent), stream)
    }

    /// White where a lost object was drawn.
    fn erase(&self, picture: &GrayImage, map: &InstanceMap, sketch: usize) -> Result<GrayImage> {
        let drawn: Vec<u8> = (1..=map.categories().len().min(255) as u8)
            .filter(|label| map.pixels().pixels().any(|pixel| pixel.0[0] == *label))
            .collect();
        let kept = self.keep(&drawn, sketch)?;
        let mut left = picture.clone();
        for (pixel, label) in left.pixels_mut().zip(map.pixels().pixels()) {
            if label.0[0] != 0 && !kept.contains(&label.0[0]) {
                *pixel = Luma([255]);
            }
        }
        Ok(left)
    }
}

/// A sketch as one object.
fn alone(sketch: &Sketch) -> SketchInstance {
    SketchInstance { category: String::new(), object: None, strokes: sketch.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Split, open};
    use crate::sketch::Point;

    fn mask(of: SceneMask, percent: u32, version: u32) -> Mask {
        Mask { of, percent, seed: Seed(3), version }
    }

    fn strokes(count: usize) -> Sketch {
        Sketch { strokes: (0..count).map(|x| vec![Point::new(x as f32, 0.0)]).collect() }
    }

    /// Objects 1 to 4 in a row of pixels, all dark; object 3 is hidden, the first pixel is of none.
    fn row() -> (GrayImage, InstanceMap) {
        let labels = GrayImage::from_raw(4, 1, vec![0, 1, 2, 4]).unwrap();
        (GrayImage::new(4, 1), InstanceMap::new(labels, vec!["owl".to_string(); 4]).unwrap())
    }

    #[test]
    fn mask_erases_the_pixels_of_lost_objects_alone() {
        let (picture, map) = row();
        let parts = Parts::Map(picture.clone(), map);
        for version in 0..20 {
            let left = |percent| {
                let mask = mask(SceneMask::Instances, percent, version);
                match mask.apply(Some(&parts), &Drawing::Raster(picture.clone()), 7).unwrap() {
                    Drawing::Raster(left) => left.into_raw(),
                    Drawing::Vector(_) => Vec::new(),
                }
            };
            let count = |percent| left(percent).iter().filter(|value| **value == 255).count();
            // Of three objects with a pixel 3, round(2.1) = 2, round(1.5) = 2, 1 and 1 stay.
            assert_eq!([0, 30, 50, 70, 100].map(count), [0, 1, 1, 2, 2]);
            assert_eq!(left(100)[0], 0);
            assert!(left(30).iter().zip(left(70)).all(|(less, more)| *less <= more));
        }
    }

    #[test]
    fn mask_drops_strokes_of_a_sketch_without_objects() {
        let drawing = Drawing::Vector(strokes(10));
        let left = |percent| mask(SceneMask::Strokes, percent, 0).apply(None, &drawing, 1).unwrap().vector().unwrap();
        assert_eq!([0, 30, 50, 70].map(|percent| left(percent).strokes.len()), [10, 7, 5, 3]);
        assert_ne!(left(50), mask(SceneMask::Strokes, 50, 1).apply(None, &drawing, 1).unwrap().vector().unwrap());
    }

    #[test]
    fn mask_of_nothing_is_nothing() {
        let none = Parts::Strokes(Vec::new());
        let drawing = Drawing::Vector(Sketch::default());
        let left = mask(SceneMask::Instances, 50, 0).apply(Some(&none), &drawing, 0).unwrap();
        assert_eq!(left, drawing);
        let blank = GrayImage::from_pixel(2, 2, Luma([9]));
        let parts = Parts::Map(blank.clone(), InstanceMap::new(GrayImage::new(2, 2), Vec::new()).unwrap());
        let left = mask(SceneMask::Instances, 50, 0).apply(Some(&parts), &Drawing::Raster(blank.clone()), 0).unwrap();
        assert_eq!(left, Drawing::Raster(blank));
    }

    #[test]
    fn mask_refuses_what_a_sketch_does_not_have() {
        let refuse = |of, percent, parts: Option<&Parts>, drawing: &Drawing| {
            mask(of, percent, 0).apply(parts, drawing, 0).unwrap_err().to_string()
        };
        let (picture, map) = row();
        let parts = Parts::Map(picture.clone(), map);
        let picture = Drawing::Raster(picture);
        assert!(refuse(SceneMask::Strokes, 30, None, &picture).contains("expected strokes"));
        assert!(refuse(SceneMask::Strokes, 30, Some(&parts), &picture).contains("expected strokes"));
        assert!(refuse(SceneMask::Instances, 30, None, &Drawing::Vector(strokes(2))).contains("its objects"));
        assert!(refuse(SceneMask::Instances, 101, Some(&parts), &picture).contains("0 to 100"));
    }

    #[test]
    fn parts_of_drawn_scenes_are_their_objects() {
        let scenes = open("synth-scene", None).unwrap();
        let sketch = scenes.index().sketches_of(Split::Test)[0];
        let Some(Parts::Strokes(parts)) = Parts::of(scenes.as_ref(), sketch).unwrap() else { panic!("no strokes") };
        assert_eq!(Drawing::Vector(whole(&parts)), scenes.drawing(sketch).unwrap());
        assert!(Parts::of(open("synth-chair", None).unwrap().as_ref(), 0).unwrap().is_none());
    }
}
