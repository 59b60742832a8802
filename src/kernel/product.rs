//! Convolution as a matrix product of what each output sees and the weights.

use super::fresh::make_chunks;
use super::gather::{gather, scatter};
use super::lane::{for_chunks, map_parts, task_rows, vectorise};
use super::matrix::{Matrix, multiply};
use super::scratch::with_scratch;
use super::winograd::{self, WinogradWeight};
use super::{Bounds, Geometry};
use std::borrow::Cow;
use std::ops::Range;

/// Rows of a product: the packed weights are used at least this often, or packing them costs more than it saves.
const ROWS: usize = 256;

/// Numbers a weight gradient may have to be summed from parts of the batch; larger ones are divided by columns instead,
/// since the parts would have to be written and read again.
const PARTIAL: usize = 1 << 16;

/// Tasks that a weight gradient is divided into; fixed, so that the sum does not depend on the number of threads.
const TASKS: usize = 8;

/// Rows of transposed weights that are made together: what one line of the cache holds.
const TRANSPOSED: usize = 16;

/// `(d, part, k, k')` as `(groups, k, k', part, d / groups)`: in the order in which rows are gathered, and as the product
/// reads it without packing.
fn arrange(g: &Geometry, weight: &[f32]) -> Vec<f32> {
    let (taps, part, depth, d) = (g.k[0] * g.k[1], g.part(), g.depth(), g.group());
    let mut out = vec![0.0; weight.len()];
    for (group, out) in out.chunks_exact_mut((d * depth).max(1)).enumerate() {
        for_chunks(out, TRANSPOSED * d, |i, rows| {
            let first = i * TRANSPOSED;
            for (filter, weight) in weight[group * d * depth..].chunks_exact(depth).take(d).enumerate() {
                for (row, out) in rows.chunks_exact_mut(d).enumerate() {
                    let (tap, channel) = ((first + row) / part, (first + row) % part);
                    out[filter] = weight[channel * taps + tap];
                }
            }
        });
    }
    out
}

/// `(d, part, k, k')` as `(d, k, k', part)`.
fn taps_first<'a>(g: &Geometry, weight: &'a [f32]) -> Cow<'a, [f32]> {
    let (taps, part) = (g.k[0] * g.k[1], g.part());
    if taps == 1 || part == 1 {
        return Cow::Borrowed(weight);
    }
    let mut out = vec![0.0; weight.len()];
    for_chunks(&mut out, taps * part, |i, out| {
        let weight = &weight[i * taps * part..][..taps * part];
        for (channel, weight) in weight.chunks_exact(taps).enumerate() {
            weight.iter().enumerate().for_each(|(tap, value)| out[tap * part + channel] = *value);
        }
    });
    Cow::Owned(out)
}

/// `output = cut(rows(input) weight^T + bias)`.
pub(super) fn forward(g: &Geometry, input: &[f32], weight: &[f32], bias: &[f32], bounds: Bounds) -> Vec<f32> {
    if winograd::is_faster(g) {
        winograd::forward(g, input, WinogradWeight::Forward(weight), bias, bounds)
    } else {
        forward_arranged(g, input, &arrange(g, weight), bias, bounds)
    }
}

/// The same with weights as [`arrange`] makes them.
fn forward_arranged(g: &Geometry, input: &[f32], weight: &[f32], bias: &[f32], bounds: Bounds) -> Vec<f32> {
    let rows = task_rows(g.depth() + g.d).max(ROWS);
    make_chunks(g.rows() * g.d, rows * g.d, |i, output| {
        let rows = i * rows..i * rows + output.len() / g.d;
        for group in 0..g.window.groups {
            let weight = &weight[group * g.group() * g.depth()..][..g.group() * g.depth()];
            let weight = Matrix::new(weight, g.depth(), g.group());
            let output = &mut output[group * g.group()..];
            with_rows(g, input, group, rows.clone(), 0..g.depth(), |seen| multiply(output, g.d, seen, weight, false));
        }
        finish(output, bias, bounds);
    })
}

/// Adds the bias and cuts, while the numbers are still in the cache.
fn finish(output: &mut [f32], bias: &[f32], bounds: Bounds) {
    vectorise(
        #[inline(always)]
        || {
            for pixel in output.chunks_exact_mut(bias.len().max(1)) {
                pixel.iter_mut().zip(bias).for_each(|(value, bias)| *value = bounds.cut(*value + bias));
            }
        },
    );
}

/// Passes on the inputs of the outputs `rows` in one group: the pixels themselves if their layout fits, else gathered.
fn with_rows<R>(
    g: &Geometry,
    input: &[f32],
    group: usize,
    rows: Range<usize>,
    depth: Range<usize>,
    run: impl FnOnce(Matrix) -> R,
) -> R {
    if g.is_pointwise() {
        let seen = &input[rows.start * g.c + group * g.part() + depth.start..];
        return run(Matrix::strided(seen, rows.len(), depth.len(), g.c));
    }
    with_scratch(rows.len() * depth.len(), |columns| {
        gather(g, input, group, rows.clone(), depth.clone(), columns);
        run(Matrix::new(columns, rows.len(), depth.len()))
    })
}

