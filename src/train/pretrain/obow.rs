//! Online bags of visual words, with a teacher that follows the student.

use super::head::Perceptron;
use super::method::PretrainMethod;
use super::task::{PhotoBatch, PretrainTask};
use super::trunk::Trunk;
use crate::kernel::{Window, average_pool};
use crate::loss::soft_cross_entropy_loss;
use crate::model::{Mode, l2_normalise};
use crate::seed::{Seed, Stream};
use crate::train::named::{Tensors, entry, from_number, join, part, to_number};
use crate::{Error, Result};
use candle_core::{D, Tensor};
use rand::RngExt;
use rand_distr::StandardNormal;

/// How much of the mean distance to the nearest word stays in a step (the authors' choice).
const DECAY: f64 = 0.99;

/// Where that mean starts (the authors' choice).
const FIRST_DISTANCE: f64 = 0.5;

/// A student, its teacher and their visual words.
pub(super) struct Obow {
    trunk: Trunk,
    teacher: Trunk,
    /// From a visual word to the weights that predict it.
    generator: Perceptron,
    /// `(words, c)`: a queue of the last features of the teacher.
    words: Tensor,
    oldest: usize,
    distance: f64,
    settings: ObowSettings,
}

#[derive(Clone, Copy)]
struct ObowSettings {
    hardness: f64,
    scale: f64,
    momentum: f64,
    views: usize,
}

impl Obow {
    pub(super) fn new(mut trunk: Trunk, method: PretrainMethod, seed: Seed) -> Result<Self> {
        let PretrainMethod::Obow { words, hardness, scale, momentum, views } = method else {
            return Err(Error::value("pre-training", "obow", method));
        };
        let teacher = trunk.twin()?;
        let channels = trunk.channels();
        let mut scope = trunk.scope();
        let generator = Perceptron::new(channels, &[2 * channels], channels, &mut scope.push("generator"))?;
        // As after a rectifier, like the maps that will take these words' places.
        let mut stream = seed.stream("words");
        let values = (0..words * channels).map(|_| stream.sample::<f32, _>(StandardNormal).max(0.0)).collect();
        let words = Tensor::from_vec(values, (words, channels), trunk.parameters.device())?;
        let settings = ObowSettings { hardness, scale, momentum, views };
        Ok(Self { trunk, teacher, generator, words, oldest: 0, distance: FIRST_DISTANCE, settings })
    }

    /// The teacher's bag of words of every photo, and the words renewed.
    ///
    /// ```text
    /// q(u)_k = softmax over k of -hardness / mean distance |u - v_k|^2;  bag_k = max over places u of q(u)_k, sum 1
    /// ```
    fn bags(&mut self, pictures: &Tensor, stream: &mut Stream) -> Result<Tensor> {
        let map = self.teacher.map(pictures, Mode::Train)?.detach();
        let (b, h, w, c) = map.dims4()?;
        let places = map.reshape((b * h * w, c))?;
        let squares = self.words.sqr()?.sum_keepdim(1)?.t()?;
        let distances = places.sqr()?.sum_keepdim(1)?.broadcast_add(&squares)?;
        let distances = (distances - (places.matmul(&self.words.t()?)? * 2.0)?)?;
        let nearest = distances.min(D::Minus1)?.mean_all()?.to_scalar::<f32>()?;
        self.distance = DECAY * self.distance + (1.0 - DECAY) * f64::from(nearest);
        let codes = candle_nn::ops::softmax_last_dim(&(distances * (-self.settings.hardness / self.distance))?)?;
        let most = codes.reshape((b, h * w, self.words.dim(0)?))?.max(1)?;
        let bags = most.broadcast_div(&most.sum_keepdim(1)?)?;
        self.renew(&map, stream)?;
        Ok(bags)
    }

