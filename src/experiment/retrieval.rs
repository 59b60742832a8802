//! A trained model with the test part of a corpus, ready for queries.

use super::{Bench, Method, Model, Order, Origin, Queries, Space, View, ranker};
use crate::dataset::{Drawing, Source, Split};
use crate::metric::nearest;
use crate::report::figure::gallery::{GalleryFigure, GalleryQuery};
use crate::run::{Rank, RunConfig, RunFolder};
use crate::seed::Seed;
use crate::sketch::{DeformConfig, antialiased};
use crate::train::Scores;
use crate::{Error, Result};
use candle_core::Tensor;
use image::{DynamicImage, RgbImage};
use std::path::Path;

/// Photos to a query of a gallery.
const SHOWN: usize = 8;

/// A gallery's sketches: as large as the embedded photos, drawn with the pen of the real sets.
const SIDE: u32 = 128;
const PEN: f32 = 3.0;

/// Largest difference in Acc@1 between a recorded run and its checkpoint ranked here: another processor rounds
/// differently, and one query of 115 is 0.9 points, so up to that many points with one query may be rounding.
pub const TOLERANCE: f64 = 1.0;

/// The test part of a corpus, ranked.
pub struct Retrieval {
    bench: Bench,
    model: Box<dyn Model>,
    queries: Queries,
    distances: Vec<Vec<f32>>,
    ranks: Vec<Rank>,
}

impl Retrieval {
    /// Ranks the test part of a corpus, a name or a folder, with a checkpoint of the run's model.
    ///
    /// # Errors
    /// A checkpoint that is not there or is of another model; a watch that stops.
    pub fn open<M: Method>(
        paper: &M,
        run: &RunConfig<M::Config>,
        checkpoint: &Path,
        corpus: &str,
        order: &Order,
    ) -> Result<Self> {
        let network = paper.load(run, Origin::Checkpoint(checkpoint, order.places), order.device)?;
        Self::of_network(paper, run, network, corpus, order)
    }

    /// The same with a network in memory.
    ///
    /// # Errors
    /// A corpus that is not there; a watch that stops.
    pub fn of_network<M: Method>(
        paper: &M,
        run: &RunConfig<M::Config>,
        network: M::Network,
        corpus: &str,
        order: &Order,
    ) -> Result<Self> {
        let bench = Bench::open(corpus, order.places)?;
        let model = paper.open(&run.config, network, &bench, order)?;
        let queries = paper.queries(&run.dataset, &run.row, bench.index(), Split::Test);
        Self::rank(bench, Box::new(model), queries, order)
    }

    /// The same with a network that is first adapted to the training pairs of the corpus: a user's folder, whose
    /// `manifest.csv` lists them beside what is to be ranked.
    ///
    /// # Errors
    /// As [`Method::adapt`]; a pair whose photo or sketch is not there, with its line; a watch that stops.
    pub fn adapted<M: Method>(
        paper: &M,
        run: &RunConfig<M::Config>,
        network: M::Network,
        pairs: &str,
        order: &Order,
    ) -> Result<Self> {
        let bench = Bench::open(pairs, order.places)?;
        let model = paper.adapt(&run.config, network, &bench, order)?;
        let queries = Queries::of(bench.index(), Split::Test);
        Self::rank(bench, Box::new(model), queries, order)
    }

    fn rank(bench: Bench, model: Box<dyn Model>, queries: Queries, order: &Order) -> Result<Self> {
        let distances = ranker::distances(model.as_ref(), &queries, &[View::Whole])?.concat();
        let ranks = queries.ranks(&distances)?;
        if order.watch.is_stopped() {
            return Err(Error::Stopped { resume: "ranking starts again".into() });
        }
        Ok(Self { bench, model, queries, distances, ranks })
    }

    /// The sketches, their galleries, and where each sketch's own photo stands in its own.
    pub fn queries(&self) -> &Queries {
        &self.queries
    }

    /// The rank of each query's own photo.
    pub fn ranks(&self) -> &[Rank] {
        &self.ranks
    }

    /// The distances of a query, by its place among the test sketches, to the photos of its gallery.
    ///
    /// # Errors
    /// A query that is not there.
    pub fn distances(&self, query: usize) -> Result<&[f32]> {
        let count = self.ranks.len();
        let row = self.distances.get(query).ok_or_else(|| Error::value("query", format!("below {count}"), query))?;
        Ok(row)
    }

    /// Acc@K of all queries.
    ///
    /// # Errors
    /// No queries.
    pub fn scores(&self) -> Result<Scores> {
        self.queries.scores(&self.ranks)
    }

    /// Acc@1, which has to be what a run's record says, to within [`TOLERANCE`] points.
    ///
    /// # Errors
    /// A checkpoint of another training; a record that cannot be read.
    pub fn check(&self, record: &RunFolder) -> Result<f64> {
        let (found, recorded) = (self.scores()?.acc1, record.summary()?.acc1);
        if (found - recorded).abs() > TOLERANCE {
            let expected = format!("Acc@1 {recorded:.1} as recorded, to within {TOLERANCE}");
            return Err(Error::data(&record.0, expected, format!("{found:.1} with the checkpoint")));
        }
        Ok(found)
    }

