//! What is measured on the ranking of the test part.

use super::{ROWS, SEED, Subject, lines_frame, ranks_frame, separated, stack};
use crate::Result;
use crate::analysis::{balanced, embed, fidelity, smoothness, told_apart};
use crate::paper::floor::Floor;
use crate::paper::photo_pretraining::Retrieval;
use polars::prelude::*;

/// Percentages drawn: steps of 5 (the issue of an early answer is where the curve rises, and steps of 10 blur it).
fn percents() -> Vec<u32> {
    (1..=20).map(|step| 5 * step).collect()
}

impl Subject<'_> {
    fn open(&self, row: &str) -> Result<Retrieval> {
        Retrieval::of_row(&self.order.places.results, self.dataset, row, self.dataset, self.order)
    }

    /// Robustness, early retrieval, smoothness and error attribution.
    pub(super) fn retrieval(&self) -> Result<()> {
        if self.is_done(&["smoothness", "attribution", "smoothness-hog"]) {
            return Ok(()); // they are written last
        }
        let rows = ROWS.map(|row| self.open(row).map(|retrieval| (row, retrieval)));
        let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
        if !self.is_done(&["smoothness", "attribution"]) {
            self.deformed(&rows)?;
            self.smoothness(&rows)?;
        }
        self.smoothness_by_gradients(&rows)
    }

    fn deformed(&self, rows: &[(&str, Retrieval)]) -> Result<()> {
        // Sketches that are pixels can be neither deformed nor drawn in part.
        if rows[0].1.is_vector() {
            let Self { settings, .. } = self;
            let deformed = |(row, found): &(&str, Retrieval)| {
                ranks_frame(row, "version", &found.robustness(&settings.deform, SEED, settings.versions)?)
            };
            let drawn = |(row, found): &(&str, Retrieval)| ranks_frame(row, "percent", &found.early_all(&percents())?);
            self.folder.write("robustness", stack(rows.iter().map(deformed).collect::<Result<_>>()?)?)?;
            self.folder.write("early", stack(rows.iter().map(drawn).collect::<Result<_>>()?)?)?;
        }
        Ok(())
    }

    /// Distances between photos are those of the pre-trained network's pooled features, rows of length 1: its second-last
    /// layer, as the last one names classes. The same network judges both rows.
    fn smoothness(&self, rows: &[(&str, Retrieval)]) -> Result<()> {
        let (features, d) = rows[0].1.pretrained_features(self.order)?;
        self.write_smoothness("smoothness", &features, d, rows)?;
        let score = |found: &Retrieval, k: usize| -> Result<Vec<f64>> {
            Ok(smoothness(&features, d, &found.first(k)?, k)?.scores)
        };
        let (k, (base, ours)) = (self.settings.attribute, (&rows[0].1, &rows[1].1));
        let own = &ours.queries().own;
        let (s_base, s_ours) = (score(base, k)?, score(ours, k)?);
        let f_ours = fidelity(&features, d, own, &ours.first(k)?, k)?;
        let wrong: Vec<usize> = (0..own.len()).filter(|query| ours.ranks()[*query].rank > 1).collect();
        let query = |i: &usize| vec![ours.queries().sketches[*i] as f64, s_ours[*i], f_ours[*i], s_base[*i]];
        let lines: Vec<Vec<f64>> = wrong.iter().map(query).collect();
        self.folder.write("attribution", lines_frame("ours", &["query", "s_ours", "f_ours", "s_base"], &lines)?)
    }

    /// The same among histograms of gradients, rows of length 1. R comes from the network that [`Self::smoothness`] takes:
    /// a row that is trained to keep its distances is smooth in them by training, so a judge that gave no R is asked too.
    fn smoothness_by_gradients(&self, rows: &[(&str, Retrieval)]) -> Result<()> {
        let gallery = &rows[0].1.queries().gallery;
        let (mut features, d) = Floor::Hog.photos(rows[0].1.source(), gallery)?;
        for row in features.chunks_exact_mut(d) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter_mut().for_each(|value| *value /= length.max(f32::MIN_POSITIVE)); // a blank photo stays 0
        }
        self.write_smoothness("smoothness-hog", &features, d, rows)
    }

    fn write_smoothness(&self, name: &str, features: &[f32], d: usize, rows: &[(&str, Retrieval)]) -> Result<()> {
        let frame = |(row, found): &(&str, Retrieval)| {
            let k = self.settings.smooth;
            let scores = smoothness(features, d, &found.first(k)?, k)?.scores;
            let queries = found.queries().sketches.iter().map(|query| *query as f64);
            lines_frame(row, &["query", "value"], &queries.zip(scores).map(|(q, s)| vec![q, s]).collect::<Vec<_>>())
        };
        self.folder.write(name, stack(rows.iter().map(frame).collect::<Result<_>>()?)?)
    }

    /// Features of the test part in the plane in which they are widest, and how well a line tells the domains apart.
    pub(super) fn separation(&self) -> Result<()> {
        if self.is_done(&["separation", "domain"]) {
            return Ok(());
        }
        let (mut frames, mut rights) = (Vec::new(), Vec::new());
        for (row, _) in separated() {
            let found = self.open(&row)?;
            let (sketches, photos, d) = found.embeddings()?;
            let (plane, tested) = (embed(&sketches, &photos, d)?, told_apart(&sketches, &photos, d)?);
            let accuracy = balanced(&tested);
            for (domain, points) in [("sketch", plane.a), ("photo", plane.b)] {
                let lines: Vec<_> =
                    points.iter().enumerate().map(|(i, (x, y))| vec![i as f64, *x, *y, accuracy]).collect();
                frames.push(domain_frame(&row, domain, &["position", "x", "y", "accuracy"], &lines)?);
            }
            for (domain, hits) in ["sketch", "photo"].into_iter().zip(tested) {
                let lines: Vec<_> = hits.iter().enumerate().map(|(i, hit)| vec![(2 * i + 1) as f64, *hit]).collect();
                rights.push(domain_frame(&row, domain, &["position", "right"], &lines)?);
            }
        }
        self.folder.write("separation", stack(frames)?)?;
        self.folder.write("domain", stack(rights)?)
    }
}

/// As [`lines_frame`], with a second column that says of which domain the lines are.
fn domain_frame(row: &str, domain: &str, names: &[&str], lines: &[Vec<f64>]) -> Result<DataFrame> {
    let mut frame = lines_frame(row, names, lines)?;
    frame.insert_column(1, Column::new("domain".into(), vec![domain; lines.len()]))?;
    Ok(frame)
}
