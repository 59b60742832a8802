//! A trained network with the pictures of a corpus: it adapts to the task of a sketch, and ranks.

use super::config::Reach;
use super::inner::{Comparison, HeadWeights, adapt, support_loss};
use super::maml::{descend, set};
use super::network::{AdaptiveNetwork, Trunk};
use super::task::{places, ranked, shots};
use crate::dataset::{Album, Episode, Index, Split};
use crate::experiment::ranker::rows;
use crate::experiment::{Bench, Kept, Model, Order, View};
use crate::model::Mode;
use crate::train::named::Tensors;
use crate::train::{Feed, Pixels, values};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, BTreeSet};

/// Inputs to a forward pass.
const CHUNK: usize = 64;

/// A trained network with the pictures of a corpus.
pub struct AdaptiveModel {
    /// The network.
    pub network: AdaptiveNetwork,
    pub(super) album: Album,
    index: Index,
    tasks: Vec<Episode>,
    /// The task of each sketch that is ranked.
    task_of: BTreeMap<usize, usize>,
    /// Features of whole pictures, where the network does not change any more.
    remembered: Option<Remembered>,
    device: Device,
}

impl AdaptiveModel {
    /// A network with the tasks of some splits, and the pictures that these show.
    ///
    /// # Errors
    /// Pictures that are not there; a class or a person with too few of them; a watch that stops.
    pub fn open(network: AdaptiveNetwork, bench: &Bench, ranks: &[Split], order: &Order) -> Result<Self> {
        let config = network.config();
        let found = ranks.iter().map(|split| ranked(bench.index(), *split, config)).collect::<Result<Vec<_>>>()?;
        Self::with_tasks(network, bench, found.concat(), order)
    }

    /// A network with tasks of one's own.
    ///
    /// # Errors
    /// Pictures that are not there; a watch that stops.
    pub fn with_tasks(network: AdaptiveNetwork, bench: &Bench, tasks: Vec<Episode>, order: &Order) -> Result<Self> {
        let index = bench.index();
        let is_shown = |split: &Split| {
            let drawn = tasks.iter().flat_map(|task| task.support.iter().chain(&task.queries));
            let mut photos =
                drawn.map(|at| index.sketches[*at].photo).chain(tasks.iter().flat_map(|task| task.gallery.clone()));
            photos.any(|photo| index.photos[photo].split == *split)
        };
        let splits: Vec<Split> = Split::ALL.into_iter().filter(is_shown).collect();
        Self::with_pictures(network, bench, tasks, &splits, order)
    }

    /// A network that is to be trained: it has the pictures of all splits.
    pub(super) fn in_training(network: AdaptiveNetwork, bench: &Bench, order: &Order) -> Result<Self> {
        let tasks = ranked(bench.index(), Split::Valid, network.config())?;
        Self::with_pictures(network, bench, tasks, &Split::ALL, order)
    }

    fn with_pictures(
        network: AdaptiveNetwork,
        bench: &Bench,
        tasks: Vec<Episode>,
        splits: &[Split],
        order: &Order,
    ) -> Result<Self> {
        let album = bench.album(network.config().prepare, splits, order.watch)?;
        let places = tasks.iter().enumerate().flat_map(|(at, task)| task.queries.iter().map(move |query| (*query, at)));
        let task_of = places.collect();
        let (index, device) = (bench.index().clone(), order.device.clone());
        Ok(Self { network, album, index, tasks, task_of, remembered: None, device })
    }

    /// The tasks that it ranks.
    pub fn tasks(&self) -> &[Episode] {
        &self.tasks
    }

    /// The place of a query's task among all of them.
    pub(super) fn place(&self, query: usize) -> Option<usize> {
        self.task_of.get(&query).copied()
    }

    /// The task of a query.
    pub fn task(&self, query: usize) -> Option<&Episode> {
        self.task_of.get(&query).map(|task| &self.tasks[*task])
    }

