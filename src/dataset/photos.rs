//! Photos without sketches, such as the unlabelled photos of QMUL-Shoe-V2.
//!
//! ```text
//! <photo>.jpg          photo/<photo>.jpg   photo/<class>/... is another layout
//!                or    wild/<photo>.jpg    natural ones, where there are some
//!                      manifest.csv        where each is from: columns `file,...`, not read
//! ```

use super::corpus::{Layout, Scan};
use super::{Split, catalogue, listing, picture};
use crate::{Error, Result};
use image::RgbImage;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Photos without labels and without sketches, for pre-training and semi-supervised learning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoFolder {
    name: String,
    paths: Vec<PathBuf>,
    version: String,
}

/// Opens a folder of PNG and JPEG files, or of the sub-folders `photo/` and `wild/`, sorted by file name (byte by byte);
/// hidden files are skipped.
///
/// Files are read only when they are asked for; [`PhotoFolder::check`] reads all.
///
/// # Errors
/// A folder that is missing or empty; a sub-folder or a file of another ending, by name: it may be a photo that would
/// be missed.
///
/// ```
/// let place = tempfile::tempdir().unwrap();
/// image::RgbImage::new(4, 3).save(place.path().join("b.png")).unwrap();
/// let photos = retrace::dataset::photos(place.path())?;
/// assert_eq!((photos.count(), photos.photo(0)?.dimensions()), (1, (4, 3)));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn photos(root: &Path) -> Result<PhotoFolder> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for (_, folder) in folders(root) {
        files.extend(listing::files(&folder, &picture::PICTURES, &mut problems));
    }
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let mut paths: Vec<PathBuf> = files.into_iter().map(|(_, path)| path).collect();
    paths.sort_by(|a, b| (a.parent(), a.file_name()).cmp(&(b.parent(), b.file_name()))); // `a.jpg` and `a-1.jpg` stand otherwise by their stems
    let version = listing::version(root, paths.iter().map(PathBuf::as_path))?;
    Ok(PhotoFolder { name: catalogue::name_of_folder(root)?, paths, version })
}

/// The folders that hold the photos, and what their photos' ids begin with.
fn folders(root: &Path) -> Vec<(&'static str, PathBuf)> {
    let parts = [("photo/", "photo"), ("wild/", "wild")].map(|(prefix, part)| (prefix, root.join(part)));
    match detect_parts(root) {
        true => parts.into_iter().filter(|(_, folder)| folder.is_dir()).collect(),
        false => vec![("", root.to_path_buf())],
    }
}

/// Whether there is nothing but `photo/`, `wild/` and manifests without a column of sketches.
fn detect_parts(root: &Path) -> bool {
    let entries: Vec<_> = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let fits = |path: &PathBuf| match path.file_name().and_then(|name| name.to_str()) {
        Some("photo" | "wild") => path.is_dir() && listing::folders(path).is_ok_and(|inner| inner.is_empty()),
        Some(name) if name.starts_with('.') => true,
        Some(name) if name.starts_with("manifest") => {
            std::fs::read_to_string(path).is_ok_and(|text| text.starts_with("file,"))
        }
        _ => false,
    };
    entries.iter().any(|path| path.is_dir()) && entries.iter().all(fits)
}

pub(super) fn detect(root: &Path) -> Option<Layout> {
    let is_picture = |path: &Path| listing::ending(path).is_some_and(|own| picture::PICTURES.contains(&own.as_str()));
    let flat = || {
        let mut entries = std::fs::read_dir(root).ok()?.flatten().map(|entry| entry.path()).peekable();
        entries.peek()?;
        entries.all(|path| path.is_file() && is_picture(&path)).then_some(())
    };
    (detect_parts(root) || flat().is_some()).then_some(Layout::Photos)
}

/// The photos as a corpus for training that has no sketches: it can be checked and shown.
pub(super) fn scan(root: &Path) -> Result<Scan> {
    let name = catalogue::name_of_folder(root)?;
    let category = catalogue::category_of(&name);
    let mut scan = Scan::new(name, Layout::Photos, root);
    for (prefix, folder) in folders(root) {
        for (id, path) in listing::files(&folder, &picture::PICTURES, &mut scan.problems) {
            scan.add_photo(format!("{prefix}{id}"), category, Split::Train, &path);
        }
    }
    Ok(scan)
}

impl PhotoFolder {
    /// The folder's name in lower case with dashes, e.g. `qmul-shoe-v2-photos`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many photos there are; at least one.
    pub fn count(&self) -> usize {
        self.paths.len()
    }

    /// A hash of file names and sizes, as a corpus has it ([`super::Source::version`]).
    pub fn version(&self) -> String {
        self.version.clone()
    }

    /// The photo at a position, in the order of the file names.
    ///
    /// # Errors
    /// A position outside the folder; a file that is missing, cut short or no picture.
    pub fn photo(&self, position: usize) -> Result<RgbImage> {
        let beyond =
            || Error::value(format!("photo of {}", self.name), format!("a position below {}", self.count()), position);
        picture::read_photo(self.paths.get(position).ok_or_else(beyond)?)
    }

