//! Features of a frozen backbone, computed once: several deformed versions of every picture, kept on disk under a key.

use super::{Feed, Pixels};
use crate::dataset::Pair;
use crate::file::hex;
use crate::model::weights;
use crate::seed::{Seed, Stream};
use crate::sketch::{Affine, AugmentConfig, DeformConfig};
use crate::watch::Watch;
use crate::{Error, Result};
use candle_core::Tensor;
use rand::RngExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Pictures to a forward pass of the backbone.
const CHUNK: usize = 32;

/// The draws of the versions are the same for every run, so that runs of other seeds share the features.
const SEED: Seed = Seed(0);

/// A picture's position and its deformation.
type View = (usize, Affine);

/// The features to compute.
pub struct FeaturePlan<'a> {
    /// Source of pixels.
    pub pixels: &'a Pixels<'a>,
    /// The frozen network up to its pooled features: `(b, 3, h, w)` to `(b, c)`.
    pub backbone: &'a dyn Fn(&Tensor) -> Result<Tensor>,
    /// Photos and sketches in the index.
    pub counts: [usize; 2],
    /// Deformed versions of each picture; odd ones are flipped where the augmentation flips at all.
    pub versions: u32,
    /// Sketches to keep partly drawn, and at which percentages.
    pub partial: (Vec<usize>, Vec<u32>),
    /// Names everything that the features depend on: corpus version, weights, size, ink.
    pub key: String,
}

/// Features by position, for a network of which only the head is trained.
#[derive(Debug)]
pub struct Features {
    plain: [Tensor; 2],
    versions: Vec<[Tensor; 2]>,
    partial: BTreeMap<u32, Tensor>,
    partial_rows: BTreeMap<usize, u32>,
    flips: bool,
}

impl Features {
    /// Reads the features from `folder`, or computes and keeps them there.
    ///
    /// # Errors
    /// A failing forward pass, or a folder that cannot be written.
    pub fn open(plan: &FeaturePlan, folder: &Path, watch: &dyn Watch) -> Result<Self> {
        let augment = serde_json::to_string(&plan.pixels.augment)?;
        let key = format!("{} {augment} {} {:?} {:?} v1", plan.key, plan.versions, plan.partial, plan.counts);
        let name = hex(&Sha256::digest(key.as_bytes())[..12]);
        let path = folder.join(format!("features-{name}.safetensors"));
        let tensors = if path.is_file() {
            weights::read(&path)?.tensors
        } else {
            let tensors = compute(plan, watch)?;
            weights::save(&path, &tensors, weights::Storage::F32, &BTreeMap::from([("key".into(), key)]))?;
            tensors
        };
        Self::from_tensors(&tensors, plan, &path)
    }

    fn from_tensors(tensors: &BTreeMap<String, Tensor>, plan: &FeaturePlan, path: &Path) -> Result<Self> {
        let device = &plan.pixels.device;
        let take = |name: String| -> Result<Tensor> {
            let tensor = tensors.get(&name).ok_or_else(|| Error::data(path, &name, "no such tensor"))?;
            Ok(tensor.to_device(device)?)
        };
        let both = |version: &str| Ok([take(format!("photos/{version}"))?, take(format!("sketches/{version}"))?]);
        let (positions, percents) = &plan.partial;
        Ok(Self {
            plain: both("plain")?,
            versions: (0..plan.versions).map(|v| both(&v.to_string())).collect::<Result<_>>()?,
            partial: percents.iter().map(|p| Ok((*p, take(format!("partial/{p}"))?))).collect::<Result<_>>()?,
            partial_rows: positions.iter().enumerate().map(|(row, position)| (*position, row as u32)).collect(),
            flips: plan.pixels.augment.flip > 0.0,
        })
    }
}

fn compute(plan: &FeaturePlan, watch: &dyn Watch) -> Result<BTreeMap<String, Tensor>> {
    let [photos, sketches] = plan.counts;
    let (positions, percents) = &plan.partial;
    let total = (photos + sketches) * (1 + plan.versions as usize) + positions.len() * percents.len();
    let mut done = 0;
    let mut embed = |name: String, views: Vec<View>, input: &dyn Fn(&[View]) -> Result<Tensor>| {
        let mut rows = Vec::new();
        for chunk in views.chunks(CHUNK) {
            if watch.is_stopped() {
                return Err(Error::Stopped { resume: "features are not kept in part; they start again".into() });
            }
            rows.push((plan.backbone)(&plan.pixels.normalisation.apply(&input(chunk)?)?)?.detach());
            done += chunk.len();
            watch.advance("features", done, total);
        }
        Ok((name, Tensor::cat(&rows, 0)?))
    };
    let (album, device) = (plan.pixels.album, &plan.pixels.device);
    let plain = |count: usize| (0..count).map(|i| (i, Affine::default())).collect::<Vec<_>>();
    let mut tensors = BTreeMap::new();
    let mut both = |version: &str, views: [Vec<(usize, Affine)>; 2]| -> Result<()> {
        let [of_photos, of_sketches] = views;
        tensors.extend([embed(format!("photos/{version}"), of_photos, &|v| album.photos(v, device))?]);
        tensors.extend([embed(format!("sketches/{version}"), of_sketches, &|v| album.sketches(v, device))?]);
        Ok(())
    };
    both("plain", [plain(photos), plain(sketches)])?;
    for version in 0..plan.versions {
        let views = |count, kind| versions(count, version, &plan.pixels.augment, kind);
        both(&version.to_string(), [views(photos, "photo"), views(sketches, "sketch")])?;
    }
    for percent in percents {
        let views = positions.iter().map(|i| (*i, Affine::default())).collect();
        let partial = |views: &[(usize, Affine)]| {
            let positions: Vec<usize> = views.iter().map(|view| view.0).collect();
            album.partial(&positions, f64::from(*percent), device)
        };
        tensors.extend([embed(format!("partial/{percent}"), views, &partial)?]);
    }
    Ok(tensors)
}

