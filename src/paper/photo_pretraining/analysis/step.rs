//! What a training step of each update takes: time and memory.

use crate::dataset::{Pair, Split, batches};
use crate::experiment::analyse::lines_frame;
use crate::experiment::{Bench, Subject, Trial};
use crate::memory::peak;
use crate::paper::photo_pretraining::{Config, Trained};
use crate::run::RunConfig;
use crate::seed::Stream;
use crate::train::Step;
use crate::{Error, Result};
use std::time::Instant;

/// The rows of Table 1.
pub(super) const ROWS: [&str; 4] = ["ours-base", "multi-task", "meta-full", "ours"];

/// Steps of every row that are timed: a machine that is busy for a moment then weighs little.
const TIMED: usize = 20;

/// Steps whose memory is looked at: batches have one size, so that one is nearly as the other.
const COUNTED: usize = 5;

/// Steps before the first one that is measured, which make what later ones find: moments of Adam, room to work in.
const WARM: usize = 2;

/// A recorded run at its start, away from its record.
pub(super) struct Start<'a> {
    subject: &'a Subject<'a, Config>,
    bench: Bench,
    trained: Trained,
}

impl<'a> Start<'a> {
    fn new(subject: &'a Subject<'a, Config>) -> Result<Self> {
        let Subject { run, order, .. } = subject;
        refuse_frozen(run)?;
        let bench = Bench::open(&run.dataset, run.config.valid_photos, order.places)?;
        let trained = Trained::start(run, &bench, order)?;
        Ok(Self { subject, bench, trained })
    }

    fn trial(&self) -> Trial<'_, Config> {
        let Subject { run, record, order, .. } = self.subject;
        Trial { run, bench: &self.bench, folder: record, order }
    }
}

/// A run on kept features of a frozen network takes other steps than one on pixels.
pub(super) fn refuse_frozen(run: &RunConfig<Config>) -> Result<()> {
    if run.config.frozen.is_some() {
        return Err(Error::value(format!("row {}", run.row), "one that trains its whole network", "a frozen one"));
    }
    Ok(())
}

/// Lets the runs take one step each, again and again, in alternating order, and keeps the seconds of every step: on a
/// machine whose speed changes only times of one moment can be compared. So all are measured again where one is missing.
pub(super) fn time(subjects: &[Subject<Config>]) -> Result<()> {
    subjects.iter().try_for_each(|subject| subject.folder.remove("time"))?;
    let starts = subjects.iter().map(Start::new).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<_> = starts.iter().map(|start| start.trained.input()).collect();
    let steps = starts.iter().zip(&inputs).map(|(start, input)| start.trained.step(&start.trial(), input));
    let mut steps = steps.collect::<Result<Vec<_>>>()?;
    let mut seconds = vec![Vec::new(); subjects.len()];
    for round in 0..WARM + TIMED {
        for place in in_turn(subjects.len(), round) {
            let batch = batch(&starts[place], round)?;
            let started = Instant::now();
            steps[place].step(&batch, &mut chance(&subjects[place], round), 1.0)?;
            if round >= WARM {
                seconds[place].push(vec![(round - WARM) as f64, started.elapsed().as_secs_f64()]);
            }
        }
    }
    for (subject, lines) in subjects.iter().zip(seconds) {
        subject.write("time", lines_frame(&["round", "seconds"], &lines)?)?;
    }
    Ok(())
}

/// All places, forwards and backwards by turns.
fn in_turn(count: usize, round: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    if round % 2 == 1 {
        places.reverse();
    }
    places
}

/// Keeps the most bytes that each of some steps holds beyond what is there between steps: activations, gradients and what
/// an update sets aside.
pub(super) fn memory(subject: &Subject<Config>) -> Result<()> {
    let start = Start::new(subject)?;
    let input = start.trained.input();
    let mut step = start.trained.step(&start.trial(), &input)?;
    let mut lines = Vec::new();
    for round in 0..WARM + COUNTED {
        let batch = batch(&start, round)?;
        let mut chance = chance(subject, round);
        let (taken, bytes) = peak(|| step.step(&batch, &mut chance, 1.0))?;
        taken?;
        if round >= WARM {
            lines.push(vec![(round - WARM) as f64, bytes as f64]);
        }
    }
    subject.write("memory", lines_frame(&["round", "bytes"], &lines)?)
}

/// The first batch of an epoch of its own.
fn batch(start: &Start, round: usize) -> Result<Vec<Pair>> {
    let Subject { run, order, .. } = start.subject;
    if order.watch.is_stopped() {
        return Err(Error::Stopped { resume: "steps are measured from the beginning".into() });
    }
    let mut shuffle = run.seed.child("shuffle", round as u64);
    let batch = batches(&start.bench.pairs(Split::Train), run.config.fit.batch, &mut shuffle).into_iter().next();
    batch.ok_or_else(|| Error::value("training pairs", "one batch or more", "none"))
}

/// What is drawn at random in the step of a round.
fn chance(subject: &Subject<Config>, round: usize) -> Stream {
    subject.run.seed.child("time", round as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn frozen_run_is_refused() {
        let (slug, dataset, row) = ("p".to_string(), "qmul-chair-v2".to_string(), "ours-frozen".to_string());
        let run = RunConfig { slug, dataset, row, seed: Seed(0), config: Config::frozen() };
        let error = refuse_frozen(&run).unwrap_err().to_string();
        assert!(error.starts_with("row ours-frozen: expected one that trains its whole network"), "{error}");
    }
}
