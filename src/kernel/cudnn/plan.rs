//! The plan of a convolution in cuDNN: its descriptors, and an algorithm for every pass.

use super::super::{Geometry, Window};
use candle_core::cuda::cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t as InputAlgorithm, cudnnConvolutionBwdFilterAlgo_t as FilterAlgorithm,
    cudnnConvolutionFwdAlgo_t as ForwardAlgorithm, cudnnConvolutionMode_t as Kind, cudnnMathType_t as Math,
    cudnnTensorFormat_t as Format,
};
use candle_core::cuda::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnDataType, FilterDescriptor,
    TensorDescriptor,
};
use candle_core::cuda::cudarc::driver::DeviceRepr;
use candle_core::cuda::{CudaDType, DeviceId, gemm_reduced_precision_f32};
use candle_core::{CudaDevice, DType, Device, Result, Tensor, WithDType};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Largest scratch memory of one call; an algorithm that needs more is not used.
const SCRATCH: usize = 1 << 30; // bytes: little beside a GPU's memory, and more than the usual algorithms ask for

/// How cuDNN will compute one convolution and its gradients.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Plan {
    /// With equal padding on opposite sides.
    pub(super) g: Geometry,
    pub(super) math: Math,
    pub(super) forward: Choice<ForwardAlgorithm>,
    pub(super) to_input: Choice<InputAlgorithm>,
    pub(super) to_filter: Choice<FilterAlgorithm>,
}

/// A plan if cuDNN takes these tensors; none for other devices, number types and sizes.
pub(in super::super) fn plan(x: &Tensor, weight: &Tensor, g: &Geometry) -> Result<Option<Plan>> {
    let g = symmetric(g);
    // cuDNN knows no empty tensors, and nothing that an `int` does not count.
    let is_int = |count: usize| (1..=i32::MAX as usize).contains(&count);
    let tensors = [g.input_shape(), g.output_shape(), g.weight_shape()].map(|shape| shape.elem_count());
    let steps = [g.window.stride, g.window.dilation, g.window.padding[0][0] + 1, g.window.padding[1][0] + 1];
    let is_fit = tensors.into_iter().chain(steps).all(is_int);
    let (Device::Cuda(device), true) = (x.device(), is_fit && x.dtype() == weight.dtype()) else { return Ok(None) };
    let math = math(x.dtype());
    in_session(device, |session| match session.plans.entry((g, x.dtype(), math)) {
        Entry::Occupied(plan) => Ok(*plan.get()),
        Entry::Vacant(place) => Ok(*place.insert(match x.dtype() {
            DType::F32 => Plan::new::<f32>(&session.cudnn, &g, math),
            DType::F16 => Plan::new::<half::f16>(&session.cudnn, &g, math),
            DType::BF16 => Plan::new::<half::bf16>(&session.cudnn, &g, math),
            _ => None,
        })),
    })
}

/// The math types to try, in order: single precision is cut to TF32 only where
/// [`crate::device::allow_tf32`] says so; half precision loses nothing in tensor cores.
fn math(dtype: DType) -> &'static [Math] {
    match dtype {
        DType::F32 if gemm_reduced_precision_f32() => &[Math::CUDNN_DEFAULT_MATH],
        DType::F32 => &[Math::CUDNN_FMA_MATH],
        _ => &[Math::CUDNN_TENSOR_OP_MATH, Math::CUDNN_DEFAULT_MATH],
    }
}

pub(super) fn is_symmetric(window: &Window) -> bool {
    window.padding.iter().all(|[before, after]| before == after)
}

/// The same convolution as cuDNN can express it: unequal padding becomes part of the map.
fn symmetric(g: &Geometry) -> Geometry {
    if is_symmetric(&g.window) {
        return *g;
    }
    let padded = |axis: usize| g.size[axis] + g.window.padding[axis].iter().sum::<usize>();
    Geometry { size: [padded(0), padded(1)], window: g.window.padded(0), ..*g }
}