    /// Its photos and sketches.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// The network back.
    pub(super) fn into_network(self) -> AdaptiveNetwork {
        self.network
    }

    /// Pixels as F expects them.
    pub fn pixels(&self) -> Pixels<'_> {
        let config = self.network.config();
        let plain = Pixels::plain(&self.album, config.architecture.normalisation(), &self.device);
        Pixels { augment: config.augment, ..plain }
    }

    /// The support of a task: the draw of the network, and the photos of the gallery beside the own ones.
    ///
    /// # Errors
    /// A task without sketches to adapt to.
    pub(super) fn support(&self, task: &Episode, draw: u64) -> Result<Support> {
        let sketches = shots(task, self.network.config().episode.shots, draw)?;
        let own = sketches.iter().map(|at| self.index.sketches[*at].photo);
        let mut photos: Vec<usize> = task.gallery.iter().copied().chain(own).collect();
        photos.sort_unstable();
        photos.dedup();
        let own = places(&self.index, &sketches, &photos)?;
        Ok(Support { sketches, photos, own })
    }

    /// Features of a support, with gradients where the mode lets them through.
    ///
    /// # Errors
    /// A picture that is not there.
    fn compare(&self, trunk: &Trunk, support: &Support, mode: Mode) -> Result<Comparison> {
        let pixels = self.pixels();
        let sketches = trunk.features(&pixels.sketches(&support.sketches)?, mode)?;
        let photos = support.photos.chunks(CHUNK).map(|chunk| trunk.features(&pixels.photos(chunk)?, mode));
        let photos = Tensor::cat(&photos.collect::<Result<Vec<_>>>()?, 0)?;
        Ok(Comparison { sketches, photos, own: support.own.clone() })
    }

    /// Features of a support under the network's own weights.
    ///
    /// # Errors
    /// A picture that is not there.
    pub(super) fn supported(&self, support: &Support) -> Result<Comparison> {
        let sketches = self.sketches(&support.sketches, View::Whole)?;
        Ok(Comparison { sketches, photos: self.photos(&support.photos)?, own: support.own.clone() })
    }

    /// Computes the features of everything that tasks show, for a network that does not change any more.
    ///
    /// # Errors
    /// A picture that is not there.
    pub(super) fn remember(&mut self) -> Result<()> {
        let all = |part: &dyn Fn(&Episode) -> Vec<usize>| self.tasks.iter().flat_map(part).collect::<BTreeSet<usize>>();
        let sketches = all(&|task| [&task.support[..], &task.queries].concat());
        let own = |task: &Episode| task.support.iter().map(|at| self.index.sketches[*at].photo).collect::<Vec<_>>();
        let photos = all(&|task| [&task.gallery[..], &own(task)].concat());
        let (sketches, photos): (Vec<usize>, Vec<usize>) =
            (sketches.into_iter().collect(), photos.into_iter().collect());
        let table =
            |positions: Vec<usize>, rows: Tensor| Ok::<_, Error>((positions.into_iter().zip(0..).collect(), rows));
        let (of_sketches, of_photos) = (self.sketches(&sketches, View::Whole)?, self.photos(&photos)?);
        self.remembered =
            Some(Remembered { sketches: table(sketches, of_sketches)?, photos: table(photos, of_photos)? });
        Ok(())
    }

    /// Features of photos under the network's own weights.
    pub(super) fn photos(&self, photos: &[usize]) -> Result<Tensor> {
        match &self.remembered {
            Some(found) => chosen(&found.photos, photos),
            None => self.features(self.network.trunk(), photos),
        }
    }

    /// Features of sketches under the network's own weights.
    pub(super) fn sketches(&self, sketches: &[usize], view: View) -> Result<Tensor> {
        if let (Some(found), View::Whole) = (&self.remembered, view) {
            return chosen(&found.sketches, sketches);
        }
        let trunk = self.network.trunk();
        let own = |chunk: &[usize]| Ok(trunk.features(&view.of(&self.pixels(), chunk)?, Mode::Eval)?.detach());
        let (values, d) = rows(sketches, &own)?;
        Ok(Tensor::from_vec(values, (sketches.len(), d), &self.device)?)
    }

    /// M after the steps on a support whose features are there.
    ///
    /// # Errors
    /// A support without a triplet.
    pub fn adapted_head(&self, support: &Comparison) -> Result<HeadWeights> {
        let head = self.network.trunk().head(Mode::Eval);
        let margin = self.network.margin(support, Mode::Eval)?;
        adapt(&head, support, &margin, &self.network.config().inner.step)
    }

    /// F and M after steps on all of their weights.
    fn adapted_weights(&self, support: &Support) -> Result<Tensors> {
        let (variables, trunk) = (self.network.adaptable(), self.network.trunk());
        let step = self.network.config().inner.step;
        let inner = || {
            let compared = self.compare(trunk, support, Mode::Train)?;
            let margin = self.network.margin(&compared, Mode::Eval)?;
            support_loss(&trunk.head(Mode::Train), &compared, &margin, step.hinge)
        };
        let start = values(&variables)?;
        let found =
            (0..step.steps).try_for_each(|_| descend(&inner, &variables, &step)).and_then(|()| Ok(values(&variables)?));
        set(&variables, &start)?;
        found
    }

    /// What ranks the sketches of a task.
    pub(super) fn expert(&self, task: &Episode) -> Result<Expert> {
        let config = self.network.config();
        if let Some(given) = self.network.experts.get(&task.category) {
            return Ok(Expert::Other(self.network.trunk_on(given)?));
        }
        Ok(match config.inner.reach {
            Reach::Nothing => Expert::Head(self.network.trunk().head(Mode::Eval)),
            Reach::Head => {
                let support = self.support(task, self.network.draw)?;
                Expert::Head(self.adapted_head(&self.supported(&support)?)?)
            }
            Reach::All => {
                let given = self.adapted_weights(&self.support(task, self.network.draw)?)?;
                Expert::Other(self.network.trunk_on(&given)?)
            }
        })
    }

    pub(super) fn features(&self, trunk: &Trunk, photos: &[usize]) -> Result<Tensor> {
        let own = |chunk: &[usize]| Ok(trunk.features(&self.pixels().photos(chunk)?, Mode::Eval)?.detach());
        let (values, d) = rows(photos, &own)?;
        Ok(Tensor::from_vec(values, (photos.len(), d), &self.device)?)
    }
}

