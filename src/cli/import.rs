//! Imports weights of other libraries.

use super::check::Checked;
use retrace::Result;
use retrace::model::weights::Storage;
use retrace::model::{Architecture, import};
use std::path::Path;

/// Writes a file's weights with our names into the folder that every training reads.
pub fn import_as(architecture: Architecture, source: &Path, name: &str, checked: &Checked) -> Result<()> {
    let target = checked.places.weights.join(format!("{architecture}-{name}.safetensors"));
    let report = import::import(architecture, source, &target, Storage::F32)?;
    println!("{report}\nwritten to {}", target.display());
    Ok(())
}
