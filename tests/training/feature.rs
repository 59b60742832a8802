//! Features of a frozen backbone: what is kept, when it is computed again, and what a batch gets.

use crate::feed::{album, pixels};
use crate::toy::Stopper;
use candle_core::{Device, Tensor};
use retrace::dataset::{Album, Pair};
use retrace::seed::{Seed, Stream};
use retrace::sketch::{AugmentConfig, DeformConfig};
use retrace::train::{EmbedFn, FeaturePlan, Features, Feed, Pixels};
use retrace::watch::{Unwatched, Watch};
use retrace::{Error, Result};
use std::cell::Cell;
use std::path::Path;

/// Inputs of one number each, from a table.
pub struct InputTable {
    pub photos: Vec<f32>,
    pub sketches: Vec<f32>,
}

fn pick(table: &[f32], positions: &[usize]) -> Result<Tensor> {
    let values: Vec<f32> = positions.iter().map(|position| table[*position]).collect();
    Ok(Tensor::from_vec(values, (positions.len(), 1), &Device::Cpu)?)
}

impl Feed for InputTable {
    fn pairs(&self, pairs: &[Pair], _: &mut Stream) -> Result<(Tensor, Tensor)> {
        let sketches: Vec<usize> = pairs.iter().map(|pair| pair.sketch).collect();
        let photos: Vec<usize> = pairs.iter().map(|pair| pair.photo).collect();
        Ok((self.sketches(&sketches)?, self.photos(&photos)?))
    }
    fn sketches(&self, positions: &[usize]) -> Result<Tensor> {
        pick(&self.sketches, positions)
    }
    fn photos(&self, positions: &[usize]) -> Result<Tensor> {
        pick(&self.photos, positions)
    }
    fn partial(&self, positions: &[usize], _: u32) -> Result<Tensor> {
        self.sketches(positions)
    }
}

/// The mean of each of four quarters and three channels: 12 numbers that tell a flip and a shift.
fn quarters(x: &Tensor) -> Result<Tensor> {
    let (b, c, h, _) = x.dims4()?;
    Ok(x.reshape((b, c, 2, h / 2, 2, h / 2))?.mean(5)?.mean(3)?.reshape((b, 4 * c))?)
}

