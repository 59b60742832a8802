//! Options as checked: folders resolved, the device opened.

use super::PlaceOptions;
use super::progress::Terminal;
use candle_core::Device;
use retrace::device;
use retrace::experiment::{Order, Reproduction, find};
use retrace::paper::PAPERS;
use retrace::run::Places;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};

/// What every command needs.
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
        Order {
            places: &self.places,
            device: &self.device,
            command: command(std::env::args().skip(1)),
            watch: &self.terminal,
        }
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The command line as a reader of the log would type it: without the folders of this machine.
fn command(mut typed: impl Iterator<Item = String>) -> String {
    let mut words = vec!["retrace".to_string()];
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

/// The last part of a path that exists here, such as a user's corpus or file; other words as they are.
fn without_folders(word: &str) -> String {
    let (option, value) = word.split_once('=').map_or(("", word), |(option, value)| (option, value));
    let path = Path::new(value);
    match path.file_name().filter(|_| path.exists() && path.components().count() > 1) {
        Some(name) if option.is_empty() => name.to_string_lossy().into_owned(),
        Some(name) => format!("{option}={}", name.to_string_lossy()),
        None => word.to_string(),
    }
}

/// A paper, whichever it is.
pub type AnyPaper = &'static dyn Reproduction;

/// Parses a paper's name.
pub fn paper(text: &str) -> Result<AnyPaper, String> {
    find(&PAPERS, text).map_err(|_| format!("no such paper; known papers: {}", slugs().join(", ")))
}

/// The names of all papers.
pub fn slugs() -> Vec<&'static str> {
    PAPERS.iter().map(|paper| paper.slug()).collect()
}

/// The papers that were typed, or all of them.
pub fn or_all(papers: &[AnyPaper]) -> Vec<AnyPaper> {
    if papers.is_empty() { PAPERS.to_vec() } else { papers.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> String {
        command(words.iter().map(ToString::to_string))
    }

    #[test]
    fn command_leaves_out_folders_of_this_machine() {
        let words = ["train", "p", "--results", "/home/me/out", "--row", "base", "--data=/mnt/sets", "--weights", "w"];
        assert_eq!(typed(&words), "retrace train p --row base");
        assert_eq!(
            typed(&["reproduce", "--train", "--figures", "f", "--seeds", "5"]),
            "retrace reproduce --train --seeds 5"
        );
        assert_eq!(typed(&["train", "--results"]), "retrace train"); // its folder was forgotten
        assert_eq!(typed(&[]), "retrace");
    }

    #[test]
    fn command_keeps_the_last_part_of_a_path() {
        let place = tempfile::tempdir().unwrap();
        let own = place.path().join("My shoes");
        std::fs::create_dir(&own).unwrap();
        let path = own.to_str().unwrap();
        assert_eq!(without_folders(path), "My shoes");
        assert_eq!(without_folders(&format!("--dataset={path}")), "--dataset=My shoes");
        assert_eq!(typed(&["train", "--dataset", path]), "retrace train --dataset My shoes");
    }

    #[test]
    fn command_keeps_words_that_are_no_paths_here() {
        for word in ["synth-chair", "base+margin=0.3", "no/such/folder", "--dataset=synth-chair", "src"] {
            assert_eq!(without_folders(word), word);
        }
    }

    #[test]
    fn papers_are_found_by_name() {
        assert!(slugs().iter().all(|slug| paper(slug).is_ok_and(|paper| paper.slug() == *slug)));
        assert!(paper("cubism").unwrap_err().contains("no such paper"));
    }
}
