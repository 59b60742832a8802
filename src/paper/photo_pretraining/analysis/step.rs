//! What a training step of each update takes: time and memory.

use super::{Subject, lines_frame};
use crate::dataset::{Split, batches};
use crate::memory::peak;
use crate::paper::photo_pretraining::{PaperStep, again::Again, bench::Bench};
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
            let started = Instant::now();
            take(&subjects[place], &trainings[place].bench, &mut steps[place], round)?;
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
        let (taken, bytes) = peak(|| take(subject, &training.bench, &mut step, round))?;
        taken?;
        if round >= WARM {
            lines.push(vec![(round - WARM) as f64, bytes as f64]);
        }
    }
    subject.write("memory", lines_frame(&["round", "bytes"], &lines)?)
}

/// A step on the first batch of an epoch of its own.
fn take(subject: &Subject, bench: &Bench, step: &mut PaperStep, round: usize) -> Result<()> {
    let Subject { run, order, .. } = subject;
    if order.watch.is_stopped() {
        return Err(Error::Stopped { resume: "steps are measured from the beginning".into() });
    }
    let mut shuffle = run.seed.child("shuffle", round as u64);
    let batch = batches(&bench.pairs(Split::Train), run.config.fit.batch, &mut shuffle).into_iter().next();
    let batch = batch.ok_or_else(|| Error::value("training pairs", "one batch or more", "none"))?;
    step.step(&batch, &mut run.seed.child("time", round as u64), 1.0)?;
    Ok(())
}
