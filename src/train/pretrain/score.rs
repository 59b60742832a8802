//! Accuracy of each attribute on held-out photos.

use super::config::PretrainConfig;
use super::photo::PhotoSet;
use super::trunk::Trunk;
use crate::Result;
use crate::dataset::synthetic::Photos;
use crate::metric::nearest;
use crate::model::{Mode, l2_normalise};
use crate::seed::Seed;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

/// Photos to a forward pass.
const CHUNK: usize = 64;

/// The result of a pre-training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainReport {
    /// The scores of each attribute that a held-out photo has, in the order of [`Photos::classes`].
    pub attributes: Vec<AttributeScore>,
    /// Mean of the attributes' accuracies, in percent.
    pub mean: f64,
    /// Wall time of drawing the photos and of training, in seconds.
    pub seconds: f64,
}

/// How well an attribute is known on the held-out photos that have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeScore {
    /// As in [`Photos::classes`].
    pub name: String,
    /// Photos that are classified rightly, in percent.
    pub accuracy: f64,
    /// Photos of the commonest class, in percent: the accuracy of a constant answer.
    pub commonest: f64,
    /// How many photos have it.
    pub photos: usize,
}

/// Photos of each class of an attribute, and how many are classified rightly.
struct Tally {
    right: usize,
    classes: Vec<usize>,
}

impl Tally {
    fn add(&mut self, label: usize, found: u32) {
        self.right += usize::from(found as usize == label);
        self.classes[label] += 1;
    }

    fn score(&self, name: &str) -> Option<AttributeScore> {
        let photos: usize = self.classes.iter().sum();
        let percent = |count: usize| round(100.0 * count as f64 / photos as f64, 100.0);
        let commonest = percent(self.classes.iter().copied().max()?);
        (photos > 0).then(|| AttributeScore { name: name.into(), accuracy: percent(self.right), commonest, photos })
    }
}

/// One of each attribute, empty.
fn tallies() -> Vec<Tally> {
    Photos::classes().iter().map(|(_, count)| Tally { right: 0, classes: vec![0; *count] }).collect()
}

/// The scores of the attributes that a photo had.
fn scores(tallies: &[Tally]) -> Vec<AttributeScore> {
    Photos::classes().iter().zip(tallies).filter_map(|((name, _), tally)| tally.score(name)).collect()
}

/// Positions of the photos that are not trained on.
fn held_out(config: &PretrainConfig) -> Vec<usize> {
    (config.photos..config.photos + config.valid_photos).collect()
}

/// Classifies the held-out photos, as they are; `classify` gives a class a photo, attribute by attribute.
pub(super) fn measure(
    classify: impl Fn(&Tensor) -> Result<Vec<Vec<u32>>>,
    photos: &PhotoSet,
    config: &PretrainConfig,
) -> Result<Vec<AttributeScore>> {
    let (mut tallies, held_out) = (tallies(), held_out(config));
    for chunk in held_out.chunks(CHUNK) {
        let (pictures, labels) = photos.plain(chunk)?;
        for (attribute, found) in classify(&pictures)?.iter().enumerate() {
            for (labels, found) in labels.iter().zip(found) {
                labels[attribute].into_iter().for_each(|label| tallies[attribute].add(label, *found));
            }
        }
    }
    Ok(scores(&tallies))
}

/// Neighbours that vote: the usual small odd number is enough of 2,000 photos, and breaks most ties.
const VOTERS: usize = 9;

/// Training photos that may vote; more change little and cost a forward pass each.
const REFERENCES: usize = 2000;

/// Gives each held-out photo the attributes that most of its nearest training photos have (cosine of pooled features).
pub(super) fn probe(trunk: &Trunk, photos: &PhotoSet, config: &PretrainConfig) -> Result<Vec<AttributeScore>> {
    let references: Vec<usize> = (0..config.photos.min(REFERENCES)).collect();
    let (mut tallies, held_out) = (tallies(), held_out(config));
    let plain = |positions: &[usize]| embed(trunk, positions, |chunk| Ok(photos.plain(chunk)?.0));
    let similarity = plain(&held_out)?.matmul(&plain(&references)?.t()?)?;
    for (own, row) in held_out.iter().zip(similarity.to_vec2::<f32>()?) {
        let far: Vec<f32> = row.iter().map(|cosine| -cosine).collect();
        let voters = nearest(&far, VOTERS.min(far.len()))?;
        let votes = voters.into_iter().map(|i| photos.labels(references[i])).collect::<Result<Vec<_>>>()?;
        for (attribute, label) in photos.labels(*own)?.into_iter().enumerate() {
            let Some(label) = label else { continue };
            tallies[attribute].add(label, vote(votes.iter().filter_map(|labels| labels[attribute])));
        }
    }
    Ok(scores(&tallies))
}

