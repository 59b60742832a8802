//! Photos that are copies of each other, told by their content: names, sizes and encodings differ between releases.

use super::{Layout, Split, catalogue, open};
use crate::Result;
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma, RgbImage};
use rayon::prelude::*;
use std::path::Path;

/// Side of a fingerprint, in cells.
const SIDE: u32 = 16;

/// Side at which a photo is measured, in pixels.
const MEASURED: u32 = 256;

/// Half a fingerprint's width in deviations of the darkness: most of the object, and little of an empty ground.
const REACH: f64 = 2.0;

/// Copies differ by less than this many greys of 255 in the mean.
///
/// Measured: unlabelled photos differ from the test photos of QMUL-Shoe-V1 and QMUL-Chair-V2 by 6.4 or more, a test photo
/// from its own copy at half the size and JPEG quality 80 by less than 5 (`tests/real_data.rs`).
const COPY: f32 = 5.5;

/// The greys of a photo's object in `16 x 16` cells, whatever its place, its size and its encoding.
///
/// ```
/// # use retrace::dataset::Fingerprint;
/// # use image::{RgbImage, imageops};
/// let photo = RgbImage::from_fn(64, 64, |x, y| image::Rgb([if x > 8 && y > 20 { (x * 2) as u8 } else { 255 }; 3]));
/// let (whole, mirrored) = (Fingerprint::of(&photo), Fingerprint::of(&imageops::flip_horizontal(&photo)));
/// assert!(whole.is_copy(&whole) && whole.is_copy(&mirrored));
/// assert!(!whole.is_copy(&Fingerprint::of(&imageops::rotate180(&imageops::flip_horizontal(&RgbImage::new(64, 64))))));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fingerprint {
    cells: Vec<u8>,
}

impl Fingerprint {
    /// The fingerprint of a photo: what lies around the middle of its darkness, as far as the darkness spreads.
    ///
    /// A box of all dark pixels would hang on single ones, which JPEG moves; mean and deviation hang on all.
    pub fn of(photo: &RgbImage) -> Self {
        let grey = imageops::resize(&imageops::grayscale(photo), MEASURED, MEASURED, FilterType::Triangle);
        let [(left, width), (top, height)] = [window(&grey, |x, _| x), window(&grey, |_, y| y)];
        let mut wide = GrayImage::from_pixel(3 * MEASURED, 3 * MEASURED, Luma([255]));
        imageops::replace(&mut wide, &grey, i64::from(MEASURED), i64::from(MEASURED));
        let object = imageops::crop_imm(&wide, left, top, width, height).to_image();
        Self { cells: imageops::resize(&object, SIDE, SIDE, FilterType::Triangle).into_raw() }
    }

    /// The mean difference of two photos in greys of 255, the smaller one of the photo and its mirror image.
    pub fn difference(&self, other: &Self) -> f32 {
        let side = SIDE as usize;
        let mean = |place: &dyn Fn(usize) -> usize| {
            let cells = self.cells.iter().enumerate();
            let sum: u32 = cells.map(|(at, cell)| u32::from(cell.abs_diff(other.cells[place(at)]))).sum();
            sum as f32 / (side * side) as f32
        };
        mean(&|at| at).min(mean(&|at| at - at % side + (side - 1 - at % side)))
    }

    /// Whether both are of one picture: another size, another encoding, a mirror image.
    pub fn is_copy(&self, other: &Self) -> bool {
        self.difference(other) < COPY
    }
}

