//! All steps backward, on plain numbers.

use super::super::exponential::tanh;
use super::super::lane::vectorise;
use super::super::matrix::{Matrix, multiply};
use super::cell::{Cell, Sizes};

/// What the way forward keeps of r sequences; step by step, `(t, r, ...)`.
pub(super) struct Trail {
    /// Sequences.
    pub rows: usize,
    /// `(t, r, k + c + h)`.
    pub seen: Vec<f32>,
    /// `(t, r, n)`.
    pub attention: Vec<f32>,
    /// `(t, r, 4 h)`, after their functions.
    pub gates: Vec<f32>,
    /// c, `(t + 1, r, h)`, the start first.
    pub cells: Vec<f32>,
}

/// Gradients of r sequences.
pub(super) struct Slopes {
    /// `(r, t k + 2 h)`.
    pub sequences: Vec<f32>,
    /// `(r, n, c + a)`.
    pub maps: Vec<f32>,
    /// All weights, as [`super::flat`] puts them.
    pub weights: Vec<f32>,
}

/// Gradients of `t` steps; `grad (r, t, h + n)`, `maps (r, n, c + a)`.
pub(super) fn back(cell: &Cell, t: usize, trail: &Trail, maps: &[f32], grad: &[f32]) -> Slopes {
    let Sizes { k, c, n, a, h } = cell.sizes;
    let (rows, width) = (trail.rows, cell.sizes.seen());
    let mut sequences = vec![0.0; rows * (t * k + 2 * h)];
    let mut slopes =
        Looking { maps: vec![0.0; rows * n * (c + a)], score: vec![0.0; a], asked: vec![0.0; t * rows * a] };
    let mut gates = vec![0.0; t * rows * 4 * h];
    let (mut seen, mut to_cell) = (vec![0.0; rows * width], vec![0.0; rows * h]);
    let mut to_hidden = vec![0.0; rows * h];
    for step in (0..t).rev() {
        let own = step * rows;
        for row in 0..rows {
            let at = own + row;
            let from_above = &grad[(row * t + step) * (h + n)..][..h];
            let closing = Closing {
                gates: &trail.gates[at * 4 * h..][..4 * h],
                before: &trail.cells[at * h..][..h],
                after: &trail.cells[(at + rows) * h..][..h],
            };
            let hidden = &mut to_hidden[row * h..][..h];
            hidden.iter_mut().zip(from_above).for_each(|(own, above)| *own += above);
            vectorise(
                #[inline(always)]
                || closing.close(hidden, &mut to_cell[row * h..][..h], &mut gates[at * 4 * h..][..4 * h]),
            );
        }
        let slope = Matrix::new(&gates[own * 4 * h..], rows, 4 * h);
        multiply(&mut seen, width, slope, Matrix::new(&cell.weight, 4 * h, width), false);
        for row in 0..rows {
            let seen = &seen[row * width..][..width];
            sequences[row * (t * k + 2 * h) + step * k..][..k].copy_from_slice(&seen[..k]);
            to_hidden[row * h..][..h].copy_from_slice(&seen[k + c..]);
        }
        if n > 0 {
            slopes.look(cell, step, trail, maps, [grad, &seen], t);
            let asked = Matrix::new(&slopes.asked[own * a..], rows, a);
            multiply(&mut to_hidden, h, asked, Matrix::new(&cell.query, a, h), true);
        }
    }
    for row in 0..rows {
        let start = &mut sequences[row * (t * k + 2 * h) + t * k..][..2 * h];
        start[..h].copy_from_slice(&to_hidden[row * h..][..h]);
        start[h..].copy_from_slice(&to_cell[row * h..][..h]);
    }
    Slopes { sequences, weights: of_weights(cell, t, trail, &gates, &slopes), maps: slopes.maps }
}

/// Products over all steps at once.
fn of_weights(cell: &Cell, t: usize, trail: &Trail, gates: &[f32], slopes: &Looking) -> Vec<f32> {
    let Sizes { k, c, n, a, h } = cell.sizes;
    let (steps, width) = (t * trail.rows, cell.sizes.seen());
    let mut weights = vec![0.0; cell.sizes.weights()];
    let (both, rest) = weights.split_at_mut(4 * h * width);
    let (bias, rest) = rest.split_at_mut(4 * h);
    let gates = Matrix::new(gates, steps, 4 * h);
    multiply(both, width, gates.transposed(), Matrix::new(&trail.seen, steps, width), false);
    let ones = vec![1.0; steps];
    multiply(bias, 4 * h, Matrix::new(&ones, 1, steps), gates, false);
    if n > 0 {
        let (query, score) = rest.split_at_mut(a * h);
        let before = Matrix::strided(&trail.seen[k + c..], steps, h, width);
        multiply(query, h, Matrix::new(&slopes.asked, steps, a).transposed(), before, false);
        score.copy_from_slice(&slopes.score);
    }
    weights
}

