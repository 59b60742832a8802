//! A run: its configuration and hash, its folder, and the record it leaves there.
//!
//! ```text
//! results/<slug>/<dataset>/<row>/seed<k>/
//!   config.json    everything that determines the run; written before the first step
//!   log.jsonl      first line: [`Header`]; then one line an epoch
//!   ranks.csv      query,photo,rank: one line a test query, positions of the corpus index, rank 1 = best; where the
//!                  queries have galleries of their own (of a class, of a person), also gallery: how many photos
//!   early.csv      percent,query,photo,rank: the same with the first percent of every sketch drawn (vector corpora)
//!   masked.csv     percent,query,photo,rank0,rank1,...: the same with so much of every sketch left out, a column a draw
//!                  (where a paper asks for it)
//!   summary.json   [`Summary`]; written last, so a folder without it is an unfinished run
//!   choice/log.jsonl  of a row that is trained twice: the training whose epoch validation chose
//!   policy/log.jsonl  of a row whose last layer is trained again, by rewards: that training
//!   descriptor/log.jsonl  of a row that needs a network trained before its own: that training
//!   analysis/      what else was measured of it, where it was
//!   lock           held by the process that trains here ([`RunFolder::lock`]); empty, and no part of the record
//! ```

mod identity;
mod lock;
mod masked;

pub use identity::hash_text;
pub use lock::RunLock;
pub use masked::MaskedRanks;

use crate::file::{first_difference, hash_bytes, read_csv, read_json, to_text, write_csv, write_json};
use crate::metric::{average_percentile, mean_sd};
use crate::{Error, Result, seed::Seed};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Everything that determines a run; `C` is the paper's own part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig<C> {
    /// The paper's folder below `results`.
    pub slug: String,
    /// The corpus, e.g. `qmul-chair-v2`.
    pub dataset: String,
    /// The table row.
    pub row: String,
    /// Splits into the run's streams.
    pub seed: Seed,
    /// The paper's settings.
    pub config: C,
}

/// Identifies a run: enough to find it, and for its paper to know its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId {
    /// The paper.
    pub slug: String,
    /// The corpus.
    pub dataset: String,
    /// The table row.
    pub row: String,
    /// The seed.
    pub seed: Seed,
}

impl RunId {
    /// The run's folder below `results`.
    pub fn folder(&self, results: &Path) -> RunFolder {
        RunFolder::of(results, &self.slug, &self.dataset, &self.row, self.seed)
    }

    /// The same with settings.
    pub fn with<C>(&self, config: C) -> RunConfig<C> {
        let Self { slug, dataset, row, seed } = self.clone();
        RunConfig { slug, dataset, row, seed, config }
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} seed {}", self.dataset, self.row, self.seed.0)
    }
}

impl<C> RunConfig<C> {
    /// Which run it is.
    pub fn id(&self) -> RunId {
        let (slug, dataset, row) = (self.slug.clone(), self.dataset.clone(), self.row.clone());
        RunId { slug, dataset, row, seed: self.seed }
    }

    /// The run's folder below `results`.
    pub fn folder(&self, results: &Path) -> RunFolder {
        RunFolder::of(results, &self.slug, &self.dataset, &self.row, self.seed)
    }
}

impl<C: Serialize> RunConfig<C> {
    /// First 16 hexadecimal digits of the SHA-256 of the configuration as compact JSON.
    ///
    /// # Errors
    /// A configuration that does not serialise.
    pub fn hash(&self) -> Result<String> {
        Ok(hash_bytes(&serde_json::to_vec(self)?))
    }
}

/// Where things are read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Records, tables and shipped checkpoints.
    pub results: PathBuf,
    /// Figures.
    pub figures: PathBuf,
    /// Records and checkpoints that came with the repository.
    pub shipped: PathBuf,
    /// Real corpora, where there are any.
    pub data: Option<PathBuf>,
    /// Imported pre-trained weights.
    pub weights: PathBuf,
    /// Cached results that can be computed again.
    pub cache: PathBuf,
}

impl Places {
    /// A file of pre-trained weights, e.g. `mini-obow`: those of the results folder first, then shipped ones, then imported
    /// ones.
    ///
    /// # Errors
    /// Weights that are in no place; the message says how to get them.
    pub fn pretrained(&self, name: &str) -> Result<PathBuf> {
        let file = format!("{name}.safetensors");
        let below = |results: &PathBuf| results.join("checkpoints/pretrained").join(&file);
        let candidates = [below(&self.results), below(&self.shipped), self.weights.join(&file)];
        candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
            let expected = "pre-trained weights (`retrace pretrain`, `retrace weights fetch` or `retrace weights import` get them)";
            Error::data(&candidates[2], expected, "no file")
        })
    }
}