    /// Reads every photo and returns what is wrong, file by file, in their order; empty where all are sound.
    pub fn check(&self) -> Vec<Error> {
        self.paths.par_iter().filter_map(|path| picture::read_photo(path).err()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Source;
    use image::Rgb;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for (shade, name) in names.iter().enumerate() {
            RgbImage::from_pixel(4, 4, Rgb([shade as u8 * 50; 3])).save(place.path().join(name)).unwrap();
        }
        place
    }

    fn refuse(root: &Path) -> String {
        photos(root).unwrap_err().to_string()
    }

    #[test]
    fn photos_stand_in_the_order_of_their_file_names() {
        let place = folder(&["10.png", "a.png", "2.png", "a-1.png", "B.PNG"]);
        std::fs::write(place.path().join(".hidden"), "x").unwrap();
        let found = photos(place.path()).unwrap();
        let shades: Vec<u8> = (0..found.count()).map(|i| found.photo(i).unwrap().get_pixel(0, 0).0[0] / 50).collect();
        assert_eq!(shades, [0, 2, 4, 3, 1]); // 10, 2, B, a-1, a
        assert!(found.check().is_empty() && !found.name().is_empty());
        let error = found.photo(5).unwrap_err().to_string();
        assert!(error.contains("a position below 5, found 5"), "{error}");
    }

    #[test]
    fn parts_of_a_folder_are_read_together() {
        let place = folder(&["9.png"]);
        assert_eq!(detect(place.path()), Some(Layout::Photos));
        let inner = |name: &str| place.path().join(name);
        for part in ["wild", "photo"] {
            std::fs::create_dir(inner(part)).unwrap();
            std::fs::copy(inner("9.png"), inner(part).join("9.png")).unwrap();
        }
        assert_eq!(detect(place.path()), None); // photos beside the parts would be missed
        std::fs::remove_file(inner("9.png")).unwrap();
        std::fs::write(inner("manifest_wild.csv"), "file,source\n9.png,shop\n").unwrap();
        let found = photos(place.path()).unwrap();
        assert_eq!(found.count(), 2);
        let corpus = scan(place.path()).unwrap().open().unwrap();
        assert_eq!(
            corpus.index().photos.iter().map(|photo| photo.id.as_str()).collect::<Vec<_>>(),
            ["photo/9", "wild/9"]
        );
        assert_eq!((corpus.version(), corpus.photo(1).unwrap()), (found.version(), found.photo(1).unwrap()));
        std::fs::write(inner("manifest.csv"), "sketch,photo,split\n").unwrap();
        assert_eq!(detect(place.path()), None);
    }

    #[test]
    fn the_real_photos_are_as_many_as_listed() {
        let Some(data) = super::super::fixture::real_data() else { return };
        let names = ["QMUL-Shoe-V2-photos", "Chair-photos-unlabelled", "Shoe-photos-unlabelled"];
        for (name, count) in names.into_iter().zip([2000, 577, 3000]) {
            let report = super::super::check(&data.join(name)).unwrap();
            assert!(report.is_sound() && report.agrees_with("measured"), "{report}");
            assert_eq!((photos(&data.join(name)).unwrap().count(), report.undrawn), (count, count));
        }
    }

    #[test]
    fn the_version_tells_names_and_sizes_apart() {
        let (one, two) = (folder(&["a.png", "b.png"]), folder(&["a.png", "b.png"]));
        let version = |place: &tempfile::TempDir| photos(place.path()).unwrap().version();
        assert_eq!(version(&one), version(&two));
        assert_eq!(version(&one).len(), 16);
        std::fs::rename(two.path().join("b.png"), two.path().join("c.png")).unwrap();
        assert_ne!(version(&one), version(&two));
        let before = version(&one);
        RgbImage::new(90, 90).save(one.path().join("b.png")).unwrap();
        assert_ne!(version(&one), before);
    }

    #[test]
    fn open_names_a_folder_without_photos() {
        let place = folder(&["a.png"]);
        assert!(refuse(&place.path().join("absent")).contains("absent: expected a folder, found nothing"));
        assert!(refuse(&place.path().join("a.png")).contains("expected a folder, found a file"));
        std::fs::write(place.path().join("notes.txt"), "x").unwrap();
        assert!(refuse(place.path()).contains("notes.txt: expected a file of png, jpg, jpeg"));
        std::fs::remove_file(place.path().join("notes.txt")).unwrap();
        std::fs::create_dir(place.path().join("more.png")).unwrap();
        assert!(refuse(place.path()).contains("more.png"));
        let empty = tempfile::tempdir().unwrap();
        assert!(refuse(empty.path()).contains("found an empty folder"));
    }

    #[test]
    fn broken_photos_are_named_when_read() {
        let place = folder(&["a.png", "b.png", "c.png"]);
        std::fs::write(place.path().join("b.png"), "no picture").unwrap();
        let whole = std::fs::read(place.path().join("c.png")).unwrap();
        std::fs::write(place.path().join("c.png"), &whole[..whole.len() / 2]).unwrap();
        let found = photos(place.path()).unwrap();
        assert!(found.photo(0).is_ok() && found.photo(1).unwrap_err().to_string().contains("b.png"));
        let faults: Vec<String> = found.check().iter().map(Error::to_string).collect();
        assert!(faults.len() == 2 && faults[0].contains("b.png") && faults[1].contains("c.png"), "{faults:?}");
    }
}
