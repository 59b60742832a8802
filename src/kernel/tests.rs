//! Values and gradients against candle's own convolution in f64, over shapes with every option in use.

use super::{Window, conv2d};
use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;

fn filled(seed: u64, dims: &[usize]) -> Tensor {
    use rand::RngExt;
    let mut stream = crate::seed::Seed(seed).stream("test");
    let count: usize = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|_| stream.random_range(-1.0_f32..1.0)).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    let b = b.to_dtype(DType::F64).unwrap();
    let difference = (a.to_dtype(DType::F64).unwrap() - b).unwrap().abs().unwrap();
    difference.flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
}

/// The naive loop: definition of a convolution, nothing else.
fn naive(input: &Tensor, weight: &Tensor, window: Window) -> Tensor {
    let (b, c, h, w) = input.dims4().unwrap();
    let (d, part, kh, kw) = weight.dims4().unwrap();
    let (out_h, out_w) = (window.output(h, kh).unwrap(), window.output(w, kw).unwrap());
    let x: Vec<f32> = input.flatten_all().unwrap().to_vec1().unwrap();
    let k: Vec<f32> = weight.flatten_all().unwrap().to_vec1().unwrap();
    let mut out = Vec::new();
    for (n, o) in (0..b).flat_map(|n| (0..d).map(move |o| (n, o))) {
        let first = o / (d / window.groups) * part;
        for (y, column) in (0..out_h).flat_map(|y| (0..out_w).map(move |x| (y, x))) {
            let mut sum = 0.0;
            for (i, ty, tx) in (0..part).flat_map(|i| (0..kh).flat_map(move |a| (0..kw).map(move |b| (i, a, b)))) {
                let (sy, sx) = (y * window.stride + ty * window.dilation, column * window.stride + tx * window.dilation);
                if sy < window.padding || sx < window.padding || sy - window.padding >= h || sx - window.padding >= w {
                    continue;
                }
                let at = ((n * c + first + i) * h + sy - window.padding) * w + sx - window.padding;
                sum += f64::from(x[at]) * f64::from(k[((o * part + i) * kh + ty) * kw + tx]);
            }
            out.push(sum);
        }
    }
    Tensor::from_vec(out, (b, d, out_h, out_w), &Device::Cpu).unwrap()
}

/// Gradients of `sum(out * probe)` with respect to both arguments.
fn gradients(x: &Tensor, k: &Tensor, probe: &Tensor, ours: bool, window: Window) -> (Tensor, Tensor) {
    let (x, k) = (Var::from_tensor(x).unwrap(), Var::from_tensor(k).unwrap());
    let out = match ours {
        true => conv2d(&x, &k, window),
        false => x.conv2d(&k, window.padding, window.stride, window.dilation, window.groups),
    };
    let grads = (out.unwrap() * probe).unwrap().sum_all().unwrap().backward().unwrap();
    (grads.get(&x).unwrap().clone(), grads.get(&k).unwrap().clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn values_and_gradients_agree(
        seed in 0_u64..1000, b in 1_usize..4, part in 1_usize..4, out in 1_usize..4, groups in 1_usize..4,
        h in 5_usize..12, w in 5_usize..12, k in prop::sample::select(vec![1_usize, 2, 3, 5]),
        stride in 1_usize..3, padding in 0_usize..4, dilation in 1_usize..3,
    ) {
        let window = Window { stride, padding, dilation, groups };
        prop_assume!(window.output(h, k).is_some() && window.output(w, k).is_some());
        let (x, weight) = (filled(seed, &[b, part * groups, h, w]), filled(seed + 1, &[out * groups, part, k, k]));
        let ours = conv2d(&x, &weight, window).unwrap();
        prop_assert!(largest_difference(&ours, &naive(&x, &weight, window)) < 1e-4);
        let probe = filled(seed + 2, ours.dims());
        let (to_x, to_weight) = gradients(&x, &weight, &probe, true, window);
        let wide = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
        // candle's own gradient asks for an output size that its transposed convolution can restore.
        let exact = |n: usize, o: usize| (o - 1) * stride + dilation * (k - 1) + 1 <= n + 2 * padding;
        prop_assume!(exact(h, ours.dims()[2]) && exact(w, ours.dims()[3]));
        let (x64, weight64) = gradients(&wide(&x), &wide(&weight), &wide(&probe), false, window);
        prop_assert!(largest_difference(&to_x, &x64) < 1e-3, "input");
        prop_assert!(largest_difference(&to_weight, &weight64) < 1e-3, "weight");
    }
}

#[test]
fn an_input_that_is_not_contiguous_is_read_right() {
    let x = filled(3, &[2, 6, 7, 4]).transpose(1, 2).unwrap();
    let weight = filled(4, &[5, 7, 3, 3]);
    let window = Window { padding: 1, ..Window::default() };
    let ours = conv2d(&x, &weight, window).unwrap();
    assert!(largest_difference(&ours, &naive(&x, &weight, window)) < 1e-4);
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
