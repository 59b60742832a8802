//! Sketches in JSON files: our own form, and QuickDraw's simplified one.

use super::{CANVAS, Point, Sketch, Stroke};
use crate::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// What a good file looks like, for errors.
const FORM: &str = r#"{"strokes": [[[x, y], ...], ...]} or {"drawing": [[[x, ...], [y, ...]], ...]}"#;

/// A file of either form; other keys (`word`, `key_id`, ...) are ignored.
#[derive(Deserialize)]
struct File {
    strokes: Option<Vec<Vec<[f64; 2]>>>,
    drawing: Option<Vec<Vec<Vec<f64>>>>,
}

/// Reads a sketch from a JSON file.
///
/// # Errors
/// A file that cannot be read, and whatever [`parse`] refuses.
pub fn read(path: impl AsRef<Path>) -> Result<Sketch> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let text = String::from_utf8(bytes).map_err(|error| Error::data(path, "JSON in UTF-8", error))?;
    parse(&text, path)
}

/// Reads a sketch from the text of a JSON file; `path` is only named in errors.
///
/// Either a list of strokes, each a list of points, under `strokes`; or QuickDraw's simplified form under `drawing`,
/// each stroke a list of all x and a list of all y. Other keys are ignored.
///
/// # Shapes
/// Coordinates from 0 to 256, x to the right and y down.
///
/// # Errors
/// Malformed JSON, neither key or both, no strokes, an empty stroke, lists of x and y of other lengths or with a third
/// list (QuickDraw's raw form, which has times and is on no canvas), a coordinate outside 0 to 256.
///
/// ```
/// use retrace::sketch::json;
/// let ours = json::parse(r#"{"strokes": [[[1, 2], [3, 4]], [[5, 6]]]}"#, "a.json")?;
/// let quickdraw = json::parse(r#"{"word": "chair", "drawing": [[[1, 3], [2, 4]], [[5], [6]]]}"#, "b.json")?;
/// assert_eq!(ours, quickdraw);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Sketch> {
    let path = path.as_ref();
    let file: File = serde_json::from_str(text).map_err(|error| Error::data(path, FORM, error))?;
    let strokes = match (file.strokes, file.drawing) {
        (Some(strokes), None) => strokes.into_iter().map(points).collect(),
        (None, Some(drawing)) => transpose(drawing).map_err(|(expected, found)| Error::data(path, expected, found))?,
        (None, None) => return Err(Error::data(path, FORM, "neither key")),
        (Some(_), Some(_)) => return Err(Error::data(path, FORM, "both keys")),
    };
    let sketch = Sketch { strokes };
    sketch.check(path)?;
    check_canvas(&sketch, path)?;
    Ok(sketch)
}

fn points(stroke: Vec<[f64; 2]>) -> Stroke {
    stroke.into_iter().map(|[x, y]| Point::new(x as f32, y as f32)).collect()
}

/// QuickDraw's lists of x and y as points; else what was expected and what was found.
fn transpose(drawing: Vec<Vec<Vec<f64>>>) -> Result<Vec<Stroke>, (&'static str, String)> {
    let stroke = |(at, lists): (usize, Vec<Vec<f64>>)| match lists.as_slice() {
        [x, y] if x.len() == y.len() => Ok(points(x.iter().zip(y).map(|(&x, &y)| [x, y]).collect())),
        [x, y] => Err(("as many x as y", format!("{} x and {} y in stroke {}", x.len(), y.len(), at + 1))),
        lists => Err((
            "two lists a stroke, x and y (QuickDraw's simplified form)",
            format!("{} lists in stroke {}", lists.len(), at + 1),
        )),
    };
    drawing.into_iter().enumerate().map(stroke).collect()
}

/// Refuses drawings at another scale, which would be cut off silently.
fn check_canvas(sketch: &Sketch, path: &Path) -> Result<()> {
    let inside = |point: &Point| (0.0..=CANVAS).contains(&point.x) && (0.0..=CANVAS).contains(&point.y);
    for (at, stroke) in sketch.strokes.iter().enumerate() {
        if let Some(k) = stroke.iter().position(|point| !inside(point)) {
            let found = format!("({}, {}) at stroke {}, point {}", stroke[k].x, stroke[k].y, at + 1, k + 1);
            return Err(Error::data(path, "coordinates from 0 to 256", found));
        }
    }
    Ok(())
}

