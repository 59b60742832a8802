//! The training parts of some corpora and the test part of another, as one corpus.

use super::scene::{InstanceMap, ObjectBox, Scenes, SketchInstance};
use super::{Drawing, Index, PhotoEntry, SketchEntry, Source, Split};
use crate::{Error, Result};
use image::RgbImage;
use std::collections::BTreeMap;

/// The training parts of some corpora and the test part of another, as one corpus: for a test set whose own training part
/// is not to be had.
///
/// ```
/// use retrace::dataset::{Joined, Source, Split, open};
/// let open = |name| open(name, None);
/// let joined = Joined::new("shoes-by-chairs", vec![open("synth-chair")?], open("synth-shoe")?);
/// let counts = joined.index().counts();
/// assert_eq!((counts["train"], counts["test"]), ([300, 951], [200, 679]));
/// # Ok::<(), retrace::Error>(())
/// ```
pub struct Joined {
    name: String,
    /// The last one is tested on.
    sources: Vec<Box<dyn Source>>,
    index: Index,
    /// Source and position there.
    photos: Vec<(usize, usize)>,
    sketches: Vec<(usize, usize)>,
}

impl Joined {
    /// Trained on what `trained` have to train on, and on all of a corpus that is for testing alone; tested on the test part
    /// of `tested`.
    pub fn new(name: &str, trained: Vec<Box<dyn Source>>, tested: Box<dyn Source>) -> Self {
        let mut joined = Self {
            name: name.into(),
            sources: trained.into_iter().chain([tested]).collect(),
            index: Index::default(),
            photos: Vec::new(),
            sketches: Vec::new(),
        };
        let last = joined.sources.len() - 1;
        for at in 0..joined.sources.len() {
            joined.add(at, if at == last { Split::Test } else { Split::Train });
        }
        joined
    }

    /// Adds the pairs of a part.
    fn add(&mut self, at: usize, split: Split) {
        let own = self.sources[at].index().clone();
        let wanted = own.photos_of(split);
        let wanted = if wanted.is_empty() { (0..own.photos.len()).collect() } else { wanted };
        let mut places = BTreeMap::new();
        for position in wanted {
            places.insert(position, self.photos.len());
            self.photos.push((at, position));
            self.index.photos.push(PhotoEntry { split, ..own.photos[position].clone() });
        }
        for (position, sketch) in own.sketches.into_iter().enumerate() {
            let Some(photo) = places.get(&sketch.photo) else { continue };
            self.sketches.push((at, position));
            self.index.sketches.push(SketchEntry { photo: *photo, ..sketch });
        }
    }

    fn at(&self, places: &[(usize, usize)], what: &str, position: usize) -> Result<(&dyn Source, usize)> {
        let expected = || format!("below {}", places.len());
        let (source, own) =
            places.get(position).ok_or_else(|| Error::value(format!("position of a {what}"), expected(), position))?;
        Ok((self.sources[*source].as_ref(), *own))
    }

    fn of_photo<T>(&self, photo: usize, get: impl Fn(&dyn Scenes, usize) -> Result<Option<T>>) -> Result<Option<T>> {
        let (source, own) = self.at(&self.photos, "photo", photo)?;
        source.scenes().map_or(Ok(None), |scenes| get(scenes, own))
    }

    fn of_sketch<T>(&self, sketch: usize, get: impl Fn(&dyn Scenes, usize) -> Result<Option<T>>) -> Result<Option<T>> {
        let (source, own) = self.at(&self.sketches, "sketch", sketch)?;
        source.scenes().map_or(Ok(None), |scenes| get(scenes, own))
    }
}

impl Source for Joined {
    fn name(&self) -> &str {
        &self.name
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn version(&self) -> String {
        let own: Vec<String> = self.sources.iter().map(|source| source.version()).collect();
        format!("{} of {}", self.name, own.join(", "))
    }

    fn photo(&self, position: usize) -> Result<RgbImage> {
        let (source, own) = self.at(&self.photos, "photo", position)?;
        source.photo(own)
    }

    fn drawing(&self, position: usize) -> Result<Drawing> {
        let (source, own) = self.at(&self.sketches, "sketch", position)?;
        source.drawing(own)
    }

    fn scenes(&self) -> Option<&dyn Scenes> {
        self.sources.iter().any(|source| source.scenes().is_some()).then_some(self)
    }
}

impl Scenes for Joined {
    fn photo_instances(&self, photo: usize) -> Result<Option<InstanceMap>> {
        self.of_photo(photo, |scenes, own| scenes.photo_instances(own))
    }

    fn sketch_instances(&self, sketch: usize) -> Result<Option<InstanceMap>> {
        self.of_sketch(sketch, |scenes, own| scenes.sketch_instances(own))
    }

    fn instance_strokes(&self, sketch: usize) -> Result<Option<Vec<SketchInstance>>> {
        self.of_sketch(sketch, |scenes, own| scenes.instance_strokes(own))
    }

    fn photo_boxes(&self, photo: usize) -> Result<Option<Vec<ObjectBox>>> {
        self.of_photo(photo, |scenes, own| scenes.photo_boxes(own))
    }

    fn sketch_boxes(&self, sketch: usize) -> Result<Option<Vec<ObjectBox>>> {
        self.of_sketch(sketch, |scenes, own| scenes.sketch_boxes(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::open;

    #[test]
    fn joined_pictures_are_those_of_their_corpora() {
        let source = |name| open(name, None).unwrap();
        let joined = Joined::new("both", vec![source("synth-scene")], source("synth-chair"));
        let chairs = source("synth-chair");
        let (photo, sketch) = (joined.index().photos_of(Split::Test)[7], joined.index().sketches_of(Split::Test)[9]);
        assert_eq!((photo, joined.index().sketches[sketch].photo >= 1000), (1007, true));
        let own = chairs.index().photos_of(Split::Test)[7];
        assert_eq!(joined.photo(photo).unwrap(), chairs.photo(own).unwrap());
        let own = chairs.index().sketches_of(Split::Test)[9];
        assert_eq!(joined.drawing(sketch).unwrap(), chairs.drawing(own).unwrap());
        let scenes = joined.scenes().unwrap();
        assert!(scenes.instance_strokes(0).unwrap().is_some() && scenes.instance_strokes(sketch).unwrap().is_none());
        assert!(
            joined.photo(1100).unwrap_err().to_string().contains("below 1100") && scenes.photo_boxes(9999).is_err()
        );
    }

    /// A corpus for testing alone lends all of its pairs.
    #[test]
    fn a_corpus_without_a_training_part_is_trained_on_whole() {
        let tests = crate::dataset::Selected::new(open("synth-chair", None).unwrap(), "tests", |photo| {
            (photo < 5).then_some(Split::Test)
        });
        let joined = Joined::new("both", vec![Box::new(tests)], open("synth-shoe", None).unwrap());
        assert_eq!(joined.index().photos_of(Split::Train).len(), 5);
    }
}
