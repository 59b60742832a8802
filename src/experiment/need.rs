//! What a run needs before it can start.

use crate::Result;
use crate::file::hash_file;
use crate::run::Places;
use crate::seed::Seed;
use std::path::PathBuf;

/// What a run needs, as its settings say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Files of pre-trained weights: first the one that the run starts from.
    pub weights: Vec<NeededWeights>,
    /// Training photos that are set aside for validation, with their sketches.
    pub valid_photos: usize,
    /// Training categories that are set aside for validation instead, with all of their photos: where the test part is of
    /// categories that training never sees.
    pub valid_categories: usize,
    /// Whether that part is drawn anew for every seed; else all seeds have the one of seed 0.
    pub valid_by_seed: bool,
    /// Whether anything is trained: if not, there is nothing that a seed could change.
    pub is_trained: bool,
}

/// A file of pre-trained weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededWeights {
    /// As [`Places::pretrained`] finds it, e.g. `mini-attributes`.
    pub name: String,
    /// What it is for, in the log's header, where the run does not start from it.
    pub role: Option<&'static str>,
}

impl NeededWeights {
    /// The weights that a run starts from.
    pub fn start(name: impl Into<String>) -> Self {
        Self { name: name.into(), role: None }
    }
}

impl Needs {
    /// The seed that draws the validation part of a run.
    ///
    /// One part for all seeds lets their spread measure training alone; one for each, the choice of the part too.
    pub fn valid_seed(&self, run: Seed) -> Seed {
        if self.valid_by_seed { run } else { Seed(0) }
    }

    /// The files, in the order of [`Needs::weights`].
    ///
    /// # Errors
    /// Weights that are in no place; the message says how to get them.
    pub fn find(&self, places: &Places) -> Result<Vec<PathBuf>> {
        self.weights.iter().map(|weights| places.pretrained(&weights.name)).collect()
    }

    /// First 16 digits of the SHA-256 of every file, those that have a role after it: `0123456789abcdef, R of ...`;
    /// none where nothing is pre-trained.
    ///
    /// # Errors
    /// As [`Needs::find`], or a file that cannot be read.
    pub fn hash(&self, places: &Places) -> Result<Option<String>> {
        let mut parts = Vec::new();
        for (weights, path) in self.weights.iter().zip(self.find(places)?) {
            let hash = hash_file(&path)?;
            parts.push(weights.role.map_or(hash.clone(), |role| format!("{role} of {hash}")));
        }
        Ok(Some(parts.join(", ")).filter(|text| !text.is_empty()))
    }
}
