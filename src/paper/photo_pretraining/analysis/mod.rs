//! What the paper looks at beside accuracy, measured on finished runs, each by itself.
//!
//! ```text
//! results/photo_pretraining/<dataset>/<row>/seed<k>/analysis/
//!   settings.json      what was measured, and of which ranks
//!   robustness.csv     version,query,photo,rank: with deformed sketches (Sec. 3)
//!   early.csv          percent,query,photo,rank: with a part of the sketch drawn (Fig. 5b)
//!   smoothness.csv     query,value: mean distance between the first ten photos (Sec. 4)
//!   smoothness-hog.csv the same by histograms of gradients, which gave no R
//!   attribution.csv    query,smoothness,fidelity: what errors are attributed by (Sec. 4)
//!   separation.csv     domain,position,x,y,accuracy: features of sketches and photos in a plane (Fig. 2b, c)
//!   domain.csv         domain,position,right: whether a classifier tells a held-out feature's domain (Sec. 2.1)
//!   landscape.csv      draw,alpha,beta,loss: round the trained weights (Fig. 4a)
//!   gradient.csv       epoch,nuclear_norm,signal: of the task's gradients over batches (Fig. 4b)
//!   stability.csv      step,acc1: on the test part over the last 100 steps (Fig. 4c)
//!   time.csv           round,seconds: of a training step, of a first seed beside those of other updates (Sec. 2.2)
//!   memory.csv         round,bytes: of a training step of a first seed beside what is held anyway (Table 1, caption)
//! ```

mod dynamics;
mod landscape;
mod retrieval;
mod step;
pub mod summary;

use super::bench::Order;
use super::table::{BETAS, PRETRAININGS, Pretraining, base, cross, weighed};
use super::{Config, Query, SLUG};
use crate::file::{hash_file, read_json, write_json};
use crate::report::analysis::Folder;
use crate::run::{Rank, RunConfig, RunFolder};
use crate::seed::Seed;
use crate::sketch::DeformConfig;
use crate::{Error, Result};
use polars::prelude::*;
use serde::{Deserialize, Serialize};

/// What can be measured, cheapest first.
pub const PARTS: [&str; 6] = ["retrieval", "separation", "time", "memory", "landscape", "dynamics"];

/// The rows that are compared.
pub const ROWS: [&str; 2] = ["ours-base", "ours"];

/// The pre-trainings after which the paper looks at retrieval, ImageNet and OBOW, each with the rows that it compares.
pub fn compared() -> [(Pretraining, [String; 2]); 2] {
    [PRETRAININGS[0], PRETRAININGS[4]].map(|own| (own, [base(own), cross(own, own)]))
}

/// The rows that a part is measured on.
fn rows(part: &str) -> Result<Vec<String>> {
    match part {
        "retrieval" => Ok(compared().into_iter().flat_map(|(_, rows)| rows).collect()),
        "separation" => Ok(separated().into_iter().map(|(row, _)| row).collect()),
        "time" | "memory" => Ok(step::ROWS.map(String::from).into()),
        "landscape" | "dynamics" => Ok(ROWS.map(String::from).into()),
        other => Err(Error::value("part", PARTS.join(", "), other)),
    }
}

/// Whether a part needs the trained weights of a row.
pub(super) fn needs_weights_of(row: &str) -> bool {
    PARTS.iter().any(|part| !is_of_a_step(part) && rows(part).is_ok_and(|rows| rows.iter().any(|own| own == row)))
}

/// What can be set about an analysis, and which ranks it is of.
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
    /// SHA-256 of the run's `ranks.csv`, first 16 digits; [`run`] fills it in.
    pub ranks: String,
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
            batches: [4, 16], // of synth-chair's training pairs 15% and 60%, of Chair-V2's 7% and 30%
            last: 100,        // Fig. 4c
            ranks: String::new(),
        }
    }
}

/// Measures what is not measured yet on the finished runs of a corpus, of seeds below `seeds`.
///
/// # Errors
/// No run to look at; a checkpoint that is not there and that another training does not bring back; a folder that holds
/// an analysis of another run or with other settings.
pub fn run(dataset: &str, parts: &[&str], seeds: u64, settings: &Settings, order: &Order) -> Result<()> {
    let results = &order.places.results;
    let mut found = false;
    for part in parts {
        let mut subjects = Vec::new();
        for row in rows(part)? {
            for seed in 0..if is_of_a_step(part) { seeds.min(1) } else { seeds } {
                let folder = RunFolder::of(results, SLUG, dataset, &row, Seed(seed));
                match folder.is_finished() {
                    true => subjects.push(Subject::open(&folder, settings, order)?),
                    false => order.watch.note(&format!("{dataset} {row}, seed {seed}: no finished run, left out")),
                }
            }
        }
        found |= !subjects.is_empty();
        measure(part, &subjects)?;
    }
    match found {
        true => Ok(()),
        false => {
            let expected = "a finished run to look at (`retrace reproduce --train` brings it)";
            Err(Error::data(results.join(SLUG).join(dataset), expected, "none"))
        }
    }
}

/// What a step takes is no matter of its seed.
fn is_of_a_step(part: &str) -> bool {
    ["time", "memory"].contains(&part)
}

