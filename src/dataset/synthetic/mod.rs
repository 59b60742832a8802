//! The embedded corpora: objects designed at random, each shown as a photo and as sketches by several people.
//!
//! Nothing is read from disk. One latent design (a shoe or a chair with some twenty measures and a dozen choices)
//! becomes a figure: parts with areas, and lines. The photo fills the areas; a sketch follows the visible lines. Only
//! the photo has colour, texture and light, so only geometry distinguishes objects. A sketcher misjudges measures,
//! leaves out details and draws unsteadily. Coordinates use only sums, products and square roots, and are rounded to
//! sixteenths of a pixel, so strokes are the same on every machine.

mod chair;
mod chance;
mod curve;
mod figure;
mod more;
mod palette;
mod photo;
mod pretraining;
mod scene;
mod shoe;
mod sketcher;
mod trace;
mod world;

pub use more::MorePhotos;
pub use pretraining::Photos;
pub use scene::{SCENE_VERSION, SceneCorpus};
pub use world::{Category, CategoryKind, WORLD_VERSION, WorldCorpus, WorldTest, categories};

use super::{Drawing, Index, PhotoEntry, Selected, SketchEntry, Source, Split, Transfer};
use crate::seed::{Seed, Stream};
use crate::sketch::Sketch;
use crate::{Error, Result};
use figure::Figure;
use image::RgbImage;
use palette::PhotoLook;
use rand::RngExt;
use sketcher::Style;

/// Changes whenever a generator gives other strokes or other pixels.
pub const VERSION: &str = "1";

/// How many people draw; each keeps one style.
pub const SKETCHERS: u32 = 30;

/// Side of the photos that [`super::open()`] gives, in pixels: twice what the small network sees.
pub const SIDE: u32 = 128;

/// The kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A single shoe from its side, toe to the left.
    Shoe,
    /// A chair, stool or sofa from in front.
    Chair,
}

/// Photos and sketches of a split, as the papers count them.
struct SplitSize {
    photos: usize,
    sketches: usize,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Chair, Self::Shoe];

    /// As in `synth-<name>`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shoe => "shoe",
            Self::Chair => "chair",
        }
    }

    /// QMUL-Shoe-V2's and QMUL-Chair-V2's sizes: train, test.
    fn sizes(self) -> [SplitSize; 2] {
        match self {
            Self::Shoe => [SplitSize { photos: 1800, sketches: 6051 }, SplitSize { photos: 200, sketches: 679 }],
            Self::Chair => [SplitSize { photos: 300, sketches: 951 }, SplitSize { photos: 100, sketches: 324 }],
        }
    }

    /// How much of a sketcher's error goes into the measures: a shoe has many similar shoes in its gallery of 200, so the
    /// same error would hide it better than a chair.
    fn difficulty(self) -> f32 {
        match self {
            Self::Shoe => 0.75,
            Self::Chair => 1.0,
        }
    }

    /// Streams of the corpora; those of [`Photos`] have another seed.
    fn seed(self) -> Seed {
        match self {
            Self::Shoe => Seed(0x5eed_0001),
            Self::Chair => Seed(0x5eed_0002),
        }
    }
}

/// A latent design.
enum Design {
    Shoe(shoe::Shoe),
    Chair(chair::Chair),
}

impl Design {
    fn new(kind: ObjectKind, s: &mut Stream) -> Self {
        match kind {
            ObjectKind::Shoe => Self::Shoe(shoe::Shoe::design(s)),
            ObjectKind::Chair => Self::Chair(chair::Chair::design(s)),
        }
    }

    fn misjudged(&self, s: &mut Stream, error: f32) -> Self {
        match self {
            Self::Shoe(shoe) => Self::Shoe(shoe.misjudged(s, error)),
            Self::Chair(chair) => Self::Chair(chair.misjudged(s, error)),
        }
    }

