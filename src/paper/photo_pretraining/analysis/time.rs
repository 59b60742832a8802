//! What a training step of each update takes.

use super::{Subject, lines_frame};
use crate::dataset::{Split, batches};
use crate::paper::photo_pretraining::protocol::Again;
use crate::train::Step;
use crate::{Error, Result};
use std::time::Instant;

/// The rows of Table 1.
pub(super) const ROWS: [&str; 4] = ["ours-base", "multi-task", "meta-full", "ours"];

/// Steps of every row that are timed, after as many as are not: a machine that is busy for a moment then weighs little.
const ROUNDS: usize = 20;
const WARM: usize = 2;

/// Lets the runs take one step each, again and again, in alternating order, and keeps the seconds of every step: on a
/// machine whose speed changes only times of one moment can be compared.
pub(super) fn measure(subjects: &[Subject]) -> Result<()> {
    if subjects.iter().all(|subject| subject.is_done(&["time"])) {
        return Ok(());
    }
    let trainings = subjects.iter().map(|subject| Again::new(&subject.run, subject.order));
    let trainings = trainings.collect::<Result<Vec<_>>>()?;
    let pixels: Vec<_> = trainings.iter().map(Again::pixels).collect();
    let steps = trainings.iter().zip(&pixels).map(|(training, pixels)| training.step(pixels));
    let mut steps = steps.collect::<Result<Vec<_>>>()?;
    let mut seconds = vec![Vec::new(); subjects.len()];
    for round in 0..WARM + ROUNDS {
        let mut order: Vec<usize> = (0..subjects.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for place in order {
            let (run, bench) = (&subjects[place].run, &trainings[place].bench);
            let mut shuffle = run.seed.child("shuffle", round as u64);
            let batch = batches(&bench.pairs(Split::Train), run.config.fit.batch, &mut shuffle).into_iter().next();
            let batch = batch.ok_or_else(|| Error::value("training pairs", "one or more", "none"))?;
            let started = Instant::now();
            steps[place].step(&batch, &mut run.seed.child("time", round as u64), 1.0)?;
            if round >= WARM {
                seconds[place].push(vec![(round - WARM) as f64, started.elapsed().as_secs_f64()]);
            }
        }
        subjects.first().inspect(|first| first.order.watch.advance("steps", round + 1, WARM + ROUNDS));
    }
    for (subject, lines) in subjects.iter().zip(seconds) {
        subject.folder.write("time", lines_frame(&["round", "seconds"], &lines)?)?;
    }
    Ok(())
}
