//! A network on weights that are given: by an inner step of meta-learning, or by a network that makes them.

use super::scope::{Registry, Weight};
use super::{Init, Parameters, Scope};
use crate::{Error, Result};
use candle_core::{Tensor, Var};
use std::collections::{BTreeMap, BTreeSet};

/// A source of tensors in which given ones replace those of [`Parameters`]; made by [`Parameters::overlay`].
///
/// A name that is given stands for that very tensor, a part of the caller's graph: gradients reach what made it, in
/// training and in evaluation. Any other name shares the variable of the parameters, running statistics included. No
/// initial value is drawn, and nothing is copied but a given tensor that is not contiguous.
///
/// A given running statistic is used like any other value and stays as it is: no batch moves it.
///
/// # References
/// Finn et al., Model-Agnostic Meta-Learning, ICML 2017, Eq. 1 (a network on weights that an inner step made);
/// Ha et al., HyperNetworks, ICLR 2017 (on weights that another network made).
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use retrace::model::{Init, Linear, Mode, Parameters};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
/// Linear::new(2, 1, Init::Ones, &mut parameters.root().push("head"))?;
/// // Another weight, made of a number a: (a, 10 a). The bias stays the parameters' own, which is 0.
/// let a = Var::new(&[[2.0_f32]], &Device::Cpu)?;
/// let given = [("head.weight".to_string(), a.matmul(&Tensor::new(&[[1.0_f32, 10.0]], &Device::Cpu)?)?)].into();
/// let mut overlay = parameters.overlay(&given);
/// let head = Linear::new(2, 1, Init::Ones, &mut overlay.root().push("head"))?;
/// overlay.finish()?;
/// let y = head.forward(&Tensor::new(&[[3.0_f32, 4.0]], &Device::Cpu)?, Mode::Eval)?;
/// assert_eq!(y.to_vec2::<f32>()?, [[86.0]]);
/// assert_eq!(y.sum_all()?.backward()?.get(&a).unwrap().to_vec2::<f32>()?, [[43.0]]);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct Overlay<'a> {
    parameters: &'a Parameters,
    given: &'a BTreeMap<String, Tensor>,
    asked: BTreeSet<String>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(parameters: &'a Parameters, given: &'a BTreeMap<String, Tensor>) -> Self {
        Self { parameters, given, asked: BTreeSet::new() }
    }

    /// Where layers ask for their tensors, with an empty name prefix.
    pub fn root(&mut self) -> Scope<'_> {
        Scope::root(self)
    }

    /// Checks that the layers built so far have asked for every given tensor.
    ///
    /// # Errors
    /// Given names that no layer has, all named.
    pub fn finish(self) -> Result<()> {
        let unknown: Vec<&str> =
            self.given.keys().filter(|name| !self.asked.contains(*name)).map(String::as_str).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let expected = format!("names among the network's {}", self.asked.len());
        Err(Error::value("given weights", expected, unknown.join(", ")))
    }

    /// The tensor that stands for a name.
    fn find(&self, name: &str, shape: &[usize], trainable: bool) -> Result<Weight> {
        let own = self.parameters.var(name);
        match (self.given.get(name), own) {
            (Some(tensor), _) if tensor.dims() == shape => Ok(Weight::given(tensor.contiguous()?)),
            (None, Some(var)) if var.dims() == shape => Ok(Weight::own(var.clone(), trainable)),
            (None, None) => Err(self.missing(name, shape)),
            (given, own) => Err(self.misshapen(name, shape, given.or(own.map(Var::as_tensor)))),
        }
    }

    fn missing(&self, name: &str, shape: &[usize]) -> Error {
        let given: Vec<&str> = self.given.keys().map(String::as_str).collect();
        let found = format!("neither there nor among the {} given ({})", given.len(), given.join(", "));
        Error::value(name, format!("a tensor of {shape:?} in the parameters"), found)
    }

    /// Names every given tensor that does not have the shape of the parameters' own, and the one that was asked for.
    fn misshapen(&self, name: &str, shape: &[usize], found: Option<&Tensor>) -> Error {
        let mut wrong = self.parameters.compare(self.given).misshapen;
        let asked = format!("{name}: expected {shape:?}, found {:?}", found.map(Tensor::dims).unwrap_or_default());
        if !wrong.contains(&asked) {
            wrong.push(asked);
        }
        Error::value("given weights", "the network's shapes", wrong.join("; "))
    }
}

impl Registry for Overlay<'_> {
    fn register(&mut self, name: String, shape: &[usize], _: Init, trainable: bool) -> Result<Weight> {
        let weight = self.find(&name, shape, trainable)?;
        if self.asked.insert(name.clone()) {
            Ok(weight)
        } else {
            Err(Error::value("parameter name", "one that is free", name))
        }
    }
}
