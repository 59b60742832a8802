//! Agreement with PyTorch. The expected numbers and the program that made them: `tests/fixtures/model/`.

use crate::model::naming::Naming;
use crate::model::*;
use crate::seed::Seed;
use candle_core::{Device, Tensor};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Largest difference over the largest expected magnitude.
const TOLERANCE: f32 = 1e-4;

/// The same of gradients through a deep network, and of Inception-v3 with the statistics of a batch: there PyTorch's own
/// single and double precision differ by 1.2e-4.
const DEEP: f32 = 2e-3;

/// Numbers kept of a feature map.
const SAMPLES: usize = 64;

#[derive(Deserialize)]
struct ExpectedFeatures {
    input: Vec<usize>,
    map: Vec<usize>,
    pooled: Vec<f32>,
    sampled: Vec<f32>,
    /// Names and shapes of a whole foreign file.
    #[serde(default)]
    tensors: BTreeMap<String, Vec<usize>>,
}

#[derive(Deserialize)]
struct Training {
    input: Vec<usize>,
    unit: Vec<f32>,
    gradients: BTreeMap<String, Vec<f32>>,
    running: BTreeMap<String, Vec<f32>>,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/model").join(name)
}

/// As `uniform` in make.py.
fn uniform(name: &str, count: usize) -> Vec<f64> {
    let start = name.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    let mix = |i: usize| {
        let mut x = start.wrapping_add((i as u32).wrapping_mul(2_654_435_769));
        for (shift, factor) in [(16, 0x85eb_ca6b), (13, 0xc2b2_ae35), (16, 1)] {
            x = (x ^ (x >> shift)).wrapping_mul(factor);
        }
        f64::from(x) / 2.0_f64.powi(32)
    };
    (0..count).map(mix).collect()
}

/// As `value` in make.py.
fn value(name: &str, shape: &[usize]) -> Tensor {
    let fan: usize = shape.iter().skip(1).product();
    let scaled = uniform(name, shape.iter().product()).into_iter().map(|u| match shape.len() {
        2.. => (2.0 * u - 1.0) * (6.0 / fan as f64).sqrt(),
        _ if name.ends_with("running_var") || name.ends_with("weight") => 0.5 + u,
        _ => (u - 0.5) / 5.0,
    });
    Tensor::from_vec(scaled.map(|v| v as f32).collect(), shape, &Device::Cpu).unwrap()
}

