//! Where layers register their tensors, and what they hold of them.

use super::{Init, Mode};
use crate::Result;
use candle_core::{Tensor, Var};
use std::fmt;

/// The source of a [`Scope`]: it gives the tensor of every name that a layer asks for.
pub(super) trait Registry: fmt::Debug {
    /// The tensor of a whole name.
    ///
    /// # Errors
    /// A name that is taken, or a tensor that does not fit.
    fn register(&mut self, name: String, shape: &[usize], init: Init, trainable: bool) -> Result<Weight>;
}

/// A place in the tree of names.
#[derive(Debug)]
pub struct Scope<'a> {
    registry: &'a mut dyn Registry,
    prefix: String,
}

impl<'a> Scope<'a> {
    /// The place without a name prefix.
    pub(super) fn root(registry: &'a mut dyn Registry) -> Self {
        Self { registry, prefix: String::new() }
    }

    /// The scope `<this>.<name>`.
    pub fn push(&mut self, name: impl fmt::Display) -> Scope<'_> {
        let prefix = format!("{}{name}.", self.prefix);
        Scope { registry: self.registry, prefix }
    }

    /// Registers a trained tensor.
    ///
    /// # Errors
    /// A name that is taken; on an [`Overlay`](super::Overlay), a tensor that is missing or of another shape.
    pub fn weight(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Weight> {
        self.registry.register(format!("{}{name}", self.prefix), shape, init, true)
    }

    /// Registers a tensor that no optimiser moves: a running statistic or a frozen weight.
    ///
    /// # Errors
    /// As [`Scope::weight`].
    pub fn buffer(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Weight> {
        self.registry.register(format!("{}{name}", self.prefix), shape, init, false)
    }
}

/// A layer's own hold on one tensor: a variable of [`Parameters`](super::Parameters), or a tensor that was given to an
/// [`Overlay`](super::Overlay).
#[derive(Debug, Clone)]
pub struct Weight(Hold);

#[derive(Debug, Clone)]
enum Hold {
    Own { var: Var, trainable: bool },
    Given(Tensor),
}

impl Weight {
    pub(super) fn own(var: Var, trainable: bool) -> Self {
        Self(Hold::Own { var, trainable })
    }

    pub(super) fn given(tensor: Tensor) -> Self {
        Self(Hold::Given(tensor))
    }

    /// The current value.
    ///
    /// Gradients reach a variable in training mode only, and only if it is trained; they reach a given tensor always.
    pub fn value(&self, mode: Mode) -> Tensor {
        match &self.0 {
            Hold::Own { var, trainable: true } if mode == Mode::Train => var.as_tensor().clone(),
            Hold::Own { var, .. } => var.as_detached_tensor(),
            Hold::Given(tensor) => tensor.clone(),
        }
    }

    /// Replaces the value of a variable by a function of it; a given tensor stays as it is.
    ///
    /// # Errors
    /// A failing function, or a value of another shape.
    pub fn update(&self, value: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>) -> Result<()> {
        match self.var() {
            Some(var) => Ok(var.set(&value(&var.as_detached_tensor())?)?),
            None => Ok(()),
        }
    }

    /// The variable itself; a given tensor has none.
    pub fn var(&self) -> Option<&Var> {
        match &self.0 {
            Hold::Own { var, .. } => Some(var),
            Hold::Given(_) => None,
        }
    }
}
