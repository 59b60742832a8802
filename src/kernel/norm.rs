//! Batch norm with statistics of the batch, addition and rectifier in the same pass.

use super::fresh::make_rows;
#[cfg(feature = "cuda")]
use super::is_on_gpu;
use super::lane::{sum_rows, task_rows};
use super::rectify::{Bounds, mask};
use super::{composed, is_native, slice};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

#[cfg(feature = "cuda")]
mod device;

/// Mean and (biased) variance of every channel.
#[derive(Debug, Clone)]
pub struct Moments {
    /// `(c)`.
    pub mean: Tensor,
    /// `(c)`, divided by the count.
    pub variance: Tensor,
}

/// Mean and (biased) variance of every channel, without gradients.
///
/// # Shapes
/// `x` `(b, h, w, c)`; out `(c)` twice.
///
/// # Errors
/// Another number of dimensions.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let x = Tensor::new(&[1.0_f32, 3.0], &Device::Cpu)?.reshape((1, 2, 1, 1))?;
/// let moments = retrace::kernel::moments(&x)?;
/// assert_eq!((moments.mean.to_vec1::<f32>()?, moments.variance.to_vec1::<f32>()?), (vec![2.0], vec![1.0]));
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn moments(x: &Tensor) -> Result<Moments> {
    let (.., c) = x.dims4()?;
    let x = x.detach();
    #[cfg(feature = "cuda")]
    if is_on_gpu(&x) {
        return device::moments(&x);
    }
    if is_native(&x) {
        let both = x.contiguous()?.apply_op1_no_bwd(&MomentsOf)?;
        return Ok(Moments { mean: both.narrow(0, 0, c)?, variance: both.narrow(0, c, c)? });
    }
    let rows = x.reshape(((), c))?;
    let mean = rows.mean(0)?;
    Ok(Moments { variance: rows.broadcast_sub(&mean)?.sqr()?.mean(0)?, mean })
}

/// Normalises every channel by its mean and variance over the batch, adds a map, and cuts off.
///
/// ```text
/// y = cut(weight (x - mean) / sqrt(variance + epsilon) + bias + residual)
/// ```
///
/// `moments` are those of `x`; gradients pass through them as through functions of `x`.
///
/// # Shapes
/// `x` and `residual` `(b, h, w, c)`, `weight` and `bias` `(c)`; out like `x`.
///
/// # Errors
/// Shapes that do not fit.
///
/// # References
/// Ioffe and Szegedy, Batch Normalization, ICML 2015, Algorithm 1.
pub fn batch_norm(
    x: &Tensor,
    moments: &Moments,
    affine: [&Tensor; 2],
    epsilon: f64,
    residual: Option<&Tensor>,
    bounds: Bounds,
) -> Result<Tensor> {
    check(x, [affine[0], affine[1], &moments.mean, &moments.variance], residual)?;
    #[cfg(feature = "cuda")]
    if is_on_gpu(x) {
        return device::batch_norm(x, moments, affine, epsilon, residual, bounds);
    }
    if !is_native(x) {
        return compose(x, affine, epsilon, residual, bounds);
    }
    let centre = Centre::new(moments, affine[0], epsilon)?;
    let (x, affine) = (x.contiguous()?, Tensor::stack(&affine, 0)?);
    match residual {
        Some(residual) => x.apply_op3(&affine, &residual.contiguous()?, BatchNormOp { centre, bounds }),
        None => x.apply_op2(&affine, BatchNormOp { centre, bounds }),
    }
}

fn check(x: &Tensor, channels: [&Tensor; 4], residual: Option<&Tensor>) -> Result<()> {
    let (.., c) = x.dims4()?;
    if let Some(values) = channels.into_iter().find(|values| values.dims() != [c]) {
        bail!("batch norm: expected one value for each of {c} channels, found {:?} for {:?}", values.dims(), x.dims());
    }
    if let Some(residual) = residual.filter(|residual| residual.dims() != x.dims()) {
        bail!("batch norm: expected a residual of {:?}, found {:?}", x.dims(), residual.dims());
    }
    Ok(())
}

/// The formula in candle's operations, statistics and all, so that its graph has every gradient.
fn compose(
    x: &Tensor,
    affine: [&Tensor; 2],
    epsilon: f64,
    residual: Option<&Tensor>,
    bounds: Bounds,
) -> Result<Tensor> {
    let rows = x.reshape(((), affine[0].elem_count()))?;
    let centred = rows.broadcast_sub(&rows.mean_keepdim(0)?)?;
    let deviation = (centred.sqr()?.mean(0)? + epsilon)?.sqrt()?;
    let y = centred.broadcast_mul(&(affine[0] / deviation)?)?.broadcast_add(affine[1])?.reshape(x.shape())?;
    match residual {
        Some(residual) => composed::cut(&(y + residual)?, bounds),
        None => composed::cut(&y, bounds),
    }
}

