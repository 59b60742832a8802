//! Whole runs of the paper on a corpus of a few made pictures: resuming, and what every setting does.
#![allow(clippy::unwrap_used)]

/// As in the program: memory is counted.
#[global_allocator]
static ALLOCATOR: &retrace::memory::Allocator = &retrace::memory::ALLOCATOR;

mod analysis;
mod corpus;
mod option;
mod resume;
mod source;
