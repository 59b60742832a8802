use super::*;
use candle_core::{DType, Device, Var};

/// Numbers between -1 and 1 that look random.
fn numbers(shape: &[usize], salt: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let values: Vec<f64> = (0..count).map(|i| ((i * 37 + salt * 101) as f64 * 0.7391).sin()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// What a case consists of: inputs, start, weights of input, hidden, bias, values, keys, query, score.
const B: usize = 19; // a whole part and a rest
const T: usize = 4;

fn case(has_map: bool, dtype: DType) -> Vec<Var> {
    let (k, h, n, c, a) = (3, 5, 6, 2, 4);
    let seen = if has_map { k + c } else { k };
    let mut shapes: Vec<Vec<usize>> =
        vec![vec![B, T, k], vec![B, 2 * h], vec![4 * h, seen], vec![4 * h, h], vec![4 * h]];
    if has_map {
        shapes.extend([vec![B, n, c], vec![B, n, a], vec![a, h], vec![a]]);
    }
    let var = |(salt, shape): (usize, &Vec<usize>)| Var::from_tensor(&numbers(shape, salt).to_dtype(dtype).unwrap());
    shapes.iter().enumerate().map(|one| var(one).unwrap()).collect()
}

type Layer = fn(&Tensor, &Tensor, &LstmWeights, Option<&Looked>) -> Result<Unrolled>;

fn parts(parts: &[Var]) -> (LstmWeights, Option<Looked>) {
    let at = |i: usize| parts[i].as_tensor().clone();
    let weights = LstmWeights { input: at(2), hidden: at(3), bias: at(4) };
    let looked = (parts.len() > 5).then(|| Looked { values: at(5), keys: at(6), query: at(7), score: at(8) });
    (weights, looked)
}

fn run(layer: Layer, vars: &[Var]) -> Unrolled {
    let (weights, looked) = parts(vars);
    layer(&vars[0], &vars[1], &weights, looked.as_ref()).unwrap()
}

/// A number that everything counts in, each with a weight of its own.
fn sum(out: &Unrolled) -> Tensor {
    let weighted = |x: &Tensor, salt: usize| {
        let by = numbers(x.dims(), salt).to_dtype(x.dtype()).unwrap();
        (x * by).unwrap().sum_all().unwrap()
    };
    let hidden = weighted(&out.hidden, 11);
    out.attention.as_ref().map_or_else(|| hidden.clone(), |shares| (&hidden + weighted(shares, 12)).unwrap())
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_near(found: &[f64], expected: &[f64], bound: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < bound * expected.abs().max(1.0), "{what}: {found} {expected}");
    }
}

#[test]
fn fused_agrees_with_composed_in_values_and_gradients() {
    for has_map in [false, true] {
        let vars = case(has_map, DType::F32);
        let (fused, slow) = (run(lstm, &vars), run(composed::lstm, &vars));
        assert_near(&flat(&fused.hidden), &flat(&slow.hidden), 2e-6, "states");
        if let (Some(fused), Some(slow)) = (&fused.attention, &slow.attention) {
            assert_near(&flat(fused), &flat(slow), 2e-6, "attention");
        }
        let (fused, slow) = (sum(&fused).backward().unwrap(), sum(&slow).backward().unwrap());
        for (i, var) in vars.iter().enumerate() {
            assert_near(&flat(fused.get(var).unwrap()), &flat(slow.get(var).unwrap()), 2e-5, &format!("gradient {i}"));
        }
    }
}

#[test]
fn composed_gradients_are_finite_differences() {
    let vars = case(true, DType::F64);
    let slopes = sum(&run(lstm, &vars)).backward().unwrap();
    let value = || sum(&run(lstm, &vars)).to_scalar::<f64>().unwrap();
    for (i, var) in vars.iter().enumerate() {
        let (shape, whole) = (var.shape().clone(), flat(var));
        let analytic = flat(slopes.get(var).unwrap());
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let moved = |by: f64| {
                let mut numbers = whole.clone();
                numbers[at] += by;
                var.set(&Tensor::from_vec(numbers, &shape, &Device::Cpu).unwrap()).unwrap();
                value()
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            moved(0.0);
            assert!((slope - analytic[at]).abs() < 1e-7, "gradient {i}, number {at}: {slope} {}", analytic[at]);
        }
    }
}

#[test]
fn a_stepper_goes_where_the_whole_goes() {
    for has_map in [false, true] {
        let vars = case(has_map, DType::F32);
        let whole = run(lstm, &vars);
        let (weights, looked) = parts(&vars);
        let (weight, bias) =
            (numbers(&[2, 5], 21).to_dtype(DType::F32).unwrap(), Tensor::new(&[0.5_f32, -1.0], &Device::Cpu).unwrap());
        let stepper = Stepper::new(&weights, looked.as_ref(), &vars[1]).unwrap();
        let mut stepper = stepper.with_output(&weight, &bias).unwrap();
        for step in 0..T {
            let inputs = vars[0].narrow(1, step, 1).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let memory = stepper.step(&inputs);
            let wide = |numbers: &[f32]| numbers.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
            let hidden = whole.hidden.narrow(1, step, 1).unwrap().squeeze(1).unwrap();
            assert_near(&wide(&memory.hidden), &flat(&hidden), 1e-6, "state");
            let output =
                hidden.contiguous().unwrap().matmul(&weight.t().unwrap()).unwrap().broadcast_add(&bias).unwrap();
            assert_near(&wide(&memory.output), &flat(&output), 1e-6, "output");
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let vars = case(true, DType::F32);
    let (weights, looked) = parts(&vars);
    let error = lstm(&vars[0], &vars[1], &weights, None).unwrap_err().to_string();
    assert!(error.contains("expected inputs (b, t, 5)"), "{error}");
    let start = vars[1].narrow(1, 0, 5).unwrap();
    let error = lstm(&vars[0], &start, &weights, looked.as_ref()).unwrap_err().to_string();
    assert!(error.contains("a start (b, 10)"), "{error}");
    let bad = LstmWeights { bias: vars[4].narrow(0, 0, 3).unwrap(), ..weights.clone() };
    assert!(lstm(&vars[0], &vars[1], &bad, looked.as_ref()).is_err());
    let fewer = Looked { keys: vars[6].narrow(0, 0, 2).unwrap(), ..looked.unwrap() };
    let error = lstm(&vars[0], &vars[1], &weights, Some(&fewer)).unwrap_err().to_string();
    assert!(error.contains("maps of 19 sequences"), "{error}");
    let none = lstm(&vars[0].narrow(1, 0, 0).unwrap(), &vars[1], &weights, None);
    assert!(none.is_err(), "5 numbers are expected to come in");
}
