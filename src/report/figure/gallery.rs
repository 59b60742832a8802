//! A retrieval gallery: sketches, and the photos ranked first for them.

use super::canvas::{Area, GRID, INK, PALETTE, TextSize, fail, render, text, width, write};
use super::picture::element;
use crate::{Error, Result};
use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

/// Side of a picture as shown.
const SIDE: i32 = 96;

/// Pixels from one picture to the next, and from one row to the next.
const STEP: i32 = SIDE + 16;
const ROW: i32 = SIDE + 56;

/// Where the pictures of the first row start.
const HEAD: i32 = 74;
const LEFT: i32 = 16;

/// Extra space between the sketch and the first photo.
const GAP: i32 = 20;

/// A gallery.
#[derive(Debug, Clone)]
pub struct GalleryFigure {
    /// The title.
    pub title: String,
    /// The meaning of the numbers below the photos, e.g. `Euclidean distance of the features`.
    pub distance: String,
    /// From top to bottom.
    pub queries: Vec<GalleryQuery>,
}

/// A sketch and what was found for it.
#[derive(Debug, Clone)]
pub struct GalleryQuery {
    /// Above the row, e.g. the name of the model; the rank of the own photo is added.
    pub label: String,
    /// The sketch.
    pub sketch: RgbImage,
    /// Photos, nearest first, each with its distance; last the own photo, where it is further away than these.
    pub photos: Vec<(RgbImage, f32)>,
    /// Position of the own photo in `photos`, where it is among them.
    pub own: Option<usize>,
    /// Whether the own photo stands last since it is further away than the others.
    pub is_appended: bool,
    /// Rank of the own photo, 1 = best.
    pub rank: u32,
}

/// Draws a gallery; the own photo is framed.
///
/// # Errors
/// No query, an empty picture, an own position outside the photos, or a character that the font lacks.
pub fn draw(gallery: &GalleryFigure) -> Result<String> {
    let longest = gallery.queries.iter().map(|query| query.photos.len()).max();
    let longest = longest.ok_or_else(|| Error::value("gallery", "at least one query", "none"))? as i32;
    let note = format!("Framed: the photo that the sketch shows. Below each photo: {}.", gallery.distance);
    let least = 2 * LEFT + width(&gallery.title, TextSize::Title)?.max(width(&note, TextSize::Small)?) as i32;
    let size = (LEFT + STEP + 2 * GAP + STEP * longest, HEAD + ROW * gallery.queries.len() as i32 + 18);
    let size = (u32::try_from(size.0.max(least)).unwrap_or(0), u32::try_from(size.1).unwrap_or(0));
    let mut pictures = String::new();
    let svg = render(size, |area| {
        write(area, &gallery.title, (LEFT, 18), text(TextSize::Title, INK, HPos::Left))?;
        for (i, query) in gallery.queries.iter().enumerate() {
            pictures += &draw_query(area, query, HEAD + ROW * i as i32)?;
        }
        let y = HEAD + ROW * gallery.queries.len() as i32;
        write(area, &note, (LEFT, y - 10), text(TextSize::Small, INK, HPos::Left))
    })?;
    Ok(svg.replacen("</svg>", &format!("{pictures}</svg>"), 1))
}

/// Draws everything of a row but its pictures, which come back as elements.
fn draw_query(area: &Area<'_>, query: &GalleryQuery, y: i32) -> Result<String> {
    if query.own.is_some_and(|own| own >= query.photos.len()) {
        let found = format!("{:?}", query.own);
        return Err(Error::value("own photo", format!("a position below {}", query.photos.len()), found));
    }
    let small = |anchor| text(TextSize::Small, INK, anchor);
    let label = format!("{}: own photo at rank {}", query.label, query.rank);
    write(area, &label, (LEFT, y - 16), text(TextSize::Normal, INK, HPos::Left))?;
    area.draw(&Rectangle::new([(LEFT - 1, y - 1), (LEFT + SIDE + 1, y + SIDE + 1)], GRID)).map_err(fail)?;
    let mut pictures = element(&query.sketch, (LEFT, y), SIDE)?;
    for (i, (photo, distance)) in query.photos.iter().enumerate() {
        let is_far = query.is_appended && query.own == Some(i);
        let x = LEFT + STEP + GAP + STEP * i as i32 + if is_far { GAP } else { 0 };
        if query.own == Some(i) {
            // A closed line: the SVG backend draws every rectangle one pixel wide.
            let (low, high) = (-4, SIDE + 4);
            let corners = [(low, low), (high, low), (high, high), (low, high), (low, low), (high, low)];
            let frame = corners.map(|(dx, dy)| (x + dx, y + dy)).to_vec();
            area.draw(&PathElement::new(frame, PALETTE[1].stroke_width(3))).map_err(fail)?;
        }
        let rank = if is_far { query.rank as usize } else { i + 1 };
        write(area, &format!("#{rank}: {distance:.3}"), (x + SIDE / 2, y + SIDE + 13), small(HPos::Center))?;
        pictures += &element(photo, (x, y), SIDE)?;
    }
    Ok(pictures)
}
