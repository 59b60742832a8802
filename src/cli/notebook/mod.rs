//! `retrace notebook`.

mod environment;
mod kernelspec;
mod library;

use super::check::Checked;
use clap::Subcommand;
use environment::Environment;
use retrace::device;
use retrace::notebook::Profile;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What can be done with notebooks.
#[derive(Debug, Subcommand)]
pub enum NotebookVerb {
    /// Install Jupyter and the Rust kernel into .venv, and build the library for it; what is there already is kept
    Setup,
    /// Open JupyterLab on the notebooks
    Lab {
        /// Passed to JupyterLab, after `--`
        #[arg(last = true)]
        options: Vec<String>,
    },
    /// Execute notebooks from top to bottom, and fail on any error, a failed `?` and a panic included
    Run {
        /// 00_tour, ..., or the path of a notebook [default: all]
        names: Vec<String>,
        /// How much they do: smoke, quick or full
        #[arg(long, default_value = "quick")]
        profile: Profile,
        /// Write the outputs into the notebooks themselves [default: to local/notebooks/<profile>/]
        #[arg(long)]
        save: bool,
    },
}

/// Where the notebooks are.
const FOLDER: &str = "notebooks";

/// Runs the command.
pub fn run(verb: &NotebookVerb, checked: &Checked) -> Result<()> {
    let environment = Environment::new(Path::new("."))?;
    match verb {
        NotebookVerb::Setup => {
            set_up(&environment)?;
            println!("next: retrace notebook lab, or retrace notebook run");
            Ok(())
        }
        NotebookVerb::Lab { options } => {
            set_up(&environment)?;
            environment.lab(options, device::name(&checked.device))
        }
        NotebookVerb::Run { names, profile, save } => {
            let notebooks = choose(names)?;
            set_up(&environment)?;
            for notebook in &notebooks {
                let out = if *save {
                    notebook.clone()
                } else {
                    Path::new("local/notebooks").join(profile.to_string()).join(file_name(notebook))
                };
                println!("{} ({profile})", notebook.display());
                environment.execute(notebook, &out, *profile, device::name(&checked.device))?;
                println!("  written to {}", out.display());
            }
            Ok(())
        }
    }
}

/// Builds and installs what is missing or out of date, and prints how long each part took.
fn set_up(environment: &Environment) -> Result<()> {
    time("Jupyter", || Ok(((), environment.install_jupyter()?)))?;
    time("Rust kernel", || Ok(((), environment.install_kernel()?)))?;
    let library = time("library for cells", || {
        let library = library::build(environment)?;
        let is_new = !library.is_fresh;
        Ok((library, is_new))
    })?;
    time("kernel's settings", || Ok(((), kernelspec::write(environment, &library)?)))
}

/// Runs a step and, if it did anything, prints how long it took.
fn time<T>(name: &str, step: impl FnOnce() -> Result<(T, bool)>) -> Result<T> {
    let started = Instant::now();
    let (made, is_new) = step()?;
    if is_new {
        println!("{name}: made in {:.1} s", started.elapsed().as_secs_f64());
    }
    Ok(made)
}

/// The notebooks by name or path; all where none is named.
fn choose(names: &[String]) -> Result<Vec<PathBuf>> {
    let all = all()?;
    if names.is_empty() {
        return Ok(all);
    }
    let find = |name: &String| {
        let named = |path: &&PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy() == name.as_str());
        let path = Path::new(name);
        let found = all.iter().find(named).cloned().or_else(|| path.is_file().then(|| path.to_path_buf()));
        let known: Vec<String> = all.iter().map(|path| file_name(path).replace(".ipynb", "")).collect();
        found.ok_or_else(|| Error::value("notebook", format!("{}, or a file", known.join(", ")), format!("`{name}`")))
    };
    names.iter().map(find).collect()
}

fn all() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(FOLDER).map_err(Error::io(FOLDER))?;
    let paths = entries.map(|entry| Ok(entry.map_err(Error::io(FOLDER))?.path())).collect::<Result<Vec<_>>>()?;
    let is_notebook = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "ipynb");
    let mut notebooks: Vec<PathBuf> = paths.into_iter().filter(is_notebook).collect();
    notebooks.sort();
    Ok(notebooks)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
