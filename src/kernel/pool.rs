//! Maxima and means of windows.

use super::fresh::make_chunks;
use super::lane::vectorise;
use super::{Geometry, Window, composed, is_native, slice};
use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};

/// The largest number of every window; padding is never the largest, NaN always is.
///
/// The gradient goes to the first of equals.
///
/// # Shapes
/// `(b, h, w, c)` in, `(b, h', w', c)` out with [`Window::output`].
///
/// # Errors
/// A window larger than the map.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::kernel::{Window, max_pool};
/// let x = Tensor::new(&[1.0_f32, 5.0, 2.0], &Device::Cpu)?.reshape((1, 1, 3, 1))?;
/// let window = Window { stride: 2, ..Window::default() }.padded(1);
/// assert_eq!(max_pool(&x, [3, 3], window)?.flatten_all()?.to_vec1::<f32>()?, [5.0, 5.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn max_pool(x: &Tensor, k: [usize; 2], window: Window) -> Result<Tensor> {
    let g = Geometry::new(x.dims(), k, x.dims4()?.3, window)?;
    if is_native(x) { x.contiguous()?.apply_op1(Pool { g, kind: PoolKind::Max }) } else { composed::max_pool(x, &g) }
}

/// The mean of every window, zeros of the padding counted.
///
/// # Shapes
/// `(b, h, w, c)` in, `(b, h', w', c)` out with [`Window::output`].
///
/// # Errors
/// A window larger than the map.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::kernel::{Window, average_pool};
/// let x = Tensor::new(&[1.0_f32, 5.0], &Device::Cpu)?.reshape((1, 1, 2, 1))?;
/// assert_eq!(average_pool(&x, [1, 2], Window::default())?.flatten_all()?.to_vec1::<f32>()?, [3.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn average_pool(x: &Tensor, k: [usize; 2], window: Window) -> Result<Tensor> {
    let g = Geometry::new(x.dims(), k, x.dims4()?.3, window)?;
    if is_native(x) {
        x.contiguous()?.apply_op1(Pool { g, kind: PoolKind::Average })
    } else {
        composed::average_pool(x, &g)
    }
}

#[derive(Debug, Clone, Copy)]
enum PoolKind {
    Max,
    Average,
}

#[derive(Debug, Clone, Copy)]
struct Pool {
    g: Geometry,
    kind: PoolKind,
}

impl Pool {
    /// Visits the numbers of a pixel under the window of output `row`, window line by window line.
    #[inline(always)]
    fn for_pixels(&self, row: usize, mut visit: impl FnMut(usize)) {
        let g = &self.g;
        let (y, x) = (row / g.out[1], row % g.out[1]);
        for y in (0..g.k[0]).filter_map(|tap| g.source(0, y, tap)) {
            for x in (0..g.k[1]).filter_map(|tap| g.source(1, x, tap)) {
                visit((y * g.size[1] + x) * g.c);
            }
        }
    }

    #[inline(always)]
    fn forward(&self, image: &[f32], row: usize, out: &mut [f32]) {
        match self.kind {
            PoolKind::Max => {
                out.fill(f32::NEG_INFINITY);
                self.for_pixels(row, |at| {
                    let keep = |out: f32, x: f32| x <= out || out.is_nan();
                    out.iter_mut().zip(&image[at..]).for_each(|(out, x)| *out = if keep(*out, *x) { *out } else { *x });
                });
            }
            PoolKind::Average => {
                self.for_pixels(row, |at| out.iter_mut().zip(&image[at..]).for_each(|(out, x)| *out += x));
                let count = (self.g.k[0] * self.g.k[1]) as f32;
                out.iter_mut().for_each(|out| *out /= count);
            }
        }
    }

    /// Adds what the window of output `row`, whose numbers are `y`, hands back to its pixels.
    #[inline(always)]
    fn backward(&self, image: &[f32], row: usize, y: &[f32], left: &mut [f32], to_image: &mut [f32]) {
        match self.kind {
            // The first pixel that is the maximum takes all that is left.
            PoolKind::Max => self.for_pixels(row, |at| {
                let pixels = image[at..].iter().zip(&mut to_image[at..]);
                for ((left, y), (x, out)) in left.iter_mut().zip(y).zip(pixels) {
                    let is_hit = (x == y) | (x.is_nan() & y.is_nan());
                    *out += if is_hit { *left } else { 0.0 };
                    *left = if is_hit { 0.0 } else { *left };
                }
            }),
            PoolKind::Average => {
                let count = (self.g.k[0] * self.g.k[1]) as f32;
                self.for_pixels(row, |at| {
                    to_image[at..].iter_mut().zip(&*left).for_each(|(out, grad)| *out += grad / count);
                });
            }
        }
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (g, x) = (&self.g, slice(x, layout)?);
        let out = make_chunks(g.rows() * g.c, g.out[1] * g.c, |i, line| {
            let image = &x[i / g.out[0] * g.input_len()..][..g.input_len()];
            let first = i % g.out[0] * g.out[1];
            vectorise(
                #[inline(always)]
                || line.chunks_exact_mut(g.c).enumerate().for_each(|(x, out)| self.forward(image, first + x, out)),
            );
        });
        Ok((CpuStorage::F32(out), g.output_shape()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(x.apply_op3_no_bwd(y, &grad.contiguous()?, &PoolGradient(*self))?))
    }
}

struct PoolGradient(Pool);

impl CustomOp3 for PoolGradient {
    fn name(&self) -> &'static str {
        "pool-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l1: &Layout,
        y: &CpuStorage,
        l2: &Layout,
        grad: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (g, x, y, grad) = (&self.0.g, slice(x, l1)?, slice(y, l2)?, slice(grad, l3)?);
        let out = make_chunks(x.len(), g.input_len(), |i, out| {
            let image = &x[i * g.input_len()..][..g.input_len()];
            let own = i * g.area() * g.c..(i + 1) * g.area() * g.c;
            let mut left = grad[own.clone()].to_vec();
            vectorise(
                #[inline(always)]
                || {
                    let lines = left.chunks_exact_mut(g.c).zip(y[own].chunks_exact(g.c)).enumerate();
                    lines.for_each(|(row, (left, y))| self.0.backward(image, row, y, left, out));
                },
            );
        });
        Ok((CpuStorage::F32(out), g.input_shape()))
    }
}
