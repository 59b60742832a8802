//! Network, losses and derivatives with loops over numbers; nothing here is shared with the code under test.

use crate::loss::Triple;

pub(super) const INPUTS: usize = 3;
pub(super) const HIDDEN: usize = 4;
pub(super) const OUTPUTS: usize = 3;

pub(super) struct Twin {
    pub(super) sketches: Vec<Vec<f64>>,
    pub(super) photos: Vec<Vec<f64>>,
    pub(super) owners: Vec<usize>,
    pub(super) triples: Vec<Triple>,
    pub(super) margin: f64,
    pub(super) topology_margin: f64,
    pub(super) photos_ask: bool,
}

fn embed(theta: &[f64], x: &[f64]) -> Vec<f64> {
    let (first, second) = theta.split_at(INPUTS * HIDDEN);
    let hidden: Vec<f64> =
        (0..HIDDEN).map(|h| (0..INPUTS).map(|i| x[i] * first[i * HIDDEN + h]).sum::<f64>().tanh()).collect();
    let out: Vec<f64> = (0..OUTPUTS).map(|o| (0..HIDDEN).map(|h| hidden[h] * second[h * OUTPUTS + o]).sum()).collect();
    let length = out.iter().map(|value| value * value).sum::<f64>().sqrt();
    out.iter().map(|value| value / length).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

impl Twin {
    /// Eq. 1.
    pub(super) fn task(&self, theta: &[f64]) -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for i in 0..self.owners.len() {
            for k in 0..self.owners.len() {
                if self.owners[i] != self.owners[k] {
                    let sketch = embed(theta, &self.sketches[i]);
                    let own = distance(&sketch, &embed(theta, &self.photos[i]));
                    let other = distance(&sketch, &embed(theta, &self.photos[k]));
                    sum += (self.margin + own - other).max(0.0);
                    count += 1;
                }
            }
        }
        sum / f64::from(count)
    }

    /// Eq. 4, or Eq. 3 where photos are the queries.
    pub(super) fn topology(&self, theta: &[f64]) -> f64 {
        let mut sum = 0.0;
        for Triple { i, j, k, order } in &self.triples {
            let query = embed(theta, if self.photos_ask { &self.photos[*i] } else { &self.sketches[*i] });
            let to_j = distance(&query, &embed(theta, &self.photos[*j]));
            let to_k = distance(&query, &embed(theta, &self.photos[*k]));
            sum += (self.topology_margin + f64::from(*order) * (to_j - to_k)).max(0.0);
        }
        sum / self.triples.len() as f64
    }
}

/// Central differences, one number at a time.
pub(super) fn gradient(loss: impl Fn(&[f64]) -> f64, theta: &[f64]) -> Vec<f64> {
    let at = |i: usize, by: f64| {
        let mut theta = theta.to_vec();
        theta[i] += by;
        loss(&theta)
    };
    (0..theta.len()).map(|i| (at(i, 1e-5) - at(i, -1e-5)) / 2e-5).collect()
}

/// The Hessian, column by column, times a vector.
pub(super) fn hessian_product(loss: impl Fn(&[f64]) -> f64, theta: &[f64], vector: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; theta.len()];
    for (i, weight) in vector.iter().enumerate() {
        let at = |by: f64| {
            let mut theta = theta.to_vec();
            theta[i] += by;
            gradient(&loss, &theta)
        };
        for (sum, (ahead, behind)) in product.iter_mut().zip(at(1e-3).iter().zip(at(-1e-3))) {
            *sum += weight * (ahead - behind) / 2e-3;
        }
    }
    product
}

/// `x - rate g`, number by number.
pub(super) fn descend(theta: &[f64], gradient: &[f64], rate: f64) -> Vec<f64> {
    theta.iter().zip(gradient).map(|(x, g)| x - rate * g).collect()
}

pub(super) fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Scaled down to a length of at most `limit`.
pub(super) fn clipped(vector: &[f64], limit: f64) -> Vec<f64> {
    let scale = (limit / length(vector)).min(1.0);
    vector.iter().map(|x| x * scale).collect()
}

/// How far `found` is from `expected`, as a share of how far `expected` is from `start`.
pub(super) fn error(found: &[f64], expected: &[f64], start: &[f64]) -> f64 {
    distance(found, expected) / distance(expected, start)
}
