//! QuickDraw: drawings with their classes, without photos.
//!
//! ```text
//! *.ndjson, *.ndjson.gz     a line a drawing: {"key_id": "...", "word": "<class>", "recognized": true, "drawing": [...]}
//!
//! simplified    a stroke is [[x, ...], [y, ...]], from 0 to 255
//! raw           a stroke is [[x, ...], [y, ...], [time, ...]], in pixels of the screen
//! ```
//!
//! A raw drawing is moved to the left and the top and scaled so that its longer side ends at 255, as the simplified ones
//! were; its points stay as many as they are. Other keys, such as `countrycode`, are not read.

use super::report::{self, Report};
use super::{Layout, catalogue, check, json, listing, scene_drawing};
use crate::sketch::{Point, Sketch, Stroke};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The largest coordinate of a simplified drawing.
const LARGEST: f32 = 255.0;

/// A drawing of a known class.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledDrawing {
    /// The corpus's own name of it; never printed into `results/`.
    pub id: String,
    /// What the person was asked to draw.
    pub category: String,
    /// Whether the game recognised it.
    pub recognised: bool,
    /// Its strokes.
    pub sketch: Sketch,
}

/// A corpus of drawings, for a classifier of sketches or for models of strokes.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawings {
    name: String,
    version: String,
    drawings: Vec<LabelledDrawing>,
}

/// Reads every drawing of a file, or of the files in a folder, sorted by class, then id.
///
/// All are kept in memory: a class of the whole release is about 100,000 drawings.
///
/// # Errors
/// A folder without such files; a cut file; the first line that does not fit, an id that stands twice.
///
/// # References
/// Ha and Eck, A Neural Representation of Sketch Drawings, 2017; the Quick, Draw! Dataset, Google, 2017.
///
/// ```
/// let place = tempfile::tempdir().unwrap();
/// let line = r#"{"key_id": "7", "word": "chair", "recognized": true, "drawing": [[[10, 20], [0, 255]]]}"#;
/// std::fs::write(place.path().join("chair.ndjson"), line).unwrap();
/// let drawings = retrace::dataset::drawings(place.path())?;
/// assert_eq!((drawings.all().len(), drawings.all()[0].category.as_str()), (1, "chair"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn drawings(root: &Path) -> Result<Drawings> {
    let mut problems = Vec::new();
    let drawings = read(root, &mut problems)?;
    problems.into_iter().next().map_or(Ok(drawings), Err)
}

impl Drawings {
    /// The name of its folder or file in lower case with dashes, e.g. `quickdraw-345`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A hash of file names and sizes, as a corpus has it ([`super::Source::version`]).
    pub fn version(&self) -> String {
        self.version.clone()
    }

    /// All drawings; at least one.
    pub fn all(&self) -> &[LabelledDrawing] {
        &self.drawings
    }

    /// How many drawings each class has.
    pub fn classes(&self) -> BTreeMap<&str, usize> {
        let mut classes = BTreeMap::new();
        self.drawings.iter().for_each(|drawing| *classes.entry(drawing.category.as_str()).or_insert(0) += 1);
        classes
    }
}

/// The layout of a file that holds drawings, by its name.
pub(super) fn detect_file(path: &Path) -> Option<Layout> {
    let name = path.file_name()?.to_str()?;
    let is_one = |ending: &str| name.strip_suffix(".gz").unwrap_or(name).ends_with(ending) && path.is_file();
    match (is_one(".ndjson"), is_one(".jsonl")) {
        (true, _) => Some(Layout::Drawings),
        (_, true) => Some(Layout::SceneDrawings),
        _ => None,
    }
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    files(root).iter().any(|path| detect_file(path) == Some(Layout::Drawings)).then_some(Layout::Drawings)
}

