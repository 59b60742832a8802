//! The links that a plan uses, and least squares on them.

use crate::{Error, Result};

/// A set of links that connects all rows and columns, with the factor of its normal equations.
pub(super) struct Support {
    n: usize,
    /// Columns that every row is linked to.
    links: Vec<Vec<usize>>,
    /// Links of every column.
    degrees: Vec<f64>,
    /// Lower triangle of Cholesky's factor of the equations for all columns but the last, whose potential is 0.
    factor: Vec<f64>,
}

impl Support {
    /// The links given, and of the others those with the least slack that are needed to connect everything.
    ///
    /// # Errors
    /// No factor, which a connected set has.
    pub fn new(m: usize, n: usize, is_link: impl Fn(usize) -> bool, slack: impl Fn(usize) -> f64) -> Result<Self> {
        let mut links: Vec<Vec<usize>> = (0..m).map(|i| (0..n).filter(|j| is_link(i * n + j)).collect()).collect();
        connect(&mut links, n, slack);
        let mut support = Self { n, degrees: vec![0.0; n], factor: Vec::new(), links };
        support.links.iter().flatten().for_each(|j| support.degrees[*j] += 1.0);
        support.factor = support.factorise()?;
        Ok(support)
    }

    /// Places of the links, row by row.
    pub fn places(&self) -> impl Iterator<Item = [usize; 2]> {
        self.links.iter().enumerate().flat_map(|(i, links)| links.iter().map(move |j| [i, *j]))
    }

    /// Row potentials are eliminated: what is left has `D - B^T R^-1 B`, D and R the degrees and B the links.
    fn factorise(&self) -> Result<Vec<f64>> {
        let k = self.n - 1;
        let mut a = vec![0.0; k * k];
        (0..k).for_each(|j| a[j * k + j] = self.degrees[j]);
        for links in &self.links {
            let share = 1.0 / links.len() as f64;
            for (at, i) in links.iter().enumerate().filter(|(_, i)| **i < k) {
                links[..=at].iter().for_each(|j| a[i * k + j] -= share);
            }
        }
        for i in 0..k {
            let (done, own) = a.split_at_mut(i * k);
            for j in 0..i {
                let row = &done[j * k..][..=j];
                let sum: f64 = own[..j].iter().zip(row).map(|(x, y)| x * y).sum();
                own[j] = (own[j] - sum) / row[j];
            }
            let pivot = own[i] - own[..i].iter().map(|x| x * x).sum::<f64>();
            if pivot.is_nan() || pivot <= 0.0 {
                return Err(Error::value("transport's support", "links that connect all regions", pivot));
            }
            own[i] = pivot.sqrt();
        }
        Ok(a)
    }

    /// Potentials whose sums along the links add up to the numbers given at every row and column.
    pub fn solve(&self, rows: &[f64], columns: &[f64]) -> [Vec<f64>; 2] {
        let k = self.n - 1;
        let mut right = columns.to_vec();
        for (links, row) in self.links.iter().zip(rows) {
            links.iter().for_each(|j| right[*j] -= row / links.len() as f64);
        }
        for i in 0..k {
            let row = &self.factor[i * k..];
            let sum: f64 = row[..i].iter().zip(&right).map(|(x, y)| x * y).sum();
            right[i] = (right[i] - sum) / row[i];
        }
        right[k] = 0.0;
        for i in (0..k).rev() {
            right[i] /= self.factor[i * k + i];
            let (before, own) = right.split_at_mut(i);
            before.iter_mut().zip(&self.factor[i * k..]).for_each(|(x, y)| *x -= y * own[0]);
        }
        let own = |(links, row): (&Vec<usize>, &f64)| {
            (row - links.iter().map(|j| right[*j]).sum::<f64>()) / links.len() as f64
        };
        let rows = self.links.iter().zip(rows).map(own).collect();
        [rows, right]
    }
}

/// Adds the links of the least slack that are needed to connect all rows and columns.
fn connect(links: &mut [Vec<usize>], n: usize, slack: impl Fn(usize) -> f64) {
    let m = links.len();
    let mut group = groups(links, n);
    loop {
        let apart = (0..m * n).filter(|at| group[at / n] != group[m + at % n]);
        let Some(at) = apart.min_by(|a, b| slack(*a).total_cmp(&slack(*b))) else { return };
        let place = links[at / n].partition_point(|j| *j < at % n);
        links[at / n].insert(place, at % n);
        let [from, to] = [group[at / n], group[m + at % n]];
        group.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
    }
}

/// A number for every row and column, the same for those that are connected.
fn groups(links: &[Vec<usize>], n: usize) -> Vec<usize> {
    let m = links.len();
    let mut group: Vec<usize> = (0..m + n).collect();
    for (i, links) in links.iter().enumerate() {
        for j in links {
            let [from, to] = [group[i], group[m + j]];
            if from != to {
                group.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
            }
        }
    }
    group
}
