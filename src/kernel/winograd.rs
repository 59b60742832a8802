//! 3 x 3 convolutions at stride 1 with a quarter of the products: Winograd's F(4 x 4, 3 x 3).
//!
//! ```text
//! y = A' [(G w G') . (B' x B)] A     for every 6 x 6 tile x of the input and the 4 x 4 tile y of the output
//! ```
//!
//! The product in the middle is one matrix product over channels for each of the 36 places of a tile. Rounding is about
//! ten times that of a plain sum; a number that is not finite reaches every output of its tile.
//!
//! # References
//! Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, Sec. 4.

use super::fresh::make_chunks;
use super::lane::{for_chunks, for_items, vectorise};
use super::matrix::{Matrix, multiply};
use super::scratch::with_scratch;
use super::{Bounds, Geometry};

/// Side of an input tile.
const IN: usize = 6;
/// Side of an output tile.
const OUT: usize = 4;
/// Places of an input tile.
const PLACES: usize = IN * IN;

/// Channels that are transformed side by side: one register of the widest kind.
const LANES: usize = 16;

/// Tiles to a product: fewer and packing the weights costs more than it saves.
const TILES: usize = 64;

/// Channels on either side from which this is faster than a plain product (measured on maps of 4 to 32 pixels).
const CHANNELS: usize = 32;

/// Whether a convolution is done this way.
pub(super) fn is_faster(g: &Geometry) -> bool {
    let window = g.window;
    let is_square = g.k == [3, 3] && window.stride == 1 && window.dilation == 1 && window.groups == 1;
    // Work on tiles that hang over the border is wasted.
    let covered: usize = g.out.iter().map(|size| size.div_ceil(OUT) * OUT).product();
    let is_whole = g.c.is_multiple_of(LANES) && g.d.is_multiple_of(LANES);
    is_square && is_whole && g.c.min(g.d) >= CHANNELS && 2 * covered <= 3 * g.area()
}

/// How 3 x 3 weights lie in memory.
#[derive(Clone, Copy)]
pub(super) enum WinogradWeight<'a> {
    /// `(d, c, 3, 3)`.
    Forward(&'a [f32]),
    /// `(c, d, 3, 3)` with the taps in reverse: those of a convolution whose gradient this one carries.
    Turned(&'a [f32]),
}

impl WinogradWeight<'_> {
    /// The taps of one output and one input channel.
    #[inline(always)]
    fn taps(&self, g: &Geometry, output: usize, input: usize) -> [f32; 9] {
        match self {
            Self::Forward(values) => std::array::from_fn(|tap| values[(output * g.c + input) * 9 + tap]),
            Self::Turned(values) => std::array::from_fn(|tap| values[(input * g.d + output) * 9 + 8 - tap]),
        }
    }
}

/// Whether a weight gradient is done this way: with fewer tiles, most of the time goes into the 36 sums.
pub(super) fn is_faster_backward(g: &Geometry) -> bool {
    is_faster(g) && g.b * tile_grid(g).iter().product::<usize>() >= TILES
}

/// `output = cut(input * weight + bias)`.
pub(super) fn forward(g: &Geometry, input: &[f32], weight: WinogradWeight, bias: &[f32], bounds: Bounds) -> Vec<f32> {
    with_scratch(PLACES * g.c * g.d, |transformed| {
        transform_weight(g, weight, transformed);
        let grid = tile_grid(g);
        let images = TILES.div_ceil((grid[0] * grid[1]).max(1));
        make_chunks(g.rows() * g.d, images * g.area() * g.d, |i, output| {
            forward_images(g, &input[i * images * g.input_len()..], transformed, bias, bounds, output);
        })
    })
}

/// Some images, in rounds of as many tiles as make a product.
fn forward_images(g: &Geometry, input: &[f32], weight: &[f32], bias: &[f32], bounds: Bounds, output: &mut [f32]) {
    let grid = tile_grid(g);
    let tiles = output.len() / (g.area() * g.d) * grid[0] * grid[1];
    for first in (0..tiles).step_by(TILES) {
        let places: Vec<TilePlace> =
            (first..(first + TILES).min(tiles)).map(|tile| TilePlace::new(tile, grid)).collect();
        with_scratch(places.len() * PLACES * (g.c + g.d), |scratch| {
            let (seen, made) = scratch.split_at_mut(places.len() * PLACES * g.c);
            vectorise(
                #[inline(always)]
                || transform_input(g, input, &places, seen),
            );
            multiply_places(g, seen, weight, made);
            vectorise(
                #[inline(always)]
                || transform_output(g, made, &places, bias, bounds, output),
            );
        });
    }
}

