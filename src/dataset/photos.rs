//! A plain folder of photos without sketches, such as the unlabelled photos of QMUL-Shoe-V2.

use super::{catalogue, listing, picture};
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

/// Opens a folder of PNG and JPEG files, sorted by file name (byte by byte); hidden files are skipped.
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
    let files = listing::files(root, &picture::PICTURES, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let mut paths: Vec<PathBuf> = files.into_iter().map(|(_, path)| path).collect();
    paths.sort_by(|a, b| a.file_name().cmp(&b.file_name())); // `a.jpg` and `a-1.jpg` stand otherwise by their stems
    let version = listing::version(root, paths.iter().map(PathBuf::as_path))?;
    Ok(PhotoFolder { name: catalogue::name_of_folder(root)?, paths, version })
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
