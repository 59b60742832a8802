//! One network for sketches and photos, as it is trained, kept and evaluated.

use super::{Allowance, Architecture, Embedder, HeadConfig, Mode, NormConfig, Parameters, weights};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};
use std::collections::BTreeMap;
use std::path::Path;

/// The configuration of a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkConfig {
    /// The backbone.
    pub architecture: Architecture,
    /// Its batch norms in training.
    pub norm: NormConfig,
    /// A linear layer on the pooled features.
    pub head: Option<HeadConfig>,
    /// Whether the backbone stays as it is: then the head alone is trained and saved.
    pub frozen: bool,
}

/// A backbone with an optional head; sketches and photos go through the same weights.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use retrace::model::{Architecture, HeadConfig, HeadStart, Network, NetworkConfig, NormConfig};
/// use retrace::seed::Seed;
/// let head = Some(HeadConfig { dimension: 8, start: HeadStart::Normal });
/// let config = NetworkConfig { architecture: Architecture::Mini, norm: NormConfig::running(), head, frozen: true };
/// let network = Network::new(config, Seed(0), &Device::Cpu)?;
/// let pictures = Tensor::ones((2, 3, 64, 64), DType::F32, &Device::Cpu)?;
/// assert_eq!(network.embed_in_evaluation(&pictures)?.dims(), [2, 8]);
/// // Frozen: what the optimiser moves is the head, and features can stand for pictures.
/// assert_eq!(network.trainable().len(), 2);
/// assert_eq!(network.embed_in_training(&network.features(&pictures)?)?.dims(), [2, 8]);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct Network {
    config: NetworkConfig,
    parameters: Parameters,
    embedder: Embedder,
}

impl Network {
    /// The architecture with seeded initial values.
    ///
    /// # Errors
    /// A configuration that does not build.
    pub fn new(config: NetworkConfig, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let embedder = Embedder::new(config.architecture, config.norm, config.head, &mut parameters.root())?;
        Ok(Self { config, parameters, embedder })
    }

    /// Its configuration.
    pub fn config(&self) -> NetworkConfig {
        self.config
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Loads pre-trained weights of the backbone; the head keeps its initial values.
    ///
    /// # Errors
    /// A file that does not hold exactly the backbone's tensors.
    pub fn load_backbone(&self, path: &Path) -> Result<()> {
        let head: Vec<&str> = HEAD.iter().copied().filter(|_| self.config.head.is_some()).collect();
        weights::load(path, &self.parameters, &Allowance { missing: &head, extra: &[] })?;
        Ok(())
    }

    /// Loads what [`Network::save`] wrote.
    ///
    /// # Errors
    /// A file of another network.
    pub fn load(&self, path: &Path) -> Result<()> {
        let names: Vec<String> = self.parameters.tensors().into_keys().collect();
        let backbone: Vec<&str> = names.iter().map(String::as_str).filter(|name| !self.is_saved(name)).collect();
        weights::load(path, &self.parameters, &Allowance { missing: &backbone, extra: &[] })?;
        Ok(())
    }

    /// Writes the trained tensors in half precision; a frozen backbone, which was not trained here, is left out.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: &Path, metadata: &BTreeMap<String, String>) -> Result<()> {
        let tensors = self.parameters.tensors().into_iter().filter(|(name, _)| self.is_saved(name)).collect();
        weights::save(path, &tensors, weights::Storage::F16, metadata)
    }

    fn is_saved(&self, name: &str) -> bool {
        !self.config.frozen || HEAD.contains(&name)
    }

    /// Rounds what [`Network::save`] writes to half precision, so that ranks are those of the shipped weights.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn round(&self) -> Result<()> {
        self.parameters.round(|name| self.is_saved(name))
    }

    /// Numbers in an embedding.
    pub fn dimension(&self) -> usize {
        self.embedder.dimension()
    }

    /// The tensors that an optimiser trains.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        self.parameters.trainable().into_iter().filter(|(name, _)| self.is_saved(name)).collect()
    }

    /// Embeds the input of a training step: pixels, or features where the backbone is frozen.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn embed_in_training(&self, input: &Tensor) -> Result<Tensor> {
        self.embed(input, Mode::Train)
    }

    /// Embeds in evaluation: pixels or, by their shape, features.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` or `(b, c)` in, `(b, d)` unit rows out.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn embed_in_evaluation(&self, input: &Tensor) -> Result<Tensor> {
        Ok(self.embed(input, Mode::Eval)?.detach())
    }

    fn embed(&self, input: &Tensor, mode: Mode) -> Result<Tensor> {
        match input.rank() {
            4 => self.embedder.forward(input, mode),
            2 if self.config.frozen => self.embedder.embed(input, mode),
            rank => Err(Error::value("input", "pictures (b, 3, h, w)", format!("{rank} dimensions"))),
        }
    }

    /// Pooled features of the backbone.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn features(&self, input: &Tensor) -> Result<Tensor> {
        self.embedder.features(input, Mode::Eval)
    }

    /// The backbone's last feature map, before [`pool`](super::pool).
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in, `(b, h', w', c)` out.
    ///
    /// # Errors
    /// An input of another shape.
    pub fn map(&self, pictures: &Tensor) -> Result<Tensor> {
        Ok(self.embedder.backbone().forward(pictures, Mode::Eval)?.detach())
    }
}

