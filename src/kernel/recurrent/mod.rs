//! A recurrent layer over time (LSTM) that may look at a map at every step: forward and backward in one operation.
//!
//! Own code, as a tensor library runs some forty operations a step, each with a tensor of its own; `cargo bench --bench
//! generator` has the ratio. On the CPU in f32 it is fused; elsewhere it is put together from candle's operations.

mod back;
mod cell;
mod composed;
mod op;
mod stepper;
#[cfg(test)]
mod tests;

pub use stepper::{Memory, Stepper};

use super::is_native;
use candle_core::{Result, Tensor, bail};
use cell::Sizes;
use op::LstmOp;

/// The weights of a recurrent layer, its four parts in the order in, forget, candidate, out.
///
/// # Shapes
/// `input (4 h, k)`, or `(4 h, k + c)` where it looks at a map of c channels; `hidden (4 h, h)`; `bias (4 h)`.
#[derive(Debug, Clone)]
pub struct LstmWeights {
    /// Of what comes in.
    pub input: Tensor,
    /// Of the state before.
    pub hidden: Tensor,
    /// Added.
    pub bias: Tensor,
}

/// Maps that a recurrent layer looks at, and how it chooses where.
///
/// # Shapes
/// `values (b, n, c)` and `keys (b, n, a)` of n places; `query (a, h)`, `score (a)`.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What is seen at each place.
    pub values: Tensor,
    /// What each place says of itself.
    pub keys: Tensor,
    /// What the state asks for.
    pub query: Tensor,
    /// How much the sum of both counts, number by number.
    pub score: Tensor,
}

/// What a recurrent layer gives, step by step.
#[derive(Debug, Clone)]
pub struct Unrolled {
    /// `(b, t, h)`.
    pub hidden: Tensor,
    /// Where it looked: `(b, t, n)` with the sum 1 over places; none without a map.
    pub attention: Option<Tensor>,
}

/// Runs a recurrent layer over all steps of some sequences.
///
/// ```text
/// alpha = softmax over places of score . tanh(keys + query h)       where there is a map
/// g     = sum over places of alpha values
/// i, f, o = sigmoid, u = tanh of  input [x; g] + hidden h + bias
/// c <- f c + i u,   h <- o tanh(c)
/// ```
///
/// # Shapes
/// `inputs (b, t, k)`; `start (b, 2 h)`, the first h and c side by side; out `(b, t, h)` and `(b, t, n)`.
///
/// # Errors
/// Shapes that do not fit.
///
/// # References
/// Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; Bhunia et al., More Photos are All You Need, CVPR 2021, Eq. 2.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use retrace::kernel::recurrent::{LstmWeights, lstm};
/// let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
/// let weights = LstmWeights { input: zeros(&[4, 1])?, hidden: zeros(&[4, 1])?, bias: zeros(&[4])? };
/// let start = Tensor::new(&[[0.0_f32, 1.0]], &Device::Cpu)?; // c is 1; with weights of 0 a half of it stays at every step
/// let out = lstm(&zeros(&[1, 2, 1])?, &start, &weights, None)?.hidden.flatten_all()?.to_vec1::<f32>()?;
/// assert!((out[0] - 0.5 * 0.5_f32.tanh()).abs() < 1e-6 && (out[1] - 0.5 * 0.25_f32.tanh()).abs() < 1e-6);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn lstm(inputs: &Tensor, start: &Tensor, weights: &LstmWeights, looked: Option<&Looked>) -> Result<Unrolled> {
    let sizes = Sizes::of(weights, looked)?;
    let (b, t, _) = inputs.dims3()?;
    sizes.check(inputs, start, looked)?;
    if !is_native(inputs) || t == 0 {
        return composed::lstm(inputs, start, weights, looked);
    }
    let sequences = Tensor::cat(&[inputs.reshape((b, t * sizes.k))?, start.contiguous()?], 1)?;
    let maps = match looked {
        Some(looked) => Tensor::cat(&[&looked.values, &looked.keys], 2)?.contiguous()?,
        None => Tensor::zeros((b, 0, 1), inputs.dtype(), inputs.device())?,
    };
    let out = sequences.contiguous()?.apply_op3(&maps, &flat(weights, looked)?, LstmOp::new(sizes, t))?;
    let hidden = out.narrow(2, 0, sizes.h)?;
    let attention = looked.map(|_| out.narrow(2, sizes.h, sizes.n)).transpose()?;
    Ok(Unrolled { hidden, attention })
}

/// All weights one after the other: `[input | hidden]` row by row, bias, query, score.
fn flat(weights: &LstmWeights, looked: Option<&Looked>) -> Result<Tensor> {
    let both = Tensor::cat(&[&weights.input, &weights.hidden], 1)?.flatten_all()?;
    let mut parts = vec![both, weights.bias.flatten_all()?];
    if let Some(looked) = looked {
        parts.extend([looked.query.flatten_all()?, looked.score.flatten_all()?]);
    }
    Tensor::cat(&parts, 0)?.contiguous()
}

impl Sizes {
    /// The sizes of weights that fit each other.
    fn of(weights: &LstmWeights, looked: Option<&Looked>) -> Result<Self> {
        let (rows, h) = weights.hidden.dims2()?;
        let (other, inputs) = weights.input.dims2()?;
        let [n, c, a] = match looked {
            Some(looked) => {
                let (_, n, c) = looked.values.dims3()?;
                [n, c, looked.query.dim(0)?]
            }
            None => [0; 3],
        };
        let fits = rows == 4 * h && other == rows && weights.bias.dims() == [rows] && inputs >= c && h > 0;
        let asks = looked.is_none_or(|looked| looked.query.dims() == [a, h] && looked.score.dims() == [a] && n * a > 0);
        if !(fits && asks) {
            bail!(
                "recurrent weights: expected input (4 h, k), hidden (4 h, h), bias (4 h), query (a, h), score (a), found \
                 {:?}, {:?}, {:?} for a map of {n} places and {c} channels",
                weights.input.dims(),
                weights.hidden.dims(),
                weights.bias.dims()
            );
        }
        Ok(Self { k: inputs - c, c, n, a, h })
    }

    fn check(&self, inputs: &Tensor, start: &Tensor, looked: Option<&Looked>) -> Result<()> {
        let (b, t, k) = inputs.dims3()?;
        if k != self.k || start.dims() != [b, 2 * self.h] {
            let (wanted, h) = (self.k, self.h);
            bail!(
                "recurrent layer: expected inputs (b, t, {wanted}) and a start (b, {}), found {:?} and {:?}",
                2 * h,
                inputs.dims(),
                start.dims()
            );
        }
        if let Some(looked) = looked
            .filter(|looked| looked.values.dims() != [b, self.n, self.c] || looked.keys.dims() != [b, self.n, self.a])
        {
            bail!(
                "recurrent layer: expected maps of {b} sequences of {t} steps, found values {:?} and keys {:?}",
                looked.values.dims(),
                looked.keys.dims()
            );
        }
        Ok(())
    }
}
