//! The map of a landscape: bands of colour with contour lines between them.

use super::canvas::{Area, INK, TextSize, fail, text};
use super::grid::{Surface, ends, short};
use super::ramp::Bands;
use crate::Result;
use base64::Engine;
use image::{Rgb, RgbImage, codecs::png::PngEncoder};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Stored pixels of a map for each pixel shown: sharp on dense screens.
const DENSITY: u32 = 3;

/// Draws the axes of a map; its picture comes back as an element.
pub(super) fn draw(area: &Area<'_>, surface: &Surface, bands: &Bands, (x, y): (&str, &str)) -> Result<String> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(14)
        .margin_bottom(8)
        .margin_left(10)
        .margin_right(36)
        .x_label_area_size(46)
        .y_label_area_size(56)
        .build_cartesian_2d(ends(&surface.x), ends(&surface.y))
        .map_err(fail)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .axis_style(INK)
        .label_style(text(TextSize::Small, INK, HPos::Left))
        .axis_desc_style(text(TextSize::Normal, INK, HPos::Left))
        .x_desc(x)
        .y_desc(y)
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .draw()
        .map_err(fail)?;
    let (across, down) = chart.plotting_area().get_pixel_range();
    let (w, h) = (across.len() as u32, down.len() as u32);
    let source = encode(&picture(surface, bands, w * DENSITY, h * DENSITY))?;
    let (x, y) = (across.start, down.start);
    Ok(format!("<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" href=\"{source}\"/>\n"))
}

/// The bands of a surface, linear between grid points, with a line where one ends.
fn picture(surface: &Surface, bands: &Bands, w: u32, h: u32) -> RgbImage {
    let share = |i: u32, count: u32, line: &[f64]| {
        let ends = ends(line);
        ends.start + (ends.end - ends.start) * (f64::from(i) + 0.5) / f64::from(count)
    };
    let columns: Vec<_> = (0..w).map(|i| place(&surface.x, share(i, w, &surface.x))).collect();
    let rows: Vec<_> = (0..h).map(|j| place(&surface.y, share(h - 1 - j, h, &surface.y))).collect();
    let band = |i: u32, j: u32| {
        let ((a, s), (b, t)) = (columns[i.min(w - 1) as usize], rows[j.min(h - 1) as usize]);
        let at = |a: usize, b: usize| surface.height[a * surface.y.len() + b];
        let low = at(a, b) + (at(a + 1, b) - at(a, b)) * s;
        let high = at(a, b + 1) + (at(a + 1, b + 1) - at(a, b + 1)) * s;
        bands.of(low + (high - low) * t)
    };
    let all: Vec<usize> = (0..h).flat_map(|j| (0..w).map(move |i| (i, j))).map(|(i, j)| band(i, j)).collect();
    let cached = |i: u32, j: u32| all[(j.min(h - 1) * w + i.min(w - 1)) as usize];
    RgbImage::from_fn(w, h, |i, j| {
        let own = cached(i, j);
        // Two stored pixels: a little less than one as shown.
        let ends = cached(i + 2, j) != own || cached(i, j + 2) != own;
        let RGBColor(red, green, blue) = bands.colour(own);
        if ends { Rgb([INK.0, INK.1, INK.2]) } else { Rgb([red, green, blue]) }
    })
}

/// The grid line below a value and how far it is to the next, 0 to 1.
fn place(line: &[f64], value: f64) -> (usize, f64) {
    let above = line.partition_point(|step| *step <= value).clamp(1, line.len() - 1);
    (above - 1, (value - line[above - 1]) / (line[above] - line[above - 1]))
}

fn encode(picture: &RgbImage) -> Result<String> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut bytes)).map_err(fail)?;
    Ok(format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::super::grid::tests::plane;
    use super::*;

    #[test]
    fn the_map_is_linear_between_grid_points() {
        assert_eq!(place(&[0.0, 1.0, 3.0], 2.0), (1, 0.5));
        assert_eq!((place(&[0.0, 1.0, 3.0], 0.0), place(&[0.0, 1.0, 3.0], 3.0)), ((0, 0.0), (1, 1.0)));
        let bands = Bands { low: 0.0, step: 1.0, count: 33 };
        let colour = |band| {
            let RGBColor(red, green, blue) = bands.colour(band);
            Rgb([red, green, blue])
        };
        let found = picture(&plane(), &bands, 3, 3);
        // Centre of a lower-left pixel: x = y = 0.5, height 5.5. Lines end bands everywhere else.
        assert_eq!(*found.get_pixel(0, 2), Rgb([INK.0, INK.1, INK.2]));
        assert_eq!(*found.get_pixel(2, 2), colour(7)); // x = 2.5, y = 0.5: 7.5; the corner has no neighbour
    }
}
