//! SketchyScene and SketchyCOCO as they are released: scenes with instance maps in MATLAB files.
//!
//! ```text
//! SketchyScene     <part>/reference_image/<id>.jpg                  part: train, val, test
//!                  <part>/DRAWING_GT/L0_sample<id>.png
//!                  <part>/INSTANCE_GT/sample_<id>_instance.mat      `INSTANCE_GT`
//!                  <part>/CLASS_GT/sample_<id>_class.mat            `CLASS_GT`
//!
//! SketchyCOCO      GT/<part>/<id>.png                               part: trainInTrain, valInTrain, val
//!                  Sketch/paper_version/<part>/<id>.png
//!                  Annotation/paper_version/<part>/INSTANCE_GT/<id>.mat
//!                  Annotation/paper_version/<part>/CLASS_GT/<id>.mat
//! ```
//!
//! In SketchyScene not every drawing has a reference image and the other way round; a photo without a drawing stays as a
//! distractor, a drawing without a photo is left out, as the released code of retrieval does. In SketchyCOCO both
//! `valInTrain` and `val` are for the test; a part that is not there is left out, but not all of them.
//!
//! Not published, so not read: the pairs of the papers' retrieval parts (2,472/252 and 1,015/210), and the names of the
//! classes in a form that is certain (SketchyScene lists them in cells of a MATLAB file). Categories are `class 7`. Maps
//! were not at hand; a map of another size than its drawing is a fault.

use super::corpus::{FileCorpus, Layout, Scan};
use super::found::{FoundPhoto, FoundSketch, Stored, StoredPhoto};
use super::objects::{Objects, StoredMap};
use super::picture::PICTURES;
use super::scene::SCENE;
use super::{PhotoEntry, Split, catalogue, listing};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the files of a part lie.
struct Release {
    layout: Layout,
    parts: &'static [(&'static str, Split)],
    /// Folders of photos, drawings, instances and classes; `*` stands for the part.
    folders: [&'static str; 4],
    /// What a name has before and behind its id, folder by folder.
    affixes: [(&'static str, &'static str); 4],
    /// Whether a drawing may lack its photo.
    may_lack_photos: bool,
}

const SKETCHY_SCENE: Release = Release {
    layout: Layout::SketchyScene,
    parts: &[("train", Split::Train), ("val", Split::Valid), ("test", Split::Test)],
    folders: ["*/reference_image", "*/DRAWING_GT", "*/INSTANCE_GT", "*/CLASS_GT"],
    affixes: [("", ""), ("L0_sample", ""), ("sample_", "_instance"), ("sample_", "_class")],
    may_lack_photos: true,
};

const SKETCHY_COCO: Release = Release {
    layout: Layout::SketchyCoco,
    parts: &[("trainInTrain", Split::Train), ("valInTrain", Split::Test), ("val", Split::Test)],
    folders: [
        "GT/*",
        "Sketch/paper_version/*",
        "Annotation/paper_version/*/INSTANCE_GT",
        "Annotation/paper_version/*/CLASS_GT",
    ],
    affixes: [("", ""); 4],
    may_lack_photos: false,
};

/// Opens either corpus.
///
/// # Errors
/// A folder of neither layout; a drawing without its maps, a map without its drawing: the first of them, and how many
/// more there are.
///
/// # References
/// Zou et al., SketchyScene, ECCV 2018; Gao et al., SketchyCOCO, CVPR 2020; layouts as the released code of Chowdhury et
/// al., Partially Does It, CVPR 2022, reads them.
pub fn open(root: &Path) -> Result<FileCorpus> {
    scan(root)?.open()
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    release(root).map(|release| release.layout)
}

fn release(root: &Path) -> Option<&'static Release> {
    let fits = |release: &&Release| {
        let folder = |part: &str, at: usize| root.join(release.folders[at].replace('*', part)).is_dir();
        release.parts.iter().any(|(part, _)| folder(part, 2) && folder(part, 3))
    };
    [&SKETCHY_SCENE, &SKETCHY_COCO].into_iter().find(fits)
}

