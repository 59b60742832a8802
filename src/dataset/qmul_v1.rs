//! QMUL-Shoe-V1, QMUL-Chair-V1 and Handbag: one sketch a photo, as pictures.
//!
//! ```text
//! train/images/<id>.jpg     train/sketches/<id>.png
//! test/images/<id>.jpg      test/sketches/<id>.png
//! ```
//!
//! Sketches have a transparent ground, which becomes white. [`super::Attributes`] reads `annotation/`.

use super::corpus::{FileCorpus, Layout, Scan};
use super::found::{FoundSketch, Stored};
use super::{Split, catalogue, listing, picture::PICTURES};
use crate::{Error, Result};
use std::path::Path;

/// Opens the corpus.
///
/// # Errors
/// A missing folder; the first fault of its files, with file and reason, and how many more there are.
///
/// # References
/// Yu et al., Sketch Me That Shoe, CVPR 2016 (the corpora).
pub fn open(root: &Path) -> Result<FileCorpus> {
    scan(root)?.open()
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    let there = |part: &str| root.join(part).join("images").is_dir() && root.join(part).join("sketches").is_dir();
    (there("train") || there("test")).then_some(Layout::QmulV1)
}

pub(super) fn scan(root: &Path) -> Result<Scan> {
    if detect(root).is_none() {
        let expected = "`train/images`, `train/sketches` and the same of `test`";
        return Err(Error::data(root, expected, listing::contents(root)));
    }
    let name = catalogue::name_of_folder(root)?;
    let category = catalogue::category_of(&name);
    let mut scan = Scan::new(name, Layout::QmulV1, root);
    for (split, part) in [(Split::Train, "train"), (Split::Test, "test")] {
        for (id, path) in listing::files(&root.join(part).join("images"), &PICTURES, &mut scan.problems) {
            scan.add_photo(id, category, split, &path);
        }
        for (id, path) in listing::files(&root.join(part).join("sketches"), &PICTURES, &mut scan.problems) {
            let (photo, category, stored) = (id.clone(), category.to_string(), Stored::Picture(path));
            scan.sketches.push(FoundSketch {
                id,
                photo,
                category,
                split: Some(split),
                sketcher: None,
                stored,
                objects: None,
            });
        }
    }
    Ok(scan)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{Drawing, Source};

    #[test]
    fn pairs_read_in_byte_order() {
        let place = tempfile::tempdir().unwrap();
        let root = fixture::root(&place, "QMUL-Shoe-V1");
        fixture::shoe_v1(&root);
        let corpus = open(&root).unwrap();
        assert_eq!(corpus.name(), "qmul-shoe-v1");
        let ids: Vec<_> = corpus.index().photos.iter().map(|photo| photo.id.as_str()).collect();
        assert_eq!(ids, ["1", "10", "2", "3"]);
        assert_eq!(corpus.index().sketches.iter().map(|s| s.photo).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(corpus.index().counts()["test"], [1, 1]);
        let Drawing::Raster(sketch) = corpus.drawing(1).unwrap() else { panic!("a picture corpus") };
        assert_eq!(sketch.get_pixel(0, 0).0, [110]);
    }

    #[test]
    fn faults_name_the_file() {
        type Damage = fn(&Path);
        let damage: [(Damage, &str); 5] = [
            (
                |root| std::fs::remove_file(root.join("train/images/2.jpg")).unwrap(),
                "2.png: expected a photo for every",
            ),
            (|root| std::fs::remove_dir_all(root.join("test/sketches")).unwrap(), "sketches: expected a folder, found"),
            (|root| fixture::write(&root.join("test/images/notes.txt"), "x"), "notes.txt: expected a file of png, jpg"),
            (|root| std::fs::remove_file(root.join("test/sketches/3.png")).unwrap(), "at least one file of png"),
            (|root| fixture::paint(&root.join("test/images/1.jpg"), 1), "1.jpg: expected photos of different names"),
        ];
        for (damage, expected) in damage {
            let place = tempfile::tempdir().unwrap();
            fixture::shoe_v1(place.path());
            damage(place.path());
            let error = open(place.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn desktop_leftovers_are_passed_over() {
        let place = tempfile::tempdir().unwrap();
        fixture::shoe_v1(place.path());
        fixture::write(&place.path().join("train/images/.DS_Store"), "x");
        fixture::write(&place.path().join("train/images/Thumbs.db"), "x");
        assert_eq!(open(place.path()).unwrap().index().photos.len(), 4);
    }

    #[test]
    fn shoe_v1_has_the_measured_counts() {
        let Some(data) = fixture::real_data() else { return };
        let corpus = open(&data.join("QMUL-Shoe-V1")).unwrap();
        let counts: Vec<_> = corpus.index().counts().into_iter().collect();
        assert_eq!(counts, [("test".to_string(), [115, 115]), ("train".to_string(), [304, 304])]);
        let Drawing::Raster(sketch) = corpus.drawing(0).unwrap() else { panic!("a picture corpus") };
        assert_eq!(sketch.dimensions(), (256, 256));
        let ink = sketch.pixels().filter(|pixel| pixel[0] < 128).count() as f64 / 65_536.0;
        assert!((0.001..0.3).contains(&ink), "dark ink on white: {ink}");
    }
}
