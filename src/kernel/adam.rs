//! Adam's update in place: three passes over the numbers, no temporary tensors.

#[cfg(feature = "cuda")]
use super::cuda;
use super::lane::for_rows;
use super::{is_fused, slice};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, InplaceOp3, Layout, Result, Tensor, Var, bail};

/// The constants of one update.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Decay of the mean and of the mean square.
    pub beta: [f64; 2],
    /// Added to the root.
    pub epsilon: f64,
    /// Learning rate.
    pub rate: f64,
    /// Added to the gradient as `decay x`.
    pub weight_decay: f64,
    /// Updates so far, this one counted.
    pub step: u64,
}

/// Updates a parameter and its two moments in place.
///
/// ```text
/// g <- g + decay x;  m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
/// x <- x - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
/// ```
///
/// # Shapes
/// Four tensors of one shape.
///
/// # Errors
/// Shapes that differ, or tensors that are not contiguous.
///
/// # References
/// Kingma and Ba, Adam, ICLR 2015, Algorithm 1.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use retrace::kernel::{AdamStep, adam};
/// let var = |value: f32| Var::new(&[value], &Device::Cpu);
/// let (x, mean, square) = (var(1.0)?, var(0.0)?, var(0.0)?);
/// let step = AdamStep { beta: [0.9, 0.999], epsilon: 0.0, rate: 0.25, weight_decay: 0.0, step: 1 };
/// adam(&x, &mean, &square, &Tensor::new(&[-8.0_f32], &Device::Cpu)?, &step)?;
/// // The first step is as long as the rate, but for the rounding of 1 - 0.999 in f32.
/// assert!((x.to_vec1::<f32>()?[0] - 1.25).abs() < 1e-5);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn adam(x: &Var, mean: &Var, square: &Var, gradient: &Tensor, step: &AdamStep) -> Result<()> {
    if [mean.dims(), square.dims(), gradient.dims()].iter().any(|dims| *dims != x.dims()) {
        let found = [mean.dims(), square.dims(), gradient.dims()];
        bail!("adam: expected moments and a gradient of {:?}, found {found:?}", x.dims());
    }
    if ![x.as_tensor(), mean, square, gradient].into_iter().all(is_fused) {
        return compose(x, mean, square, gradient, step);
    }
    let gradient = gradient.contiguous()?;
    let [beta1, beta2] = step.beta.map(|beta| beta as f32);
    let decay = step.weight_decay as f32;
    let to_mean = Moment {
        make: move |m: f32, g: f32, x: f32| beta1 * m + (1.0 - beta1) * (g + decay * x),
        kernel: Kernel::Mean { keep: beta1, decay, power: 1 },
    };
    mean.inplace_op3(&gradient, x, &to_mean)?;
    let to_square = Moment {
        make: move |v: f32, g: f32, x: f32| {
            let g = g + decay * x;
            beta2 * v + (1.0 - beta2) * g * g
        },
        kernel: Kernel::Mean { keep: beta2, decay, power: 2 },
    };
    square.inplace_op3(&gradient, x, &to_square)?;
    let [rate, unit] = step.corrected();
    let (rate, unit, epsilon) = (rate as f32, unit as f32, step.epsilon as f32);
    let to_x = Moment {
        make: move |x: f32, m: f32, v: f32| x - rate * m / ((v * unit).sqrt() + epsilon),
        kernel: Kernel::Move([rate, unit, epsilon]),
    };
    x.inplace_op3(mean, square, &to_x)
}

impl AdamStep {
    /// The rate over the mean's correction, and one over the mean square's.
    fn corrected(&self) -> [f64; 2] {
        let [first, second] = self.beta.map(|beta| 1.0 - beta.powf(self.step as f64));
        [self.rate / first, 1.0 / second]
    }
}

/// The formula in candle's operations.
fn compose(x: &Var, mean: &Var, square: &Var, gradient: &Tensor, step: &AdamStep) -> Result<()> {
    let gradient = match step.weight_decay {
        0.0 => gradient.clone(),
        decay => (gradient + (x.as_detached_tensor() * decay)?)?,
    };
    let blend = |old: &Var, new: &Tensor, keep: f64| (old.as_detached_tensor() * keep)? + (new * (1.0 - keep))?;
    mean.set(&blend(mean, &gradient, step.beta[0])?)?;
    square.set(&blend(square, &gradient.sqr()?, step.beta[1])?)?;
    let [rate, unit] = step.corrected();
    let root = ((square.as_detached_tensor() * unit)?.sqrt()? + step.epsilon)?;
    x.set(&(x.as_detached_tensor() - ((mean.as_detached_tensor() / root)? * rate)?)?)
}

/// A number made from itself and two others, place by place.
struct Moment<F> {
    /// On the CPU.
    make: F,
    /// On a GPU.
    #[cfg_attr(not(feature = "cuda"), allow(dead_code))]
    kernel: Kernel,
}

/// The same as a kernel of `cuda/kernels.cu`, with its constants.
#[cfg_attr(not(feature = "cuda"), allow(dead_code))]
enum Kernel {
    Mean { keep: f32, decay: f32, power: i32 },
    Move([f32; 3]),
}

impl<F: Fn(f32, f32, f32) -> f32 + Sync + Send> InplaceOp3 for Moment<F> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        own: &mut CpuStorage,
        layout: &Layout,
        first: &CpuStorage,
        l2: &Layout,
        second: &CpuStorage,
        l3: &Layout,
    ) -> Result<()> {
        let (CpuStorage::F32(own), Some((start, end))) = (own, layout.contiguous_offsets()) else {
            bail!("adam: expected contiguous f32, found strides {:?}", layout.stride());
        };
        let (first, second) = (slice(first, l2)?, slice(second, l3)?);
        for_rows(&mut own[start..end], 1, |rows, own| {
            let others = first[rows.clone()].iter().zip(&second[rows]);
            own.iter_mut().zip(others).for_each(|(own, (first, second))| *own = (self.make)(*own, *first, *second));
        });
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        own: &mut CudaStorage,
        layout: &Layout,
        first: &CudaStorage,
        l2: &Layout,
        second: &CudaStorage,
        l3: &Layout,
    ) -> Result<()> {
        let (own, first, second) = ((own, layout), (first, l2), (second, l3));
        match self.kernel {
            Kernel::Mean { keep, decay, power } => cuda::adam_mean(own, first, second, [keep, decay], power),
            Kernel::Move(constants) => cuda::adam_move(own, first, second, constants),
        }
    }
}
