//! Random directions in the space of weights.

use crate::{Error, Result, seed::Seed};
use candle_core::{DType, Device, Tensor};
use rand::RngExt;
use rand_distr::StandardNormal;
use std::collections::BTreeMap;

/// Two random directions in the space of weights, scaled filter by filter.
///
/// ```text
/// d(f) = z(f) * |w(f)| / |z(f)|   for every filter f, z standard normal
/// ```
///
/// A filter makes one output: it is a slice along the first dimension of a tensor of two dimensions or more. So a step
/// of length 1 changes every filter by its own length, and networks with other scales can be compared. Tensors of one
/// dimension or none (biases, batch norm) do not move. A filter of zeros does not move either.
///
/// # References
/// Li et al., Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018, Sec. 4.
#[derive(Debug, Clone)]
pub struct Directions {
    /// Along the first axis, by the names of the weights.
    pub first: BTreeMap<String, Tensor>,
    /// Along the second axis.
    pub second: BTreeMap<String, Tensor>,
}

impl Directions {
    /// Draws both directions; a tensor's values come from streams of its own name.
    ///
    /// # Shapes
    /// Every direction tensor has the shape, type and device of its weight.
    ///
    /// # Errors
    /// A weight that is not finite.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use retrace::{analysis::Directions, seed::Seed};
    /// let weight = Tensor::new(&[[3.0_f32, 4.0], [0.0, 0.0]], &Device::Cpu)?;
    /// let found = Directions::draw(&[("w".to_string(), weight)].into(), Seed(0))?;
    /// let rows = found.first["w"].to_vec2::<f32>()?;
    /// assert!((rows[0][0].hypot(rows[0][1]) - 5.0).abs() < 1e-5); // as long as (3, 4)
    /// assert_eq!(rows[1], [0.0, 0.0]);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn draw(weights: &BTreeMap<String, Tensor>, seed: Seed) -> Result<Self> {
        let all = |axis| weights.iter().map(move |(name, weight)| Ok((name.clone(), draw(name, weight, seed, axis)?)));
        Ok(Self { first: all(0).collect::<Result<_>>()?, second: all(1).collect::<Result<_>>()? })
    }
}

fn draw(name: &str, weight: &Tensor, seed: Seed, axis: u64) -> Result<Tensor> {
    if weight.rank() < 2 || weight.elem_count() == 0 {
        return Ok(weight.zeros_like()?);
    }
    let values = weight.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    let mut stream = seed.child(&format!("landscape/{name}"), axis);
    let mut drawn: Vec<f32> = (0..values.len()).map(|_| stream.sample(StandardNormal)).collect();
    let size = values.len() / weight.dim(0)?;
    for (i, (filter, direction)) in values.chunks_exact(size).zip(drawn.chunks_exact_mut(size)).enumerate() {
        let (wanted, found) = (length(filter), length(direction));
        if !wanted.is_finite() {
            return Err(Error::value(
                format!("filter {i} of {name}"),
                "finite numbers",
                format!("a length of {wanted}"),
            ));
        }
        // A drawn filter of length 0 has no direction to keep; it stays 0.
        let scale = if found > 0.0 { wanted / found } else { 0.0 };
        direction.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
    }
    Ok(Tensor::from_vec(drawn, weight.dims(), &Device::Cpu)?.to_dtype(weight.dtype())?.to_device(weight.device())?)
}

fn length(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights() -> BTreeMap<String, Tensor> {
        let values = (0..24).map(|i| if i < 6 { 0.0 } else { i as f32 - 11.5 }).collect::<Vec<_>>();
        let convolution = Tensor::from_vec(values, (4, 3, 2), &Device::Cpu).unwrap();
        let bias = Tensor::new(&[1.0_f32, -2.0], &Device::Cpu).unwrap();
        let linear = Tensor::new(&[[1.0_f32, 2.0], [0.5, -3.0]], &Device::Cpu).unwrap();
        [("conv", convolution), ("bias", bias), ("linear", linear)].map(|(name, t)| (name.to_string(), t)).into()
    }

    fn filters(tensor: &Tensor) -> Vec<Vec<f32>> {
        tensor.flatten_from(1).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn directions_have_the_filter_lengths_of_the_weights() {
        let (weights, directions) = (weights(), Directions::draw(&weights(), Seed(4)).unwrap());
        for side in [&directions.first, &directions.second] {
            for name in ["conv", "linear"] {
                for (w, d) in filters(&weights[name]).iter().zip(filters(&side[name])) {
                    assert!((length(w) - length(&d)).abs() < 1e-5 * length(w).max(1.0), "{name}: {w:?} and {d:?}");
                }
            }
            assert_eq!(filters(&side["conv"])[0], [0.0; 6]); // a filter of zeros
            assert_eq!(side["bias"].to_vec1::<f32>().unwrap(), [0.0; 2]);
        }
    }

    #[test]
    fn directions_depend_on_seed_and_name() {
        let draw = |seed, weights: &BTreeMap<String, Tensor>| Directions::draw(weights, Seed(seed)).unwrap();
        let linear = |side: &BTreeMap<String, Tensor>| filters(&side["linear"]);
        let one = draw(4, &weights());
        assert_eq!(linear(&one.first), linear(&draw(4, &weights()).first));
        assert_ne!(linear(&one.first), linear(&draw(5, &weights()).first));
        assert_ne!(linear(&one.first), linear(&one.second));
        let mut fewer = weights();
        fewer.remove("conv"); // other tensors do not shift the draws
        assert_eq!(linear(&one.first), linear(&draw(4, &fewer).first));
        fewer.insert("linear".into(), Tensor::new(&[[f32::NAN]], &Device::Cpu).unwrap());
        assert!(Directions::draw(&fewer, Seed(4)).unwrap_err().to_string().contains("filter 0 of linear"));
    }
}
