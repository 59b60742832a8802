//! Loops over numbers, compiled for every vector width and chosen at run time.

use rayon::prelude::*;
use std::ops::Range;

/// Runs a loop with the widest vectors that the machine has. Sums and products stay separate, so every width gives the
/// same bits.
#[inline(always)]
pub(super) fn vectorise<R>(run: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(run)
}

/// Numbers in a task: enough to pay for handing it out, few enough to stay in the second-level cache.
const TASK: usize = 1 << 15;

/// Rows of `width` numbers that make a task.
pub(super) fn task_rows(width: usize) -> usize {
    (TASK / width.max(1)).max(1)
}

/// `make` for every `len` numbers of `out`: the place of the chunk and the chunk.
///
/// One alone is made where it is asked for: handing it to another thread and waiting costs more than small ones take.
pub(super) fn for_chunks(out: &mut [f32], len: usize, make: impl Fn(usize, &mut [f32]) + Send + Sync) {
    let mut chunks: Vec<&mut [f32]> = out.chunks_mut(len.max(1)).collect();
    for_items(&mut chunks, |i, out| make(i, out));
}

/// `make` for every item.
pub(super) fn for_items<T: Send>(items: &mut [T], make: impl Fn(usize, &mut T) + Send + Sync) {
    if items.len() <= 1 || rayon::current_num_threads() == 1 {
        return items.iter_mut().enumerate().for_each(|(i, item)| make(i, item));
    }
    items.par_iter_mut().enumerate().for_each(|(i, item)| make(i, item));
}

/// One result a start, in order.
pub(super) fn map_parts<R: Send>(rows: usize, part: usize, make: impl Fn(Range<usize>) -> R + Send + Sync) -> Vec<R> {
    let part = part.max(1);
    let ranges: Vec<_> = (0..rows).step_by(part).map(|start| start..(start + part).min(rows)).collect();
    if ranges.len() <= 1 || rayon::current_num_threads() == 1 {
        return ranges.into_iter().map(make).collect();
    }
    ranges.into_par_iter().map(make).collect()
}

/// `make` for every task of rows: its row range and its part of the numbers.
pub(super) fn for_rows(out: &mut [f32], width: usize, make: impl Fn(Range<usize>, &mut [f32]) + Send + Sync) {
    for_chunks(out, task_rows(width) * width, |i, out| make_task(i, width, out, &make));
}

/// Fills task `i` of rows of `width` numbers.
pub(super) fn make_task(i: usize, width: usize, out: &mut [f32], make: impl Fn(Range<usize>, &mut [f32])) {
    let first = i * task_rows(width);
    vectorise(
        #[inline(always)]
        || make(first..first + out.len() / width.max(1), out),
    );
}

/// Sums over rows, task by task in f32, tasks in order in f64: the same for any number of threads.
///
/// `add` adds the rows of a range to `width` sums.
pub(super) fn sum_rows(
    rows: usize,
    width: usize,
    task: usize,
    add: impl Fn(Range<usize>, &mut [f32]) + Sync,
) -> Vec<f64> {
    let parts = map_parts(rows, task, |rows| {
        let mut sums = vec![0.0_f32; width];
        vectorise(
            #[inline(always)]
            || add(rows, &mut sums),
        );
        sums
    });
    let mut total = vec![0.0_f64; width];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += f64::from(part));
    }
    total
}
