//! How the regions of a picture lie to each other, and how far a sketch and its photo differ in it.

use crate::{Error, Result};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Which places of the two adjacency matrices are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adjacency {
    /// All alike: `N-Adj` of Table 4.
    Plain,
    /// By how much the regions there show the same in sketch and photo: Eq. 13, `W-Adj`.
    Weighted,
}

impl Adjacency {
    /// The difference of every sketch's adjacency from its own photo's.
    ///
    /// ```text
    /// A^u_ij = u_i . u_j / m^2,  A^v_ij = v_i . v_j / n^2
    /// d_G = sum over i, j of w_ij |A^u_ij - A^v_ij|
    /// w_ij = (u_i . v_i) (u_i . v_j) (u_j . v_i) (u_j . v_j), or 1
    /// ```
    ///
    /// Where the photo has another number of regions, its matrix and the products with it are brought to the sketch's by
    /// linear interpolation in both directions.
    ///
    /// # Shapes
    /// `sketches` `(b, m, c)`, `photos` `(b, n, c)`, unit rows, row i of both a pair; out `(b)`.
    ///
    /// # Errors
    /// Another number of pictures or of channels.
    ///
    /// # References
    /// Chowdhury et al., Partially Does It, CVPR 2022, Eq. 12 and 13.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use retrace::paper::partially::Adjacency;
    /// let sketch = Tensor::new(&[[[1.0_f32, 0.0], [0.0, 1.0]]], &Device::Cpu)?;
    /// let photo = Tensor::new(&[[[1.0_f32, 0.0], [1.0, 0.0]]], &Device::Cpu)?;
    /// // Of four places the two off the diagonal differ, by 1 / 4 each.
    /// assert_eq!(Adjacency::Plain.differences(&sketch, &photo)?.to_vec1::<f32>()?, [0.5]);
    /// assert_eq!(Adjacency::Weighted.differences(&sketch, &photo)?.to_vec1::<f32>()?, [0.0]);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn differences(self, sketches: &Tensor, photos: &Tensor) -> Result<Tensor> {
        let ((b, m, c), (others, n, channels)) = (sketches.dims3()?, photos.dims3()?);
        if (b, c) != (others, channels) {
            let expected = format!("{b} pictures of {c} channels, as the sketches have");
            return Err(Error::value("regions of photos", expected, format!("{others} of {channels}")));
        }
        let of = |x: &Tensor, y: &Tensor| x.matmul(&y.transpose(1, 2)?.contiguous()?);
        let (own, mut other) = ((of(sketches, sketches)? / (m * m) as f64)?, (of(photos, photos)? / (n * n) as f64)?);
        let mut cross = of(sketches, photos)?;
        if m != n {
            let spread = interpolation(n, m, sketches.device())?.to_dtype(sketches.dtype())?;
            let turned = spread.t()?.contiguous()?;
            other = spread.broadcast_matmul(&other)?.broadcast_matmul(&turned)?;
            cross = cross.broadcast_matmul(&turned)?;
        }
        let difference = (own - other)?.abs()?;
        let difference = match self {
            Self::Plain => difference,
            Self::Weighted => (difference * weights(&cross)?)?,
        };
        Ok(difference.sum((1, 2))?)
    }
}

/// `w_ij = C_ii C_ij C_ji C_jj` of the products C of sketch and photo.
fn weights(cross: &Tensor) -> Result<Tensor> {
    let m = cross.dim(1)?;
    let mine = (cross * Tensor::eye(m, cross.dtype(), cross.device())?.unsqueeze(0)?.broadcast_as(cross.shape())?)?;
    let mine = mine.sum_keepdim(2)?;
    let both = mine.broadcast_mul(&mine.transpose(1, 2)?.contiguous()?)?;
    Ok(((cross * cross.transpose(1, 2)?.contiguous()?)? * both)?)
}