/// Features by position: which row is whose, and the rows.
type Table = (BTreeMap<usize, u32>, Tensor);

/// Features of whole pictures.
struct Remembered {
    sketches: Table,
    photos: Table,
}

/// Rows of a table.
fn chosen((places, rows): &Table, positions: &[usize]) -> Result<Tensor> {
    let place = |at: &usize| places.get(at).copied().ok_or_else(|| Error::value("picture", "one of a task", at));
    let places = positions.iter().map(place).collect::<Result<Vec<u32>>>()?;
    Ok(rows.index_select(&Tensor::from_slice(&places, places.len(), rows.device())?, 0)?)
}

/// A support: sketches, the photos that they are compared with, and the places of their own ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Support {
    pub sketches: Vec<usize>,
    pub photos: Vec<usize>,
    pub own: Vec<u32>,
}

/// What a task is ranked with.
pub(super) enum Expert {
    /// M on features that are the same for all tasks.
    Head(HeadWeights),
    /// Another network.
    Other(Trunk),
}

impl Model for AdaptiveModel {
    fn network(&self) -> &dyn Kept {
        &self.network
    }

    fn is_vector(&self) -> bool {
        self.album.is_vector()
    }

    fn distance(&self) -> &'static str {
        "how far its point is from the sketch's, after adaptation to the sketch's class or to who drew it"
    }
}
