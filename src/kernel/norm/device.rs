//! Batch norm on a GPU: statistics stay there, where the CPU's code has them in vectors.

use super::super::cuda::{self, Input, on_the_cpu};
use super::super::rectify::{Bounds, channel_sums, mask};
use super::{Gradients, Moments};
use candle_core::{CpuStorage, CudaStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

/// As [`super::moments`].
pub fn moments(x: &Tensor) -> Result<Moments> {
    let x = x.contiguous()?;
    let rows = x.elem_count() as f64 / x.dim(3)?.max(1) as f64;
    let mean = (channel_sums(&x)? / rows)?;
    let squares = x.apply_op2_no_bwd(&mean, &Squares)?;
    Ok(Moments { mean, variance: (squares / rows)? })
}

/// As [`super::batch_norm`].
pub fn batch_norm(
    x: &Tensor,
    moments: &Moments,
    affine: [&Tensor; 2],
    epsilon: f64,
    residual: Option<&Tensor>,
    bounds: Bounds,
) -> Result<Tensor> {
    let unit = (&moments.variance + epsilon)?.sqrt()?.recip()?;
    let norm = DeviceBatchNorm { mean: moments.mean.contiguous()?, unit, bounds };
    let (x, affine) = (x.contiguous()?, Tensor::stack(&affine, 0)?);
    match residual {
        Some(residual) => x.apply_op3(&affine, &residual.contiguous()?, norm),
        None => x.apply_op2(&affine, norm),
    }
}

/// Sums of squared distances from the mean.
struct Squares;

impl CustomOp2 for Squares {
    fn name(&self) -> &'static str {
        "channel-squares"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(CustomOp2::name(self))
    }

    fn cuda_fwd(&self, x: &CudaStorage, l1: &Layout, mean: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::column_squares((x, l1), (mean, l2))?, l2.shape().clone()))
    }
}

struct DeviceBatchNorm {
    mean: Tensor,
    /// One over the deviations.
    unit: Tensor,
    bounds: Bounds,
}

impl DeviceBatchNorm {
    /// Works with the statistics as numbers on the device.
    fn with<R>(&self, work: impl FnOnce([Input; 2]) -> Result<R>) -> Result<R> {
        cuda::with(&self.mean, |mean| cuda::with(&self.unit, |unit| work([mean, unit])))
    }

    fn forward(&self, x: Input, affine: Input, residual: Option<Input>) -> Result<(CudaStorage, Shape)> {
        let out = self.with(|statistics| cuda::normalise(x, statistics, affine, residual, self.bounds))?;
        Ok((out, x.1.shape().clone()))
    }

    /// Gradients to `x`, and to weight and bias as `(2, c)`, from one before the cut.
    ///
    /// ```text
    /// u = (x - mean) / sd;  to weight = sum g u;  to bias = sum g;  to x = weight / sd (g - mean(g) - u mean(g u))
    /// ```
    fn backward(&self, x: &Tensor, affine: &Tensor, grad: &Tensor) -> Result<(Tensor, Tensor)> {
        let products = grad.apply_op2_no_bwd(x, &Products(self))?;
        let to_affine = Tensor::stack(&[&products, &channel_sums(grad)?], 0)?;
        let inputs = Tensor::stack(&[affine, &to_affine], 0)?;
        Ok((grad.apply_op3_no_bwd(x, &inputs, &DeviceNormInputGradient(self))?, to_affine))
    }
}

impl CustomOp2 for DeviceBatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(CustomOp2::name(self))
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        l1: &Layout,
        affine: &CudaStorage,
        l2: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.forward((x, l1), (affine, l2), None)
    }

    fn bwd(&self, x: &Tensor, affine: &Tensor, y: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = mask(y, &grad.contiguous()?, self.bounds)?;
        let (to_x, to_affine) = self.backward(x, affine, &grad)?;
        Ok((Some(to_x), Some(to_affine)))
    }
}

impl CustomOp3 for DeviceBatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm-residual"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(CustomOp3::name(self))
    }

    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        l1: &Layout,
        affine: &CudaStorage,
        l2: &Layout,
        residual: &CudaStorage,
        l3: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.forward((x, l1), (affine, l2), Some((residual, l3)))
    }

    fn bwd(&self, x: &Tensor, affine: &Tensor, _: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Gradients> {
        let grad = mask(y, &grad.contiguous()?, self.bounds)?;
        let (to_x, to_affine) = self.backward(x, affine, &grad)?;
        Ok((Some(to_x), Some(to_affine), Some(grad)))
    }
}

/// Sums of gradients times normalised numbers, `(c)`.
struct Products<'a>(&'a DeviceBatchNorm);

impl CustomOp2 for Products<'_> {
    fn name(&self) -> &'static str {
        "batch-norm-weight-gradient"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(&self, grad: &CudaStorage, l1: &Layout, x: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        let sums = self.0.with(|statistics| cuda::column_products((grad, l1), (x, l2), statistics))?;
        Ok((sums, self.0.mean.shape().clone()))
    }
}

/// The gradient to the input, given `(2, 2, c)`: weight and bias, then the sums that are their gradients.
struct DeviceNormInputGradient<'a>(&'a DeviceBatchNorm);

impl CustomOp3 for DeviceNormInputGradient<'_> {
    fn name(&self) -> &'static str {
        "batch-norm-input-gradient"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(
        &self,
        grad: &CudaStorage,
        l1: &Layout,
        x: &CudaStorage,
        l2: &Layout,
        inputs: &CudaStorage,
        l3: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let (grad, x, inputs) = ((grad, l1), (x, l2), (inputs, l3));
        let out = self.0.with(|statistics| cuda::normalise_gradient(grad, x, statistics, inputs))?;
        Ok((out, l1.shape().clone()))
    }
}