/// First line of `log.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The command line, without folders of this machine.
    pub command: String,
    /// [`RunConfig::hash`].
    pub config_hash: String,
    /// [`crate::dataset::Source::version`].
    pub data_version: String,
    /// Photos and sketches of each split: `{"train": [photos, sketches], ...}`.
    pub counts: std::collections::BTreeMap<String, [usize; 2]>,
    /// The run's seed.
    pub seed: Seed,
    /// Versions of this crate and of candle.
    pub versions: std::collections::BTreeMap<String, String>,
    /// SHA-256 of the pre-trained weights' file, its first 16 digits; none where nothing is pre-trained.
    pub weights: Option<String>,
    /// `cpu` or `cuda`.
    pub device: String,
}

/// The result of a run. Every accuracy here is computed from `ranks.csv`, and a test checks that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Share of queries whose photo is ranked first, in percent.
    pub acc1: f64,
    /// Among the first five, in percent.
    pub acc5: f64,
    /// Among the first ten, in percent.
    pub acc10: f64,
    /// Test queries.
    pub queries: usize,
    /// Photos each of them is ranked against; where galleries differ, those of the largest.
    pub gallery: usize,
    /// The epoch whose weights were kept, from 1; absent where nothing is trained.
    pub selected_epoch: Option<usize>,
    /// The rule that chose it, e.g. `valid acc1`; `none` where nothing is trained.
    pub select_on: String,
    /// Wall time of the training's epochs, interruptions left out, in seconds; of the whole run where nothing is trained.
    pub seconds: f64,
    /// [`hash_file`](crate::file::hash_file) of the checkpoint that is shipped with it; absent where none is, and in
    /// records that were made before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// The rank of a query's own photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rank {
    /// Position of the sketch in the corpus index.
    pub query: u32,
    /// Position of its photo in the corpus index.
    pub photo: u32,
    /// 1 = best.
    pub rank: u32,
    /// Photos that it is ranked against, where galleries differ; else [`Summary::gallery`] says so for all.
    pub gallery: Option<u32>,
}

/// Mean share of the other photos that stand behind the own one, in percent, each query by the size of its gallery.
///
/// # Errors
/// As [`average_percentile`].
pub fn percentile(ranks: &[Rank], gallery: usize) -> Result<f64> {
    let whole = u32::try_from(gallery).unwrap_or(u32::MAX);
    if ranks.iter().all(|rank| rank.gallery.is_none()) {
        return average_percentile(&ranks.iter().map(|rank| rank.rank).collect::<Vec<_>>(), whole);
    }
    // A gallery of one photo leaves nothing to rank: its queries are left out.
    let sized = ranks.iter().map(|rank| (rank.rank, rank.gallery.unwrap_or(whole))).filter(|(_, size)| *size > 1);
    let each = sized.map(|(rank, size)| average_percentile(&[rank], size)).collect::<Result<Vec<f64>>>()?;
    Ok(mean_sd(&each)?.0)
}

/// The folder of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder(pub PathBuf);

impl RunFolder {
    /// `results/<slug>/<dataset>/<row>/seed<k>`.
    pub fn of(results: &Path, slug: &str, dataset: &str, row: &str, seed: Seed) -> Self {
        Self(results.join(slug).join(dataset).join(row).join(format!("seed{}", seed.0)))
    }

    /// Whether the run is finished.
    pub fn is_finished(&self) -> bool {
        self.0.join("summary.json").is_file()
    }

    /// Writes `config.json`.
    ///
    /// # Errors
    /// The folder cannot be written, or holds a run of another configuration.
    pub fn open<C: Serialize>(&self, config: &RunConfig<C>) -> Result<()> {
        let path = self.0.join("config.json");
        // Texts are compared and not values: reading a number back can change its last bit.
        if path.is_file() && std::fs::read_to_string(&path).map_err(Error::io(&path))? != to_text(config)? {
            let found = read_json::<serde_json::Value>(&path).unwrap_or_default();
            let wanted = serde_json::to_value(config)?;
            let (field, wanted, found) = first_difference("configuration", &wanted, &found);
            let advice = "give --results another folder, or remove this one";
            let found = format!("a run of another configuration, with {field} {found} ({advice})");
            return Err(Error::data(&path, format!("this run's configuration, with {field} {wanted}"), found));
        }
        write_json(&path, config)
    }

