//! Settings of every row.

use super::adjacency::Adjacency;
use super::matching::{Masses, Matching, TransportMatching};
use super::network::Top;
use super::policy::PolicyConfig;
use crate::dataset::{Ink, PrepareConfig, is_embedded};
use crate::experiment::row::{Row, number};
use crate::experiment::{NeededWeights, Needs, Pictures, RecipePart, RecipeSettings, TaskLoss};
use crate::kernel::transport::{Goal, Solver};
use crate::model::{Architecture, NormConfig};
use crate::run::is_default;
use crate::sketch::AugmentConfig;
use crate::train::{FitConfig, OptimiserConfig, Schedule, SelectOn};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The loss of adjacency and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdjacencyLoss {
    /// Which places count.
    pub places: Adjacency,
    /// Alpha of Eq. 14.
    pub alpha: f64,
}

/// Everything that determines a run of this paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The backbone.
    pub architecture: Architecture,
    /// Its pre-trained weights; none where it starts from nothing.
    pub weights: Option<String>,
    /// Batch norm in training.
    pub norm: NormConfig,
    /// Size and ink of the pictures.
    pub prepare: PrepareConfig,
    /// Deformations in training.
    pub augment: AugmentConfig,
    /// Training photos that are set aside for validation.
    pub valid_photos: usize,
    /// Whether every seed sets others aside; else all have those of seed 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub valid_by_seed: bool,
    /// What stands on the backbone's map, and with it the distance.
    pub top: Top,
    /// Rows and columns of regions; none for the places of the map.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grid: Option<usize>,
    /// L_G of Eq. 14, where the row has it.
    pub adjacency: Option<AdjacencyLoss>,
    /// The loss that brings a sketch and its photo together; left out of a record where it is Eq. 11.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: TaskLoss,
    /// Margin of Eq. 11.
    pub margin: f64,
    /// The rule.
    pub optimiser: OptimiserConfig,
    /// Length, batch, schedule, selection.
    pub fit: FitConfig,
}

/// The parts that a row's name may have, in their order.
const KEYS: [&str; 10] =
    ["backbone", "recipe", "without", "grid", "average", "adjacency", "linear", "solver", "masses", "margin"];

/// The rows without parts.
const ROWS: &str = "triplet-sn, holef, global, local-align, local-mil, local-self-attn, local-mmd, local-ot, proposed, scene-sketcher, on-the-fly or oracle";

impl Config {
    /// The settings of a row on a corpus.
    ///
    /// | part | what it sets | where in the paper |
    /// |---|---|---|
    /// | `+backbone=inception-v3` | a network with published weights, at their size of pictures | Sec. 5 |
    /// | `+recipe=strong` | loss, deformation, warp and schedule of a strong baseline ([`RecipePart`]) | not there |
    /// | `+without=loss` | a part of the recipe that is left out | not there |
    /// | `+grid=2` | regions as the means of 2 x 2 parts of the map | not there; 3 x 3 in its program |
    /// | `+average=costs` | the mean cost of all pairs of regions, not the cosine of their means | Sec. 3 |
    /// | `+adjacency=weighted` | L_G of a row that has none, or the `plain` one | Table 4 |
    /// | `+linear=similarity` | the dearest plan, as the supplement's listing computes it | Algorithm 1 |
    /// | `+solver=quadratic` | the quadratic programme of the supplement, ridge 1e-3 | Algorithm 1 |
    /// | `+masses=uniform` | all regions have the same mass | not there |
    /// | `+margin=0.2` | the margin | 0.2 in its program |
    ///
    /// ```
    /// use retrace::paper::partially::{Adjacency, Config};
    /// let config = Config::preset("synth-scene", "proposed")?;
    /// assert_eq!(config.adjacency.map(|loss| (loss.places, loss.alpha)), Some((Adjacency::Weighted, 0.01)));
    /// assert_eq!(Config::preset("synth-scene", "global+adjacency=plain")?.margin, 0.3);
    /// assert!(Config::preset("synth-scene", "global+solver=quadratic").is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    ///
    /// # Errors
    /// A row that is not known, or a part that it has no use for.
    pub fn preset(dataset: &str, row: &str) -> Result<Self> {
        let name = Row::parse(row, &KEYS)?;
        let without = name.value("without");
        if without.is_some() && name.value("recipe").is_none() {
            return Err(Error::value("+without", "a row with +recipe=strong", row));
        }
        let plain = if is_embedded(dataset) { Self::mini(dataset) } else { Self::lite() };
        let mut config = plain.of_row(name.first)?;
        for (key, value) in name.parts {
            match key {
                "backbone" => config.set_backbone(value.parse()?)?,
                "recipe" => config.strengthen(&RecipePart::chosen(value, without)?),
                "without" => {} // part of the recipe
                "grid" => config.set_grid(number(key, value)?, row)?,
                "average" => config.set_average(value, row)?,
                "adjacency" => config.set_adjacency(value, row)?,
                "margin" => config.margin = number(key, value)?,
                _ => config.set_transport(key, value, row)?,
            }
        }
        Ok(config)
    }

