//! The cost of a training step: time and memory.

use super::frame::lines_frame;
use super::subject::Subject;
use crate::dataset::{Pair, batches};
use crate::memory::peak;
use crate::train::Step;
use crate::{Error, Result};
use std::time::Instant;

/// Steps of every run that are timed: many, so that a busy moment of the machine has little weight.
const TIMED: usize = 20;

/// Steps whose memory is measured: batches have one size, so steps are nearly equal.
const COUNTED: usize = 5;

/// Warm-up steps before the first measured one, which allocate moments of Adam and working memory.
const WARM: usize = 2;

/// A run at its start, to be advanced step by step.
pub struct Stepper<'a> {
    /// Its update.
    pub step: Box<dyn Step + 'a>,
    /// Its training data.
    pub pairs: &'a [Pair],
    /// Pairs to a step.
    pub batch: usize,
}

impl Stepper<'_> {
    /// Takes one step, on the first batch of an epoch of its own. `measure` gets only the step itself.
    fn round<C, T>(
        &mut self,
        subject: &Subject<C>,
        round: usize,
        measure: impl FnOnce(&mut dyn FnMut() -> Result<f64>) -> Result<T>,
    ) -> Result<T> {
        if subject.order.watch.is_stopped() {
            return Err(Error::Stopped { resume: "steps are measured from the beginning".into() });
        }
        let seed = subject.run.seed;
        let batch = batches(self.pairs, self.batch, &mut seed.child("shuffle", round as u64)).into_iter().next();
        let batch = batch.ok_or_else(|| Error::value("training pairs", "one batch or more", "none"))?;
        let mut stream = seed.child("time", round as u64);
        measure(&mut || self.step.step(&batch, &mut stream, 1.0))
    }
}

/// Lets runs take one step each, again and again, in alternating order, and writes the seconds of every step to `time.csv`
/// (round,seconds): a machine changes its speed, so only times of the same moment can be compared.
///
/// # Errors
/// A failing step; a watch that stops.
pub fn time<C>(subjects: &[Subject<C>], steppers: &mut [Stepper]) -> Result<()> {
    subjects.iter().try_for_each(|subject| subject.folder.remove("time"))?;
    let mut seconds = vec![Vec::new(); subjects.len()];
    for round in 0..WARM + TIMED {
        for place in in_turn(subjects.len(), round) {
            let taken = steppers[place].round(&subjects[place], round, |step| {
                let started = Instant::now();
                step()?;
                Ok(started.elapsed().as_secs_f64())
            })?;
            if round >= WARM {
                seconds[place].push(vec![(round - WARM) as f64, taken]);
            }
        }
    }
    for (subject, lines) in subjects.iter().zip(seconds) {
        subject.write("time", lines_frame(&["round", "seconds"], &lines)?)?;
    }
    Ok(())
}

/// All places, forwards in even rounds and backwards in odd ones.
fn in_turn(count: usize, round: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    if round % 2 == 1 {
        places.reverse();
    }
    places
}

/// Writes to `memory.csv` (round,bytes) the most bytes that each of some steps holds beyond what is there between steps:
/// activations, gradients and copies that an update keeps. Not on a GPU, whose memory is not counted.
///
/// # Errors
/// A failing step; a watch that stops; a program whose allocator does not count.
pub fn memory<C>(subject: &Subject<C>, stepper: &mut Stepper) -> Result<()> {
    if !subject.order.device.is_cpu() {
        subject.order.watch.note("memory of a GPU is not counted: left out");
        return Ok(());
    }
    let mut lines = Vec::new();
    for round in 0..WARM + COUNTED {
        let bytes = stepper.round(subject, round, |step| {
            let (taken, bytes) = peak(&mut *step)?;
            taken?;
            Ok(bytes)
        })?;
        if round >= WARM {
            lines.push(vec![(round - WARM) as f64, bytes as f64]);
        }
    }
    subject.write("memory", lines_frame(&["round", "bytes"], &lines)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_alternate_by_round() {
        assert_eq!((in_turn(3, 0), in_turn(3, 1), in_turn(0, 1)), (vec![0, 1, 2], vec![2, 1, 0], vec![]));
    }
}
