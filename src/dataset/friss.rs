//! FrISS and CBSC: scenes of strokes, drawn object by object, without photos.
//!
//! ```text
//! friss.jsonl.gz    a line a drawing: {"img_id": "sceneid-<scene>-userid-<person>", "img_w": w, "img_h": h, "split": "...",
//! cbsc.jsonl.gz                        "scene_strokes": [[dx, dy, 1 at a stroke's end], ...],
//!                                      "object_divisions": [0, ...], "gt_class_names": ["<class>", ...]}
//! ```
//!
//! `object_divisions` holds the strokes at which objects begin, and the number of strokes at the end. A drawing is laid on
//! the 256 canvas with its longer side as wide; pens leave the sheet here and there, by up to two fifths of a side.
//!
//! FrISS as a corpus is searched for one drawing by another: two to seven people drew each scene from its description. The
//! "photo" of a scene is the drawing of the person with the lowest number, as pixels; those of the others are its
//! sketches. The released parts (`split`) mix scenes and people, so they are not used: all scenes are for the test, and
//! [`open_fold`] tests on the scenes whose number leaves that remainder when divided by five, and trains on the others.
//!
//! Scenes of CBSC were drawn once each, so they pair with nothing: [`super::scene_drawings`] gives them.

use super::corpus::{FileCorpus, Layout, Scan};
use super::found::{FoundPhoto, FoundSketch, Stored, StoredPhoto};
use super::objects::Objects;
use super::scene::SCENE;
use super::{PhotoEntry, SceneDrawing, Split, catalogue, scene_drawing};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILES: [&str; 2] = ["friss.jsonl.gz", "friss.jsonl"];

/// As many as the folds of the other corpora of scenes.
const FOLDS: u32 = 5;

/// Opens FrISS with all scenes for the test.
///
/// # Errors
/// A missing file; the first line that does not fit, and how many more there are.
///
/// # References
/// Kütük and Sezgin, Class-Agnostic Visio-Temporal Scene Sketch Semantic Segmentation, WACV 2025 (FrISS); Zhang et al.,
/// Context-Based Sketch Classification, Expressive 2018 (CBSC).
pub fn open(root: &Path) -> Result<FileCorpus> {
    scan(root, None)?.open()
}

/// Opens FrISS with one fold of scenes for the test and the others for training.
///
/// # Errors
/// As [`open`]; a fold of 5 or more.
pub fn open_fold(root: &Path, fold: usize) -> Result<FileCorpus> {
    scan(root, Some(fold))?.open()
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    file_of(root).map(|_| Layout::Friss)
}

fn file_of(root: &Path) -> Option<PathBuf> {
    FILES.map(|name| root.join(name)).into_iter().find(|path| path.is_file())
}

pub(super) fn scan(root: &Path, fold: Option<usize>) -> Result<Scan> {
    let path = file_of(root).ok_or_else(|| Error::data(root, FILES.join(" or "), "neither"))?;
    if let Some(fold) = fold.filter(|fold| *fold >= FOLDS as usize) {
        return Err(Error::value("fold", format!("below {FOLDS}"), fold));
    }
    let name = catalogue::name_of_folder(root)?;
    let name = fold.map_or_else(|| name.clone(), |fold| format!("{name}-fold{fold}"));
    let mut scan = Scan::new(name, Layout::Friss, root);
    let mut scenes: BTreeMap<u32, BTreeMap<u32, SceneDrawing>> = BTreeMap::new();
    for drawing in scene_drawing::read_all(&path, &mut scan.problems)? {
        let Some((scene, person)) = scene_and_person(&drawing.id) else {
            let found = format!("`{}`", drawing.id);
            scan.problems.push(Error::data(&path, "an id `sceneid-<scene>-userid-<person>`", found));
            continue;
        };
        if scenes.entry(scene).or_default().insert(person, drawing).is_some() {
            let found = format!("two of scene {scene} by person {person}");
            scan.problems.push(Error::data(&path, "a drawing a person of each scene", found));
        }
    }
    for (scene, drawings) in scenes {
        let is_test = fold.is_none_or(|fold| scene % FOLDS == fold as u32);
        add_scene(scene, if is_test { Split::Test } else { Split::Train }, drawings, &mut scan);
    }
    scan.tables.push(path);
    Ok(scan)
}

/// The first drawing is the "photo", the others are its sketches.
fn add_scene(scene: u32, split: Split, drawings: BTreeMap<u32, SceneDrawing>, scan: &mut Scan) {
    let id = format!("{scene:04}"); // sorts as the numbers do
    for (at, (person, drawing)) in drawings.into_iter().enumerate() {
        let (photo, category, sketch) = (id.clone(), SCENE.to_string(), drawing.sketch());
        let objects = Some(Objects { strokes: Some(drawing.instances), ..Objects::default() });
        if at == 0 {
            let entry = PhotoEntry { id: photo, category, split };
            scan.photos.push(FoundPhoto { entry, stored: StoredPhoto::Strokes(sketch), objects });
        } else {
            let (id, stored, sketcher) = (format!("{person:03}"), Stored::Strokes(sketch), Some(person));
            scan.sketches.push(FoundSketch { id, photo, category, split: Some(split), sketcher, stored, objects });
        }
    }
}

