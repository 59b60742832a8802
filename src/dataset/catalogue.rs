//! Corpora known by name, with the counts that papers and releases publish: `data/corpora.csv`.

use super::{Transfer, synthetic};
use crate::{Error, Result};
use polars::prelude::{CsvReader, DataFrame, DataType, SerReader};
use serde::Serialize;
use std::io::Cursor;
use std::path::Path;

/// Photos and sketches of one split, as one source counts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedCounts {
    /// `train`, `test`, or `all` of a corpus that is published whole.
    pub split: String,
    /// Photos.
    pub photos: usize,
    /// Sketches.
    pub sketches: usize,
    /// `papers`, `web release`, `split lists`, or `measured` (with this crate).
    pub origin: String,
    /// Where the counts come from.
    pub source: String,
}

/// A corpus known by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Its name in `results/`.
    pub name: String,
    /// Its folder below the data folder; its file, where a folder holds several corpora.
    pub folder: String,
    /// Counts, which differ between papers and releases.
    pub published: Vec<PublishedCounts>,
}

/// All known corpora of real data, in the order of `data/corpora.csv`.
///
/// # Errors
/// None with the file that is built in.
///
/// ```
/// let known = retrace::dataset::list()?;
/// let chair = known.iter().find(|known| known.name == "qmul-chair-v2").unwrap();
/// assert_eq!(chair.published[0].photos, 300);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn list() -> Result<Vec<Known>> {
    let text = include_str!("../../data/corpora.csv");
    let frame = CsvReader::new(Cursor::new(text)).finish()?;
    let [names, folders, splits, origins, sources] =
        ["name", "folder", "split", "origin", "source"].map(|name| texts(&frame, name));
    let [photos, sketches] = ["photos", "sketches"].map(|name| numbers(&frame, name));
    let (names, folders, splits, origins, sources) = (names?, folders?, splits?, origins?, sources?);
    let (photos, sketches) = (photos?, sketches?);
    let mut known: Vec<Known> = Vec::new();
    for row in 0..frame.height() {
        if known.last().is_none_or(|last| last.name != names[row]) {
            known.push(Known { name: names[row].clone(), folder: folders[row].clone(), published: Vec::new() });
        }
        let (split, origin, source) = (splits[row].clone(), origins[row].clone(), sources[row].clone());
        let counts = PublishedCounts { split, photos: photos[row], sketches: sketches[row], origin, source };
        if let Some(last) = known.last_mut() {
            last.published.push(counts);
        }
    }
    Ok(known)
}

fn texts(frame: &DataFrame, name: &str) -> Result<Vec<String>> {
    let column = frame.column(name)?.str()?;
    column.iter().enumerate().map(|(row, cell)| cell.map(str::to_string).ok_or_else(|| empty(name, row))).collect()
}

fn numbers(frame: &DataFrame, name: &str) -> Result<Vec<usize>> {
    let cells = frame.column(name)?.strict_cast(&DataType::UInt32)?;
    let cells = cells.u32()?.iter().enumerate();
    cells.map(|(row, cell)| cell.map(|count| count as usize).ok_or_else(|| empty(name, row))).collect()
}

fn empty(name: &str, row: usize) -> Error {
    Error::value(name, "a value in every line", format!("an empty cell in line {}", row + 2))
}

/// The name of the corpus in a folder: the known name of that folder, else the folder's own in lower case with dashes.
pub(super) fn name_of_folder(root: &Path) -> Result<String> {
    let whole = root.canonicalize().map_err(Error::io(root))?;
    let folder = whole.file_name().map_or_else(|| "corpus".into(), |name| name.to_string_lossy());
    let own = |known: &Known| known.folder.rsplit('/').next() == Some(&*folder);
    if let Some(known) = list()?.into_iter().find(own) {
        return Ok(known.name);
    }
    let lower = folder.to_lowercase();
    let dashed: String = lower.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    Ok(dashed.trim_matches('-').to_string())
}

/// Whether a corpus needs no files: it is drawn by this crate.
///
/// ```
/// assert!(retrace::dataset::is_embedded("synth-chair") && !retrace::dataset::is_embedded("qmul-chair-v2"));
/// ```
pub fn is_embedded(name: &str) -> bool {
    synthetic::NAMES.contains(&name) || synthetic::transfer_of(name).is_some()
}

