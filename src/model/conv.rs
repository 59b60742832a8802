//! The one convolution layer of the crate, alone and followed by batch norm.

use super::{Activation, BatchNorm, Init, Mode, NormConfig, Scope, Weight, init::Fan};
use crate::kernel::{Bounds, Window, add, conv2d, scale_filters};
use crate::{Error, Result};
use candle_core::Tensor;

/// How many zeros surround the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// As many on every side.
    Each(usize),
    /// `(kernel - 1) / 2` before and after, along height and width: at stride 1 an odd kernel keeps the size.
    Half,
    /// TensorFlow's `SAME`: enough for `ceil(size / stride)` outputs; an odd one goes to the right and to the bottom.
    Same,
}

/// The shape of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvConfig {
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Height and width of the kernel, in pixels.
    pub kernel: [usize; 2],
    /// Step, in pixels.
    pub stride: usize,
    /// Zeros around the picture.
    pub padding: Padding,
    /// Distance between neighbouring taps, in pixels.
    pub dilation: usize,
    /// Channel groups that do not see each other; as many as channels makes it depthwise.
    pub groups: usize,
    /// Whether a number is added to each output channel.
    pub bias: bool,
}

impl ConvConfig {
    /// A convolution with a square kernel, of stride 1, without bias, padded by half.
    pub fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        let kernel = [kernel; 2];
        Self { inputs, outputs, kernel, stride: 1, padding: Padding::Half, dilation: 1, groups: 1, bias: false }
    }
}

/// A two-dimensional convolution.
///
/// ```text
/// y[i, j, k] = bias[k] + sum over u, v, c of weight[k, c, u, v] x[i stride + u dilation - p, j stride + v dilation - p, c]
/// ```
///
/// # Shapes
/// `weight (outputs, inputs / groups, height, width)` of the kernel, `bias (outputs)`.
#[derive(Debug)]
pub struct Convolution {
    weight: Weight,
    bias: Option<Weight>,
    config: ConvConfig,
}

impl Convolution {
    /// Registers `weight` and, where there is one, `bias`.
    ///
    /// # Errors
    /// Channels that the groups do not divide, a kernel or a stride of 0, a taken name.
    pub fn new(config: ConvConfig, scope: &mut Scope) -> Result<Self> {
        let ConvConfig { inputs, outputs, kernel, stride, groups, .. } = config;
        if groups == 0 || inputs % groups != 0 || outputs % groups != 0 || kernel.contains(&0) || stride == 0 {
            return Err(Error::value(
                "convolution",
                "kernel and stride of 1 or more, groups that divide the channels",
                format!("{config:?}"),
            ));
        }
        let shape = [outputs, inputs / groups, kernel[0], kernel[1]];
        let weight = scope.weight("weight", &shape, Init::KaimingNormal(Fan::Out { groups }))?;
        let bias = if config.bias { Some(scope.weight("bias", &[outputs], Init::Zeros)?) } else { None };
        Ok(Self { weight, bias, config })
    }

    /// Convolves a batch of maps.
    ///
    /// # Shapes
    /// `(b, h, w, inputs)` in, `(b, h', w', outputs)` out.
    ///
    /// # Errors
    /// Another number of channels, or a picture smaller than the kernel.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.forward_rectified(x, Activation::None, mode)
    }

    /// [`Convolution::forward`] and an activation in one pass.
    ///
    /// # Shapes
    /// As [`Convolution::forward`].
    ///
    /// # Errors
    /// As [`Convolution::forward`].
    pub fn forward_rectified(&self, x: &Tensor, activation: Activation, mode: Mode) -> Result<Tensor> {
        let bias = self.bias.as_ref().map(|bias| bias.value(mode));
        self.convolve(x, &self.weight.value(mode), bias.as_ref(), activation.bounds())
    }

    /// `cut(scale * forward(x) + shift)` per output channel, with the scale folded into the weight.
    fn forward_folded(&self, x: &Tensor, affine: &(Tensor, Tensor), bounds: Bounds, mode: Mode) -> Result<Tensor> {
        let (scale, shift) = affine;
        let weight = scale_filters(&self.weight.value(mode), scale)?;
        let shift = match &self.bias {
            Some(bias) => (scale * bias.value(mode))?.add(shift)?,
            None => shift.clone(),
        };
        self.convolve(x, &weight, Some(&shift), bounds)
    }

    fn convolve(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, bounds: Bounds) -> Result<Tensor> {
        let ConvConfig { stride, dilation, groups, .. } = self.config;
        let (_, h, w, channels) = x.dims4()?;
        let padding = [self.padding(0, h), self.padding(1, w)];
        let window = Window { stride, padding, dilation, groups };
        if channels != self.config.inputs || window.output([h, w], self.config.kernel).is_none() {
            let reach = (self.config.kernel.into_iter().max().unwrap_or(1) - 1) * dilation + 1;
            let expected = format!("{} channels of at least {reach} pixels with padding", self.config.inputs);
            return Err(Error::value("convolution input (b, h, w, c)", expected, format!("{:?}", x.dims())));
        }
        Ok(conv2d(x, weight, bias, window, bounds)?)
    }

    /// Zeros before and after a side of `size` pixels, along height (0) or width (1).
    fn padding(&self, axis: usize, size: usize) -> [usize; 2] {
        let ConvConfig { stride, dilation, .. } = self.config;
        let kernel = self.config.kernel[axis];
        match self.config.padding {
            Padding::Each(zeros) => [zeros, zeros],
            Padding::Half => [(kernel - 1) / 2; 2],
            Padding::Same => {
                let reach = (size.div_ceil(stride).saturating_sub(1)) * stride + (kernel - 1) * dilation + 1;
                let zeros = reach.saturating_sub(size);
                [zeros / 2, zeros - zeros / 2]
            }
        }
    }
}

