//! A recorded run, trained again: to be watched, or for a checkpoint that was not kept.

use super::bench::{Bench, Order, hash_weights, pixels};
use super::protocol::{Trial, checkpoint_path, start};
use super::{Config, PaperStep};
use crate::dataset::{Album, Split};
use crate::file::hash_file;
use crate::model::Network;
use crate::run::{RunConfig, RunFolder};
use crate::seed::Seed;
use crate::train::{self, Log, Pixels, Queries, Step};
use crate::{Error, Result};
use std::cell::RefCell;
use std::path::PathBuf;

/// A recorded run at its start, away from its record.
pub(super) struct Again<'a> {
    run: &'a RunConfig<Config>,
    order: &'a Order<'a>,
    /// The corpus.
    pub(super) bench: Bench,
    /// In training.
    pub(super) network: Network,
    album: Album,
    folder: RunFolder,
    log: RefCell<Log>,
    _place: tempfile::TempDir,
}

impl<'a> Again<'a> {
    /// A run at its start.
    ///
    /// # Errors
    /// A run on kept features of a frozen network, which is trained otherwise; data or weights that are not there.
    pub(super) fn new(run: &'a RunConfig<Config>, order: &'a Order<'a>) -> Result<Self> {
        if run.config.frozen.is_some() {
            return Err(Error::value(format!("row {}", run.row), "one that trains its whole network", "a frozen one"));
        }
        let place = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
        let bench = Bench::open(&run.dataset, run.config.valid_photos, order.places)?;
        let (network, album) = start(run, &bench, order)?;
        let weights = hash_weights(&run.config, order.places)?;
        let log = Log::create(&place.path().join("log.jsonl"), &bench.header(run, Some(weights), order)?)?;
        let (folder, log) = (RunFolder(place.path().to_path_buf()), RefCell::new(log));
        Ok(Self { run, order, bench, network, album, folder, log, _place: place })
    }

    /// What it is trained on.
    pub(super) fn pixels(&self) -> Pixels<'_> {
        pixels(&self.album, &self.run.config, self.order.device)
    }

    fn trial(&self) -> Trial<'_> {
        let Self { run, order, bench, network, folder, .. } = self;
        Trial { run, bench, network, folder, order }
    }

    /// The run's own update.
    pub(super) fn step<'b>(&'b self, pixels: &'b Pixels) -> Result<PaperStep<'b>> {
        self.trial().step(pixels, pixels)
    }

    /// Trains with it, or with one that does more, and keeps the checkpoint in the cache; what is seen on the way is of
    /// the recorded run only where this ends as that did.
    ///
    /// # Errors
    /// A training that ranks the test part otherwise than the record says.
    pub(super) fn fit(&self, pixels: &Pixels, step: &mut dyn Step, after_epoch: &dyn Fn() -> Result<()>) -> Result<()> {
        let done = self.trial().fit(pixels, step, &mut self.log.borrow_mut(), after_epoch);
        done.map_err(|error| match error {
            Error::Stopped { .. } => Error::Stopped { resume: "training again starts from the beginning".into() },
            other => other,
        })?;
        self.network.round()?;
        self.compare(pixels)?;
        self.trial().save(&kept_at(self.run, self.order)?)
    }

    fn compare(&self, pixels: &Pixels) -> Result<()> {
        let queries = Queries::of(self.bench.index(), Split::Test);
        let ranks = train::evaluate(&|x| self.network.embed_in_evaluation(x), pixels, &queries)?;
        let record = self.run.folder(&self.order.places.results);
        let recorded = record.ranks()?;
        if ranks == recorded {
            return Ok(());
        }
        let other = ranks.iter().zip(&recorded).filter(|(a, b)| a != b).count();
        let expected = "the ranks that training again ends with, as on the machine and with the build of the record \
                        (elsewhere: train runs of your own, `reproduce --train`, and analyse those with --results \
                        local/results; or look at the first seed's checkpoint alone, --seeds 1)";
        Err(Error::data(record.0.join("ranks.csv"), expected, format!("{other} others")))
    }
}

/// Where the checkpoint of a run of a later seed is kept, in the cache; another record of the same run has another place.
pub(super) fn kept_at(run: &RunConfig<Config>, order: &Order) -> Result<PathBuf> {
    let ranks = hash_file(&run.folder(&order.places.results).0.join("ranks.csv"))?;
    Ok(order.places.cache.join("checkpoints").join(format!("{}-{ranks}.safetensors", run.hash()?)))
}

/// The checkpoint of a finished run: of a first seed the one in the results; of others, which are not shipped, the one that
/// training, or training again, left in the cache.
///
/// # Errors
/// As [`Again::new`] and [`Again::fit`].
pub(super) fn checkpoint(run: &RunConfig<Config>, order: &Order) -> Result<PathBuf> {
    let kept = checkpoint_path(&order.places.results, &run.dataset, &run.row);
    if run.seed == Seed(0) && kept.is_file() {
        return Ok(kept);
    }
    let path = kept_at(run, order)?;
    if !path.is_file() {
        order.watch.note(&format!("{} {}, seed {}: training again", run.dataset, run.row, run.seed.0));
        let training = Again::new(run, order)?;
        let pixels = training.pixels();
        training.fit(&pixels, &mut training.step(&pixels)?, &|| Ok(()))?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Places;
    use crate::watch::Unwatched;
    use std::path::Path;

    #[test]
    fn a_frozen_run_is_refused() {
        let below = |name: &str| Path::new("nowhere").join(name);
        let places = Places {
            results: below("results"),
            figures: below("figures"),
            shipped: below("results"),
            data: None,
            weights: below("weights"),
            cache: below("cache"),
        };
        let order =
            Order { places: &places, device: &candle_core::Device::Cpu, command: String::new(), watch: &Unwatched };
        let (slug, dataset, row) = ("p".to_string(), "qmul-chair-v2".to_string(), "ours-frozen".to_string());
        let run = RunConfig { slug, dataset, row, seed: Seed(0), config: Config::frozen() };
        let error = Again::new(&run, &order).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("row ours-frozen: expected one that trains its whole network"), "{error}");
    }
}
