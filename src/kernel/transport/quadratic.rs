//! The transportation programme with a ridge, solved by Newton's method on its dual.

use super::Plan;
use super::exact;
use super::grid::Grid;
use super::pair::{Gradients, Pair, Transporter};
use super::support::Support;
use crate::kernel::lane::vectorise;
use crate::{Error, Result};

/// How far a potential may be from what its equation says, as a share of the largest: a thousand times what f64 rounds.
const PRECISION: f64 = 1e-13;

/// Steps before the solver gives up; problems of 49 x 49 regions take about 10.
const PATIENCE: usize = 500;

/// `min ridge/2 |x|^2 + c.x` over all plans, by its dual, which is smooth and has m + n unknowns.
///
/// ```text
/// x_ij = max(0, u_i + v_j - c_ij) / ridge
/// ```
///
/// Newton's method begins at the exact plan, the optimum for a ridge of 0; every step solves the programme for the
/// links that have flow as if they kept it, and the last one is exact. The derivative is that of these equations: to
/// first order the same links have flow. Where a derivative does not exist, links that are about to get flow count as
/// unused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quadratic {
    pub ridge: f64,
}

impl Transporter for Quadratic {
    fn solve(&self, pair: &Pair) -> Result<Plan> {
        if !(self.ridge > 0.0 && self.ridge.is_finite()) {
            return Err(Error::value("ridge of the quadratic solver", "a finite number above 0", self.ridge));
        }
        let Some(grid) = Grid::new(pair) else { return Ok(Plan::empty(pair)) };
        let dual = Dual::new(&grid, self.ridge)?;
        let [rows, columns] = dual.solve()?;
        let [u, v] = [add(&dual.base[0], &rows), add(&dual.base[1], &columns)];
        let mut plan = grid.plan(pair, &u, &v);
        for (at, above) in dual.above(&rows, &columns).enumerate().filter(|(_, above)| *above > 0.0) {
            plan.flow[grid.place(pair, at / dual.n(), at % dual.n())] = above / dual.ridge * grid.unit;
        }
        Ok(plan)
    }

    /// With `x_0` the plan of least norm on the links that have flow and `y` its potentials: `2 x - x_0` for costs, and
    /// the plan's potentials less `ridge y` for masses.
    fn gradients(&self, pair: &Pair, plan: &Plan) -> Result<Gradients> {
        let mut gradients =
            Gradients { costs: plan.flow.clone(), rows: plan.rows.clone(), columns: plan.columns.clone() };
        let Some(grid) = Grid::new(pair) else { return Ok(gradients) };
        let (m, n) = (grid.rows.len(), grid.columns.len());
        let place = |at: usize| grid.place(pair, at / n, at % n);
        let [u, v] = grid.only(&gradients.rows, &gradients.columns);
        let support = Support::new(m, n, |at| plan.flow[place(at)] > 0.0, |at| grid.costs[at] - u[at / n] - v[at % n])?;
        let [rows, columns] = support.solve(&grid.rows, &grid.columns);
        for [i, j] in support.places() {
            gradients.costs[grid.place(pair, i, j)] =
                2.0 * plan.flow[grid.place(pair, i, j)] - (rows[i] + columns[j]) * grid.unit;
        }
        let least = grid.plan(pair, &rows, &columns);
        let links = grid.hang(pair, &mut gradients.rows, &mut gradients.columns);
        let [mut rows, mut columns] = [least.rows, least.columns];
        links[0].iter().for_each(|[i, j]| rows[*i] = -columns[*j]);
        links[1].iter().for_each(|[i, j]| columns[*j] = -rows[*i]);
        let subtract =
            |from: &mut Vec<f64>, y: &[f64]| from.iter_mut().zip(y).for_each(|(x, y)| *x -= self.ridge * grid.unit * y);
        subtract(&mut gradients.rows, &rows);
        subtract(&mut gradients.columns, &columns);
        Ok(gradients)
    }
}

fn add(x: &[f64], y: &[f64]) -> Vec<f64> {
    x.iter().zip(y).map(|(x, y)| x + y).collect()
}

/// The dual, in units of the grid's masses, its potentials taken above those of the exact plan: so differences as small
/// as the ridge keep all their digits.
struct Dual<'a> {
    grid: &'a Grid,
    ridge: f64,
    /// Potentials of the exact plan.
    base: [Vec<f64>; 2],
    /// What links cost above these; exactly 0 along the links of the exact plan.
    costs: Vec<f64>,
    is_tree: Vec<bool>,
}

impl<'a> Dual<'a> {
    fn new(grid: &'a Grid, ridge: f64) -> Result<Self> {
        let tree = exact::solve(grid)?;
        let (m, n) = (grid.rows.len(), grid.columns.len());
        let base = [tree.potential[..m].to_vec(), tree.potential[m..].to_vec()];
        let above = grid.costs.iter().enumerate().map(|(at, cost)| (cost - base[0][at / n] - base[1][at % n]).max(0.0));
        let (mut costs, mut is_tree) = (above.collect::<Vec<f64>>(), vec![false; m * n]);
        for (i, j, _) in tree.links() {
            (costs[i * n + j], is_tree[i * n + j]) = (0.0, true);
        }
        Ok(Self { grid, ridge: ridge * grid.unit, base, costs, is_tree })
    }

    fn n(&self) -> usize {
        self.grid.columns.len()
    }

