//! Methods of [`Index`]: counts, a frame, checks.

use super::{Index, Split};
use crate::{Error, Result};
use polars::prelude::{Column, DataFrame};
use std::collections::{BTreeMap, BTreeSet};

impl Split {
    /// All three, in the order of the index.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

impl std::str::FromStr for Split {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let fits = |split: &Self| split.name() == name;
        Self::ALL
            .into_iter()
            .find(fits)
            .ok_or_else(|| Error::value("split", "train, valid or test", format!("`{name}`")))
    }
}

impl Index {
    /// Photos and sketches of every split that has any: `{"test": [100, 323], "train": [300, 952]}`.
    pub fn counts(&self) -> BTreeMap<String, [usize; 2]> {
        let mut counts = BTreeMap::new();
        for photo in &self.photos {
            counts.entry(photo.split.name().to_string()).or_insert([0, 0])[0] += 1;
        }
        for photo in self.sketches.iter().filter_map(|sketch| self.photos.get(sketch.photo)) {
            counts.entry(photo.split.name().to_string()).or_insert([0, 0])[1] += 1;
        }
        counts
    }

    /// Positions of all photos.
    pub fn all(&self) -> Vec<usize> {
        (0..self.photos.len()).collect()
    }

    /// The categories of some photos, by name.
    pub fn categories(&self, photos: &[usize]) -> BTreeSet<&str> {
        photos.iter().map(|photo| self.photos[*photo].category.as_str()).collect()
    }

