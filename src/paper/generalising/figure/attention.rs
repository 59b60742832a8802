//! Fig. 3: where the network looks with a sketch's own word and with foreign ones.

use super::super::analysis::AssignedWord;
use super::{SHOWN, Shown, readable};
use crate::Result;
use crate::report::analysis::Folder;
use crate::report::figure::picture::heated;
use crate::report::figure::picture_grid::{self, PictureCell, PictureGrid, PictureRow};
use crate::report::records::Records;
use std::collections::BTreeMap;

/// Columns of the heat maps of a pair: a line of `attention.csv`.
const COLUMNS: [&str; 6] = ["query", "photo", "descriptor", "sketch", "dimension", "overlap"];

/// A heat map, row by row, and the number of its columns.
type Map = (Vec<f32>, usize);

/// The pairs whose maps were kept; none before the row was analysed, and none of a corpus whose pictures are not shown.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn draw(records: &Records, shown: &Shown) -> Result<Option<String>> {
    let Some(folder) = records.first_analysed(SHOWN, "attention") else { return Ok(None) };
    let words = records.first_analysed(SHOWN, "words").map(|folder| AssignedWord::read(&folder)).transpose()?;
    let words = words.unwrap_or_default();
    let maps = maps(&folder)?;
    let lines: Vec<_> = folder.lines("attention", COLUMNS)?.into_iter().filter(|line| is_kept(&maps, line)).collect();
    let mut rows = Vec::new();
    for pair in lines.chunk_by(|a, b| a[0] == b[0]) {
        rows.extend(row(pair, &maps, &words, shown)?);
    }
    let foreign = lines.iter().map(|line| line[2] as usize).max().unwrap_or(0);
    if rows.is_empty() || foreign == 0 {
        return Ok(None);
    }
    let mut heads = vec![("sketch and photo".to_string(), 2), ("its own word".to_string(), 2)];
    heads.extend((0..foreign).map(|_| ("a foreign word".to_string(), 2)));
    let grid = PictureGrid {
        title: format!("Fig. 3: where the match comes from, by word, {}", records.dataset),
        note: "Grad-CAM of the dimension of psi that contributes most to the product of sketch and photo, with the weights \
               that are made from the sketch's own word (framed) and from those of four other sketches. Below: the word and \
               the dimension; overlap of both maps (1: the same places). Pairs of different unseen categories that are found \
               first. Ours-Full, the first seed."
            .into(),
        heads,
        rows,
        beside: None,
    };
    picture_grid::draw(&grid).map(Some)
}

fn is_kept(maps: &BTreeMap<[usize; 3], Map>, line: &[f64; 6]) -> bool {
    maps.contains_key(&[line[0] as usize, line[2] as usize, 0])
}

/// The maps by query, descriptor and domain.
fn maps(folder: &Folder) -> Result<BTreeMap<[usize; 3], Map>> {
    let mut found: BTreeMap<[usize; 3], Map> = BTreeMap::new();
    for [query, descriptor, domain, column, value] in
        folder.lines("heat", ["query", "descriptor", "domain", "column", "value"])?
    {
        let (map, columns) = found.entry([query, descriptor, domain].map(|number| number as usize)).or_default();
        map.push(value as f32);
        *columns = (*columns).max(column as usize + 1);
    }
    Ok(found)
}

/// A pair: its pictures, then both under the heat of every descriptor; none where they are not shown.
fn row(
    pair: &[[f64; 6]],
    maps: &BTreeMap<[usize; 3], Map>,
    words: &[AssignedWord],
    shown: &Shown,
) -> Result<Option<PictureRow>> {
    let [query, photo] = [pair[0][0], pair[0][1]].map(|number| number as usize);
    let (Some(sketch), Some(photo)) = (shown.sketch(query)?, shown.photo(photo)?) else { return Ok(None) };
    let of = |sketch: usize| words.iter().find(|own| own.sketch == sketch);
    let mut cells = vec![PictureCell::plain(sketch.clone()), PictureCell::plain(photo.clone())];
    for [_, _, descriptor, owner, dimension, overlap] in pair {
        let word = of(*owner as usize).map(|own| format!("{}: ", own.word)).unwrap_or_default();
        let captions = [format!("{word}dim. {dimension}"), format!("{overlap:.2}")];
        for ((domain, picture), caption) in [&sketch, &photo].into_iter().enumerate().zip(captions) {
            let (heat, columns) = &maps[&[query, *descriptor as usize, domain]];
            let picture = heated(picture, heat, *columns)?;
            cells.push(PictureCell { picture, caption, framed: *descriptor == 0.0 });
        }
    }
    let label = of(query).map(|own| readable(&own.category)).unwrap_or_default();
    Ok(Some(PictureRow { label, cells }))
}
