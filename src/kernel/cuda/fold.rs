//! Kernels that add up.

use super::launch::{Input, count, fill, launch, room, view, wrap};
use super::plan::{LANES, for_columns, for_each, span};
use candle_core::cuda::cudarc::driver::{CudaSlice, LaunchConfig};
use candle_core::{CudaDevice, CudaStorage, Layout, Result};

/// Sizes of numbers as rows of columns.
fn table(layout: &Layout) -> [usize; 2] {
    let columns = layout.dims().last().copied().unwrap_or(1);
    [layout.shape().elem_count() / columns.max(1), columns]
}

/// Folds rows in two steps: blocks of rows by a kernel of its own (`first`: where to; its threads; rows, columns, rows a
/// block), then their sums.
fn fold(
    device: &CudaDevice,
    [rows, columns]: [usize; 2],
    first: impl FnOnce(&mut CudaSlice<f32>, LaunchConfig, [i32; 3]) -> Result<()>,
) -> Result<CudaStorage> {
    if rows == 0 || columns == 0 {
        return Ok(wrap(device.alloc_zeros::<f32>(columns)?, device));
    }
    let span = span(rows);
    let mut parts = room(device, rows.div_ceil(span) * columns)?;
    let sizes = [rows, columns, span];
    first(&mut parts, for_columns(sizes), sizes.map(|size| size as i32))?;
    if rows <= span { Ok(wrap(parts, device)) } else { total(device, &parts, [rows.div_ceil(span), columns]) }
}

/// The sum of all rows by one block for every 32 columns.
pub(super) fn total(device: &CudaDevice, parts: &CudaSlice<f32>, [rows, columns]: [usize; 2]) -> Result<CudaStorage> {
    let (config, height, width) = (for_columns([rows, columns, rows]), rows as i32, columns as i32);
    fill(device, columns, |out| launch!(device, "column_sums", config, out, &height, &width, &height, parts))
}

pub fn column_sums(x: Input) -> Result<CudaStorage> {
    let (device, sizes, x) = (&x.0.device, table(x.1), view::<f32>(x)?);
    count(&x)?;
    fold(device, sizes, |out, config, [rows, columns, span]| {
        launch!(device, "column_sums", config, out, &rows, &columns, &span, &x)
    })
}

pub fn column_squares(x: Input, mean: Input) -> Result<CudaStorage> {
    let (device, sizes, x, mean) = (&x.0.device, table(x.1), view::<f32>(x)?, view::<f32>(mean)?);
    count(&x)?;
    fold(device, sizes, |out, config, [rows, columns, span]| {
        launch!(device, "column_squares", config, out, &rows, &columns, &span, &x, &mean)
    })
}

pub fn column_products(grad: Input, x: Input, [mean, unit]: [Input; 2]) -> Result<CudaStorage> {
    let (device, sizes, grad, x) = (&x.0.device, table(x.1), view::<f32>(grad)?, view::<f32>(x)?);
    let (mean, unit) = (view::<f32>(mean)?, view::<f32>(unit)?);
    count(&x)?;
    fold(device, sizes, |out, config, [rows, columns, span]| {
        launch!(device, "column_products", config, out, &rows, &columns, &span, &grad, &x, &mean, &unit)
    })
}

pub fn row_products(x: Input, y: Input, rows: usize) -> Result<CudaStorage> {
    let (device, x, y) = (&x.0.device, view::<f32>(x)?, view::<f32>(y)?);
    let (config, count, row) = (for_each(rows * LANES), rows as i32, count(&x)? / rows.max(1) as i32);
    fill(device, rows, |out| launch!(device, "row_products", config, out, &x, &y, &count, &row))
}
