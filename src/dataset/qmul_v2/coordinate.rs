//! The layout with a coordinate pickle.

use super::super::corpus::{Layout, Scan};
use super::super::found::{FoundSketch, Stored};
use super::super::{Split, listing, picture::PICTURES};
use super::{find_pickle, identify, pickle};
use crate::sketch::{CANVAS, Sketch};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn scan(root: &Path) -> Result<Scan> {
    let Some(path) = find_pickle(root) else { return Err(Error::data(root, "a `*_Coordinate` file", "none")) };
    let (name, category) = identify(root, Some(&path))?;
    let mut scan = Scan::new(name, Layout::QmulV2Pickle, root);
    let splits = read_sketches(&path, category, &mut scan)?;
    for (stem, file) in listing::files(&root.join("photo"), &PICTURES, &mut scan.problems) {
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
                    objects: None,
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
fn parse_key(key: &str) -> Result<(Split, &str, &str), (&'static str, String)> {
    let lacks = |part: &str| ("a key `/<split>/<photo>_<n>`", format!("no {part}"));
    let (split, rest) = key.trim_start_matches('/').split_once('/').ok_or_else(|| lacks("split"))?;
    let split = match split {
        "train" => Split::Train,
        "test" => Split::Test,
        _ => return Err(("split `train` or `test`", format!("split `{split}`"))),
    };
    let (stem, suffix) = rest.rsplit_once('_').ok_or_else(|| lacks("`_`"))?;
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

#[cfg(test)]
mod tests {
    use crate::dataset::{fixture, qmul_v2::open};

    fn broken(keys: &[&str], rows: &[[f64; 3]]) -> String {
        let place = tempfile::tempdir().unwrap();
        fixture::chair_v2(place.path());
        fixture::coordinates(place.path(), keys, rows);
        open(place.path()).unwrap_err().to_string()
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
            ("/valid/a_SECRET", "expected split `train` or `test`, found split `valid` in key 3"),
            ("aSECRET", "found no split in key 3"),
            ("/train/aSECRET", "found no `_` in key 3"),
            ("/train/z_SECRET", "a sketch of `z`, which is not there"),
            ("/test/a_SECRET", "a sketch of `a` in split test, its photo in train"),
            ("/train/a_1", "two sketches with the same name for photo `a`"),
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
}
