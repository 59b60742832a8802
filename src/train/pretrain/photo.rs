//! Photos in memory, with labels where they have any, and batches of them.

use super::config::PretrainConfig;
use super::method::PretrainMethod;
use super::{colour, edges};
use crate::dataset::synthetic::{ObjectKind, Photos, VERSION};
use crate::dataset::{self, Album, Pair, PhotoFolder};
use crate::file::{hash_bytes, subfolders};
use crate::seed::{Seed, Stream};
use crate::sketch::Affine;
use crate::train::feed::plain;
use crate::watch::Watch;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use image::RgbImage;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The class of each attribute, in the order of [`Photos::classes`]; none where an attribute does not apply.
pub(super) type Labels = Vec<Option<usize>>;

/// The attribute that a photo in greys does not show.
const COLOUR: &str = "colour";

/// The attribute whose classes 1 and 2 a mirror swaps.
const SIDE_SEEN: &str = "chair side seen";

/// The stream's photos, drawn once.
pub(super) struct PhotoSet {
    album: Album,
    labels: Vec<Labels>,
    /// The version of a folder of unlabelled photos.
    version: Option<String>,
    device: Device,
}

impl PhotoSet {
    /// The photos of a configuration, with labels where they have any.
    ///
    /// # Errors
    /// A folder that is not there or holds too few photos; [`Error::Stopped`] where the watch asks for it.
    pub(super) fn open(
        config: &PretrainConfig,
        data: Option<&Path>,
        device: &Device,
        watch: &dyn Watch,
    ) -> Result<Self> {
        match &config.corpus {
            Some(name) => {
                let data = data
                    .ok_or_else(|| Error::value("RETRACE_DATA", format!("the folder that holds {name}"), "not set"))?;
                Self::read(config, name, data, device, watch)
            }
            None => Self::draw(config, device, watch),
        }
    }

    /// Reads photos that have no labels, in an order of their own: neighbours in a folder are often of one kind.
    ///
    /// Copies of a corpus's test photos are left out, told by their content.
    fn read(config: &PretrainConfig, name: &str, data: &Path, device: &Device, watch: &dyn Watch) -> Result<Self> {
        let folders = folders(name, data)?;
        let of_folder = |(at, folder): (usize, &PhotoFolder)| (0..folder.count()).map(move |position| (at, position));
        let mut order: Vec<(usize, usize)> = folders.iter().enumerate().flat_map(of_folder).collect();
        order.shuffle(&mut Seed(0).stream("photos")); // the same held-out photos for every seed
        let done = AtomicUsize::new(0);
        let advance = || {
            go_on(watch)?;
            watch.advance("photos", done.fetch_add(1, Ordering::Relaxed) + 1, order.len());
            Ok(())
        };
        let read = dataset::unlabelled(&folders, &order, data, config.prepare().kept(), &advance)?;
        let copied: Vec<usize> = (0..read.len()).filter(|at| read[*at].is_none()).collect();
        let (count, copies) = (config.photos + config.valid_photos, copied.len());
        if read.len() - copies < count {
            let expected = format!("{} photos to train on and {} to hold out", config.photos, config.valid_photos);
            let found =
                format!("{}, beside {copies} copies of test photos; ask for fewer (--count)", read.len() - copies);
            return Err(Error::data(data.join(name), expected, found));
        }
        let photos: Vec<RgbImage> = read.into_iter().flatten().take(count).collect();
        let labels = vec![vec![None; Photos::classes().len()]; count];
        let versions: Vec<String> = folders.iter().map(PhotoFolder::version).collect();
        let version = hash_bytes(format!("{versions:?} {copied:?}").as_bytes());
        let version = Some(format!("{name} {version}, {copies} copies of test photos left out"));
        Ok(Self { album: album(photos, config)?, labels, version, device: device.clone() })
    }

    /// A description of the photos, for a log.
    pub(super) fn version(&self, side: u32) -> String {
        match &self.version {
            Some(version) => format!("unlabelled photos, {version}, {side} px"),
            None => format!("labelled photos, generator {VERSION}, {side} px"),
        }
    }