/// What lies in a folder, sorted; the file itself of a file.
fn files(root: &Path) -> Vec<PathBuf> {
    if root.is_file() {
        return vec![root.to_path_buf()];
    }
    let mut files: Vec<_> = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn read(root: &Path, problems: &mut Vec<Error>) -> Result<Drawings> {
    let (files, others): (Vec<_>, Vec<_>) =
        files(root).into_iter().partition(|path| detect_file(path) == Some(Layout::Drawings));
    let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    if let Some(other) = others.iter().find(|path| !is_hidden(path)) {
        return Err(Error::data(other, "files of ndjson or ndjson.gz alone", "another file"));
    }
    let (mut drawings, mut ids) = (Vec::new(), BTreeSet::new());
    for path in &files {
        json::read_lines(path, "a drawing, as QuickDraw has it", problems, |line: DrawnLine, _| {
            if !ids.insert(line.key_id.clone()) {
                return Err(("a `key_id` once".into(), format!("`{}` again", line.key_id)));
            }
            let sketch = strokes(&line.drawing)?;
            let (id, category, recognised) = (line.key_id, line.word, line.recognized);
            drawings.push(LabelledDrawing { id, category, recognised, sketch });
            Ok(())
        })?;
    }
    if drawings.is_empty() && problems.is_empty() {
        problems.push(Error::data(root, "at least one drawing", "none"));
    }
    drawings.sort_by(|a, b| (&a.category, &a.id).cmp(&(&b.category, &b.id)));
    let version = listing::version(root, files.iter().map(PathBuf::as_path))?;
    Ok(Drawings { name: catalogue::name_of_folder(root)?, version, drawings })
}

/// A line of either form.
#[derive(Debug, serde::Deserialize)]
struct DrawnLine {
    key_id: String,
    word: String,
    recognized: bool,
    drawing: Vec<Vec<Vec<f32>>>,
}

/// The strokes of a line.
fn strokes(drawing: &[Vec<Vec<f32>>]) -> Result<Sketch, json::Fault> {
    let is_raw = drawing.first().is_some_and(|stroke| stroke.len() == 3);
    let lists = if is_raw { 3 } else { 2 };
    let stroke = |(at, stroke): (usize, &Vec<Vec<f32>>)| -> Result<Stroke, json::Fault> {
        let length = stroke.first().map_or(0, Vec::len);
        if stroke.len() != lists || length == 0 || stroke.iter().any(|list| list.len() != length) {
            let lengths: Vec<usize> = stroke.iter().map(Vec::len).collect();
            return Err((format!("{lists} lists of one length"), format!("lengths {lengths:?} in stroke {}", at + 1)));
        }
        Ok(stroke[0].iter().zip(&stroke[1]).map(|(x, y)| Point::new(*x, *y)).collect())
    };
    let sketch = Sketch { strokes: drawing.iter().enumerate().map(stroke).collect::<Result<_, _>>()? };
    let Some((low, high)) = sketch.bounds() else { return Err(("at least one stroke".into(), "none".into())) };
    if is_raw {
        // A drawing of one point has no size, and stays a point.
        let scale = LARGEST / (high.x - low.x).max(high.y - low.y).max(f32::MIN_POSITIVE);
        let scale = if scale.is_finite() { scale } else { 1.0 };
        return Ok(sketch.map(|point| Point::new((point.x - low.x) * scale, (point.y - low.y) * scale)));
    }
    if low.x < 0.0 || low.y < 0.0 || high.x > LARGEST || high.y > LARGEST {
        let found = format!("{} to {}, {} to {}", low.x, high.x, low.y, high.y);
        return Err((format!("coordinates from 0 to {LARGEST}"), found));
    }
    Ok(sketch)
}

/// The report of a corpus without photos.
pub(super) fn report(root: &Path, layout: Layout) -> Result<Report> {
    let mut problems = Vec::new();
    let (name, version, count) = if layout == Layout::SceneDrawings {
        let scenes = scene_drawing::read_all(root, &mut problems)?;
        (catalogue::name_of_folder(root)?, listing::version(root, [root].into_iter())?, scenes.len())
    } else {
        let drawings = read(root, &mut problems)?;
        (drawings.name, drawings.version, drawings.drawings.len())
    };
    let counts = BTreeMap::from([("all".to_string(), [0, count])]);
    let comparisons = report::compare(&counts, &check::published(&name)?);
    let problems = problems.iter().map(Error::to_string).collect();
    let (layout, sizes, drawings) = (Some(layout), BTreeMap::new(), [count, 0]);
    Ok(Report { name, layout, version, counts, undrawn: 0, sizes, drawings, comparisons, problems })
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{check::check, open};

    fn points(sketch: &Sketch) -> Vec<Vec<[f32; 2]>> {
        sketch.strokes.iter().map(|stroke| stroke.iter().map(|point| [point.x, point.y]).collect()).collect()
    }

    #[test]
    fn simplified_and_raw_drawings_read() {
        let place = tempfile::tempdir().unwrap();
        fixture::quickdraw(place.path());
        let corpus = drawings(place.path()).unwrap();
        let all: Vec<_> = corpus.all().iter().map(|d| (d.category.as_str(), d.id.as_str(), d.recognised)).collect();
        assert_eq!(all, [("ant", "2", false), ("bat", "1", true), ("bat", "3", true)]);
        assert_eq!(points(&corpus.all()[0].sketch), [vec![[0.0, 10.0], [255.0, 20.0]], vec![[7.0, 8.0]]]);
        // From (100, 50) to (200, 100) on the screen: 100 pixels are 255 units.
        assert_eq!(points(&corpus.all()[1].sketch), [[[0.0, 0.0], [255.0, 127.5]]]);
        assert_eq!(points(&corpus.all()[2].sketch), [[[0.0, 0.0]]]);
        assert_eq!(corpus.classes(), BTreeMap::from([("ant", 1), ("bat", 2)]));
    }

    #[test]
    fn the_check_counts_what_cannot_be_opened() {
        let place = tempfile::tempdir().unwrap();
        fixture::quickdraw(place.path());
        let report = check(place.path()).unwrap();
        assert!(report.is_sound() && report.counts["all"] == [0, 3], "{report}");
        assert!(report.to_string().contains("all         0 photos       3 sketches"), "{report}");
        let error = open(place.path().to_str().unwrap(), None).err().unwrap().to_string();
        assert!(error.contains("expected photos and sketches of them, found drawings alone"), "{error}");
    }

    #[test]
    fn faults_name_the_line() {
        let line =
            |drawing: &str| format!(r#"{{"key_id": "9", "word": "ant", "recognized": true, "drawing": {drawing}}}"#);
        let cases = [
            (line("[[[1, 2], [3]]]"), "expected 2 lists of one length, found lengths [2, 1] in stroke 1, in line 2"),
            (line("[[[1], [3]], [[1], [3], [4]]]"), "lengths [1, 1, 1] in stroke 2"),
            (line("[[[], []]]"), "lengths [0, 0] in stroke 1"),
            (line("[]"), "expected at least one stroke, found none"),
            (line("[[[1, 256], [3, 4]]]"), "expected coordinates from 0 to 255, found 1 to 256, 3 to 4"),
            (line("[[[1], [3]]]").replace("\"word\": \"ant\", ", ""), "missing field `word`"),
            (line("[[[1], [3]]]").replace("\"9\"", "\"2\""), "expected a `key_id` once, found `2` again, in line 2"),
            (line("[[[1]")[..40].to_string(), "as QuickDraw has it, found EOF"),
        ];
        for (bad, expected) in cases {
            let place = tempfile::tempdir().unwrap();
            let good = line("[[[1], [3]]]").replace("\"9\"", "\"2\"");
            fixture::write(&place.path().join("ant.ndjson"), [good, bad].join("\n"));
            let error = drawings(place.path()).unwrap_err().to_string();
            assert!(error.contains("ant.ndjson: expected") && error.contains(expected), "{error}");
        }
        let place = tempfile::tempdir().unwrap();
        fixture::write(&place.path().join("ant.ndjson"), "\n");
        assert!(drawings(place.path()).unwrap_err().to_string().contains("at least one drawing"));
        fixture::write(&place.path().join("notes.txt"), "");
        assert!(
            drawings(place.path())
                .unwrap_err()
                .to_string()
                .contains("notes.txt: expected files of ndjson or ndjson.gz alone")
        );
    }

    #[test]
    fn the_real_drawings_have_the_measured_counts() {
        let Some(data) = fixture::real_data() else { return };
        let corpus = drawings(&data.join("QuickDraw-345")).unwrap();
        let classes = corpus.classes();
        assert_eq!((corpus.name(), corpus.all().len(), classes.len()), ("quickdraw-345", 10_317, 345));
        assert_eq!(corpus.all().iter().filter(|drawing| drawing.recognised).count(), 9540);
        assert!(classes.values().all(|count| *count >= 25));
    }
}
