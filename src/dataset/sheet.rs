//! A contact sheet: an overview of a corpus.

use super::{Drawing, Index, Source};
use crate::{Error, Result, seed::Seed, sketch};
use image::{DynamicImage, Rgb, RgbImage, imageops};
use rand::seq::SliceRandom;

/// Sketches shown of an object, and on a sheet of many.
pub const SKETCHES: [usize; 2] = [3, 2];

/// A sheet of more objects than these has four columns, not two.
const MANY: usize = 12;

/// Line width of vector drawings, in pixels of the 256 canvas: the width at which the real corpora's ink is measured.
const WIDTH: f32 = 3.0;

/// Photos for a sheet out of some of the index, in its order: drawn by seed, one of every category before a second of
/// any, and those with three sketches before others; any, where none has a sketch.
pub fn choose(index: &Index, photos: &[usize], count: usize, seed: Seed) -> Vec<usize> {
    let mut drawn = vec![0; index.photos.len()];
    for sketch in &index.sketches {
        if let Some(count) = drawn.get_mut(sketch.photo) {
            *count += 1;
        }
    }
    let is_drawn = |photo: &usize| index.sketches.is_empty() || drawn.get(*photo).is_some_and(|count| *count > 0);
    let mut photos: Vec<usize> = photos.iter().copied().filter(is_drawn).collect();
    photos.shuffle(&mut seed.stream("sheet"));
    photos.sort_by_key(|&photo| SKETCHES[0].saturating_sub(drawn[photo])); // stable: ties stay shuffled
    index.take_turns(&mut photos);
    photos.truncate(count);
    photos.sort_unstable();
    photos
}

/// Draws objects in two columns (one for up to three objects): a photo, the map of a scene's objects, then up to three
/// of its sketches, as many cells as the object with the most sketches needs. More than twelve objects stand in four
/// columns, each with up to two sketches.
///
/// # Shapes
/// `photos`: positions of the index. `side`: of a cell, in pixels; pictures keep their aspect ratio. Cells are `side / 16`
/// apart, objects side by side twice that.
///
/// # Errors
/// No photos, a side of 0 or above 1024, a position that is not in the index, a file that cannot be read.
pub fn sheet(source: &dyn Source, photos: &[usize], side: u32) -> Result<RgbImage> {
    if photos.is_empty() || side == 0 || side > 1024 {
        let found = format!("{} photos, {side} pixels", photos.len());
        return Err(Error::value("contact sheet", "at least one photo, cells of 1 to 1024 pixels", found));
    }
    let is_large = photos.len() > MANY;
    let columns = [1, 2, 4][usize::from(photos.len() > 3) + usize::from(is_large)];
    let rows = photos.len().div_ceil(columns) as u32;
    let sketches = SKETCHES[usize::from(is_large)];
    let objects = photos.iter().map(|&photo| object(source, photo, sketches, side)).collect::<Result<Vec<_>>>()?;
    let cells = objects.iter().map(Vec::len).max().unwrap_or(1) as u32;
    let gap = side / 16;
    let block = cells * (side + gap) + gap;
    let mut sheet = RgbImage::from_pixel(columns as u32 * block + gap, rows * (side + gap) + gap, Rgb([255; 3]));
    for (place, pictures) in objects.iter().enumerate() {
        let left = gap + (place % columns) as u32 * block;
        let top = gap + (place / columns) as u32 * (side + gap);
        for (cell, picture) in pictures.iter().enumerate() {
            paste(&mut sheet, picture, left + cell as u32 * (side + gap), top, side);
        }
    }
    Ok(sheet)
}

/// A photo, the map of its objects, and its first sketches.
fn object(source: &dyn Source, photo: usize, count: usize, side: u32) -> Result<Vec<RgbImage>> {
    let mut pictures = vec![source.photo(photo)?];
    if let Some(map) = source.scenes().map(|scenes| scenes.photo_instances(photo)).transpose()?.flatten() {
        pictures.push(map.painted());
    }
    let sketches = source.index().sketches.iter().enumerate().filter(|(_, sketch)| sketch.photo == photo);
    for (position, _) in sketches.take(count) {
        let drawing = match source.drawing(position)? {
            Drawing::Vector(vector) => sketch::antialiased(&vector, side, WIDTH),
            Drawing::Raster(picture) => picture,
        };
        pictures.push(DynamicImage::ImageLuma8(drawing).to_rgb8());
    }
    Ok(pictures)
}

