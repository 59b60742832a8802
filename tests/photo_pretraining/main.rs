//! Whole runs of the paper on a corpus of a few made pictures: resuming, and what every setting does.
#![allow(clippy::unwrap_used)]

mod analysis;
mod corpus;
mod option;
mod resume;
mod source;
