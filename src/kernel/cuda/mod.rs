//! The operations beside this on a GPU, in f32: code of our own, compiled when the first of it is needed.
//!
//! candle puts each of them together from up to ten operations, every one of which starts a kernel and reads and writes
//! the whole map. Dense convolutions are not here but in [`super::cudnn`], products are candle's.
#![allow(unsafe_code)] // kernels take device pointers

mod operations;
mod plan;

pub(super) use operations::{
    adam_mean, adam_move, column_products, column_squares, column_sums, cut_gradient, cut_shift, cut_sum, depthwise,
    depthwise_to_input, depthwise_to_weight, less_product, normalise, normalise_gradient, over_deviation, row_products,
    scale_rows,
};
pub(super) use plan::is_countable;

use candle_core::cuda::CudaDType;
use candle_core::cuda::cudarc::driver::{CudaFunction, CudaSlice, CudaView};
use candle_core::cuda::cudarc::nvrtc::{CompileError, compile_ptx};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, Storage, Tensor, bail};
use std::sync::OnceLock;

/// A tensor as operations get it.
pub(super) type Input<'a> = (&'a CudaStorage, &'a Layout);

/// A kernel by name.
fn load(device: &CudaDevice, name: &str) -> Result<CudaFunction> {
    static CODE: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let compiled = CODE.get_or_init(|| match compile_ptx(include_str!("kernels.cu")) {
        Ok(code) => Ok(code.to_src()),
        Err(CompileError::CompileError { log, .. }) => Err(log.to_string_lossy().into_owned()),
        Err(other) => Err(format!("{other:?}")),
    });
    match compiled {
        Ok(code) => Ok(device.get_or_load_custom_func(name, "retrace", code)?.into_cuda_function()),
        Err(error) => bail!("kernels.cu: expected code that CUDA's compiler takes, found {error}"),
    }
}

/// The numbers of a tensor that is contiguous.
pub(super) fn view<T: CudaDType>((storage, layout): Input<'_>) -> Result<CudaView<'_, T>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<T>()?.slice(start..end)),
        None => bail!("expected a contiguous tensor, found strides {:?}", layout.stride()),
    }
}

/// Works on the storage of a tensor on a GPU.
pub(super) fn with<R>(tensor: &Tensor, work: impl FnOnce(Input) -> Result<R>) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cuda(storage) => work((storage, layout)),
        _ => bail!("expected a tensor on a CUDA device, found one on {:?}", tensor.device().location()),
    }
}

/// What an operation says that only a GPU has code for.
pub(super) fn on_the_cpu<R>(name: &str) -> Result<R> {
    bail!("{name}: expected tensors on a CUDA device, found them on the CPU")
}

/// Memory for a result that a kernel fills from end to end.
fn room(device: &CudaDevice, count: usize) -> Result<CudaSlice<f32>> {
    // SAFETY: each caller's kernel writes every number before anything reads one.
    unsafe { device.alloc::<f32>(count) }
}
