//! What the scenes promise: sizes, families, hidden objects, strokes by object.

use super::super::tests::digest;
use super::*;
use std::collections::BTreeSet;

fn scenes() -> SceneCorpus {
    SceneCorpus::new(64).unwrap()
}

fn drawn(corpus: &SceneCorpus, sketch: usize) -> Vec<SketchInstance> {
    corpus.instance_strokes(sketch).unwrap().unwrap()
}

fn map(corpus: &SceneCorpus, photo: usize) -> InstanceMap {
    corpus.photo_instances(photo).unwrap().unwrap()
}

#[test]
fn index_has_a_thousand_and_two_hundred_pairs() {
    let index = scenes().index().clone();
    index.check().unwrap();
    assert_eq!((index.photos_of(Split::Train).len(), index.photos_of(Split::Test).len()), (1000, 200));
    assert!(index.sketches.iter().enumerate().all(|(at, sketch)| sketch.photo == at));
    let people: BTreeSet<_> = index.sketches.iter().map(|sketch| sketch.sketcher).collect();
    assert_eq!(people.len(), SKETCHERS as usize);
}

#[test]
fn scenes_hold_six_to_sixteen_objects_of_their_family() {
    let corpus = scenes();
    for family in [0, 40, 101, 119] {
        let kinds: Vec<BTreeSet<String>> =
            (0..FAMILY).map(|k| map(&corpus, family * FAMILY + k).categories().iter().cloned().collect()).collect();
        let all: BTreeSet<&String> = kinds.iter().flatten().collect();
        assert!((3..=8).contains(&all.len()), "{all:?}");
        for k in 0..FAMILY {
            let count = map(&corpus, family * FAMILY + k).categories().len();
            assert!((6..=16).contains(&count), "{count} objects");
        }
    }
}

#[test]
fn few_objects_are_hidden() {
    let corpus = scenes();
    let (mut hidden, mut all) = (0, 0);
    for photo in 1000..1060 {
        let map = map(&corpus, photo);
        all += map.categories().len();
        hidden += (0..map.categories().len()).filter(|object| map.area(*object) < 4).count();
    }
    assert!(hidden * 50 <= all, "{hidden} of {all} objects have fewer than 4 of 4096 pixels");
}

#[test]
fn near_objects_are_larger_and_lower() {
    let corpus = scenes();
    let (mut far, mut near) = ([0.0f64; 2], [0.0f64; 2]);
    for photo in 1000..1060 {
        let map = map(&corpus, photo);
        let last = map.categories().len() - 1;
        for (sums, object) in [(&mut far, 0), (&mut near, last)] {
            let [left, top, right, bottom] = map.bounds(object).unwrap_or_default();
            sums[0] += f64::from((right - left).max(bottom - top));
            sums[1] += f64::from(bottom);
        }
    }
    assert!(near[0] > 1.5 * far[0] && near[1] > far[1] + 60.0 * 10.0, "{near:?} {far:?}");
}

#[test]
fn sketches_hold_half_of_the_objects() {
    let corpus = scenes();
    let (mut drawn_objects, mut all) = (0, 0);
    for sketch in 1000..1200 {
        let instances = drawn(&corpus, sketch);
        let (objects, _) = corpus.scene(sketch).unwrap();
        let own: BTreeSet<_> = instances.iter().filter_map(|one| one.object).collect();
        assert_eq!(own.len(), instances.len());
        for one in &instances {
            assert_eq!(one.category, corpus.categories[objects[one.object.unwrap()].category].name);
            let inside = |p: &crate::sketch::Point| (4.0..=252.0).contains(&p.x) && (4.0..=252.0).contains(&p.y);
            assert!(one.strokes.strokes.iter().flatten().all(inside));
        }
        drawn_objects += instances.len();
        all += objects.len();
    }
    // SketchyCOCO's sketches hold 49.7%; the share is drawn anew for every scene.
    let share = f64::from(drawn_objects as u32) / f64::from(all as u32);
    assert!((0.45..0.55).contains(&share), "{share}");
}

