//! Opening a GPU.
#![allow(unsafe_code)] // the driver's own calls

use candle_core::cuda::WrapErr;
use candle_core::cuda::cudarc::driver::result::{device::get_default_mem_pool, mem_pool};
use candle_core::cuda::cudarc::driver::sys::CUmemPool_attribute;
use candle_core::cuda::cudarc::nvrtc::compile_ptx;
use candle_core::{CudaDevice, DType, Device, Error, Result, Tensor};

/// A kernel that does nothing.
const PROBE: &str = "extern \"C\" __global__ void probe() {}";

/// The first device, if it and the libraries do what a network needs of them.
pub fn first() -> Result<Device> {
    let device = Device::new_cuda(0)?;
    if let Device::Cuda(device) = &device {
        prepare(device)?;
    }
    #[cfg(feature = "cudnn")]
    let _version = candle_core::cuda::cudarc::cudnn::result::get_version(); // loads the library
    // One kernel: those of a build for another kind of GPU are refused here and not in the middle of a run.
    let one = Tensor::ones(1, DType::F32, &device)?;
    (one + 1.0)?.to_vec1::<f32>()?;
    Ok(device)
}

/// Sets options of the device that candle leaves at their defaults.
fn prepare(device: &CudaDevice) -> Result<()> {
    // SAFETY: candle waits for no event either, since it opens no stream of its own: a thread's work is in order by itself,
    // and what another thread made is only read after `synchronize`, as before.
    unsafe { device.disable_event_tracking() };
    if device.cuda_stream().context().has_async_alloc() {
        keep_memory(device)?;
    }
    // candle sends the sizes of a tensor that is not contiguous along with every kernel; so they stay there once sent. So
    // does other data below 4 kB that this thread sends: the indices of a batch, some 3 kB a step, to the program's end.
    std::mem::forget(device.enable_cuda_graph_htod_cache());
    // As above, of the code that `kernel` compiles.
    let code = compile_ptx(PROBE).map_err(|error| Error::Msg(format!("{error:?}")))?;
    device.get_or_load_custom_func("probe", "probe", &code.to_src()).map(|_| ())
}

/// Lets the driver keep freed memory for the next step; it would hand it back whenever the host waits for a result.
fn keep_memory(device: &CudaDevice) -> Result<()> {
    let mut all = u64::MAX;
    // SAFETY: the pool is the open device's own, and the attribute is a number of 64 bits.
    unsafe {
        let pool = get_default_mem_pool(device.cuda_stream().context().cu_device()).w()?;
        let threshold = CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        mem_pool::set_attribute(pool, threshold, (&raw mut all).cast()).w()
    }
}
