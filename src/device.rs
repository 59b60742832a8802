//! Where tensors live: a GPU if the build supports one and one responds, else the CPU; and settings that make a program
//! fast on the CPU.

#[cfg(feature = "cuda")]
mod gpu;

use crate::{Error, Result};
use candle_core::Device;

/// The device as asked for on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// A GPU if one responds, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first CUDA device, or an error.
    Cuda,
}

impl std::str::FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            _ => Err(Error::value("device", "auto, cpu or cuda", format!("`{text}`"))),
        }
    }
}

/// Spins before an idle worker sleeps. candle's default of 25,000 (a millisecond) keeps a core busy between operations,
/// and 0 makes it sleep after each one.
const SPINS: &str = "100";

/// `mi_option_purge_delay`, by its place in mimalloc's list, and its value for memory that is never given back.
const PURGE_DELAY: (libmimalloc_sys::mi_option_t, std::ffi::c_long) = (15, -1);

/// Prepares a program for networks on the CPU: the calling thread computes together with the workers instead of waking
/// them for every operation, idle workers of candle sleep, and mimalloc, where it is the program's allocator, keeps the
/// memory of one training step for the next. The small network trains 1.4 times as fast on two cores;
/// results are the same to the last bit.
///
/// A variable that is set already and a pool that exists already stay as they are.
///
/// # Safety
/// No other thread may run yet: one that reads the environment at the same time could read freed memory. The place for
/// this is the first line of `main`.
#[allow(unsafe_code)]
pub unsafe fn set_up() {
    const VARIABLE: &str = "CANDLE_BARRIER_POOL_SPIN_LIMIT";
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: as promised by the caller.
        unsafe { std::env::set_var(VARIABLE, SPINS) };
    }
    // SAFETY: the option exists in every release of mimalloc since 2.0, and takes any number.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY.0, PURGE_DELAY.1) };
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
}

/// Opens the chosen device.
///
/// # Errors
/// `Choice::Cuda` where the build has no `cuda` feature, a library of CUDA is missing, no device answers, or it cannot
/// run the kernels of this build.
pub fn open(choice: Choice) -> Result<Device> {
    match choice {
        Choice::Cpu => Ok(Device::Cpu),
        Choice::Cuda => cuda(),
        Choice::Auto => Ok(cuda().unwrap_or(Device::Cpu)),
    }
}

/// The name that goes into a run's log.
pub fn name(device: &Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Metal(_) => "metal",
    }
}

/// Whether a GPU may cut single precision to TF32 (10 bits of mantissa) in matrix products and convolutions; it may not
/// before this call.
///
/// The switch is candle's own and holds for the whole process; without the `cuda` feature it does nothing.
pub fn allow_tf32(allowed: bool) {
    candle_core::cuda::set_gemm_reduced_precision_f32(allowed);
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device> {
    Err(Error::value("--device", "a build with `--features cuda`", "a CPU build"))
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device> {
    use std::panic;
    // cudarc panics if a library is missing. Here that means no GPU, so it is caught and not printed as a crash.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let opened = panic::catch_unwind(gpu::first);
    panic::set_hook(hook);
    let found = match opened {
        Ok(Ok(device)) => return Ok(device),
        Ok(Err(error)) => error.to_string(),
        // The sentence before a list of thirty file names.
        Err(panic) => match panic.downcast_ref::<String>().and_then(|text| text.split(" - ").next()) {
            Some(text) => text.to_string(),
            None => "none".into(),
        },
    };
    Err(Error::value("--device", "a CUDA device, its driver, and CUDA's libraries in LD_LIBRARY_PATH", found))
}
