//! Plans of single pairs.

use super::*;
use proptest::prelude::*;

/// Whether a plan moves all mass, and none backwards.
fn assert_moves_all([_, rows, columns]: &Problem, plan: &Plan, precision: f64, what: &str) {
    let (n, total) = (columns.len(), rows.iter().sum::<f64>());
    let near = |sum: f64, mass: f64| (sum - mass).abs() <= precision * total;
    for (i, row) in rows.iter().enumerate() {
        let sent: f64 = plan.flow[i * n..][..n].iter().sum();
        assert!(near(sent, *row), "{what}: row {i} sends {sent} of {row}");
    }
    for (j, column) in columns.iter().enumerate() {
        let got: f64 = plan.flow.iter().skip(j).step_by(n).sum();
        assert!(near(got, *column), "{what}: column {j} gets {got} of {column}");
    }
    assert!(plan.flow.iter().all(|flow| *flow >= 0.0), "{what}: {:?}", plan.flow);
}

/// A plan that moves all mass is the best if its potentials say so: `sign (u_i + v_j) = sign c_ij + ridge x_ij`
/// wherever mass moves, and no more than that anywhere. So do those of regions without mass.
fn assert_best(config: TransportConfig, problem: &Problem, what: &str) -> Plan {
    let plan = solve(config, problem);
    let (n, sign) = (problem[2].len(), config.goal.sign());
    let (ridge, precision) = match config.solver {
        Solver::Exact => (0.0, 1e-12),
        Solver::Quadratic { ridge } => (ridge, 1e-9),
    };
    assert_moves_all(problem, &plan, precision, what);
    let largest = plan.rows.iter().chain(&plan.columns).chain(&problem[0]).fold(0.0_f64, |a, x| a.max(x.abs()));
    for (at, (cost, flow)) in problem[0].iter().zip(&plan.flow).enumerate() {
        let slack = sign * (cost - plan.rows[at / n] - plan.columns[at % n]) + ridge * flow;
        assert!(slack > -1e-11 * largest, "{what}: {at} has flow {flow} and slack {slack}");
        assert!(*flow == 0.0 || slack < 1e-11 * largest, "{what}: {at} has flow {flow} and slack {slack}");
    }
    let cost: f64 = problem[0].iter().zip(&plan.flow).map(|(cost, flow)| cost * flow).sum();
    assert!((cost - plan.cost).abs() <= 1e-12 * cost, "{what}: {cost} and {}", plan.cost);
    let [rows, columns]: [f64; 2] = [&plan.rows, &plan.columns].map(|potentials| potentials.iter().sum());
    assert!((rows - columns).abs() < 1e-9 * largest, "{what}: sums of {rows} and {columns}");
    plan
}

