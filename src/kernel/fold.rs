//! A batch norm with running statistics as a part of the convolution before it: `scale (w x) + shift = (scale w) x + shift`.

#[cfg(feature = "cuda")]
mod device;

use candle_core::{Result, Tensor};

/// The multiplier of every channel.
///
/// ```text
/// scale = weight / sqrt(variance + epsilon)
/// ```
///
/// # Shapes
/// `(c)` each.
///
/// # Errors
/// Shapes that differ.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let (weight, variance) = (Tensor::new(&[6.0_f32], &Device::Cpu)?, Tensor::new(&[3.0_f32], &Device::Cpu)?);
/// assert_eq!(retrace::kernel::norm_scale(&weight, &variance, 1.0)?.to_vec1::<f32>()?, [3.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn norm_scale(weight: &Tensor, variance: &Tensor, epsilon: f64) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if device::takes(&[weight], &[variance]) && weight.dims() == variance.dims() {
        return device::norm_scale(weight, variance, epsilon);
    }
    weight / (variance + epsilon)?.sqrt()?
}

/// The addend of every channel.
///
/// ```text
/// shift = bias - mean scale
/// ```
///
/// # Shapes
/// `(c)` each.
///
/// # Errors
/// Shapes that differ.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let [bias, mean, scale] = [[5.0_f32], [2.0], [3.0]].map(|value| Tensor::new(&value, &Device::Cpu).unwrap());
/// assert_eq!(retrace::kernel::norm_shift(&bias, &mean, &scale)?.to_vec1::<f32>()?, [-1.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn norm_shift(bias: &Tensor, mean: &Tensor, scale: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if device::takes(&[bias, scale], &[mean]) && bias.dims() == mean.dims() && bias.dims() == scale.dims() {
        return device::norm_shift(bias, mean, scale);
    }
    bias - (mean * scale)?
}

/// Multiplies the filters of every output channel.
///
/// # Shapes
/// `weight` `(d, c, k, k')`, `scale` `(d)`; out like `weight`.
///
/// # Errors
/// Shapes that do not fit.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let weight = Tensor::new(&[1.0_f32, 2.0], &Device::Cpu)?.reshape((2, 1, 1, 1))?;
/// let scale = Tensor::new(&[10.0_f32, 20.0], &Device::Cpu)?;
/// assert_eq!(retrace::kernel::scale_filters(&weight, &scale)?.flatten_all()?.to_vec1::<f32>()?, [10.0, 40.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn scale_filters(weight: &Tensor, scale: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if device::takes(&[weight, scale], &[]) && weight.rank() == 4 && scale.dims() == &weight.dims()[..1] {
        return device::scale_filters(weight, scale);
    }
    weight.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)
}
