//! A validation part, cut from the training photos: what chooses a checkpoint is never a test photo.

use super::{Index, Split};
use crate::{Error, Result, seed::Seed};
use rand::seq::SliceRandom;

/// Moves `count` training photos, each with all of its sketches, to [`Split::Valid`].
///
/// The photos are drawn from the stream `validation`, as many of each category and without regard to the number of
/// sketches, so that the part is what the test part is: new objects. Positions do not change. Test photos are never touched.
///
/// # Errors
/// An index that has a validation part already; fewer than `count + 1` training photos; a draw that leaves the training
/// or the validation part without a sketch; a count of 0.
///
/// ```
/// use retrace::dataset::{Index, PhotoEntry, SketchEntry, Split, with_validation};
/// use retrace::seed::Seed;
/// let photo = |id: &str| PhotoEntry { id: id.into(), category: "shoe".into(), split: Split::Train };
/// let sketch = |photo| SketchEntry { id: "1".into(), photo, sketcher: None };
/// let index = Index { photos: vec![photo("a"), photo("b")], sketches: vec![sketch(0), sketch(1)] };
/// assert_eq!(with_validation(&index, 1, Seed(0))?.sketches_of(Split::Valid).len(), 1);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn with_validation(index: &Index, count: usize, seed: Seed) -> Result<Index> {
    check_undivided(index)?;
    let mut train = index.photos_of(Split::Train);
    if count == 0 || count >= train.len() {
        let expected = format!("1 to {}, below the number of training photos", train.len().saturating_sub(1));
        return Err(Error::value("validation photos", expected, count));
    }
    train.shuffle(&mut seed.stream("validation"));
    index.take_turns(&mut train);
    set_aside(index, &train[..count])
}

/// Refuses an index that is divided already.
fn check_undivided(index: &Index) -> Result<()> {
    match index.photos_of(Split::Valid).len() {
        0 => Ok(()),
        own => Err(Error::value("validation photos of the index", "none", own)),
    }
}

/// The index with these photos in its validation part.
fn set_aside(index: &Index, photos: &[usize]) -> Result<Index> {
    let mut divided = index.clone();
    photos.iter().for_each(|photo| divided.photos[*photo].split = Split::Valid);
    divided.require(Split::Train)?;
    divided.require(Split::Valid)?;
    Ok(divided)
}

/// Moves all photos of `count` training categories, drawn from the stream `validation`, to [`Split::Valid`]: what chooses
/// a network for unseen categories is of categories that it did not see.
///
/// # Errors
/// An index that has a validation part already; fewer than `count + 1` training categories; a count of 0.
///
/// ```
/// use retrace::dataset::{Split, open, with_valid_categories};
/// use retrace::seed::Seed;
/// let world = open("synth-world", None)?;
/// let divided = with_valid_categories(world.index(), 5, Seed(0))?;
/// assert_eq!(divided.photos_of(Split::Valid).len(), 5 * 50);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn with_valid_categories(index: &Index, count: usize, seed: Seed) -> Result<Index> {
    check_undivided(index)?;
    let train = index.photos_of(Split::Train);
    let mut names: Vec<&str> = index.categories(&train).into_iter().collect();
    if count == 0 || count >= names.len() {
        let expected = format!("1 or more, below the number of training categories, {}", names.len());
        return Err(Error::value("validation categories", expected, count));
    }
    names.shuffle(&mut seed.stream("validation"));
    let is_drawn = |photo: &usize| names[..count].contains(&index.photos[*photo].category.as_str());
    set_aside(index, &train.into_iter().filter(is_drawn).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::index::tests::index;
    use super::*;

    fn corpus() -> Index {
        index(&[vec![(Split::Train, 3); 30], vec![(Split::Test, 2); 10]].concat())
    }

    #[test]
    fn whole_categories_move_and_a_corpus_of_one_is_refused() {
        let mut index = corpus();
        (0..30).for_each(|photo| index.photos[photo].category = ["lamp", "owl", "key"][photo % 3].into());
        let divided = with_valid_categories(&index, 1, Seed(3)).unwrap();
        let valid = divided.photos_of(Split::Valid);
        assert_eq!(valid.len(), 10);
        assert!(valid.iter().all(|photo| index.photos[*photo].category == index.photos[valid[0]].category));
        assert_eq!(divided.photos_of(Split::Test), index.photos_of(Split::Test));
        assert!(
            with_valid_categories(&index, 3, Seed(0)).is_err() && with_valid_categories(&divided, 1, Seed(0)).is_err()
        );
        assert!(with_valid_categories(&corpus(), 1, Seed(0)).unwrap_err().to_string().contains("categories, 1"));
    }

    #[test]
    fn every_category_gives_as_many() {
        let mut index = corpus();
        (0..10).for_each(|photo| index.photos[photo].category = "lamp".into());
        let after = with_validation(&index, 6, Seed(3)).unwrap();
        let valid = after.photos_of(Split::Valid);
        assert_eq!((valid.len(), valid.iter().filter(|photo| **photo < 10).count()), (6, 3));
    }

    #[test]
    fn photos_move_with_all_their_sketches_and_test_stays() {
        let (before, after) = (corpus(), with_validation(&corpus(), 6, Seed(3)).unwrap());
        assert_eq!(after.counts().get("valid"), Some(&[6, 18]));
        assert_eq!(after.counts().get("train"), Some(&[24, 72]));
        assert_eq!(after.photos_of(Split::Test), before.photos_of(Split::Test));
        assert_eq!(after.sketches, before.sketches);
        for (old, new) in before.photos.iter().zip(&after.photos) {
            assert_eq!(old.id, new.id);
        }
    }

    #[test]
    fn validation_depends_on_the_seed_alone() {
        let part = |seed| with_validation(&corpus(), 6, Seed(seed)).unwrap().photos_of(Split::Valid);
        assert_eq!(part(1), part(1));
        assert_ne!(part(1), part(2));
        // Over seeds every training photo has its turn: none is favoured by its position.
        let mut drawn: Vec<_> = (0..60).flat_map(part).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, (0..30).collect::<Vec<_>>());
    }

    #[test]
    fn validation_refuses_impossible_counts() {
        for count in [0, 30, 31, usize::MAX] {
            let error = with_validation(&corpus(), count, Seed(0)).unwrap_err().to_string();
            assert!(error.contains("expected 1 to 29"), "{error}");
        }
        let twice = with_validation(&corpus(), 6, Seed(0)).unwrap();
        assert!(with_validation(&twice, 6, Seed(0)).is_err());
        let mute = index(&[(Split::Train, 0), (Split::Train, 0), (Split::Train, 0)]);
        assert!(with_validation(&mute, 1, Seed(0)).is_err());
        assert!(with_validation(&Index::default(), 1, Seed(0)).is_err());
    }
}
