//! A user's own data: pictures and drawings anywhere in a folder, paired by a `manifest.csv` in it.
//!
//! ```text
//! sketch,photo,split,category,sketcher
//! drawings/a1.svg,photos/a.jpg,train,boot,0
//! drawings/a2.json,photos/a.jpg,train,boot,1
//! drawings/b1.png,photos/b.jpg,test,,
//! ,photos/c.jpg,test,,
//! ```
//!
//! | column | holds |
//! |---|---|
//! | `sketch` | a PNG, JPEG, SVG or stroke JSON, relative to the folder; empty: a gallery photo without a sketch |
//! | `photo` | a PNG or JPEG, relative to the folder; one line for each of its sketches |
//! | `split` | `train`, `valid` or `test`; the same in all lines of a photo |
//! | `category` | may be left out or empty: `object` |
//! | `sketcher` | a whole number, may be left out or empty: unknown |

use super::corpus::{FileCorpus, Layout, Scan};
use super::found::{FoundSketch, Stored};
use super::{Split, catalogue, listing, picture::PICTURES};
use crate::{Error, Result};
use polars::prelude::{CsvReadOptions, DataFrame, SerReader};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Component, Path, PathBuf};

const MANIFEST: &str = "manifest.csv";

/// Opens the corpus.
///
/// # Errors
/// A missing or malformed manifest; a line that names a missing file, an unknown split or a second split or class of a
/// photo: the first of them with its line, and how many more there are.
pub fn open(root: &Path) -> Result<FileCorpus> {
    scan(root)?.open()
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    root.join(MANIFEST).is_file().then_some(Layout::Folder)
}

pub(super) fn scan(root: &Path) -> Result<Scan> {
    let path = root.join(MANIFEST);
    let mut scan = Scan::new(catalogue::name_of_folder(root)?, Layout::Folder, root);
    let mut photos = BTreeMap::new();
    for (number, line) in read_lines(&path)?.into_iter().enumerate() {
        // Line 1 is the header.
        if let Err((expected, found)) = add_line(&line, &mut photos, &mut scan) {
            scan.problems.push(Error::data(&path, expected, format!("{found} in line {}", number + 2)));
        }
    }
    scan.tables.push(path);
    Ok(scan)
}

/// A line of the manifest; empty cells are `None`.
struct ManifestLine {
    sketch: Option<String>,
    photo: Option<String>,
    split: Option<String>,
    category: Option<String>,
    sketcher: Option<String>,
}

fn read_lines(path: &Path) -> Result<Vec<ManifestLine>> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let expected = "a CSV table with the columns sketch,photo,split and, if wanted, category,sketcher";
    let text = text.trim_start_matches('\u{feff}'); // spreadsheets begin their exports with this mark
    let options = CsvReadOptions::default().with_infer_schema_length(Some(0)); // every column as text
    let frame = options.into_reader_with_file_handle(Cursor::new(text.as_bytes())).finish();
    let frame = frame.map_err(|error| Error::data(path, expected, error))?;
    for name in frame.get_column_names() {
        if !["sketch", "photo", "split", "category", "sketcher"].contains(&name.as_str()) {
            return Err(Error::data(path, expected, format!("a column `{name}`")));
        }
    }
    let column = |name: &str, needed: bool| -> Result<Vec<Option<String>>> {
        match cells(&frame, name) {
            None if needed => Err(Error::data(path, expected, format!("no column `{name}`"))),
            None => Ok(vec![None; frame.height()]),
            Some(cells) => Ok(cells),
        }
    };
    let (sketches, photos, splits) = (column("sketch", true)?, column("photo", true)?, column("split", true)?);
    let (categories, sketchers) = (column("category", false)?, column("sketcher", false)?);
    let rows = sketches.into_iter().zip(photos).zip(splits).zip(categories).zip(sketchers);
    Ok(rows
        .map(|((((sketch, photo), split), category), sketcher)| ManifestLine {
            sketch,
            photo,
            split,
            category,
            sketcher,
        })
        .collect())
}

