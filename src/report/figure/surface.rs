//! Landscapes side by side: surfaces above, maps with contour lines below, one scale of colours for all.

use super::canvas::{Area, GRID, INK, Size, fail, render, text, write};
use super::ramp::Bands;
use crate::{Error, Result};
use base64::Engine;
use image::{Rgb, RgbImage, codecs::png::PngEncoder};
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Pixels of a column, of the title, of a surface and of a map with its axes.
const COLUMN: u32 = 420;
const HEAD: u32 = 84;
const SOLID: u32 = 340;
const MAP: u32 = 390;

/// Pixels beside the columns for the scale of colours.
const SCALE: u32 = 120;

/// Stored pixels of a map for each pixel shown: sharp on dense screens.
const DENSITY: u32 = 3;

/// Highest by lowest height from which the logarithm is drawn: two powers of ten leave a linear scale one band for
/// everything near the bottom.
const WIDE: f64 = 100.0;

/// Landscapes that share their axes and their scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscapes {
    /// Above all.
    pub title: String,
    /// Smaller, below the title.
    pub note: String,
    /// Name of the first axis.
    pub x: String,
    /// Name of the second axis.
    pub y: String,
    /// Name of the height; drawn as its logarithm, and called so, where the range is wide.
    pub height: String,
    /// From left to right.
    pub surfaces: Vec<Surface>,
}

/// Heights over a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Above its column.
    pub label: String,
    /// Rising, at least two.
    pub x: Vec<f64>,
    /// Rising, at least two.
    pub y: Vec<f64>,
    /// Row by row: the height at `(x[i], y[j])` is `height[i * y.len() + j]`.
    pub height: Vec<f64>,
}

/// Draws the surfaces; equal colours are equal heights in all of them.
///
/// # Errors
/// No surface, a grid that does not hold together, or a character that the font lacks.
pub fn draw(landscapes: &Landscapes) -> Result<String> {
    let (surfaces, name) = prepare(landscapes)?;
    let bands = bands(&surfaces);
    let size = (COLUMN * surfaces.len() as u32 + SCALE, HEAD + SOLID + MAP);
    let mut maps = String::new();
    let svg = render(size, |area| {
        write(area, &landscapes.title, (14, 18), text(Size::Title, INK, HPos::Left))?;
        write(area, &landscapes.note, (14, 40), text(Size::Small, INK, HPos::Left))?;
        let (columns, side) = area.split_horizontally((COLUMN * surfaces.len() as u32) as i32);
        for (column, surface) in columns.split_evenly((1, surfaces.len())).iter().zip(&surfaces) {
            let middle = (COLUMN as i32 / 2, HEAD as i32 - 14);
            write(column, &surface.label, middle, text(Size::Normal, INK, HPos::Center))?;
            let (solid, map) = column.split_vertically((HEAD + SOLID) as i32);
            draw_solid(&solid.margin(HEAD as i32, 0, 0, 0), surface, &bands, landscapes)?;
            maps += &draw_map(&map, surface, &bands, landscapes)?;
        }
        let bottom = (HEAD + SOLID + MAP) as i32 - 60;
        bands.draw(&side, &name, 8, (HEAD as i32 + 20, bottom))
    })?;
    Ok(svg.replacen("</svg>", &format!("{maps}</svg>"), 1))
}

/// The surfaces as drawn and the name of their height.
fn prepare(landscapes: &Landscapes) -> Result<(Vec<Surface>, String)> {
    if landscapes.surfaces.is_empty() {
        return Err(Error::value("landscapes", "at least one surface", "none"));
    }
    landscapes.surfaces.iter().try_for_each(check)?;
    let (low, high) = range(&landscapes.surfaces);
    let mut surfaces = landscapes.surfaces.clone();
    if !(low > 0.0 && high / low > WIDE) {
        return Ok((surfaces, landscapes.height.clone()));
    }
    surfaces.iter_mut().flat_map(|surface| &mut surface.height).for_each(|height| *height = height.log10());
    Ok((surfaces, format!("log10 of {}", landscapes.height)))
}

fn check(surface: &Surface) -> Result<()> {
    let rising = |line: &[f64]| line.len() > 1 && line.windows(2).all(|pair| pair[0] < pair[1]);
    let cells = surface.x.len() * surface.y.len();
    if !rising(&surface.x) || !rising(&surface.y) || surface.height.len() != cells {
        let found = format!("{} x {} steps, {} heights", surface.x.len(), surface.y.len(), surface.height.len());
        return Err(Error::value(&surface.label, "a height for each pair of rising steps, 2 or more a side", found));
    }
    match surface.height.iter().chain(&surface.x).chain(&surface.y).find(|value| !value.is_finite()) {
        Some(value) => Err(Error::value(&surface.label, "finite numbers", value)),
        None => Ok(()),
    }
}

fn range(surfaces: &[Surface]) -> (f64, f64) {
    let heights = surfaces.iter().flat_map(|surface| &surface.height);
    heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), height| (low.min(*height), high.max(*height)))
}

fn bands(surfaces: &[Surface]) -> Bands {
    let (low, high) = range(surfaces);
    Bands::over(low, high)
}

fn ends(line: &[f64]) -> std::ops::Range<f64> {
    line[0]..line[line.len() - 1]
}

