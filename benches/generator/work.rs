//! What is measured, and what both programs have to tell of it.

use candle_core::{Device, Tensor};
use rand::RngExt;
use retrace::Result;
use retrace::seed::Seed;
use retrace::train::named::Tensors;
use retrace::train::{Gradients, clip};

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `decoder` or `step`.
    pub work: &'static str,
    /// Sketches of a batch.
    pub sketches: usize,
    /// Rows of the longest.
    pub rows: usize,
    /// Places of a map.
    pub places: usize,
    /// Numbers of the state; as many has a place, and half as many a key.
    pub state: usize,
    /// Most rounds.
    pub rounds: u16,
}

/// Our side of a case.
pub trait Work {
    /// The work once.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn run(&mut self) -> Result<()>;

    /// The loss and the length of its gradients, before any step.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn facts(&self) -> Result<[f64; 2]>;

    /// All that PyTorch begins with.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn tensors(&self) -> Result<Tensors>;
}

/// The loss as a number, and the length of its gradients.
///
/// # Errors
/// A loss that is not a scalar.
pub fn facts(loss: &Tensor, mut slopes: Gradients) -> Result<[f64; 2]> {
    Ok([f64::from(loss.to_scalar::<f32>()?), clip(&mut slopes, f64::INFINITY)?])
}

/// Numbers from `-bound` to `bound`.
///
/// # Errors
/// A failing tensor operation.
pub fn numbers(name: &str, shape: &[usize], bound: f32) -> Result<Tensor> {
    let mut stream = Seed(0).stream(name);
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count).map(|_| bound * (2.0 * stream.random::<f32>() - 1.0)).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}