struct MomentsOf;

impl CustomOp1 for MomentsOf {
    fn name(&self) -> &'static str {
        "channel-moments"
    }

    /// Two passes: a sum of squares without the mean taken off would lose the variance of a channel far from zero.
    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, (b, h, w, c)) = (slice(x, layout)?, layout.shape().dims4()?);
        let rows = b * h * w;
        let mean: Vec<f32> = sum_rows(rows, c, task_rows(c), |rows, sums| {
            for row in x[rows.start * c..rows.end * c].chunks_exact(c) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        })
        .into_iter()
        .map(|sum| (sum / rows as f64) as f32)
        .collect();
        let squares = sum_rows(rows, c, task_rows(c), |rows, sums| {
            for row in x[rows.start * c..rows.end * c].chunks_exact(c) {
                let centred = row.iter().zip(&mean).map(|(x, mean)| x - mean);
                sums.iter_mut().zip(centred).for_each(|(sum, x)| *sum += x * x);
            }
        });
        let variance = squares.into_iter().map(|sum| (sum / rows as f64) as f32);
        Ok((CpuStorage::F32(mean.iter().copied().chain(variance).collect()), Shape::from(2 * c)))
    }
}

/// What the backward pass needs of a batch: its means, one over its deviations, and the weights.
#[derive(Debug, Clone)]
struct Centre {
    mean: Vec<f32>,
    unit: Vec<f32>,
    weight: Vec<f32>,
}

impl Centre {
    fn new(moments: &Moments, weight: &Tensor, epsilon: f64) -> Result<Self> {
        let unit = moments.variance.to_vec1::<f32>()?.into_iter().map(|v| 1.0 / (v + epsilon as f32).sqrt()).collect();
        Ok(Self { mean: moments.mean.to_vec1()?, unit, weight: weight.to_vec1()? })
    }

    fn scale(&self) -> Vec<f32> {
        self.weight.iter().zip(&self.unit).map(|(weight, unit)| weight * unit).collect()
    }
}

struct BatchNormOp {
    centre: Centre,
    bounds: Bounds,
}

impl BatchNormOp {
    fn forward(&self, x: &[f32], bias: &[f32], residual: Option<&[f32]>) -> Vec<f32> {
        let (c, scale, bounds) = (bias.len(), self.centre.scale(), self.bounds);
        let shift: Vec<f32> = bias
            .iter()
            .zip(scale.iter().zip(&self.centre.mean))
            .map(|(bias, (scale, mean))| bias - mean * scale)
            .collect();
        make_rows(x.len() / c.max(1), c, |rows, out| {
            let own = rows.start * c..rows.end * c;
            for (i, (out, x)) in out.chunks_exact_mut(c).zip(x[own.clone()].chunks_exact(c)).enumerate() {
                let affine = x.iter().zip(scale.iter().zip(&shift)).map(|(x, (scale, shift))| x * scale + shift);
                match residual {
                    Some(residual) => {
                        let residual = &residual[own.start + i * c..][..c];
                        out.iter_mut().zip(affine.zip(residual)).for_each(|(out, (y, r))| *out = bounds.cut(y + r));
                    }
                    None => out.iter_mut().zip(affine).for_each(|(out, y)| *out = bounds.cut(y)),
                }
            }
        })
    }

    /// Gradients to `x`, and to weight and bias as `(2, c)`, from one before the cut.
    fn backward(&self, x: &Tensor, y: &Tensor, grad: &Tensor, bounds: Bounds) -> Result<(Tensor, Tensor)> {
        let centre = &self.centre;
        let to_affine = x.apply_op3_no_bwd(y, grad, &AffineGradient { centre, bounds })?;
        let sums = to_affine.flatten_all()?.to_vec1()?;
        Ok((x.apply_op3_no_bwd(y, grad, &NormInputGradient { centre, bounds, sums })?, to_affine))
    }
}

impl CustomOp2 for BatchNormOp {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l1: &Layout, affine: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, affine) = (slice(x, l1)?, slice(affine, l2)?);
        Ok((CpuStorage::F32(self.forward(x, &affine[affine.len() / 2..], None)), l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, y: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (to_x, to_affine) = self.backward(x, y, &grad.contiguous()?, self.bounds)?;
        Ok((Some(to_x), Some(to_affine)))
    }
}

