//! Fig. 4: pairs of categories that look alike, that mean alike, or both; and all pairs.

use super::super::analysis::{AssignedWord, CategoryPair, ROWS, extremes, histograms};
use super::{SHOWN, Shown, readable};
use crate::Result;
use crate::report::analysis::Folder;
use crate::report::figure::histogram::{self, HistogramBar, HistogramPart, Histograms};
use crate::report::figure::scatter::{self, PointCloud, Scatter, ScatterPart};
use crate::report::records::Records;
use image::RgbImage;

/// Pairs of a kind, words of a pair, and sketches of a category.
const PAIRS: usize = 2;
const WORDS: usize = 10;
const SKETCHES: usize = 2;

const KINDS: [&str; 3] =
    ["(a) look alike, mean different things", "(b) mean alike, look different", "(c) look and mean alike"];

/// The pairs of Fig. 4; none before the row was analysed.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn pairs(records: &Records, shown: &Shown) -> Result<Option<String>> {
    let Some(folder) = records.first_analysed(SHOWN, "similarity") else { return Ok(None) };
    let (all, words) = (CategoryPair::read(&folder)?, AssignedWord::read(&folder)?);
    let mut parts = Vec::new();
    for (i, (kind, name)) in extremes(&all, PAIRS).into_iter().zip(KINDS).enumerate() {
        for pair in kind {
            parts.push(part(pair, name, i == 1, &words, shown)?);
        }
    }
    let figure = Histograms {
        title: format!("Fig. 4: pairs of categories by sight and by meaning, {}", records.dataset),
        note: "Vis-Sim: cosine of the histograms over all words; Sem-Sim: of the word vectors. Pairs whose ranks by both \
               differ most (a, b) or of which the lower one is highest (c). Bars: sketches with a word, of the ten words \
               with most sketches of both (a, c) or with the largest differences (b). Ours-Full, the first seed."
            .into(),
        parts,
        columns: PAIRS,
    };
    histogram::draw(&figure).map(Some)
}

fn part(
    pair: &CategoryPair,
    kind: &str,
    by_difference: bool,
    words: &[AssignedWord],
    shown: &Shown,
) -> Result<HistogramPart> {
    let count = words.iter().map(|own| own.word + 1).max().unwrap_or(0);
    let histograms = histograms(words, count);
    let [one, other] = pair.names.each_ref().map(|name| &histograms[name.as_str()]);
    let score = |word: &usize| {
        let [a, b] = [one[*word], other[*word]];
        if by_difference { ((a - b).abs(), 0.0) } else { (a.min(b), a.max(b)) }
    };
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| score(b).partial_cmp(&score(a)).unwrap_or(std::cmp::Ordering::Equal));
    order.truncate(WORDS);
    let bar = |word: &usize| HistogramBar {
        label: format!("word {word}"),
        values: vec![one[*word], other[*word]],
        bold: false,
    };
    let mut pictures = Vec::new();
    for name in &pair.names {
        pictures.extend(examples(name, &order, words, shown)?);
    }
    Ok(HistogramPart {
        title: kind.into(),
        note: format!("Vis-Sim {:.2}, Sem-Sim {:.2}", pair.values[0], pair.values[1]),
        series: pair.names.iter().map(|name| readable(name)).collect(),
        bars: order.iter().map(bar).collect(),
        pictures,
    })
}

/// A sketch with each of the first of some words that the category has.
fn examples(category: &str, order: &[usize], words: &[AssignedWord], shown: &Shown) -> Result<Vec<(RgbImage, String)>> {
    let of = |word: &usize| words.iter().find(|own| own.word == *word && own.category == category);
    let mut found = Vec::new();
    for own in order.iter().filter_map(of).take(SKETCHES) {
        found.extend(shown.sketch(own.sketch)?.map(|picture| (picture, format!("word {}", own.word))));
    }
    Ok(found)
}

/// Vis-Sim over Sem-Sim of all pairs of categories, a part a row; none before one was analysed.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn scatter(records: &Records) -> Result<Option<String>> {
    let mut parts = Vec::new();
    for (row, label) in ROWS {
        if let Some(folder) = records.first_analysed(row, "correlation") {
            parts.push(scatter_part(&folder, label)?);
        }
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let figure = Scatter {
        title: format!("Do categories that look alike mean alike? {}", records.dataset),
        note: "A point: a pair of categories. In brackets: 95% intervals from a bootstrap of the categories. The first seed \
               of each row."
            .into(),
        parts,
        border: None,
    };
    scatter::draw(&figure).map(Some)
}

fn scatter_part(folder: &Folder, label: &str) -> Result<ScatterPart> {
    let all = CategoryPair::read(folder)?;
    let cloud = |unseen: usize, label: &str| PointCloud {
        label: label.into(),
        points: all.iter().filter(|pair| pair.unseen == unseen).map(|pair| (pair.values[1], pair.values[0])).collect(),
    };
    let said = |measure: &str, name: &str| -> Result<String> {
        let lines = folder.lines_where("correlation", &[("measure", measure)], ["value", "low", "high"])?;
        let [value, low, high] = lines.first().copied().unwrap_or_default();
        Ok(format!("{name} {value:.2} [{low:.2}, {high:.2}]"))
    };
    Ok(ScatterPart {
        title: format!("{label}: {} pairs", all.len()),
        note: format!("{}, {}", said("pearson", "Pearson")?, said("spearman", "Spearman")?),
        x: "Sem-Sim: cosine of word vectors".into(),
        y: "Vis-Sim: cosine of histograms of words".into(),
        clouds: vec![cloud(0, "both seen"), cloud(1, "one unseen"), cloud(2, "both unseen")],
    })
}
