//! Pixels from strokes, the field's way or anti-aliased.
//!
//! Points outside the canvas are drawn as far as they are inside; points that are not finite are left out
//! ([`Sketch::check`](super::Sketch::check) finds them beforehand).

use super::{CANVAS, Point, Sketch};
use image::{
    GrayImage, Luma,
    imageops::{self, FilterType},
};
use imageproc::drawing::BresenhamLineIter;
use tiny_skia::{FillRule, LineCap, LineJoin, Mask, Path, PathBuilder, PathStroker, Stroke, Transform};

/// Points farther outside than this are pulled to it, so that an extreme coordinate costs no time: 16 canvases.
const FAR: f32 = 16.0 * CANVAS;

/// Draws a sketch as the field's code does: white lines on black.
///
/// On a canvas of 256 x 256: points rounded to pixels, Bresenham lines, one binary dilation with the 3 x 3 cross. Then
/// resized to `side` with a triangle (anti-aliased bilinear) filter. Pixel `i` covers `i` to `i + 1`, so lines lie half a
/// canvas pixel right and below of where [`antialiased`] draws them.
///
/// # Shapes
/// `side` x `side`; 0 ground, 255 ink, greys where the canvas was resized.
///
/// ```
/// use image::Luma;
/// use retrace::sketch::{Point, Sketch, bresenham};
/// let dot = Sketch { strokes: vec![vec![Point::new(9.0, 5.0)]] };
/// let picture = bresenham(&dot, 256);
/// let ink: Vec<_> = picture.enumerate_pixels().filter(|(_, _, p)| **p == Luma([255])).map(|(x, y, _)| (x, y)).collect();
/// assert_eq!(ink, [(9, 4), (8, 5), (9, 5), (10, 5), (9, 6)]); // the cross
/// ```
pub fn bresenham(sketch: &Sketch, side: u32) -> GrayImage {
    let canvas = CANVAS as u32;
    let mut picture = GrayImage::new(canvas, canvas);
    for stroke in finite_strokes(sketch) {
        let pixels: Vec<_> = stroke.iter().map(|point| (point.x.round(), point.y.round())).collect();
        // From the first point to itself, so that a stroke of one point draws its pixel.
        for (&a, &b) in pixels.iter().take(1).chain(&pixels).zip(&pixels) {
            BresenhamLineIter::new(a, b).for_each(|pixel| stamp(&mut picture, pixel));
        }
    }
    match side {
        0 => GrayImage::new(0, 0),
        side if side == canvas => picture,
        side => imageops::resize(&picture, side, side, FilterType::Triangle),
    }
}

