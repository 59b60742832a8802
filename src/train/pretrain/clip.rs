//! Photos and words about them: CLIP.

use super::head::{Perceptron, linear};
use super::photo::Labels;
use super::task::{PhotoBatch, PretrainTask};
use super::trunk::Trunk;
use crate::Result;
use crate::loss::contrastive_loss;
use crate::model::{Init, Linear, Mode, Weight, l2_normalise};
use crate::seed::Stream;
use candle_core::Tensor;
use rand::RngExt;

/// Largest logarithm of the scale: similarities are multiplied by 100 at most (CLIP, Sec. 2.5).
const MOST: f32 = 4.605_170_2;

/// A caption is a set of words, one a class of an attribute ("colour 3"); their order has no meaning, so the text's
/// network is a mean of word vectors and a perceptron where CLIP has a transformer.
pub(super) struct Clip {
    trunk: Trunk,
    picture: Linear,
    words: Weight,
    text: Perceptron,
    scale: Weight,
    /// Where each attribute's words begin.
    starts: Vec<usize>,
    keep: f64,
}

impl Clip {
    pub(super) fn new(
        mut trunk: Trunk,
        classes: Vec<usize>,
        width: usize,
        keep: f64,
        temperature: f64,
    ) -> Result<Self> {
        let starts: Vec<usize> =
            classes.iter().scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count))).collect();
        let channels = trunk.channels();
        let mut root = trunk.scope();
        let mut scope = root.push("clip");
        let picture = linear(channels, width, &mut scope.push("picture"))?;
        let words = scope.weight("words", &[classes.iter().sum(), width], Init::Normal { deviation: 1.0 })?;
        let text = Perceptron::new(width, &[2 * width], width, &mut scope.push("text"))?;
        // A logarithm, so that no step can turn its sign.
        let scale = scope.weight("scale", &[1], Init::Zeros)?;
        scale.update(|old| Tensor::new(&[-temperature.ln() as f32], old.device()))?;
        Ok(Self { trunk, picture, words, text, scale, starts, keep })
    }

    /// One row a caption: 1 / n at each of its n words.
    fn captions(&self, labels: &[Labels], stream: &mut Stream) -> Result<Tensor> {
        let words = self.words.value(Mode::Eval);
        let total = words.dim(0)?;
        let mut rows = vec![0.0_f32; labels.len() * total];
        for (row, labels) in rows.chunks_mut(total).zip(labels) {
            let known = labels.iter().zip(&self.starts).filter_map(|(label, start)| Some(start + (*label)?));
            let known: Vec<usize> = known.collect();
            let mut said: Vec<usize> = known.iter().copied().filter(|_| stream.random::<f64>() < self.keep).collect();
            if said.is_empty() {
                said = known; // a caption has at least one word
            }
            let share = 1.0 / said.len().max(1) as f32;
            said.iter().for_each(|word| row[*word] = share);
        }
        Ok(Tensor::from_vec(rows, (labels.len(), total), words.device())?)
    }
}

impl PretrainTask for Clip {
    fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    fn loss(&mut self, batch: &PhotoBatch, stream: &mut Stream) -> Result<Tensor> {
        let (pictures, labels) = batch.augmented(stream)?;
        let captions = self.captions(&labels, stream)?;
        let features = self.trunk.features(&pictures, Mode::Train)?;
        let pictures = l2_normalise(&self.picture.forward(&features, Mode::Train)?)?;
        let texts = self.text.forward(&captions.matmul(&self.words.value(Mode::Train))?, Mode::Train)?;
        contrastive_loss(&pictures, &l2_normalise(&texts)?, &self.scale.value(Mode::Train).exp()?)
    }

    fn moved(&mut self, _: f64) -> Result<()> {
        self.scale.update(|scale| scale.clamp(f32::NEG_INFINITY, MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Architecture;
    use crate::seed::Seed;
    use candle_core::Device;

    #[test]
    fn captions_hold_known_words() {
        let trunk = Trunk::new(Architecture::Mini, Seed(0), &Device::Cpu).unwrap();
        let mut clip = Clip::new(trunk, vec![2, 3], 4, 1.0, 0.07).unwrap();
        let rows = |clip: &Clip| {
            let labels = [vec![Some(1), None], vec![Some(0), Some(2)]];
            clip.captions(&labels, &mut Seed(1).stream("test")).unwrap().to_vec2::<f32>().unwrap()
        };
        assert_eq!(rows(&clip), [[0.0, 1.0, 0.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.0, 0.5]]);
        clip.keep = 1e-9; // every word is dropped, so all are said
        assert_eq!(rows(&clip)[1], [0.5, 0.0, 0.0, 0.0, 0.5]);
        assert!((clip.scale.value(Mode::Eval).exp().unwrap().to_vec1::<f32>().unwrap()[0] - 1.0 / 0.07).abs() < 1e-4);
        clip.scale.var().unwrap().set(&Tensor::new(&[9.0_f32], &Device::Cpu).unwrap()).unwrap();
        clip.moved(0.0).unwrap();
        assert!((clip.scale.value(Mode::Eval).exp().unwrap().to_vec1::<f32>().unwrap()[0] - 100.0).abs() < 1e-3);
    }
}
