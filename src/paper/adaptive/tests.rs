//! The paper's parts against twins, differences and counts.
#![allow(clippy::unwrap_used)]

mod gradient;
mod inner_all;
mod run;
mod table;
mod task;
