//! Options as checked: folders resolved, the device opened.

use super::PlaceOptions;
use super::progress::Terminal;
use candle_core::Device;
use retrace::device;
use retrace::paper::photo_pretraining::{SLUG, bench::Order};
use retrace::run::Places;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};

/// What every verb needs.
pub struct Checked {
    /// Resolved folders.
    pub places: Places,
    /// An open device.
    pub device: Device,
    /// Progress bars, and Ctrl-C.
    pub terminal: Terminal,
}

impl Checked {
    /// Resolves what was typed; `scratch`: new records go to `local/`, so that shipped ones stay as they are.
    pub fn new(options: PlaceOptions, scratch: bool) -> Result<Self> {
        let place = |typed: Option<PathBuf>, shipped: &str| {
            let local = PathBuf::from("local").join(shipped);
            typed.unwrap_or_else(|| if scratch { local } else { PathBuf::from(shipped) })
        };
        let places = Places {
            results: place(options.results, "results"),
            figures: place(options.figures, "figures"),
            shipped: PathBuf::from("results"),
            data: options.data.or_else(|| variable("RETRACE_DATA")),
            weights: options.weights.or_else(|| variable("RETRACE_WEIGHTS")).unwrap_or_else(|| "local/weights".into()),
            cache: PathBuf::from("local/cache"),
        };
        if let Some(data) = places.data.as_deref().filter(|data| !data.is_dir()) {
            return Err(Error::data(data, "the folder of the real corpora (RETRACE_DATA, --data)", "no folder"));
        }
        Ok(Self { places, device: device::open(options.device)?, terminal: Terminal::new()? })
    }

    /// What a run needs.
    pub fn order(&self) -> Order<'_> {
        Order { places: &self.places, device: &self.device, command: command(), watch: &self.terminal }
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The command line as a reader of the log would type it: without the folders of this machine.
fn command() -> String {
    let mut words = vec!["retrace".to_string()];
    let mut typed = std::env::args().skip(1);
    while let Some(word) = typed.next() {
        let option = word.split('=').next().unwrap_or_default();
        if ["--results", "--figures", "--data", "--weights"].contains(&option) {
            if !word.contains('=') {
                typed.next();
            }
            continue;
        }
        words.push(without_folders(&word));
    }
    words.join(" ")
}

/// Only the last part of what is a path here: a corpus or a file of one's own.
fn without_folders(word: &str) -> String {
    let (option, value) = word.split_once('=').map_or(("", word), |(option, value)| (option, value));
    let path = Path::new(value);
    match (path.file_name(), path.exists() && path.components().count() > 1) {
        (Some(name), true) if option.is_empty() => name.to_string_lossy().into_owned(),
        (Some(name), true) => format!("{option}={}", name.to_string_lossy()),
        _ => word.to_string(),
    }
}

/// Parses a paper's name.
pub fn slug(text: &str) -> Result<String, String> {
    match text {
        SLUG => Ok(text.into()),
        "generalising" | "more_photos" | "partially" | "adaptive" => Err(format!("not built yet; there is {SLUG}")),
        _ => Err(format!("no such paper; there is {SLUG}")),
    }
}