/// The name that a corpus, given by name or by folder, has in `results/`: a user's folder goes by its last part, in
/// lower case with dashes.
///
/// # Errors
/// A folder without a usable name, or with that of a known corpus, whose records it would mix with its own.
pub fn name_of(corpus: &str) -> Result<String> {
    if is_known(corpus)? || !Path::new(corpus).is_dir() {
        return Ok(corpus.to_string());
    }
    let name = name_of_folder(Path::new(corpus))?;
    if name.is_empty() || is_known(&name)? {
        let expected = "a folder with a name that no known corpus has";
        return Err(Error::data(corpus, expected, format!("`{name}`")));
    }
    Ok(name)
}

fn is_known(name: &str) -> Result<bool> {
    Ok(is_embedded(name) || list()?.iter().any(|known| known.name == variant_of(name).0))
}

/// What is trained and tested on, where a corpus has more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// As it is published.
    Whole,
    /// Tested on one fold.
    Fold(usize),
    /// Trained on the scenes of other corpora: [`SCENES`].
    Joined,
    /// Trained on one kind of shoes, tested on another.
    Transfer(Transfer),
}

/// Where a corpus of scenes has no training part, `<corpus>-joined` is trained on these: those of real photos that are at
/// hand, and drawn ones.
pub(super) const SCENES: [&str; 2] = ["fs-coco-247", "synth-scene"];

/// The transfer that a corpus is named after: `qmul-shoe-v1-topline`.
///
/// ```
/// use retrace::dataset::{Transfer, transfer_of};
/// assert_eq!((transfer_of("synth-shoe-topline"), transfer_of("synth-shoe")), (Some(Transfer::Topline), None));
/// ```
pub fn transfer_of(name: &str) -> Option<Transfer> {
    if let (_, Variant::Transfer(transfer)) = variant_of(name) { Some(transfer) } else { None }
}

/// The corpus and the variant of `<corpus>-fold<k>`, `<corpus>-joined` and `<corpus>-<transfer>`; else the name as it is.
pub(super) fn variant_of(name: &str) -> (&str, Variant) {
    if let Some((base, fold)) = name.rsplit_once("-fold")
        && let Ok(fold) = fold.parse()
    {
        return (base, Variant::Fold(fold));
    }
    if let Some(base) = name.strip_suffix("-joined") {
        return (base, Variant::Joined);
    }
    let cut = |transfer: Transfer| {
        let base = name.strip_suffix(transfer.name())?.strip_suffix('-')?;
        Some((base, Variant::Transfer(transfer)))
    };
    Transfer::ALL.into_iter().find_map(cut).unwrap_or((name, Variant::Whole))
}

/// The class of a corpus with one class, by its name.
pub(super) fn category_of(name: &str) -> &'static str {
    ["shoe", "chair", "handbag"].into_iter().find(|class| name.contains(class)).unwrap_or("object")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_corpus_stands_once_with_its_counts() {
        let known = list().unwrap();
        let names: Vec<_> = known.iter().map(|known| known.name.as_str()).collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{names:?}");
        let shoe = known.iter().find(|known| known.name == "qmul-shoe-v2").unwrap();
        let papers: usize = shoe.published.iter().filter(|p| p.origin == "papers").map(|p| p.sketches).sum();
        assert_eq!(papers, 6730); // the total that all papers print
        assert_eq!(shoe.folder, "QMUL-Shoe-V2");
    }

    #[test]
    fn variants_are_told_by_the_end_of_a_name() {
        assert_eq!(variant_of("friss-fold3"), ("friss", Variant::Fold(3)));
        assert_eq!(variant_of("a-b-joined"), ("a-b", Variant::Joined));
        assert_eq!(variant_of("a-b-toe-shape"), ("a-b", Variant::Transfer(Transfer::ToeShape)));
        for name in ["friss", "friss-foldx", "toe-shape", "my-folders"] {
            assert_eq!(variant_of(name), (name, Variant::Whole));
        }
        assert_eq!(name_of("friss-fold3").unwrap(), "friss-fold3");
    }

    #[test]
    fn a_folder_names_its_corpus() {
        let place = tempfile::tempdir().unwrap();
        for (folder, name, category) in [
            ("QMUL-Chair-V1", "qmul-chair-v1", "chair"),
            ("My shoes (2)", "my-shoes--2", "shoe"),
            ("My_shoes", "my-shoes", "shoe"),
            ("Stühle", "stühle", "object"),
            ("Lamps", "lamps", "object"),
        ] {
            let root = place.path().join(folder);
            std::fs::create_dir(&root).unwrap();
            assert_eq!(name_of_folder(&root).unwrap(), name);
            assert!(name_of(root.to_str().unwrap()).is_ok_and(|own| own == name) != is_known(name).unwrap());
            assert_eq!(category_of(name), category);
        }
    }
}
