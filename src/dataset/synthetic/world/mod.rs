//! `synth-world`: many categories, each a text file of `data/world/`.
//!
//! A file says which parts an object has, what they hang on, and between which ends its measures lie; an object is a
//! draw from those ranges. `docs/world.md` describes the format. From the figure on, everything is as for the
//! [chairs and shoes](super): a photo fills the parts, a sketch follows the visible lines.

mod category;
mod design;
mod file;
mod frame;
mod number;
mod part;
mod shape;

pub use category::Category;
pub(super) use design::WorldDesign;
pub use file::CategoryKind;

use super::chance::count;
use super::palette::{PhotoLook, WORLD_COLOURS};
use super::sketcher::Style;
use super::{ObjectKind, hands, missing, photo, trace};
use crate::dataset::{Drawing, Index, PhotoEntry, SketchEntry, Source, Split, listing};
use crate::seed::{Seed, Stream};
use crate::{Error, Result};
use image::RgbImage;
use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};

/// Changes whenever a category or the generator gives other strokes or other pixels.
pub const WORLD_VERSION: &str = "1";

/// Photos of a seen category that are trained on.
const TRAIN: usize = 50;
/// Photos of a category in a test part.
const TEST: usize = 40;
/// Sketches of a photo, by different people.
const SKETCHES: usize = 3;
/// How much of a sketcher's error goes into the measures: chosen so that HOG finds 10 to 35% within a category.
const DIFFICULTY: f32 = 0.75;

const SEED: Seed = Seed(0x5eed_0003);
static FILES: Dir = include_dir!("$CARGO_MANIFEST_DIR/data/world");

/// All categories of `data/world/`, by name.
///
/// # Errors
/// None with the files that are built in, which a test reads.
///
/// ```
/// let categories = retrace::dataset::synthetic::categories()?;
/// assert!(categories.len() >= 40 && categories.iter().any(|category| category.name == "lamp"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn categories() -> Result<Vec<Category>> {
    let mut files: Vec<_> = FILES.files().collect();
    files.sort_by_key(|file| file.path());
    let parse = |file: &include_dir::File| {
        let path = format!("data/world/{}", file.path().display());
        let text = file.contents_utf8().ok_or_else(|| Error::data(&path, "text in UTF-8", "other bytes"))?;
        Category::parse(&path, text)
    };
    files.into_iter().map(parse).collect()
}

/// The categories of a file, or of a folder of files, by name.
fn read(path: &Path) -> Result<Vec<Category>> {
    let mut problems = Vec::new();
    let files = if path.is_dir() {
        listing::files(path, &["toml"], &mut problems)
    } else {
        vec![(String::new(), path.to_path_buf())]
    };
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let parse = |(_, file): &(String, PathBuf)| {
        Category::parse(&file.to_string_lossy(), &std::fs::read_to_string(file).map_err(Error::io(file))?)
    };
    files.iter().map(parse).collect()
}

/// Which categories a world's test part holds; the training part is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorldTest {
    /// Categories of which no photo is trained on: `synth-world`.
    Unseen,
    /// New objects of the categories that are trained on: `synth-world-seen`.
    Seen,
}

/// `synth-world` or `synth-world-seen`.
///
/// ```
/// use retrace::dataset::{Source, Split, synthetic::{WorldCorpus, WorldTest}};
/// let world = WorldCorpus::new(WorldTest::Unseen, 64)?;
/// let photo = world.index().photos_of(Split::Test)[0];
/// assert_eq!(world.photo(photo)?.dimensions(), (64, 64));
/// assert!(world.index().sketches.iter().all(|sketch| sketch.sketcher.is_some()));
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct WorldCorpus {
    side: u32,
    name: String,
    categories: Vec<Category>,
    index: Index,
    /// Category and number of each photo.
    objects: Vec<(usize, u64)>,
}

impl WorldCorpus {
    /// The corpus with photos of `side` pixels.
    ///
    /// # Errors
    /// A side below 16 pixels or above 1024.
    pub fn new(test: WorldTest, side: u32) -> Result<Self> {
        let name = if test == WorldTest::Seen { "synth-world-seen" } else { "synth-world" };
        Self::of(name.to_string(), categories()?, test, side)
    }

