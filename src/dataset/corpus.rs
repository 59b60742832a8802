//! From what a folder holds to a [`Source`]: pairing, order, version. Every loader of real data ends here.

use super::found::{FoundPhoto, FoundSketch, Stored, StoredPhoto};
use super::objects::{Objects, PEN};
use super::{Drawing, Index, PhotoEntry, Scenes, SketchEntry, Source, Split, fs_coco, listing, picture, vector};
use crate::sketch::{CANVAS, antialiased};
use crate::{Error, Result};
use image::{DynamicImage, RgbImage};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The findings of a loader in a folder, faults included: `open` refuses them, `check` lists them.
#[derive(Debug)]
pub(super) struct Scan {
    pub name: String,
    pub layout: Layout,
    pub root: PathBuf,
    pub photos: Vec<FoundPhoto>,
    pub sketches: Vec<FoundSketch>,
    /// Files that hold many sketches or the pairing.
    pub tables: Vec<PathBuf>,
    pub problems: Vec<Error>,
}

/// How a corpus lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `photo/` and a coordinate pickle: [`super::qmul_v2`].
    QmulV2Pickle,
    /// Photo and sketch folders with list files, or `trainA trainB testA testB`: [`super::qmul_v2`].
    QmulV2Svg,
    /// `train|test/{images,sketches}`: [`super::qmul_v1`].
    QmulV1,
    /// `photo/<class>` and `sketch/<class>`: [`super::sketchy`].
    Sketchy,
    /// Any files, paired by `manifest.csv`: [`super::folder`].
    Folder,
    /// `photo/`, `sketch/`, `instance/` and `boxes.json`: [`super::boxed_scenes`].
    BoxedScenes,
    /// `friss.jsonl.gz`, scenes of strokes: [`super::friss`].
    Friss,
    /// `<part>/{reference_image,DRAWING_GT,INSTANCE_GT,CLASS_GT}`: [`super::matlab_scenes`].
    SketchyScene,
    /// `GT/`, `Sketch/` and `Annotation/paper_version/`: [`super::matlab_scenes`].
    SketchyCoco,
    /// `images/<person>` and `raw_data/<person>`: [`super::fs_coco`].
    FsCoco,
    /// Photos alone: [`super::photos()`].
    Photos,
    /// Lines of drawings with their classes, `ndjson`: [`super::drawings()`].
    Drawings,
    /// A file of scenes without pairs, `jsonl`: [`super::scene_drawings`].
    SceneDrawings,
}

impl Layout {
    /// Whether it pairs sketches with photos of single objects.
    pub(super) fn is_of_objects(self) -> bool {
        match self {
            Self::QmulV2Pickle | Self::QmulV2Svg | Self::QmulV1 | Self::Sketchy | Self::Folder => true,
            Self::BoxedScenes | Self::Friss | Self::SketchyScene | Self::SketchyCoco | Self::FsCoco => false,
            Self::Photos | Self::Drawings | Self::SceneDrawings => false,
        }
    }
}

/// A corpus of files.
#[derive(Debug, Clone)]
pub struct FileCorpus {
    name: String,
    layout: Layout,
    index: Index,
    photos: Vec<StoredPhoto>,
    drawings: Vec<Stored>,
    /// Of each photo, then of each sketch.
    pub(super) objects: [Vec<Option<Objects>>; 2],
    version: String,
}

impl Scan {
    pub(super) fn new(name: impl ToString, layout: Layout, root: &Path) -> Self {
        let (photos, sketches, tables, problems) = Default::default();
        Self { name: name.to_string(), layout, root: root.to_path_buf(), photos, sketches, tables, problems }
    }

    pub(super) fn add_photo(&mut self, id: impl ToString, category: impl ToString, split: Split, path: &Path) {
        let entry = PhotoEntry { id: id.to_string(), category: category.to_string(), split };
        self.photos.push(FoundPhoto { entry, stored: StoredPhoto::Picture(path.to_path_buf()), objects: None });
    }

    /// The corpus, if nothing is wrong with it.
    pub(super) fn open(self) -> Result<FileCorpus> {
        let (corpus, mut problems) = self.assemble()?;
        if problems.is_empty() {
            return Ok(corpus);
        }
        let more = problems.len() - 1;
        Err(match problems.swap_remove(0) {
            Error::Data { path, expected, found } if more > 0 => {
                let found = format!("{found} (and {more} more problems: `retrace data check` names them all)");
                Error::Data { path, expected, found }
            }
            first => first,
        })
    }

    /// The corpus of all sound entries, and the faults of the others.
    pub(super) fn assemble(mut self) -> Result<(FileCorpus, Vec<Error>)> {
        self.photos.sort_by(|a, b| photo_key(&a.entry).cmp(&photo_key(&b.entry)).then_with(|| a.path().cmp(&b.path())));
        let version = self.version()?;
        let places = self.place_photos();
        let sketches = self.place_sketches(&places);
        let mut index = Index::default();
        let (mut photos, mut drawings, mut objects) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
        for found in self.photos {
            index.photos.push(found.entry);
            photos.push(found.stored);
            objects[0].push(found.objects);
        }
        for (photo, found) in sketches {
            index.sketches.push(SketchEntry { id: found.id, photo, sketcher: found.sketcher });
            drawings.push(found.stored);
            objects[1].push(found.objects);
        }
        // After another fault, a split without sketches only repeats it.
        let is_whole = self.problems.is_empty() && self.layout != Layout::Photos;
        if let (true, Err(error)) = (is_whole, index.check()) {
            self.problems.push(Error::data(&self.root, "a corpus to train or test on", error));
        }
        let corpus = FileCorpus { name: self.name, layout: self.layout, index, photos, drawings, objects, version };
        Ok((corpus, self.problems))
    }

