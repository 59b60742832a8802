//! Generated sketches beside people's, generator by generator.

use super::super::analysis::GENERATORS;
use super::drawing::{self, picture};
use crate::dataset::{self, is_embedded};
use crate::report::figure::picture_grid::{self, PictureCell, PictureGrid, PictureRow};
use crate::report::records::Records;
use crate::{Error, Result};
use image::RgbImage;

/// The generators that were analysed; none before one was, and none of a corpus whose pictures are not shown.
///
/// # Errors
/// An analysis that cannot be read; generators of which other photos were kept.
pub(super) fn draw(records: &Records) -> Result<Option<String>> {
    let analysed = |(row, label)| Some((label, records.first_analysed(row, "drawing")?));
    let found: Vec<_> = GENERATORS.into_iter().filter_map(analysed).collect();
    let Some((_, first)) = found.first().filter(|_| is_embedded(records.dataset)) else { return Ok(None) };
    let (source, shown) = (dataset::open(records.dataset, None)?, drawing::handful(first)?);
    let photos = shown.iter().map(|[_, photo]| source.photo(*photo)).collect::<Result<Vec<_>>>()?;
    let person = |[query, _]: &[usize; 2]| Ok(picture(&source.drawing(*query)?.vector()?));
    let people = shown.iter().map(person).collect::<Result<Vec<_>>>()?;
    let mut rows = vec![line("Photo", photos), line("A person", people)];
    for (label, folder) in &found {
        if drawing::handful(folder)? != shown {
            let expected = format!("the sketches of {}", first.0.display());
            return Err(Error::data(folder.0.join("drawing.csv"), expected, "others"));
        }
        rows.push(line(label, drawing::pictures(folder)?));
    }
    let grid = PictureGrid {
        title: format!("What generators draw of test photos, {}", records.dataset),
        note: "Photos at even steps through the test part, chosen beforehand, and the first person's sketch of each; below, \
               what is ranked in its place in Table 1. The first seed of each row."
            .into(),
        heads: vec![(String::new(), shown.len())],
        rows,
        beside: None,
    };
    picture_grid::draw(&grid).map(Some)
}

fn line(label: &str, pictures: Vec<RgbImage>) -> PictureRow {
    PictureRow { label: label.into(), cells: pictures.into_iter().map(PictureCell::plain).collect() }
}
