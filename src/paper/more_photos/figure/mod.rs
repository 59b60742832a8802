//! The paper's figures from records and analyses.
//!
//! | file | figure |
//! |---|---|
//! | `growth` | Fig. 3: sketches of Ours-G in five stages, and where it looks at the end of each |
//! | `certainty` | Fig. 4a: rank percentile of generated sketches over the discriminator's certainty |
//! | `labelled` | Fig. 4b: Acc@1 over the share of the training photos whose sketches are used |
//! | `sheet` | generated sketches beside people's, generator by generator |
//!
//! Pictures are shown of embedded corpora alone: those of others are not ours to publish.

mod certainty;
mod drawing;
mod growth;
mod labelled;
mod sheet;

use super::{SLUG, table};
use crate::Result;
use crate::report::records::Records;
use std::path::Path;

/// The figures of a corpus; a file's name goes on with that of the corpus.
const FIGURES: [&str; 4] = ["growth", "certainty", "labelled", "generated"];

/// Draws the figures of every corpus that there are records for, as (name, SVG).
///
/// # Errors
/// A record that cannot be read.
pub fn draw(results: &Path) -> Result<Vec<(String, String)>> {
    let mut figures = Vec::new();
    for dataset in table::corpora().iter().map(|corpus| corpus.name) {
        for figure in FIGURES {
            figures.extend(one(results, figure, dataset)?.map(|svg| (format!("{figure}-{dataset}"), svg)));
        }
    }
    Ok(figures)
}

/// One of them, such as `growth-synth-chair`; none where there are no records for it.
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
    match figure {
        "growth" => growth::draw(&records),
        "certainty" => certainty::draw(&records),
        "labelled" => labelled::draw(&records),
        "generated" => sheet::draw(&records),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