fn cells(frame: &DataFrame, name: &str) -> Option<Vec<Option<String>>> {
    let trimmed = |cell: Option<&str>| cell.map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_string);
    Some(frame.column(name).ok()?.str().ok()?.iter().map(trimmed).collect())
}

type LineFault = (String, String);

/// Adds a line's photo, if it is the first that names it, and its sketch. `photos` remembers split and class.
fn add_line(
    line: &ManifestLine,
    photos: &mut BTreeMap<String, (Split, String)>,
    scan: &mut Scan,
) -> Result<(), LineFault> {
    let split = line.split.as_deref().unwrap_or("");
    let split: Split = split.parse().map_err(|_| ("split train, valid or test".into(), format!("`{split}`")))?;
    let category = line.category.clone().unwrap_or_else(|| "object".into());
    let Some(photo) = &line.photo else { return Err(("a photo".into(), "an empty cell".into())) };
    match photos.get(photo) {
        None => {
            let path = locate(&scan.root, photo, &PICTURES)?;
            scan.add_photo(photo, &category, split, &path);
            photos.insert(photo.clone(), (split, category.clone()));
        }
        Some(first) if *first != (split, category.clone()) => {
            let expected = format!("one split and one category for photo `{photo}`");
            return Err((expected, format!("{} `{category}` after {} `{}`", split.name(), first.0.name(), first.1)));
        }
        Some(_) => {}
    }
    let Some(sketch) = &line.sketch else { return Ok(()) };
    let path = locate(&scan.root, sketch, &["png", "jpg", "jpeg", "svg", "json"])?;
    let drawn = matches!(listing::ending(&path).as_deref(), Some("svg" | "json"));
    let stored = if drawn { Stored::Vector(path) } else { Stored::Picture(path) };
    let whole = |text: &String| text.parse().map_err(|_| ("a whole number as sketcher".into(), format!("`{text}`")));
    let sketcher = line.sketcher.as_ref().map(whole).transpose()?;
    let (id, photo) = (sketch.clone(), photo.clone());
    scan.sketches.push(FoundSketch { id, photo, category, split: Some(split), sketcher, stored, objects: None });
    Ok(())
}

