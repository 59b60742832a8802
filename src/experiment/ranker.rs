//! Ranks of sketches against their galleries, by any distance.

use super::{Masking, Queries};
use crate::Result;
use crate::dataset::Mask;
use crate::metric;
use crate::run::{MaskedRanks, Rank};
use crate::seed::Seed;
use crate::sketch::DeformConfig;
use crate::train::{EmbedFn, Feed};
use candle_core::Tensor;

/// Inputs to a forward pass.
const CHUNK: usize = 64;

/// How sketches are shown.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    /// As they were drawn.
    Whole,
    /// The first percent of their points.
    Partial(u32),
    /// Their strokes deformed; seed and version decide how, so that two models see the same sketches.
    Deformed {
        /// How strongly.
        config: &'a DeformConfig,
        /// Splits into the streams of the sketches.
        seed: Seed,
        /// One of several.
        version: u32,
    },
    /// Objects or strokes left out.
    Masked(Mask),
}

impl View<'_> {
    /// The sketches as a feed shows them.
    ///
    /// # Errors
    /// A view of strokes on a corpus without strokes.
    pub fn of(self, feed: &dyn Feed, sketches: &[usize]) -> Result<Tensor> {
        match self {
            Self::Whole => feed.sketches(sketches),
            Self::Partial(percent) => feed.partial(sketches, percent),
            Self::Deformed { config, seed, version } => feed.deformed(sketches, config, seed, version),
            Self::Masked(mask) => feed.masked(sketches, &mask),
        }
    }
}

/// A model that measures how far photos are from a sketch.
pub trait Ranker {
    /// Prepares the photos of a gallery, given by their positions in the index: what does not depend on the sketch is
    /// computed once.
    ///
    /// # Errors
    /// A position outside the index; a failing forward pass.
    fn gallery<'a>(&'a self, photos: &[usize]) -> Result<Box<dyn Gallery + 'a>>;
}

/// Photos that sketches are compared with.
pub trait Gallery {
    /// How far every photo is from every sketch; only the order of a sketch's own distances counts.
    ///
    /// # Shapes
    /// `sketches` q positions of the index; out `(q, g)` row by row, photos in the gallery's order.
    ///
    /// # Errors
    /// A position outside the index; a view that the corpus does not have; a failing forward pass.
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>>;
}

/// Sketches and photos as points.
pub trait Space {
    /// # Shapes
    /// `photos` b positions of the index; out `(b, d)`.
    ///
    /// # Errors
    /// A position outside the part that the model was opened on.
    fn photos(&self, photos: &[usize]) -> Result<Tensor>;

    /// # Shapes
    /// `sketches` b positions of the index; out `(b, d)`.
    ///
    /// # Errors
    /// As [`Space::photos`]; a view that the corpus does not have.
    fn sketches(&self, sketches: &[usize], view: View) -> Result<Tensor>;
}

/// The usual ranker: sketches and photos are points, whose Euclidean distance counts.
impl<S: Space> Ranker for S {
    fn gallery<'a>(&'a self, photos: &[usize]) -> Result<Box<dyn Gallery + 'a>> {
        let (rows, d) = rows(photos, &|chunk| self.photos(chunk))?;
        Ok(Box::new(Points { space: self, rows, d }))
    }
}

/// The photos of a gallery as points.
struct Points<'a> {
    space: &'a dyn Space,
    rows: Vec<f32>,
    d: usize,
}

impl Gallery for Points<'_> {
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        let (sketches, _) = rows(sketches, &|chunk| self.space.sketches(chunk, view))?;
        metric::distances(&sketches, &self.rows, self.d)
    }
}

/// A space of any function from inputs to points.
pub struct Embedded<'a> {
    /// Input rows to points.
    pub embed: EmbedFn<'a>,
    /// Where the inputs come from.
    pub feed: &'a dyn Feed,
}

