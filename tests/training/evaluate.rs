//! Ranks against embeddings made by hand.

use crate::feature::InputTable;
use candle_core::Tensor;
use retrace::Result;
use retrace::dataset::{Index, Pair, PhotoEntry, SketchEntry, Split};
use retrace::experiment::ranker::{early, evaluate, robustness};
use retrace::experiment::{Embedded, Queries};
use retrace::run::Rank;
use retrace::seed::{Seed, Stream};
use retrace::sketch::DeformConfig;
use retrace::train::Feed;

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
    assert_eq!((&test.sketches[..], test.gallery(0), &test.own[..]), (&[0, 2, 3][..], &[0, 2, 4][..], &[2, 0, 0][..]));
    let valid = Queries::of(&index(), Split::Valid);
    assert_eq!((&valid.sketches[..], valid.gallery(0), &valid.own[..]), (&[4][..], &[3][..], &[0][..]));
    let nothing = Queries::of(&Index::default(), Split::Test);
    assert!(nothing.sketches.is_empty() && nothing.photos().is_empty() && nothing.gallery(0).is_empty());
}

fn rank(query: u32, photo: u32, rank: u32) -> Rank {
    Rank { query, photo, rank, gallery: None }
}

/// On a line: photos 0, 2, 4 of the index at 0, 10 and 4.
const PHOTOS: [f32; 5] = [0.0, 99.0, 10.0, 99.0, 4.0];
/// Sketch 0 (of photo 4) at 6: nearest first 4, 2 away; 10, 4 away. Sketch 2 (of photo 0) at 3: 4 is nearer than 0.
/// Sketch 3 (of photo 0) at 9: 10, 4, 0.
const SKETCHES: [f32; 5] = [6.0, 99.0, 3.0, 9.0, 99.0];