    /// Reads `summary.json`.
    ///
    /// # Errors
    /// A missing file, or one that is not a summary.
    pub fn summary(&self) -> Result<Summary> {
        read_json(&self.0.join("summary.json"))
    }

    /// Reads `log.jsonl`: its header, and the lines of the epochs.
    ///
    /// # Errors
    /// A missing file, or one without a header.
    pub fn log(&self) -> Result<(Header, Vec<String>)> {
        let path = self.0.join("log.jsonl");
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let mut lines = text.lines();
        let header = serde_json::from_str(lines.next().unwrap_or_default())
            .map_err(|error| Error::data(&path, "a header in line 1", error))?;
        Ok((header, lines.map(String::from).collect()))
    }

    /// Reads `ranks.csv`.
    ///
    /// # Errors
    /// A missing file, or one without the columns `query,photo,rank`.
    pub fn ranks(&self) -> Result<Vec<Rank>> {
        let path = self.0.join("ranks.csv");
        let frame = read_csv(&path)?;
        frame_to_ranks(&frame).map_err(|error| Error::data(&path, "columns query,photo,rank of whole numbers", error))
    }

    /// Reads `early.csv`: the ranks at each percentage drawn, in rising order; empty where the run has none.
    ///
    /// # Errors
    /// A file without the columns `percent,query,photo,rank`.
    pub fn early(&self) -> Result<Vec<(u32, Vec<Rank>)>> {
        let path = self.0.join("early.csv");
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let frame = read_csv(&path)?;
        let percents = column(&frame, "percent").map_err(|error| Error::data(&path, "a column percent", error))?;
        let ranks = frame_to_ranks(&frame).map_err(|error| Error::data(&path, "query,photo,rank", error))?;
        let mut early = std::collections::BTreeMap::<u32, Vec<Rank>>::new();
        for (percent, rank) in percents.into_iter().zip(ranks) {
            early.entry(percent).or_default().push(rank);
        }
        Ok(early.into_iter().collect())
    }

    /// Writes `ranks.csv`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_ranks(&self, ranks: &[Rank]) -> Result<()> {
        let mut frame = ranks_to_frame(ranks)?;
        write_csv(&self.0.join("ranks.csv"), &mut frame)
    }

    /// Writes `early.csv`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_early(&self, early: &[(u32, Vec<Rank>)]) -> Result<()> {
        let mut whole = DataFrame::empty();
        for (percent, ranks) in early {
            let mut frame = ranks_to_frame(ranks)?;
            let percents = Column::new("percent".into(), vec![*percent; ranks.len()]);
            frame.insert_column(0, percents)?;
            whole = if whole.width() == 0 { frame } else { whole.vstack(&frame)? };
        }
        write_csv(&self.0.join("early.csv"), &mut whole)
    }

    /// Where a row that is trained twice chooses its epoch.
    pub fn choice(&self) -> PathBuf {
        self.0.join("choice")
    }

    /// Removes the states that trainings leave for resuming.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn remove_state(&self) -> Result<()> {
        let paths = [&self.0, &self.choice()].map(|folder| folder.join("state.safetensors"));
        let mut states = paths.iter().filter(|path| path.is_file());
        states.try_for_each(|path| std::fs::remove_file(path).map_err(Error::io(path)))
    }

    /// Writes `summary.json`, which marks the run as finished.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        write_json(&self.0.join("summary.json"), summary)
    }
}

/// Versions of this crate and of candle, for a log.
pub fn versions() -> std::collections::BTreeMap<String, String> {
    let versions = [("retrace", env!("CARGO_PKG_VERSION")), ("candle", "0.11.1")]; // candle is pinned in Cargo.toml
    versions.map(|(name, version)| (name.to_string(), version.to_string())).into()
}

fn ranks_to_frame(ranks: &[Rank]) -> Result<DataFrame> {
    let column =
        |name: &str, get: fn(&Rank) -> u32| Column::new(name.into(), ranks.iter().map(get).collect::<Vec<_>>());
    let mut columns = vec![column("query", |r| r.query), column("photo", |r| r.photo), column("rank", |r| r.rank)];
    if ranks.iter().any(|rank| rank.gallery.is_some()) {
        columns.push(Column::new("gallery".into(), ranks.iter().map(|rank| rank.gallery).collect::<Vec<_>>()));
    }
    Ok(DataFrame::new(ranks.len(), columns)?)
}

