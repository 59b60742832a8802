//! The metrics of every paper, one entry each.

use super::Metric;
use super::early::early;
use crate::report::analysis::sample::{
    alike, column, domains, drops, first_half, flatness, hits, second_half, wandering,
};

/// All of them.
pub static METRICS: [&Metric; 16] = [
    &ACC1,
    &ACC5,
    &ACC10,
    &EARLY_ACC1,
    &DROP,
    &SMOOTHNESS,
    &SMOOTHNESS_HOG,
    &SEPARATION,
    &RISE,
    &AROUND,
    &SPREAD,
    &SPREAD_EARLY,
    &SPREAD_LATE,
    &WANDER,
    &TIME,
    &MEMORY,
];

/// Own photo first.
pub static ACC1: Metric = Metric {
    name: "acc1",
    title: "Acc@1",
    file: None,
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: |run| Ok(hits(run, 1)),
};

/// Own photo among the first five.
pub static ACC5: Metric = Metric {
    name: "acc5",
    title: "Acc@5",
    file: None,
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: |run| Ok(hits(run, 5)),
};

/// Own photo among the first ten.
pub static ACC10: Metric = Metric {
    name: "acc10",
    title: "Acc@10",
    file: None,
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: |run| Ok(hits(run, 10)),
};

/// Own photo first, mean over [`EARLY`](super::EARLY) percentages of the sketch drawn.
pub static EARLY_ACC1: Metric = Metric {
    name: "early",
    title: "Acc@1 over 10-90% drawn",
    file: None,
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: early,
};

/// Own photo first: the loss when sketches are deformed, in percent of it. From here on, lower is better.
pub static DROP: Metric = Metric {
    name: "drop",
    title: "Acc@1 lost to deformation, % of it",
    file: Some("robustness"),
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: drops,
};

/// Mean distance between the photos ranked first, in features of the pre-trained network.
pub static SMOOTHNESS: Metric = Metric {
    name: "smoothness",
    title: "distance within the first ten, % of B",
    file: Some("smoothness"),
    units: "photos",
    is_relative: true,
    differs_by_training: true,
    sample: |run| alike(run, "smoothness"),
};

/// The same in histograms of gradients, which no row was trained with.
pub static SMOOTHNESS_HOG: Metric = Metric {
    name: "smoothness-hog",
    title: "the same by gradients, % of B",
    file: Some("smoothness-hog"),
    units: "photos",
    is_relative: true,
    differs_by_training: true,
    sample: |run| alike(run, "smoothness-hog"),
};

/// How well a line tells features of sketches from those of photos, in percent.
pub static SEPARATION: Metric = Metric {
    name: "separation",
    title: "domains told apart, %",
    file: Some("domain"),
    units: "photos",
    is_relative: false,
    differs_by_training: true,
    sample: domains,
};

/// Mean rise of the loss around the trained weights.
pub static RISE: Metric = Metric {
    name: "rise",
    title: "rise of the loss around, % of B",
    file: Some("landscape"),
    units: "directions",
    is_relative: true,
    differs_by_training: true,
    sample: |run| flatness(run, |rise| rise.mean),
};

/// Mean loss around the trained weights.
pub static AROUND: Metric = Metric {
    name: "around",
    title: "loss around, % of B",
    file: Some("landscape"),
    units: "directions",
    is_relative: true,
    differs_by_training: true,
    sample: |run| flatness(run, |rise| rise.level),
};

/// Nuclear norm of the covariance of gradients.
pub static SPREAD: Metric = Metric {
    name: "spread",
    title: "spread of gradients, % of B",
    file: Some("gradient"),
    units: "epochs",
    is_relative: true,
    differs_by_training: true,
    sample: |run| column(run, "gradient", "nuclear_norm"),
};

/// The same over the first half of the epochs.
pub static SPREAD_EARLY: Metric = Metric {
    name: "spread-early",
    title: "the same in early epochs, % of B",
    file: Some("gradient"),
    units: "epochs",
    is_relative: true,
    differs_by_training: true,
    sample: |run| first_half(run, "gradient", "nuclear_norm"),
};

/// The same over the other half.
pub static SPREAD_LATE: Metric = Metric {
    name: "spread-late",
    title: "the same in late epochs, % of B",
    file: Some("gradient"),
    units: "epochs",
    is_relative: true,
    differs_by_training: true,
    sample: |run| second_half(run, "gradient", "nuclear_norm"),
};

/// Distance of test accuracy from its mean over the last steps, in percent of that mean ([`crate::analysis::stability`]).
pub static WANDER: Metric = Metric {
    name: "wander",
    title: "wandering of Acc@1, % of B",
    file: Some("stability"),
    units: "tens of steps",
    is_relative: true,
    differs_by_training: true,
    sample: wandering,
};

/// Seconds of a training step.
pub static TIME: Metric = Metric {
    name: "time",
    title: "seconds of a step, % of B",
    file: Some("time"),
    units: "rounds of steps",
    is_relative: true,
    differs_by_training: false,
    sample: |run| column(run, "time", "seconds"),
};

/// Bytes that a training step takes beside what is held between steps.
pub static MEMORY: Metric = Metric {
    name: "memory",
    title: "memory of a step, % of B",
    file: Some("memory"),
    units: "rounds of steps",
    is_relative: true,
    differs_by_training: false,
    sample: |run| column(run, "memory", "bytes"),
};
