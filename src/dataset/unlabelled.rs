//! Photos without sketches that training may use: none is a copy of a photo that something is tested on.

use super::{Fingerprint, PhotoFolder, test_photos};
use crate::Result;
use image::RgbImage;
use image::imageops::{self, FilterType};
use rayon::prelude::*;
use std::path::Path;

/// Reads photos of some folders, squares of `side` pixels; none in the place of a copy of a test photo, told by its content.
///
/// `places` are pairs of a folder and a position in it; `advance` is called for each and may stop it. Test photos are those
/// of every corpus below `data`.
///
/// # Errors
/// A photo that cannot be read; a corpus below `data` that cannot be.
pub fn unlabelled(
    folders: &[PhotoFolder],
    places: &[(usize, usize)],
    data: &Path,
    side: u32,
    advance: &(dyn Fn() -> Result<()> + Sync),
) -> Result<Vec<Option<RgbImage>>> {
    let tested = test_photos(data)?;
    let photo = |(folder, position): &(usize, usize)| -> Result<Option<RgbImage>> {
        let photo = folders[*folder].photo(*position)?;
        advance()?;
        let print = Fingerprint::of(&photo);
        let is_own = tested.iter().all(|other| !print.is_copy(other));
        Ok(is_own.then(|| imageops::resize(&photo, side, side, FilterType::Triangle)))
    };
    places.par_iter().map(photo).collect()
}
