//! The operation on tensors: many pairs at once, forward and backward.

use super::pair::{Gradients, Pair, Transporter};
use super::{Plan, Solver, TransportConfig};
use crate::kernel::lane::map_parts;
use crate::kernel::slice;
use crate::{Error, Result};
use candle_core::{CpuStorage, CustomOp3, Device, Layout, Shape, Tensor, bail};
use std::sync::OnceLock;

/// Checks shapes; `(p, m, n)`.
pub(super) fn shape(costs: &[usize], rows: &[usize], columns: &[usize]) -> Result<[usize; 3]> {
    match (costs, rows, columns) {
        (&[p, m, n], &[q, k], &[r, l]) if p == q && p == r && m == k && n == l && m * n > 0 => Ok([p, m, n]),
        _ => {
            let found = format!("{costs:?}, {rows:?} and {columns:?}");
            Err(Error::value(
                "transport's costs, rows and columns",
                "(p, m, n), (p, m) and (p, n), m, n of 1 or more",
                found,
            ))
        }
    }
}

/// One result a pair, in order; pairs are solved side by side, each by one thread.
pub(super) fn for_pairs<R: Send>(
    [p, m, n]: [usize; 3],
    [costs, rows, columns]: [&[f32]; 3],
    config: &TransportConfig,
    make: impl Fn(Pair, &dyn Transporter) -> Result<R> + Send + Sync,
) -> Result<Vec<R>> {
    let wide = |numbers: &[f32]| -> Vec<f64> { numbers.iter().map(|x| f64::from(*x)).collect() };
    let solver = config.solver.transporter();
    let of = |i: usize| {
        let (rows, columns) = (wide(&rows[i * m..][..m]), wide(&columns[i * n..][..n]));
        make(Pair::new(i, wide(&costs[i * m * n..][..m * n]), &rows, &columns, config.goal)?, solver.as_ref())
    };
    map_parts(p, 1, |range| of(range.start)).into_iter().collect()
}

/// The cost of every pair, with what the way back needs where there is one.
pub(super) struct Transport {
    pub config: TransportConfig,
    /// Whether a gradient may be asked for.
    pub is_tracked: bool,
    pub solved: OnceLock<Vec<(Pair, Plan)>>,
}

impl CustomOp3 for Transport {
    fn name(&self) -> &'static str {
        "transport"
    }

    fn cpu_fwd(
        &self,
        costs: &CpuStorage,
        l1: &Layout,
        rows: &CpuStorage,
        l2: &Layout,
        columns: &CpuStorage,
        l3: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let shape = shape(l1.dims(), l2.dims(), l3.dims()).map_err(candle_core::Error::wrap)?;
        let numbers = [slice(costs, l1)?, slice(rows, l2)?, slice(columns, l3)?];
        let solve = |pair: Pair, solver: &dyn Transporter| {
            let plan = pair.solve(solver)?;
            Ok((plan.cost as f32, self.is_tracked.then_some((pair, plan))))
        };
        let solved = for_pairs(shape, numbers, &self.config, solve).map_err(candle_core::Error::wrap)?;
        let (costs, kept): (Vec<f32>, Vec<_>) = solved.into_iter().unzip();
        if self.solved.set(kept.into_iter().flatten().collect()).is_err() {
            bail!("transport: expected one forward pass, found a second");
        }
        Ok((CpuStorage::F32(costs), Shape::from(shape[0])))
    }

    fn bwd(
        &self,
        costs: &Tensor,
        rows: &Tensor,
        columns: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.to_vec1::<f32>()?;
        let gradients = self.gradients(&grad).map_err(candle_core::Error::wrap)?;
        let tensor = |like: &Tensor, part: fn(&Gradients) -> &[f64]| {
            let scaled =
                gradients.iter().zip(&grad).flat_map(|(g, by)| part(g).iter().map(|x| (*x * f64::from(*by)) as f32));
            Tensor::from_vec(scaled.collect::<Vec<f32>>(), like.shape(), &Device::Cpu)
        };
        Ok((
            Some(tensor(costs, |g| &g.costs)?),
            Some(tensor(rows, |g| &g.rows)?),
            Some(tensor(columns, |g| &g.columns)?),
        ))
    }
}

impl Transport {
    fn gradients(&self, grad: &[f32]) -> Result<Vec<Gradients>> {
        let solved = self.solved.get().filter(|solved| solved.len() == grad.len());
        let solved = solved.ok_or_else(|| Error::value("transport's plans", "those of the forward pass", "none"))?;
        let solver = self.config.solver.transporter();
        let of = |(pair, plan): &(Pair, Plan)| pair.gradients(solver.as_ref(), plan);
        map_parts(solved.len(), 1, |range| of(&solved[range.start])).into_iter().collect()
    }
}

impl Solver {
    pub(super) fn transporter(self) -> Box<dyn Transporter> {
        match self {
            Self::Exact => Box::new(super::exact::Exact),
            Self::Quadratic { ridge } => Box::new(super::quadratic::Quadratic { ridge }),
        }
    }
}
