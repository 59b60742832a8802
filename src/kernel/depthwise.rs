//! Depthwise convolution: too little work per number for a matrix product, so channels side by side in vectors.

use super::fresh::make_chunks;
use super::lane::{map_parts, vectorise};
use super::{Bounds, Geometry, geometry::Link};

/// Channels that are summed in registers side by side: enough to hide the time an addition takes.
const WIDE: usize = 64;

/// One register of the widest kind.
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
pub(super) fn forward(g: &Geometry, input: &[f32], weight: &[f32], bias: &[f32], bounds: Bounds) -> Vec<f32> {
    let stencil = Stencil::new(g, g.size[1], [g.sources(0), g.sources(1)]);
    stencil.apply(g.b, input, &taps_first(g, weight), bias, bounds)
}

/// The gradient to the input: every input pixel gathers from the outputs that read it.
pub(super) fn input_gradient(g: &Geometry, weight: &[f32], grad: &[f32]) -> Vec<f32> {
    let stencil = Stencil::new(g, g.out[1], [g.targets(0), g.targets(1)]);
    stencil.apply(g.b, grad, &taps_first(g, weight), &vec![0.0; g.c], Bounds::NONE)
}

/// Which taps connect every row and column of the result with which rows and columns of the source.
struct Stencil {
    /// Columns of the source.
    width: usize,
    channels: usize,
    /// Columns of the window.
    taps: usize,
    rows: Vec<Vec<Link>>,
    /// For every column of the result, its pattern and the source column that the pattern is relative to.
    columns: Vec<[usize; 2]>,
    /// Taps and relative source columns; inside of a map all columns share a few of them.
    patterns: Vec<Vec<Link>>,
}

impl Stencil {
    fn new(g: &Geometry, width: usize, [rows, links]: [Vec<Vec<Link>>; 2]) -> Self {
        let mut patterns: Vec<Vec<Link>> = Vec::new();
        let mut column = |links: Vec<Link>| {
            let first = links.iter().map(|link| link.at).min().unwrap_or(0);
            let pattern: Vec<Link> = links.iter().map(|link| Link { at: link.at - first, ..*link }).collect();
            let known = patterns.iter().position(|known| *known == pattern);
            let known = known.unwrap_or_else(|| {
                patterns.push(pattern);
                patterns.len() - 1
            });
            [known, first]
        };
        let columns = links.into_iter().map(&mut column).collect();
        Self { width, channels: g.c, taps: g.k[1], rows, columns, patterns }
    }

    /// Makes the results of `b` images row by row.
    fn apply(&self, b: usize, source: &[f32], weight: &[f32], bias: &[f32], bounds: Bounds) -> Vec<f32> {
        let (row_len, image_len) = (self.columns.len() * self.channels, source.len() / b.max(1));
        make_chunks(b * self.rows.len() * row_len, row_len, |i, out| {
            let image = &source[i / self.rows.len() * image_len..][..image_len];
            let patterns = self.patterns_of(&self.rows[i % self.rows.len()]);
            vectorise(
                #[inline(always)]
                || {
                    for (pixel, [pattern, first]) in out.chunks_exact_mut(self.channels).zip(&self.columns) {
                        let image = &image[first * self.channels..];
                        make_pixel(&patterns[*pattern], image, weight, bias, bounds, pixel);
                    }
                },
            );
        })
    }

    /// For every pattern, where the weights and the source numbers of its taps begin.
    fn patterns_of(&self, rows: &[Link]) -> Vec<Vec<[usize; 2]>> {
        let place = |row: &Link, column: &Link| {
            let (tap, at) = (row.tap * self.taps + column.tap, row.at * self.width + column.at);
            [tap * self.channels, at * self.channels]
        };
        let of = |columns: &Vec<Link>| rows.iter().flat_map(|row| columns.iter().map(move |c| place(row, c))).collect();
        self.patterns.iter().map(of).collect()
    }
}

/// All channels of a pixel: as many as fit in registers at a time, then the rest.
#[inline(always)]
fn make_pixel(taps: &[[usize; 2]], image: &[f32], weight: &[f32], bias: &[f32], bounds: Bounds, out: &mut [f32]) {
    let mut done = 0;
    done = make_lanes::<WIDE>(done, taps, image, weight, bias, bounds, out);
    done = make_lanes::<LANES>(done, taps, image, weight, bias, bounds, out);
    make_lanes::<1>(done, taps, image, weight, bias, bounds, out);
}

/// Channels from `done` on, `N` at a time, while there are as many; returns where it stopped.
#[inline(always)]
fn make_lanes<const N: usize>(
    mut done: usize,
    taps: &[[usize; 2]],
    image: &[f32],
    weight: &[f32],
    bias: &[f32],
    bounds: Bounds,
    out: &mut [f32],
) -> usize {
    while done + N <= out.len() {
        let mut sums: [f32; N] = std::array::from_fn(|lane| bias[done + lane]);
        for [tap, place] in taps {
            let (weight, values) = (&weight[tap + done..][..N], &image[place + done..][..N]);
            for lane in 0..N {
                sums[lane] += weight[lane] * values[lane];
            }
        }
        out[done..done + N].iter_mut().zip(sums).for_each(|(out, sum)| *out = bounds.cut(sum));
        done += N;
    }
    done
}

/// `sum over the batch of grad * input` for every tap and channel, as `(c, 1, k, k')`.
pub(super) fn weight_gradient(g: &Geometry, input: &[f32], grad: &[f32]) -> Vec<f32> {
    let links = [g.sources(0), g.sources(1)];
    let rows = g.b * g.out[0];
    let parts = map_parts(rows, rows.div_ceil(PARTS), |rows| {
        let mut sums = vec![0.0; g.k[0] * g.k[1] * g.c];
        for row in rows {
            let (image, grad) = (&input[row / g.out[0] * g.input_len()..], &grad[row * g.out[1] * g.c..]);
            vectorise(
                #[inline(always)]
                || add_row(g, &links, row % g.out[0], image, grad, &mut sums),
            );
        }
        sums
    });
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