/// Fits a picture into a cell, centred.
fn paste(sheet: &mut RgbImage, picture: &RgbImage, left: u32, top: u32, side: u32) {
    let longest = picture.width().max(picture.height()).max(1);
    let scale = |length: u32| (length * side / longest).max(1);
    let (width, height) = (scale(picture.width()), scale(picture.height()));
    let small = imageops::resize(picture, width, height, imageops::FilterType::Triangle);
    let (x, y) = (left + (side - width) / 2, top + (side - height) / 2);
    imageops::replace(sheet, &small, x.into(), y.into());
}

#[cfg(test)]
mod tests {
    use super::super::{fixture, index::tests::index};
    use super::*;
    use crate::dataset::{Split, qmul_v1, qmul_v2};

    #[test]
    fn photos_with_three_sketches_come_first() {
        let index =
            index(&[(Split::Train, 3), (Split::Train, 0), (Split::Train, 1), (Split::Test, 5), (Split::Test, 2)]);
        let all = index.all();
        assert_eq!(choose(&index, &all, 2, Seed(0)), [0, 3]);
        assert_eq!(choose(&index, &all, 3, Seed(0)), [0, 3, 4]);
        assert_eq!(choose(&index, &all, 9, Seed(0)), [0, 2, 3, 4]);
        assert_eq!(choose(&index, &[1, 2, 4], 1, Seed(0)), [4]);
        let many = super::super::index::tests::index(&[(Split::Train, 3); 40]);
        let two = |seed| choose(&many, &many.all(), 2, Seed(seed));
        assert_eq!(two(1), two(1));
        assert_ne!(two(1), two(2));
    }

    #[test]
    fn every_category_comes_before_a_second_of_any() {
        let mut index = index(&[(Split::Train, 3); 6]);
        index.photos[1].category = "lamp".into();
        index.photos[4].category = "owl".into();
        let chosen = choose(&index, &index.all(), 3, Seed(5));
        assert!(chosen.contains(&1) && chosen.contains(&4) && chosen.len() == 3, "{chosen:?}");
    }

    #[test]
    fn sheet_places_cells_as_documented() {
        let place = tempfile::tempdir().unwrap();
        fixture::chair_v2(place.path());
        let corpus = qmul_v2::open(place.path()).unwrap();
        let picture = sheet(&corpus, &[0, 2], 32).unwrap(); // gap 2, four cells of 34, two rows
        assert_eq!(picture.dimensions(), (4 * 34 + 2 + 2, 2 * 34 + 2));
        assert_eq!(picture.get_pixel(3, 3).0, [10; 3]); // photo `a`
        assert_eq!(picture.get_pixel(3, 37).0, [30; 3]); // photo `c`
        let ink = |left: u32, top: u32| {
            (0..32 * 32).filter(|i| picture.get_pixel(left + i % 32, top + i / 32)[0] < 200).count()
        };
        assert!(ink(36, 2) > 0 && ink(104, 2) > 0, "three sketches of `a`");
        assert!(ink(36, 36) > 0 && ink(70, 36) == 0, "one sketch of `c`");
    }

    #[test]
    fn sheet_refuses_no_photos() {
        let place = tempfile::tempdir().unwrap();
        fixture::shoe_v1(place.path());
        let corpus = qmul_v1::open(place.path()).unwrap();
        assert!(
            sheet(&corpus, &[], 32).is_err() && sheet(&corpus, &[0], 0).is_err() && sheet(&corpus, &[99], 32).is_err()
        );
        assert_eq!(sheet(&corpus, &[0, 1, 2, 3], 1).unwrap().dimensions(), (4, 2));
    }
}
