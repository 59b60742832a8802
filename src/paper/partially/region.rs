//! Regions of a feature map, as unit vectors, and how much alike they are.

use crate::model::l2_normalise;
use crate::{Error, Result};
use candle_core::{D, Tensor};

/// The places of feature maps as unit vectors, row by row; `grid` averages them into so many rows and columns first.
///
/// # Shapes
/// `maps` `(b, h, w, c)`; out `(b, m, c)` with m = h w, or grid squared.
///
/// # Errors
/// A grid that does not divide height and width.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use retrace::paper::partially::regions;
/// let maps = Tensor::ones((2, 4, 4, 9), DType::F32, &Device::Cpu)?;
/// assert_eq!(regions(&maps, None)?.dims(), [2, 16, 9]);
/// assert_eq!(regions(&maps, Some(2))?.dims(), [2, 4, 9]);
/// assert!(regions(&maps, Some(3)).is_err());
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn regions(maps: &Tensor, grid: Option<usize>) -> Result<Tensor> {
    let (b, h, w, c) = maps.dims4()?;
    let grid = grid.map_or([h, w], |side| [side; 2]);
    if grid.contains(&0) || h % grid[0] != 0 || w % grid[1] != 0 {
        return Err(Error::value("grid of regions", format!("a divisor of {h} and {w}"), grid[0]));
    }
    let m = grid[0] * grid[1];
    let means = maps.contiguous()?.reshape((b * grid[0], h / grid[0], grid[1], w / grid[1] * c))?.mean(1)?;
    let means = means.reshape((b * m, w / grid[1], c))?.mean(1)?;
    Ok(l2_normalise(&means)?.reshape((b, m, c))?)
}

/// Cosine of every region of every sketch with every region of every photo.
///
/// ```text
/// cos_ij = u_i . v_j
/// ```
///
/// # Shapes
/// `sketches` `(a, m, c)`, `photos` `(b, n, c)`, unit rows; out `(a, b, m, n)`, in `-1..=1`.
///
/// # Errors
/// Regions of another number of channels.
pub fn cosines(sketches: &Tensor, photos: &Tensor) -> Result<Tensor> {
    let ((a, m, c), (b, n, other)) = (sketches.dims3()?, photos.dims3()?);
    if c != other {
        return Err(Error::value("channels of a photo's regions", format!("{c}, as the sketch's have"), other));
    }
    let all = sketches.reshape((a * m, c))?.matmul(&photos.reshape((b * n, c))?.t()?)?;
    Ok(all.reshape((a, m, b, n))?.transpose(1, 2)?.contiguous()?)
}

/// The mean of the regions of each picture, of length 1 and below.
///
/// # Shapes
/// `(b, m, c)` in, `(b, c)` out.
///
/// # Errors
/// Another number of dimensions.
pub fn mean_region(regions: &Tensor) -> Result<Tensor> {
    regions.dims3()?;
    Ok(regions.mean(D::Minus2)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn tensor(shape: &[usize]) -> Tensor {
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 1.7 + 0.3).sin()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    #[test]
    fn regions_are_unit_means_of_their_cells() {
        let maps = tensor(&[2, 4, 6, 3]);
        let found = regions(&maps, Some(2)).unwrap();
        let mean = |y: usize, x: usize| maps.narrow(1, 2 * y, 2).unwrap().narrow(2, 3 * x, 3).unwrap();
        for (at, (y, x)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
            let cell = mean(y, x).mean(1).unwrap().mean(1).unwrap();
            let expected = l2_normalise(&cell).unwrap();
            let own = found.narrow(1, at, 1).unwrap().squeeze(1).unwrap();
            let worst = (own - expected).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(worst < 1e-6, "{at} {worst}");
        }
    }

    #[test]
    fn cosines_agree_with_a_loop() {
        let (u, v) = (regions(&tensor(&[2, 1, 3, 5]), None).unwrap(), regions(&tensor(&[3, 2, 1, 5]), None).unwrap());
        let found = cosines(&u, &v).unwrap();
        assert_eq!(found.dims(), [2, 3, 3, 2]);
        let (u, v) = (u.to_vec3::<f32>().unwrap(), v.to_vec3::<f32>().unwrap());
        for (a, b, i, j) in [(0, 0, 0, 0), (1, 2, 2, 1), (0, 1, 2, 0)] {
            let slow: f32 = (0..5).map(|k| u[a][i][k] * v[b][j][k]).sum();
            let cell = found.get(a).unwrap().get(b).unwrap().get(i).unwrap().get(j).unwrap();
            assert!((cell.to_scalar::<f32>().unwrap() - slow).abs() < 1e-6);
        }
        assert!(cosines(&tensor(&[1, 2, 5]), &tensor(&[1, 2, 4])).unwrap_err().to_string().contains("expected 5"));
    }

    #[test]
    fn a_map_of_one_place_is_one_region() {
        let one = Tensor::ones((1, 1, 1, 4), DType::F32, &Device::Cpu).unwrap();
        assert_eq!(regions(&one, None).unwrap().to_vec3::<f32>().unwrap(), [[[0.5; 4]]]);
    }
}
