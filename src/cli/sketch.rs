//! `retrace sketch`.

use super::check::{AnyPaper, Checked, paper};
use clap::Args;
use retrace::dataset::{name_of, read_photo};
use retrace::file::{write_atomic, write_png};
use retrace::paper::PAPERS;
use retrace::sketch::{Sketch, antialiased, svg};
use retrace::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Options of `retrace sketch`, as typed.
#[derive(Debug, Args)]
pub struct SketchOptions {
    /// The photos, PNG or JPEG
    #[arg(required = true, value_name = "PHOTO")]
    photos: Vec<PathBuf>,
    /// Folder for <photo>.svg and <photo>.png: a new one, an empty one, or one that holds nothing else
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The paper [default: the one that draws]
    #[arg(long, value_parser = paper)]
    paper: Option<AnyPaper>,
    /// The table row [default: the one that the paper ships for it]
    #[arg(long)]
    row: Option<String>,
    /// The corpus that the checkpoint was trained on [default: the one that the paper ships it for]
    #[arg(long)]
    dataset: Option<String>,
}

/// Side and pen of the pictures: those of the real sets' canvas.
const SIDE: u32 = 256;
const PEN: f32 = 3.0;

/// Draws sketches of photos.
pub fn run(options: &SketchOptions, checked: &Checked) -> Result<()> {
    let places = places(&options.photos, &options.out)?;
    let photos = options.photos.iter().map(|path| read_photo(path)).collect::<Result<Vec<_>>>()?;
    let paper = options.paper.or_else(|| PAPERS.into_iter().find(|paper| paper.artist().is_some()));
    let missing = || Error::value("paper", "one that draws sketches", "none");
    let paper = paper.ok_or_else(missing)?;
    let (row, dataset) = paper.artist().ok_or_else(missing)?;
    let (row, dataset) = (options.row.as_deref().unwrap_or(row), options.dataset.as_deref().unwrap_or(dataset));
    let (results, trained_on) = (&checked.places.results, name_of(dataset)?);
    let sketches = paper.sketch_row(results, &trained_on, row, &photos, &checked.order())?;
    checked.terminal.clear();
    std::fs::create_dir_all(&options.out).map_err(Error::io(&options.out))?;
    for (place, sketch) in places.iter().zip(&sketches) {
        write(place, sketch)?;
    }
    println!("{} sketches in {}", sketches.len(), options.out.display());
    Ok(())
}

/// Where each sketch goes, without an ending.
fn places(photos: &[PathBuf], out: &Path) -> Result<Vec<PathBuf>> {
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut own: BTreeMap<String, &PathBuf> = BTreeMap::new();
    for photo in photos {
        if let Some(other) = own.insert(stem(photo), photo) {
            return Err(Error::data(photo, "photos of different names", format!("the name of {}", other.display())));
        }
    }
    let is_own = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        matches!(ending, Some("svg" | "png")) && name.is_some_and(|name| own.contains_key(&name)) && path.is_file()
    };
    if out.exists() {
        let entries = std::fs::read_dir(out).map_err(Error::io(out))?;
        for entry in entries {
            let path = entry.map_err(Error::io(out))?.path();
            if !is_own(&path) {
                let found = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                return Err(Error::data(out, "a folder with nothing else in it", found));
            }
        }
    }
    Ok(photos.iter().map(|photo| out.join(stem(photo))).collect())
}

fn write(place: &Path, sketch: &Sketch) -> Result<()> {
    let with = |ending: &str| PathBuf::from(format!("{}.{ending}", place.display()));
    write_atomic(&with("svg"), svg::format(sketch).as_bytes())?;
    write_png(&with("png"), &image::DynamicImage::ImageLuma8(antialiased(sketch, SIDE, PEN)).to_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_files_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let photos = vec![PathBuf::from("a/chair.jpg"), PathBuf::from("b/stool.png")];
        let found = places(&photos, &place.path().join("new")).unwrap();
        assert_eq!(found, [place.path().join("new/chair"), place.path().join("new/stool")]);
        std::fs::write(place.path().join("chair.svg"), "").unwrap();
        places(&photos, place.path()).unwrap();
        std::fs::write(place.path().join("letter.txt"), "").unwrap();
        let error = places(&photos, place.path()).unwrap_err().to_string();
        assert!(error.contains("expected a folder with nothing else in it, found letter.txt"), "{error}");
    }

    #[test]
    fn photos_of_one_name_are_refused() {
        let photos = vec![PathBuf::from("a/chair.jpg"), PathBuf::from("b/chair.png")];
        let error = places(&photos, Path::new("no/such/folder")).unwrap_err().to_string();
        assert!(error.contains("photos of different names, found the name of a/chair.jpg"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_picture_is_named() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("chair.jpg");
        std::fs::write(&path, "no picture").unwrap();
        let error = read_photo(&path).unwrap_err().to_string();
        assert!(error.contains("chair.jpg: expected a whole PNG or JPEG picture"), "{error}");
    }
}
