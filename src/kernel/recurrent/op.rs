//! The operation on tensors: all steps of many sequences.

use super::super::lane::map_parts;
use super::super::slice;
use super::back::{Slopes, Trail, back};
use super::cell::{Cell, Sizes, Step};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use std::ops::Range;
use std::sync::OnceLock;

/// Sequences to a part, which one thread runs: enough for a product to be worth it. The parts do not depend on the number
/// of threads, so sums do not either.
const PART: usize = 16;

/// Inputs and starts, maps, and weights go in; states and attention come out.
pub(super) struct LstmOp {
    sizes: Sizes,
    t: usize,
    trails: OnceLock<Vec<Trail>>,
}

impl LstmOp {
    pub fn new(sizes: Sizes, t: usize) -> Self {
        Self { sizes, t, trails: OnceLock::new() }
    }

    /// The numbers of `rows` in rows of `width`.
    fn part<'a>(numbers: &'a [f32], width: usize, rows: &Range<usize>) -> &'a [f32] {
        &numbers[rows.start * width..rows.end * width]
    }

    fn widths(&self) -> [usize; 3] {
        let Sizes { k, n, h, .. } = self.sizes;
        [self.t * k + 2 * h, n * self.sizes.place(), self.t * (h + n)]
    }

    /// All steps of some sequences: the results, and what the way back needs.
    fn run(&self, cell: &Cell, sequences: &[f32], maps: &[f32]) -> (Vec<f32>, Trail) {
        let (Sizes { k, c, n, h, .. }, t) = (self.sizes, self.t);
        let (width, rows) = (self.sizes.seen(), sequences.len() / (t * k + 2 * h));
        let mut trail = Trail {
            rows,
            seen: vec![0.0; t * rows * width],
            attention: vec![0.0; t * rows * n],
            gates: vec![0.0; t * rows * 4 * h],
            cells: vec![0.0; (t + 1) * rows * h],
        };
        let (mut hidden, mut out) = (vec![0.0; rows * h], vec![0.0; rows * t * (h + n)]);
        for (row, sequence) in sequences.chunks_exact(t * k + 2 * h).enumerate() {
            hidden[row * h..][..h].copy_from_slice(&sequence[t * k..][..h]);
            trail.cells[row * h..][..h].copy_from_slice(&sequence[t * k + h..]);
        }
        for step in 0..t {
            let seen = &mut trail.seen[step * rows * width..][..rows * width];
            for (row, seen) in seen.chunks_exact_mut(width).enumerate() {
                seen[..k].copy_from_slice(&sequences[row * (t * k + 2 * h) + step * k..][..k]);
                seen[k + c..].copy_from_slice(&hidden[row * h..][..h]);
            }
            let (before, cells) = trail.cells[step * rows * h..].split_at_mut(rows * h);
            let cell_after = &mut cells[..rows * h];
            cell_after.copy_from_slice(before);
            let attention = &mut trail.attention[step * rows * n..][..rows * n];
            let gates = &mut trail.gates[step * rows * 4 * h..][..rows * 4 * h];
            cell.step(maps, Step { seen, attention, gates, cell: cell_after, hidden: &mut hidden });
            for row in 0..rows {
                let out = &mut out[(row * t + step) * (h + n)..][..h + n];
                out[..h].copy_from_slice(&hidden[row * h..][..h]);
                out[h..].copy_from_slice(&trail.attention[(step * rows + row) * n..][..n]);
            }
        }
        (out, trail)
    }
}

impl CustomOp3 for LstmOp {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn cpu_fwd(
        &self,
        sequences: &CpuStorage,
        l1: &Layout,
        maps: &CpuStorage,
        l2: &Layout,
        weights: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (sequences, maps, weights) = (slice(sequences, l1)?, slice(maps, l2)?, slice(weights, l3)?);
        let (b, [wide, map, _]) = (l1.dims()[0], self.widths());
        let cell = Cell::new(self.sizes, weights);
        let parts = map_parts(b, PART, |rows| {
            self.run(&cell, Self::part(sequences, wide, &rows), Self::part(maps, map, &rows))
        });
        let (out, trails): (Vec<Vec<f32>>, Vec<Trail>) = parts.into_iter().unzip();
        if self.trails.set(trails).is_err() {
            bail!("lstm: expected one forward pass, found a second");
        }
        Ok((CpuStorage::F32(out.concat()), Shape::from((b, self.t, self.sizes.h + self.sizes.n))))
    }

    fn bwd(
        &self,
        sequences: &Tensor,
        maps: &Tensor,
        weights: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(trails) = self.trails.get() else { bail!("lstm: expected a forward pass before the backward one") };
        let numbers = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let (flat, grad, cell) = (numbers(maps)?, numbers(grad)?, Cell::new(self.sizes, &numbers(weights)?));
        let [_, map, out] = self.widths();
        let parts: Vec<Slopes> = map_parts(sequences.dim(0)?, PART, |rows| {
            let trail = &trails[rows.start / PART];
            back(&cell, self.t, trail, Self::part(&flat, map, &rows), Self::part(&grad, out, &rows))
        });
        let mut total = vec![0.0_f32; weights.elem_count()];
        for part in &parts {
            total.iter_mut().zip(&part.weights).for_each(|(sum, part)| *sum += part);
        }
        let join = |of: fn(&Slopes) -> &[f32], like: &Tensor| {
            let numbers: Vec<f32> = parts.iter().flat_map(|part| of(part).iter().copied()).collect();
            Tensor::from_vec(numbers, like.shape(), like.device())
        };
        let to_maps = if self.sizes.n > 0 { Some(join(|part| &part.maps, maps)?) } else { None };
        let total = Tensor::from_vec(total, weights.shape(), weights.device())?;
        Ok((Some(join(|part| &part.sequences, sequences)?), to_maps, Some(total)))
    }
}