    fn figure(&self) -> Figure {
        match self {
            Self::Shoe(shoe) => shoe.figure(),
            Self::Chair(chair) => chair.figure(),
        }
    }
}

/// An embedded corpus, `synth-shoe` or `synth-chair`.
///
/// ```
/// use retrace::dataset::{Source, Split, synthetic::{SyntheticCorpus, ObjectKind}};
/// let chairs = SyntheticCorpus::new(ObjectKind::Chair, 128)?;
/// assert_eq!(chairs.index().photos_of(Split::Test).len(), 100);
/// assert_eq!(chairs.index().sketches_of(Split::Train).len(), 951);
/// assert_eq!(chairs.photo(0)?.dimensions(), (128, 128));
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SyntheticCorpus {
    kind: ObjectKind,
    side: u32,
    name: String,
    index: Index,
}

impl SyntheticCorpus {
    /// The corpus with photos of `side` pixels: 256 as the real sets have, or less for a quick start.
    ///
    /// # Errors
    /// A side below 16 pixels or above 1024.
    pub fn new(kind: ObjectKind, side: u32) -> Result<Self> {
        check_side(side)?;
        Ok(Self { kind, side, name: format!("synth-{}", kind.name()), index: index(kind) })
    }

    /// The kind of object in the corpus.
    pub fn kind(&self) -> ObjectKind {
        self.kind
    }

    fn design(&self, photo: usize) -> Design {
        Design::new(self.kind, &mut self.kind.seed().child("design", photo as u64))
    }

    fn sketch(&self, position: usize) -> Result<Sketch> {
        let entry =
            self.index.sketches.get(position).ok_or_else(|| missing("sketch", self.index.sketches.len(), position))?;
        let style = Style::of(self.kind, entry.sketcher.unwrap_or(0));
        let s = &mut self.kind.seed().child("sketch", position as u64);
        let seen = self.design(entry.photo).misjudged(s, style.error * self.kind.difficulty());
        Ok(trace::draw(&seen.figure(), &style, s))
    }
}

/// The names of all embedded corpora.
pub const NAMES: [&str; 5] = ["synth-chair", "synth-shoe", "synth-world", "synth-world-seen", "synth-scene"];

/// Those that have a contact sheet of their own: `synth-world` shows the seen categories too.
pub const SHEETS: [&str; 4] = ["synth-chair", "synth-shoe", "synth-world", "synth-scene"];

/// Opens an embedded corpus with photos of [`SIDE`] pixels; none where no corpus has the name.
///
/// # Errors
/// None.
///
/// ```
/// use retrace::dataset::synthetic::{NAMES, open};
/// assert!(NAMES.iter().all(|name| open(name).is_ok_and(|corpus| corpus.is_some())));
/// assert!(open("qmul-shoe-v1")?.is_none());
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn open(name: &str) -> Result<Option<Box<dyn Source>>> {
    let corpus: Box<dyn Source> = match name {
        "synth-chair" => Box::new(SyntheticCorpus::new(ObjectKind::Chair, SIDE)?),
        "synth-shoe" => Box::new(SyntheticCorpus::new(ObjectKind::Shoe, SIDE)?),
        "synth-world" => Box::new(WorldCorpus::new(WorldTest::Unseen, SIDE)?),
        "synth-world-seen" => Box::new(WorldCorpus::new(WorldTest::Seen, SIDE)?),
        "synth-scene" => Box::new(SceneCorpus::new(SIDE)?),
        _ => match transfer_of(name) {
            Some(chosen) => Box::new(transfer(chosen, SIDE)?),
            None => return Ok(None),
        },
    };
    Ok(Some(corpus))
}

/// The transfer of `synth-shoe-<transfer>`; none of other corpora.
pub(super) fn transfer_of(name: &str) -> Option<Transfer> {
    super::transfer_of(name).filter(|chosen| name.strip_suffix(chosen.name()) == Some("synth-shoe-"))
}

