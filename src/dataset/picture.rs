//! Reads picture files; an incomplete file is an error.

use crate::{Error, Result};
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;
use std::path::Path;

/// Endings of the picture files that are read, in lower case.
pub const PICTURES: [&str; 3] = ["png", "jpg", "jpeg"];

/// A photo as RGB: transparent parts become white, a camera's orientation mark is applied.
///
/// # Errors
/// A file that is missing, cut short, or neither PNG nor JPEG (told by content, not by name).
pub fn read_photo(path: &Path) -> Result<RgbImage> {
    Ok(on_white(decode(path)?).to_rgb8())
}

/// A drawing as grey values, dark ink on white: transparent parts become white.
///
/// # Errors
/// As [`read_photo`].
pub fn read_sketch(path: &Path) -> Result<GrayImage> {
    Ok(on_white(decode(path)?).to_luma8())
}

/// A picture whose grey values are labels, as they are stored.
///
/// # Errors
/// As [`read_photo`]; a picture of other than 8 bits of grey, whose values would change on the way.
pub fn read_labels(path: &Path) -> Result<GrayImage> {
    match decode(path)? {
        DynamicImage::ImageLuma8(labels) => Ok(labels),
        other => Err(Error::data(path, "labels as 8 bits of grey", format!("{:?}", other.color()))),
    }
}

fn decode(path: &Path) -> Result<DynamicImage> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let broken = |found: String| Error::data(path, "a whole PNG or JPEG picture", found);
    if bytes.is_empty() {
        return Err(broken("an empty file".into()));
    }
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().map_err(Error::io(path))?;
    let format = reader.format();
    let Some(ImageFormat::Png | ImageFormat::Jpeg) = format else {
        let start = &bytes[..bytes.len().min(8)];
        return Err(broken(
            format.map_or_else(|| format!("a file that starts with {start:02x?}"), |f| format!("{f:?}")),
        ));
    };
    if format == Some(ImageFormat::Jpeg) && !is_closed_jpeg(&bytes) {
        return Err(broken("a JPEG file without its end mark (cut short?)".into()));
    }
    let mut decoder = reader.into_decoder().map_err(|error| broken(error.to_string()))?;
    // A few bytes can claim any size; 512 MiB is the decoder's own limit.
    Limits::default().reserve(decoder.total_bytes()).map_err(|error| broken(error.to_string()))?;
    let orientation = decoder.orientation().map_err(|error| broken(error.to_string()))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(error.to_string()))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Whether the first picture of a JPEG file reaches its end mark (FF D9): the decoder fills the missing part of
/// a cut file with grey, without an error. Cameras append other data, so the file's last bytes need not be the mark.
fn is_closed_jpeg(bytes: &[u8]) -> bool {
    let mut at = 2; // behind the start mark
    while let Some(&[first, second]) = bytes.get(at..at + 2).and_then(|pair| pair.as_array()) {
        at += match (first, second) {
            (0xff, 0xd9) => return true,
            (0xff, 0xff) => 1,                      // fill
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => 2, // an escaped byte of a scan, and marks without a segment
            (0xff, _) => match bytes.get(at + 2..at + 4) {
                Some(length) => 2 + usize::from(length[0]) * 256 + usize::from(length[1]),
                None => return false,
            },
            _ => 1, // inside a scan
        };
    }
    false
}

fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let mut rgba = picture.to_rgba8();
    for pixel in rgba.pixels_mut() {
        let alpha = u32::from(pixel[3]);
        for channel in &mut pixel.0[..3] {
            *channel = ((u32::from(*channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
        pixel[3] = 255;
    }
    DynamicImage::ImageRgba8(rgba)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, Rgba, RgbaImage};

    fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn noise() -> DynamicImage {
        RgbImage::from_fn(32, 32, |x, y| Rgb([(x * 37 + y * 91) as u8, (x * y) as u8, (x ^ y) as u8])).into()
    }

    #[test]
    fn transparent_ground_becomes_white_and_half_ink_half_grey() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.png");
        let picture = RgbaImage::from_fn(3, 1, |x, _| Rgba([0, 0, 0, [0, 128, 255][x as usize]]));
        picture.save(&path).unwrap();
        assert_eq!(read_sketch(&path).unwrap().into_raw(), [255, 127, 0]);
        assert_eq!(read_photo(&path).unwrap().into_raw(), [255, 255, 255, 127, 127, 127, 0, 0, 0]);
    }

    #[test]
    fn a_cut_file_is_an_error_wherever_it_is_cut() {
        let place = tempfile::tempdir().unwrap();
        for (format, name) in [(ImageFormat::Png, "a.png"), (ImageFormat::Jpeg, "a.jpg")] {
            let bytes = encode(&noise(), format);
            let path = place.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(read_photo(&path).unwrap().dimensions(), (32, 32));
            for share in [0, 10, 50, 90, 98] {
                std::fs::write(&path, &bytes[..bytes.len() * share / 100]).unwrap();
                let error = read_photo(&path).unwrap_err().to_string();
                assert!(error.contains(name) && error.contains("a whole PNG or JPEG"), "{share}: {error}");
            }
        }
    }

    #[test]
    fn closed_jpeg_may_have_appended_data() {
        let whole = encode(&noise(), ImageFormat::Jpeg);
        let appended = [&whole[..], &[0xff, 0xda, 1, 2, 3]].concat();
        assert!(is_closed_jpeg(&whole) && is_closed_jpeg(&appended));
        assert!(!is_closed_jpeg(&whole[..whole.len() - 1]) && !is_closed_jpeg(&[]) && !is_closed_jpeg(&[0xff; 3]));
        // A preview in a camera's notes has an end mark of its own, inside a segment.
        let preview = [&whole[..2], &[0xff, 0xe1, 0, 4, 0xff, 0xd9], &whole[2..whole.len() - 2]].concat();
        assert!(!is_closed_jpeg(&preview));
    }

    #[test]
    fn read_photo_goes_by_content_not_by_name() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.png");
        std::fs::write(&path, encode(&noise(), ImageFormat::Jpeg)).unwrap();
        assert!(read_photo(&path).is_ok());
        std::fs::write(&path, b"GIF89a..................").unwrap();
        assert!(read_photo(&path).unwrap_err().to_string().contains("found Gif"));
    }
}
