//! The traits by which the rest of the crate sees a paper.
//!
//! | trait | who implements it | what it says |
//! |---|---|---|
//! | [`Paper`] | every paper | who it is, what it shows: rows, tables, figures |
//! | [`Method`] | every paper | how its runs are made: settings, training, models |
//! | [`Reproduction`] | every [`Method`], automatically | what can be done with any paper, by the names of its runs |

use super::analyse::{Analysis, Subject};
use super::{Bench, Fitted, Kept, Masking, Model, Needs, Order, Origin, Queries, Trial};
use crate::dataset::{Index, Split};
use crate::report::block::Block;
use crate::report::claim::Finding;
use crate::report::printed::Printed;
use crate::report::table::{DatasetSpec, TableSpec};
use crate::run::RunConfig;
use crate::sketch::Sketch;
use crate::train::Log;
use crate::{Error, Result};
use candle_core::Device;
use image::RgbImage;
use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};

/// The description of a paper, and what it shows.
pub trait Paper: Sync {
    /// What it prints, under the slug that its folders have: tables, and the claims that are tested.
    fn printed(&self) -> Printed;

    /// Title, authors, place and year.
    fn citation(&self) -> &'static str;

    /// What differs from the paper, and why.
    fn deviations(&self) -> &'static [&'static str];

    /// The corpora that its rows are measured on, embedded ones first.
    fn corpora(&self) -> Vec<DatasetSpec>;

    /// Every table that is rebuilt from the records, the main one first.
    fn tables(&self) -> Vec<TableSpec>;

    /// The two rows or more that figures compare, each as (row, label).
    fn compared(&self) -> Vec<(&'static str, &'static str)>;

    /// The parts that need runs: the tables, and figures that need runs of their own.
    fn parts(&self) -> Vec<&'static str> {
        self.tables().iter().map(|table| table.name).collect()
    }

    /// The rows of a part that are trained or ranked on a corpus, floors left out, from the top down.
    fn rows(&self, part: &str, dataset: &str) -> Vec<String> {
        let spec = self.tables().into_iter().find(|spec| spec.name == part);
        spec.map(|spec| super::row::of_table(&spec, dataset)).unwrap_or_default()
    }

    /// Which sketches a row ranks against which photos: every one of a split against all of it, unless the paper says
    /// otherwise. The floors stand beside the other rows, so this holds for them too.
    fn queries(&self, _dataset: &str, _row: &str, index: &Index, split: Split) -> Queries {
        Queries::of(index, split)
    }

    /// The parts of test sketches that are left out in further rankings of every run; none, unless the paper says otherwise.
    fn masking(&self, _dataset: &str, _row: &str) -> Option<Masking> {
        None
    }

    /// Its own figures, each as (file name without extension, SVG), of what there are records for.
    ///
    /// # Errors
    /// A record that cannot be read.
    fn figures(&self, _results: &Path) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    /// Writes what is no table of accuracies, such as a table of its analyses; returns where.
    ///
    /// # Errors
    /// A record that cannot be read; a folder that cannot be written.
    fn more_tables(&self, _results: &Path) -> Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }

    /// Generated parts of its page beside claims and deviations.
    fn blocks(&self, _findings: &[Finding]) -> Vec<Block> {
        Vec::new()
    }

    /// What can be measured beside accuracy, cheapest first.
    fn analyses(&self) -> Vec<Analysis> {
        Vec::new()
    }

    /// The row that draws sketches of photos, and the corpus that it is shipped for; none of a paper that draws nothing.
    fn artist(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// How a program loads a release of it, in Rust, for model cards; `OWNER/NAME@REVISION` stands for the address.
    fn snippet(&self) -> &'static str {
        ""
    }

    /// The paper's folder in `results/` and `data/papers/`.
    fn slug(&self) -> &'static str {
        self.printed().slug
    }
}

/// How the runs of a paper are made.
pub trait Method: Paper + Sized {
    /// Everything that determines a run, beside corpus, row and seed.
    type Config: Clone + PartialEq + Serialize + DeserializeOwned;

    /// The trained network.
    type Network: Kept;

    /// A network with the pictures of a corpus.
    type Model: Model + 'static;

    /// The settings of a row on a corpus.
    ///
    /// # Errors
    /// A row that is not known.
    fn preset(&self, dataset: &str, row: &str) -> Result<Self::Config>;

    /// Checks that every setting can be trained with.
    ///
    /// # Errors
    /// The first setting that is not, with its name.
    fn check(&self, _config: &Self::Config) -> Result<()> {
        Ok(())
    }

    /// What a run needs.
    fn needs(&self, config: &Self::Config) -> Needs;

    /// Limits the number of epochs, for a quick run; the default keeps all of them.
    fn shorten(&self, _config: &mut Self::Config, _epochs: usize) {}

    /// The network and what it started from, for a model card.
    fn describe(&self, _config: &Self::Config) -> [String; 2] {
        ["a network of its own".into(), "nothing: it learns from scratch".into()]
    }

    /// Trains, or resumes where the trial's folder holds a state; the test part is not used.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the watch asks for it; what training fails with.
    fn fit(&self, trial: &Trial<Self::Config>, log: &mut Log) -> Result<Fitted<Self::Model>>;

    /// The trained network of a run; where nothing was trained, as it was pre-trained.
    ///
    /// # Errors
    /// A file that is not there or is of another network.
    fn load(&self, run: &RunConfig<Self::Config>, from: Origin, device: &Device) -> Result<Self::Network>;

    /// Opens a network on the test part of a corpus.
    ///
    /// # Errors
    /// A picture that cannot be read; a watch that stops.
    fn open(&self, config: &Self::Config, network: Self::Network, bench: &Bench, order: &Order) -> Result<Self::Model>;

    /// Opens a network on the test part of a user's corpus, adapted to all of its training pairs.
    ///
    /// # Errors
    /// A paper or a row that does not adapt; pairs that are too few; a class that has pairs and no gallery, or sketches to
    /// rank and no pairs; a picture that cannot be read; a watch that stops.
    fn adapt(
        &self,
        _config: &Self::Config,
        _network: Self::Network,
        _bench: &Bench,
        _order: &Order,
    ) -> Result<Self::Model> {
        Err(Error::value("a model to adapt", "one of a row that adapts to pairs", format!("one of {}", self.slug())))
    }

    /// Draws a sketch of every photo.
    ///
    /// # Errors
    /// A paper or a row that does not draw.
    fn sketch(&self, _network: &Self::Network, _photos: &[RgbImage]) -> Result<Vec<Sketch>> {
        Err(Error::value("a model that draws", "one of a row with a generator", format!("one of {}", self.slug())))
    }

    /// Measures a part of [`Paper::analyses`] on runs that do not have it yet.
    ///
    /// # Errors
    /// A part that is not known; what measuring fails with.
    fn analyse(&self, part: &str, _subjects: &[Subject<Self::Config>]) -> Result<()> {
        Err(Error::value("analysis", "a part of this paper", part))
    }
}
