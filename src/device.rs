//! Where tensors live: a GPU if the build has one and one answers, else the CPU; and how a program makes the best of the
//! CPU.

#[cfg(feature = "cuda")]
mod gpu;

use crate::{Error, Result};
use candle_core::Device;

/// The device as asked for on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// A GPU where one answers, else the CPU.
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

/// Turns of candle's waiting loop before a thread of its goes to sleep. Its own 25,000 (a millisecond) keep a core from
/// the operations in between, and 0 costs a sleep each time.
const SPINS: &str = "100";

/// `mi_option_purge_delay`, by its place in mimalloc's list, and its value for memory that is never given back.
const PURGE_DELAY: (libmimalloc_sys::mi_option_t, std::ffi::c_long) = (15, -1);

/// Readies a program for networks on the CPU: the calling thread computes with the others instead of waking them for every
/// operation, threads of candle's own do not wait for work at the cost of ours, and mimalloc, where it is the program's
/// allocator, keeps the memory of one training step for the next. The small network trains 1.4 times as fast on two cores;
/// results are the same to the last bit.
///
/// A variable that is set and a pool that exists stay as they are.
///
/// # Safety
/// No other thread runs yet: one that reads the environment meanwhile reads memory that moves. The place for this is the
/// first line of `main`.
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
/// until this says so.
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
    // cudarc panics where a library is missing. That is an answer here, so it is caught and not printed as a crash.
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