fn tile_grid(g: &Geometry) -> [usize; 2] {
    g.out.map(|size| size.div_ceil(OUT))
}

/// An output tile: its image and its first pixel.
struct TilePlace {
    image: usize,
    at: [usize; 2],
}

impl TilePlace {
    fn new(tile: usize, grid: [usize; 2]) -> Self {
        let (row, column) = (tile / grid[1], tile % grid[1]);
        Self { image: row / grid[0], at: [row % grid[0] * OUT, column * OUT] }
    }
}

/// For each of the 36 places, tiles times channels.
fn multiply_places(g: &Geometry, seen: &[f32], weight: &[f32], made: &mut [f32]) {
    let tiles = seen.len() / (PLACES * g.c);
    for place in 0..PLACES {
        let seen = Matrix::strided(&seen[place * g.c..], tiles, g.c, PLACES * g.c);
        let weight = Matrix::new(&weight[place * g.c * g.d..][..g.c * g.d], g.c, g.d);
        multiply(&mut made[place * g.d..], PLACES * g.d, seen, weight, false);
    }
}

/// Numbers of neighbouring channels.
type Lanes = [f32; LANES];

/// `T' tile T` for the transform whose product with a line is `line`.
#[inline(always)]
fn transform<const I: usize, const O: usize>(
    tile: &[[Lanes; I]; I],
    line: impl Fn([f32; I]) -> [f32; O],
) -> [[Lanes; O]; O] {
    let mut half = [[[0.0; LANES]; O]; I];
    for (half, row) in half.iter_mut().zip(tile) {
        for lane in 0..LANES {
            let made = line(std::array::from_fn(|i| row[i][lane]));
            (0..O).for_each(|o| half[o][lane] = made[o]);
        }
    }
    let mut whole = [[[0.0; LANES]; O]; O];
    for column in 0..O {
        for lane in 0..LANES {
            let made = line(std::array::from_fn(|i| half[i][column][lane]));
            (0..O).for_each(|o| whole[o][column][lane] = made[o]);
        }
    }
    whole
}

/// `G w`: the polynomial's values at 0, 1, -1, 2, -2 and infinity, scaled.
#[inline(always)]
fn weight_line([a, b, c]: [f32; 3]) -> [f32; IN] {
    let (outer, far) = (a + c, a / 24.0 + c / 6.0);
    [a / 4.0, -(outer + b) / 6.0, (b - outer) / 6.0, far + b / 12.0, far - b / 12.0, c]
}

/// `B' x`.
#[inline(always)]
fn input_line([a, b, c, d, e, f]: [f32; IN]) -> [f32; IN] {
    let (near, near_odd) = (e - 4.0 * c, d - 4.0 * b);
    let (far, far_odd) = (e - c, 2.0 * (d - b));
    [4.0 * a - 5.0 * c + e, near + near_odd, near - near_odd, far + far_odd, far - far_odd, 4.0 * b - 5.0 * d + f]
}

/// `A' m`.
#[inline(always)]
fn output_line([a, b, c, d, e, f]: [f32; IN]) -> [f32; OUT] {
    let (near, near_odd, far, far_odd) = (b + c, b - c, d + e, d - e);
    [a + near + far, near_odd + 2.0 * far_odd, near + 4.0 * far, near_odd + 8.0 * far_odd + f]
}

/// `(d, c, 3, 3)` as `(36, c, d)`: as the product reads it, without packing.
fn transform_weight(g: &Geometry, weight: WinogradWeight, out: &mut [f32]) {
    // Some input channels of all 36 places are a task.
    let mut tasks: Vec<Vec<&mut [f32]>> = (0..g.c / LANES).map(|_| Vec::with_capacity(PLACES)).collect();
    for place in out.chunks_exact_mut((g.c * g.d).max(1)) {
        place.chunks_exact_mut(LANES * g.d).zip(&mut tasks).for_each(|(rows, task)| task.push(rows));
    }
    for_items(&mut tasks, |i, places| {
        vectorise(
            #[inline(always)]
            || transform_rows(g, weight, i * LANES, places),
        );
    });
}

