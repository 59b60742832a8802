//! The oracle: what annotated objects alone would find, without a pixel.

use crate::dataset::{ObjectBox, Source};
use crate::{Error, Result};

/// How far the annotated objects of a photo are from those of a sketch.
///
/// ```text
/// d = mean over s of (1 - max IoU(s, p)) + mean over p of (1 - max IoU(s, p)),  the maximum over boxes of the same class, else 0
/// ```
///
/// # Shapes
/// In `0..=2`; a side without boxes is as far as can be, 1.
///
/// ```
/// use retrace::dataset::ObjectBox;
/// use retrace::paper::partially::box_distance;
/// let owl = ObjectBox::in_pixels("owl", [0.0, 0.0, 2.0, 2.0], [4, 4])?;
/// let half = ObjectBox::in_pixels("owl", [0.0, 0.0, 2.0, 1.0], [4, 4])?;
/// let cat = ObjectBox { category: "cat".into(), ..owl.clone() };
/// assert_eq!(box_distance(&[owl.clone()], &[half]), 1.0); // an overlap of a half, from both sides
/// assert_eq!((box_distance(&[owl.clone()], &[owl.clone()]), box_distance(&[owl], &[cat])), (0.0, 2.0));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn box_distance(sketch: &[ObjectBox], photo: &[ObjectBox]) -> f32 {
    let one_way = |of: &[ObjectBox], among: &[ObjectBox]| {
        let best = |own: &ObjectBox| among.iter().map(|other| overlap(own, other)).fold(0.0, f32::max);
        if of.is_empty() { 1.0 } else { of.iter().map(|own| 1.0 - best(own)).sum::<f32>() / of.len() as f32 }
    };
    one_way(sketch, photo) + one_way(photo, sketch)
}

/// Intersection over union of two boxes of a class; 0 of two classes.
fn overlap(a: &ObjectBox, b: &ObjectBox) -> f32 {
    if a.category != b.category {
        return 0.0;
    }
    let side = |axis: usize| (a.bounds[axis + 2].min(b.bounds[axis + 2]) - a.bounds[axis].max(b.bounds[axis])).max(0.0);
    let area = |own: &ObjectBox| (own.bounds[2] - own.bounds[0]) * (own.bounds[3] - own.bounds[1]);
    let common = side(0) * side(1);
    common / (area(a) + area(b) - common)
}

/// The boxes of sketches and photos, by position.
pub(super) struct Annotations([Vec<Vec<ObjectBox>>; 2]);

impl Annotations {
    /// Of a corpus that has them.
    ///
    /// # Errors
    /// One without boxes around its objects.
    pub fn read(source: &dyn Source) -> Result<Self> {
        let missing = || Error::value(format!("objects of {}", source.name()), "boxes around them", "none");
        let scenes = source.scenes().ok_or_else(missing)?;
        let index = source.index();
        let sketches: Vec<_> =
            (0..index.sketches.len()).map(|at| scenes.sketch_boxes(at)).collect::<Result<Vec<Option<_>>>>()?;
        let photos: Vec<_> =
            (0..index.photos.len()).map(|at| scenes.photo_boxes(at)).collect::<Result<Vec<Option<_>>>>()?;
        if sketches.iter().all(Option::is_none) || photos.iter().all(Option::is_none) {
            return Err(missing());
        }
        Ok(Self([sketches, photos].map(|all| all.into_iter().map(Option::unwrap_or_default).collect())))
    }

    /// The distance of every photo from every sketch, row by row.
    pub fn distances(&self, sketches: &[usize], photos: &[usize]) -> Vec<f32> {
        let [of_sketch, of_photo] = &self.0;
        let row = |sketch: &usize| {
            photos.iter().map(|photo| box_distance(&of_sketch[*sketch], &of_photo[*photo])).collect::<Vec<_>>()
        };
        sketches.iter().flat_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::open;

    #[test]
    fn a_corpus_without_boxes_is_refused() {
        for name in ["synth-chair", "synth-scene"] {
            let error = Annotations::read(open(name, None).unwrap().as_ref()).err().unwrap().to_string();
            assert_eq!(error, format!("objects of {name}: expected boxes around them, found none"));
        }
    }

    #[test]
    fn a_sketch_without_objects_is_far_from_all() {
        let owl = ObjectBox::in_pixels("owl", [0.0, 0.0, 2.0, 2.0], [4, 4]).unwrap();
        assert_eq!((box_distance(&[], std::slice::from_ref(&owl)), box_distance(&[], &[])), (2.0, 2.0));
        let annotations = Annotations([vec![vec![owl.clone()]], vec![vec![], vec![owl]]]);
        assert_eq!(annotations.distances(&[0], &[1, 0]), [0.0, 2.0]);
    }
}
