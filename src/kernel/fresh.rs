//! Large results made chunk by chunk, each chunk zeroed where it is about to be filled.
#![allow(unsafe_code)]

use super::lane::{for_items, make_task, task_rows};
use std::ops::Range;

/// `len` numbers, `chunk` at a time: `make` is given the place of a chunk and its numbers, all zero.
///
/// `vec![0.0; len]` would send every zero through memory before the result follows; here they stay in the cache.
pub(super) fn make_chunks(len: usize, chunk: usize, make: impl Fn(usize, &mut [f32]) + Send + Sync) -> Vec<f32> {
    let mut out: Vec<f32> = Vec::with_capacity(len);
    let mut chunks: Vec<_> = out.spare_capacity_mut()[..len].chunks_mut(chunk.max(1)).collect();
    for_items(&mut chunks, |i, chunk| {
        chunk.iter_mut().for_each(|number| {
            number.write(0.0);
        });
        // SAFETY: every number of the chunk has just been written.
        make(i, unsafe { chunk.assume_init_mut() });
    });
    // SAFETY: the capacity is `len` or more, and the chunks, all of them written, cover the first `len` numbers.
    unsafe { out.set_len(len) };
    out
}

/// `rows` rows of `width` new numbers, task by task.
pub(super) fn make_rows(rows: usize, width: usize, make: impl Fn(Range<usize>, &mut [f32]) + Send + Sync) -> Vec<f32> {
    make_chunks(rows * width, task_rows(width) * width, |i, out| make_task(i, width, out, &make))
}
