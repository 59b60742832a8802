//! Tasks: a class or a person, with sketches to adapt to and sketches to rank.

use super::config::{Config, EpisodeConfig, Setting};
use crate::dataset::{Episode, Index, Split, episodes};
use crate::experiment::Queries;
use crate::seed::{Seed, Stream};
use crate::{Error, Result};
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};

/// How much of an unseen class's photos its support is drawn from: the rest is ranked.
const SHARE: f64 = 0.5;

/// The division of classes and of people, the same for all runs: the queries of a row are those of every other.
const DIVISION: Seed = Seed(0);

/// One person in so many is not trained on: 10 of 30.
const UNSEEN: usize = 3;

/// The people whose sketches are not trained on.
///
/// ```
/// use retrace::dataset::open;
/// let unseen = retrace::paper::adaptive::unseen_people(open("synth-shoe", None)?.index());
/// assert_eq!(unseen.len(), 10);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn unseen_people(index: &Index) -> BTreeSet<u32> {
    let people: BTreeSet<u32> = index.sketches.iter().filter_map(|sketch| sketch.sketcher).collect();
    let mut people: Vec<u32> = people.into_iter().collect();
    people.shuffle(&mut DIVISION.stream("unseen people"));
    people.truncate(people.len() / UNSEEN);
    people.into_iter().collect()
}

/// The tasks of a split: whom a network adapts to, and what is ranked then.
///
/// | setting | a task | support | queries | gallery |
/// |---|---|---|---|---|
/// | category, a class without training photos | a class | the sketches of half of its photos | those of the others | all photos of the class |
/// | category, a class with training photos | a class | the sketches of these | all of the split | all photos of the class in the split |
/// | user | a person: an unseen one for the test part, a seen one for validation | his or hers of training photos | of the split's photos | all photos of the split |
///
/// No photo of the support is a query's, but those of the first line stay in the gallery, as in the authors' program.
///
/// # Errors
/// A class with fewer than two photos that have sketches; a person without a sketch to adapt to; no person known.
///
/// ```
/// use retrace::dataset::{Split, open};
/// use retrace::paper::adaptive::{Setting, tasks};
/// let world = open("synth-world", None)?;
/// let tasks = tasks(world.index(), Split::Test, Setting::Category)?;
/// assert_eq!((tasks.len(), tasks[0].support.len(), tasks[0].gallery.len()), (12, 60, 40));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn tasks(index: &Index, split: Split, setting: Setting) -> Result<Vec<Episode>> {
    match setting {
        Setting::Category => {
            let seen = index.categories(&index.photos_of(Split::Train));
            let own = index.categories(&index.photos_of(split));
            if own.is_subset(&seen) { seen_classes(index, split) } else { episodes(index, split, SHARE, DIVISION) }
        }
        Setting::User => people(index, split),
    }
}

/// Classes that have training photos, whose sketches are the support.
fn seen_classes(index: &Index, split: Split) -> Result<Vec<Episode>> {
    index.require(split)?;
    let mut found: BTreeMap<&str, Episode> = BTreeMap::new();
    for photo in index.photos_of(split) {
        let category = index.photos[photo].category.as_str();
        let empty = || Episode { category: category.into(), support: vec![], queries: vec![], gallery: vec![] };
        found.entry(category).or_insert_with(empty).gallery.push(photo);
    }
    for (at, sketch) in index.sketches.iter().enumerate() {
        let photo = &index.photos[sketch.photo];
        let Some(task) = found.get_mut(photo.category.as_str()) else { continue };
        if photo.split == split {
            task.queries.push(at);
        } else if photo.split == Split::Train {
            task.support.push(at);
        }
    }
    found.into_values().filter(|task| !task.queries.is_empty()).map(with_support).collect()
}

fn people(index: &Index, split: Split) -> Result<Vec<Episode>> {
    let unseen = unseen_people(index);
    if unseen.is_empty() {
        let expected = format!("{UNSEEN} or more whose sketches are told apart");
        return Err(Error::value("sketchers", expected, "fewer"));
    }
    let gallery = index.photos_of(split);
    let mut found: BTreeMap<u32, Episode> = BTreeMap::new();
    for (at, sketch) in index.sketches.iter().enumerate() {
        let Some(person) = sketch.sketcher.filter(|person| unseen.contains(person) == (split == Split::Test)) else {
            continue;
        };
        let empty = || {
            let category = format!("sketcher {person:02}");
            Episode { category, support: vec![], queries: vec![], gallery: gallery.clone() }
        };
        let task = found.entry(person).or_insert_with(empty);
        match index.photos[sketch.photo].split {
            own if own == split => task.queries.push(at),
            Split::Train => task.support.push(at),
            _ => {}
        }
    }
    found.into_values().filter(|task| !task.queries.is_empty()).map(with_support).collect()
}