/// The tensors of the head.
const HEAD: [&str; 2] = ["head.weight", "head.bias"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HeadStart;
    use candle_core::DType;

    fn network(frozen: bool, seed: u64) -> Network {
        let head = Some(HeadConfig { dimension: 4, start: HeadStart::Normal });
        let config = NetworkConfig { architecture: Architecture::Mini, norm: NormConfig::running(), head, frozen };
        Network::new(config, Seed(seed), &Device::Cpu).unwrap()
    }

    fn pictures() -> Tensor {
        Tensor::ones((2, 3, 64, 64), DType::F32, &Device::Cpu).unwrap()
    }

    fn flat(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn values(network: &Network) -> BTreeMap<String, Vec<f32>> {
        network.parameters().tensors().iter().map(|(name, tensor)| (name.clone(), flat(tensor))).collect()
    }

    #[test]
    fn network_saves_and_loads_what_it_trains() {
        let place = tempfile::tempdir().unwrap();
        for frozen in [false, true] {
            let (from, to) = (network(frozen, 1), network(frozen, 2));
            let (path, before) = (place.path().join(format!("{frozen}.safetensors")), values(&to));
            from.round().unwrap();
            from.save(&path, &BTreeMap::new()).unwrap();
            to.load(&path).unwrap();
            for (name, found) in values(&to) {
                let is_kept = frozen && !name.starts_with("head.");
                let expected = if is_kept { &before[&name] } else { &values(&from)[&name] };
                assert_eq!(&found, expected, "{frozen} {name}");
            }
            // A head alone is no whole network.
            assert_eq!(network(false, 3).load(&path).is_err(), frozen);
        }
    }

    #[test]
    fn network_rounds_the_saved_part_alone() {
        for frozen in [false, true] {
            let network = network(frozen, 1);
            let before = values(&network);
            network.round().unwrap();
            let is_rounded = |name: &str| values(&network)[name] != before[name];
            assert!(is_rounded("head.weight"));
            assert_eq!(before.keys().any(|name| !name.starts_with("head.") && is_rounded(name)), !frozen);
        }
    }

    #[test]
    fn network_takes_features_for_pictures_where_its_backbone_is_frozen() {
        let (frozen, whole) = (network(true, 1), network(false, 1));
        let features = frozen.features(&pictures()).unwrap();
        let found = flat(&frozen.embed_in_evaluation(&features).unwrap());
        assert_eq!(found, flat(&frozen.embed_in_evaluation(&pictures()).unwrap()));
        let error = whole.embed_in_evaluation(&features).unwrap_err().to_string();
        assert!(error.contains("found 2 dimensions"), "{error}");
        assert!(whole.trainable().len() > frozen.trainable().len());
        let names: Vec<String> = frozen.trainable().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["head.bias", "head.weight"]);
    }

    #[test]
    fn network_pools_its_map_into_its_features() {
        let network = network(false, 1);
        let map = network.map(&pictures()).unwrap();
        assert_eq!(map.dims(), [2, 4, 4, 256]);
        assert_eq!(flat(&crate::model::pool(&map).unwrap()), flat(&network.features(&pictures()).unwrap()));
    }

    #[test]
    fn network_loads_a_backbone_and_keeps_its_head() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("backbone.safetensors");
        let (from, to) = (network(false, 1), network(false, 2));
        let mut tensors = from.parameters().tensors();
        tensors.retain(|name, _| !HEAD.contains(&name.as_str()));
        weights::save(&path, &tensors, weights::Storage::F32, &BTreeMap::new()).unwrap();
        let head = values(&to)["head.weight"].clone();
        to.load_backbone(&path).unwrap();
        assert_eq!(values(&to)["head.weight"], head);
        assert!(tensors.iter().all(|(name, tensor)| values(&to)[name] == flat(tensor)));
        tensors.pop_first();
        weights::save(&path, &tensors, weights::Storage::F32, &BTreeMap::new()).unwrap();
        assert!(to.load_backbone(&path).unwrap_err().to_string().contains("1 missing"));
    }
}
