//! Each part with all others off, then together.

use super::stroke::barycentre;
use super::*;
use crate::seed::Seed;
use crate::sketch::{Point, Stroke, any_sketch};
use proptest::prelude::*;

/// Redraws in a test of bounds: enough to come within 3% of both.
const TIMES: u32 = 500;

/// An L: 30 to the right, 40 down.
fn corner() -> Stroke {
    [(100.0, 100.0), (130.0, 100.0), (130.0, 140.0)].map(|(x, y)| Point::new(x, y)).to_vec()
}

/// Redraws of one stroke.
fn redraws(stroke: Stroke, config: DeformConfig) -> Vec<Stroke> {
    let config = DeformConfig { redraws: [TIMES; 2], ..config };
    config.check().unwrap();
    deform(&Sketch { strokes: vec![stroke] }, &config, &mut Seed(3).stream("deform")).sketch.strokes
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() < 1e-3
}

/// Asserts that drawn numbers stay between two bounds and come near both.
fn fills(values: impl IntoIterator<Item = f32>, low: f32, high: f32) {
    let (least, most) = values.into_iter().fold((f32::MAX, f32::MIN), |(l, h), value| (l.min(value), h.max(value)));
    let slack = 0.03 * (high - low);
    assert!(low - 1e-3 <= least && least < low + slack, "{least} of {low} to {high}");
    assert!(high - slack < most && most <= high + 1e-3, "{most} of {low} to {high}");
}

#[test]
fn a_rotation_keeps_lengths_and_the_barycentre() {
    let config = DeformConfig { rotation: 20.0, ..DeformConfig::none() };
    let angle = |stroke: &Stroke| (stroke[1].y - stroke[0].y).atan2(stroke[1].x - stroke[0].x).to_degrees();
    let turned = redraws(corner(), config);
    for stroke in &turned {
        assert!(near(stroke[0].distance(stroke[1]), 30.0) && near(stroke[1].distance(stroke[2]), 40.0));
        assert!(near(stroke[0].distance(stroke[2]), 50.0));
        assert!(barycentre(stroke).distance(barycentre(&corner())) < 1e-3);
    }
    fills(turned.iter().map(angle), -20.0, 20.0);
}

#[test]
fn scales_are_one_or_two() {
    let config = DeformConfig { scale: [0.5, 1.5], stretch: true, ..DeformConfig::none() };
    let sizes = |stroke: &Stroke| (stroke[1].x - stroke[0].x, stroke[2].y - stroke[1].y);
    let apart: Vec<_> = redraws(corner(), config).iter().map(sizes).collect();
    fills(apart.iter().map(|size| size.0 / 30.0), 0.5, 1.5);
    fills(apart.iter().map(|size| size.1 / 40.0), 0.5, 1.5);
    assert!(apart.iter().any(|size| (size.0 / 30.0 - size.1 / 40.0).abs() > 0.5));
    let together = redraws(corner(), DeformConfig { stretch: false, ..config });
    assert!(together.iter().all(|stroke| near(sizes(stroke).0 / 30.0, sizes(stroke).1 / 40.0)));
    assert!(together.iter().all(|stroke| barycentre(stroke).distance(barycentre(&corner())) < 1e-3));
}

#[test]
fn rotation_comes_before_scale() {
    // Scaled first, a flat line would keep the scale of x when it stands upright; turned first, it has that of y.
    let config = DeformConfig { rotation: 90.0, scale: [1.0, 3.0], stretch: true, ..DeformConfig::none() };
    let flat = vec![Point::new(-10.0, 0.0), Point::new(10.0, 0.0)];
    // The same draws: rotation, scale of x, scale of y, two of the shift.
    let mut stream = Seed(3).stream("deform");
    within([0.0; 2], &mut stream);
    let _: u32 = stream.random_range(TIMES..=TIMES);
    for stroke in redraws(flat, config) {
        let angle = within([-90.0, 90.0], &mut stream).to_radians();
        let (wide, tall) = (within(config.scale, &mut stream), within(config.scale, &mut stream));
        let expected = Point::new(10.0 * wide * angle.cos(), 10.0 * tall * angle.sin());
        assert!(stroke[1].distance(expected) < 1e-3, "{stroke:?} {expected:?}");
        (0..6).for_each(|_| _ = stream.random::<f32>()); // the shift's, the ends' and the points'
    }
}

#[test]
fn a_translation_is_one_for_the_stroke_and_in_every_direction() {
    let config = DeformConfig { translation: 7.0, ..DeformConfig::none() };
    let moved = redraws(corner(), config);
    let shift = |stroke: &Stroke| Point::new(stroke[0].x - 100.0, stroke[0].y - 100.0);
    for stroke in &moved {
        let by = shift(stroke);
        assert!(stroke.iter().zip(corner()).all(|(p, q)| near(p.x - q.x, by.x) && near(p.y - q.y, by.y)));
    }
    fills(moved.iter().map(|stroke| shift(stroke).x.hypot(shift(stroke).y)), 0.0, 7.0);
    fills(moved.iter().map(|stroke| shift(stroke).y.atan2(shift(stroke).x)), -3.15, 3.15);
}

