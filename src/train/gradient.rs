//! Gradients by parameter name: what optimisers take, and what a second-order update computes with.

use candle_core::{Result, Tensor, Var};
use std::collections::BTreeMap;

/// One tensor a parameter; a parameter that the loss does not reach has none.
pub type Gradients = BTreeMap<String, Tensor>;

/// Gradients of a scalar loss with respect to named variables.
///
/// ```
/// use candle_core::{Device, Var};
/// let x = Var::new(&[3.0_f64], &Device::Cpu)?;
/// let loss = x.sqr()?.sum_all()?;
/// let gradients = retrace::train::gradients(&loss, &[("x".to_string(), x)])?;
/// assert_eq!(gradients["x"].to_vec1::<f64>()?, [6.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
///
/// # Errors
/// A loss that is not a scalar.
pub fn gradients(loss: &Tensor, variables: &[(String, Var)]) -> Result<Gradients> {
    let store = loss.backward()?;
    Ok(variables.iter().filter_map(|(name, var)| Some((name.clone(), store.get(var)?.detach()))).collect())
}

/// Scales all gradients together so that their common length is at most `limit`; returns the length before.
///
/// ```text
/// g <- g min(1, limit / |g|),  |g| over all parameters
/// ```
///
/// # Errors
/// A failing tensor operation.
pub fn clip(gradients: &mut Gradients, limit: f64) -> Result<f64> {
    let length = length(gradients)?;
    if length > limit {
        for gradient in gradients.values_mut() {
            *gradient = (&*gradient * (limit / length))?;
        }
    }
    Ok(length)
}

/// Euclidean length over all parameters.
///
/// # Errors
/// A failing tensor operation.
fn length(gradients: &Gradients) -> Result<f64> {
    let mut square = 0.0;
    for gradient in gradients.values() {
        square += gradient.sqr()?.sum_all()?.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?;
    }
    Ok(square.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn clipping_keeps_direction_and_short_gradients() {
        let tensor = |values: &[f64]| Tensor::new(values, &Device::Cpu).unwrap();
        let mut gradients: Gradients = [("a".into(), tensor(&[3.0])), ("b".into(), tensor(&[0.0, 4.0]))].into();
        assert_eq!(clip(&mut gradients, 10.0).unwrap(), 5.0);
        assert_eq!(gradients["a"].to_vec1::<f64>().unwrap(), [3.0]);
        assert_eq!(clip(&mut gradients, 1.0).unwrap(), 5.0);
        assert!((gradients["a"].to_vec1::<f64>().unwrap()[0] - 0.6).abs() < 1e-12);
        assert!((gradients["b"].to_vec1::<f64>().unwrap()[1] - 0.8).abs() < 1e-12);
    }
}
