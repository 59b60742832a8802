//! The paper's figures from records and analyses.
//!
//! | file | figure |
//! |---|---|
//! | `masked` | Fig. 1b: Acc@1 and Acc@10 over the share of the sketch that is left out |
//! | `flow` | plans over sketch and photo, whole and with half left out |
//! | `at-k` | Acc@K over K |
//! | `search` | seconds and memory of a query over the size of the gallery |
//!
//! Pictures are shown of embedded corpora alone: those of others are not ours to publish.

mod flow;
mod search;

use super::{SLUG, table};
use crate::Result;
use crate::report::figure::{at_k, masked};
use crate::report::records::Records;
use std::path::Path;

/// The rows of the lines, from Table 1 down; each colour has one.
const LINES: [(&str, &str); 6] = [
    ("global", "Global average"),
    ("proposed", "Proposed"),
    ("local-ot", "Local-OT"),
    ("local-mmd", "Local-MMD"),
    ("local-align", "Local-Align"),
    ("triplet-sn", "Triplet-SN"),
];

/// The figures of a corpus; a file's name goes on with that of the corpus.
const FIGURES: [&str; 3] = ["masked", "flow", "at-k"];

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
    figures.extend(search::draw(results)?.map(|svg| ("search".to_string(), svg)));
    Ok(figures)
}

/// One of them, such as `masked-synth-scene`; none where there are no records for it.
///
/// # Errors
/// As [`draw`].
pub fn named(results: &Path, name: &str) -> Result<Option<String>> {
    if name == "search" {
        return search::draw(results);
    }
    let split = |figure: &'static str| Some((figure, name.strip_prefix(figure)?.strip_prefix('-')?));
    let found = FIGURES.into_iter().find_map(split);
    found.map_or(Ok(None), |(figure, dataset)| one(results, figure, dataset))
}

fn one(results: &Path, figure: &str, dataset: &str) -> Result<Option<String>> {
    let records = Records { results, slug: SLUG, dataset };
    match figure {
        "masked" => masked::draw(&records, &format!("Parts left out, {dataset}"), &LINES),
        "flow" => flow::draw(&records),
        "at-k" => at_k::draw(&records, &format!("Acc@K of whole sketches, {dataset}"), &LINES),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_records_are_no_figures() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(draw(place.path()).unwrap(), []);
        assert_eq!(named(place.path(), "masked-synth-scene").unwrap(), None);
        assert_eq!(named(place.path(), "other").unwrap(), None);
    }
}
