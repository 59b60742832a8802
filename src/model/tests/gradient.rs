//! Gradients against finite differences.

use crate::model::inception::{BranchConfig, InceptionBlock, Layer, Start};
use crate::model::vision_transformer::{Attention, TransformerTable, quick_gelu};
use crate::model::*;
use crate::seed::Seed;
use candle_core::{Device, Tensor, Var};

/// Step of the difference quotient: rounding and curvature both cost about 1e-3 of a gradient of 1.
const STEP: f32 = 1e-2;

pub(super) fn wave(shape: &[usize], pace: f32) -> Vec<f32> {
    (0..shape.iter().product()).map(|i| (i as f32 * pace + 0.3).sin()).collect()
}

/// A sum with unequal weights, so that no gradient cancels.
fn weigh(y: &Tensor) -> Tensor {
    let weights = Tensor::from_vec(wave(y.dims(), 1.7), y.dims(), &Device::Cpu).unwrap();
    (y * weights).unwrap().sum_all().unwrap()
}

/// Compares each number's gradient with `(f(x + step) - f(x - step)) / (2 step)`.
pub(super) fn assert_gradient(what: &str, variable: &Var, forward: impl Fn() -> Tensor) {
    let gradients = weigh(&forward()).backward().unwrap();
    let gradient = gradients.get(variable).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let start = variable.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let at = |i: usize, step: f32| {
        let mut values = start.clone();
        values[i] += step;
        variable.set(&Tensor::from_vec(values, variable.dims(), &Device::Cpu).unwrap()).unwrap();
        weigh(&forward()).to_scalar::<f32>().unwrap()
    };
    for (i, slope) in gradient.iter().enumerate() {
        let quotient = (at(i, STEP) - at(i, -STEP)) / (2.0 * STEP);
        assert!((slope - quotient).abs() < 5e-3 * (1.0 + quotient.abs()), "{what}[{i}]: {slope}, {quotient}");
    }
    at(0, 0.0);
    assert!(gradient.iter().any(|slope| slope.abs() > 1e-2), "{what}: nothing to compare");
}

#[test]
fn gradient_of_convolutions() {
    for (stride, padding, dilation, groups) in
        [(1, Padding::Each(1), 1, 1), (2, Padding::Same, 1, 1), (2, Padding::Same, 1, 4), (1, Padding::Each(0), 2, 2)]
    {
        let config = ConvConfig { stride, padding, dilation, groups, bias: true, ..ConvConfig::new(4, 4, 3) };
        let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
        let layer = Convolution::new(config, &mut parameters.root()).unwrap();
        let x = Var::from_vec(wave(&[2, 6, 6, 4], 0.7), (2, 6, 6, 4), &Device::Cpu).unwrap();
        let forward = || layer.forward(&x, Mode::Train).unwrap();
        assert_gradient(&format!("{config:?} input"), &x, forward);
        for (name, var) in parameters.trainable() {
            assert_gradient(&format!("{config:?} {name}"), &var, forward);
        }
    }
}

#[test]
fn gradient_of_a_rectangular_convolution() {
    for kernel in [[1, 3], [3, 1]] {
        let config = ConvConfig { kernel, bias: true, ..ConvConfig::new(3, 4, 1) };
        assert_layer(&format!("{config:?}"), [2, 4, 5, 3], |scope| {
            let layer = Convolution::new(config, scope).unwrap();
            Box::new(move |x| layer.forward(x, Mode::Train).unwrap())
        });
    }
}

/// A layer whose forward pass is a closure: in its input and in every weight.
fn assert_layer<const N: usize>(
    what: &str,
    shape: [usize; N],
    build: impl Fn(&mut Scope) -> Box<dyn Fn(&Tensor) -> Tensor>,
) {
    let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
    let layer = build(&mut parameters.root());
    let x = Var::from_vec(wave(&shape, 0.7), shape.as_slice(), &Device::Cpu).unwrap();
    let forward = || layer(&x);
    assert_gradient(&format!("{what} input"), &x, forward);
    for (name, var) in parameters.trainable() {
        assert_gradient(&format!("{what} {name}"), &var, forward);
    }
}

#[test]
fn gradient_of_linear_layers() {
    assert_layer("linear", [2, 2, 3], |scope| {
        let layer = Linear::new(3, 4, Init::Normal { deviation: 0.5 }, scope).unwrap();
        Box::new(move |x| layer.forward(x, Mode::Train).unwrap())
    });
}

#[test]
fn gradient_of_layer_norm() {
    assert_layer("layer norm", [2, 3, 4], |scope| {
        let layer = LayerNorm::new(4, scope).unwrap();
        Box::new(move |x| layer.forward(x, Mode::Train).unwrap())
    });
}

