//! The backbone that every pre-training is for.

use super::config::PretrainConfig;
use crate::Result;
use crate::model::{Architecture, Embedder, Mode, NormConfig, Parameters, Scope, pool};
use crate::seed::Seed;
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, BTreeSet};

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

    /// Lets the running statistics follow what the backbone will see from now on; `pictures` gives it of some photos.
    pub(super) fn settle(&self, config: &PretrainConfig, pictures: &dyn Fn(&[usize]) -> Result<Tensor>) -> Result<()> {
        let all: Vec<usize> = (0..config.photos).collect();
        let batches = all.chunks(config.batch).filter(|batch| batch.len() > 1).cycle();
        for batch in batches.take(settling(self.architecture.momentum())) {
            self.features(&pictures(batch)?, Mode::Train)?;
        }
        Ok(())
    }
}

/// The share that may remain of the old statistics: less than the difference between batches.
const LEFT: f64 = 0.0018;

/// Batches after which no more than [`LEFT`] is left, where each replaces `momentum` of the running statistics.
fn settling(momentum: f64) -> usize {
    (LEFT.ln() / (1.0 - momentum).ln()).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::super::method::PretrainMethod;
    use super::super::photo::PhotoSet;
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
            ..PretrainConfig::mini(PretrainMethod::Attributes)
        };
        let photos = PhotoSet::open(&config, None, &Device::Cpu, &Unwatched).unwrap();
        let trunk = Trunk::new(architecture, Seed(0), &Device::Cpu).unwrap();
        let mut backbone = trunk.backbone();
        let name = backbone.keys().find(|name| name.ends_with("running_mean")).unwrap().clone();
        backbone.insert(name.clone(), (backbone[&name].ones_like().unwrap() * from).unwrap());
        trunk.parameters.load(&backbone).unwrap();
        trunk.settle(&config, &|batch| Ok(photos.plain(batch)?.0)).unwrap();
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