fn draw_solid(area: &Area<'_>, surface: &Surface, bands: &Bands, names: &Landscapes) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .build_cartesian_3d(ends(&surface.x), bands.low..bands.high(), ends(&surface.y))
        .map_err(fail)?;
    chart.with_projection(|mut view| {
        // Seen from a corner and from above, so that a valley shows its ground.
        (view.yaw, view.pitch, view.scale) = (0.7, 0.45, 0.86);
        view.into_matrix()
    });
    chart
        .configure_axes()
        .label_style(text(Size::Small, INK, HPos::Left))
        .axis_panel_style(TRANSPARENT)
        .bold_grid_style(GRID)
        .light_grid_style(TRANSPARENT)
        .tick_size(4)
        .x_labels(4)
        .y_labels(5)
        .z_labels(4)
        .x_formatter(&|value| short(*value))
        .y_formatter(&|value| short(*value))
        .z_formatter(&|value| short(*value))
        .draw()
        .map_err(fail)?;
    // plotters draws a surface in the order of its grid; from the far end to the near one nothing hidden shows through.
    let mut cells: Vec<(i32, Cell)> = Vec::new();
    for cell in cells_of(surface) {
        let depth = chart.plotting_area().as_coord_spec().projected_depth(&cell.centre.0, &bands.low, &cell.centre.1);
        cells.push((depth, cell));
    }
    cells.sort_by_key(|(depth, _)| -depth);
    for (_, cell) in cells {
        let colour = bands.colour(bands.of(cell.height));
        let edge = cell.corners.iter().chain(&cell.corners[..1]).copied().collect::<Vec<_>>();
        chart.draw_series([Polygon::new(cell.corners, colour.filled())]).map_err(fail)?;
        chart.draw_series([PathElement::new(edge, INK.mix(0.35))]).map_err(fail)?;
    }
    let low = bands.low;
    let (x, y) = (ends(&surface.x), ends(&surface.y));
    let middle = |line: &std::ops::Range<f64>| (line.start + line.end) / 2.0;
    for (name, at, (dx, dy)) in
        [(&names.x, (middle(&x), low, y.start), (-46, 34)), (&names.y, (x.end, low, middle(&y)), (46, 34))]
    {
        let at = chart.plotting_area().map_coordinate(&at);
        let start = area.get_base_pixel();
        let at = (at.0 - start.0 + dx, at.1 - start.1 + dy);
        write(area, name, at, text(Size::Small, INK, HPos::Center))?;
    }
    Ok(())
}

/// Four neighbouring grid points.
struct Cell {
    corners: Vec<(f64, f64, f64)>,
    centre: (f64, f64),
    height: f64,
}

fn cells_of(surface: &Surface) -> impl Iterator<Item = Cell> {
    let at = |i: usize, j: usize| (surface.x[i], surface.height[i * surface.y.len() + j], surface.y[j]);
    let pairs = (1..surface.x.len()).flat_map(|i| (1..surface.y.len()).map(move |j| (i, j)));
    pairs.map(move |(i, j)| {
        let corners = vec![at(i - 1, j - 1), at(i - 1, j), at(i, j), at(i, j - 1)];
        let mean = |part: fn(&(f64, f64, f64)) -> f64| corners.iter().map(part).sum::<f64>() / 4.0;
        Cell { centre: (mean(|c| c.0), mean(|c| c.2)), height: mean(|c| c.1), corners }
    })
}

/// At most three digits after the point, without idle zeros.
fn short(value: f64) -> String {
    let digits = format!("{value:.3}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if digits == "-0" { "0".into() } else { digits.into() }
}

/// Draws the axes of a map; its picture comes back as an element.
fn draw_map(area: &Area<'_>, surface: &Surface, bands: &Bands, names: &Landscapes) -> Result<String> {
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
        .label_style(text(Size::Small, INK, HPos::Left))
        .axis_desc_style(text(Size::Normal, INK, HPos::Left))
        .x_desc(&names.x)
        .y_desc(&names.y)
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
    use super::*;

    /// Heights x + 10 y.
    fn plane() -> Surface {
        let line = vec![0.0, 1.0, 3.0];
        let height = line.iter().flat_map(|x| line.iter().map(move |y| x + 10.0 * y)).collect();
        Surface { label: "plane".into(), x: line.clone(), y: line, height }
    }

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

    #[test]
    fn cells_by_hand() {
        let cells: Vec<Cell> = cells_of(&plane()).collect();
        assert_eq!(cells.len(), 4);
        assert_eq!((cells[0].centre, cells[0].height), ((0.5, 0.5), 5.5));
        assert_eq!(cells[3].corners, [(1.0, 11.0, 1.0), (1.0, 31.0, 3.0), (3.0, 33.0, 3.0), (3.0, 13.0, 1.0)]);
    }

    #[test]
    fn a_wide_range_is_drawn_as_its_logarithm() {
        let of = |height: Vec<f64>| Landscapes {
            title: String::new(),
            note: String::new(),
            x: String::new(),
            y: String::new(),
            height: "loss".into(),
            surfaces: vec![Surface { x: vec![0.0, 1.0], y: vec![0.0, 1.0], height, label: "one".into() }],
        };
        let (surfaces, name) = prepare(&of(vec![0.01, 0.1, 1.0, 10.0])).unwrap();
        assert_eq!((name.as_str(), surfaces[0].height[3]), ("log10 of loss", 1.0));
        for linear in [vec![1.0, 2.0, 3.0, 99.0], vec![0.0, 1.0, 2.0, 1000.0]] {
            assert_eq!(prepare(&of(linear.clone())).unwrap(), (of(linear).surfaces, "loss".into()));
        }
        assert!(prepare(&of(vec![1.0])).unwrap_err().to_string().contains("1 heights"));
        assert!(prepare(&of(vec![1.0, f64::NAN, 1.0, 1.0])).is_err());
        assert_eq!((short(-0.0001), short(0.25), short(-3.0)), ("0".into(), "0.25".into(), "-3".into()));
    }
}
