//! The library as a dynamic one, for cells to link to.

use super::environment::{Environment, cargo};
use retrace::{Error, Result};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;

/// Its package.
const PACKAGE: &str = "retrace-notebook";

/// The library as built.
pub struct Library {
    /// The file.
    pub path: PathBuf,
    /// Whether it was up to date already.
    pub is_fresh: bool,
}

/// A line of cargo's report.
#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    filenames: Vec<PathBuf>,
    fresh: bool,
}

/// Builds the library where it is older than its sources, as one more file of `cargo build --release`: its dependencies
/// are those of the program.
pub fn build(environment: &Environment) -> Result<Library> {
    let mut cargo = cargo();
    cargo.args(["rustc", "--release", "--locked", "--package", PACKAGE, "--message-format=json-render-diagnostics"]);
    // What this program was built with.
    let features = [("cuda", cfg!(feature = "cuda")), ("cudnn", cfg!(feature = "cudnn"))];
    for (feature, _) in features.into_iter().filter(|feature| feature.1) {
        cargo.args(["--features", feature]);
    }
    // Cells and library share one standard library.
    cargo.args(["--", "-C", "prefer-dynamic"]).current_dir(&environment.root).stderr(Stdio::inherit());
    let report = cargo.output().map_err(Error::io("cargo"))?;
    let lines = String::from_utf8_lossy(&report.stdout);
    let artifact = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .find(|artifact| artifact.package_id.contains("notebooks/kernel"));
    match artifact {
        Some(artifact) if report.status.success() && !artifact.filenames.is_empty() => {
            Ok(Library { path: artifact.filenames[0].clone(), is_fresh: artifact.fresh })
        }
        _ => {
            let found = format!("{}, with the errors above", report.status);
            Err(Error::value("library for cells", "a build without errors", found))
        }
    }
}
