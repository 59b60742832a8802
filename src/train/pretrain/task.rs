//! What all pre-trainings share: the backbone, and the three things a method says of itself.

use super::photo::{Labels, PhotoSet};
use super::score::{self, AttributeScore};
use super::{Method, PretrainConfig, barlow, classifier, clip, jigsaw, obow};
use crate::Result;
use crate::dataset::synthetic::Photos;
use crate::model::{Allowance, Architecture, Embedder, Mode, NormConfig, Parameters, Scope, pool, weights};
use crate::seed::{Seed, Stream};
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A method at work.
pub(super) trait Task {
    /// The backbone, and every tensor that is trained.
    fn trunk(&self) -> &Trunk;

    /// The loss of a batch.
    fn loss(&mut self, batch: &Batch, stream: &mut Stream) -> Result<Tensor>;

    /// Told after every step of how much of the training is done, 0 to 1.
    fn moved(&mut self, _share: f64) -> Result<()> {
        Ok(())
    }

    /// How well held-out photos are known: by their neighbours' attributes, unless the method learns attributes or there
    /// are none.
    fn score(&self, photos: &PhotoSet, config: &PretrainConfig) -> Result<Vec<AttributeScore>> {
        match config.corpus {
            Some(_) => score::own_photo(self.trunk(), photos, config),
            None => score::probe(self.trunk(), photos, config),
        }
    }
}

/// Photos of a training step, given by their positions.
pub(super) struct Batch<'a> {
    pub(super) photos: &'a PhotoSet,
    pub(super) positions: &'a [usize],
    pub(super) config: &'a PretrainConfig,
}

impl Batch<'_> {
    /// As [`PhotoSet::augmented`].
    pub(super) fn augmented(&self, stream: &mut Stream) -> Result<(Tensor, Vec<Labels>)> {
        self.photos.augmented(self.positions, self.config, stream)
    }

    /// As many augmented versions of every photo as are asked for, one below the other.
    pub(super) fn views(&self, count: usize, stream: &mut Stream) -> Result<Tensor> {
        let views = (0..count).map(|_| Ok(self.augmented(stream)?.0)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&views, 0)?)
    }
}

/// The method of a configuration, at its start: seeded initial values, or weights in a file.
pub(super) fn build(
    config: &PretrainConfig,
    seed: Seed,
    start: Option<&Path>,
    device: &Device,
) -> Result<Box<dyn Task>> {
    let classes = || Photos::classes().iter().map(|(_, count)| *count).collect();
    let trunk = Trunk::new(config.architecture, seed, device)?;
    if let Some(start) = start {
        weights::load(start, &trunk.parameters, &Allowance::default())?;
    }
    Ok(match config.method {
        Method::Attributes => Box::new(classifier::Classifier::new(trunk, classes())?),
        Method::Jigsaw { orders, tile } => Box::new(jigsaw::Jigsaw::new(trunk, orders, tile, seed)?),
        Method::BarlowTwins { width, weight } => Box::new(barlow::BarlowTwins::new(trunk, width, weight)?),
        Method::Clip { width, keep, temperature } => {
            Box::new(clip::Clip::new(trunk, classes(), width, keep, temperature)?)
        }
        Method::Obow { .. } => Box::new(obow::Obow::new(trunk, config.method, seed)?),
    })
}

/// A backbone with the tensors of what a method builds above it.
pub(super) struct Trunk {
    pub(super) parameters: Parameters,
    architecture: Architecture,
    embedder: Embedder,
    own: BTreeSet<String>,
}

impl Trunk {
    /// Seeded initial values; batch norm with statistics of the batch, since nothing is trained yet.
    pub(super) fn new(architecture: Architecture, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let embedder = Embedder::new(architecture, NormConfig::default(), None, &mut parameters.root())?;
        let own = parameters.tensors().into_keys().collect();
        Ok(Self { parameters, architecture, embedder, own })
    }

    /// Another network with the values that this one has now, of which nothing is trained.
    pub(super) fn twin(&self) -> Result<Self> {
        let twin = Self::new(self.architecture, Seed(0), self.parameters.device())?;
        twin.parameters.load(&self.backbone())?;
        Ok(twin)
    }

