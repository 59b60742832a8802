//! Sketchy: many classes, five or more sketches of a photo, as pictures or as strokes.
//!
//! ```text
//! photo/<class>/<id>.jpg            or, in the full release, photo/tx_000000000000/<class>/<id>.jpg
//! sketch/<class>/<id>-<n>.png                                sketch/tx_000000000000/<class>/<id>-<n>.png
//! sketch/<class>/<id>-<n>.svg       in place of pictures: strokes
//! ```
//!
//! A sketch is there once, as a picture or as strokes: two files of it are a fault.
//!
//! Photos without a sketch stay in the index: they are the distractors of the gallery. Sketchers are unknown.

use super::corpus::{FileCorpus, Layout, Scan};
use super::found::{FoundSketch, Stored};
use super::{Split, catalogue, listing, picture::PICTURES};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The 21 classes that the 104/21 split keeps for the test: none of them is in ImageNet.
///
/// # References
/// Yelamarthi et al., A Zero-Shot Framework for Sketch-Based Image Retrieval, ECCV 2018; used by Bhunia et al., Adaptive
/// Fine-Grained Sketch-Based Image Retrieval, ECCV 2022.
pub const UNSEEN: [&str; 21] = [
    "bat",
    "cabin",
    "cow",
    "dolphin",
    "door",
    "giraffe",
    "helicopter",
    "mouse",
    "pear",
    "raccoon",
    "rhinoceros",
    "saw",
    "scissors",
    "seagull",
    "skyscraper",
    "songbird",
    "sword",
    "tree",
    "wheelchair",
    "windmill",
    "window",
];

/// Opens the corpus with the 104/21 split.
///
/// # Errors
/// As [`open_with`].
pub fn open(root: &Path) -> Result<FileCorpus> {
    open_with(root, &UNSEEN)
}

/// Opens the corpus with these classes for the test and all others for training.
///
/// # Errors
/// A missing folder; a test class that is not there; the first fault of the files, with file and reason, and how many
/// more there are.
///
/// # References
/// Sangkloy et al., The Sketchy Database, SIGGRAPH 2016.
pub fn open_with(root: &Path, test: &[&str]) -> Result<FileCorpus> {
    scan(root, test)?.open()
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    let nested = |part: &str| listing::folders(&root.join(part)).is_ok_and(|folders| !folders.is_empty());
    (nested("photo") && nested("sketch")).then_some(Layout::Sketchy)
}

pub(super) fn scan(root: &Path, test: &[&str]) -> Result<Scan> {
    let mut scan = Scan::new(catalogue::name_of_folder(root)?, Layout::Sketchy, root);
    let classes = listing::folders(&class_folder(root, "photo"))?;
    if classes.is_empty() {
        return Err(Error::data(root.join("photo"), "a folder for each class", "none"));
    }
    for class in test.iter().filter(|class| classes.iter().all(|(name, _)| name != *class)) {
        scan.problems.push(Error::data(root.join("photo"), "every class of the test part", format!("no `{class}`")));
    }
    for (class, folder) in classes {
        let split = if test.contains(&class.as_str()) { Split::Test } else { Split::Train };
        for (id, path) in listing::files(&folder, &PICTURES, &mut scan.problems) {
            scan.add_photo(id, &class, split, &path);
        }
    }
    for (class, folder) in listing::folders(&class_folder(root, "sketch"))? {
        add_sketches(&class, &folder, &mut scan);
    }
    Ok(scan)
}

/// The untouched version of the full release, else the folder itself.
fn class_folder(root: &Path, part: &str) -> PathBuf {
    let full = root.join(part).join("tx_000000000000");
    if full.is_dir() { full } else { root.join(part) }
}

