//! FS-COCO as it is released: free-hand sketches of scenes, as strokes.
//!
//! ```text
//! images/<person>/<id>.jpg         raw_data/<person>/<id>.json        val_normal.txt: an id of the test part a line
//!
//! [{"timestamp": t, "coordinates": [x, y], "pen_state": [0, 1, 0]}, ...]
//! ```
//!
//! Coordinates run from 0 to 1 of the drawing's width and height. The state `[1, 0, 0]` is that of a stroke's last point,
//! `[0, 1, 0]` of all others; the released code knows no more of them. Some points spell `coordinates` as `coopdinates`.
//!
//! The list of the test part is that of the released baseline. `val_unseen_user.txt` cuts the sketches of every person
//! into both parts, and is not read; nor are time stamps, captions and `raster_sketches/`. The whole set was not at hand.

use super::corpus::{FileCorpus, Layout, Scan};
use super::found::{FoundPhoto, FoundSketch, Stored, StoredPhoto};
use super::picture::PICTURES;
use super::scene::SCENE;
use super::{PhotoEntry, Split, catalogue, json, listing};
use crate::sketch::{CANVAS, Point, Sketch, Stroke};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

const TEST: &str = "val_normal.txt";

/// Opens the corpus.
///
/// # Errors
/// A missing folder or list; a drawing without its photo, an id in the list that is not there: the first of them, and how
/// many more there are. A drawing is read, and refused if it is malformed, when it is asked for.
///
/// # References
/// Chowdhury et al., FS-COCO, ECCV 2022, and its released code.
pub fn open(root: &Path) -> Result<FileCorpus> {
    scan(root)?.open()
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    (root.join("raw_data").is_dir() && root.join("images").is_dir()).then_some(Layout::FsCoco)
}

pub(super) fn scan(root: &Path) -> Result<Scan> {
    let mut scan = Scan::new(catalogue::name_of_folder(root)?, Layout::FsCoco, root);
    let list = root.join(TEST);
    let text = std::fs::read_to_string(&list).map_err(Error::io(&list))?;
    let mut test: BTreeSet<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut drawn = BTreeSet::new();
    for (person, folder) in listing::folders(&root.join("images"))? {
        for (id, path) in listing::files(&folder, &PICTURES, &mut scan.problems) {
            let split = if test.remove(id.as_str()) { Split::Test } else { Split::Train };
            let entry = PhotoEntry { id: id.clone(), category: SCENE.into(), split };
            scan.photos.push(FoundPhoto { entry, stored: StoredPhoto::Picture(path), objects: None });
            drawn.insert((person.clone(), id));
        }
    }
    for id in test {
        scan.problems.push(Error::data(&list, "ids of photos", format!("`{id}`, which is not there")));
    }
    for (person, folder) in listing::folders(&root.join("raw_data"))? {
        add_drawings(&person, &folder, &mut drawn, &mut scan);
    }
    for (person, id) in drawn {
        let path = root.join("raw_data").join(person).join(format!("{id}.json"));
        scan.problems.push(Error::data(path, "a drawing for every photo", "none"));
    }
    scan.tables.push(list);
    Ok(scan)
}

fn add_drawings(person: &str, folder: &Path, drawn: &mut BTreeSet<(String, String)>, scan: &mut Scan) {
    let Ok(sketcher) = person.parse() else {
        scan.problems.push(Error::data(folder, "a folder named by the number of a person", format!("`{person}`")));
        return;
    };
    for (id, path) in listing::files(folder, &["json"], &mut scan.problems) {
        drawn.remove(&(person.to_string(), id.clone()));
        scan.sketches.push(FoundSketch {
            id: person.to_string(),
            photo: id,
            category: SCENE.into(),
            split: None,
            sketcher: Some(sketcher),
            stored: Stored::TimedPoints(path),
            objects: None,
        });
    }
}

/// A point as it is released; other keys are not read.
#[derive(Debug, serde::Deserialize)]
struct TimedPoint {
    #[serde(alias = "coopdinates")]
    coordinates: (Number, Number),
    pen_state: [Number; 3],
}

/// A number, in quotes or not: the released code turns either into one.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(f64),
    Quoted(String),
}

impl Number {
    fn value(&self) -> Option<f64> {
        match self {
            Self::Plain(value) => Some(*value),
            Self::Quoted(text) => text.trim().parse().ok(),
        }
    }
}