pub(super) fn scan(root: &Path) -> Result<Scan> {
    let expected = "`<part>/INSTANCE_GT` and `<part>/CLASS_GT`, or the same of `Annotation/paper_version`";
    let release = release(root).ok_or_else(|| Error::data(root, expected, listing::contents(root)))?;
    let mut scan = Scan::new(catalogue::name_of_folder(root)?, release.layout, root);
    for &(part, split) in release.parts {
        let folders = release.folders.map(|folder| root.join(folder.replace('*', part)));
        if folders.iter().any(|folder| folder.is_dir()) {
            add_part(release, folders, split, &mut scan);
        }
    }
    Ok(scan)
}

fn add_part(release: &Release, folders: [PathBuf; 4], split: Split, scan: &mut Scan) {
    let mut files: Vec<BTreeMap<String, PathBuf>> = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        let endings: &[&str] = if at < 2 { &PICTURES } else { &["mat"] };
        files.push(by_id(folder, endings, release.affixes[at], &mut scan.problems));
    }
    let [photos, drawings, mut instances, mut classes] = [0, 1, 2, 3].map(|at| std::mem::take(&mut files[at]));
    for (id, drawing) in drawings {
        let maps = (instances.remove(&id), classes.remove(&id));
        if release.may_lack_photos && !photos.contains_key(&id) {
            continue;
        }
        let (Some(instances), Some(classes)) = maps else {
            scan.problems.push(Error::data(&drawing, "maps of instances and of classes", "not both"));
            continue;
        };
        let objects = Objects { map: Some(StoredMap::Matlab { instances, classes }), ..Objects::default() };
        scan.sketches.push(FoundSketch {
            id: "1".into(),
            photo: id,
            category: SCENE.into(),
            split: Some(split),
            sketcher: None,
            stored: Stored::Picture(drawing),
            objects: Some(objects),
        });
    }
    for path in instances.into_values().chain(classes.into_values()) {
        scan.problems.push(Error::data(path, "a drawing for every map", "none"));
    }
    for (id, path) in photos {
        let entry = PhotoEntry { id, category: SCENE.into(), split };
        scan.photos.push(FoundPhoto { entry, stored: StoredPhoto::Picture(path), objects: None });
    }
}