#[test]
fn drawing_is_all_instances_together() {
    let corpus = scenes();
    let whole = corpus.drawing(1003).unwrap().vector().unwrap();
    let strokes: usize = drawn(&corpus, 1003).iter().map(|one| one.strokes.strokes.len()).sum();
    assert_eq!(whole.strokes.len(), strokes);
}

/// Objects far apart in the photo keep their order on paper, left to right, whatever the sketcher misjudges.
#[test]
fn sketches_keep_the_order_of_objects() {
    let corpus = scenes();
    let (mut right, mut count) = (0, 0);
    for sketch in 1000..1100 {
        let map = map(&corpus, sketch);
        let place = |one: &SketchInstance| {
            let [left, _, right, _] = map.bounds(one.object?)?;
            let points: Vec<f32> = one.strokes.strokes.iter().flatten().map(|p| p.x).collect();
            Some(((left + right) as f32 * 0.5, points.iter().sum::<f32>() / points.len() as f32))
        };
        let places: Vec<(f32, f32)> = drawn(&corpus, sketch).iter().filter_map(place).collect();
        for (a, b) in places.iter().flat_map(|a| places.iter().map(move |b| (a, b))) {
            if b.0 - a.0 > 0.4 * 64.0 {
                (right, count) = (right + usize::from(b.1 > a.1), count + 1);
            }
        }
    }
    assert!(count > 100 && right * 20 >= count * 19, "{right} of {count} pairs in order");
}

#[test]
fn the_same_scenes_on_every_machine() {
    let corpus = scenes();
    let sketches: Vec<_> = (1000..1200).map(|at| corpus.drawing(at).unwrap().vector().unwrap()).collect();
    assert_eq!(digest(&sketches), "e5b2279d0b103e22", "change SCENE_VERSION with the generator");
    assert_eq!(map(&corpus, 1001), map(&corpus, 1001));
}

/// Instance maps have no soft edges, so that a pixel is an object's or not, on every machine.
#[test]
fn maps_and_photos_agree_on_the_ground() {
    let corpus = SceneCorpus::new(128).unwrap();
    let (photo, map) = (corpus.photo(1000).unwrap(), map(&corpus, 1000));
    assert_eq!(photo.dimensions(), map.pixels().dimensions());
    let top = (0..128).filter(|x| map.pixels().get_pixel(*x, 0).0[0] == 0).count();
    assert_eq!(top, 128, "nothing reaches the upper edge");
    let objects = map.pixels().pixels().filter(|pixel| pixel.0[0] > 0).count();
    assert!((128 * 128 / 20..128 * 128 * 3 / 4).contains(&objects), "{objects}");
}

#[test]
fn further_scenes_are_others() {
    use crate::dataset::synthetic::MorePhotos;
    let [more, other] = [1, 2].map(|seed| MorePhotos::new("synth-scene", 5, seed, 64).unwrap());
    let corpus = scenes();
    let known: BTreeSet<Vec<u8>> = (0..20).map(|at| corpus.photo(at).unwrap().into_raw()).collect();
    for at in 0..5 {
        let photo = more.photo(at).unwrap();
        assert!(!known.contains(photo.as_raw()) && photo != other.photo(at).unwrap());
        assert_eq!(photo, MorePhotos::new("synth-scene", 9, 1, 64).unwrap().photo(at).unwrap());
    }
}

#[test]
fn positions_outside_are_errors() {
    let corpus = scenes();
    assert!(corpus.photo(1200).is_err() && corpus.drawing(1200).is_err());
    assert!(corpus.photo_instances(1200).is_err() && corpus.instance_strokes(1200).is_err());
    assert!(corpus.sketch_instances(1200).is_err() && corpus.sketch_instances(0).unwrap().is_none());
}
