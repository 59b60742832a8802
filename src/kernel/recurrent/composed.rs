//! The same put together from candle's operations: for devices and number types without a fast path, and as a twin.

use super::{Looked, LstmWeights, Unrolled};
use candle_core::{D, Result, Tensor};
use candle_nn::ops::{sigmoid, softmax};

pub(super) fn lstm(
    inputs: &Tensor,
    start: &Tensor,
    weights: &LstmWeights,
    looked: Option<&Looked>,
) -> Result<Unrolled> {
    let ((b, t, _), h) = (inputs.dims3()?, weights.hidden.dim(1)?);
    let (mut hidden, mut cell) = (start.narrow(1, 0, h)?, start.narrow(1, h, h)?);
    let (mut states, mut shares) = (Vec::with_capacity(t), Vec::new());
    for step in 0..t {
        let mut seen = inputs.narrow(1, step, 1)?.squeeze(1)?;
        if let Some(looked) = looked {
            let (glimpse, share) = glimpse(looked, &hidden)?;
            seen = Tensor::cat(&[seen, glimpse], 1)?;
            shares.push(share);
        }
        let gates = (seen.matmul(&weights.input.t()?)? + hidden.contiguous()?.matmul(&weights.hidden.t()?)?)?
            .broadcast_add(&weights.bias)?;
        let part = |place: usize| gates.narrow(1, place * h, h);
        let kept = (sigmoid(&part(1)?)? * &cell)?;
        cell = (kept + (sigmoid(&part(0)?)? * part(2)?.tanh()?)?)?;
        hidden = (sigmoid(&part(3)?)? * cell.tanh()?)?;
        states.push(hidden.clone());
    }
    let stack = |steps: &[Tensor], width: usize| {
        if steps.is_empty() {
            Tensor::zeros((b, 0, width), inputs.dtype(), inputs.device())
        } else {
            Tensor::stack(steps, 1)
        }
    };
    let attention = looked.map(|looked| stack(&shares, looked.keys.dim(1)?)).transpose()?;
    Ok(Unrolled { hidden: stack(&states, h)?, attention })
}

/// What is seen, and where.
fn glimpse(looked: &Looked, hidden: &Tensor) -> Result<(Tensor, Tensor)> {
    let (b, n, a) = looked.keys.dims3()?;
    let query = hidden.contiguous()?.matmul(&looked.query.t()?)?.unsqueeze(1)?;
    let agreed = looked.keys.broadcast_add(&query)?.tanh()?.reshape((b * n, a))?;
    let scores = agreed.matmul(&looked.score.reshape((a, 1))?)?.reshape((b, n))?;
    let share = softmax(&scores, D::Minus1)?;
    Ok((share.unsqueeze(1)?.matmul(&looked.values.contiguous()?)?.squeeze(1)?, share))
}
