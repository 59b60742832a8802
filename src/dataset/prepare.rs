//! From photos and drawings to tensors of one size, deformed at random for training.

use super::mask::{Mask, Parts};
use super::{Drawing, Index, Pair, Source, Split};
use crate::seed::{Seed, Stream};
use crate::sketch::{
    Affine, AugmentConfig, CANVAS, DeformConfig, Sketch, centred, centred_picture, deform, partial, rasterise,
};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use image::{GrayImage, Rgb, RgbImage, imageops};
use imageproc::geometric_transformations::{Border, Interpolation, Projection, warp_into};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How a vector sketch becomes pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ink {
    /// Dark on white, anti-aliased, like the photos' own bright grounds.
    DarkOnWhite {
        /// In pixels of the 256 canvas.
        width: f32,
    },
    /// White on black, hard edges: the field's released rasteriser.
    WhiteOnBlack,
}

/// How pictures are prepared for a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareConfig {
    /// Width and height, in pixels.
    pub side: u32,
    /// How sketches are drawn.
    pub ink: Ink,
    /// The size at which pictures are kept in memory, to be deformed and shrunk in one step: a picture that is shrunk
    /// first is blurred a second time by its deformation. None, as in older records: that of `side`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<u32>,
    /// The margin that is left when sketches are scaled and centred to fill the canvas, in pixels of the 256 canvas. None,
    /// as in older records: they lie where they were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f32>,
}

impl PrepareConfig {
    /// Pictures that are kept at the size at which they are shown.
    pub fn new(side: u32, ink: Ink) -> Self {
        Self { side, ink, source: None, margin: None }
    }

    /// The size at which pictures are kept in memory.
    pub(crate) fn kept(&self) -> u32 {
        self.source.unwrap_or(self.side)
    }

    /// A drawing as it is kept: a picture at [`Self::kept`], centred where that is asked for.
    fn keep(&self, drawing: Drawing) -> Drawing {
        let side = self.kept();
        match (drawing, self.margin) {
            (Drawing::Raster(raster), Some(margin)) => Drawing::Raster(centred_picture(&raster, margin, side)),
            (Drawing::Raster(raster), None) => {
                Drawing::Raster(imageops::resize(&raster, side, side, imageops::FilterType::Triangle))
            }
            (vector, _) => vector,
        }
    }

    /// Checks sizes.
    ///
    /// # Errors
    /// A side outside 16 to 1024; pictures kept smaller than they are shown, or above 1024; a margin that leaves no canvas.
    pub fn check(&self) -> Result<()> {
        let Self { side, source, margin, .. } = *self;
        if !(16..=1024).contains(&side) {
            return Err(Error::value("prepare.side", "16 to 1024 pixels: the networks halve it five times", side));
        }
        if let Some(margin) = margin.filter(|margin| !(0.0..CANVAS / 2.0).contains(margin)) {
            return Err(Error::value("prepare.margin", "0 to below 128 pixels of the canvas", margin));
        }
        match source {
            Some(kept) if !(side..=1024).contains(&kept) => {
                Err(Error::value("prepare.source", format!("{side} to 1024 pixels"), kept))
            }
            _ => Ok(()),
        }
    }
}

/// A corpus, or some splits of it, decoded once and kept small in memory.
pub struct Album {
    config: PrepareConfig,
    photos: Vec<Option<RgbImage>>,
    drawings: Vec<Option<Drawing>>,
    /// Of the test sketches of scenes, which are shown with parts left out.
    parts: Vec<Option<Parts>>,
}