/// Writes a sketch as the text of a JSON file, which [`parse`] reads back, point for point.
///
/// # Errors
/// A coordinate that is not finite, which JSON cannot express, and whatever else [`Sketch::check`] refuses.
///
/// ```
/// use retrace::sketch::{Point, Sketch, json};
/// let sketch = Sketch { strokes: vec![vec![Point::new(1.5, 2.0)]] };
/// assert_eq!(json::format(&sketch)?, r#"{"strokes":[[[1.5,2.0]]]}"#);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn format(sketch: &Sketch) -> Result<String> {
    sketch.check("sketch")?;
    let strokes: Vec<Vec<[f32; 2]>> =
        sketch.strokes.iter().map(|stroke| stroke.iter().map(|point| [point.x, point.y]).collect()).collect();
    Ok(serde_json::to_string(&serde_json::json!({ "strokes": shortest(&strokes)? }))?)
}

/// Numbers as 32-bit floats print them: 0.1, where the same value as a 64-bit float prints 0.10000000149011612.
fn shortest(strokes: &[Vec<[f32; 2]>]) -> Result<serde_json::Value> {
    Ok(serde_json::from_str(&serde_json::to_string(strokes)?)?)
}

/// Writes a sketch to a JSON file.
///
/// # Errors
/// As [`format()`], and a file that cannot be written.
pub fn write(sketch: &Sketch, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    sketch.check(path)?;
    std::fs::write(path, format(sketch)?).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::any_sketch;
    use proptest::prelude::*;

    fn message(text: &str) -> String {
        parse(text, "x.json").unwrap_err().to_string()
    }

    #[test]
    fn parse_names_what_is_wrong() {
        assert!(message("").starts_with("x.json: expected {\"strokes\""));
        assert!(message("{\"strokes\": [[[1, 2]").contains("line 1"));
        assert!(message("{}").ends_with("found neither key"));
        assert!(message(r#"{"strokes": [[[1, 2]]], "drawing": [[[1], [2]]]}"#).ends_with("found both keys"));
        assert_eq!(message(r#"{"strokes": []}"#), "x.json: expected at least one stroke, found none");
        assert!(message(r#"{"strokes": [[[1, 2]], []]}"#).ends_with("found none in stroke 2"));
        assert!(message(r#"{"strokes": [[[1, 2, 3]]]}"#).starts_with("x.json: expected {\"strokes\""));
        assert!(message(r#"{"strokes": [[[1, null]]]}"#).starts_with("x.json: expected {\"strokes\""));
        assert!(message(r#"{"strokes": [[[1, 1e99]]]}"#).contains("finite"));
        assert_eq!(
            message(r#"{"strokes": [[[1, 2], [300, 5]]]}"#),
            "x.json: expected coordinates from 0 to 256, found (300, 5) at stroke 1, point 2"
        );
        assert!(read("no/such/file.json").unwrap_err().to_string().starts_with("no/such/file.json"));
    }

    #[test]
    fn parse_checks_quickdraw() {
        assert_eq!(
            message(r#"{"drawing": [[[1, 2], [3]]]}"#),
            "x.json: expected as many x as y, found 2 x and 1 y in stroke 1"
        );
        let raw = message(r#"{"drawing": [[[1], [2]], [[1], [2], [0]]]}"#);
        assert!(raw.ends_with("(QuickDraw's simplified form), found 3 lists in stroke 2"), "{raw}");
        assert!(message(r#"{"drawing": [[[], []]]}"#).ends_with("found none in stroke 1"));
        assert!(message(r#"{"drawing": [[[-1], [2]]]}"#).contains("coordinates from 0 to 256"));
    }

    #[test]
    fn json_files_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let sketch =
            Sketch { strokes: vec![vec![Point::new(0.1, 256.0)], vec![Point::new(1.0, 2.0), Point::new(3.0, 4.0)]] };
        write(&sketch, &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), r#"{"strokes":[[[0.1,256.0]],[[1.0,2.0],[3.0,4.0]]]}"#);
        assert_eq!(read(&path).unwrap(), sketch);
        assert!(write(&Sketch::default(), &path).is_err());
        assert!(format(&sketch.map(|_| Point::new(f32::NAN, 0.0))).is_err());
    }

    proptest! {
        #[test]
        fn json_reads_back_exactly(sketch in any_sketch()) {
            prop_assert_eq!(parse(&format(&sketch).unwrap(), "a").unwrap(), sketch);
        }
    }
}
