//! A folder for each paper: it puts the stages together, and holds nothing that another paper needs.

pub mod adaptive;
pub mod generalising;
pub mod more_photos;
pub mod partially;
pub mod photo_pretraining;

use crate::experiment::Reproduction;

/// The papers that are reproduced, by year: the only list of them.
pub const PAPERS: [&dyn Reproduction; 5] = [
    &generalising::Generalising,
    &more_photos::MorePhotos,
    &partially::Partially,
    &adaptive::Adaptive,
    &photo_pretraining::PhotoPretraining,
];
