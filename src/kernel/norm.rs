//! Batch norm with statistics of the batch, and the per-channel addition, with gradients in one pass over the data.

use super::{is_native, slice};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Normalises every channel by its mean and variance over the batch.
///
/// ```text
/// y = weight (x - mean) / sqrt(variance + epsilon) + bias
/// ```
///
/// # Shapes
/// `x` `(b, c, h, w)`, `weight` and `bias` `(c)`; out like `x`.
///
/// # Errors
/// Shapes that do not fit.
///
/// # References
/// Ioffe and Szegedy, Batch Normalization, ICML 2015, Algorithm 1.
pub fn batch_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Result<Tensor> {
    check(x, weight)?;
    check(x, bias)?;
    if is_native(x) {
        let (x, weight, bias) = (x.contiguous()?, weight.contiguous()?, bias.contiguous()?);
        return x.apply_op3(&weight, &bias, BatchNorm { epsilon });
    }
    let column = |values: &Tensor| values.reshape((1, (), 1, 1));
    let mean = x.flatten_from(2)?.mean(2)?.mean(0)?;
    let centred = x.broadcast_sub(&column(&mean)?)?;
    let variance = centred.sqr()?.flatten_from(2)?.mean(2)?.mean(0)?;
    let scale = (weight / (variance + epsilon)?.sqrt()?)?;
    centred.broadcast_mul(&column(&scale)?)?.broadcast_add(&column(bias)?)
}

/// Mean and (biased) variance of every channel, without gradients.
///
/// # Shapes
/// `x` `(b, c, h, w)`; out `(c)` twice.
///
/// # Errors
/// Another number of dimensions.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let x = Tensor::new(&[[[[1.0_f32, 3.0]]]], &Device::Cpu)?;
/// let (mean, variance) = retrace::kernel::moments(&x)?;
/// assert_eq!((mean.to_vec1::<f32>()?, variance.to_vec1::<f32>()?), (vec![2.0], vec![1.0]));
/// # Ok::<(), candle_core::Error>(())
/// ```
pub fn moments(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let c = x.dims4()?.1;
    if is_native(x) {
        let both = x.contiguous()?.detach().apply_op1_no_bwd(&Moments)?;
        return Ok((both.narrow(0, 0, c)?, both.narrow(0, c, c)?));
    }
    let x = x.detach();
    let mean = x.flatten_from(2)?.mean(2)?.mean(0)?;
    let centred = x.broadcast_sub(&mean.reshape((1, (), 1, 1))?)?;
    Ok((mean, centred.sqr()?.flatten_from(2)?.mean(2)?.mean(0)?))
}

/// Adds a number to every pixel of each channel.
///
/// # Shapes
/// `x` `(b, c, h, w)`, `values` `(c)`; out like `x`.
///
/// # Errors
/// Shapes that do not fit.
pub fn add_channels(x: &Tensor, values: &Tensor) -> Result<Tensor> {
    check(x, values)?;
    match is_native(x) {
        true => x.contiguous()?.apply_op2(&values.contiguous()?, AddChannels),
        false => x.broadcast_add(&values.reshape((1, (), 1, 1))?),
    }
}

fn check(x: &Tensor, values: &Tensor) -> Result<()> {
    let (_, c, _, _) = x.dims4()?;
    if values.dims() != [c] {
        bail!("expected one value for each of {c} channels, found {:?} for {:?}", values.dims(), x.dims());
    }
    Ok(())
}

/// Sizes of a batch of maps.
#[derive(Clone, Copy)]
struct Maps {
    b: usize,
    c: usize,
    area: usize,
}

impl Maps {
    fn new(layout: &Layout) -> Result<Self> {
        let (b, c, h, w) = layout.shape().dims4()?;
        Ok(Self { b, c, area: h * w })
    }

    /// The pixels of one channel, image after image.
    fn channel<'a>(&self, values: &'a [f32], channel: usize) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let Self { b, c, area } = *self;
        (0..b).map(move |image| &values[(image * c + channel) * area..][..area])
    }

    fn count(&self) -> f32 {
        (self.b * self.area) as f32
    }

    /// Mean and variance of every channel; one channel is one task, so the order of the sums is fixed.
    fn moments(&self, values: &[f32]) -> Vec<(f32, f32)> {
        let of_channel = |channel| {
            let mean = self.channel(values, channel).map(|line| sum(line, |x| x)).sum::<f32>() / self.count();
            let square = |x: f32| (x - mean) * (x - mean);
            (mean, self.channel(values, channel).map(|line| sum(line, square)).sum::<f32>() / self.count())
        };
        (0..self.c).into_par_iter().map(of_channel).collect()
    }

    /// Fills `out` plane by plane from the planes of `x`.
    fn map(&self, x: &[f32], out: &mut [f32], make: impl Fn(usize, &[f32], &mut [f32]) + Send + Sync) {
        let (c, area) = (self.c, self.area.max(1));
        let planes = out.par_chunks_mut(area).zip(x.par_chunks(area)).enumerate();
        planes.for_each(|(i, (out, x))| make(i % c, x, out));
    }
}

/// Eight running sums, so that the compiler may keep them in one vector register.
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 8];
    let chunks = values.chunks_exact(8);
    let rest: f32 = chunks.remainder().iter().map(|x| of(*x)).sum();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += of(*x));
    }
    sums.iter().sum::<f32>() + rest
}

struct Moments;

