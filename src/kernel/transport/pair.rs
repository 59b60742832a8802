//! One pair's programme, checked, and what a solver makes of it.

use super::{Goal, Plan};
use crate::{Error, Result};

/// How far the sums of both sides may lie apart, as a share of them: ten times what f32 rounds in sums of 64 masses.
const TOLERANCE: f64 = 1e-5;

/// A way to solve one pair's programme.
pub(super) trait Transporter: Send + Sync {
    /// The plan of least cost, with its potentials; what the plan costs is left at 0.
    fn solve(&self, pair: &Pair) -> Result<Plan>;

    /// How the cost of a plan that [`Self::solve`] made changes with costs and masses.
    fn gradients(&self, pair: &Pair, plan: &Plan) -> Result<Gradients>;
}

/// Derivatives of one pair's cost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gradients {
    pub costs: Vec<f64>,
    pub rows: Vec<f64>,
    pub columns: Vec<f64>,
}

/// A programme whose plan of least cost is looked for.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// Row by row; negated where the dearest plan is wanted.
    pub costs: Vec<f64>,
    pub rows: Vec<f64>,
    /// Scaled to the sum of the rows.
    pub columns: Vec<f64>,
    goal: Goal,
}

impl Pair {
    /// Checks numbers; errors name the pair by `index`.
    pub fn new(index: usize, costs: Vec<f64>, rows: &[f64], columns: &[f64], goal: Goal) -> Result<Self> {
        if rows.is_empty() || columns.is_empty() || costs.len() != rows.len() * columns.len() {
            let found = format!("{} for {} x {}", costs.len(), rows.len(), columns.len());
            return Err(Error::value(
                format!("costs of pair {index}"),
                "one for each row and column, of 1 or more",
                found,
            ));
        }
        for (name, numbers) in [("costs", &costs[..]), ("row masses", rows), ("column masses", columns)] {
            if let Some(at) = numbers.iter().position(|x| !(x.is_finite() && *x >= 0.0)) {
                let what = format!("{name} of pair {index}, number {at}");
                return Err(Error::value(what, "a finite number of 0 or more", numbers[at]));
            }
        }
        let [sum, other]: [f64; 2] = [rows, columns].map(|masses| masses.iter().sum());
        if (sum - other).abs() > TOLERANCE * sum.max(other) {
            return Err(Error::value(format!("column masses of pair {index}"), format!("the rows' sum, {sum}"), other));
        }
        let scale = if other > 0.0 { sum / other } else { 1.0 };
        let columns = columns.iter().map(|mass| mass * scale).collect();
        let costs = costs.into_iter().map(|cost| goal.sign() * cost).collect();
        Ok(Self { costs, rows: rows.to_vec(), columns, goal })
    }

    /// Columns.
    pub fn n(&self) -> usize {
        self.columns.len()
    }

    /// The best plan, its potentials centred, its cost and signs those of the costs as given.
    pub fn solve(&self, solver: &dyn Transporter) -> Result<Plan> {
        let mut plan = solver.solve(self)?;
        let sign = self.goal.sign();
        plan.cost = self.costs.iter().zip(&plan.flow).map(|(cost, flow)| sign * cost * flow).sum();
        self.finish(&mut plan.rows, &mut plan.columns);
        Ok(plan)
    }

    /// Derivatives of a plan's cost by the costs and masses as given, those by masses centred.
    pub fn gradients(&self, solver: &dyn Transporter, plan: &Plan) -> Result<Gradients> {
        let signed = |potentials: &[f64]| potentials.iter().map(|x| self.goal.sign() * x).collect();
        let plan = Plan { rows: signed(&plan.rows), columns: signed(&plan.columns), ..plan.clone() };
        let mut gradients = solver.gradients(self, &plan)?;
        self.finish(&mut gradients.rows, &mut gradients.columns);
        Ok(gradients)
    }

    /// Moves potentials so that both sides have one sum, which makes them as short as can be, and undoes the sign.
    fn finish(&self, rows: &mut [f64], columns: &mut [f64]) {
        let by = (columns.iter().sum::<f64>() - rows.iter().sum::<f64>()) / (rows.len() + columns.len()) as f64;
        let sign = self.goal.sign();
        rows.iter_mut().for_each(|potential| *potential = sign * (*potential + by));
        columns.iter_mut().for_each(|potential| *potential = sign * (*potential - by));
    }
}