/// The classes of a user's corpus: all training pairs of a class are its support.
///
/// # Errors
/// A class that has sketches to rank and no pair, or pairs and no photo to rank; fewer than two photos to compare with.
pub(super) fn own_classes(index: &Index) -> Result<Vec<Episode>> {
    let ranked = index.categories(&index.photos_of(Split::Test));
    let paired = index.sketches_of(Split::Train).into_iter();
    for class in paired.map(|at| &index.photos[index.sketches[at].photo].category) {
        if !ranked.contains(class.as_str()) {
            let found = "none: add lines of the split `test` to the manifest";
            return Err(Error::value(
                format!("photos to rank of class `{class}`, which has pairs"),
                "1 or more",
                found,
            ));
        }
    }
    let tasks = seen_classes(index, Split::Test)?;
    for task in &tasks {
        let mut photos: BTreeSet<usize> = task.gallery.iter().copied().collect();
        photos.extend(task.support.iter().map(|at| index.sketches[*at].photo));
        if photos.len() < 2 {
            return Err(Error::value(
                format!("photos of class `{}`", task.category),
                "2 or more to compare",
                photos.len(),
            ));
        }
    }
    Ok(tasks)
}

fn with_support(task: Episode) -> Result<Episode> {
    if task.support.is_empty() {
        let expected = "1 or more (lines of the split `train`)";
        return Err(Error::value(format!("pairs of `{}` to adapt to", task.category), expected, 0));
    }
    Ok(task)
}

/// What tasks rank: every query of theirs once.
pub(super) fn queries(index: &Index, split: Split, tasks: &[Episode], setting: Setting) -> Queries {
    let together = |part: &dyn Fn(&Episode) -> &[usize]| {
        let all: BTreeSet<usize> = tasks.iter().flat_map(|task| part(task).iter().copied()).collect();
        all.into_iter().collect::<Vec<usize>>()
    };
    let (photos, sketches) = (together(&|task| &task.gallery), together(&|task| &task.queries));
    let found = match setting {
        Setting::Category => Queries::among(photos, sketches, index, &|photo| index.photos[photo].category.as_str()),
        Setting::User => Queries::among(photos, sketches, index, &|_| ()),
    };
    // Of unseen people alone, or of half of a class.
    if found.sketches.len() < index.sketches_of(split).len() { found.of_part() } else { found }
}

/// The shots of a task: sketches of its support, all of them where there are fewer than `count`.
///
/// # Errors
/// No sketch.
pub(super) fn shots(task: &Episode, count: usize, draw: u64) -> Result<Vec<usize>> {
    task.shots(count.min(task.support.len()), &mut DIVISION.child(&format!("shots of {}", task.category), draw))
}

/// A task of a training step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// Its class, or its person, by number.
    pub label: usize,
    /// Sketches of the support.
    pub support: Vec<usize>,
    /// Sketches that the outer loss is measured on; none of their photos is one of the support's.
    pub queries: Vec<usize>,
    /// The photos that both are compared with.
    pub gallery: Vec<usize>,
}

impl Lesson {
    /// Where the photos of sketches stand in the gallery.
    ///
    /// # Errors
    /// A photo that is not there.
    pub fn own(&self, index: &Index, sketches: &[usize]) -> Result<Vec<u32>> {
        places(index, sketches, &self.gallery)
    }
}

/// Where the photos of sketches stand in a gallery.
pub(super) fn places(index: &Index, sketches: &[usize], gallery: &[usize]) -> Result<Vec<u32>> {
    let place = |sketch: &usize| {
        let photo = index.sketches[*sketch].photo;
        let found = gallery.iter().position(|own| *own == photo);
        found.map(|at| at as u32).ok_or_else(|| Error::value("gallery", format!("photo {photo}"), "others alone"))
    };
    sketches.iter().map(place).collect()
}

/// Draws tasks of the training part.
#[derive(Debug)]
pub struct Sampler<'a> {
    index: &'a Index,
    /// The number of every class or person.
    labels: Vec<usize>,
    /// Its photos with sketches, and these sketches.
    drawn: Vec<BTreeMap<usize, Vec<usize>>>,
    /// All photos that can fill its gallery.
    photos: Vec<Vec<usize>>,
}

