//! Adam and stochastic gradient descent over named parameters, with a state that can be saved and restored.

use super::Gradients;
use crate::kernel::{AdamStep, adam};
use crate::{Error, Result};
use candle_core::{DType, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, btree_map::Entry};

/// The update rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// Kingma and Ba, ICLR 2015, Algorithm 1.
    Adam {
        /// Decay of the mean.
        beta1: f64,
        /// Decay of the mean square.
        beta2: f64,
        /// Added to the root.
        epsilon: f64,
    },
    /// Descent with momentum, `v <- momentum v + g`, `x <- x - rate v`.
    Sgd {
        /// 0 = plain descent.
        momentum: f64,
    },
}

/// A rule, its rate and its decay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserConfig {
    /// The update rule.
    pub rule: Rule,
    /// Rate at the schedule's factor 1.
    pub rate: f64,
    /// Added to the gradient as `decay x` (as in PyTorch's `Adam` and `SGD`).
    pub weight_decay: f64,
}

impl OptimiserConfig {
    /// Adam with its authors' constants (ICLR 2015, Algorithm 1) and no decay.
    pub fn adam(rate: f64) -> Self {
        Self { rule: Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, rate, weight_decay: 0.0 }
    }

    /// Plain descent: the rule that the papers' equations are written in.
    pub fn sgd(rate: f64, momentum: f64) -> Self {
        Self { rule: Rule::Sgd { momentum }, rate, weight_decay: 0.0 }
    }
}

/// A rule at work on its parameters.
#[derive(Debug)]
pub struct Optimiser {
    config: OptimiserConfig,
    variables: Vec<(String, Var)>,
    /// `mean/<name>` and `square/<name>`; made when a parameter first has a gradient.
    state: BTreeMap<String, Var>,
    steps: u64,
}

impl Optimiser {
    /// A fresh state for these parameters.
    pub fn new(config: OptimiserConfig, variables: Vec<(String, Var)>) -> Self {
        Self { config, variables, state: BTreeMap::new(), steps: 0 }
    }

    /// The settings it was made with.
    pub fn config(&self) -> &OptimiserConfig {
        &self.config
    }

    /// One update of every parameter that has a gradient, at `factor` times the configured rate.
    ///
    /// ```text
    /// Adam: m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  x <- x - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
    /// ```
    ///
    /// # Errors
    /// A gradient of another shape than its parameter.
    pub fn step(&mut self, gradients: &Gradients, factor: f64) -> Result<()> {
        self.steps += 1;
        let variables = std::mem::take(&mut self.variables);
        let done = variables.iter().try_for_each(|(name, var)| match gradients.get(name) {
            Some(gradient) => self.update(name, var, gradient, factor * self.config.rate),
            None => Ok(()),
        });
        self.variables = variables;
        done
    }

    fn update(&mut self, name: &str, var: &Var, gradient: &Tensor, rate: f64) -> Result<()> {
        let weight_decay = self.config.weight_decay;
        match self.config.rule {
            Rule::Adam { beta1, beta2, epsilon } => {
                let step = AdamStep { beta: [beta1, beta2], epsilon, rate, weight_decay, step: self.steps };
                let (mean, square) = (self.moment("mean", name, var)?, self.moment("square", name, var)?);
                Ok(adam(var, &mean, &square, gradient, &step)?)
            }
            Rule::Sgd { momentum } => {
                let gradient = match weight_decay {
                    0.0 => gradient.clone(),
                    decay => (gradient + (var.as_detached_tensor() * decay)?)?,
                };
                let velocity = match momentum {
                    0.0 => gradient,
                    keep => {
                        let mean = self.moment("mean", name, var)?;
                        mean.set(&((mean.as_detached_tensor() * keep)? + gradient)?)?;
                        mean.as_detached_tensor()
                    }
                };
                Ok(var.set(&(var.as_detached_tensor() - (velocity * rate)?)?)?)
            }
        }
    }

