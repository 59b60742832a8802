//! Landscapes side by side: surfaces above, maps with contour lines below, one scale of colours for all.

use super::canvas::{Area, GRID, INK, TextSize, fail, render, text, width, write};
use super::contour;
use super::grid::{ends, short};
use super::ramp::Bands;
use crate::{Error, Result};
use plotters::coord::cartesian::Cartesian3d;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

pub use super::grid::Surface;

/// Pixels of a column, of the title, of a surface and of a map with its axes.
const COLUMN: u32 = 420;
const HEAD: u32 = 84;
const SOLID: u32 = 380;
const MAP: u32 = 390;

/// Pixels beside the columns for the scale of colours, at least.
const SCALE: u32 = 120;

/// Highest by lowest height from which the logarithm is drawn: two powers of ten leave a linear scale one band for
/// everything near the bottom.
const WIDE: f64 = 100.0;

/// Landscapes that share their axes and their scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscapes {
    /// The title.
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

/// Draws the surfaces; equal colours are equal heights in all of them.
///
/// # Errors
/// No surface, a grid that is inconsistent, or a character that the font lacks.
pub fn draw(landscapes: &Landscapes) -> Result<String> {
    let (surfaces, name) = prepare(landscapes)?;
    let bands = bands(&surfaces);
    let beside = SCALE.max(width(&name, TextSize::Small)? + 22);
    let least = 28 + width(&landscapes.title, TextSize::Title)?.max(width(&landscapes.note, TextSize::Small)?);
    let size = (least.max(COLUMN * surfaces.len() as u32 + beside), HEAD + SOLID + MAP);
    let mut maps = String::new();
    let svg = render(size, |area| {
        write(area, &landscapes.title, (14, 18), text(TextSize::Title, INK, HPos::Left))?;
        write(area, &landscapes.note, (14, 40), text(TextSize::Small, INK, HPos::Left))?;
        let (columns, side) = area.split_horizontally((COLUMN * surfaces.len() as u32) as i32);
        for (column, surface) in columns.split_evenly((1, surfaces.len())).iter().zip(&surfaces) {
            let middle = (COLUMN as i32 / 2, HEAD as i32 - 14);
            write(column, &surface.label, middle, text(TextSize::Normal, INK, HPos::Center))?;
            let (solid, map) = column.split_vertically((HEAD + SOLID) as i32);
            draw_solid(&solid.margin(HEAD as i32, 0, 0, 0), surface, &bands, landscapes)?;
            maps += &contour::draw(&map, surface, &bands, (&landscapes.x, &landscapes.y))?;
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
    landscapes.surfaces.iter().try_for_each(Surface::check)?;
    let (low, high) = range(&landscapes.surfaces);
    let mut surfaces = landscapes.surfaces.clone();
    if !(low > 0.0 && high / low > WIDE) {
        return Ok((surfaces, landscapes.height.clone()));
    }
    surfaces.iter_mut().flat_map(|surface| &mut surface.height).for_each(|height| *height = height.log10());
    Ok((surfaces, format!("log10 of {}", landscapes.height)))
}

fn range(surfaces: &[Surface]) -> (f64, f64) {
    let heights = surfaces.iter().flat_map(|surface| &surface.height);
    heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), height| (low.min(*height), high.max(*height)))
}

fn bands(surfaces: &[Surface]) -> Bands {
    let (low, high) = range(surfaces);
    Bands::over(low, high)
}

fn draw_solid(area: &Area<'_>, surface: &Surface, bands: &Bands, names: &Landscapes) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(6)
        .margin_bottom(34) // for ticks and names of the ground
        .build_cartesian_3d(ends(&surface.x), bands.low..bands.high(), ends(&surface.y))
        .map_err(fail)?;
    chart.with_projection(|mut view| {
        // Seen from a corner and from above, so that a valley shows its ground.
        (view.yaw, view.pitch, view.scale) = (0.7, 0.45, 0.86);
        view.into_matrix()
    });
    chart
        .configure_axes()
        .label_style(text(TextSize::Small, INK, HPos::Left))
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
    draw_cells(&mut chart, surface, bands)?;
    // Below the two edges of the ground that are nearest.
    let middle = |line: &[f64]| (line[0] + line[line.len() - 1]) / 2.0;
    let (x, y) = (&surface.x, &surface.y);
    let near = [(middle(x), bands.low, y[y.len() - 1]), (x[x.len() - 1], bands.low, middle(y))];
    for ((name, at), dx) in [&names.x, &names.y].into_iter().zip(near).zip([-52, 52]) {
        let (at, start) = (chart.plotting_area().map_coordinate(&at), area.get_base_pixel());
        let at = (at.0 - start.0 + dx, at.1 - start.1 + 34);
        write(area, name, at, text(TextSize::Small, INK, HPos::Center))?;
    }
    Ok(())
}

/// The room in which a surface stands.
type Room<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian3d<RangedCoordf64, RangedCoordf64, RangedCoordf64>>;

/// Draws the cells from the far end to the near one, so that nothing hidden shows through. (plotters' own series draws
/// them in the order of the grid.)
fn draw_cells(chart: &mut Room<'_, '_>, surface: &Surface, bands: &Bands) -> Result<()> {
    let room = chart.plotting_area().as_coord_spec();
    let depth = |cell: GridCell| (-room.projected_depth(&cell.centre.0, &bands.low, &cell.centre.1), cell);
    let mut cells: Vec<(i32, GridCell)> = cells_of(surface).map(depth).collect();
    cells.sort_by_key(|(nearness, _)| *nearness);
    for (_, cell) in cells {
        let colour = bands.colour(bands.of(cell.height));
        let edge = cell.corners.iter().chain(&cell.corners[..1]).copied().collect::<Vec<_>>();
        chart.draw_series([Polygon::new(cell.corners, colour.filled())]).map_err(fail)?;
        chart.draw_series([PathElement::new(edge, INK.mix(0.35))]).map_err(fail)?;
    }
    Ok(())
}

/// Four neighbouring grid points.
struct GridCell {
    corners: Vec<(f64, f64, f64)>,
    centre: (f64, f64),
    height: f64,
}

fn cells_of(surface: &Surface) -> impl Iterator<Item = GridCell> {
    let at = |i: usize, j: usize| (surface.x[i], surface.height[i * surface.y.len() + j], surface.y[j]);
    let pairs = (1..surface.x.len()).flat_map(|i| (1..surface.y.len()).map(move |j| (i, j)));
    pairs.map(move |(i, j)| {
        let corners = vec![at(i - 1, j - 1), at(i - 1, j), at(i, j), at(i, j - 1)];
        let mean = |part: fn(&(f64, f64, f64)) -> f64| corners.iter().map(part).sum::<f64>() / 4.0;
        GridCell { centre: (mean(|c| c.0), mean(|c| c.2)), height: mean(|c| c.1), corners }
    })
}

#[cfg(test)]
mod tests {
    use super::super::grid::tests::plane;
    use super::*;

    #[test]
    fn surface_cells_by_hand() {
        let cells: Vec<GridCell> = cells_of(&plane()).collect();
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
    }
}
