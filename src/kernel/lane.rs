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

/// `make` for every task of rows: its row range and its part of the output.
pub(super) fn for_rows(out: &mut [f32], width: usize, make: impl Fn(Range<usize>, &mut [f32]) + Send + Sync) {
    let rows = task_rows(width);
    let chunk = |(i, out): (usize, &mut [f32])| {
        let first = i * rows;
        vectorise(
            #[inline(always)]
            || make(first..first + out.len() / width.max(1), out),
        );
    };
    out.par_chunks_mut(rows * width.max(1)).enumerate().for_each(chunk);
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
    let starts: Vec<usize> = (0..rows).step_by(task).collect();
    let of = |start: usize| {
        let mut sums = vec![0.0_f32; width];
        vectorise(
            #[inline(always)]
            || add(start..(start + task).min(rows), &mut sums),
        );
        sums
    };
    let parts: Vec<Vec<f32>> = starts.into_par_iter().map(of).collect();
    let mut total = vec![0.0_f64; width];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += f64::from(part));
    }
    total
}
