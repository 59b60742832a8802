//! One folder a paper: what puts the stages together, and nothing that another paper needs.

pub mod floor;
pub mod photo_pretraining;
