//! Depthwise convolution: too little work per number for a matrix product, so channels side by side in vectors.

use super::lane::vectorise;
use super::{Bounds, Geometry, geometry::Link};
use rayon::prelude::*;

/// Channels that are summed in registers.
const LANES: usize = 16;

/// Tasks that a weight gradient's batch is divided into; fixed, so that the sum does not depend on the thread count.
const PARTS: usize = 8;

/// `(c, 1, k, k')` as `(k k', c)`.
fn taps_first(g: &Geometry, weight: &[f32]) -> Vec<f32> {
    let taps = g.k[0] * g.k[1];
    let mut out = vec![0.0; weight.len()];
    for (channel, weight) in weight.chunks_exact(taps).enumerate() {
        weight.iter().enumerate().for_each(|(tap, value)| out[tap * g.c + channel] = *value);
    }
    out
}

/// `output = cut(sum over taps of weight * input + bias)`.
pub(super) fn forward(g: &Geometry, input: &[f32], weight: &[f32], bias: &[f32], bounds: Bounds, output: &mut [f32]) {
    let stencil = Stencil { width: g.size[1], channels: g.c, taps: g.k[1], links: [g.sources(0), g.sources(1)] };
    stencil.apply(input, g.input_len(), &taps_first(g, weight), bias, bounds, output);
}

/// The gradient to the input: every input pixel gathers from the outputs that read it.
pub(super) fn input_gradient(g: &Geometry, weight: &[f32], grad: &[f32], output: &mut [f32]) {
    let stencil = Stencil { width: g.out[1], channels: g.c, taps: g.k[1], links: [g.targets(0), g.targets(1)] };
    stencil.apply(grad, g.area() * g.c, &taps_first(g, weight), &vec![0.0; g.c], Bounds::NONE, output);
}

/// Which taps connect every row and column of the result with which rows and columns of the source.
struct Stencil {
    /// Columns of the source.
    width: usize,
    channels: usize,
    /// Columns of the window.
    taps: usize,
    links: [Vec<Vec<Link>>; 2],
}

impl Stencil {
    /// Makes the result row by row.
    fn apply(&self, source: &[f32], image_len: usize, weight: &[f32], bias: &[f32], bounds: Bounds, out: &mut [f32]) {
        let (rows, row_len) = (self.links[0].len(), self.links[1].len() * self.channels);
        out.par_chunks_mut(row_len.max(1)).enumerate().for_each(|(i, out)| {
            let image = &source[i / rows * image_len..][..image_len];
            vectorise(
                #[inline(always)]
                || self.row(image, &self.links[0][i % rows], weight, bias, bounds, out),
            );
        });
    }

    #[inline(always)]
    fn row(&self, image: &[f32], rows: &[Link], weight: &[f32], bias: &[f32], bounds: Bounds, out: &mut [f32]) {
        let whole = self.channels / LANES * LANES;
        for first in (0..whole).step_by(LANES) {
            for (x, pixel) in out.chunks_exact_mut(self.channels).enumerate() {
                let mut sums: [f32; LANES] = std::array::from_fn(|lane| bias[first + lane]);
                self.for_taps(rows, x, |tap, place| {
                    let (weight, values) = (&weight[tap + first..][..LANES], &image[place + first..][..LANES]);
                    sums.iter_mut().zip(weight.iter().zip(values)).for_each(|(sum, (w, v))| *sum += w * v);
                });
                pixel[first..first + LANES].iter_mut().zip(sums).for_each(|(out, sum)| *out = bounds.cut(sum));
            }
        }
        for (x, pixel) in out.chunks_exact_mut(self.channels).enumerate() {
            for channel in whole..self.channels {
                let mut sum = bias[channel];
                self.for_taps(rows, x, |tap, place| sum += weight[tap + channel] * image[place + channel]);
                pixel[channel] = bounds.cut(sum);
            }
        }
    }

    /// Visits the first weight and the first source number of every tap of a pixel.
    #[inline(always)]
    fn for_taps(&self, rows: &[Link], x: usize, mut visit: impl FnMut(usize, usize)) {
        for row in rows {
            let (tap, place) = (row.tap * self.taps, row.at * self.width);
            for column in &self.links[1][x] {
                visit((tap + column.tap) * self.channels, (place + column.at) * self.channels);
            }
        }
    }
}

/// `sum over the batch of grad * input` for every tap and channel, as `(c, 1, k, k')`.
pub(super) fn weight_gradient(g: &Geometry, input: &[f32], grad: &[f32]) -> Vec<f32> {
    let links = [g.sources(0), g.sources(1)];
    let rows = g.b * g.out[0];
    let part = rows.div_ceil(PARTS).max(1);
    let starts: Vec<usize> = (0..rows).step_by(part).collect();
    let sum = |start: usize| {
        let mut sums = vec![0.0; g.k[0] * g.k[1] * g.c];
        for row in start..(start + part).min(rows) {
            let (image, grad) = (&input[row / g.out[0] * g.input_len()..], &grad[row * g.out[1] * g.c..]);
            vectorise(
                #[inline(always)]
                || add_row(g, &links, row % g.out[0], image, grad, &mut sums),
            );
        }
        sums
    };
    let parts: Vec<Vec<f32>> = starts.into_par_iter().map(sum).collect();
    let mut total = vec![0.0; g.c * g.k[0] * g.k[1]];
    for (channel, total) in total.chunks_exact_mut(g.k[0] * g.k[1]).enumerate() {
        for (tap, total) in total.iter_mut().enumerate() {
            *total = parts.iter().map(|part| part[tap * g.c + channel]).sum();
        }
    }
    total
}

/// Adds one output row's products: `sums` is `(k k', c)`.
#[inline(always)]
fn add_row(g: &Geometry, links: &[Vec<Vec<Link>>; 2], y: usize, image: &[f32], grad: &[f32], sums: &mut [f32]) {
    for row in &links[0][y] {
        let line = &image[row.at * g.size[1] * g.c..][..g.size[1] * g.c];
        for (x, columns) in links[1].iter().enumerate() {
            let grad = &grad[x * g.c..][..g.c];
            for column in columns {
                let sums = &mut sums[(row.tap * g.k[1] + column.tap) * g.c..][..g.c];
                let values = &line[column.at * g.c..][..g.c];
                sums.iter_mut().zip(grad.iter().zip(values)).for_each(|(sum, (g, v))| *sum += g * v);
            }
        }
    }
}