/// The numbers of `sceneid-<scene>-userid-<person>`.
fn scene_and_person(id: &str) -> Option<(u32, u32)> {
    let (scene, person) = id.strip_prefix("sceneid-")?.split_once("-userid-")?;
    Some((scene.parse().ok()?, person.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{Drawing, Source, check, scene_drawings};
    use crate::sketch::Sketch;

    fn small() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        fixture::friss(place.path());
        place
    }

    fn points(sketch: &Sketch) -> Vec<Vec<[f32; 2]>> {
        sketch.strokes.iter().map(|stroke| stroke.iter().map(|point| [point.x, point.y]).collect()).collect()
    }

    #[test]
    fn the_first_person_draws_the_photo() {
        let place = small();
        let corpus = open(place.path()).unwrap();
        let index = corpus.index();
        assert_eq!(index.photos.iter().map(|photo| photo.id.as_str()).collect::<Vec<_>>(), ["0005", "0006"]);
        let sketches: Vec<_> = index.sketches.iter().map(|sketch| (sketch.photo, sketch.sketcher)).collect();
        assert_eq!(sketches, [(0, Some(3)), (0, Some(10)), (1, Some(4))]);
        let photo = corpus.photo(0).unwrap();
        // The lamp's stroke runs from (32, 128) to (128, 128) of the canvas.
        assert_eq!(
            (photo.dimensions(), photo.get_pixel(64, 128).0, photo.get_pixel(64, 100).0),
            ((256, 256), [0; 3], [255; 3])
        );
        assert!(matches!(corpus.drawing(0).unwrap(), Drawing::Vector(_)));
    }

    #[test]
    fn objects_have_their_strokes_and_pixels() {
        let place = small();
        let corpus = open(place.path()).unwrap();
        let scenes = corpus.scenes().unwrap();
        let objects = scenes.instance_strokes(2).unwrap().unwrap();
        assert_eq!(objects.iter().map(|object| object.category.as_str()).collect::<Vec<_>>(), ["lamp", "table"]);
        assert_eq!(points(&objects[0].strokes), [[[32.0, 128.0], [128.0, 128.0]]]);
        assert_eq!(points(&objects[1].strokes), [vec![[128.0, 133.0]], vec![[118.0, 133.0], [123.0, 138.0]]]);
        let map = scenes.photo_instances(1).unwrap().unwrap();
        let label = |x, y| map.pixels().get_pixel(x, y).0[0];
        assert_eq!((label(64, 128), label(120, 135), label(64, 100)), (1, 2, 0));
        assert_eq!(map, scenes.sketch_instances(2).unwrap().unwrap()); // the same drawing in the fixture
        assert!(check(place.path()).unwrap().is_sound());
    }

    #[test]
    fn a_fold_holds_every_fifth_scene() {
        let place = small();
        let corpus = open_fold(place.path(), 1).unwrap();
        let splits: Vec<_> = corpus.index().photos.iter().map(|photo| (photo.id.as_str(), photo.split)).collect();
        assert_eq!(splits, [("0005", Split::Train), ("0006", Split::Test)]);
        assert!(open_fold(place.path(), 5).unwrap_err().to_string().contains("fold: expected below 5, found 5"));
    }

    #[test]
    fn faults_name_the_line() {
        let line = fixture::scene_line("sceneid-1-userid-1");
        let cases = [
            (line.replace("[0, 1, 3]", "[0, 3]"), "found [0, 3] of 2 classes, in line 2"),
            (line.replace("[0, 1, 3]", "[0, 1, 2]"), "divisions from 0 to 3 strokes"),
            (line.replace("[0, 1, 3]", "[0, 3, 3]"), "divisions from 0 to 3 strokes"),
            (line.replace("192.0, 0.0, 1.0", "192.0, 0.0, 0.5"), "a pen flag of 0 or 1, found 0.5"),
            (line.replace("\"img_w\": 512", "\"img_w\": 0"), "a sheet with an area, found 0 x 256, in line 2"),
            (line.replace("\"split\": \"train\", ", ""), "missing field `split`"),
            (
                line.replace("userid", "user"),
                "expected an id `sceneid-<scene>-userid-<person>`, found `sceneid-1-user-1`",
            ),
            (line[..line.len() / 2].to_string(), "as FrISS has it, found EOF while parsing"),
            (fixture::scene_line("sceneid-6-userid-3"), "found two of scene 6 by person 3"),
        ];
        for (bad, expected) in cases {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("friss.jsonl");
            let good = [(6, 3), (6, 4)]
                .map(|(scene, person)| fixture::scene_line(&format!("sceneid-{scene}-userid-{person}")));
            fixture::write(&path, [&good[0], "\n", &bad, "\n", &good[1]].concat());
            let error = open(place.path()).unwrap_err().to_string();
            assert!(error.contains("friss.jsonl: expected") && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_cut_file_is_told() {
        let place = small();
        let path = place.path().join("friss.jsonl.gz");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert!(scene_drawings(&path).unwrap_err().to_string().contains("friss.jsonl.gz: expected a whole gzip file"));
        fixture::pack(&path, "\n");
        assert!(scene_drawings(&path).unwrap_err().to_string().contains("expected at least one drawing, found none"));
    }

    #[test]
    fn real_scenes_have_the_measured_counts() {
        let Some(data) = fixture::real_data() else { return };
        let root = data.join("FrISS-CBSC");
        let corpus = open(&root).unwrap();
        assert_eq!((corpus.name(), corpus.index().counts()["test"]), ("friss", [181, 828]));
        for (file, drawings, objects, strokes) in [("friss", 1009, 6099, 36_141), ("cbsc", 332, 1568, 10_983)] {
            let read = scene_drawings(&root.join(format!("{file}.jsonl.gz"))).unwrap();
            let found = read.iter().map(|drawing| drawing.instances.len()).sum::<usize>();
            let lines = read.iter().map(|drawing| drawing.sketch().strokes.len()).sum::<usize>();
            assert_eq!((read.len(), found, lines), (drawings, objects, strokes), "{file}");
        }
        let folds: Vec<_> = (0..5).map(|fold| open_fold(&root, fold).unwrap().index().counts()["test"][0]).collect();
        assert_eq!(folds.iter().sum::<usize>(), 181, "{folds:?}");
    }
}
