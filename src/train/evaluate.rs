//! Ranks of queries against a gallery, by a network as it is now.

use super::{Feed, Scores};
use crate::Result;
use crate::dataset::{Index, Split};
use crate::metric::{self, Tie};
use crate::run::Rank;
use crate::seed::Seed;
use crate::sketch::DeformConfig;
use candle_core::Tensor;

/// Inputs to a forward pass.
const CHUNK: usize = 64;

/// A network in evaluation: input rows to unit embeddings.
pub type Embedding<'a> = &'a dyn Fn(&Tensor) -> Result<Tensor>;

/// Sketches to rank, and the photos they are ranked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queries {
    /// Positions of the sketches.
    pub sketches: Vec<usize>,
    /// Positions of the photos.
    pub gallery: Vec<usize>,
    /// Where each sketch's own photo stands in the gallery.
    pub own: Vec<usize>,
}

impl Queries {
    /// Every sketch of a split against every photo of it, which is the field's protocol.
    pub fn of(index: &Index, split: Split) -> Self {
        let (sketches, gallery) = (index.sketches_of(split), index.photos_of(split));
        let place = |sketch: &usize| gallery.binary_search(&index.sketches[*sketch].photo).ok();
        // A sketch's photo is of the sketch's split by definition, so every sketch has a place.
        let own = sketches.iter().filter_map(place).collect();
        Self { sketches, gallery, own }
    }

    /// Ranks from distances.
    ///
    /// # Shapes
    /// `distances` (sketches, gallery), row by row.
    ///
    /// # Errors
    /// Distances that are not finite.
    pub fn ranks(&self, distances: &[f32]) -> Result<Vec<Rank>> {
        let ranks = metric::ranks(distances, self.gallery.len(), &self.own, Tie::Pessimistic)?;
        let rank = |(i, rank): (usize, u32)| {
            let photo = self.gallery[self.own[i]] as u32;
            Rank { query: self.sketches[i] as u32, photo, rank }
        };
        Ok(ranks.into_iter().enumerate().map(rank).collect())
    }
}

/// Distances of all queries to the whole gallery, row by row.
///
/// # Errors
/// A failing forward pass.
pub fn distances(embed: Embedding, feed: &dyn Feed, queries: &Queries) -> Result<Vec<f32>> {
    let (photos, d) = rows(embed, &queries.gallery, &|chunk| feed.photos(chunk))?;
    let (sketches, _) = rows(embed, &queries.sketches, &|chunk| feed.sketches(chunk))?;
    metric::distances(&sketches, &photos, d)
}

/// Ranks all queries.
///
/// # Errors
/// A failing forward pass or embeddings that are not finite.
pub fn evaluate(embed: Embedding, feed: &dyn Feed, queries: &Queries) -> Result<Vec<Rank>> {
    queries.ranks(&distances(embed, feed, queries)?)
}

/// Ranks all queries at each percentage drawn.
///
/// # Errors
/// As [`evaluate`]; a corpus without strokes.
pub fn early(embed: Embedding, feed: &dyn Feed, queries: &Queries, percents: &[u32]) -> Result<Vec<(u32, Vec<Rank>)>> {
    at_each(embed, feed, queries, percents.iter().copied(), &|chunk, percent| feed.partial(chunk, percent))
}

/// Ranks all queries with their strokes deformed, `versions` times; the photos stay as they are.
///
/// Seed and version decide what a sketch looks like, so that two networks are tested on the same sketches.
///
/// # Errors
/// As [`evaluate`]; a corpus without strokes, a feed that draws none, a setting that cannot be.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 3 (ten versions).
pub fn robustness(
    embed: Embedding,
    feed: &dyn Feed,
    queries: &Queries,
    config: &DeformConfig,
    seed: Seed,
    versions: u32,
) -> Result<Vec<(u32, Vec<Rank>)>> {
    let deformed = |chunk: &[usize], version| feed.deformed(chunk, config, seed, version);
    at_each(embed, feed, queries, 0..versions, &deformed)
}

/// Ranks all queries as they are drawn at each step; the photos are embedded once.
fn at_each(
    embed: Embedding,
    feed: &dyn Feed,
    queries: &Queries,
    steps: impl Iterator<Item = u32>,
    sketches: &dyn Fn(&[usize], u32) -> Result<Tensor>,
) -> Result<Vec<(u32, Vec<Rank>)>> {
    let (photos, d) = rows(embed, &queries.gallery, &|chunk| feed.photos(chunk))?;
    let at = |step| {
        let (sketches, _) = rows(embed, &queries.sketches, &|chunk| sketches(chunk, step))?;
        Ok((step, queries.ranks(&metric::distances(&sketches, &photos, d)?)?))
    };
    steps.map(at).collect()
}

/// What validation looks at.
///
/// # Errors
/// No ranks.
pub fn scores(ranks: &[Rank], gallery: usize) -> Result<Scores> {
    let ranks: Vec<u32> = ranks.iter().map(|rank| rank.rank).collect();
    Ok(Scores {
        acc1: metric::acc_at(&ranks, 1)?,
        acc5: metric::acc_at(&ranks, 5)?,
        acc10: metric::acc_at(&ranks, 10)?,
        percentile: metric::average_percentile(&ranks, gallery as u32)?,
    })
}

/// Embeds in chunks; returns the rows one after the other and their length.
///
/// # Errors
/// A failing forward pass.
pub fn rows(
    embed: Embedding,
    positions: &[usize],
    input: &dyn Fn(&[usize]) -> Result<Tensor>,
) -> Result<(Vec<f32>, usize)> {
    let (mut values, mut d) = (Vec::new(), 1);
    for chunk in positions.chunks(CHUNK) {
        let embedded = embed(&input(chunk)?)?;
        d = embedded.dim(1)?;
        values.extend(embedded.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok((values, d))
}
