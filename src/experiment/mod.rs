//! What runs any paper: rows, runs, records, plans, analyses. It knows the trait of a paper, but no paper by name.
//!
//! | part | what it does |
//! |---|---|
//! | [`Paper`], [`Method`] | what a paper says of itself, and how its runs are made |
//! | [`Reproduction`] | what can be asked of any paper, by the names of its runs |
//! | [`mod@row`] | the names of rows: `first+key=value` |
//! | [`Bench`], [`Order`] | a corpus opened and divided; how a run was asked for |
//! | [`Needs`] | what a run needs before it can start |
//! | [`train()`], [`Trial`] | a run from settings to record |
//! | [`SharedTraining`] | a training that several rows share |
//! | [`again`] | a recorded run, trained again |
//! | [`mod@ranker`], [`Queries`] | any distance, any gallery per query |
//! | [`EmbeddingModel`] | the usual model: one network maps sketches and photos to points |
//! | [`Model`], [`Kept`] | a trained network, as it is ranked, kept and published |
//! | [`Retrieval`] | a trained network with a test part, ready for queries |
//! | [`mod@plan`] | all runs of the tables and figures, and their cost |
//! | [`mod@floor`] | rows that need no learning |
//! | [`analyse`] | what is measured beside accuracy |
//! | [`mod@figure`], [`page`] | figures that every paper has; the generated parts of pages |
//! | `release` (feature `hub`) | a trained network as it is published |

pub mod again;
pub mod analyse;
mod bench;
mod checkpoint;
mod embedding;
pub mod figure;
pub mod floor;
mod masking;
mod model;
mod need;
pub mod page;
mod paper;
pub mod plan;
mod query;
pub mod ranker;
mod recipe;
#[cfg(feature = "hub")]
pub mod release;
mod reproduction;
mod retrieval;
pub mod row;
mod shared;
mod train;
mod trial;

/// Imports that most papers need.
pub mod prelude {
    pub use super::ranker::{Gallery, Ranker, View, evaluate};
    pub use super::{Bench, Fitted, Kept, Method, Model, Needs, Order, Origin, Paper, Queries, Space, Trial};
    pub use crate::dataset::{Album, Index, Ink, PrepareConfig, Split};
    pub use crate::report::printed::Printed;
    pub use crate::report::score::ACC1;
    pub use crate::report::table::{DatasetSpec, PaperCell, RowSpec, TableSpec};
    pub use crate::run::RunConfig;
    pub use crate::train::{Feed, Log, Pixels, SelectOn};
    pub use crate::{Error, Result};
}

pub use analyse::{Analysis, Subject};
pub use bench::{Bench, Order};
pub use checkpoint::{checkpoint_path, first_seed};
pub use embedding::{EmbeddingModel, Input, Pictures};
pub use masking::Masking;
pub use model::{Kept, Model, Origin, describe_backbone};
pub use need::{NeededWeights, Needs};
pub use paper::{Method, Paper};
pub use query::{Protocol, Queries};
pub use ranker::{Embedded, Gallery, Ranker, Space, View};
pub use recipe::{RecipePart, RecipeSettings, TaskLoss};
pub use reproduction::{Reproduction, find};
pub use retrieval::{Retrieval, TOLERANCE};
pub use shared::{Desk, SharedTraining};
pub use train::{run_floor, train};
pub use trial::{Fitted, Trial};
