//! Where tensors live: a GPU if the build has one and one answers, else the CPU.

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

/// Opens the chosen device.
///
/// # Errors
/// `Choice::Cuda` where the build has no `cuda` feature or no device answers.
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

fn cuda() -> Result<Device> {
    if !cfg!(feature = "cuda") {
        return Err(Error::value("--device", "a build with `--features cuda`", "a CPU build"));
    }
    // cudarc panics where a driver library is missing; to the user that is "no device".
    std::panic::catch_unwind(|| Device::new_cuda(0))
        .map_err(|_| Error::value("--device", "a CUDA driver", "none"))?
        .map_err(Error::from)
}
