//! Ranks against embeddings made by hand.

use crate::feature::Table;
use candle_core::Tensor;
use retrace::Result;
use retrace::dataset::{Index, Pair, PhotoEntry, SketchEntry, Split};
use retrace::run::Rank;
use retrace::seed::{Seed, Stream};
use retrace::sketch::DeformConfig;
use retrace::train::{Feed, Queries, early, evaluate, robustness, scores};

/// Photos 0 test, 1 train, 2 test, 3 valid, 4 test; sketches of 4, 1, 0, 0, 3.
fn index() -> Index {
    let splits = [Split::Test, Split::Train, Split::Test, Split::Valid, Split::Test];
    let photo = |(i, split): (usize, Split)| PhotoEntry { id: i.to_string(), category: "shoe".into(), split };
    let sketch = |photo| SketchEntry { id: "1".into(), photo, sketcher: None };
    Index {
        photos: splits.into_iter().enumerate().map(photo).collect(),
        sketches: [4, 1, 0, 0, 3].map(sketch).to_vec(),
    }
}

#[test]
fn queries_are_the_sketches_and_photos_of_one_split() {
    let test = Queries::of(&index(), Split::Test);
    assert_eq!(test, Queries { sketches: vec![0, 2, 3], gallery: vec![0, 2, 4], own: vec![2, 0, 0] });
    let valid = Queries::of(&index(), Split::Valid);
    assert_eq!(valid, Queries { sketches: vec![4], gallery: vec![3], own: vec![0] });
    assert_eq!(Queries::of(&Index::default(), Split::Test), Queries { sketches: vec![], gallery: vec![], own: vec![] });
}

fn rank(query: u32, photo: u32, rank: u32) -> Rank {
    Rank { query, photo, rank }
}

/// On a line: photos 0, 2, 4 of the index at 0, 10 and 4.
const PHOTOS: [f32; 5] = [0.0, 99.0, 10.0, 99.0, 4.0];
/// Sketch 0 (of photo 4) at 6: nearest first 4, 2 away; 10, 4 away. Sketch 2 (of photo 0) at 3: 4 is nearer than 0.
/// Sketch 3 (of photo 0) at 9: 10, 4, 0.
const SKETCHES: [f32; 5] = [6.0, 99.0, 3.0, 9.0, 99.0];

