//! Initial values, drawn from our own streams: candle's CPU generator cannot be seeded.

use crate::seed::Stream;
use rand::RngExt;
use rand_distr::StandardNormal;

/// How a tensor starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Normal of mean 0 and standard deviation `sqrt(2 / fan)`, which keeps the scale of a signal through a rectifier
    /// (He et al., Delving Deep into Rectifiers, ICCV 2015, Eq. 10 and 14).
    KaimingNormal(Fan),
    /// Normal of mean 0 and the given standard deviation; draws beyond two deviations are drawn again.
    TruncatedNormal {
        /// Standard deviation before the cut.
        deviation: f32,
    },
    /// Normal of mean 0.
    Normal {
        /// Standard deviation.
        deviation: f32,
    },
    /// 1 where row and column are the same, else 0.
    Identity,
    /// Uniform between `-bound` and `bound`.
    Uniform {
        /// The largest magnitude.
        bound: f32,
    },
}

/// Which signal keeps its scale through a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// The forward signal: inputs that reach one output.
    In,
    /// The gradient: outputs that one input channel reaches, which are those of its group.
    Out {
        /// Groups of the layer.
        groups: usize,
    },
}

impl Init {
    /// Draws the values of a tensor, in row-major order.
    pub(crate) fn draw(self, shape: &[usize], stream: &mut Stream) -> Vec<f32> {
        let count = shape.iter().product();
        match self {
            Self::Zeros => vec![0.0; count],
            Self::Ones => vec![1.0; count],
            Self::KaimingNormal(fan) => {
                let deviation = (2.0 / fan.of(shape) as f32).sqrt();
                Self::Normal { deviation }.draw(shape, stream)
            }
            Self::Normal { deviation } => {
                (0..count).map(|_| deviation * stream.sample::<f32, _>(StandardNormal)).collect()
            }
            Self::Identity => {
                let columns = shape.last().copied().unwrap_or(1).max(1);
                (0..count).map(|i| f32::from(u8::from(i / columns == i % columns))).collect()
            }
            Self::TruncatedNormal { deviation } => (0..count).map(|_| deviation * draw_truncated(stream)).collect(),
            Self::Uniform { bound } => (0..count).map(|_| bound * (2.0 * stream.random::<f32>() - 1.0)).collect(),
        }
    }
}

impl Fan {
    /// The fan of a weight `(outputs, inputs / groups, taps...)`; 1 for an empty one.
    fn of(self, shape: &[usize]) -> usize {
        let taps: usize = shape.iter().skip(2).product();
        let side = match self {
            Self::In => shape.get(1).copied().unwrap_or(1),
            Self::Out { groups } => shape.first().copied().unwrap_or(1) / groups.max(1),
        };
        (side * taps).max(1)
    }
}

fn draw_truncated(stream: &mut Stream) -> f32 {
    loop {
        let value: f32 = stream.sample(StandardNormal);
        if value.abs() <= 2.0 {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn moments(init: Init) -> (f32, f32, f32) {
        let values = init.draw(&[64, 32, 3, 3], &mut Seed(3).stream("init"));
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32;
        (mean, variance, values.iter().fold(0.0, |a: f32, v| a.max(v.abs())))
    }

    #[test]
    fn variances_follow_the_formulas() {
        let (mean, variance, _) = moments(Init::KaimingNormal(Fan::In));
        assert!(mean.abs() < 2e-3 && (variance * 288.0 / 2.0 - 1.0).abs() < 0.03, "{mean} {variance}");
        let (_, variance, _) = moments(Init::KaimingNormal(Fan::Out { groups: 1 }));
        assert!((variance * 576.0 / 2.0 - 1.0).abs() < 0.03, "{variance}");
        let (_, variance, _) = moments(Init::KaimingNormal(Fan::Out { groups: 64 }));
        assert!((variance * 9.0 / 2.0 - 1.0).abs() < 0.03, "{variance}");
        // A normal cut at two deviations keeps 0.7737 of its variance.
        let (_, variance, largest) = moments(Init::TruncatedNormal { deviation: 0.5 });
        assert!((variance / 0.25 - 0.7737).abs() < 0.02 && largest <= 1.0, "{variance} {largest}");
        let (_, variance, largest) = moments(Init::Uniform { bound: 0.3 });
        assert!((variance / 0.03 - 1.0).abs() < 0.03 && largest <= 0.3, "{variance} {largest}");
    }

    #[test]
    fn init_of_an_empty_shape_is_empty() {
        assert!(Init::KaimingNormal(Fan::In).draw(&[0, 3, 3, 3], &mut Seed(0).stream("init")).is_empty());
    }
}