    /// Draws training and held-out photos.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the watch asks for it.
    pub(super) fn draw(config: &PretrainConfig, device: &Device, watch: &dyn Watch) -> Result<Self> {
        let count = config.photos + config.valid_photos;
        let stream = Photos { count, side: config.prepare().kept() };
        let done = AtomicUsize::new(0);
        let item = |position| -> Result<(RgbImage, Labels)> {
            go_on(watch)?;
            let photo = stream.photo(position)?;
            watch.advance("photos", done.fetch_add(1, Ordering::Relaxed) + 1, count);
            Ok((photo, applying(&stream.labels(position)?)))
        };
        let items = (0..count).into_par_iter().map(item).collect::<Result<Vec<_>>>()?;
        let (photos, labels): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        Ok(Self { album: album(photos, config)?, labels, version: None, device: device.clone() })
    }

    /// Photos as they are.
    ///
    /// # Shapes
    /// `(b, 3, side, side)`, values `0..=1`, and b rows of labels.
    pub(super) fn plain(&self, positions: &[usize]) -> Result<(Tensor, Vec<Labels>)> {
        let labels = positions.iter().map(|position| self.labels(*position)).collect::<Result<_>>()?;
        Ok((self.album.photos(&plain(positions), &self.device)?, labels))
    }

