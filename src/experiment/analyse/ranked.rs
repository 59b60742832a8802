//! Analyses of the ranking of the test part.

use super::frame::{domains_frame, lines_frame, ranks_frame};
use super::subject::{SEED, Subject};
use crate::analysis::{FeatureCloud, balanced, embed, fidelity, smoothness, told_apart};
use crate::experiment::floor::Floor;
use crate::experiment::{Method, Retrieval, again::checkpoint};
use crate::{Error, Result};

/// Percentages drawn: steps of 5 (rows differ where the curve rises, which steps of 10 blur).
fn percents() -> Vec<u32> {
    (1..=20).map(|step| 5 * step).collect()
}

impl<C> Subject<'_, C> {
    /// The test part, ranked with the run's checkpoint.
    ///
    /// # Errors
    /// A missing checkpoint that training again does not restore, or one that does not rank as recorded.
    pub fn ranked<M: Method<Config = C>>(&self, paper: &M) -> Result<Retrieval> {
        let checkpoint = checkpoint(paper, &self.run, self.order)?;
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

    /// Writes `separation.csv` (domain,position,x,y,accuracy), features of the test part in the plane in which they are
    /// widest, and `domain.csv` (domain,position,photo,right), how well a line tells the domains of held-out ones apart.
    ///
    /// # Errors
    /// A model whose distance is not between points.
    pub fn write_separation(&self, found: &Retrieval) -> Result<()> {
        let (sketches, photos, d) = found.embeddings()?;
        // An object is a photo, by its place in the gallery.
        let objects = [found.queries().own.clone(), (0..found.queries().gallery(0).len()).collect()];
        let cloud = |i: usize, rows| FeatureCloud { rows, objects: &objects[i] };
        let (plane, answers) = (embed(&sketches, &photos, d)?, told_apart(cloud(0, &sketches), cloud(1, &photos), d)?);
        let accuracy = balanced(&answers);
        let points = |points: Vec<(f64, f64)>| {
            let line = |(i, (x, y)): (usize, (f64, f64))| vec![i as f64, x, y, accuracy];
            points.into_iter().enumerate().map(line).collect::<Vec<_>>()
        };
        let tested = [0, 1].map(|i| {
            let lines =
                answers[i].iter().map(|found| vec![found.row as f64, objects[i][found.row] as f64, found.right]);
            lines.collect()
        });
        let names = ["position", "x", "y", "accuracy"];
        self.write("separation", domains_frame(&names, [points(plane.a), points(plane.b)])?)?;
        self.write("domain", domains_frame(&["position", "photo", "right"], tested)?)
    }
}
