//! A trained network with the test part of a corpus, ready to be asked.

use super::bench::{Bench, Order, pixels, weights_path};
use super::protocol::{checkpoint_path, first_seed};
use super::{Config, Update};
use crate::dataset::{Album, Drawing, Source, Split};
use crate::file::read_json;
use crate::metric::nearest;
use crate::model::{Network, l2_normalise};
use crate::report::figure::gallery::{Gallery, Query};
use crate::run::{Rank, RunConfig, RunFolder};
use crate::seed::Seed;
use crate::sketch::{DeformConfig, antialiased};
use crate::train::{self, Feed, Queries, Scores};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
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

/// The test part of a corpus, embedded and ranked.
pub struct Retrieval {
    bench: Bench,
    album: Album,
    config: Config,
    network: Network,
    device: Device,
    queries: Queries,
    distances: Vec<f32>,
    ranks: Vec<Rank>,
}

impl Retrieval {
    /// Ranks the test part of a corpus, a name or a folder, with a checkpoint of the run's network.
    ///
    /// # Errors
    /// A checkpoint that is not there or is of another network; a watch that stops.
    pub fn open(run: &RunConfig<Config>, checkpoint: &Path, corpus: &str, order: &Order) -> Result<Self> {
        Self::of_network(&run.config, load(run, checkpoint, order)?, corpus, order)
    }

    /// Ranks the test part of a corpus, a name or a folder, with a network and its settings.
    ///
    /// # Errors
    /// A corpus that is not there; a watch that stops.
    pub fn of_network(config: &Config, network: Network, corpus: &str, order: &Order) -> Result<Self> {
        let bench = Bench::open(corpus, 0, order.places)?;
        let queries = Queries::of(bench.index(), Split::Test);
        let album = bench.album(config, &[Split::Test], order.watch)?;
        let feed = pixels(&album, config, order.device);
        let distances = train::distances(&|x| network.embed_in_evaluation(x), &feed, &queries)?;
        let ranks = queries.ranks(&distances)?;
        if order.watch.is_stopped() {
            return Err(Error::Stopped { resume: "ranking starts again".into() });
        }
        let (config, device) = (config.clone(), order.device.clone());
        Ok(Self { bench, album, config, network, device, queries, distances, ranks })
    }

    /// As [`Retrieval::open`], with the checkpoint that a results folder holds of a row's first seed.
    ///
    /// # Errors
    /// As [`Retrieval::open`], or no such run.
    pub fn of_row(results: &Path, trained_on: &str, row: &str, corpus: &str, order: &Order) -> Result<Self> {
        let run: RunConfig<Config> = read_json(&first_seed(results, trained_on, row).0.join("config.json"))?;
        Self::open(&run, &checkpoint_path(results, trained_on, row), corpus, order)
    }

    /// The sketches, the gallery, and where each sketch's own photo stands in it.
    pub fn queries(&self) -> &Queries {
        &self.queries
    }

    /// The rank of each query's own photo.
    pub fn ranks(&self) -> &[Rank] {
        &self.ranks
    }

    /// Acc@K of all queries.
    ///
    /// # Errors
    /// No queries.
    pub fn scores(&self) -> Result<Scores> {
        train::scores(&self.ranks, self.queries.gallery.len())
    }

    /// Acc@1, which has to be what a run's record says, to within [`TOLERANCE`] points.
    ///
    /// # Errors
    /// A checkpoint of another training; a record that does not read.
    pub fn check(&self, record: &RunFolder) -> Result<f64> {
        let (found, recorded) = (self.scores()?.acc1, record.summary()?.acc1);
        match (found - recorded).abs() > TOLERANCE {
            true => {
                let expected = format!("Acc@1 {recorded:.1} as recorded, to within {TOLERANCE}");
                Err(Error::data(&record.0, expected, format!("{found:.1} with the checkpoint")))
            }
            false => Ok(found),
        }
    }

    /// The corpus.
    pub fn source(&self) -> &dyn Source {
        self.bench.source()
    }

    /// Embeds test photos, given by their positions in the index.
    ///
    /// # Shapes
    /// out `(b, d)`, rows of length 1.
    ///
    /// # Errors
    /// A position outside the test part.
    pub fn embed_photos(&self, positions: &[usize]) -> Result<Tensor> {
        self.network.embed_in_evaluation(&self.feed().photos(positions)?)
    }

    /// Embeds test sketches, given by their positions in the index.
    ///
    /// # Shapes
    /// out `(b, d)`, rows of length 1.
    ///
    /// # Errors
    /// A position outside the test part.
    pub fn embed_sketches(&self, positions: &[usize]) -> Result<Tensor> {
        self.network.embed_in_evaluation(&self.feed().sketches(positions)?)
    }

    /// The rank of one query's own photo while the sketch is being drawn, as (percent, rank).
    ///
    /// # Errors
    /// A query that is not there; a corpus without strokes.
    pub fn early(&self, query: usize, percents: &[u32]) -> Result<Vec<(u32, u32)>> {
        let i = self.position(query)?;
        let (sketches, own) = (vec![self.queries.sketches[i]], vec![self.queries.own[i]]);
        let queries = Queries { sketches, gallery: self.queries.gallery.clone(), own };
        let early = train::early(&|x| self.network.embed_in_evaluation(x), &self.feed(), &queries, percents)?;
        Ok(early.into_iter().map(|(percent, ranks)| (percent, ranks[0].rank)).collect())
    }