/// A file that the manifest names: inside the folder, there, and of a known ending.
fn locate(root: &Path, name: &str, endings: &[&str]) -> Result<PathBuf, LineFault> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(("a file inside the corpus's folder".into(), format!("`{name}`")));
    }
    let path = root.join(name);
    if !listing::ending(&path).is_some_and(|ending| endings.contains(&ending.as_str())) {
        return Err((format!("a file of {}", endings.join(", ")), format!("`{name}`")));
    }
    if !path.is_file() {
        return Err(("a file that is there".into(), format!("no `{name}`")));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{Drawing, Source};
    use crate::sketch::{Point, Sketch};

    #[test]
    fn a_manifest_pairs_files() {
        let place = tempfile::tempdir().unwrap();
        let root = fixture::root(&place, "My Boots");
        fixture::folder(&root);
        let corpus = open(&root).unwrap();
        let index = corpus.index();
        assert_eq!(corpus.name(), "my-boots");
        let photos: Vec<_> = index.photos.iter().map(|p| (p.split, p.category.as_str(), p.id.as_str())).collect();
        let expected = [
            (Split::Train, "boot", "photos/a.jpg"),
            (Split::Test, "object", "photos/b.jpg"),
            (Split::Test, "object", "photos/c.png"),
        ];
        assert_eq!(photos, expected);
        let sketches: Vec<_> = index.sketches.iter().map(|s| (s.photo, s.sketcher)).collect();
        assert_eq!(sketches, [(0, Some(4)), (0, None), (1, None)]);
        assert_eq!(corpus.photo(2).unwrap().get_pixel(0, 0).0, [30; 3]);
        assert!(corpus.drawing(2).is_ok());
    }

    #[test]
    fn drawings_of_strokes_are_vectors() {
        let place = tempfile::tempdir().unwrap();
        fixture::folder(place.path());
        let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256">
            <path d="M 1 2 L 3 4" fill="none" stroke="black"/></svg>"#;
        fixture::write(&place.path().join("a.svg"), svg);
        fixture::write(&place.path().join("b.JSON"), r#"{"strokes": [[[1, 2], [3, 4]]]}"#);
        fixture::write(&place.path().join("c.svg"), "<svg");
        let manifest =
            "sketch,photo,split\na.svg,photos/a.jpg,test\nb.JSON,photos/a.jpg,test\nc.svg,photos/a.jpg,test\n";
        fixture::write(&place.path().join("manifest.csv"), manifest);
        let corpus = open(place.path()).unwrap();
        let strokes = vec![vec![Point::new(1.0, 2.0), Point::new(3.0, 4.0)]];
        assert_eq!(corpus.drawing(0).unwrap(), Drawing::Vector(Sketch { strokes }));
        assert_eq!(corpus.drawing(1).unwrap(), corpus.drawing(0).unwrap());
        let report = crate::dataset::check(place.path()).unwrap();
        assert!(
            report.problems.len() == 1 && report.problems[0].contains("c.svg: expected an SVG picture"),
            "{report}"
        );
    }

    #[test]
    fn two_columns_and_a_spreadsheet_mark_are_enough() {
        let place = tempfile::tempdir().unwrap();
        fixture::folder(place.path());
        let manifest = "\u{feff}photo,sketch,split\r\nphotos/a.jpg,drawings/a1.png,test\r\n";
        fixture::write(&place.path().join("manifest.csv"), manifest);
        assert_eq!(open(place.path()).unwrap().index().counts()["test"], [1, 1]);
    }

    #[test]
    fn faults_name_the_line() {
        let line = |line: &str| {
            format!("sketch,photo,split,category,sketcher\ndrawings/a1.png,photos/a.jpg,train,,\n{line}\n")
        };
        let cases = [
            (line("drawings/b1.png,photos/b.jpg,holdout,,"), "split train, valid or test, found `holdout` in line 3"),
            (line("drawings/b1.png,photos/b.jpg,,,"), "found `` in line 3"),
            (line("drawings/b1.png,,test,,"), "expected a photo, found an empty cell in line 3"),
            (line("drawings/zz.png,photos/b.jpg,test,,"), "found no `drawings/zz.png` in line 3"),
            (line("drawings/b1.png,photos/zz.jpg,test,,"), "found no `photos/zz.jpg` in line 3"),
            (line("drawings/b1.gif,photos/b.jpg,test,,"), "found `drawings/b1.gif` in line 3"),
            (line("../b1.png,photos/b.jpg,test,,"), "a file inside the corpus's folder, found `../b1.png`"),
            (line("/etc/b1.png,photos/b.jpg,test,,"), "a file inside the corpus's folder"),
            (line("drawings/a2.png,photos/a.jpg,test,,"), "one split and one category for photo `photos/a.jpg`"),
            (line("drawings/a2.png,photos/a.jpg,train,,Ann"), "a whole number as sketcher, found `Ann` in line 3"),
            (line("drawings/a1.png,photos/a.jpg,train,,"), "two sketches with the same name"),
            ("sketch,photo\na,b\n".into(), "no column `split`"),
            ("sketch,photo,split,user\na,b,train,1\n".into(), "a column `user`"),
            ("sketch,photo,split\n".into(), "photos: expected at least one, found none"),
            (String::new(), "a CSV table"),
        ];
        for (manifest, expected) in cases {
            let place = tempfile::tempdir().unwrap();
            fixture::folder(place.path());
            fixture::write(&place.path().join("manifest.csv"), &manifest);
            let error = open(place.path()).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(place.path().to_str().unwrap()), "{error}");
        }
    }
}