/// `synth-shoe` with the shoes of a transfer alone: those of the one kind for training, of the other for the test, whatever
/// part they are of there.
///
/// # Errors
/// A side below 16 pixels or above 1024.
///
/// ```
/// use retrace::dataset::{Source, Split, Transfer, synthetic::transfer};
/// let shoes = transfer(Transfer::ToeShape, 128)?;
/// assert_eq!((shoes.name(), shoes.index().photos_of(Split::Test).len()), ("synth-shoe-toe-shape", 94));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn transfer(transfer: Transfer, side: u32) -> Result<Selected> {
    let shoes = SyntheticCorpus::new(ObjectKind::Shoe, side)?;
    let designs = (0..shoes.index.photos.len()).map(|photo| shoes.design(photo));
    let part = |design| if let Design::Shoe(shoe) = design { shoe.part(transfer) } else { None };
    let parts: Vec<Option<Split>> = designs.map(part).collect();
    let name = format!("{}-{}", shoes.name, transfer.name());
    Ok(Selected::new(Box::new(shoes), &name, |photo| parts[photo]))
}

fn check_side(side: u32) -> Result<()> {
    if (16..=1024).contains(&side) {
        return Ok(());
    }
    Err(Error::value("side of a photo", "16 to 1024 pixels", side))
}

/// The photo of the object that a seed has at a number.
fn render(kind: ObjectKind, seed: Seed, number: u64, side: u32) -> Result<RgbImage> {
    let look = PhotoLook::new(&mut seed.child("look", number), kind == ObjectKind::Shoe);
    let design = Design::new(kind, &mut seed.child("design", number));
    photo::render(design.figure(), &look, side, &mut seed.child("noise", number))
}

fn missing(what: &str, count: usize, position: usize) -> Error {
    Error::value(format!("position of a {what}"), format!("below {count}"), position)
}

impl Source for SyntheticCorpus {
    fn name(&self) -> &str {
        &self.name
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn version(&self) -> String {
        format!("{} generator {VERSION}, {} px", self.name, self.side)
    }

    fn photo(&self, position: usize) -> Result<RgbImage> {
        if position >= self.index.photos.len() {
            return Err(missing("photo", self.index.photos.len(), position));
        }
        render(self.kind, self.kind.seed(), position as u64, self.side)
    }

    fn drawing(&self, position: usize) -> Result<Drawing> {
        self.sketch(position).map(Drawing::Vector)
    }
}

/// Photos first of train, then of test; the sketches of a photo follow each other.
fn index(kind: ObjectKind) -> Index {
    let mut index = Index::default();
    let draw = &mut kind.seed().stream("index");
    for (split, size) in [Split::Train, Split::Test].into_iter().zip(kind.sizes()) {
        for (n, share) in shares(&size, draw).into_iter().enumerate() {
            let id = format!("{split:?}-{n:04}").to_lowercase();
            let photo = index.photos.len();
            for (k, sketcher) in hands(share, draw).into_iter().enumerate() {
                index.sketches.push(SketchEntry { id: format!("{id}-{k}"), photo, sketcher: Some(sketcher) });
            }
            index.photos.push(PhotoEntry { id, category: kind.name().to_string(), split });
        }
    }
    index
}

/// How many sketches each photo has: three, and the rest dealt at random.
fn shares(size: &SplitSize, draw: &mut Stream) -> Vec<usize> {
    let mut shares = vec![3; size.photos];
    for _ in 3 * size.photos..size.sketches {
        let extra = draw.random_range(0..size.photos as u32) as usize;
        shares[extra] += 1;
    }
    shares
}

/// Different sketchers for the sketches of one photo.
fn hands(count: usize, draw: &mut Stream) -> Vec<u32> {
    let mut hands: Vec<u32> = Vec::with_capacity(count);
    while hands.len() < count {
        let hand = draw.random_range(0..SKETCHERS);
        if !hands.contains(&hand) {
            hands.push(hand);
        }
    }
    hands
}

#[cfg(test)]
mod tests;
