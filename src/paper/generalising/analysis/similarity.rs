//! Visual and semantic similarity of categories (Word-Vector vs. Visual-Semantics, Fig. 4).

use super::super::Config;
use super::word::{AssignedWord, histograms};
use crate::Result;
use crate::analysis::{Correlation, PairSimilarity, agreement, mean_ranks, pearson, spearman};
use crate::dataset::{Split, WordVectors, words_of};
use crate::experiment::Subject;
use crate::experiment::analyse::SEED;
use crate::report::analysis::Folder;
use polars::prelude::*;
use std::collections::BTreeSet;

/// Draws of the bootstrap.
const DRAWS: usize = 1000;

/// Two categories.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct CategoryPair {
    pub names: [String; 2],
    /// How many of both are unseen in training.
    pub unseen: usize,
    /// Vis-Sim and Sem-Sim.
    pub values: [f64; 2],
}

/// Writes `similarity.csv` and `correlation.csv`.
///
/// ```text
/// Vis-Sim(a, b) = cosine of both histograms of words        Sem-Sim(a, b) = cosine of the word vectors of both names
/// ```
///
/// # Errors
/// A category whose name has no word vector.
pub(super) fn measure(subject: &Subject<Config>, words: &[AssignedWord], count: usize) -> Result<()> {
    let found = pairs(words, count)?;
    subject.write("similarity", frame(&found)?)?;
    let categories: BTreeSet<&str> = words.iter().map(|own| own.category.as_str()).collect();
    let place = |name: &String| categories.range(..name.as_str()).count();
    let placed = |pair: &CategoryPair| PairSimilarity { items: pair.names.each_ref().map(place), values: pair.values };
    let placed: Vec<PairSimilarity> = found.iter().map(placed).collect();
    let measures: [(&str, Correlation); 2] = [("pearson", pearson), ("spearman", spearman)];
    let mut lines = [const { Vec::new() }; 3];
    for (_, of) in measures {
        let found = agreement(&placed, categories.len(), of, DRAWS, &mut SEED.stream("similarity"))?;
        lines.iter_mut().zip([found.value, found.low, found.high]).for_each(|(column, value)| column.push(value));
    }
    let mut columns = vec![Column::new("measure".into(), measures.map(|(name, _)| name).to_vec())];
    columns.extend(["value", "low", "high"].into_iter().zip(lines).map(|(name, line)| Column::new(name.into(), line)));
    columns.push(Column::new("pairs".into(), vec![found.len() as u32; 2]));
    subject.write("correlation", DataFrame::new(2, columns)?)
}

fn pairs(words: &[AssignedWord], count: usize) -> Result<Vec<CategoryPair>> {
    let (vectors, histograms) = (WordVectors::embedded()?, histograms(words, count));
    let unseen: BTreeSet<&str> =
        words.iter().filter(|own| own.part == Split::Test.name()).map(|own| own.category.as_str()).collect();
    let all: Vec<_> = histograms.iter().collect();
    let mut found = Vec::new();
    for (i, (first, one)) in all.iter().enumerate() {
        for (second, other) in &all[i + 1..] {
            let semantic = vectors.similarity(&words_of(first), &words_of(second))?;
            found.push(CategoryPair {
                names: [first, second].map(|name| name.to_string()),
                unseen: [first, second].into_iter().filter(|name| unseen.contains(**name)).count(),
                values: [cosine(one, other), f64::from(semantic)],
            });
        }
    }
    Ok(found)
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f64::MIN_POSITIVE)
}

fn frame(pairs: &[CategoryPair]) -> Result<DataFrame> {
    let name = |i: usize| pairs.iter().map(|pair| pair.names[i].clone()).collect::<Vec<_>>();
    let value = |i: usize| pairs.iter().map(|pair| pair.values[i]).collect::<Vec<_>>();
    let columns = vec![
        Column::new("first".into(), name(0)),
        Column::new("second".into(), name(1)),
        Column::new("unseen".into(), pairs.iter().map(|pair| pair.unseen as u32).collect::<Vec<_>>()),
        Column::new("visual".into(), value(0)),
        Column::new("semantic".into(), value(1)),
    ];
    Ok(DataFrame::new(pairs.len(), columns)?)
}

