//! Optimal transport between the regions of two maps, with gradients: the cheapest way to move the masses of one side's
//! regions to those of the other.
//!
//! Own code, since no kept crate does this: `rust-optimal-transport` (last release 2022) and `emd` build C++ and C,
//! `rs-graph` is under the GPL, `minilp` is a general solver that by its own word may cycle, and `pathfinding` has
//! assignments but no unequal masses.

mod exact;
mod grid;
mod op;
mod pair;
mod quadratic;
mod start;
mod support;
mod tree;

use crate::Result;
use candle_core::{DType, Device, Tensor};
use pair::Pair;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// How plans are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportConfig {
    /// What programme is solved.
    pub solver: Solver,
    /// Which end of it is looked for.
    pub goal: Goal,
}

/// The programme whose solution is the plan.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Solver {
    /// `min c.x`: the linear programme, by the network simplex.
    #[default]
    Exact,
    /// `min ridge/2 |x|^2 + c.x`: a quadratic programme, whose plan moves smoothly with its costs.
    Quadratic {
        /// How much spread-out plans are preferred.
        ridge: f64,
    },
}

/// Which plan is looked for among those that move all mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The cheapest: like regions are joined.
    #[default]
    Least,
    /// The dearest: `1 - c`, and not `c`, is what the programme minimises; regions that differ are joined.
    Greatest,
}

/// How much goes from where to where, and what that costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Mass from row i to column j, `m x n`, row by row.
    pub flow: Vec<f64>,
    /// Potentials of the rows, the multipliers of their masses: without a ridge what one more unit of mass there costs,
    /// but for a constant. `u_i + v_j` is `c_ij` wherever mass moves, and with a ridge `ridge x_ij` more.
    pub rows: Vec<f64>,
    /// Potentials of the columns, against the same constant: both sums are equal.
    pub columns: Vec<f64>,
    /// `sum c x`.
    pub cost: f64,
}

impl Plan {
    fn empty(pair: &Pair) -> Self {
        let zeros = |len: usize| vec![0.0; len];
        Self { flow: zeros(pair.costs.len()), rows: zeros(pair.rows.len()), columns: zeros(pair.n()), cost: 0.0 }
    }
}

impl Goal {
    fn sign(self) -> f64 {
        match self {
            Self::Least => 1.0,
            Self::Greatest => -1.0,
        }
    }
}

/// What it costs to move the masses of the rows to the columns, for every pair.
///
/// ```text
/// sum over i, j of c_ij x_ij,    x = argmin of c.x (+ ridge/2 |x|^2)
/// x_ij >= 0,    sum over j of x_ij = r_i,    sum over i of x_ij = k_j
/// ```
///
/// Gradients are of first order. Without a ridge they are the plan `x` for costs and the potentials for masses; with
/// one they follow from the equations of the links that have flow. Masses can change only so that both sums stay equal,
/// which leaves a constant open that potentials of rows gain and those of columns lose: it is the one that makes both
/// sums of potentials equal. Where there are several best plans, that of the solver's last tree counts. A region
/// without mass has the potential of its first mass; where both sides have such regions, rows come first. A pair
/// without mass costs 0 and has no gradient.
///
/// [`Goal::Greatest`] has the dearest plan in place of the cheapest; its cost and gradients are those of `sum c x` too.
/// Pairs are solved on the CPU, side by side; the result does not depend on the number of threads.
///
/// # Shapes
/// `costs` `(p, m, n)`, 0 or more; `rows` `(p, m)` and `columns` `(p, n)`, 0 or more, of equal sums (to 1e-5 of them;
/// columns are scaled to the rows' sum). Out `(p,)`, f32.
///
/// # Errors
/// Other shapes, an empty side, sums that differ, and numbers that are negative or not finite, with the number of the
/// pair. Costs of `1 - cosine` can round to below 0: rectify them.
///
/// # References
/// Chowdhury et al., Partially Does It, CVPR 2022, Eq. 4 to 8 and the supplement's listing; Bonneel et al.,
/// Displacement Interpolation Using Lagrangian Mass Transport, SIGGRAPH Asia 2011, for the network simplex.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use retrace::kernel::transport::{TransportConfig, transport};
/// let costs = Var::new(&[[[0.0_f32, 1.0], [1.0, 0.5]]], &Device::Cpu)?;
/// let (rows, columns) = (Tensor::new(&[[3.0_f32, 1.0]], &Device::Cpu)?, Tensor::new(&[[2.0_f32, 2.0]], &Device::Cpu)?);
/// // 2 stay, 1 goes over, 1 stays.
/// let cost = transport(&costs, &rows, &columns, TransportConfig::default())?;
/// assert_eq!(cost.to_vec1::<f32>()?, [1.5]);
/// let plan = cost.sum_all()?.backward()?.get(&costs).unwrap().to_vec3::<f32>()?;
/// assert_eq!(plan, [[[2.0, 1.0], [0.0, 1.0]]]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn transport(costs: &Tensor, rows: &Tensor, columns: &Tensor, config: TransportConfig) -> Result<Tensor> {
    op::shape(costs.dims(), rows.dims(), columns.dims())?;
    let near = |x: &Tensor| x.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.contiguous();
    let is_tracked = [costs, rows, columns].iter().any(|x| x.track_op());
    let op = op::Transport { config, is_tracked, solved: OnceLock::new() };
    let cost = near(costs)?.apply_op3(&near(rows)?, &near(columns)?, op)?;
    Ok(cost.to_device(costs.device())?)
}

