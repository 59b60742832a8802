//! The common loop and its parts, through the public interface.
#![allow(clippy::unwrap_used)]

mod course;
mod evaluate;
mod feature;
mod feed;
mod resume;
mod select;
mod toy;
