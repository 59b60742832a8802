//! Vectors of the words that name categories: what is close in meaning, whatever it looks like.

use crate::{Error, Result};
use polars::prelude::{CsvReader, DataType, SerReader};
use std::collections::BTreeMap;
use std::io::Cursor;

/// Word vectors.
///
/// ```
/// let words = retrace::dataset::WordVectors::embedded()?;
/// let close = words.similarity(&["car"], &["truck"])?;
/// assert!(close > words.similarity(&["car"], &["strawberry"])?);
/// # Ok::<(), retrace::Error>(())
/// ```
///
/// # References
/// Pennington et al., GloVe: Global Vectors for Word Representation, EMNLP 2014.
#[derive(Debug, Clone, PartialEq)]
pub struct WordVectors {
    vectors: BTreeMap<String, Vec<f32>>,
}

impl WordVectors {
    /// The vectors of `data/words/`: of the categories of `synth-world`, of Sketchy's classes, and of other everyday
    /// words.
    ///
    /// # Errors
    /// None with the file that is built in.
    pub fn embedded() -> Result<Self> {
        Self::parse(include_str!("../../data/words/glove-100d.csv"))
    }

    /// Reads a CSV: a column of words, then one a dimension.
    ///
    /// # Errors
    /// A cell that is empty or no number.
    pub fn parse(text: &str) -> Result<Self> {
        let frame = CsvReader::new(Cursor::new(text)).finish()?;
        let [words, numbers @ ..] = frame.columns() else {
            return Err(Error::value("word vectors", "a column of words, then numbers", "no column"));
        };
        let numbers = numbers.iter().map(|column| Ok(column.strict_cast(&DataType::Float32)?.f32()?.clone()));
        let numbers = numbers.collect::<Result<Vec<_>>>()?;
        let mut vectors = BTreeMap::new();
        for (row, word) in words.str()?.iter().enumerate() {
            let values: Option<Vec<f32>> = numbers.iter().map(|column| column.get(row)).collect();
            let whole = word.zip(values);
            let empty = || Error::value("word vectors", "no empty cell", format!("one in line {}", row + 2));
            let (word, values) = whole.ok_or_else(empty)?;
            vectors.insert(word.to_string(), values);
        }
        Ok(Self { vectors })
    }

    /// The vector of a name of one or several words: the mean of theirs.
    ///
    /// # Shapes
    /// Out `(d)`, 100 for the vectors that are built in.
    ///
    /// # Errors
    /// No word; a word that has no vector.
    pub fn vector<W: AsRef<str>>(&self, words: &[W]) -> Result<Vec<f32>> {
        let found = words.iter().map(|word| {
            let word = word.as_ref();
            self.vectors.get(word).ok_or_else(|| Error::value("word", "one with a vector", format!("`{word}`")))
        });
        let found = found.collect::<Result<Vec<_>>>()?;
        let first = found.first().ok_or_else(|| Error::value("words of a name", "at least one", "none"))?;
        let mean = |d: usize| found.iter().map(|vector| vector[d]).sum::<f32>() / found.len() as f32;
        Ok((0..first.len()).map(mean).collect())
    }

    /// The vector of a class by its name as folders have it: see [`words_of`].
    ///
    /// # Errors
    /// As [`Self::vector`].
    pub fn of_class(&self, class: &str) -> Result<Vec<f32>> {
        self.vector(&words_of(class))
    }

    /// How close two names are in meaning: the cosine of their vectors, -1 to 1.
    ///
    /// # Errors
    /// As [`Self::vector`].
    pub fn similarity<W: AsRef<str>>(&self, a: &[W], b: &[W]) -> Result<f32> {
        let (a, b) = (self.vector(a)?, self.vector(b)?);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        Ok(dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt().max(f32::MIN_POSITIVE))
    }
}

/// The words of a class's name: `car_(sedan)` has two, and `jack-o-lantern` is jack and lantern.
///
/// ```
/// assert_eq!(retrace::dataset::words_of("car_(sedan)"), ["car", "sedan"]);
/// ```
pub fn words_of(class: &str) -> Vec<String> {
    let words = class.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    if words.len() > 1 { words.into_iter().filter(|word| word.len() > 1).collect() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_classes_are_their_words() {
        for (class, expected) in
            [("lamp", vec!["lamp"]), ("car_(sedan)", vec!["car", "sedan"]), ("jack-o-lantern", vec!["jack", "lantern"])]
        {
            assert_eq!(words_of(class), expected);
        }
    }

    #[test]
    fn names_of_several_words_take_the_mean() {
        let words = WordVectors::parse("word,v0,v1\nhot,1.0,0.0\ndog,0.0,3.0\n").unwrap();
        assert_eq!(words.vector(&["hot", "dog"]).unwrap(), [0.5, 1.5]);
        assert!((words.similarity(&["hot"], &["hot"]).unwrap() - 1.0).abs() < 1e-6);
        assert_eq!(words.similarity(&["hot"], &["dog"]).unwrap(), 0.0);
    }

    #[test]
    fn unknown_words_and_broken_cells_are_named() {
        let words = WordVectors::parse("word,v0\nhot,1.0\n").unwrap();
        assert!(words.vector(&["cat"]).unwrap_err().to_string().contains("`cat`"));
        assert!(words.vector::<&str>(&[]).is_err());
        assert!(WordVectors::parse("word,v0\nhot,\ndog,1.0\n").unwrap_err().to_string().contains("line 2"));
        assert!(WordVectors::parse("word,v0\nhot,x\n").is_err());
    }

    #[test]
    fn every_category_and_class_has_a_vector() {
        let words = WordVectors::embedded().unwrap();
        for category in crate::dataset::synthetic::categories().unwrap() {
            assert_eq!(words.vector(&category.words).unwrap().len(), 100, "{}", category.name);
        }
        assert!(crate::dataset::sketchy::UNSEEN.iter().all(|class| words.vector(&[class]).is_ok()));
    }
}
