//! Every operation of `kernel`, the losses and whole training steps on a GPU, against the CPU's values.
//!
//! Where no GPU answers, each test says "skipped" and passes.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used)]

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::RngExt;
use retrace::device::{Choice, allow_tf32, open};
use retrace::kernel::{AdamStep, Bounds, Window, adam, add, average_pool, batch_norm, conv2d};
use retrace::kernel::{max_pool, moments, norm_scale, norm_shift, rectify, scale_filters};
use retrace::loss::{Triple, cross_entropy_loss, neighbourhood_loss, triplet_loss};
use retrace::model::{Architecture, Embedder, HeadConfig, HeadStart, Mode, NormConfig, Parameters, weights};
use retrace::run::Places;
use retrace::seed::Seed;
use retrace::train::pretrain::{self, PretrainConfig, PretrainMethod};
use retrace::train::{Gradients, Optimiser, OptimiserConfig, gradients};
use retrace::watch::Unwatched;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tests take turns: the switch for TF32 holds for the whole process.
static TURN: Mutex<()> = Mutex::new(());

/// A GPU until the end of the test, if there is one.
fn gpu() -> Option<(Device, MutexGuard<'static, ()>)> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    match open(Choice::Cuda) {
        Ok(device) => Some((device, turn)),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "skipped: no CUDA device ({error})"); // not captured, as println! would be
            None
        }
    }
}

