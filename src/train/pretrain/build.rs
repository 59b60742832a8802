//! A method from its configuration.

use super::config::PretrainConfig;
use super::method::Method;
use super::task::Task;
use super::trunk::Trunk;
use super::{barlow, classifier, clip, jigsaw, obow};
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
) -> Result<Box<dyn Task>> {
    let classes = || Photos::classes().iter().map(|(_, count)| *count).collect();
    let trunk = Trunk::new(config.architecture, seed, device)?;
    if let Some(start) = start {
        weights::load(start, &trunk.parameters, &Allowance::default())?;
    }
    Ok(match config.method {
        Method::Attributes => Box::new(classifier::Classifier::new(trunk, classes())?),
        Method::Jigsaw { orders, tile } => Box::new(jigsaw::Jigsaw::new(trunk, orders, tile, seed)?),
        Method::BarlowTwins { width, weight } => Box::new(barlow::BarlowTwins::new(trunk, width, weight)?),
        Method::Clip { width, keep, temperature } => {
            Box::new(clip::Clip::new(trunk, classes(), width, keep, temperature)?)
        }
        Method::Obow { .. } => Box::new(obow::Obow::new(trunk, config.method, seed)?),
    })
}
