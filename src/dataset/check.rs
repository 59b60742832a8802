//! Whether a corpus is complete: every file opened, every count compared with what is published.

use super::catalogue::{self, Variant};
use super::report::{self, Report};
use super::{Drawing, Layout, PublishedCounts, Source, drawings, objects, open};
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Checks the corpus in a folder, or in a file of drawings, whatever its layout.
///
/// Faults of single files do not stop it: the report names them all.
///
/// # Errors
/// A folder that is missing, empty or of no known layout; a coordinate file or manifest that cannot be read at all.
pub fn check(root: &Path) -> Result<Report> {
    let layout = open::detect(root)?;
    if matches!(layout, Layout::Drawings | Layout::SceneDrawings) {
        return drawings::report(root, layout);
    }
    let (corpus, faults) = open::scan(root, Variant::Whole)?.assemble()?;
    let published = published(corpus.name())?;
    let place = |at| corpus.sketch_path(at).map_or_else(|| drawing_of(&corpus, at), |path| path.display().to_string());
    let mut report = inspect(&corpus, &published, &place);
    report.layout = Some(corpus.layout());
    report.problems = faults.iter().map(Error::to_string).chain(report.problems).collect();
    Ok(report)
}

/// The published counts of a corpus.
pub(super) fn published(name: &str) -> Result<Vec<PublishedCounts>> {
    let known = catalogue::list()?.into_iter().find(|known| known.name == name);
    Ok(known.map_or_else(Vec::new, |known| known.published))
}

/// Checks an opened corpus against published counts: reads every photo and every drawing.
pub fn check_source(source: &dyn Source, published: &[PublishedCounts]) -> Report {
    inspect(source, published, &|at| drawing_of(source, at))
}

fn drawing_of(source: &dyn Source, position: usize) -> String {
    format!("drawing {position} of {}", source.name())
}

/// `place` says where a drawing lies.
fn inspect(source: &dyn Source, published: &[PublishedCounts], place: &(dyn Fn(usize) -> String + Sync)) -> Report {
    let index = source.index();
    let photos: Vec<_> = (0..index.photos.len()).into_par_iter().map(|at| check_photo(source, at)).collect();
    let faults: Vec<_> = (0..index.sketches.len()).into_par_iter().map(|at| check_drawing(source, at, place)).collect();
    let (mut problems, mut sizes, mut drawings) = (Vec::new(), BTreeMap::new(), [0, 0]);
    for photo in photos {
        match photo {
            Ok((width, height)) => *sizes.entry(format!("{width} x {height}")).or_insert(0) += 1,
            Err(error) => problems.push(error.to_string()),
        }
    }
    for fault in faults {
        match fault {
            Ok(vector) => drawings[usize::from(!vector)] += 1,
            Err(error) => problems.push(error.to_string()),
        }
    }
    let mut drawn = vec![false; index.photos.len()];
    for sketch in &index.sketches {
        match drawn.get_mut(sketch.photo) {
            Some(drawn) => *drawn = true,
            None => problems.push(format!("a sketch of photo {}, which is not in the index", sketch.photo)),
        }
    }
    let counts = index.counts();
    let comparisons = report::compare(&counts, published);
    let undrawn = drawn.iter().filter(|drawn| !**drawn).count();
    let (name, version) = (source.name().to_string(), source.version());
    Report { name, layout: None, version, counts, undrawn, sizes, drawings, comparisons, problems }
}

/// The size of a photo, if it and its objects are whole.
fn check_photo(source: &dyn Source, position: usize) -> Result<(u32, u32)> {
    let size = source.photo(position)?.dimensions();
    objects::check(source, 0, position, Some(size)).map(|()| size)
}

