//! The same plans and gradients as POT's `emd` and qpth, from `tests/fixtures/transport/make.py`.

use super::*;
use serde::Deserialize;
use std::path::Path;

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transport");
    std::fs::read_to_string(folder.join(name)).unwrap()
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

/// As `problem` in make.py.
fn stored(kind: &str, m: usize, n: usize) -> Problem {
    let draw = |part: &str, count: usize| uniform(&format!("{kind} {m} {n} {part}"), count);
    let mut problem = [draw("c", m * n).into_iter().map(|x| 2.0 * x).collect(), draw("r", m), draw("k", n)];
    match kind {
        "zeros" => problem[1..].iter_mut().flatten().filter(|x| **x < 0.4).for_each(|x| *x = 0.0),
        "ties" => problem.iter_mut().flatten().for_each(|x| *x = (4.0 * *x).floor()),
        _ => {}
    }
    problem[1][0] += 1.0;
    problem[2][0] += 1.0;
    if kind == "ties" {
        let by = problem[2].iter().sum::<f64>() - problem[1].iter().sum::<f64>();
        problem[1][0] += by.max(0.0);
        problem[2][0] += (-by).max(0.0);
    }
    balanced(problem, [("huge", 1e6), ("tiny", 1e-6)].iter().find(|scale| scale.0 == kind).map_or(1.0, |scale| scale.1))
}

#[test]
fn exact_plans_are_those_of_pot() {
    let text = fixture("exact.csv");
    let mut count = 0;
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        let (m, n) = (number(1) as usize, number(2) as usize);
        let problem = stored(cells[0], m, n);
        let plan = solve(TransportConfig::default(), &problem);
        let total: f64 = problem[1].iter().sum();
        assert!((plan.cost - number(3)).abs() < 1e-9 * total, "{line}: {}", plan.cost);
        if !cells[4].is_empty() {
            let probe: f64 = uniform("probe", m * n).iter().zip(&plan.flow).map(|(a, b)| a * b).sum();
            assert!((probe - number(4)).abs() < 1e-9 * total, "{line}: {probe}");
        }
        count += 1;
    }
    assert!(count > 1000, "{count}");
}

#[derive(Deserialize)]
struct Case {
    kind: String,
    m: usize,
    n: usize,
    ridge: f64,
    is_greatest: bool,
    cost: f64,
    flow: Vec<f64>,
    costs: Vec<f64>,
    rows: Vec<f64>,
    columns: Vec<f64>,
}

#[test]
fn plans_and_gradients_with_a_ridge_are_those_of_qpth() {
    let cases: Vec<Case> = serde_json::from_str(&fixture("quadratic.json")).unwrap();
    for case in &cases {
        let [costs, rows, columns] = stored(&case.kind, case.m, case.n);
        let solver = Solver::Quadratic { ridge: case.ridge }.transporter();
        let goal = if case.is_greatest { Goal::Greatest } else { Goal::Least };
        let pair = Pair::new(0, costs, &rows, &columns, goal).unwrap();
        let plan = pair.solve(solver.as_ref()).unwrap();
        let mut found = pair.gradients(solver.as_ref(), &plan).unwrap();
        // qpth's potentials are against that of the last column.
        let last = found.columns[case.n - 1];
        found.rows.iter_mut().for_each(|potential| *potential += last);
        found.columns.iter_mut().for_each(|potential| *potential -= last);
        let what = format!("{} x {}, ridge {}, {goal:?}", case.m, case.n, case.ridge);
        assert!((plan.cost - case.cost).abs() < 1e-6, "{what}: {} and {}", plan.cost, case.cost);
        let parts = [
            ("flow", &plan.flow, &case.flow),
            ("costs", &found.costs, &case.costs),
            ("rows", &found.rows, &case.rows),
            ("columns", &found.columns, &case.columns),
        ];
        for (part, found, expected) in parts {
            let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            // qpth adds 1e-8 to slacks before it solves for gradients.
            assert!(worst < 1e-6 + 1e-8 / case.ridge, "{what}, {part}: {worst}");
        }
    }
    assert_eq!(cases.len(), 16);
}
