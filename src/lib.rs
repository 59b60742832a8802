//! Fine-grained sketch-based image retrieval: find the one photo that a free-hand sketch shows.
//!
//! Data flows through the stages in this order, and no stage knows that papers exist:
//!
//! | stage | what it does |
//! |---|---|
//! | [`dataset`] | photos, sketches and their pairing, from disk or from a generator |
//! | [`sketch`] | strokes: simplify, rasterise, cut short, deform |
//! | [`kernel`] | fast device code under [`model`] |
//! | [`model`] | networks, initialisers, strict weight loading |
//! | [`loss`] | one file a loss, formula and shapes in its docs |
//! | [`train`] | optimiser, schedule, selection, checkpoint, log |
//! | [`metric`] | ranks and what is computed from them |
//! | [`analysis`] | explanations of a result: loss landscape, spread of gradients, separation, error attribution |
//! | [`report`] | tables, claims and figures, from `results/` alone |
//! | `hub` (with the feature of that name) | checkpoints on the Hugging Face Hub: fetched and checked, released |
//! | [`experiment`] | what runs any paper: rows, runs, records, plans, analyses |
//! | [`paper`] | one folder a paper, which puts the stages together |
//! | [`notebook`] | what the cells of a notebook call |
//!
//! Beside them: [`run`] (a run's configuration, folder and record), [`mod@file`], [`watch`], [`seed`], [`device`], [`memory`],
//! [`error`].

pub mod analysis;
pub mod dataset;
pub mod device;
pub mod error;
pub mod experiment;
pub mod file;
#[cfg(feature = "hub")]
pub mod hub;
pub mod kernel;
pub mod loss;
pub mod memory;
pub mod metric;
pub mod model;
pub mod notebook;
pub mod paper;
pub mod report;
pub mod run;
pub mod seed;
pub mod sketch;
pub mod train;
pub mod watch;

pub use error::{Error, Result};
