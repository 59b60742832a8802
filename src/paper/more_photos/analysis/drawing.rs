//! What a generator draws of a handful of test photos, and where it looks meanwhile (Fig. 3).

use super::super::{Config, Drawer, PhotoModel, Trace};
use crate::Result;
use crate::dataset::{Index, is_embedded};
use crate::experiment::analyse::lines_frame;
use crate::experiment::{Subject, View};
use crate::file::write_png;
use crate::sketch::partial::first_points;
use crate::sketch::{Point, Sketch};
use candle_core::Tensor;
use image::{Rgb, RgbImage};

/// Photos of the handful.
const SHOWN: usize = 6;

/// The stages of a drawing: where each ends, in percent of the points.
pub const STAGES: [u32; 5] = [20, 40, 60, 80, 100];

/// Writes `drawing.csv`, without lines of a corpus whose pictures are not shown; of others also `points.csv` and
/// `attention.csv`, or `drawing.png` of a generator of pixels.
///
/// # Errors
/// A checkpoint that is not there; a row without a generator; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let mut shown = Vec::new();
    if is_embedded(&subject.run.dataset) {
        let (model, bench, queries) = super::open(subject)?;
        shown = handful(&queries.sketches, bench.index());
        keep(subject, &model, &shown)?;
    }
    let lines: Vec<Vec<f64>> = shown.iter().map(|pair| pair.map(|position| position as f64).to_vec()).collect();
    // Last: an analysis counts as done once this file is there.
    subject.write("drawing", lines_frame(&["query", "photo"], &lines)?)
}

/// The first sketch of photos at even steps, each with its photo.
fn handful(sketches: &[usize], index: &Index) -> Vec<[usize; 2]> {
    let photo = |sketch: &usize| index.sketches[*sketch].photo;
    let firsts: Vec<usize> = sketches.chunk_by(|a, b| photo(a) == photo(b)).map(|own| own[0]).collect();
    let count = SHOWN.min(firsts.len());
    (0..count).map(|i| firsts[i * firsts.len() / count]).map(|sketch| [sketch, photo(&sketch)]).collect()
}

/// Keeps what is ranked in the place of these sketches.
fn keep(subject: &Subject<Config>, model: &PhotoModel, shown: &[[usize; 2]]) -> Result<()> {
    let (queries, photos): (Vec<usize>, Vec<usize>) = shown.iter().map(|pair| (pair[0], pair[1])).unzip();
    if let Some(Drawer::Pixels(_)) = &model.network.drawer {
        let picture = side_by_side(&model.drawn(&queries, View::Whole)?)?;
        return write_png(&subject.folder.0.join("drawing.png"), &picture);
    }
    let drawn = model.network.draw(&model.shown(&photos)?, &queries)?;
    let (mut points, mut looks) = (Vec::new(), Vec::new());
    for (query, (sketch, trace)) in queries.iter().zip(&drawn) {
        points.extend(point_lines(*query, sketch));
        looks.extend(look_lines(*query, sketch, trace)?);
    }
    subject.write("points", lines_frame(&["query", "step", "x", "y", "lifted"], &points)?)?;
    if looks.is_empty() {
        return Ok(()); // it has no attention
    }
    subject.write("attention", lines_frame(&["query", "step", "position", "share"], &looks)?)
}

/// Every point, and whether the pen leaves the paper after it.
fn point_lines(query: usize, sketch: &Sketch) -> Vec<Vec<f64>> {
    let strokes = sketch.strokes.iter();
    let points =
        strokes.flat_map(|stroke| stroke.iter().enumerate().map(move |(i, point)| (*point, i + 1 == stroke.len())));
    let line = |(step, (point, is_last)): (usize, (Point, bool))| {
        let lifted = if is_last { 1.0 } else { 0.0 };
        vec![query as f64, step as f64, rounded(point.x, 10.0), rounded(point.y, 10.0), lifted]
    };
    points.enumerate().map(line).collect()
}

