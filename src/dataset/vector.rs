//! A drawing from a file of its own: SVG or stroke JSON.

use super::listing;
use crate::sketch::{Sketch, json, svg};
use crate::{Error, Result};
use std::path::Path;

/// Reads a drawing by its file's ending.
///
/// # Errors
/// A file that is missing or malformed, or of another ending.
pub(super) fn read(path: &Path) -> Result<Sketch> {
    match listing::ending(path).as_deref() {
        Some("svg") => svg::read(path),
        Some("json") => json::read(path),
        ending => {
            let found = ending.map_or("no ending".to_string(), |ending| format!("the ending {ending}"));
            Err(Error::data(path, "an SVG or stroke JSON file", found))
        }
    }
}
