//! The margin of each task, and the best one by search.

use super::super::inner::{adapt, constant};
use super::super::model::AdaptiveModel;
use super::super::task::places;
use super::super::{Comparison, Config};
use crate::dataset::Episode;
use crate::experiment::Subject;
use crate::metric::{self, Tie, acc_at};
use crate::model::Mode;
use crate::{Error, Result};
use polars::prelude::{Column, DataFrame};

/// Margins that are tried: 0.05 to 0.95.
fn tried() -> impl Iterator<Item = f64> {
    (1..20).map(|step| f64::from(step) * 0.05)
}

/// Writes `margins.csv`. The search looks at the queries themselves: it says what a margin could be worth, and is no result.
///
/// # Errors
/// A checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (model, _) = super::open(subject)?;
    let lines = model.tasks().iter().map(|task| line(&model, task)).collect::<Result<Vec<_>>>()?;
    let column =
        |name: &str, at: usize| Column::new(name.into(), lines.iter().map(|line| line[at]).collect::<Vec<f64>>());
    let names: Vec<&str> = model.tasks().iter().map(|task| task.category.as_str()).collect();
    let columns = vec![
        Column::new("task".into(), names),
        column("margin", 0),
        column("acc1", 1),
        column("best", 2),
        column("searched", 3),
    ];
    subject.write("margins", DataFrame::new(lines.len(), columns)?)
}

/// The network's margin and its Acc@1, the best margin and that one's. Of equal ones the nearest to the network's.
fn line(model: &AdaptiveModel, task: &Episode) -> Result<[f64; 4]> {
    let support = model.supported(&model.support(task, model.network.draw)?)?;
    let own = f64::from(model.network.margin(&support, Mode::Eval)?.to_scalar::<f32>()?);
    let score = |margin: f64| score(model, task, &support, margin);
    let mut found = tried().map(|margin| Ok((score(margin)?, margin))).collect::<Result<Vec<(f64, f64)>>>()?;
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1 - own).abs().total_cmp(&(b.1 - own).abs())));
    let (searched, best) = *found.first().ok_or_else(|| Error::value("margins to try", "1 or more", 0))?;
    Ok([own, score(own)?, best, searched])
}

fn score(model: &AdaptiveModel, task: &Episode, support: &Comparison, margin: f64) -> Result<f64> {
    let network = &model.network;
    let step = network.config().inner.step;
    let head = adapt(&network.trunk().head(Mode::Eval), support, &constant(margin, &support.photos)?, &step)?;
    let points = |features| head.embed(&features)?.flatten_all()?.to_vec1::<f32>().map_err(Error::from);
    let queries = points(model.sketches(&task.queries, crate::experiment::View::Whole)?)?;
    let photos = points(model.photos(&task.gallery)?)?;
    let own: Vec<usize> =
        places(model.index(), &task.queries, &task.gallery)?.into_iter().map(|at| at as usize).collect();
    let far = metric::distances(&queries, &photos, photos.len() / task.gallery.len())?;
    acc_at(&metric::ranks(&far, task.gallery.len(), &own, Tie::Pessimistic)?, 1)
}
