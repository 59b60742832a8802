//! Plans against their certificate, gradients against differences, faults by name.

use super::*;
use crate::seed::Seed;
use proptest::prelude::*;
use rand::RngExt;

/// A random problem; masses have the scale given, and some are 0 or equal.
fn problem(seed: u64, m: usize, n: usize, scale: f64, is_tied: bool) -> [Vec<f64>; 3] {
    let mut stream = Seed(seed).stream("transport");
    let mut draw = |len: usize| -> Vec<f64> { (0..len).map(|_| stream.random::<f64>()).collect() };
    let tie = |x: f64| if is_tied { (x * 4.0).floor() } else { x };
    let costs: Vec<f64> = draw(m * n).into_iter().map(|x| tie(2.0 * x)).collect();
    let mut side = |len: usize| -> Vec<f64> {
        let mut masses: Vec<f64> = draw(len).into_iter().map(|x| if x < 0.2 { 0.0 } else { tie(x) }).collect();
        masses[0] += 1.0;
        masses
    };
    let (rows, columns) = (side(m), side(n));
    let by = |masses: &[f64], to: f64| -> Vec<f64> { masses.iter().map(|mass| mass * to).collect() };
    let sums = [rows.iter().sum::<f64>(), columns.iter().sum::<f64>()];
    [costs, by(&rows, scale), by(&columns, scale * sums[0] / sums[1])]
}

/// A plan is the best one if it moves all mass, if no potentials add up to more than a cost, and if they add up to it
/// wherever mass moves.
fn assert_best([costs, rows, columns]: &[Vec<f64>; 3], plan: &Plan, what: &str) {
    let n = columns.len();
    let total: f64 = rows.iter().sum();
    for (i, row) in rows.iter().enumerate() {
        let sent: f64 = plan.flow[i * n..][..n].iter().sum();
        assert!((sent - row).abs() <= 1e-12 * total, "{what}: row {i} sends {sent} of {row}");
    }
    for (j, column) in columns.iter().enumerate() {
        let got: f64 = plan.flow.iter().skip(j).step_by(n).sum();
        assert!((got - column).abs() <= 1e-12 * total, "{what}: column {j} gets {got} of {column}");
    }
    for (at, (cost, flow)) in costs.iter().zip(&plan.flow).enumerate() {
        let slack = cost - plan.rows[at / n] - plan.columns[at % n];
        assert!(*flow >= 0.0 && slack > -1e-9, "{what}: {at} has {flow}, {slack}");
        assert!(*flow == 0.0 || slack.abs() < 1e-9, "{what}: {at} has {flow}, {slack}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn an_exact_plan_carries_its_certificate(
        seed in 0_u64..1_000_000, m in 1_usize..65, n in 1_usize..65, is_tied in any::<bool>(),
        scale in prop::sample::select(vec![1e-6, 1.0, 1e6]),
    ) {
        let problem = problem(seed, m, n, scale, is_tied);
        let [costs, rows, columns] = &problem;
        let plan = plan(costs, rows, columns).unwrap();
        assert_best(&problem, &plan, &format!("{m} x {n}"));
    }
}