    /// A world of one's own: a category's file, or a folder of such files. Its test part has the unseen categories where
    /// there are any, else new objects of all.
    ///
    /// # Errors
    /// As [`Category::parse`]; no file that ends in `.toml`; a side below 16 pixels or above 1024.
    pub fn read(path: &Path, side: u32) -> Result<Self> {
        let categories = read(path)?;
        let test = if categories.iter().any(|one| one.unseen) { WorldTest::Unseen } else { WorldTest::Seen };
        let name = path.file_stem().map_or_else(|| "world".into(), |name| name.to_string_lossy());
        Self::of(name.into_owned(), categories, test, side)
    }

    fn of(name: String, categories: Vec<Category>, test: WorldTest, side: u32) -> Result<Self> {
        super::check_side(side)?;
        let mut corpus = Self { side, name, categories, index: Index::default(), objects: Vec::new() };
        corpus.list(Split::Train, false, 0..TRAIN);
        match test {
            WorldTest::Unseen => corpus.list(Split::Test, true, 0..TEST),
            WorldTest::Seen => corpus.list(Split::Test, false, TRAIN..TRAIN + TEST),
        }
        Ok(corpus)
    }

    /// Adds photos of the seen or unseen categories, and sketches of each.
    fn list(&mut self, split: Split, unseen: bool, numbers: std::ops::Range<usize>) {
        for (position, category) in self.categories.iter().enumerate().filter(|(_, one)| one.unseen == unseen) {
            let draw = &mut SEED.child(&format!("{} index", category.name), numbers.start as u64);
            for number in numbers.clone() {
                let (photo, id) = (self.index.photos.len(), format!("{}-{number:03}", category.name));
                for (k, sketcher) in hands(SKETCHES, draw).into_iter().enumerate() {
                    let entry = SketchEntry { id: format!("{id}-{k}"), photo, sketcher: Some(sketcher) };
                    self.index.sketches.push(entry);
                }
                self.index.photos.push(PhotoEntry { id, category: category.name.clone(), split });
                self.objects.push((position, number as u64));
            }
        }
    }

    fn object(&self, photo: usize) -> Result<(&Category, u64)> {
        let (category, number) = self.objects.get(photo).ok_or_else(|| missing("photo", self.objects.len(), photo))?;
        Ok((&self.categories[*category], *number))
    }
}

impl Source for WorldCorpus {
    fn name(&self) -> &str {
        &self.name
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn version(&self) -> String {
        format!("{} generator {WORLD_VERSION}, {} px", self.name, self.side)
    }

    fn photo(&self, position: usize) -> Result<RgbImage> {
        let (category, number) = self.object(position)?;
        render(category, SEED, number, self.side)
    }

    fn drawing(&self, position: usize) -> Result<Drawing> {
        let sketches = &self.index.sketches;
        let entry = sketches.get(position).ok_or_else(|| missing("sketch", sketches.len(), position))?;
        let (category, number) = self.object(entry.photo)?;
        let sketcher = entry.sketcher.unwrap_or(0);
        let style = sketcher_of(sketcher);
        let s = &mut SEED.child(&format!("{} sketch {sketcher}", category.name), number);
        let seen = design(category, SEED, number).misjudged(s, style.error * DIFFICULTY);
        Ok(Drawing::Vector(trace::draw(&seen.figure(category), &style, s)))
    }
}

/// The sketchers of the chairs draw the world as well.
pub(super) fn sketcher_of(sketcher: u32) -> Style {
    Style::of(ObjectKind::Chair, sketcher)
}

fn design(category: &Category, seed: Seed, number: u64) -> WorldDesign {
    WorldDesign::new(category, &mut seed.child(&format!("{} design", category.name), number))
}

/// A photo of an object of a category.
pub(super) fn render(category: &Category, seed: Seed, number: u64, side: u32) -> Result<RgbImage> {
    let look = look(category, &mut seed.child(&format!("{} look", category.name), number));
    let noise = &mut seed.child(&format!("{} noise", category.name), number);
    photo::render(design(category, seed, number).figure(category), &look, side, noise)
}

/// A look at random in the colours of a category.
pub(super) fn look(category: &Category, s: &mut Stream) -> PhotoLook {
    let mut look = PhotoLook::new(s, false);
    for (material, colours) in &category.colours {
        let colour = colours[count(s, 0, colours.len() - 1)];
        look = look.dyed(s, *material, WORLD_COLOURS[colour].1);
    }
    if !category.patterns.is_empty() {
        look.texture = category.patterns[count(s, 0, category.patterns.len() - 1)];
    }
    look
}

#[cfg(test)]
mod tests;
