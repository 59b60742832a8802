//! Photos, sketches and their pairing: one [`Source`] a corpus, one [`Index`] for all of them.
//!
//! | module | what it reads |
//! |---|---|
//! | [`qmul_v2`] | QMUL-Shoe-V2 and Chair-V2: photos and a coordinate pickle, or SVG folders |
//! | [`qmul_v1`] | QMUL-Shoe-V1, Chair-V1, Handbag: paired pictures |
//! | [`Attributes`] | attributes of Shoe-V1's photos, and transfers between kinds of shoes |
//! | [`sketchy`] | Sketchy: a folder a class |
//! | [`boxed_scenes`] | scenes with boxes and instance maps: parts of SketchyCOCO and FS-COCO, by folds |
//! | [`friss`] | FrISS and CBSC: scenes of strokes, object by object |
//! | [`matlab_scenes`] | SketchyScene and SketchyCOCO as released: scenes with instance maps |
//! | [`fs_coco`] | FS-COCO as released: scenes of strokes |
//! | [`folder`] | a user's own data, paired by a `manifest.csv` |
//! | [`photos()`] | photos alone, without sketches or labels |
//! | [`drawings()`] | QuickDraw: drawings alone, with their classes |
//!
//! [`open()`] finds the right one by name or by folder; [`list`] knows the published counts; [`with_validation`] cuts a
//! validation part; [`check()`] opens every file and compares counts; [`sheet()`] shows what a corpus looks like.
//!
//! # Order of the index
//!
//! Photos are sorted by split (train, valid, test), then class, then id; sketches by the position of their photo, then
//! id. Names compare byte by byte (`10` before `2`), so that positions are the same on every machine. A validation part
//! is split off afterwards and changes no position.

mod prepare;
mod sampler;

pub use prepare::{Album, Ink, PrepareConfig};
pub use sampler::{Pair, batches};

pub mod synthetic;

use crate::{Error, Result, sketch::Sketch};
use image::{GrayImage, RgbImage};
use serde::{Deserialize, Serialize};

mod attribute;
pub mod boxed_scenes;
mod catalogue;
mod check;
mod class;
mod copies;
mod corpus;
mod drawings;
mod episode;
#[cfg(test)]
pub(crate) mod fixture;
pub mod folder;
mod found;
pub mod friss;
pub mod fs_coco;
mod index;
mod joined;
mod json;
mod listing;
mod mask;
mod mat;
pub mod matlab_scenes;
mod objects;
mod open;
mod photos;
mod picture;
pub mod qmul_v1;
pub mod qmul_v2;
mod report;
mod scene;
mod scene_drawing;
mod selected;
mod sheet;
pub mod sketchy;
mod unlabelled;
mod validation;
mod vector;
mod words;

pub use attribute::{Attributes, Transfer, open_transfer};
pub use catalogue::{Known, PublishedCounts, is_embedded, list, name_of, transfer_of};
pub use check::{check, check_source};
pub use copies::{Fingerprint, test_photos};
pub use corpus::{FileCorpus, Layout};
pub use drawings::{Drawings, LabelledDrawing, drawings};
pub use episode::{Episode, episodes};
pub use joined::Joined;
pub use mask::Mask;
pub use open::{detect, open};
pub use photos::{PhotoFolder, photos};
pub use picture::read_photo;
pub use report::{Comparison, Report};
pub use scene::{BACKGROUND, InstanceMap, ObjectBox, SceneMask, Scenes, SketchInstance, whole};
pub use scene_drawing::{SceneDrawing, scene_drawings};
pub use selected::Selected;
pub use sheet::{choose, sheet};
pub use unlabelled::unlabelled;
pub use validation::{with_valid_categories, with_validation};
pub use words::{WordVectors, words_of};

/// The part of a corpus that a photo, and with it all of its sketches, belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Trained on.
    Train,
    /// Cut from the training photos; chooses checkpoints and hyper-parameters.
    Valid,
    /// Used once, at the end of a run.
    Test,
}

/// A photo of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoEntry {
    /// The corpus's own name of it; never printed into `results/`.
    pub id: String,
    /// The class, where a corpus has several; else the corpus's one class.
    pub category: String,
    /// Train, valid or test.
    pub split: Split,
}

/// A sketch of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SketchEntry {
    /// The corpus's own name of it; never printed into `results/`.
    pub id: String,
    /// The photo it shows: a position in [`Index::photos`].
    pub photo: usize,
    /// Who drew it, where the corpus says.
    pub sketcher: Option<u32>,
}

/// The content of a corpus. Positions in these two lists are the indices that `results/` uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Index {
    /// In a fixed order (sorted by split as published, then id, unless the corpus says otherwise).
    pub photos: Vec<PhotoEntry>,
    /// In a fixed order.
    pub sketches: Vec<SketchEntry>,
}

impl Index {
    /// Positions of the photos of a split.
    pub fn photos_of(&self, split: Split) -> Vec<usize> {
        (0..self.photos.len()).filter(|&i| self.photos[i].split == split).collect()
    }

    /// Positions of the sketches whose photo is of a split.
    pub fn sketches_of(&self, split: Split) -> Vec<usize> {
        (0..self.sketches.len()).filter(|&i| self.photos[self.sketches[i].photo].split == split).collect()
    }
}

/// A sketch as its corpus stores it.
#[derive(Debug, Clone, PartialEq)]
pub enum Drawing {
    /// Strokes on the 256 canvas.
    Vector(Sketch),
    /// Pixels, dark ink on a white ground.
    Raster(GrayImage),
}

impl Drawing {
    /// The strokes.
    ///
    /// # Errors
    /// Pixels, which have no strokes.
    pub fn vector(self) -> Result<Sketch> {
        match self {
            Self::Vector(sketch) => Ok(sketch),
            Self::Raster(_) => Err(Error::value("sketch", "strokes", "a picture of a sketch")),
        }
    }
}

/// A corpus: an index, and the photo or sketch at a position.
pub trait Source: Send + Sync {
    /// Its name in `results/`, e.g. `qmul-chair-v2`.
    fn name(&self) -> &str;

    /// The content of the corpus.
    fn index(&self) -> &Index;

    /// A hash of the content (file names and sizes, or the generator's version), for a run's log.
    fn version(&self) -> String;

    /// The photo at a position of [`Index::photos`].
    ///
    /// # Errors
    /// A file that is missing, truncated or of another format.
    fn photo(&self, position: usize) -> Result<RgbImage>;

    /// The sketch at a position of [`Index::sketches`].
    ///
    /// # Errors
    /// A file that is missing, truncated or of another format.
    fn drawing(&self, position: usize) -> Result<Drawing>;

    /// The single objects, where this is a corpus of scenes.
    fn scenes(&self) -> Option<&dyn Scenes> {
        None
    }
}