fn open(
    folder: &Path,
    pixels: &Pixels,
    key: &str,
    versions: u32,
    backbone: EmbedFn,
    watch: &dyn Watch,
) -> Result<Features> {
    let partial = (vec![3, 1], vec![10, 50]);
    let plan = FeaturePlan { pixels, backbone, counts: [3, 4], versions, partial, key: key.into() };
    Features::open(&plan, folder, watch)
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn features_are_made_once_and_again_when_anything_changes() {
    let (place, album) = (tempfile::tempdir().unwrap(), album());
    let calls = Cell::new(0);
    let count = |x: &Tensor| {
        calls.set(calls.get() + 1);
        quarters(x)
    };
    let made = |album: &Album, augment: AugmentConfig, key: &str, versions: u32| {
        let before = calls.get();
        let features = open(place.path(), &pixels(album, augment), key, versions, &count, &Unwatched).unwrap();
        let plain = features.photos(&[0, 1, 2]).unwrap().to_vec2::<f32>().unwrap();
        (calls.get() > before, plain)
    };
    let default = AugmentConfig::default();
    let (first, values) = made(&album, default, "a", 2);
    assert!(first && files(place.path()) == 1);
    assert_eq!(made(&album, default, "a", 2), (false, values));
    assert!(made(&album, default, "b", 2).0);
    assert!(made(&album, default, "a", 3).0);
    assert!(made(&album, AugmentConfig { shift: 0.01, ..default }, "a", 2).0);
    assert_eq!(files(place.path()), 4);
    assert!(!made(&album, default, "b", 2).0);
}

#[test]
fn plain_and_partial_rows_are_what_the_backbone_makes_of_the_pixels() {
    let (place, album) = (tempfile::tempdir().unwrap(), album());
    let pixels = pixels(&album, AugmentConfig::default());
    let features = open(place.path(), &pixels, "a", 1, &quarters, &Unwatched).unwrap();
    let same = |found: Tensor, input: Tensor| {
        let expected = quarters(&input).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(found.to_vec2::<f32>().unwrap(), expected);
    };
    same(features.photos(&[2, 0]).unwrap(), pixels.photos(&[2, 0]).unwrap());
    same(features.sketches(&[3, 0, 3]).unwrap(), pixels.sketches(&[3, 0, 3]).unwrap());
    same(features.partial(&[1, 3], 10).unwrap(), pixels.partial(&[1, 3], 10).unwrap());
    same(features.partial(&[3], 50).unwrap(), pixels.partial(&[3], 50).unwrap());
    let rows = |percent| features.partial(&[3], percent).unwrap().to_vec2::<f32>().unwrap();
    assert_ne!(rows(10), rows(50));
    assert!(features.partial(&[3], 20).unwrap_err().to_string().contains("found 20"));
    assert!(features.partial(&[0], 10).unwrap_err().to_string().contains("a test query"));
    assert!(features.photos(&[3]).is_err() && features.sketches(&[4]).is_err());
    let deformed = features.deformed(&[1], &DeformConfig::none(), Seed(0), 0).unwrap_err().to_string();
    assert!(deformed.contains("frozen backbone"), "{deformed}");
}

#[test]
fn a_pair_is_a_version_of_its_own_sketch_and_photo_with_one_flip() {
    let (place, album) = (tempfile::tempdir().unwrap(), album());
    let only_flips = AugmentConfig { flip: 0.5, ..AugmentConfig::none() };
    let pixels = pixels(&album, only_flips);
    let features = open(place.path(), &pixels, "a", 4, &quarters, &Unwatched).unwrap();
    let plain = |feed: &dyn Feed| {
        let row = |x: Tensor| x.get(0).unwrap().to_vec1::<f32>().unwrap();
        (row(feed.sketches(&[2]).unwrap()), row(feed.photos(&[1]).unwrap()))
    };
    // Left and right quarters change places.
    let mirrored = |row: &[f32]| row.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect::<Vec<_>>();
    let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 0.03);
    let (sketch, photo) = plain(&features);
    let (mut straight, mut flipped, mut stream) = (0, 0, Seed(0).stream("step"));
    for _ in 0..40 {
        let (s, p) = features.pairs(&[Pair { sketch: 2, photo: 1, group: 0 }], &mut stream).unwrap();
        let (s, p) = (s.get(0).unwrap().to_vec1::<f32>().unwrap(), p.get(0).unwrap().to_vec1::<f32>().unwrap());
        if close(&s, &sketch) && close(&p, &photo) {
            straight += 1;
        } else if close(&s, &mirrored(&sketch)) && close(&p, &mirrored(&photo)) {
            flipped += 1;
        }
    }
    assert!(straight + flipped == 40 && straight > 5 && flipped > 5, "{straight} {flipped}");
}

#[test]
fn without_versions_a_batch_is_plain() {
    let (place, album) = (tempfile::tempdir().unwrap(), album());
    let features =
        open(place.path(), &pixels(&album, AugmentConfig::default()), "a", 0, &quarters, &Unwatched).unwrap();
    let (s, p) = features.pairs(&[Pair { sketch: 2, photo: 1, group: 0 }], &mut Seed(0).stream("step")).unwrap();
    let rows = |x: Tensor| x.to_vec2::<f32>().unwrap();
    assert_eq!(rows(s), rows(features.sketches(&[2]).unwrap()));
    assert_eq!(rows(p), rows(features.photos(&[1]).unwrap()));
}

#[test]
fn a_stop_leaves_no_file_and_a_damaged_one_is_named() {
    let (place, album) = (tempfile::tempdir().unwrap(), album());
    let pixels = pixels(&album, AugmentConfig::default());
    let stopped = open(place.path(), &pixels, "a", 2, &quarters, &Stopper::after(1)).unwrap_err();
    assert!(matches!(stopped, Error::Stopped { .. }) && files(place.path()) == 0);
    open(place.path(), &pixels, "a", 2, &quarters, &Unwatched).unwrap();
    let path = std::fs::read_dir(place.path()).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 8]).unwrap();
    let error = open(place.path(), &pixels, "a", 2, &quarters, &Unwatched).unwrap_err().to_string();
    assert!(error.contains("features-") && error.contains("safetensors"), "{error}");
}
