//! Kernels with one thread for every number that they make.

use super::super::Bounds;
use super::launch::{Input, NONE, count, fill, launch, view, view_mut};
use super::plan::for_each;
use candle_core::{CudaStorage, Layout, Result};

pub fn cut_sum(x: Input, y: Option<Input>, Bounds { low, high }: Bounds) -> Result<CudaStorage> {
    let (device, x, y) = (&x.0.device, view::<f32>(x)?, y.map(view::<f32>).transpose()?);
    let (n, config) = (count(&x)?, for_each(x.len()));
    fill(device, x.len(), |out| match &y {
        Some(y) => launch!(device, "cut_sum", config, out, &x, y, &n, &low, &high),
        None => launch!(device, "cut_sum", config, out, &x, &NONE, &n, &low, &high),
    })
}

pub fn cut_shift(x: Input, shift: Input, Bounds { low, high }: Bounds) -> Result<CudaStorage> {
    let (device, x, shift) = (&x.0.device, view::<f32>(x)?, view::<f32>(shift)?);
    let (n, channels, config) = (count(&x)?, count(&shift)?, for_each(x.len()));
    fill(device, x.len(), |out| launch!(device, "cut_shift", config, out, &x, &shift, &n, &channels, &low, &high))
}

pub fn cut_gradient(y: Input, grad: Input, Bounds { low, high }: Bounds) -> Result<CudaStorage> {
    let (device, y, grad) = (&y.0.device, view::<f32>(y)?, view::<f32>(grad)?);
    let (n, config) = (count(&y)?, for_each(y.len()));
    fill(device, y.len(), |out| launch!(device, "cut_gradient", config, out, &y, &grad, &n, &low, &high))
}

/// `statistics` are mean and one over the deviation, `affine` is `(2, c)`.
pub fn normalise(
    x: Input,
    statistics: [Input; 2],
    affine: Input,
    residual: Option<Input>,
    Bounds { low, high }: Bounds,
) -> Result<CudaStorage> {
    let (device, x, affine) = (&x.0.device, view::<f32>(x)?, view::<f32>(affine)?);
    let (mean, unit) = (view::<f32>(statistics[0])?, view::<f32>(statistics[1])?);
    let residual = residual.map(view::<f32>).transpose()?;
    let (n, channels, config) = (count(&x)?, count(&mean)?, for_each(x.len()));
    fill(device, x.len(), |out| match &residual {
        Some(residual) => {
            launch!(device, "normalise", config, out, &x, &mean, &unit, &affine, residual, &n, &channels, &low, &high)
        }
        None => launch!(device, "normalise", config, out, &x, &mean, &unit, &affine, &NONE, &n, &channels, &low, &high),
    })
}

/// `inputs` is `(2, 2, c)`: weight and bias, then the sums that are their gradients.
pub fn normalise_gradient(grad: Input, x: Input, statistics: [Input; 2], inputs: Input) -> Result<CudaStorage> {
    let (device, grad, x, inputs) = (&x.0.device, view::<f32>(grad)?, view::<f32>(x)?, view::<f32>(inputs)?);
    let (mean, unit) = (view::<f32>(statistics[0])?, view::<f32>(statistics[1])?);
    let (n, channels, config) = (count(&x)?, count(&mean)?, for_each(x.len()));
    fill(device, x.len(), |out| {
        launch!(device, "normalise_gradient", config, out, &grad, &x, &mean, &unit, &inputs, &n, &channels)
    })
}

pub fn over_deviation(x: Input, variance: Input, epsilon: f32) -> Result<CudaStorage> {
    let (device, x, variance) = (&x.0.device, view::<f32>(x)?, view::<f32>(variance)?);
    let (n, config) = (count(&x)?, for_each(x.len()));
    fill(device, x.len(), |out| launch!(device, "over_deviation", config, out, &x, &variance, &n, &epsilon))
}

pub fn less_product(from: Option<Input>, x: Input, y: Input) -> Result<CudaStorage> {
    let (device, from, x, y) = (&x.0.device, from.map(view::<f32>).transpose()?, view::<f32>(x)?, view::<f32>(y)?);
    let (n, config) = (count(&x)?, for_each(x.len()));
    fill(device, x.len(), |out| match &from {
        Some(from) => launch!(device, "less_product", config, out, from, &x, &y, &n),
        None => launch!(device, "less_product", config, out, &NONE, &x, &y, &n),
    })
}

/// `x` in as many rows as `scale` has numbers.
pub fn scale_rows(x: Input, scale: Input) -> Result<CudaStorage> {
    let (device, x, scale) = (&x.0.device, view::<f32>(x)?, view::<f32>(scale)?);
    let (n, row, config) = (count(&x)?, count(&x)? / count(&scale)?.max(1), for_each(x.len()));
    fill(device, x.len(), |out| launch!(device, "scale_rows", config, out, &x, &scale, &n, &row))
}

/// Adam's mean of gradients (`power` 1) or of their squares (2), in place.
pub fn adam_mean(
    mean: (&mut CudaStorage, &Layout),
    grad: Input,
    x: Input,
    [keep, decay]: [f32; 2],
    power: i32,
) -> Result<()> {
    let (device, grad, x, mut mean) = (&x.0.device, view::<f32>(grad)?, view::<f32>(x)?, view_mut(mean)?);
    let (n, config) = (count(&x)?, for_each(x.len()));
    if n == 0 {
        return Ok(());
    }
    launch!(device, "adam_mean", config, &mut mean, &grad, &x, &n, &keep, &decay, &power)
}

/// Adam's step, in place.
pub fn adam_move(
    x: (&mut CudaStorage, &Layout),
    mean: Input,
    square: Input,
    [rate, unit, epsilon]: [f32; 3],
) -> Result<()> {
    let (device, mean, square, mut x) = (&mean.0.device, view::<f32>(mean)?, view::<f32>(square)?, view_mut(x)?);
    let (n, config) = (count(&mean)?, for_each(mean.len()));
    if n == 0 {
        return Ok(());
    }
    launch!(device, "adam_move", config, &mut x, &mean, &square, &n, &rate, &unit, &epsilon)
}