#[test]
fn ends_become_longer_along_their_segments() {
    let config = DeformConfig { overshoot: 5.0, undershoot: false, ..DeformConfig::none() };
    let long = redraws(corner(), config);
    for stroke in &long {
        assert_eq!(stroke[1..4], corner()[..], "{stroke:?}"); // the old points are all there
        assert!(near(stroke[0].y, 100.0) && near(stroke[4].x, 130.0));
    }
    fills(long.iter().map(|stroke| 100.0 - stroke[0].x), 0.0, 5.0);
    fills(long.iter().map(|stroke| stroke[4].y - 140.0), 0.0, 5.0);
}

#[test]
fn ends_become_shorter_up_to_their_neighbour() {
    let config = DeformConfig { overshoot: 35.0, undershoot: true, ..DeformConfig::none() };
    let both = redraws(corner(), config);
    // The first segment is 30 long, the second 40: the first end stops at its neighbour, the second 5 before.
    fills(both.iter().map(|stroke| stroke[0].x), 65.0, 130.0);
    fills(both.iter().map(|stroke| stroke[stroke.len() - 1].y), 105.0, 175.0);
    for stroke in &both {
        let longer = usize::from(stroke[0].x < 100.0) + usize::from(stroke[stroke.len() - 1].y > 140.0);
        assert_eq!(stroke.len(), 3 + longer, "an end that becomes longer is a point more: {stroke:?}");
        assert!(near(stroke[0].y, 100.0) && near(stroke[stroke.len() - 1].x, 130.0));
    }
}

#[test]
fn coherent_noise_is_along_normals() {
    let config = DeformConfig { noise: 3.0, coherent: true, ..DeformConfig::none() };
    let shaken = redraws(corner(), config);
    for stroke in &shaken {
        // Normals: of the first segment for the first two points, of the second for the last.
        assert!(stroke.len() == 3 && stroke[0].x == 100.0 && stroke[1].x == 130.0 && stroke[2].y == 140.0);
    }
    fills(shaken.iter().map(|stroke| stroke[0].y - 100.0), -3.0, 3.0);
    fills(shaken.iter().map(|stroke| stroke[1].y - 100.0), -3.0, 3.0);
    fills(shaken.iter().map(|stroke| stroke[2].x - 130.0), -3.0, 3.0);
    let alike = shaken.iter().filter(|stroke| near(stroke[0].y, stroke[1].y)).count();
    assert!(alike < 5, "every point has a draw of its own: {alike}");
}

#[test]
fn plain_noise_is_in_every_direction() {
    let config = DeformConfig { noise: 3.0, coherent: false, ..DeformConfig::none() };
    let moved = redraws(corner(), config);
    for k in 0..3 {
        fills(moved.iter().map(|stroke| stroke[k].distance(corner()[k])), 0.0, 3.0);
        fills(moved.iter().map(|stroke| (stroke[k].y - corner()[k].y).atan2(stroke[k].x - corner()[k].x)), -3.15, 3.15);
    }
}

#[test]
fn strokes_are_redrawn_in_place() {
    let strokes = [5.0, 50.0, 95.0].map(|x| vec![Point::new(x, 9.0), Point::new(x, 99.0)]).to_vec();
    let config = DeformConfig { redraws: [2, 4], ..DeformConfig::none() };
    let mut seen = [0; 5];
    for seed in 0..200 {
        let drawn = deform(&Sketch { strokes: strokes.clone() }, &config, &mut Seed(seed).stream("deform"));
        let times = strokes.iter().map(|stroke| drawn.sketch.strokes.iter().filter(|other| *other == stroke).count());
        times.for_each(|count| seen[count] += 1);
        assert!(drawn.sketch.strokes.is_sorted_by(|a, b| a[0].x <= b[0].x), "redraws follow one another");
    }
    assert!(seen[..2] == [0, 0] && seen[2..].iter().all(|count| (120..280).contains(count)), "{seen:?}");
    let fresh = deform(
        &Sketch { strokes: vec![corner()] },
        &DeformConfig { redraws: [2; 2], ..DeformConfig::default() },
        &mut Seed(1).stream("deform"),
    );
    assert_ne!(fresh.sketch.strokes[0], fresh.sketch.strokes[1]);
}

#[test]
fn the_pen_is_drawn_once_a_sketch() {
    let sketch = Sketch { strokes: vec![corner()] };
    let pen = |seed| deform(&sketch, &DeformConfig::default(), &mut Seed(seed).stream("deform")).pen;
    fills((0..500).map(pen), 1.75, 3.25);
}

