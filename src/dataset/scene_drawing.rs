//! Files of scenes of strokes, drawn object by object: a line of JSON each, as FrISS and CBSC have them.

use super::{SketchInstance, json};
use crate::sketch::{CANVAS, Point, Sketch};
use crate::{Error, Result};
use std::path::Path;

/// A drawing of a scene, object by object.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneDrawing {
    /// The corpus's own name of it; never printed into `results/`.
    pub id: String,
    /// The released part: `train`, `val` or `validation`, `test`.
    pub part: String,
    /// In the order in which they were drawn; at least one.
    pub instances: Vec<SketchInstance>,
}

impl SceneDrawing {
    /// All strokes, in the order in which they were drawn.
    pub fn sketch(&self) -> Sketch {
        Sketch { strokes: self.instances.iter().flat_map(|instance| instance.strokes.strokes.clone()).collect() }
    }
}

/// Reads every drawing of a file of scenes, packed or not.
///
/// # Errors
/// A missing or cut file; the first line that does not fit.
///
/// ```
/// let place = tempfile::tempdir().unwrap();
/// let path = place.path().join("cbsc.jsonl");
/// let line = r#"{"img_id": "0_home_1", "img_w": 512, "img_h": 256, "split": "test", "object_divisions": [0, 1],
///     "scene_strokes": [[10, 20, 0], [30, 0, 1]], "gt_class_names": ["lamp"]}"#;
/// std::fs::write(&path, line.replace('\n', "")).unwrap();
/// let drawing = &retrace::dataset::scene_drawings(&path)?[0];
/// let point = drawing.instances[0].strokes.strokes[0][1];
/// assert_eq!((point.x, point.y), (20.0, 74.0)); // half as large, and 64 lower: the sheet is wide
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn scene_drawings(path: &Path) -> Result<Vec<SceneDrawing>> {
    let mut problems = Vec::new();
    let drawings = read_all(path, &mut problems)?;
    problems.into_iter().next().map_or(Ok(drawings), Err)
}

/// A line of either file; `gt_classes`, the names' numbers in CBSC, is not read.
#[derive(Debug, serde::Deserialize)]
struct SceneLine {
    img_id: String,
    img_w: f32,
    img_h: f32,
    split: String,
    scene_strokes: Vec<[f32; 3]>,
    object_divisions: Vec<usize>,
    gt_class_names: Vec<String>,
}

pub(super) fn read_all(path: &Path, problems: &mut Vec<Error>) -> Result<Vec<SceneDrawing>> {
    let mut drawings = Vec::new();
    json::read_lines(path, "a drawing of a scene, as FrISS has it", problems, |line: SceneLine, _| {
        drawings.push(SceneDrawing { instances: instances(&line)?, id: line.img_id, part: line.split });
        Ok(())
    })?;
    if drawings.is_empty() && problems.is_empty() {
        problems.push(Error::data(path, "at least one drawing", "none"));
    }
    Ok(drawings)
}

/// The strokes of each object, on the canvas.
fn instances(line: &SceneLine) -> Result<Vec<SketchInstance>, json::Fault> {
    let sketch = Sketch::from_stroke3(&line.scene_strokes).map_err(json::fault)?;
    let divisions = &line.object_divisions;
    let rise = divisions.windows(2).all(|pair| pair[0] < pair[1]);
    let ends = (divisions.first(), divisions.last()) == (Some(&0), Some(&sketch.strokes.len()));
    if !rise || !ends || divisions.len() != line.gt_class_names.len() + 1 {
        let expected = format!("divisions from 0 to {} strokes, one object for each class", sketch.strokes.len());
        return Err((expected, format!("{divisions:?} of {} classes", line.gt_class_names.len())));
    }
    let sketch = on_canvas(&sketch, line.img_w, line.img_h)?;
    let instance = |(name, ends): (&String, &[usize])| SketchInstance {
        category: name.clone(),
        object: None,
        strokes: Sketch { strokes: sketch.strokes[ends[0]..ends[1]].to_vec() },
    };
    Ok(line.gt_class_names.iter().zip(divisions.windows(2)).map(instance).collect())
}

/// Scales a sheet to the canvas and lays it in the middle.
fn on_canvas(sketch: &Sketch, width: f32, height: f32) -> Result<Sketch, json::Fault> {
    let side = width.max(height);
    if !(width > 0.0 && height > 0.0 && side.is_finite()) {
        return Err(("a sheet with an area".into(), format!("{width} x {height}")));
    }
    let (left, top) = ((side - width) / 2.0, (side - height) / 2.0);
    let scale = CANVAS / side;
    Ok(sketch.map(|point| Point::new((point.x + left) * scale, (point.y + top) * scale)))
}
