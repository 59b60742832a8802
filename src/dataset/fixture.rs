//! Tiny corpora in temporary folders, for tests.

use super::qmul_v2::pickle;
use image::{GrayImage, Luma, Rgb, RgbImage};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The data folder, where the variable is set; else says that the test was skipped.
pub(crate) fn real_data() -> Option<PathBuf> {
    let data = std::env::var_os("RETRACE_DATA").map(PathBuf::from);
    if data.is_none() {
        // Directly to the stream: the test harness hides what a passing test prints.
        let _ = writeln!(std::io::stderr(), "skipped: RETRACE_DATA not set");
    }
    data
}

/// A corpus below `place` whose folder has this name.
pub(crate) fn root(place: &tempfile::TempDir, name: &str) -> PathBuf {
    place.path().join(name)
}

/// Writes a picture of 8 x 8 pixels, of a shade that tells files apart.
pub(crate) fn paint(path: &Path, shade: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(8, 8, Rgb([shade; 3])).save(path).unwrap();
}

pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Two strokes: (10, 20) to (30, 40), and the point (50, 60).
pub(crate) fn rows() -> Vec<[f64; 3]> {
    vec![[10.0, 20.0, 0.0], [30.0, 40.0, 1.0], [50.0, 60.0, 1.0]]
}

/// Chair-V2 in small: photos `a`, `b` train, `c` test; three sketches of `a`, one of each other.
pub(crate) fn chair_v2(root: &Path) {
    for (shade, stem) in [(10, "a"), (20, "b_v1"), (30, "c")] {
        paint(&root.join(format!("photo/{stem}.png")), shade);
    }
    coordinates(root, &["/test/c_1", "/train/a_2", "/train/a_1", "/train/b_v1_1", "/train/a_10"], &rows());
}

/// Writes the pickle of [`chair_v2`] with other keys or rows.
pub(crate) fn coordinates(root: &Path, keys: &[&str], rows: &[[f64; 3]]) {
    let entries: Vec<_> = keys.iter().map(|key| (*key, rows.to_vec())).collect();
    write(&root.join("ChairV2_Coordinate"), pickle::tests::write(&entries, false));
}

/// Shoe-V1 in small: pairs 1, 2, 10 train, 3 test.
pub(crate) fn shoe_v1(root: &Path) {
    for (part, ids) in [("train", &[1, 2, 10][..]), ("test", &[3])] {
        for &id in ids {
            paint(&root.join(format!("{part}/images/{id}.jpg")), id);
            paint(&root.join(format!("{part}/sketches/{id}.png")), 100 + id);
        }
    }
}

/// Sketchy in small: classes ant (train) and bat (test), two photos each, two sketches of the first.
pub(crate) fn sketchy(root: &Path) {
    for class in ["ant", "bat"] {
        for id in ["n1_1", "n1_2"] {
            paint(&root.join(format!("photo/{class}/{id}.jpg")), 50);
        }
        for number in [1, 2] {
            paint(&root.join(format!("sketch/{class}/n1_1-{number}.png")), 60);
        }
    }
}

/// A folder corpus: photo `a` with two sketches (train), `b` with one and `c` with none (test).
pub(crate) fn folder(root: &Path) {
    for (shade, photo) in [(10, "a.jpg"), (20, "b.jpg"), (30, "c.png")] {
        paint(&root.join("photos").join(photo), shade);
    }
    for (shade, sketch) in [(40, "a1.png"), (50, "a2.png"), (60, "b1.png")] {
        paint(&root.join("drawings").join(sketch), shade);
    }
    let manifest = "sketch,photo,split,category,sketcher\n\
                    drawings/a1.png,photos/a.jpg,train,boot,4\n\
                    drawings/a2.png,photos/a.jpg,train,boot,\n\
                    drawings/b1.png,photos/b.jpg,test,,\n\
                    ,photos/c.png,test,,\n";
    write(&root.join("manifest.csv"), manifest);
}

/// Ids of [`boxed_scenes`].
pub(crate) const SCENES: [&str; 2] = ["000000000007", "000000000042"];

/// Scenes with boxes in small: two pairs of 8 x 8 pixels. In each map, pixel (2, 3) is of the one box, (4, 5) background.
pub(crate) fn boxed_scenes(root: &Path) {
    for (id, shade) in SCENES.into_iter().zip([10, 20]) {
        paint(&root.join(format!("photo/{id}.jpg")), shade);
        paint(&root.join(format!("sketch/{id}.png")), 100);
        labels(&root.join(format!("instance/{id}.png")), &[(2, 3, 1), (4, 5, 2)]);
    }
    let scene = r#"{"photo_size": [16, 32], "sketch_size": [8, 8], "photo_boxes": [[14, 4.0, 8.0, 12.0, 16]],
        "sketch_boxes": [[14, 2, 0.0, 6.0, 8.0]], "n_fg_in_map": 1, "n_bg_components": 1}"#;
    let [first, second] = SCENES;
    write(&root.join("boxes.json"), format!(r#"{{"{first}": {scene}, "{second}": {scene}}}"#));
    write(&root.join("folds5.json"), format!(r#"{{"0": ["{second}"], "1": ["{first}"]}}"#));
}

/// Writes a map of 8 x 8 labels.
pub(crate) fn labels(path: &Path, pixels: &[(u32, u32, u8)]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut map = GrayImage::new(8, 8);
    pixels.iter().for_each(|&(x, y, label)| map.put_pixel(x, y, Luma([label])));
    map.save(path).unwrap();
}

/// A scene of strokes as a line: on a sheet of 512 x 256, a lamp of one stroke and a table of two.
pub(crate) fn scene_line(id: &str) -> String {
    format!(
        r#"{{"img_id": "{id}", "img_w": 512, "img_h": 256, "split": "train", "object_divisions": [0, 1, 3],
        "scene_strokes": [[64.0, 128.0, 0.0], [192.0, 0.0, 1.0], [0, 10, 1], [-20, 0, 0], [10, 10, 1]],
        "gt_class_names": ["lamp", "table"]}}"#
    )
    .replace('\n', "")
}

/// FrISS in small: scene 5 drawn by people 2, 3 and 10, scene 6 by 3 and 4.
pub(crate) fn friss(root: &Path) {
    let ids = [(5, 10), (5, 2), (6, 4), (5, 3), (6, 3)];
    let lines = ids.map(|(scene, person)| scene_line(&format!("sceneid-{scene}-userid-{person}")));
    pack(&root.join("friss.jsonl.gz"), &lines.join("\n"));
}

/// Writes a gzip file.
pub(crate) fn pack(path: &Path, text: &str) {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    write(path, packed.finish().unwrap());
}

/// QuickDraw in small: a simplified drawing of `ant`, two raw ones of `bat`, of which one is a point.
pub(crate) fn quickdraw(root: &Path) {
    let ant = r#"{"key_id": "2", "word": "ant", "recognized": false, "drawing": [[[0, 255], [10, 20]], [[7], [8]]]}"#;
    write(&root.join("ant.ndjson"), ant);
    let bat = r#"{"key_id": "3", "word": "bat", "recognized": true, "drawing": [[[9], [9], [0]]]}
        {"key_id": "1", "word": "bat", "recognized": true, "countrycode": "DE", "drawing": [[[100, 200], [50, 100], [0, 30]]]}"#;
    pack(&root.join("bat.ndjson.gz"), bat);
}
