//! A backbone with one linear layer for each attribute.

use super::photo::Labels;
use crate::Result;
use crate::loss::cross_entropy_loss;
use crate::model::{Architecture, Embedder, Init, Mode, NormConfig, Parameters, Weight};
use crate::seed::Seed;
use candle_core::{D, Device, Tensor};
use std::collections::BTreeMap;

/// Where the layers' tensors are; they are dropped after pre-training.
const SCOPE: &str = "classifier";

/// Classifies every attribute of a photo from its pooled features.
pub(super) struct Classifier {
    parameters: Parameters,
    architecture: Architecture,
    embedder: Embedder,
    /// All layers' rows below each other: one matrix product for all of them.
    weight: Weight,
    bias: Weight,
    classes: Vec<usize>,
}

impl Classifier {
    /// The network with seeded initial values; batch norm with statistics of the batch, since nothing is trained yet.
    pub(super) fn new(architecture: Architecture, classes: Vec<usize>, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let embedder = Embedder::new(architecture, NormConfig::default(), None, &mut parameters.root())?;
        let (rows, channels) = (classes.iter().sum(), embedder.dimension());
        let init = Init::Normal { deviation: 0.01 }; // all classes about equally probable at the start
        let mut root = parameters.root();
        let mut scope = root.push(SCOPE);
        let weight = scope.weight("weight", &[rows, channels], init)?;
        let bias = scope.weight("bias", &[rows], Init::Zeros)?;
        Ok(Self { parameters, architecture, embedder, weight, bias, classes })
    }

    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Logits of each attribute.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in `0..=1` in; out one `(b, c)` an attribute.
    pub(super) fn logits(&self, pictures: &Tensor, mode: Mode) -> Result<Vec<Tensor>> {
        let features = self.embedder.features(&self.architecture.normalisation().apply(pictures)?, mode)?;
        let all = features.matmul(&self.weight.value(mode).t()?)?.broadcast_add(&self.bias.value(mode))?;
        let mut start = 0;
        let part = |count: &usize| {
            start += count;
            Ok(all.narrow(1, start - count, *count)?)
        };
        self.classes.iter().map(part).collect()
    }

    /// Mean of the attributes' cross-entropies; one that no photo of the batch has does not count.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` and b rows of labels in, a scalar out.
    pub(super) fn loss(&self, pictures: &Tensor, labels: &[Labels]) -> Result<Tensor> {
        let mut losses = Vec::new();
        for (attribute, logits) in self.logits(pictures, Mode::Train)?.iter().enumerate() {
            let labels: Vec<_> = labels.iter().map(|labels| labels[attribute]).collect();
            if labels.iter().any(Option::is_some) {
                losses.push(cross_entropy_loss(logits, &labels)?);
            }
        }
        Ok(Tensor::stack(&losses, 0)?.mean_all()?)
    }

    /// The most probable class of each attribute, attribute by attribute.
    pub(super) fn classify(&self, pictures: &Tensor) -> Result<Vec<Vec<u32>>> {
        let best = |logits: &Tensor| Ok(logits.argmax(D::Minus1)?.to_vec1::<u32>()?);
        self.logits(pictures, Mode::Eval)?.iter().map(best).collect()
    }

    /// The backbone's tensors, running statistics included.
    pub(super) fn backbone(&self) -> BTreeMap<String, Tensor> {
        self.parameters.tensors().into_iter().filter(|(name, _)| !name.starts_with(SCOPE)).collect()
    }

    /// Rounds to half precision, so that what is measured is what is shipped.
    pub(super) fn round(&self) -> Result<()> {
        self.parameters.round(|_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    #[test]
    fn attributes_share_features_and_nothing_else() {
        let classifier = Classifier::new(Architecture::Mini, vec![2, 3], Seed(1), &Device::Cpu).unwrap();
        let values: Vec<f32> = (0..2 * 3 * 32 * 32).map(|i| (i as f32 * 0.37).sin().abs()).collect();
        let pictures = Tensor::from_vec(values, (2, 3, 32, 32), &Device::Cpu).unwrap();
        let logits = classifier.logits(&pictures, Mode::Eval).unwrap();
        assert_eq!(logits.iter().map(|logits| logits.dims().to_vec()).collect::<Vec<_>>(), [[2, 2], [2, 3]]);
        let classes = classifier.classify(&pictures).unwrap();
        assert!(classes.len() == 2 && classes[0].iter().all(|c| *c < 2) && classes[1].iter().all(|c| *c < 3));

        // The second attribute is absent: the loss is the first one's alone and its layer's other rows do not move.
        let loss = classifier.loss(&pictures, &[vec![Some(0), None], vec![Some(1), None]]).unwrap();
        assert!((loss.to_scalar::<f32>().unwrap() - 2.0_f32.ln()).abs() < 0.2);
        let gradient = loss.backward().unwrap().get(classifier.bias.var()).unwrap().to_vec1::<f32>().unwrap();
        assert!(gradient[2..] == [0.0; 3] && (gradient[0] + gradient[1]).abs() < 1e-6, "{gradient:?}");
    }

    #[test]
    fn the_backbone_is_saved_without_the_layers() {
        let classifier = Classifier::new(Architecture::Mini, vec![2], Seed(1), &Device::Cpu).unwrap();
        let backbone = classifier.backbone();
        assert_eq!(backbone.len() + 2, classifier.parameters().tensors().len());
        assert!(backbone.contains_key("bn1.running_var") && !backbone.contains_key("classifier.weight"));
        classifier.round().unwrap();
        let stem = &classifier.backbone()["conv1.weight"];
        let rounded = stem.to_dtype(DType::F16).unwrap().to_dtype(DType::F32).unwrap();
        let difference = (stem - rounded).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert_eq!(difference, 0.0);
    }
}
