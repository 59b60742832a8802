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
//! The published counts of the papers, of the web release and of the pickles differ: see `data/corpora.csv`.
//! Sketchers are unknown: the suffix counts drawings (and may name an annotator, so no message prints it).

use super::corpus::{Corpus, FoundSketch, Layout, Scan, Stored};
use super::listing::{self, Named};
use super::{Split, catalogue, pickle};
use crate::sketch::{CANVAS, Sketch};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Opens either layout.
///
/// # Errors
/// A folder of neither layout; the first fault of its files, with file and reason, and how many more there are.
///
/// # References
/// Yu et al., Fine-Grained Instance-Level Sketch-Based Image Retrieval, IJCV 2021 (the corpora).
pub fn open(root: &Path) -> Result<Corpus> {
    scan(root)?.open()
}

/// Whether a folder looks like one of the two layouts.
pub(super) fn detect(root: &Path) -> Option<Layout> {
    if find_pickle(root).is_some() {
        return Some(Layout::QmulV2Pickle);
    }
    let listed = root.join("photo_train.txt").is_file() && root.join("photo_test.txt").is_file();
    (listed || root.join("trainA").is_dir() && root.join("trainB").is_dir()).then_some(Layout::QmulV2Svg)
}

pub(super) fn scan(root: &Path) -> Result<Scan> {
    match detect(root) {
        Some(Layout::QmulV2Pickle) => scan_pickle(root),
        Some(Layout::QmulV2Svg) => scan_folders(root),
        _ => {
            let expected = "`photo/` with a `*_Coordinate` file, or `photo_train.txt` and `photo_test.txt`, or `trainA trainB testA testB`";
            Err(Error::data(root, expected, "none of these"))
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
            let name = catalogue::name_of(root)?;
            let category = catalogue::category_of(&name);
            (name, category)
        }
    })
}

fn scan_pickle(root: &Path) -> Result<Scan> {
    let Some(path) = find_pickle(root) else { return Err(Error::data(root, "a `*_Coordinate` file", "none")) };
    let (name, category) = identify(root, Some(&path))?;
    let mut scan = Scan::new(name, Layout::QmulV2Pickle, root);
    let splits = read_sketches(&path, category, &mut scan)?;
    for (stem, file) in listing::files(&root.join("photo"), &super::picture::PICTURES, &mut scan.problems) {
        match splits.get(&stem) {
            Some(&split) => scan.add_photo(&stem, category, split, &file),
            None => scan.problems.push(Error::data(&file, "a photo with a sketch, which tells its split", "none")),
        }
    }
    scan.tables.push(path);
    Ok(scan)
}

/// Adds the pickle's sketches; returns each photo's split.
fn read_sketches(path: &Path, category: &str, scan: &mut Scan) -> Result<BTreeMap<String, Split>> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let entries = pickle::read(&bytes)
        .map_err(|fault| Error::data(path, fault.expected, format!("{} at byte {}", fault.found, fault.at)))?;
    let mut splits = BTreeMap::new();
    for (position, (key, array)) in entries.iter().enumerate() {
        let fault = match (parse_key(key), parse_array(array, path)) {
            (Ok((split, stem, suffix)), Ok(sketch)) => {
                splits.entry(stem.to_string()).or_insert(split);
                scan.sketches.push(FoundSketch {
                    id: suffix.to_string(),
                    photo: stem.to_string(),
                    category: category.to_string(),
                    split: Some(split),
                    sketcher: None,
                    stored: Stored::Strokes(sketch),
                });
                continue;
            }
            (Err((expected, found)), _) => (expected.to_string(), format!("{found} in key {position}")),
            (Ok((split, stem, _)), Err((expected, found))) => {
                splits.entry(stem.to_string()).or_insert(split);
                (expected, format!("{found} in drawing {position}, of photo `{stem}`"))
            }
        };
        scan.problems.push(Error::data(path, fault.0, fault.1));
    }
    if entries.is_empty() {
        scan.problems.push(Error::data(path, "at least one sketch", "an empty dict"));
    }
    Ok(splits)
}

/// Split, photo and suffix of `/train/<photo>_<suffix>`.
fn parse_key(key: &str) -> Result<(Split, &str, &str), (&'static str, &'static str)> {
    let (split, rest) =
        key.trim_start_matches('/').split_once('/').ok_or(("a key `/<split>/<photo>_<n>`", "no split"))?;
    let split = match split {
        "train" => Split::Train,
        "test" => Split::Test,
        _ => return Err(("split `train` or `test`", "another split")),
    };
    let (stem, suffix) = rest.rsplit_once('_').ok_or(("a key `/<split>/<photo>_<n>`", "no `_`"))?;
    Ok((split, stem, suffix))
}

