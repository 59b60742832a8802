//! `CrossGrad` of Table 1: two networks, each trained also on pictures that the other's loss has changed.

use crate::dataset::Pair;
use crate::loss::cross_entropy_loss;
use crate::model::{Allowance, Embedder, Init, Linear, Mode, NetworkConfig, Normalisation, Parameters, weights};
use crate::seed::Seed;
use crate::train::named::{Tensors, join, part};
use crate::train::{Gradients, Optimiser, OptimiserConfig, gradients};
use crate::{Error, Result};
use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Settings of cross-gradient training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossConfig {
    /// Root mean square of a perturbation, where pixels are 0 to 1.
    pub epsilon: f64,
    /// a: share of the loss on perturbed pictures.
    pub share: f64,
}

impl Default for CrossConfig {
    /// `a` as in a public program of the method (`ALPHA_F` and `ALPHA_D` of Dassl); epsilon one step of a pixel's 255.
    ///
    /// Dassl adds the gradient of a batch's mean loss as it is. With 8 steps, as is usual for adversarial training, 20.1% of
    /// validation queries of `synth-world` were at rank 1 after two epochs, with one 22.3%, with Hard-Transfer 26.8%.
    fn default() -> Self {
        Self { epsilon: 1.0 / 255.0, share: 0.5 }
    }
}

impl CrossConfig {
    /// Checks that both can be trained with.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<()> {
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            return Err(Error::value("config.training.epsilon", "above 0", self.epsilon));
        }
        if !(0.0..=1.0).contains(&self.share) {
            return Err(Error::value("config.training.share", "0 to 1", self.share));
        }
        Ok(())
    }
}

/// The network that tells domains apart, here the categories of training: a backbone and a linear layer of classes.
///
/// It sees sketches and photos alike. The retrieval network does not see its features, as it does in Shankar et al.: no
/// query of an unseen category would have such.
#[derive(Debug)]
pub struct DomainNetwork {
    parameters: Parameters,
    embedder: Embedder,
    classes: Linear,
}

/// The layer's tensors, which no pre-trained file holds.
const CLASSES: [&str; 2] = ["classes.weight", "classes.bias"];

impl DomainNetwork {
    /// The network at its start.
    ///
    /// # Errors
    /// No classes.
    pub fn new(config: NetworkConfig, classes: usize, seed: Seed, device: &Device) -> Result<Self> {
        let mut parameters = Parameters::new(seed, device);
        let mut root = parameters.root();
        let embedder = Embedder::new(config.architecture, config.norm, None, &mut root)?;
        // Zeros: every class is as probable as any other at first, and no picture is changed for chance numbers.
        let classes = Linear::new(embedder.dimension(), classes, Init::Zeros, &mut root.push("classes"))?;
        Ok(Self { parameters, embedder, classes })
    }

    /// Its tensors.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Loads pre-trained weights of the backbone.
    ///
    /// # Errors
    /// A file of another backbone.
    pub fn load_backbone(&self, path: &Path) -> Result<()> {
        weights::load(path, &self.parameters, &Allowance { missing: &CLASSES, extra: &[] }).map(drop)
    }

    /// Cross-entropy of the categories.
    ///
    /// # Shapes
    /// `pictures` `(b, 3, h, w)` as the backbone expects them; `domains` b classes; out a scalar.
    ///
    /// # Errors
    /// A class that is not there.
    pub fn loss(&self, pictures: &Tensor, domains: &[Option<usize>]) -> Result<Tensor> {
        let features = self.embedder.features(pictures, Mode::Train)?;
        cross_entropy_loss(&self.classes.forward(&features, Mode::Train)?, domains)
    }
}

/// Moves every picture in the direction of a gradient, by as much.
///
/// ```text
/// x' = x + epsilon g / rms(g),   rms over the numbers of a picture
/// ```
///
/// Shankar et al. add `epsilon g`, whose size is that of the networks' gradients; here it is the same for every picture and
/// throughout training. A picture whose gradient is 0, as of a triplet beyond its margin, stays as it is.
///
/// # Shapes
/// `pixels` and `gradient` `(b, 3, h, w)`; out the same.
///
/// # Errors
/// Shapes that differ.
///
/// # References
/// Shankar et al., Generalizing Across Domains via Cross-Gradient Training, ICLR 2018, Algorithm 1.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let gradient = Tensor::new(&[3.0_f32, 0.0, -4.0], &Device::Cpu)?.reshape((1, 3, 1, 1))?;
/// let found = retrace::paper::generalising::perturb(&gradient.zeros_like()?, &gradient, 0.1)?;
/// // rms = sqrt(25 / 3) = 2.887
/// let found = found.flatten_all()?.to_vec1::<f32>()?;
/// assert!((found[0] - 0.1039).abs() < 1e-4 && found[1] == 0.0 && (found[2] + 0.1386).abs() < 1e-4);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn perturb(pixels: &Tensor, gradient: &Tensor, epsilon: f64) -> Result<Tensor> {
    /// Far below the square of any gradient of a mean over a batch and its pixels, 1e-8 and more.
    const FLOOR: f64 = 1e-28;
    let square = gradient.sqr()?.flatten_from(1)?.mean(1)?.reshape((gradient.dim(0)?, 1, 1, 1))?;
    Ok((pixels + (gradient.broadcast_div(&(square + FLOOR)?.sqrt()?)? * epsilon)?)?)
}

