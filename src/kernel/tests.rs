//! Values and gradients against the definition in f64, over shapes with every option in use.
//!
//! candle's own gradient is no twin: for strides that do not divide a map that is not square, it fails (0.11.1).

use super::{Window, add_channels, batch_norm, conv2d, moments, rectify};
use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;

fn filled(seed: u64, dims: &[usize]) -> Tensor {
    use rand::RngExt;
    let mut stream = crate::seed::Seed(seed).stream("test");
    let count: usize = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|_| stream.random_range(-1.0_f32..1.0)).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

/// Visits every product of a convolution's definition: positions in the output, the input and the weight.
fn for_products(x: &[usize], k: &[usize], window: Window, mut visit: impl FnMut(usize, usize, usize)) {
    let (&[b, c, h, w], &[d, part, kh, kw]) = (x, k) else { panic!("four dimensions each") };
    let (out_h, out_w) = (window.output(h, kh).unwrap(), window.output(w, kw).unwrap());
    for (n, o) in (0..b).flat_map(|n| (0..d).map(move |o| (n, o))) {
        let first = o / (d / window.groups) * part;
        for (y, column) in (0..out_h).flat_map(|y| (0..out_w).map(move |x| (y, x))) {
            for (i, ty, tx) in (0..part).flat_map(|i| (0..kh).flat_map(move |a| (0..kw).map(move |b| (i, a, b)))) {
                let (sy, sx) =
                    (y * window.stride + ty * window.dilation, column * window.stride + tx * window.dilation);
                if sy < window.padding || sx < window.padding || sy - window.padding >= h || sx - window.padding >= w {
                    continue;
                }
                let from = ((n * c + first + i) * h + sy - window.padding) * w + sx - window.padding;
                visit(((n * d + o) * out_h + y) * out_w + column, from, ((o * part + i) * kh + ty) * kw + tx);
            }
        }
    }
}

/// The naive twin, in f64: output, and the gradients of `sum(output * probe)`.
fn naive(x: &Tensor, k: &Tensor, probe: Option<&Tensor>, window: Window) -> [Vec<f64>; 3] {
    let values = |t: &Tensor| -> Vec<f64> {
        t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect()
    };
    let (xs, ks, probe) = (values(x), values(k), probe.map(values));
    let (h, w) = (window.output(x.dims()[2], k.dims()[2]).unwrap(), window.output(x.dims()[3], k.dims()[3]).unwrap());
    let mut out = vec![0.0; x.dims()[0] * k.dims()[0] * h * w];
    let (mut to_x, mut to_k) = (vec![0.0; xs.len()], vec![0.0; ks.len()]);
    for_products(x.dims(), k.dims(), window, |o, i, t| {
        out[o] += xs[i] * ks[t];
        let slope = probe.as_ref().map_or(0.0, |probe| probe[o]);
        to_x[i] += slope * ks[t];
        to_k[t] += slope * xs[i];
    });
    [out, to_x, to_k]
}

fn largest_difference(ours: &Tensor, twin: &[f64]) -> f64 {
    let ours = ours.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(ours.len(), twin.len());
    ours.iter().zip(twin).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn values_and_gradients_agree(
        seed in 0_u64..1000, b in 1_usize..4, part in 1_usize..4, out in 1_usize..4, groups in 1_usize..4,
        h in 5_usize..12, w in 5_usize..12, k in prop::sample::select(vec![1_usize, 2, 3, 5]),
        stride in 1_usize..3, padding in 0_usize..4, dilation in 1_usize..3,
    ) {
        let window = Window { stride, padding, dilation, groups };
        prop_assume!(window.output(h, k).is_some() && window.output(w, k).is_some());
        let (x, weight) = (filled(seed, &[b, part * groups, h, w]), filled(seed + 1, &[out * groups, part, k, k]));
        let (x, weight) = (Var::from_tensor(&x).unwrap(), Var::from_tensor(&weight).unwrap());
        let ours = conv2d(&x, &weight, window).unwrap();
        let probe = filled(seed + 2, ours.dims());
        let [values, to_x, to_weight] = naive(&x, &weight, Some(&probe), window);
        prop_assert!(largest_difference(&ours, &values) < 1e-4);
        let gradients = (&ours * &probe).unwrap().sum_all().unwrap().backward().unwrap();
        prop_assert!(largest_difference(gradients.get(&x).unwrap(), &to_x) < 1e-3, "input");
        prop_assert!(largest_difference(gradients.get(&weight).unwrap(), &to_weight) < 1e-3, "weight");
    }
}

