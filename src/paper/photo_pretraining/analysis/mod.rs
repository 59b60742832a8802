//! What the paper looks at beside accuracy, measured on the first seed of `Ours-Base` and `Ours`.
//!
//! ```text
//! results/photo_pretraining/<dataset>/analysis/
//!   settings.json      what was measured, and on which checkpoints
//!   robustness.csv     row,version,query,photo,rank: with deformed sketches (Sec. 3)
//!   early.csv          row,percent,query,photo,rank: with a part of the sketch drawn (Fig. 5b)
//!   smoothness.csv     row,query,value: mean distance between the first ten photos (Sec. 4)
//!   smoothness-hog.csv the same by histograms of gradients, which gave no R
//!   attribution.csv    query,s_ours,f_ours,s_base: of the queries that Ours answers wrongly (Sec. 4)
//!   separation.csv     row,domain,position,x,y,accuracy: features of sketches and photos in a plane (Fig. 2b, c)
//!   domain.csv         row,domain,position,right: whether a classifier tells a held-out feature's domain (Sec. 2.1)
//!   landscape.csv      row,draw,alpha,beta,loss: round the trained weights (Fig. 4a)
//!   gradient.csv       row,epoch,nuclear_norm,signal: of the task's gradients over batches (Fig. 4b)
//!   stability.csv      row,step,acc1: on the test part over the last 100 steps (Fig. 4c)
//! ```

mod dynamics;
mod landscape;
mod retrieval;
pub mod summary;

use super::bench::Order;
use super::protocol::checkpoint_path;
use super::table::weighed;
use super::{Config, Query, SLUG};
use crate::report::analysis::Folder;
use crate::run::{Rank, RunConfig, hash_file, read_json, write_json};
use crate::seed::Seed;
use crate::sketch::DeformConfig;
use crate::{Error, Result};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What can be measured, cheapest first.
pub const PARTS: [&str; 4] = ["retrieval", "separation", "landscape", "dynamics"];

/// The rows that are compared.
pub const ROWS: [&str; 2] = ["ours-base", "ours"];

/// Everything that determines an analysis, beside the checkpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Deformations of a test sketch.
    pub deform: DeformConfig,
    /// Deformed versions of a test sketch.
    pub versions: u32,
    /// Photos that smoothness is measured among.
    pub smooth: usize,
    /// Photos that errors are attributed by.
    pub attribute: usize,
    /// Steps to a side of the landscape that is drawn, and of those that only its flatness is measured on.
    pub steps: [usize; 2],
    /// How far a landscape reaches, in lengths of the filters.
    pub extent: f64,
    /// Pairs of random directions.
    pub draws: u64,
    /// Training batches: that losses of a landscape are a mean over, and that gradients are compared over.
    pub batches: [usize; 2],
    /// Last steps of a training that are looked at.
    pub last: usize,
    /// SHA-256 of the checkpoints, first 16 digits, by row.
    pub checkpoints: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deform: DeformConfig::default(),
            versions: 10,     // Sec. 3
            smooth: 10,       // Sec. 4
            attribute: 5,     // Sec. 4
            steps: [21, 11],  // a picture without steps to see; half of that for a mean
            extent: 1.0,      // as Li et al. (NeurIPS 2018) draw it
            draws: 5,         // what a direction's luck is worth
            batches: [4, 16], // 128 of about a thousand training pairs; half of them in sixteen gradients
            last: 100,        // Fig. 4c
            checkpoints: BTreeMap::new(),
        }
    }
}