fn picture(shape: &[usize]) -> Tensor {
    let values = uniform("input", shape.iter().product()).into_iter().map(|u| (2.0 * u - 1.0) as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn network(architecture: Architecture) -> (Parameters, Box<dyn Backbone>) {
    let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
    let network = build(architecture, &mut parameters.root(), NormConfig::default()).unwrap();
    (parameters, network)
}

fn fill(parameters: &Parameters) {
    let tensors = parameters.tensors().into_iter().map(|(name, t)| (name.clone(), value(&name, t.dims()))).collect();
    parameters.load(&tensors).unwrap();
}

fn flat(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

fn sample(x: &Tensor, most: usize) -> Vec<f32> {
    let values = flat(x);
    let count = values.len();
    if count > most { (0..most).map(|i| values[i * count / most]).collect() } else { values }
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_near(what, found, expected, TOLERANCE);
}

fn assert_near(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(0.0_f32, |a, v| a.max(v.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(scale > 0.0 && worst <= tolerance * scale, "{what}: off by {worst} at a scale of {scale}");
}

fn assert_features(name: &str, network: &dyn Backbone) {
    let expected: ExpectedFeatures = crate::file::read_json(&fixture(&format!("{name}.json"))).unwrap();
    let map = network.forward(&picture(&expected.input), Mode::Eval).unwrap();
    assert_close(&format!("{name} pooled"), &flat(&pool(&map).unwrap()), &expected.pooled);
    let map = map.permute((0, 3, 1, 2)).unwrap(); // PyTorch's order
    assert_eq!(map.dims(), expected.map, "{name}");
    assert_close(&format!("{name} sampled"), &sample(&map, SAMPLES), &expected.sampled);
}

#[test]
fn features_equal_pytorch() {
    for architecture in Architecture::ALL {
        let (parameters, network) = network(architecture);
        fill(&parameters);
        assert_features(architecture.name(), network.as_ref());
    }
}

/// A file as others name it, filled from those names; of what the features do not need, the name only.
fn foreign(architecture: Architecture, naming: Naming, expected: &ExpectedFeatures) -> BTreeMap<String, Tensor> {
    let ends = |name: &str, pattern: &&str| match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => name.starts_with(pattern.trim_end_matches('*')),
    };
    let fill = |(name, shape): (&String, &Vec<usize>)| {
        let is_spare = naming.allowed(architecture).iter().any(|pattern| ends(name, pattern));
        let spare = || Tensor::zeros(1, candle_core::DType::F32, &Device::Cpu).unwrap();
        (name.clone(), if is_spare { spare() } else { value(name, shape) })
    };
    expected.tensors.iter().map(fill).collect()
}

#[test]
fn features_under_foreign_names_equal_pytorch() {
    for (architecture, naming) in [
        (Architecture::EfficientNetLite0, Naming::Timm),
        (Architecture::Vgg16, Naming::Timm),
        (Architecture::ClipVitB32, Naming::Timm),
        (Architecture::ClipVitB32, Naming::Transformers),
    ] {
        let name = format!("{architecture}-{naming}");
        let expected: ExpectedFeatures = crate::file::read_json(&fixture(&format!("{name}.json"))).unwrap();
        let file = foreign(architecture, naming, &expected);
        assert_eq!(Naming::find(architecture, file.keys().map(String::as_str)), naming);
        let (parameters, network) = network(architecture);
        let (tensors, report) = naming::translate(architecture, naming, &parameters, &file).unwrap();
        assert_eq!(parameters.load(&tensors).unwrap().loaded.len(), parameters.tensors().len());
        assert!(!report.extra.is_empty(), "{name}: the file is of the backbone only");
        assert_features(&name, network.as_ref());
    }
}

#[test]
fn a_training_pass_equals_pytorch() {
    for (architecture, tolerances) in [
        (Architecture::Mini, [TOLERANCE, TOLERANCE]),
        (Architecture::Vgg16, [TOLERANCE, DEEP]),
        (Architecture::InceptionV3, [DEEP, DEEP]),
        (Architecture::ClipVitB32, [TOLERANCE, DEEP]),
    ] {
        assert_training(architecture, tolerances);
    }
}

/// Output and running statistics to the first tolerance, gradients to the second.
fn assert_training(architecture: Architecture, [tolerance, deep]: [f32; 2]) {
    let expected: Training = crate::file::read_json(&fixture(&format!("{architecture}-train.json"))).unwrap();
    let (parameters, network) = network(architecture);
    fill(&parameters);
    let map = network.forward(&picture(&expected.input), Mode::Train).unwrap();
    let unit = l2_normalise(&pool(&map).unwrap()).unwrap();
    assert_near(&format!("{architecture} unit"), &flat(&unit), &expected.unit, tolerance);
    let weights: Vec<f32> = uniform("loss", unit.elem_count()).into_iter().map(|u| u as f32).collect();
    let weights = Tensor::from_vec(weights, unit.shape(), &Device::Cpu).unwrap();
    let gradients = (unit * weights).unwrap().sum_all().unwrap().backward().unwrap();
    let found: BTreeMap<String, Tensor> =
        parameters.trainable().into_iter().map(|(name, var)| (name, gradients.get(&var).unwrap().clone())).collect();
    for (name, gradient) in &found {
        let size = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(size > 0.0 && size.is_finite(), "{architecture} {name}: {size}");
    }
    // None are recorded through many rectifiers and maxima, where they are no measure: `record_training` in make.py.
    assert!(expected.gradients.is_empty() || found.keys().eq(expected.gradients.keys()));
    for (name, gradient) in &expected.gradients {
        assert_near(&format!("{architecture} {name}"), &sample(&found[name], gradient.len()), gradient, deep);
    }
    let tensors = parameters.tensors();
    for (name, running) in &expected.running {
        assert_near(&format!("{architecture} {name}"), &sample(&tensors[name], running.len()), running, tolerance);
    }
}

#[test]
fn imagenet_features_equal_pytorch() {
    let Some(folder) = std::env::var_os("RETRACE_WEIGHTS") else {
        eprintln!("skipped: RETRACE_WEIGHTS not set");
        return;
    };
    let (parameters, network) = network(Architecture::EfficientNetLite0);
    let path = Path::new(&folder).join("efficientnet-lite0.safetensors");
    let report = weights::load(&path, &parameters, &Allowance::default()).unwrap();
    assert_eq!(report.loaded.len(), parameters.tensors().len());
    assert_features("efficientnet-lite0-imagenet", network.as_ref());
}
