//! The convolution as an operation of candle's graph.

#[cfg(feature = "cuda")]
use super::cuda;
#[cfg(feature = "cudnn")]
use super::cudnn;
#[cfg(feature = "cuda")]
use super::is_on_gpu;
use super::rectify::{Bounds, channel_sums, mask, shift};
use super::{Geometry, Window, composed, depthwise, is_native, product, slice};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

/// Two-dimensional convolution (cross-correlation), bias and rectifier, differentiable in input, weight and bias.
///
/// ```text
/// y[n, i, j, o] = cut(bias[o] + sum over u, v, q of weight[o, q, u, v] x[n, i stride + u dilation - top, j stride + v dilation - left, q])
/// ```
///
/// # Shapes
/// `x` `(b, h, w, c)`, `weight` `(d, c / groups, k, k')`, `bias` `(d)`; out `(b, h', w', d)` with [`Window::output`].
///
/// # Errors
/// Ranks, channels or sizes that do not fit; the message has both shapes.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::kernel::{Bounds, Window, conv2d};
/// let x = Tensor::new(&[1.0_f32, -2.0, 3.0], &Device::Cpu)?.reshape((1, 1, 3, 1))?;
/// let weight = Tensor::new(&[2.0_f32], &Device::Cpu)?.reshape((1, 1, 1, 1))?;
/// let y = conv2d(&x, &weight, None, Window::default(), Bounds::RELU)?;
/// assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [2.0, 0.0, 6.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, window: Window, bounds: Bounds) -> Result<Tensor> {
    let geometry = Geometry::convolution(x.dims(), weight.dims(), window)?;
    if let Some(bias) = bias.filter(|bias| bias.dims() != [geometry.d]) {
        bail!("conv2d: expected a bias of {} numbers, found {:?}", geometry.d, bias.dims());
    }
    let y = match ConvolutionPath::of(x, weight, &geometry)? {
        ConvolutionPath::Native => {
            let bias = match bias {
                Some(bias) => bias.contiguous()?,
                None => Tensor::zeros(geometry.d, x.dtype(), x.device())?,
            };
            return x.contiguous()?.apply_op3(&weight.contiguous()?, &bias, Conv2d { window, bounds });
        }
        #[cfg(feature = "cudnn")]
        ConvolutionPath::Cudnn(plan) => cudnn::conv2d(x, weight, &geometry, plan)?,
        ConvolutionPath::Composed => composed::conv2d(x, weight, &geometry)?,
    };
    shift(&y, bias, bounds)
}

/// The code that computes a convolution.
enum ConvolutionPath {
    /// The code beside this, bias and cut included.
    Native,
    #[cfg(feature = "cudnn")]
    Cudnn(cudnn::Plan),
    Composed,
}

impl ConvolutionPath {
    #[cfg_attr(not(feature = "cudnn"), allow(unused_variables))]
    fn of(x: &Tensor, weight: &Tensor, geometry: &Geometry) -> Result<Self> {
        if is_native(x) && is_native(weight) {
            return Ok(Self::Native);
        }
        #[cfg(feature = "cuda")]
        if has_kernel(x, weight, geometry) {
            return Ok(Self::Native);
        }
        // Except for a single product of candle's, which cuDNN would only wrap.
        #[cfg(feature = "cudnn")]
        if !(geometry.is_pointwise() && geometry.window.groups == 1)
            && let Some(plan) = cudnn::plan(x, weight, geometry)?
        {
            return Ok(Self::Cudnn(plan));
        }
        Ok(Self::Composed)
    }
}

/// Whether the code beside this has a kernel for a convolution on a GPU: only where every channel has its own window.
#[cfg(feature = "cuda")]
fn has_kernel(x: &Tensor, weight: &Tensor, g: &Geometry) -> bool {
    let sizes = [g.input_shape(), g.output_shape(), g.weight_shape()].map(|shape| shape.elem_count());
    let [[top, _], [left, _]] = g.window.padding;
    let steps = [g.window.stride, g.window.dilation, top, left];
    let is_countable = cuda::is_countable(&sizes) && cuda::is_countable(&steps);
    g.is_depthwise() && is_on_gpu(x) && is_on_gpu(weight) && is_countable
}

struct Conv2d {
    window: Window,
    bounds: Bounds,
}

impl CustomOp3 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l1: &Layout,
        weight: &CpuStorage,
        l2: &Layout,
        bias: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let g = Geometry::convolution(l1.dims(), l2.dims(), self.window)?;
        let (x, weight, bias) = (slice(x, l1)?, slice(weight, l2)?, slice(bias, l3)?);
        let output = if g.is_depthwise() {
            depthwise::forward(&g, x, weight, bias, self.bounds)
        } else {
            product::forward(&g, x, weight, bias, self.bounds)
        };
        Ok((CpuStorage::F32(output), g.output_shape()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        x: &CudaStorage,
        l1: &Layout,
        weight: &CudaStorage,
        l2: &Layout,
        bias: &CudaStorage,
        l3: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let g = Geometry::convolution(l1.dims(), l2.dims(), self.window)?;
        Ok((cuda::depthwise(&g, (x, l1), (weight, l2), (bias, l3), self.bounds)?, g.output_shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<ConvolutionGradients> {
        let is_wanted = |t: &Tensor| t.track_op() || t.is_variable();
        let g = Geometry::convolution(x.dims(), weight.dims(), self.window)?;
        let grad = mask(y, &grad.contiguous()?, self.bounds)?;
        let to_x = is_wanted(x).then(|| weight.apply_op2_no_bwd(&grad, &ConvolutionInputGradient(g))).transpose()?;
        let to_weight = is_wanted(weight).then(|| x.apply_op2_no_bwd(&grad, &WeightGradient(g))).transpose()?;
        let to_bias = is_wanted(bias).then(|| channel_sums(&grad)).transpose()?;
        Ok((to_x, to_weight, to_bias))
    }
}

type ConvolutionGradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

struct ConvolutionInputGradient(Geometry);

impl CustomOp2 for ConvolutionInputGradient {
    fn name(&self) -> &'static str {
        "conv2d-input-gradient"
    }

    fn cpu_fwd(&self, weight: &CpuStorage, l1: &Layout, grad: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (g, weight, grad) = (&self.0, slice(weight, l1)?, slice(grad, l2)?);
        let output = if g.is_depthwise() {
            depthwise::input_gradient(g, weight, grad)
        } else {
            product::input_gradient(g, weight, grad)
        };
        Ok((CpuStorage::F32(output), g.input_shape()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        weight: &CudaStorage,
        l1: &Layout,
        grad: &CudaStorage,
        l2: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::depthwise_to_input(&self.0, (weight, l1), (grad, l2))?, self.0.input_shape()))
    }
}

struct WeightGradient(Geometry);

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d-weight-gradient"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l1: &Layout, grad: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (g, x, grad) = (&self.0, slice(x, l1)?, slice(grad, l2)?);
        let output = if g.is_depthwise() {
            depthwise::weight_gradient(g, x, grad)
        } else {
            product::weight_gradient(g, x, grad)
        };
        Ok((CpuStorage::F32(output), g.weight_shape()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &CudaStorage, l1: &Layout, grad: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((cuda::depthwise_to_weight(&self.0, (x, l1), (grad, l2))?, self.0.weight_shape()))
    }
}
