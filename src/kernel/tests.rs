//! Values and gradients against the definition in f64 and against candle's own operations, over shapes with every option in use.

use super::*;
use candle_core::{Device, Shape, Var};
use proptest::prelude::*;

fn filled(seed: u64, dims: impl Into<Shape>) -> Tensor {
    use rand::RngExt;
    let (mut stream, dims) = (crate::seed::Seed(seed).stream("test"), dims.into());
    let values: Vec<f32> = (0..dims.elem_count()).map(|_| stream.random_range(-1.0_f32..1.0)).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn largest_difference(ours: &Tensor, twin: &[f64]) -> f64 {
    let ours = flat(ours);
    assert_eq!(ours.len(), twin.len());
    ours.iter().zip(twin).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The definition, product by product: output, and the gradients of `sum(output * probe)` to input and weight.
fn naive(x: &Tensor, k: &Tensor, probe: Option<&Tensor>, window: Window) -> [Vec<f64>; 3] {
    let (&[b, h, w, c], &[d, part, kh, kw]) = (x.dims(), k.dims()) else { panic!("four dimensions each") };
    let [out_h, out_w] = window.output([h, w], [kh, kw]).unwrap();
    let (xs, ks, probe) = (flat(x), flat(k), probe.map(flat));
    let mut out = vec![0.0; b * out_h * out_w * d];
    let (mut to_x, mut to_k) = (vec![0.0; xs.len()], vec![0.0; ks.len()]);
    for at in 0..out.len() {
        let (o, column, y, n) = (at % d, at / d % out_w, at / d / out_w % out_h, at / d / out_w / out_h);
        let slope = probe.as_ref().map_or(0.0, |probe| probe[at]);
        for tap in 0..part * kh * kw {
            let (v, u, q) = (tap % kw, tap / kw % kh, tap / kw / kh);
            let place = |out: usize, tap: usize, axis: usize, size: usize| {
                let place = out * window.stride + tap * window.dilation;
                place.checked_sub(window.padding[axis][0]).filter(|place| *place < size)
            };
            let (Some(sy), Some(sx)) = (place(y, u, 0, h), place(column, v, 1, w)) else { continue };
            let from = ((n * h + sy) * w + sx) * c + o / (d / window.groups) * part + q;
            let weight = ((o * part + q) * kh + u) * kw + v;
            out[at] += xs[from] * ks[weight];
            to_x[from] += slope * ks[weight];
            to_k[weight] += slope * xs[from];
        }
    }
    [out, to_x, to_k]
}

/// Output and gradients of the operation itself, without bias or cut.
fn fast(x: &Tensor, weight: &Tensor, probe: &Tensor, window: Window) -> [Tensor; 3] {
    let (x, weight) = (Var::from_tensor(x).unwrap(), Var::from_tensor(weight).unwrap());
    let y = conv2d(&x, &weight, None, window, Bounds::NONE).unwrap();
    let gradients = (&y * probe).unwrap().sum_all().unwrap().backward().unwrap();
    [y, gradients.get(&x).unwrap().clone(), gradients.get(&weight).unwrap().clone()]
}

fn assert_convolution(seed: u64, input: [usize; 4], weight: [usize; 4], window: Window) {
    let (x, k) = (filled(seed, input.to_vec()), filled(seed + 1, weight.to_vec()));
    let [h, w] = window.output([input[1], input[2]], [weight[2], weight[3]]).unwrap();
    let probe = filled(seed + 2, (input[0], h, w, weight[0]));
    let twins = naive(&x, &k, Some(&probe), window);
    for (what, (ours, twin)) in
        ["output", "input", "weight"].iter().zip(fast(&x, &k, &probe, window).iter().zip(&twins))
    {
        // Rounding grows with the number of products, whose terms are at most 1.
        let scale = twin.iter().fold(1.0_f64, |a, v| a.max(v.abs()));
        let worst = largest_difference(ours, twin) / scale;
        assert!(worst < 3e-5, "{what} of {input:?} {weight:?} {window:?}: {worst}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_convolution_equals_its_definition(
        seed in 0_u64..1000, b in 1_usize..4, part in 1_usize..4, out in 1_usize..4, groups in 1_usize..4,
        h in 1_usize..12, w in 1_usize..12,
        k in prop::sample::select(vec![[1_usize, 1], [2, 2], [3, 3], [5, 5], [1, 3], [3, 1], [1, 7], [7, 1]]),
        stride in 1_usize..4, padding in prop::array::uniform2(prop::array::uniform2(0_usize..4)), dilation in 1_usize..3,
    ) {
        let window = Window { stride, padding, dilation, groups };
        prop_assume!(window.output([h, w], k).is_some());
        assert_convolution(seed, [b, h, w, part * groups], [out * groups, part, k[0], k[1]], window);
    }

    #[test]
    fn a_depthwise_convolution_equals_its_definition(
        seed in 0_u64..1000, b in 1_usize..4, c in 1_usize..40, h in 1_usize..12, w in 1_usize..12,
        k in prop::sample::select(vec![3_usize, 5]), stride in 1_usize..3, padding in 0_usize..4,
    ) {
        let window = Window { stride, groups: c, ..Window::default() }.padded(padding);
        prop_assume!(window.output([h, w], [k; 2]).is_some());
        assert_convolution(seed, [b, h, w, c], [c, 1, k, k], window);
    }

    #[test]
    fn pools_equal_their_composition(
        seed in 0_u64..1000, b in 1_usize..3, c in 1_usize..4, h in 1_usize..9, w in 1_usize..9,
        k in 1_usize..4, stride in 1_usize..4, padding in 0_usize..2,
    ) {
        let window = Window { stride, ..Window::default() }.padded(padding.min(k / 2));
        prop_assume!(window.output([h, w], [k; 2]).is_some());
        let x = [filled(seed, (b, h, w, c))];
        check_against_f64(&x, |t| max_pool(&t[0], [k; 2], window).unwrap());
        check_against_f64(&x, |t| average_pool(&t[0], [k; 2], window).unwrap());
    }
}

/// Shapes as large as a network's, where the work is divided into tasks and blocks.
#[test]
fn large_convolutions_equal_their_definition() {
    let window = |stride, groups| Window { stride, groups, ..Window::default() }.padded(1);
    assert_convolution(1, [3, 17, 19, 24], [40, 24, 3, 3], window(1, 1));
    assert_convolution(2, [3, 16, 15, 24], [40, 24, 3, 3], window(2, 1));
    assert_convolution(3, [2, 8, 8, 96], [96, 96, 3, 3], window(1, 1));
    assert_convolution(9, [3, 17, 19, 48], [64, 48, 3, 3], window(1, 1));
    assert_convolution(10, [40, 4, 4, 32], [32, 32, 3, 3], Window { padding: [[0, 2], [2, 0]], ..Window::default() });
    assert_convolution(4, [9, 24, 24, 8], [16, 8, 1, 1], Window::default());
    assert_convolution(5, [2, 3, 3, 160], [512, 160, 1, 1], Window::default());
    assert_convolution(6, [5, 20, 20, 48], [48, 1, 3, 3], window(1, 48));
    assert_convolution(7, [2, 12, 12, 32], [64, 16, 3, 3], window(1, 2));
    let stem = Window { stride: 2, padding: [[0, 1]; 2], ..Window::default() };
    assert_convolution(8, [2, 64, 64, 3], [32, 3, 3, 3], stem);
}

/// Kernels of another height than width, padded by half: those of Inception-v3, on its smaller maps.
const RECTANGLES: [[usize; 2]; 4] = [[1, 7], [7, 1], [1, 3], [3, 1]];

fn half(k: [usize; 2]) -> Window {
    Window { padding: k.map(|k| [(k - 1) / 2; 2]), ..Window::default() }
}

#[test]
fn large_rectangular_convolutions_equal_their_definition() {
    for (seed, k) in (1..).zip(RECTANGLES) {
        assert_convolution(seed, [2, 17, 13, 32], [40, 32, k[0], k[1]], half(k));
        assert_convolution(seed, [9, 3, 5, 96], [64, 96, k[0], k[1]], half(k));
    }
}

/// candle pads both sides alike, so it is given a padded picture.
#[test]
fn a_rectangular_convolution_agrees_with_candle() {
    for k in RECTANGLES {
        let window = half(k);
        let x = Var::from_tensor(&filled(1, (2, 4, 9, 8))).unwrap();
        let weight = Var::from_tensor(&filled(2, (5, 4, k[0], k[1]))).unwrap();
        let padded = (0..2).try_fold(x.as_tensor().clone(), |x, axis| {
            x.pad_with_zeros(2 + axis, window.padding[axis][0], window.padding[axis][1])
        });
        let theirs = channels_last(&padded.unwrap().conv2d(&weight, 0, 1, 1, 1).unwrap()).unwrap();
        let ours = conv2d(&channels_last(&x).unwrap(), &weight, None, window, Bounds::NONE).unwrap();
        assert!(largest_difference(&ours, &flat(&theirs)) < 1e-4, "{k:?}");
        let gradients = |y: Tensor| y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let (ours, theirs) = (gradients(ours), gradients(theirs));
        for var in [&x, &weight] {
            let worst = largest_difference(ours.get(var).unwrap(), &flat(theirs.get(var).unwrap()));
            assert!(worst < 2e-3, "{k:?} {:?}: {worst}", var.dims());
        }
    }
}

#[test]
fn convolution_agrees_with_candle_where_candle_supports_it() {
    let (x, weight) = (filled(1, (3, 6, 10, 9)), filled(2, (8, 3, 3, 3)));
    let window = Window { stride: 2, groups: 2, ..Window::default() }.padded(1);
    let ours = conv2d(&channels_last(&x).unwrap(), &weight, None, window, Bounds::NONE).unwrap();
    let theirs = channels_last(&x.conv2d(&weight, 1, 2, 1, 2).unwrap()).unwrap();
    assert!(largest_difference(&ours, &flat(&theirs)) < 1e-4);
    let square = Var::from_tensor(&filled(3, (2, 4, 8, 8))).unwrap();
    let weight = Var::from_tensor(&filled(4, (5, 4, 3, 3))).unwrap();
    let gradients = |y: Tensor| y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
    let theirs = gradients(square.conv2d(&weight, 1, 1, 1, 1).unwrap());
    let window = Window::default().padded(1);
    let ours = gradients(conv2d(&channels_last(&square).unwrap(), &weight, None, window, Bounds::NONE).unwrap());
    for var in [&square, &weight] {
        assert!(largest_difference(ours.get(var).unwrap(), &flat(theirs.get(var).unwrap())) < 2e-3);
    }
}

#[test]
fn bias_and_cut_agree_with_their_composition() {
    let inputs = [filled(1, (2, 5, 6, 4)), filled(2, (8, 4, 3, 3)), filled(3, 8)];
    let depthwise = [filled(1, (2, 5, 6, 20)), filled(2, (20, 1, 3, 3)), filled(3, 20)];
    for bounds in [Bounds::NONE, Bounds::RELU, Bounds { low: -0.5, high: 0.7 }] {
        let window = Window::default().padded(1);
        check_against_f64(&inputs, |t| conv2d(&t[0], &t[1], Some(&t[2]), window, bounds).unwrap());
        let window = Window { groups: 20, stride: 2, ..window };
        check_against_f64(&depthwise, |t| conv2d(&t[0], &t[1], Some(&t[2]), window, bounds).unwrap());
    }
}

#[test]
fn an_input_that_is_not_contiguous_is_read_right() {
    let x = filled(3, (2, 7, 6, 4)).transpose(1, 2).unwrap();
    let weight = filled(4, (3, 3, 4, 5)).permute((3, 2, 0, 1)).unwrap();
    let window = Window::default().padded(1);
    let ours = conv2d(&x, &weight, None, window, Bounds::NONE).unwrap();
    assert!(largest_difference(&ours, &naive(&x, &weight, None, window)[0]) < 1e-4);
    let narrow = filled(5, (3, 7, 6, 4)).narrow(0, 1, 2).unwrap();
    let ours = max_pool(&narrow, [2, 2], Window::default()).unwrap();
    let copied = max_pool(&narrow.copy().unwrap(), [2, 2], Window::default()).unwrap();
    assert_eq!(flat(&ours), flat(&copied));
}

#[test]
fn nan_and_infinity_pass_through() {
    let x = Tensor::new(&[1.0_f32, f32::NAN, f32::INFINITY, 2.0], &Device::Cpu).unwrap().reshape((1, 2, 2, 1)).unwrap();
    let one = Tensor::ones((1, 1, 1, 1), DType::F32, &Device::Cpu).unwrap();
    for x in [x.clone(), x.to_dtype(DType::F64).unwrap()] {
        let one = one.to_dtype(x.dtype()).unwrap();
        let out = flat(&conv2d(&x, &one, None, Window::default(), Bounds::RELU).unwrap());
        assert!(out[0] == 1.0 && out[1].is_nan() && out[2] == f64::INFINITY && out[3] == 2.0, "{out:?}");
        let out = flat(&rectify(&x, Bounds::RELU6).unwrap());
        assert!(out[0] == 1.0 && out[1].is_nan() && out[2] == 6.0 && out[3] == 2.0, "{out:?}");
        assert!(flat(&max_pool(&x, [2, 2], Window::default()).unwrap())[0].is_nan());
        assert_eq!(flat(&max_pool(&x, [2, 1], Window::default()).unwrap())[0], f64::INFINITY);
        assert!(flat(&average_pool(&x, [2, 2], Window::default()).unwrap())[0].is_nan());
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let (x, weight) = (filled(1, (1, 5, 5, 4)), filled(2, (2, 3, 3, 3)));
    let of =
        |x: &Tensor, weight: &Tensor, window| conv2d(x, weight, None, window, Bounds::NONE).unwrap_err().to_string();
    let error = of(&x, &weight, Window::default());
    assert!(error.contains("[1, 5, 5, 4]") && error.contains("[2, 3, 3, 3]"), "{error}");
    let error = of(&x, &filled(2, (2, 4, 7, 7)), Window::default());
    assert!(error.contains("[7, 7]") && error.contains("[1, 5, 5, 4]"), "{error}");
    of(&x, &filled(2, (2, 4, 3, 3)), Window { stride: 0, ..Window::default() });
    of(&x, &filled(2, (2, 4, 3, 3)), Window { dilation: 0, ..Window::default() });
    of(&x, &filled(2, (2, 4, 3, 3)), Window { groups: 0, ..Window::default() });
    of(&x.flatten_all().unwrap(), &weight, Window::default());
    let bias = conv2d(&x, &filled(2, (2, 4, 3, 3)), Some(&filled(1, 3)), Window::default(), Bounds::NONE).unwrap_err();
    assert!(bias.to_string().contains("2 numbers") && bias.to_string().contains("[3]"), "{bias}");
    assert!(max_pool(&x, [6, 1], Window::default()).is_err());
    let (one, moments) = (filled(1, 3), moments(&x).unwrap());
    let error = batch_norm(&x, &moments, [&one, &one], 0.0, None, Bounds::NONE).unwrap_err().to_string();
    assert!(error.contains("4 channels") && error.contains("[3]"), "{error}");
    assert!(add(&x, &weight, Bounds::NONE).is_err());
}

#[test]
fn an_empty_batch_stays_empty() {
    let x = Tensor::zeros((0, 5, 5, 4), DType::F32, &Device::Cpu).unwrap();
    let y = conv2d(&x, &filled(2, (2, 4, 3, 3)), None, Window::default(), Bounds::NONE).unwrap();
    assert_eq!(y.dims(), [0, 3, 3, 2]);
}

/// Gradients of `sum(out * probe)` of the fast operation in f32 and of the composition from candle's in f64.
fn check_against_f64(inputs: &[Tensor], run: impl Fn(&[Tensor]) -> Tensor) {
    let run_in = |dtype: DType| {
        let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()).collect();
        let out = run(&vars.iter().map(|var| var.as_tensor().clone()).collect::<Vec<_>>());
        let probe = filled(99, out.dims()).to_dtype(dtype).unwrap();
        let gradients = (&out * probe).unwrap().sum_all().unwrap().backward().unwrap();
        let mut all = vec![out];
        all.extend(vars.iter().map(|var| gradients.get(var).unwrap().clone()));
        all
    };
    for (ours, twin) in run_in(DType::F32).iter().zip(run_in(DType::F64)) {
        let worst = largest_difference(ours, &flat(&twin));
        assert!(worst < 2e-4, "{worst} for {:?}", inputs.iter().map(Tensor::dims).collect::<Vec<_>>());
    }
}

#[test]
fn batch_norm_agrees_with_its_composition() {
    for (b, h, w, c) in [(3, 5, 7, 4), (2, 1, 1, 1), (1, 9, 2, 3), (5, 40, 40, 17)] {
        let x = (filled(1, (b, h, w, c)) * 3.0).unwrap().affine(1.0, 2.0).unwrap();
        let own = moments(&x).unwrap();
        let twin = moments(&x.to_dtype(DType::F64).unwrap()).unwrap();
        assert!(largest_difference(&own.mean, &flat(&twin.mean)) < 1e-5);
        assert!(largest_difference(&own.variance, &flat(&twin.variance)) < 1e-4);
        let inputs = [x, filled(2, c), filled(3, c), filled(4, (b, h, w, c))];
        for bounds in [Bounds::NONE, Bounds::RELU] {
            let plain = |t: &[Tensor]| batch_norm(&t[0], &moments(&t[0])?, [&t[1], &t[2]], 1e-3, None, bounds);
            let onto = |t: &[Tensor]| batch_norm(&t[0], &moments(&t[0])?, [&t[1], &t[2]], 1e-3, Some(&t[3]), bounds);
            check_against_f64(&inputs[..3], |t| plain(t).unwrap());
            check_against_f64(&inputs, |t| onto(t).unwrap());
        }
    }
}

#[test]
fn a_mean_far_from_zero_keeps_its_variance() {
    let x = (filled(1, (8, 16, 16, 3)) + 1000.0).unwrap();
    let (own, twin) = (moments(&x).unwrap(), moments(&x.to_dtype(DType::F64).unwrap()).unwrap());
    assert!(largest_difference(&own.variance, &flat(&twin.variance)) < 1e-4);
}

#[test]
fn additions_and_rectifiers_agree_with_their_composition() {
    let (x, y) = ((filled(1, (3, 5, 7, 4)) * 9.0).unwrap(), filled(2, (3, 5, 7, 4)));
    for bounds in [Bounds::NONE, Bounds::RELU, Bounds::RELU6] {
        check_against_f64(&[x.clone(), y.clone()], |t| add(&t[0], &t[1], bounds).unwrap());
        check_against_f64(&[x.transpose(1, 3).unwrap()], |t| (rectify(&t[0], bounds).unwrap() * 1.0).unwrap());
    }
}

#[test]
fn shifts_agree_with_their_composition() {
    let inputs = [(filled(1, (3, 5, 7, 4)) * 9.0).unwrap(), filled(2, 4)];
    for bounds in [Bounds::NONE, Bounds::RELU, Bounds::RELU6] {
        check_against_f64(&inputs, |t| rectify::shift(&t[0], Some(&t[1]), bounds).unwrap());
    }
}

#[test]
fn adam_in_place_equals_its_composition() {
    let run = |dtype: DType| {
        let var = |seed| Var::from_tensor(&filled(seed, (7, 5)).to_dtype(dtype).unwrap()).unwrap();
        let (x, mean, square) = (var(1), var(2), Var::from_tensor(&var(3).abs().unwrap()).unwrap());
        for step in 1..4 {
            let gradient = filled(step + 10, (5, 7)).t().unwrap().to_dtype(dtype).unwrap();
            let step = AdamStep { beta: [0.9, 0.99], epsilon: 1e-8, rate: 0.1, weight_decay: 0.01, step };
            adam(&x, &mean, &square, &gradient, &step).unwrap();
        }
        [x, mean, square]
    };
    for (ours, twin) in run(DType::F32).iter().zip(run(DType::F64)) {
        assert!(largest_difference(ours, &flat(&twin)) < 1e-5);
    }
    let [x, mean, _] = run(DType::F32);
    let step = AdamStep { beta: [0.9, 0.99], epsilon: 1e-8, rate: 0.1, weight_decay: 0.0, step: 1 };
    let error = adam(&x, &mean, &mean, &filled(1, 3), &step).unwrap_err().to_string();
    assert!(error.contains("[7, 5]") && error.contains("[3]"), "{error}");
}

#[test]
fn results_do_not_depend_on_the_thread_count() {
    let (x, k) = (filled(1, (6, 20, 20, 24)), filled(2, (40, 24, 3, 3)));
    let probe = filled(3, (6, 20, 20, 40));
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fast(&x, &k, &probe, Window::default().padded(1)).map(|t| flat(&t)))
    };
    assert_eq!(run(1), run(3));
}
