//! Rectifiers: cutting numbers off, alone and after an addition, and the backward pass.

#[cfg(feature = "cuda")]
use super::cuda;
use super::fresh::make_rows;
use super::lane::{sum_rows, task_rows};
use super::{composed, is_fused, slice};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use std::ops::Range;

/// Cut-off of a rectifier: `y = min(max(x, low), high)`; NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Nothing below this.
    pub low: f32,
    /// Nothing above this.
    pub high: f32,
}

impl Bounds {
    /// `y = x`.
    pub const NONE: Self = Self { low: f32::NEG_INFINITY, high: f32::INFINITY };
    /// `y = max(x, 0)`.
    pub const RELU: Self = Self { low: 0.0, high: f32::INFINITY };
    /// `y = min(max(x, 0), 6)`.
    pub const RELU6: Self = Self { low: 0.0, high: 6.0 };

    /// Whether every number passes.
    pub fn is_open(self) -> bool {
        self == Self::NONE
    }

    /// The number after the cut.
    #[inline(always)]
    pub(super) fn cut(self, x: f32) -> f32 {
        // Comparisons and not `clamp`: NaN compares as false and so stays.
        let x = if x < self.low { self.low } else { x };
        if x > self.high { self.high } else { x }
    }

    /// The gradient before the cut, given the number after it: nothing passes at the ends.
    #[inline(always)]
    pub(super) fn slope(self, y: f32, grad: f32) -> f32 {
        // `|` and not `||`: a branch on random signs is mispredicted half of the time.
        let is_cut = (y <= self.low) | ((y >= self.high) & (self.high < f32::INFINITY));
        if is_cut { 0.0 } else { grad }
    }
}

/// Cuts off; the gradient passes strictly between the bounds.
///
/// # Shapes
/// Any; out the same.
///
/// # Errors
/// None on floating point tensors.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::kernel::{Bounds, rectify};
/// let x = Tensor::new(&[-1.0_f32, 2.0, 9.0], &Device::Cpu)?;
/// assert_eq!(rectify(&x, Bounds::RELU6)?.to_vec1::<f32>()?, [0.0, 2.0, 6.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn rectify(x: &Tensor, bounds: Bounds) -> Result<Tensor> {
    if bounds.is_open() {
        Ok(x.clone())
    } else if is_fused(x) {
        x.contiguous()?.apply_op1(Rectify(bounds))
    } else {
        composed::cut(x, bounds)
    }
}

/// Adds two tensors and cuts off: the end of a residual block.
///
/// # Shapes
/// Any, the same twice; out the same.
///
/// # Errors
/// Shapes that differ.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::kernel::{Bounds, add};
/// let (x, y) = (Tensor::new(&[-1.0_f32, 2.0], &Device::Cpu)?, Tensor::new(&[-1.0_f32, 1.0], &Device::Cpu)?);
/// assert_eq!(add(&x, &y, Bounds::RELU)?.to_vec1::<f32>()?, [0.0, 3.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn add(x: &Tensor, y: &Tensor, bounds: Bounds) -> Result<Tensor> {
    if is_fused(x) && is_fused(y) && x.dims() == y.dims() {
        return x.contiguous()?.apply_op2(&y.contiguous()?, Add(bounds));
    }
    composed::cut(&(x + y)?, bounds)
}

struct Rectify(Bounds);

impl CustomOp1 for Rectify {
    fn name(&self) -> &'static str {
        "rectify"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        let cut = |rows: Range<usize>, out: &mut [f32]| {
            out.iter_mut().zip(&x[rows]).for_each(|(out, x)| *out = self.0.cut(*x));
        };
        let out = make_rows(x.len(), 1, cut);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::cut_sum((x, layout), None, self.0)?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(mask(y, &grad.contiguous()?, self.0)?))
    }
}

struct Add(Bounds);

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l1: &Layout, y: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, y) = (slice(x, l1)?, slice(y, l2)?);
        let out = make_rows(x.len(), 1, |rows, out| {
            let sums = x[rows.clone()].iter().zip(&y[rows]);
            out.iter_mut().zip(sums).for_each(|(out, (x, y))| *out = self.0.cut(x + y));
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, l1: &Layout, y: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::cut_sum((x, l1), Some((y, l2)), self.0)?, l1.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, out: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = mask(out, &grad.contiguous()?, self.0)?;
        Ok((Some(grad.clone()), Some(grad)))
    }
}

/// Adds one number to every channel, which `(..., c)` has `c` of, and cuts off: the end of a convolution.
pub(super) fn shift(x: &Tensor, shift: Option<&Tensor>, bounds: Bounds) -> Result<Tensor> {
    match shift {
        None => rectify(x, bounds),
        Some(shift) if is_fused(x) && is_fused(shift) => x.contiguous()?.apply_op2(&shift.contiguous()?, Shift(bounds)),
        Some(shift) => composed::cut(&x.broadcast_add(shift)?, bounds),
    }
}

struct Shift(Bounds);

impl CustomOp2 for Shift {
    fn name(&self) -> &'static str {
        "shift"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l1: &Layout, shift: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, shift) = (slice(x, l1)?, slice(shift, l2)?);
        let c = shift.len();
        let out = make_rows(x.len() / c.max(1), c, |rows, out| {
            let sums = x[rows.start * c..rows.end * c].iter().zip(shift.iter().cycle());
            out.iter_mut().zip(sums).for_each(|(out, (x, shift))| *out = self.0.cut(x + shift));
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, l1: &Layout, shift: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::cut_shift((x, l1), (shift, l2), self.0)?, l1.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, out: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = mask(out, &grad.contiguous()?, self.0)?;
        let to_shift = channel_sums(&grad)?;
        Ok((Some(grad), Some(to_shift)))
    }
}

/// The gradient before a cut, from the numbers `y` after it.
pub(super) fn mask(y: &Tensor, grad: &Tensor, bounds: Bounds) -> Result<Tensor> {
    if bounds.is_open() {
        return Ok(grad.clone());
    }
    y.apply_op2_no_bwd(grad, &Mask(bounds))
}

struct Mask(Bounds);

impl CustomOp2 for Mask {
    fn name(&self) -> &'static str {
        "rectify-gradient"
    }

    fn cpu_fwd(&self, y: &CpuStorage, l1: &Layout, grad: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (y, grad) = (slice(y, l1)?, slice(grad, l2)?);
        let out = make_rows(y.len(), 1, |rows, out| {
            let pairs = y[rows.clone()].iter().zip(&grad[rows]);
            out.iter_mut().zip(pairs).for_each(|(out, (y, grad))| *out = self.0.slope(*y, *grad));
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, y: &CudaStorage, l1: &Layout, grad: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::cut_gradient((y, l1), (grad, l2), self.0)?, l1.shape().clone()))
    }
}

/// The sum over every position of each channel: the gradient of a bias.
pub(super) fn channel_sums(grad: &Tensor) -> Result<Tensor> {
    grad.apply_op1_no_bwd(&ChannelSums)
}

struct ChannelSums;

impl CustomOp1 for ChannelSums {
    fn name(&self) -> &'static str {
        "channel-sums"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, c) = (slice(x, layout)?, layout.dims().last().copied().unwrap_or(1));
        let sums = sum_rows(x.len() / c.max(1), c, task_rows(c), |rows, sums| {
            for row in x[rows.start * c..rows.end * c].chunks_exact(c) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        });
        Ok((CpuStorage::F32(sums.into_iter().map(|sum| sum as f32).collect()), Shape::from(c)))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let c = layout.dims().last().copied().unwrap_or(1);
        Ok((cuda::column_sums((x, layout))?, Shape::from(c)))
    }
}
