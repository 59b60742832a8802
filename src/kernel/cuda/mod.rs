//! The operations beside this on a GPU, in f32: code of our own, compiled when the first of it is needed.
//!
//! candle puts each of them together from up to ten operations, every one of which starts a kernel and reads and writes
//! the whole map. Dense convolutions are not here but in [`super::cudnn`], products are candle's.
//!
//! There is one function for every kernel: numbers in, numbers out. What each computes is said in `kernels.cu`.
#![allow(unsafe_code)] // kernels take device pointers

mod elementwise;
mod fold;
mod launch;
mod plan;
mod window;

pub(super) use elementwise::{
    adam_mean, adam_move, cut_gradient, cut_shift, cut_sum, less_product, normalise, normalise_gradient,
    over_deviation, scale_rows,
};
pub(super) use fold::{column_products, column_squares, column_sums, row_products};
#[cfg(feature = "cudnn")]
pub(super) use launch::view;
pub(super) use launch::{Input, on_the_cpu, with};
pub(super) use plan::is_countable;
pub(super) use window::{depthwise, depthwise_to_input, depthwise_to_weight};
