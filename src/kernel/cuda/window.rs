//! Convolutions in which every channel has its own window.

use super::super::{Bounds, Geometry};
use super::fold::total;
use super::launch::{Input, fill, launch, room, view, wrap};
use super::plan::{Sizes, for_each, weight_span};
use candle_core::{CudaStorage, Result};

pub fn depthwise(
    g: &Geometry,
    x: Input,
    weight: Input,
    bias: Input,
    Bounds { low, high }: Bounds,
) -> Result<CudaStorage> {
    let (device, x, weight, bias) = (&x.0.device, view::<f32>(x)?, view::<f32>(weight)?, view::<f32>(bias)?);
    let (count, sizes) = (g.output_shape().elem_count(), Sizes::new(g));
    fill(device, count, |out| {
        launch!(device, "depthwise", for_each(count), out, &x, &weight, &bias, &sizes, &low, &high)
    })
}

pub fn depthwise_to_input(g: &Geometry, weight: Input, grad: Input) -> Result<CudaStorage> {
    let (device, weight, grad) = (&grad.0.device, view::<f32>(weight)?, view::<f32>(grad)?);
    let (count, sizes) = (g.input_shape().elem_count(), Sizes::new(g));
    fill(device, count, |out| launch!(device, "depthwise_to_input", for_each(count), out, &weight, &grad, &sizes))
}

pub fn depthwise_to_weight(g: &Geometry, x: Input, grad: Input) -> Result<CudaStorage> {
    let (device, x, grad) = (&x.0.device, view::<f32>(x)?, view::<f32>(grad)?);
    let (count, span) = (g.weight_shape().elem_count(), weight_span(g));
    let parts = g.rows().div_ceil(span);
    if parts == 0 {
        return Ok(wrap(device.alloc_zeros::<f32>(count)?, device));
    }
    let (mut out, sizes, span) = (room(device, parts * count)?, Sizes::new(g), span as i32);
    launch!(device, "depthwise_to_weight", for_each(parts * count), &mut out, &x, &grad, &sizes, &span)?;
    total(device, &out, [parts, count])
}