    /// What a row puts on the map.
    fn of_row(self, row: &str) -> Result<Self> {
        let transport = Matching::Transport(TransportMatching::default());
        let weighted = AdjacencyLoss { places: Adjacency::Weighted, alpha: 0.01 }; // Sec. 5
        let regions = |matching| Ok(Self { top: Top::Regions(matching), ..self.clone() });
        match row {
            "triplet-sn" => Ok(self.scratch(Top::Vector { dimension: 512 })),
            "holef" => Ok(self.scratch(Top::HigherOrder { dimension: 512 })),
            "global" => regions(Matching::Average),
            "local-align" => regions(Matching::Nearest),
            "local-mil" => regions(Matching::Single),
            "local-self-attn" => Ok(Self { top: Top::SelfAttention, ..self }),
            "local-mmd" => regions(Matching::Discrepancy),
            "local-ot" => regions(transport),
            "proposed" => Ok(Self { top: Top::Regions(transport), adjacency: Some(weighted), ..self }),
            "on-the-fly" => Ok(Self { top: Top::Policy { dimension: 64, training: PolicyConfig::default() }, ..self }),
            "scene-sketcher" => Ok(Self { top: Top::Graph, weights: None, ..self }),
            "oracle" => Ok(Self { top: Top::Annotations, weights: None, ..self }),
            other => Err(Error::value("row", ROWS, format!("`{other}`"))),
        }
    }

    /// Sketch-a-Net, which starts from nothing, on pictures that it has a map of.
    fn scratch(self, top: Top) -> Self {
        let prepare = PrepareConfig { side: 128, ..self.prepare };
        Self { architecture: Architecture::SketchANet, weights: None, prepare, top, ..self }
    }

    fn set_backbone(&mut self, architecture: Architecture) -> Result<()> {
        let Some(published) = architecture.published() else {
            return Err(Error::value("+backbone", "a network with published weights", architecture));
        };
        (self.architecture, self.weights) = (architecture, Some(published.weights.into()));
        self.prepare.side = published.side;
        Ok(())
    }

    /// The same row with parts of the strong recipe; every seed has validation photos of its own.
    fn strengthen(&mut self, parts: &[RecipePart]) {
        let is_small = self.architecture == Architecture::Mini;
        let Self { task, prepare, augment, fit, optimiser, .. } = self;
        let mut settings = RecipeSettings { task, prepare, augment, fit, is_small };
        for rate in parts.iter().filter_map(|part| part.apply(&mut settings)) {
            optimiser.rate = rate;
        }
        self.valid_by_seed = true;
    }

    fn has_regions(&self) -> bool {
        matches!(self.top, Top::Regions(_) | Top::SelfAttention)
    }

    fn set_grid(&mut self, side: usize, row: &str) -> Result<()> {
        if !self.has_regions() {
            return Err(Error::value("+grid", "a row that matches regions", row));
        }
        self.grid = Some(side);
        Ok(())
    }

    fn set_average(&mut self, value: &str, row: &str) -> Result<()> {
        match (self.top, value) {
            (Top::Regions(Matching::Average), "costs") => self.top = Top::Regions(Matching::Costs),
            (Top::Regions(Matching::Average), _) => {
                return Err(Error::value("+average", "costs (that of features is usual)", format!("`{value}`")));
            }
            _ => return Err(Error::value("+average", "a part of global", row)),
        }
        Ok(())
    }

    fn set_adjacency(&mut self, value: &str, row: &str) -> Result<()> {
        let places = match value {
            "plain" => Adjacency::Plain,
            "weighted" if self.adjacency.is_none() => Adjacency::Weighted,
            _ => {
                return Err(Error::value(
                    "+adjacency",
                    "plain, or weighted where the row has none",
                    format!("`{value}`"),
                ));
            }
        };
        if !self.has_regions() {
            return Err(Error::value("+adjacency", "a row that matches regions", row));
        }
        self.adjacency = Some(AdjacencyLoss { places, alpha: 0.01 }); // Sec. 5
        Ok(())
    }

