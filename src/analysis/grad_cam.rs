//! Which places of a picture a number of a network depends on.

use crate::{Error, Result};
use candle_core::Tensor;

/// Heat maps of scalars, a scalar a picture, over the last feature map.
///
/// ```text
/// alpha_c = mean over i, j of dy / dA_ijc        cam_ij = relu(sum over c of alpha_c A_ijc) / max over i, j
/// ```
///
/// `A` is the map and `y` the scalar. A map with nothing above 0 stays 0.
///
/// # Shapes
/// `map` and `gradient`, that of each picture's own scalar, `(b, h, w, c)`; out `(b, h, w)`, 0 to 1.
///
/// # Errors
/// A gradient of another shape than the map.
///
/// # References
/// Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-Based Localization, ICCV 2017, Eq. 1 and
/// 2; the division only makes pictures comparable.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let map = Tensor::new(&[[1f32, 0.0], [2.0, 3.0]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// let gradient = Tensor::new(&[[2f32, 0.0], [2.0, -2.0]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
/// // alpha is (2, -1): the sums are 2 and 1.
/// let found = retrace::analysis::grad_cam(&map, &gradient)?;
/// assert_eq!(found.flatten_all()?.to_vec1::<f32>()?, [1.0, 0.5]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn grad_cam(map: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let (b, ..) = map.dims4()?;
    if gradient.dims() != map.dims() {
        return Err(Error::value(
            "gradient",
            format!("{:?}, as the map", map.dims()),
            format!("{:?}", gradient.dims()),
        ));
    }
    let alpha = gradient.mean_keepdim((1, 2))?;
    let heat = map.broadcast_mul(&alpha)?.sum(3)?.relu()?;
    let most = heat.flatten_from(1)?.max_keepdim(1)?.reshape((b, 1, 1))?;
    // Where all is 0, 0 is divided by 1.
    let most = (&most + most.eq(0f64)?.to_dtype(most.dtype())?)?;
    Ok(heat.broadcast_div(&most)?)
}

/// How far two heat maps lie in the same places: the intersection of their weights over the union.
///
/// ```text
/// overlap = sum over i of min(a_i, b_i) / sum over i of max(a_i, b_i),    a and b each scaled to the sum 1
/// ```
///
/// # Shapes
/// `a` and `b`: the places of either map in one order, 0 or more; out 0 to 1, and 0 where a map has no weight at all.
///
/// # Errors
/// Maps of other lengths.
///
/// ```
/// use retrace::analysis::overlap;
/// assert_eq!(overlap(&[1.0, 1.0, 0.0, 0.0], &[0.0, 4.0, 4.0, 0.0])?, 1.0 / 3.0); // half of either: 0.5 of 1.5
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn overlap(a: &[f32], b: &[f32]) -> Result<f64> {
    if a.len() != b.len() {
        return Err(Error::value("places of a heat map", a.len(), b.len()));
    }
    let sums = [a, b].map(|map| map.iter().map(|value| f64::from(*value)).sum::<f64>());
    if sums.iter().any(|sum| *sum <= 0.0) {
        return Ok(0.0);
    }
    let (mut both, mut either) = (0.0, 0.0);
    for (x, y) in a.iter().zip(b).map(|(x, y)| (f64::from(*x) / sums[0], f64::from(*y) / sums[1])) {
        (both, either) = (both + x.min(y), either + x.max(y));
    }
    Ok(both / either)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    /// The scalar is the mean of channel 1: its weight is 1 over the places, and the map is that channel, to the maximum 1.
    #[test]
    fn the_map_of_a_channels_mean_is_the_channel() {
        let values: Vec<f32> = (0..2 * 3 * 3 * 4).map(|i| ((i * 7) % 11) as f32).collect();
        let map = Var::from_tensor(&Tensor::from_vec(values.clone(), (2, 3, 3, 4), &Device::Cpu).unwrap()).unwrap();
        let pooled = map.mean((1, 2)).unwrap().narrow(1, 1, 1).unwrap().sum_all().unwrap();
        let gradient = pooled.backward().unwrap().get(&map).unwrap().clone();
        let found = grad_cam(&map, &gradient).unwrap();
        assert_eq!(found.dims(), [2, 3, 3]);
        for (b, heat) in found.flatten_from(1).unwrap().to_vec2::<f32>().unwrap().iter().enumerate() {
            let channel: Vec<f32> = (0..9).map(|place| values[(b * 9 + place) * 4 + 1]).collect();
            let most = channel.iter().copied().fold(0.0, f32::max);
            assert!(heat.iter().zip(&channel).all(|(heat, value)| (heat - value / most).abs() < 1e-6), "{heat:?}");
        }
    }

    #[test]
    fn a_map_without_anything_above_zero_stays_zero() {
        let map = Tensor::new(&[[1f32, 2.0]], &Device::Cpu).unwrap().reshape((1, 1, 2, 1)).unwrap();
        let found = grad_cam(&map, &map.neg().unwrap()).unwrap();
        assert_eq!(found.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.0, 0.0]);
        assert!(grad_cam(&map, &map.reshape((1, 2, 1, 1)).unwrap()).is_err());
    }

    #[test]
    fn overlap_by_hand() {
        assert_eq!(overlap(&[0.5, 1.0], &[1.0, 2.0]).unwrap(), 1.0); // one is a multiple of the other
        assert_eq!(overlap(&[1.0, 0.0], &[0.0, 1.0]).unwrap(), 0.0);
        assert_eq!(overlap(&[0.0, 0.0], &[0.0, 1.0]).unwrap(), 0.0);
        assert!(overlap(&[1.0], &[1.0, 1.0]).is_err());
    }
}
