//! Where a loader found what a corpus knows of single objects, and how it is read: the [`Scenes`] of files.

use super::corpus::FileCorpus;
use super::{InstanceMap, ObjectBox, Scenes, SketchInstance, Source, mat, picture};
use crate::sketch::{CANVAS, antialiased};
use crate::{Error, Result};
use image::{GrayImage, Luma};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Line width of strokes that stand for a picture, in pixels of the 256 canvas: that of a contact sheet.
pub(super) const PEN: f32 = 3.0;

/// What a loader knows of the objects in one picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Objects {
    pub map: Option<StoredMap>,
    pub boxes: Option<Vec<ObjectBox>>,
    /// Object by object, in the order of the drawing; without a `map`, one is drawn from them.
    pub strokes: Option<Vec<SketchInstance>>,
}

/// How an instance map is stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum StoredMap {
    /// A grey picture whose values are labels, and the category of each label.
    Picture(PathBuf, Vec<String>),
    /// MATLAB's `INSTANCE_GT` and `CLASS_GT`: a label, and a number of a class, for each pixel.
    Matlab { instances: PathBuf, classes: PathBuf },
}

impl StoredMap {
    fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Picture(path, _) => vec![path],
            Self::Matlab { instances, classes } => vec![instances, classes],
        }
    }

    fn read(&self) -> Result<InstanceMap> {
        match self {
            Self::Picture(path, categories) => {
                let map = InstanceMap::new(picture::read_labels(path)?, categories.clone());
                map.map_err(|error| in_file(path, error))
            }
            Self::Matlab { instances, classes } => read_matlab(instances, classes),
        }
    }
}

/// The map of two tables: the class of an object is that of most of its pixels. Labels are counted anew, without gaps.
fn read_matlab(instances: &Path, classes: &Path) -> Result<InstanceMap> {
    let (labels, numbers) = (mat::read(instances, "INSTANCE_GT")?, mat::read(classes, "CLASS_GT")?);
    if (labels.rows, labels.columns) != (numbers.rows, numbers.columns) {
        let expected = format!("{} x {}, as the map of instances has", labels.rows, labels.columns);
        return Err(Error::data(classes, expected, format!("{} x {}", numbers.rows, numbers.columns)));
    }
    let mut found: BTreeMap<u32, BTreeMap<u32, usize>> = BTreeMap::new();
    let pixels = || (0..labels.rows).flat_map(|row| (0..labels.columns).map(move |column| (row, column)));
    for (row, column) in pixels() {
        if let (Some(label @ 1..), Some(number)) = (labels.get(row, column), numbers.get(row, column)) {
            *found.entry(label).or_default().entry(number).or_insert(0) += 1;
        }
    }
    let too_many = || Error::data(instances, "at most 255 objects", found.len());
    let count = u8::try_from(found.len()).map_err(|_| too_many())?;
    let new: BTreeMap<u32, u8> = found.keys().copied().zip(1..=count).collect();
    let mut map = GrayImage::new(labels.columns as u32, labels.rows as u32);
    for (row, column) in pixels() {
        if let Some(label) = labels.get(row, column).and_then(|label| new.get(&label)) {
            map.put_pixel(column as u32, row as u32, Luma([*label]));
        }
    }
    // Of two classes with as many pixels, the higher number.
    let most =
        |numbers: &BTreeMap<u32, usize>| numbers.iter().max_by_key(|(_, pixels)| **pixels).map_or(0, |most| *most.0);
    InstanceMap::new(map, found.values().map(|numbers| format!("class {}", most(numbers))).collect())
}

impl Objects {
    /// Files that are read for it.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.map.iter().flat_map(StoredMap::paths)
    }

    fn map(&self) -> Result<Option<InstanceMap>> {
        match (&self.map, &self.strokes) {
            (Some(map), _) => map.read().map(Some),
            (None, Some(instances)) => draw_map(instances).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// The same fault with the file that it is in.
pub(super) fn in_file(path: &Path, error: Error) -> Error {
    match error {
        Error::Value { what, expected, found } => Error::data(path, format!("{what}: {expected}"), found),
        other => other,
    }
}

/// The label of each pixel that ink covers at least half; what is drawn later lies on top.
fn draw_map(instances: &[SketchInstance]) -> Result<InstanceMap> {
    let side = CANVAS as u32;
    let mut pixels = GrayImage::new(side, side);
    for (object, instance) in instances.iter().enumerate() {
        let too_many = || Error::value("objects of a sketch", "at most 255", instances.len());
        let label = u8::try_from(object + 1).map_err(|_| too_many())?;
        let ink = antialiased(&instance.strokes, side, PEN);
        for (x, y, _) in ink.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] < 128) {
            pixels.put_pixel(x, y, Luma([label]));
        }
    }
    InstanceMap::new(pixels, instances.iter().map(|instance| instance.category.clone()).collect())
}

impl FileCorpus {
    /// `kind` is 0 of photos and 1 of sketches.
    fn objects_of(&self, kind: usize, position: usize) -> Result<Option<&Objects>> {
        let (what, of_kind) = (["photo", "sketch"][kind], &self.objects[kind]);
        Ok(of_kind.get(position).ok_or_else(|| self.beyond(what, position, of_kind.len()))?.as_ref())
    }
}

impl Scenes for FileCorpus {
    fn photo_instances(&self, photo: usize) -> Result<Option<InstanceMap>> {
        self.objects_of(0, photo)?.map_or(Ok(None), Objects::map)
    }

    fn sketch_instances(&self, sketch: usize) -> Result<Option<InstanceMap>> {
        self.objects_of(1, sketch)?.map_or(Ok(None), Objects::map)
    }

    fn instance_strokes(&self, sketch: usize) -> Result<Option<Vec<SketchInstance>>> {
        Ok(self.objects_of(1, sketch)?.and_then(|objects| objects.strokes.clone()))
    }

    fn photo_boxes(&self, photo: usize) -> Result<Option<Vec<ObjectBox>>> {
        Ok(self.objects_of(0, photo)?.and_then(|objects| objects.boxes.clone()))
    }

    fn sketch_boxes(&self, sketch: usize) -> Result<Option<Vec<ObjectBox>>> {
        Ok(self.objects_of(1, sketch)?.and_then(|objects| objects.boxes.clone()))
    }
}

/// Reads everything that a corpus knows of the objects of a photo or a sketch: whether its files are whole.
///
/// # Errors
/// What the methods of [`Scenes`] refuse; a map of another size than its picture.
pub(super) fn check(source: &dyn Source, kind: usize, position: usize, size: Option<(u32, u32)>) -> Result<()> {
    let Some(scenes) = source.scenes() else { return Ok(()) };
    let map = match kind {
        0 => scenes.photo_instances(position)?,
        _ => scenes.sketch_instances(position)?,
    };
    match (map, size) {
        (Some(map), Some(size)) if map.pixels().dimensions() != size => {
            let what = format!("instance map of {} {position}", ["photo", "sketch"][kind]);
            let (width, height) = map.pixels().dimensions();
            let expected = format!("{} x {} pixels, as the picture has", size.0, size.1);
            Err(Error::value(what, expected, format!("{width} x {height}")))
        }
        _ => Ok(()),
    }
}
