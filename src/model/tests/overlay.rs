//! Networks on weights that are given.

use super::gradient::{assert_gradient, wave};
use crate::model::*;
use crate::seed::Seed;
use candle_core::{DType, Device, Var};
use candle_nn::ops::softmax;
use std::collections::BTreeMap;

type Given = BTreeMap<String, Tensor>;

fn tensor(shape: &[usize], pace: f32) -> Tensor {
    Tensor::from_vec(wave(shape, pace), shape, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

/// A head of 3 inputs and 2 outputs, `head.weight` and `head.bias`.
fn head(scope: &mut Scope) -> Result<Linear> {
    Linear::new(3, 2, Init::Normal { deviation: 0.5 }, &mut scope.push("head"))
}

fn head_parameters() -> Parameters {
    let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
    head(&mut parameters.root()).unwrap();
    parameters
}

fn head_on(parameters: &Parameters, given: &Given) -> Linear {
    let mut overlay = parameters.overlay(given);
    let head = head(&mut overlay.root()).unwrap();
    overlay.finish().unwrap();
    head
}

fn mini(scope: &mut Scope, norm: NormConfig) -> Embedder {
    let head = HeadConfig { dimension: 4, start: HeadStart::Normal };
    Embedder::new(Architecture::Mini, norm, Some(head), scope).unwrap()
}

/// A network with weights and running statistics that are not where they start.
fn mini_parameters(norm: NormConfig) -> (Parameters, Embedder) {
    let mut parameters = Parameters::new(Seed(7), &Device::Cpu);
    let network = mini(&mut parameters.root(), norm);
    let moved = |(name, t): (String, Tensor)| (name, (t + 0.01).unwrap());
    parameters.load(&parameters.tensors().into_iter().map(moved).collect()).unwrap();
    (parameters, network)
}

fn pictures() -> Tensor {
    tensor(&[2, 3, 64, 64], 0.37)
}

#[test]
fn overlay_has_the_gradient_of_a_head_made_of_a_code() {
    let (parameters, x) = (head_parameters(), tensor(&[4, 3], 0.7));
    let code = Var::from_tensor(&tensor(&[1, 2], 0.9)).unwrap();
    let maker = tensor(&[2, 6], 1.1);
    for mode in [Mode::Train, Mode::Eval] {
        // Turned, so that the given tensor does not lie in memory as a weight does.
        let weight = || code.matmul(&maker).unwrap().reshape((3, 2)).unwrap().t().unwrap();
        let forward = || head_on(&parameters, &[("head.weight".into(), weight())].into()).forward(&x, mode).unwrap();
        assert_gradient(&format!("{mode:?} code"), &code, forward);
    }
}

/// The head after one step of gradient descent on the cross-entropy of `x`, whose gradient is written out.
fn inner_step(weight: &Tensor, bias: &Tensor, x: &Tensor, targets: &Tensor, rate: f64) -> Given {
    let logits = x.matmul(&weight.t().unwrap()).unwrap().broadcast_add(bias).unwrap();
    let error = ((softmax(&logits, 1).unwrap() - targets).unwrap() / x.dim(0).unwrap() as f64).unwrap();
    let moved = |old: &Tensor, gradient: Tensor| (old - (gradient * rate).unwrap()).unwrap();
    let to_weight = error.t().unwrap().matmul(x).unwrap();
    let to_bias = error.sum(0).unwrap();
    [("head.weight".into(), moved(weight, to_weight)), ("head.bias".into(), moved(bias, to_bias))].into()
}

/// The rate is large, so that the second-order part of the gradient is far above the tolerance of `assert_gradient`,
/// which is 5e-3 of a gradient of 1: in f32 a difference over 2e-2 of values near 1 is rounded by about 1e-5, and its
/// error of the third derivative is of order 1e-4.
#[test]
fn overlay_has_the_second_order_gradient_of_an_inner_step() {
    let parameters = head_parameters();
    let (support, query) = (tensor(&[4, 3], 0.7), tensor(&[5, 3], 1.3));
    let targets = Tensor::new(&[[1.0_f32, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]], &Device::Cpu).unwrap();
    let trained: BTreeMap<String, Var> = parameters.trainable().into_iter().collect();
    let (weight, bias) = (&trained["head.weight"], &trained["head.bias"]);
    let outer = |given: Given| {
        let logits = head_on(&parameters, &given).forward(&query, Mode::Train).unwrap();
        softmax(&logits, 1).unwrap()
    };
    let adapted = || inner_step(weight, bias, &support, &targets, 3.0);
    assert_gradient("weight", weight, || outer(adapted()));
    assert_gradient("bias", bias, || outer(adapted()));

    let slope = |given: Given| {
        let loss = (outer(given) * tensor(&[5, 2], 1.7)).unwrap().sum_all().unwrap();
        flat(loss.backward().unwrap().get(weight).unwrap())
    };
    // First order: the step is a constant.
    let steps = adapted().into_iter().map(|(name, new)| {
        let old = trained[&name].as_tensor();
        (name, (old + (new - old).unwrap().detach()).unwrap())
    });
    let (first, whole) = (slope(steps.collect()), slope(adapted()));
    let most = first.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most > 5e-2, "{first:?} {whole:?}");
}

#[test]
fn overlay_of_equal_weights_gives_the_same_bits() {
    for (norm, mode) in [
        (NormConfig::default(), Mode::Train),
        (NormConfig::default(), Mode::Eval),
        (NormConfig::running(), Mode::Train),
        (NormConfig::frozen(), Mode::Eval),
    ] {
        let (parameters, own) = mini_parameters(norm);
        // Made by an operation, as a caller's are; statistics, too.
        let given: Given = parameters.tensors().into_iter().map(|(name, t)| (name, (t * 1.0).unwrap())).collect();
        let mut overlay = parameters.overlay(&given);
        let network = mini(&mut overlay.root(), norm);
        overlay.finish().unwrap();
        let expected = flat(&own.forward(&pictures(), mode).unwrap());
        assert_eq!(flat(&network.forward(&pictures(), mode).unwrap()), expected, "{norm:?} {mode:?}");
    }
}

#[test]
fn overlay_of_a_backbone_has_the_gradients_of_its_own_weights() {
    let (parameters, own) = mini_parameters(NormConfig::default());
    let vars: BTreeMap<String, Var> = parameters
        .tensors()
        .into_iter()
        .map(|(name, t)| (name, Var::from_tensor(&t.copy().unwrap()).unwrap()))
        .collect();
    let given: Given = vars.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect();
    let network = mini(&mut parameters.overlay(&given).root(), NormConfig::default());
    let slopes = |network: &Embedder, mode| {
        let unit = network.forward(&pictures(), mode).unwrap();
        (unit * tensor(&[2, 4], 1.7)).unwrap().sum_all().unwrap().backward().unwrap()
    };
    let (found, expected) = (slopes(&network, Mode::Train), slopes(&own, Mode::Train));
    for (name, var) in parameters.trainable() {
        assert_eq!(flat(found.get(&vars[&name]).unwrap()), flat(expected.get(&var).unwrap()), "{name}");
    }
    // In evaluation gradients reach given tensors only, running statistics among them.
    let (found, expected) = (slopes(&network, Mode::Eval), slopes(&own, Mode::Eval));
    assert!(vars.iter().all(|(_, var)| found.get(var).is_some()));
    assert!(parameters.trainable().iter().all(|(_, var)| expected.get(var).is_none()));
}

#[test]
fn overlay_leaves_given_statistics_and_moves_shared_ones() {
    let (parameters, _) = mini_parameters(NormConfig::default());
    let is_mean = |name: &str| name.ends_with("running_mean");
    let start: Given = parameters.tensors().into_iter().map(|(name, t)| (name, t.copy().unwrap())).collect();
    let given: Given =
        start.iter().filter(|(name, _)| is_mean(name)).map(|(name, t)| (name.clone(), t.clone())).collect();
    let network = mini(&mut parameters.overlay(&given).root(), NormConfig::default());
    let before: Vec<Vec<f32>> = given.values().map(flat).collect();
    network.forward(&pictures(), Mode::Train).unwrap();
    assert_eq!(given.values().map(flat).collect::<Vec<_>>(), before);
    for (name, now) in parameters.tensors() {
        let is_moved = flat(&now) != flat(&start[&name]);
        assert_eq!(is_moved, name.ends_with("running_var"), "{name}");
    }
}

#[test]
fn overlay_copies_nothing_and_draws_nothing() {
    let parameters = head_parameters();
    let given: Given = [("head.weight".into(), tensor(&[2, 3], 0.7))].into();
    let mut overlay = parameters.overlay(&given);
    let mut scope = overlay.root();
    let mut scope = scope.push("head");
    let weight = scope.weight("weight", &[2, 3], Init::Ones).unwrap();
    let bias = scope.weight("bias", &[2], Init::Ones).unwrap();
    assert_eq!(weight.value(Mode::Train).id(), given["head.weight"].id());
    assert_eq!(bias.value(Mode::Train).id(), parameters.trainable()[0].1.id());
    assert_eq!(flat(&bias.value(Mode::Eval)), [0.0; 2]);
    assert_eq!(parameters.tensors().len(), 2);
}

#[test]
fn overlay_needs_no_own_weights_where_all_are_given() {
    let given: Given = [("head.weight".into(), tensor(&[2, 3], 0.7)), ("head.bias".into(), tensor(&[2], 0.2))].into();
    let parameters = Parameters::new(Seed(0), &Device::Cpu);
    let x = tensor(&[1, 3], 0.4);
    let expected =
        (x.matmul(&given["head.weight"].t().unwrap()).unwrap() + given["head.bias"].unsqueeze(0).unwrap()).unwrap();
    let found = head_on(&parameters, &given).forward(&x, Mode::Eval).unwrap();
    assert_eq!(flat(&found), flat(&expected));
}

#[test]
fn overlay_names_what_does_not_fit() {
    let parameters = head_parameters();
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let message = |given: Given, network: fn(&mut Scope) -> Result<Linear>| {
        let mut overlay = parameters.overlay(&given);
        let built = network(&mut overlay.root());
        built.and_then(|_| overlay.finish()).unwrap_err().to_string()
    };
    let both = [("head.weight".to_string(), zeros(&[3, 2])), ("head.bias".to_string(), zeros(&[3]))];
    let misshapen = message(both.into(), head);
    for part in ["head.weight: expected [2, 3], found [3, 2]", "head.bias: expected [2], found [3]"] {
        assert!(misshapen.contains(part), "{misshapen}");
    }
    let shared = message(Given::new(), |scope| Linear::new(4, 2, Init::Ones, &mut scope.push("head")));
    assert!(shared.contains("head.weight: expected [2, 4], found [2, 3]"), "{shared}");
    let missing = message([("haed.bias".to_string(), zeros(&[2]))].into(), |scope| {
        Linear::new(3, 2, Init::Ones, &mut scope.push("tail"))
    });
    assert!(missing.contains("tail.weight") && missing.contains("1 given (haed.bias)"), "{missing}");
    let extra = [("haed.bias".to_string(), zeros(&[2])), ("fc".to_string(), zeros(&[2]))];
    let unknown = message(extra.into(), head);
    assert!(unknown.contains("the network's 2, found fc, haed.bias"), "{unknown}");
    let twice = message(Given::new(), |scope| head(scope).and_then(|_| head(scope)));
    assert!(twice.contains("one that is free, found head.weight"), "{twice}");
}
