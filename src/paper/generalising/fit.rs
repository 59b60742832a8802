//! The two trainings of the paper: the network that describes sketches, then retrieval with weights made from the query.

use super::adapt::AdaptedNetwork;
use super::config::Config;
use super::model::AdaptedModel;
use super::retrieve::retrieve;
use super::study::{categories, describe};
use crate::Result;
use crate::dataset::Split;
use crate::experiment::{Fitted, Trial};
use crate::train::Log;

/// Trains, or goes on where the trial's folder holds a state.
///
/// # Errors
/// A corpus of one category; a setting that cannot be trained with; a watch that stops.
pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<AdaptedModel>> {
    let Trial { run, bench, order, .. } = *trial;
    let config = &run.config;
    let adapted = AdaptedNetwork::new(config, categories(bench).len(), run.seed, order.device)?;
    config.needs().find(order.places)?.iter().try_for_each(|start| adapted.network.load_backbone(start))?;
    if let Some(descriptor) = &adapted.descriptor {
        describe(trial, descriptor)?;
        descriptor.parameters().round(|_| true)?; // as it will be shipped
    }
    let mut model = AdaptedModel::open(config, adapted, bench, &Split::ALL, order)?;
    if config.network().frozen {
        model.adapted.network.parameters().round(|_| true)?; // as it will be shipped
        let (start, prepare) = (config.needs().hash(order.places)?, serde_json::to_string(&config.prepare)?);
        model.keep_features(&format!("{} {start:?} f16 {prepare}", run.dataset), bench, order)?;
    }
    let outcome = retrieve(trial, &model, log)?;
    model.adapted.round()?;
    Ok(Fitted { model, outcome: Some(outcome), select_on: config.fit.select_on.to_string() })
}
