//! A corpus by its name or by its folder.

use super::catalogue::{self, SCENES, Variant};
use super::corpus::{Layout, Scan};
use super::{
    Joined, Source, attribute, boxed_scenes, drawings, folder, friss, fs_coco, listing, matlab_scenes, photos,
};
use super::{qmul_v1, qmul_v2, sketchy, synthetic};
use crate::{Error, Result};
use std::path::Path;

/// Opens a corpus: an embedded one, one of [`catalogue::list`] by its name, below `data`, any folder of a known layout, or
/// a category of a drawn world (`lamp.toml`) or a folder of them.
///
/// The name of a corpus of scenes may end in `-fold0` to `-fold4`, which chooses the part to test on, or in `-joined`, which
/// trains on other scenes; those of QMUL-Shoe-V1
/// and `synth-shoe` in the name of a [`super::Transfer`].
///
/// # Errors
/// An unknown name (the message lists the known ones); a known name without a data folder; what the loader refuses.
pub fn open(name: &str, data: Option<&Path>) -> Result<Box<dyn Source>> {
    if let Some(corpus) = synthetic::open(name)? {
        return Ok(corpus);
    }
    let known = catalogue::list()?;
    let (base, variant) = catalogue::variant_of(name);
    if let Some(corpus) = known.iter().find(|corpus| corpus.name == base) {
        let expected = format!("the folder that holds `{}/` (set RETRACE_DATA)", corpus.folder);
        let Some(data) = data else { return Err(Error::value(format!("data folder of {name}"), expected, "none")) };
        let root = data.join(&corpus.folder);
        return match variant {
            Variant::Joined => joined(name, &root, Some(data)),
            _ => Ok(Box::new(scan(&root, variant)?.open()?)),
        };
    }
    if is_world(Path::new(name)) {
        return Ok(Box::new(synthetic::WorldCorpus::read(Path::new(name), synthetic::SIDE)?));
    }
    if Path::new(name).is_dir() {
        return Ok(Box::new(scan(Path::new(name), Variant::Whole)?.open()?));
    }
    let embedded = synthetic::NAMES.join(", ");
    let names: Vec<_> = known.iter().map(|corpus| corpus.name.as_str()).collect();
    let expected = format!("one of {embedded}, {}, or a folder", names.join(", "));
    Err(Error::value("corpus", expected, format!("`{name}`")))
}

/// The test part of a corpus of scenes with other scenes to train on.
fn joined(name: &str, root: &Path, data: Option<&Path>) -> Result<Box<dyn Source>> {
    let tested = scan(root, Variant::Whole)?.open()?;
    if tested.scenes().is_none() || SCENES.iter().any(|own| name.starts_with(own)) {
        return Err(Error::data(root, "a corpus of scenes that is not itself trained on", "another"));
    }
    let trained = SCENES.iter().map(|name| open(name, data)).collect::<Result<_>>()?;
    Ok(Box::new(Joined::new(name, trained, Box::new(tested))))
}

/// Whether a path is a category of a drawn world, or a folder of categories.
fn is_world(path: &Path) -> bool {
    let is_category = |path: &Path| path.extension().is_some_and(|ending| ending == "toml") && path.is_file();
    let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    is_category(path) || entries.any(|entry| is_category(&entry.path()))
}

/// The layout of a folder.
///
/// # Errors
/// A folder that is missing, empty or of no known layout.
pub fn detect(root: &Path) -> Result<Layout> {
    if let Some(layout) = drawings::detect_file(root) {
        return Ok(layout);
    }
    if !root.is_dir() {
        let found = if root.exists() { "a file" } else { "nothing" };
        return Err(Error::data(root, "the folder of a corpus", found));
    }
    // Photos come before manifests, as they are released with manifests of their own; the others exclude each other.
    let detectors = [
        photos::detect,
        folder::detect,
        boxed_scenes::detect,
        friss::detect,
        matlab_scenes::detect,
        fs_coco::detect,
        drawings::detect,
        qmul_v2::detect,
        qmul_v1::detect,
        sketchy::detect,
    ];
    detectors.iter().find_map(|detect| detect(root)).ok_or_else(|| {
        let found = listing::contents(root);
        let expected = "`manifest.csv`, photos alone, or the layout of QMUL-V2 (`photo/`, `*_Coordinate`), QMUL-V1 \
                        (`train|test/{images,sketches}`), Sketchy (`photo/<class>`, `sketch/<class>`), QuickDraw (`*.ndjson`), \
                        FrISS, SketchyScene, SketchyCOCO or FS-COCO";
        Error::data(root, expected, found)
    })
}

