//! MAML and sign-MAML over all weights, against differences of the whole: inner steps and outer loss by loops over numbers.

use super::super::{Hinge, MetaOrder, StepConfig, StepRule, meta_gradient};
use super::gradient::wave;
use candle_core::{Device, Tensor, Var};

/// Inputs and targets of a regression by `tanh(x w1) w2`.
const INNER: [([f64; 2], f64); 2] = [([0.5, -1.0], 0.7), ([1.5, 0.3], -0.4)];
const OUTER: [([f64; 2], f64); 2] = [([-0.8, 0.6], 0.2), ([0.9, 1.2], 1.1)];

/// Weights: w1 `(2, 3)`, then w2 `(3)`.
fn loss(w: &[f64], data: &[([f64; 2], f64)]) -> f64 {
    let one = |(x, wanted): &([f64; 2], f64)| {
        let out: f64 = (0..3).map(|h| (x[0] * w[h] + x[1] * w[3 + h]).tanh() * w[6 + h]).sum();
        (out - wanted).powi(2)
    };
    data.iter().map(one).sum()
}

/// Its gradient, by hand.
fn slope(w: &[f64], data: &[([f64; 2], f64)]) -> Vec<f64> {
    let mut all = vec![0.0; 9];
    for (x, wanted) in data {
        let hidden: Vec<f64> = (0..3).map(|h| (x[0] * w[h] + x[1] * w[3 + h]).tanh()).collect();
        let miss = 2.0 * (hidden.iter().zip(&w[6..]).map(|(a, b)| a * b).sum::<f64>() - wanted);
        for h in 0..3 {
            let back = miss * w[6 + h] * (1.0 - hidden[h] * hidden[h]);
            all[h] += back * x[0];
            all[3 + h] += back * x[1];
            all[6 + h] += miss * hidden[h];
        }
    }
    all
}

fn after(w: &[f64], config: &StepConfig) -> Vec<f64> {
    let mut now = w.to_vec();
    for _ in 0..config.steps {
        let slope = slope(&now, &INNER);
        let go = |g: f64| if config.rule == StepRule::Sign { g.signum() } else { g };
        now.iter_mut().zip(slope).for_each(|(w, g)| *w -= config.rate * go(g));
    }
    now
}

/// d outer(after(w)) / dw by differences.
fn slow(w: &[f64], config: &StepConfig) -> Vec<f64> {
    let at = |i: usize, by: f64| {
        let mut moved = w.to_vec();
        moved[i] += by;
        loss(&after(&moved, config), &OUTER)
    };
    (0..9).map(|i| (at(i, 1e-5) - at(i, -1e-5)) / 2e-5).collect()
}

fn fast(w: &[f64], config: &StepConfig) -> Vec<f64> {
    let start = Tensor::from_slice(w, 9, &Device::Cpu).unwrap();
    let cut = |from: usize, shape: (usize, usize)| {
        Var::from_tensor(&start.narrow(0, from, shape.0 * shape.1).unwrap().reshape(shape).unwrap()).unwrap()
    };
    let variables = vec![("w1".to_string(), cut(0, (2, 3))), ("w2".to_string(), cut(6, (3, 1)))];
    let of = |data: &'static [([f64; 2], f64)]| {
        let (w1, w2) = (variables[0].1.clone(), variables[1].1.clone());
        move || {
            let x: Vec<f64> = data.iter().flat_map(|(x, _)| *x).collect();
            let wanted: Vec<f64> = data.iter().map(|(_, wanted)| *wanted).collect();
            let x = Tensor::from_vec(x, (data.len(), 2), &Device::Cpu)?;
            let out = x.matmul(&w1)?.tanh()?.matmul(&w2)?;
            Ok((out - Tensor::from_vec(wanted, (data.len(), 1), &Device::Cpu)?)?.sqr()?.sum_all()?)
        }
    };
    let found = meta_gradient(&of(&INNER), &of(&OUTER), &variables, &[], config).unwrap();
    assert!((found.loss - loss(&after(w, config), &OUTER)).abs() < 1e-6);
    let kept = variables[0].1.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    assert_eq!(kept, w[..6]); // left as it was
    let part = |name: &str| found.gradients[name].flatten_all().unwrap().to_vec1::<f64>().unwrap();
    [part("w1"), part("w2")].concat()
}

#[test]
fn maml_agrees_with_its_slow_twin() {
    let w = wave(&[9], 0.4).to_vec1::<f64>().unwrap();
    for (steps, rule) in [(1, StepRule::Gradient), (3, StepRule::Gradient), (2, StepRule::Sign)] {
        let config = StepConfig { steps, rate: 0.05, rule, order: MetaOrder::Second, hinge: Hinge::Hard };
        let (found, wanted) = (fast(&w, &config), slow(&w, &config));
        let apart = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 2e-4, "{rule:?} {steps}: {found:?} {wanted:?}");
    }
}

#[test]
fn first_order_maml_is_the_gradient_where_the_steps_end() {
    let w = wave(&[9], 0.4).to_vec1::<f64>().unwrap();
    let (rule, hinge) = (StepRule::Gradient, Hinge::Hard);
    let config = StepConfig { steps: 2, rate: 0.05, rule, order: MetaOrder::First, hinge };
    let wanted = slope(&after(&w, &config), &OUTER);
    let found = fast(&w, &config);
    assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-9));
    let exact = slow(&w, &config);
    assert!(exact.iter().zip(&wanted).any(|(a, b)| (a - b).abs() > 1e-2), "the second order counts");
}
