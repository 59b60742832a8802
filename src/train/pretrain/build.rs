//! A method from its configuration.

use super::config::PretrainConfig;
use super::method::PretrainMethod;
use super::task::PretrainTask;
use super::trunk::Trunk;
use super::{barlow, classifier, clip, edges, jigsaw, obow};
use crate::Result;
use crate::dataset::synthetic::Photos;
use crate::model::{Allowance, weights};
use crate::seed::Seed;
use candle_core::Device;
use std::path::Path;

/// The method of a configuration, at its start: seeded initial values, or weights in a file.
pub(super) fn build(
    config: &PretrainConfig,
    seed: Seed,
    start: Option<&Path>,
    device: &Device,
) -> Result<Box<dyn PretrainTask>> {
    let classes = || Photos::classes().iter().map(|(_, count)| *count).collect();
    let trunk = Trunk::new(config.architecture, seed, device)?;
    if let Some(start) = start {
        weights::load(start, &trunk.parameters, &Allowance::default())?;
    }
    Ok(match config.method {
        PretrainMethod::Attributes => Box::new(classifier::Classifier::new(trunk, classes())?),
        PretrainMethod::Jigsaw { orders, tile } => Box::new(jigsaw::Jigsaw::new(trunk, orders, tile, seed)?),
        PretrainMethod::BarlowTwins { width, weight } => Box::new(barlow::BarlowTwins::new(trunk, width, weight)?),
        PretrainMethod::Clip { width, keep, temperature } => {
            Box::new(clip::Clip::new(trunk, classes(), width, keep, temperature)?)
        }
        PretrainMethod::Edges { temperature, .. } => Box::new(edges::Edges::new(trunk, temperature)),
        PretrainMethod::Obow { .. } => Box::new(obow::Obow::new(trunk, config.method, seed)?),
    })
}