    /// Puts one photo of every category before a second of any; within a category they keep their order.
    pub(super) fn take_turns(&self, photos: &mut [usize]) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        photos.sort_by_cached_key(|photo| {
            let before = seen.entry(&self.photos[*photo].category).or_default();
            *before += 1;
            *before
        });
    }

    /// Positions of the photos of a category.
    ///
    /// # Errors
    /// A category that no photo has.
    pub fn of_category(&self, category: &str) -> Result<Vec<usize>> {
        let own: Vec<usize> = (0..self.photos.len()).filter(|&i| self.photos[i].category == category).collect();
        if own.is_empty() {
            let known = self.categories(&self.all()).into_iter().collect::<Vec<_>>().join(", ");
            return Err(Error::value("category", format!("one of {known}"), format!("`{category}`")));
        }
        Ok(own)
    }

    /// One row a sketch: `query`, `photo` (positions), `category`, `split`, `sketcher` (null where unknown).
    ///
    /// # Errors
    /// A sketch whose photo is not in the index.
    ///
    /// ```
    /// use retrace::dataset::{Index, PhotoEntry, SketchEntry, Split};
    /// let photo = PhotoEntry { id: "a".into(), category: "shoe".into(), split: Split::Test };
    /// let sketch = SketchEntry { id: "a_1".into(), photo: 0, sketcher: None };
    /// let index = Index { photos: vec![photo], sketches: vec![sketch] };
    /// assert_eq!(index.frame()?.shape(), (1, 5));
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn frame(&self) -> Result<DataFrame> {
        self.check_positions()?;
        let photos: Vec<_> = self.sketches.iter().map(|sketch| &self.photos[sketch.photo]).collect();
        let numbers = |values: Vec<u32>, name: &str| Column::new(name.into(), values);
        let columns = vec![
            numbers((0..self.sketches.len() as u32).collect(), "query"),
            numbers(self.sketches.iter().map(|sketch| sketch.photo as u32).collect(), "photo"),
            Column::new("category".into(), photos.iter().map(|photo| photo.category.as_str()).collect::<Vec<_>>()),
            Column::new("split".into(), photos.iter().map(|photo| photo.split.name()).collect::<Vec<_>>()),
            Column::new("sketcher".into(), self.sketches.iter().map(|sketch| sketch.sketcher).collect::<Vec<_>>()),
        ];
        Ok(DataFrame::new(self.sketches.len(), columns)?)
    }

    /// Checks that a run can use the index.
    ///
    /// # Errors
    /// No photo at all; a sketch whose photo is not in the index; a split with photos and without a single sketch.
    pub fn check(&self) -> Result<()> {
        if self.photos.is_empty() {
            return Err(Error::value("photos", "at least one", "none"));
        }
        self.check_positions()?;
        for (split, [photos, sketches]) in self.counts() {
            if sketches == 0 {
                return Err(Error::value(
                    format!("sketches of split {split}"),
                    "at least one",
                    format!("none for {photos} photos"),
                ));
            }
        }
        Ok(())
    }

    /// Checks that a split has something to train or test on.
    ///
    /// # Errors
    /// A split without a photo or without a sketch.
    pub fn require(&self, split: Split) -> Result<()> {
        let [photos, sketches] = self.counts().get(split.name()).copied().unwrap_or([0, 0]);
        if photos > 0 && sketches > 0 {
            return Ok(());
        }
        let found = format!("{photos} photos, {sketches} sketches");
        Err(Error::value(format!("split {}", split.name()), "at least one photo and one sketch", found))
    }

    fn check_positions(&self) -> Result<()> {
        let count = self.photos.len();
        match self.sketches.iter().position(|sketch| sketch.photo >= count) {
            None => Ok(()),
            Some(lost) => {
                let found = format!("position {}", self.sketches[lost].photo);
                Err(Error::value(format!("photo of sketch {lost}"), format!("one of {count} photos"), found))
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dataset::{PhotoEntry, SketchEntry};

    /// A made-up index: the split and the number of sketches of each photo.
    pub(crate) fn index(photos: &[(Split, usize)]) -> Index {
        let mut index = Index::default();
        for (photo, &(split, count)) in photos.iter().enumerate() {
            index.photos.push(PhotoEntry { id: format!("{photo:04}"), category: "shoe".into(), split });
            for number in 0..count {
                let sketch = SketchEntry { id: number.to_string(), photo, sketcher: (number == 1).then_some(7) };
                index.sketches.push(sketch);
            }
        }
        index
    }

    #[test]
    fn counts_and_frame_of_three_photos() {
        let index = index(&[(Split::Train, 2), (Split::Train, 0), (Split::Test, 1)]);
        let expected = BTreeMap::from([("test".to_string(), [1, 1]), ("train".to_string(), [2, 2])]);
        assert_eq!(index.counts(), expected);
        index.check().unwrap();
        let frame = index.frame().unwrap();
        let names: Vec<_> = frame.get_column_names().into_iter().map(|name| name.as_str()).collect();
        assert_eq!(names, ["query", "photo", "category", "split", "sketcher"]);
        let photos: Vec<_> = frame.column("photo").unwrap().u32().unwrap().iter().collect();
        assert_eq!(photos, [Some(0), Some(0), Some(2)]);
        let sketchers: Vec<_> = frame.column("sketcher").unwrap().u32().unwrap().iter().collect();
        assert_eq!(sketchers, [None, Some(7), None]);
        let splits: Vec<_> = frame.column("split").unwrap().str().unwrap().iter().collect();
        assert_eq!(splits, [Some("train"), Some("train"), Some("test")]);
    }

    #[test]
    fn faults_are_named() {
        assert!(Index::default().check().unwrap_err().to_string().contains("photos: expected at least one"));
        let mut lost = index(&[(Split::Train, 2)]);
        lost.sketches[1].photo = 5;
        let error = lost.check().unwrap_err().to_string();
        assert_eq!(error, "photo of sketch 1: expected one of 1 photos, found position 5");
        assert!(lost.frame().is_err());
        let mute = index(&[(Split::Train, 2), (Split::Test, 0)]);
        assert!(mute.check().unwrap_err().to_string().contains("sketches of split test"));
        assert!(mute.require(Split::Train).is_ok() && mute.require(Split::Test).is_err());
        assert!(mute.require(Split::Valid).unwrap_err().to_string().contains("0 photos, 0 sketches"));
    }

    #[test]
    fn splits_read_as_they_are_written() {
        for split in Split::ALL {
            assert_eq!(split.name().parse::<Split>().unwrap(), split);
            assert_eq!(serde_json::to_string(&split).unwrap(), format!("\"{}\"", split.name()));
        }
        assert!("Test".parse::<Split>().unwrap_err().to_string().contains("`Test`"));
    }
}
