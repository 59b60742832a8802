//! The same on a GPU: one kernel each, where candle starts several, and more in the backward pass.

use super::super::cuda::{self, Input, on_the_cpu};
use super::super::is_on_gpu;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

/// Whether all of them are f32 on a GPU, and the constants do not want gradients.
pub fn takes(tensors: &[&Tensor], constants: &[&Tensor]) -> bool {
    let mut all = tensors.iter().chain(constants);
    all.all(|tensor| is_on_gpu(tensor)) && !constants.iter().any(|tensor| tensor.track_op())
}

/// As [`super::norm_scale`]; the variance is a constant.
pub fn norm_scale(weight: &Tensor, variance: &Tensor, epsilon: f64) -> Result<Tensor> {
    weight.contiguous()?.apply_op1(OverDeviation { variance: variance.contiguous()?, epsilon: epsilon as f32 })
}

/// As [`super::norm_shift`]; the mean is a constant.
pub fn norm_shift(bias: &Tensor, mean: &Tensor, scale: &Tensor) -> Result<Tensor> {
    bias.contiguous()?.apply_op2(&scale.contiguous()?, LessProduct { mean: mean.contiguous()? })
}

/// As [`super::scale_filters`].
pub fn scale_filters(weight: &Tensor, scale: &Tensor) -> Result<Tensor> {
    weight.contiguous()?.apply_op2(&scale.contiguous()?, ScaleRows)
}

/// `x / sqrt(variance + epsilon)`.
#[derive(Clone)]
struct OverDeviation {
    variance: Tensor,
    epsilon: f32,
}

impl CustomOp1 for OverDeviation {
    fn name(&self) -> &'static str {
        "norm-scale"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let out = cuda::with(&self.variance, |variance| cuda::over_deviation((x, layout), variance, self.epsilon))?;
        Ok((out, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(grad.contiguous()?.apply_op1_no_bwd(self)?))
    }
}

/// `bias - mean scale`.
struct LessProduct {
    mean: Tensor,
}

impl CustomOp2 for LessProduct {
    fn name(&self) -> &'static str {
        "norm-shift"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(
        &self,
        bias: &CudaStorage,
        l1: &Layout,
        scale: &CudaStorage,
        l2: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let out = cuda::with(&self.mean, |mean| cuda::less_product(Some((bias, l1)), mean, (scale, l2)))?;
        Ok((out, l1.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let to_scale = grad.apply_op1_no_bwd(&LessGradient(&self.mean))?;
        Ok((Some(grad), Some(to_scale)))
    }
}

/// `-mean grad`.
struct LessGradient<'a>(&'a Tensor);

impl CustomOp1 for LessGradient<'_> {
    fn name(&self) -> &'static str {
        "norm-shift-gradient"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(&self, grad: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let out = cuda::with(self.0, |mean| cuda::less_product(None, mean, (grad, layout)))?;
        Ok((out, layout.shape().clone()))
    }
}

/// Every row of filters times a number.
struct ScaleRows;

impl CustomOp2 for ScaleRows {
    fn name(&self) -> &'static str {
        "scale-filters"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(&self, x: &CudaStorage, l1: &Layout, scale: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::scale_rows((x, l1), (scale, l2))?, l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, scale: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let to_x = grad.apply_op2_no_bwd(scale, &ScaleRows)?;
        Ok((Some(to_x), Some(grad.apply_op2_no_bwd(x, &RowProducts)?)))
    }
}

/// The sum over a row of the products of two tensors.
struct RowProducts;

impl CustomOp2 for RowProducts {
    fn name(&self) -> &'static str {
        "scale-filters-gradient"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(&self, x: &CudaStorage, l1: &Layout, y: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        let rows = l1.dims()[0];
        let (x, y): (Input, Input) = ((x, l1), (y, l2));
        Ok((cuda::row_products(x, y, rows)?, Shape::from(rows)))
    }
}