    /// How far the potentials lie above the cost of every link: the ridge times its flow, where above 0.
    fn above(&self, rows: &[f64], columns: &[f64]) -> impl Iterator<Item = f64> {
        let costs = self.costs.chunks_exact(self.n()).zip(rows);
        costs.flat_map(move |(costs, row)| costs.iter().zip(columns).map(move |(cost, column)| row + column - cost))
    }

    /// The best potentials.
    fn solve(&self) -> Result<[Vec<f64>; 2]> {
        let (m, n) = (self.grid.rows.len(), self.n());
        let mut at = [vec![0.0; m], vec![0.0; n]];
        let mut support = Support::new(m, n, |at| self.is_tree[at], |at| self.costs[at])?;
        for step in 0..PATIENCE {
            let next = self.newton(&support);
            // Rounding keeps numbers of many scales from settling at once.
            let precision = PRECISION * (1 + (step / 20) * (step / 20)) as f64;
            if self.is_best(&support, &next, precision) {
                return Ok(next);
            }
            at = self.advance(&at, &next, &support)?;
            let above: Vec<f64> = self.above(&at[0], &at[1]).collect();
            support = Support::new(m, n, |at| above[at] > 0.0, |at| -above[at])?;
        }
        Err(Error::value("transport of a pair", format!("an end within {PATIENCE} steps"), "none"))
    }

    /// Potentials that give all masses if just these links have flow.
    fn newton(&self, support: &Support) -> [Vec<f64>; 2] {
        let [mut rows, mut columns] = [&self.grid.rows, &self.grid.columns]
            .map(|masses| masses.iter().map(|mass| mass * self.ridge).collect::<Vec<f64>>());
        for [i, j] in support.places() {
            let cost = self.costs[i * self.n() + j];
            rows[i] += cost;
            columns[j] += cost;
        }
        support.solve(&rows, &columns)
    }

    /// Whether just these links have flow.
    fn is_best(&self, support: &Support, [rows, columns]: &[Vec<f64>; 2], precision: f64) -> bool {
        let largest = rows.iter().chain(columns).fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let mut above: Vec<f64> = self.above(rows, columns).collect();
        support.places().for_each(|[i, j]| above[i * self.n() + j] = -above[i * self.n() + j]);
        above.iter().all(|above| *above <= precision * largest)
    }

    /// A step from `at` towards `next` that the dual gains by.
    fn advance(&self, at: &[Vec<f64>; 2], next: &[Vec<f64>; 2], support: &Support) -> Result<[Vec<f64>; 2]> {
        let mut way = [0, 1].map(|side| next[side].iter().zip(&at[side]).map(|(next, at)| next - at).collect());
        let mut first = self.slope(at, &way, 0.0);
        if first <= 0.0 {
            way = self.ascent(at, support);
            first = self.slope(at, &way, 0.0);
        }
        let by = self.length(at, &way, first);
        Ok([0, 1].map(|side| at[side].iter().zip(&way[side]).map(|(at, way)| at + by * way).collect()))
    }

    /// Newton's direction from the masses that are missing, which always ascends.
    fn ascent(&self, at: &[Vec<f64>; 2], support: &Support) -> [Vec<f64>; 2] {
        let [mut rows, mut columns] = [&self.grid.rows, &self.grid.columns]
            .map(|masses| masses.iter().map(|mass| mass * self.ridge).collect::<Vec<f64>>());
        for (place, above) in self.above(&at[0], &at[1]).enumerate().filter(|(_, above)| *above > 0.0) {
            rows[place / self.n()] -= above;
            columns[place % self.n()] -= above;
        }
        support.solve(&rows, &columns)
    }

    /// A length at which the slope has fallen by half at least: 1, more, or what lies between.
    fn length(&self, at: &[Vec<f64>; 2], way: &[Vec<f64>; 2], first: f64) -> f64 {
        let (mut low, mut high, mut by) = (0.0, f64::INFINITY, 1.0);
        // Halving 100 times leaves nothing between.
        for _ in 0..100 {
            let slope = self.slope(at, way, by);
            if slope.abs() <= 0.5 * first {
                break;
            }
            if slope > 0.0 {
                low = by;
            } else {
                high = by;
            }
            by = if high < f64::INFINITY { 0.5 * (low + high) } else { 2.0 * by };
        }
        by
    }

    /// The dual's derivative along a way, `by` of it gone, times the ridge.
    fn slope(&self, at: &[Vec<f64>; 2], way: &[Vec<f64>; 2], by: f64) -> f64 {
        let dot = |masses: &[f64], way: &[f64]| masses.iter().zip(way).map(|(mass, way)| mass * way).sum::<f64>();
        let gain = dot(&self.grid.rows, &way[0]) + dot(&self.grid.columns, &way[1]);
        let mut loss = 0.0;
        for (i, costs) in self.costs.chunks_exact(self.n()).enumerate() {
            let row = (at[0][i] + by * way[0][i], way[0][i]);
            loss += vectorise(
                #[inline(always)]
                || row_loss(costs, row, [&at[1], &way[1]], by),
            );
        }
        gain * self.ridge - loss
    }
}

/// `sum over j of max(0, u + v_j - c_j) w_j` along a way.
#[inline(always)]
fn row_loss(costs: &[f64], (row, row_way): (f64, f64), [columns, ways]: [&[f64]; 2], by: f64) -> f64 {
    let columns = columns.iter().zip(ways);
    let terms = costs.iter().zip(columns).map(|(cost, (column, way))| {
        let above = row + column + by * way - cost;
        if above > 0.0 { above * (row_way + way) } else { 0.0 }
    });
    terms.sum()
}
