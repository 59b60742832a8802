//! A first plan: the cheapest links first, and the tree that they make.

use super::grid::Grid;
use super::tree::Tree;

/// What remains to be sent while a first plan is made.
struct Start<'a> {
    costs: &'a [f64],
    rows: Vec<f64>,
    columns: Vec<f64>,
    /// What every row's cheapest column costs above what the column costs at least, and that column.
    best: Vec<(f64, usize)>,
    /// The least cost of every column; infinite where the column is full.
    least: Vec<f64>,
}

/// Sends mass along the cheapest link that is left, costs taken above the least of their column, until every mass is
/// sent.
///
/// Every step ends a row or a column, which hangs under the other from then on. The column of the least mass takes what
/// is left over and is the root. Of a row and a column that end together, the column is the one that counts as ended:
/// links without flow then lead from rows up to columns, as a strongly feasible tree has them.
pub(super) fn start(grid: &Grid) -> Tree {
    let (costs, rows, columns) = (&grid.costs[..], &grid.rows[..], &grid.columns[..]);
    let (m, n) = (rows.len(), columns.len());
    let mut tree = Tree::new(m, n);
    let root = (0..n).min_by(|a, b| columns[*a].total_cmp(&columns[*b])).unwrap_or(0);
    let mut start = Start::new(costs, rows, columns, root);
    let mut left: Vec<usize> = (0..m).collect();
    for _ in 0..m + n - 2 {
        let Some(place) = (0..left.len()).min_by(|a, b| start.best[left[*a]].0.total_cmp(&start.best[left[*b]].0))
        else {
            break;
        };
        let row = left[place];
        let column = start.best[row].1;
        if column == root {
            break;
        }
        let sent = start.rows[row].min(start.columns[column]);
        start.rows[row] -= sent;
        start.columns[column] -= sent;
        if start.columns[column] == 0.0 {
            tree.attach(m + column, row, sent);
            start.fill(column, root, &left);
        } else {
            tree.attach(row, m + column, sent);
            left.swap_remove(place);
        }
    }
    left.iter().for_each(|row| tree.attach(*row, m + root, start.rows[*row]));
    tree.settle(m + root, costs);
    tree
}

impl<'a> Start<'a> {
    fn new(costs: &'a [f64], rows: &[f64], columns: &[f64], root: usize) -> Self {
        let n = columns.len();
        let mut least = vec![f64::INFINITY; n];
        for row in costs.chunks_exact(n) {
            least.iter_mut().zip(row).for_each(|(least, cost)| *least = least.min(*cost));
        }
        least[root] = f64::INFINITY;
        let best = vec![(0.0, root); rows.len()];
        let mut start = Self { costs, rows: rows.to_vec(), columns: columns.to_vec(), best, least };
        (0..rows.len()).for_each(|row| start.search(row, root));
        start
    }

    /// Finds a row's cheapest column; the root where all others are full.
    fn search(&mut self, row: usize, root: usize) {
        let costs = &self.costs[row * self.least.len()..][..self.least.len()];
        let mut best = (f64::INFINITY, root);
        for (column, (cost, least)) in costs.iter().zip(&self.least).enumerate() {
            let above = cost - least;
            if *least < f64::INFINITY && above < best.0 {
                best = (above, column);
            }
        }
        self.best[row] = best;
    }

    /// Closes a column.
    fn fill(&mut self, column: usize, root: usize, left: &[usize]) {
        self.least[column] = f64::INFINITY;
        for row in left {
            if self.best[*row].1 == column {
                self.search(*row, root);
            }
        }
    }
}
