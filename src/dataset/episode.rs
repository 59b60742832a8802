//! Episodes: each class a task of its own, with sketches to adapt to and sketches to rank.

use super::{Index, Split};
use crate::seed::{Seed, Stream};
use crate::{Error, Result};
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// The two parts of a class, and the photos that its queries are ranked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// The class.
    pub category: String,
    /// Sketches to adapt to, by rising position; no photo of them is a query's.
    pub support: Vec<usize>,
    /// Sketches to rank, by rising position.
    pub queries: Vec<usize>,
    /// All photos of the class in the split, those without a sketch as well.
    pub gallery: Vec<usize>,
}

impl Episode {
    /// Draws `count` sketches of the support part: the shots of a task.
    ///
    /// # Errors
    /// Fewer sketches in the part.
    pub fn shots(&self, count: usize, stream: &mut Stream) -> Result<Vec<usize>> {
        let mut drawn = self.support.clone();
        if count > drawn.len() {
            let expected = format!("at most {}, the support part of `{}`", drawn.len(), self.category);
            return Err(Error::value("shots", expected, count));
        }
        drawn.shuffle(stream);
        drawn.truncate(count);
        Ok(drawn)
    }
}

/// Divides each class of a split into a support and a query part, by its photos, and gives the classes by name.
///
/// The photos of a class that have sketches are shuffled by a stream of the class's own, so that a class's parts do not
/// depend on the other classes. The first `share` of them, but at least one and not all, are of the support part with all
/// of their sketches.
///
/// # Errors
/// A share that is not between 0 and 1; a split without sketches; a class with fewer than two photos that have a sketch.
///
/// # References
/// Bhunia et al., Adaptive Fine-Grained Sketch-Based Image Retrieval, ECCV 2022, and its released code: support from a
/// class's training part, queries from its test part, against all photos of the class. Those parts are not published.
///
/// ```
/// use retrace::dataset::{Index, PhotoEntry, SketchEntry, Split, episodes};
/// use retrace::seed::Seed;
/// let photo = |id: &str| PhotoEntry { id: id.into(), category: "bat".into(), split: Split::Test };
/// let sketch = |photo| SketchEntry { id: "1".into(), photo, sketcher: None };
/// let index = Index { photos: vec![photo("a"), photo("b"), photo("c")], sketches: vec![sketch(0), sketch(1)] };
/// let bat = &episodes(&index, Split::Test, 0.5, Seed(0))?[0];
/// assert_eq!((bat.support.len(), bat.queries.len(), bat.gallery.len()), (1, 1, 3));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn episodes(index: &Index, split: Split, share: f64, seed: Seed) -> Result<Vec<Episode>> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Error::value("share of the support part", "between 0 and 1", share));
    }
    index.require(split)?;
    let mut galleries: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for photo in index.photos_of(split) {
        galleries.entry(&index.photos[photo].category).or_default().push(photo);
    }
    let mut sketches: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    index.sketches_of(split).into_iter().for_each(|at| sketches.entry(index.sketches[at].photo).or_default().push(at));
    let divide = |(category, gallery)| divide(category, gallery, &sketches, share, seed);
    galleries.into_iter().map(divide).collect()
}

