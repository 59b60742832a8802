use crate::seed::Stream;
use rand::seq::SliceRandom;
use std::collections::VecDeque;

/// A sketch and the photo it shows: positions in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Position of the sketch.
    pub sketch: usize,
    /// Position of the photo.
    pub photo: usize,
}

/// Divides an epoch into batches in which every photo occurs once.
///
/// Every pair is visited once, in random order; a pair whose photo is already in the batch waits for the next one.
/// Pairs left over when no full batch of different photos can be made are skipped in this epoch.
///
/// # Shapes
/// Any number of pairs in; batches of exactly `size` pairs out.
///
/// ```
/// use retrace::{dataset::{Pair, batches}, seed::Seed};
/// let pairs: Vec<Pair> = (0..6).map(|sketch| Pair { sketch, photo: sketch / 2 }).collect();
/// for batch in batches(&pairs, 3, &mut Seed(0).stream("shuffle")) {
///     let mut photos: Vec<usize> = batch.iter().map(|pair| pair.photo).collect();
///     photos.sort();
///     assert_eq!(photos, [0, 1, 2]);
/// }
/// ```
pub fn batches(pairs: &[Pair], size: usize, stream: &mut Stream) -> Vec<Vec<Pair>> {
    let mut shuffled = pairs.to_vec();
    shuffled.shuffle(stream);
    let mut queue = VecDeque::from(shuffled);
    let mut batches = Vec::new();
    while let Some(batch) = take_batch(&mut queue, size.max(1)) {
        batches.push(batch);
    }
    batches
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
        let pairs: Vec<Pair> = (0..300).map(|sketch| Pair { sketch, photo: sketch / 3 }).collect();
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
    fn too_few_photos_make_no_batch() {
        let pairs = [Pair { sketch: 0, photo: 0 }, Pair { sketch: 1, photo: 0 }];
        assert!(batches(&pairs, 2, &mut Seed(0).stream("shuffle")).is_empty());
        assert!(batches(&[], 2, &mut Seed(0).stream("shuffle")).is_empty());
    }
}
