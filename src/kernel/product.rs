//! Convolution as packed columns times weights, several images to a product.

use super::matrix::{Matrix, multiply};
use super::{Geometry, im2col};
use rayon::prelude::*;
use std::ops::Range;

/// Columns a product should have at least: below this the weights are packed again and again for little work
/// (measured: 4 x 4 maps, one image a product, run at a quarter of the speed).
const COLUMNS: usize = 512;

/// Parts that a weight gradient's batch is divided into; fixed, so that the sum does not depend on the thread count.
const PARTS: usize = 4;

impl Geometry {
    fn rows(&self) -> usize {
        self.c / self.window.groups * self.kh * self.kw
    }

    fn group_channels(&self, group: usize) -> Range<usize> {
        let part = self.c / self.window.groups;
        group * part..(group + 1) * part
    }

    /// Images to a product.
    fn block(&self) -> usize {
        COLUMNS.div_ceil(self.area().max(1)).clamp(1, self.b.max(1))
    }

    /// Whether the columns are the image itself.
    fn is_pointwise(&self) -> bool {
        let window = self.window;
        self.kh == 1 && self.kw == 1 && window.stride == 1 && window.padding == 0
    }
}

/// `output = weight * columns(input)`.
pub(super) fn forward(g: &Geometry, input: &[f32], weight: &[f32], output: &mut [f32]) {
    let block = g.block();
    if output.is_empty() {
        return;
    }
    output.par_chunks_mut(block * g.output_len()).enumerate().for_each(|(i, output)| {
        let images = input[i * block * g.input_len()..].chunks_exact(g.input_len()).take(output.len() / g.output_len());
        for group in 0..g.window.groups {
            forward_block(g, group, images.clone(), weight, output);
        }
    });
}

fn forward_block<'a>(
    g: &Geometry,
    group: usize,
    images: impl ExactSizeIterator<Item = &'a [f32]> + Clone,
    weight: &[f32],
    output: &mut [f32],
) {
    let (d, rows, count) = (g.d / g.window.groups, g.rows(), images.len());
    let weight = Matrix::new(&weight[group * d * rows..(group + 1) * d * rows], d, rows);
    let columns = gather(g, group, images);
    if count == 1 {
        let own = &mut output[group * d * g.area()..(group + 1) * d * g.area()];
        return multiply(own, weight, Matrix::new(&columns, rows, g.area()), false);
    }
    let mut product = vec![0.0; d * count * g.area()];
    multiply(&mut product, weight, Matrix::new(&columns, rows, count * g.area()), false);
    for (channel, line) in product.chunks_exact(count * g.area()).enumerate() {
        for (image, part) in line.chunks_exact(g.area()).enumerate() {
            let at = image * g.output_len() + (group * d + channel) * g.area();
            output[at..at + g.area()].copy_from_slice(part);
        }
    }
}

/// The column matrix of several images side by side.
fn gather<'a>(g: &Geometry, group: usize, images: impl ExactSizeIterator<Item = &'a [f32]>) -> Vec<f32> {
    let row_len = images.len() * g.area();
    let channels = g.group_channels(group);
    if g.is_pointwise() && row_len == g.area() {
        let area = g.area();
        return images.flat_map(|image| &image[channels.start * area..channels.end * area]).copied().collect();
    }
    let mut columns = vec![0.0; g.rows() * row_len];
    for (i, image) in images.enumerate() {
        im2col::gather(g, image, channels.clone(), &mut columns, row_len, i * g.area());
    }
    columns
}

/// The outgoing gradient of one group of several images: channels down, images side by side.
fn gather_gradient<'a>(g: &Geometry, group: usize, grads: impl ExactSizeIterator<Item = &'a [f32]>) -> Vec<f32> {
    let (d, row_len) = (g.d / g.window.groups, grads.len() * g.area());
    let mut whole = vec![0.0; d * row_len];
    for (i, grad) in grads.enumerate() {
        for channel in 0..d {
            let from = (group * d + channel) * g.area();
            let to = channel * row_len + i * g.area();
            whole[to..to + g.area()].copy_from_slice(&grad[from..from + g.area()]);
        }
    }
    whole
}

/// `output = columns^-1(weight^T * grad)`.
pub(super) fn input_gradient(g: &Geometry, weight: &[f32], grad: &[f32], output: &mut [f32]) {
    let (block, d, rows) = (g.block(), g.d / g.window.groups, g.rows());
    if output.is_empty() {
        return;
    }
    output.par_chunks_mut(block * g.input_len()).enumerate().for_each(|(i, output)| {
        let count = output.len() / g.input_len();
        let grads = grad[i * block * g.output_len()..].chunks_exact(g.output_len()).take(count);
        let row_len = count * g.area();
        let mut columns = vec![0.0; rows * row_len];
        for group in 0..g.window.groups {
            let weight = Matrix::new(&weight[group * d * rows..(group + 1) * d * rows], d, rows);
            let grads = gather_gradient(g, group, grads.clone());
            multiply(&mut columns, weight.transposed(), Matrix::new(&grads, d, row_len), false);
            for (image, pixels) in output.chunks_exact_mut(g.input_len()).enumerate() {
                im2col::scatter(g, &columns, g.group_channels(group), pixels, row_len, image * g.area());
            }
        }
    });
}

/// `sum over the batch of grad * columns(input)^T`.
pub(super) fn weight_gradient(g: &Geometry, input: &[f32], grad: &[f32]) -> Vec<f32> {
    let part = g.b.div_ceil(PARTS).max(1);
    let starts: Vec<usize> = (0..g.b).step_by(part).collect();
    let parts: Vec<Vec<f32>> =
        starts.into_par_iter().map(|start| weight_part(g, input, grad, start..(start + part).min(g.b))).collect();
    let mut sum = vec![0.0; g.weight_len()];
    for values in parts {
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    sum
}

fn weight_part(g: &Geometry, input: &[f32], grad: &[f32], images: Range<usize>) -> Vec<f32> {
    let (d, rows) = (g.d / g.window.groups, g.rows());
    let mut sum = vec![0.0; g.weight_len()];
    for start in images.clone().step_by(g.block()) {
        let count = g.block().min(images.end - start);
        let images = input[start * g.input_len()..].chunks_exact(g.input_len()).take(count);
        let grads = grad[start * g.output_len()..].chunks_exact(g.output_len()).take(count);
        let row_len = count * g.area();
        for group in 0..g.window.groups {
            let columns = gather(g, group, images.clone());
            let grads = gather_gradient(g, group, grads.clone());
            let own = &mut sum[group * d * rows..(group + 1) * d * rows];
            multiply(own, Matrix::new(&grads, d, row_len), Matrix::new(&columns, rows, row_len).transposed(), true);
        }
    }
    sum
}
