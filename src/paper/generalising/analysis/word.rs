//! Which word each sketch has, and what categories and parts do with the words.

use crate::dataset::Split;
use crate::file::read_csv;
use crate::report::analysis::Folder;
use crate::{Error, Result};
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A sketch and its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct AssignedWord {
    /// `train`: the dictionary was learned from it; `valid` and `test`: of a category that it never saw.
    pub part: String,
    pub category: String,
    /// Position in the corpus index.
    pub sketch: usize,
    pub word: usize,
}

/// The words of the sketches of a category.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CategorySpread {
    pub category: String,
    pub sketches: usize,
    /// Words that one of its sketches or more have.
    pub words: usize,
    /// As many sketches of any category have so many on average.
    pub expected: f64,
}

impl AssignedWord {
    /// Reads `words.csv`.
    ///
    /// # Errors
    /// A file that cannot be read, or lacks a column.
    pub fn read(folder: &Folder) -> Result<Vec<Self>> {
        let path = folder.0.join("words.csv");
        let frame = read_csv(&path)?;
        let numbers = folder.lines("words", ["sketch", "word"])?;
        let text = |name: &str| -> Result<Vec<String>> {
            let cells = frame.column(name)?.str()?.iter();
            cells.map(|cell| Ok(cell.ok_or_else(|| Error::data(&path, name, "an empty cell"))?.to_string())).collect()
        };
        let texts = text("part")?.into_iter().zip(text("category")?);
        let line = |((part, category), [sketch, word]): ((String, String), [f64; 2])| Self {
            part,
            category,
            sketch: sketch as usize,
            word: word as usize,
        };
        Ok(texts.zip(numbers).map(line).collect())
    }

    /// The lines of `words.csv`.
    pub(super) fn frame(all: &[Self]) -> Result<DataFrame> {
        let text =
            |name: &str, get: fn(&Self) -> &str| Column::new(name.into(), all.iter().map(get).collect::<Vec<_>>());
        let number = |name: &str, get: fn(&Self) -> usize| {
            Column::new(name.into(), all.iter().map(|own| get(own) as u32).collect::<Vec<_>>())
        };
        let columns = vec![
            text("part", |own| &own.part),
            text("category", |own| &own.category),
            number("sketch", |own| own.sketch),
            number("word", |own| own.word),
        ];
        Ok(DataFrame::new(all.len(), columns)?)
    }
}

/// Those of a part of the corpus.
pub(super) fn of_part(all: &[AssignedWord], part: Split) -> Vec<&AssignedWord> {
    all.iter().filter(|own| own.part == part.name()).collect()
}

/// How many sketches have each word.
pub(super) fn histogram<'a>(all: impl IntoIterator<Item = &'a AssignedWord>, words: usize) -> Vec<f64> {
    let mut counts = vec![0.0; words];
    all.into_iter().for_each(|own| counts[own.word] += 1.0);
    counts
}

/// The histogram of every category, by name.
pub(in super::super) fn histograms(all: &[AssignedWord], words: usize) -> BTreeMap<&str, Vec<f64>> {
    let mut found = BTreeMap::new();
    for own in all {
        found.entry(own.category.as_str()).or_insert_with(|| vec![0.0; words])[own.word] += 1.0;
    }
    found
}

/// The spread of every category, with the words that as many sketches would have if the category did not matter.
///
/// ```text
/// expected = sum over words of 1 - (1 - p)^n,    p the word's share of the given sketches, n those of the category
/// ```
pub(super) fn spread(all: &[&AssignedWord], words: usize) -> Vec<CategorySpread> {
    let counts = histogram(all.iter().copied(), words);
    let share = |count: &f64| count / all.len() as f64;
    let expected = |n: usize| counts.iter().map(|count| 1.0 - (1.0 - share(count)).powi(n as i32)).sum::<f64>();
    let mut found: BTreeMap<&str, (usize, BTreeSet<usize>)> = BTreeMap::new();
    for own in all {
        let (sketches, words) = found.entry(&own.category).or_default();
        *sketches += 1;
        words.insert(own.word);
    }
    let line = |(category, (sketches, words)): (&str, (usize, BTreeSet<usize>))| CategorySpread {
        category: category.into(),
        sketches,
        words: words.len(),
        expected: expected(sketches),
    };
    found.into_iter().map(line).collect()
}

/// The share of the words in use and the entropy of their use, both 0 to 1.
///
/// ```text
/// entropy = - sum over words of p log p / log K
/// ```
pub(super) fn usage(counts: &[f64]) -> [f64; 2] {
    let (sum, words) = (counts.iter().sum::<f64>(), counts.len() as f64);
    let used = counts.iter().filter(|count| **count > 0.0);
    let entropy = -used.clone().map(|count| count / sum * (count / sum).ln()).sum::<f64>() / words.ln();
    [used.count() as f64 / words, entropy.abs()] // not -0 where one word has all
}

#[cfg(test)]
pub(in super::super) mod tests {
    use super::*;

    /// Sketches of two categories over words 0 to 3.
    pub fn sample() -> Vec<AssignedWord> {
        let own = |(sketch, (category, word)): (usize, (&str, usize))| AssignedWord {
            part: if category == "owl" { "test" } else { "train" }.into(),
            category: category.into(),
            sketch,
            word,
        };
        let all = [("mug", 0), ("mug", 0), ("mug", 1), ("lamp", 1), ("owl", 3), ("owl", 3)];
        all.into_iter().enumerate().map(own).collect()
    }

    #[test]
    fn spread_counts_words_and_expects_those_of_any_sketch() {
        let all = sample();
        let found = spread(&of_part(&all, Split::Train), 4);
        let line = |category: &str, sketches, words, expected| CategorySpread {
            category: category.into(),
            sketches,
            words,
            expected,
        };
        // Shares are 1/2 and 1/2: of three sketches 2 (1 - 1/8) words.
        assert_eq!(found, [line("lamp", 1, 1, 1.0), line("mug", 3, 2, 1.75)]);
        assert_eq!(histograms(&all, 4)["mug"], [2.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn usage_is_one_where_all_words_are_used_alike() {
        assert_eq!(usage(&[0.0, 7.0, 0.0, 0.0]), [0.25, 0.0]);
        let [used, entropy] = usage(&[3.0, 3.0, 3.0]);
        assert!(used == 1.0 && (entropy - 1.0).abs() < 1e-12);
    }

    #[test]
    fn words_come_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder(place.path().into());
        folder.write("words", AssignedWord::frame(&sample()).unwrap()).unwrap();
        assert_eq!(AssignedWord::read(&folder).unwrap(), sample());
    }
}