fn divide(
    category: &str,
    gallery: Vec<usize>,
    sketches: &BTreeMap<usize, Vec<usize>>,
    share: f64,
    seed: Seed,
) -> Result<Episode> {
    let mut drawn: Vec<&Vec<usize>> = gallery.iter().filter_map(|photo| sketches.get(photo)).collect();
    if drawn.len() < 2 {
        let expected = "at least two, one for each part";
        return Err(Error::value(format!("photos with a sketch in class `{category}`"), expected, drawn.len()));
    }
    drawn.shuffle(&mut seed.stream(&format!("episode/{category}")));
    let cut = ((drawn.len() as f64 * share).round() as usize).clamp(1, drawn.len() - 1);
    let part = |photos: &[&Vec<usize>]| {
        let mut part: Vec<usize> = photos.iter().flat_map(|sketches| sketches.iter().copied()).collect();
        part.sort_unstable();
        part
    };
    let (support, queries) = (part(&drawn[..cut]), part(&drawn[cut..]));
    Ok(Episode { category: category.to_string(), support, queries, gallery })
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, sketchy};
    use super::*;
    use crate::dataset::{PhotoEntry, SketchEntry, Source};
    use std::collections::BTreeSet;

    /// Classes `ant` and `bat`, ten photos each, three sketches of all but the last.
    fn index() -> Index {
        let mut index = Index::default();
        for (class, category) in ["ant", "bat"].into_iter().enumerate() {
            for number in 0..10 {
                let entry = PhotoEntry { id: number.to_string(), category: category.into(), split: Split::Train };
                index.photos.push(entry);
                for id in 0..if number < 9 { 3 } else { 0 } {
                    let sketch = SketchEntry { id: id.to_string(), photo: class * 10 + number, sketcher: None };
                    index.sketches.push(sketch);
                }
            }
        }
        index
    }

    fn photos(index: &Index, sketches: &[usize]) -> BTreeSet<usize> {
        sketches.iter().map(|sketch| index.sketches[*sketch].photo).collect()
    }

    #[test]
    fn no_photo_is_in_both_parts() {
        let index = index();
        for seed in 0..20 {
            for episode in episodes(&index, Split::Train, 1.0 / 3.0, Seed(seed)).unwrap() {
                let (support, queries) = (photos(&index, &episode.support), photos(&index, &episode.queries));
                assert_eq!((support.len(), queries.len(), episode.gallery.len()), (3, 6, 10));
                assert!(support.is_disjoint(&queries));
                assert_eq!((episode.support.len(), episode.queries.len()), (9, 18));
                assert!(support.iter().all(|photo| index.photos[*photo].category == episode.category));
            }
        }
    }

    #[test]
    fn a_class_keeps_its_parts_without_the_others() {
        let whole = episodes(&index(), Split::Train, 0.5, Seed(4)).unwrap();
        assert_eq!(episodes(&index(), Split::Train, 0.5, Seed(4)).unwrap(), whole);
        assert_ne!(episodes(&index(), Split::Train, 0.5, Seed(5)).unwrap(), whole);
        let mut alone = index();
        alone.photos[10..].iter_mut().for_each(|photo| photo.split = Split::Test);
        assert_eq!(episodes(&alone, Split::Train, 0.5, Seed(4)).unwrap(), whole[..1]);
    }

    #[test]
    fn shots_are_of_the_support_part() {
        let episode = &episodes(&index(), Split::Train, 0.5, Seed(0)).unwrap()[1];
        let shots = episode.shots(5, &mut Seed(1).stream("shots")).unwrap();
        assert_eq!(shots.iter().collect::<BTreeSet<_>>().len(), 5);
        assert!(shots.iter().all(|shot| episode.support.contains(shot)));
        let error = episode.shots(16, &mut Seed(1).stream("shots")).unwrap_err().to_string();
        assert_eq!(error, "shots: expected at most 15, the support part of `bat`, found 16"); // 4.5 of 9 photos round up
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let refuse = |index: &Index, share| episodes(index, Split::Train, share, Seed(0)).unwrap_err().to_string();
        for share in [0.0, 1.0, f64::NAN] {
            assert!(refuse(&index(), share).contains("between 0 and 1"));
        }
        let mut poor = index();
        poor.sketches.retain(|sketch| sketch.photo == 0 || sketch.photo > 9);
        assert!(refuse(&poor, 0.5).contains("photos with a sketch in class `ant`: expected at least two"));
        assert!(episodes(&index(), Split::Test, 0.5, Seed(0)).is_err());
    }

    #[test]
    fn unseen_classes_of_sketchy_mini_divide() {
        let Some(data) = fixture::real_data() else { return };
        let corpus = sketchy::open(&data.join("Sketchy-mini")).unwrap();
        let episodes = episodes(corpus.index(), Split::Test, 0.5, Seed(0)).unwrap();
        assert_eq!(episodes.iter().map(|episode| episode.category.as_str()).collect::<Vec<_>>(), sketchy::UNSEEN);
        let sketches = episodes.iter().map(|episode| episode.support.len() + episode.queries.len());
        assert_eq!(sketches.sum::<usize>(), 525);
        assert!(episodes.iter().all(|episode| episode.gallery.len() == 25 && episode.support.len() >= 5));
    }
}
