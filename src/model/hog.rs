//! Histograms of oriented gradients: the floor that every table of this field should print.

use crate::{Error, Result};
use image::{GrayImage, imageops};
use imageproc::hog::{HogOptions, hog};

/// Side of the picture that the histograms are taken of, in pixels: the networks' own input size on the real sets.
pub const SIDE: u32 = 128;

/// Nine unsigned orientations, cells of 8 pixels, blocks of 2 x 2 cells: the layout of Dalal and Triggs (Sec. 6).
fn options() -> HogOptions {
    HogOptions::new(9, false, 8, 2, 1)
}

/// The descriptor of a picture: gradients of dark ink and of object edges look alike to it.
///
/// # Shapes
/// Any picture in, 15 x 15 blocks x 4 cells x 9 orientations = 8100 numbers out, of length 1 in each block.
///
/// # Errors
/// A picture without pixels.
///
/// # References
/// Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005.
pub fn describe(picture: &GrayImage) -> Result<Vec<f32>> {
    if picture.width() == 0 || picture.height() == 0 {
        return Err(Error::value("picture", "at least one pixel", "none"));
    }
    let resized = imageops::resize(picture, SIDE, SIDE, imageops::FilterType::Triangle);
    hog(&resized, options()).map_err(|found| Error::value("HOG options", "a layout that fits 128 pixels", found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Luma;

    fn stripes(vertical: bool) -> GrayImage {
        GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([if (if vertical { x } else { y }) / 8 % 2 == 0 { 0 } else { 255 }]))
    }

    #[test]
    fn vertical_and_horizontal_stripes_fill_other_bins() {
        let (vertical, horizontal) = (describe(&stripes(true)).unwrap(), describe(&stripes(false)).unwrap());
        assert_eq!(vertical.len(), 8100);
        let dot: f32 = vertical.iter().zip(&horizontal).map(|(a, b)| a * b).sum();
        let own: f32 = vertical.iter().map(|a| a * a).sum();
        assert!(dot < 0.05 * own, "{dot} of {own}");
    }

    #[test]
    fn hog_ignores_polarity() {
        let mut inverted = stripes(true);
        image::imageops::invert(&mut inverted);
        let difference: f32 = describe(&stripes(true))
            .unwrap()
            .iter()
            .zip(describe(&inverted).unwrap())
            .map(|(a, b)| (a - b).abs())
            .sum();
        assert!(difference < 1e-3, "{difference}");
    }

    #[test]
    fn hog_refuses_an_empty_picture() {
        assert!(describe(&GrayImage::new(0, 3)).is_err());
    }
}
