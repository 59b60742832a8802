//! How far the regions of a photo are from those of a sketch: the distances of Tables 1 to 4.

use super::region::{cosines, mean_region};
use crate::kernel::transport::{Goal, Solver, TransportConfig, transport};
use crate::model::l2_normalise;
use crate::{Error, Result};
use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

/// How much mass each region has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Masses {
    /// By how much it resembles the other picture as a whole: Eq. 10.
    #[default]
    CrossReference,
    /// All the same.
    Uniform,
}

/// Optimal transport between regions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportMatching {
    /// Masses of the regions.
    pub masses: Masses,
    /// How the plan is found.
    pub solver: Solver,
    /// Whether the plan is the cheapest or, as the supplement's listing has it, the dearest.
    pub goal: Goal,
}

/// A distance between two sets of regions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Matching {
    /// The cosine of the mean regions: the baseline, and of attended regions `Local-Self-Attn`.
    Average,
    /// The mean of all costs, which is 1 less the product of the mean regions.
    Costs,
    /// Every region of the sketch with the nearest of the photo: `Local-Align`.
    Nearest,
    /// The two regions of the pair that are nearest, alone: `Local-MIL`.
    Single,
    /// Maximum mean discrepancy of the two sets: `Ours-Local-MMD`.
    Discrepancy,
    /// Optimal transport: `Ours-Local-OT`, `Proposed`.
    Transport(TransportMatching),
}

/// Twice the squares of the widths of [`Matching::Discrepancy`]'s Gaussian kernels; squared distances of unit vectors lie in
/// 0 to 4.
const WIDTHS: [f64; 5] = [0.125, 0.25, 0.5, 1.0, 2.0];

/// Added to every mass, so that none is 0 (supplement, listing).
const MASS: f64 = 1e-3;

impl Matching {
    /// The distance of every photo from every sketch.
    ///
    /// ```text
    /// c_ij = 1 - u_i . v_j
    /// Average      1 - u . v / (|u| |v|) of the mean regions u, v
    /// Costs        1 / (m n) sum over i, j of c_ij = 1 - u . v
    /// Nearest      1 / m sum over i of min over j of c_ij
    /// Single       min over i, j of c_ij
    /// Discrepancy  mean k(u, u') + mean k(v, v') - 2 mean k(u, v),  k(x, y) = mean over w of exp(-|x - y|^2 / w)
    /// Transport    sum over i, j of c_ij x_ij,  x = argmin of the same over plans with row sums s and column sums d
    ///              s_i ~ max(u_i . sum over j of v_j, 0) + 1e-3,  d_j ~ max(v_j . sum over i of u_i, 0) + 1e-3
    /// ```
    ///
    /// The masses of either side are scaled to a sum of 1, which takes the place of Eq. 4's factor 1 / (m n): cut at 0, they
    /// have different sums, and a plan needs equal ones.
    ///
    /// # Shapes
    /// `sketches` `(a, m, c)`, `photos` `(b, n, c)`, unit rows; out `(a, b)`, 0 or more but for rounding.
    ///
    /// # Errors
    /// Regions of another number of channels.
    ///
    /// # References
    /// Chowdhury et al., Partially Does It, CVPR 2022, Eq. 4 to 10 and its supplement, Algorithm 1.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use retrace::paper::partially::Matching;
    /// // Both pictures show the same two things, in another order.
    /// let sketch = Tensor::new(&[[[1.0_f32, 0.0], [0.0, 1.0]]], &Device::Cpu)?;
    /// let photo = Tensor::new(&[[[0.0_f32, 1.0], [1.0, 0.0]]], &Device::Cpu)?;
    /// let distance = |matching: Matching| Ok::<f32, retrace::Error>(matching.distances(&sketch, &photo)?.to_vec2()?[0][0]);
    /// assert_eq!((distance(Matching::Costs)?, distance(Matching::Nearest)?), (0.5, 0.0));
    /// assert_eq!(distance(Matching::Transport(Default::default()))?, 0.0);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn distances(self, sketches: &Tensor, photos: &Tensor) -> Result<Tensor> {
        let costs = || costs(sketches, photos);
        match self {
            Self::Average | Self::Costs => self.of_means(&mean_region(sketches)?, &mean_region(photos)?),
            Self::Nearest => Ok(costs()?.min(D::Minus1)?.mean(D::Minus1)?),
            Self::Single => Ok(costs()?.flatten_from(2)?.min(D::Minus1)?),
            Self::Discrepancy => discrepancy(sketches, photos, &costs()?),
            Self::Transport(config) => config.distances(&costs()?),
        }
    }

    /// One product of matrices for all pairs.
    fn of_means(self, sketches: &Tensor, photos: &Tensor) -> Result<Tensor> {
        if sketches.dim(1)? != photos.dim(1)? {
            return Err(Error::value("channels of a photo's regions", sketches.dim(1)?, photos.dim(1)?));
        }
        let product = match self {
            Self::Average => l2_normalise(sketches)?.matmul(&l2_normalise(photos)?.t()?)?,
            _ => sketches.matmul(&photos.t()?)?,
        };
        Ok((1.0 - product)?)
    }
}

