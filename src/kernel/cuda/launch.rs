//! Starting kernels: their code, their arguments, and memory for what they make.

use super::plan::is_countable;
use candle_core::cuda::CudaDType;
use candle_core::cuda::cudarc::driver::{CudaFunction, CudaSlice, CudaView, CudaViewMut};
use candle_core::cuda::cudarc::nvrtc::{CompileError, compile_ptx};
use candle_core::{CudaDevice, CudaStorage, Layout, Result, Storage, Tensor, bail};
use std::sync::OnceLock;

/// A tensor as operations get it.
pub(in super::super) type Input<'a> = (&'a CudaStorage, &'a Layout);

/// A pointer to nothing.
pub(super) const NONE: u64 = 0;

/// Starts a kernel on these arguments, in the order of its own; the first is what it writes.
macro_rules! launch {
    ($device:expr, $name:literal, $config:expr, $($arg:expr),+ $(,)?) => {{
        use candle_core::cuda::{WrapErr, cudarc::driver::PushKernelArg};
        let (function, stream) = ($crate::kernel::cuda::launch::load($device, $name)?, $device.cuda_stream());
        let mut call = stream.launch_builder(&function);
        $(call.arg($arg);)+
        // SAFETY: the arguments are those of the kernel, which writes inside of its first one.
        unsafe { call.launch($config) }.w().map(|_| ())
    }};
}
pub(super) use launch;

/// A kernel by name.
pub(super) fn load(device: &CudaDevice, name: &str) -> Result<CudaFunction> {
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
pub(in super::super) fn view<T: CudaDType>((storage, layout): Input<'_>) -> Result<CudaView<'_, T>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice::<T>()?.slice(start..end)),
        None => bail!("expected a contiguous tensor, found strides {:?}", layout.stride()),
    }
}

/// The same, to be written.
pub(super) fn view_mut<'a>((storage, layout): (&'a mut CudaStorage, &Layout)) -> Result<CudaViewMut<'a, f32>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(storage.as_cuda_slice_mut::<f32>()?.slice_mut(start..end)),
        None => bail!("expected a contiguous tensor, found strides {:?}", layout.stride()),
    }
}

/// How many numbers there are, as kernels count.
pub(super) fn count(x: &CudaView<f32>) -> Result<i32> {
    if is_countable(&[x.len()]) {
        Ok(x.len() as i32)
    } else {
        bail!("expected at most {} numbers, found {}", i32::MAX, x.len())
    }
}

/// Works on the storage of a tensor on a GPU.
pub(in super::super) fn with<R>(tensor: &Tensor, work: impl FnOnce(Input) -> Result<R>) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cuda(storage) => work((storage, layout)),
        _ => bail!("expected a tensor on a CUDA device, found one on {:?}", tensor.device().location()),
    }
}

/// The error of an operation that has code for a GPU only.
pub(in super::super) fn on_the_cpu<R>(name: &str) -> Result<R> {
    bail!("{name}: expected tensors on a CUDA device, found them on the CPU")
}

/// `count` numbers that `run` writes from end to end; it is not called for none.
pub(super) fn fill(
    device: &CudaDevice,
    count: usize,
    run: impl FnOnce(&mut CudaSlice<f32>) -> Result<()>,
) -> Result<CudaStorage> {
    let mut out = room(device, count)?;
    if count > 0 {
        run(&mut out)?;
    }
    Ok(wrap(out, device))
}

/// Memory for a result that a kernel fills.
pub(super) fn room(device: &CudaDevice, count: usize) -> Result<CudaSlice<f32>> {
    // SAFETY: each caller's kernel writes every number before anything reads one.
    unsafe { device.alloc::<f32>(count) }
}

pub(super) fn wrap(out: CudaSlice<f32>, device: &CudaDevice) -> CudaStorage {
    CudaStorage::wrap_cuda_slice(out, device.clone())
}
