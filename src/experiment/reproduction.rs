//! What can be done with any paper, by the names of its runs.

use super::analyse::{self, AnalysisSettings};
use super::checkpoint::{checkpoint_path, first_seed, shipped_weights};
use super::train::to_text;
use super::{Method, Needs, Order, Origin, Paper, Retrieval, train};
use crate::file::read_json;
use crate::report::record::read_run;
use crate::run::{RunConfig, RunId, Summary};
use crate::sketch::Sketch;
use crate::{Error, Result};
use image::RgbImage;
use std::fmt;
use std::path::{Path, PathBuf};

/// A paper without the type of its settings: what the command line and the notebooks use.
pub trait Reproduction: Paper {
    /// The settings of a row on a corpus, or those of a file in their place, as JSON.
    ///
    /// # Errors
    /// A row that is not known; a file that does not hold settings of this paper.
    fn settings(&self, dataset: &str, row: &str, file: Option<&Path>) -> Result<String>;

    /// What a run needs, with the settings of its row.
    ///
    /// # Errors
    /// A row that is not known.
    fn needs_of(&self, run: &RunId) -> Result<Needs>;

    /// Trains a run on a corpus, a name or a folder, with the settings of its row or of a file: see [`train()`].
    ///
    /// # Errors
    /// As [`train()`] and [`Reproduction::settings`].
    fn train(&self, run: &RunId, file: Option<&Path>, corpus: &str, order: &Order) -> Result<Summary>;

    /// Ranks the test part of a corpus, a name or a folder, with the checkpoint that a results folder holds of a row's
    /// first seed.
    ///
    /// # Errors
    /// No such run, or no checkpoint of it; a record that [`read_run`] refuses; weights of another run; a corpus that is
    /// not there; a watch that stops.
    fn open_row(&self, results: &Path, trained_on: &str, row: &str, corpus: &str, order: &Order) -> Result<Retrieval>;

    /// Adapts the checkpoint of a row's first seed to the training pairs of a user's folder, and ranks its test part.
    ///
    /// # Errors
    /// As [`Reproduction::open_row`] and [`Retrieval::adapted`].
    fn adapt_row(&self, results: &Path, trained_on: &str, row: &str, pairs: &str, order: &Order) -> Result<Retrieval>;

    /// Draws sketches of photos with the checkpoint of a row's first seed.
    ///
    /// # Errors
    /// As [`Reproduction::open_row`] and [`Method::sketch`].
    fn sketch_row(
        &self,
        results: &Path,
        trained_on: &str,
        row: &str,
        photos: &[RgbImage],
        order: &Order,
    ) -> Result<Vec<Sketch>>;

    /// Measures some parts of [`Paper::analyses`] on the finished runs of a corpus: see [`analyse::run`].
    ///
    /// # Errors
    /// As [`analyse::run`].
    fn analyse(
        &self,
        dataset: &str,
        parts: &[&str],
        seeds: u64,
        settings: &AnalysisSettings,
        order: &Order,
    ) -> Result<()>;

    /// The release of a row's first seed: see [`super::release::release`].
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "hub")]
    fn release(
        &self,
        dataset: &str,
        row: &str,
        address: &crate::hub::Address,
        commit: Option<&str>,
        order: &Order,
    ) -> Result<crate::hub::Release>;

    /// Ranks the test part of a corpus with a release: see [`super::release::open`].
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "hub")]
    fn open_release(&self, folder: &Path, corpus: &str, order: &Order) -> Result<Retrieval>;

    /// Adapts a release to the training pairs of a user's folder, and ranks its test part.
    ///
    /// # Errors
    /// As [`Reproduction::open_release`] and [`Retrieval::adapted`].
    #[cfg(feature = "hub")]
    fn adapt_release(&self, folder: &Path, pairs: &str, order: &Order) -> Result<Retrieval>;
}

