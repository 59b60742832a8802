//! What a generator drew of a handful of test photos, as its analysis kept it.

use crate::report::analysis::Folder;
use crate::sketch::{Point, Sketch, Stroke, antialiased};
use crate::{Error, Result};
use image::{DynamicImage, RgbImage, imageops};
use std::collections::BTreeMap;
use std::path::Path;

/// Sketches of figures: side in pixels, as many as a grid of pictures stores, and width of a line on the 256 canvas.
const SIDE: u32 = 120;
const PEN: f32 = 4.0;

/// The test sketches of the handful, each with its photo.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn handful(folder: &Folder) -> Result<Vec<[usize; 2]>> {
    let lines = folder.lines("drawing", ["query", "photo"])?;
    Ok(lines.into_iter().map(|pair| pair.map(|position| position as usize)).collect())
}

/// What a generator of strokes drew, by the test sketch in whose place it is.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn sketches(folder: &Folder) -> Result<BTreeMap<usize, Sketch>> {
    let lines = folder.lines("points", ["query", "x", "y", "lifted"])?;
    Ok(lines.chunk_by(|a, b| a[0] == b[0]).map(|own| (own[0][0] as usize, sketch(own))).collect())
}

/// Points, and whether the pen leaves the paper after each.
fn sketch(lines: &[[f64; 4]]) -> Sketch {
    let stroke =
        |part: &[[f64; 4]]| part.iter().map(|[_, x, y, _]| Point::new(*x as f32, *y as f32)).collect::<Stroke>();
    Sketch { strokes: lines.split_inclusive(|line| line[3] == 1.0).map(stroke).collect() }
}

/// Pictures of what any generator drew, in the order of the handful.
///
/// # Errors
/// An analysis that cannot be read, or lacks a sketch.
pub(super) fn pictures(folder: &Folder) -> Result<Vec<RgbImage>> {
    let handful = handful(folder)?;
    if !folder.has("points") {
        return cut(&folder.0.join("drawing.png"), handful.len());
    }
    let sketches = sketches(folder)?;
    handful.iter().map(|[query, _]| of(&sketches, *query, folder).map(picture)).collect()
}

/// The sketch in the place of a person's.
///
/// # Errors
/// None there.
pub(super) fn of<'a>(sketches: &'a BTreeMap<usize, Sketch>, query: usize, folder: &Folder) -> Result<&'a Sketch> {
    let missing = || Error::data(folder.0.join("points.csv"), format!("points of query {query}"), "none");
    sketches.get(&query).ok_or_else(missing)
}

/// A sketch as figures show it.
pub(super) fn picture(sketch: &Sketch) -> RgbImage {
    DynamicImage::ImageLuma8(antialiased(sketch, SIDE, PEN)).to_rgb8()
}

/// Square pictures that stand side by side in a file.
fn cut(path: &Path, count: usize) -> Result<Vec<RgbImage>> {
    let whole = image::open(path).map_err(|error| Error::data(path, "a picture", error))?.to_rgb8();
    let (width, side) = whole.dimensions();
    if width as usize != count * side as usize {
        let found = format!("{width} x {side} pixels");
        return Err(Error::data(path, format!("{count} square pictures side by side"), found));
    }
    Ok((0..count as u32).map(|at| imageops::crop_imm(&whole, at * side, 0, side, side).to_image()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{write_atomic, write_png};
    use image::Rgb;

    #[test]
    fn sketches_come_back_stroke_by_stroke() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder(place.path().into());
        let text = "query,step,x,y,lifted\n7,0,1.5,2,0.0\n7,1,3,4,1.0\n7,2,5,6,0.0\n9,0,0,0,1.0\n";
        write_atomic(&place.path().join("points.csv"), text.as_bytes()).unwrap();
        let found = sketches(&folder).unwrap();
        let [a, b, c] = [(1.5, 2.0), (3.0, 4.0), (5.0, 6.0)].map(|(x, y)| Point::new(x, y));
        assert_eq!(of(&found, 7, &folder).unwrap().strokes, [vec![a, b], vec![c]]); // cut off before its end
        assert_eq!(found[&9].strokes, [vec![Point::new(0.0, 0.0)]]);
        let error = of(&found, 8, &folder).unwrap_err().to_string();
        assert!(error.contains("points.csv") && error.contains("query 8"), "{error}");
    }

    #[test]
    fn pictures_are_cut_apart() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("drawing.png");
        write_png(&path, &RgbImage::from_fn(4, 2, |x, _| Rgb([10 * x as u8; 3]))).unwrap();
        let found = cut(&path, 2).unwrap();
        assert_eq!((found.len(), found[1].dimensions(), found[1].get_pixel(1, 0).0), (2, (2, 2), [30; 3]));
        assert!(cut(&path, 3).unwrap_err().to_string().contains("4 x 2 pixels"));
    }
}
