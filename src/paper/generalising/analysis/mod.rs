//! The paper's analyses: what it says of its visual traits beside accuracy (Sec. 4.3), on finished runs.
//!
//! ```text
//! results/generalising/<dataset>/<row>/seed<k>/
//!   descriptor/log.jsonl    the training of the network that describes sketches: loss and share of words in use
//!   analysis/
//!     words.csv             part,category,sketch,word: the word of every sketch
//!     categories.csv        part,category,sketches,words,expected: words of a category (Descriptor-Category Spread)
//!     dictionary.csv        part,sketches,used,entropy,distance,mixed,mean: use of the dictionary, and how well it draws
//!     similarity.csv        first,second,unseen,visual,semantic: every pair of categories (Fig. 4)
//!     correlation.csv       measure,value,low,high,pairs: of both similarities
//!     reconstructions.png   sketches, below them what the network draws by word and by mixture (embedded corpora alone)
//!     attention.csv         query,photo,descriptor,sketch,dimension,overlap,whole: heat maps of pairs (Fig. 3)
//!     exchange.csv          query,photo,own,foreign: ranks with the own word and with that of another sketch
//!     heat.csv              query,photo,descriptor,domain,row,column,value: these maps, of a few pairs
//! ```

mod attention;
mod dictionary;
mod exchange;
mod similarity;
pub mod summary;
mod word;

pub(super) use similarity::{CategoryPair, extremes};
pub(super) use word::{AssignedWord, histograms};

use super::Config;
use crate::Result;
use crate::experiment::{Analysis, Subject};

/// The rows that are compared, with their labels.
pub const ROWS: [(&str, &str); 2] = [("ours-full+assignment=hard", "Ours-Full/Hard"), ("ours-full", "Ours-Full")];

/// What can be measured, cheapest first.
pub fn list() -> Vec<Analysis> {
    let rows = || ROWS.map(|(row, _)| row.to_string()).to_vec();
    vec![
        Analysis::new("descriptors", rows(), &["words", "categories", "dictionary", "similarity", "correlation"]),
        Analysis::new("exchange", rows(), &["exchange"]),
        Analysis::new("attention", rows(), &["heat", "attention"]),
    ]
}

/// Measures a part on the runs that do not have it yet.
pub(super) fn measure(part: &str, subjects: &[Subject<Config>]) -> Result<()> {
    subjects.iter().try_for_each(|subject| match part {
        "descriptors" => dictionary::measure(subject),
        "exchange" => exchange::measure(subject),
        "attention" => attention::measure(subject),
        other => {
            let names: Vec<&str> = list().iter().map(|analysis| analysis.name).collect();
            Err(crate::Error::value("part", names.join(", "), other))
        }
    })
}