impl Album {
    /// Decodes the photos and drawings of some splits; `advance` is called for each and may stop it.
    ///
    /// `index` says which split a photo is of: the source's own index, or one with a validation part cut from it.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub fn load(
        source: &dyn Source,
        index: &Index,
        splits: &[Split],
        config: PrepareConfig,
        advance: &(dyn Fn() -> Result<()> + Sync),
    ) -> Result<Self> {
        let side = config.kept();
        let is_wanted = |photo: usize| splits.contains(&index.photos[photo].split);
        let photo = |i| {
            if !is_wanted(i) {
                return Ok(None);
            }
            let photo = source.photo(i)?;
            advance()?;
            Ok(Some(imageops::resize(&photo, side, side, imageops::FilterType::Triangle)))
        };
        let drawing = |i: usize| {
            if !is_wanted(index.sketches[i].photo) {
                return Ok(None);
            }
            let drawing = source.drawing(i)?;
            advance()?;
            Ok(Some(config.keep(drawing)))
        };
        let parts = |i: usize| {
            let is_shown =
                is_wanted(index.sketches[i].photo) && index.photos[index.sketches[i].photo].split == Split::Test;
            if is_shown { Parts::of(source, i) } else { Ok(None) }
        };
        let photos = (0..index.photos.len()).into_par_iter().map(photo).collect::<Result<_>>()?;
        let drawings = (0..index.sketches.len()).into_par_iter().map(drawing).collect::<Result<_>>()?;
        let parts = (0..index.sketches.len()).into_par_iter().map(parts).collect::<Result<_>>()?;
        Ok(Self { config, photos, drawings, parts })
    }

    /// An album of photos without sketches, all of the size already at which `config` keeps pictures.
    ///
    /// # Errors
    /// A photo of another size.
    pub fn of_photos(photos: Vec<RgbImage>, config: PrepareConfig) -> Result<Self> {
        let side = config.kept();
        if let Some(other) = photos.iter().find(|photo| photo.dimensions() != (side, side)) {
            let found = format!("{} x {}", other.width(), other.height());
            return Err(Error::value("photo", format!("{side} x {side} pixels"), found));
        }
        let photos = photos.into_iter().map(Some).collect();
        Ok(Self { config, photos, drawings: Vec::new(), parts: Vec::new() })
    }

    /// An album of photos and of pictures that stand for sketches of them, one each, dark on white.
    ///
    /// # Errors
    /// A picture that is not of the size at which `config` keeps pictures; not as many of one kind as of the other.
    pub fn of_pairs(photos: Vec<RgbImage>, drawings: Vec<GrayImage>, config: PrepareConfig) -> Result<Self> {
        if photos.len() != drawings.len() {
            return Err(Error::value("drawings of photos", photos.len(), drawings.len()));
        }
        let sizes = drawings.iter().map(GrayImage::dimensions);
        if let Some((width, height)) = sizes.into_iter().find(|size| *size != (config.kept(), config.kept())) {
            let expected = format!("{0} x {0} pixels", config.kept());
            return Err(Error::value("drawing of a photo", expected, format!("{width} x {height}")));
        }
        let drawings = drawings.into_iter().map(|drawing| Some(Drawing::Raster(drawing))).collect();
        Ok(Self { drawings, ..Self::of_photos(photos, config)? })
    }

    /// An album of sketches without photos.
    pub fn of_sketches(sketches: Vec<Sketch>, config: PrepareConfig) -> Self {
        let drawings = sketches.into_iter().map(|sketch| Some(Drawing::Vector(sketch))).collect();
        Self { config, photos: Vec::new(), drawings, parts: Vec::new() }
    }

    /// How many photos there is room for: those of splits that were not loaded among them.
    pub fn count(&self) -> usize {
        self.photos.len()
    }

    /// Sketches and their photos, row by row, deformed at random as [`Affine::sample_pair`] draws it.
    ///
    /// # Shapes
    /// Both `(b, 3, side, side)`, values `0..=1`.
    ///
    /// # Errors
    /// A position outside the index.
    pub fn pairs(
        &self,
        pairs: &[Pair],
        augment: &AugmentConfig,
        stream: &mut Stream,
        device: &Device,
    ) -> Result<(Tensor, Tensor)> {
        let (mut sketches, mut photos) = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
        for pair in pairs {
            let (to_sketch, to_photo) = Affine::sample_pair(augment, stream);
            sketches.push((pair.sketch, to_sketch));
            photos.push((pair.photo, to_photo));
        }
        Ok((self.sketches(&sketches, device)?, self.photos(&photos, device)?))
    }

    /// Photos as a tensor, each deformed by its own transform.
    ///
    /// # Shapes
    /// out `(b, 3, side, side)`, values `0..=1`.
    ///
    /// # Errors
    /// A position outside the index.
    pub fn photos(&self, views: &[(usize, Affine)], device: &Device) -> Result<Tensor> {
        self.stack(views, device, |(position, affine)| {
            let photo = at(&self.photos, "photo", *position)?;
            self.shown(photo, affine)
        })
    }

    /// Sketches as a tensor, each deformed by its own transform; vector sketches before they become pixels.
    ///
    /// # Shapes
    /// out `(b, 3, side, side)`, values `0..=1`, the three channels equal.
    ///
    /// # Errors
    /// A position outside the index.
    pub fn sketches(&self, views: &[(usize, Affine)], device: &Device) -> Result<Tensor> {
        self.stack(views, device, |(position, affine)| Ok(grey(&self.draw(*position, affine)?)))
    }

    /// Sketches of which only the first `percent` of the points are drawn.
    ///
    /// # Shapes
    /// out `(b, 3, side, side)`; `percent` in `0..=100`.
    ///
    /// # Errors
    /// A corpus whose sketches are pixels: they have no order of drawing.
    pub fn partial(&self, positions: &[usize], percent: f64, device: &Device) -> Result<Tensor> {
        self.stack(positions, device, |position| match self.drawing(*position)? {
            Drawing::Vector(sketch) => {
                let part = partial::first_points(sketch, percent)?;
                Ok(grey(&self.rasterise(&self.placed(&part), 1.0)))
            }
            Drawing::Raster(_) => Err(Error::value("partial sketch", "strokes", "a picture of a sketch")),
        })
    }

    /// Sketches whose strokes are deformed at random, and drawn with a pen of random width.
    ///
    /// Every sketch and version has a stream of its own, so a result does not depend on the other sketches or on their
    /// order.
    ///
    /// # Shapes
    /// out `(b, 3, side, side)`; the ink is `pen / config.pen` times as wide as elsewhere, where it has a width.
    ///
    /// # Errors
    /// A corpus whose sketches are pixels: they have no strokes to deform. What [`DeformConfig::check`] refuses.
    pub fn deformed(
        &self,
        positions: &[usize],
        config: &DeformConfig,
        seed: Seed,
        version: u32,
        device: &Device,
    ) -> Result<Tensor> {
        config.check()?;
        let name = format!("deform/{version}");
        self.stack(positions, device, |position| match self.drawing(*position)? {
            Drawing::Vector(sketch) => {
                let deformed = deform(sketch, config, &mut seed.child(&name, *position as u64));
                Ok(grey(&self.rasterise(&self.placed(&deformed.sketch), deformed.pen / config.pen)))
            }
            Drawing::Raster(_) => Err(Error::value("deformed sketch", "strokes", "a picture of a sketch")),
        })
    }

    /// Sketches with objects or strokes left out at random.
    ///
    /// # Shapes
    /// out `(b, 3, side, side)`.
    ///
    /// # Errors
    /// A position outside the index, or of another split than the test; parts that the corpus does not know.
    pub fn masked(&self, positions: &[usize], mask: &Mask, device: &Device) -> Result<Tensor> {
        self.stack(positions, device, |position| {
            let parts = self.parts.get(*position).and_then(Option::as_ref);
            let left = mask.apply(parts, self.drawing(*position)?, *position)?;
            Ok(grey(&self.drawn(&self.config.keep(left), &Affine::default())?))
        })
    }

    /// Sketches that are not of the corpus, drawn as its own are, each deformed by its own transform.
    ///
    /// # Shapes
    /// out `(b, 3, side, side)`, values `0..=1`.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn others(&self, sketches: &[(Sketch, Affine)], device: &Device) -> Result<Tensor> {
        self.stack(sketches, device, |(sketch, affine)| {
            Ok(grey(&self.rasterise(&affine.apply(&self.placed(sketch)), 1.0)))
        })
    }

    /// Whether sketches are strokes, so that a part of one can be drawn.
    pub fn is_vector(&self) -> bool {
        self.drawings.iter().flatten().all(|drawing| matches!(drawing, Drawing::Vector(_)))
    }

    fn drawing(&self, position: usize) -> Result<&Drawing> {
        at(&self.drawings, "sketch", position)
    }

    fn draw(&self, position: usize, affine: &Affine) -> Result<GrayImage> {
        self.drawn(self.drawing(position)?, affine)
    }

    fn drawn(&self, drawing: &Drawing, affine: &Affine) -> Result<GrayImage> {
        let plain = *affine == Affine::default();
        Ok(match drawing {
            Drawing::Vector(sketch) if plain => self.rasterise(&self.placed(sketch), 1.0),
            Drawing::Vector(sketch) => self.rasterise(&affine.apply(&self.placed(sketch)), 1.0),
            Drawing::Raster(raster) => {
                let mut raster = self.shown(raster, affine)?;
                if self.config.ink == Ink::WhiteOnBlack {
                    imageops::invert(&mut raster);
                }
                raster
            }
        })
    }

    /// A picture at the size of the network's input.
    fn shown<P>(&self, picture: &Pixels<P>, affine: &Affine) -> Result<Pixels<P>>
    where
        P: image::Pixel<Subpixel = u8> + Send + Sync + 'static,
    {
        let side = self.config.side;
        if *affine != Affine::default() {
            warp(picture, affine, side)
        } else if picture.width() == side {
            Ok(picture.clone())
        } else {
            Ok(imageops::resize(picture, side, side, imageops::FilterType::Triangle))
        }
    }

    /// The sketch where it is drawn: scaled and centred, where that is asked for.
    fn placed<'a>(&self, sketch: &'a Sketch) -> Cow<'a, Sketch> {
        self.config.margin.map_or(Cow::Borrowed(sketch), |margin| Cow::Owned(centred(sketch, margin)))
    }

    /// Draws with `pen` times the ink's width, where it has one.
    fn rasterise(&self, sketch: &Sketch, pen: f32) -> GrayImage {
        match self.config.ink {
            Ink::DarkOnWhite { width } => rasterise::antialiased(sketch, self.config.side, width * pen),
            Ink::WhiteOnBlack => rasterise::bresenham(sketch, self.config.side),
        }
    }

    /// Makes pictures in parallel and lays their channels out one after the other.
    fn stack<T: Sync>(
        &self,
        items: &[T],
        device: &Device,
        make: impl Fn(&T) -> Result<RgbImage> + Send + Sync,
    ) -> Result<Tensor> {
        let side = self.config.side as usize;
        let pictures = items.par_iter().map(make).collect::<Result<Vec<_>>>()?;
        let mut values = vec![0.0_f32; items.len() * 3 * side * side];
        for (picture, planes) in pictures.iter().zip(values.chunks_exact_mut(3 * side * side)) {
            for (i, pixel) in picture.pixels().enumerate() {
                (0..3).for_each(|channel| planes[channel * side * side + i] = f32::from(pixel.0[channel]) / 255.0);
            }
        }
        Ok(Tensor::from_vec(values, (items.len(), 3, side, side), device)?)
    }
}