/// Strokes of an array of x, y, pen.
fn parse_array(array: &pickle::Array, path: &Path) -> Result<Sketch, (String, String)> {
    let [count, 3] = array.shape[..] else {
        return Err(("an array of shape (points, 3)".into(), format!("shape {:?}", array.shape)));
    };
    let cell = |row, column| array.get(row, column).unwrap_or(f64::NAN);
    let rows: Vec<_> = (0..count).map(|row| [cell(row, 0), cell(row, 1), cell(row, 2)]).collect();
    // A pen may leave the canvas, and rasterising cuts it there; more than a canvas away the scale is another.
    let near = -f64::from(CANVAS)..=2.0 * f64::from(CANVAS);
    let far = |[x, y, _]: &[f64; 3]| x.is_finite() && y.is_finite() && !(near.contains(x) && near.contains(y));
    if let Some(row) = rows.iter().position(far) {
        let found = format!("({}, {}) in row {}", rows[row][0], rows[row][1], row + 1);
        return Err(("coordinates on the 256 canvas".into(), found));
    }
    Sketch::from_rows(&rows, path).map_err(|error| match error {
        Error::Data { expected, found, .. } => (expected, found),
        other => ("rows x, y, pen".into(), other.to_string()),
    })
}

fn scan_folders(root: &Path) -> Result<Scan> {
    let (name, category) = identify(root, None)?;
    let mut scan = Scan::new(name, Layout::QmulV2Svg, root);
    if root.join("trainA").is_dir() {
        for (split, part) in [(Split::Train, "train"), (Split::Test, "test")] {
            add_sketches(&root.join(format!("{part}A")), category, Some(split), &mut scan);
            let photos = root.join(format!("{part}B"));
            for (stem, path) in listing::files(&photos, &super::picture::PICTURES, &mut scan.problems) {
                scan.add_photo(stem, category, split, &path);
            }
        }
        return Ok(scan);
    }
    add_sketches(&find_folder(root, "sketch")?, category, None, &mut scan);
    let photos = listing::files(&find_folder(root, "photo")?, &super::picture::PICTURES, &mut scan.problems);
    add_listed_photos(photos, category, &mut scan)?;
    Ok(scan)
}

/// `photo`, else the one folder whose name ends in `_photo`.
fn find_folder(root: &Path, name: &str) -> Result<PathBuf> {
    let ending = format!("_{name}");
    let fits = |found: &Named| found.0 == name || found.0.ends_with(&ending);
    let mut found = listing::folders(root)?.into_iter().filter(fits);
    match (found.next(), found.next()) {
        (Some((_, path)), None) => Ok(path),
        (None, _) => Err(Error::data(root, format!("a folder `{name}` or `*_{name}`"), "none")),
        _ => Err(Error::data(root, format!("one folder `{name}` or `*_{name}`"), "several")),
    }
}

/// Adds `<stem>_<n>.svg` or `.png` of a folder; the number is the sketch's id.
fn add_sketches(folder: &Path, category: &str, split: Option<Split>, scan: &mut Scan) {
    for (stem, path) in listing::files(folder, &["svg", "png"], &mut scan.problems) {
        let Some((photo, number)) = stem.rsplit_once('_') else {
            scan.problems.push(Error::data(&path, "a name `<photo>_<n>`", "no `_`"));
            continue;
        };
        let vector = listing::ending(&path).as_deref() == Some("svg");
        let stored = if vector { Stored::Vector(path.clone()) } else { Stored::Picture(path.clone()) };
        let (id, photo, category) = (number.to_string(), photo.to_string(), category.to_string());
        scan.sketches.push(FoundSketch { id, photo, category, split, sketcher: None, stored });
    }
}

