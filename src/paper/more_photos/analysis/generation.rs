//! Recognition of generated sketches, and how far they are from people's (Table 1).

use super::super::Config;
use super::judge::Judge;
use crate::Result;
use crate::experiment::{Subject, View};
use crate::metric::frechet_distance;
use crate::report::analysis::{Folder, Samples};
use crate::report::record::Run;
use crate::report::score::Metric;
use polars::prelude::{Column, DataFrame};

/// The right class first.
pub static RECOGNISED1: Metric = recognised("recognised1", "recognition Acc@1", |run| recognised_among(run, 1.0));

/// The right class among the first ten.
pub static RECOGNISED10: Metric = recognised("recognised10", "recognition Acc@10", |run| recognised_among(run, 10.0));

/// Fréchet distance of generated sketches to people's, in the classifier's features. Lower is better.
pub static FRECHET: Metric = Metric {
    name: "frechet",
    title: "Fréchet distance",
    file: Some("frechet"),
    units: "sets",
    is_relative: true,
    differs_by_training: true,
    sample: |run| Ok(Samples::apart(Folder::of(&run.folder).column("frechet", "distance")?)),
};

const fn recognised(name: &'static str, title: &'static str, sample: fn(&Run) -> Result<Samples>) -> Metric {
    Metric {
        name,
        title,
        file: Some("recognition"),
        units: "photos",
        is_relative: false,
        differs_by_training: true,
        sample,
    }
}

fn recognised_among(run: &Run, k: f64) -> Result<Samples> {
    let lines = Folder::of(&run.folder).lines("recognition", ["photo", "rank"])?;
    let values = lines.iter().map(|[_, rank]| if *rank <= k { 100.0 } else { 0.0 }).collect();
    Ok(Samples { values, groups: lines.iter().map(|[photo, _]| *photo as u32).collect() })
}

/// Writes `recognition.csv` and `frechet.csv`.
///
/// # Errors
/// A checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (model, bench, queries) = super::open(subject)?;
    let judge = Judge::learn(subject)?;
    let drawn = model.drawn(&queries.sketches, View::Whole)?;
    let index = bench.index();
    let photos: Vec<u32> = queries.sketches.iter().map(|sketch| index.sketches[*sketch].photo as u32).collect();
    let class = &index.photos[photos[0] as usize].category;
    let ranks = judge.ranks(&drawn, class)?;
    let column = |name: &str, values: Vec<u32>| Column::new(name.into(), values);
    let places = queries.sketches.iter().map(|sketch| *sketch as u32).collect();
    let columns = vec![column("query", places), column("photo", photos), column("rank", ranks)];
    subject.write("recognition", DataFrame::new(queries.sketches.len(), columns)?)?;
    let (made, d) = judge.features(&drawn)?;
    let (people, _) = judge.features(&model.people(&queries.sketches)?)?;
    let (counts, distance) = ([made.len() / d, people.len() / d], frechet_distance(&made, &people, d)?);
    let number = |name: &str, value: usize| Column::new(name.into(), vec![value as u32]);
    let columns = vec![
        Column::new("distance".into(), vec![distance]),
        number("generated", counts[0]),
        number("people", counts[1]),
    ];
    subject.write("frechet", DataFrame::new(1, columns)?)
}
