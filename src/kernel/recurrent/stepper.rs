//! One step at a time, without gradients: where a step's input depends on the step before.

use super::super::matrix::{Matrix, multiply};
use super::cell::{Cell, Sizes, Step};
use super::{Looked, LstmWeights, flat};
use candle_core::{Result, Tensor, bail};

/// A recurrent layer that is stepped by hand, with the state of some sequences.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use retrace::kernel::recurrent::{LstmWeights, Stepper};
/// let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
/// let weights = LstmWeights { input: zeros(&[4, 1])?, hidden: zeros(&[4, 1])?, bias: zeros(&[4])? };
/// let mut stepper = Stepper::new(&weights, None, &Tensor::new(&[[0.0_f32, 1.0]], &Device::Cpu)?)?;
/// let first = stepper.step(&[7.0]).hidden[0];
/// assert!((first - 0.5 * 0.5_f32.tanh()).abs() < 1e-6);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub struct Stepper {
    cell: Cell,
    maps: Vec<f32>,
    state: Memory,
    seen: Vec<f32>,
    gates: Vec<f32>,
    /// A layer on h: its weight `(h, outputs)` and its bias.
    output: Option<(Vec<f32>, Vec<f32>)>,
}

/// The state of some sequences after a step.
///
/// # Shapes
/// `hidden (b, h)`, `cell (b, h)`, `attention (b, n)`, `output (b, outputs)`, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// h.
    pub hidden: Vec<f32>,
    /// c.
    pub cell: Vec<f32>,
    /// Where it looked; empty without a map.
    pub attention: Vec<f32>,
    /// What the layer on h makes of it; empty without one.
    pub output: Vec<f32>,
}

impl Stepper {
    /// The layer at the start of some sequences.
    ///
    /// # Shapes
    /// As [`super::lstm`]; `start (b, 2 h)`.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn new(weights: &LstmWeights, looked: Option<&Looked>, start: &Tensor) -> Result<Self> {
        let sizes = Sizes::of(weights, looked)?;
        let b = start.dim(0)?;
        sizes.check(&Tensor::zeros((b, 0, sizes.k), start.dtype(), start.device())?, start, looked)?;
        let numbers = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let maps = match looked {
            Some(looked) => numbers(&Tensor::cat(&[&looked.values, &looked.keys], 2)?)?,
            None => Vec::new(),
        };
        let part = |from: usize| numbers(&start.narrow(1, from, sizes.h)?);
        let state =
            Memory { hidden: part(0)?, cell: part(sizes.h)?, attention: vec![0.0; b * sizes.n], output: Vec::new() };
        let (seen, gates) = (vec![0.0; b * sizes.seen()], vec![0.0; b * 4 * sizes.h]);
        let cell = Cell::new(sizes, &numbers(&flat(weights, looked)?)?);
        Ok(Self { cell, maps, state, seen, gates, output: None })
    }

    /// With a linear layer on h.
    ///
    /// # Shapes
    /// `weight (outputs, h)`, `bias (outputs)`.
    ///
    /// # Errors
    /// Another shape.
    pub fn with_output(mut self, weight: &Tensor, bias: &Tensor) -> Result<Self> {
        let (outputs, h) = weight.dims2()?;
        if h != self.cell.sizes.h || bias.dims() != [outputs] {
            bail!("layer on a state of {}: found {:?} and {:?}", self.cell.sizes.h, weight.dims(), bias.dims());
        }
        let turned = weight.t()?.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
        self.output = Some((turned, bias.to_vec1::<f32>()?));
        Ok(self)
    }

    /// A step of all sequences.
    ///
    /// # Shapes
    /// `inputs (b, k)`, row by row; what is missing counts as it was at the step before.
    pub fn step(&mut self, inputs: &[f32]) -> &Memory {
        let Sizes { k, c, h, .. } = self.cell.sizes;
        let width = self.cell.sizes.seen();
        let Memory { hidden, cell, attention, output } = &mut self.state;
        for (seen, hidden) in self.seen.chunks_exact_mut(width).zip(hidden.chunks_exact(h)) {
            seen[k + c..].copy_from_slice(hidden);
        }
        for (seen, input) in self.seen.chunks_exact_mut(width).zip(inputs.chunks_exact(k.max(1))) {
            seen[..k].copy_from_slice(input);
        }
        let (seen, gates) = (&mut self.seen[..], &mut self.gates[..]);
        self.cell.step(&self.maps, Step { seen, attention, gates, cell, hidden });
        if let Some((weight, bias)) = &self.output {
            let rows = hidden.len() / h;
            output.clear();
            (0..rows).for_each(|_| output.extend(bias));
            multiply(output, bias.len(), Matrix::new(hidden, rows, h), Matrix::new(weight, h, bias.len()), true);
        }
        &self.state
    }
}
