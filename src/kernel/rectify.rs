//! Rectifiers with a gradient that is one pass.

use super::{is_native, slice};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Numbers a task should have at least; smaller ones cost more to hand out than to do.
const TASK: usize = 1 << 14;

/// Cuts off below zero and, where there is a ceiling, above it; NaN stays NaN.
///
/// ```text
/// y = min(max(x, 0), ceiling)
/// ```
///
/// # Shapes
/// Any; out the same.
///
/// # Errors
/// None on floating point tensors.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let x = Tensor::new(&[-1.0_f32, 2.0, 9.0], &Device::Cpu)?;
/// assert_eq!(retrace::kernel::rectify(&x, Some(6.0))?.to_vec1::<f32>()?, [0.0, 2.0, 6.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn rectify(x: &Tensor, ceiling: Option<f32>) -> Result<Tensor> {
    if is_native(x) {
        return x.contiguous()?.apply_op1(Rectify { ceiling: ceiling.unwrap_or(f32::INFINITY) });
    }
    match ceiling {
        Some(ceiling) => x.relu()?.minimum(f64::from(ceiling)),
        None => x.relu(),
    }
}

struct Rectify {
    ceiling: f32,
}

impl CustomOp1 for Rectify {
    fn name(&self) -> &'static str {
        "rectify"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, ceiling) = (slice(x, layout)?, self.ceiling);
        // Comparisons and not `clamp`: NaN compares as false and so stays.
        let cut = |x: &f32| {
            if *x < 0.0 {
                0.0
            } else if *x > ceiling {
                ceiling
            } else {
                *x
            }
        };
        let out: Vec<f32> = x.par_iter().with_min_len(TASK).map(cut).collect();
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(y.apply_op2_no_bwd(&grad.contiguous()?, &Slope { ceiling: self.ceiling })?))
    }
}

/// The gradient where the output lies strictly between zero and the ceiling, zero elsewhere.
struct Slope {
    ceiling: f32,
}

impl CustomOp2 for Slope {
    fn name(&self) -> &'static str {
        "rectify-gradient"
    }

    fn cpu_fwd(&self, y: &CpuStorage, l1: &Layout, grad: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (y, grad, ceiling) = (slice(y, l1)?, slice(grad, l2)?, self.ceiling);
        let pass = |(y, grad): (&f32, &f32)| if *y <= 0.0 || *y >= ceiling { 0.0 } else { *grad };
        let out: Vec<f32> = y.par_iter().with_min_len(TASK).zip(grad).map(pass).collect();
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }
}