/// Draws a pixel of a line dilated: itself and its four neighbours. A pixel outside the canvas is no ink to dilate.
fn stamp(picture: &mut GrayImage, (x, y): (i32, i32)) {
    let side = picture.width() as i32;
    let inside = |(x, y): (i32, i32)| (0..side).contains(&x) && (0..side).contains(&y);
    let cross = [(x, y), (x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
    for (x, y) in cross.into_iter().filter(|&pixel| inside((x, y)) && inside(pixel)) {
        picture.put_pixel(x as u32, y as u32, Luma([255]));
    }
}

/// Draws a sketch anti-aliased at the size wanted: dark lines with round caps and joins on white.
///
/// A stroke of one point draws a dot of diameter `width`. A width that is not above 0 draws nothing.
///
/// # Shapes
/// `width`: pixels of the 256 canvas, whatever the `side`. Returns `side` x `side`; 255 ground, 0 ink.
///
/// ```
/// use retrace::sketch::{Point, Sketch, antialiased};
/// let line = Sketch { strokes: vec![vec![Point::new(0.0, 128.0), Point::new(256.0, 128.0)]] };
/// let picture = antialiased(&line, 64, 8.0); // 8 px of 256 are 2 px of 64: rows 31 and 32
/// assert_eq!((30..34).map(|y| picture.get_pixel(9, y).0[0]).collect::<Vec<_>>(), [255, 0, 0, 255]);
/// ```
pub fn antialiased(sketch: &Sketch, side: u32, width: f32) -> GrayImage {
    let blank = || GrayImage::from_pixel(side, side, Luma([255]));
    if width.is_nan() || width <= 0.0 {
        return blank();
    }
    let (Some(outline), Some(mut ink)) = (outline(sketch, side, width), Mask::new(side, side)) else { return blank() };
    ink.fill_path(&outline, FillRule::Winding, true, Transform::identity());
    let ground = ink.take().into_iter().map(|ink| 255 - ink).collect();
    GrayImage::from_raw(side, side, ground).unwrap_or_else(blank)
}

/// The outline of all strokes with round caps and joins, in pixels of a picture of `side`.
fn outline(sketch: &Sketch, side: u32, width: f32) -> Option<Path> {
    let scale = side as f32 / CANVAS;
    let mut lines = PathBuilder::new();
    for stroke in finite_strokes(sketch) {
        for (k, point) in stroke.iter().enumerate() {
            if k == 0 {
                lines.move_to(point.x * scale, point.y * scale);
            }
            // From the first point to itself too: a line without length has round caps, which are the dot.
            if k > 0 || stroke.len() == 1 {
                lines.line_to(point.x * scale, point.y * scale);
            }
        }
    }
    let pen =
        Stroke { width: width * scale, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
    PathStroker::new().stroke(&lines.finish()?, &pen, 1.0)
}

/// The share of a picture that ink covers, greys counting in part.
///
/// ```text
/// mean over the pixels of (255 - value) / 255
/// ```
///
/// # Shapes
/// Any size, dark ink on white, as [`antialiased`] draws and corpora store it (invert what [`bresenham`] draws).
/// Returns 0 to 1, and 0 for a picture without pixels.
///
/// ```
/// use image::GrayImage;
/// use retrace::sketch::ink_share;
/// assert_eq!(ink_share(&GrayImage::from_raw(2, 2, vec![255, 255, 0, 255]).unwrap()), 0.25);
/// ```
pub fn ink_share(picture: &GrayImage) -> f64 {
    let ink: u64 = picture.as_raw().iter().map(|&value| u64::from(255 - value)).sum();
    ink as f64 / 255.0 / picture.as_raw().len().max(1) as f64
}

/// Strokes of at least one point, all finite and none farther out than [`FAR`].
fn finite_strokes(sketch: &Sketch) -> impl Iterator<Item = Vec<Point>> + '_ {
    let near = |value: f32| value.clamp(-FAR, FAR);
    sketch
        .strokes
        .iter()
        .map(move |stroke| {
            let finite = stroke.iter().filter(|point| point.is_finite());
            finite.map(|point| Point::new(near(point.x), near(point.y))).collect::<Vec<_>>()
        })
        .filter(|stroke| !stroke.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::any_sketch;
    use proptest::prelude::*;

    fn sketch(strokes: &[&[(f32, f32)]]) -> Sketch {
        let stroke = |points: &&[(f32, f32)]| points.iter().map(|&(x, y)| Point::new(x, y)).collect();
        Sketch { strokes: strokes.iter().map(stroke).collect() }
    }

    /// The definition, pixel by pixel: ink where a point on a line, or a neighbour up, down, left or right of it, is.
    fn slow_bresenham(sketch: &Sketch) -> GrayImage {
        let mut thin = std::collections::BTreeSet::new();
        for stroke in &sketch.strokes {
            let whole: Vec<_> = stroke.iter().map(|p| (p.x.round() as i64, p.y.round() as i64)).collect();
            thin.extend(whole.first());
            for pair in whole.windows(2) {
                let ((x0, y0), (x1, y1)) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
                let steps = (x1 - x0).abs().max((y1 - y0).abs());
                for k in 0..=steps.max(0) {
                    let at = |a: i64, b: i64| a as f64 + (b - a) as f64 * k as f64 / steps.max(1) as f64;
                    thin.insert((at(x0, x1).round() as i64, at(y0, y1).round() as i64));
                }
            }
        }
        GrayImage::from_fn(256, 256, |x, y| {
            let (x, y) = (i64::from(x), i64::from(y));
            let cross = [(x, y), (x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
            let inside = |p: &(i64, i64)| (0..256).contains(&p.0) && (0..256).contains(&p.1);
            Luma([if cross.iter().any(|p| inside(p) && thin.contains(p)) { 255 } else { 0 }])
        })
    }

    #[test]
    fn lines_without_ties_agree_with_the_slow_twin() {
        // Diagonals, or of odd length along their longer side: no step falls half-way between two pixels, where either is right.
        let lines =
            sketch(&[&[(10.0, 10.0), (13.0, 201.0)], &[(40.0, 200.0), (241.0, 193.0)], &[(9.0, 9.0), (9.0, 90.0)]]);
        let diagonal = sketch(&[
            &[(250.0, 3.0), (3.0, 250.0), (100.0, 250.0)],
            &[(77.0, 77.0)],
            &[(200.0, 210.0), (303.0, 277.0)],
        ]);
        for drawing in [lines, diagonal] {
            assert!(bresenham(&drawing, 256) == slow_bresenham(&drawing));
        }
    }

    #[test]
    fn half_a_canvas_is_half_the_side() {
        let line = sketch(&[&[(0.0, 128.0), (255.0, 128.0)]]);
        let picture = bresenham(&line, 64);
        assert_eq!(picture.dimensions(), (64, 64));
        // Rows 127 to 129 of 256 are ink. The centre of row 31 of 64 lies at 126, its triangle reaches 4 either way:
        // (2.5 + 1.5 + 0.5) / 16 of the weight is on ink; of row 32, whose centre lies at 130, (1.5 + 2.5 + 3.5) / 16.
        let row = |y| f32::from(picture.get_pixel(30, y).0[0]);
        assert!((row(31) - 255.0 * 4.5 / 16.0).abs() <= 1.0 && (row(32) - 255.0 * 7.5 / 16.0).abs() <= 1.0);
        assert_eq!([row(30), row(33)], [0.0, 0.0]);
    }

    #[test]
    fn empty_sketch_draws_nothing() {
        for drawing in [Sketch::default(), sketch(&[&[]]), sketch(&[&[(f32::NAN, 1.0)]]), sketch(&[&[(-90.0, 300.0)]])]
        {
            assert!(bresenham(&drawing, 64).pixels().all(|p| p.0[0] == 0));
            assert_eq!(ink_share(&antialiased(&drawing, 64, 3.0)), 0.0);
        }
        let dot = sketch(&[&[(9.0, 9.0)]]);
        for width in [0.0, -1.0, f32::NAN] {
            assert_eq!(ink_share(&antialiased(&dot, 64, width)), 0.0);
        }
        assert_eq!(bresenham(&dot, 0).dimensions(), (0, 0));
        assert_eq!(antialiased(&dot, 0, 3.0).dimensions(), (0, 0));
        assert_eq!(ink_share(&GrayImage::new(0, 0)), 0.0);
    }

    #[test]
    fn a_line_that_leaves_the_canvas_is_drawn_up_to_its_edge() {
        let line = sketch(&[&[(128.0, 50.0), (1e30, 50.0)], &[(-1e9, -1e9), (1e9, 1e9)]]);
        let (hard, soft) = (bresenham(&line, 256), antialiased(&line, 256, 3.0));
        assert_eq!((hard.get_pixel(255, 50).0[0], hard.get_pixel(100, 50).0[0]), (255, 0));
        assert_eq!((soft.get_pixel(255, 50).0[0], soft.get_pixel(100, 50).0[0]), (0, 255));
        assert_eq!((hard.get_pixel(200, 200).0[0], soft.get_pixel(200, 200).0[0]), (255, 0));
    }

    #[test]
    fn dots_are_discs() {
        // A disc of diameter 20: pi 10^2 pixels, 2% less for coarse coverage at the rim. Twice the same point is a dot too.
        for dot in [sketch(&[&[(128.0, 128.0)]]), sketch(&[&[(128.0, 128.0), (128.0, 128.0)]])] {
            let area = ink_share(&antialiased(&dot, 256, 20.0)) * 65_536.0;
            assert!((area - 314.16).abs() < 8.0, "{area}");
        }
    }

    #[test]
    fn the_area_of_a_stroke_is_that_of_its_stadium() {
        // Length 100, width 4: 400 pixels and two half discs of radius 2. Half the side has a quarter of the pixels.
        let line = sketch(&[&[(50.0, 60.0), (130.0, 120.0)]]);
        let expected = (400.0 + 4.0 * std::f64::consts::PI) / 65_536.0;
        for side in [512, 256, 128] {
            let share = ink_share(&antialiased(&line, side, 4.0));
            assert!((share / expected - 1.0).abs() < 0.02, "{side}: {share} {expected}");
        }
    }

    #[test]
    fn strokes_that_cross_in_any_direction_do_not_cancel() {
        let cross = |a, b| sketch(&[&[(100.0, 128.0), (156.0, 128.0)], &[(128.0, a), (128.0, b)], &[(128.0, 128.0)]]);
        for drawing in [cross(100.0, 156.0), cross(156.0, 100.0)] {
            assert_eq!(antialiased(&drawing, 256, 6.0).get_pixel(128, 128).0[0], 0);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn both_rasterisers_put_ink_under_every_point(sketch in any_sketch()) {
            let (hard, soft) = (bresenham(&sketch, 256), antialiased(&sketch, 256, 3.0));
            for point in sketch.strokes.iter().flatten() {
                let at = |v: f32| (v.round() as u32).min(255);
                prop_assert!(point.x.round() > 255.0 || point.y.round() > 255.0 || hard.get_pixel(at(point.x), at(point.y)).0[0] == 255);
                prop_assert!(soft.get_pixel(point.x as u32, point.y as u32).0[0] < 64);
            }
        }
    }
}