impl CategoryPair {
    /// Reads `similarity.csv`.
    ///
    /// # Errors
    /// A file that cannot be read, or lacks a column.
    pub fn read(folder: &Folder) -> Result<Vec<Self>> {
        let frame = crate::file::read_csv(&folder.0.join("similarity.csv"))?;
        let (first, second) = (frame.column("first")?.str()?, frame.column("second")?.str()?);
        let names = first.iter().zip(second.iter());
        let numbers = folder.lines("similarity", ["unseen", "visual", "semantic"])?;
        let text = |cell: Option<&str>| cell.unwrap_or_default().to_string();
        let line = |((first, second), [unseen, visual, semantic]): ((Option<&str>, Option<&str>), [f64; 3])| Self {
            names: [text(first), text(second)],
            unseen: unseen as usize,
            values: [visual, semantic],
        };
        Ok(names.zip(numbers).map(line).collect())
    }
}

/// The extreme pairs of Fig. 4, `count` of each kind: (a) visually close and semantically far, (b) semantically close and
/// visually far, (c) both close. No category is in two pairs of a kind.
///
/// ```text
/// v, s: the ranks of a pair among all by Vis-Sim and Sem-Sim        largest of (a) v - s   (b) s - v   (c) min(v, s)
/// ```
pub(in super::super) fn extremes(pairs: &[CategoryPair], count: usize) -> [Vec<&CategoryPair>; 3] {
    let ranks = [0, 1].map(|i| mean_ranks(&pairs.iter().map(|pair| pair.values[i]).collect::<Vec<_>>()));
    let kinds: [fn(f64, f64) -> f64; 3] = [|v, s| v - s, |v, s| s - v, f64::min];
    kinds.map(|kind| {
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        let score = |at: &usize| kind(ranks[0][*at], ranks[1][*at]);
        order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let mut chosen: Vec<&CategoryPair> = Vec::new();
        for pair in order.into_iter().map(|at| &pairs[at]) {
            let is_new = |name: &String| chosen.iter().all(|other| !other.names.contains(name));
            if chosen.len() < count && pair.names.iter().all(is_new) {
                chosen.push(pair);
            }
        }
        chosen
    })
}

#[cfg(test)]
mod tests {
    use super::super::word::tests::sample;
    use super::*;

    #[test]
    fn pairs_by_hand_and_back() {
        let found = pairs(&sample(), 4).unwrap();
        let said: Vec<_> = found.iter().map(|pair| (pair.names.join(" "), pair.unseen)).collect();
        assert_eq!(said, [("lamp mug".into(), 0), ("lamp owl".into(), 1), ("mug owl".into(), 1)]);
        // (2, 1, 0, 0) and (0, 1, 0, 0): 1 / sqrt 5.
        assert!((found[0].values[0] - 0.2_f64.sqrt()).abs() < 1e-12 && found[2].values[0] == 0.0);
        let place = tempfile::tempdir().unwrap();
        let folder = Folder(place.path().into());
        folder.write("similarity", frame(&found).unwrap()).unwrap();
        let back = CategoryPair::read(&folder).unwrap();
        assert_eq!(back[0].names, found[0].names);
        assert!(back.iter().zip(&found).all(|(a, b)| (a.values[1] - b.values[1]).abs() < 1e-12));
    }

    #[test]
    fn extremes_differ_most_in_rank_and_share_no_category() {
        let pair = |names: [&str; 2], values| CategoryPair { names: names.map(String::from), unseen: 0, values };
        let all = [
            pair(["a", "b"], [0.9, 0.0]),
            pair(["a", "c"], [0.8, 0.1]),
            pair(["c", "d"], [0.0, 0.9]),
            pair(["e", "f"], [0.7, 0.8]),
            pair(["b", "d"], [0.1, 0.2]),
        ];
        let [near, meant, both] =
            extremes(&all, 2).map(|kind| kind.iter().map(|p| p.names.concat()).collect::<Vec<_>>());
        // a-c shares a category with a-b; of those left e-f and c-d, b-d has -1 of v - s.
        assert_eq!((near[0].as_str(), meant[0].as_str(), both[0].as_str()), ("ab", "cd", "ef"));
        assert!(!near.contains(&"ac".to_string()));
    }
}
