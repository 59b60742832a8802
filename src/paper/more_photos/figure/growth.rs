//! Fig. 3: sketches while they grow, and where the generator looks.

use super::super::analysis::STAGES;
use super::drawing::{self, picture};
use crate::dataset::{self, is_embedded};
use crate::report::analysis::Folder;
use crate::report::figure::picture::heated;
use crate::report::figure::picture_grid::{self, PictureCell, PictureGrid, PictureRow};
use crate::report::records::Records;
use crate::sketch::Sketch;
use crate::sketch::partial::first_points;
use crate::{Error, Result};
use image::RgbImage;
use std::collections::BTreeMap;

/// The row whose sketches grow.
const SHOWN: &str = "ours-g";

/// Of the handful that was kept every second is shown: three photos.
const EVERY: usize = 2;

/// Shares of the places by test sketch and point.
type Looks = BTreeMap<[usize; 2], Vec<f64>>;

/// A sketch in the place of a person's, and what it is of.
struct Grown<'a> {
    query: usize,
    sketch: &'a Sketch,
    photo: RgbImage,
    person: Sketch,
}

/// Some sketches in stages; none before the row was analysed, and none of a corpus whose pictures are not shown.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn draw(records: &Records) -> Result<Option<String>> {
    let analysed = records.first_analysed(SHOWN, "drawing").filter(|folder| folder.has("attention"));
    let Some(folder) = analysed.filter(|_| is_embedded(records.dataset)) else { return Ok(None) };
    let (source, looks) = (dataset::open(records.dataset, None)?, looks(&folder)?);
    let (sketches, mut rows) = (drawing::sketches(&folder)?, Vec::new());
    for [query, photo] in drawing::handful(&folder)?.into_iter().step_by(EVERY) {
        let sketch = drawing::of(&sketches, query, &folder)?;
        let (photo, person) = (source.photo(photo)?, source.drawing(query)?.vector()?);
        rows.extend(stages(&Grown { query, sketch, photo, person }, &looks, &folder)?);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let grid = PictureGrid {
        title: format!("Fig. 3: sketches grow, {}", records.dataset),
        note: "Test photos, a person's sketch of each, and what the generator draws of the photo, after 20, 40, 60, 80 and \
               100% of its points. Heat: where it looked before the last of these points, over the 4 x 4 places of its map; \
               below: the share of the place with most of it, whose colour is the same in all. Ours-G, the first seed."
            .into(),
        heads: vec![
            (String::new(), 1),
            ("drawn so far; below, where it looked for the last point".into(), STAGES.len()),
        ],
        rows,
        beside: None,
    };
    picture_grid::draw(&grid).map(Some)
}

fn looks(folder: &Folder) -> Result<Looks> {
    let mut found = Looks::new();
    for [query, step, share] in folder.lines("attention", ["query", "step", "share"])? {
        found.entry([query as usize, step as usize]).or_default().push(share);
    }
    Ok(found)
}

/// The sketch after every stage, and below each the heat over the photo.
fn stages(grown: &Grown, looks: &Looks, folder: &Folder) -> Result<[PictureRow; 2]> {
    let captioned = |picture: RgbImage, caption: String| PictureCell { picture, caption, framed: false };
    let mut drawn = vec![captioned(grown.photo.clone(), "photo".into())];
    let mut looked = vec![captioned(picture(&grown.person), "a person's".into())];
    for percent in STAGES {
        let part = first_points(grown.sketch, f64::from(percent))?;
        let count = part.points();
        drawn.push(captioned(picture(&part), format!("{count} of {}", grown.sketch.points())));
        let at = [grown.query, count.saturating_sub(1)];
        let missing =
            || Error::data(folder.0.join("attention.csv"), format!("shares of query and step {at:?}"), "none");
        let shares = looks.get(&at).ok_or_else(missing)?;
        let (heat, columns, largest) = heat(shares);
        looked.push(captioned(heated(&grown.photo, &heat, columns)?, format!("{:.0}%", 100.0 * largest)));
    }
    Ok([("Sketch", drawn), ("Attention", looked)].map(|(label, cells)| PictureRow { label: label.into(), cells }))
}

/// Shares by the largest, row by row of a square, with the length of a row and the largest share.
fn heat(shares: &[f64]) -> (Vec<f32>, usize, f64) {
    let largest = shares.iter().copied().fold(0.0, f64::max);
    let hot = |share: &f64| if largest > 0.0 { (share / largest) as f32 } else { 0.0 };
    (shares.iter().map(hot).collect(), (shares.len() as f64).sqrt().round() as usize, largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_is_by_the_largest_share() {
        assert_eq!(heat(&[0.125, 0.5, 0.25, 0.125]), (vec![0.25, 1.0, 0.5, 0.25], 2, 0.5));
        assert_eq!(heat(&[0.0; 16]), (vec![0.0; 16], 4, 0.0));
    }
}
