//! MAML over all weights of a network: the outer gradient is carried back through the inner steps one by one.

use super::inner::{Order, StepConfig, StepRule, stride};
use crate::Result;
use crate::train::{Gradients, gradients, hessian_product, values};
use candle_core::{Tensor, Var};

/// Length of the difference by which a product with the Hessian is taken, in the weights' own unit.
const EPSILON: f64 = 1e-2;

/// The value of an outer loss, and its gradient.
#[derive(Debug)]
pub struct MetaGradient {
    /// The outer loss after the inner steps.
    pub loss: f64,
    /// With respect to where the inner steps began.
    pub gradients: Gradients,
}

/// The gradient of an outer loss with respect to the weights that an inner loop begins with.
///
/// ```text
/// w_(t+1) = w_t - alpha dI(w_t)/dw           g_T = dO(w_T)/dw
/// g_t = g_(t+1) - alpha H(w_t) g_(t+1)       H the Hessian of I; first order and sign: g_t = g_(t+1)
/// ```
///
/// Products with H are central differences of gradients ([`hessian_product`]). `variables` are moved by the inner loop,
/// `others` by the outer one alone; all are left as they were.
///
/// # Errors
/// A failing loss.
///
/// # References
/// Finn et al., Model-Agnostic Meta-Learning, ICML 2017, Eq. 1; Fan et al., Sign-MAML, 2021, for [`StepRule::Sign`].
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use retrace::paper::adaptive::{Hinge, MetaOrder, StepConfig, StepRule, meta_gradient};
/// let w = Var::new(&[2.0_f64], &Device::Cpu)?;
/// let loss = || -> retrace::Result<Tensor> { Ok(w.sqr()?.sum_all()?) };
/// let config = StepConfig { steps: 1, rate: 0.25, rule: StepRule::Gradient, order: MetaOrder::Second, hinge: Hinge::Hard };
/// // w' = 2 - 0.25 * 4 = 1; d(w'^2)/dw = 2 w' (1 - 0.25 * 2) = 1.
/// let found = meta_gradient(&loss, &loss, &[("w".into(), w.clone())], &[], &config)?;
/// assert!((found.gradients["w"].to_vec1::<f64>()?[0] - 1.0).abs() < 1e-9);
/// assert_eq!((found.loss, w.to_vec1::<f64>()?), (1.0, vec![2.0]));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn meta_gradient(
    inner: &dyn Fn() -> Result<Tensor>,
    outer: &dyn Fn() -> Result<Tensor>,
    variables: &[(String, Var)],
    others: &[(String, Var)],
    config: &StepConfig,
) -> Result<MetaGradient> {
    let start = values(variables)?;
    let found = through(inner, outer, variables, others, config, &start);
    set(variables, &start)?;
    found
}

fn through(
    inner: &dyn Fn() -> Result<Tensor>,
    outer: &dyn Fn() -> Result<Tensor>,
    variables: &[(String, Var)],
    others: &[(String, Var)],
    config: &StepConfig,
    start: &Gradients,
) -> Result<MetaGradient> {
    let mut path = vec![start.clone()];
    for _ in 0..config.steps {
        descend(inner, variables, config)?;
        path.push(values(variables)?);
    }
    let all: Vec<(String, Var)> = variables.iter().chain(others).cloned().collect();
    let loss = outer()?;
    let mut slope = gradients(&loss, &all)?;
    let is_exact = config.order == Order::Second && config.rule == StepRule::Gradient;
    for at in path[..config.steps].iter().rev().filter(|_| is_exact) {
        let own = variables.iter().filter_map(|(name, _)| Some((name.clone(), slope.get(name)?.clone()))).collect();
        for (name, product) in hessian_product(inner, variables, at, &own, EPSILON)? {
            if let Some(slope) = slope.get_mut(&name) {
                *slope = (&*slope - (product * config.rate)?)?;
            }
        }
    }
    let loss = f64::from(loss.to_dtype(candle_core::DType::F32)?.to_scalar::<f32>()?);
    Ok(MetaGradient { loss, gradients: slope })
}

/// One inner step, in place.
///
/// # Errors
/// A failing loss.
pub(super) fn descend(
    inner: &dyn Fn() -> Result<Tensor>,
    variables: &[(String, Var)],
    config: &StepConfig,
) -> Result<()> {
    let slopes = gradients(&inner()?, variables)?;
    for (name, var) in variables {
        if let Some(slope) = slopes.get(name) {
            let step = (stride(slope, config.rule)? * config.rate)?;
            var.set(&(var.as_detached_tensor() - step)?)?;
        }
    }
    Ok(())
}

/// Puts values in their place.
pub(super) fn set(variables: &[(String, Var)], values: &Gradients) -> Result<()> {
    for (name, var) in variables {
        if let Some(value) = values.get(name) {
            var.set(value)?;
        }
    }
    Ok(())
}
