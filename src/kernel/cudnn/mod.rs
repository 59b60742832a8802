//! Convolution by cuDNN, forward and backward, on channels-last maps and filters.
#![allow(unsafe_code)] // cuDNN takes device pointers

mod plan;

pub(super) use plan::{Plan, plan};

use super::cuda::{self, Input, on_the_cpu};
use super::{Geometry, composed};
use candle_core::cuda::cudarc::cudnn::{ConvBackwardData, ConvBackwardFilter, ConvForward};
use candle_core::cuda::cudarc::driver::CudaView;
use candle_core::{CpuStorage, CudaStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};
use plan::{Descriptors, Number, handle, is_symmetric};

/// As [`composed::conv2d`].
pub(super) fn conv2d(x: &Tensor, weight: &Tensor, g: &Geometry, plan: Plan) -> Result<Tensor> {
    // `(d, k, k', c / groups)`, the filter of channels-last maps; its gradient returns through the permutation.
    let filter = weight.permute((0, 2, 3, 1))?.contiguous()?;
    let x = if is_symmetric(&g.window) { x.contiguous()? } else { composed::pad(x, &g.window, 0.0)?.contiguous()? };
    x.apply_op2(&filter, CudnnConvolution { plan, pass: Pass::Forward })
}

#[derive(Debug, Clone, Copy)]
enum Pass {
    /// Input and filter to output.
    Forward,
    /// Filter and output gradient to input gradient.
    ToInput,
    /// Input and output gradient to filter gradient.
    ToFilter,
}

/// One pass as an operation of candle's graph.
struct CudnnConvolution {
    plan: Plan,
    pass: Pass,
}

impl CudnnConvolution {
    /// Shapes of the two inputs and of the output.
    fn shapes(&self) -> [Shape; 3] {
        let g = &self.plan.g;
        let filter = Shape::from((g.d, g.k[0], g.k[1], g.part()));
        match self.pass {
            Pass::Forward => [g.input_shape(), filter, g.output_shape()],
            Pass::ToInput => [filter, g.output_shape(), g.input_shape()],
            Pass::ToFilter => [g.input_shape(), g.output_shape(), filter],
        }
    }

    fn run<T: Number>(&self, inputs: [Input; 2]) -> Result<CudaStorage> {
        let (device, plan, shapes) = (&inputs[0].0.device, &self.plan, self.shapes());
        let cudnn = handle(device)?;
        let Descriptors { x, y, filter: w, conv } = &Descriptors::<T>::new(&cudnn, &plan.g, plan.math)?;
        let (a, b) = (view::<T>(inputs[0], &shapes[0])?, view::<T>(inputs[1], &shapes[1])?);
        let bytes = match self.pass {
            Pass::Forward => plan.forward.1,
            Pass::ToInput => plan.to_input.1,
            Pass::ToFilter => plan.to_filter.1,
        };
        // SAFETY: nothing reads this memory before cuDNN has written it; what was there counts 0 times in the result.
        let mut out = unsafe { device.alloc::<T>(shapes[2].elem_count())? };
        // SAFETY: as above; scratch memory is written before it is read.
        let mut scratch = (bytes > 0).then(|| unsafe { device.alloc::<u8>(bytes) }).transpose()?;
        let (scratch, scale) = (scratch.as_mut(), (T::from_f64(1.0), T::from_f64(0.0)));
        // SAFETY: `view` has compared the inputs with the shapes of the descriptors, and `out` is made of the third.
        unsafe {
            match self.pass {
                Pass::Forward => {
                    ConvForward { conv, x, w, y }.launch(plan.forward.0, scratch, scale, &a, &b, &mut out)?;
                }
                Pass::ToInput => {
                    let call = ConvBackwardData { conv, dx: x, w, dy: y };
                    call.launch(plan.to_input.0, scratch, scale, &mut out, &a, &b)?;
                }
                Pass::ToFilter => {
                    let call = ConvBackwardFilter { conv, x, dw: w, dy: y };
                    call.launch(plan.to_filter.0, scratch, scale, &a, &mut out, &b)?;
                }
            }
        }
        Ok(CudaStorage::wrap_cuda_slice(out, device.clone()))
    }
}

/// The numbers of a tensor of this shape.
fn view<'a, T: Number>(input: Input<'a>, shape: &Shape) -> Result<CudaView<'a, T>> {
    if input.1.shape() == shape {
        cuda::view(input)
    } else {
        bail!("cudnn: expected a tensor {shape:?}, found {:?}", input.1)
    }
}

impl CustomOp2 for CudnnConvolution {
    fn name(&self) -> &'static str {
        match self.pass {
            Pass::Forward => "cudnn-conv2d",
            Pass::ToInput => "cudnn-conv2d-input-gradient",
            Pass::ToFilter => "cudnn-conv2d-weight-gradient",
        }
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        on_the_cpu(self.name())
    }

    fn cuda_fwd(&self, a: &CudaStorage, l1: &Layout, b: &CudaStorage, l2: &Layout) -> Result<(CudaStorage, Shape)> {
        use candle_core::backend::BackendStorage;
        let (inputs, [.., shape]) = ([(a, l1), (b, l2)], self.shapes());
        let out = match a.dtype() {
            DType::F32 => self.run::<f32>(inputs)?,
            DType::F16 => self.run::<half::f16>(inputs)?,
            DType::BF16 => self.run::<half::bf16>(inputs)?,
            other => bail!("{}: expected f32, f16 or bf16, found {other:?}", self.name()),
        };
        Ok((out, shape))
    }

    fn bwd(&self, x: &Tensor, filter: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (plan, grad) = (self.plan, grad.contiguous()?);
        let run = |a: &Tensor, b: &Tensor, pass: Pass| a.apply_op2_no_bwd(b, &CudnnConvolution { plan, pass });
        let to_x = x.track_op().then(|| run(filter, &grad, Pass::ToInput)).transpose()?;
        let to_filter = filter.track_op().then(|| run(x, &grad, Pass::ToFilter)).transpose()?;
        Ok((to_x, to_filter))
    }
}