    /// One local mean of each photo takes the place of an oldest word.
    fn renew(&mut self, map: &Tensor, stream: &mut Stream) -> Result<()> {
        let side = map.dim(1)?.min(map.dim(2)?).min(3); // 3 x 3 places, as the authors
        let means = average_pool(map, [side, side], Window::default())?;
        let (b, h, w, c) = means.dims4()?;
        let chosen: Vec<u32> = (0..b).map(|i| (i * h * w + stream.random_range(0..h * w)) as u32).collect();
        let new = means.reshape((b * h * w, c))?.index_select(&Tensor::new(chosen, map.device())?, 0)?;
        let (count, end) = (self.words.dim(0)?, self.oldest + b);
        let kept = [self.words.narrow(0, 0, self.oldest)?, new, self.words.narrow(0, end, count - end)?];
        let kept: Vec<_> = kept.into_iter().filter(|part| part.dims()[0] > 0).collect();
        self.words = Tensor::cat(&kept, 0)?;
        self.oldest = end % count;
        Ok(())
    }
}

impl PretrainTask for Obow {
    fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    fn loss(&mut self, batch: &PhotoBatch, stream: &mut Stream) -> Result<Tensor> {
        // Predictions are over the words as they were when the teacher made its bags.
        let words = l2_normalise(&self.words)?;
        let whole = batch.photos.plain(batch.positions)?.0;
        let bags = self.bags(&whole, stream)?;
        let features = self.trunk.features(&batch.views(self.settings.views, stream)?, Mode::Train)?;
        let weights = l2_normalise(&self.generator.forward(&words, Mode::Train)?)?;
        let logits = (features.matmul(&weights.t()?)? * self.settings.scale)?;
        soft_cross_entropy_loss(&logits, &Tensor::cat(&vec![bags; self.settings.views], 0)?)
    }

    /// The teacher follows, ever more slowly: its momentum rises to 1 along a cosine.
    fn moved(&mut self, share: f64) -> Result<()> {
        let falling = 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
        let part = (1.0 - self.settings.momentum) * falling;
        self.teacher.follow(&self.trunk, part)
    }

    fn state(&self) -> Result<Tensors> {
        let own = [
            ("words", self.words.clone()),
            ("oldest", from_number(self.oldest as f64)?),
            ("distance", from_number(self.distance)?),
        ];
        let own = own.map(|(name, tensor)| (name.to_string(), tensor)).into();
        Ok(join([("", own), ("teacher/", self.teacher.backbone())]))
    }