/// One deformed version of every picture. Odd versions are flipped, of photos and sketches alike, so that any two
/// versions of equal parity make a pair.
fn versions(count: usize, version: u32, augment: &AugmentConfig, kind: &str) -> Vec<(usize, Affine)> {
    let name = format!("features/{kind}/{version}");
    let flip = version % 2 == 1 && augment.flip > 0.0;
    let view = |i: usize| (i, Affine::sample_flipped(augment, flip, &mut SEED.child(&name, i as u64)));
    (0..count).map(view).collect()
}

impl Feed for Features {
    fn pairs(&self, pairs: &[Pair], stream: &mut Stream) -> Result<(Tensor, Tensor)> {
        let (mut sketches, mut photos) = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
        for pair in pairs {
            let (of_sketch, of_photo) = draw_versions(self.versions.len(), self.flips, stream);
            let version = |v: Option<usize>| v.map_or(&self.plain, |v| &self.versions[v]);
            photos.push(version(of_photo)[0].get(pair.photo)?);
            sketches.push(version(of_sketch)[1].get(pair.sketch)?);
        }
        Ok((Tensor::stack(&sketches, 0)?, Tensor::stack(&photos, 0)?))
    }

    fn sketches(&self, positions: &[usize]) -> Result<Tensor> {
        rows(&self.plain[1], positions)
    }

    fn photos(&self, positions: &[usize]) -> Result<Tensor> {
        rows(&self.plain[0], positions)
    }

    fn partial(&self, positions: &[usize], percent: u32) -> Result<Tensor> {
        let table = self.partial.get(&percent);
        let table = table.ok_or_else(|| Error::value("percent drawn", "one that features were made of", percent))?;
        let row = |position: &usize| {
            let row = self.partial_rows.get(position).map(|row| *row as usize);
            row.ok_or_else(|| Error::value("partial sketch", "a test query", format!("sketch {position}")))
        };
        rows(table, &positions.iter().map(row).collect::<Result<Vec<usize>>>()?)
    }

    fn deformed(&self, _: &[usize], _: &DeformConfig, _: Seed, _: u32) -> Result<Tensor> {
        let found = "features of a frozen backbone, which keep none of deformed sketches";
        Err(Error::value("deformed sketches", "pixels", found))
    }
}

/// A version each for sketch and photo, of equal parity where odd versions are flipped; none where there are none.
fn draw_versions(count: usize, flips: bool, stream: &mut Stream) -> (Option<usize>, Option<usize>) {
    if count == 0 {
        return (None, None);
    }
    let first = stream.random_range(0..count);
    let second = stream.random_range(0..count);
    let same_parity = (second & !1) | (first & 1);
    let paired = if flips && same_parity < count {
        same_parity
    } else if flips {
        first
    } else {
        second
    };
    (Some(first), Some(paired))
}

fn rows(table: &Tensor, positions: &[usize]) -> Result<Tensor> {
    let positions: Vec<u32> = positions.iter().map(|position| *position as u32).collect();
    Ok(table.index_select(&Tensor::new(positions, table.device())?, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_of_versions_shares_the_flip() {
        let mut stream = Seed(1).stream("test");
        for count in 1..7 {
            for _ in 0..50 {
                let (first, second) = draw_versions(count, true, &mut stream);
                let (first, second) = (first.unwrap(), second.unwrap());
                assert!(first < count && second < count && first % 2 == second % 2, "{first} {second} of {count}");
            }
        }
        assert_eq!(draw_versions(0, true, &mut stream), (None, None));
        assert!((0..50).any(|_| matches!(draw_versions(2, false, &mut stream), (Some(a), Some(b)) if a != b)));
    }

    #[test]
    fn versions_differ_and_odd_ones_are_flipped() {
        let augment = AugmentConfig::default();
        let [even, odd] = [0, 1].map(|version| versions(3, version, &augment, "photo"));
        assert!(even.iter().all(|view| !view.1.flip) && odd.iter().all(|view| view.1.flip));
        assert_ne!(even[0].1.shift_x, even[1].1.shift_x);
        assert_eq!(even, versions(3, 0, &augment, "photo"));
        assert!(versions(3, 1, &AugmentConfig::none(), "photo").iter().all(|view| view.1 == Affine::default()));
    }
}
