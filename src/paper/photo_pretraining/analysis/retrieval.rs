//! What is measured on the ranking of the test part.

use super::{ROWS, SEED, Subject, lines_frame, ranks_frame, separated, stack};
use crate::Result;
use crate::analysis::{domain_accuracy, embed, fidelity, smoothness};
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
        if self.is_done(&["smoothness", "attribution"]) {
            return Ok(()); // they are written last
        }
        let rows = ROWS.map(|row| self.open(row).map(|retrieval| (row, retrieval)));
        let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
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
        self.smoothness(&rows)
    }

    /// Distances between photos are those of the pre-trained network's pooled features, rows of length 1: its second-last
    /// layer, as the last one names classes. The same network judges both rows.
    fn smoothness(&self, rows: &[(&str, Retrieval)]) -> Result<()> {
        let (features, d) = rows[0].1.pretrained_features(self.order)?;
        let score = |found: &Retrieval, k: usize| -> Result<Vec<f64>> {
            Ok(smoothness(&features, d, &found.first(k)?, k)?.scores)
        };
        let frame = |(row, found): &(&str, Retrieval)| {
            let scores = score(found, self.settings.smooth)?;
            let queries = found.queries().sketches.iter().map(|query| *query as f64);
            lines_frame(row, &["query", "value"], &queries.zip(scores).map(|(q, s)| vec![q, s]).collect::<Vec<_>>())
        };
        self.folder.write("smoothness", stack(rows.iter().map(frame).collect::<Result<_>>()?)?)?;

        let (k, (base, ours)) = (self.settings.attribute, (&rows[0].1, &rows[1].1));
        let own = &ours.queries().own;
        let (s_base, s_ours) = (score(base, k)?, score(ours, k)?);
        let f_ours = fidelity(&features, d, own, &ours.first(k)?, k)?;
        let wrong: Vec<usize> = (0..own.len()).filter(|query| ours.ranks()[*query].rank > 1).collect();
        let query = |i: &usize| vec![ours.queries().sketches[*i] as f64, s_ours[*i], f_ours[*i], s_base[*i]];
        let lines: Vec<Vec<f64>> = wrong.iter().map(query).collect();
        self.folder.write("attribution", lines_frame("ours", &["query", "s_ours", "f_ours", "s_base"], &lines)?)
    }

    /// Features of the test part in the plane in which they are widest, and how well a line tells the domains apart.
    pub(super) fn separation(&self) -> Result<()> {
        if self.is_done(&["separation"]) {
            return Ok(());
        }
        let mut frames = Vec::new();
        for (row, _) in separated() {
            let found = self.open(&row)?;
            let (sketches, photos, d) = found.embeddings()?;
            let (plane, accuracy) = (embed(&sketches, &photos, d)?, domain_accuracy(&sketches, &photos, d)?);
            for (domain, points) in [("sketch", plane.a), ("photo", plane.b)] {
                let lines: Vec<_> =
                    points.iter().enumerate().map(|(i, (x, y))| vec![i as f64, *x, *y, accuracy]).collect();
                let mut frame = lines_frame(&row, &["position", "x", "y", "accuracy"], &lines)?;
                frame.insert_column(1, Column::new("domain".into(), vec![domain; lines.len()]))?;
                frames.push(frame);
            }
        }
        self.folder.write("separation", stack(frames)?)
    }
}
