//! Sketches scaled and moved so that they fill the canvas.

use super::{CANVAS, Point, Sketch};
use image::{GrayImage, Luma, imageops};

/// Pixels darker than this are ink: more ink than ground.
const INK: u8 = 128;

/// Scales and centres a sketch: the longer side of what is drawn spans the canvas but for a margin.
///
/// ```text
/// p' = s (p - m) + 128,   s = (256 - 2 margin) / max(width, height),   m the centre of the bounds
/// ```
///
/// A sketch without extent is moved alone; one without points stays as it is.
///
/// # Shapes
/// `margin`: pixels of the 256 canvas, 0 to below 128.
///
/// ```
/// use retrace::sketch::{Point, Sketch, centred};
/// let line = Sketch { strokes: vec![vec![Point::new(10.0, 40.0), Point::new(30.0, 40.0)]] };
/// assert_eq!(centred(&line, 28.0).bounds(), Some((Point::new(28.0, 128.0), Point::new(228.0, 128.0))));
/// ```
///
/// # References
/// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Sec. 4.1.
pub fn centred(sketch: &Sketch, margin: f32) -> Sketch {
    let Some((low, high)) = sketch.bounds() else { return sketch.clone() };
    let longest = (high.x - low.x).max(high.y - low.y);
    let scale = if longest > 0.0 { (CANVAS - 2.0 * margin) / longest } else { 1.0 };
    let middle = Point::new((low.x + high.x) / 2.0, (low.y + high.y) / 2.0);
    let half = CANVAS / 2.0;
    sketch.map(|point| Point::new((point.x - middle.x) * scale + half, (point.y - middle.y) * scale + half))
}

/// Scales and centres a picture of a sketch as [`centred`] does strokes; one without ink is only resized.
///
/// # Shapes
/// Any size, 255 ground, 0 ink, in; `side` x `side` out; `margin` as in [`centred`].
///
/// ```
/// use image::{GrayImage, Luma};
/// use retrace::sketch::centred_picture;
/// let dot = GrayImage::from_fn(8, 8, |x, y| Luma([if (5..7).contains(&x) && y < 2 { 0 } else { 255 }]));
/// let filled = centred_picture(&dot, 64.0, 4); // its pixels now cover the middle half of both sides
/// let ink = |x, y| filled.get_pixel(x, y).0[0] < 128;
/// assert_eq!((ink(1, 1), ink(2, 2), ink(0, 1), ink(3, 3)), (true, true, false, false));
/// ```
pub fn centred_picture(picture: &GrayImage, margin: f32, side: u32) -> GrayImage {
    let filter = imageops::FilterType::Triangle;
    let Some([x, y, width, height]) = ink_box(picture) else { return imageops::resize(picture, side, side, filter) };
    let longest = width.max(height);
    let square = ((longest as f32 * CANVAS / (CANVAS - 2.0 * margin)).round() as u32).max(longest);
    let mut out = GrayImage::from_pixel(square, square, Luma([255]));
    let drawn = imageops::crop_imm(picture, x, y, width, height).to_image();
    imageops::replace(&mut out, &drawn, i64::from((square - width) / 2), i64::from((square - height) / 2));
    imageops::resize(&out, side, side, filter)
}

/// Left, top, width and height of the ink.
fn ink_box(picture: &GrayImage) -> Option<[u32; 4]> {
    let dark = picture.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] < INK);
    let bounds = dark.fold(None, |bounds, (x, y, _)| {
        let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
        Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
    });
    bounds.map(|[left, top, right, bottom]| [left, top, right - left + 1, bottom - top + 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{antialiased, any_sketch};
    use proptest::prelude::*;

    #[test]
    fn centred_keeps_a_dot_and_an_empty_sketch() {
        let dot = Sketch { strokes: vec![vec![Point::new(9.0, 200.0)]] };
        assert_eq!(centred(&dot, 8.0).strokes, vec![vec![Point::new(128.0, 128.0)]]);
        assert_eq!(centred(&Sketch::default(), 8.0), Sketch::default());
    }

    #[test]
    fn centred_picture_without_ink_is_resized() {
        let blank = GrayImage::from_pixel(5, 7, Luma([255]));
        assert_eq!(centred_picture(&blank, 8.0, 16), GrayImage::from_pixel(16, 16, Luma([255])));
    }

    /// Strokes drawn and then centred as a picture, against strokes centred and then drawn.
    #[test]
    fn centred_picture_lies_where_centred_strokes_do() {
        let corner = [(20.0, 30.0), (20.0, 80.0), (60.0, 80.0)].map(|(x, y)| Point::new(x, y));
        let sketch = Sketch { strokes: vec![corner.to_vec()] };
        let picture = centred_picture(&antialiased(&sketch, 256, 2.0), 16.0, 64);
        let (strokes, found) =
            (ink_box(&antialiased(&centred(&sketch, 16.0), 64, 8.0)).unwrap(), ink_box(&picture).unwrap());
        // The picture's box holds the ink's width too: a pixel of 64 at each side.
        assert!(strokes.iter().zip(found).all(|(a, b)| a.abs_diff(b) <= 2), "{strokes:?} {found:?}");
    }

    proptest! {
        #[test]
        fn centred_fills_the_canvas_but_for_the_margin(sketch in any_sketch(), margin in 0.0f32..64.0) {
            let (low, high) = centred(&sketch, margin).bounds().unwrap();
            let (width, height) = (high.x - low.x, high.y - low.y);
            let before = sketch.bounds().map(|(low, high)| (high.x - low.x).max(high.y - low.y)).unwrap();
            prop_assume!(before > 1.0);
            prop_assert!((width.max(height) - (CANVAS - 2.0 * margin)).abs() < 0.1);
            prop_assert!(((low.x + high.x) / 2.0 - 128.0).abs() < 0.1 && ((low.y + high.y) / 2.0 - 128.0).abs() < 0.1);
        }
    }
}
