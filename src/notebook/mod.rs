//! What the cells of a notebook call: a session, and values that show themselves.
//!
//! A notebook begins with
//!
//! ```text
//! use retrace::notebook::prelude::*;
//! use retrace::paper::<slug>::<Paper>;
//! let session: Session<<Paper>> = Session::open(<Paper>, "quick")?;
//! ```
//!
//! and from then on a cell that ends in a table, a figure, a sketch, a photo or a gallery shows it ([`Show`]).

mod live;
mod profile;
mod session;
mod show;

pub use live::Live;
pub use profile::Profile;
pub use session::Session;
pub use show::{Html, Show, Svg, film, strip};

/// The one import of a notebook.
pub mod prelude {
    pub use super::{Html, Live, Profile, Session, Show, Svg, film, strip};
    pub use crate::dataset::{self, Drawing, Index, Source, Split};
    pub use crate::experiment::{Method, Paper, Queries, Reproduction, Retrieval};
    pub use crate::loss::{Draw, Topology, Triple, agreement, draw_triples, neighbourhood_loss, triplet_loss};
    pub use crate::report::claim::{self, Claim, Finding};
    pub use crate::report::figure::{bar, curve, early};
    pub use crate::report::table::{self, Table};
    pub use crate::run::{Places, RunConfig, Summary};
    pub use crate::seed::Seed;
    pub use crate::sketch::{self, Point, Sketch, Statistics, antialiased};
    pub use candle_core::{DType, Device, Tensor};
    pub use image::{GrayImage, RgbImage};
    pub use polars::prelude::{Column, DataFrame};
}