/// Reads the strokes of a file.
///
/// A pen may leave the sheet, and rasterising cuts it there; more than a sheet away the scale is another.
pub(super) fn read(path: &Path) -> Result<Sketch> {
    let points: Vec<TimedPoint> = json::read(path, "a list of points with `coordinates` and `pen_state`")?;
    let mut sketch = Sketch::default();
    let mut stroke = Stroke::new();
    for (at, point) in points.iter().enumerate() {
        let fault = |expected: &str, found: String| Error::data(path, expected, format!("{found} at point {}", at + 1));
        let place = (point.coordinates.0.value(), point.coordinates.1.value());
        let (Some(x @ -1.0..=2.0), Some(y @ -1.0..=2.0)) = place else {
            return Err(fault("coordinates from 0 to 1", format!("{:?}", point.coordinates)));
        };
        stroke.push(Point::new(x as f32 * CANVAS, y as f32 * CANVAS));
        match point.pen_state.each_ref().map(Number::value) {
            [Some(1.0), Some(0.0), Some(0.0)] => sketch.strokes.push(std::mem::take(&mut stroke)),
            [Some(0.0), Some(1.0), Some(0.0)] => {}
            _ => return Err(fault("a pen state of [1, 0, 0] or [0, 1, 0]", format!("{:?}", point.pen_state))),
        }
    }
    if !stroke.is_empty() {
        sketch.strokes.push(stroke); // nothing behind it belongs to it
    }
    sketch.check(path)?;
    Ok(sketch)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{Drawing, Source, check};

    const POINTS: &str = r#"[{"timestamp": 1, "coordinates": [0.25, 0.5], "pen_state": [0, 1, 0]},
        {"timestamp": 2, "coopdinates": ["0.5", "0.5"], "pen_state": ["1", "0", "0"]},
        {"timestamp": 3, "coordinates": [0.75, 1.0], "pen_state": [0, 1, 0]},
        {"timestamp": 4, "coordinates": [0.0, 0.0], "pen_state": [1, 0, 0]}]"#;

    fn small() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for (person, id) in [(1, "000000000009"), (12, "000000000010")] {
            fixture::paint(&place.path().join(format!("images/{person}/{id}.jpg")), 10);
            fixture::write(&place.path().join(format!("raw_data/{person}/{id}.json")), POINTS);
        }
        fixture::write(&place.path().join(TEST), "000000000010\n");
        place
    }

    #[test]
    fn strokes_end_where_the_pen_is_lifted() {
        let place = small();
        let corpus = open(place.path()).unwrap();
        let Drawing::Vector(sketch) = corpus.drawing(0).unwrap() else { panic!("strokes") };
        let expected = [
            vec![Point::new(64.0, 128.0), Point::new(128.0, 128.0)],
            vec![Point::new(192.0, 256.0), Point::new(0.0, 0.0)],
        ];
        assert_eq!(sketch.strokes, expected);
        let photos: Vec<_> = corpus.index().photos.iter().map(|photo| (photo.id.as_str(), photo.split)).collect();
        assert_eq!(photos, [("000000000009", Split::Train), ("000000000010", Split::Test)]);
        assert_eq!(
            corpus.index().sketches.iter().map(|sketch| sketch.sketcher).collect::<Vec<_>>(),
            [Some(1), Some(12)]
        );
        assert!(check(place.path()).unwrap().is_sound());
    }

    #[test]
    fn malformed_points_are_named() {
        let cases = [
            (POINTS.replace("coopdinates", "coords"), "missing field `coordinates`"),
            (POINTS.replace("\"0.5\"", "\"half\""), "expected coordinates from 0 to 1"),
            (POINTS.replace("0.75", "192.0"), "found (Plain(192.0), Plain(1.0)) at point 3"),
            (POINTS.replace("[\"1\", \"0\", \"0\"]", "[0, 0, 1]"), "expected a pen state of [1, 0, 0] or [0, 1, 0]"),
            (POINTS[..90].to_string(), "expected a list of points"),
            ("[]".to_string(), "expected at least one stroke"),
        ];
        for (text, expected) in cases {
            let place = small();
            fixture::write(&place.path().join("raw_data/1/000000000009.json"), text);
            let report = check(place.path()).unwrap();
            let problem = &report.problems[0];
            assert!(problem.contains("000000000009.json") && problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn what_does_not_pair_is_named() {
        let place = small();
        fixture::write(&place.path().join(TEST), "000000000010\n000000000011\n");
        let error = open(place.path()).unwrap_err().to_string();
        assert!(error.contains("val_normal.txt: expected ids of photos, found `000000000011`"), "{error}");
        let place = small();
        std::fs::rename(place.path().join("raw_data/12"), place.path().join("raw_data/13")).unwrap();
        let error = open(place.path()).unwrap_err().to_string();
        assert!(error.contains("12/000000000010.json: expected a drawing for every photo, found none"), "{error}");
        std::fs::rename(place.path().join("raw_data/13"), place.path().join("raw_data/Ann")).unwrap();
        assert!(open(place.path()).unwrap_err().to_string().contains("found `Ann`"));
    }
}