/// The cost of every pair without gradients or tensors, as ranking needs it.
///
/// # Shapes
/// `costs` `p m n` numbers, `rows` `p m`, `columns` `p n`, pair by pair; out one number a pair.
///
/// # Errors
/// As [`transport`].
///
/// ```
/// use retrace::kernel::transport::{TransportConfig, costs};
/// let found = costs(&[0.5, 2.0, 0.25, 1.0], &[1.0, 1.0], &[0.5, 0.5, 0.0, 1.0], [2, 1, 2], &TransportConfig::default())?;
/// assert_eq!(found, [1.25, 1.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn costs(
    costs: &[f32],
    rows: &[f32],
    columns: &[f32],
    [p, m, n]: [usize; 3],
    config: &TransportConfig,
) -> Result<Vec<f32>> {
    let found = [costs.len(), rows.len(), columns.len()];
    if found != [p * m * n, p * m, p * n] {
        let expected = format!("{:?} numbers", [p * m * n, p * m, p * n]);
        return Err(crate::Error::value("costs, rows and columns", expected, format!("{found:?}")));
    }
    op::for_pairs([p, m, n], [costs, rows, columns], config, |pair, solver| Ok(pair.solve(solver)?.cost as f32))
}

/// The cheapest plan of one pair, with its potentials.
///
/// # Shapes
/// `costs` `m n` numbers, row by row; `rows` m and `columns` n.
///
/// # Errors
/// As [`transport`].
///
/// ```
/// let plan = retrace::kernel::transport::plan(&[0.0, 1.0, 1.0, 0.5], &[3.0, 1.0], &[2.0, 2.0])?;
/// assert_eq!(plan.flow, [2.0, 1.0, 0.0, 1.0]);
/// // What is moved costs as much as the potentials say: u_i + v_j.
/// assert_eq!(plan.rows[0] + plan.columns[1], 1.0);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn plan(costs: &[f64], rows: &[f64], columns: &[f64]) -> Result<Plan> {
    TransportConfig::default().plan(costs, rows, columns)
}

impl TransportConfig {
    /// The plan of one pair by these settings; see [`plan`].
    ///
    /// # Errors
    /// As [`transport`].
    pub fn plan(&self, costs: &[f64], rows: &[f64], columns: &[f64]) -> Result<Plan> {
        let pair = Pair::new(0, costs.to_vec(), rows, columns, self.goal)?;
        pair.solve(self.solver.transporter().as_ref())
    }
}

#[cfg(test)]
mod tests;
