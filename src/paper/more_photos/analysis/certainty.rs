//! Whether the discriminator is more certain of better sketches (Fig. 4a).

use super::super::Config;
use crate::experiment::ranker::rows;
use crate::experiment::{Space, Subject, View};
use crate::metric::{Tie, distances, ranks};
use crate::model::Mode;
use crate::report::analysis::{Folder, Samples};
use crate::report::record::Run;
use crate::report::score::Metric;
use crate::{Error, Result};
use polars::prelude::{Column, DataFrame};

/// Correlation of a pair's certainty with its percentile: the mean of products of both, each less its mean and by its
/// deviation.
pub static CERTAINTY: Metric = Metric {
    name: "certainty",
    title: "correlation of certainty and percentile",
    file: Some("certainty"),
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: |run| samples(run),
};

fn samples(run: &Run) -> Result<Samples> {
    let lines = Folder::of(&run.folder).lines("certainty", ["certainty", "percentile"])?;
    let photos = Folder::of(&run.folder).column("certainty", "photo")?;
    let [one, other] = [0, 1].map(|at| standard(&lines.iter().map(|line| line[at]).collect::<Vec<f64>>()));
    let values = one.iter().zip(&other).map(|(a, b)| a * b).collect();
    Ok(Samples { values, groups: photos.into_iter().map(|photo| photo as u32).collect() })
}

/// Values less their mean, by their deviation; zeros where all are the same.
fn standard(values: &[f64]) -> Vec<f64> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    values.iter().map(|value| if deviation > 0.0 { (value - mean) / deviation } else { 0.0 }).collect()
}

/// Writes `certainty.csv`.
///
/// # Errors
/// A checkpoint that is not there; a row without a discriminator; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (model, bench, queries) = super::open(subject)?;
    let missing = || Error::value("row", "one with a discriminator", "one without");
    let critic = model.network.critic.as_ref().ok_or_else(missing)?;
    let gallery = queries.photos();
    let (points, d) = rows(&gallery, &|chunk| model.photos(chunk))?;
    let (mut certain, mut drawn_points) = (Vec::new(), Vec::new());
    for chunk in queries.sketches.chunks(64) {
        let drawn = model.drawn(chunk, View::Whole)?;
        let photos: Vec<usize> = chunk.iter().map(|sketch| bench.index().sketches[*sketch].photo).collect();
        certain.extend(critic.certainty(&model.shown(&photos)?, &drawn, Mode::Eval)?.to_vec1::<f32>()?);
        let embedded = model.network.retrieval.embed(&drawn, Mode::Eval)?;
        drawn_points.extend(embedded.flatten_all()?.to_vec1::<f32>()?);
    }
    let photos: Vec<usize> = queries.sketches.iter().map(|sketch| bench.index().sketches[*sketch].photo).collect();
    let own = photos.iter().filter_map(|photo| gallery.iter().position(|other| other == photo)).collect::<Vec<_>>();
    let found = ranks(&distances(&drawn_points, &points, d)?, gallery.len(), &own, Tie::Pessimistic)?;
    let percentile =
        |rank: &u32| 100.0 * (gallery.len() as f64 - f64::from(*rank)) / (gallery.len() as f64 - 1.0).max(1.0);
    let column = |name: &str, values: Vec<u32>| Column::new(name.into(), values);
    let columns = vec![
        column("query", queries.sketches.iter().map(|sketch| *sketch as u32).collect()),
        column("photo", photos.iter().map(|photo| *photo as u32).collect()),
        Column::new("certainty".into(), certain.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>()),
        Column::new("percentile".into(), found.iter().map(percentile).collect::<Vec<f64>>()),
    ];
    subject.write("certainty", DataFrame::new(found.len(), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_product_is_the_correlation() {
        let (a, b) = (standard(&[1.0, 2.0, 6.0]), standard(&[3.0, 5.0, 13.0]));
        let mean = a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>() / 3.0;
        assert!((mean - 1.0).abs() < 1e-12, "{mean}");
        assert_eq!(standard(&[2.0, 2.0]), [0.0, 0.0]);
    }
}