impl Space for Embedded<'_> {
    fn photos(&self, photos: &[usize]) -> Result<Tensor> {
        (self.embed)(&self.feed.photos(photos)?)
    }

    fn sketches(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        (self.embed)(&view.of(self.feed, sketches)?)
    }
}

/// Embeds in chunks; returns the rows one after the other and their length.
///
/// # Errors
/// A failing forward pass.
pub fn rows(positions: &[usize], embed: &dyn Fn(&[usize]) -> Result<Tensor>) -> Result<(Vec<f32>, usize)> {
    let (mut values, mut d) = (Vec::new(), 1);
    for chunk in positions.chunks(CHUNK) {
        let embedded = embed(chunk)?;
        d = embedded.dim(1)?;
        values.extend(embedded.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok((values, d))
}

/// The distances of every query to its gallery, view by view and query by query; every gallery is prepared once.
///
/// # Errors
/// As [`Ranker::gallery`] and [`Gallery::distances`].
pub fn distances(ranker: &dyn Ranker, queries: &Queries, views: &[View]) -> Result<Vec<Vec<Vec<f32>>>> {
    let mut all = vec![vec![Vec::new(); queries.sketches.len()]; views.len()];
    for group in queries.groups() {
        let gallery = ranker.gallery(group.photos)?;
        let sketches: Vec<usize> = group.queries.iter().map(|query| queries.sketches[*query]).collect();
        for (view, found) in views.iter().zip(&mut all) {
            let flat = gallery.distances(&sketches, *view)?;
            for (query, row) in group.queries.iter().zip(flat.chunks(group.photos.len())) {
                found[*query] = row.to_vec();
            }
        }
    }
    Ok(all)
}

/// Ranks all queries.
///
/// # Errors
/// As [`distances`]; distances that are no numbers.
pub fn evaluate(ranker: &dyn Ranker, queries: &Queries) -> Result<Vec<Rank>> {
    let found = in_views(ranker, queries, &[View::Whole])?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// Ranks all queries at each percentage drawn.
///
/// # Errors
/// As [`evaluate`]; a corpus without strokes.
pub fn early(ranker: &dyn Ranker, queries: &Queries, percents: &[u32]) -> Result<Vec<(u32, Vec<Rank>)>> {
    let views: Vec<View> = percents.iter().map(|percent| View::Partial(*percent)).collect();
    Ok(percents.iter().copied().zip(in_views(ranker, queries, &views)?).collect())
}

/// Ranks all queries with their strokes deformed, `versions` times; the photos stay as they are.
///
/// # Errors
/// As [`evaluate`]; a corpus without strokes, a feed that draws none, a setting that cannot be.
pub fn robustness(
    ranker: &dyn Ranker,
    queries: &Queries,
    config: &DeformConfig,
    seed: Seed,
    versions: u32,
) -> Result<Vec<(u32, Vec<Rank>)>> {
    let views: Vec<View> = (0..versions).map(|version| View::Deformed { config, seed, version }).collect();
    Ok((0..versions).zip(in_views(ranker, queries, &views)?).collect())
}

/// Ranks all queries with parts of the sketches left out: share by share, draw by draw.
///
/// The draws have a seed of their own, so that all rows and trainings are shown the same sketches.
///
/// # Errors
/// As [`evaluate`]; parts that the corpus does not know.
pub fn masked(ranker: &dyn Ranker, queries: &Queries, masking: Masking) -> Result<Vec<MaskedRanks>> {
    let views: Vec<View> = masking.masks().map(View::Masked).collect();
    let ranks = in_views(ranker, queries, &views)?.into_iter();
    let named = masking.masks().zip(ranks);
    Ok(named.map(|(Mask { percent, version, .. }, ranks)| MaskedRanks { percent, version, ranks }).collect())
}

fn in_views(ranker: &dyn Ranker, queries: &Queries, views: &[View]) -> Result<Vec<Vec<Rank>>> {
    distances(ranker, queries, views)?.iter().map(|rows| queries.ranks(rows)).collect()
}
