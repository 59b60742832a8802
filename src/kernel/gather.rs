//! Pixels to rows and back: the copy that turns a convolution into a matrix product.

use super::Geometry;
use std::ops::Range;

/// Copies what the outputs `rows` see of one group into rows of `columns`: tap after tap, the group's channels of each.
///
/// Only the numbers `depth` of each row are made: `columns` is `rows.len()` x `depth.len()`.
pub(super) fn gather(
    g: &Geometry,
    input: &[f32],
    group: usize,
    rows: Range<usize>,
    depth: Range<usize>,
    columns: &mut [f32],
) {
    let whole = g.k[1] * g.part();
    for (row, out) in rows.zip(columns.chunks_exact_mut(depth.len().max(1))) {
        let place = RowPlace::new(g, row);
        for tap_y in depth.start / whole..depth.end.div_ceil(whole) {
            let start = tap_y * whole;
            let wanted = depth.start.max(start)..depth.end.min(start + whole);
            let line = &mut out[wanted.start - depth.start..wanted.end - depth.start];
            let wanted = wanted.start - start..wanted.end - start;
            match g.source(0, place.y, tap_y) {
                Some(y) => gather_line(g, &input[place.image * g.input_len()..], group, [y, place.x], wanted, line),
                None => line.fill(0.0),
            }
        }
    }
}

/// The numbers `wanted` of one line of taps.
fn gather_line(g: &Geometry, image: &[f32], group: usize, at: [usize; 2], wanted: Range<usize>, line: &mut [f32]) {
    let part = g.part();
    let first = at[0] * g.size[1];
    // Neighbouring taps are neighbours in memory: the line is one piece.
    if g.window.dilation == 1 && g.window.groups == 1 {
        let x = at[1] * g.window.stride;
        let before = g.window.padding[1][0];
        if x >= before && x - before + g.k[1] <= g.size[1] {
            let from = (first + x - before) * part;
            line.copy_from_slice(&image[from + wanted.start..from + wanted.end]);
            return;
        }
    }
    for tap in wanted.start / part..wanted.end.div_ceil(part) {
        let own = wanted.start.max(tap * part)..wanted.end.min((tap + 1) * part);
        let target = &mut line[own.start - wanted.start..own.end - wanted.start];
        match g.source(1, at[1], tap) {
            Some(x) => {
                let from = (first + x) * g.c + group * part + own.start - tap * part;
                target.copy_from_slice(&image[from..from + target.len()]);
            }
            None => target.fill(0.0),
        }
    }
}

/// Adds the rows of one image's `columns` back to the pixels they came from: the transpose of [`gather`].
pub(super) fn scatter(g: &Geometry, columns: &[f32], group: usize, image: &mut [f32]) {
    let part = g.part();
    for (row, values) in columns.chunks_exact(g.depth()).enumerate() {
        let place = RowPlace::new(g, row);
        let taps = (0..g.k[0]).flat_map(|y| (0..g.k[1]).map(move |x| (y, x)));
        for ((tap_y, tap_x), values) in taps.zip(values.chunks_exact(part)) {
            let (Some(y), Some(x)) = (g.source(0, place.y, tap_y), g.source(1, place.x, tap_x)) else { continue };
            let from = (y * g.size[1] + x) * g.c + group * part;
            image[from..from + part].iter_mut().zip(values).for_each(|(pixel, value)| *pixel += value);
        }
    }
}

/// Where an output row of the whole batch lies.
struct RowPlace {
    image: usize,
    y: usize,
    x: usize,
}

impl RowPlace {
    fn new(g: &Geometry, row: usize) -> Self {
        Self { image: row / g.area(), y: row % g.area() / g.out[1], x: row % g.out[1] }
    }
}
