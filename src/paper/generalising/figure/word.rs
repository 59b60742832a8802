//! Fig. 1: the categories of some words, with sketches of them.

use super::super::analysis::AssignedWord;
use super::{SHOWN, Shown, readable};
use crate::Result;
use crate::dataset::Split;
use crate::report::figure::histogram::{self, HistogramBar, HistogramPart, Histograms};
use crate::report::records::Records;
use std::collections::BTreeMap;

/// Words of the figure, and categories of a word.
const WORDS: usize = 6;
const CATEGORIES: usize = 10;

/// The words that most sketches have, each with its ten most frequent categories; none before the row was analysed.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn draw(records: &Records, shown: &Shown) -> Result<Option<String>> {
    let Some(folder) = records.first_analysed(SHOWN, "words") else { return Ok(None) };
    let all = AssignedWord::read(&folder)?;
    let mut of_word: BTreeMap<usize, Vec<&AssignedWord>> = BTreeMap::new();
    all.iter().for_each(|own| of_word.entry(own.word).or_default().push(own));
    let mut words: Vec<(usize, Vec<&AssignedWord>)> = of_word.into_iter().collect();
    words.sort_by_key(|(word, own)| (std::cmp::Reverse(own.len()), *word));
    let parts = words.iter().take(WORDS).map(|(word, own)| part(*word, own, shown)).collect::<Result<Vec<_>>>()?;
    let figure = Histograms {
        title: format!("Fig. 1: categories of the words that most sketches have, {}", records.dataset),
        note: "Sketches with the word, of its ten most frequent categories; bold: unseen in training. Pictures: a sketch of \
               each of its two most frequent seen categories and of its most frequent unseen one. Ours-Full, the first seed."
            .into(),
        parts,
        columns: 3,
    };
    histogram::draw(&figure).map(Some)
}

fn part(word: usize, own: &[&AssignedWord], shown: &Shown) -> Result<HistogramPart> {
    let mut counts: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
    for one in own {
        let is_unseen = one.part == Split::Test.name();
        counts.entry((&one.category, is_unseen)).or_default().push(one.sketch);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|((name, _), sketches)| (std::cmp::Reverse(sketches.len()), *name));
    let bar = |((name, unseen), sketches): &((&str, bool), Vec<usize>)| HistogramBar {
        label: readable(name),
        values: vec![sketches.len() as f64],
        bold: *unseen,
    };
    let seen = counts.iter().filter(|((_, unseen), _)| !unseen).take(2);
    let examples = seen.chain(counts.iter().filter(|((_, unseen), _)| *unseen).take(1));
    let mut pictures = Vec::new();
    for ((name, _), sketches) in examples {
        pictures.extend(shown.sketch(sketches[0])?.map(|picture| (picture, readable(name))));
    }
    Ok(HistogramPart {
        title: format!("Word {word}"),
        note: format!("{} sketches of {} categories", own.len(), counts.len()),
        series: Vec::new(),
        bars: counts.iter().take(CATEGORIES).map(bar).collect(),
        pictures,
    })
}
