//! What goes from the regions of one picture to those of another, as lines over both.

use super::canvas::{INK, PALETTE, TextSize, fail, render, text, write};
use super::head::{EDGE, Head};
use super::picture::element;
use crate::{Error, Result};
use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Side of a picture, the space between two that belong together, between two pairs and between rows, in pixels.
const SIDE: i32 = 190;
const BETWEEN: i32 = 60;
const APART: i32 = 50;
const DOWN: i32 = 30;

/// Width of a line for a share of 1, and the least that is drawn, in pixels.
const WIDTH: f64 = 40.0;
const LEAST: f64 = 0.4;

/// Two pictures, and the shares that go from regions of the first to regions of the second.
#[derive(Debug, Clone)]
pub struct FlowPair {
    /// Both pictures.
    pub pictures: [RgbImage; 2],
    /// Rows and columns of regions of either, as many of both.
    pub grid: usize,
    /// From, to (counted row by row) and share, 0 to 1.
    pub moves: Vec<(usize, usize, f64)>,
    /// Below the pictures.
    pub caption: String,
}

/// Pairs in rows and columns.
#[derive(Debug, Clone)]
pub struct FlowFigure {
    /// The title.
    pub title: String,
    /// Smaller, below the title.
    pub note: String,
    /// Above the columns.
    pub heads: Vec<String>,
    /// From top to bottom, a pair a column.
    pub rows: Vec<Vec<FlowPair>>,
}

/// Draws the pairs; a line is as wide as its share is large, and those that end in one region have one colour.
///
/// # Errors
/// No row, a row of another number of pairs than there are heads, a region that is not there, or a text that would be cut.
pub fn draw(figure: &FlowFigure) -> Result<String> {
    if figure.rows.is_empty() || figure.rows.iter().any(|row| row.len() != figure.heads.len()) {
        let found = figure.rows.first().map_or(0, Vec::len);
        return Err(Error::value("pairs of a row", format!("{}, one a head", figure.heads.len()), found));
    }
    let step = 2 * SIDE + BETWEEN + APART;
    let width = (2 * EDGE + step * figure.heads.len() as i32 - APART).unsigned_abs();
    let head = Head::of(&figure.title, &figure.note, width)?;
    let top = head.height() + 24;
    let height = top + (SIDE + DOWN) * figure.rows.len() as i32;
    let places = |row: usize, column: usize| (EDGE + step * column as i32, top + (SIDE + DOWN) * row as i32);
    let mut pictures = String::new();
    let svg = render((width, height.unsigned_abs()), |area| {
        head.draw(area)?;
        for (column, name) in figure.heads.iter().enumerate() {
            let middle = places(0, column).0 + SIDE + BETWEEN / 2;
            write(area, name, (middle, top - 12), text(TextSize::Normal, INK, HPos::Center))?;
        }
        for (row, pairs) in figure.rows.iter().enumerate() {
            for (column, pair) in pairs.iter().enumerate() {
                let (x, y) = places(row, column);
                for (picture, at) in pair.pictures.iter().zip([x, x + SIDE + BETWEEN]) {
                    pictures += &element(picture, (at, y), SIDE)?;
                }
                for (line, style) in lines(pair, (x, y))? {
                    area.draw(&PathElement::new(line, style)).map_err(fail)?;
                }
                let below = (x + SIDE + BETWEEN / 2, y + SIDE + 12);
                write(area, &pair.caption, below, text(TextSize::Small, INK, HPos::Center))?;
            }
        }
        Ok(())
    })?;
    // Behind the lines: right after the ground, the first rectangle.
    let ground = svg.find("<rect").and_then(|at| Some(at + svg[at..].find("/>")? + 2));
    let ground = ground.ok_or_else(|| Error::Figure("a figure without a ground".into()))?;
    Ok(format!("{}\n{pictures}{}", &svg[..ground], &svg[ground..]))
}

/// Both ends of a line, and how it is drawn.
type FlowLine = (Vec<(i32, i32)>, ShapeStyle);

/// The lines of a pair, thin ones first.
fn lines(pair: &FlowPair, (x, y): (i32, i32)) -> Result<Vec<FlowLine>> {
    let count = pair.grid * pair.grid;
    if let Some((from, to, _)) = pair.moves.iter().find(|(from, to, _)| *from >= count || *to >= count) {
        return Err(Error::value("regions of a flow", format!("below {count}"), format!("{from} to {to}")));
    }
    let middle = |region: usize, left: i32| {
        let place = |at: usize| (f64::from(SIDE) * (at as f64 + 0.5) / pair.grid as f64).round() as i32;
        (left + place(region % pair.grid), y + place(region / pair.grid))
    };
    let mut moves = pair.moves.clone();
    moves.sort_by(|a, b| a.2.total_cmp(&b.2));
    let line = |(from, to, share): (usize, usize, f64)| {
        let style = PALETTE[to % (PALETTE.len() - 1)].mix(0.75).stroke_width((WIDTH * share).round().max(1.0) as u32);
        (vec![middle(from, x), middle(to, x + SIDE + BETWEEN)], style)
    };
    Ok(moves.into_iter().filter(|(_, _, share)| WIDTH * share >= LEAST).map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn pair(moves: Vec<(usize, usize, f64)>) -> FlowPair {
        let picture = |value| RgbImage::from_pixel(8, 8, Rgb([value; 3]));
        FlowPair { pictures: [picture(255), picture(120)], grid: 2, moves, caption: "share 0.9".into() }
    }

    fn figure(moves: Vec<(usize, usize, f64)>) -> FlowFigure {
        let rows = vec![vec![pair(moves)]];
        FlowFigure { title: "Toys".into(), note: "a note".into(), heads: vec!["whole".into()], rows }
    }

    #[test]
    fn pictures_are_behind_the_lines() {
        let svg = draw(&figure(vec![(0, 3, 0.5), (1, 1, 0.25), (2, 2, 0.001)])).unwrap();
        assert_eq!((svg.matches("<image").count(), svg.matches("<polyline").count()), (2, 2));
        assert!(svg.rfind("<image").unwrap() < svg.find("<polyline").unwrap());
        assert!(
            svg.contains("stroke-width=\"20\"") && svg.contains("stroke-width=\"10\"") && svg.contains("share 0.9")
        );
    }

    #[test]
    fn flows_refuse_regions_and_pairs_that_are_not_there() {
        assert!(draw(&figure(vec![(0, 4, 0.5)])).unwrap_err().to_string().contains("below 4"));
        let none = FlowFigure { rows: Vec::new(), ..figure(Vec::new()) };
        assert!(draw(&none).is_err());
    }
}
