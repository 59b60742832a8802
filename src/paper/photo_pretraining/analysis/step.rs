//! What a training step of each update takes: time and memory.

use super::{Subject, lines_frame};
use crate::dataset::{Pair, Split, batches};
use crate::memory::peak;
use crate::paper::photo_pretraining::{again::Again, bench::Bench};
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

/// Lets the runs take one step each, again and again, in alternating order, and keeps the seconds of every step: on a
/// machine whose speed changes only times of one moment can be compared. So all are measured again where one is missing.
pub(super) fn time(subjects: &[Subject]) -> Result<()> {
    if subjects.iter().all(|subject| subject.is_done("time")) {
        return Ok(());
    }
    subjects.iter().try_for_each(|subject| subject.folder.remove("time"))?;
    let trainings = subjects.iter().map(|subject| Again::new(&subject.run, subject.order));
    let trainings = trainings.collect::<Result<Vec<_>>>()?;
    let pixels: Vec<_> = trainings.iter().map(Again::pixels).collect();
    let steps = trainings.iter().zip(&pixels).map(|(training, pixels)| training.step(pixels));
    let mut steps = steps.collect::<Result<Vec<_>>>()?;
    let mut seconds = vec![Vec::new(); subjects.len()];
    for round in 0..WARM + TIMED {
        for place in in_turn(subjects.len(), round) {
            let subject = &subjects[place];
            let batch = batch(subject, &trainings[place].bench, round)?;
            let started = Instant::now();
            steps[place].step(&batch, &mut chance(subject, round), 1.0)?;
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
pub(super) fn memory(subject: &Subject) -> Result<()> {
    let training = Again::new(&subject.run, subject.order)?;
    let pixels = training.pixels();
    let mut step = training.step(&pixels)?;
    let mut lines = Vec::new();
    for round in 0..WARM + COUNTED {
        let batch = batch(subject, &training.bench, round)?;
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
fn batch(subject: &Subject, bench: &Bench, round: usize) -> Result<Vec<Pair>> {
    let Subject { run, order, .. } = subject;
    if order.watch.is_stopped() {
        return Err(Error::Stopped { resume: "steps are measured from the beginning".into() });
    }
    let mut shuffle = run.seed.child("shuffle", round as u64);
    let batch = batches(&bench.pairs(Split::Train), run.config.fit.batch, &mut shuffle).into_iter().next();
    batch.ok_or_else(|| Error::value("training pairs", "one batch or more", "none"))
}

/// What chance decides in the step of a round.
fn chance(subject: &Subject, round: usize) -> Stream {
    subject.run.seed.child("time", round as u64)
}
