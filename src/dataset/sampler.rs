use crate::seed::Stream;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, VecDeque};

/// A sketch and the photo it shows: positions in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Position of the sketch.
    pub sketch: usize,
    /// Position of the photo.
    pub photo: usize,
    /// Pairs of one group, a category, come into the same batches as far as they can: so that the negatives of a sketch
    /// are photos that it could be taken for.
    pub group: usize,
}

/// Divides an epoch into batches in which every photo occurs once.
///
/// Every pair is visited once, in random order; a pair whose photo is already in the batch waits for the next one.
/// Where there are several groups, one follows the other, in an order drawn anew, and the batches are then shuffled.
/// Pairs left over when no full batch of different photos can be made are skipped in this epoch.
///
/// # Shapes
/// Any number of pairs in; batches of exactly `size` pairs out.
///
/// ```
/// use retrace::{dataset::{Pair, batches}, seed::Seed};
/// let pairs: Vec<Pair> = (0..6).map(|sketch| Pair { sketch, photo: sketch / 2, group: 0 }).collect();
/// for batch in batches(&pairs, 3, &mut Seed(0).stream("shuffle")) {
///     let mut photos: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
///     photos.sort();
///     assert_eq!(photos, [0, 1, 2]);
/// }
/// ```
pub fn batches(pairs: &[Pair], size: usize, stream: &mut Stream) -> Vec<Vec<Pair>> {
    let mut shuffled = pairs.to_vec();
    shuffled.shuffle(stream);
    let is_grouped = shuffled.iter().any(|pair| pair.group != shuffled[0].group);
    if is_grouped {
        sort_by_group(&mut shuffled, stream);
    }
    let mut queue = VecDeque::from(shuffled);
    let mut batches = Vec::new();
    while let Some(batch) = take_batch(&mut queue, size.max(1)) {
        batches.push(batch);
    }
    if is_grouped {
        batches.shuffle(stream);
    }
    batches
}

/// Puts the pairs of a group beside each other; they keep their order.
fn sort_by_group(pairs: &mut [Pair], stream: &mut Stream) {
    let mut groups: Vec<usize> = pairs.iter().map(|pair| pair.group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.shuffle(stream);
    let places: BTreeMap<usize, usize> = groups.into_iter().enumerate().map(|(place, group)| (group, place)).collect();
    pairs.sort_by_key(|pair| places.get(&pair.group).copied());
}

/// Takes the first `size` pairs of different photos off the queue; skipped pairs keep their place.
fn take_batch(queue: &mut VecDeque<Pair>, size: usize) -> Option<Vec<Pair>> {
    let mut batch: Vec<Pair> = Vec::with_capacity(size);
    let mut waiting = VecDeque::new();
    while batch.len() < size {
        let pair = queue.pop_front()?;
        if batch.iter().any(|other| other.photo == pair.photo) { waiting.push_back(pair) } else { batch.push(pair) }
    }
    waiting.extend(queue.drain(..));
    *queue = waiting;
    Some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn every_pair_comes_once_and_photos_differ_inside_a_batch() {
        let pairs: Vec<Pair> = (0..300).map(|sketch| Pair { sketch, photo: sketch / 3, group: 0 }).collect();
        let batches = batches(&pairs, 16, &mut Seed(3).stream("shuffle"));
        assert!(batches.len() >= 17, "{} of at most 18 batches", batches.len());
        let mut seen: Vec<usize> = batches.iter().flatten().map(|pair| pair.sketch).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), batches.len() * 16);
        for batch in batches {
            let mut photos: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
            photos.sort();
            photos.dedup();
            assert_eq!(photos.len(), 16);
        }
    }

    #[test]
    fn batches_hold_one_group_as_far_as_they_can() {
        // Three groups of 40 photos, three sketches each. Where one ends, pairs of photos that a batch has already wait, so
        // that up to three batches are mixed at each of the two ends.
        let pair = |sketch: usize| Pair { sketch, photo: sketch / 3, group: sketch / 120 };
        let pairs: Vec<Pair> = (0..360).map(pair).collect();
        let found = batches(&pairs, 16, &mut Seed(4).stream("shuffle"));
        let is_mixed = |batch: &&Vec<Pair>| batch.iter().any(|pair| pair.group != batch[0].group);
        let mixed = found.iter().filter(is_mixed).count();
        assert!(found.len() >= 20 && mixed <= 6, "{mixed} of {}", found.len());
        let firsts: Vec<usize> = found.iter().take(6).map(|batch| batch[0].group).collect();
        assert!(firsts.iter().any(|group| *group != firsts[0]), "{firsts:?}");
    }

    #[test]
    fn too_few_photos_make_no_batch() {
        let pairs = [Pair { sketch: 0, photo: 0, group: 0 }, Pair { sketch: 1, photo: 0, group: 0 }];
        assert!(batches(&pairs, 2, &mut Seed(0).stream("shuffle")).is_empty());
        assert!(batches(&[], 2, &mut Seed(0).stream("shuffle")).is_empty());
    }
}
