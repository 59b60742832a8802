//! Scenes whose objects have boxes and instance maps: the test part of SketchyCOCO's retrieval, and a part of FS-COCO.
//!
//! ```text
//! photo/<id>.jpg        sketch/<id>.png        instance/<id>.png: 8 bits of grey, as large as the sketch
//! boxes.json      {"<id>": {"photo_size": [w, h], "sketch_size": [w, h],
//!                           "photo_boxes": [[class, left, top, right, bottom], ...], "sketch_boxes": ...,
//!                           "n_fg_in_map": f, "n_bg_components": b}}
//! folds5.json     {"0": ["<id>", ...], ...}
//! ```
//!
//! In a map, 0 is paper, `i` from 1 the `i`-th sketch box, and what is above them background, such as grass. A box may
//! have no pixel. Boxes are in pixels of the sizes beside them; photos may be stored smaller.
//!
//! Both corpora are for testing: all pairs are of the test part. To train as well, [`open_fold`] tests on one fold of
//! five and trains on the others; by name, `sketchycoco-sl-210-fold0` to `-fold4`.

use super::class::{self, Classes};
use super::corpus::{FileCorpus, Layout, Scan};
use super::found::{FoundPhoto, FoundSketch, Stored, StoredPhoto};
use super::objects::{Objects, StoredMap};
use super::scene::SCENE;
use super::{BACKGROUND, ObjectBox, PhotoEntry, Split, catalogue, json, listing};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const BOXES: &str = "boxes.json";
const FOLDS: &str = "folds5.json";

/// Opens the corpus with all pairs for the test.
///
/// # Errors
/// A missing file or folder; a box of an unknown class; an id without its photo, sketch, map or boxes: the first of
/// them, and how many more there are.
///
/// # References
/// Liu et al., SceneSketcher, ECCV 2020 (the 210 pairs); Chowdhury et al., FS-COCO, ECCV 2022.
pub fn open(root: &Path) -> Result<FileCorpus> {
    scan(root, None)?.open()
}

/// Opens the corpus with one fold for the test and the others for training.
///
/// # Errors
/// As [`open`]; a fold that `folds5.json` does not have, or folds that do not hold each id once.
pub fn open_fold(root: &Path, fold: usize) -> Result<FileCorpus> {
    scan(root, Some(fold))?.open()
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    root.join(BOXES).is_file().then_some(Layout::BoxedScenes)
}

/// Class, left, top, right, bottom.
type PixelBox = (u32, f32, f32, f32, f32);

/// One scene of `boxes.json`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SceneBoxes {
    photo_size: [u32; 2],
    sketch_size: [u32; 2],
    photo_boxes: Vec<PixelBox>,
    sketch_boxes: Vec<PixelBox>,
    /// Foreground objects that have a pixel.
    n_fg_in_map: usize,
    n_bg_components: usize,
}

pub(super) fn scan(root: &Path, fold: Option<usize>) -> Result<Scan> {
    let name = catalogue::name_of_folder(root)?;
    let classes = classes_of(root, &name)?;
    let name = fold.map_or_else(|| name.clone(), |fold| format!("{name}-fold{fold}"));
    let mut scan = Scan::new(name, Layout::BoxedScenes, root);
    let path = root.join(BOXES);
    let json::Keyed(boxes) =
        json::read::<json::Keyed<SceneBoxes>>(&path, "boxes by id, as SketchyCOCO-SL-210 has them")?;
    let test = fold.map(|fold| test_ids(root, fold, boxes.keys())).transpose()?;
    let mut part = |folder: &str, endings: &[&str]| -> BTreeMap<String, PathBuf> {
        listing::files(&root.join(folder), endings, &mut scan.problems).into_iter().collect()
    };
    let mut files = [part("photo", &["jpg", "png"]), part("sketch", &["png"]), part("instance", &["png"])];
    for (id, boxes) in boxes {
        let split = if test.as_ref().is_none_or(|test| test.contains(&id)) { Split::Test } else { Split::Train };
        let [Some(photo), Some(sketch), Some(map)] = files.each_mut().map(|files| files.remove(&id)) else {
            scan.problems.push(Error::data(
                &path,
                "a photo, a sketch and a map of every id",
                format!("`{id}` without"),
            ));
            continue;
        };
        match objects(&boxes, classes, map) {
            Ok(objects) => add(&mut scan, id, split, (photo, sketch), objects),
            Err((expected, found)) => scan.problems.push(Error::data(&path, expected, format!("{found}, in `{id}`"))),
        }
    }
    for path in files.into_iter().flat_map(BTreeMap::into_values) {
        scan.problems.push(Error::data(path, format!("an id of {BOXES}"), "none"));
    }
    scan.tables.extend([path].into_iter().chain(fold.map(|_| root.join(FOLDS))));
    Ok(scan)
}

/// The corpora number their classes in different ways, so an unknown name must not be guessed at.
fn classes_of(root: &Path, name: &str) -> Result<Classes> {
    match name {
        _ if name.starts_with("sketchycoco") => Ok(class::SKETCHY_COCO),
        _ if name.starts_with("fs-coco") => Ok(class::COCO),
        _ => {
            let expected = "a folder named `SketchyCOCO-...` or `FS-COCO-...`, whose numbers of classes are known";
            Err(Error::data(root, expected, format!("`{name}`")))
        }
    }
}