#[test]
fn gradient_of_attention() {
    let table = TransformerTable { side: 8, patch: 4, width: 4, layers: 1, heads: 2, outputs: 3 };
    assert_layer("attention", [2, 3, 4], |scope| {
        let layer = Attention::new(table, scope).unwrap();
        Box::new(move |x| layer.forward(x, Mode::Train).unwrap())
    });
}

#[test]
fn gradient_of_quick_gelu() {
    let x = Var::from_vec(vec![-3.0_f32, -0.7, 0.0, 0.4, 2.5], 5, &Device::Cpu).unwrap();
    assert_gradient("quick gelu", &x, || quick_gelu(&x).unwrap());
}

#[test]
fn gradient_of_a_vision_transformer() {
    let table = TransformerTable { side: 4, patch: 2, width: 4, layers: 1, heads: 2, outputs: 3 };
    assert_layer("vision transformer", [2, 3, 4, 4], |scope| {
        let network = VisionTransformer::new(table, scope).unwrap();
        Box::new(move |x| network.forward(x, Mode::Train).unwrap())
    });
}

#[test]
fn gradient_of_batch_norm() {
    for config in [NormConfig::default(), NormConfig::running()] {
        let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
        let layer = BatchNorm::new(3, config, &mut parameters.root()).unwrap();
        let x = Var::from_vec(wave(&[2, 2, 2, 3], 0.7), (2, 2, 2, 3), &Device::Cpu).unwrap();
        let forward = || layer.forward(&x, Mode::Train).unwrap();
        assert_gradient(&format!("{config:?} input"), &x, forward);
        for (name, var) in parameters.trainable() {
            assert_gradient(&format!("{config:?} {name}"), &var, forward);
        }
        assert_eq!(parameters.trainable().len(), 2);
    }
}

/// All kinds of branches. The norms keep every rectifier open and pixels lie further apart than the step, so
/// that neither they nor the maxima have a bend within reach.
#[test]
fn gradient_of_inception_blocks() {
    let branch =
        |start, layers: &[Layer], fork: &[Layer]| BranchConfig { start, layers: layers.to_vec(), fork: fork.to_vec() };
    let keeping = [
        branch(Start::Input, &[("wide", 2, [1, 7], 1), ("tall", 2, [7, 1], 1)], &[]),
        branch(Start::Average, &[("pool", 2, [1, 1], 1)], &[]),
        branch(Start::Input, &[("first", 2, [1, 1], 1)], &[("a", 2, [1, 3], 1), ("b", 2, [3, 1], 1)]),
    ];
    let halving = [branch(Start::Input, &[("half", 2, [3, 3], 2)], &[]), branch(Start::Maximum, &[], &[])];
    for (table, size, channels) in [(keeping.as_slice(), [3, 4], 8), (&halving, [5, 7], 4)] {
        let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
        let block = InceptionBlock::new(table, 2, &mut parameters.root(), NormConfig::running()).unwrap();
        for (name, var) in parameters.trainable().into_iter().filter(|(name, _)| name.contains(".bn.")) {
            let value = if name.ends_with("bias") { 3.0 } else { 0.15 };
            var.set(&(var.ones_like().unwrap() * value).unwrap()).unwrap();
        }
        let count = 2 * size[0] * size[1] * 2;
        let apart = |i: usize| (i * 37 % count) as f32 * 3.0 * STEP + 0.1;
        let shape = (2, size[0], size[1], 2);
        let x = Var::from_vec((0..count).map(apart).collect(), shape, &Device::Cpu).unwrap();
        let forward = || block.forward(&x, Mode::Train).unwrap();
        assert_eq!(forward().dim(3).unwrap(), channels);
        assert!(forward().min_all().unwrap().to_scalar::<f32>().unwrap() > 10.0 * STEP, "a rectifier is closed");
        assert_gradient("inception block input", &x, forward);
        for (name, var) in parameters.trainable() {
            assert_gradient(&name, &var, forward);
        }
    }
}

#[test]
fn gradient_of_a_folded_norm() {
    let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
    let config = ConvConfig { bias: true, ..ConvConfig::new(2, 3, 3) };
    let names = ["conv", "norm"];
    let layer =
        ConvNorm::register(&mut parameters.root(), names, config, NormConfig::running(), Activation::None).unwrap();
    let x = Var::from_vec(wave(&[2, 4, 4, 2], 0.7), (2, 4, 4, 2), &Device::Cpu).unwrap();
    let forward = || layer.forward(&x, Mode::Train).unwrap();
    assert_gradient("folded input", &x, forward);
    for (name, var) in parameters.trainable() {
        assert_gradient(&name, &var, forward);
    }
    assert_eq!(parameters.trainable().len(), 4);
}

#[test]
fn gradient_of_l2_normalisation() {
    let x = Var::from_vec(wave(&[3, 4], 0.7), (3, 4), &Device::Cpu).unwrap();
    assert_gradient("l2", &x, || l2_normalise(&x).unwrap());
}