#[test]
fn ranks_by_hand() {
    let queries = Queries::of(&index(), Split::Test);
    let expected = [rank(0, 4, 1), rank(2, 0, 2), rank(3, 0, 3)];
    assert_eq!(queries.ranks(&[6.0, 4.0, 2.0, 3.0, 7.0, 1.0, 9.0, 1.0, 5.0]).unwrap(), expected);
    let feed = Table { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let same = |x: &Tensor| Ok(x.clone());
    let ranks = evaluate(&same, &feed, &queries).unwrap();
    assert_eq!(ranks, expected);
    let scores = scores(&ranks, 3).unwrap();
    assert!((scores.acc1 - 100.0 / 3.0).abs() < 1e-9 && scores.acc5 == 100.0 && scores.acc10 == 100.0);
    // Shares of the other photos that lie behind the own one: 2 of 2, 1 of 2, none.
    assert!((scores.percentile - average_percentile(&[1, 2, 3], 3)).abs() < 1e-9, "{}", scores.percentile);
}

fn average_percentile(ranks: &[u32], gallery: u32) -> f64 {
    retrace::metric::average_percentile(ranks, gallery).unwrap()
}

#[test]
fn a_network_that_maps_all_to_one_point_finds_nothing() {
    let feed = Table { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let collapsed = |x: &Tensor| Ok((x * 0.0)?);
    let ranks = evaluate(&collapsed, &feed, &Queries::of(&index(), Split::Test)).unwrap();
    assert!(ranks.iter().all(|rank| rank.rank == 3), "{ranks:?}");
}

#[test]
fn a_network_that_is_broken_is_an_error_and_no_rank() {
    let feed = Table { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let broken = |x: &Tensor| Ok((x * f64::NAN)?);
    assert!(evaluate(&broken, &feed, &Queries::of(&index(), Split::Test)).is_err());
    let nobody = Queries { sketches: vec![], gallery: vec![0], own: vec![] };
    let none = evaluate(&|x: &Tensor| Ok(x.clone()), &feed, &nobody).unwrap();
    assert!(none.is_empty() && scores(&none, 1).is_err());
}

/// At p percent a sketch has come p percent of its way from 100.
struct Growing(Table);

impl Feed for Growing {
    fn pairs(&self, pairs: &[Pair], stream: &mut Stream) -> Result<(Tensor, Tensor)> {
        self.0.pairs(pairs, stream)
    }
    fn sketches(&self, positions: &[usize]) -> Result<Tensor> {
        self.0.sketches(positions)
    }
    fn photos(&self, positions: &[usize]) -> Result<Tensor> {
        self.0.photos(positions)
    }
    fn partial(&self, positions: &[usize], percent: u32) -> Result<Tensor> {
        let share = f64::from(percent) / 100.0;
        Ok(((self.sketches(positions)? * share)? + 100.0 * (1.0 - share))?)
    }
    /// Moved by noise times version, and by the seed.
    fn deformed(&self, positions: &[usize], config: &DeformConfig, seed: Seed, version: u32) -> Result<Tensor> {
        let by = f64::from(config.noise) * f64::from(version) + seed.0 as f64;
        Ok((self.sketches(positions)? + by)?)
    }
}

#[test]
fn early_ranks_are_of_partial_sketches() {
    let feed = Growing(Table { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() });
    let queries = Queries::of(&index(), Split::Test);
    let same = |x: &Tensor| Ok(x.clone());
    let early = early(&same, &feed, &queries, &[0, 100]).unwrap();
    // From 100 the order is 10, 4, 0.
    assert_eq!(early[0], (0, vec![rank(0, 4, 2), rank(2, 0, 3), rank(3, 0, 3)]));
    assert_eq!(early[1], (100, evaluate(&same, &feed, &queries).unwrap()));
}

#[test]
fn robustness_ranks_are_of_deformed_sketches() {
    let feed = Growing(Table { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() });
    let queries = Queries::of(&index(), Split::Test);
    let same = |x: &Tensor| Ok(x.clone());
    let config = DeformConfig { noise: 4.0, ..DeformConfig::none() };
    let ranks = robustness(&same, &feed, &queries, &config, Seed(0), 3).unwrap();
    // Sketches at 6, 3 and 9; then at 10, 7 and 13; then at 14, 11 and 17. Photos 0, 10 and 4 of the index.
    assert_eq!(ranks[0], (0, evaluate(&same, &feed, &queries).unwrap()));
    assert_eq!(ranks[1], (1, vec![rank(0, 4, 2), rank(2, 0, 3), rank(3, 0, 3)]));
    assert_eq!(ranks[2], (2, vec![rank(0, 4, 2), rank(2, 0, 3), rank(3, 0, 3)]));
    assert_eq!(ranks.len(), 3);
    // The seed reaches the feed.
    assert_eq!(robustness(&same, &feed, &queries, &config, Seed(4), 1).unwrap()[0].1, ranks[1].1);
    let silent = Table { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let error = robustness(&same, &silent, &queries, &config, Seed(0), 1).unwrap_err().to_string();
    assert!(error.contains("a feed that draws strokes anew"), "{error}");
}

/// More rows than a chunk: chunks are put together in order.
#[test]
fn chunks_are_put_together_in_order() {
    let photo = |i: usize| PhotoEntry { id: i.to_string(), category: "shoe".into(), split: Split::Test };
    let sketch = |photo| SketchEntry { id: "1".into(), photo, sketcher: None };
    let index = Index { photos: (0..150).map(photo).collect(), sketches: (0..150).rev().map(sketch).collect() };
    let photos: Vec<f32> = (0..150).map(|i| ((i * 37) % 150) as f32).collect();
    let sketches: Vec<f32> = photos.iter().rev().map(|x| x + 0.25).collect();
    let ranks = evaluate(&|x: &Tensor| Ok(x.clone()), &Table { photos, sketches }, &Queries::of(&index, Split::Test));
    let ranks = ranks.unwrap();
    assert!(ranks.len() == 150 && ranks.iter().all(|rank| rank.rank == 1 && rank.query + rank.photo == 149));
}