    /// Photos deformed and recoloured at random; labels follow what can still be seen.
    ///
    /// # Shapes
    /// As [`PhotoSet::plain`].
    pub(super) fn augmented(
        &self,
        positions: &[usize],
        config: &PretrainConfig,
        stream: &mut Stream,
    ) -> Result<(Tensor, Vec<Labels>)> {
        let (mut views, mut colours, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for position in positions {
            let affine = Affine::sample(&config.augment, stream);
            let colour = config.colour.sample(stream);
            labels.push(seen(self.labels(*position)?, affine.flip, colour.is_grey()));
            views.push((*position, affine));
            colours.push(colour);
        }
        Ok((colour::apply(&self.album.photos(&views, &self.device)?, &colours)?, labels))
    }

    /// Photos deformed at random, in their own colours.
    ///
    /// # Shapes
    /// `(b, 3, side, side)`, values `0..=1`.
    pub(super) fn deformed(&self, positions: &[usize], config: &PretrainConfig, stream: &mut Stream) -> Result<Tensor> {
        let view = |position: &usize| (*position, Affine::sample(&config.augment, stream));
        self.album.photos(&positions.iter().map(view).collect::<Vec<_>>(), &self.device)
    }

    /// Maps of edges and their photos, deformed as a photo and its sketch are, in their own colours.
    ///
    /// # Shapes
    /// Both `(b, 3, side, side)`, values `0..=1`.
    pub(super) fn with_edges(
        &self,
        positions: &[usize],
        config: &PretrainConfig,
        stream: &mut Stream,
    ) -> Result<(Tensor, Tensor)> {
        let pairs: Vec<Pair> = positions.iter().map(|at| Pair { sketch: *at, photo: *at, group: 0 }).collect();
        self.album.pairs(&pairs, &config.augment, stream, &self.device)
    }

    /// Maps of edges as they are.
    ///
    /// # Shapes
    /// `(b, 3, side, side)`, values `0..=1`.
    pub(super) fn edges(&self, positions: &[usize]) -> Result<Tensor> {
        self.album.sketches(&plain(positions), &self.device)
    }

    /// The labels of a photo.
    pub(super) fn labels(&self, position: usize) -> Result<Labels> {
        let labels = self.labels.get(position).cloned();
        labels.ok_or_else(|| Error::value("position of a photo", format!("below {}", self.labels.len()), position))
    }
}

/// The folders that a configuration names; `a/*` stands for every folder in `a`, as of a corpus with a folder a class.
fn folders(name: &str, data: &Path) -> Result<Vec<PhotoFolder>> {
    let mut folders = Vec::new();
    for part in name.split(PretrainConfig::BETWEEN) {
        match part.strip_suffix("/*") {
            None => folders.push(dataset::photos(&data.join(part))?),
            Some(outer) => {
                let outer = data.join(outer);
                let inner = subfolders(&outer)?.into_iter().map(|inner| dataset::photos(&outer.join(inner)));
                folders.extend(inner.collect::<Result<Vec<_>>>()?);
            }
        }
    }
    if folders.is_empty() { Err(Error::data(data.join(name), "folders of photos", "none")) } else { Ok(folders) }
}

/// Photos in memory, with the maps of their edges where the method needs those.
fn album(photos: Vec<RgbImage>, config: &PretrainConfig) -> Result<Album> {
    let PretrainMethod::Edges { thresholds, blur, .. } = config.method else {
        return Album::of_photos(photos, config.prepare());
    };
    let maps = photos.par_iter().map(|photo| edges::map(photo, thresholds, blur)).collect();
    Album::of_pairs(photos, maps, config.prepare())
}

fn go_on(watch: &dyn Watch) -> Result<()> {
    if watch.is_stopped() {
        return Err(Error::Stopped { resume: "photos are not kept; the same command starts with them again".into() });
    }
    Ok(())
}

/// Leaves out the attributes of the other kind of object: for those, class 0 only repeats what the object is.
fn applying(labels: &[usize]) -> Labels {
    let of_kind = |name: &str| ObjectKind::ALL.iter().any(|kind| name.starts_with(kind.name()));
    let classes = Photos::classes().iter();
    classes.zip(labels).map(|((name, _), label)| (*label > 0 || !of_kind(name)).then_some(*label)).collect()
}

/// The labels after a mirror and a loss of colour.
fn seen(mut labels: Labels, flipped: bool, grey: bool) -> Labels {
    for ((name, _), label) in Photos::classes().iter().zip(&mut labels) {
        match *name {
            COLOUR if grey => *label = None,
            SIDE_SEEN if flipped => *label = label.map(|label| if label == 0 { 0 } else { 3 - label }),
            _ => {}
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::super::method::PretrainMethod;
    use super::*;
    use crate::watch::Unwatched;

    fn at(name: &str) -> usize {
        Photos::classes().iter().position(|(other, _)| *other == name).unwrap()
    }

    #[test]
    fn labels_of_the_other_kind_are_left_out() {
        let stream = Photos { count: 40, side: 16 };
        let mut kinds = [0, 0];
        for position in 0..40 {
            let labels = applying(&stream.labels(position).unwrap());
            let kind = labels[at("kind")].unwrap();
            kinds[kind] += 1;
            for ((name, count), label) in Photos::classes().iter().zip(&labels) {
                let other = ["chair ", "shoe "][kind]; // class 0 is the shoe
                assert_eq!(label.is_none(), name.starts_with(other), "{name}: {label:?} of kind {kind}");
                assert!(label.is_none_or(|label| label < *count), "{name}: {label:?}");
            }
        }
        assert!(kinds.iter().all(|count| *count > 5), "{kinds:?}");
    }

    #[test]
    fn labels_follow_what_is_seen() {
        let mut labels: Labels = vec![Some(1); Photos::classes().len()];
        assert_eq!(seen(labels.clone(), false, false), labels);
        let (colour, side) = (at(COLOUR), at(SIDE_SEEN));
        labels[side] = Some(2);
        let both = seen(labels.clone(), true, true);
        assert_eq!((both[colour], both[side]), (None, Some(1)));
        assert_eq!(both.iter().zip(&labels).filter(|(a, b)| a != b).count(), 2);
        assert_eq!(seen(both, true, false)[side], Some(2));
    }

    #[test]
    fn batches_depend_on_their_stream_alone() {
        let config =
            PretrainConfig { photos: 4, valid_photos: 2, side: 16, ..PretrainConfig::mini(PretrainMethod::Attributes) };
        let labelled = PhotoSet::draw(&config, &Device::Cpu, &Unwatched).unwrap();
        let batch = |seed: u64| {
            let (pictures, labels) = labelled.augmented(&[0, 3], &config, &mut Seed(seed).stream("test")).unwrap();
            (pictures.flatten_all().unwrap().to_vec1::<f32>().unwrap(), labels)
        };
        assert_eq!(batch(1), batch(1));
        assert_ne!(batch(1).0, batch(2).0);
        assert!(batch(1).0.iter().all(|value| (0.0..=1.0).contains(value)));
        assert_eq!(labelled.plain(&[5]).unwrap().0.dims(), [1, 3, 16, 16]);
        assert!(labelled.plain(&[6]).is_err());
    }
}