impl<M: Method> Reproduction for M {
    fn settings(&self, dataset: &str, row: &str, file: Option<&Path>) -> Result<String> {
        to_text(&config(self, dataset, row, file)?)
    }

    fn needs_of(&self, run: &RunId) -> Result<Needs> {
        Ok(self.needs(&self.preset(&run.dataset, &run.row)?))
    }

    fn train(&self, run: &RunId, file: Option<&Path>, corpus: &str, order: &Order) -> Result<Summary> {
        train(self, &run.with(config(self, corpus, &run.row, file)?), corpus, order)
    }

    fn open_row(&self, results: &Path, trained_on: &str, row: &str, corpus: &str, order: &Order) -> Result<Retrieval> {
        let (run, checkpoint) = shipped(self, results, trained_on, row)?;
        Retrieval::open(self, &run, &checkpoint, corpus, order)
    }

    fn adapt_row(&self, results: &Path, trained_on: &str, row: &str, pairs: &str, order: &Order) -> Result<Retrieval> {
        let (run, checkpoint) = shipped(self, results, trained_on, row)?;
        let network = self.load(&run, Origin::Checkpoint(&checkpoint, order.places), order.device)?;
        Retrieval::adapted(self, &run, network, pairs, order)
    }

    fn sketch_row(
        &self,
        results: &Path,
        trained_on: &str,
        row: &str,
        photos: &[RgbImage],
        order: &Order,
    ) -> Result<Vec<Sketch>> {
        let (run, checkpoint) = shipped(self, results, trained_on, row)?;
        let network = self.load(&run, Origin::Checkpoint(&checkpoint, order.places), order.device)?;
        self.sketch(&network, photos)
    }

    fn analyse(
        &self,
        dataset: &str,
        parts: &[&str],
        seeds: u64,
        settings: &AnalysisSettings,
        order: &Order,
    ) -> Result<()> {
        analyse::run(self, dataset, parts, seeds, settings, order)
    }

    #[cfg(feature = "hub")]
    fn release(
        &self,
        dataset: &str,
        row: &str,
        address: &crate::hub::Address,
        commit: Option<&str>,
        order: &Order,
    ) -> Result<crate::hub::Release> {
        super::release::release(self, (dataset, row), address, commit, order)
    }

    #[cfg(feature = "hub")]
    fn open_release(&self, folder: &Path, corpus: &str, order: &Order) -> Result<Retrieval> {
        super::release::open(self, folder, corpus, order)
    }

    #[cfg(feature = "hub")]
    fn adapt_release(&self, folder: &Path, pairs: &str, order: &Order) -> Result<Retrieval> {
        let (run, network) = super::release::load(self, folder, order.device)?;
        Retrieval::adapted(self, &run, network, pairs, order)
    }
}

/// The first seed of a row, and its shipped weights.
fn shipped<M: Method>(
    paper: &M,
    results: &Path,
    trained_on: &str,
    row: &str,
) -> Result<(RunConfig<M::Config>, PathBuf)> {
    let folder = first_seed(results, paper.slug(), trained_on, row);
    read_run(&folder)?;
    let run = read_json(&folder.0.join("config.json"))?;
    Ok((run, shipped_weights(&folder, checkpoint_path(results, paper.slug(), trained_on, row))?))
}

fn config<M: Method>(paper: &M, dataset: &str, row: &str, file: Option<&Path>) -> Result<M::Config> {
    file.map_or_else(|| paper.preset(dataset, row), read_json)
}

impl fmt::Debug for dyn Reproduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

/// The paper of a slug.
///
/// # Errors
/// An unknown slug; the message lists the known ones.
pub fn find<'a>(papers: &[&'a dyn Reproduction], slug: &str) -> Result<&'a dyn Reproduction> {
    let known = || papers.iter().map(|paper| paper.slug()).collect::<Vec<_>>().join(", ");
    let found = papers.iter().find(|paper| paper.slug() == slug);
    found.copied().ok_or_else(|| Error::value("paper", known(), format!("`{slug}`")))
}