/// `1 - cos`; rounding does not take it below 0.
fn costs(sketches: &Tensor, photos: &Tensor) -> Result<Tensor> {
    Ok((1.0 - cosines(sketches, photos)?)?.relu()?)
}

impl TransportMatching {
    fn distances(self, costs: &Tensor) -> Result<Tensor> {
        let (a, b, m, n) = costs.dims4()?;
        let [rows, columns] = self.masses(costs)?;
        let found = transport(
            &costs.reshape((a * b, m, n))?,
            &rows.reshape((a * b, m))?,
            &columns.reshape((a * b, n))?,
            self.config(),
        )?;
        Ok(found.reshape((a, b))?)
    }

    /// How its plans are found, for [`transport`] and for single pairs.
    pub fn config(self) -> TransportConfig {
        TransportConfig { solver: self.solver, goal: self.goal }
    }

    /// Masses of the regions of sketches and photos, of sum 1.
    ///
    /// # Shapes
    /// `costs` `(a, b, m, n)`; out `(a, b, m)` and `(a, b, n)`.
    ///
    /// # Errors
    /// Another number of dimensions.
    pub fn masses(self, costs: &Tensor) -> Result<[Tensor; 2]> {
        let (a, b, m, n) = costs.dims4()?;
        match self.masses {
            Masses::Uniform => {
                let even = |count: usize| Tensor::full(1.0 / count as f32, (a, b, count), costs.device());
                Ok([even(m)?.to_dtype(costs.dtype())?, even(n)?.to_dtype(costs.dtype())?])
            }
            Masses::CrossReference => {
                let cosines = (1.0 - costs)?;
                let scaled = |sums: Tensor| -> Result<Tensor> {
                    let masses = (sums.relu()? + MASS)?;
                    Ok(masses.broadcast_div(&masses.sum_keepdim(D::Minus1)?)?)
                };
                Ok([scaled(cosines.sum(3)?)?, scaled(cosines.sum(2)?)?])
            }
        }
    }
}

impl Default for TransportMatching {
    /// As printed: Eq. 10, the exact optimum, the cheapest plan.
    fn default() -> Self {
        Self { masses: Masses::default(), solver: Solver::Exact, goal: Goal::Least }
    }
}

/// The squared discrepancy, from the kernels within each side and between them.
fn discrepancy(sketches: &Tensor, photos: &Tensor, costs: &Tensor) -> Result<Tensor> {
    let within = |regions: &Tensor| -> Result<Tensor> {
        let costs = (1.0 - regions.matmul(&regions.transpose(1, 2)?.contiguous()?)?)?;
        Ok(kernel(&costs)?.mean((1, 2))?)
    };
    let (u, v) = (within(sketches)?.unsqueeze(1)?, within(photos)?.unsqueeze(0)?);
    let between = (kernel(costs)?.mean((2, 3))? * 2.0)?;
    Ok(u.broadcast_add(&v)?.sub(&between)?)
}