/// Ids of a fold; each id of the corpus has to be in one fold, and no other in any.
fn test_ids<'a>(root: &Path, fold: usize, ids: impl Iterator<Item = &'a String>) -> Result<BTreeSet<String>> {
    let path = root.join(FOLDS);
    let json::Keyed(mut folds) = json::read::<json::Keyed<Vec<String>>>(&path, "lists of ids by fold")?;
    let mut listed: Vec<&String> = folds.values().flatten().collect();
    listed.sort_unstable();
    if !listed.iter().copied().eq(ids) {
        let found = format!("{} ids in {} folds that differ from them", listed.len(), folds.len());
        return Err(Error::data(path, format!("each id of {BOXES} once"), found));
    }
    let known: Vec<String> = folds.keys().cloned().collect();
    match folds.remove(&fold.to_string()) {
        Some(ids) => Ok(ids.into_iter().collect()),
        None => Err(Error::value("fold", format!("one of {}", known.join(", ")), fold)),
    }
}

/// What is known of the photo and of the sketch.
fn objects(boxes: &SceneBoxes, classes: Classes, map: PathBuf) -> Result<[Objects; 2], json::Fault> {
    let photo = to_shares(&boxes.photo_boxes, boxes.photo_size, classes)?;
    let sketch = to_shares(&boxes.sketch_boxes, boxes.sketch_size, classes)?;
    if boxes.n_fg_in_map > sketch.len() {
        let expected = format!("at most {} objects in the map, one for each box", sketch.len());
        return Err((expected, boxes.n_fg_in_map.to_string()));
    }
    let foreground = sketch.iter().map(|sketch_box| sketch_box.category.clone());
    let background = std::iter::repeat_n(BACKGROUND.to_string(), boxes.n_bg_components);
    let map = StoredMap::Picture(map, foreground.chain(background).collect());
    let of_photo = Objects { boxes: Some(photo), ..Objects::default() };
    Ok([of_photo, Objects { map: Some(map), boxes: Some(sketch), strokes: None }])
}

fn to_shares(boxes: &[PixelBox], size: [u32; 2], classes: Classes) -> Result<Vec<ObjectBox>, json::Fault> {
    let share = |&(number, left, top, right, bottom): &PixelBox| {
        let category =
            class::name(classes, number).ok_or_else(|| ("a known class".into(), format!("class {number}")))?;
        ObjectBox::in_pixels(category, [left, top, right, bottom], size).map_err(json::fault)
    };
    boxes.iter().map(share).collect()
}

