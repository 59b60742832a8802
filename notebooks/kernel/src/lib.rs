//! `retrace` as a dynamic library: cells link to what is built already, and share its statics.

pub use retrace::*;
