//! Colours that stand for numbers, and the scale that says which.

use super::canvas::{Area, INK, TextSize, fail, text, write};
use crate::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Five points of viridis (van der Walt and Smith, matplotlib 2015): its lightness rises evenly, so it reads in grey and
/// with every common kind of colour vision.
const VIRIDIS: [RGBColor; 5] =
    [RGBColor(68, 1, 84), RGBColor(59, 82, 139), RGBColor(33, 145, 140), RGBColor(94, 201, 98), RGBColor(253, 231, 37)];

/// From the second colour of the palette over nearly white to the first, for tables whose numbers are read in the cells.
const DIVERGING: [RGBColor; 3] = [RGBColor(213, 94, 0), RGBColor(245, 245, 245), RGBColor(0, 114, 178)];

/// The colour of a place on the dark-to-light ramp, 0 to 1.
pub(super) fn viridis(share: f64) -> RGBColor {
    between(&VIRIDIS, share)
}

/// The colour of a loss (-1) over nothing (0) to a gain (1).
pub(super) fn diverging(share: f64) -> RGBColor {
    between(&DIVERGING, (share + 1.0) / 2.0)
}

/// Ink or white, whichever is read more easily on a ground.
pub(super) fn legible(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    // Weights of ITU-R BT.601; the middle of what is left between ink and white.
    let lightness = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
    if lightness > 140.0 { INK } else { WHITE }
}

fn between(colours: &[RGBColor], share: f64) -> RGBColor {
    let place = share.clamp(0.0, 1.0) * (colours.len() - 1) as f64;
    let (low, high) = (colours[place.floor() as usize], colours[place.ceil() as usize]);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * place.fract()).round() as u8;
    RGBColor(mix(low.0, high.0), mix(low.1, high.1), mix(low.2, high.2))
}

/// Equal bands of height with round edges.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bands {
    /// The lowest edge, a multiple of `step`.
    pub low: f64,
    /// From one edge to the next: 1, 2 or 5 times a power of ten.
    pub step: f64,
    /// How many bands.
    pub count: usize,
}

impl Bands {
    /// Eight to twenty bands that cover a range.
    pub fn over(low: f64, high: f64) -> Self {
        // A range of nothing still gets one colour.
        let span = if high > low { high - low } else { low.abs().max(1.0) * 0.1 };
        // The largest step that leaves eight bands.
        let power = 10_f64.powf((span / 8.0).log10().floor());
        let step = [5.0, 2.0, 1.0].map(|round| round * power).into_iter().find(|step| step * 8.0 <= span);
        let step = step.unwrap_or(power);
        let first = (low / step).floor();
        let count = ((low + span) / step).ceil() - first;
        Self { low: first * step, step, count: (count as usize).max(1) }
    }

    /// The band of a height, 0 = lowest.
    pub fn of(&self, height: f64) -> usize {
        (((height - self.low) / self.step).max(0.0) as usize).min(self.count - 1)
    }

    /// The colour of a band.
    pub fn colour(&self, band: usize) -> RGBColor {
        viridis((band as f64 + 0.5) / self.count as f64)
    }

    /// The highest edge.
    pub fn high(&self) -> f64 {
        self.low + self.step * self.count as f64
    }

    /// An edge, with the digits that tell it from the next.
    pub fn edge(&self, i: usize) -> String {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        let value = self.low + self.step * i as f64;
        // Rounding must not leave a minus before zero.
        format!("{:.decimals$}", if value.abs() < self.step / 2.0 { 0.0 } else { value })
    }

    /// Draws the scale: a column of colours from `top` to `bottom`, an edge's number beside it, its name above.
    pub fn draw(&self, area: &Area<'_>, name: &str, x: i32, (top, bottom): (i32, i32)) -> Result<()> {
        let y = |edge: usize| bottom - (bottom - top) * edge as i32 / self.count as i32;
        write(area, name, (x, top - 18), text(TextSize::Small, INK, HPos::Left))?;
        for band in 0..self.count {
            let corners = [(x, y(band + 1)), (x + SCALE, y(band))];
            area.draw(&Rectangle::new(corners, self.colour(band).filled())).map_err(fail)?;
        }
        // Numbers need the height of a line.
        let every = (1..).find(|every| (bottom - top) * every / self.count as i32 >= 17).unwrap_or(1) as usize;
        for edge in (0..=self.count).step_by(every) {
            area.draw(&PathElement::new(vec![(x + SCALE, y(edge)), (x + SCALE + 4, y(edge))], INK)).map_err(fail)?;
            write(area, &self.edge(edge), (x + SCALE + 8, y(edge)), text(TextSize::Small, INK, HPos::Left))?;
        }
        Ok(())
    }
}

/// Width of a scale's column, in pixels.
const SCALE: i32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_of_a_ramp() {
        assert_eq!((viridis(0.0), viridis(0.5), viridis(1.0)), (VIRIDIS[0], VIRIDIS[2], VIRIDIS[4]));
        assert_eq!((viridis(-3.0), diverging(9.0)), (VIRIDIS[0], DIVERGING[2]));
        assert_eq!((legible(viridis(0.0)), legible(viridis(1.0)), legible(diverging(0.0))), (WHITE, INK, INK));
    }

    #[test]
    fn edges_are_round_and_cover_the_range() {
        let bands = Bands::over(0.13, 4.9);
        assert_eq!((bands.low, bands.step, bands.count), (0.0, 0.5, 10));
        assert_eq!((bands.edge(0), bands.edge(10)), ("0.0".into(), "5.0".into()));
        assert_eq!((bands.of(0.13), bands.of(0.5), bands.of(4.9), bands.of(99.0), bands.of(-9.0)), (0, 1, 9, 9, 0));
        for (low, high) in [(-3.2, 1.7), (0.001, 0.0013), (5.0, 5.0), (0.0, 0.0), (-2.0, 1e6), (1.0, 9.0)] {
            let bands = Bands::over(low, high);
            assert!((1..=21).contains(&bands.count), "{bands:?}");
            assert!(bands.low <= low + 1e-9 && bands.high() >= high - 1e-9 * high.abs(), "{bands:?}");
        }
        assert_eq!(Bands::over(-0.5, 0.5).edge(5), "0.0");
    }
}