thread_local! {
    // A handle must stay on its thread, so it is kept here; candle keeps its own in the same way.
    static SESSIONS: RefCell<HashMap<DeviceId, CudnnSession>> = RefCell::default();
}

/// The state of a thread for a device: cuDNN's handle, and the plans so far, since asking cuDNN for one takes longer than
/// a small convolution.
struct CudnnSession {
    cudnn: Arc<Cudnn>,
    plans: HashMap<(Geometry, DType, &'static [Math]), Option<Plan>>,
}

/// cuDNN on this thread and device.
pub(super) fn handle(device: &CudaDevice) -> Result<Arc<Cudnn>> {
    in_session(device, |session| Ok(session.cudnn.clone()))
}

fn in_session<R>(device: &CudaDevice, work: impl FnOnce(&mut CudnnSession) -> Result<R>) -> Result<R> {
    SESSIONS.with_borrow_mut(|sessions| match sessions.entry(device.id()) {
        Entry::Occupied(session) => work(session.into_mut()),
        Entry::Vacant(place) => {
            let cudnn = Cudnn::new(device.cuda_stream())?;
            work(place.insert(CudnnSession { cudnn, plans: HashMap::new() }))
        }
    })
}

/// An algorithm and the bytes of scratch memory that it needs.
type Choice<A> = (A, usize);

impl Plan {
    /// None where cuDNN has no algorithm for one of the three passes.
    fn new<T: Number>(cudnn: &Arc<Cudnn>, g: &Geometry, math: &[Math]) -> Option<Self> {
        math.iter().find_map(|math| Self::with::<T>(cudnn, g, *math))
    }

