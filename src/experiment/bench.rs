//! A corpus, opened and divided, as a run needs it; and the order for a run.

use super::Needs;
use crate::dataset::{self, Album, Index, Pair, PrepareConfig, Source, Split};
use crate::run::{Header, Places, RunConfig, versions};
use crate::seed::Seed;
use crate::watch::Watch;
use crate::{Error, Result, device};
use candle_core::Device;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One photo in this many is set aside where a training part is too small for the number that was asked for.
const VALID_SHARE: usize = 10;

/// The order for a run: places, device, command and watch.
pub struct Order<'a> {
    /// Where things are read and written.
    pub places: &'a Places,
    /// Where tensors live.
    pub device: &'a Device,
    /// The command line, for the log.
    pub command: String,
    /// Told of progress.
    pub watch: &'a dyn Watch,
}

/// A corpus, opened and divided.
pub struct Bench {
    source: Box<dyn Source>,
    index: Index,
}

impl Bench {
    /// Opens a corpus by name or folder, for ranking: without a validation part cut from its training photos.
    ///
    /// # Errors
    /// A corpus that is not there, or has no test part.
    pub fn open(corpus: &str, places: &Places) -> Result<Self> {
        Self::divide(corpus, &Needs::default(), Seed(0), places)
    }

    /// Opens it for a run of a seed, and sets `valid_photos` of its training photos aside, or `valid_categories`; 0: none.
    ///
    /// A corpus that has a validation part of its own keeps it; one with fewer than
    /// `2 valid_photos` gives a tenth of them.
    ///
    /// # Errors
    /// A corpus that is not there, has no test part, or has too few photos to train and validate on.
    pub fn divide(corpus: &str, needs: &Needs, seed: Seed, places: &Places) -> Result<Self> {
        let source = dataset::open(corpus, places.data.as_deref())?;
        source.index().require(Split::Test)?;
        let (train, own) = (source.index().photos_of(Split::Train).len(), source.index().photos_of(Split::Valid).len());
        let index = match (own, needs.valid_photos) {
            (0, _) if needs.valid_categories > 0 => {
                dataset::with_valid_categories(source.index(), needs.valid_categories, needs.valid_seed(seed))?
            }
            (0, count) if count > 0 => {
                // Two photos at least: among one, every query is right.
                let count = if 2 * count <= train { count } else { (train / VALID_SHARE).max(2) };
                dataset::with_validation(source.index(), count, needs.valid_seed(seed))?
            }
            _ => source.index().clone(),
        };
        Ok(Self { source, index })
    }

    /// A corpus as it is, however it was opened.
    pub fn of(source: Box<dyn Source>) -> Self {
        Self { index: source.index().clone(), source }
    }

    /// Its index, validation part included.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The corpus itself.
    pub fn source(&self) -> &dyn Source {
        self.source.as_ref()
    }

    /// Decodes the pictures of some splits.
    ///
    /// # Errors
    /// The first file that cannot be read; a watch that stops.
    pub fn album(&self, config: PrepareConfig, splits: &[Split], watch: &dyn Watch) -> Result<Album> {
        let size = |split: &Split| self.index.photos_of(*split).len() + self.index.sketches_of(*split).len();
        let (done, total) = (AtomicUsize::new(0), splits.iter().map(size).sum());
        let advance = || {
            watch.advance("reading", done.fetch_add(1, Ordering::Relaxed) + 1, total);
            if watch.is_stopped() {
                return Err(Error::Stopped { resume: "nothing was under way yet".into() });
            }
            Ok(())
        };
        Album::load(self.source(), &self.index, splits, config, &advance)
    }

    /// The header of a run's log.
    ///
    /// # Errors
    /// A configuration that does not serialise.
    pub fn header<C: serde::Serialize>(
        &self,
        run: &RunConfig<C>,
        weights: Option<String>,
        order: &Order,
    ) -> Result<Header> {
        Ok(Header {
            command: order.command.clone(),
            config_hash: run.hash()?,
            data_version: self.source.version(),
            counts: self.index.counts(),
            seed: run.seed,
            versions: versions(),
            weights,
            device: device::name(order.device).to_string(),
        })
    }

    /// The sketches of a split with their photos, grouped by category.
    pub fn pairs(&self, split: Split) -> Vec<Pair> {
        let photos = &self.index.photos;
        let categories: BTreeMap<&str, usize> = self.index.categories(&self.index.all()).into_iter().zip(0..).collect();
        let pair = |sketch: usize| {
            let photo = self.index.sketches[sketch].photo;
            Pair { sketch, photo, group: categories[photos[photo].category.as_str()] }
        };
        self.index.sketches_of(split).into_iter().map(pair).collect()
    }
}
