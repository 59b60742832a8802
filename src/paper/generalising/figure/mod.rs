//! The paper's figures, and what its text says of the dictionary, from records and analyses.
//!
//! | file | figure |
//! |---|---|
//! | `dictionary` | reconstructions, and the share of words in use over the training |
//! | `word` | Fig. 1: the categories of some words |
//! | `attention` | Fig. 3: heat maps under the own word and under foreign ones |
//! | `similarity` | Fig. 4: pairs of categories; Vis-Sim over Sem-Sim of all pairs |
//!
//! Pictures are shown of embedded corpora alone: those of others are not ours to publish.

mod attention;
mod dictionary;
mod similarity;
mod word;

use super::SLUG;
use super::analysis::ROWS;
use super::table::categories;
use crate::Result;
use crate::dataset::{self, Drawing, Source, is_embedded};
use crate::report::figure::at_k;
use crate::report::records::Records;
use crate::sketch::antialiased;
use image::{DynamicImage, RgbImage};
use std::path::Path;

/// The row whose words and maps are drawn.
const SHOWN: &str = ROWS[1].0;

/// The rows of Acc@K over K, from the floor of Table 1 up.
const AT_K: [(&str, &str); 5] = [
    ("hard-transfer", "Hard-Transfer"),
    ROWS[1],
    ROWS[0],
    ("ours-wordvector", "Ours-WordVector"),
    ("upper-bound", "Upper-Bound"),
];

/// The figures of a corpus; a file's name goes on with that of the corpus.
const FIGURES: [&str; 6] = ["at-k", "dictionary", "fig1", "fig3", "fig4", "similarity"];

/// Draws the figures of every corpus that there are records for, as (name, SVG).
///
/// # Errors
/// A record that cannot be read.
pub fn draw(results: &Path) -> Result<Vec<(String, String)>> {
    let mut figures = Vec::new();
    for dataset in categories().iter().map(|corpus| corpus.name) {
        for figure in FIGURES {
            figures.extend(one(results, figure, dataset)?.map(|svg| (format!("{figure}-{dataset}"), svg)));
        }
    }
    Ok(figures)
}

/// One of them, such as `fig1-synth-world`; none where there are no records for it.
///
/// # Errors
/// As [`draw`].
pub fn named(results: &Path, name: &str) -> Result<Option<String>> {
    let split = |figure: &'static str| Some((figure, name.strip_prefix(figure)?.strip_prefix('-')?));
    let found = FIGURES.into_iter().find_map(split);
    found.map_or(Ok(None), |(figure, dataset)| one(results, figure, dataset))
}

fn one(results: &Path, figure: &str, dataset: &str) -> Result<Option<String>> {
    let records = Records { results, slug: SLUG, dataset };
    let shown = || Shown::open(dataset);
    match figure {
        "at-k" => at_k::draw(&records, &format!("Acc@K on unseen categories, {dataset}"), &AT_K),
        "dictionary" => dictionary::draw(&records),
        "fig1" => word::draw(&records, &shown()?),
        "fig3" => attention::draw(&records, &shown()?),
        "fig4" => similarity::pairs(&records, &shown()?),
        "similarity" => similarity::scatter(&records),
        _ => Ok(None),
    }
}

/// The pictures that may be shown: those of an embedded corpus.
struct Shown(Option<Box<dyn Source>>);

impl Shown {
    fn open(dataset: &str) -> Result<Self> {
        is_embedded(dataset).then(|| dataset::open(dataset, None)).transpose().map(Self)
    }

    /// A sketch, by its position; none of a corpus whose pictures are not shown.
    fn sketch(&self, position: usize) -> Result<Option<RgbImage>> {
        let drawing = self.0.as_ref().map(|source| source.drawing(position)).transpose()?;
        Ok(drawing.map(|drawing| {
            let grey = match drawing {
                Drawing::Vector(sketch) => antialiased(&sketch, SIDE, PEN),
                Drawing::Raster(raster) => raster,
            };
            DynamicImage::ImageLuma8(grey).to_rgb8()
        }))
    }

    /// A photo, by its position, as [`Self::sketch`].
    fn photo(&self, position: usize) -> Result<Option<RgbImage>> {
        self.0.as_ref().map(|source| source.photo(position)).transpose()
    }
}

/// Sketches of figures: side in pixels, and width of a line on the 256 canvas.
const SIDE: u32 = 128;
const PEN: f32 = 4.0;

/// A category's name as it is read.
fn readable(category: &str) -> String {
    category.replace('_', " ")
}

#[cfg(test)]
mod tests;