fn at<'a, T>(pictures: &'a [Option<T>], what: &str, position: usize) -> Result<&'a T> {
    let fault = |expected: String| Error::value(format!("position of a {what}"), expected, position);
    let picture = pictures.get(position).ok_or_else(|| fault(format!("below {}", pictures.len())))?;
    picture.as_ref().ok_or_else(|| fault("one of a split that was loaded".into()))
}

fn grey(raster: &GrayImage) -> RgbImage {
    RgbImage::from_fn(raster.width(), raster.height(), |x, y| Rgb([raster.get_pixel(x, y).0[0]; 3]))
}

/// A picture of any kind of pixel.
type Pixels<P> = image::ImageBuffer<P, Vec<u8>>;

/// Deforms pixels as [`Affine::apply`] deforms points, onto a picture of `side`; pixels from outside repeat the nearest
/// edge.
fn warp<P>(picture: &Pixels<P>, affine: &Affine, side: u32) -> Result<Pixels<P>>
where
    P: image::Pixel<Subpixel = u8> + Send + Sync,
{
    let [[a, b, x], [c, d, y]] = affine.matrix();
    // Canvas coordinate of a pixel's centre: (i + 1/2) 256 / side. The same map in pixel indices:
    let (scale, ratio) = (side as f32 / CANVAS, side as f32 / picture.width() as f32);
    let [a, b, c, d] = [a, b, c, d].map(|factor| factor * ratio);
    let shift = |a: f32, b: f32, x: f32| x * scale + 0.5 * (a + b) - 0.5;
    let matrix = [a, b, shift(a, b, x), c, d, shift(c, d, y), 0.0, 0.0, 1.0];
    let mut out = Pixels::<P>::new(side, side);
    let projection = Projection::from_matrix(matrix);
    let projection =
        projection.ok_or_else(|| Error::value("deformation", "one that can be undone", format!("{affine:?}")))?;
    warp_into(picture, projection, Interpolation::Bilinear, Border::Replicate, &mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{PhotoEntry, SketchEntry};
    use crate::sketch::Point;

    /// One photo with a dark square at a known place, and three times the same square as a sketch: strokes or pixels.
    struct Square(Index, bool);

    impl Square {
        fn new(is_vector: bool) -> Self {
            let photo = PhotoEntry { id: "a".into(), category: "square".into(), split: Split::Train };
            let index = Index {
                photos: vec![photo],
                sketches: vec![SketchEntry { id: "a".into(), photo: 0, sketcher: None }; 3],
            };
            Self(index, is_vector)
        }
    }

    impl Source for Square {
        fn name(&self) -> &str {
            "square"
        }
        fn index(&self) -> &Index {
            &self.0
        }
        fn version(&self) -> String {
            "1".into()
        }
        fn photo(&self, _: usize) -> Result<RgbImage> {
            let inside = |x, y| (40..60).contains(&x) && (90..110).contains(&y);
            Ok(RgbImage::from_fn(256, 256, |x, y| Rgb(if inside(x, y) { [0; 3] } else { [255; 3] })))
        }
        fn drawing(&self, _: usize) -> Result<Drawing> {
            if !self.1 {
                return Ok(Drawing::Raster(GrayImage::new(8, 8)));
            }
            let corners = [(50.0, 95.0), (50.0, 105.0)].map(|(x, y)| Point::new(x, y));
            Ok(Drawing::Vector(Sketch { strokes: vec![corners.to_vec()] }))
        }
    }

    /// A sketch of elsewhere is drawn as one of the corpus is, where it lay and deformed.
    #[test]
    fn other_sketches_are_drawn_as_own_ones() {
        let square = Square::new(true);
        let prepare = PrepareConfig::new(64, Ink::DarkOnWhite { width: 8.0 });
        let album = Album::load(&square, square.index(), &[Split::Train], prepare, &|| Ok(())).unwrap();
        let affine = Affine { shift_x: 12.0, flip: true, ..Affine::default() };
        let Drawing::Vector(sketch) = square.drawing(0).unwrap() else { panic!("strokes") };
        let flat = |x: Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let alone = Album::of_sketches(vec![sketch.clone()], prepare);
        assert_eq!((album.count(), alone.count(), alone.is_vector()), (1, 0, true));
        for affine in [Affine::default(), affine] {
            let own = flat(album.sketches(&[(0, affine)], &Device::Cpu).unwrap());
            assert_eq!(flat(album.others(&[(sketch.clone(), affine)], &Device::Cpu).unwrap()), own);
            assert_eq!(flat(alone.sketches(&[(0, affine)], &Device::Cpu).unwrap()), own);
        }
    }

    #[test]
    fn pictures_kept_large_are_deformed_and_shrunk_in_one_step() {
        let square = Square::new(true);
        let ink = Ink::DarkOnWhite { width: 8.0 };
        let affine = Affine { shift_x: 12.0, shift_y: -20.0, scale_x: 1.2, flip: true, ..Affine::default() };
        let mut contrast = Vec::new();
        for source in [Some(256), None] {
            let config = PrepareConfig { source, ..PrepareConfig::new(64, ink) };
            let album = Album::load(&square, square.index(), &[Split::Train], config, &|| Ok(())).unwrap();
            for (affine, x, y) in [(Affine::default(), 50.0, 100.0), (affine, 1.2 * 78.0 + 128.0 + 12.0, 80.0)] {
                let photo = album.photos(&[(0, affine)], &Device::Cpu).unwrap();
                assert_eq!(photo.dims(), [1, 3, 64, 64]);
                let found = centre(&photo);
                assert!((found.0 - x).abs() < 1.0 && (found.1 - y).abs() < 1.0, "{found:?} for ({x}, {y})");
            }
            // A shift by half a pixel of the small picture, two of the large one.
            let half = Affine { shift_x: 2.0, ..Affine::default() };
            let photo = album.photos(&[(0, half)], &Device::Cpu).unwrap().get(0).unwrap().get(0).unwrap();
            let row = photo.to_vec2::<f32>().unwrap()[25].clone();
            contrast.push(row.iter().filter(|value| **value > 0.05 && **value < 0.95).count());
        }
        // The square's edges are at 42 and 62 then: both fall within a pixel, which stays grey; blurred, more are.
        assert!(contrast[0] <= contrast[1], "{contrast:?}");
    }

    #[test]
    fn sizes_are_checked() {
        let config = PrepareConfig::new(64, Ink::WhiteOnBlack);
        config.check().unwrap();
        PrepareConfig { source: Some(256), ..config }.check().unwrap();
        let message = |config: PrepareConfig| config.check().unwrap_err().to_string();
        assert!(message(PrepareConfig { side: 8, ..config }).contains("16 to 1024 pixels"));
        assert_eq!(
            message(PrepareConfig { source: Some(32), ..config }),
            "prepare.source: expected 64 to 1024 pixels, found 32"
        );
    }

    #[test]
    fn drawings_of_photos_are_of_the_kept_size() {
        let (photo, config) = (RgbImage::new(32, 32), PrepareConfig::new(16, Ink::DarkOnWhite { width: 3.0 }));
        let config = PrepareConfig { source: Some(32), ..config };
        let drawing = GrayImage::from_pixel(32, 32, image::Luma([255]));
        let album = Album::of_pairs(vec![photo.clone()], vec![drawing], config).unwrap();
        let views = [(0, Affine::default())];
        assert_eq!(album.sketches(&views, &Device::Cpu).unwrap().dims(), [1, 3, 16, 16]);
        assert_eq!(values(album.sketches(&views, &Device::Cpu))[0][0], 1.0);
        let error = Album::of_pairs(vec![photo.clone()], vec![GrayImage::new(16, 16)], config).err().unwrap();
        assert!(error.to_string().contains("32 x 32 pixels, found 16 x 16"), "{error}");
        assert!(Album::of_pairs(vec![photo], Vec::new(), config).is_err());
    }

    fn load(splits: &[Split], ink: Ink) -> Album {
        let square = Square::new(true);
        Album::load(&square, square.index(), splits, PrepareConfig::new(64, ink), &|| Ok(())).unwrap()
    }

    fn album(ink: Ink) -> Album {
        load(&[Split::Train], ink)
    }

    /// Centre of the dark pixels, in canvas coordinates.
    fn centre(tensor: &Tensor) -> (f32, f32) {
        let plane = tensor.get(0).unwrap().get(0).unwrap().to_vec2::<f32>().unwrap();
        let (mut x, mut y, mut sum) = (0.0, 0.0, 0.0);
        for (row, line) in plane.iter().enumerate() {
            for (column, value) in line.iter().enumerate() {
                (x, y, sum) = (
                    x + (1.0 - value) * (column as f32 + 0.5),
                    y + (1.0 - value) * (row as f32 + 0.5),
                    sum + 1.0 - value,
                );
            }
        }
        (x / sum * 4.0, y / sum * 4.0)
    }

    #[test]
    fn a_photo_and_its_sketch_move_together() {
        let album = album(Ink::DarkOnWhite { width: 8.0 });
        let affine = Affine { shift_x: 12.0, shift_y: -20.0, scale_x: 1.2, flip: true, ..Affine::default() };
        for (affine, x, y) in [(Affine::default(), 50.0, 100.0), (affine, 1.2 * 78.0 + 128.0 + 12.0, 80.0)] {
            let views = [(0, affine)];
            for tensor in [album.photos(&views, &Device::Cpu).unwrap(), album.sketches(&views, &Device::Cpu).unwrap()] {
                let found = centre(&tensor);
                assert!((found.0 - x).abs() < 1.0 && (found.1 - y).abs() < 1.0, "{found:?} for ({x}, {y})");
            }
        }
    }

    #[test]
    fn ink_is_an_option_that_does_something() {
        let mean = |ink| {
            let tensor = album(ink).sketches(&[(0, Affine::default())], &Device::Cpu).unwrap();
            tensor.mean_all().unwrap().to_scalar::<f32>().unwrap()
        };
        assert!(mean(Ink::DarkOnWhite { width: 3.0 }) > 0.9);
        assert!(mean(Ink::DarkOnWhite { width: 9.0 }) < mean(Ink::DarkOnWhite { width: 3.0 }));
        assert!(mean(Ink::WhiteOnBlack) < 0.1);
    }

    fn values(tensor: Result<Tensor>) -> Vec<Vec<f32>> {
        tensor.unwrap().flatten_from(1).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn deformations_depend_on_seed_version_and_sketch_alone() {
        let album = album(Ink::DarkOnWhite { width: 8.0 });
        let config = DeformConfig::default();
        let drawn = |positions: &[usize], seed, version| {
            values(album.deformed(positions, &config, Seed(seed), version, &Device::Cpu))
        };
        let rows = drawn(&[0, 1, 2], 5, 0);
        assert!(rows[0] != rows[1] && rows[1] != rows[2]); // three times the same sketch
        assert_eq!(drawn(&[2, 0], 5, 0), [rows[2].clone(), rows[0].clone()]);
        assert!(drawn(&[0], 5, 1)[0] != rows[0] && drawn(&[0], 6, 0)[0] != rows[0]);
        let none = album.deformed(&[0], &DeformConfig::none(), Seed(5), 0, &Device::Cpu);
        assert_eq!(values(none), values(album.sketches(&[(0, Affine::default())], &Device::Cpu)));
    }

    #[test]
    fn the_pen_is_a_share_of_the_ink() {
        let config = DeformConfig { pen: 10.0, pen_variation: 10.0, ..DeformConfig::none() };
        let ink = |album: &Album, config: &DeformConfig, version| {
            let drawn = album.deformed(&[0], config, Seed(0), version, &Device::Cpu).unwrap();
            1.0 - drawn.mean_all().unwrap().to_scalar::<f32>().unwrap()
        };
        let soft = album(Ink::DarkOnWhite { width: 8.0 });
        let shares: Vec<f32> = (0..40).map(|version| ink(&soft, &config, version)).collect();
        // A stadium of length 10 and width 8, of which the pen makes 4 to 12: 52.6 to 233.1 pixels of 65,536.
        let (least, most) = shares.iter().fold((1.0_f32, 0.0_f32), |(l, m), share| (l.min(*share), m.max(*share)));
        assert!(least * 65_536.0 > 45.0 && least * 65_536.0 < 75.0, "{}", least * 65_536.0);
        assert!(most * 65_536.0 < 245.0 && most * 65_536.0 > 200.0, "{}", most * 65_536.0);
        let hard = album(Ink::WhiteOnBlack);
        assert!((0..9).all(|version| ink(&hard, &config, version) == ink(&hard, &config, 0)));
    }

    #[test]
    fn pictures_have_no_strokes_to_deform() {
        let square = Square::new(false);
        let config = PrepareConfig::new(8, Ink::WhiteOnBlack);
        let album = Album::load(&square, square.index(), &[Split::Train], config, &|| Ok(())).unwrap();
        let refuse = |config| album.deformed(&[0], &config, Seed(0), 0, &Device::Cpu).unwrap_err().to_string();
        assert_eq!(refuse(DeformConfig::none()), "deformed sketch: expected strokes, found a picture of a sketch");
        assert!(refuse(DeformConfig { noise: -1.0, ..DeformConfig::none() }).starts_with("deform.noise"));
    }

    #[test]
    fn photos_alone_make_an_album() {
        let photo = |side| RgbImage::from_pixel(side, side, Rgb([0, 51, 255]));
        let album = Album::of_photos(vec![photo(4)], PrepareConfig::new(4, Ink::WhiteOnBlack)).unwrap();
        let values = album.photos(&[(0, Affine::default())], &Device::Cpu).unwrap();
        assert_eq!(values.max(3).unwrap().max(2).unwrap().to_vec2::<f32>().unwrap(), [[0.0, 0.2, 1.0]]);
        assert!(album.sketches(&[(0, Affine::default())], &Device::Cpu).is_err());
        let config = PrepareConfig::new(4, Ink::WhiteOnBlack);
        let error = Album::of_photos(vec![photo(4), photo(5)], config).err().unwrap().to_string();
        assert!(error.contains("4 x 4 pixels, found 5 x 5"), "{error}");
    }

    #[test]
    fn a_split_that_was_not_asked_for_is_not_there() {
        let album = load(&[Split::Test, Split::Valid], Ink::WhiteOnBlack);
        for error in [album.photos(&[(0, Affine::default())], &Device::Cpu), album.partial(&[0], 50.0, &Device::Cpu)] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains("one of a split that was loaded, found 0"), "{error}");
        }
    }

    #[test]
    fn a_position_outside_the_index_is_an_error() {
        let album = album(Ink::WhiteOnBlack);
        let error = album.photos(&[(1, Affine::default())], &Device::Cpu).unwrap_err().to_string();
        assert!(error.contains("below 1"), "{error}");
        assert!(album.partial(&[0], 50.0, &Device::Cpu).is_ok() && album.is_vector());
    }
}
