//! Eq. 8: the product of the Hessian and the topology's gradient, its sign, and the parameters after it.

use super::toy::{Toy, batch, config, twin};
use super::twin::{clipped, descend, error, gradient, hessian_product, length};
use crate::paper::photo_pretraining::{Config, Curvature, Update};
use crate::train::OptimiserConfig;

const TASK_RATE: f64 = 0.2;
const META_RATE: f64 = 0.5;

/// Distances of unit vectors are at most 2: at these margins no hinge ever closes, and the losses are smooth.
const MARGINS: [f64; 2] = [2.5, 2.5];

fn full(curvature: Curvature) -> Config {
    let (task, meta) = (OptimiserConfig::sgd(TASK_RATE, 0.0), OptimiserConfig::sgd(META_RATE, 0.0));
    config(Update::MetaFull { task, meta, epsilon: 1e-3, curvature }, MARGINS)
}

fn first(config: &Config) -> Config {
    let Update::MetaFull { task, meta, .. } = config.update else { panic!("a full update") };
    Config { update: Update::MetaFirst { task, meta }, ..config.clone() }
}

/// `H v`: H of the task at the old parameters, v of the topology at the temporary ones, by the twin.
fn product(config: &Config, factor: f64) -> Vec<f64> {
    let (twin, start) = (twin(config, &batch()), Toy::new().theta());
    let limit = config.clip.unwrap_or(f64::INFINITY);
    let to_task = clipped(&gradient(|theta| twin.task(theta), &start), limit);
    let temporary = descend(&start, &to_task, factor * TASK_RATE);
    let to_topology = clipped(&gradient(|theta| twin.topology(theta), &temporary), limit);
    hessian_product(|theta| twin.task(theta), &start, &to_topology)
}

/// What the second-order term alone moved, against `sign eta_s eta_t H v`.
fn check(config: &Config, sign: f64, factor: f64) {
    let whole = Toy::after(config, &batch(), factor);
    let without = Toy::after(&first(config), &batch(), factor);
    let found: Vec<f64> = whole.iter().zip(&without).map(|(a, b)| a - b).collect();
    let scale = sign * factor * factor * TASK_RATE * META_RATE;
    let expected: Vec<f64> = product(config, factor).iter().map(|h| scale * h).collect();
    let error = error(&found, &expected, &vec![0.0; expected.len()]);
    assert!(length(&expected) > 1e-4 && error < 1e-3, "{:?}: {error} of {}", config.update, length(&expected));
}

#[test]
fn the_term_as_printed_is_subtracted() {
    check(&full(Curvature::Printed), -1.0, 1.0);
    check(&full(Curvature::Printed), -1.0, 0.5);
}

#[test]
fn the_term_of_the_chain_rule_is_added() {
    check(&full(Curvature::ChainRule), 1.0, 1.0);
    // It is the gradient of the loss after a step, with respect to the parameters before the step.
    let config = full(Curvature::ChainRule);
    let (twin, start) = (twin(&config, &batch()), Toy::new().theta());
    let lead = |theta: &[f64]| descend(theta, &gradient(|theta| twin.task(theta), theta), TASK_RATE);
    let whole = gradient(|theta| twin.topology(&lead(theta)), &start);
    let expected = descend(&lead(&start), &whole, META_RATE);
    let error = error(&Toy::after(&config, &batch(), 1.0), &expected, &start);
    assert!(error < 1e-4, "{error}");
}

#[test]
fn clipping_bounds_the_gradients_and_not_their_difference() {
    let config = Config { clip: Some(0.05), ..full(Curvature::Printed) };
    check(&config, -1.0, 1.0);
}

#[test]
fn epsilon_is_how_far_the_difference_reaches() {
    let found = |epsilon: f64| {
        let mut config = full(Curvature::Printed);
        let Update::MetaFull { epsilon: place, .. } = &mut config.update else { panic!("a full update") };
        *place = epsilon;
        Toy::after(&config, &batch(), 1.0)
    };
    let start = Toy::new().theta();
    let (near, small, large) = (found(1e-4), found(1e-3), found(0.3));
    let (little, much) = (error(&near, &small, &start), error(&near, &large, &start));
    assert!(little < 1e-5 && much > 100.0 * little, "{little} {much}");
}