    /// The ranks of all queries at each percentage drawn.
    ///
    /// # Errors
    /// A corpus without strokes.
    pub fn early_all(&self, percents: &[u32]) -> Result<Vec<(u32, Vec<Rank>)>> {
        train::early(&|x| self.network.embed_in_evaluation(x), &self.feed(), &self.queries, percents)
    }

    /// The ranks of all queries, deformed in several ways.
    ///
    /// # Errors
    /// A corpus without strokes.
    pub fn robustness(&self, config: &DeformConfig, seed: Seed, versions: u32) -> Result<Vec<(u32, Vec<Rank>)>> {
        let embed = |x: &Tensor| self.network.embed_in_evaluation(x);
        train::robustness(&embed, &self.feed(), &self.queries, config, seed, versions)
    }

    /// Every query's first `k` photos, as places in the gallery, nearest first.
    ///
    /// # Errors
    /// A gallery of fewer photos.
    pub fn first(&self, k: usize) -> Result<Vec<Vec<usize>>> {
        self.distances.chunks(self.queries.gallery.len()).map(|row| nearest(row, k)).collect()
    }

    /// Embeddings of all sketches and of the gallery, row by row, and the length of a row.
    ///
    /// # Errors
    /// A failing forward pass.
    pub fn embeddings(&self) -> Result<(Vec<f32>, Vec<f32>, usize)> {
        let (feed, embed) = (self.feed(), |x: &Tensor| self.network.embed_in_evaluation(x));
        let (sketches, _) = train::rows(&embed, &self.queries.sketches, &|chunk| feed.sketches(chunk))?;
        let (photos, d) = train::rows(&embed, &self.queries.gallery, &|chunk| feed.photos(chunk))?;
        Ok((sketches, photos, d))
    }

    /// Pooled features of the gallery under the network as it was pre-trained, rows of length 1, and their length.
    ///
    /// # Errors
    /// Weights that are in no place.
    pub fn pretrained_features(&self, order: &Order) -> Result<(Vec<f32>, usize)> {
        let network = Network::new(self.config.network(), Seed(0), &self.device)?;
        network.load_backbone(&weights_path(&self.config, order.places)?)?;
        let (feed, embed) = (self.feed(), |x: &Tensor| Ok(l2_normalise(&network.features(x)?)?.detach()));
        train::rows(&embed, &self.queries.gallery, &|chunk| feed.photos(chunk))
    }

    /// What is found for some queries, given by their place among the test sketches.
    ///
    /// # Errors
    /// A query that is not there; a picture that cannot be read.
    pub fn gallery(&self, title: &str, queries: &[usize]) -> Result<Gallery> {
        let queries = queries.iter().map(|query| self.found(*query)).collect::<Result<_>>()?;
        Ok(Gallery {
            title: title.into(),
            distance: "how far its features are from those of the sketch".into(),
            queries,
        })
    }

    fn found(&self, query: usize) -> Result<Query> {
        let (i, count) = (self.position(query)?, self.queries.gallery.len());
        let row = &self.distances[i * count..(i + 1) * count];
        let shown = nearest(row, SHOWN)?;
        let photo = |j: &usize| Ok((self.source().photo(self.queries.gallery[*j])?, row[*j]));
        let position = self.queries.sketches[i];
        let sketch = match self.source().drawing(position)? {
            Drawing::Vector(sketch) => antialiased(&sketch, SIDE, PEN),
            Drawing::Raster(raster) => raster,
        };
        Ok(Query {
            label: format!("query {position}"),
            sketch: DynamicImage::ImageLuma8(sketch).to_rgb8(),
            photos: shown.iter().map(photo).collect::<Result<Vec<(RgbImage, f32)>>>()?,
            own: shown.iter().position(|j| *j == self.queries.own[i]),
            rank: self.ranks[i].rank,
        })
    }

    fn position(&self, query: usize) -> Result<usize> {
        match query < self.ranks.len() {
            true => Ok(query),
            false => Err(Error::value("query", format!("below {}", self.ranks.len()), query)),
        }
    }

    fn feed(&self) -> train::Pixels<'_> {
        pixels(&self.album, &self.config, &self.device)
    }
}

/// The network of a run with its checkpoint's weights; where nothing was trained, as it was pre-trained.
pub(super) fn load(run: &RunConfig<Config>, checkpoint: &Path, order: &Order) -> Result<Network> {
    let network = Network::new(run.config.network(), run.seed, order.device)?;
    if run.config.frozen.is_some() || run.config.update == Update::ZeroShot {
        network.load_backbone(&weights_path(&run.config, order.places)?)?;
    }
    match run.config.update {
        Update::ZeroShot => network.round()?,
        _ => network.load(checkpoint)?,
    }
    Ok(network)
}