    /// Moves every tensor of the backbone a part of the way to another's: `x <- (1 - part) x + part y`.
    pub(super) fn follow(&self, other: &Self, part: f64) -> Result<()> {
        let theirs = other.backbone();
        let moved = |(name, own): (String, Tensor)| -> Result<(String, Tensor)> {
            let moved = ((own * (1.0 - part))? + (&theirs[&name] * part)?)?;
            Ok((name, moved))
        };
        self.parameters.load(&self.backbone().into_iter().map(moved).collect::<Result<_>>()?)?;
        Ok(())
    }

    /// Where a method registers its own tensors.
    pub(super) fn scope(&mut self) -> Scope<'_> {
        self.parameters.root()
    }

    /// Channels of a feature.
    pub(super) fn channels(&self) -> usize {
        self.embedder.dimension()
    }

    /// `(b, 3, h, w)` in `0..=1` in; the feature map `(b, h', w', c)` out.
    pub(super) fn map(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        self.embedder.backbone().forward(&self.architecture.normalisation().apply(pictures)?, mode)
    }

    /// `(b, 3, h, w)` in `0..=1` in; pooled features `(b, c)` out.
    pub(super) fn features(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        pool(&self.map(pictures, mode)?)
    }

    /// The backbone's tensors, running statistics included.
    pub(super) fn backbone(&self) -> BTreeMap<String, Tensor> {
        self.parameters.tensors().into_iter().filter(|(name, _)| self.own.contains(name)).collect()
    }

    /// Lets the running statistics follow whole photos, which is what the backbone will see from now on.
    ///
    /// Methods that show it tiles or strong views leave it statistics of those.
    pub(super) fn settle(&self, photos: &PhotoSet, config: &PretrainConfig) -> Result<()> {
        let all: Vec<usize> = (0..config.photos).collect();
        let batches = all.chunks(config.batch).filter(|batch| batch.len() > 1).cycle();
        for batch in batches.take(settling(self.architecture.momentum())) {
            self.features(&photos.plain(batch)?.0, Mode::Train)?;
        }
        Ok(())
    }
}

/// What may be left of the old statistics, which is less than batches differ by.
const LEFT: f64 = 0.0018;

/// Batches after which no more than [`LEFT`] is left, where each replaces `momentum` of the running statistics.
fn settling(momentum: f64) -> usize {
    (LEFT.ln() / (1.0 - momentum).ln()).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    /// A layer's running mean, before and after.
    fn settled(architecture: Architecture, from: f64) -> Vec<f32> {
        let config = PretrainConfig {
            architecture,
            photos: 4,
            valid_photos: 2,
            side: 32,
            batch: 2,
            ..PretrainConfig::mini(Method::Attributes)
        };
        let photos = PhotoSet::open(&config, None, &Device::Cpu, &Unwatched).unwrap();
        let trunk = Trunk::new(architecture, Seed(0), &Device::Cpu).unwrap();
        let mut backbone = trunk.backbone();
        let name = backbone.keys().find(|name| name.ends_with("running_mean")).unwrap().clone();
        backbone.insert(name.clone(), (backbone[&name].ones_like().unwrap() * from).unwrap());
        trunk.parameters.load(&backbone).unwrap();
        trunk.settle(&photos, &config).unwrap();
        trunk.backbone()[&name].to_vec1().unwrap()
    }

    #[test]
    fn nothing_of_the_old_statistics_is_left_whatever_the_momentum() {
        assert_eq!((settling(0.1), settling(0.01)), (60, 629));
        for architecture in [Architecture::Mini, Architecture::EfficientNetLite0] {
            let (near, far) = (settled(architecture, 0.0), settled(architecture, 1000.0));
            for (near, far) in near.iter().zip(far) {
                let left = (far - near) / 1000.0; // the batches are the same, so that their part cancels
                assert!((0.0017..=0.0018).contains(&left), "{architecture}: {left}");
            }
        }
    }
}