/// Whether a drawing is of strokes, if it is whole and shows anything.
fn check_drawing(source: &dyn Source, position: usize, place: &dyn Fn(usize) -> String) -> Result<bool> {
    let drawing = source.drawing(position)?;
    let size = match &drawing {
        Drawing::Vector(_) => None,
        Drawing::Raster(picture) => Some(picture.dimensions()),
    };
    objects::check(source, 1, position, size)?;
    match drawing {
        Drawing::Vector(sketch) => sketch.check(place(position)).map(|()| true),
        // Darker than half of white; white ink on a transparent ground leaves no such pixel.
        Drawing::Raster(picture) if picture.pixels().all(|pixel| pixel[0] > 127) => {
            Err(Error::value(place(position), "dark ink on a white ground", "no dark pixel"))
        }
        Drawing::Raster(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::{FileCorpus, qmul_v2};

    fn chair(place: &tempfile::TempDir) -> FileCorpus {
        fixture::chair_v2(place.path());
        qmul_v2::open(place.path()).unwrap()
    }

    fn published(split: &str, photos: usize, sketches: usize, origin: &str) -> PublishedCounts {
        PublishedCounts { split: split.into(), photos, sketches, origin: origin.into(), source: "a test".into() }
    }

    #[test]
    fn counts_are_compared_with_each_origin() {
        let place = tempfile::tempdir().unwrap();
        let given = [
            published("train", 2, 4, "papers"),
            published("test", 1, 1, "papers"),
            published("train", 3, 2, "web release"),
            published("all", 3, 5, "whole"),
        ];
        let report = check_source(&chair(&place), &given);
        assert!(report.is_sound() && report.agrees_with("papers") && report.agrees_with("whole"));
        assert!(!report.agrees_with("web release") && !report.agrees_with("nobody"));
        let text = report.to_string();
        assert!(text.contains("papers: the same here"), "{text}");
        assert!(text.contains("web release: 1 photo fewer here, 2 sketches more here"), "{text}");
        assert!(text.contains("3 of 8 x 8; 0 without a sketch") && text.ends_with("every file reads"), "{text}");
        assert_eq!(report.drawings, [5, 0]);
    }

    #[test]
    fn every_bad_file_is_named() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fixture::shoe_v1(root);
        let whole = std::fs::read(root.join("train/images/1.jpg")).unwrap();
        fixture::write(&root.join("train/images/1.jpg"), &whole[..whole.len() / 2]);
        fixture::write(&root.join("train/sketches/2.png"), b"");
        fixture::paint(&root.join("test/sketches/3.png"), 255);
        fixture::paint(&root.join("test/sketches/4.png"), 0);
        fixture::write(&root.join("test/images/notes.txt"), "x");
        let report = check(root).unwrap();
        let expected = [
            "notes.txt: expected a file of",
            "4.png: expected a photo for every sketch, found a sketch of `4`",
            "1.jpg: expected a whole PNG or JPEG picture",
            "2.png: expected a whole PNG or JPEG picture, found an empty file",
            "sketches/3.png: expected dark ink on a white ground, found no dark pixel",
        ];
        assert_eq!(report.problems.len(), expected.len(), "{report}");
        for (problem, expected) in report.problems.iter().zip(expected) {
            assert!(problem.contains(expected), "{problem}");
        }
        assert!(report.to_string().contains("5 problems\n"));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((json["layout"].as_str(), json["problems"].as_array().unwrap().len()), (Some("qmul-v1"), 5));
    }

    #[test]
    fn missing_folders_are_told_once() {
        let place = tempfile::tempdir().unwrap();
        fixture::chair_v2(place.path());
        std::fs::remove_dir_all(place.path().join("photo")).unwrap();
        let report = check(place.path()).unwrap();
        assert_eq!(report.problems.len(), 1, "{report}");
        assert!(report.problems[0].contains("photo: expected a folder, found nothing"));
        assert!(check(&place.path().join("nowhere")).unwrap_err().to_string().contains("found nothing"));
    }

    #[test]
    fn real_corpora_are_sound() {
        let Some(data) = fixture::real_data() else { return };
        for (folder, origin, sizes) in [
            ("QMUL-Chair-V2", "measured", 2),
            ("QMUL-Shoe-V1", "papers", 1),
            ("Sketchy-mini", "measured", 1),
            ("FrISS-CBSC", "measured", 1),
            ("FrISS-CBSC/cbsc.jsonl.gz", "measured", 0),
            ("QuickDraw-345", "measured", 0),
        ] {
            let report = check(&data.join(folder)).unwrap();
            println!("{report}");
            assert!(report.is_sound() && report.agrees_with(origin), "{report}");
            assert_eq!(report.sizes.len(), sizes, "{report}");
        }
    }
}