#[test]
fn candle_agrees_where_it_can() {
    let (x, weight) = (filled(1, &[3, 6, 10, 9]), filled(2, &[8, 3, 3, 3]));
    let window = Window { stride: 2, padding: 1, dilation: 1, groups: 2 };
    let theirs = x.conv2d(&weight, 1, 2, 1, 2).unwrap();
    let difference = (conv2d(&x, &weight, window).unwrap() - theirs).unwrap().abs().unwrap();
    assert!(difference.flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap() < 1e-4);
}

#[test]
fn an_input_that_is_not_contiguous_is_read_right() {
    let x = filled(3, &[2, 6, 7, 4]).transpose(1, 2).unwrap();
    let weight = filled(4, &[5, 7, 3, 3]);
    let window = Window { padding: 1, ..Window::default() };
    let ours = conv2d(&x, &weight, window).unwrap();
    assert!(largest_difference(&ours, &naive(&x, &weight, None, window)[0]) < 1e-4);
}

#[test]
fn nan_and_infinity_pass_through() {
    let x = Tensor::new(&[[[[1.0_f32, f32::NAN], [f32::INFINITY, 2.0]]]], &Device::Cpu).unwrap();
    let weight = Tensor::ones((1, 1, 1, 1), DType::F32, &Device::Cpu).unwrap();
    let out: Vec<f32> = conv2d(&x, &weight, Window::default()).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    assert!(out[0] == 1.0 && out[1].is_nan() && out[2] == f32::INFINITY && out[3] == 2.0);
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let (x, weight) = (filled(1, &[1, 4, 5, 5]), filled(2, &[2, 3, 3, 3]));
    let error = conv2d(&x, &weight, Window::default()).unwrap_err().to_string();
    assert!(error.contains("[1, 4, 5, 5]") && error.contains("[2, 3, 3, 3]"), "{error}");
    let large = filled(2, &[2, 4, 7, 7]);
    assert!(conv2d(&x, &large, Window::default()).is_err());
}

/// Gradients of `sum(out * probe)` of the fast operation in f32 and of candle's own composition in f64.
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
        let twin = twin.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert!(largest_difference(ours, &twin) < 2e-4, "{}", largest_difference(ours, &twin));
    }
}

#[test]
fn batch_norm_agrees_with_its_composition() {
    for dims in [[3, 4, 5, 7], [2, 1, 1, 1], [1, 3, 9, 2], [5, 2, 4, 4]] {
        let x = (filled(1, &dims) * 3.0).unwrap().affine(1.0, 2.0).unwrap();
        let (weight, bias) = (filled(2, &dims[1..2]), filled(3, &dims[1..2]));
        check_against_f64(&[x.clone(), weight, bias], |t| batch_norm(&t[0], &t[1], &t[2], 1e-3).unwrap());
        let (mean, variance) = moments(&x).unwrap();
        let (mean64, variance64) = moments(&x.to_dtype(DType::F64).unwrap()).unwrap();
        assert!(largest_difference(&mean, &mean64.to_vec1::<f64>().unwrap()) < 1e-5);
        assert!(largest_difference(&variance, &variance64.to_vec1::<f64>().unwrap()) < 1e-4);
    }
}

#[test]
fn channel_addition_and_rectifiers_agree_with_their_composition() {
    let (x, values) = (filled(1, &[3, 4, 5, 7]), filled(2, &[4]));
    check_against_f64(&[x.clone(), values], |t| add_channels(&t[0], &t[1]).unwrap());
    let large = (x * 9.0).unwrap();
    for ceiling in [None, Some(6.0)] {
        check_against_f64(&[large.transpose(1, 3).unwrap()], |t| rectify(&t[0], ceiling).unwrap());
    }
    let nan = Tensor::new(&[f32::NAN], &Device::Cpu).unwrap();
    assert!(rectify(&nan, Some(6.0)).unwrap().to_vec1::<f32>().unwrap()[0].is_nan());
    let error = add_channels(&filled(1, &[1, 4, 2, 2]), &filled(2, &[3])).unwrap_err().to_string();
    assert!(error.contains("4 channels") && error.contains("[3]"), "{error}");
}