/// The state of one sequence at one step.
struct Closing<'a> {
    gates: &'a [f32],
    before: &'a [f32],
    after: &'a [f32],
}

impl Closing<'_> {
    /// From the gradients of h and c to those of the gates' sums, and to that of c before.
    #[inline(always)]
    fn close(&self, hidden: &[f32], cell: &mut [f32], gates: &mut [f32]) {
        let h = self.before.len();
        let (input, rest) = self.gates.split_at(h);
        let (forget, rest) = rest.split_at(h);
        let (candidate, output) = rest.split_at(h);
        let (to_input, rest) = gates.split_at_mut(h);
        let (to_forget, rest) = rest.split_at_mut(h);
        let (to_candidate, to_output) = rest.split_at_mut(h);
        for j in 0..h {
            let (i, f, u, o) = (input[j], forget[j], candidate[j], output[j]);
            let bent = tanh(self.after[j]);
            let slope = cell[j] + hidden[j] * o * (1.0 - bent * bent);
            to_output[j] = hidden[j] * bent * o * (1.0 - o);
            to_input[j] = slope * u * i * (1.0 - i);
            to_candidate[j] = slope * i * (1.0 - u * u);
            to_forget[j] = slope * self.before[j] * f * (1.0 - f);
            cell[j] = slope * f;
        }
    }
}

/// Gradients of where a layer looks.
struct Looking {
    maps: Vec<f32>,
    score: Vec<f32>,
    /// Of what the state asks for, `(t, r, a)`.
    asked: Vec<f32>,
}

impl Looking {
    /// One step of all sequences; `grad` is that of the results, and that of what the gates see.
    fn look(&mut self, cell: &Cell, step: usize, trail: &Trail, maps: &[f32], grad: [&[f32]; 2], t: usize) {
        let Sizes { k, c, n, a, h } = cell.sizes;
        let (rows, width, place) = (trail.rows, cell.sizes.seen(), cell.sizes.place());
        // What the state asked for, again: keeping it would take more memory than it takes time.
        let before = Matrix::strided(&trail.seen[step * rows * width + k + c..], rows, h, width);
        let mut asked = vec![0.0; rows * a];
        multiply(&mut asked, a, before, Matrix::new(&cell.query, a, h).transposed(), false);
        for row in 0..rows {
            let at = step * rows + row;
            let one = Glimpse {
                map: &maps[row * n * place..][..n * place],
                asked: &asked[row * a..][..a],
                shares: &trail.attention[at * n..][..n],
                to_glimpse: &grad[1][row * width + k..][..c],
                to_shares: &grad[0][(row * t + step) * (h + n) + h..][..n],
                score: &cell.score,
            };
            let (maps, to_asked) = (&mut self.maps[row * n * place..][..n * place], &mut self.asked[at * a..][..a]);
            vectorise(
                #[inline(always)]
                || one.slopes(maps, to_asked, &mut self.score),
            );
        }
    }
}

/// What one sequence saw at one step.
struct Glimpse<'a> {
    map: &'a [f32],
    asked: &'a [f32],
    shares: &'a [f32],
    to_glimpse: &'a [f32],
    to_shares: &'a [f32],
    score: &'a [f32],
}

impl Glimpse<'_> {
    #[inline(always)]
    fn slopes(&self, maps: &mut [f32], to_asked: &mut [f32], score: &mut [f32]) {
        let c = self.to_glimpse.len();
        let place = c + self.asked.len();
        let mut to_shares = vec![0.0_f32; self.shares.len()];
        for (to_share, (at, above)) in to_shares.iter_mut().zip(self.map.chunks_exact(place).zip(self.to_shares)) {
            *to_share = above + dot(&at[..c], self.to_glimpse);
        }
        let mean = dot(&to_shares, self.shares);
        for (((at, slopes), share), to_share) in
            self.map.chunks_exact(place).zip(maps.chunks_exact_mut(place)).zip(self.shares).zip(&to_shares)
        {
            let (values, keys) = slopes.split_at_mut(c);
            values.iter_mut().zip(self.to_glimpse).for_each(|(slope, grad)| *slope += share * grad);
            let to_score = share * (to_share - mean);
            for (j, key) in keys.iter_mut().enumerate() {
                let bent = tanh(at[c + j] + self.asked[j]);
                let slope = to_score * self.score[j] * (1.0 - bent * bent);
                score[j] += to_score * bent;
                *key += slope;
                to_asked[j] += slope;
            }
        }
    }
}

/// In eight sums side by side.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    sums.iter().sum()
}