/// The matrix that brings `from` values at even distances to `to`, linearly, ends to ends.
///
/// # Shapes
/// Out `(to, from)`, rows of sum 1.
fn interpolation(from: usize, to: usize, device: &Device) -> Result<Tensor> {
    let mut values = vec![0.0_f32; from * to];
    for (row, line) in values.chunks_mut(from).enumerate() {
        let place = if to > 1 { row as f32 * (from - 1) as f32 / (to - 1) as f32 } else { (from - 1) as f32 / 2.0 };
        let below = (place as usize).min(from - 1);
        let share = place - below as f32;
        line[below] += 1.0 - share;
        line[(below + 1).min(from - 1)] += share;
    }
    Ok(Tensor::from_vec(values, (to, from), device)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::partially::regions;
    use candle_core::Var;

    fn pictures(count: usize, places: usize, shift: f32) -> Tensor {
        let values: Vec<f32> = (0..count * places * 5).map(|i| ((i as f32 + shift) * 2.3).sin() + 0.4).collect();
        regions(&Tensor::from_vec(values, (count, places, 1, 5), &Device::Cpu).unwrap(), None).unwrap()
    }

    #[test]
    fn differences_agree_with_a_loop() {
        let (u, v) = (pictures(2, 4, 0.0), pictures(2, 4, 9.0));
        let (us, vs) = (u.to_vec3::<f32>().unwrap(), v.to_vec3::<f32>().unwrap());
        for adjacency in [Adjacency::Plain, Adjacency::Weighted] {
            let found = adjacency.differences(&u, &v).unwrap().to_vec1::<f32>().unwrap();
            for (b, found) in found.into_iter().enumerate() {
                let (u, v) = (&us[b], &vs[b]);
                let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f32>();
                let mut slow = 0.0;
                for i in 0..4 {
                    for j in 0..4 {
                        let weight = dot(&u[i], &v[i]) * dot(&u[i], &v[j]) * dot(&u[j], &v[i]) * dot(&u[j], &v[j]);
                        let weight = if adjacency == Adjacency::Plain { 1.0 } else { weight };
                        slow += weight * (dot(&u[i], &u[j]) - dot(&v[i], &v[j])).abs() / 16.0;
                    }
                }
                assert!((found - slow).abs() < 1e-5, "{adjacency:?} {found} {slow}");
            }
        }
    }

    #[test]
    fn interpolation_keeps_ends_and_lines() {
        let matrix = interpolation(3, 5, &Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(matrix[0], [1.0, 0.0, 0.0]);
        assert_eq!(matrix[1], [0.5, 0.5, 0.0]);
        assert_eq!(matrix[4], [0.0, 0.0, 1.0]);
        assert_eq!(interpolation(3, 1, &Device::Cpu).unwrap().to_vec2::<f32>().unwrap(), [[0.0, 1.0, 0.0]]);
        // Nine regions of a sketch against four of a photo that is all alike: its matrix stays constant.
        let flat = Tensor::new(&[[[1.0_f32, 0.0]; 4]], &Device::Cpu).unwrap();
        let nine = Tensor::new(&[[[1.0_f32, 0.0]; 9]], &Device::Cpu).unwrap();
        let found = Adjacency::Plain.differences(&nine, &flat).unwrap().to_vec1::<f32>().unwrap()[0];
        assert!((found - 81.0 * (1.0 / 16.0 - 1.0 / 81.0)).abs() < 1e-4, "{found}");
    }

    #[test]
    fn differences_refuse_other_pictures() {
        let error = Adjacency::Plain.differences(&pictures(2, 4, 0.0), &pictures(3, 4, 0.0)).unwrap_err().to_string();
        assert!(error.contains("2 pictures of 5 channels") && error.contains("3 of 5"), "{error}");
    }

    #[test]
    fn gradient_agrees_with_differences() {
        let base: Vec<f32> = (0..12).map(|i| (i as f32 * 1.3 + 0.2).sin() + 0.5).collect();
        let other = pictures(1, 3, 7.0).narrow(2, 0, 4).unwrap().contiguous().unwrap();
        let loss = |x: &Tensor| {
            let u = regions(&x.reshape((1, 3, 1, 4)).unwrap(), None).unwrap();
            Adjacency::Weighted.differences(&u, &other).unwrap().sum_all().unwrap()
        };
        let x = Var::from_vec(base.clone(), 12, &Device::Cpu).unwrap();
        let gradient = loss(x.as_tensor()).backward().unwrap();
        let gradient = gradient.get(&x).unwrap().to_vec1::<f32>().unwrap();
        for (i, found) in gradient.iter().enumerate() {
            let at = |by: f32| {
                let mut moved = base.clone();
                moved[i] += by;
                loss(&Tensor::from_vec(moved, 12, &Device::Cpu).unwrap()).to_scalar::<f32>().unwrap()
            };
            let slope = (at(1e-3) - at(-1e-3)) / 2e-3;
            assert!((slope - found).abs() < 2e-3, "{i} {slope} {found}");
        }
    }
}