/// The network of domains in training, beside a network of labels that another loop trains.
#[derive(Debug)]
pub(super) struct CrossTraining {
    config: CrossConfig,
    domain: DomainNetwork,
    optimiser: Optimiser,
    classes: BTreeMap<usize, usize>,
    normalisation: Normalisation,
}

/// What a step has found for the network of labels.
pub(super) struct CrossStep {
    /// The loss on the pictures as they are.
    pub loss: f64,
    /// Gradients of both losses, in their shares.
    pub gradients: Gradients,
}

impl CrossTraining {
    /// Beside a network of the same settings, on the categories of some pairs.
    ///
    /// # Errors
    /// A file of another backbone.
    pub fn new(
        config: CrossConfig,
        (network, optimiser): (NetworkConfig, OptimiserConfig),
        pairs: &[Pair],
        (seed, device): (Seed, &Device),
        start: Option<&Path>,
    ) -> Result<Self> {
        let groups: BTreeSet<usize> = pairs.iter().map(|pair| pair.group).collect();
        let classes: BTreeMap<usize, usize> = groups.into_iter().zip(0..).collect();
        let domain = DomainNetwork::new(network, classes.len(), seed, device)?;
        start.map_or(Ok(()), |start| domain.load_backbone(start))?;
        let optimiser = Optimiser::new(optimiser, domain.parameters.trainable());
        Ok(Self { config, domain, optimiser, classes, normalisation: network.architecture.normalisation() })
    }

    /// A step of the network of domains; returns what the network of labels is to move by.
    ///
    /// ```text
    /// x_d = x + eps grad_x J_d,   x_l = x + eps grad_x J_l
    /// labels:  (1 - a) J_l(x) + a J_l(x_d)        domains:  (1 - a) J_d(x) + a J_d(x_l)
    /// ```
    ///
    /// # Shapes
    /// `pixels` `(2 b, 3, h, w)`, 0 to 1: the sketches of the batch, then their photos.
    ///
    /// # Errors
    /// A category that was not there at the start; a failing loss.
    ///
    /// # References
    /// As [`perturb`].
    pub fn step(
        &mut self,
        pixels: Tensor,
        batch: &[Pair],
        label: &dyn Fn(&Tensor) -> Result<Tensor>,
        variables: &[(String, Var)],
        factor: f64,
    ) -> Result<CrossStep> {
        let domains: Vec<Option<usize>> =
            batch.iter().chain(batch).map(|pair| self.classes.get(&pair.group).copied()).collect();
        let domain = |pictures: &Tensor| self.domain.loss(pictures, &domains);
        let own = self.domain.parameters.trainable();
        let normal = |pixels: &Tensor| self.normalisation.apply(pixels);
        let pixels = Var::from_tensor(&pixels)?;
        let loss = label(&normal(&pixels)?)?;
        let (to_label, by_label) = split(&loss, variables, &pixels)?;
        let (to_domain, by_domain) = split(&domain(&normal(&pixels)?)?, &own, &pixels)?;
        let moved = |by: &Tensor| normal(&perturb(&pixels.as_detached_tensor(), by, self.config.epsilon)?);
        let to_label = mix(to_label, gradients(&label(&moved(&by_domain)?)?, variables)?, self.config.share)?;
        let to_domain = mix(to_domain, gradients(&domain(&moved(&by_label)?)?, &own)?, self.config.share)?;
        self.optimiser.step(&to_domain, factor)?;
        Ok(CrossStep { loss: f64::from(loss.to_scalar::<f32>()?), gradients: to_label })
    }

    /// Everything that a resumed training needs.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn state(&self) -> Result<Tensors> {
        Ok(join([(NETWORK, self.domain.parameters.tensors()), (OPTIMISER, self.optimiser.state()?)]))
    }

    /// Restores what [`Self::state`] gave.
    ///
    /// # Errors
    /// A state of another network.
    pub fn restore(&mut self, state: &Tensors) -> Result<()> {
        self.domain.parameters.load(&part(state, NETWORK))?;
        self.optimiser.restore(part(state, OPTIMISER))
    }
}

