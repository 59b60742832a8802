//! The same operations put together from candle's own: for devices and number types that have no fast path, and as a twin.

use super::{Bounds, Geometry, geometry::Window};
use candle_core::{Result, Tensor};

/// A sum over taps of shifted maps times weights.
///
/// candle's own convolution is not used: its gradient is slow, and wrong in shape where a stride does not divide the map.
pub(super) fn conv2d(x: &Tensor, weight: &Tensor, g: &Geometry) -> Result<Tensor> {
    let padded = pad(x, &g.window, 0.0)?;
    let mut sum: Option<Tensor> = None;
    for (tap_y, tap_x) in (0..g.k[0]).flat_map(|y| (0..g.k[1]).map(move |x| (y, x))) {
        let seen = shifted(&padded, g, [tap_y, tap_x])?;
        let weight = weight.narrow(2, tap_y, 1)?.narrow(3, tap_x, 1)?;
        let product = tap_product(&seen, &weight, g)?;
        sum = Some(match sum {
            Some(sum) => (sum + product)?,
            None => product,
        });
    }
    sum.map_or_else(|| Tensor::zeros(g.output_shape(), x.dtype(), x.device()), Ok)
}

/// `seen` `(b, h', w', c)` times `weight` `(d, c / groups, 1, 1)`.
fn tap_product(seen: &Tensor, weight: &Tensor, g: &Geometry) -> Result<Tensor> {
    if g.is_depthwise() {
        return seen.broadcast_mul(&weight.flatten_all()?);
    }
    let weight = weight.reshape((g.d, g.part()))?;
    let of_group = |group: usize| {
        let seen = seen.narrow(3, group * g.part(), g.part())?.reshape((g.rows(), g.part()))?;
        seen.matmul(&weight.narrow(0, group * g.group(), g.group())?.t()?)
    };
    let groups = (0..g.window.groups).map(of_group).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&groups, 1)?.reshape(g.output_shape())
}

/// `x` `(b, h, w, c)` with a border of `value`.
pub(super) fn pad(x: &Tensor, window: &Window, value: f64) -> Result<Tensor> {
    let mut x = x.clone();
    for (axis, sizes) in window.padding.into_iter().enumerate() {
        let border = |size: usize| {
            let mut dims = x.dims().to_vec();
            dims[axis + 1] = size;
            Tensor::full(value, dims, x.device())?.to_dtype(x.dtype())
        };
        let [before, after] = sizes.map(|size| (size > 0).then(|| border(size)).transpose());
        let pieces: Vec<Tensor> = [before?, Some(x.clone()), after?].into_iter().flatten().collect();
        x = Tensor::cat(&pieces, axis + 1)?;
    }
    Ok(x)
}

/// What one tap of the window reads for every output.
pub(super) fn shifted(padded: &Tensor, g: &Geometry, tap: [usize; 2]) -> Result<Tensor> {
    let mut x = padded.clone();
    for (axis, tap) in tap.into_iter().enumerate() {
        x = every(&x, axis + 1, tap * g.window.dilation, g.window.stride, g.out[axis])?;
    }
    Ok(x)
}

/// `count` slices, `stride` apart, from `start`.
fn every(x: &Tensor, axis: usize, start: usize, stride: usize, count: usize) -> Result<Tensor> {
    if stride == 1 {
        return x.narrow(axis, start, count);
    }
    let places: Vec<u32> = (0..count).map(|i| (start + i * stride) as u32).collect();
    x.contiguous()?.index_select(&Tensor::new(places, x.device())?, axis)
}

/// [`Bounds`] applied to every number.
pub(super) fn cut(x: &Tensor, bounds: Bounds) -> Result<Tensor> {
    let mut x = x.clone();
    for (limit, below) in [(bounds.low, true), (bounds.high, false)] {
        if limit.is_finite() {
            let limit = Tensor::full(limit, (), x.device())?.to_dtype(x.dtype())?.broadcast_as(x.shape())?;
            // Where a comparison fails the number stays, NaN too.
            let outside = if below { x.le(&limit)? } else { x.ge(&limit)? };
            x = outside.where_cond(&limit, &x)?;
        }
    }
    Ok(x)
}

/// The larger of all shifted maps; padding is as small as can be.
pub(super) fn max_pool(x: &Tensor, g: &Geometry) -> Result<Tensor> {
    over_taps(&pad(x, &g.window, f64::NEG_INFINITY)?, g, |best, seen| {
        // Ties and NaN stay where they were first, as in the fast path.
        let keep = (best.ge(seen)? + best.ne(best)?)?;
        keep.where_cond(best, seen)
    })
}

/// The mean of all shifted maps.
pub(super) fn average_pool(x: &Tensor, g: &Geometry) -> Result<Tensor> {
    if g.b > 0 && g.k == g.size && g.window.padding == [[0; 2]; 2] {
        return x.mean_keepdim((1, 2)); // one pass instead of one for every pixel: the last pool of each network
    }
    over_taps(&pad(x, &g.window, 0.0)?, g, |sum, seen| sum + seen)? / (g.k[0] * g.k[1]) as f64
}

fn over_taps(padded: &Tensor, g: &Geometry, join: impl Fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let mut joined = shifted(padded, g, [0, 0])?;
    for tap in (0..g.k[0]).flat_map(|y| (0..g.k[1]).map(move |x| [y, x])).skip(1) {
        joined = join(&joined, &shifted(padded, g, tap)?)?;
    }
    Ok(joined)
}