/// Adds the photos that the list files name; a photo in no list, and a line without a photo, are faults.
fn add_listed_photos(photos: Vec<Named>, category: &str, scan: &mut Scan) -> Result<()> {
    let mut photos: BTreeMap<String, PathBuf> = photos.into_iter().collect();
    for (split, file) in [(Split::Train, "photo_train.txt"), (Split::Test, "photo_test.txt")] {
        let list = scan.root.join(file);
        let text = std::fs::read_to_string(&list).map_err(Error::io(&list))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let stem = listing::stem(line.trim());
            match photos.remove(stem) {
                Some(path) => scan.add_photo(stem, category, split, &path),
                None => {
                    let found = format!("`{}` in line {}, missing or listed twice", line.trim(), number + 1);
                    scan.problems.push(Error::data(&list, "names of photos that are there, each once", found));
                }
            }
        }
        scan.tables.push(list);
    }
    let lost = photos.into_values().map(|path| Error::data(path, "a photo in one of the two lists", "in neither"));
    scan.problems.extend(lost);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{Drawing, Source};
    use crate::sketch::Point;

    fn broken(keys: &[&str], rows: &[[f64; 3]]) -> String {
        let place = tempfile::tempdir().unwrap();
        fixture::chair_v2(place.path());
        fixture::coordinates(place.path(), keys, rows);
        open(place.path()).unwrap_err().to_string()
    }

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
    fn broken_coordinates_are_named_without_the_suffix() {
        let keys = ["/train/a_SECRET", "/train/b_v1_1", "/test/c_1"];
        let error = broken(&keys, &[[1.0, 2.0, 0.0], [f64::NAN, 2.0, 1.0]]);
        assert!(error.contains("ChairV2_Coordinate: expected finite coordinates, found (NaN, 2) in row 2"), "{error}");
        assert!(error.contains("in drawing 0, of photo `a`") && error.contains("2 more problems"), "{error}");
        assert!(!error.contains("SECRET"), "{error}");
        for (rows, expected) in [
            (vec![[1.0, 2.0, 0.5]], "a pen flag of 0 or 1, found 0.5"),
            (vec![[1.0, 9e9, 1.0]], "coordinates on the 256 canvas"),
            (vec![[f64::INFINITY, 1.0, 1.0]], "finite coordinates"),
            (vec![], "at least one row (x, y, pen), found none"),
        ] {
            let error = broken(&keys, &rows);
            assert!(error.contains(expected) && !error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn broken_keys_and_pairs_are_named() {
        let whole = ["/train/a_1", "/train/b_v1_1", "/test/c_1"];
        for (key, expected) in [
            ("/valid/a_SECRET", "expected split `train` or `test`, found another split in key 3"),
            ("aSECRET", "found no split in key 3"),
            ("/train/aSECRET", "found no `_` in key 3"),
            ("/train/z_SECRET", "a sketch of `z`, and no such photo"),
            ("/test/a_SECRET", "a sketch of `a` in another split than its photo"),
            ("/train/a_1", "two sketches of one name for photo `a`"),
        ] {
            let error = broken(&[&whole[..], &[key]].concat(), &fixture::rows());
            assert!(error.contains(expected) && !error.contains("SECRET"), "{error}");
        }
        let error = broken(&["/train/a_1", "/test/c_1"], &fixture::rows());
        assert!(error.contains("b_v1.png: expected a photo with a sketch"), "{error}");
        let error = broken(&[], &fixture::rows());
        assert!(error.contains("at least one sketch, found an empty dict"), "{error}");
    }

    #[test]
    fn a_malformed_pickle_names_the_byte() {
        let place = tempfile::tempdir().unwrap();
        fixture::chair_v2(place.path());
        fixture::write(&place.path().join("ChairV2_Coordinate"), b"\x80\x03cos\nsystem\n.");
        let error = open(place.path()).unwrap_err().to_string();
        assert!(error.contains("ChairV2_Coordinate") && error.contains("`os.system` at byte 2"), "{error}");
    }

    #[test]
    fn both_folder_layouts_read() {
        let place = tempfile::tempdir().unwrap();
        let root = fixture::root(&place, "QMUL-Shoe-V2");
        for (shade, stem) in [(1, "11"), (2, "22")] {
            fixture::paint(&root.join(format!("ShoeV2_photo/{stem}.png")), shade);
            fixture::paint(&root.join(format!("ShoeV2_sketch/{stem}_1.png")), shade);
        }
        fixture::write(&root.join("photo_train.txt"), "22.png\n");
        fixture::write(&root.join("photo_test.txt"), "11.png\r\n\n");
        let listed = open(&root).unwrap();
        assert_eq!((listed.name(), listed.layout()), ("qmul-shoe-v2", Layout::QmulV2Svg));
        let photos: Vec<_> = listed.index().photos.iter().map(|p| (p.split, p.id.as_str())).collect();
        assert_eq!(photos, [(Split::Train, "22"), (Split::Test, "11")]);
        assert_eq!(listed.photo(0).unwrap().get_pixel(0, 0).0, [2; 3]);

        let packed = fixture::root(&place, "packed-shoe");
        for (part, stem) in [("train", "22"), ("test", "11")] {
            fixture::paint(&packed.join(format!("{part}B/{stem}.png")), 1);
            fixture::paint(&packed.join(format!("{part}A/{stem}_1.png")), 1);
        }
        assert_eq!(open(&packed).unwrap().index(), listed.index());

        fixture::write(&root.join("photo_test.txt"), "11.png\n33.png\n");
        assert!(open(&root).unwrap_err().to_string().contains("`33.png` in line 2"));
        fixture::write(&root.join("photo_test.txt"), "");
        assert!(open(&root).unwrap_err().to_string().contains("11.png: expected a photo in one of the two lists"));
    }

    #[test]
    fn chair_v2_has_the_measured_counts() {
        let Some(data) = fixture::real_data() else { return };
        let corpus = open(&data.join("QMUL-Chair-V2")).unwrap();
        let counts: Vec<_> = corpus.index().counts().into_iter().collect();
        assert_eq!(counts, [("test".to_string(), [100, 323]), ("train".to_string(), [300, 952])]);
        let mut strokes = 0;
        let mut points = 0;
        for position in 0..1275 {
            let Drawing::Vector(sketch) = corpus.drawing(position).unwrap() else { panic!("a vector corpus") };
            strokes += sketch.strokes.len();
            points += sketch.points();
        }
        assert!((strokes as f64 / 1275.0 - 9.9).abs() < 0.05, "{strokes}");
        assert!((points as f64 / 1275.0 - 112.8).abs() < 0.05, "{points}");
        assert_eq!(corpus.photo(0).unwrap().dimensions(), (256, 256));
    }
}
