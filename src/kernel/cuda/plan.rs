//! How much work a kernel's threads share, by sizes alone and not by the device, so that sums have one order everywhere.

use super::super::Geometry;
use candle_core::cuda::cudarc::driver::{DeviceRepr, LaunchConfig};

/// Threads of a block.
const BLOCK: u32 = 256; // a multiple of every GPU's 32; more of them do not speed up code without shared memory

/// Columns and row threads of a block that folds rows; as in `kernels.cu`.
const FOLD: [u32; 2] = [32, 16];

/// Threads that move together, of which `row_products` has a row for each such group.
pub(super) const LANES: usize = 32;

/// Rows that a block folds at the least: eight for each of its row threads.
const SPAN: usize = 128;

/// Threads that fill the largest GPUs.
const THREADS: usize = 1 << 18;

/// The largest count of an `int`, less a last block that is not full.
const LARGEST: usize = (1 << 31) - (1 << 22);

/// Whether kernels, which count with `int`, can count the tensors of an operation.
pub fn is_countable(sizes: &[usize]) -> bool {
    sizes.iter().all(|size| *size <= LARGEST)
}

/// One thread a number.
pub(super) fn for_each(count: usize) -> LaunchConfig {
    let blocks = (count as u32).div_ceil(BLOCK); // callers have asked `is_countable`, or add little to what is
    LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 }
}

/// One block for 32 columns and `span` rows.
pub(super) fn for_columns([rows, columns, span]: [usize; 3]) -> LaunchConfig {
    let grid_dim = ((columns as u32).div_ceil(FOLD[0]), rows.div_ceil(span) as u32, 1);
    LaunchConfig { grid_dim, block_dim: (FOLD[0], FOLD[1], 1), shared_mem_bytes: 0 }
}

/// Rows that one block folds where there are `rows` of them: at most 256 blocks, whose sums a second fold can take.
pub(super) fn span(rows: usize) -> usize {
    rows.div_ceil(256).max(SPAN)
}

/// Output pixels that one thread adds up for a depthwise weight's gradient.
pub(super) fn weight_span(g: &Geometry) -> usize {
    let parts = (THREADS / (g.c * g.k[0] * g.k[1]).max(1)).max(1);
    g.rows().div_ceil(parts).max(32) // fewer and adding the parts up would take longer than making them
}

/// Sizes of a depthwise convolution, as `kernels.cu` has them.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes([i32; 12]);

// SAFETY: twelve numbers side by side, the same on both sides.
unsafe impl DeviceRepr for Sizes {}

impl Sizes {
    pub fn new(g: &Geometry) -> Self {
        let Geometry { b, size, c, k, out, window, .. } = *g;
        let [[top, _], [left, _]] = window.padding;
        let all = [b, c, size[0], size[1], out[0], out[1], k[0], k[1], window.stride, window.dilation, top, left];
        Self(all.map(|size| size as i32)) // callers have asked `is_countable`
    }
}