/// The gradient to the input: a convolution with the weights turned round at stride 1, else rows scattered back.
pub(super) fn input_gradient(g: &Geometry, weight: &[f32], grad: &[f32]) -> Vec<f32> {
    match reversed(g) {
        // For a 1 x 1 window in one group the stored weights are already in the layout of the backward pass.
        Some(back) if g.is_pointwise() && g.window.groups == 1 => {
            forward_arranged(&back, grad, weight, &vec![0.0; back.d], Bounds::NONE)
        }
        Some(back) if winograd::is_faster(&back) => {
            winograd::forward(&back, grad, WinogradWeight::Turned(weight), &vec![0.0; back.d], Bounds::NONE)
        }
        Some(back) => forward(&back, grad, &turned(g, weight), &vec![0.0; back.d], Bounds::NONE),
        None => scattered(g, weight, grad),
    }
}

/// The convolution that carries gradients from output to input, where there is one.
fn reversed(g: &Geometry) -> Option<Geometry> {
    let window = g.window;
    if window.stride != 1 {
        return None;
    }
    let reach = |axis: usize| (g.k[axis] - 1) * window.dilation;
    let along = |axis: usize| {
        let [before, after] = window.padding[axis];
        Some([reach(axis).checked_sub(before)?, reach(axis).checked_sub(after)?])
    };
    let padding = [along(0)?, along(1)?];
    Some(Geometry { size: g.out, out: g.size, c: g.d, d: g.c, window: super::Window { padding, ..window }, ..*g })
}

/// `(d, part, k, k')` as `(c, d / groups, k, k')` with the taps in reverse.
fn turned(g: &Geometry, weight: &[f32]) -> Vec<f32> {
    let (taps, part, d) = (g.k[0] * g.k[1], g.part(), g.group());
    let mut out = vec![0.0; weight.len()];
    for_chunks(&mut out, d * taps, |channel, out| {
        let (group, own) = (channel / part, channel % part);
        for (i, out) in out.chunks_exact_mut(taps).enumerate() {
            let from = ((group * d + i) * part + own) * taps;
            out.iter_mut().zip(weight[from..from + taps].iter().rev()).for_each(|(out, weight)| *out = *weight);
        }
    });
    out
}

/// Image by image, `output = rows^-1(grad weight)`.
fn scattered(g: &Geometry, weight: &[f32], grad: &[f32]) -> Vec<f32> {
    let weight = taps_first(g, weight);
    let len = g.area() * g.d;
    make_chunks(g.b * g.input_len(), g.input_len(), |i, image| {
        let grad = &grad[i * len..][..len];
        for group in 0..g.window.groups {
            let weight = &weight[group * g.group() * g.depth()..][..g.group() * g.depth()];
            let weight = Matrix::new(weight, g.group(), g.depth());
            let grad = Matrix::strided(&grad[group * g.group()..], g.area(), g.group(), g.d);
            with_scratch(g.area() * g.depth(), |columns| {
                multiply(columns, g.depth(), grad, weight, false);
                scatter(g, columns, group, image);
            });
        }
    })
}

/// `sum over outputs of rows(input)^T grad`, as `(d, part, k, k')`.
pub(super) fn weight_gradient(g: &Geometry, input: &[f32], grad: &[f32]) -> Vec<f32> {
    if winograd::is_faster_backward(g) {
        return winograd::weight_gradient(g, input, grad);
    }
    let (depth, d) = (g.depth(), g.group());
    let mut output = vec![0.0; g.d * depth];
    for group in 0..g.window.groups {
        let sum = summed(g, input, grad, group);
        let own = &mut output[group * d * depth..(group + 1) * d * depth];
        taps_last(g, &sum, own);
    }
    output
}

/// `(k, k', part, d)` as `(d, part, k, k')`.
fn taps_last(g: &Geometry, sum: &[f32], out: &mut [f32]) {
    let (taps, part, depth, d) = (g.k[0] * g.k[1], g.part(), g.depth(), g.group());
    for_chunks(out, TRANSPOSED * depth, |i, filters| {
        for (row, sums) in sum.chunks_exact(d).enumerate() {
            let place = row % part * taps + row / part;
            for (out, sum) in filters[place..].iter_mut().step_by(depth).zip(&sums[i * TRANSPOSED..]) {
                *out = *sum;
            }
        }
    });
}

/// One group's sum as `(k, k', part, d)`: small ones from parts of the batch, large ones column by column.
fn summed(g: &Geometry, input: &[f32], grad: &[f32], group: usize) -> Vec<f32> {
    let (depth, d) = (g.depth(), g.group());
    let mut total = vec![0.0; depth * d];
    if total.is_empty() {
        return total;
    }
    if total.len() > PARTIAL {
        let columns = depth.div_ceil(TASKS);
        for_chunks(&mut total, columns * d, |i, sum| {
            let depth = i * columns..i * columns + sum.len() / d;
            add_products(g, input, grad, group, 0..g.rows(), depth, sum);
        });
        return total;
    }
    let parts = map_parts(g.rows(), g.rows().div_ceil(TASKS), |rows| {
        let mut sum = vec![0.0; depth * d];
        add_products(g, input, grad, group, rows, 0..depth, &mut sum);
        sum
    });
    for part in parts {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    total
}

/// Adds the products of some rows and some columns, in blocks that stay in the cache.
fn add_products(
    g: &Geometry,
    input: &[f32],
    grad: &[f32],
    group: usize,
    rows: Range<usize>,
    depth: Range<usize>,
    sum: &mut [f32],
) {
    let block = task_rows(depth.len() + g.group()).max(2 * ROWS); // the sums are read and written once a block
    for start in rows.clone().step_by(block) {
        let rows = start..(start + block).min(rows.end);
        let grad = Matrix::strided(&grad[start * g.d + group * g.group()..], rows.len(), g.group(), g.d);
        with_rows(g, input, group, rows, depth.clone(), |seen| {
            multiply(sum, g.group(), seen.transposed(), grad, true);
        });
    }
}
