//! What a loader finds in a folder: photos and sketches, each with what it says of itself and how it is stored.

use super::objects::Objects;
use super::{PhotoEntry, Split};
use crate::sketch::Sketch;
use std::path::{Path, PathBuf};

/// How a sketch is stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stored {
    /// Already read, from a file that holds many.
    Strokes(Sketch),
    /// A PNG or JPEG.
    Picture(PathBuf),
    /// An SVG or stroke JSON.
    Vector(PathBuf),
    /// FS-COCO's points with their times.
    TimedPoints(PathBuf),
}

impl Stored {
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Strokes(_) => None,
            Self::Picture(path) | Self::Vector(path) | Self::TimedPoints(path) => Some(path),
        }
    }
}

/// How a photo is stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum StoredPhoto {
    /// A PNG or JPEG.
    Picture(PathBuf),
    /// A drawing that stands for a photo, where one drawing is searched by another.
    Strokes(Sketch),
}

/// A photo that a loader found.
#[derive(Debug, Clone)]
pub(super) struct FoundPhoto {
    pub entry: PhotoEntry,
    pub stored: StoredPhoto,
    pub objects: Option<Objects>,
}

/// A sketch that a loader found, and the photo that it says it shows.
#[derive(Debug, Clone)]
pub(super) struct FoundSketch {
    pub id: String,
    pub photo: String,
    pub category: String,
    pub split: Option<Split>,
    pub sketcher: Option<u32>,
    pub stored: Stored,
    pub objects: Option<Objects>,
}

impl FoundPhoto {
    pub fn path(&self) -> Option<&Path> {
        match &self.stored {
            StoredPhoto::Strokes(_) => None,
            StoredPhoto::Picture(path) => Some(path),
        }
    }
}

impl FoundSketch {
    pub fn path(&self) -> Option<&Path> {
        self.stored.path()
    }
}
