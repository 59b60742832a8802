//! Gradients and the operation on tensors.

use super::*;
use candle_core::{Tensor, Var};

/// A cost a little aside: costs and masses moved along a way.
fn moved(problem: &Problem, way: &Problem, by: f64) -> Problem {
    std::array::from_fn(|part| problem[part].iter().zip(&way[part]).map(|(x, way)| x + by * way).collect())
}

/// A direction in which the sums of both sides stay equal, and masses of 0 grow: of rows if there are such, else of
/// columns. Where both grow, the cost has a kink.
fn way(seed: u64, problem: &Problem) -> Problem {
    let mut stream = Seed(seed).stream("way");
    let mut way: Problem = std::array::from_fn(|part| {
        let stays = part == 2 && problem[1].contains(&0.0);
        let draw = |x: &f64| match stream.random::<f64>() {
            _ if part > 0 && *x == 0.0 && stays => 0.0,
            grows if part > 0 && *x == 0.0 => grows,
            other => other - 0.5,
        };
        problem[part].iter().map(draw).collect()
    });
    let by = way[1].iter().sum::<f64>() - way[2].iter().sum::<f64>();
    way[2][0] += by;
    way
}

#[test]
fn gradients_agree_with_differences() {
    for seed in 0..40 {
        let (m, n) = (1 + seed as usize % 9, 1 + (seed as usize * 5) % 11);
        let problem = problem(seed, m, n, 1.0, false);
        let way = way(seed, &problem);
        for config in settings() {
            let solver = config.solver.transporter();
            let pair = Pair::new(0, problem[0].clone(), &problem[1], &problem[2], config.goal).unwrap();
            let plan = pair.solve(solver.as_ref()).unwrap();
            let gradients = pair.gradients(solver.as_ref(), &plan).unwrap();
            let parts = [&gradients.costs, &gradients.rows, &gradients.columns];
            let dot = |part: usize| parts[part].iter().zip(&way[part]).map(|(x, y)| x * y).sum::<f64>();
            let expected = dot(0) + dot(1) + dot(2);
            // Forward differences, since a mass of 0 cannot shrink, with the term of second order taken out.
            let at = |by: f64| solve(config, &moved(&problem, &way, by)).cost;
            let step = 1e-6;
            let found = (4.0 * at(step) - at(2.0 * step) - 3.0 * plan.cost) / (2.0 * step);
            assert!(
                (found - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                "{m} x {n}, {config:?}: {found}, {expected}"
            );
        }
    }
}

/// Problems as f32 tensors, one above the other.
fn tensors(problems: &[Problem], m: usize, n: usize) -> [Var; 3] {
    let part = |part: usize| -> Vec<f32> { problems.iter().flat_map(|p| p[part].iter().map(|x| *x as f32)).collect() };
    let var = |part: Vec<f32>, shape: &[usize]| Var::from_vec(part, shape, &Device::Cpu).unwrap();
    let p = problems.len();
    [var(part(0), &[p, m, n]), var(part(1), &[p, m]), var(part(2), &[p, n])]
}

#[test]
fn tensors_get_the_gradients_of_their_pairs() {
    let problems: Vec<Problem> = (0..5).map(|seed| problem(seed, 6, 4, 1.0, false)).collect();
    let [costs, rows, columns] = tensors(&problems, 6, 4);
    let weights = Tensor::new(&[1.0_f32, -2.0, 0.5, 3.0, 0.0], &Device::Cpu).unwrap();
    for config in settings() {
        let cost = transport(&costs, &rows, &columns, config).unwrap();
        let grads = (&cost * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        let cost = cost.to_vec1::<f32>().unwrap();
        let of = |x: &Var| grads.get(x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (to_costs, to_rows, to_columns) = (of(&costs), of(&rows), of(&columns));
        for (i, weight) in weights.to_vec1::<f32>().unwrap().into_iter().enumerate() {
            let solver = config.solver.transporter();
            let pair = Pair::new(i, problems[i][0].clone(), &problems[i][1], &problems[i][2], config.goal).unwrap();
            let plan = pair.solve(solver.as_ref()).unwrap();
            let gradients = pair.gradients(solver.as_ref(), &plan).unwrap();
            assert!((f64::from(cost[i]) - plan.cost).abs() < 1e-5);
            let near = |found: &[f32], expected: &[f64]| {
                found
                    .iter()
                    .zip(expected)
                    .for_each(|(a, b)| assert!((f64::from(*a) - b * f64::from(weight)).abs() < 1e-4));
            };
            near(&to_costs[i * 24..][..24], &gradients.costs);
            near(&to_rows[i * 6..][..6], &gradients.rows);
            near(&to_columns[i * 4..][..4], &gradients.columns);
        }
    }
}

#[test]
fn gradients_of_costs_pass_what_made_them() {
    // Costs in f64 and from a product; half of each mass goes either way, at 1 - x y.
    let x = Var::new(&[[[0.5_f64], [0.25]]], &Device::Cpu).unwrap();
    let y = Tensor::new(&[[[0.5_f64, 1.0]]], &Device::Cpu).unwrap();
    let costs = (1.0 - x.matmul(&y).unwrap()).unwrap();
    let [rows, columns] = [[[1.0_f64, 0.0]], [[0.5, 0.5]]].map(|masses| Tensor::new(&masses, &Device::Cpu).unwrap());
    let cost = transport(&costs, &rows, &columns, TransportConfig::default()).unwrap();
    assert_eq!(cost.to_vec1::<f32>().unwrap(), [0.625]);
    let gradient = cost.sum_all().unwrap().backward().unwrap().get(&x).unwrap().to_vec3::<f64>().unwrap();
    assert_eq!(gradient, [[[-0.75], [0.0]]]);
}

#[test]
fn a_pair_without_mass_has_no_gradient() {
    let [costs, rows, columns] = tensors(&[[vec![1.0; 6], vec![0.0; 2], vec![0.0; 3]]], 2, 3);
    for config in settings() {
        let cost = transport(&costs, &rows, &columns, config).unwrap();
        assert_eq!(cost.to_vec1::<f32>().unwrap(), [0.0]);
        let grads = cost.sum_all().unwrap().backward().unwrap();
        for x in [&costs, &rows, &columns] {
            assert!(grads.get(x).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|x| *x == 0.0));
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let problems: Vec<Problem> = (0..40).map(|seed| problem(seed, 12, 9, 1.0, seed % 2 == 0)).collect();
    for config in settings() {
        let run = || {
            let [costs, rows, columns] = tensors(&problems, 12, 9);
            let cost = transport(&costs, &rows, &columns, config).unwrap();
            let grads = cost.sum_all().unwrap().backward().unwrap();
            let of = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mut all = of(&cost);
            [&costs, &rows, &columns].into_iter().for_each(|x| all.extend(of(grads.get(x).unwrap())));
            all
        };
        let on = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run);
        assert_eq!(on(1), on(4), "{config:?}");
    }
}

#[test]
fn ranking_gives_the_costs_of_the_operation() {
    let problems: Vec<Problem> = (0..7).map(|seed| problem(seed, 5, 8, 1.0, false)).collect();
    let [costs, rows, columns] = tensors(&problems, 5, 8);
    let flat = |x: &Var| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for config in settings() {
        let expected = transport(&costs, &rows, &columns, config).unwrap().to_vec1::<f32>().unwrap();
        let found = super::super::costs(&flat(&costs), &flat(&rows), &flat(&columns), [7, 5, 8], &config).unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let fault = |costs: &[usize], rows: &[usize], columns: &[usize]| {
        transport(&zeros(costs), &zeros(rows), &zeros(columns), TransportConfig::default()).unwrap_err().to_string()
    };
    let expected =
        "transport's costs, rows and columns: expected (p, m, n), (p, m) and (p, n), m, n of 1 or more, found ";
    assert_eq!(fault(&[2, 3, 4], &[2, 4], &[2, 3]), format!("{expected}[2, 3, 4], [2, 4] and [2, 3]"));
    assert_eq!(fault(&[2, 0, 4], &[2, 0], &[2, 4]), format!("{expected}[2, 0, 4], [2, 0] and [2, 4]"));
    assert_eq!(
        transport(&zeros(&[0, 3, 4]), &zeros(&[0, 3]), &zeros(&[0, 4]), TransportConfig::default()).unwrap().dims(),
        [0]
    );
}