impl CustomOp3 for BatchNormOp {
    fn name(&self) -> &'static str {
        "batch-norm-residual"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l1: &Layout,
        affine: &CpuStorage,
        l2: &Layout,
        residual: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, affine, residual) = (slice(x, l1)?, slice(affine, l2)?, slice(residual, l3)?);
        Ok((CpuStorage::F32(self.forward(x, &affine[affine.len() / 2..], Some(residual))), l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, _: &Tensor, y: &Tensor, grad: &Tensor) -> Result<NormGradients> {
        let grad = mask(y, &grad.contiguous()?, self.bounds)?;
        let (to_x, to_affine) = self.backward(x, y, &grad, Bounds::NONE)?;
        Ok((Some(to_x), Some(to_affine), Some(grad)))
    }
}

type NormGradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

/// The gradients to weight and bias, `(2, c)`.
///
/// ```text
/// u = (x - mean) / sd;  to weight = sum g u;  to bias = sum g
/// ```
struct AffineGradient<'a> {
    centre: &'a Centre,
    bounds: Bounds,
}

impl CustomOp3 for AffineGradient<'_> {
    fn name(&self) -> &'static str {
        "batch-norm-affine-gradient"
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
        let (x, y, grad) = (slice(x, l1)?, slice(y, l2)?, slice(grad, l3)?);
        let (mean, bounds) = (&self.centre.mean[..], self.bounds);
        let c = mean.len();
        let sums = sum_rows(x.len() / c.max(1), 2 * c, task_rows(c), |rows, sums| {
            let (product, plain) = sums.split_at_mut(c);
            let own = rows.start * c..rows.end * c;
            let lines = y[own.clone()].chunks_exact(c).zip(grad[own.clone()].chunks_exact(c));
            for (x, (y, grad)) in x[own].chunks_exact(c).zip(lines) {
                let terms = x.iter().zip(mean).zip(y.iter().zip(grad)).map(|((x, mean), (y, grad))| {
                    let slope = bounds.slope(*y, *grad);
                    (slope * (x - mean), slope)
                });
                for ((product, plain), (term, slope)) in product.iter_mut().zip(plain.iter_mut()).zip(terms) {
                    *product += term;
                    *plain += slope;
                }
            }
        });
        let units = self.centre.unit.iter().copied().chain(std::iter::repeat_n(1.0, c));
        let sums = sums.into_iter().zip(units).map(|(sum, unit)| (sum * f64::from(unit)) as f32).collect();
        Ok((CpuStorage::F32(sums), Shape::from((2, c))))
    }
}

/// The gradient to the input, given the sums of [`AffineGradient`].
///
/// ```text
/// to x = weight / sd (g - mean(g) - u mean(g u))
/// ```
struct NormInputGradient<'a> {
    centre: &'a Centre,
    bounds: Bounds,
    sums: Vec<f32>,
}

impl CustomOp3 for NormInputGradient<'_> {
    fn name(&self) -> &'static str {
        "batch-norm-input-gradient"
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
        let (x, y, grad) = (slice(x, l1)?, slice(y, l2)?, slice(grad, l3)?);
        let Self { centre, bounds, sums } = self;
        let c = centre.mean.len();
        let (count, scale) = ((x.len() / c.max(1)) as f32, centre.scale());
        let product: Vec<f32> = sums[..c].iter().zip(&centre.unit).map(|(sum, unit)| sum * unit / count).collect();
        let plain: Vec<f32> = sums[c..].iter().map(|sum| sum / count).collect();
        let out = make_rows(x.len() / c.max(1), c, |rows, out| {
            let own = rows.start * c..rows.end * c;
            let lines = y[own.clone()].chunks_exact(c).zip(grad[own.clone()].chunks_exact(c));
            for (out, (x, (y, grad))) in out.chunks_exact_mut(c).zip(x[own].chunks_exact(c).zip(lines)) {
                let slopes = y.iter().zip(grad).map(|(y, grad)| bounds.slope(*y, *grad));
                let centred = x.iter().zip(&centre.mean).map(|(x, mean)| x - mean);
                let parts = scale.iter().zip(plain.iter().zip(&product));
                let terms = slopes.zip(centred).zip(parts);
                for (out, ((slope, centred), (scale, (plain, product)))) in out.iter_mut().zip(terms) {
                    *out = scale * (slope - plain - centred * product);
                }
            }
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }
}