/// The transformed weights of the input channels from `first` on.
#[inline(always)]
fn transform_rows(g: &Geometry, weight: WinogradWeight, first: usize, places: &mut [&mut [f32]]) {
    for output in (0..g.d).step_by(LANES) {
        for row in 0..LANES {
            let weights: [_; LANES] = std::array::from_fn(|lane| weight.taps(g, output + lane, first + row));
            let tap = |y, x| std::array::from_fn(|lane| weights[lane][3 * y + x]);
            let taps: [[[f32; LANES]; 3]; 3] = std::array::from_fn(|y| std::array::from_fn(|x| tap(y, x)));
            let tile = transform(&taps, weight_line);
            for (place, values) in places.iter_mut().zip(tile.as_flattened()) {
                place[row * g.d + output..][..LANES].copy_from_slice(values);
            }
        }
    }
}

/// The tiles' inputs as `(tiles, 36, c)`; zeros outside of the map.
#[inline(always)]
fn transform_input(g: &Geometry, input: &[f32], places: &[TilePlace], out: &mut [f32]) {
    for (place, out) in places.iter().zip(out.chunks_exact_mut(PLACES * g.c)) {
        let image = &input[place.image * g.input_len()..][..g.input_len()];
        let inside = |axis: usize, i: usize| {
            let at = (place.at[axis] + i).checked_sub(g.window.padding[axis][0]);
            at.filter(|at| *at < g.size[axis])
        };
        let pixels: [Option<usize>; PLACES] = std::array::from_fn(|i| {
            let (y, x) = (inside(0, i / IN)?, inside(1, i % IN)?);
            Some((y * g.size[1] + x) * g.c)
        });
        for first in (0..g.c).step_by(LANES) {
            let mut tile = [[[0.0; LANES]; IN]; IN];
            for (lanes, pixel) in tile.as_flattened_mut().iter_mut().zip(&pixels) {
                if let Some(pixel) = pixel {
                    lanes.copy_from_slice(&image[pixel + first..][..LANES]);
                }
            }
            for (place, values) in transform(&tile, input_line).as_flattened().iter().enumerate() {
                out[place * g.c + first..][..LANES].copy_from_slice(values);
            }
        }
    }
}

/// The tiles' products `(tiles, 36, d)` back to pixels.
#[inline(always)]
fn transform_output(
    g: &Geometry,
    made: &[f32],
    places: &[TilePlace],
    bias: &[f32],
    bounds: Bounds,
    output: &mut [f32],
) {
    for (place, made) in places.iter().zip(made.chunks_exact(PLACES * g.d)) {
        let image = &mut output[place.image * g.area() * g.d..][..g.area() * g.d];
        for first in (0..g.d).step_by(LANES) {
            let mut tile = [[[0.0; LANES]; IN]; IN];
            for (i, lanes) in tile.as_flattened_mut().iter_mut().enumerate() {
                lanes.copy_from_slice(&made[i * g.d + first..][..LANES]);
            }
            let tile = transform(&tile, output_line);
            for (y, row) in tile.iter().enumerate().take(g.out[0] - place.at[0]) {
                for (x, values) in row.iter().enumerate().take(g.out[1] - place.at[1]) {
                    let at = (place.at[0] + y) * g.out[1] + place.at[1] + x;
                    let (target, bias) = (&mut image[at * g.d + first..][..LANES], &bias[first..][..LANES]);
                    for lane in 0..LANES {
                        target[lane] = bounds.cut(values[lane] + bias[lane]);
                    }
                }
            }
        }
    }
}

/// Numbers that the transformed tiles of one round of a weight gradient may take: what a shared cache holds.
const ROUND: usize = 1 << 21;