    fn set_transport(&mut self, key: &str, value: &str, row: &str) -> Result<()> {
        let Top::Regions(Matching::Transport(transport)) = &mut self.top else {
            return Err(Error::value(format!("+{key}"), "a row with transport", row));
        };
        match (key, value) {
            ("linear", "similarity") => transport.goal = Goal::Greatest,
            ("solver", "quadratic") => transport.solver = Solver::Quadratic { ridge: 1e-3 }, // supplement, Algorithm 1
            ("masses", "uniform") => transport.masses = Masses::Uniform,
            _ => return Err(Error::value(format!("+{key}"), "similarity, quadratic or uniform", format!("`{value}`"))),
        }
        Ok(())
    }

    /// EfficientNet-Lite0 with ImageNet weights at 128 px, for the real corpora.
    fn lite() -> Self {
        Self {
            architecture: Architecture::EfficientNetLite0,
            weights: Some("imagenet".into()),
            norm: NormConfig::running(),
            prepare: PrepareConfig::new(128, Ink::DarkOnWhite { width: 3.0 }),
            augment: AugmentConfig::default(),
            valid_photos: 30,
            valid_by_seed: false,
            top: Top::Regions(Matching::Average),
            grid: None,
            adjacency: None,
            task: TaskLoss::Triplet,
            margin: 0.3,                            // Sec. 5
            optimiser: OptimiserConfig::adam(1e-4), // Sec. 5
            fit: FitConfig {
                epochs: 15, // 200 in Sec. 5
                batch: 16,  // Sec. 5
                schedule: Schedule::Constant,
                select_on: SelectOn::ValidMean,
            },
        }
    }

    /// The small residual network at 64 px, for the embedded corpora.
    fn mini(dataset: &str) -> Self {
        let plain = Self::lite();
        let (epochs, valid_photos) = match dataset {
            "synth-shoe" => (10, 180), // six times as many sketches
            "synth-scene" => (20, 100),
            _ => (20, 30),
        };
        Self {
            architecture: Architecture::Mini,
            weights: Some("attributes".into()),
            prepare: PrepareConfig::new(64, Ink::DarkOnWhite { width: 4.0 }), // one pixel of 64
            valid_photos,
            optimiser: OptimiserConfig::adam(5e-4),
            fit: FitConfig { epochs, batch: 32, schedule: Schedule::Cosine, ..plain.fit },
            ..plain
        }
    }

    /// How pictures reach the network.
    pub fn pictures(&self) -> Pictures {
        Pictures { prepare: self.prepare, augment: self.augment }
    }

    /// The weights that a run starts from, and its validation photos.
    pub fn needs(&self) -> Needs {
        let start = |name: &String| NeededWeights::start(format!("{}-{name}", self.architecture));
        Needs {
            weights: self.weights.iter().map(start).collect(),
            valid_photos: self.valid_photos,
            valid_by_seed: self.valid_by_seed,
            is_trained: self.top != Top::Annotations,
            ..Needs::default()
        }
    }

    /// Checks that every setting can be trained with.
    ///
    /// # Errors
    /// The first setting that is not, with its name.
    pub fn check(&self) -> Result<()> {
        self.augment.check()?;
        self.prepare.check()?;
        self.task.check()?;
        let at_least = |name: &str, least: usize, found: usize| {
            if found >= least { Ok(()) } else { Err(Error::value(name, format!("{least} or more"), found)) }
        };
        at_least("config.valid_photos", 2, self.valid_photos)?;
        at_least("config.fit.epochs", 1, self.fit.epochs)?;
        at_least("config.fit.batch", 2, self.fit.batch)?;
        at_least("config.grid", 1, self.grid.unwrap_or(1))?;
        if !(self.margin.is_finite() && self.margin >= 0.0) {
            return Err(Error::value("config.margin", "0 or more", self.margin));
        }
        match self.adjacency {
            Some(AdjacencyLoss { alpha, .. }) if !(alpha.is_finite() && alpha >= 0.0) => {
                Err(Error::value("config.adjacency.alpha", "0 or more", alpha))
            }
            Some(_) if !self.has_regions() => {
                Err(Error::value("config.adjacency", "none, or a row with regions", "one"))
            }
            _ => Ok(()),
        }
    }
}
