//! Ranks after more or fewer steps at test than in training.

use super::super::Config;
use crate::Result;
use crate::experiment::Subject;
use crate::experiment::analyse::ranks_frame;
use crate::experiment::ranker::evaluate;

/// Most steps.
const MOST: u32 = 5;

/// Writes `steps.csv`.
///
/// # Errors
/// A checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (mut model, queries) = super::open(subject)?;
    let mut config = subject.run.config.clone();
    let mut all = Vec::new();
    for steps in 0..=MOST {
        config.inner.step.steps = steps as usize;
        model.network.set_config(&config);
        all.push((steps, evaluate(&model, &queries)?));
    }
    subject.write("steps", ranks_frame("step", &all)?)
}
