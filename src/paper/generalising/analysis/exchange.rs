//! How much the word matters: retrieval where every query has the word of another sketch.

use super::super::{AdaptedModel, Config, Generalising};
use crate::dataset::Split;
use crate::experiment::analyse::{SEED, lines_frame};
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Method, Origin, Queries, Subject};
use crate::{Error, Result};
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Writes `exchange.csv`: the rank of every query's photo with its own word and with that of another sketch.
///
/// # Errors
/// A row that describes no sketches; a checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (run, order) = (&subject.run, subject.order);
    let bench = Bench::open(&run.dataset, order.places)?;
    let origin = subject.checkpoint(&Generalising)?;
    let network = Generalising.load(run, Origin::Checkpoint(&origin, order.places), order.device)?;
    if network.descriptor.is_none() {
        return Err(Error::value("exchange", "a row that describes sketches", &run.row));
    }
    let model = AdaptedModel::open(&run.config, network, &bench, &[Split::Test], order)?;
    let queries = Queries::of(bench.index(), Split::Test);
    let own = evaluate(&model, &queries)?;
    let model = model.exchanged(partners(&queries.sketches));
    let foreign = evaluate(&model, &queries)?;
    let lines: Vec<Vec<f64>> = own
        .iter()
        .zip(&foreign)
        .map(|(own, foreign)| [own.query, own.photo, own.rank, foreign.rank].map(f64::from).to_vec())
        .collect();
    subject.write("exchange", lines_frame(&["query", "photo", "own", "foreign"], &lines)?)
}

/// Another sketch for each, every one given away once: the next in an order drawn by the seed.
fn partners(sketches: &[usize]) -> BTreeMap<usize, usize> {
    let mut order = sketches.to_vec();
    order.shuffle(&mut SEED.stream("exchange"));
    let next = order.iter().cycle().skip(1);
    order.iter().copied().zip(next.copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_sketch_gets_another_one_and_each_is_given_once() {
        let sketches = [3, 5, 8, 9];
        let found = partners(&sketches);
        assert!(found.iter().all(|(own, other)| own != other));
        assert_eq!(found.values().collect::<BTreeSet<_>>(), sketches.iter().collect());
    }
}