/// A convolution, batch norm and an activation.
///
/// With running statistics the norm's scale is folded into the convolution's weight, so the norm costs one addition.
#[derive(Debug)]
pub struct ConvNorm {
    convolution: Convolution,
    norm: BatchNorm,
    activation: Activation,
}

impl ConvNorm {
    /// Puts the three in a row.
    pub fn new(convolution: Convolution, norm: BatchNorm, activation: Activation) -> Self {
        Self { convolution, norm, activation }
    }

    /// Registers the convolution under `names[0]` and the norm under `names[1]`.
    ///
    /// # Errors
    /// As [`Convolution::new`].
    pub fn register(
        scope: &mut Scope,
        names: [&str; 2],
        config: ConvConfig,
        norm: NormConfig,
        activation: Activation,
    ) -> Result<Self> {
        let convolution = Convolution::new(config, &mut scope.push(names[0]))?;
        Ok(Self::new(convolution, BatchNorm::new(config.outputs, norm, &mut scope.push(names[1]))?, activation))
    }

    /// All three in a row.
    ///
    /// # Shapes
    /// As [`Convolution::forward`].
    ///
    /// # Errors
    /// As [`Convolution::forward`].
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.forward_onto(x, None, mode)
    }

    /// Convolution and norm, then an addition, then the activation: the end of a residual block.
    ///
    /// # Shapes
    /// As [`Convolution::forward`]; `residual` like the output.
    ///
    /// # Errors
    /// As [`Convolution::forward`], and a residual of another shape.
    pub fn forward_onto(&self, x: &Tensor, residual: Option<&Tensor>, mode: Mode) -> Result<Tensor> {
        let bounds = self.activation.bounds();
        match (self.norm.scale_and_shift(mode)?, residual) {
            (None, _) => self.norm.forward_onto(&self.convolution.forward(x, mode)?, residual, bounds, mode),
            (Some(affine), None) => self.convolution.forward_folded(x, &affine, bounds, mode),
            (Some(affine), Some(residual)) => {
                Ok(add(&self.convolution.forward_folded(x, &affine, Bounds::NONE, mode)?, residual, bounds)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Parameters, seed::Seed};
    use candle_core::{Device, Var};

    fn layer(config: ConvConfig) -> (Parameters, Convolution) {
        let mut parameters = Parameters::new(Seed(1), &Device::Cpu);
        let layer = Convolution::new(config, &mut parameters.root()).unwrap();
        (parameters, layer)
    }

    fn wave(shape: &[usize], pace: f32) -> Tensor {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * pace).sin()).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn flat(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn convolution_of_a_box_counts_neighbours() {
        let (parameters, layer) = layer(ConvConfig { bias: true, ..ConvConfig::new(1, 1, 3) });
        let set = |name: &str, value: f64| {
            let var: &Var = &parameters.trainable().into_iter().find(|(n, _)| n == name).unwrap().1;
            var.set(&var.as_detached_tensor().ones_like().unwrap().affine(value, 0.0).unwrap()).unwrap();
        };
        set("weight", 1.0);
        set("bias", 0.5);
        let ones = wave(&[1, 3, 3, 1], 0.0).affine(0.0, 1.0).unwrap();
        let counts = [4.5, 6.5, 4.5, 6.5, 9.5, 6.5, 4.5, 6.5, 4.5];
        assert_eq!(flat(&layer.forward(&ones, Mode::Eval).unwrap()), counts);
    }

    #[test]
    fn convolution_equals_its_formula() {
        for (kernel, (stride, padding, dilation, groups)) in [
            (1, Padding::Each(1), 1, 1),
            (2, Padding::Each(0), 1, 2),
            (1, Padding::Each(2), 2, 1),
            (2, Padding::Same, 1, 4),
            (2, Padding::Same, 2, 1),
            (3, Padding::Same, 1, 2),
            (1, Padding::Half, 1, 1),
            (2, Padding::Half, 2, 2),
        ]
        .into_iter()
        .flat_map(|case| [[3, 3], [1, 5], [5, 1]].map(|kernel| (kernel, case)))
        {
            let config =
                ConvConfig { kernel, stride, padding, dilation, groups, bias: true, ..ConvConfig::new(4, 8, 3) };
            if padding == Padding::Each(0) && kernel != [3, 3] {
                continue; // the same as the square one, and wider than the picture once dilated
            }
            let (parameters, layer) = layer(config);
            let x = wave(&[2, 7, 6, 4], 0.7);
            let y = layer.forward(&x, Mode::Eval).unwrap();
            let twin = slow(&x, &parameters.tensors()["weight"], &layer);
            let (y, twin) = (flat(&y), twin);
            assert_eq!(y.len(), twin.len(), "{config:?}");
            let worst = y.iter().zip(&twin).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-5, "{config:?}: {worst}");
        }
    }

    /// The formula in the docs, loop by loop; the bias of a new layer is 0.
    fn slow(x: &Tensor, weight: &Tensor, layer: &Convolution) -> Vec<f32> {
        let ConvConfig { outputs, kernel, stride, dilation, groups, .. } = layer.config;
        let (b, h, w, c) = x.dims4().unwrap();
        let (x, weight) = (flat(x), flat(weight));
        let ([top, bottom], [left, right]) = (layer.padding(0, h), layer.padding(1, w));
        let side =
            |axis: usize, size: usize, zeros: usize| (size + zeros - (kernel[axis] - 1) * dilation - 1) / stride + 1;
        let per = c / groups;
        let mut y = Vec::new();
        for n in 0..b {
            for i in 0..side(0, h, top + bottom) {
                for j in 0..side(1, w, left + right) {
                    for k in 0..outputs {
                        let mut sum = 0.0;
                        for q in 0..per {
                            for u in 0..kernel[0] {
                                for v in 0..kernel[1] {
                                    let channel = k / (outputs / groups) * per + q;
                                    let (row, column) = (i * stride + u * dilation, j * stride + v * dilation);
                                    if (top..top + h).contains(&row) && (left..left + w).contains(&column) {
                                        let pixel = x[((n * h + row - top) * w + column - left) * c + channel];
                                        sum += weight[((k * per + q) * kernel[0] + u) * kernel[1] + v] * pixel;
                                    }
                                }
                            }
                        }
                        y.push(sum);
                    }
                }
            }
        }
        y
    }

    #[test]
    fn same_padding_gives_the_ceiling() {
        for (size, stride, kernel, expected) in
            [(128, 2, 3, [0, 1]), (9, 2, 5, [2, 2]), (8, 2, 5, [1, 2]), (7, 1, 3, [1, 1])]
        {
            let config = ConvConfig { stride, padding: Padding::Same, ..ConvConfig::new(1, 1, kernel) };
            let (_, layer) = layer(config);
            assert_eq!(layer.padding(0, size), expected);
            let y = layer.forward(&wave(&[1, size, size, 1], 0.3), Mode::Eval).unwrap();
            assert_eq!(y.dim(2).unwrap(), size.div_ceil(stride));
        }
    }

    #[test]
    fn convolution_refuses_channels_and_sizes() {
        let (_, layer) = layer(ConvConfig { padding: Padding::Each(0), ..ConvConfig::new(3, 4, 5) });
        for shape in [[1, 8, 8, 2], [1, 4, 8, 3]] {
            let error = layer.forward(&wave(&shape, 0.1), Mode::Eval).unwrap_err().to_string();
            assert!(error.contains("3 channels of at least 5 pixels"), "{error}");
        }
        let mut parameters = Parameters::new(Seed(1), &Device::Cpu);
        let config = ConvConfig { groups: 2, ..ConvConfig::new(3, 4, 5) };
        assert!(Convolution::new(config, &mut parameters.root()).is_err());
    }
}
