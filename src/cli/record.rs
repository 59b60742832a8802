//! `retrace check`.

use super::check::Checked;
use clap::Args;
use retrace::report::record::inspect;
use retrace::{Error, Result};
use std::path::PathBuf;

/// Options of `retrace check`, as typed.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// Folder of records [default: the one of --results]
    folder: Option<PathBuf>,
}

/// Checks every record below a folder, and prints a line for each that contradicts itself or another.
pub fn run(options: &CheckOptions, checked: &Checked) -> Result<()> {
    let folder = options.folder.as_ref().unwrap_or(&checked.places.results);
    let found = inspect(folder)?;
    found.faults.iter().for_each(|fault| println!("{fault}"));
    if !found.faults.is_empty() {
        let faults = format!("{} faults", found.faults.len());
        return Err(Error::data(folder, format!("{} records that hold", found.count), faults));
    }
    println!("{} records in {} hold", found.count, folder.display());
    Ok(())
}
