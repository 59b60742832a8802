//! Drawings that are not complete: their beginning, or with strokes missing.
//!
//! All shares are percentages of the whole drawing and become counts by one rule:
//!
//! ```text
//! kept = max(1, round(share / 100 * count))    halves round up; 0 of 0
//! ```
//!
//! So 100% is the drawing itself, and 0% is still its first point or stroke: an empty picture retrieves nothing.

use super::Sketch;
use crate::{Error, Result, seed::Stream};
use rand::seq::SliceRandom;

/// The first `share` percent of a drawing's points; a stroke that is cut keeps its beginning.
///
/// # Shapes
/// `share`: 0 to 100; see [the module](self) for the rounding.
///
/// # Errors
/// A share outside 0 to 100.
///
/// ```
/// use retrace::sketch::{Point, Sketch, partial::first_points};
/// let [a, b, c] = [1.0, 2.0, 3.0].map(|x| Point::new(x, 0.0));
/// let sketch = Sketch { strokes: vec![vec![a], vec![b, c]] };
/// assert_eq!(first_points(&sketch, 66.0)?.strokes, [vec![a], vec![b]]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn first_points(sketch: &Sketch, share: f64) -> Result<Sketch> {
    let mut left = kept(share, sketch.points())?;
    let mut strokes = Vec::new();
    for stroke in &sketch.strokes {
        if left == 0 {
            break;
        }
        let count = left.min(stroke.len());
        strokes.push(stroke[..count].to_vec());
        left -= count;
    }
    Ok(Sketch { strokes })
}

/// The first `share` percent of a drawing's strokes.
///
/// # Shapes
/// `share`: 0 to 100; see [the module](self) for the rounding.
///
/// # Errors
/// A share outside 0 to 100.
///
/// ```
/// use retrace::sketch::{Point, Sketch, partial::first_strokes};
/// let sketch = Sketch { strokes: [1.0, 2.0, 3.0].map(|x| vec![Point::new(x, 0.0)]).to_vec() };
/// assert_eq!(first_strokes(&sketch, 50.0)?.strokes, sketch.strokes[..2]); // 1.5 rounds up
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn first_strokes(sketch: &Sketch, share: f64) -> Result<Sketch> {
    let count = kept(share, sketch.strokes.len())?;
    Ok(Sketch { strokes: sketch.strokes[..count].to_vec() })
}

/// A drawing without `share` percent of its strokes, drawn at random; the others keep their order.
///
/// The same state of the stream with a larger share drops the same strokes and more.
///
/// # Shapes
/// `share`: 0 to 100 is dropped; `100 - share` is kept, see [the module](self) for the rounding.
///
/// # Errors
/// A share outside 0 to 100.
///
/// ```
/// use retrace::{seed::Seed, sketch::{Point, Sketch, partial::drop_strokes}};
/// let sketch = Sketch { strokes: [1.0, 2.0, 3.0, 4.0].map(|x| vec![Point::new(x, 0.0)]).to_vec() };
/// assert_eq!(drop_strokes(&sketch, 50.0, &mut Seed(1).stream("drop"))?.strokes.len(), 2);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn drop_strokes(sketch: &Sketch, share: f64, stream: &mut Stream) -> Result<Sketch> {
    Ok(Sketch { strokes: drop_items(&sketch.strokes, share, stream)? })
}

/// Items without `share` percent of them, as [`drop_strokes`] drops strokes: the objects of a scene, say.
///
/// # Shapes
/// `share`: 0 to 100 is dropped; `100 - share` is kept, see [the module](self) for the rounding.
///
/// # Errors
/// A share outside 0 to 100.
///
/// ```
/// use retrace::{seed::Seed, sketch::partial::drop_items};
/// assert_eq!(drop_items(&[1, 2, 3, 4, 5], 30.0, &mut Seed(1).stream("drop"))?.len(), 4); // 3.5 rounds up
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn drop_items<T: Clone>(items: &[T], share: f64, stream: &mut Stream) -> Result<Vec<T>> {
    check(share)?;
    let count = kept(100.0 - share, items.len())?;
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.shuffle(stream);
    order.truncate(count);
    order.sort_unstable();
    Ok(order.into_iter().map(|at| items[at].clone()).collect())
}

