//! The transportation programme, solved exactly by the network simplex.

use super::Plan;
use super::pair::{Gradients, Pair, Transporter};
use super::start::start;
use super::tree::{NONE, Tree};
use crate::kernel::lane::vectorise;
use crate::{Error, Result};

/// Masses are rounded to multiples of this part of their sum: flows are whole numbers then, and sums of them exact.
const GRID: f64 = (1_u64 << 50) as f64;

/// Pivots for every region before the solver gives up; problems of 64 x 64 regions take about 4.
const PATIENCE: usize = 1000;

/// Vertices of the set of plans, from one to a cheaper one, by trees.
///
/// Plans and potentials are those of the last tree: where several plans are equally cheap, the one that it holds, and where
/// several potentials fit, those that it fixes. A region without mass is in no tree: its potential is the largest that the
/// others allow, which is what the first mass there would cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exact;

impl Transporter for Exact {
    fn solve(&self, pair: &Pair) -> Result<Plan> {
        let total: f64 = pair.rows.iter().sum();
        if total <= 0.0 {
            return Ok(Plan::empty(pair));
        }
        let [rows, columns] = on_grid(pair, total);
        let keep = |masses: &[f64]| -> Vec<usize> { (0..masses.len()).filter(|i| masses[*i] > 0.0).collect() };
        let kept = [keep(&rows), keep(&columns)];
        let dense: Vec<f64> =
            kept[0].iter().flat_map(|i| kept[1].iter().map(move |j| pair.costs[i * pair.n() + j])).collect();
        let masses = |kept: &[usize], masses: &[f64]| -> Vec<f64> { kept.iter().map(|i| masses[*i]).collect() };
        let tree = solve(&dense, &masses(&kept[0], &rows), &masses(&kept[1], &columns))?;
        Ok(read(pair, &tree, &kept, total / GRID))
    }

    fn gradients(&self, _: &Pair, plan: &Plan) -> Result<Gradients> {
        Ok(Gradients { costs: plan.flow.clone(), rows: plan.rows.clone(), columns: plan.columns.clone() })
    }
}

/// Masses as whole numbers with equal sums: the largest column takes what rounding leaves.
fn on_grid(pair: &Pair, total: f64) -> [Vec<f64>; 2] {
    let round = |masses: &[f64]| -> Vec<f64> { masses.iter().map(|mass| (mass / total * GRID).round()).collect() };
    let (rows, mut columns) = (round(&pair.rows), round(&pair.columns));
    let rest = rows.iter().sum::<f64>() - columns.iter().sum::<f64>();
    if let Some(largest) = columns.iter_mut().max_by(|a, b| a.total_cmp(b)) {
        *largest += rest;
    }
    [rows, columns]
}

/// The cheapest tree for masses above 0.
fn solve(costs: &[f64], rows: &[f64], columns: &[f64]) -> Result<Tree> {
    let (m, n) = (rows.len(), columns.len());
    let mut tree = Tree::default();
    start(&mut tree, costs, rows, columns);
    // A potential is a sum of up to m + n costs.
    let scale = costs.iter().fold(0.0_f64, |scale, cost| scale.max(cost.abs()));
    let tolerance = (m + n) as f64 * f64::EPSILON * scale;
    let limit = PATIENCE * (m + n);
    let (mut row, mut seen, mut pivots) = (0, 0, 0);
    while seen < m {
        let (gain, column) = cheapest(&costs[row * n..][..n], &tree.potential[m..]);
        if gain - tree.potential[row] < -tolerance {
            tree.pivot(row, m + column, costs);
            (seen, pivots) = (0, pivots + 1);
            if pivots > limit {
                return Err(Error::value("transport of a pair", format!("an end within {limit} pivots"), "none"));
            }
        } else {
            seen += 1;
        }
        row = (row + 1) % m;
    }
    Ok(tree)
}

/// The column of a row whose cost lies furthest below its potential, and that difference.
fn cheapest(costs: &[f64], potentials: &[f64]) -> (f64, usize) {
    let least = vectorise(
        #[inline(always)]
        || least_difference(costs, potentials),
    );
    let at = costs.iter().zip(potentials).position(|(cost, potential)| cost - potential == least);
    (least, at.unwrap_or(0))
}

#[inline(always)]
fn least_difference(costs: &[f64], potentials: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [f64::INFINITY; LANES];
    let (costs, potentials) = (costs.as_chunks::<LANES>(), potentials.as_chunks::<LANES>());
    for (cost, potential) in costs.0.iter().zip(potentials.0) {
        for lane in 0..LANES {
            let difference = cost[lane] - potential[lane];
            lanes[lane] = if difference < lanes[lane] { difference } else { lanes[lane] };
        }
    }
    let rest = costs.1.iter().zip(potentials.1).map(|(cost, potential)| cost - potential);
    rest.chain(lanes).fold(f64::INFINITY, f64::min)
}

/// The tree's flows and potentials at the places of the pair's regions.
fn read(pair: &Pair, tree: &Tree, kept: &[Vec<usize>; 2], unit: f64) -> Plan {
    let mut plan = Plan::empty(pair);
    let (m, n) = (kept[0].len(), pair.n());
    for (node, parent) in tree.parent.iter().enumerate().filter(|(_, parent)| **parent != NONE) {
        let (row, column) = (kept[0][node.min(*parent)], kept[1][node.max(*parent) - m]);
        plan.flow[row * n + column] = tree.flow[node] * unit;
    }
    kept[0].iter().zip(&tree.potential).for_each(|(i, potential)| plan.rows[*i] = *potential);
    kept[1].iter().zip(&tree.potential[m..]).for_each(|(j, potential)| plan.columns[*j] = *potential);
    price_the_empty(pair, kept, &mut plan);
    plan
}

/// Potentials of regions without mass: the largest that fit, of rows first.
fn price_the_empty(pair: &Pair, kept: &[Vec<usize>; 2], plan: &mut Plan) {
    let n = pair.n();
    let is_missing = |kept: &[usize], count: usize| -> Vec<usize> {
        (0..count).filter(|i| kept.binary_search(i).is_err()).collect()
    };
    for i in is_missing(&kept[0], pair.rows.len()) {
        let room = kept[1].iter().map(|j| pair.costs[i * n + j] - plan.columns[*j]);
        plan.rows[i] = room.fold(f64::INFINITY, f64::min);
    }
    for j in is_missing(&kept[1], n) {
        let room = plan.rows.iter().enumerate().map(|(i, potential)| pair.costs[i * n + j] - potential);
        plan.columns[j] = room.fold(f64::INFINITY, f64::min);
    }
}