/// Files by the id in their names.
fn by_id(
    folder: &Path,
    endings: &[&str],
    (before, behind): (&str, &str),
    problems: &mut Vec<Error>,
) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    for (stem, path) in listing::files(folder, endings, problems) {
        let id = stem.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
        match id.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(id) => {
                files.insert(id.to_string(), path);
            }
            None => {
                problems.push(Error::data(&path, format!("a name `{before}<number>{behind}`"), format!("`{stem}`")))
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::mat::tests::write;
    use crate::dataset::{Scenes, Source, check};

    /// A map of 8 x 8 pixels: object 3 at the left top, object 9 below it over two pixels, each of a class.
    fn tables(first: u8, second: u8) -> Vec<u8> {
        let mut table = vec![vec![0; 8]; 8];
        table[0][1] = first;
        table[5][2] = second;
        table[5][3] = second;
        write(if first == 3 { "INSTANCE_GT" } else { "CLASS_GT" }, &table)
    }

    /// Photos and drawings of both parts; the drawing of photo 8 is missing, and the photo of drawing 9.
    fn sketchy_scene(root: &Path) {
        for (part, ids) in [("train", [7, 9]), ("test", [1, 2])] {
            for id in ids {
                if id != 9 {
                    fixture::paint(&root.join(format!("{part}/reference_image/{id}.jpg")), id);
                }
                fixture::paint(&root.join(format!("{part}/DRAWING_GT/L0_sample{id}.png")), 50);
                fixture::write(&root.join(format!("{part}/INSTANCE_GT/sample_{id}_instance.mat")), tables(3, 9));
                fixture::write(&root.join(format!("{part}/CLASS_GT/sample_{id}_class.mat")), tables(44, 12));
            }
        }
        fixture::paint(&root.join("train/reference_image/8.jpg"), 8);
    }

    fn sketchy_coco(root: &Path) {
        for (part, id) in [("trainInTrain", 4), ("valInTrain", 5), ("val", 6)] {
            fixture::paint(&root.join(format!("GT/{part}/{id}.png")), id);
            fixture::paint(&root.join(format!("Sketch/paper_version/{part}/{id}.png")), 50);
            let maps = root.join("Annotation/paper_version").join(part);
            fixture::write(&maps.join(format!("INSTANCE_GT/{id}.mat")), tables(3, 9));
            fixture::write(&maps.join(format!("CLASS_GT/{id}.mat")), tables(2, 16));
        }
    }

    #[test]
    fn sketchy_scene_keeps_what_pairs_and_distractors() {
        let place = tempfile::tempdir().unwrap();
        sketchy_scene(place.path());
        let corpus = open(place.path()).unwrap();
        let counts: Vec<_> = corpus.index().counts().into_iter().collect();
        assert_eq!(counts, [("test".to_string(), [2, 2]), ("train".to_string(), [2, 1])]);
        assert_eq!(corpus.layout(), Layout::SketchyScene);
        let map = corpus.sketch_instances(0).unwrap().unwrap();
        let label = |x, y| map.pixels().get_pixel(x, y).0[0];
        assert_eq!((label(1, 0), label(2, 5), label(3, 5), label(0, 1)), (1, 2, 2, 0));
        assert_eq!(map.categories(), ["class 44", "class 12"]);
        assert!(check(place.path()).unwrap().is_sound());
    }

    #[test]
    fn sketchy_coco_tests_on_both_parts_of_val() {
        let place = tempfile::tempdir().unwrap();
        sketchy_coco(place.path());
        let corpus = open(place.path()).unwrap();
        let photos: Vec<_> = corpus.index().photos.iter().map(|photo| (photo.id.as_str(), photo.split)).collect();
        assert_eq!(photos, [("4", Split::Train), ("5", Split::Test), ("6", Split::Test)]);
        assert_eq!(corpus.sketch_instances(2).unwrap().unwrap().categories(), ["class 2", "class 16"]);
        assert!(corpus.photo_instances(0).unwrap().is_none());
    }

    #[test]
    fn faults_name_the_file() {
        type Damage = fn(&Path);
        let cases: [(Damage, &str); 4] = [
            (
                |root| std::fs::remove_file(root.join("test/CLASS_GT/sample_1_class.mat")).unwrap(),
                "L0_sample1.png: expected maps of instances and of classes, found not both",
            ),
            (
                |root| fixture::write(&root.join("test/INSTANCE_GT/sample_5_instance.mat"), tables(3, 9)),
                "sample_5_instance.mat: expected a drawing for every map, found none",
            ),
            (
                |root| fixture::paint(&root.join("test/DRAWING_GT/sample3.png"), 1),
                "sample3.png: expected a name `L0_sample<number>`, found `sample3`",
            ),
            (
                |root| std::fs::remove_dir_all(root.join("train/reference_image")).unwrap(),
                "reference_image: expected a folder, found nothing",
            ),
        ];
        for (damage, expected) in cases {
            let place = tempfile::tempdir().unwrap();
            sketchy_scene(place.path());
            damage(place.path());
            let error = open(place.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn bad_maps_are_found_by_the_check() {
        let place = tempfile::tempdir().unwrap();
        sketchy_coco(place.path());
        let maps = place.path().join("Annotation/paper_version");
        let whole = tables(3, 9);
        fixture::write(&maps.join("val/INSTANCE_GT/6.mat"), &whole[..whole.len() - 20]);
        fixture::write(&maps.join("valInTrain/CLASS_GT/5.mat"), write("CLASS_GT", &[vec![1, 2]]));
        let report = check(place.path()).unwrap();
        assert_eq!(report.problems.len(), 2, "{report}");
        assert!(
            report.problems[0].contains("5.mat: expected 8 x 8, as the map of instances has, found 1 x 2"),
            "{report}"
        );
        assert!(report.problems[1].contains("6.mat: expected a MATLAB file with the table `INSTANCE_GT`"), "{report}");
    }
}
