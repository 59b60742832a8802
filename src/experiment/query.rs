//! Sketches to rank, and the photos that each is ranked against.

use crate::dataset::{Index, Split};
use crate::metric::{self, Tie};
use crate::run::Rank;
use crate::train::Scores;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Sketches to rank, each against its own gallery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queries {
    /// Positions of the sketches.
    pub sketches: Vec<usize>,
    /// Where each sketch's own photo stands in its gallery.
    pub own: Vec<usize>,
    /// Positions of the photos, gallery by gallery.
    galleries: Vec<Vec<usize>>,
    /// The gallery of each sketch.
    gallery_of: Vec<usize>,
}

/// Queries that share a gallery.
pub(super) struct GalleryGroup<'a> {
    /// Places in [`Queries::sketches`].
    pub queries: Vec<usize>,
    /// Positions of the photos.
    pub photos: &'a [usize],
}

impl Queries {
    /// Every sketch of a split against the photos of its category, which is the field's protocol; where all photos are
    /// of one, against all of them.
    ///
    /// ```
    /// use retrace::dataset::{Split, open};
    /// use retrace::experiment::Queries;
    /// let queries = Queries::of(open("synth-chair", None)?.index(), Split::Test);
    /// assert_eq!((queries.sketches.len(), queries.gallery(0).len()), (324, 100));
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn of(index: &Index, split: Split) -> Self {
        Self::grouped(index, split, &|photo| index.photos[photo].category.as_str())
    }

    /// Every sketch of a split against every photo of it, of any category.
    pub fn among_all(index: &Index, split: Split) -> Self {
        Self::grouped(index, split, &|_| ())
    }

    /// Every sketch of a split against the photos of it that have the key of its own photo: a class, a style, a person.
    ///
    /// `key` takes a position in [`Index::photos`]. Galleries come by rising key.
    pub fn grouped<K: Ord>(index: &Index, split: Split, key: &dyn Fn(usize) -> K) -> Self {
        let mut by_key: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for photo in index.photos_of(split) {
            by_key.entry(key(photo)).or_default().push(photo);
        }
        let places: BTreeMap<usize, (usize, usize)> = by_key
            .values()
            .enumerate()
            .flat_map(|(gallery, photos)| photos.iter().enumerate().map(move |(own, photo)| (*photo, (gallery, own))))
            .collect();
        let sketches = index.sketches_of(split);
        // A sketch's photo is of the sketch's split by definition, so every sketch has a place.
        let (gallery_of, own) =
            sketches.iter().filter_map(|sketch| places.get(&index.sketches[*sketch].photo).copied()).unzip();
        Self { sketches, own, galleries: by_key.into_values().collect(), gallery_of }
    }

    /// The photos that a query, by its place in [`Queries::sketches`], is ranked against; of a place outside, none.
    pub fn gallery(&self, query: usize) -> &[usize] {
        self.gallery_of.get(query).map_or(&[], |gallery| &self.galleries[*gallery])
    }

    /// The photos of all galleries, by rising position.
    pub fn photos(&self) -> Vec<usize> {
        let mut photos = self.galleries.concat();
        photos.sort_unstable();
        photos
    }

    /// Photos that a query is ranked against; where galleries differ, in the largest.
    pub fn gallery_size(&self) -> usize {
        self.galleries.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The same queries with one alone.
    ///
    /// # Errors
    /// A query that is not there.
    pub fn only(&self, query: usize) -> Result<Self> {
        let count = self.sketches.len();
        let sketch = self.sketches.get(query).ok_or_else(|| Error::value("query", format!("below {count}"), query))?;
        let (own, galleries) = (vec![self.own[query]], vec![self.gallery(query).to_vec()]);
        Ok(Self { sketches: vec![*sketch], own, galleries, gallery_of: vec![0] })
    }

    /// Queries by their gallery; a gallery without queries is left out.
    pub(super) fn groups(&self) -> impl Iterator<Item = GalleryGroup<'_>> {
        self.galleries.iter().enumerate().filter_map(|(gallery, photos)| {
            let queries: Vec<usize> = (0..self.sketches.len()).filter(|i| self.gallery_of[*i] == gallery).collect();
            (!queries.is_empty()).then_some(GalleryGroup { queries, photos })
        })
    }

    /// Ranks from distances.
    ///
    /// # Shapes
    /// `distances`: a row a query, each as long as its gallery.
    ///
    /// # Errors
    /// Rows of another length, or with something that is no number.
    pub fn ranks(&self, distances: &[Vec<f32>]) -> Result<Vec<Rank>> {
        if distances.len() != self.sketches.len() {
            return Err(Error::value("distances", format!("{} rows", self.sketches.len()), distances.len()));
        }
        let mut ranks: Vec<Option<Rank>> = vec![None; self.sketches.len()];
        for GalleryGroup { queries, photos } in self.groups() {
            let flat: Vec<f32> = queries.iter().flat_map(|query| distances[*query].iter().copied()).collect();
            let own: Vec<usize> = queries.iter().map(|query| self.own[*query]).collect();
            let found = metric::ranks(&flat, photos.len(), &own, Tie::Pessimistic)?;
            // One gallery for all is the run's, and its size stands in the summary.
            let gallery = (self.galleries.len() > 1).then_some(photos.len() as u32);
            for ((query, own), rank) in queries.into_iter().zip(own).zip(found) {
                let (query_at, photo) = (self.sketches[query] as u32, photos[own] as u32);
                ranks[query] = Some(Rank { query: query_at, photo, rank, gallery });
            }
        }
        Ok(ranks.into_iter().flatten().collect())
    }

    /// The scores of validation.
    ///
    /// # Errors
    /// No ranks.
    pub fn scores(&self, ranks: &[Rank]) -> Result<Scores> {
        let values: Vec<u32> = ranks.iter().map(|rank| rank.rank).collect();
        Ok(Scores {
            acc1: metric::acc_at(&values, 1)?,
            acc5: metric::acc_at(&values, 5)?,
            acc10: metric::acc_at(&values, 10)?,
            percentile: crate::run::percentile(ranks, self.gallery_size())?,
        })
    }
}
