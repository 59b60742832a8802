//! Rows that need no learning and stand in every table as its floor: histograms of gradients, and raw pixels.

use super::Queries;
use super::ranker::{Gallery, Ranker, View, evaluate};
use crate::dataset::{Drawing, Source};
use crate::metric;
use crate::model::hog;
use crate::report::table::RowSpec;
use crate::run::Rank;
use crate::sketch::rasterise::antialiased;
use crate::watch::Watch;
use crate::{Error, Result};
use image::{GrayImage, imageops};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Pictures are compared at the canvas's own size, sketches drawn with a 3 px pen.
const SIDE: u32 = 256;
const PEN: f32 = 3.0;

/// Side of the pictures whose raw pixels are compared: small enough to forgive a misplaced line.
const THUMBNAIL: u32 = 32;

/// A descriptor that is not learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// [`hog::describe`].
    Hog,
    /// Grey values of a thumbnail of 32 x 32.
    Pixels,
}

impl Floor {
    /// Both, in the order of the tables.
    pub const ALL: [Self; 2] = [Self::Pixels, Self::Hog];

    /// The row's folder in `results/`.
    pub fn row(self) -> &'static str {
        match self {
            Self::Hog => "hog",
            Self::Pixels => "pixels",
        }
    }

    /// Its line in a table; no paper prints one.
    pub fn line(self) -> RowSpec {
        let (label, note) = match self {
            Self::Hog => ("HOG", "nearest neighbour on histograms of gradients, no learning"),
            Self::Pixels => ("Raw pixels", "nearest neighbour on 32 x 32 grey values, no learning"),
        };
        RowSpec { row: Some(self.row().into()), label: label.into(), paper: None, note: note.into(), only: &[] }
    }

    /// Describes photos, given by their positions in the index.
    ///
    /// # Shapes
    /// out `(b, d)` row by row, with `d`.
    ///
    /// # Errors
    /// A photo that cannot be read.
    pub fn photos(self, source: &dyn Source, positions: &[usize]) -> Result<(Vec<f32>, usize)> {
        let photo = |i: &usize| self.describe(&imageops::grayscale(&source.photo(*i)?));
        let rows: Vec<Vec<f32>> = positions.par_iter().map(photo).collect::<Result<_>>()?;
        Ok((rows.concat(), rows.first().map_or(1, Vec::len)))
    }

    fn describe(self, picture: &GrayImage) -> Result<Vec<f32>> {
        match self {
            Self::Hog => hog::describe(picture),
            Self::Pixels => {
                let small = imageops::resize(picture, THUMBNAIL, THUMBNAIL, imageops::FilterType::Triangle);
                Ok(small.pixels().map(|pixel| f32::from(pixel.0[0]) / 255.0).collect())
            }
        }
    }
}

/// Ranks every query by its nearest descriptors.
///
/// # Errors
/// A picture that cannot be read; a watch that stops.
pub fn rank(floor: Floor, source: &dyn Source, queries: &Queries, watch: &dyn Watch) -> Result<Vec<Rank>> {
    let total = queries.sketches.len() + queries.photos().len();
    evaluate(&Described { floor, source, watch, done: AtomicUsize::new(0), total }, queries)
}

/// A corpus seen by descriptors.
struct Described<'a> {
    floor: Floor,
    source: &'a dyn Source,
    watch: &'a dyn Watch,
    done: AtomicUsize,
    total: usize,
}

impl Described<'_> {
    fn describe(&self, picture: Result<GrayImage>) -> Result<Vec<f32>> {
        if self.watch.is_stopped() {
            return Err(Error::Stopped { resume: format!("the row {} starts again", self.floor.row()) });
        }
        self.watch.advance(self.floor.row(), self.done.fetch_add(1, Ordering::Relaxed) + 1, self.total);
        self.floor.describe(&picture?)
    }

    fn photo(&self, position: usize) -> Result<Vec<f32>> {
        self.describe(self.source.photo(position).map(|photo| imageops::grayscale(&photo)))
    }

    fn sketch(&self, position: usize) -> Result<Vec<f32>> {
        self.describe(self.source.drawing(position).map(|drawing| match drawing {
            Drawing::Vector(sketch) => antialiased(&sketch, SIDE, PEN),
            Drawing::Raster(raster) => raster,
        }))
    }
}

impl Ranker for Described<'_> {
    fn gallery<'a>(&'a self, photos: &[usize]) -> Result<Box<dyn Gallery + 'a>> {
        let photos: Vec<Vec<f32>> = photos.par_iter().map(|photo| self.photo(*photo)).collect::<Result<_>>()?;
        Ok(Box::new((self, photos)))
    }
}

/// The descriptors of a gallery.
impl Gallery for (&Described<'_>, Vec<Vec<f32>>) {
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        if !matches!(view, View::Whole) {
            return Err(Error::value("sketches of a row without learning", "whole ones", format!("{view:?}")));
        }
        let sketches: Vec<Vec<f32>> =
            sketches.par_iter().map(|sketch| self.0.sketch(*sketch)).collect::<Result<_>>()?;
        metric::distances(&sketches.concat(), &self.1.concat(), self.1.first().map_or(1, Vec::len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Split, open};
    use crate::watch::Unwatched;

    /// The embedded corpora are as hard as the real ones without learning: pixels find almost nothing (4.0 and
    /// 0.9% on Chair-V2 and Shoe-V1), gradients some (20 and 26%).
    #[test]
    fn floors_of_the_embedded_corpora_are_where_the_real_ones_are() {
        for name in ["synth-chair", "synth-shoe"] {
            let source = open(name, None).unwrap();
            let queries = Queries::of(source.index(), Split::Test);
            let acc1 = |floor| {
                let ranks = rank(floor, source.as_ref(), &queries, &Unwatched).unwrap();
                queries.scores(&ranks).unwrap().acc1
            };
            let (pixels, hog) = (acc1(Floor::Pixels), acc1(Floor::Hog));
            assert!(pixels < 10.0, "{name}: pixels {pixels}");
            assert!((10.0..30.0).contains(&hog), "{name}: HOG {hog}");
        }
    }
}