/// How often a deformed, recoloured view of a held-out photo lies nearest to that photo among all of them: this can be
/// measured without labels.
pub(super) fn own_photo(trunk: &Trunk, photos: &PhotoSet, config: &PretrainConfig) -> Result<Vec<AttributeScore>> {
    let held_out = held_out(config);
    let mut stream = Seed(0).stream("probe"); // the same views after every epoch
    let views = embed(trunk, &held_out, |chunk| Ok(photos.augmented(chunk, config, &mut stream)?.0))?;
    found(&views, trunk, photos, &held_out)
}

/// How often the edges of a held-out photo lie nearest to that photo among all of them.
pub(super) fn own_edges(trunk: &Trunk, photos: &PhotoSet, config: &PretrainConfig) -> Result<Vec<AttributeScore>> {
    let held_out = held_out(config);
    let maps = embed(trunk, &held_out, |chunk| photos.edges(chunk))?;
    found(&maps, trunk, photos, &held_out)
}

/// How many rows lie nearest to the photo that they were made of.
fn found(rows: &Tensor, trunk: &Trunk, photos: &PhotoSet, held_out: &[usize]) -> Result<Vec<AttributeScore>> {
    let plain = embed(trunk, held_out, |chunk| Ok(photos.plain(chunk)?.0))?;
    let best = rows.matmul(&plain.t()?)?.argmax(1)?.to_vec1::<u32>()?;
    let mut tally = Tally { right: 0, classes: vec![1; held_out.len()] };
    tally.right = best.iter().enumerate().filter(|(own, found)| *own == **found as usize).count();
    Ok(tally.score("own photo").into_iter().collect())
}

/// The commonest class; of equals the one whose first voter is nearest. No voter: no class at all.
fn vote(classes: impl Iterator<Item = usize>) -> u32 {
    let classes: Vec<usize> = classes.collect();
    let count = |class: usize| classes.iter().filter(|other| **other == class).count();
    let best = classes.iter().rev().max_by_key(|class| count(**class));
    best.map_or(u32::MAX, |class| *class as u32)
}

/// Pooled features of photos, rows of length 1.
fn embed(trunk: &Trunk, positions: &[usize], mut pictures: impl FnMut(&[usize]) -> Result<Tensor>) -> Result<Tensor> {
    let chunk = |chunk: &[usize]| Ok(l2_normalise(&trunk.features(&pictures(chunk)?, Mode::Eval)?)?.detach());
    Ok(Tensor::cat(&positions.chunks(CHUNK).map(chunk).collect::<Result<Vec<_>>>()?, 0)?)
}

/// Mean accuracy, in percent.
pub(super) fn mean(attributes: &[AttributeScore]) -> f64 {
    round(attributes.iter().map(|score| score.accuracy).sum::<f64>() / attributes.len().max(1) as f64, 100.0)
}

/// Rounds to the nearest of `by` steps to 1.
pub(super) fn round(value: f64, by: f64) -> f64 {
    (value * by).round() / by
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vote_takes_the_majority() {
        assert_eq!(vote([2, 1, 1].into_iter()), 1);
        assert_eq!(vote([2, 1, 3].into_iter()), 2);
        assert_eq!(vote([2, 1, 3, 3, 1].into_iter()), 1);
        assert_eq!(vote([].into_iter()), u32::MAX);
    }

    #[test]
    fn tally_by_hand() {
        let mut tally = Tally { right: 0, classes: vec![0; 3] };
        assert_eq!(tally.score("x"), None);
        [(2, 2), (2, 1), (0, 0), (2, 2)].into_iter().for_each(|(label, found)| tally.add(label, found));
        let score = tally.score("x").unwrap();
        assert_eq!(score, AttributeScore { name: "x".into(), accuracy: 75.0, commonest: 75.0, photos: 4 });
        assert_eq!(mean(&[AttributeScore { accuracy: 25.0, ..score.clone() }, score]), 50.0);
    }
}
