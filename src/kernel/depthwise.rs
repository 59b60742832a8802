//! Depthwise convolution, line by line: too little work per pixel for a matrix product.

use super::{Geometry, im2col::inside};
use rayon::prelude::*;
use std::ops::Range;

/// One tap of the window over one output line: output columns, first input pixel, position of the weight.
struct Line {
    out: Range<usize>,
    from: usize,
    tap: usize,
}

/// Visits every (output line, tap) of a plane that reads inside the image.
fn for_lines(g: &Geometry, mut visit: impl FnMut(Line)) {
    let window = g.window;
    for tap_y in 0..g.kh {
        for tap_x in 0..g.kw {
            let offset = tap_x * window.dilation;
            let x = inside(offset, window.padding, window.stride, g.w, g.out_w);
            if x.is_empty() {
                continue;
            }
            for out_y in 0..g.out_h {
                let y = (out_y * window.stride + tap_y * window.dilation).checked_sub(window.padding);
                let Some(y) = y.filter(|y| *y < g.h) else { continue };
                let from = y * g.w + x.start * window.stride + offset - window.padding;
                let start = out_y * g.out_w;
                visit(Line { out: start + x.start..start + x.end, from, tap: tap_y * g.kw + tap_x });
            }
        }
    }
}

/// `output += tap * pixels`, plane by plane.
pub(super) fn forward(g: &Geometry, input: &[f32], weight: &[f32], output: &mut [f32]) {
    let (plane, taps, stride) = (g.h * g.w, g.kh * g.kw, g.window.stride);
    output.par_chunks_mut(g.area().max(1)).enumerate().for_each(|(i, output)| {
        let pixels = &input[i * plane..(i + 1) * plane];
        let weight = &weight[i % g.c * taps..][..taps];
        for_lines(g, |line| {
            let tap = weight[line.tap];
            let values = output[line.out].iter_mut();
            match stride {
                1 => values.zip(&pixels[line.from..]).for_each(|(value, pixel)| *value += tap * pixel),
                _ => values.zip(pixels[line.from..].iter().step_by(stride)).for_each(|(v, p)| *v += tap * p),
            }
        });
    });
}

/// `pixels += tap * grad`, plane by plane.
pub(super) fn input_gradient(g: &Geometry, weight: &[f32], grad: &[f32], output: &mut [f32]) {
    let (area, taps, stride) = (g.area(), g.kh * g.kw, g.window.stride);
    output.par_chunks_mut((g.h * g.w).max(1)).enumerate().for_each(|(i, pixels)| {
        let grad = &grad[i * area..(i + 1) * area];
        let weight = &weight[i % g.c * taps..][..taps];
        for_lines(g, |line| {
            let tap = weight[line.tap];
            let values = grad[line.out].iter();
            match stride {
                1 => values.zip(&mut pixels[line.from..]).for_each(|(value, pixel)| *pixel += tap * value),
                _ => values.zip(pixels[line.from..].iter_mut().step_by(stride)).for_each(|(v, p)| *p += tap * v),
            }
        });
    });
}

/// `sum over the batch of grad . pixels` for every tap; one channel is one task, so the order of the sum is fixed.
pub(super) fn weight_gradient(g: &Geometry, input: &[f32], grad: &[f32]) -> Vec<f32> {
    let (plane, area, taps) = (g.h * g.w, g.area(), g.kh * g.kw);
    let mut output = vec![0.0; g.weight_len()];
    output.par_chunks_mut(taps).enumerate().for_each(|(channel, sums)| {
        for image in 0..g.b {
            let at = image * g.c + channel;
            let (pixels, grad) = (&input[at * plane..(at + 1) * plane], &grad[at * area..(at + 1) * area]);
            for_lines(g, |line| sums[line.tap] += dot(&grad[line.out], &pixels[line.from..], g.window.stride));
        }
    });
    output
}

/// Eight partial sums, so that the compiler may keep them in one vector register.
fn dot(values: &[f32], pixels: &[f32], stride: usize) -> f32 {
    if stride != 1 {
        return values.iter().zip(pixels.iter().step_by(stride)).map(|(a, b)| a * b).sum();
    }
    let mut sums = [0.0_f32; 8];
    let pixels = &pixels[..values.len()];
    let (heads, tails) = (values.chunks_exact(8), pixels.chunks_exact(8));
    let rest: f32 = heads.remainder().iter().zip(tails.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in heads.zip(tails) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f32>() + rest
}