fn filled(seed: u64, dims: &[usize]) -> Tensor {
    let mut stream = Seed(seed).stream("test");
    let values: Vec<f32> = (0..dims.iter().product()).map(|_| stream.random_range(-1.0_f32..1.0)).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// The largest difference, as a part of the twin's largest number where that is above 1.
fn difference(ours: &Tensor, twin: &Tensor) -> f64 {
    assert_eq!(ours.dims(), twin.dims());
    let (ours, twin) = (flat(ours), flat(twin));
    let scale = twin.iter().fold(1.0_f64, |scale, value| scale.max(value.abs()));
    let apart = |(a, b): (&f64, &f64)| if a.is_nan() || b.is_nan() { f64::INFINITY } else { (a - b).abs() };
    ours.iter().zip(&twin).map(apart).fold(0.0, f64::max) / scale
}

/// The length of the difference as a part of the twin's: one rectifier that falls on the other side of 0 weighs little.
fn distance(ours: &Tensor, twin: &Tensor) -> f64 {
    assert_eq!(ours.dims(), twin.dims());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let (ours, twin) = (flat(ours), flat(twin));
    let apart = square(&mut ours.iter().zip(&twin).map(|(a, b)| a - b));
    (apart / square(&mut twin.iter().copied()).max(1e-12)).sqrt()
}

/// What `run` gives on a device, and the gradients of `sum(out * probe)` to every input.
fn results(device: &Device, dtype: DType, inputs: &[Tensor], run: &dyn Fn(&[Tensor]) -> Result<Tensor>) -> Vec<Tensor> {
    let var = |x: &Tensor| Var::from_tensor(&x.to_dtype(dtype).unwrap().to_device(device).unwrap()).unwrap();
    let vars: Vec<Var> = inputs.iter().map(var).collect();
    let out = run(&vars.iter().map(|var| var.as_tensor().clone()).collect::<Vec<_>>()).unwrap();
    let probe = filled(99, out.dims()).to_dtype(dtype).unwrap().to_device(device).unwrap();
    let gradients = (&out * probe).unwrap().sum_all().unwrap().backward().unwrap();
    let gradients = vars.iter().map(|var| gradients.get(var).unwrap().clone());
    [out.clone()].into_iter().chain(gradients).collect()
}

fn assert_agrees(device: &Device, what: &str, inputs: &[Tensor], run: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let pairs = results(device, DType::F32, inputs, &run);
    for (i, (ours, twin)) in pairs.iter().zip(results(&Device::Cpu, DType::F32, inputs, &run)).enumerate() {
        let worst = difference(ours, &twin);
        // Sums in another order: some ten times single precision's 6e-8 for every doubling of the terms.
        assert!(worst < 3e-5, "{what}, {}: {worst}", if i == 0 { "output".into() } else { format!("gradient {i}") });
    }
}

/// Input, weight and window of convolutions that use every option, at small and at network-like sizes.
fn convolutions() -> Vec<([usize; 4], [usize; 4], Window)> {
    let mut all = Vec::new();
    let plain = Window::default();
    for stride in 1..4 {
        for zeros in 0..4 {
            all.push(([2, 9, 11, 6], [8, 6, 3, 3], Window { stride, ..plain }.padded(zeros)));
        }
        for groups in [2, 4] {
            all.push(([2, 9, 10, 8], [12, 8 / groups, 3, 3], Window { stride, groups, ..plain }.padded(1)));
        }
        for side in [3, 5] {
            let window = Window { stride, groups: 24, ..plain };
            all.push(([2, 13, 11, 24], [24, 1, side, side], window.padded(side / 2)));
            all.push(([2, 12, 12, 24], [24, 1, side, side], Window { padding: [[1, 2]; 2], ..window }));
        }
        all.push(([3, 7, 8, 5], [4, 5, 1, 1], Window { stride, ..plain }));
    }
    for dilation in [2, 3] {
        all.push(([2, 13, 14, 4], [6, 4, 3, 3], Window { dilation, ..plain }.padded(dilation)));
        all.push(([2, 13, 14, 4], [4, 1, 3, 3], Window { dilation, groups: 4, ..plain }));
    }
    all.push(([2, 6, 7, 3], [5, 3, 1, 3], Window { padding: [[0, 0], [2, 2]], ..plain }));
    all.push(([1, 5, 5, 3], [2, 3, 5, 5], plain));
    all.push(([1, 1, 1, 1], [1, 1, 1, 1], plain));
    all.push(([4, 64, 64, 3], [32, 3, 3, 3], Window { stride: 2, padding: [[0, 1]; 2], ..plain }));
    all.push(([4, 64, 64, 3], [64, 3, 7, 7], Window { stride: 2, ..plain }.padded(3)));
    all.push(([8, 16, 16, 64], [64, 64, 3, 3], plain.padded(1)));
    all.push(([8, 16, 16, 64], [128, 64, 1, 1], Window { stride: 2, ..plain }));
    all.push(([4, 14, 14, 240], [240, 1, 5, 5], Window { groups: 240, ..plain }.padded(2)));
    all
}

#[test]
fn convolutions_agree() {
    let Some((device, _turn)) = gpu() else { return };
    for (input, weight, window) in convolutions() {
        let inputs = [filled(1, &input), filled(2, &weight)];
        let what = format!("{input:?} {weight:?} {window:?}");
        assert_agrees(&device, &what, &inputs, |t| conv2d(&t[0], &t[1], None, window, Bounds::NONE));
    }
}

#[test]
fn bias_cut_and_odd_layouts_agree() {
    let Some((device, _turn)) = gpu() else { return };
    let window = Window::default().padded(1);
    for bounds in [Bounds::NONE, Bounds::RELU, Bounds::RELU6] {
        let inputs = [filled(1, &[2, 5, 6, 4]), filled(2, &[8, 4, 3, 3]), filled(3, &[8])];
        assert_agrees(&device, "bias", &inputs, |t| conv2d(&t[0], &t[1], Some(&t[2]), window, bounds));
        for (weight, window) in [([8, 8, 1, 1], Window::default()), ([8, 1, 3, 3], Window { groups: 8, ..window })] {
            let inputs = [filled(1, &[2, 5, 6, 8]), filled(2, &weight), filled(3, &[8])];
            let what = format!("bias of {weight:?}");
            assert_agrees(&device, &what, &inputs, |t| conv2d(&t[0], &t[1], Some(&t[2]), window, bounds));
        }
    }
    let inputs = [filled(3, &[2, 6, 7, 4]), filled(4, &[3, 3, 4, 5])];
    assert_agrees(&device, "transposed", &inputs, |t| {
        conv2d(&t[0].transpose(1, 2)?, &t[1].permute((3, 2, 0, 1))?, None, window, Bounds::NONE)
    });
    let inputs = [filled(5, &[3, 7, 6, 4]), filled(6, &[5, 4, 3, 3])];
    assert_agrees(&device, "part", &inputs, |t| conv2d(&t[0].narrow(0, 1, 2)?, &t[1], None, window, Bounds::NONE));
}

#[test]
fn empty_and_misfitting_tensors_are_told_apart() {
    let Some((device, _turn)) = gpu() else { return };
    let weight = filled(2, &[2, 4, 3, 3]).to_device(&device).unwrap();
    let run = |dims: [usize; 4]| {
        let x = Tensor::zeros(&dims, DType::F32, &device).unwrap();
        conv2d(&x, &weight, None, Window::default(), Bounds::NONE)
    };
    assert_eq!(run([0, 5, 5, 4]).unwrap().dims(), [0, 3, 3, 2]);
    let (empty, filters) = (Tensor::zeros((0, 5, 5, 4), DType::F32, &device).unwrap(), filled(1, &[4, 1, 3, 3]));
    let window = Window { groups: 4, ..Window::default() };
    let y = conv2d(&empty, &filters.to_device(&device).unwrap(), None, window, Bounds::RELU).unwrap();
    assert_eq!(y.dims(), [0, 3, 3, 4]);
    let error = run([1, 5, 5, 3]).unwrap_err().to_string();
    assert!(error.contains("[1, 5, 5, 3]") && error.contains("[2, 4, 3, 3]"), "{error}");
}

#[test]
fn half_precision_convolutions_are_near() {
    let Some((device, _turn)) = gpu() else { return };
    // The spacing of numbers near 1 is 1e-3 and 8e-3; a sum of nine products may lose some of them.
    for (dtype, tolerance) in [(DType::F16, 1e-2), (DType::BF16, 8e-2)] {
        for (weight, window) in
            [([16, 16, 3, 3], Window::default().padded(1)), ([16, 1, 3, 3], Window { groups: 16, ..Window::default() })]
        {
            let inputs = [filled(1, &[2, 8, 8, 16]), filled(2, &weight)];
            let run = |t: &[Tensor]| conv2d(&t[0], &t[1], None, window, Bounds::NONE);
            let twins = results(&Device::Cpu, DType::F32, &inputs, &run);
            for (ours, twin) in results(&device, dtype, &inputs, &run).iter().zip(&twins) {
                assert_eq!(ours.dtype(), dtype);
                let worst = difference(ours, twin);
                assert!(worst < tolerance, "{dtype:?} {weight:?}: {worst}");
            }
        }
    }
}

#[test]
fn tf32_is_off_until_it_is_allowed() {
    let Some((device, _turn)) = gpu() else { return };
    let inputs = [filled(1, &[8, 16, 16, 64]), filled(2, &[64, 64, 3, 3])];
    let run = |t: &[Tensor]| conv2d(&t[0], &t[1], None, Window::default().padded(1), Bounds::NONE);
    let full = results(&device, DType::F32, &inputs, &run);
    allow_tf32(true);
    let cut = results(&device, DType::F32, &inputs, &run);
    allow_tf32(false);
    let again = results(&device, DType::F32, &inputs, &run);
    for ((full, cut), again) in full.iter().zip(&cut).zip(&again) {
        let worst = difference(cut, full);
        assert!((1e-6..1e-2).contains(&worst), "{worst}");
        assert!(difference(again, full) < 3e-5);
    }
}

#[cfg(feature = "cudnn")]
#[test]
fn a_convolution_repeats_to_the_last_bit() {
    let Some((device, _turn)) = gpu() else { return };
    for (input, weight, window) in convolutions() {
        let inputs = [filled(1, &input), filled(2, &weight)];
        let run = |t: &[Tensor]| conv2d(&t[0], &t[1], None, window, Bounds::NONE);
        let bytes = || results(&device, DType::F32, &inputs, &run).iter().map(flat).collect::<Vec<_>>();
        assert!(bytes() == bytes(), "{input:?} {weight:?} {window:?}");
    }
}

#[test]
fn batch_norms_agree() {
    let Some((device, _turn)) = gpu() else { return };
    for dims in [[3, 5, 7, 4], [2, 1, 1, 1], [5, 40, 40, 17]] {
        let channels = [dims[3]];
        let x = (filled(1, &dims) * 3.0).unwrap().affine(1.0, 2.0).unwrap();
        let (own, twin) = (moments(&x.to_device(&device).unwrap()).unwrap(), moments(&x).unwrap());
        assert!(difference(&own.mean, &twin.mean) < 1e-5 && difference(&own.variance, &twin.variance) < 1e-5);
        let inputs = [x, filled(2, &channels), filled(3, &channels), filled(4, &dims)];
        for bounds in [Bounds::NONE, Bounds::RELU] {
            let norm = |t: &[Tensor]| batch_norm(&t[0], &moments(&t[0])?, [&t[1], &t[2]], 1e-3, t.get(3), bounds);
            assert_agrees(&device, "batch norm", &inputs[..3], norm);
            assert_agrees(&device, "batch norm and residual", &inputs, norm);
        }
    }
}

#[test]
fn folded_norms_agree() {
    let Some((device, _turn)) = gpu() else { return };
    for dims in [[70, 3, 3, 3], [40, 1, 5, 5], [33, 100, 1, 1], [1, 1, 1, 1]] {
        let channels = [dims[0]];
        let variance = filled(4, &channels).abs().unwrap();
        let inputs = [filled(1, &dims), filled(2, &channels), filled(3, &channels)];
        assert_agrees(&device, "folded norm", &inputs, |t| {
            let (mean, variance) = (variance.to_device(t[0].device())?, variance.to_device(t[0].device())?);
            let scale = norm_scale(&t[1], &variance, 0.1)?;
            let shift = norm_shift(&t[2], &mean, &scale)?.reshape(((), 1, 1, 1))?;
            scale_filters(&t[0], &scale)?.broadcast_add(&shift)
        });
    }
}

#[test]
fn pools_agree() {
    let Some((device, _turn)) = gpu() else { return };
    let x = [filled(1, &[2, 9, 8, 5])];
    for (k, stride, zeros) in [(1, 1, 0), (2, 2, 0), (3, 2, 1), (3, 3, 0), (2, 1, 1)] {
        let window = Window { stride, ..Window::default() }.padded(zeros);
        assert_agrees(&device, "max", &x, |t| max_pool(&t[0], [k, k], window));
        assert_agrees(&device, "average", &x, |t| average_pool(&t[0], [k, k], window));
    }
    assert_agrees(&device, "average of all", &x, |t| average_pool(&t[0], [9, 8], Window::default()));
}

#[test]
fn additions_and_rectifiers_agree() {
    let Some((device, _turn)) = gpu() else { return };
    let inputs = [(filled(1, &[3, 5, 7, 4]) * 9.0).unwrap(), filled(2, &[3, 5, 7, 4])];
    for bounds in [Bounds::NONE, Bounds::RELU, Bounds::RELU6] {
        assert_agrees(&device, "add", &inputs, |t| add(&t[0], &t[1], bounds));
        assert_agrees(&device, "rectify", &inputs[..1], |t| rectify(&t[0].transpose(1, 3)?, bounds)? * 1.0);
    }
    let odd = Tensor::new(&[1.0_f32, f32::NAN, f32::INFINITY, -2.0], &device).unwrap();
    let out = flat(&rectify(&odd, Bounds::RELU6).unwrap());
    assert!(out[0] == 1.0 && out[1].is_nan() && out[2] == 6.0 && out[3] == 0.0, "{out:?}");
    let odd = odd.reshape((1, 2, 2, 1)).unwrap();
    assert!(flat(&max_pool(&odd, [2, 2], Window::default()).unwrap())[0].is_nan());
    let one = Tensor::ones((1, 1, 1, 1), DType::F32, &device).unwrap();
    let out = flat(&conv2d(&odd, &one, None, Window::default(), Bounds::RELU).unwrap());
    assert!(out[0] == 1.0 && out[1].is_nan() && out[2] == f64::INFINITY && out[3] == 0.0, "{out:?}");
}

#[test]
fn adam_agrees() {
    let Some((device, _turn)) = gpu() else { return };
    let run = |device: &Device| {
        let var = |x: Tensor| Var::from_tensor(&x.to_device(device).unwrap()).unwrap();
        let vars = [var(filled(1, &[7, 5])), var(filled(2, &[7, 5])), var(filled(3, &[7, 5]).abs().unwrap())];
        for step in 1..4 {
            let gradient = filled(step + 10, &[5, 7]).to_device(device).unwrap().t().unwrap();
            let step = AdamStep { beta: [0.9, 0.99], epsilon: 1e-8, rate: 0.1, weight_decay: 0.01, step };
            adam(&vars[0], &vars[1], &vars[2], &gradient, &step).unwrap();
        }
        vars
    };
    for (ours, twin) in run(&device).iter().zip(run(&Device::Cpu)) {
        assert!(difference(ours, &twin) < 1e-5);
    }
}

#[test]
fn losses_agree() {
    let Some((device, _turn)) = gpu() else { return };
    let rows = [filled(1, &[6, 8]), filled(2, &[6, 8])];
    let triples = [Triple { i: 0, j: 1, k: 2, order: 1 }, Triple { i: 3, j: 5, k: 4, order: -1 }];
    let plain = |result: retrace::Result<Tensor>| result.map_err(candle_core::Error::wrap);
    assert_agrees(&device, "triplet", &rows, |t| plain(triplet_loss(&t[0], &t[1], &[0, 1, 2, 2, 3, 4], 0.3)));
    assert_agrees(&device, "neighbourhood", &rows, |t| plain(neighbourhood_loss(&t[0], &t[1], &triples, 0.3)));
    let labels = [Some(0), None, Some(7), Some(3), Some(3), None];
    assert_agrees(&device, "cross entropy", &rows[..1], |t| plain(cross_entropy_loss(&t[0], &labels)));
}

/// A network on one device with a step's worth of pictures.
struct TrainingBench {
    parameters: Parameters,
    embedder: Embedder,
    pictures: Tensor,
}

impl TrainingBench {
    fn new(architecture: Architecture, norm: NormConfig, device: &Device) -> Self {
        let mut parameters = Parameters::new(Seed(1), device);
        let head = HeadConfig { dimension: 16, start: HeadStart::Normal };
        let embedder = Embedder::new(architecture, norm, Some(head), &mut parameters.root()).unwrap();
        let pictures = filled(5, &[12, 3, 64, 64]).to_device(device).unwrap();
        Self { parameters, embedder, pictures }
    }

    /// Six sketches and six photos under the triplet loss.
    fn slopes(&self) -> (f64, Gradients) {
        let all = self.embedder.forward(&self.pictures, Mode::Train).unwrap();
        let (sketches, photos) = (all.narrow(0, 0, 6).unwrap(), all.narrow(0, 6, 6).unwrap());
        let loss = triplet_loss(&sketches, &photos, &[0, 1, 2, 3, 4, 5], 0.3).unwrap();
        (flat(&loss)[0], gradients(&loss, &self.parameters.trainable()).unwrap())
    }
}

#[test]
fn training_steps_agree() {
    let Some((device, _turn)) = gpu() else { return };
    for (architecture, norm) in [
        (Architecture::Mini, NormConfig::default()),
        (Architecture::EfficientNetLite0, NormConfig::running()),
        (Architecture::ResNet18, NormConfig::running()),
    ] {
        let [ours, twin] = [&device, &Device::Cpu].map(|device| TrainingBench::new(architecture, norm, device));
        let [(loss, slopes), (twin_loss, twin_slopes)] = [ours.slopes(), twin.slopes()];
        assert!((loss - twin_loss).abs() < 1e-4 * twin_loss, "{architecture}: {loss}, {twin_loss}");
        assert_eq!(slopes.keys().collect::<Vec<_>>(), twin_slopes.keys().collect::<Vec<_>>());
        for (name, slope) in &slopes {
            let apart = distance(slope, &twin_slopes[name]);
            assert!(apart < 1e-2, "{architecture} {name}: {apart}");
        }
        // Descent and not Adam, whose first step is the gradient's sign: as far for a gradient that is rounding alone.
        for (bench, slopes) in [(&ours, &slopes), (&twin, &twin_slopes)] {
            Optimiser::new(OptimiserConfig::sgd(0.01, 0.0), bench.parameters.trainable()).step(slopes, 1.0).unwrap();
        }
        for (name, tensor) in ours.parameters.tensors() {
            let apart = distance(&tensor, &twin.parameters.tensors()[&name]);
            // As above: a bias that was 0 is its gradient now, but for the rate.
            assert!(apart < 1e-2, "{architecture} {name} after the step: {apart}");
        }
    }
}

#[cfg(feature = "cudnn")]
#[test]
fn a_training_step_repeats_to_the_last_bit() {
    let Some((device, _turn)) = gpu() else { return };
    for (architecture, norm) in
        [(Architecture::Mini, NormConfig::default()), (Architecture::EfficientNetLite0, NormConfig::running())]
    {
        let bytes = || {
            let (loss, slopes) = TrainingBench::new(architecture, norm, &device).slopes();
            (loss.to_bits(), slopes.values().map(flat).collect::<Vec<_>>())
        };
        assert!(bytes() == bytes(), "{architecture}");
    }
}

#[test]
fn training_lowers_the_loss_and_its_weights_move_to_the_cpu() {
    let Some((device, _turn)) = gpu() else { return };
    let bench = TrainingBench::new(Architecture::Mini, NormConfig::default(), &device);
    let mut optimiser = Optimiser::new(OptimiserConfig::adam(1e-3), bench.parameters.trainable());
    let losses: Vec<f64> = (0..8)
        .map(|_| {
            let (loss, slopes) = bench.slopes();
            optimiser.step(&slopes, 1.0).unwrap();
            loss
        })
        .collect();
    assert!(losses[7] < 0.9 * losses[0], "{losses:?}");

    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("weights.safetensors");
    weights::save(&path, &bench.parameters.tensors(), weights::Storage::F32, &BTreeMap::new()).unwrap();
    let copy = TrainingBench::new(Architecture::Mini, NormConfig::default(), &Device::Cpu);
    copy.parameters.load(&weights::read(&path).unwrap().tensors).unwrap();
    let [ours, twin] = [&bench, &copy].map(|b| b.embedder.forward(&b.pictures, Mode::Eval).unwrap());
    assert!(difference(&ours, &twin) < 1e-4);
    optimiser.restore(optimiser.state().unwrap()).unwrap();
}

#[test]
fn a_whole_pretraining_runs() {
    let Some((device, _turn)) = gpu() else { return };
    let config = PretrainConfig {
        photos: 24,
        valid_photos: 8,
        side: 32,
        epochs: 4,
        batch: 8,
        ..PretrainConfig::mini(PretrainMethod::Attributes)
    };
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let places = Places {
        results: place.path().into(),
        figures: at("figures"),
        shipped: at("shipped"),
        data: None,
        weights: at("weights"),
        cache: at("cache"),
    };
    pretrain::run(&config, Seed(0), &places, &device, "test", &Unwatched).unwrap();
    let log = std::fs::read_to_string(config.folder(place.path()).0.join("log.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let loss = |line: usize| lines[line]["loss"].as_f64().unwrap();
    assert_eq!(lines[0]["device"], "cuda");
    assert!(loss(4) < 0.95 * loss(1), "{} then {}", loss(1), loss(4));
}
