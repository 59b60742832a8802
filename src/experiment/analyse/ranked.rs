//! Analyses of the ranking of the test part.

use super::frame::{domains_frame, lines_frame, ranks_frame};
use super::subject::{SEED, Subject};
use crate::analysis::{Answer, FeatureCloud, PlacedRow, embed, fidelity, smoothness, told_apart};
use crate::experiment::floor::Floor;
use crate::experiment::{Method, Retrieval, again::checkpoint};
use crate::{Error, Result};
use std::path::PathBuf;

/// Percentages drawn: steps of 5 (rows differ where the curve rises, which steps of 10 blur).
fn percents() -> Vec<u32> {
    (1..=20).map(|step| 5 * step).collect()
}

impl<C> Subject<'_, C> {
    /// The run's checkpoint, where it is or once training again has restored it.
    ///
    /// # Errors
    /// A checkpoint that training again does not restore, or one of another run.
    pub fn checkpoint<M: Method<Config = C>>(&self, paper: &M) -> Result<PathBuf> {
        checkpoint(paper, &self.run, self.order)
    }

    /// The test part, ranked with the run's checkpoint.
    ///
    /// # Errors
    /// A missing checkpoint that training again does not restore, or one that does not rank as recorded.
    pub fn ranked<M: Method<Config = C>>(&self, paper: &M) -> Result<Retrieval> {
        let checkpoint = self.checkpoint(paper)?;
        let found = Retrieval::open(paper, &self.run, &checkpoint, &self.run.dataset, self.order)?;
        found.check(&self.record)?;
        Ok(found)
    }

    /// Checks that the judging weights are those that the run started from: they may have been retrained since.
    ///
    /// # Errors
    /// Missing weights, or weights with another hash than the recorded one.
    pub fn check_weights<M: Method<Config = C>>(&self, paper: &M) -> Result<()> {
        let (needs, places) = (paper.needs(&self.run.config), self.order.places);
        let recorded = self.record.log()?.0.weights.unwrap_or_default();
        let found = needs.hash(places)?.unwrap_or_default();
        if recorded == found {
            return Ok(());
        }
        let expected = format!("weights {recorded}, which {} started from", self.record.0.display());
        let paths = needs.find(places)?;
        Err(Error::data(paths.first().unwrap_or(&self.record.0), expected, found))
    }

    /// Writes `robustness.csv` (version,query,photo,rank) with deformed sketches and `early.csv` (percent,query,photo,rank)
    /// with a part of each drawn.
    ///
    /// # Errors
    /// A corpus without strokes.
    pub fn write_robustness(&self, found: &Retrieval) -> Result<()> {
        let deformed = found.robustness(&self.settings.deform, SEED, self.settings.versions)?;
        self.write("robustness", ranks_frame("version", &deformed)?)?;
        self.write("early", ranks_frame("percent", &found.early_all(&percents())?)?)
    }

    /// Writes `<name>.csv` (query,value): the mean distance between the photos ranked first, among features of the gallery.
    ///
    /// # Shapes
    /// `features` row by row, `d` numbers each, in the gallery's order.
    ///
    /// # Errors
    /// Features of another gallery.
    pub fn write_smoothness(&self, name: &str, (features, d): (&[f32], usize), found: &Retrieval) -> Result<()> {
        let k = self.settings.smooth;
        let scores = smoothness(features, d, &found.first(k)?, k)?.scores;
        let queries = found.queries().sketches.iter().map(|query| *query as f64);
        let lines: Vec<_> = queries.zip(scores).map(|(query, score)| vec![query, score]).collect();
        self.write(name, lines_frame(&["query", "value"], &lines)?)
    }

    /// Writes `attribution.csv` (query,smoothness,fidelity): what errors are attributed by.
    ///
    /// # Shapes
    /// As [`Subject::write_smoothness`].
    ///
    /// # Errors
    /// Features of another gallery.
    pub fn write_attribution(&self, (features, d): (&[f32], usize), found: &Retrieval) -> Result<()> {
        let k = self.settings.attribute;
        let first = found.first(k)?;
        let scores = smoothness(features, d, &first, k)?.scores;
        let far = fidelity(features, d, &found.queries().own, &first, k)?;
        let queries = found.queries().sketches.iter().map(|query| *query as f64);
        let lines: Vec<_> = queries.zip(scores).zip(far).map(|((query, s), f)| vec![query, s, f]).collect();
        self.write("attribution", lines_frame(&["query", "smoothness", "fidelity"], &lines)?)
    }

    /// Writes `smoothness-hog.csv`: [`Subject::write_smoothness`] among histograms of gradients, rows of length 1, which no
    /// row was trained with.
    ///
    /// # Errors
    /// A photo that cannot be read.
    pub fn write_smoothness_by_gradients(&self, found: &Retrieval) -> Result<()> {
        let (mut features, d) = Floor::Hog.photos(found.source(), found.queries().gallery(0))?;
        for row in features.chunks_exact_mut(d) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter_mut().for_each(|value| *value /= length.max(f32::MIN_POSITIVE)); // a blank photo stays 0
        }
        self.write_smoothness("smoothness-hog", (&features, d), found)
    }

    /// Writes `domain.csv` (domain,position,photo,right): how well a classifier tells the domains of held-out features
    /// apart.
    ///
    /// # Errors
    /// A model whose distance is not between points.
    pub fn write_separation(&self, found: &Retrieval) -> Result<()> {
        let domains = Domains::of(found)?;
        let answers = told_apart(domains.cloud(0), domains.cloud(1), domains.d)?;
        let line = |i: usize, answer: &Answer| vec![answer.row as f64, domains.photo(i, answer.row), answer.right];
        let lines = [0, 1].map(|i| answers[i].iter().map(|answer| line(i, answer)).collect());
        self.write("domain", domains_frame(&["position", "photo", "right"], lines)?)
    }

    /// Writes `plane.csv` (domain,position,photo,x,y): held-out features across and along the border of that classifier.
    ///
    /// # Errors
    /// As [`Subject::write_separation`].
    pub fn write_plane(&self, found: &Retrieval) -> Result<()> {
        let domains = Domains::of(found)?;
        let placed = embed(domains.cloud(0), domains.cloud(1), domains.d)?;
        let line = |i: usize, own: &PlacedRow| vec![own.row as f64, domains.photo(i, own.row), own.x, own.y];
        let lines = [0, 1].map(|i| placed[i].iter().map(|own| line(i, own)).collect());
        self.write("plane", domains_frame(&["position", "photo", "x", "y"], lines)?)
    }
}

/// Features of the test part: of sketches, and of photos.
struct Domains {
    rows: [Vec<f32>; 2],
    /// An object is a photo, by its place in the gallery.
    objects: [Vec<usize>; 2],
    d: usize,
}

impl Domains {
    fn of(found: &Retrieval) -> Result<Self> {
        let (sketches, photos, d) = found.embeddings()?;
        let objects = [found.queries().own.clone(), (0..found.queries().gallery(0).len()).collect()];
        Ok(Self { rows: [sketches, photos], objects, d })
    }

    fn cloud(&self, i: usize) -> FeatureCloud<'_> {
        FeatureCloud { rows: &self.rows[i], objects: &self.objects[i] }
    }

    /// The photo of a row, as the number of a column.
    fn photo(&self, i: usize, row: usize) -> f64 {
        self.objects[i][row] as f64
    }
}
