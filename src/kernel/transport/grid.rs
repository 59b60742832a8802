//! A pair's programme without the regions that have no mass, its masses as whole numbers.

use super::Plan;
use super::pair::Pair;

/// Masses are rounded to about this many bits of their sum: flows are whole numbers then, and sums of them exact.
const BITS: i32 = 50;

/// A programme whose masses are whole numbers above 0 with equal sums.
pub(super) struct Grid {
    /// Places of its rows and columns in the pair.
    kept: [Vec<usize>; 2],
    /// Row by row.
    pub costs: Vec<f64>,
    pub rows: Vec<f64>,
    pub columns: Vec<f64>,
    /// What a mass of 1 stands for.
    pub unit: f64,
}

impl Grid {
    /// Nothing where there is no mass at all.
    pub fn new(pair: &Pair) -> Option<Self> {
        let total: f64 = pair.rows.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let unit = 2_f64.powi(total.log2().ceil() as i32 - BITS); // a power of 2: most masses stay what they are
        if unit <= 0.0 {
            return None;
        }
        let round = |masses: &[f64]| -> Vec<f64> { masses.iter().map(|mass| (mass / unit).round()).collect() };
        let (rows, mut columns) = (round(&pair.rows), round(&pair.columns));
        let rest = rows.iter().sum::<f64>() - columns.iter().sum::<f64>();
        if let Some(largest) = columns.iter_mut().max_by(|a, b| a.total_cmp(b)) {
            *largest += rest;
        }
        let kept = [&rows, &columns].map(|masses| (0..masses.len()).filter(|i| masses[*i] > 0.0).collect::<Vec<_>>());
        let costs = if kept[0].len() * kept[1].len() == pair.costs.len() {
            pair.costs.clone()
        } else {
            kept[0].iter().flat_map(|i| kept[1].iter().map(move |j| pair.costs[i * pair.n() + j])).collect()
        };
        let only = |masses: &[f64]| masses.iter().copied().filter(|mass| *mass > 0.0).collect();
        Some(Self { rows: only(&rows), columns: only(&columns), kept, costs, unit })
    }

    /// A number of the pair's kind for each of its rows and columns, as this programme has them.
    pub fn only(&self, rows: &[f64], columns: &[f64]) -> [Vec<f64>; 2] {
        let only = |kept: &[usize], numbers: &[f64]| kept.iter().map(|place| numbers[*place]).collect();
        [only(&self.kept[0], rows), only(&self.kept[1], columns)]
    }

    /// The place of a link in the pair's costs.
    pub fn place(&self, pair: &Pair, row: usize, column: usize) -> usize {
        self.kept[0][row] * pair.n() + self.kept[1][column]
    }

    /// A plan for the pair, without flow as yet, with potentials of this programme's rows and columns.
    pub fn plan(&self, pair: &Pair, rows: &[f64], columns: &[f64]) -> Plan {
        let mut plan = Plan::empty(pair);
        self.kept[0].iter().zip(rows).for_each(|(i, potential)| plan.rows[*i] = *potential);
        self.kept[1].iter().zip(columns).for_each(|(j, potential)| plan.columns[*j] = *potential);
        self.hang(pair, &mut plan.rows, &mut plan.columns);
        plan
    }

    /// Gives regions without mass the largest potentials that the others allow: what the first mass there would cost.
    ///
    /// Returned are the links that it would take, row and column: those of rows without mass, then those of columns.
    pub fn hang(&self, pair: &Pair, rows: &mut [f64], columns: &mut [f64]) -> [Vec<[usize; 2]>; 2] {
        let room = |i: usize, j: usize, other: f64| (pair.costs[i * pair.n() + j] - other, [i, j]);
        let least = |found: &mut dyn Iterator<Item = (f64, [usize; 2])>| found.min_by(|a, b| a.0.total_cmp(&b.0));
        let mut links = [Vec::new(), Vec::new()];
        for i in (0..rows.len()).filter(|i| self.kept[0].binary_search(i).is_err()) {
            if let Some((potential, link)) = least(&mut self.kept[1].iter().map(|j| room(i, *j, columns[*j]))) {
                rows[i] = potential;
                links[0].push(link);
            }
        }
        for j in (0..columns.len()).filter(|j| self.kept[1].binary_search(j).is_err()) {
            if let Some((potential, link)) = least(&mut (0..rows.len()).map(|i| room(i, j, rows[i]))) {
                columns[j] = potential;
                links[1].push(link);
            }
        }
        links
    }
}