/// Start and length of the window along one axis, in a picture with a whole [`MEASURED`] of ground before it.
///
/// A window reaches at most a whole picture beyond the middle, which stays within that ground.
fn window(grey: &GrayImage, axis: impl Fn(u32, u32) -> u32) -> (u32, u32) {
    let mut sums = [0f64; 3];
    for (x, y, pixel) in grey.enumerate_pixels() {
        let (at, dark) = (f64::from(axis(x, y)), 255.0 - f64::from(pixel.0[0]));
        sums = [sums[0] + dark, sums[1] + dark * at, sums[2] + dark * at * at];
    }
    if sums[0] == 0.0 {
        return (MEASURED, MEASURED); // nothing but ground: the whole photo
    }
    let mean = sums[1] / sums[0];
    let reach = REACH * (sums[2] / sums[0] - mean * mean).max(0.0).sqrt();
    let reach = reach.clamp(1.0, f64::from(MEASURED));
    ((mean - reach + f64::from(MEASURED)).round() as u32, (2.0 * reach).round() as u32)
}

/// The fingerprints of the test photos of every known corpus of single objects in a data folder: what no training may have
/// seen.
///
/// Scenes are left out. A fingerprint is of one object on its ground, and two scenes with much sky differ by as little as
/// a copy: a blimp and a plane by 4.5.
///
/// # Errors
/// A corpus or a photo that cannot be read.
pub fn test_photos(data: &Path) -> Result<Vec<Fingerprint>> {
    let is_of_objects = |root: &Path| open::detect(root).map_or(true, Layout::is_of_objects);
    let is_here = |root: &Path| root.is_dir() && is_of_objects(root);
    let here = catalogue::list()?.into_iter().filter(|known| is_here(&data.join(&known.folder)));
    let mut fingerprints = Vec::new();
    for known in here {
        let corpus = open::open(&known.name, Some(data))?;
        let positions = corpus.index().photos_of(Split::Test);
        let of = |position: usize| Ok(Fingerprint::of(&corpus.photo(position)?));
        fingerprints.extend(positions.into_par_iter().map(of).collect::<Result<Vec<_>>>()?);
    }
    Ok(fingerprints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::synthetic::Photos;
    use image::codecs::jpeg::JpegEncoder;

    fn photos() -> Vec<RgbImage> {
        let stream = Photos { count: 12, side: 128 };
        (0..12).map(|position| stream.photo(position).unwrap()).collect()
    }

    #[test]
    fn a_copy_is_told_whatever_its_size_encoding_and_ground() {
        for photo in photos() {
            let half = imageops::resize(&photo, 64, 64, FilterType::Triangle);
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&half).unwrap();
            let copy = image::load_from_memory(&bytes).unwrap().to_rgb8();
            let difference = Fingerprint::of(&photo).difference(&Fingerprint::of(&copy));
            assert!(difference < COPY, "{difference}");
        }
    }

    #[test]
    fn a_copy_is_told_whatever_its_ground_and_whichever_way_it_looks() {
        let shoe = |x: u32, y: u32| x > 10 && y > 5 && x * y < 1500 && (x + y) % 23 > 6;
        let photo = RgbImage::from_fn(90, 60, |x, y| image::Rgb([if shoe(x, y) { (2 * x) as u8 } else { 255 }; 3]));
        let mut wide = RgbImage::from_pixel(200, 150, image::Rgb([255; 3]));
        imageops::replace(&mut wide, &imageops::flip_horizontal(&photo), 60, 12);
        let difference = Fingerprint::of(&wide).difference(&Fingerprint::of(&photo));
        assert!(difference < COPY, "{difference}");
        assert!(!Fingerprint::of(&imageops::flip_vertical(&wide)).is_copy(&Fingerprint::of(&photo)));
    }

    #[test]
    fn photos_of_two_objects_are_not_copies() {
        let fingerprints: Vec<Fingerprint> = photos().iter().map(Fingerprint::of).collect();
        for (at, one) in fingerprints.iter().enumerate() {
            assert!(fingerprints[..at].iter().all(|other| !one.is_copy(other)), "{at}");
        }
    }

    #[test]
    fn a_photo_of_its_ground_alone_is_taken_whole() {
        let white = Fingerprint::of(&RgbImage::from_pixel(9, 5, image::Rgb([255; 3])));
        assert!(white.cells.iter().all(|cell| *cell == 255) && white.cells.len() == 256);
    }
}