const NETWORK: &str = "domain/";
const OPTIMISER: &str = "domain-optimiser/";

/// Gradients of a loss to variables, and to pixels.
fn split(loss: &Tensor, variables: &[(String, Var)], pixels: &Var) -> Result<(Gradients, Tensor)> {
    let store = loss.backward()?;
    let named = |(name, var): &(String, Var)| Some((name.clone(), store.get(var)?.detach()));
    let to_pixels = store.get(pixels).ok_or_else(|| Error::value("loss", "one of the pixels", "another"))?.detach();
    Ok((variables.iter().filter_map(named).collect(), to_pixels))
}

/// `(1 - share) first + share second`.
fn mix(first: Gradients, second: Gradients, share: f64) -> Result<Gradients> {
    let both = first.into_iter().filter_map(|(name, first)| Some((second.get(&name)?.clone(), name, first)));
    both.map(|(second, name, first)| Ok((name, ((first * (1.0 - share))? + (second * share)?)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::{triplet_loss_of, weighted_distances};
    use crate::model::{Architecture, Network, NormConfig};
    use rand::RngExt;

    const NETWORK_CONFIG: NetworkConfig = NetworkConfig {
        architecture: Architecture::Mini,
        norm: NormConfig { statistic: crate::model::Statistic::Running, trainable: true },
        head: None,
        frozen: false,
    };

    fn draw(shape: &[usize], seed: u64) -> Tensor {
        let stream = &mut Seed(seed).stream("pixels");
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| stream.random_range(0.0..1.0)).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn number(x: &Tensor) -> f64 {
        f64::from(x.to_scalar::<f32>().unwrap())
    }

    /// Two categories of two photos each, a sketch of each.
    fn batch() -> Vec<Pair> {
        (0..4).map(|n| Pair { sketch: n, photo: n, group: 3 + 4 * (n / 2) }).collect()
    }

    fn trained(config: CrossConfig) -> CrossTraining {
        let rule = (NETWORK_CONFIG, OptimiserConfig::sgd(1.0, 0.0));
        let made = CrossTraining::new(config, rule, &batch(), (Seed(1), &Device::Cpu), None).unwrap();
        // As after some steps: from zeros no gradient reaches the pixels.
        let classes = (draw(&[2, 256], 5) - 0.5).unwrap();
        let mut tensors = made.domain.parameters().tensors();
        tensors.insert(CLASSES[0].into(), classes);
        made.domain.parameters().load(&tensors).unwrap();
        made
    }

    fn triplets(network: &Network, pictures: &Tensor) -> Result<Tensor> {
        let both = network.embed_in_training(pictures)?;
        let (sketches, photos) = (both.narrow(0, 0, 4)?, both.narrow(0, 4, 4)?);
        triplet_loss_of(&weighted_distances(&sketches, &photos, &sketches.ones_like()?)?, &[0, 1, 2, 3], 1.0)
    }

    /// Through the project's own kernels, for both losses: differences along the gradient and along chance directions.
    #[test]
    fn gradient_to_pixels_is_that_of_differences() {
        let network = Network::new(NETWORK_CONFIG, Seed(2), &Device::Cpu).unwrap();
        let domain = trained(CrossConfig::default()).domain;
        let domains: Vec<Option<usize>> = [0, 0, 1, 1, 0, 0, 1, 1].map(Some).to_vec();
        let start = draw(&[8, 3, 16, 16], 4);
        let losses: [&dyn Fn(&Tensor) -> Tensor; 2] =
            [&|x| triplets(&network, x).unwrap(), &|x| domain.loss(x, &domains).unwrap()];
        for loss in losses {
            let pixels = Var::from_tensor(&start).unwrap();
            let (_, gradient) = split(&loss(&pixels), &[], &pixels).unwrap();
            let chance = (2..4).map(|seed| (draw(start.dims(), seed) - 0.5).unwrap());
            for way in [gradient.clone()].into_iter().chain(chance) {
                let way = (&way / number(&way.sqr().unwrap().sum_all().unwrap()).sqrt()).unwrap();
                let at = |by: f64| number(&loss(&(&start + (&way * by).unwrap()).unwrap()));
                let difference = (at(0.02) - at(-0.02)) / 0.04;
                let slope = number(&(&gradient * &way).unwrap().sum_all().unwrap());
                let scale = number(&gradient.sqr().unwrap().sum_all().unwrap()).sqrt();
                assert!((slope - difference).abs() < 0.03 * scale && scale > 1e-3, "{slope} {difference} {scale}");
            }
        }
    }

    /// A step against its formula, term by term.
    #[test]
    fn cross_step_is_its_formula() {
        let network = Network::new(NETWORK_CONFIG, Seed(2), &Device::Cpu).unwrap();
        let (label, variables) = (|x: &Tensor| triplets(&network, x), network.trainable());
        let (pixels, config) = (draw(&[8, 3, 16, 16], 4), CrossConfig { epsilon: 0.05, share: 0.25 });
        let mut training = trained(config);
        let normal = |x: &Tensor| ((x - 0.5).unwrap() / 0.5).unwrap();
        let domains: Vec<Option<usize>> = [0, 0, 1, 1, 0, 0, 1, 1].map(Some).to_vec();
        let (other, own) = (trained(config).domain, "classes.bias");
        let to_pixels = |loss: &dyn Fn(&Tensor) -> Result<Tensor>| {
            let x = Var::from_tensor(&pixels).unwrap();
            loss(&normal(&x)).unwrap().backward().unwrap().get(&x).unwrap().clone()
        };
        let domain = |x: &Tensor| other.loss(x, &domains);
        let by_domain = perturb(&pixels, &to_pixels(&domain), 0.05).unwrap();
        let by_label = perturb(&pixels, &to_pixels(&label), 0.05).unwrap();
        let moved = number(&(&by_domain - &pixels).unwrap().sqr().unwrap().mean_all().unwrap()).sqrt();
        assert!((moved - 0.05).abs() < 1e-4, "{moved}");
        let slopes = |loss: Tensor, variables: &[(String, Var)]| gradients(&loss, variables).unwrap();
        let [plain, pushed] = [&pixels, &by_domain].map(|x| slopes(label(&normal(x)).unwrap(), &variables));
        let found = training.step(pixels.clone(), &batch(), &label, &variables, 1.0).unwrap();
        assert!((found.loss - number(&label(&normal(&pixels)).unwrap())).abs() < 1e-6);
        for (name, gradient) in &found.gradients {
            let expected = ((&plain[name] * 0.75).unwrap() + (&pushed[name] * 0.25).unwrap()).unwrap();
            let apart = number(&(gradient - &expected).unwrap().abs().unwrap().max_all().unwrap());
            assert!(apart <= 1e-5 + 1e-3 * number(&expected.abs().unwrap().max_all().unwrap()), "{name}: {apart}");
        }
        let names = other.parameters().trainable();
        let [plain, pushed] = [&pixels, &by_label].map(|x| slopes(domain(&normal(x)).unwrap(), &names));
        let expected = ((&plain[own] * 0.75).unwrap() + (&pushed[own] * 0.25).unwrap()).unwrap();
        let bias = training.domain.parameters().tensors()[own].clone(); // at a rate of 1, from 0
        assert!(number(&(bias + expected).unwrap().abs().unwrap().max_all().unwrap()) < 1e-5);
    }

    #[test]
    fn a_picture_without_a_gradient_stays() {
        let (pixels, none) =
            (draw(&[2, 3, 4, 4], 1), Tensor::zeros((2, 3, 4, 4), candle_core::DType::F32, &Device::Cpu));
        let found = perturb(&pixels, &none.unwrap(), 0.1).unwrap();
        assert_eq!(
            found.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            pixels.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        );
    }

    #[test]
    fn cross_training_goes_on_from_its_state() {
        let network = Network::new(NETWORK_CONFIG, Seed(2), &Device::Cpu).unwrap();
        let (label, variables) = (|x: &Tensor| triplets(&network, x), network.trainable());
        let (mut first, mut second) = (trained(CrossConfig::default()), trained(CrossConfig::default()));
        let step = |of: &mut CrossTraining| of.step(draw(&[8, 3, 16, 16], 4), &batch(), &label, &variables, 1e-2);
        step(&mut first).unwrap();
        second.restore(&first.state().unwrap()).unwrap();
        let bias = |of: &CrossTraining| of.domain.parameters().tensors()["classes.bias"].to_vec1::<f32>().unwrap();
        [&mut first, &mut second].into_iter().for_each(|of| drop(step(of).unwrap()));
        assert_eq!(bias(&first), bias(&second));
        let strange = [Pair { sketch: 0, photo: 0, group: 99 }];
        let one = draw(&[2, 3, 16, 16], 4);
        let found = first.step(one, &strange, &|x| Ok(x.sqr()?.mean_all()?), &[], 1.0);
        assert!(found.is_err()); // no category is known
    }
}
