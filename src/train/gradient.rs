//! Gradients by parameter name: what optimisers take, and what a second-order update computes with.

use crate::{Error, Result};
use candle_core::{Tensor, Var};
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
pub fn gradients(loss: &Tensor, variables: &[(String, Var)]) -> candle_core::Result<Gradients> {
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
pub fn clip(gradients: &mut Gradients, limit: f64) -> candle_core::Result<f64> {
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
fn length(gradients: &Gradients) -> candle_core::Result<f64> {
    let mut square = 0.0;
    for gradient in gradients.values() {
        square += gradient.sqr()?.sum_all()?.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?;
    }
    Ok(square.sqrt())
}

/// Copies of the variables' values, which stay as they are when the variables move.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// let x = Var::new(&[3.0_f64], &Device::Cpu)?;
/// let before = retrace::train::values(&[("x".to_string(), x.clone())])?;
/// x.set(&Tensor::new(&[5.0_f64], &Device::Cpu)?)?;
/// assert_eq!(before["x"].to_vec1::<f64>()?, [3.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
///
/// # Errors
/// A failing tensor operation.
pub fn values(variables: &[(String, Var)]) -> candle_core::Result<Gradients> {
    variables.iter().map(|(name, var)| Ok((name.clone(), var.as_tensor().copy()?.detach()))).collect()
}

/// The Hessian of a loss at given values, times a direction: a difference of two gradients, so no second derivative is
/// taken.
///
/// ```text
/// H v = (grad L(theta + e v) - grad L(theta - e v)) / 2 e,   theta = at, v = direction, e = epsilon / |v|
/// ```
///
/// `loss` is called twice and has to compute with the variables as they are then. The variables end as they were before,
/// whether it fails or not. A variable that `direction` lacks does not move; one that the loss does not reach has no
/// product. A direction of length 0 gives zeros without a call.
/// The caller must restore what else the loss changes, such as running statistics.
///
/// # Shapes
/// `at` holds a tensor for every variable, `direction` for some; each of the variable's shape. So is what comes out.
///
/// # Errors
/// A variable without a value in `at`, a failing loss, or one that is not a scalar.
///
/// # References
/// Liu et al., DARTS, ICLR 2019, Sec. 2.3 (there e = 0.01 / |v|).
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use retrace::train::{hessian_product, values};
/// let x = [("x".to_string(), Var::new(&[2.0_f64], &Device::Cpu)?)];
/// let direction = [("x".to_string(), Tensor::new(&[10.0_f64], &Device::Cpu)?)].into();
/// // L = x^3: the second derivative at 2 is 12.
/// let cube = || Ok(x[0].1.powf(3.0)?.sum_all()?);
/// let product = hessian_product(cube, &x, &values(&x)?, &direction, 0.01)?;
/// assert!((product["x"].to_vec1::<f64>()?[0] - 120.0).abs() < 1e-6);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn hessian_product(
    loss: impl Fn() -> Result<Tensor>,
    variables: &[(String, Var)],
    at: &Gradients,
    direction: &Gradients,
    epsilon: f64,
) -> Result<Gradients> {
    let length = length(direction)?;
    if length == 0.0 {
        // e would be infinite.
        return variables.iter().map(|(name, var)| Ok((name.clone(), var.zeros_like()?.detach()))).collect();
    }
    let step = epsilon / length.max(f64::MIN_POSITIVE);
    let now = values(variables)?;
    let both = slope(&loss, variables, at, direction, step)
        .and_then(|ahead| Ok((ahead, slope(&loss, variables, at, direction, -step)?)));
    variables.iter().try_for_each(|(name, var)| var.set(&now[name]))?;
    let (ahead, behind) = both?;
    let shared = ahead.into_iter().filter_map(|(name, ahead)| Some((behind.get(&name)?.clone(), name, ahead)));
    shared.map(|(behind, name, ahead)| Ok((name, ((ahead - behind)? / (2.0 * step))?))).collect()
}

/// The gradient at `at + by direction`, where the variables are left.
///
/// It is never clipped: the difference of two clipped gradients is no derivative.
fn slope(
    loss: impl Fn() -> Result<Tensor>,
    variables: &[(String, Var)],
    at: &Gradients,
    direction: &Gradients,
    by: f64,
) -> Result<Gradients> {
    for (name, var) in variables {
        let Some(at) = at.get(name) else {
            return Err(Error::value("values to evaluate at", "one for every variable", format!("none for {name}")));
        };
        match direction.get(name) {
            Some(direction) => var.set(&(at + (direction * by)?)?)?,
            None => var.set(at)?,
        }
    }
    Ok(gradients(&loss()?, variables)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use std::cell::Cell;

    #[test]
    fn clipping_keeps_direction_and_short_gradients() {
        let mut gradients: Gradients = [("a".into(), tensor(&[3.0])), ("b".into(), tensor(&[0.0, 4.0]))].into();
        assert_eq!(clip(&mut gradients, 10.0).unwrap(), 5.0);
        assert_eq!(gradients["a"].to_vec1::<f64>().unwrap(), [3.0]);
        assert_eq!(clip(&mut gradients, 1.0).unwrap(), 5.0);
        assert!((gradients["a"].to_vec1::<f64>().unwrap()[0] - 0.6).abs() < 1e-12);
        assert!((gradients["b"].to_vec1::<f64>().unwrap()[1] - 0.8).abs() < 1e-12);
    }

    fn tensor(values: &[f64]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap()
    }

    fn named(x: &[f64], y: f64) -> Gradients {
        [("x".into(), tensor(x)), ("y".into(), tensor(&[y]))].into()
    }

    /// `x` of two numbers and `y` of one, far from where the products are taken.
    fn variables() -> Vec<(String, Var)> {
        let start = named(&[7.0, 8.0], 9.0).into_iter();
        start.map(|(name, value)| (name, Var::from_tensor(&value).unwrap())).collect()
    }

    /// `L = |x|^2 y + y^3`; its gradient is quadratic, so that central differences are exact but for rounding.
    fn loss(variables: &[(String, Var)]) -> Result<Tensor> {
        let (x, y) = (&variables[0].1, &variables[1].1);
        Ok(((x.sqr()?.sum_all()? * y.sum_all()?)? + y.powf(3.0)?.sum_all()?)?)
    }

    fn assert_near(found: &Tensor, expected: &[f64]) {
        let found = found.to_vec1::<f64>().unwrap();
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} {expected:?}");
    }

    fn assert_unmoved(variables: &[(String, Var)]) {
        let values = |i: usize| variables[i].1.to_vec1::<f64>().unwrap();
        assert_eq!((values(0), values(1)), (vec![7.0, 8.0], vec![9.0]));
    }

    /// At x = (1, -2), y = 0.5 the Hessian is [[1, 0, 2], [0, 1, -4], [2, -4, 3]].
    #[test]
    fn hessian_product_is_that_of_the_analytic_hessian() {
        let (variables, at) = (variables(), named(&[1.0, -2.0], 0.5));
        let product = |direction: &Gradients, epsilon| {
            hessian_product(|| loss(&variables), &variables, &at, direction, epsilon).unwrap()
        };
        for epsilon in [1e-2, 1.0] {
            let found = product(&named(&[0.3, -0.4], 1.2), epsilon);
            assert_near(&found["x"], &[0.3 + 2.4, -0.4 - 4.8]);
            assert_near(&found["y"], &[0.6 + 1.6 + 3.6]);
            assert_unmoved(&variables);
        }
        let found = product(&[("x".into(), tensor(&[0.3, -0.4]))].into(), 1e-2);
        assert_near(&found["x"], &[0.3, -0.4]);
        assert_near(&found["y"], &[2.2]);
    }

    #[test]
    fn hessian_product_leaves_variables_as_they_were_when_the_loss_fails() {
        let variables = variables();
        let at = named(&[1.0, -2.0], 0.5);
        for last in [1, 2] {
            let calls = Cell::new(0);
            let failing = || {
                calls.set(calls.get() + 1);
                if calls.get() == last { Err(Error::value("loss", "a number", "none")) } else { loss(&variables) }
            };
            let error = hessian_product(failing, &variables, &at, &at, 1e-2).unwrap_err().to_string();
            assert_eq!((error.as_str(), calls.get()), ("loss: expected a number, found none", last));
            assert_unmoved(&variables);
        }
        let lacking = [("x".to_string(), tensor(&[1.0, -2.0]))].into();
        let error = hessian_product(|| loss(&variables), &variables, &lacking, &at, 1e-2).unwrap_err().to_string();
        assert!(error.contains("none for y"), "{error}");
        assert_unmoved(&variables);
    }

    #[test]
    fn hessian_product_of_no_direction_is_zero() {
        let variables = variables();
        for direction in [named(&[0.0, 0.0], 0.0), Gradients::new()] {
            let uncalled = || Err(Error::value("loss", "no call", "one"));
            let found = hessian_product(uncalled, &variables, &Gradients::new(), &direction, 1e-2).unwrap();
            assert_eq!(found["x"].to_vec1::<f64>().unwrap(), [0.0, 0.0]);
            assert_eq!(found["y"].to_vec1::<f64>().unwrap(), [0.0]);
        }
    }

    #[test]
    fn hessian_product_has_nothing_of_a_variable_out_of_reach() {
        let (variables, at) = (variables(), named(&[1.0, -2.0], 0.5));
        let squares = || Ok(variables[0].1.sqr()?.sum_all()?);
        let found = hessian_product(squares, &variables, &at, &at, 1e-2).unwrap();
        assert_near(&found["x"], &[2.0, -4.0]);
        assert_eq!(found.len(), 1);
    }
}