/// Measures what is not measured yet on a corpus, and writes it.
///
/// # Errors
/// A checkpoint that is not there (the message says how to get it); a folder that holds an analysis of others.
pub fn run(dataset: &str, parts: &[&str], settings: Settings, order: &Order) -> Result<()> {
    let results = &order.places.results;
    let folder = Folder::of(results, SLUG, dataset);
    let settings = Settings { checkpoints: hashes(results, dataset)?, ..settings };
    let path = folder.0.join("settings.json");
    if path.is_file() && read_json::<Settings>(&path)? != settings {
        let found = "an analysis of other checkpoints or with other settings (remove the folder to measure again)";
        return Err(Error::data(&path, "this analysis's settings", found));
    }
    write_json(&path, &settings)?;
    for part in parts {
        order.watch.note(&format!("{dataset} {part}"));
        let bench = Subject { dataset, settings: &settings, folder: &folder, order };
        match *part {
            "retrieval" => bench.retrieval()?,
            "separation" => bench.separation()?,
            "landscape" => bench.landscape()?,
            "dynamics" => bench.dynamics()?,
            other => return Err(Error::value("part", PARTS.join(", "), other)),
        }
    }
    Ok(())
}

fn hashes(results: &Path, dataset: &str) -> Result<BTreeMap<String, String>> {
    let hash = |row: &str| Ok((row.to_string(), hash_file(&checkpoint_path(results, dataset, row))?));
    ROWS.into_iter().map(hash).collect()
}

/// What is measured, and where it goes.
struct Subject<'a> {
    dataset: &'a str,
    settings: &'a Settings,
    folder: &'a Folder,
    order: &'a Order<'a>,
}

impl Subject<'_> {
    /// The recorded run of a row's first seed.
    fn run(&self, row: &str) -> Result<RunConfig<Config>> {
        let folder = super::protocol::first_seed(&self.order.places.results, self.dataset, row);
        read_json(&folder.0.join("config.json"))
    }

    fn is_done(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.folder.has(name))
    }
}

/// The rows of Fig. 2 whose features are drawn: the topology loss at its strongest with photos and with sketches as
/// queries, and without it.
pub fn separated() -> [(String, &'static str); 3] {
    let strongest = super::table::BETAS[super::table::BETAS.len() - 1];
    [
        ("ours-base".into(), "Ours-Base (Eq. 1)"),
        (weighed(None, Query::Photo, strongest), "photos as queries (Eq. 3)"),
        (weighed(None, Query::Sketch, strongest), "sketches as queries (Eq. 4)"),
    ]
}

/// Ranks as lines, below a column that says of which row they are and one of what they were ranked with.
fn ranks_frame(row: &str, name: &str, steps: &[(u32, Vec<Rank>)]) -> Result<DataFrame> {
    let all = || steps.iter().flat_map(|(step, ranks)| ranks.iter().map(move |rank| (*step, *rank)));
    let column =
        |name: &str, get: fn((u32, Rank)) -> u32| Column::new(name.into(), all().map(get).collect::<Vec<u32>>());
    let count = all().count();
    let columns = vec![
        Column::new("row".into(), vec![row; count]),
        column(name, |line| line.0),
        column("query", |line| line.1.query),
        column("photo", |line| line.1.photo),
        column("rank", |line| line.1.rank),
    ];
    Ok(DataFrame::new(count, columns)?)
}

/// Columns that count.
const WHOLE: [&str; 5] = ["query", "position", "draw", "epoch", "step"];

/// Numbers as lines, below a column that says of which row they are.
fn lines_frame(row: &str, names: &[&str], lines: &[Vec<f64>]) -> Result<DataFrame> {
    let column = |(i, name): (usize, &&str)| {
        let values = lines.iter().map(|line| line[i]);
        match WHOLE.contains(name) {
            true => Column::new((*name).into(), values.map(|value| value as u32).collect::<Vec<u32>>()),
            false => Column::new((*name).into(), values.collect::<Vec<f64>>()),
        }
    };
    let mut columns = vec![Column::new("row".into(), vec![row; lines.len()])];
    columns.extend(names.iter().enumerate().map(column));
    Ok(DataFrame::new(lines.len(), columns)?)
}

/// The frames of all rows below each other.
fn stack(frames: Vec<DataFrame>) -> Result<DataFrame> {
    let mut frames = frames.into_iter();
    let first = frames.next().ok_or_else(|| Error::value("rows of an analysis", "one or more", "none"))?;
    frames.try_fold(first, |all, next| Ok(all.vstack(&next)?))
}

/// The streams of analyses.
const SEED: Seed = Seed(0);
