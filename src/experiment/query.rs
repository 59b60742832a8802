//! Sketches to rank, and the photos that each is ranked against.

use crate::dataset::{Index, Split};
use crate::metric::{self, Tie};
use crate::run::Rank;
use crate::train::Scores;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which photos each query is ranked against; whether classes were seen in training is told by the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// All photos of the query's split: of a split by classes, the unseen ones alone.
    Split,
    /// The photos of the query's class in its split.
    Category,
    /// All photos of the corpus: those of seen classes too, which is the generalised protocol.
    Corpus,
}

impl Protocol {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Split, Self::Category, Self::Corpus];

    /// `split`, `category` or `corpus`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Category => "category",
            Self::Corpus => "corpus",
        }
    }

    /// Every sketch of a split against its gallery.
    ///
    /// ```
    /// use retrace::dataset::{Split, open};
    /// use retrace::experiment::Protocol;
    /// let source = open("synth-chair", None)?;
    /// let queries = "corpus".parse::<Protocol>()?.queries(source.index(), Split::Test);
    /// assert_eq!((queries.sketches.len(), queries.gallery_size()), (324, 400));
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn queries(self, index: &Index, split: Split) -> Queries {
        match self {
            Self::Split => Queries::among_all(index, split),
            Self::Category => Queries::of(index, split),
            Self::Corpus => Queries::among((0..index.photos.len()).collect(), index.sketches_of(split), index, &|_| ()),
        }
    }
}

impl std::str::FromStr for Protocol {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|protocol| protocol.name() == name);
        found.ok_or_else(|| Error::value("protocol", format!("one of {names}"), format!("`{name}`")))
    }
}

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
    /// Whether these are some of a split's sketches, and a record names the size of the gallery with each.
    is_part: bool,
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
        Self::among(index.photos_of(split), index.sketches_of(split), index, key)
    }

    /// Sketches against those of some photos that have the key of their own; a sketch whose photo is not there is left out.
    ///
    /// ```
    /// use retrace::dataset::{Split, open};
    /// use retrace::experiment::Queries;
    /// let chairs = open("synth-chair", None)?;
    /// let (photos, sketches) = (chairs.index().photos_of(Split::Test), chairs.index().sketches_of(Split::Test));
    /// let queries = Queries::among(photos[..5].to_vec(), sketches, chairs.index(), &|_| ());
    /// assert!(queries.sketches.len() >= 15 && queries.gallery_size() == 5);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn among<K: Ord>(photos: Vec<usize>, drawn: Vec<usize>, index: &Index, key: &dyn Fn(usize) -> K) -> Self {
        let mut by_key: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for photo in photos {
            by_key.entry(key(photo)).or_default().push(photo);
        }
        let places: BTreeMap<usize, (usize, usize)> = by_key
            .values()
            .enumerate()
            .flat_map(|(gallery, photos)| photos.iter().enumerate().map(move |(own, photo)| (*photo, (gallery, own))))
            .collect();
        let placed = drawn.into_iter().filter_map(|sketch| Some((sketch, *places.get(&index.sketches[sketch].photo)?)));
        let (sketches, found): (Vec<usize>, Vec<_>) = placed.unzip();
        let (gallery_of, own) = found.into_iter().unzip();
        Self { sketches, own, galleries: by_key.into_values().collect(), gallery_of, is_part: false }
    }

    /// The same queries as some of a split's: a record of all has as many lines as the split has sketches, and one of some
    /// names the size of the gallery with each.
    pub fn of_part(self) -> Self {
        Self { is_part: true, ..self }
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
        Ok(Self { sketches: vec![*sketch], own, galleries, gallery_of: vec![0], is_part: self.is_part })
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
            let gallery = (self.is_part || self.galleries.len() > 1).then_some(photos.len() as u32);
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
            queries: values.len(),
            acc1: metric::acc_at(&values, 1)?,
            acc5: metric::acc_at(&values, 5)?,
            acc10: metric::acc_at(&values, 10)?,
            percentile: crate::run::percentile(ranks, self.gallery_size())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{PhotoEntry, SketchEntry};

    /// Photos of classes a (train), b, b, c (test), and a sketch of each.
    fn index() -> Index {
        let photo = |(at, category): (usize, &str)| PhotoEntry {
            id: at.to_string(),
            category: category.into(),
            split: if at == 0 { Split::Train } else { Split::Test },
        };
        let sketch = |photo| SketchEntry { id: "1".into(), photo, sketcher: None };
        Index {
            photos: ["a", "b", "b", "c"].into_iter().enumerate().map(photo).collect(),
            sketches: (0..4).map(sketch).collect(),
        }
    }

    #[test]
    fn protocols_choose_the_gallery() {
        let galleries = |protocol: Protocol| {
            let queries = protocol.queries(&index(), Split::Test);
            assert_eq!(queries.sketches, [1, 2, 3]);
            let own: Vec<_> = (0..3).map(|query| queries.gallery(query)[queries.own[query]]).collect();
            assert_eq!(own, [1, 2, 3]); // each sketch's own photo stands where it is said to
            (0..3).map(|query| queries.gallery(query).to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(galleries(Protocol::Split), [[1, 2, 3], [1, 2, 3], [1, 2, 3]]);
        assert_eq!(galleries(Protocol::Category), [vec![1, 2], vec![1, 2], vec![3]]);
        assert_eq!(galleries(Protocol::Corpus), [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]);
    }

    #[test]
    fn galleries_of_sketchy_mini_are_as_large_as_its_parts() {
        let Some(data) = crate::dataset::fixture::real_data() else { return };
        let corpus = crate::dataset::open("sketchy-mini", Some(&data)).unwrap();
        let size = |protocol: Protocol, split| protocol.queries(corpus.index(), split).gallery_size();
        let unseen = Protocol::ALL.map(|protocol| size(protocol, Split::Test));
        assert_eq!((unseen, size(Protocol::Split, Split::Train)), ([525, 25, 3125], 2600));
    }

    #[test]
    fn protocols_read_as_they_are_written() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.name().parse::<Protocol>().unwrap(), protocol);
            assert_eq!(serde_json::to_string(&protocol).unwrap(), format!("\"{}\"", protocol.name()));
        }
        let error = "seen".parse::<Protocol>().unwrap_err().to_string();
        assert_eq!(error, "protocol: expected one of split, category, corpus, found `seen`");
    }
}
