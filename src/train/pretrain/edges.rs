//! Photos and the maps of their own edges: retrieval without any sketch.

use super::config::PretrainConfig;
use super::method::EDGE_BLUR;
use super::photo::PhotoSet;
use super::score::{self, AttributeScore};
use super::task::{PhotoBatch, PretrainTask};
use super::trunk::Trunk;
use crate::Result;
use crate::loss::contrastive_loss;
use crate::model::{Mode, l2_normalise};
use crate::seed::Stream;
use crate::sketch::CANVAS;
use candle_core::Tensor;
use image::{GrayImage, RgbImage, imageops};

/// Every photo is nearest to its own edges among those of the batch, and the other way round.
pub(super) struct Edges {
    trunk: Trunk,
    temperature: f64,
}

impl Edges {
    pub(super) fn new(trunk: Trunk, temperature: f64) -> Self {
        Self { trunk, temperature }
    }
}

impl PretrainTask for Edges {
    fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    /// Photos and maps go through the network together, so that statistics of the batch are of both.
    fn loss(&mut self, batch: &PhotoBatch, stream: &mut Stream) -> Result<Tensor> {
        let (maps, photos) = batch.photos.with_edges(batch.positions, batch.config, stream)?;
        let features = l2_normalise(&self.trunk.features(&Tensor::cat(&[maps, photos], 0)?, Mode::Train)?)?;
        let b = batch.positions.len();
        let scale = Tensor::new(&[1.0 / self.temperature as f32], features.device())?;
        contrastive_loss(&features.narrow(0, 0, b)?, &features.narrow(0, b, b)?, &scale)
    }

    /// Statistics of photos and of their edges: the network is for photos and sketches.
    fn settle(&self, photos: &PhotoSet, config: &PretrainConfig) -> Result<()> {
        self.trunk.settle(config, &|batch| Ok(Tensor::cat(&[photos.edges(batch)?, photos.plain(batch)?.0], 0)?))
    }

    /// How often the edges of a held-out photo lie nearest to that photo.
    fn score(&self, photos: &PhotoSet, config: &PretrainConfig) -> Result<Vec<AttributeScore>> {
        score::own_edges(&self.trunk, photos, config)
    }
}

/// The edges of a photo, dark on white: Canny's method on its greys, blurred first.
///
/// # Shapes
/// `low` and `high`: the thresholds of a gradient that goes on an edge and of one that begins it, in greys a pixel. `blur`: a
/// deviation in pixels of the 256 canvas, 1.4 of the picture's at least. Out as large as the photo, 0 and 255.
///
/// # References
/// Canny, A Computational Approach to Edge Detection, PAMI 1986.
///
/// ```
/// use image::{Rgb, RgbImage};
/// use retrace::train::pretrain::edge_map;
/// let half = RgbImage::from_fn(32, 32, |x, _| Rgb([if x < 16 { 0 } else { 255 }; 3]));
/// let dark = edge_map(&half, [20.0, 60.0], 1.6).pixels().filter(|pixel| pixel.0[0] == 0).count();
/// assert!(dark >= 24); // a line down the middle
/// ```
pub fn map(photo: &RgbImage, [low, high]: [f32; 2], blur: f32) -> GrayImage {
    let grey = imageops::grayscale(photo);
    // The crate blurs by EDGE_BLUR pixels of the picture on its own; what is missing comes before.
    let missing = (blur * photo.width() as f32 / CANVAS).powi(2) - EDGE_BLUR.powi(2);
    let grey = if missing > 0.0 { imageproc::filter::gaussian_blur_f32(&grey, missing.sqrt()) } else { grey };
    let mut edges = imageproc::edges::canny(&grey, low, high);
    imageops::invert(&mut edges);
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    /// A dark square on a bright ground.
    fn square(dark: u8) -> RgbImage {
        RgbImage::from_fn(64, 64, |x, y| {
            let inside = (20..44).contains(&x) && (20..44).contains(&y);
            Rgb(if inside { [dark; 3] } else { [200; 3] })
        })
    }

    #[test]
    fn edges_of_a_square_are_its_outline() {
        let map = map(&square(20), [20.0, 60.0], 1.6);
        let dark: Vec<(u32, u32)> =
            map.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] == 0).map(|(x, y, _)| (x, y)).collect();
        // Four sides of 24. A step between two pixels is as steep at either, so that both are edges; corners may be cut.
        assert!((80..=200).contains(&dark.len()), "{}", dark.len());
        let near = |at: u32| (18..=21).contains(&at) || (42..=45).contains(&at);
        assert!(dark.iter().all(|(x, y)| near(*x) || near(*y)));
        assert!(map.pixels().all(|pixel| pixel.0[0] == 0 || pixel.0[0] == 255));
    }

    #[test]
    fn edges_below_the_thresholds_are_left_out() {
        let count = |thresholds| map(&square(190), thresholds, 1.6).pixels().filter(|pixel| pixel.0[0] == 0).count();
        assert!(count([5.0, 10.0]) > 80);
        assert_eq!(count([100.0, 200.0]), 0);
    }

    #[test]
    fn photo_of_one_grey_has_no_edges() {
        assert!(map(&RgbImage::new(16, 16), [20.0, 60.0], 1.6).pixels().all(|pixel| pixel.0[0] == 255));
    }
}
