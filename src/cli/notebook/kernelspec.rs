//! How Jupyter starts the kernel.

use super::environment::Environment;
use super::library::Library;
use retrace::file::write_atomic;
use retrace::{Error, Result};
use serde_json::json;
use std::path::Path;

/// Between the arguments in `CARGO_ENCODED_RUSTFLAGS`, where a folder's name may hold spaces.
const SEPARATOR: &str = "\u{1f}";

/// Writes the settings unless they are there already; returns whether it did.
pub fn write(environment: &Environment, library: &Library) -> Result<bool> {
    let configuration = environment.path("share/retrace/evcxr");
    // Empty, so that the user's own start-up files for this kernel do not run.
    std::fs::create_dir_all(&configuration).map_err(Error::io(&configuration))?;
    let spec = json!({
        "argv": [environment.path("bin/evcxr_jupyter"), "--control_file", "{connection_file}"],
        "display_name": "retrace (Rust)",
        "language": "rust",
        "interrupt_mode": "message",
        "env": {
            "CARGO_ENCODED_RUSTFLAGS": flags(environment, &library.path),
            "EVCXR_CONFIG_DIR": configuration,
            // Cells are built in the profile `dev`.
            "CARGO_PROFILE_DEV_OPT_LEVEL": "2",
            "CARGO_PROFILE_DEV_DEBUG_ASSERTIONS": "false",
            "CARGO_PROFILE_DEV_OVERFLOW_CHECKS": "false",
            "CARGO_PROFILE_DEV_DEBUG": "false",
            // As the program does for itself: freed memory is kept, idle threads sleep.
            "MALLOC_MMAP_MAX_": "0",
            "MALLOC_TRIM_THRESHOLD_": "100000000000",
            "CANDLE_BARRIER_POOL_SPIN_LIMIT": "100",
            "RETRACE_ROOT": environment.root,
        },
    });
    let (path, text) = (environment.path("share/jupyter/kernels/retrace/kernel.json"), format!("{spec:#}\n"));
    if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return Ok(false);
    }
    write_atomic(&path, text.as_bytes())?;
    Ok(true)
}

/// What makes `use retrace::...` in a cell find the library that is built.
fn flags(environment: &Environment, library: &Path) -> String {
    let folder = library.parent().unwrap_or(Path::new("."));
    let dependencies = |path: &Path| format!("dependency={}", path.display());
    let flags = [
        "-Cprefer-dynamic".to_string(),
        "--extern".into(),
        format!("retrace={}", library.display()),
        "-L".into(),
        dependencies(&folder.join("deps")),
        "-L".into(), // procedural macros, where the library was built for a target of its own
        dependencies(&environment.root.join("target/release/deps")),
        format!("-Clink-arg=-Wl,-rpath,{}", folder.display()),
    ];
    flags.join(SEPARATOR)
}
