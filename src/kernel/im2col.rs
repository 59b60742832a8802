//! Pixels to columns and back: the copy that turns a convolution into a matrix product.

use super::Geometry;

/// The output columns `x` whose input column `x * stride + offset - padding` is inside `0..size`.
pub(super) fn inside(offset: usize, padding: usize, stride: usize, size: usize, out: usize) -> std::ops::Range<usize> {
    let first = padding.saturating_sub(offset).div_ceil(stride);
    let last = (size + padding).saturating_sub(offset).div_ceil(stride);
    first.min(out)..last.min(out).max(first.min(out))
}

/// Copies channels `channels` of one image into rows of `columns`: row = (channel, tap), column = output position.
///
/// `columns` has `row_len` values a row, of which this image owns `start..start + area`.
pub(super) fn gather(
    g: &Geometry,
    image: &[f32],
    channels: std::ops::Range<usize>,
    columns: &mut [f32],
    row_len: usize,
    start: usize,
) {
    for_rows(g, channels, |row, from, out_y, x| {
        let target = row * row_len + start + out_y * g.out_w;
        let line = &mut columns[target..target + g.out_w];
        line.fill(0.0);
        if let Some(from) = from {
            copy_strided(&mut line[x.clone()], &image[from..], g.window.stride);
        }
    });
}

/// Adds rows of `columns` back to the pixels they came from: the transpose of [`gather`].
pub(super) fn scatter(
    g: &Geometry,
    columns: &[f32],
    channels: std::ops::Range<usize>,
    image: &mut [f32],
    row_len: usize,
    start: usize,
) {
    for_rows(g, channels, |row, from, out_y, x| {
        let Some(from) = from else { return };
        let source = row * row_len + start + out_y * g.out_w;
        let line = &columns[source + x.start..source + x.end];
        for (value, pixel) in line.iter().zip(image[from..].iter_mut().step_by(g.window.stride)) {
            *pixel += value;
        }
    });
}

/// Visits every line of the column matrix: its row, the first pixel it reads (none where the line lies in the
/// padding), its output line, and the output columns that lie inside the image.
fn for_rows(
    g: &Geometry,
    channels: std::ops::Range<usize>,
    mut visit: impl FnMut(usize, Option<usize>, usize, std::ops::Range<usize>),
) {
    let window = g.window;
    let mut row = 0;
    for channel in channels {
        for tap_y in 0..g.kh {
            for tap_x in 0..g.kw {
                let offset = tap_x * window.dilation;
                let x = inside(offset, window.padding, window.stride, g.w, g.out_w);
                for out_y in 0..g.out_h {
                    let y = (out_y * window.stride + tap_y * window.dilation).checked_sub(window.padding);
                    let from = y
                        .filter(|y| *y < g.h && !x.is_empty())
                        .map(|y| (channel * g.h + y) * g.w + x.start * window.stride + offset - window.padding);
                    visit(row, from, out_y, x.clone());
                }
                row += 1;
            }
        }
    }
}

fn copy_strided(line: &mut [f32], pixels: &[f32], stride: usize) {
    if stride == 1 {
        line.copy_from_slice(&pixels[..line.len()]);
    } else {
        line.iter_mut().zip(pixels.iter().step_by(stride)).for_each(|(value, pixel)| *value = *pixel);
    }
}
