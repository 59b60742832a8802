//! Further photos of an embedded corpus, without sketches: for semi-supervised learning and for pre-training.

use super::scene::SceneCorpus;
use super::world::{self, Category, categories};
use super::{NAMES, ObjectKind, missing};
use crate::seed::Seed;
use crate::{Error, Result};
use image::RgbImage;

/// Seeds of further photos start here; no corpus and no [`super::Photos`] has one of them.
const FIRST: u64 = 0x5eed_2000_0000_0000;

/// A stream of photos like those of a corpus; none shows an object of it.
///
/// ```
/// use retrace::dataset::synthetic::MorePhotos;
/// let photos = MorePhotos::new("synth-chair", 3, 7, 64)?;
/// assert_eq!(photos.photo(2)?.dimensions(), (64, 64));
/// assert_eq!((photos.count(), photos.category(2)?), (3, "chair"));
/// assert!(photos.photo(3).is_err() && MorePhotos::new("qmul-shoe-v1", 3, 7, 64).is_err());
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MorePhotos {
    what: Subject,
    count: usize,
    seed: Seed,
    side: u32,
}

#[derive(Debug, Clone)]
enum Subject {
    Object(ObjectKind),
    World(Vec<Category>),
    Scene(Box<SceneCorpus>),
}

impl MorePhotos {
    /// `count` photos of `side` pixels in the manner of an embedded corpus; another seed gives others.
    ///
    /// Of a world, the seen categories come in turn; an unseen one never does.
    ///
    /// # Errors
    /// A corpus that is not embedded; a side below 16 pixels or above 1024; a seed from 2^32 on.
    pub fn new(corpus: &str, count: usize, seed: u64, side: u32) -> Result<Self> {
        super::check_side(side)?;
        if seed >= 1 << 32 {
            return Err(Error::value("seed of further photos", "one below 2^32", seed));
        }
        let seed = Seed(FIRST + seed);
        let what = match corpus {
            "synth-chair" => Subject::Object(ObjectKind::Chair),
            "synth-shoe" => Subject::Object(ObjectKind::Shoe),
            "synth-world" | "synth-world-seen" => {
                Subject::World(categories()?.into_iter().filter(|one| !one.unseen).collect())
            }
            "synth-scene" => Subject::Scene(Box::new(SceneCorpus::seeded(seed, count, side)?)),
            other => return Err(Error::value("corpus with further photos", NAMES.join(", "), format!("`{other}`"))),
        };
        Ok(Self { what, count, seed, side })
    }

    /// How many photos there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What a photo shows.
    ///
    /// # Errors
    /// A position outside the stream.
    pub fn category(&self, position: usize) -> Result<&str> {
        self.check(position)?;
        Ok(match &self.what {
            Subject::Object(kind) => kind.name(),
            Subject::World(categories) => &categories[position % categories.len()].name,
            Subject::Scene(_) => "scene",
        })
    }

    /// The photo at a position.
    ///
    /// # Errors
    /// A position outside the stream.
    pub fn photo(&self, position: usize) -> Result<RgbImage> {
        use crate::dataset::Source;
        self.check(position)?;
        let item = position as u64;
        match &self.what {
            Subject::Object(kind) => super::render(*kind, self.seed, item, self.side),
            Subject::World(categories) => {
                world::render(&categories[position % categories.len()], self.seed, item, self.side)
            }
            Subject::Scene(scenes) => scenes.photo(position),
        }
    }

    fn check(&self, position: usize) -> Result<()> {
        if position < self.count { Ok(()) } else { Err(missing("photo", self.count, position)) }
    }
}