/// Where it looked before the last point of every stage; nothing of a generator without attention.
fn look_lines(query: usize, sketch: &Sketch, trace: &Trace) -> Result<Vec<Vec<f64>>> {
    let last = |percent: u32| Ok(first_points(sketch, f64::from(percent))?.points().saturating_sub(1));
    let mut steps = STAGES.into_iter().map(last).collect::<Result<Vec<usize>>>()?;
    steps.dedup(); // of a sketch of few points
    let mut lines = Vec::new();
    for step in steps {
        let shares = trace.attention.get(step).into_iter().flatten().enumerate();
        let line =
            |(place, share): (usize, &f32)| vec![query as f64, step as f64, place as f64, rounded(*share, 10_000.0)];
        lines.extend(shares.map(line));
    }
    Ok(lines)
}

/// The nearest multiple of `1 / parts`: short in a file.
fn rounded(value: f32, parts: f64) -> f64 {
    (f64::from(value) * parts).round() / parts
}

/// Pictures `(b, 3, h, w)` of 0 to 1 as one.
fn side_by_side(pictures: &Tensor) -> Result<RgbImage> {
    let (b, _, h, w) = pictures.dims4()?;
    let values = pictures.narrow(1, 0, 1)?.flatten_all()?.to_vec1::<f32>()?;
    let pixel = |x: u32, y: u32| {
        let (x, y) = (x as usize, y as usize);
        let value = values[(x / w * h + y) * w + x % w];
        Rgb([(255.0 * value.clamp(0.0, 1.0)).round() as u8; 3])
    };
    Ok(RgbImage::from_fn((b * w) as u32, h as u32, pixel))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{PhotoEntry, SketchEntry, Split};
    use candle_core::Device;

    #[test]
    fn the_handful_is_the_first_sketch_of_photos_at_even_steps() {
        let of = |photos: usize| {
            let photo = PhotoEntry { id: String::new(), category: String::new(), split: Split::Test };
            let sketch = |at: usize| SketchEntry { id: String::new(), photo: at / 2, sketcher: None };
            let index = Index { photos: vec![photo; photos], sketches: (0..2 * photos).map(sketch).collect() };
            handful(&index.sketches_of(Split::Test), &index)
        };
        assert_eq!(of(12), [[0, 0], [4, 2], [8, 4], [12, 6], [16, 8], [20, 10]]);
        assert_eq!(of(2), [[0, 0], [2, 1]]);
        assert!(of(0).is_empty());
    }

    fn sketch() -> Sketch {
        let point = |at: usize| Point::new(10.04 + at as f32, 20.0);
        Sketch { strokes: vec![vec![point(0), point(1)], vec![point(2)]] }
    }

    #[test]
    fn lines_of_points_say_where_strokes_end() {
        let expected = [[7.0, 0.0, 10.0, 20.0, 0.0], [7.0, 1.0, 11.0, 20.0, 1.0], [7.0, 2.0, 12.0, 20.0, 1.0]];
        assert_eq!(point_lines(7, &sketch()), expected.map(|line| line.to_vec()));
    }

    #[test]
    fn attention_is_kept_at_the_end_of_every_stage() {
        // Of three points the stages have 1, 1, 2, 2 and 3; the last row is the end.
        let attention = [0.25_f32, 0.5, 0.125, 1.0].map(|share| vec![share, 1.0 - share]).to_vec();
        let trace = Trace { rows: Vec::new(), noise: Vec::new(), attention };
        let found = look_lines(7, &sketch(), &trace).unwrap();
        let shares: Vec<[f64; 3]> = found.iter().map(|line| [line[1], line[2], line[3]]).collect();
        let expected = [
            [0.0, 0.0, 0.25],
            [0.0, 1.0, 0.75],
            [1.0, 0.0, 0.5],
            [1.0, 1.0, 0.5],
            [2.0, 0.0, 0.125],
            [2.0, 1.0, 0.875],
        ];
        assert_eq!(shares, expected);
        let blind = Trace { attention: Vec::new(), ..trace };
        assert!(look_lines(7, &sketch(), &blind).unwrap().is_empty());
    }

    #[test]
    fn pictures_stand_side_by_side() {
        let plane = |value: f32| [value, 1.0, 0.0, 1.0];
        let values = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0].map(plane).concat();
        let pictures = Tensor::from_vec(values, (2, 3, 2, 2), &Device::Cpu).unwrap();
        let found = side_by_side(&pictures).unwrap();
        let grey: Vec<u8> = found.pixels().map(|pixel| pixel.0[0]).collect();
        assert_eq!((found.dimensions(), grey), ((4, 2), vec![0, 255, 255, 255, 0, 255, 0, 255]));
    }
}