fn add_sketches(class: &str, folder: &Path, scan: &mut Scan) {
    for (stem, path) in listing::files(folder, &["png", "jpg", "jpeg", "svg"], &mut scan.problems) {
        let Some((photo, number)) = stem.rsplit_once('-') else {
            scan.problems.push(Error::data(&path, "a name `<photo>-<n>`", "no `-`"));
            continue;
        };
        let (id, photo, category) = (number.to_string(), photo.to_string(), class.to_string());
        let is_vector = listing::ending(&path).as_deref() == Some("svg");
        let stored = if is_vector { Stored::Vector(path) } else { Stored::Picture(path) };
        scan.sketches.push(FoundSketch { id, photo, category, split: None, sketcher: None, stored, objects: None });
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{Drawing, Source};
    use crate::sketch::Point;

    #[test]
    fn classes_split_and_distractors_stay() {
        let place = tempfile::tempdir().unwrap();
        fixture::sketchy(place.path());
        let corpus = open_with(place.path(), &["bat"]).unwrap();
        let counts: Vec<_> = corpus.index().counts().into_iter().collect();
        assert_eq!(counts, [("test".to_string(), [2, 2]), ("train".to_string(), [2, 2])]);
        assert_eq!(corpus.index().photos[3].category, "bat");
        assert_eq!(corpus.index().sketches.iter().map(|s| s.photo).collect::<Vec<_>>(), [0, 0, 2, 2]);
        let other = open_with(place.path(), &["ant"]).unwrap();
        assert_eq!(other.index().photos[0].category, "bat");
    }

    #[test]
    fn strokes_stand_in_for_pictures() {
        let place = tempfile::tempdir().unwrap();
        fixture::sketchy(place.path());
        let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256">
            <path d="M 1 2 L 3 4" fill="none" stroke="black"/></svg>"#;
        let folder = place.path().join("sketch/bat");
        fixture::write(&folder.join("n1_1-3.svg"), svg);
        let corpus = open_with(place.path(), &["bat"]).unwrap();
        let Drawing::Vector(sketch) = corpus.drawing(4).unwrap() else { panic!("strokes") };
        assert_eq!(sketch.strokes, [vec![Point::new(1.0, 2.0), Point::new(3.0, 4.0)]]);
        assert!(matches!(corpus.drawing(3).unwrap(), Drawing::Raster(_)));
        fixture::write(&folder.join("n1_1-2.svg"), svg);
        let error = open_with(place.path(), &["bat"]).unwrap_err().to_string();
        assert!(
            error.contains("expected sketches of different names, found two sketches with the same name"),
            "{error}"
        );
    }

    #[test]
    fn faults_name_the_file() {
        let place = tempfile::tempdir().unwrap();
        fixture::sketchy(place.path());
        let error = open(place.path()).unwrap_err().to_string();
        assert!(error.contains("no `cabin`") && error.contains("19 more"), "{error}");
        let named = place.path().join("sketch/bat/n9_9-1.png");
        fixture::paint(&named, 1);
        let error = open_with(place.path(), &["bat"]).unwrap_err().to_string();
        assert!(error.contains("n9_9-1.png: expected a photo for every sketch, found a sketch of `n9_9`"), "{error}");
        std::fs::rename(&named, named.with_file_name("bat.png")).unwrap();
        assert!(
            open_with(place.path(), &["bat"])
                .unwrap_err()
                .to_string()
                .contains("bat.png: expected a name `<photo>-<n>`")
        );
    }

    #[test]
    fn the_full_release_lies_one_folder_deeper() {
        let place = tempfile::tempdir().unwrap();
        fixture::sketchy(&place.path().join("flat"));
        let root = place.path().join("Sketchy");
        for part in ["photo", "sketch"] {
            std::fs::create_dir_all(root.join(part)).unwrap();
            std::fs::rename(place.path().join("flat").join(part), root.join(part).join("tx_000000000000")).unwrap();
        }
        let corpus = open_with(&root, &["bat"]).unwrap();
        assert_eq!((corpus.name(), corpus.index().photos.len()), ("sketchy", 4));
    }

    #[test]
    fn sketchy_mini_has_the_measured_counts() {
        let Some(data) = fixture::real_data() else { return };
        let corpus = open(&data.join("Sketchy-mini")).unwrap();
        let index = corpus.index();
        assert_eq!((corpus.name(), index.photos.len(), index.sketches.len()), ("sketchy-mini", 3125, 3125));
        let mut drawn: Vec<_> = index.sketches.iter().map(|sketch| sketch.photo).collect();
        drawn.dedup();
        assert_eq!(drawn.len(), 578);
        let mut classes: Vec<_> = index.photos.iter().map(|photo| photo.category.as_str()).collect();
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes.len(), 125);
        assert_eq!(index.counts()["test"], [525, 525]);
    }
}
