//! Fast device code under [`crate::model`]: convolution, batch norm and rectifiers, forward and backward.
//!
//! On the CPU in f32 the operations here replace candle's; everywhere else they hand over to candle's own.

mod depthwise;
mod im2col;
mod matrix;
mod norm;
mod product;
mod rectify;

pub use norm::{add_channels, batch_norm, moments};
pub use rectify::rectify;

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};

/// How a convolution's window moves: the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Pixels from one output position to the next.
    pub stride: usize,
    /// Zeros added on every side, in pixels.
    pub padding: usize,
    /// Pixels between neighbouring taps.
    pub dilation: usize,
    /// Independent parts that the channels are divided into.
    pub groups: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

impl Window {
    /// Output size along one direction, if the window fits.
    ///
    /// ```text
    /// out = floor((size + 2 padding - dilation (k - 1) - 1) / stride) + 1
    /// ```
    ///
    /// ```
    /// use retrace::kernel::Window;
    /// let window = Window { stride: 2, padding: 1, ..Window::default() };
    /// assert_eq!(window.output(64, 3), Some(32));
    /// assert_eq!(Window::default().output(2, 3), None);
    /// ```
    pub fn output(&self, size: usize, k: usize) -> Option<usize> {
        let reach = self.dilation * k.checked_sub(1)? + 1;
        Some((size + 2 * self.padding).checked_sub(reach)? / self.stride + 1)
    }
}

/// Two-dimensional convolution (cross-correlation), differentiable in both arguments.
///
/// # Shapes
/// `input` `(b, c, h, w)`, `weight` `(d, c / groups, k, k')`; out `(b, d, h', w')` with [`Window::output`].
///
/// # Errors
/// Ranks, channels or sizes that do not fit; the message has both shapes.
pub fn conv2d(input: &Tensor, weight: &Tensor, window: Window) -> Result<Tensor> {
    Geometry::new(input.dims(), weight.dims(), window)?;
    if is_native(input) && is_native(weight) {
        return input.contiguous()?.apply_op2(&weight.contiguous()?, Conv2d(window));
    }
    input.conv2d(weight, window.padding, window.stride, window.dilation, window.groups)
}

/// Every size of one convolution, checked.
#[derive(Debug, Clone, Copy)]
struct Geometry {
    b: usize,
    c: usize,
    h: usize,
    w: usize,
    d: usize,
    kh: usize,
    kw: usize,
    out_h: usize,
    out_w: usize,
    window: Window,
}

impl Geometry {
    fn new(input: &[usize], weight: &[usize], window: Window) -> Result<Self> {
        let (&[b, c, h, w], &[d, part, kh, kw]) = (input, weight) else {
            bail!("conv2d: expected input (b, c, h, w) and weight (d, c/groups, k, k), found {input:?} and {weight:?}");
        };
        let groups = window.groups;
        if groups == 0 || window.stride == 0 || window.dilation == 0 || part * groups != c || d % groups != 0 {
            bail!("conv2d: expected channels that fit {window:?}, found input {input:?} and weight {weight:?}");
        }
        let (Some(out_h), Some(out_w)) = (window.output(h, kh), window.output(w, kw)) else {
            bail!("conv2d: expected an input at least as large as the window, found {input:?} and {weight:?}");
        };
        Ok(Self { b, c, h, w, d, kh, kw, out_h, out_w, window })
    }

    fn is_depthwise(&self) -> bool {
        self.window.groups == self.c && self.d == self.c
    }

    /// Input pixels of one image.
    fn input_len(&self) -> usize {
        self.c * self.h * self.w
    }

    /// Output pixels of one image and channel.
    fn area(&self) -> usize {
        self.out_h * self.out_w
    }

    fn output_len(&self) -> usize {
        self.d * self.area()
    }

    fn weight_len(&self) -> usize {
        self.d * (self.c / self.window.groups) * self.kh * self.kw
    }

    fn output_shape(&self) -> Shape {
        Shape::from((self.b, self.d, self.out_h, self.out_w))
    }
}

struct Conv2d(Window);

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        l1: &Layout,
        weight: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let geometry = Geometry::new(l1.dims(), l2.dims(), self.0)?;
        let (input, weight) = (slice(input, l1)?, slice(weight, l2)?);
        let mut output = vec![0.0; geometry.b * geometry.output_len()];
        match geometry.is_depthwise() {
            true => depthwise::forward(&geometry, input, weight, &mut output),
            false => product::forward(&geometry, input, weight, &mut output),
        }
        Ok((CpuStorage::F32(output), geometry.output_shape()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let to_input = match input.track_op() || input.is_variable() {
            true => {
                Some(weight.apply_op2_no_bwd(&grad, &InputGradient { window: self.0, dims: input.dims().to_vec() })?)
            }
            false => None,
        };
        let dims = weight.dims().to_vec();
        let to_weight = input.apply_op2_no_bwd(&grad, &WeightGradient { window: self.0, dims })?;
        Ok((to_input, Some(to_weight)))
    }
}

struct InputGradient {
    window: Window,
    dims: Vec<usize>,
}

impl CustomOp2 for InputGradient {
    fn name(&self) -> &'static str {
        "conv2d-input-gradient"
    }

    fn cpu_fwd(&self, weight: &CpuStorage, l1: &Layout, grad: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let geometry = Geometry::new(&self.dims, l1.dims(), self.window)?;
        let (weight, grad) = (slice(weight, l1)?, slice(grad, l2)?);
        let mut output = vec![0.0; geometry.b * geometry.input_len()];
        match geometry.is_depthwise() {
            true => depthwise::input_gradient(&geometry, weight, grad, &mut output),
            false => product::input_gradient(&geometry, weight, grad, &mut output),
        }
        Ok((CpuStorage::F32(output), Shape::from(self.dims.as_slice())))
    }
}

struct WeightGradient {
    window: Window,
    dims: Vec<usize>,
}

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d-weight-gradient"
    }

    fn cpu_fwd(&self, input: &CpuStorage, l1: &Layout, grad: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let geometry = Geometry::new(l1.dims(), &self.dims, self.window)?;
        let (input, grad) = (slice(input, l1)?, slice(grad, l2)?);
        let output = match geometry.is_depthwise() {
            true => depthwise::weight_gradient(&geometry, input, grad),
            false => product::weight_gradient(&geometry, input, grad),
        };
        Ok((CpuStorage::F32(output), Shape::from(self.dims.as_slice())))
    }
}

/// Whether the operations here take a tensor: f32 on the CPU.
fn is_native(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// The values of a tensor that is contiguous.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("conv2d: expected a contiguous tensor, found strides {:?}", layout.stride()),
    }
}

#[cfg(test)]
mod tests;
