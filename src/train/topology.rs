//! The topology of the training photos, measured once and kept on disk under a key.

use super::{EmbedFn, Feed};
use crate::Result;
use crate::file::hex;
use crate::loss::Topology;
use crate::model::{l2_normalise, weights};
use candle_core::Tensor;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The tensor of a kept topology.
const DISTANCES: &str = "distances";

/// Photos to a forward pass of the frozen network.
const CHUNK: usize = 64;

/// The features that a topology is measured on, rows of length 1.
///
/// # Shapes
/// `network` takes `(b, 3, h, w)` to `(b, c)`; what a feed gives as features already is taken as it is. Out `(n, c)`,
/// row = photo.
///
/// # Errors
/// A position outside the index, or a failing forward pass.
pub fn unit_features(network: EmbedFn, feed: &dyn Feed, photos: &[usize]) -> Result<Tensor> {
    let frozen = |chunk: &[usize]| -> Result<Tensor> {
        let input = feed.photos(chunk)?;
        let features = if input.rank() == 4 { network(&input)? } else { input };
        Ok(l2_normalise(&features)?.detach())
    };
    Ok(Tensor::cat(&photos.chunks(CHUNK).map(frozen).collect::<Result<Vec<_>>>()?, 0)?)
}

/// The topology to measure, and where it is kept.
pub struct TopologyPlan<'a> {
    /// Names everything that the distances depend on: corpus version, photos and their order, weights, size, ink.
    pub key: String,
    /// Where what can be computed again is kept.
    pub folder: &'a Path,
    /// How many photos are measured.
    pub photos: usize,
    /// Measures them.
    pub build: &'a dyn Fn() -> Result<Topology>,
}

impl TopologyPlan<'_> {
    /// Reads the topology from the folder, or measures and keeps it there.
    ///
    /// A file is used where its key, its number of photos and the digest of its distances are right. Any other (cut
    /// short, changed, of another plan) is measured again and replaced. The numbers come back bit by bit, so that a run
    /// does not depend on whether its topology was kept.
    ///
    /// # Errors
    /// A failing measurement, one of another number of photos, or a folder that cannot be written.
    pub fn open(&self) -> Result<Topology> {
        let path = self.path();
        if let Some(kept) = self.kept(&path) {
            return Ok(kept);
        }
        let topology = (self.build)()?;
        if topology.photos() != self.photos {
            let expected = format!("{} photos", self.photos);
            return Err(crate::Error::value("topology", expected, format!("{} photos", topology.photos())));
        }
        let metadata = BTreeMap::from([("key".into(), self.key.clone()), ("sha256".into(), digest(&topology)?)]);
        let tensors = BTreeMap::from([(DISTANCES.into(), topology.to_tensor()?)]);
        weights::save(&path, &tensors, weights::Storage::F32, &metadata)?;
        Ok(topology)
    }

    fn path(&self) -> PathBuf {
        let name = hex(&Sha256::digest(format!("{} v1", self.key).as_bytes())[..12]);
        self.folder.join(format!("topology-{name}.safetensors"))
    }

    /// The topology in the file, if it is the one of this plan.
    fn kept(&self, path: &Path) -> Option<Topology> {
        let file = weights::read(path).ok()?;
        let topology = Topology::of_distances(file.tensors.get(DISTANCES)?).ok()?;
        let same = |name: &str, value: &str| file.metadata.get(name).is_some_and(|found| found == value);
        let whole = topology.photos() == self.photos && same("key", &self.key);
        (whole && same("sha256", &digest(&topology).ok()?)).then_some(topology)
    }
}

/// SHA-256 of the distances, row by row.
fn digest(topology: &Topology) -> Result<String> {
    let mut hash = Sha256::new();
    for row in topology.to_tensor()?.to_vec2::<f32>()? {
        hash.update(row.iter().flat_map(|distance| distance.to_le_bytes()).collect::<Vec<u8>>());
    }
    Ok(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use std::cell::Cell;

    /// Three photos on a line, and how often they were measured.
    struct TopologyBench {
        place: tempfile::TempDir,
        measured: Cell<usize>,
    }

    impl TopologyBench {
        fn new() -> Self {
            Self { place: tempfile::tempdir().unwrap(), measured: Cell::new(0) }
        }

        fn measure(&self) -> Result<Topology> {
            self.measured.set(self.measured.get() + 1);
            Topology::new(&Tensor::new(&[[0.1_f32], [1.3], [5.7]], &Device::Cpu)?)
        }

        /// The topology, and whether it was measured for it.
        fn open(&self, key: &str) -> (Topology, bool) {
            let before = self.measured.get();
            let build = || self.measure();
            let plan = TopologyPlan { key: key.into(), folder: self.place.path(), photos: 3, build: &build };
            (plan.open().unwrap(), self.measured.get() > before)
        }

        fn file(&self) -> PathBuf {
            std::fs::read_dir(self.place.path()).unwrap().next().unwrap().unwrap().path()
        }
    }

    #[test]
    fn a_topology_is_measured_once_for_a_key() {
        let bench = TopologyBench::new();
        let expected = bench.measure().unwrap();
        assert_eq!(bench.open("a"), (expected.clone(), true));
        assert_eq!(bench.open("a"), (expected.clone(), false));
        assert_eq!(bench.open("b"), (expected.clone(), true));
        assert_eq!(bench.open("a"), (expected, false));
        assert_eq!(std::fs::read_dir(bench.place.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_not_whole_is_measured_again_and_replaced() {
        let bench = TopologyBench::new();
        let expected = bench.open("a").0;
        let whole = std::fs::read(bench.file()).unwrap();
        let mut other = whole.clone();
        let end = other.len();
        other[end - 6] ^= 1; // a bit of the last distance: still a finite number
        for bytes in [&whole[..end - 4], &whole[..9], b"", b"not safetensors", &other] {
            std::fs::write(bench.file(), bytes).unwrap();
            assert_eq!(bench.open("a"), (expected.clone(), true));
            assert_eq!(std::fs::read(bench.file()).unwrap(), whole);
            assert_eq!(bench.open("a"), (expected.clone(), false));
        }
    }

    #[test]
    fn a_file_of_another_plan_is_not_trusted() {
        let bench = TopologyBench::new();
        bench.open("a");
        let foreign = bench.file();
        let build = || bench.measure();
        let plan = TopologyPlan { key: "b".into(), folder: bench.place.path(), photos: 3, build: &build };
        std::fs::rename(&foreign, plan.path()).unwrap();
        assert!(bench.open("b").1 && !bench.open("b").1);
        let fewer = TopologyPlan { photos: 2, ..plan };
        assert_eq!(fewer.open().unwrap_err().to_string(), "topology: expected 2 photos, found 3 photos");
    }
}
