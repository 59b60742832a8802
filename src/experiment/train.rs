//! One run from configuration to record: data, weights, training, a single ranking of the test part.

use super::checkpoint::{kept_at, save, shipped_at};
use super::floor::{self, Floor};
use super::ranker::{early, evaluate, masked};
use super::{Analysis, Bench, Fitted, Method, Model, Order, Paper, Queries, Trial};
use crate::Result;
use crate::dataset::{self, Split};
use crate::file::hash_file;
use crate::report::score::EARLY;
use crate::run::{Rank, RunConfig, RunFolder, Summary};
use crate::seed::Seed;
use crate::train::Log;
use serde::Serialize;
use std::time::Instant;

/// Trains a run on a corpus, a name or a folder, or goes on with it, and writes its record; a finished run is returned as
/// it is.
///
/// # Errors
/// Data or weights that are not there, or others than the run began with; a setting that cannot be; a watch that
/// stops; a folder that holds another configuration, or that another process trains in.
pub fn train<M: Method>(paper: &M, run: &RunConfig<M::Config>, corpus: &str, order: &Order) -> Result<Summary> {
    paper.check(&run.config)?;
    let (folder, needs, started) = (run.folder(&order.places.results), paper.needs(&run.config), Instant::now());
    let bench = Bench::divide(corpus, &needs, run.seed, order.places)?;
    if needs.is_trained {
        bench.index().require(Split::Train)?;
        bench.index().require(Split::Valid)?;
    }
    let _lock = folder.lock()?;
    folder.open(run)?;
    let weights = needs.hash(order.places);
    let log = |weights| Log::open(&folder.0.join("log.jsonl"), &bench.header(run, weights, order)?);
    if folder.is_finished() {
        weights.ok().map(log).transpose()?; // existing weights must be the run's; a finished run needs none
        folder.remove_state()?;
        return folder.summary();
    }
    let trial = Trial { run, bench: &bench, folder: &folder, order };
    let fitted = paper.fit(&trial, &mut log(weights?)?)?;
    finish(paper, &trial, &fitted, started)
}

/// Ranks the test part, once, and writes the record.
fn finish<M: Method>(
    paper: &M,
    trial: &Trial<M::Config>,
    fitted: &Fitted<M::Model>,
    started: Instant,
) -> Result<Summary> {
    let Trial { run, bench, folder, order } = *trial;
    let (model, outcome) = (&fitted.model, fitted.outcome);
    let queries = paper.queries(&run.dataset, &run.row, bench.index(), Split::Test);
    let ranks = evaluate(model, &queries)?;
    if model.is_vector() {
        folder.write_early(&early(model, &queries, &EARLY)?)?;
    }
    if let Some(masking) = paper.masking(&run.dataset, &run.row) {
        folder.write_masked(&masked(model, &queries, masking)?)?;
    }
    let shipped = shipped_at(&run.id(), &order.places.results).filter(|_| outcome.is_some());
    let checkpoint =
        shipped.map(|path| save(model.network(), run, &path).and_then(|()| hash_file(&path))).transpose()?;
    let seconds = outcome.map_or(started.elapsed().as_secs_f64(), |outcome| outcome.seconds);
    let epoch = outcome.map(|outcome| outcome.epoch);
    let summary = record(folder, &queries, &ranks, (epoch, &fitted.select_on), seconds, checkpoint)?;
    if epoch.is_some() && run.seed != Seed(0) && is_analysed(paper, &run.row) {
        save(model.network(), run, &kept_at(run, order)?)?;
    }
    folder.remove_state()?;
    Ok(summary)
}

/// Whether an analysis needs the trained weights of every seed of a row.
fn is_analysed(paper: &dyn Paper, row: &str) -> bool {
    let needed = |analysis: &Analysis| !analysis.first_seed && analysis.rows.iter().any(|own| own == row);
    paper.analyses().iter().any(needed)
}

/// Ranks the test part by a row without learning and writes its record, unless the same ranks are recorded already.
///
/// # Errors
/// A picture that cannot be read; a folder that cannot be written.
pub fn run_floor(paper: &dyn Paper, floor: Floor, corpus: &str, order: &Order) -> Result<Summary> {
    let (started, dataset) = (Instant::now(), dataset::name_of(corpus)?);
    let bench = Bench::open(corpus, order.places)?;
    let (slug, row, config) = (paper.slug().into(), floor.row().to_string(), "no learning".to_string());
    let run = RunConfig { slug, dataset, row, seed: Seed(0), config };
    let folder = run.folder(&order.places.results);
    folder.open(&run)?;
    let queries = paper.queries(&run.dataset, &run.row, bench.index(), Split::Test);
    let ranks = floor::rank(floor, bench.source(), &queries, order.watch)?;
    if folder.is_finished() && folder.ranks()? == ranks {
        return folder.summary();
    }
    Log::create(&folder.0.join("log.jsonl"), &bench.header(&run, None, order)?)?;
    record(&folder, &queries, &ranks, (None, "none"), started.elapsed().as_secs_f64(), None)
}

fn record(
    folder: &RunFolder,
    queries: &Queries,
    ranks: &[Rank],
    (selected_epoch, select_on): (Option<usize>, &str),
    seconds: f64,
    checkpoint: Option<String>,
) -> Result<Summary> {
    folder.write_ranks(ranks)?;
    let scores = queries.scores(ranks)?;
    let summary = Summary {
        acc1: scores.acc1,
        acc5: scores.acc5,
        acc10: scores.acc10,
        queries: ranks.len(),
        gallery: queries.gallery_size(),
        selected_epoch,
        select_on: select_on.to_string(),
        seconds: (seconds * 10.0).round() / 10.0,
        checkpoint,
    };
    folder.write_summary(&summary)?;
    Ok(summary)
}

/// Settings as they stand in a record.
pub(super) fn to_text<C: Serialize>(config: &C) -> Result<String> {
    Ok(serde_json::to_string_pretty(config)?)
}
