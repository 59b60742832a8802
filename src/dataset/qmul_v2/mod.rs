//! QMUL-Shoe-V2 and QMUL-Chair-V2: product photos, three or more vector sketches of each.
//!
//! Two layouts are read.
//!
//! **Coordinate pickle**, as released with the Surrey group's code:
//!
//! ```text
//! photo/<stem>.png
//! ChairV2_Coordinate        or ShoeV2_Coordinate: a pickled dict
//!     "/<train or test>/<stem>_<suffix>" -> float64 array (points, 3) = x, y on a 256 canvas, 1 on a stroke's last point
//! ```
//!
//! The photo's split is its sketches' key prefix; a photo without a sketch has none and is a fault.
//!
//! **SVG folders**, as in the public download, and as re-packed for DLI-Net:
//!
//! ```text
//! photo/ or ShoeV2_photo/      <stem>.png              trainA/ testA/    <stem>_<n>.svg or .png: sketches
//! sketch/ or ShoeV2_sketch/    <stem>_<n>.svg    or    trainB/ testB/    <stem>.png: photos
//! photo_train.txt photo_test.txt: a photo's file name a line
//! ```
//!
//! In place of `trainA` and `trainB`, `train/sketch` and `train/photo` will do, or `sketch/train` and `photo/train`.
//!
//! The published counts of the papers, of the web release and of the pickles differ: see `data/corpora.csv`.
//! Sketchers are unknown: the suffix counts drawings (and may name an annotator, so no message prints it).

mod coordinate;
mod part;
pub(super) mod pickle;

use super::corpus::{FileCorpus, Layout, Scan};
use super::{catalogue, listing};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Opens either layout.
///
/// # Errors
/// A folder of neither layout; the first fault of its files, with file and reason, and how many more there are.
///
/// # References
/// Yu et al., Fine-Grained Instance-Level Sketch-Based Image Retrieval, IJCV 2021 (the corpora).
pub fn open(root: &Path) -> Result<FileCorpus> {
    scan(root)?.open()
}

/// Whether a folder looks like one of the two layouts.
pub(super) fn detect(root: &Path) -> Option<Layout> {
    if find_pickle(root).is_some() {
        return Some(Layout::QmulV2Pickle);
    }
    part::detect(root).then_some(Layout::QmulV2Svg)
}

pub(super) fn scan(root: &Path) -> Result<Scan> {
    match detect(root) {
        Some(Layout::QmulV2Pickle) => coordinate::scan(root),
        Some(Layout::QmulV2Svg) => part::scan(root),
        _ => {
            let expected = "`photo/` with a `*_Coordinate` file, or `photo_train.txt` and `photo_test.txt`, or `trainA trainB testA testB`";
            Err(Error::data(root, expected, listing::contents(root)))
        }
    }
}

fn find_pickle(root: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(root).ok()?;
    let mut found: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| is_pickle(path)).collect();
    found.sort();
    found.into_iter().next()
}

fn is_pickle(path: &Path) -> bool {
    path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_Coordinate"))
}

/// Name and class: by the pickle's name, else by the folder's.
fn identify(root: &Path, pickle: Option<&Path>) -> Result<(String, &'static str)> {
    let file = pickle.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    Ok(match file.as_deref() {
        Some("ChairV2_Coordinate") => ("qmul-chair-v2".into(), "chair"),
        Some("ShoeV2_Coordinate") => ("qmul-shoe-v2".into(), "shoe"),
        _ => {
            let name = catalogue::name_of_folder(root)?;
            let category = catalogue::category_of(&name);
            (name, category)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{Drawing, Source, Split};
    use crate::sketch::{Point, Sketch};

    #[test]
    fn a_small_pickle_corpus_reads_in_its_order() {
        let place = tempfile::tempdir().unwrap();
        fixture::chair_v2(place.path());
        let corpus = open(place.path()).unwrap();
        assert_eq!(corpus.name(), "qmul-chair-v2");
        let index = corpus.index();
        let photos: Vec<_> = index.photos.iter().map(|p| (p.split, p.category.as_str(), p.id.as_str())).collect();
        let expected = [(Split::Train, "chair", "a"), (Split::Train, "chair", "b_v1"), (Split::Test, "chair", "c")];
        assert_eq!(photos, expected);
        let sketches: Vec<_> = index.sketches.iter().map(|s| (s.photo, s.id.as_str())).collect();
        assert_eq!(sketches, [(0, "1"), (0, "10"), (0, "2"), (1, "1"), (2, "1")]);
        assert_eq!(corpus.photo(1).unwrap().get_pixel(0, 0).0, [20; 3]);
        let strokes = vec![vec![Point::new(10.0, 20.0), Point::new(30.0, 40.0)], vec![Point::new(50.0, 60.0)]];
        assert_eq!(corpus.drawing(4).unwrap(), Drawing::Vector(Sketch { strokes }));
        assert!(corpus.photo(3).unwrap_err().to_string().contains("a position below 3"));
        assert!(corpus.drawing(5).is_err());
    }

    #[test]
    fn the_version_changes_with_a_file() {
        let place = tempfile::tempdir().unwrap();
        fixture::chair_v2(place.path());
        let before = open(place.path()).unwrap().version();
        assert_eq!(open(place.path()).unwrap().version(), before);
        fixture::coordinates(place.path(), &["/test/c_1", "/train/a_2", "/train/b_v1_1"], &fixture::rows());
        assert_ne!(open(place.path()).unwrap().version(), before);
    }

    #[test]
    fn chair_v2_has_the_measured_counts() {
        let Some(data) = fixture::real_data() else { return };
        let corpus = open(&data.join("QMUL-Chair-V2")).unwrap();
        let counts: Vec<_> = corpus.index().counts().into_iter().collect();
        assert_eq!(counts, [("test".to_string(), [100, 323]), ("train".to_string(), [300, 952])]);
        let (mut strokes, mut points, mut sum) = (0, 0, [0.0_f64; 2]);
        for position in 0..1275 {
            let Drawing::Vector(sketch) = corpus.drawing(position).unwrap() else { panic!("a vector corpus") };
            strokes += sketch.strokes.len();
            points += sketch.points();
            for point in sketch.strokes.iter().flatten() {
                sum = [sum[0] + f64::from(point.x), sum[1] + f64::from(point.y)];
            }
        }
        // What Python's own unpickler and `struct` make of the same file: 9.9 strokes and 112.8 points a sketch.
        assert_eq!((strokes, points), (12_627, 143_830));
        assert!((sum[0] - 18_541_966.81).abs() < 1.0 && (sum[1] - 18_380_324.35).abs() < 1.0, "{sum:?}");
        assert_eq!(corpus.photo(0).unwrap().dimensions(), (256, 256));
    }
}