fn add(scan: &mut Scan, id: String, split: Split, files: (PathBuf, PathBuf), [photo, sketch]: [Objects; 2]) {
    let entry = PhotoEntry { id: id.clone(), category: SCENE.into(), split };
    scan.photos.push(FoundPhoto { entry, stored: StoredPhoto::Picture(files.0), objects: Some(photo) });
    scan.sketches.push(FoundSketch {
        id: "1".into(),
        photo: id,
        category: SCENE.into(),
        split: Some(split),
        sketcher: None,
        stored: Stored::Picture(files.1),
        objects: Some(sketch),
    });
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, SCENES};
    use super::*;
    use crate::dataset::{Scenes, Source, check};
    use std::fs;

    /// A corpus in a folder of this name, damaged or not.
    fn small(name: &str, damage: impl Fn(&Path)) -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join(name);
        fixture::boxed_scenes(&root);
        damage(&root);
        (place, root)
    }

    fn replace(path: PathBuf, old: &str, new: &str) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old));
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    #[test]
    fn maps_and_boxes_read_as_they_were_written() {
        let (_place, root) = small("SketchyCOCO-small", |_| ());
        let corpus = open(&root).unwrap();
        assert_eq!((corpus.name(), corpus.index().counts()["test"]), ("sketchycoco-small", [2, 2]));
        let scenes = corpus.scenes().unwrap();
        let map = scenes.sketch_instances(0).unwrap().unwrap();
        assert_eq!(map.categories(), ["zebra", BACKGROUND]);
        let label = |x, y| map.pixels().get_pixel(x, y).0[0];
        assert_eq!((label(2, 3), label(4, 5), label(0, 0)), (1, 2, 0));
        let zebra = |bounds| vec![ObjectBox { category: "zebra".into(), bounds }];
        assert_eq!(scenes.sketch_boxes(0).unwrap().unwrap(), zebra([0.25, 0.0, 0.75, 1.0]));
        assert_eq!(scenes.photo_boxes(1).unwrap().unwrap(), zebra([0.25, 0.25, 0.75, 0.5]));
        assert!(scenes.photo_instances(0).unwrap().is_none() && scenes.instance_strokes(0).unwrap().is_none());
        assert!(scenes.sketch_boxes(2).unwrap_err().to_string().contains("a position below 2, found 2"));
    }

    #[test]
    fn numbers_of_classes_go_by_the_corpus() {
        let (_place, root) = small("FS-COCO-small", |_| ());
        let map = open(&root).unwrap().sketch_instances(0).unwrap().unwrap();
        assert_eq!(map.categories()[0], "parking meter");
        let (_place, other) = small("My scenes", |_| ());
        let error = open(&other).unwrap_err().to_string();
        assert!(error.contains("`SketchyCOCO-...` or `FS-COCO-...`") && error.contains("`my-scenes`"), "{error}");
    }

    #[test]
    fn a_fold_is_for_the_test() {
        let (_place, root) = small("SketchyCOCO-small", |_| ());
        let corpus = open_fold(&root, 0).unwrap();
        let photos: Vec<_> = corpus.index().photos.iter().map(|photo| (photo.split, photo.id.as_str())).collect();
        assert_eq!(photos, [(Split::Train, SCENES[0]), (Split::Test, SCENES[1])]);
        assert_eq!(corpus.name(), "sketchycoco-small-fold0");
        assert_ne!(corpus.version(), open(&root).unwrap().version());
        let missing = open_fold(&root, 2).unwrap_err().to_string();
        assert_eq!(missing, "fold: expected one of 0, 1, found 2");
        replace(root.join(FOLDS), SCENES[0], SCENES[1]);
        assert!(
            open_fold(&root, 0).unwrap_err().to_string().contains("folds5.json: expected each id of boxes.json once")
        );
    }

    #[test]
    fn faults_name_the_file() {
        type Damage = fn(&Path);
        let cases: [(Damage, &str); 7] = [
            (
                |root| replace(root.join(BOXES), "[14", "[13"),
                "boxes.json: expected a known class, found class 13, in `0000",
            ),
            (|root| replace(root.join(BOXES), "[8, 8]", "[8, 0]"), "a size in pixels, found [8, 0]"),
            (|root| replace(root.join(BOXES), r#""photo_size": [16, 32], "#, ""), "missing field `photo_size`"),
            (|root| replace(root.join(BOXES), SCENES[0], SCENES[1]), "`000000000042` twice"),
            (|root| fs::remove_file(root.join("sketch/000000000007.png")).unwrap(), "found `000000000007` without"),
            (|root| fixture::paint(&root.join("photo/3.jpg"), 9), "3.jpg: expected an id of boxes.json, found none"),
            (|root| fixture::write(&root.join(BOXES), "{\"000000000007\": {"), "boxes.json: expected boxes by id"),
        ];
        for (damage, expected) in cases {
            let (_place, root) = small("SketchyCOCO-small", damage);
            let error = open(&root).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn bad_maps_are_found_by_the_check() {
        let (_place, root) = small("SketchyCOCO-small", |root| {
            fixture::labels(&root.join("instance/000000000007.png"), &[(1, 1, 3)]);
            image::GrayImage::new(4, 8).save(root.join("instance/000000000042.png")).unwrap();
        });
        let report = check(&root).unwrap();
        assert_eq!(report.problems.len(), 2, "{report}");
        let expected = "000000000007.png: expected label of an instance map: at most 2, one for each category, found 3";
        assert!(report.problems[0].contains(expected), "{report}");
        assert!(report.problems[1].contains("8 x 8 pixels, as the picture has, found 4 x 8"), "{report}");
        fixture::paint(&root.join("instance/000000000007.png"), 1);
        assert!(check(&root).unwrap().problems[0].contains("expected labels as 8 bits of grey, found Rgb8"));
    }

    #[test]
    fn real_scenes_have_the_measured_objects() {
        let Some(data) = fixture::real_data() else { return };
        for (name, pairs, boxes, drawn_twice) in [("SketchyCOCO-SL-210", 210, 496, 206), ("FS-COCO-247", 247, 594, 139)]
        {
            let corpus = open(&data.join(name)).unwrap();
            assert_eq!(corpus.index().counts()["test"], [pairs, pairs]);
            let (mut count, mut twice) = (0, 0);
            for sketch in 0..pairs {
                let boxes = corpus.sketch_boxes(sketch).unwrap().unwrap();
                let map = corpus.sketch_instances(sketch).unwrap().unwrap();
                count += boxes.len();
                twice += usize::from((0..boxes.len()).filter(|object| map.area(*object) > 0).count() > 1);
            }
            assert_eq!((count, twice), (boxes, drawn_twice), "{name}");
            let folds = (0..5).map(|fold| open_fold(&data.join(name), fold).unwrap().index().counts()["test"][0]);
            assert_eq!(folds.sum::<usize>(), pairs);
        }
        let corpus = open(&data.join("SketchyCOCO-SL-210")).unwrap();
        let map = corpus.sketch_instances(0).unwrap().unwrap();
        let label = |x, y| map.pixels().get_pixel(x, y).0[0];
        assert_eq!((label(259, 160), label(303, 130), label(490, 233), label(65, 9)), (1, 2, 3, 4));
        assert_eq!(
            (map.area(0), map.categories()[2].as_str(), map.categories()[3].as_str()),
            (3271, "elephant", BACKGROUND)
        );
    }
}
