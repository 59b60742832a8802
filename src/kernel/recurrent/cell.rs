//! One step forward, on plain numbers.

use super::super::exponential::{exp, sigmoid, tanh};
use super::super::lane::vectorise;
use super::super::matrix::{Matrix, multiply};

/// Sizes of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Numbers that come in at a step.
    pub k: usize,
    /// Channels of a map; 0 without one.
    pub c: usize,
    /// Places of it.
    pub n: usize,
    /// Numbers of a key.
    pub a: usize,
    /// Numbers of the state.
    pub h: usize,
}

impl Sizes {
    /// Numbers that the gates see: `[x; g; h]`.
    pub fn seen(&self) -> usize {
        self.k + self.c + self.h
    }

    /// Numbers of a place of a map: its values, then its keys.
    pub fn place(&self) -> usize {
        self.c + self.a
    }

    /// Numbers of all weights.
    pub fn weights(&self) -> usize {
        4 * self.h * (self.seen() + 1) + self.a * (self.h + 1) * usize::from(self.n > 0)
    }
}

/// The weights, laid out for products.
pub(super) struct Cell {
    pub sizes: Sizes,
    /// `(4 h, k + c + h)`.
    pub weight: Vec<f32>,
    /// The same as `(k + c + h, 4 h)`, which a product reads as it lies.
    turned: Vec<f32>,
    bias: Vec<f32>,
    /// `(a, h)`.
    pub query: Vec<f32>,
    /// `(h, a)`.
    turned_query: Vec<f32>,
    pub score: Vec<f32>,
}

impl Cell {
    /// From all weights one after the other, as [`super::flat`] puts them.
    pub fn new(sizes: Sizes, flat: &[f32]) -> Self {
        let Sizes { h, a, n, .. } = sizes;
        let (weight, rest) = flat.split_at(4 * h * sizes.seen());
        let (bias, rest) = rest.split_at(4 * h);
        let (query, score) = rest.split_at(if n > 0 { a * h } else { 0 });
        Self {
            sizes,
            turned: turn(weight, sizes.seen()),
            weight: weight.to_vec(),
            bias: bias.to_vec(),
            turned_query: turn(query, h),
            query: query.to_vec(),
            score: score.to_vec(),
        }
    }

    /// A step of r sequences.
    ///
    /// `seen (r, k + c + h)` holds what comes in and the state before; the glimpse is put between them. `cell (r, h)` is c,
    /// before and after. `gates (r, 4 h)`, `attention (r, n)` and `hidden (r, h)` are results.
    pub fn step(&self, maps: &[f32], step: Step) {
        let Sizes { k, c, n, h, .. } = self.sizes;
        let (width, rows) = (self.sizes.seen(), step.cell.len() / h);
        if n > 0 {
            let before = Matrix::strided(&step.seen[k + c..], rows, h, width);
            let mut asked = vec![0.0; rows * self.sizes.a];
            multiply(&mut asked, self.sizes.a, before, Matrix::new(&self.turned_query, h, self.sizes.a), false);
            for (row, asked) in asked.chunks_exact(self.sizes.a).enumerate() {
                let map = &maps[row * n * self.sizes.place()..][..n * self.sizes.place()];
                let glimpse = &mut step.seen[row * width + k..][..c];
                self.look(map, asked, &mut step.attention[row * n..][..n], glimpse);
            }
        }
        step.gates.chunks_exact_mut(4 * h).for_each(|gates| gates.copy_from_slice(&self.bias));
        let turned = Matrix::new(&self.turned, width, 4 * h);
        multiply(step.gates, 4 * h, Matrix::new(step.seen, rows, width), turned, true);
        for ((gates, cell), hidden) in
            step.gates.chunks_exact_mut(4 * h).zip(step.cell.chunks_exact_mut(h)).zip(step.hidden.chunks_exact_mut(h))
        {
            vectorise(
                #[inline(always)]
                || open(gates, cell, hidden),
            );
        }
    }

    /// Where one sequence looks, and what it sees there.
    fn look(&self, map: &[f32], asked: &[f32], attention: &mut [f32], glimpse: &mut [f32]) {
        let Sizes { c, .. } = self.sizes;
        let place = self.sizes.place();
        vectorise(
            #[inline(always)]
            || {
                for (at, share) in map.chunks_exact(place).zip(attention.iter_mut()) {
                    *share = agreement(&at[c..], asked, &self.score);
                }
                soften(attention);
                glimpse.fill(0.0);
                for (at, share) in map.chunks_exact(place).zip(attention.iter()) {
                    glimpse.iter_mut().zip(at).for_each(|(sum, value)| *sum += share * value);
                }
            },
        );
    }
}

/// What a step reads and writes.
pub(super) struct Step<'a> {
    pub seen: &'a mut [f32],
    pub attention: &'a mut [f32],
    pub gates: &'a mut [f32],
    pub cell: &'a mut [f32],
    pub hidden: &'a mut [f32],
}

/// `score . tanh(key + asked)`, in eight sums side by side.
#[inline(always)]
fn agreement(key: &[f32], asked: &[f32], score: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for ((key, asked), score) in key.chunks(8).zip(asked.chunks(8)).zip(score.chunks(8)) {
        for (((sum, key), asked), score) in sums.iter_mut().zip(key).zip(asked).zip(score) {
            *sum += score * tanh(key + asked);
        }
    }
    sums.iter().sum()
}

/// Scores as shares of 1.
#[inline(always)]
fn soften(scores: &mut [f32]) {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = exp(*score - most));
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// Gates of one sequence, and the state after them.
#[inline(always)]
fn open(gates: &mut [f32], cell: &mut [f32], hidden: &mut [f32]) {
    let h = cell.len();
    let (input, rest) = gates.split_at_mut(h);
    let (forget, rest) = rest.split_at_mut(h);
    let (candidate, output) = rest.split_at_mut(h);
    for j in 0..h {
        let (i, f, u, o) = (sigmoid(input[j]), sigmoid(forget[j]), tanh(candidate[j]), sigmoid(output[j]));
        cell[j] = f * cell[j] + i * u;
        hidden[j] = o * tanh(cell[j]);
        (input[j], forget[j], candidate[j], output[j]) = (i, f, u, o);
    }
}

/// Rows of `width` numbers as columns.
fn turn(rows: &[f32], width: usize) -> Vec<f32> {
    let count = rows.len() / width.max(1);
    (0..rows.len()).map(|at| rows[(at % count) * width + at / count]).collect()
}
