//! Trains a recorded run again, to observe it or to get a checkpoint that was not kept.

use super::checkpoint::{check_origin, kept_at, save, shipped_at, shipped_weights};
use super::ranker::evaluate;
use super::{Bench, Fitted, Method, Model, Order, Trial};
use crate::dataset::Split;
use crate::run::{Rank, RunConfig, RunFolder};
use crate::train::Log;
use crate::{Error, Result};
use std::path::PathBuf;

/// A paper's training, possibly observed.
pub type FitAgain<'a, M> = &'a dyn Fn(&Trial<<M as Method>::Config>, &mut Log) -> Result<Fitted<<M as Method>::Model>>;

/// Trains a recorded run again, away from its record, and keeps the checkpoint in the cache.
///
/// Observations of `fit` count only if this run ends in the recorded ranks.
///
/// # Errors
/// Missing data or weights; a training that ends in other ranks than the recorded ones.
pub fn train_again<M: Method>(
    paper: &M,
    run: &RunConfig<M::Config>,
    order: &Order,
    fit: FitAgain<M>,
) -> Result<PathBuf> {
    let place = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let needs = paper.needs(&run.config);
    let bench = Bench::divide(&run.dataset, &needs, run.seed, order.places)?;
    let header = bench.header(run, needs.hash(order.places)?, order)?;
    let mut log = Log::create(&place.path().join("log.jsonl"), &header)?;
    let folder = RunFolder(place.path().to_path_buf());
    let done = fit(&Trial { run, bench: &bench, folder: &folder, order }, &mut log);
    let fitted = done.map_err(|error| match error {
        Error::Stopped { .. } => Error::Stopped { resume: "training again starts from the beginning".into() },
        other => other,
    })?;
    compare(&evaluate(&fitted.model, &paper.queries(&run.dataset, &run.row, bench.index(), Split::Test))?, run, order)?;
    let path = kept_at(run, order)?;
    save(fitted.model.network(), run, &path)?;
    Ok(path)
}

fn compare<C>(ranks: &[Rank], run: &RunConfig<C>, order: &Order) -> Result<()> {
    let record = run.folder(&order.places.results);
    let recorded = record.ranks()?;
    if ranks == recorded {
        return Ok(());
    }
    let different = ranks.iter().zip(&recorded).filter(|(a, b)| a != b).count();
    let expected = "the recorded ranks from training again, which needs the machine and the build of the record \
                    (elsewhere: train runs of your own, `reproduce --train`, and analyse those with --results \
                    local/results; or analyse only the first seed's checkpoint, --seeds 1)";
    let found = format!("{different} of {} ranks that differ", recorded.len());
    Err(Error::data(record.0.join("ranks.csv"), expected, found))
}

/// The checkpoint of a finished run: for a first seed the one in the results, for a later seed, which is not shipped, the
/// one in the cache. A run whose checkpoint is missing is trained again.
///
/// # Errors
/// As [`train_again`]; weights of another run.
pub fn checkpoint<M: Method>(paper: &M, run: &RunConfig<M::Config>, order: &Order) -> Result<PathBuf> {
    if let Some(shipped) = shipped_at(&run.id(), &order.places.results).filter(|path| path.is_file()) {
        return shipped_weights(&run.folder(&order.places.results), shipped);
    }
    let path = kept_at(run, order)?;
    if path.is_file() {
        check_origin(&path, &run.hash()?)?;
        return Ok(path);
    }
    order.watch.note(&format!("{} {}, seed {}: training again", run.dataset, run.row, run.seed.0));
    train_again(paper, run, order, &|trial, log| paper.fit(trial, log))
}
