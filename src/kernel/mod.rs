//! Fast device code under [`crate::model`]. (Stand-in until the own convolution is merged.)

use candle_core::Tensor;

/// How a convolution's window moves over the picture, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Step, in pixels.
    pub stride: usize,
    /// Zeros added on every side, in pixels.
    pub padding: usize,
    /// Distance between neighbouring taps, in pixels.
    pub dilation: usize,
    /// Channel groups that do not see each other.
    pub groups: usize,
}

/// Convolves a batch of pictures.
///
/// # Shapes
/// `(b, c, h, w)` and `(k, c / groups, kernel h, kernel w)` in, `(b, k, h', w')` out.
///
/// # Errors
/// Shapes that do not fit.
pub fn conv2d(input: &Tensor, weight: &Tensor, window: Window) -> candle_core::Result<Tensor> {
    input.conv2d(weight, window.padding, window.stride, window.dilation, window.groups)
}