/// `sum over outputs of input grad`, as `(d, c, 3, 3)`: the same transforms the other way round.
///
/// ```text
/// to w = G' [sum over tiles of (B' x B) . (A g A')] G
/// ```
pub(super) fn weight_gradient(g: &Geometry, input: &[f32], grad: &[f32]) -> Vec<f32> {
    let grid = tile_grid(g);
    let tiles = g.b * grid[0] * grid[1];
    let round = (ROUND / (PLACES * (g.c + g.d))).max(TILES);
    with_scratch(PLACES * g.c * g.d, |sums| {
        sums.fill(0.0);
        for first in (0..tiles).step_by(round) {
            let places: Vec<TilePlace> =
                (first..(first + round).min(tiles)).map(|tile| TilePlace::new(tile, grid)).collect();
            with_scratch(places.len() * PLACES * (g.c + g.d), |scratch| {
                let (seen, slopes) = scratch.split_at_mut(places.len() * PLACES * g.c);
                add_round(g, input, grad, &places, [seen, slopes], sums);
            });
        }
        gather_weight(g, sums)
    })
}

/// Adds the products of some tiles, place by place.
fn add_round(g: &Geometry, input: &[f32], grad: &[f32], places: &[TilePlace], room: [&mut [f32]; 2], sums: &mut [f32]) {
    let [seen, slopes] = room;
    for_chunks(seen, PLACES * g.c, |i, seen| {
        vectorise(
            #[inline(always)]
            || transform_input(g, input, &places[i..=i], seen),
        );
    });
    for_chunks(slopes, PLACES * g.d, |i, slopes| {
        vectorise(
            #[inline(always)]
            || transform_gradient(g, grad, &places[i], slopes),
        );
    });
    for_chunks(sums, g.c * g.d, |place, sums| {
        let seen = Matrix::strided(&seen[place * g.c..], places.len(), g.c, PLACES * g.c);
        let slopes = Matrix::strided(&slopes[place * g.d..], places.len(), g.d, PLACES * g.d);
        multiply(sums, g.d, seen.transposed(), slopes, true);
    });
}

/// `A g`: the transpose of [`output_line`].
#[inline(always)]
fn gradient_line([a, b, c, d]: [f32; OUT]) -> [f32; IN] {
    let (near, near_odd, far, far_odd) = (a + c, b + d, a + 4.0 * c, 2.0 * b + 8.0 * d);
    [a, near + near_odd, near - near_odd, far + far_odd, far - far_odd, d]
}

/// `G' m`: the transpose of [`weight_line`].
#[inline(always)]
fn tap_line([a, b, c, d, e, f]: [f32; IN]) -> [f32; 3] {
    let (near, far) = (b + c, d + e);
    [a / 4.0 - near / 6.0 + far / 24.0, (c - b) / 6.0 + (d - e) / 12.0, f - near / 6.0 + far / 6.0]
}

/// One tile's output gradient as `(36, d)`; zeros where the tile hangs over the border.
#[inline(always)]
fn transform_gradient(g: &Geometry, grad: &[f32], place: &TilePlace, out: &mut [f32]) {
    let image = &grad[place.image * g.area() * g.d..][..g.area() * g.d];
    for first in (0..g.d).step_by(LANES) {
        let mut tile = [[[0.0; LANES]; OUT]; OUT];
        for (y, row) in tile.iter_mut().enumerate().take(g.out[0] - place.at[0]) {
            for (x, lanes) in row.iter_mut().enumerate().take(g.out[1] - place.at[1]) {
                let at = (place.at[0] + y) * g.out[1] + place.at[1] + x;
                lanes.copy_from_slice(&image[at * g.d + first..][..LANES]);
            }
        }
        for (place, values) in transform(&tile, gradient_line).as_flattened().iter().enumerate() {
            out[place * g.d + first..][..LANES].copy_from_slice(values);
        }
    }
}

/// The sums `(36, c, d)` back to `(d, c, 3, 3)`.
fn gather_weight(g: &Geometry, sums: &[f32]) -> Vec<f32> {
    make_chunks(g.d * g.c * 9, LANES * g.c * 9, |i, out| {
        vectorise(
            #[inline(always)]
            || {
                for channel in 0..g.c {
                    let mut tile = [[[0.0; LANES]; IN]; IN];
                    for (place, lanes) in tile.as_flattened_mut().iter_mut().enumerate() {
                        lanes.copy_from_slice(&sums[(place * g.c + channel) * g.d + i * LANES..][..LANES]);
                    }
                    let taps = transform(&tile, tap_line);
                    for (lane, out) in out.chunks_exact_mut(g.c * 9).enumerate() {
                        (0..9).for_each(|tap| out[channel * 9 + tap] = taps[tap / 3][tap % 3][lane]);
                    }
                }
            },
        );
    })
}