    fn restore(&mut self, state: &Tensors) -> Result<()> {
        self.teacher.parameters.load(&part(state, "teacher/"))?;
        let words = entry(state, "words")?;
        if words.dims() != self.words.dims() {
            return Err(Error::value("saved words", format!("{:?}", self.words.dims()), format!("{:?}", words.dims())));
        }
        self.words = words.to_device(self.words.device())?;
        self.oldest = to_number(entry(state, "oldest")?)? as usize;
        self.distance = to_number(entry(state, "distance")?)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::PretrainConfig;
    use super::super::photo::PhotoSet;
    use super::*;
    use crate::model::Architecture;
    use crate::train::{Optimiser, gradients};
    use crate::watch::Unwatched;
    use candle_core::{DType, Device};

    fn small() -> Obow {
        let trunk = Trunk::new(Architecture::Mini, Seed(0), &Device::Cpu).unwrap();
        let method = PretrainMethod::Obow { words: 4, hardness: 15.0, scale: 8.0, momentum: 0.5, views: 1 };
        Obow::new(trunk, method, Seed(0)).unwrap()
    }

    #[test]
    fn bags_are_distributions_and_words_are_renewed_in_turn() {
        let mut obow = small();
        let values: Vec<f32> = (0..2 * 3 * 64 * 64).map(|i| (i as f32 * 0.37).sin().abs()).collect();
        let pictures = Tensor::from_vec(values, (2, 3, 64, 64), &Device::Cpu).unwrap();
        let before = obow.words.to_vec2::<f32>().unwrap();
        let bags = obow.bags(&pictures, &mut Seed(1).stream("test")).unwrap().to_vec2::<f32>().unwrap();
        assert!(bags.iter().all(|bag| (bag.iter().sum::<f32>() - 1.0).abs() < 1e-5 && bag.iter().all(|p| *p >= 0.0)));
        let after = obow.words.to_vec2::<f32>().unwrap();
        assert!(before[..2] != after[..2] && before[2..] == after[2..]);
        obow.bags(&pictures, &mut Seed(1).stream("test")).unwrap();
        assert_eq!(obow.oldest, 0);
        assert!(before[2..] != obow.words.to_vec2::<f32>().unwrap()[2..]);
    }

    #[test]
    fn teacher_moves_half_way_at_momentum_one_half() {
        let mut obow = small();
        let var = obow.trunk.parameters.trainable().into_iter().find(|(name, _)| name == "bn1.bias").unwrap().1;
        var.set(&Tensor::ones(var.dims(), DType::F32, &Device::Cpu).unwrap()).unwrap();
        let bias = |obow: &Obow| obow.teacher.backbone()["bn1.bias"].to_vec1::<f32>().unwrap()[0];
        obow.moved(0.0).unwrap();
        assert_eq!(bias(&obow), 0.5);
        obow.moved(1.0).unwrap();
        assert_eq!(bias(&obow), 0.5); // at the end it stays where it is
    }

    fn entropy(distribution: &[f64]) -> f64 {
        -distribution.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
    }

    /// The words change during training, and with them the least loss of every batch. With fixed words and one draw of views
    /// the loss shows whether the student learns. It must beat the best prediction that ignores the photo: the mean bag,
    /// whose loss is its entropy.
    #[test]
    fn a_student_learns_which_words_are_in_which_photo() {
        const PHOTOS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
        let config = PretrainConfig { photos: 8, valid_photos: 1, ..PretrainConfig::mini("obow".parse().unwrap()) };
        let photos = PhotoSet::draw(&config, &Device::Cpu, &Unwatched).unwrap();
        let trunk = Trunk::new(Architecture::Mini, Seed(0), &Device::Cpu).unwrap();
        let method = PretrainMethod::Obow { words: 16, hardness: 15.0, scale: 8.0, momentum: 0.9, views: 2 };
        let mut obow = Obow::new(trunk, method, Seed(0)).unwrap();
        let (plain, mut stream) = (photos.plain(&PHOTOS).unwrap().0, Seed(1).stream("words"));
        (0..2).for_each(|_| drop(obow.bags(&plain, &mut stream).unwrap())); // now all words are what the teacher saw
        let (words, distance) = (obow.words.clone(), obow.distance);
        let bags = obow.bags(&plain, &mut stream).unwrap().to_dtype(DType::F64).unwrap();
        let rows = bags.to_vec2::<f64>().unwrap();
        let knowing = rows.iter().map(|bag| entropy(bag)).sum::<f64>() / 8.0;
        let blind = entropy(&bags.mean(0).unwrap().to_vec1::<f64>().unwrap());

        // The backbone alone: what the generator of weights learns is thrown away after the pre-training.
        let mut variables = obow.trunk.parameters.trainable();
        variables.retain(|(name, _)| !name.starts_with("generator"));
        let mut optimiser = Optimiser::new(config.optimiser, variables.clone());
        let mut losses = Vec::new();
        for _ in 0..40 {
            (obow.words, obow.oldest, obow.distance) = (words.clone(), 0, distance);
            let batch = PhotoBatch { photos: &photos, positions: &PHOTOS, config: &config };
            let loss = obow.loss(&batch, &mut Seed(2).stream("step")).unwrap();
            optimiser.step(&gradients(&loss, &variables).unwrap(), 1.0).unwrap();
            losses.push(f64::from(loss.to_scalar::<f32>().unwrap()));
        }
        let last = losses[losses.len() - 1];
        assert!(losses[0] > blind && knowing < last && last < blind, "{knowing} < {last} < {blind}: {losses:?}");
    }
}