#[test]
fn evaluate_ranks_by_hand() {
    let queries = Queries::of(&index(), Split::Test);
    let expected = [rank(0, 4, 1), rank(2, 0, 2), rank(3, 0, 3)];
    assert_eq!(queries.ranks(&[vec![6.0, 4.0, 2.0], vec![3.0, 7.0, 1.0], vec![9.0, 1.0, 5.0]]).unwrap(), expected);
    let feed = InputTable { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let same = |x: &Tensor| Ok(x.clone());
    let ranks = evaluate(&Embedded { embed: &same, feed: &feed }, &queries).unwrap();
    assert_eq!(ranks, expected);
    let scores = queries.scores(&ranks).unwrap();
    assert!((scores.acc1 - 100.0 / 3.0).abs() < 1e-9 && scores.acc5 == 100.0 && scores.acc10 == 100.0);
    // Shares of the other photos that lie behind the own one: 2 of 2, 1 of 2, none.
    assert!((scores.percentile - average_percentile(&[1, 2, 3], 3)).abs() < 1e-9, "{}", scores.percentile);
}

fn average_percentile(ranks: &[u32], gallery: u32) -> f64 {
    retrace::metric::average_percentile(ranks, gallery).unwrap()
}

#[test]
fn a_network_that_maps_all_to_one_point_finds_nothing() {
    let feed = InputTable { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let collapsed = |x: &Tensor| Ok((x * 0.0)?);
    let ranks = evaluate(&Embedded { embed: &collapsed, feed: &feed }, &Queries::of(&index(), Split::Test)).unwrap();
    assert!(ranks.iter().all(|rank| rank.rank == 3), "{ranks:?}");
}

#[test]
fn a_network_that_is_broken_is_an_error_and_no_rank() {
    let feed = InputTable { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let broken = |x: &Tensor| Ok((x * f64::NAN)?);
    assert!(evaluate(&Embedded { embed: &broken, feed: &feed }, &Queries::of(&index(), Split::Test)).is_err());
    let empty = Queries::of(&Index { sketches: vec![], ..index() }, Split::Test);
    let none = evaluate(&Embedded { embed: &|x: &Tensor| Ok(x.clone()), feed: &feed }, &empty).unwrap();
    assert!(none.is_empty() && empty.scores(&none).is_err());
}

/// Photos 0, 2 and 4 are of two classes; each sketch meets those of its own alone.
#[test]
fn queries_of_a_class_meet_its_photos_alone() {
    let mut index = index();
    index.photos[2].category = "chair".into(); // it has no sketch
    let queries = Queries::of(&index, Split::Test);
    assert_eq!((queries.gallery_size(), queries.photos()), (2, vec![0, 2, 4]));
    assert!((0..3).all(|query| queries.gallery(query) == [0, 4]));
    index.photos[4].category = "boot".into();
    let queries = Queries::of(&index, Split::Test);
    assert_eq!((0..3).map(|query| queries.gallery(query)).collect::<Vec<_>>(), [&[4][..], &[0], &[0]]);
    let feed = InputTable { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let same = |x: &Tensor| Ok(x.clone());
    let ranks = evaluate(&Embedded { embed: &same, feed: &feed }, &queries).unwrap();
    let alone = |query, photo| Rank { gallery: Some(1), ..rank(query, photo, 1) };
    assert_eq!(ranks, [alone(0, 4), alone(2, 0), alone(3, 0)]);
    assert!(queries.ranks(&[vec![1.0], vec![1.0]]).is_err()); // a row too few
    assert!(queries.ranks(&[vec![1.0, 2.0], vec![1.0], vec![1.0]]).is_err()); // a row too long
}

/// At p percent a sketch has come p percent of its way from 100.
struct Growing(InputTable);

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
    let feed = Growing(InputTable { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() });
    let queries = Queries::of(&index(), Split::Test);
    let same = |x: &Tensor| Ok(x.clone());
    let early = early(&Embedded { embed: &same, feed: &feed }, &queries, &[0, 100]).unwrap();
    // From 100 the order is 10, 4, 0.
    assert_eq!(early[0], (0, vec![rank(0, 4, 2), rank(2, 0, 3), rank(3, 0, 3)]));
    assert_eq!(early[1], (100, evaluate(&Embedded { embed: &same, feed: &feed }, &queries).unwrap()));
}

#[test]
fn robustness_ranks_are_of_deformed_sketches() {
    let feed = Growing(InputTable { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() });
    let queries = Queries::of(&index(), Split::Test);
    let same = |x: &Tensor| Ok(x.clone());
    let config = DeformConfig { noise: 4.0, ..DeformConfig::none() };
    let ranks = robustness(&Embedded { embed: &same, feed: &feed }, &queries, &config, Seed(0), 3).unwrap();
    // Sketches at 6, 3 and 9; then at 10, 7 and 13; then at 14, 11 and 17. Photos 0, 10 and 4 of the index.
    assert_eq!(ranks[0], (0, evaluate(&Embedded { embed: &same, feed: &feed }, &queries).unwrap()));
    assert_eq!(ranks[1], (1, vec![rank(0, 4, 2), rank(2, 0, 3), rank(3, 0, 3)]));
    assert_eq!(ranks[2], (2, vec![rank(0, 4, 2), rank(2, 0, 3), rank(3, 0, 3)]));
    assert_eq!(ranks.len(), 3);
    // The seed reaches the feed.
    assert_eq!(
        robustness(&Embedded { embed: &same, feed: &feed }, &queries, &config, Seed(4), 1).unwrap()[0].1,
        ranks[1].1
    );
    let silent = InputTable { photos: PHOTOS.to_vec(), sketches: SKETCHES.to_vec() };
    let error =
        robustness(&Embedded { embed: &same, feed: &silent }, &queries, &config, Seed(0), 1).unwrap_err().to_string();
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
    let embedded = Embedded { embed: &|x: &Tensor| Ok(x.clone()), feed: &InputTable { photos, sketches } };
    let ranks = evaluate(&embedded, &Queries::of(&index, Split::Test)).unwrap();
    assert!(ranks.len() == 150 && ranks.iter().all(|rank| rank.rank == 1 && rank.query + rank.photo == 149));
}
