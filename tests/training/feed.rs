//! Pixels computed again for every batch.

use candle_core::{Device, Tensor};
use image::{Rgb, RgbImage};
use retrace::Result;
use retrace::dataset::{Album, Drawing, Index, Ink, Pair, PhotoEntry, PrepareConfig, SketchEntry, Source, Split};
use retrace::model::Normalisation;
use retrace::seed::Seed;
use retrace::sketch::{AugmentConfig, DeformConfig, Point, Sketch};
use retrace::train::{Feed, Pixels};

/// Three photos on a white ground and four sketches, all different.
struct Shapes(Index);

impl Source for Shapes {
    fn name(&self) -> &str {
        "shapes"
    }
    fn index(&self) -> &Index {
        &self.0
    }
    fn version(&self) -> String {
        "1".into()
    }
    fn photo(&self, position: usize) -> Result<RgbImage> {
        let shade = |x: u32, y: u32| ((x * (position as u32 + 2) + 3 * y) % 256) as u8;
        let inside = |x: u32, y: u32| (8..56).contains(&x) && (8..56).contains(&y);
        let colour = |x, y| if inside(x, y) { [shade(x, y), shade(y, x), 40 * position as u8] } else { [255; 3] };
        Ok(RgbImage::from_fn(64, 64, |x, y| Rgb(colour(x, y))))
    }
    fn drawing(&self, position: usize) -> Result<Drawing> {
        let at = 30.0 + 20.0 * position as f32;
        let points = [(20.0, at), (at, 60.0), (200.0, 90.0), (120.0, 220.0)].map(|(x, y)| Point::new(x, y));
        Ok(Drawing::Vector(Sketch { strokes: vec![points.to_vec()] }))
    }
}

pub fn album() -> Album {
    let photo = |i: usize| PhotoEntry { id: i.to_string(), category: "shape".into(), split: Split::Train };
    let sketch = |photo| SketchEntry { id: "1".into(), photo, sketcher: None };
    let index = Index { photos: (0..3).map(photo).collect(), sketches: [0, 0, 1, 2].map(sketch).to_vec() };
    let prepare = PrepareConfig::new(16, Ink::DarkOnWhite { width: 16.0 });
    let source = Shapes(index);
    Album::load(&source, source.index(), &Split::ALL, prepare, &|| Ok(())).unwrap()
}

pub fn pixels(album: &Album, augment: AugmentConfig) -> Pixels<'_> {
    let normalisation = Normalisation { mean: [0.5, 0.25, 0.0], std: [0.5, 1.0, 2.0] };
    Pixels { album, augment, normalisation, device: Device::Cpu }
}

const PAIRS: [Pair; 2] = [Pair { sketch: 3, photo: 2, group: 0 }, Pair { sketch: 1, photo: 0, group: 0 }];

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn pixels_are_normalised_channel_by_channel() {
    let album = album();
    let found = values(&pixels(&album, AugmentConfig::none()).photos(&[1]).unwrap());
    let raw = values(&album.photos(&[(1, Default::default())], &Device::Cpu).unwrap());
    for (i, (found, raw)) in found.iter().zip(&raw).enumerate() {
        let (mean, std) = [(0.5, 0.5), (0.25, 1.0), (0.0, 2.0)][i / 256];
        assert!((found - (raw - mean) / std).abs() < 1e-6, "{i}: {found} from {raw}");
    }
}

#[test]
fn a_batch_without_deformation_is_what_evaluation_sees() {
    let album = album();
    let pixels = pixels(&album, AugmentConfig::none());
    let (sketches, photos) = pixels.pairs(&PAIRS, &mut Seed(0).stream("step")).unwrap();
    assert_eq!(values(&sketches), values(&pixels.sketches(&[3, 1]).unwrap()));
    assert_eq!(values(&photos), values(&pixels.photos(&[2, 0]).unwrap()));
    assert_eq!(values(&pixels.partial(&[3], 100).unwrap()), values(&pixels.sketches(&[3]).unwrap()));
    assert_ne!(values(&pixels.partial(&[3], 30).unwrap()), values(&pixels.sketches(&[3]).unwrap()));
}

#[test]
fn the_stream_alone_decides_the_deformation() {
    let album = album();
    let pixels = pixels(&album, AugmentConfig::default());
    let draw = |seed| {
        let (sketches, photos) = pixels.pairs(&PAIRS, &mut Seed(seed).stream("step")).unwrap();
        (values(&sketches), values(&photos))
    };
    assert_eq!(draw(0), draw(0));
    assert!(draw(0).0 != draw(1).0 && draw(0).1 != draw(1).1);
}

#[test]
fn a_position_outside_the_index_is_an_error() {
    let album = album();
    let pixels = pixels(&album, AugmentConfig::none());
    assert!(pixels.photos(&[3]).is_err() && pixels.sketches(&[4]).is_err() && pixels.partial(&[4], 10).is_err());
    let unknown = [Pair { sketch: 0, photo: 9, group: 0 }];
    assert!(pixels.pairs(&unknown, &mut Seed(0).stream("step")).is_err());
}

#[test]
fn deformed_sketches_are_the_albums_normalised() {
    let album = album();
    let pixels = pixels(&album, AugmentConfig::none());
    let config = DeformConfig::default();
    let found = pixels.deformed(&[3, 1], &config, Seed(2), 1).unwrap();
    let expected = album.deformed(&[3, 1], &config, Seed(2), 1, &Device::Cpu).unwrap();
    assert_eq!(values(&found), values(&pixels.normalisation.apply(&expected).unwrap()));
    let none = pixels.deformed(&[3, 1], &DeformConfig::none(), Seed(2), 1).unwrap();
    assert_eq!(values(&none), values(&pixels.sketches(&[3, 1]).unwrap()));
    assert_ne!(values(&none), values(&found));
}
