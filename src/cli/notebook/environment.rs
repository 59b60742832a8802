//! The project's own Python with Jupyter, and the Rust kernel beside it.

use retrace::file::write_atomic;
use retrace::notebook::Profile;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that cells were written for.
const KERNEL: &str = "0.22.0";

/// The environment in `.venv`.
pub struct Environment {
    /// The repository, as an absolute path: a kernel is started from elsewhere.
    pub root: PathBuf,
    venv: PathBuf,
}

impl Environment {
    /// The environment of a repository, whether it exists yet or not.
    pub fn new(root: &Path) -> Result<Self> {
        let root = std::fs::canonicalize(root).map_err(Error::io(root))?;
        if !root.join("notebooks/kernel/Cargo.toml").is_file() {
            return Err(Error::data(root, "the repository's folder", "no notebooks/kernel"));
        }
        Ok(Self { venv: root.join(".venv"), root })
    }

    /// A file of the environment.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.venv.join(inside)
    }

    /// Installs Jupyter unless exactly these versions are installed; returns whether it did.
    pub fn install_jupyter(&self) -> Result<bool> {
        let requirements = self.root.join("notebooks/kernel/requirements.txt");
        let wanted = std::fs::read_to_string(&requirements).map_err(Error::io(&requirements))?;
        let installed = self.path("share/retrace/requirements.txt");
        if std::fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
            return Ok(false);
        }
        println!("installing Jupyter into .venv");
        let mut venv = Command::new("python3");
        finish(venv.args(["-m", "venv"]).arg(&self.venv), "python3 with its modules venv and pip")?;
        let mut pip = Command::new(self.path("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
        finish(&mut pip, "pip, and a network or a package index that it reaches")?;
        write_atomic(&installed, wanted.as_bytes())?;
        Ok(true)
    }

    /// Builds and installs the kernel unless it is installed; returns whether it did.
    pub fn install_kernel(&self) -> Result<bool> {
        let installed = self.path("share/retrace/kernel");
        let is_there = std::fs::read_to_string(&installed).is_ok_and(|found| found == KERNEL);
        if is_there && self.path("bin/evcxr_jupyter").is_file() {
            return Ok(false);
        }
        println!("installing the Rust kernel into .venv (about 10 minutes of one core)");
        let mut cargo = cargo();
        cargo.args(["install", "evcxr_jupyter", "--version", KERNEL, "--locked", "--quiet", "--root"]).arg(&self.venv);
        // A target folder of its own, so that an interrupted build resumes.
        cargo.env("CARGO_TARGET_DIR", self.root.join("target/kernel")).env_remove("CARGO_BUILD_TARGET");
        finish(&mut cargo, "cargo, and a network or a registry that it reaches")?;
        write_atomic(&installed, KERNEL.as_bytes())?;
        Ok(true)
    }

    /// Opens JupyterLab and waits for its end.
    pub fn lab(&self, options: &[String], device: &str) -> Result<()> {
        let mut lab = Command::new(self.path("bin/jupyter"));
        lab.env("RETRACE_DEVICE", device)
            .arg("lab")
            .arg(format!("--notebook-dir={}", self.root.join("notebooks").display()))
            .args(options);
        finish(&mut lab, "JupyterLab")
    }

    /// Executes a notebook from top to bottom and writes it with its outputs.
    pub fn execute(&self, notebook: &Path, out: &Path, profile: Profile, device: &str) -> Result<()> {
        let mut python = Command::new(self.path("bin/python"));
        python.arg(self.root.join("notebooks/kernel/execute.py")).args([notebook, out]);
        python.env("RETRACE_PROFILE", profile.to_string()).env("RETRACE_DEVICE", device);
        // The environment's kernels come before the user's.
        python.env("JUPYTER_PATH", self.path("share/jupyter"));
        let status = python.status().map_err(Error::io("python"))?;
        if status.success() {
            Ok(())
        } else {
            let found = format!("{status}, from the error in the cell above");
            Err(Error::data(notebook, "a notebook without errors", found))
        }
    }
}

/// The cargo that runs this, or the one in the search path.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end; `expected` is what the error of a failure names.
fn finish(command: &mut Command, expected: &str) -> Result<()> {
    let what = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::value(what, expected, format!("it ended with {status}"))),
        Err(error) => Err(Error::value(what, expected, error)),
    }
}
