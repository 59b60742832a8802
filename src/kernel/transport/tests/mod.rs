//! Plans against their certificates, slow twins and other programs; gradients against differences; faults by name.

mod gradient;
mod parity;
mod plan;

use super::*;
use crate::seed::Seed;
use rand::RngExt;

/// Costs, rows and columns.
type Problem = [Vec<f64>; 3];

/// A random problem whose masses have the scale given; a fifth of them are 0. Ties: few different costs and masses.
fn problem(seed: u64, m: usize, n: usize, scale: f64, is_tied: bool) -> Problem {
    let mut stream = Seed(seed).stream("transport");
    let tie = |x: f64| if is_tied { (x * 4.0).floor() } else { x };
    let mut draw = |len: usize| -> Vec<f64> { (0..len).map(|_| tie(2.0 * stream.random::<f64>())).collect() };
    let costs = draw(m * n);
    let mut side = |len: usize| -> Vec<f64> {
        let mut masses: Vec<f64> = draw(len).into_iter().map(|x| if x < 0.4 { 0.0 } else { x }).collect();
        masses[0] += 1.0;
        masses
    };
    balanced([costs, side(m), side(n)], scale)
}

/// Masses scaled to equal sums.
fn balanced([costs, mut rows, mut columns]: Problem, scale: f64) -> Problem {
    let by = scale * rows.iter().sum::<f64>() / columns.iter().sum::<f64>();
    rows.iter_mut().for_each(|mass| *mass *= scale);
    columns.iter_mut().for_each(|mass| *mass *= by);
    [costs, rows, columns]
}

/// Every setting that the tests go through.
fn settings() -> [TransportConfig; 4] {
    let solvers = [Solver::Exact, Solver::Quadratic { ridge: 0.05 }];
    let goals = [Goal::Least, Goal::Greatest];
    std::array::from_fn(|i| TransportConfig { solver: solvers[i / 2], goal: goals[i % 2] })
}

fn solve(config: TransportConfig, [costs, rows, columns]: &Problem) -> Plan {
    config.plan(costs, rows, columns).unwrap()
}