/// Reads a folder in one of its ways.
pub(super) fn scan(root: &Path, variant: Variant) -> Result<Scan> {
    match (detect(root)?, variant) {
        (Layout::BoxedScenes, Variant::Whole) => boxed_scenes::scan(root, None),
        (Layout::BoxedScenes, Variant::Fold(fold)) => boxed_scenes::scan(root, Some(fold)),
        (Layout::Friss, Variant::Whole) => friss::scan(root, None),
        (Layout::Friss, Variant::Fold(fold)) => friss::scan(root, Some(fold)),
        (Layout::QmulV1, Variant::Transfer(transfer)) => attribute::scan(root, transfer),
        (layout, Variant::Whole) => scan_whole(root, layout),
        (layout, variant) => {
            let expected = "a corpus of scenes for folds, QMUL-Shoe-V1 for transfers between kinds";
            Err(Error::data(root, expected, format!("{layout:?} for {variant:?}")))
        }
    }
}

fn scan_whole(root: &Path, layout: Layout) -> Result<Scan> {
    match layout {
        Layout::QmulV2Pickle | Layout::QmulV2Svg => qmul_v2::scan(root),
        Layout::QmulV1 => qmul_v1::scan(root),
        Layout::Sketchy => sketchy::scan(root, &sketchy::UNSEEN),
        Layout::Folder => folder::scan(root),
        Layout::BoxedScenes => boxed_scenes::scan(root, None),
        Layout::Friss => friss::scan(root, None),
        Layout::SketchyScene | Layout::SketchyCoco => matlab_scenes::scan(root),
        Layout::FsCoco => fs_coco::scan(root),
        Layout::Photos => photos::scan(root),
        Layout::Drawings | Layout::SceneDrawings => {
            let expected = "photos and sketches of them";
            Err(Error::data(root, expected, "drawings alone, which `retrace data check` counts"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn folders_are_told_by_their_layout() {
        let place = tempfile::tempdir().unwrap();
        let makers = [
            ("chair", fixture::chair_v2 as fn(&Path), Layout::QmulV2Pickle),
            ("shoe", fixture::shoe_v1, Layout::QmulV1),
            ("sketchy", fixture::sketchy, Layout::Sketchy),
            ("own", fixture::folder, Layout::Folder),
            ("SketchyCOCO-boxes", fixture::boxed_scenes, Layout::BoxedScenes),
            ("friss", fixture::friss, Layout::Friss),
            ("quick", fixture::quickdraw, Layout::Drawings),
            ("photos", |root| fixture::paint(&root.join("wild/1.jpg"), 1), Layout::Photos),
        ];
        for (name, make, layout) in makers {
            let root = place.path().join(name);
            make(&root);
            assert_eq!(detect(&root).unwrap(), layout);
        }
        let own = open(place.path().join("own").to_str().unwrap(), None).unwrap();
        assert_eq!((own.name(), own.index().photos.len()), ("own", 3));
    }

    fn refuse(name: &str, data: Option<&Path>) -> String {
        open(name, data).err().unwrap().to_string()
    }

    #[test]
    fn names_are_looked_up_below_the_data_folder() {
        let place = tempfile::tempdir().unwrap();
        fixture::shoe_v1(&place.path().join("QMUL-Shoe-V1"));
        assert_eq!(open("qmul-shoe-v1", Some(place.path())).unwrap().name(), "qmul-shoe-v1");
        assert!(refuse("qmul-shoe-v1", None).contains("RETRACE_DATA"));
        assert!(refuse("qmul-chair-v2", Some(place.path())).contains("QMUL-Chair-V2: expected the folder of a corpus"));
        let unknown = refuse("qmul-boat-v2", Some(place.path()));
        assert!(unknown.contains("qmul-chair-v2, qmul-shoe-v1") && unknown.contains("`qmul-boat-v2`"), "{unknown}");
    }

    #[test]
    fn names_choose_folds_and_transfers() {
        let place = tempfile::tempdir().unwrap();
        fixture::boxed_scenes(&place.path().join("SketchyCOCO-SL-210"));
        fixture::shoe_v1(&place.path().join("QMUL-Shoe-V1"));
        let corpus = open("sketchycoco-sl-210-fold1", Some(place.path())).unwrap();
        assert_eq!((corpus.name(), corpus.index().counts()["train"]), ("sketchycoco-sl-210-fold1", [1, 1]));
        assert!(refuse("qmul-shoe-v1-fold1", Some(place.path())).contains("found QmulV1 for Fold(1)"));
        assert!(refuse("qmul-shoe-v1-topline", Some(place.path())).contains("image_label.mat"));
        assert!(refuse("sketchycoco-sl-210-topline", Some(place.path())).contains("QMUL-Shoe-V1 for transfers"));
    }

    #[test]
    fn an_empty_and_a_strange_folder_are_told_apart() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().to_str().unwrap();
        assert!(refuse(path, None).contains("found an empty folder"));
        fixture::write(&place.path().join("a.txt"), "x");
        assert!(refuse(path, None).contains("found a.txt"));
    }
}
