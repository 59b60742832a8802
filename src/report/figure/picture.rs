//! Pictures within a figure.

use super::canvas::{PALETTE, fail};
use crate::{Error, Result};
use base64::Engine;
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ImageBuffer, Luma, Rgb, RgbImage, imageops};

/// Quality of stored photos: no artefact is seen at this size.
const QUALITY: u8 = 88;

/// How much of a picture its heat covers at most.
const OPACITY: f32 = 0.75;

/// An `<image>` of `side` pixels at most, centred in its cell; half as much again is stored, sharp on dense screens and
/// small in the file.
pub(super) fn element(picture: &RgbImage, (x, y): (i32, i32), side: i32) -> Result<String> {
    if picture.width() == 0 || picture.height() == 0 {
        return Err(Error::value("picture", "at least one pixel", "none"));
    }
    let longer = picture.width().max(picture.height());
    let shown = |own: u32| f64::from(side) * f64::from(own) / f64::from(longer);
    let (w, h) = (shown(picture.width()), shown(picture.height()));
    let (x, y) = (f64::from(x) + (f64::from(side) - w) / 2.0, f64::from(y) + (f64::from(side) - h) / 2.0);
    let source = encode(&shrink(picture, longer, side.unsigned_abs() * 3 / 2))?;
    Ok(format!("<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" href=\"{source}\"/>\n"))
}

fn shrink(picture: &RgbImage, longer: u32, stored: u32) -> RgbImage {
    if longer <= stored {
        return picture.clone();
    }
    let side = |side: u32| (side * stored / longer).max(1);
    imageops::resize(picture, side(picture.width()), side(picture.height()), imageops::FilterType::CatmullRom)
}

/// As a data address: PNG or JPEG, whichever is smaller (drawings, photos).
fn encode(picture: &RgbImage) -> Result<String> {
    let (mut png, mut jpeg) = (Vec::new(), Vec::new());
    picture.write_with_encoder(PngEncoder::new(&mut png)).map_err(fail)?;
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY)).map_err(fail)?;
    let (kind, bytes) = if png.len() <= jpeg.len() { ("png", png) } else { ("jpeg", jpeg) };
    Ok(format!("data:image/{kind};base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes)))
}

/// A picture under a heat map, the second colour of the palette where the map is high.
///
/// # Shapes
/// `heat`: 0 to 1, row by row, `columns` to a row; it is stretched over the picture, linear in between.
///
/// # Errors
/// Rows of another length.
///
/// ```
/// use image::{Rgb, RgbImage};
/// let white = RgbImage::from_pixel(4, 2, Rgb([255; 3]));
/// let found = retrace::report::figure::picture::heated(&white, &[0.0, 1.0], 2)?;
/// assert_eq!((found.get_pixel(0, 0).0, found.get_pixel(3, 1).0), ([255; 3], [224, 134, 64]));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn heated(picture: &RgbImage, heat: &[f32], columns: usize) -> Result<RgbImage> {
    let rows = heat.len() / columns.max(1);
    let map = ImageBuffer::<Luma<f32>, _>::from_raw(columns as u32, rows as u32, heat.to_vec());
    let map = map.filter(|_| rows * columns == heat.len() && rows > 0);
    let map = map.ok_or_else(|| Error::value("heat map", format!("whole rows of {columns}"), heat.len()))?;
    let wide = imageops::resize(&map, picture.width(), picture.height(), imageops::FilterType::Triangle);
    let colour = [PALETTE[1].0, PALETTE[1].1, PALETTE[1].2];
    let blend = |x: u32, y: u32| {
        let share = OPACITY * wide.get_pixel(x, y).0[0].clamp(0.0, 1.0);
        let own = picture.get_pixel(x, y).0;
        let mix = |i: usize| (f32::from(own[i]) * (1.0 - share) + f32::from(colour[i]) * share).round() as u8;
        Rgb([mix(0), mix(1), mix(2)])
    };
    Ok(RgbImage::from_fn(picture.width(), picture.height(), blend))
}
