//! Fast device code under [`crate::model`]: convolution, batch norm, pooling, rectifiers and Adam, forward and backward.
//!
//! Maps are channels-last, `(b, h, w, c)`: the channels of a pixel lie side by side, so that a 1 x 1 convolution is one
//! matrix product on the numbers as they lie, and everything else works on whole vectors of channels.
//!
//! In f32 the operations here have their own code, forward and backward, on the CPU and (but for pooling) on a GPU;
//! elsewhere they are put together from candle's, with the same values. On a GPU 1 x 1 convolutions are candle's products
//! and other dense ones cuDNN's, where the build has the feature `cudnn`.
//!
//! [`transport`] compares two maps region by region, on the CPU; [`recurrent`] is a layer over time that looks at a map.

mod adam;
mod composed;
mod convolution;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "cudnn")]
mod cudnn;
mod depthwise;
mod exponential;
mod fold;
mod fresh;
mod gather;
mod geometry;
mod lane;
mod matrix;
mod norm;
mod pool;
mod product;
mod rectify;
pub mod recurrent;
mod scratch;
pub mod transport;
mod winograd;

pub use adam::{AdamStep, adam};
pub use convolution::conv2d;
pub use fold::{norm_scale, norm_shift, scale_filters};
pub use geometry::Window;
pub use norm::{Moments, batch_norm, moments};
pub use pool::{average_pool, max_pool};
pub use rectify::{Bounds, add, rectify};

use candle_core::{CpuStorage, DType, Layout, Result, Tensor, bail};
use geometry::Geometry;

/// Pictures as maps.
///
/// # Shapes
/// `(b, c, h, w)` in, `(b, h, w, c)` out.
///
/// # Errors
/// Another number of dimensions.
pub fn channels_last(pictures: &Tensor) -> Result<Tensor> {
    pictures.permute((0, 2, 3, 1))?.contiguous()
}

/// Whether a tensor is f32 on the CPU, which every operation here has code for.
fn is_native(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

/// Whether a tensor is f32 on the CPU or on a GPU, which most operations here have code for.
fn is_fused(x: &Tensor) -> bool {
    is_native(x) || is_on_gpu(x)
}

/// Whether a tensor is f32 on a GPU of this build.
fn is_on_gpu(x: &Tensor) -> bool {
    cfg!(feature = "cuda") && x.device().is_cuda() && x.dtype() == DType::F32
}

/// The values of a tensor that is contiguous.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("expected a contiguous tensor, found strides {:?}", layout.stride()),
    }
}

#[cfg(test)]
mod tests;
