//! One function for every kernel: numbers in, numbers out. What each computes is said in `kernels.cu`.

use super::super::{Bounds, Geometry};
use super::plan::{LANES, Sizes, for_columns, for_each, span, weight_span};
use super::{Input, is_countable, load, room, view};
use candle_core::cuda::WrapErr;
use candle_core::cuda::cudarc::driver::{CudaSlice, CudaView, CudaViewMut, PushKernelArg};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, bail};

/// Starts a kernel on these arguments, in the order of its own.
macro_rules! launch {
    ($device:expr, $name:expr, $config:expr, $($arg:expr),+ $(,)?) => {{
        let (function, stream) = (load($device, $name)?, $device.cuda_stream());
        let mut call = stream.launch_builder(&function);
        $(call.arg($arg);)+
        // SAFETY: the arguments are those of the kernel, which writes inside of its first one.
        unsafe { call.launch($config) }.w()?;
    }};
}

/// A pointer to nothing.
const NONE: u64 = 0;

fn count(x: &CudaView<f32>) -> Result<i32> {
    match is_countable(&[x.len()]) {
        true => Ok(x.len() as i32),
        false => bail!("expected at most {} numbers, found {}", i32::MAX, x.len()),
    }
}

fn wrap(out: CudaSlice<f32>, device: &CudaDevice) -> CudaStorage {
    CudaStorage::wrap_cuda_slice(out, device.clone())
}

pub fn cut_sum(x: Input, y: Option<Input>, bounds: Bounds) -> Result<CudaStorage> {
    let (device, x, y) = (&x.0.device, view::<f32>(x)?, y.map(view::<f32>).transpose()?);
    let (n, mut out) = (count(&x)?, room(device, x.len())?);
    let Bounds { low, high } = bounds;
    match &y {
        _ if n == 0 => {}
        Some(y) => launch!(device, "cut_sum", for_each(x.len()), &mut out, &x, y, &n, &low, &high),
        None => launch!(device, "cut_sum", for_each(x.len()), &mut out, &x, &NONE, &n, &low, &high),
    }
    Ok(wrap(out, device))
}

pub fn cut_shift(x: Input, shift: Input, bounds: Bounds) -> Result<CudaStorage> {
    let (device, x, shift) = (&x.0.device, view::<f32>(x)?, view::<f32>(shift)?);
    let (n, channels, mut out) = (count(&x)?, count(&shift)?, room(device, x.len())?);
    let Bounds { low, high } = bounds;
    if n > 0 {
        launch!(device, "cut_shift", for_each(x.len()), &mut out, &x, &shift, &n, &channels, &low, &high);
    }
    Ok(wrap(out, device))
}

pub fn cut_gradient(y: Input, grad: Input, bounds: Bounds) -> Result<CudaStorage> {
    let (device, y, grad) = (&y.0.device, view::<f32>(y)?, view::<f32>(grad)?);
    let (n, mut out) = (count(&y)?, room(device, y.len())?);
    let Bounds { low, high } = bounds;
    if n > 0 {
        launch!(device, "cut_gradient", for_each(y.len()), &mut out, &y, &grad, &n, &low, &high);
    }
    Ok(wrap(out, device))
}

/// Sizes of numbers as rows of columns.
fn table(layout: &Layout) -> [usize; 2] {
    let columns = layout.dims().last().copied().unwrap_or(1);
    [layout.shape().elem_count() / columns.max(1), columns]
}

/// Folds rows in two steps: blocks of rows by a kernel of its own (`first`: where to, rows a block), then their sums.
fn fold(
    device: &CudaDevice,
    [rows, columns]: [usize; 2],
    first: impl FnOnce(&mut CudaSlice<f32>, usize) -> Result<()>,
) -> Result<CudaStorage> {
    if rows == 0 || columns == 0 {
        return Ok(wrap(device.alloc_zeros::<f32>(columns)?, device));
    }
    let span = span(rows);
    let mut parts = room(device, rows.div_ceil(span) * columns)?;
    first(&mut parts, span)?;
    match rows <= span {
        true => Ok(wrap(parts, device)),
        false => total(device, &parts, [rows.div_ceil(span), columns]),
    }
}

/// The sum of all rows by one block for every 32 columns.
fn total(device: &CudaDevice, parts: &CudaSlice<f32>, [rows, columns]: [usize; 2]) -> Result<CudaStorage> {
    let mut out = room(device, columns)?;
    let (config, height, width) = (for_columns(rows, columns, rows), rows as i32, columns as i32);
    launch!(device, "column_sums", config, &mut out, &height, &width, &height, parts);
    Ok(wrap(out, device))
}

