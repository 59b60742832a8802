//! Every cell of every notebook compiles against the library and runs, and keeps the kernel's rules.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Most lines of a cell: what a reader can take in at once.
const LINES: usize = 12;

/// Largest notebook with its outputs, in bytes: a landscape alone is 0.6 MB of vectors.
const SIZE: u64 = 2 << 20;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn notebooks() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("notebooks")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "ipynb")).collect();
    found.sort();
    assert!(found.len() >= 2, "{found:?}");
    found
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The code cells of a notebook as they were typed.
fn cells(notebook: &Value) -> Vec<String> {
    let is_code = |cell: &&Value| cell["cell_type"] == "code";
    let text = |cell: &Value| match &cell["source"] {
        Value::Array(lines) => lines.iter().map(|line| line.as_str().unwrap()).collect(),
        text => text.as_str().unwrap().to_string(),
    };
    notebook["cells"].as_array().unwrap().iter().filter(is_code).map(text).collect()
}

/// All cells as one program: what a cell ends in is shown, as the kernel would.
fn program(cells: &[String]) -> String {
    let statement = |cell: &String| match cell.trim_end() {
        text if text.ends_with([';', '}']) => format!("{text}\n"),
        text => format!("{text}.evcxr_display();\n"),
    };
    let body: String = cells.iter().map(statement).collect();
    format!("fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {{\n{body}Ok(())\n}}\n")
}

/// The library that this test was linked with, as cargo names it: nothing is built here that is not there.
fn library() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--no-run", "--locked", "--test", "notebooks", "--message-format=json"]).current_dir(root());
    let features =
        [("hub", cfg!(feature = "hub")), ("cuda", cfg!(feature = "cuda")), ("cudnn", cfg!(feature = "cudnn"))];
    for (feature, _) in features.iter().filter(|feature| feature.1) {
        cargo.args(["--features", feature]);
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let report = cargo.output().unwrap();
    let lines = String::from_utf8(report.stdout).unwrap();
    let artifacts = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_ours = |line: &Value| line["target"]["name"] == "retrace" && line["target"]["kind"][0] == "lib";
    let ours = artifacts.into_iter().find(is_ours).expect("cargo names the library");
    let files = ours["filenames"].as_array().unwrap().iter().map(|file| PathBuf::from(file.as_str().unwrap()));
    files.into_iter().find(|file| file.extension().is_some_and(|end| end == "rlib")).unwrap()
}

#[test]
fn cells_compile_and_run() {
    let (library, place) = (library(), tempfile::tempdir().unwrap());
    // Beside the library itself, or below it: cargo names the one or the other.
    let folder = library.parent().unwrap();
    let trained = root().join("local/notebooks/smoke");
    let _ = std::fs::remove_dir_all(&trained);
    for path in notebooks() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (source, built) = (place.path().join(format!("{name}.rs")), place.path().join(name));
        std::fs::write(&source, program(&cells(&read(&path)))).unwrap();
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--edition", "2024", "--crate-name", "notebook", "--cap-lints", "allow"]);
        rustc.arg("--extern").arg(format!("retrace={}", library.display()));
        for dependencies in [folder.to_path_buf(), folder.join("deps")] {
            rustc.arg("-L").arg(format!("dependency={}", dependencies.display()));
        }
        let out = rustc.arg(&source).arg("-o").arg(&built).output().unwrap();
        assert!(out.status.success(), "{name} does not compile:\n{}", String::from_utf8_lossy(&out.stderr));
        let mut run = Command::new(&built);
        run.env("RETRACE_PROFILE", "smoke").env("RETRACE_ROOT", root()).env("RETRACE_DEVICE", "cpu");
        let out = run.current_dir(place.path()).output().unwrap();
        let (said, failed) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success() && failed.is_empty(), "{name}:\n{failed}");
        assert!(said.matches("EVCXR_BEGIN_CONTENT text/html").count() >= 8, "{name} shows too little:\n{said}");
    }
}

#[test]
fn cells_are_short_and_name_their_types() {
    for path in notebooks() {
        for cell in cells(&read(&path)) {
            assert!(cell.lines().count() <= LINES, "{}: a cell of more than {LINES} lines:\n{cell}", path.display());
            // The kernel cannot infer a type of this library for a variable that later cells use.
            for line in cell.lines().filter_map(|line| line.strip_prefix("let ")) {
                let name = line.trim_start_matches("mut ");
                let typed = name.find(':').is_some_and(|colon| name.find('=').is_none_or(|equals| colon < equals));
                assert!(typed && !name.starts_with('('), "{}: no type: {line}", path.display());
            }
        }
    }
}

#[test]
fn outputs_are_those_of_a_clean_run() {
    for path in notebooks() {
        let (name, notebook) = (path.display(), read(&path));
        assert!(std::fs::metadata(&path).unwrap().len() < SIZE, "{name}: more than 2 MB");
        assert_eq!(notebook["metadata"]["kernelspec"]["name"], "retrace", "{name}");
        for (i, cell) in notebook["cells"].as_array().unwrap().iter().enumerate() {
            assert!(cell["metadata"].as_object().unwrap().is_empty(), "{name}: metadata in cell {i}");
            for out in cell["outputs"].as_array().into_iter().flatten() {
                assert!(out["output_type"] != "error" && out["name"] != "stderr", "{name}: an error in cell {i}");
                let text = out.to_string();
                assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "{name}: a folder of this machine in cell {i}");
            }
        }
        let counts = notebook["cells"].as_array().unwrap().iter().filter(|cell| cell["cell_type"] == "code");
        let counts: Vec<u64> = counts.filter_map(|cell| cell["execution_count"].as_u64()).collect();
        assert_eq!(
            counts,
            (1..=cells(&notebook).len() as u64).collect::<Vec<_>>(),
            "{name}: not run from top to bottom"
        );
    }
}
