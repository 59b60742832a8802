//! Tasks: what is adapted to is never what is ranked.

use super::super::{Config, EpisodeConfig, Sampler, Setting, tasks, unseen_people};
use crate::dataset::{Index, Split, open, with_valid_categories, with_validation};
use crate::seed::Seed;
use std::collections::BTreeSet;

fn photos(index: &Index, sketches: &[usize]) -> BTreeSet<usize> {
    sketches.iter().map(|at| index.sketches[*at].photo).collect()
}

fn check(index: &Index, config: &Config, count: usize) {
    let sampler = Sampler::new(index, config).unwrap();
    let stream = &mut Seed(3).stream("tasks");
    for _ in 0..count {
        for lesson in sampler.draw(&config.episode, stream).unwrap() {
            let [support, queries] = [&lesson.support, &lesson.queries].map(|own| photos(index, own));
            assert!(!support.is_empty() && !queries.is_empty() && support.is_disjoint(&queries));
            let gallery: BTreeSet<usize> = lesson.gallery.iter().copied().collect();
            assert!(support.is_subset(&gallery) && queries.is_subset(&gallery));
            assert_eq!(gallery.len(), lesson.gallery.len());
            assert!(gallery.iter().all(|photo| index.photos[*photo].split == Split::Train));
            let own = lesson.own(index, &lesson.queries).unwrap();
            assert!(
                own.iter()
                    .zip(&lesson.queries)
                    .all(|(at, sketch)| { lesson.gallery[*at as usize] == index.sketches[*sketch].photo })
            );
        }
    }
}

#[test]
fn no_episode_of_a_thousand_shows_a_query_in_its_support() {
    let world = open("synth-world", None).unwrap();
    let index = with_valid_categories(world.index(), 5, Seed(0)).unwrap();
    check(&index, &Config::preset("synth-world", "ours").unwrap(), 500); // of two tasks each
    let shoes = open("synth-shoe", None).unwrap();
    let index = with_validation(shoes.index(), 90, Seed(0)).unwrap();
    check(&index, &Config::preset("synth-shoe", "ours").unwrap(), 500);
}

#[test]
fn tasks_of_a_step_differ_and_have_their_sizes() {
    let world = open("synth-world", None).unwrap();
    let config = Config::preset("synth-world", "ours").unwrap();
    let sampler = Sampler::new(world.index(), &config).unwrap();
    assert_eq!(sampler.count(), 39);
    let stream = &mut Seed(1).stream("tasks");
    for _ in 0..50 {
        let found = sampler.draw(&config.episode, stream).unwrap();
        assert_ne!(found[0].label, found[1].label);
        let sizes = found.iter().map(|own| (own.support.len(), own.queries.len(), own.gallery.len()));
        assert!(sizes.into_iter().all(|sizes| sizes == (5, 11, 16)));
        let categories: BTreeSet<&str> =
            found[0].gallery.iter().map(|photo| world.index().photos[*photo].category.as_str()).collect();
        assert_eq!(categories.len(), 1);
    }
    let greedy = EpisodeConfig { shots: 10_000, queries: 10_000, gallery: 2, tasks: 100 };
    let found = sampler.draw(&greedy, stream).unwrap();
    assert!(found.len() == 39 && found.iter().all(|own| own.support.len() + own.queries.len() == 150));
}

#[test]
fn unseen_people_are_ranked_and_never_trained_on() {
    let shoes = open("synth-shoe", None).unwrap();
    let index = with_validation(shoes.index(), 90, Seed(0)).unwrap();
    let unseen = unseen_people(&index);
    let of =
        |sketches: &[usize]| sketches.iter().filter_map(|at| index.sketches[*at].sketcher).collect::<BTreeSet<u32>>();
    let test = tasks(&index, Split::Test, Setting::User).unwrap();
    assert_eq!((unseen.len(), test.len()), (10, 10));
    for task in &test {
        let (support, queries) = (of(&task.support), of(&task.queries));
        assert!(support == queries && support.len() == 1 && support.is_subset(&unseen));
        assert!(photos(&index, &task.support).is_disjoint(&photos(&index, &task.queries)));
        assert_eq!(task.gallery, index.photos_of(Split::Test));
        assert!(task.support.len() >= 10);
    }
    let valid = tasks(&index, Split::Valid, Setting::User).unwrap();
    assert!(valid.len() > 15 && valid.iter().all(|task| of(&task.queries).is_disjoint(&unseen)));
    let config = Config::preset("synth-shoe", "ours").unwrap();
    let trained: Vec<usize> = super::super::task::labels(&index, &config).into_iter().map(|(at, _)| at).collect();
    assert!(of(&trained).is_disjoint(&unseen) && of(&trained).len() == 20);
}

#[test]
fn classes_that_were_trained_on_adapt_to_their_training_part() {
    let chairs = open("synth-chair", None).unwrap();
    let [task] = &tasks(chairs.index(), Split::Test, Setting::Category).unwrap()[..] else { panic!() };
    assert_eq!((task.support.len(), task.queries.len(), task.gallery.len()), (951, 324, 100));
    let silent = tasks(&Index::default(), Split::Test, Setting::Category).unwrap_err().to_string();
    assert!(silent.contains("split test"), "{silent}");
}