pub fn column_sums(x: Input) -> Result<CudaStorage> {
    let (device, [rows, columns], x) = (&x.0.device, table(x.1), view::<f32>(x)?);
    count(&x)?;
    fold(device, [rows, columns], |out, span| {
        let (config, sizes) = (for_columns(rows, columns, span), [rows, columns, span].map(|size| size as i32));
        launch!(device, "column_sums", config, out, &sizes[0], &sizes[1], &sizes[2], &x);
        Ok(())
    })
}

pub fn column_squares(x: Input, mean: Input) -> Result<CudaStorage> {
    let (device, [rows, columns], x, mean) = (&x.0.device, table(x.1), view::<f32>(x)?, view::<f32>(mean)?);
    count(&x)?;
    fold(device, [rows, columns], |out, span| {
        let (config, sizes) = (for_columns(rows, columns, span), [rows, columns, span].map(|size| size as i32));
        launch!(device, "column_squares", config, out, &sizes[0], &sizes[1], &sizes[2], &x, &mean);
        Ok(())
    })
}

pub fn column_products(grad: Input, x: Input, [mean, unit]: [Input; 2]) -> Result<CudaStorage> {
    let (device, [rows, columns]) = (&x.0.device, table(x.1));
    let (grad, x, mean, unit) = (view::<f32>(grad)?, view::<f32>(x)?, view::<f32>(mean)?, view::<f32>(unit)?);
    count(&x)?;
    fold(device, [rows, columns], |out, span| {
        let (config, sizes) = (for_columns(rows, columns, span), [rows, columns, span].map(|size| size as i32));
        launch!(device, "column_products", config, out, &sizes[0], &sizes[1], &sizes[2], &grad, &x, &mean, &unit);
        Ok(())
    })
}

/// `statistics` are mean and one over the deviation, `affine` is `(2, c)`.
pub fn normalise(
    x: Input,
    statistics: [Input; 2],
    affine: Input,
    residual: Option<Input>,
    bounds: Bounds,
) -> Result<CudaStorage> {
    let (device, x, affine) = (&x.0.device, view::<f32>(x)?, view::<f32>(affine)?);
    let (mean, unit) = (view::<f32>(statistics[0])?, view::<f32>(statistics[1])?);
    let residual = residual.map(view::<f32>).transpose()?;
    let (n, channels, mut out) = (count(&x)?, count(&mean)?, room(device, x.len())?);
    let (config, Bounds { low, high }) = (for_each(x.len()), bounds);
    let name = "normalise";
    match &residual {
        _ if n == 0 => {}
        Some(residual) => {
            launch!(device, name, config, &mut out, &x, &mean, &unit, &affine, residual, &n, &channels, &low, &high)
        }
        None => launch!(device, name, config, &mut out, &x, &mean, &unit, &affine, &NONE, &n, &channels, &low, &high),
    }
    Ok(wrap(out, device))
}

/// `inputs` is `(2, 2, c)`: weight and bias, then the sums that are their gradients.
pub fn normalise_gradient(grad: Input, x: Input, statistics: [Input; 2], inputs: Input) -> Result<CudaStorage> {
    let (device, grad, x, inputs) = (&x.0.device, view::<f32>(grad)?, view::<f32>(x)?, view::<f32>(inputs)?);
    let (mean, unit) = (view::<f32>(statistics[0])?, view::<f32>(statistics[1])?);
    let (n, channels, mut out) = (count(&x)?, count(&mean)?, room(device, x.len())?);
    if n > 0 {
        let (name, config) = ("normalise_gradient", for_each(x.len()));
        launch!(device, name, config, &mut out, &grad, &x, &mean, &unit, &inputs, &n, &channels);
    }
    Ok(wrap(out, device))
}

pub fn over_deviation(x: Input, variance: Input, epsilon: f32) -> Result<CudaStorage> {
    let (device, x, variance) = (&x.0.device, view::<f32>(x)?, view::<f32>(variance)?);
    let (n, mut out) = (count(&x)?, room(device, x.len())?);
    if n > 0 {
        launch!(device, "over_deviation", for_each(x.len()), &mut out, &x, &variance, &n, &epsilon);
    }
    Ok(wrap(out, device))
}

pub fn less_product(from: Option<Input>, x: Input, y: Input) -> Result<CudaStorage> {
    let (device, from, x, y) = (&x.0.device, from.map(view::<f32>).transpose()?, view::<f32>(x)?, view::<f32>(y)?);
    let (n, mut out, config) = (count(&x)?, room(device, x.len())?, for_each(x.len()));
    match &from {
        _ if n == 0 => {}
        Some(from) => launch!(device, "less_product", config, &mut out, from, &x, &y, &n),
        None => launch!(device, "less_product", config, &mut out, &NONE, &x, &y, &n),
    }
    Ok(wrap(out, device))
}