    /// The corpus.
    pub fn source(&self) -> &dyn Source {
        self.bench.source()
    }

    /// Whether sketches have strokes.
    pub fn is_vector(&self) -> bool {
        self.model.is_vector()
    }

    fn space(&self) -> Result<&dyn Space> {
        self.model.space().ok_or_else(|| {
            Error::value("points", "a model that makes points of sketches and photos", "a model with only a distance")
        })
    }

    /// Embeds test photos, given by their positions in the index.
    ///
    /// # Shapes
    /// out `(b, d)`.
    ///
    /// # Errors
    /// A position outside the test part; a model whose distance is not between points.
    pub fn embed_photos(&self, positions: &[usize]) -> Result<Tensor> {
        self.space()?.photos(positions)
    }

    /// Embeds test sketches, given by their positions in the index.
    ///
    /// # Shapes
    /// out `(b, d)`.
    ///
    /// # Errors
    /// As [`Retrieval::embed_photos`].
    pub fn embed_sketches(&self, positions: &[usize]) -> Result<Tensor> {
        self.space()?.sketches(positions, View::Whole)
    }

    /// Points of all sketches and of all photos, row by row, and the length of a row.
    ///
    /// # Errors
    /// As [`Retrieval::embed_photos`].
    pub fn embeddings(&self) -> Result<(Vec<f32>, Vec<f32>, usize)> {
        let (sketches, _) = ranker::rows(&self.queries.sketches, &|chunk| self.embed_sketches(chunk))?;
        let (photos, d) = ranker::rows(&self.queries.photos(), &|chunk| self.embed_photos(chunk))?;
        Ok((sketches, photos, d))
    }

    /// The rank of one query's own photo while the sketch is being drawn, as (percent, rank).
    ///
    /// # Errors
    /// A query that is not there; a corpus without strokes.
    pub fn early(&self, query: usize, percents: &[u32]) -> Result<Vec<(u32, u32)>> {
        let early = ranker::early(self.model.as_ref(), &self.queries.only(query)?, percents)?;
        Ok(early.into_iter().map(|(percent, ranks)| (percent, ranks[0].rank)).collect())
    }

    /// The ranks of all queries at each percentage drawn.
    ///
    /// # Errors
    /// A corpus without strokes.
    pub fn early_all(&self, percents: &[u32]) -> Result<Vec<(u32, Vec<Rank>)>> {
        ranker::early(self.model.as_ref(), &self.queries, percents)
    }

    /// The ranks of all queries, deformed in several ways.
    ///
    /// # Errors
    /// A corpus without strokes.
    pub fn robustness(&self, config: &DeformConfig, seed: Seed, versions: u32) -> Result<Vec<(u32, Vec<Rank>)>> {
        ranker::robustness(self.model.as_ref(), &self.queries, config, seed, versions)
    }

    /// Every query's first `k` photos, as places in its gallery, nearest first.
    ///
    /// # Errors
    /// Distances that are no numbers.
    pub fn first(&self, k: usize) -> Result<Vec<Vec<usize>>> {
        self.distances.iter().map(|row| nearest(row, k)).collect()
    }

    /// The gallery figure of some queries, given by their place among the test sketches.
    ///
    /// # Errors
    /// A query that is not there; a picture that cannot be read.
    pub fn gallery(&self, title: &str, queries: &[usize]) -> Result<GalleryFigure> {
        let queries = queries.iter().map(|query| self.found(*query)).collect::<Result<_>>()?;
        Ok(GalleryFigure { title: title.into(), distance: self.model.distance().into(), queries })
    }

    fn found(&self, query: usize) -> Result<GalleryQuery> {
        let (row, photos) = (self.distances(query)?, self.queries.gallery(query));
        let mut shown = nearest(row, SHOWN)?;
        let own = self.queries.own[query];
        let is_appended = !shown.contains(&own);
        shown.extend(is_appended.then_some(own)); // what was wanted is seen wherever it ranks
        let photo = |j: &usize| Ok((self.source().photo(photos[*j])?, row[*j]));
        let position = self.queries.sketches[query];
        let sketch = match self.source().drawing(position)? {
            Drawing::Vector(sketch) => antialiased(&sketch, SIDE, PEN),
            Drawing::Raster(raster) => raster,
        };
        Ok(GalleryQuery {
            label: format!("query {position}"),
            sketch: DynamicImage::ImageLuma8(sketch).to_rgb8(),
            photos: shown.iter().map(photo).collect::<Result<Vec<(RgbImage, f32)>>>()?,
            own: shown.iter().position(|j| *j == own),
            is_appended,
            rank: self.ranks[query].rank,
        })
    }
}
