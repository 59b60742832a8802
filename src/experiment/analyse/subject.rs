//! The analyses, and the runs that they are measured on.

use crate::experiment::Order;
use crate::file::{first_difference, hash_file, read_json, write_json};
use crate::report::analysis::Folder;
use crate::run::{RunConfig, RunFolder};
use crate::seed::Seed;
use crate::sketch::DeformConfig;
use crate::{Error, Result};
use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The streams of analyses.
pub const SEED: Seed = Seed(0);

/// Something that can be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// As in `retrace analyse --part`.
    pub name: &'static str,
    /// The rows that it is measured on.
    pub rows: Vec<String>,
    /// The files that it writes, without extension.
    pub files: &'static [&'static str],
    /// Further files where sketches have strokes.
    pub stroke_files: &'static [&'static str],
    /// Whether the first seed is enough: the cost of a step does not depend on the seed, and a picture is of one run.
    pub first_seed: bool,
    /// Whether all rows are measured at once, to be comparable.
    pub together: bool,
}

impl Analysis {
    /// One that is measured run by run, on every seed.
    pub fn new(name: &'static str, rows: Vec<String>, files: &'static [&'static str]) -> Self {
        Self { name, rows, files, stroke_files: &[], first_seed: false, together: false }
    }
}

/// Settings of the analyses, and the ranks that they belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisSettings {
    /// Deformations of a test sketch.
    pub deform: DeformConfig,
    /// Deformed versions of a test sketch.
    pub versions: u32,
    /// Photos that smoothness is measured among.
    pub smooth: usize,
    /// Photos that errors are attributed by.
    pub attribute: usize,
    /// Points on a side of the landscape that is drawn, and of those that only measure flatness.
    pub steps: [usize; 2],
    /// How far a landscape reaches, in lengths of the filters.
    pub extent: f64,
    /// Pairs of random directions.
    pub draws: u64,
    /// Training batches: that losses of a landscape are a mean over, and that gradients are compared over.
    pub batches: [usize; 2],
    /// Last steps of a training that are analysed.
    pub last: usize,
    /// SHA-256 of the run's `ranks.csv`, first 16 digits; [`super::run`] fills it in.
    pub ranks: String,
}

impl Default for AnalysisSettings {
    fn default() -> Self {
        Self {
            deform: DeformConfig::default(),
            versions: 10,     // Li et al. (CVPR 2023), Sec. 3
            smooth: 10,       // the same, Sec. 4
            attribute: 5,     // the same, Sec. 4
            steps: [21, 11],  // enough for a smooth picture; half of that for a mean
            extent: 1.0,      // as Li et al. (NeurIPS 2018) draw it
            draws: 5,         // a single pair of directions can mislead
            batches: [4, 16], // of synth-chair's training pairs 15% and 60%, of Chair-V2's 7% and 30%
            last: 100,        // Li et al. (CVPR 2023), Fig. 4c
            ranks: String::new(),
        }
    }
}

/// A finished run that is measured, and the folder of its measurements.
pub struct Subject<'a, C> {
    /// Its settings.
    pub run: RunConfig<C>,
    /// Its record.
    pub record: RunFolder,
    /// The settings of the analyses.
    pub settings: AnalysisSettings,
    /// The folder of the measurements.
    pub folder: Folder,
    /// The order for it.
    pub order: &'a Order<'a>,
}

impl<'a, C: DeserializeOwned> Subject<'a, C> {
    pub(super) fn open(record: &RunFolder, settings: &AnalysisSettings, order: &'a Order<'a>) -> Result<Self> {
        let folder = Folder::of(record);
        let settings = AnalysisSettings { ranks: hash_file(&record.0.join("ranks.csv"))?, ..settings.clone() };
        let path = folder.0.join("settings.json");
        if path.is_file() && read_json::<AnalysisSettings>(&path)? != settings {
            let (wanted, found) = (serde_json::to_value(&settings)?, read_json::<serde_json::Value>(&path)?);
            let (field, wanted, found) = first_difference("settings", &wanted, &found);
            let advice = "an analysis of another run or with other settings; remove the folder to measure again";
            return Err(Error::data(&path, format!("{field} {wanted}"), format!("{field} {found} ({advice})")));
        }
        Ok(Self { run: read_json(&record.0.join("config.json"))?, record: record.clone(), settings, folder, order })
    }
}

impl<C> Subject<'_, C> {
    /// Whether all files of an analysis are there.
    pub fn is_done(&self, analysis: &Analysis) -> bool {
        let strokes = if self.is_vector() { analysis.stroke_files } else { &[] };
        analysis.files.iter().chain(strokes).all(|name| self.folder.has(name))
    }

    /// Sketches that are pixels can be neither deformed nor drawn in part.
    pub fn is_vector(&self) -> bool {
        self.record.0.join("early.csv").is_file()
    }

    /// Writes an analysis; before the first one, the settings.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write(&self, name: &str, frame: DataFrame) -> Result<()> {
        let path = self.folder.0.join("settings.json");
        if !path.is_file() {
            write_json(&path, &self.settings)?;
        }
        self.folder.write(name, frame)
    }
}