fn frame_to_ranks(frame: &DataFrame) -> Result<Vec<Rank>> {
    let (query, photo, rank) = (column(frame, "query")?, column(frame, "photo")?, column(frame, "rank")?);
    let gallery = if frame.column("gallery").is_ok() { Some(column(frame, "gallery")?) } else { None };
    let gallery = |i: usize| gallery.as_ref().map(|sizes| sizes[i]);
    let line = |i| Rank { query: query[i], photo: photo[i], rank: rank[i], gallery: gallery(i) };
    Ok((0..frame.height()).map(line).collect())
}

fn column(frame: &DataFrame, name: &str) -> Result<Vec<u32>> {
    let values = frame.column(name)?;
    // A cast would cut 1.9 to 1.
    if values.dtype().is_float() {
        let found = values.cast(&DataType::Float64)?;
        let found = found.f64()?.iter().flatten().find(|value| value.fract() != 0.0);
        let found = found.map_or("numbers with a point".into(), |value| value.to_string());
        return Err(Error::value(name, "whole numbers", found));
    }
    let values = values.strict_cast(&DataType::UInt32)?;
    let empty = |row: usize| Error::value(name, "a number in every line", format!("an empty cell in line {}", row + 2));
    values.u32()?.iter().enumerate().map(|(row, value)| value.ok_or_else(|| empty(row))).collect()
}

/// Whether a setting has its default: it is then left out of a record, so that older records stay as they are.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;

    fn ranks() -> Vec<Rank> {
        let rank = |query, photo, rank| Rank { query, photo, rank, gallery: None };
        vec![rank(4, 1, 1), rank(7, 2, 13)]
    }

    #[test]
    fn record_reads_back_as_written() {
        let folder = RunFolder(tempfile::tempdir().unwrap().path().join("seed0"));
        folder.write_ranks(&ranks()).unwrap();
        let early = vec![(50, ranks()), (100, ranks())];
        folder.write_early(&early).unwrap();
        assert_eq!(folder.ranks().unwrap(), ranks());
        assert_eq!(folder.early().unwrap(), early);
        let text = std::fs::read_to_string(folder.0.join("ranks.csv")).unwrap();
        assert_eq!(text, "query,photo,rank\n4,1,1\n7,2,13\n");
        assert!(!folder.is_finished());
    }

    #[test]
    fn galleries_that_differ_stand_beside_their_ranks() {
        let folder = RunFolder(tempfile::tempdir().unwrap().path().join("seed0"));
        let sized = |rank, gallery| Rank { query: rank, photo: 0, rank, gallery: Some(gallery) };
        let ranks = vec![sized(1, 3), sized(2, 5), sized(1, 1)];
        folder.write_ranks(&ranks).unwrap();
        assert_eq!(folder.ranks().unwrap(), ranks);
        let text = std::fs::read_to_string(folder.0.join("ranks.csv")).unwrap();
        assert_eq!(text, "query,photo,rank,gallery\n1,0,1,3\n2,0,2,5\n1,0,1,1\n");
        // 2 of 2 behind, 3 of 4 behind, and one photo alone, which is left out.
        assert_eq!(percentile(&ranks, 5).unwrap(), (100.0 + 75.0) / 2.0);
        let plain: Vec<Rank> = ranks.iter().map(|rank| Rank { gallery: None, ..*rank }).collect();
        assert_eq!(percentile(&plain, 5).unwrap(), average_percentile(&[1, 2, 1], 5).unwrap());
    }

    #[test]
    fn another_configuration_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let config = |seed| RunConfig {
            slug: "p".into(),
            dataset: "d".into(),
            row: "r".into(),
            seed: Seed(seed),
            config: 1_u32,
        };
        let folder = RunFolder(place.path().join("x"));
        folder.open(&config(0)).unwrap();
        folder.open(&config(0)).unwrap();
        let error = folder.open(&config(1)).unwrap_err().to_string();
        assert!(error.contains("another configuration"), "{error}");
        assert_ne!(config(0).hash().unwrap(), config(1).hash().unwrap());
    }

    #[test]
    fn ranks_refuse_a_rank_that_is_no_whole_number() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder(place.path().into());
        for rank in ["x", "1.9", "1.0", "-1", "NaN", "1e3", "true"] {
            write_atomic(&folder.0.join("ranks.csv"), format!("query,photo,rank\n1,2,{rank}\n3,2,1\n").as_bytes())
                .unwrap();
            let error = folder.ranks().unwrap_err().to_string();
            assert!(error.contains("ranks.csv") && error.contains("whole numbers"), "{rank}: {error}");
            assert!(rank != "1.9" || error.contains("found rank: expected whole numbers, found 1.9"), "{error}");
        }
    }
}
