//! Colours changed at random, so that features depend on shape.

use crate::seed::Stream;
use crate::{Error, Result};
use candle_core::Tensor;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// How much of red, green and blue the eye sees as light (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// How strongly colours are changed.
///
/// A sketch has no colour, so features that depend on colour do not fit it; grey photos and photos in other light remove
/// that dependence. Both are usual in pre-training (Chen et al., SimCLR, ICML 2020, App. A).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColourConfig {
    /// How probable a photo in greys is.
    pub grey: f64,
    /// Largest change of contrast and saturation, as a share; brightness changes by half of it.
    pub strength: f32,
}

impl Default for ColourConfig {
    fn default() -> Self {
        Self {
            grey: 0.5,     // as many photos without colour, as sketches are, as with it
            strength: 0.4, // the usual strength of photographs' jitter
        }
    }
}

/// A change of all colours of one photo.
///
/// ```text
/// y = contrast (saturation x + (1 - saturation) luma(x) - 1/2) + 1/2 + brightness, cut to 0..1
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colour {
    contrast: f32,
    saturation: f32,
    brightness: f32,
}

impl ColourConfig {
    pub(super) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.grey) {
            return Err(Error::value("colour.grey", "a probability", self.grey));
        }
        if !(0.0..=1.0).contains(&self.strength) {
            return Err(Error::value("colour.strength", "0 to 1", self.strength));
        }
        Ok(())
    }

    /// Draws a change; always four draws, whatever the configuration.
    pub(super) fn sample(&self, stream: &mut Stream) -> Colour {
        let grey = stream.random::<f64>() < self.grey;
        let mut within = |most: f32| most * (2.0 * stream.random::<f32>() - 1.0);
        let (contrast, saturation) = (1.0 + within(self.strength), 1.0 + within(self.strength));
        Colour { contrast, saturation: if grey { 0.0 } else { saturation }, brightness: within(self.strength / 2.0) }
    }
}

impl Colour {
    pub(super) fn is_grey(self) -> bool {
        self.saturation == 0.0
    }

    /// Row-major 3 x 3 on (red, green, blue).
    fn matrix(self) -> [f32; 9] {
        std::array::from_fn(|i| {
            let own = f32::from(u8::from(i / 3 == i % 3));
            self.contrast * (self.saturation * own + (1.0 - self.saturation) * LUMA[i % 3])
        })
    }
}

/// Changes the colours of a batch, each photo by its own.
///
/// # Shapes
/// `(b, 3, h, w)` in `0..=1` in and out.
pub(super) fn apply(pictures: &Tensor, colours: &[Colour]) -> Result<Tensor> {
    let (b, _, h, w) = pictures.dims4()?;
    let matrices: Vec<f32> = colours.iter().flat_map(|colour| colour.matrix()).collect();
    let shifts: Vec<f32> = colours.iter().map(|c| 0.5 - 0.5 * c.contrast + c.brightness).collect();
    let matrices = Tensor::from_vec(matrices, (b, 3, 3), pictures.device())?;
    let shifts = Tensor::from_vec(shifts, (b, 1, 1), pictures.device())?;
    let changed = matrices.matmul(&pictures.reshape((b, 3, h * w))?)?.broadcast_add(&shifts)?;
    Ok(changed.clamp(0.0_f32, 1.0_f32)?.reshape((b, 3, h, w))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use candle_core::Device;

    fn changed(colour: Colour) -> Vec<f32> {
        let pixel = Tensor::new(&[0.2_f32, 0.4, 0.9], &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap();
        apply(&pixel, &[colour]).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    fn close(found: &[f32], expected: [f32; 3]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} for {expected:?}");
    }

    #[test]
    fn colour_by_hand() {
        let plain = Colour { contrast: 1.0, saturation: 1.0, brightness: 0.0 };
        close(&changed(plain), [0.2, 0.4, 0.9]);
        let luma = 0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.9;
        close(&changed(Colour { saturation: 0.0, ..plain }), [luma; 3]);
        close(&changed(Colour { contrast: 0.5, brightness: 0.1, ..plain }), [0.45, 0.55, 0.8]);
        close(&changed(Colour { brightness: 0.3, ..plain }), [0.5, 0.7, 1.0]);
    }

    #[test]
    fn colour_config_fields_all_have_an_effect() {
        let sample = |config: ColourConfig| config.sample(&mut Seed(4).stream("test"));
        let none = ColourConfig { grey: 0.0, strength: 0.0 };
        assert_eq!(sample(none), Colour { contrast: 1.0, saturation: 1.0, brightness: 0.0 });
        assert!(sample(ColourConfig { grey: 1.0, ..none }).is_grey() && !sample(none).is_grey());
        assert_ne!(sample(ColourConfig { strength: 0.4, ..none }).contrast, 1.0);
        assert!(ColourConfig { grey: f64::NAN, ..none }.check().is_err());
        assert!(ColourConfig { strength: -0.1, ..none }.check().unwrap_err().to_string().contains("colour.strength"));
    }
}
