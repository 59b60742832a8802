//! What is measured on the ranking of the test part.

use super::{SEED, Subject, lines_frame, ranks_frame};
use crate::analysis::{Cloud, balanced, embed, fidelity, smoothness, told_apart};
use crate::paper::floor::Floor;
use crate::paper::photo_pretraining::bench::{hash_weights, weights_path};
use crate::paper::photo_pretraining::{Retrieval, again::checkpoint};
use crate::{Error, Result};
use polars::prelude::*;

/// Percentages drawn: steps of 5 (the issue of an early answer is where the curve rises, and steps of 10 blur it).
fn percents() -> Vec<u32> {
    (1..=20).map(|step| 5 * step).collect()
}

impl Subject<'_> {
    fn ranked(&self) -> Result<Retrieval> {
        let checkpoint = checkpoint(&self.run, self.order)?;
        let found = Retrieval::open(&self.run, &checkpoint, &self.run.dataset, self.order)?;
        found.check(&self.record)?;
        Ok(found)
    }

    /// Robustness, early retrieval, smoothness and what errors are attributed by.
    pub(super) fn retrieval(&self) -> Result<()> {
        let found = self.ranked()?;
        if self.is_vector() {
            let deformed = found.robustness(&self.settings.deform, SEED, self.settings.versions)?;
            self.write("robustness", ranks_frame("version", &deformed)?)?;
            self.write("early", ranks_frame("percent", &found.early_all(&percents())?)?)?;
        }
        self.alike(&found)?;
        self.alike_by_gradients(&found)
    }

    /// Distances between photos are those of the pre-trained network's pooled features, rows of length 1: its second-last
    /// layer, as the last one names classes. The same network judges every row of a pre-training.
    fn alike(&self, found: &Retrieval) -> Result<()> {
        self.check_judge()?;
        let (features, d) = found.pretrained_features(self.order)?;
        self.write_smoothness("smoothness", &features, d, found)?;
        let k = self.settings.attribute;
        let first = found.first(k)?;
        let scores = smoothness(&features, d, &first, k)?.scores;
        let far = fidelity(&features, d, &found.queries().own, &first, k)?;
        let queries = found.queries().sketches.iter().map(|query| *query as f64);
        let lines: Vec<_> = queries.zip(scores).zip(far).map(|((query, s), f)| vec![query, s, f]).collect();
        self.write("attribution", lines_frame(&["query", "smoothness", "fidelity"], &lines)?)
    }

    /// What judges is what the run started from: weights of the same name can have been made anew since.
    fn check_judge(&self) -> Result<()> {
        let (config, places) = (&self.run.config, self.order.places);
        let (recorded, found) = (self.record.log()?.0.weights.unwrap_or_default(), hash_weights(config, places)?);
        match recorded == found {
            true => Ok(()),
            false => {
                let expected = format!("weights {recorded}, which {} started from", self.record.0.display());
                Err(Error::data(weights_path(config, places)?, expected, found))
            }
        }
    }

    /// The same among histograms of gradients, rows of length 1. R comes from the network that [`Self::alike`] takes: a
    /// row that is trained to keep its distances is smooth in them by training, so a judge that gave no R is asked too.
    fn alike_by_gradients(&self, found: &Retrieval) -> Result<()> {
        let (mut features, d) = Floor::Hog.photos(found.source(), &found.queries().gallery)?;
        for row in features.chunks_exact_mut(d) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter_mut().for_each(|value| *value /= length.max(f32::MIN_POSITIVE)); // a blank photo stays 0
        }
        self.write_smoothness("smoothness-hog", &features, d, found)
    }

    fn write_smoothness(&self, name: &str, features: &[f32], d: usize, found: &Retrieval) -> Result<()> {
        let k = self.settings.smooth;
        let scores = smoothness(features, d, &found.first(k)?, k)?.scores;
        let queries = found.queries().sketches.iter().map(|query| *query as f64);
        let lines: Vec<_> = queries.zip(scores).map(|(query, score)| vec![query, score]).collect();
        self.write(name, lines_frame(&["query", "value"], &lines)?)
    }

    /// Features of the test part in the plane in which they are widest, and how well a line tells the domains apart.
    pub(super) fn separation(&self) -> Result<()> {
        let found = self.ranked()?;
        let (sketches, photos, d) = found.embeddings()?;
        // An object is a photo, by its place in the gallery.
        let objects = [found.queries().own.clone(), (0..found.queries().gallery.len()).collect()];
        let cloud = |i: usize, rows| Cloud { rows, objects: &objects[i] };
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

/// The lines of sketches and of photos below each other, after a column that names them.
fn domains_frame(names: &[&str], lines: [Vec<Vec<f64>>; 2]) -> Result<DataFrame> {
    let domain = |(name, lines): (&str, &Vec<Vec<f64>>)| -> Result<DataFrame> {
        let mut frame = lines_frame(names, lines)?;
        frame.insert_column(0, Column::new("domain".into(), vec![name; lines.len()]))?;
        Ok(frame)
    };
    let [sketches, photos] = &lines;
    Ok(domain(("sketch", sketches))?.vstack(&domain(("photo", photos))?)?)
}