/// Of unit vectors, whose squared distance is twice the cost.
fn kernel(costs: &Tensor) -> Result<Tensor> {
    let mut sum = costs.zeros_like()?;
    for width in WIDTHS {
        sum = (sum + (costs * (-2.0 / width))?.exp()?)?;
    }
    Ok((sum / WIDTHS.len() as f64)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::partially::regions;
    use candle_core::{Device, Var};

    /// Unit regions of `count` pictures.
    fn pictures(count: usize, places: usize, shift: f32) -> Tensor {
        let values: Vec<f32> = (0..count * places * 5).map(|i| ((i as f32 + shift) * 2.3).sin() + 0.4).collect();
        regions(&Tensor::from_vec(values, (count, places, 1, 5), &Device::Cpu).unwrap(), None).unwrap()
    }

    const ALL: [Matching; 6] = [
        Matching::Average,
        Matching::Costs,
        Matching::Nearest,
        Matching::Single,
        Matching::Discrepancy,
        Matching::Transport(TransportMatching {
            masses: Masses::CrossReference,
            solver: Solver::Exact,
            goal: Goal::Least,
        }),
    ];

    fn values(x: &Tensor) -> Vec<Vec<f32>> {
        x.to_vec2().unwrap()
    }

    /// The distances of a pair, written out.
    fn slow(u: &[Vec<f32>], v: &[Vec<f32>], matching: Matching) -> f32 {
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f32>();
        let cost = |x: &[f32], y: &[f32]| 1.0 - dot(x, y);
        let all = |xs: &[Vec<f32>], ys: &[Vec<f32>]| -> Vec<f32> {
            xs.iter().flat_map(|x| ys.iter().map(|y| cost(x, y)).collect::<Vec<_>>()).collect()
        };
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        let least = |values: &[f32]| values.iter().copied().fold(f32::INFINITY, f32::min);
        let near = |costs: Vec<f32>| {
            let kernel = |cost: f32| WIDTHS.iter().map(|w| (-2.0 * cost / *w as f32).exp()).sum::<f32>() / 5.0;
            mean(&costs.into_iter().map(kernel).collect::<Vec<_>>())
        };
        match matching {
            Matching::Average => {
                let sum = |xs: &[Vec<f32>]| (0..5).map(|k| xs.iter().map(|x| x[k]).sum()).collect::<Vec<f32>>();
                let (u, v) = (sum(u), sum(v));
                1.0 - dot(&u, &v) / (dot(&u, &u) * dot(&v, &v)).sqrt()
            }
            Matching::Costs => mean(&all(u, v)),
            Matching::Nearest => mean(&u.iter().map(|x| least(&all(std::slice::from_ref(x), v))).collect::<Vec<_>>()),
            Matching::Single => least(&all(u, v)),
            Matching::Discrepancy => near(all(u, u)) + near(all(v, v)) - 2.0 * near(all(u, v)),
            Matching::Transport(_) => f32::NAN,
        }
    }

    #[test]
    fn distances_agree_with_loops() {
        let (u, v) = (pictures(3, 4, 0.0), pictures(2, 6, 9.0));
        let (us, vs) = (u.to_vec3::<f32>().unwrap(), v.to_vec3::<f32>().unwrap());
        for matching in &ALL[..5] {
            let found = values(&matching.distances(&u, &v).unwrap());
            for (a, b) in [(0, 0), (2, 1), (1, 0)] {
                let expected = slow(&us[a], &vs[b], *matching);
                assert!((found[a][b] - expected).abs() < 1e-5, "{matching:?} {} {expected}", found[a][b]);
            }
        }
    }

    /// With equal masses of as many regions a plan is a permutation, of which three regions have six.
    #[test]
    fn even_transport_is_the_best_permutation() {
        let (u, v) = (pictures(2, 3, 0.0), pictures(2, 3, 4.0));
        let even = TransportMatching { masses: Masses::Uniform, ..TransportMatching::default() };
        let found = values(&Matching::Transport(even).distances(&u, &v).unwrap());
        let costs = costs(&u, &v).unwrap();
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for (a, row) in found.iter().enumerate() {
            for (b, distance) in row.iter().enumerate() {
                let cost = costs.get(a).unwrap().get(b).unwrap().to_vec2::<f32>().unwrap();
                let of = |order: [usize; 3]| (0..3).map(|i| cost[i][order[i]]).sum::<f32>() / 3.0;
                let sums = orders.map(of);
                assert!((distance - sums.iter().copied().fold(f32::INFINITY, f32::min)).abs() < 1e-5);
                let dearest = TransportMatching { goal: Goal::Greatest, ..even };
                let found = values(&Matching::Transport(dearest).distances(&u, &v).unwrap())[a][b];
                assert!((found - sums.iter().copied().fold(0.0, f32::max)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn masses_are_those_of_equation_10() {
        let (u, v) = (pictures(1, 3, 0.0), pictures(1, 2, 4.0));
        let costs = costs(&u, &v).unwrap();
        let [rows, columns] = TransportMatching::default().masses(&costs).unwrap();
        let (us, vs) = (u.to_vec3::<f32>().unwrap(), v.to_vec3::<f32>().unwrap());
        let sum: Vec<f32> = (0..5).map(|k| vs[0].iter().map(|v| v[k]).sum()).collect();
        let raw: Vec<f32> = us[0].iter().map(|u| u.iter().zip(&sum).map(|(a, b)| a * b).sum::<f32>()).collect();
        let masses: Vec<f32> = raw.iter().map(|s| s.max(0.0) + 1e-3).collect();
        let found = rows.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (found, mass) in found.iter().zip(&masses) {
            assert!((found - mass / masses.iter().sum::<f32>()).abs() < 1e-6);
        }
        assert!((columns.sum_all().unwrap().to_scalar::<f32>().unwrap() - 1.0).abs() < 1e-6);
    }

    /// The same pictures are nearer than others, by every distance but the one that only looks at the nearest pair.
    #[test]
    fn a_picture_is_nearest_to_itself() {
        let u = pictures(3, 4, 0.0);
        for matching in [ALL[0], ALL[2], ALL[4], ALL[5]] {
            let found = values(&matching.distances(&u, &u).unwrap());
            for (i, row) in found.iter().enumerate() {
                assert!(
                    row[i].abs() < 1e-3 && row.iter().enumerate().all(|(j, d)| i == j || *d > row[i]),
                    "{matching:?}"
                );
            }
        }
    }

    #[test]
    fn gradients_agree_with_differences() {
        let base: Vec<f32> = (0..2 * 3 * 4).map(|i| (i as f32 * 1.3 + 0.2).sin() + 0.5).collect();
        let other = pictures(2, 3, 7.0).narrow(2, 0, 4).unwrap().contiguous().unwrap();
        let other = crate::model::l2_normalise(&other.reshape((6, 4)).unwrap()).unwrap().reshape((2, 3, 4)).unwrap();
        for matching in ALL {
            let loss = |x: &Tensor| {
                let u = regions(&x.reshape((2, 3, 1, 4)).unwrap(), None).unwrap();
                let weights = Tensor::new(&[[0.7_f32, -0.4], [0.2, 1.1]], &Device::Cpu).unwrap();
                (matching.distances(&u, &other).unwrap() * weights).unwrap().sum_all().unwrap()
            };
            let x = Var::from_vec(base.clone(), 24, &Device::Cpu).unwrap();
            let gradient = loss(x.as_tensor()).backward().unwrap();
            let gradient = gradient.get(&x).unwrap().to_vec1::<f32>().unwrap();
            for i in [0, 5, 10, 15, 23] {
                let at = |by: f32| {
                    let mut moved = base.clone();
                    moved[i] += by;
                    loss(&Tensor::from_vec(moved, 24, &Device::Cpu).unwrap()).to_scalar::<f32>().unwrap()
                };
                let slope = (at(2e-3) - at(-2e-3)) / 4e-3;
                assert!((slope - gradient[i]).abs() < 4e-3, "{matching:?} {i} {slope} {}", gradient[i]);
            }
        }
    }
}
