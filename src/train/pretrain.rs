//! Pre-training on synthetic photos: for the embedded corpora, what ImageNet is to the real ones.
//!
//! ```text
//! results/pretraining/<name>/{config.json, log.jsonl, summary.json}      the record
//! results/pretraining/<name>/state.safetensors                           of a stopped one, which goes on from there
//! results/checkpoints/pretrained/<name>.safetensors                      the backbone, in half precision
//! ```
//!
//! Every [`PretrainMethod`] sees the same photos equally often; labels are seen by `attributes` and, as words, by
//! `clip`. The others can also learn from a folder of photos without labels, which is how the real sets' network
//! continues from ImageNet.

mod barlow;
mod build;
mod classifier;
mod clip;
mod colour;
mod config;
mod edges;
mod head;
mod jigsaw;
mod method;
mod obow;
mod photo;
mod run;
mod score;
mod task;
mod training;
mod trunk;

pub use colour::ColourConfig;
pub use config::{PretrainConfig, SLUG};
pub use edges::map as edge_map;
pub use method::PretrainMethod;
pub use run::run;
pub use score::{AttributeScore, PretrainReport};

#[cfg(test)]
mod tests;