/// `x` in as many rows as `scale` has numbers.
pub fn scale_rows(x: Input, scale: Input) -> Result<CudaStorage> {
    let (device, x, scale) = (&x.0.device, view::<f32>(x)?, view::<f32>(scale)?);
    let (n, mut out) = (count(&x)?, room(device, x.len())?);
    if n > 0 {
        let row = n / count(&scale)?;
        launch!(device, "scale_rows", for_each(x.len()), &mut out, &x, &scale, &n, &row);
    }
    Ok(wrap(out, device))
}

pub fn row_products(x: Input, y: Input, rows: usize) -> Result<CudaStorage> {
    let (device, x, y) = (&x.0.device, view::<f32>(x)?, view::<f32>(y)?);
    let (n, mut out) = (count(&x)?, room(device, rows)?);
    if n > 0 {
        let (count, row) = (rows as i32, n / rows as i32);
        launch!(device, "row_products", for_each(rows * LANES), &mut out, &x, &y, &count, &row);
    }
    Ok(wrap(out, device))
}

pub fn depthwise(g: &Geometry, x: Input, weight: Input, bias: Input, bounds: Bounds) -> Result<CudaStorage> {
    let (device, x, weight, bias) = (&x.0.device, view::<f32>(x)?, view::<f32>(weight)?, view::<f32>(bias)?);
    let count = g.output_shape().elem_count();
    let (mut out, sizes, Bounds { low, high }) = (room(device, count)?, Sizes::new(g), bounds);
    if count > 0 {
        launch!(device, "depthwise", for_each(count), &mut out, &x, &weight, &bias, &sizes, &low, &high);
    }
    Ok(wrap(out, device))
}

pub fn depthwise_to_input(g: &Geometry, weight: Input, grad: Input) -> Result<CudaStorage> {
    let (device, weight, grad) = (&grad.0.device, view::<f32>(weight)?, view::<f32>(grad)?);
    let count = g.input_shape().elem_count();
    let (mut out, sizes) = (room(device, count)?, Sizes::new(g));
    if count > 0 {
        launch!(device, "depthwise_to_input", for_each(count), &mut out, &weight, &grad, &sizes);
    }
    Ok(wrap(out, device))
}

pub fn depthwise_to_weight(g: &Geometry, x: Input, grad: Input) -> Result<CudaStorage> {
    let (device, x, grad) = (&x.0.device, view::<f32>(x)?, view::<f32>(grad)?);
    let (count, span) = (g.weight_shape().elem_count(), weight_span(g));
    let parts = g.rows().div_ceil(span);
    if parts == 0 {
        return Ok(wrap(device.alloc_zeros::<f32>(count)?, device));
    }
    let (mut out, sizes, span) = (room(device, parts * count)?, Sizes::new(g), span as i32);
    launch!(device, "depthwise_to_weight", for_each(parts * count), &mut out, &x, &grad, &sizes, &span);
    total(device, &out, [parts, count])
}

fn own<'a>(storage: &'a mut CudaStorage, layout: &Layout) -> Result<CudaViewMut<'a, f32>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice_mut::<f32>()?.slice_mut(start..end)),
        None => bail!("expected a contiguous tensor, found strides {:?}", layout.stride()),
    }
}

/// Adam's mean of gradients (`power` 1) or of their squares (2), in place.
pub fn adam_mean(
    mean: (&mut CudaStorage, &Layout),
    grad: Input,
    x: Input,
    [keep, decay]: [f32; 2],
    power: i32,
) -> Result<()> {
    let (device, grad, x) = (x.0.device.clone(), view::<f32>(grad)?, view::<f32>(x)?);
    let (n, mut mean) = (count(&x)?, own(mean.0, mean.1)?);
    if n > 0 {
        launch!(&device, "adam_mean", for_each(x.len()), &mut mean, &grad, &x, &n, &keep, &decay, &power);
    }
    Ok(())
}

/// Adam's step, in place.
pub fn adam_move(
    x: (&mut CudaStorage, &Layout),
    mean: Input,
    square: Input,
    [rate, unit, epsilon]: [f32; 3],
) -> Result<()> {
    let (device, mean, square) = (mean.0.device.clone(), view::<f32>(mean)?, view::<f32>(square)?);
    let (n, mut x) = (count(&mean)?, own(x.0, x.1)?);
    if n > 0 {
        launch!(&device, "adam_move", for_each(mean.len()), &mut x, &mean, &square, &n, &rate, &unit, &epsilon);
    }
    Ok(())
}