fn measure(part: &str, subjects: &[Subject]) -> Result<()> {
    if part == "time" {
        return step::time(subjects); // all in turn
    }
    for subject in subjects.iter().filter(|subject| !subject.is_done(part)) {
        let RunConfig { dataset, row, seed, .. } = &subject.run;
        subject.order.watch.note(&format!("{dataset} {row}, seed {}: {part}", seed.0));
        match part {
            "retrieval" => subject.retrieval()?,
            "separation" => subject.separation()?,
            "landscape" => subject.landscape()?,
            "memory" if !subject.order.device.is_cpu() => {
                subject.order.watch.note("memory of a GPU is not counted: left out")
            }
            "memory" => step::memory(subject)?,
            _ => subject.dynamics()?,
        }
    }
    Ok(())
}

/// What is measured, and where it goes.
struct Subject<'a> {
    run: RunConfig<Config>,
    record: RunFolder,
    settings: Settings,
    folder: Folder,
    order: &'a Order<'a>,
}

impl<'a> Subject<'a> {
    fn open(record: &RunFolder, settings: &Settings, order: &'a Order<'a>) -> Result<Self> {
        let folder = Folder::of(record);
        let settings = Settings { ranks: hash_file(&record.0.join("ranks.csv"))?, ..settings.clone() };
        let path = folder.0.join("settings.json");
        if path.is_file() && read_json::<Settings>(&path)? != settings {
            let found = "an analysis of another run or with other settings (remove the folder to measure again)";
            return Err(Error::data(&path, "this analysis's settings", found));
        }
        Ok(Self { run: read_json(&record.0.join("config.json"))?, record: record.clone(), settings, folder, order })
    }

    /// Whether everything that a part leaves is there.
    fn is_done(&self, part: &str) -> bool {
        let names: &[&str] = match part {
            "retrieval" if self.is_vector() => &["robustness", "early", "smoothness", "attribution", "smoothness-hog"],
            "retrieval" => &["smoothness", "attribution", "smoothness-hog"],
            "separation" => &["separation", "domain"],
            "landscape" => &["landscape"],
            "time" => &["time"],
            "memory" => &["memory"],
            _ => &["gradient", "stability"],
        };
        names.iter().all(|name| self.folder.has(name))
    }

    /// Sketches that are pixels can be neither deformed nor drawn in part.
    fn is_vector(&self) -> bool {
        self.record.0.join("early.csv").is_file()
    }

    /// Writes an analysis; the settings stand before the first one.
    fn write(&self, name: &str, frame: DataFrame) -> Result<()> {
        let path = self.folder.0.join("settings.json");
        if !path.is_file() {
            write_json(&path, &self.settings)?;
        }
        self.folder.write(name, frame)
    }
}

/// The rows of Fig. 2 whose features are drawn, with their labels: without the topology loss, and with photos and with
/// sketches as its queries, as heavy as the triplet loss and at its heaviest.
///
/// ```
/// use retrace::paper::photo_pretraining::analysis::separated;
/// let label = |row: &str| separated().into_iter().find(|(own, _)| own == row).map(|(_, label)| label);
/// assert_eq!(label("multi-task+query=photo").as_deref(), Some("photos as queries (Eq. 3), weight 1"));
/// ```
pub fn separated() -> Vec<(String, String)> {
    let queries = [(Query::Photo, "photos as queries (Eq. 3)"), (Query::Sketch, "sketches as queries (Eq. 4)")];
    let of = |beta: &'static str| {
        queries.map(|(query, label)| (weighed(None, query, beta), format!("{label}, weight {beta}")))
    };
    let base = ("ours-base".to_string(), "Ours-Base (Eq. 1)".to_string());
    [base].into_iter().chain(of("1")).chain(of(BETAS[BETAS.len() - 1])).collect()
}

/// Ranks as lines, each after what it was ranked with.
fn ranks_frame(name: &str, steps: &[(u32, Vec<Rank>)]) -> Result<DataFrame> {
    let all = || steps.iter().flat_map(|(step, ranks)| ranks.iter().map(move |rank| (*step, *rank)));
    let column =
        |name: &str, get: fn((u32, Rank)) -> u32| Column::new(name.into(), all().map(get).collect::<Vec<u32>>());
    let columns = vec![
        column(name, |line| line.0),
        column("query", |line| line.1.query),
        column("photo", |line| line.1.photo),
        column("rank", |line| line.1.rank),
    ];
    Ok(DataFrame::new(all().count(), columns)?)
}

/// Columns that count.
const WHOLE: [&str; 8] = ["query", "position", "photo", "draw", "epoch", "step", "round", "bytes"];

/// Numbers as lines.
fn lines_frame(names: &[&str], lines: &[Vec<f64>]) -> Result<DataFrame> {
    let column = |(i, name): (usize, &&str)| {
        let values = lines.iter().map(|line| line[i]);
        match WHOLE.contains(name) {
            true => Column::new((*name).into(), values.map(|value| value as u64).collect::<Vec<u64>>()),
            false => Column::new((*name).into(), values.collect::<Vec<f64>>()),
        }
    };
    Ok(DataFrame::new(lines.len(), names.iter().enumerate().map(column).collect::<Vec<_>>())?)
}

/// The streams of analyses.
const SEED: Seed = Seed(0);
