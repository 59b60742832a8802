//! The transportation programme, solved exactly by the network simplex.

use super::Plan;
use super::grid::Grid;
use super::pair::{Gradients, Pair, Transporter};
use super::start::start;
use super::tree::Tree;
use crate::kernel::lane::vectorise;
use crate::{Error, Result};

/// Pivots for every region before the solver gives up; problems of 64 x 64 regions take about 4.
const PATIENCE: usize = 1000;

/// Vertices of the set of plans, from one to a cheaper one, by trees.
///
/// Plans and potentials are those of the last tree: where several plans are equally cheap, the one that it holds, and
/// where several potentials fit, those that it fixes. A region without mass is in no tree: its potential is the largest
/// that the others allow, which is what the first mass there would cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exact;

impl Transporter for Exact {
    fn solve(&self, pair: &Pair) -> Result<Plan> {
        let Some(grid) = Grid::new(pair) else { return Ok(Plan::empty(pair)) };
        let tree = solve(&grid)?;
        let mut plan = grid.plan(pair, &tree.potential[..tree.m], &tree.potential[tree.m..]);
        for (row, column, flow) in tree.links() {
            plan.flow[grid.place(pair, row, column)] = flow * grid.unit;
        }
        Ok(plan)
    }

    fn gradients(&self, _: &Pair, plan: &Plan) -> Result<Gradients> {
        Ok(Gradients { costs: plan.flow.clone(), rows: plan.rows.clone(), columns: plan.columns.clone() })
    }
}

/// The tree of a cheapest plan.
pub(super) fn solve(grid: &Grid) -> Result<Tree> {
    let (costs, m, n) = (&grid.costs[..], grid.rows.len(), grid.columns.len());
    let mut tree = start(grid);
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