impl<'a> Sampler<'a> {
    /// Every class of the training part, or every person who is trained on.
    ///
    /// # Errors
    /// None that has two photos with sketches.
    pub fn new(index: &'a Index, config: &Config) -> Result<Self> {
        let labels = labels(index, config);
        let (mut drawn, mut photos) = (BTreeMap::new(), BTreeMap::new());
        for (sketch, label) in &labels {
            let photo = index.sketches[*sketch].photo;
            drawn.entry(*label).or_insert_with(BTreeMap::new).entry(photo).or_insert_with(Vec::new).push(*sketch);
            photos.entry(*label).or_insert_with(|| gallery_of(index, config.setting, photo));
        }
        drawn.retain(|_, own| own.len() >= 2);
        photos.retain(|label, _| drawn.contains_key(label));
        if drawn.is_empty() {
            return Err(Error::value(
                "tasks to train on",
                "a class or a person with two photos that have sketches",
                "none",
            ));
        }
        let labels = drawn.keys().copied().collect();
        Ok(Self { index, labels, drawn: drawn.into_values().collect(), photos: photos.into_values().collect() })
    }

    /// How many classes or people there are.
    pub fn count(&self) -> usize {
        self.drawn.len()
    }

    /// Different tasks for a step; as many as there are where that is fewer.
    ///
    /// # Errors
    /// Never in practice: every class has two photos.
    pub fn draw(&self, config: &EpisodeConfig, stream: &mut Stream) -> Result<Vec<Lesson>> {
        let mut chosen: Vec<usize> = (0..self.count()).collect();
        chosen.shuffle(stream);
        chosen.truncate(config.tasks);
        chosen.into_iter().map(|at| self.task(at, config, stream)).collect()
    }

    fn task(&self, at: usize, config: &EpisodeConfig, stream: &mut Stream) -> Result<Lesson> {
        let mut photos: Vec<usize> = self.drawn[at].keys().copied().collect();
        photos.shuffle(stream);
        let (first, second) = photos.split_at(photos.len().div_ceil(2));
        let support = self.some(at, first, config.shots, stream);
        let queries = self.some(at, second, config.queries, stream);
        let mut gallery: Vec<usize> = support.iter().chain(&queries).map(|at| self.index.sketches[*at].photo).collect();
        gallery.sort_unstable();
        gallery.dedup();
        let mut others: Vec<usize> = self.photos[at].iter().copied().filter(|photo| !gallery.contains(photo)).collect();
        others.shuffle(stream);
        others.truncate(config.gallery.saturating_sub(gallery.len()));
        gallery.extend(others);
        Ok(Lesson { label: self.labels[at], support, queries, gallery })
    }

    /// Some sketches of photos.
    fn some(&self, at: usize, photos: &[usize], count: usize, stream: &mut Stream) -> Vec<usize> {
        let mut sketches: Vec<usize> = photos.iter().flat_map(|photo| self.drawn[at][photo].iter().copied()).collect();
        sketches.shuffle(stream);
        sketches.truncate(count);
        sketches
    }
}

/// The photos that fill the gallery of a task: of the class, or all of the training part.
fn gallery_of(index: &Index, setting: Setting, photo: usize) -> Vec<usize> {
    let is_alike =
        |other: &usize| setting == Setting::User || index.photos[*other].category == index.photos[photo].category;
    index.photos_of(Split::Train).into_iter().filter(is_alike).collect()
}

/// The sketches that are trained on, each with the number of its class or person.
pub(super) fn labels(index: &Index, config: &Config) -> Vec<(usize, usize)> {
    let unseen = if config.setting == Setting::User { unseen_people(index) } else { BTreeSet::new() };
    let kept = classes(index, config);
    let numbers: BTreeMap<&str, usize> = kept.iter().copied().zip(0..).collect();
    let label = |sketch: usize| {
        let entry = &index.sketches[sketch];
        match config.setting {
            Setting::Category => numbers.get(index.photos[entry.photo].category.as_str()).copied(),
            Setting::User => entry.sketcher.filter(|person| !unseen.contains(person)).map(|person| person as usize),
        }
    };
    let all = index.sketches_of(Split::Train).into_iter();
    all.filter_map(|sketch| Some((sketch, label(sketch)?))).collect()
}

/// The training classes that are used, by name.
pub(super) fn classes<'a>(index: &'a Index, config: &Config) -> Vec<&'a str> {
    let all = index.categories(&index.photos_of(Split::Train)).into_iter();
    all.take(config.classes.unwrap_or(usize::MAX)).collect()
}

/// Where rows differ in the number of classes that they are trained on, so many of these are ranked, by name: the same ones
/// for all rows.
const RANKED: usize = 10;

/// The tasks of a split for a row.
///
/// # Errors
/// As [`tasks`].
pub(super) fn ranked(index: &Index, split: Split, config: &Config) -> Result<Vec<Episode>> {
    let mut found = tasks(index, split, config.setting)?;
    let kept = classes(index, config);
    let is_ranked = |task: &Episode| kept.iter().take(RANKED).any(|class| *class == task.category);
    // Unseen classes are ranked whatever is trained on.
    if config.classes.is_some() && found.iter().any(is_ranked) {
        found.retain(is_ranked);
    }
    Ok(found)
}
