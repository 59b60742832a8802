//! A backbone with one linear layer for each attribute.

use super::config::PretrainConfig;
use super::photo::{Labels, PhotoSet};
use super::score::{self, AttributeScore};
use super::task::{PhotoBatch, PretrainTask};
use super::trunk::Trunk;
use crate::Result;
use crate::loss::cross_entropy_loss;
use crate::model::{Init, Linear, Mode};
use crate::seed::Stream;
use candle_core::{D, Tensor};

/// Classifies every attribute of a photo from its pooled features.
pub(super) struct Classifier {
    trunk: Trunk,
    /// All layers' rows below each other: one matrix product for all of them.
    layer: Linear,
    classes: Vec<usize>,
}

impl Classifier {
    /// One linear layer an attribute, with seeded initial values.
    pub(super) fn new(mut trunk: Trunk, classes: Vec<usize>) -> Result<Self> {
        let (rows, channels) = (classes.iter().sum(), trunk.channels());
        let init = Init::Normal { deviation: 0.01 }; // all classes about equally probable at the start
        let mut root = trunk.scope();
        let layer = Linear::new(channels, rows, init, &mut root.push("classifier"))?;
        Ok(Self { trunk, layer, classes })
    }

    /// Logits of each attribute.
    ///
    /// # Shapes
    /// `(b, 3, h, w)` in `0..=1` in; out one `(b, c)` an attribute.
    fn logits(&self, pictures: &Tensor, mode: Mode) -> Result<Vec<Tensor>> {
        let all = self.layer.forward(&self.trunk.features(pictures, mode)?, mode)?;
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
    fn of(&self, pictures: &Tensor, labels: &[Labels]) -> Result<Tensor> {
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
    fn classify(&self, pictures: &Tensor) -> Result<Vec<Vec<u32>>> {
        let best = |logits: &Tensor| Ok(logits.argmax(D::Minus1)?.to_vec1::<u32>()?);
        self.logits(pictures, Mode::Eval)?.iter().map(best).collect()
    }
}

impl PretrainTask for Classifier {
    fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    fn loss(&mut self, batch: &PhotoBatch, stream: &mut Stream) -> Result<Tensor> {
        let (pictures, labels) = batch.augmented(stream)?;
        self.of(&pictures, &labels)
    }

    fn score(&self, photos: &PhotoSet, config: &PretrainConfig) -> Result<Vec<AttributeScore>> {
        score::measure(|pictures| self.classify(pictures), photos, config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;
    use crate::seed::Seed;
    use candle_core::{DType, Device};

    fn small(classes: &[usize]) -> Classifier {
        let trunk = Trunk::new(Architecture::Mini, Seed(1), &Device::Cpu).unwrap();
        Classifier::new(trunk, classes.to_vec()).unwrap()
    }

    #[test]
    fn attributes_share_features_and_nothing_else() {
        let classifier = small(&[2, 3]);
        let values: Vec<f32> = (0..2 * 3 * 32 * 32).map(|i| (i as f32 * 0.37).sin().abs()).collect();
        let pictures = Tensor::from_vec(values, (2, 3, 32, 32), &Device::Cpu).unwrap();
        let logits = classifier.logits(&pictures, Mode::Eval).unwrap();
        assert_eq!(logits.iter().map(|logits| logits.dims().to_vec()).collect::<Vec<_>>(), [[2, 2], [2, 3]]);
        let classes = classifier.classify(&pictures).unwrap();
        assert!(classes.len() == 2 && classes[0].iter().all(|c| *c < 2) && classes[1].iter().all(|c| *c < 3));

        // The second attribute is absent: the loss is the first one's alone and its layer's other rows do not move.
        let loss = classifier.of(&pictures, &[vec![Some(0), None], vec![Some(1), None]]).unwrap();
        assert!((loss.to_scalar::<f32>().unwrap() - 2.0_f32.ln()).abs() < 0.2);
        let trained = classifier.trunk.parameters.trainable();
        let bias = &trained.iter().find(|(name, _)| name == "classifier.bias").unwrap().1;
        let gradient = loss.backward().unwrap().get(bias).unwrap().to_vec1::<f32>().unwrap();
        assert!(gradient[2..] == [0.0; 3] && (gradient[0] + gradient[1]).abs() < 1e-6, "{gradient:?}");
    }

    #[test]
    fn the_backbone_is_saved_without_the_layers() {
        let classifier = small(&[2]);
        let backbone = classifier.trunk.backbone();
        assert_eq!(backbone.len() + 2, classifier.trunk.parameters.tensors().len());
        assert!(backbone.contains_key("bn1.running_var") && !backbone.contains_key("classifier.weight"));
        classifier.trunk.parameters.round(|_| true).unwrap();
        let stem = &classifier.trunk.backbone()["conv1.weight"];
        let rounded = stem.to_dtype(DType::F16).unwrap().to_dtype(DType::F32).unwrap();
        let difference = (stem - rounded).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        assert_eq!(difference, 0.0);
    }
}