/// How many of `count` a share is.
fn kept(share: f64, count: usize) -> Result<usize> {
    check(share)?;
    // The product first: 30 * 10 / 100 is exactly 3, 0.3 * 10 need not be.
    let rounded = (share * count as f64 / 100.0).round() as usize;
    Ok(rounded.max(1).min(count))
}

fn check(share: f64) -> Result<()> {
    if (0.0..=100.0).contains(&share) { Ok(()) } else { Err(Error::value("share", "0 to 100 percent", share)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        seed::Seed,
        sketch::{Point, any_sketch},
    };
    use proptest::prelude::*;

    /// Ten strokes of ten points; x tells the stroke, y the point.
    fn ten() -> Sketch {
        let stroke = |x| (0..10).map(|y| Point::new(x as f32, y as f32)).collect();
        Sketch { strokes: (0..10).map(stroke).collect() }
    }

    #[test]
    fn partial_counts_by_hand() {
        let points = |share| first_points(&ten(), share).unwrap().points();
        assert_eq!([0.0, 0.4, 1.5, 25.0, 99.4, 99.5].map(points), [1, 1, 2, 25, 99, 100]);
        let strokes = |share| first_strokes(&ten(), share).unwrap().strokes.len();
        assert_eq!([0.0, 4.9, 14.9, 15.0, 30.0, 100.0].map(strokes), [1, 1, 1, 2, 3, 10]);
        let dropped = |share| drop_strokes(&ten(), share, &mut Seed(0).stream("drop")).unwrap().strokes.len();
        assert_eq!([0.0, 10.0, 50.0, 96.0, 100.0].map(dropped), [10, 9, 5, 1, 1]);
    }

    #[test]
    fn a_cut_stroke_keeps_its_beginning() {
        let cut = first_points(&ten(), 13.0).unwrap();
        assert_eq!(cut.strokes, [ten().strokes[0].clone(), ten().strokes[1][..3].to_vec()]);
    }

    #[test]
    fn partial_refuses_shares_outside_0_to_100() {
        for share in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            assert!(first_points(&ten(), share).is_err());
            assert!(first_strokes(&ten(), share).unwrap_err().to_string().starts_with("share: expected 0 to 100"));
            assert!(drop_strokes(&ten(), share, &mut Seed(0).stream("drop")).is_err());
        }
    }

    #[test]
    fn an_empty_drawing_stays_empty() {
        let none = Sketch::default();
        assert_eq!(first_points(&none, 50.0).unwrap(), none);
        assert_eq!(first_strokes(&none, 50.0).unwrap(), none);
        assert_eq!(drop_strokes(&none, 50.0, &mut Seed(0).stream("drop")).unwrap(), none);
    }

    #[test]
    fn the_seed_chooses_and_every_stroke_can_go() {
        let kept = |seed| drop_strokes(&ten(), 50.0, &mut Seed(seed).stream("drop")).unwrap();
        assert_eq!(kept(3), kept(3));
        let mut times = [0; 10];
        for seed in 0..1000 {
            kept(seed).strokes.iter().for_each(|stroke| times[stroke[0].x as usize] += 1);
        }
        // Binomial(1000, 1/2): standard deviation 16, five of them either way.
        assert!(times.iter().all(|&count: &i32| (count - 500).abs() < 80), "{times:?}");
    }

    proptest! {
        #[test]
        fn partial_of_100_percent_is_the_sketch(sketch in any_sketch(), seed: u64) {
            prop_assert_eq!(&first_points(&sketch, 100.0).unwrap(), &sketch);
            prop_assert_eq!(&first_strokes(&sketch, 100.0).unwrap(), &sketch);
            prop_assert_eq!(&drop_strokes(&sketch, 0.0, &mut Seed(seed).stream("drop")).unwrap(), &sketch);
        }

        #[test]
        fn partial_of_a_larger_share_contains_the_smaller(sketch in any_sketch(), share in 0.0f64..=100.0, more in 0.0f64..=100.0, seed: u64) {
            let (less, more) = (share.min(more), share.max(more));
            let rows = |share| first_points(&sketch, share).unwrap().strokes.concat();
            prop_assert!(!rows(less).is_empty() && rows(more).starts_with(&rows(less)));
            let dropped = |share| drop_strokes(&sketch, share, &mut Seed(seed).stream("drop")).unwrap().strokes;
            prop_assert!(!dropped(more).is_empty() && dropped(more).iter().all(|stroke| dropped(less).contains(stroke)));
        }
    }
}