impl CustomOp1 for Moments {
    fn name(&self) -> &'static str {
        "channel-moments"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let moments = Maps::new(layout)?.moments(slice(x, layout)?);
        let values: Vec<f32> = moments.iter().map(|m| m.0).chain(moments.iter().map(|m| m.1)).collect();
        let shape = Shape::from(values.len());
        Ok((CpuStorage::F32(values), shape))
    }
}

struct BatchNorm {
    epsilon: f64,
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l1: &Layout,
        weight: &CpuStorage,
        l2: &Layout,
        bias: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (maps, x, weight, bias) = (Maps::new(l1)?, slice(x, l1)?, slice(weight, l2)?, slice(bias, l3)?);
        let affine: Vec<(f32, f32)> = maps
            .moments(x)
            .iter()
            .zip(weight)
            .zip(bias)
            .map(|((moment, weight), bias)| {
                let scale = weight / (moment.1 + self.epsilon as f32).sqrt();
                (scale, bias - moment.0 * scale)
            })
            .collect();
        let mut out = vec![0.0; x.len()];
        maps.map(x, &mut out, |channel, x, out| {
            let (scale, shift) = affine[channel];
            out.iter_mut().zip(x).for_each(|(out, x)| *out = x * scale + shift);
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Gradients> {
        let packed = x.apply_op3_no_bwd(weight, &grad.contiguous()?, &BatchNormGradient { epsilon: self.epsilon })?;
        let (n, c) = (x.elem_count(), weight.elem_count());
        let to_x = packed.narrow(0, 0, n)?.reshape(x.shape())?;
        Ok((Some(to_x), Some(packed.narrow(0, n, c)?), Some(packed.narrow(0, n + c, c)?)))
    }
}

type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

/// All three gradients of [`BatchNorm`] one after the other: to `x`, to `weight`, to `bias`.
///
/// ```text
/// u = (x - mean) / sd;  to bias = sum g;  to weight = sum g u;  to x = weight / sd (g - mean(g) - u mean(g u))
/// ```
struct BatchNormGradient {
    epsilon: f64,
}

impl CustomOp3 for BatchNormGradient {
    fn name(&self) -> &'static str {
        "batch-norm-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        l1: &Layout,
        weight: &CpuStorage,
        l2: &Layout,
        grad: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (maps, x, weight, grad) = (Maps::new(l1)?, slice(x, l1)?, slice(weight, l2)?, slice(grad, l3)?);
        let sums: Vec<[f32; 4]> = maps
            .moments(x)
            .into_par_iter()
            .enumerate()
            .map(|(channel, (mean, variance))| {
                let unit = 1.0 / (variance + self.epsilon as f32).sqrt();
                let (mut plain, mut product) = (0.0, 0.0);
                for (x, grad) in maps.channel(x, channel).zip(maps.channel(grad, channel)) {
                    plain += sum(grad, |g| g);
                    product += dot(grad, x, mean);
                }
                [mean, unit, plain, product * unit]
            })
            .collect();
        let n = x.len();
        let mut out = vec![0.0; n + 2 * maps.c];
        out[..n].copy_from_slice(grad);
        maps.map(x, &mut out[..n], |channel, x, out| {
            let [mean, unit, plain, product] = sums[channel];
            let (scale, plain, product) = (weight[channel] * unit, plain / maps.count(), product * unit / maps.count());
            out.iter_mut().zip(x).for_each(|(out, x)| *out = scale * (*out - plain - (x - mean) * product));
        });
        for (channel, [_, _, plain, product]) in sums.iter().enumerate() {
            (out[n + channel], out[n + maps.c + channel]) = (*product, *plain);
        }
        let shape = Shape::from(out.len());
        Ok((CpuStorage::F32(out), shape))
    }
}

/// `sum of g (x - mean)`.
fn dot(grad: &[f32], x: &[f32], mean: f32) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (heads, tails) = (grad.chunks_exact(8), x.chunks_exact(8));
    let rest: f32 = heads.remainder().iter().zip(tails.remainder()).map(|(g, x)| g * (x - mean)).sum();
    for (grad, x) in heads.zip(tails) {
        sums.iter_mut().zip(grad.iter().zip(x)).for_each(|(sum, (g, x))| *sum += g * (x - mean));
    }
    sums.iter().sum::<f32>() + rest
}

struct AddChannels;

impl CustomOp2 for AddChannels {
    fn name(&self) -> &'static str {
        "add-channels"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l1: &Layout, values: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (maps, x, values) = (Maps::new(l1)?, slice(x, l1)?, slice(values, l2)?);
        let mut out = vec![0.0; x.len()];
        maps.map(x, &mut out, |channel, x, out| {
            out.iter_mut().zip(x).for_each(|(out, x)| *out = x + values[channel]);
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(grad.clone()), Some(grad.contiguous()?.apply_op1_no_bwd(&ChannelSums)?)))
    }
}

struct ChannelSums;

impl CustomOp1 for ChannelSums {
    fn name(&self) -> &'static str {
        "channel-sums"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (maps, x) = (Maps::new(layout)?, slice(x, layout)?);
        let of_channel = |channel| maps.channel(x, channel).map(|line| sum(line, |x| x)).sum();
        let sums: Vec<f32> = (0..maps.c).into_par_iter().map(of_channel).collect();
        Ok((CpuStorage::F32(sums), Shape::from(maps.c)))
    }
}