    /// A running average of a parameter's gradients, zero at first.
    fn moment(&mut self, kind: &str, name: &str, var: &Var) -> Result<Var> {
        match self.state.entry(format!("{kind}/{name}")) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(entry) => {
                Ok(entry.insert(Var::from_tensor(&var.as_detached_tensor().zeros_like()?)?).clone())
            }
        }
    }

    /// The state as named tensors, for a checkpoint.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let copy = |(key, var): (&String, &Var)| Ok((key.clone(), var.as_detached_tensor().copy()?));
        let mut state = self.state.iter().map(copy).collect::<Result<BTreeMap<_, _>>>()?;
        state.insert("steps".into(), Tensor::new(&[self.steps as f64], &candle_core::Device::Cpu)?);
        Ok(state)
    }

    /// Restores a saved state.
    ///
    /// # Errors
    /// A state of other parameters or shapes.
    pub fn restore(&mut self, mut state: BTreeMap<String, Tensor>) -> Result<()> {
        let steps = state.remove("steps").ok_or_else(|| Error::value("optimiser state", "an entry `steps`", "none"))?;
        // A checkpoint holds single precision, which counts to 16 million exactly.
        self.steps = steps.to_dtype(DType::F64)?.to_vec1::<f64>()?[0] as u64;
        let take = |(key, tensor): (String, Tensor)| {
            let name = key.split_once('/').map_or("", |(_, name)| name);
            let known = self.variables.iter().find(|(known, var)| known == name && var.dims() == tensor.dims());
            let Some((_, var)) = known else {
                let found = format!("{key} {:?}", tensor.dims());
                return Err(Error::value("optimiser state", "entries of this model's parameters", found));
            };
            Ok((key, Var::from_tensor(&tensor.to_device(var.device())?.to_dtype(var.dtype())?.copy()?)?))
        };
        self.state = state.into_iter().map(take).collect::<Result<_>>()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// Runs `steps` updates on f(x) = x^2 / 2 + 2 x from x = 1 (gradient x + 2), and returns x.
    fn descend(config: OptimiserConfig, steps: usize) -> f64 {
        let x = Var::new(&[1.0_f64], &Device::Cpu).unwrap();
        let mut optimiser = Optimiser::new(config, vec![("x".into(), x.clone())]);
        for _ in 0..steps {
            let gradient = (x.as_tensor() + 2.0).unwrap();
            optimiser.step(&[("x".to_string(), gradient)].into(), 1.0).unwrap();
        }
        x.to_vec1::<f64>().unwrap()[0]
    }

    /// The same with scalars, from the published algorithm.
    fn adam_by_hand(rate: f64, decay: f64, steps: i32) -> f64 {
        let (mut x, mut m, mut v) = (1.0_f64, 0.0, 0.0);
        for t in 1..=steps {
            let g = x + 2.0 + decay * x;
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            x -= rate * (m / (1.0 - 0.9_f64.powi(t))) / ((v / (1.0 - 0.999_f64.powi(t))).sqrt() + 1e-8);
        }
        x
    }

    #[test]
    fn adam_follows_the_published_algorithm() {
        assert!((descend(OptimiserConfig::adam(0.1), 7) - adam_by_hand(0.1, 0.0, 7)).abs() < 1e-12);
        let decayed = OptimiserConfig { weight_decay: 0.5, ..OptimiserConfig::adam(0.1) };
        assert!((descend(decayed, 7) - adam_by_hand(0.1, 0.5, 7)).abs() < 1e-12);
    }

    #[test]
    fn sgd_with_momentum_by_hand() {
        // g = 3, x = 0.7; g = 2.7, v = 1.5 + 2.7 = 4.2, x = 0.28
        assert!((descend(OptimiserConfig::sgd(0.1, 0.5), 2) - 0.28).abs() < 1e-12);
        assert!((descend(OptimiserConfig::sgd(0.1, 0.0), 2) - 0.43).abs() < 1e-12);
    }

    #[test]
    fn a_restored_state_goes_on_as_if_unbroken() {
        let x = Var::new(&[1.0_f64], &Device::Cpu).unwrap();
        let variables = vec![("x".to_string(), x.clone())];
        let mut first = Optimiser::new(OptimiserConfig::adam(0.1), variables.clone());
        let gradient = || [("x".to_string(), (x.as_tensor() + 2.0).unwrap())].into();
        (0..3).for_each(|_| first.step(&gradient(), 1.0).unwrap());
        let mut second = Optimiser::new(OptimiserConfig::adam(0.1), variables);
        second.restore(first.state().unwrap()).unwrap();
        (0..4).for_each(|_| second.step(&gradient(), 1.0).unwrap());
        assert_eq!(x.to_vec1::<f64>().unwrap()[0], descend(OptimiserConfig::adam(0.1), 7));
        let foreign = [
            ("steps".into(), Tensor::new(&[1.0_f64], &Device::Cpu).unwrap()),
            ("mean/y".into(), gradient()["x"].clone()),
        ];
        assert!(second.restore(foreign.into()).is_err());
    }
}