    fn with<T: Number>(cudnn: &Arc<Cudnn>, g: &Geometry, math: Math) -> Option<Self> {
        let Descriptors { x, y, filter, conv } = &Descriptors::<T>::new(cudnn, g, math).ok()?;
        let call = ConvForward { conv, x, w: filter, y };
        let first = call.pick_algorithm().ok();
        let rest = [
            ForwardAlgorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
            ForwardAlgorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
        ];
        let forward = choose(first.into_iter().chain(rest), |algorithm| call.get_workspace_size(algorithm).ok())?;

        // Algorithm 0 of either gradient, and 3 of the filter's, add up in no fixed order: a run would not repeat
        // to the last bit. They are taken only where nothing else is there.
        let call = ConvBackwardData { conv, dx: x, w: filter, dy: y };
        let first = call.pick_algorithm().ok();
        let steady = first.filter(|first| *first != InputAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_0);
        let rest =
            [InputAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, InputAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_0];
        let to_input = choose(steady.into_iter().chain(rest), |algorithm| call.get_workspace_size(algorithm).ok())?;

        let call = ConvBackwardFilter { conv, x, dw: filter, dy: y };
        let loose = [
            FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
            FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3,
        ];
        let steady = call.pick_algorithm().ok().filter(|first| !loose.contains(first));
        let rest = [FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1].into_iter().chain(loose);
        let to_filter = choose(steady.into_iter().chain(rest), |algorithm| call.get_workspace_size(algorithm).ok())?;
        Some(Self { g: *g, math, forward, to_input, to_filter })
    }
}

/// The first algorithm that cuDNN has for this convolution and that is content with [`SCRATCH`].
fn choose<A: Copy>(algorithms: impl IntoIterator<Item = A>, scratch: impl Fn(A) -> Option<usize>) -> Option<Choice<A>> {
    let mut known = algorithms.into_iter().filter_map(|algorithm| Some((algorithm, scratch(algorithm)?)));
    known.find(|(_, bytes)| *bytes <= SCRATCH)
}

/// A number type of cuDNN's convolutions, all of which add up in single precision.
pub(super) trait Number: CudaDType + CudnnDataType + DeviceRepr + WithDType {}
impl Number for f32 {}
impl Number for half::f16 {}
impl Number for half::bf16 {}

/// The convolution in cuDNN's descriptors.
pub(super) struct Descriptors<T: Number> {
    pub x: TensorDescriptor<T>,
    pub y: TensorDescriptor<T>,
    pub filter: FilterDescriptor<T>,
    pub conv: ConvDescriptor<f32>,
}

impl<T: Number> Descriptors<T> {
    pub fn new(cudnn: &Arc<Cudnn>, g: &Geometry, math: Math) -> Result<Self> {
        // Sizes come in the order b, c, h, w whatever the order in memory; `plan` has seen to it that they fit.
        let ints = |sizes: [usize; 4]| sizes.map(|size| size as i32);
        let twice = |size: usize| [size as i32; 2];
        let (format, window) = (Format::CUDNN_TENSOR_NHWC, &g.window);
        let padding = window.padding.map(|[before, _]| before as i32);
        let kind = Kind::CUDNN_CROSS_CORRELATION;
        let mut conv = cudnn.create_conv2d(padding, twice(window.stride), twice(window.dilation), kind)?;
        conv.set_group_count(window.groups as i32)?;
        conv.set_math_type(math)?;
        Ok(Self {
            x: cudnn.create_4d_tensor(format, ints([g.b, g.c, g.size[0], g.size[1]]))?,
            y: cudnn.create_4d_tensor(format, ints([g.b, g.d, g.out[0], g.out[1]]))?,
            filter: cudnn.create_4d_filter(format, ints([g.d, g.part(), g.k[0], g.k[1]]))?,
            conv,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Choice, open};
    use std::io::Write;

    #[test]
    fn unequal_padding_becomes_part_of_the_map() {
        let window = Window { stride: 2, padding: [[0, 1], [2, 0]], ..Window::default() };
        let g = Geometry::convolution(&[2, 8, 9, 3], &[4, 3, 3, 3], window).unwrap();
        let equal = symmetric(&g);
        assert_eq!((equal.size, equal.window), ([9, 11], window.padded(0)));
        assert_eq!(equal.window.output(equal.size, equal.k), Some(g.out));
        let even = Geometry { window: window.padded(1), ..g };
        assert_eq!(symmetric(&even), even);
    }

    #[test]
    fn an_algorithm_is_known_and_content_with_the_scratch_memory() {
        let scratch = |algorithm: u32| [None, Some(SCRATCH + 1), Some(SCRATCH), Some(0)][algorithm as usize];
        assert_eq!(choose([0, 1, 2, 3], scratch), Some((2, SCRATCH)));
        assert_eq!(choose([3, 2], scratch), Some((3, 0)));
        assert_eq!(choose([0, 1], scratch), None);
    }

    #[test]
    fn cudnn_takes_what_networks_ask_for() {
        let device = match open(Choice::Cuda) {
            Ok(device) => device,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "skipped: no CUDA device ({error})");
                return;
            }
        };
        let planned = |x: [usize; 4], weight: [usize; 4], window: Window, dtype: DType| {
            let g = Geometry::convolution(&x, &weight, window).unwrap();
            let zeros = |dims: &[usize]| Tensor::zeros(dims, dtype, &device).unwrap();
            plan(&zeros(&x), &zeros(&weight), &g).unwrap().is_some()
        };
        let (plain, stem) = (Window::default(), Window { stride: 2, padding: [[0, 1]; 2], ..Window::default() });
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            assert!(planned([8, 16, 16, 64], [64, 64, 3, 3], plain.padded(1), dtype));
            assert!(planned([8, 16, 16, 64], [128, 64, 1, 1], Window { stride: 2, ..plain }, dtype));
            assert!(planned([8, 14, 14, 240], [240, 1, 5, 5], Window { groups: 240, ..plain }.padded(2), dtype));
            assert!(planned([8, 64, 64, 3], [32, 3, 3, 3], stem, dtype));
        }
        assert!(!planned([0, 16, 16, 64], [64, 64, 3, 3], plain, DType::F32));
        assert!(!planned([8, 16, 16, 64], [64, 64, 3, 3], plain, DType::F64));
    }
}