    /// Where each photo stands, by class and id; of photos with the same name all but the first are refused.
    fn place_photos(&mut self) -> BTreeMap<(String, String), usize> {
        let mut places = BTreeMap::new();
        let (problems, root) = (&mut self.problems, &self.root);
        self.photos.retain(|found| {
            let key = (found.entry.category.clone(), found.entry.id.clone());
            let place = places.len();
            if places.contains_key(&key) {
                let expected = "photos of different names in all splits";
                problems.push(Error::data(
                    found.path().unwrap_or(root),
                    expected,
                    format!("two named `{}`", found.entry.id),
                ));
                return false;
            }
            places.insert(key, place);
            true
        });
        places
    }

    /// Sketches with the position of their photo, in the order of the index.
    fn place_sketches(&mut self, places: &BTreeMap<(String, String), usize>) -> Vec<(usize, FoundSketch)> {
        let mut placed = Vec::with_capacity(self.sketches.len());
        for found in std::mem::take(&mut self.sketches) {
            let path = found.path().unwrap_or(&self.root).to_path_buf();
            let Some(&place) = places.get(&(found.category.clone(), found.photo.clone())) else {
                if places.is_empty() {
                    continue; // the loader has said that there are no photos at all
                }
                let lost = format!("a sketch of `{}`, which is not there", found.photo);
                self.problems.push(Error::data(path, "a photo for every sketch", lost));
                continue;
            };
            let split = self.photos[place].entry.split;
            if let Some(own) = found.split.filter(|own| *own != split) {
                let (own, split) = (own.name(), split.name());
                let strayed = format!("a sketch of `{}` in split {own}, its photo in {split}", found.photo);
                self.problems.push(Error::data(path, "a sketch in its photo's split", strayed));
                continue;
            }
            placed.push((place, found));
        }
        placed.sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.id.cmp(&right.id)));
        let mut seen = None;
        placed.retain(|(place, found)| {
            let repeated =
                seen.replace((*place, found.id.clone())).is_some_and(|last| last == (*place, found.id.clone()));
            if repeated {
                let path = found.path().unwrap_or(&self.root);
                let twice = format!("two sketches with the same name for photo `{}`", found.photo);
                self.problems.push(Error::data(path, "sketches of different names", twice));
            }
            !repeated
        });
        placed
    }

    /// What [`Source::version`] returns.
    fn version(&self) -> Result<String> {
        let photos = self.photos.iter().filter_map(FoundPhoto::path);
        let maps =
            self.photos.iter().map(|found| &found.objects).chain(self.sketches.iter().map(|found| &found.objects));
        let maps = maps.flatten().flat_map(Objects::paths);
        let sketches = self.sketches.iter().filter_map(FoundSketch::path);
        let tables = self.tables.iter().map(PathBuf::as_path);
        listing::version(&self.root, photos.chain(sketches).chain(tables).chain(maps))
    }
}

fn photo_key(entry: &PhotoEntry) -> (Split, &str, &str) {
    (entry.split, &entry.category, &entry.id)
}

impl FileCorpus {
    /// How its files lie.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The file of the sketch at a position, where it has one of its own.
    pub(super) fn sketch_path(&self, position: usize) -> Option<&Path> {
        self.drawings.get(position)?.path()
    }

    pub(super) fn beyond(&self, what: &str, position: usize, count: usize) -> Error {
        Error::value(format!("{what} of {}", self.name), format!("a position below {count}"), position)
    }
}

impl Source for FileCorpus {
    fn name(&self) -> &str {
        &self.name
    }

    fn index(&self) -> &Index {
        &self.index
    }

    /// First 16 hexadecimal digits of the SHA-256 over name and size of every file that the corpus is read from
    /// (relative names with `/`, sorted). Fast, and enough to tell releases apart; a changed pixel of an uncompressed
    /// file of the same size is not seen.
    fn version(&self) -> String {
        self.version.clone()
    }

    fn photo(&self, position: usize) -> Result<RgbImage> {
        match self.photos.get(position).ok_or_else(|| self.beyond("photo", position, self.photos.len()))? {
            StoredPhoto::Picture(path) => picture::read_photo(path),
            StoredPhoto::Strokes(sketch) => {
                Ok(DynamicImage::ImageLuma8(antialiased(sketch, CANVAS as u32, PEN)).to_rgb8())
            }
        }
    }

    fn drawing(&self, position: usize) -> Result<Drawing> {
        match self.drawings.get(position).ok_or_else(|| self.beyond("sketch", position, self.drawings.len()))? {
            Stored::Strokes(sketch) => Ok(Drawing::Vector(sketch.clone())),
            Stored::Picture(path) => picture::read_sketch(path).map(Drawing::Raster),
            Stored::Vector(path) => vector::read(path).map(Drawing::Vector),
            Stored::TimedPoints(path) => fs_coco::read(path).map(Drawing::Vector),
        }
    }

    fn scenes(&self) -> Option<&dyn Scenes> {
        self.objects.iter().flatten().any(Option::is_some).then_some(self)
    }
}