#[test]
fn points_without_a_direction_survive() {
    let (dot, twice) = (vec![Point::new(9.0, 9.0)], vec![Point::new(9.0, 9.0); 2]);
    let config = DeformConfig { translation: 0.0, ..DeformConfig::default() };
    for stroke in redraws(dot.clone(), config) {
        assert_eq!(stroke.len(), 1);
        assert!(stroke[0].distance(dot[0]) < 1e-4, "only a shift or plain noise moves a dot");
    }
    for stroke in redraws(dot.clone(), DeformConfig { coherent: false, ..DeformConfig::default() }) {
        assert!(stroke.len() == 1 && stroke[0].distance(dot[0]) <= 2.0 + 1.3 + 1e-3);
    }
    for stroke in redraws(twice, config) {
        assert!(stroke.iter().all(|point| point.is_finite() && point.distance(dot[0]) < 1e-4), "{stroke:?}");
    }
    let nothing = Sketch { strokes: vec![vec![]] };
    assert_eq!(deform(&nothing, &DeformConfig::default(), &mut Seed(0).stream("deform")).sketch.points(), 0);
}

#[test]
fn every_field_changes_something_and_the_pen_is_apart() {
    let sketch = Sketch { strokes: vec![corner()] };
    let base = DeformConfig { redraws: [2, 3], undershoot: false, ..DeformConfig::default() };
    let drawn = |config: DeformConfig| deform(&sketch, &config, &mut Seed(8).stream("deform"));
    let whole = drawn(base);
    let others = [
        DeformConfig { rotation: 1.0, ..base },
        DeformConfig { scale: [0.8, 1.0], ..base },
        DeformConfig { stretch: false, ..base },
        DeformConfig { translation: 1.0, ..base },
        DeformConfig { noise: 0.5, ..base },
        DeformConfig { coherent: false, ..base },
        DeformConfig { redraws: [4, 5], ..base },
        DeformConfig { overshoot: 2.0, ..base },
        DeformConfig { undershoot: true, ..base },
    ];
    assert!(others.into_iter().all(|config| drawn(config).sketch != whole.sketch && drawn(config).pen == whole.pen));
    for (pen, pen_variation) in [(5.0, 1.5), (2.5, 1.0)] {
        let other = drawn(DeformConfig { pen, pen_variation, ..base });
        assert!(other.pen != whole.pen && other.sketch == whole.sketch);
    }
}

#[test]
fn deform_config_is_checked() {
    DeformConfig::default().check().unwrap();
    DeformConfig::none().check().unwrap();
    let base = DeformConfig::default();
    let message = |config: DeformConfig| config.check().unwrap_err().to_string();
    assert_eq!(message(DeformConfig { noise: -1.0, ..base }), "deform.noise: expected 0 pixels or more, found -1");
    assert!(message(DeformConfig { rotation: f32::NAN, ..base }).starts_with("deform.rotation"));
    for scale in [[0.0, 1.0], [1.1, 0.9], [1.0, f32::INFINITY], [f32::NAN, 1.0]] {
        assert!(message(DeformConfig { scale, ..base }).starts_with("deform.scale"));
    }
    assert!(message(DeformConfig { translation: f32::INFINITY, ..base }).starts_with("deform.translation"));
    for redraws in [[0, 1], [3, 2]] {
        assert!(message(DeformConfig { redraws, ..base }).starts_with("deform.redraws"));
    }
    assert!(message(DeformConfig { overshoot: -0.1, ..base }).starts_with("deform.overshoot"));
    assert!(message(DeformConfig { pen: 0.0, ..base }).starts_with("deform.pen:"));
    assert!(message(DeformConfig { pen_variation: 5.0, ..base }).starts_with("deform.pen_variation"));
}

#[test]
fn unknown_fields_are_refused_and_missing_ones_are_the_default() {
    assert!(serde_json::from_str::<DeformConfig>(r#"{"remove": 1}"#).is_err());
    let read: DeformConfig = serde_json::from_str(r#"{"noise": 0.0}"#).unwrap();
    assert_eq!(read, DeformConfig { noise: 0.0, ..DeformConfig::default() });
}

proptest! {
    #[test]
    fn none_is_the_identity(sketch in any_sketch(), seed: u64) {
        let same = deform(&sketch, &DeformConfig::none(), &mut Seed(seed).stream("deform"));
        prop_assert_eq!((same.sketch, same.pen), (sketch, DeformConfig::none().pen));
    }

    #[test]
    fn the_stream_alone_decides_and_points_stay_near(sketch in any_sketch(), seed: u64) {
        let config = DeformConfig { redraws: [1; 2], ..DeformConfig::default() };
        let drawn = || deform(&sketch, &config, &mut Seed(seed).stream("deform"));
        prop_assert_eq!(drawn(), drawn());
        for (old, new) in sketch.strokes.iter().zip(&drawn().sketch.strokes) {
            prop_assert!(new.iter().all(|point| point.is_finite()));
            prop_assert!((old.len()..=old.len() + 2).contains(&new.len()));
            // A turn keeps distances, a scale adds a tenth; then the shift, an end, and noise.
            let centre = barycentre(old);
            let radius = old.iter().map(|point| point.distance(centre)).fold(0.0, f32::max);
            let bound = radius * 1.1 + 2.0 + 1.0 + 1.3 + 1e-2;
            prop_assert!(new.iter().all(|point| point.distance(centre) <= bound));
        }
    }
}