/// The least cost of all ways to give every row another column.
fn best_assignment(costs: &[f64], n: usize, row: usize, taken: u32) -> f64 {
    if row == n {
        return 0.0;
    }
    let free = (0..n).filter(|j| taken & (1 << j) == 0);
    let ways = free.map(|j| costs[row * n + j] + best_assignment(costs, n, row + 1, taken | (1 << j)));
    ways.fold(f64::INFINITY, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_plan_carries_its_certificate(
        seed in 0_u64..1_000_000, m in 1_usize..65, n in 1_usize..65, is_tied in any::<bool>(),
        scale in prop::sample::select(vec![1e-6, 1.0, 1e6]),
    ) {
        let problem = problem(seed, m, n, scale, is_tied);
        for config in settings() {
            assert_best(config, &problem, &format!("{m} x {n} at {scale}, {config:?}"));
        }
    }

    #[test]
    fn equal_masses_are_assigned_as_by_trying_all_ways(
        seed in 0_u64..1_000_000, n in 1_usize..7, is_tied in any::<bool>(),
    ) {
        let [costs, ..] = problem(seed, n, n, 1.0, is_tied);
        let expected = best_assignment(&costs, n, 0, 0);
        let found = plan(&costs, &vec![1.0; n], &vec![1.0; n]).unwrap();
        prop_assert!((found.cost - expected).abs() < 1e-12 * n as f64, "{} and {expected}", found.cost);
    }

    #[test]
    fn transposed_problems_cost_the_same(seed in 0_u64..1_000_000, m in 1_usize..20, n in 1_usize..20) {
        let [costs, rows, columns] = problem(seed, m, n, 1.0, false);
        let turned: Vec<f64> = (0..m * n).map(|at| costs[at % m * n + at / m]).collect();
        for config in settings() {
            let one = config.plan(&costs, &rows, &columns).unwrap();
            let other = config.plan(&turned, &columns, &rows).unwrap();
            prop_assert!((one.cost - other.cost).abs() < 1e-9 * (1.0 + one.cost));
        }
    }
}

#[test]
fn masses_of_scenes_are_transported_at_every_ridge() {
    for (seed, ridge) in [1e-6, 1e-3, 1.0, 1e3].into_iter().enumerate() {
        for scale in [1e-6, 1.0, 1e3] {
            for goal in [Goal::Least, Goal::Greatest] {
                let config = TransportConfig { solver: Solver::Quadratic { ridge }, goal };
                assert_best(config, &problem(seed as u64, 49, 49, scale, false), &format!("{ridge} at {scale}"));
            }
        }
    }
}

#[test]
fn a_small_ridge_leaves_the_exact_plan_and_a_large_one_spreads_it() {
    let problem = problem(3, 9, 12, 1.0, false);
    let of = |ridge| solve(TransportConfig { solver: Solver::Quadratic { ridge }, goal: Goal::Least }, &problem);
    let exact = plan(&problem[0], &problem[1], &problem[2]).unwrap();
    let count = |plan: &Plan| plan.flow.iter().filter(|flow| **flow > 0.0).count();
    let near = of(1e-9);
    near.flow.iter().zip(&exact.flow).for_each(|(near, exact)| assert!((near - exact).abs() < 1e-9));
    assert!(count(&of(10.0)) > 2 * count(&exact));
}

#[test]
fn one_region_sends_to_all() {
    let plan = plan(&[3.0, 0.0, 2.0], &[6.0], &[1.0, 2.0, 3.0]).unwrap();
    assert_eq!((plan.flow, plan.cost), (vec![1.0, 2.0, 3.0], 9.0));
}

#[test]
fn costs_that_are_all_equal_give_any_plan_of_that_cost() {
    let problem = [vec![0.25; 64 * 64], vec![1.0; 64], vec![1.0; 64]];
    for config in settings() {
        assert!((assert_best(config, &problem, "equal").cost - 16.0).abs() < 1e-9);
    }
}

#[test]
fn a_pair_without_mass_costs_nothing() {
    for config in settings() {
        let plan = solve(config, &[vec![1.0, 2.0, 3.0, 4.0], vec![0.0; 2], vec![0.0; 2]]);
        assert_eq!(plan, Plan { flow: vec![0.0; 4], rows: vec![0.0; 2], columns: vec![0.0; 2], cost: 0.0 });
    }
}

#[test]
fn a_region_without_mass_has_the_potential_of_its_first_mass() {
    // Mass in row 1 would go to column 1 at 2, where row 0 sends less at 5 then and more to column 0 at 1.
    let plan = plan(&[1.0, 5.0, 9.0, 2.0], &[2.0, 0.0], &[1.0, 1.0]).unwrap();
    assert!((plan.rows[1] + plan.columns[0] - (2.0 - 5.0 + 1.0)).abs() < 1e-12);
}

#[test]
fn faults_are_named_with_their_pair() {
    let error = |costs: &[f32], rows: &[f32], columns: &[f32]| {
        let shape = [costs.len() / 2, 1, 2];
        super::super::costs(costs, rows, columns, shape, &TransportConfig::default()).unwrap_err().to_string()
    };
    let cases = [
        (
            error(&[1.0, 2.0, -0.5, 1.0], &[1.0, 1.0], &[0.5; 4]),
            "costs of pair 1, number 0: expected a finite number of 0 or more, found -0.5",
        ),
        (
            error(&[1.0, f32::NAN], &[1.0], &[0.5; 2]),
            "costs of pair 0, number 1: expected a finite number of 0 or more, found NaN",
        ),
        (
            error(&[1.0, 1.0], &[f32::INFINITY], &[0.5; 2]),
            "row masses of pair 0, number 0: expected a finite number of 0 or more, found inf",
        ),
        (
            error(&[1.0, 1.0], &[1.0], &[2.0, -1.0]),
            "column masses of pair 0, number 1: expected a finite number of 0 or more, found -1",
        ),
        (error(&[1.0, 1.0], &[1.0], &[0.5, 0.75]), "column masses of pair 0: expected the rows' sum, 1, found 1.25"),
        (
            error(&[1.0, 1.0], &[1.0, 1.0], &[0.5, 0.5]),
            "costs, rows and columns: expected [2, 1, 2] numbers, found [2, 2, 2]",
        ),
        (
            plan(&[], &[], &[1.0]).unwrap_err().to_string(),
            "costs of pair 0: expected one for each row and column, of 1 or more, found 0 for 0 x 1",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let ridge = TransportConfig { solver: Solver::Quadratic { ridge: 0.0 }, goal: Goal::Least };
    let found = ridge.plan(&[1.0], &[1.0], &[1.0]).unwrap_err().to_string();
    assert_eq!(found, "ridge of the quadratic solver: expected a finite number above 0, found 0");
}

#[test]
fn sums_that_differ_by_rounding_are_made_equal() {
    let plan = plan(&[1.0, 2.0], &[1.0], &[0.5, 0.5 + 4e-6]).unwrap();
    assert!((plan.flow.iter().sum::<f64>() - 1.0).abs() < 1e-15);
}

#[test]
fn settings_are_read_and_written_by_name() {
    let config = TransportConfig { solver: Solver::Quadratic { ridge: 1e-3 }, goal: Goal::Greatest };
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(text, r#"{"solver":{"quadratic":{"ridge":0.001}},"goal":"greatest"}"#);
    assert_eq!(serde_json::from_str::<TransportConfig>(&text).unwrap(), config);
    assert_eq!(
        serde_json::from_str::<TransportConfig>(r#"{"solver":"exact","goal":"least"}"#).unwrap(),
        TransportConfig::default()
    );
}
