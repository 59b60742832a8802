//! Eq. 1, 5 and 9 with plain descent.

use super::toy::{Shapes, Toy, batch, config, stream, twin};
use super::twin::{clipped, descend, error, gradient, length};
use crate::dataset::Pair;
use crate::loss::Draw;
use crate::paper::photo_pretraining::{Config, Neighbourhood, Query, Update};
use crate::train::{OptimiserConfig, Step};

/// Some hinges of both losses are active at these margins and some are not.
const MARGINS: [f64; 2] = [0.3, 0.01];
const TASK: OptimiserConfig =
    OptimiserConfig { rule: crate::train::Rule::Sgd { momentum: 0.0 }, rate: 0.2, weight_decay: 0.0 };
const META: OptimiserConfig = OptimiserConfig { rate: 0.5, ..TASK };

/// Compares a step of the code under test with that of the twin.
fn check(config: &Config, factor: f64, expected: &[f64]) {
    let (start, found) = (Toy::new().theta(), Toy::after(config, &batch(), factor));
    let error = error(&found, expected, &start);
    assert!(error < 1e-6, "{:?}: {error}", config.update);
}

#[test]
fn the_step_reports_the_twins_loss() {
    for update in [Update::Base { task: TASK }, Update::MetaFirst { task: TASK, meta: META }] {
        let (toy, config) = (Toy::new(), config(update, MARGINS));
        let expected = twin(&config, &batch()).task(&toy.theta());
        let found = toy.step(&config, &Shapes, true).unwrap().step(&batch(), &mut stream(), 1.0).unwrap();
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
}

#[test]
fn base_descends_the_triplet_loss() {
    let config = config(Update::Base { task: TASK }, MARGINS);
    let (twin, start) = (twin(&config, &batch()), Toy::new().theta());
    let slope = gradient(|theta| twin.task(theta), &start);
    check(&config, 1.0, &descend(&start, &slope, 0.2));
    check(&config, 0.25, &descend(&start, &slope, 0.05));
}

#[test]
fn multi_task_descends_the_weighted_sum() {
    for (alpha, beta) in [(1.0, 1.0), (0.5, 3.0), (0.0, 1.0), (1.0, 0.0)] {
        let config = config(Update::MultiTask { task: TASK, alpha, beta }, MARGINS);
        let (twin, start) = (twin(&config, &batch()), Toy::new().theta());
        let slope = gradient(|theta| alpha * twin.task(theta) + beta * twin.topology(theta), &start);
        check(&config, 1.0, &descend(&start, &slope, 0.2));
    }
}

/// Eq. 3 of the step against Eq. 3 of the twin, and the nearest neighbour as one of the two that are compared.
#[test]
fn multi_task_takes_photo_queries_and_nearest_draws() {
    let plain = config(Update::MultiTask { task: TASK, alpha: 1.0, beta: 3.0 }, MARGINS);
    let descended = |config: &Config| {
        let (twin, start) = (twin(config, &batch()), Toy::new().theta());
        let slope = gradient(|theta| twin.task(theta) + 3.0 * twin.topology(theta), &start);
        descend(&start, &slope, 0.2)
    };
    let others = [
        Neighbourhood { query: Query::Photo, ..plain.neighbourhood.clone() },
        Neighbourhood { draw: Draw::Nearest, ..plain.neighbourhood.clone() },
    ];
    for neighbourhood in others {
        let config = Config { neighbourhood, ..plain.clone() };
        let expected = descended(&config);
        check(&config, 1.0, &expected);
        assert!(error(&descended(&plain), &expected, &Toy::new().theta()) > 1e-3, "another step");
    }
}

#[test]
fn meta_first_descends_the_topology_where_the_task_has_led() {
    let config = config(Update::MetaFirst { task: TASK, meta: META }, MARGINS);
    let (twin, start) = (twin(&config, &batch()), Toy::new().theta());
    for factor in [1.0, 0.5] {
        let temporary = descend(&start, &gradient(|theta| twin.task(theta), &start), 0.2 * factor);
        let slope = gradient(|theta| twin.topology(theta), &temporary);
        check(&config, factor, &descend(&temporary, &slope, 0.5 * factor));
        // The gradient at the old parameters, which is a sum of both losses, would be another step.
        let parallel = descend(&temporary, &gradient(|theta| twin.topology(theta), &start), 0.5 * factor);
        assert!(error(&parallel, &Toy::after(&config, &batch(), factor), &start) > 1e-3);
    }
}

#[test]
fn each_losss_gradient_is_clipped_by_itself() {
    let limit = 0.05;
    let plain = config(Update::MetaFirst { task: TASK, meta: META }, MARGINS);
    let (twin, start) = (twin(&plain, &batch()), Toy::new().theta());
    let to_task = gradient(|theta| twin.task(theta), &start);
    let temporary = descend(&start, &clipped(&to_task, limit), 0.2);
    let to_topology = gradient(|theta| twin.topology(theta), &temporary);
    assert!(length(&to_task) > limit && length(&to_topology) > limit);
    let expected = descend(&temporary, &clipped(&to_topology, limit), 0.5);
    check(&Config { clip: Some(limit), ..plain }, 1.0, &expected);
}

#[test]
fn zero_shot_changes_nothing() {
    assert_eq!(Toy::after(&config(Update::ZeroShot, MARGINS), &batch(), 1.0), Toy::new().theta());
}

#[test]
fn updates_without_topology_need_no_neighbours() {
    let meta = Update::MetaFirst { task: TASK, meta: META };
    for update in [meta, Update::MultiTask { task: TASK, alpha: 1.0, beta: 0.0 }] {
        let error = Toy::new().step(&config(update, MARGINS), &Shapes, false).err().unwrap().to_string();
        assert!(error.contains("the topology of the training photos"), "{error}");
    }
    let base = config(Update::Base { task: TASK }, MARGINS);
    let toy = Toy::new();
    toy.step(&base, &Shapes, false).unwrap().step(&batch(), &mut stream(), 1.0).unwrap();
    assert_ne!(toy.theta(), Toy::new().theta());
    let toy = Toy::new();
    let mut step = toy.step(&config(meta, MARGINS), &Shapes, true).unwrap();
    let unknown = [batch(), vec![Pair { sketch: 5, photo: 15, group: 0 }]].concat();
    let error = step.step(&unknown, &mut stream(), 1.0).unwrap_err().to_string();
    assert!(error.contains("photos of the topology") && toy.theta() == Toy::new().theta(), "{error}");
}

#[test]
fn both_optimisers_are_saved_and_restored() {
    let adam = |rate| OptimiserConfig::adam(rate);
    let config = config(Update::MetaFirst { task: adam(0.01), meta: adam(0.02) }, MARGINS);
    let unbroken = Toy::new();
    let mut step = unbroken.step(&config, &Shapes, true).unwrap();
    for _ in 0..3 {
        step.step(&batch(), &mut stream(), 1.0).unwrap();
    }

    let broken = Toy::new();
    let mut first = broken.step(&config, &Shapes, true).unwrap();
    first.step(&batch(), &mut stream(), 1.0).unwrap();
    let mut second = broken.step(&config, &Shapes, true).unwrap();
    second.restore(first.state().unwrap()).unwrap();
    for _ in 0..2 {
        second.step(&batch(), &mut stream(), 1.0).unwrap();
    }
    assert_eq!(broken.theta(), unbroken.theta());
    assert!(second.restore(Default::default()).is_err());
}
