//! Some photos of a corpus, with their sketches, divided anew.

use super::{Drawing, Index, PhotoEntry, SketchEntry, Source, Split};
use crate::Result;
use image::RgbImage;
use std::collections::BTreeMap;

/// Some photos of a corpus, with their sketches, divided anew.
///
/// ```
/// use retrace::dataset::{Selected, Source, Split, open};
/// let chairs = open("synth-chair", None)?;
/// let two = Selected::new(chairs, "two-chairs", |photo| [Some(Split::Train), Some(Split::Test)].get(photo).copied().flatten());
/// assert_eq!((two.index().photos.len(), two.index().photos_of(Split::Test)), (2, vec![1]));
/// # Ok::<(), retrace::Error>(())
/// ```
pub struct Selected {
    whole: Box<dyn Source>,
    name: String,
    index: Index,
    /// Positions in the whole corpus.
    photos: Vec<usize>,
    sketches: Vec<usize>,
}

impl Selected {
    /// The photos to which `part` gives a part, in their order.
    pub fn new(whole: Box<dyn Source>, name: &str, part: impl Fn(usize) -> Option<Split>) -> Self {
        let (mut index, mut photos, mut sketches) = (Index::default(), Vec::new(), Vec::new());
        let mut places = BTreeMap::new();
        for (position, photo) in whole.index().photos.iter().enumerate() {
            let Some(split) = part(position) else { continue };
            places.insert(position, photos.len());
            photos.push(position);
            index.photos.push(PhotoEntry { split, ..photo.clone() });
        }
        for (position, sketch) in whole.index().sketches.iter().enumerate() {
            let Some(photo) = places.get(&sketch.photo) else { continue };
            sketches.push(position);
            index.sketches.push(SketchEntry { photo: *photo, ..sketch.clone() });
        }
        Self { whole, name: name.into(), index, photos, sketches }
    }
}

impl Source for Selected {
    fn name(&self) -> &str {
        &self.name
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn version(&self) -> String {
        format!("{} of {}", self.name, self.whole.version())
    }

    /// A position past the end is one that the whole corpus does not have either, and refuses.
    fn photo(&self, position: usize) -> Result<RgbImage> {
        self.whole.photo(self.photos.get(position).copied().unwrap_or(usize::MAX))
    }

    fn drawing(&self, position: usize) -> Result<Drawing> {
        self.whole.drawing(self.sketches.get(position).copied().unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::open;

    #[test]
    fn photos_and_sketches_are_those_of_the_whole_corpus() {
        let whole = open("synth-chair", None).unwrap();
        let part = |photo: usize| (photo % 7 == 3).then_some(if photo < 200 { Split::Train } else { Split::Test });
        let some = Selected::new(open("synth-chair", None).unwrap(), "some", part);
        let place = |id: &str| whole.index().photos.iter().position(|photo| photo.id == id).unwrap();
        for (position, photo) in some.index().photos.iter().enumerate().take(3) {
            assert_eq!(some.photo(position).unwrap(), whole.photo(place(&photo.id)).unwrap());
            assert_eq!(Some(photo.split), part(place(&photo.id)));
        }
        let sketch = some.index().sketches.iter().position(|sketch| sketch.photo == 2).unwrap();
        let id = &some.index().sketches[sketch].id;
        let original = whole.index().sketches.iter().position(|sketch| sketch.id == *id).unwrap();
        assert_eq!(some.drawing(sketch).unwrap(), whole.drawing(original).unwrap());
        assert_eq!(whole.index().sketches[original].photo, 2 * 7 + 3);
    }

    #[test]
    fn positions_past_the_end_are_refused() {
        let none = Selected::new(open("synth-chair", None).unwrap(), "none", |_| None);
        assert!(none.photo(0).is_err() && none.drawing(0).is_err());
    }
}
