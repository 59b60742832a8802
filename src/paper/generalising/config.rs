//! Settings of the paper, and the rows of its tables.

use super::adapt::EtaConfig;
use super::cross::CrossConfig;
use super::cvae::RegressConfig;
use crate::dataset::{Ink, PrepareConfig, is_embedded, transfer_of};
use crate::experiment::row::{Row, number};
use crate::experiment::{NeededWeights, Needs, Pictures, RecipePart, RecipeSettings, TaskLoss};
use crate::model::{Architecture, NetworkConfig, NormConfig};
use crate::run::is_default;
use crate::sketch::AugmentConfig;
use crate::train::{FitConfig, OptimiserConfig, Rule, Schedule, SelectOn};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How a sketch gets a word of the dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assignment {
    /// A mixture of words in training, kept sparse by entropies: Eq. 5 and 6.
    Soft,
    /// One word, drawn with Gumbel noise, its gradient straight through: Eq. 3 and 4.
    Hard,
}

/// What the descriptor network learns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drawn {
    /// Sketches.
    #[default]
    Sketches,
    /// Edge maps of photos: `Ours-Full/Edge`.
    Edges,
}

/// The network that describes a sketch by a word of a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescriptorConfig {
    /// K: words of the dictionary.
    pub words: usize,
    /// M: numbers of a word.
    pub dimension: usize,
    /// How words are assigned.
    pub assignment: Assignment,
    /// What it learns from.
    pub drawn: Drawn,
    /// alpha of Eq. 2: how much of the sketch passes the dictionary by.
    pub skip: f64,
    /// beta: how far a replaced word lies from the one it copies.
    pub replace: f64,
    /// Temperature of the Gumbel-softmax.
    pub temperature: f64,
    /// Weights of Eq. 7 in the first and in the last epoch: of the divergence (hard), of row and column entropy (soft).
    pub weights: [[f64; 2]; 3],
    /// Passes over the training sketches.
    pub epochs: usize,
    /// Sketches to a step.
    pub batch: usize,
    /// Of Adam.
    pub rate: f64,
}

/// What the weights of a query are made from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TraitSource {
    /// Nothing: the plain network, `Hard-Transfer`.
    None,
    /// A word of a dictionary: `Ours-Full`.
    Dictionary(DescriptorConfig),
    /// The latent mean of a variational autoencoder: `Ours-VAE`.
    Vae(DescriptorConfig),
    /// The nearest of K means of these, made afterwards: `Ours-VAE-Kmeans`.
    VaeKmeans(DescriptorConfig),
    /// The word vector of the category's name: `Ours-WordVector`.
    WordVector,
    /// Features of a classifier of sketches: `Ours-Classify`.
    Classifier(DescriptorConfig),
}

/// A dictionary that is learned on another corpus.
///
/// # References
/// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Table 2: of one kind of shoes there are
/// too few sketches to learn one from scratch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Borrowed {
    /// The corpus, as its own runs have it: its seen categories, its validation categories left out.
    pub corpus: String,
    /// Further passes over the training sketches of this corpus: `Ours-Sketchy-Ft`. 0: none, `Ours-Sketchy`.
    pub tuning: usize,
}

/// What L_con of Eq. 11 is over the dimensions of eta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Divergence {
    /// Their mean, as in the program of StackGAN, from which the paper takes it.
    #[default]
    Mean,
    /// Their sum, the divergence of the whole distribution, as Eq. 11 reads: eta becomes noise alone (on `synth-world` mu is
    /// 0.003 where sigma is 1).
    Sum,
}

/// How the retrieval network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Training {
    /// On the seen categories, batch by batch.
    #[default]
    Plain,
    /// On two tasks of half of the drawn categories each, from the same weights; these then move towards the mean of what
    /// both learned: `Reptile`.
    ///
    /// # References
    /// Nichol and Schulman, On First-Order Meta-Learning Algorithms, 2018, Algorithm 2.
    Reptile {
        /// Share of the categories that both tasks have together: 52 of 104.
        share: f64,
        /// Steps of each task.
        steps: usize,
        /// How far the weights move towards the mean.
        rate: f64,
    },
    /// On half of the photos of the unseen categories: `Upper-Bound`.
    UnseenHalf,
    /// F stays as it is, and photos' features are made from those of sketches: `CVAE-Regress`.
    Regress(RegressConfig),
    /// Also on pictures that the loss of a classifier of categories has changed: `CrossGrad`.
    CrossGrad(CrossConfig),
}

/// Everything that determines a run of this paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The backbone F of Eq. 8.
    pub architecture: Architecture,
    /// Its pre-trained weights.
    pub weights: String,
    /// Batch norm in training.
    pub norm: NormConfig,
    /// Size and ink of the pictures.
    pub prepare: PrepareConfig,
    /// Deformations in training.
    pub augment: AugmentConfig,
    /// Seen categories that are set aside for validation.
    pub valid_categories: usize,
    /// Training photos that are set aside instead, in a corpus of one category.
    #[serde(default, skip_serializing_if = "is_default")]
    pub valid_photos: usize,
    /// Whether every seed sets others aside; else all have those of seed 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub valid_by_seed: bool,
    /// The loss that brings a sketch and its photo together; left out of a record where it is Eq. 9.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: TaskLoss,
    /// What weights are made from.
    pub traits: TraitSource,
    /// Where the dictionary comes from, if not from this corpus.
    #[serde(default, skip_serializing_if = "is_default")]
    pub borrowed: Option<Borrowed>,
    /// How the retrieval network is trained.
    pub training: Training,
    /// Margin of Eq. 9.
    pub margin: f64,
    /// lambda_con of Eq. 11.
    pub lambda: f64,
    /// What it weighs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub divergence: Divergence,
    /// The length of eta where it is not 1, as in the paper.
    #[serde(default, skip_serializing_if = "is_default")]
    pub length: Option<f64>,
    /// Sigma of Eq. 10 as training begins, where it is not 1, as a layer that begins at zero gives.
    #[serde(default, skip_serializing_if = "is_default")]
    pub noise: Option<f64>,
    /// Samples of eta at test, of which the smallest distance counts.
    pub samples: usize,
    /// The rule of the retrieval network.
    pub optimiser: OptimiserConfig,
    /// Length, batch, schedule, selection.
    pub fit: FitConfig,
}

impl Default for DescriptorConfig {
    /// The paper's values (Sec. 3.1 and 4.1).
    fn default() -> Self {
        Self {
            words: 300,
            dimension: 256,
            assignment: Assignment::Soft,
            drawn: Drawn::Sketches,
            skip: 0.02,
            replace: 0.05,
            temperature: 1.0,
            weights: [[0.0, 1.5], [1.0, 2.0], [1.0, 10.0]],
            epochs: 200,
            batch: 128, // not printed; fewer could not spread over hundreds of words
            rate: 2e-4,
        }
    }
}

/// The parts that a row's name may have, in their order.
const KEYS: [&str; 9] =
    ["backbone", "recipe", "without", "length", "noise", "divergence", "assignment", "words", "drawn"];

/// The rows without parts.
const ROWS: &str = "hard-transfer, cvae-regress, reptile, crossgrad, ours-vae, ours-vae-kmeans, ours-wordvector, \
                    ours-classify, ours-full, ours-sketchy, ours-sketchy-ft or upper-bound";

impl Config {
    /// The settings of a row on a corpus.
    ///
    /// | part | what it sets | where in the paper |
    /// |---|---|---|
    /// | `+backbone=inception-v3` | F, with published weights at the size of pictures that they were made for; of every row | Sec. 4.1 |
    /// | `+recipe=strong` | loss, deformation, warp and schedule of a strong baseline ([`RecipePart`]) | not there |
    /// | `+without=loss` | a part of the recipe that is left out | not there |
    /// | `+length=8` | the length of eta, of every row that makes weights | not there |
    /// | `+noise=0.1` | sigma of Eq. 10 as training begins | not there |
    /// | `+divergence=sum` | L_con of Eq. 11 as the sum over the dimensions of eta | not there |
    /// | `+assignment=hard` | one word a sketch in training; of `ours-full`, as what follows | Table 1, `Ours-Full/Hard` |
    /// | `+words=100` | K | Table 3 |
    /// | `+drawn=edges` | the descriptor network learns from edge maps of photos | Table 1, `Ours-Full/Edge` |
    ///
    /// ```
    /// use retrace::paper::generalising::{Config, TraitSource};
    /// let TraitSource::Dictionary(descriptor) = Config::preset("synth-world", "ours-full+words=100")?.traits else { panic!() };
    /// assert_eq!((descriptor.words, descriptor.dimension), (100, 256));
    /// assert_eq!(Config::preset("synth-world", "hard-transfer+backbone=inception-v3")?.prepare.side, 299);
    /// assert!(Config::preset("synth-world", "hard-transfer+words=100").is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    ///
    /// # Errors
    /// A row that is not known, or a part that it has no use for.
    pub fn preset(dataset: &str, row: &str) -> Result<Self> {
        let name = Row::parse(row, &KEYS)?;
        let mut descriptor = Self::descriptor(dataset);
        let without = name.value("without");
        if without.is_some() && name.value("recipe").is_none() {
            return Err(Error::value("+without", "a row with +recipe=strong", row));
        }
        let config = if is_embedded(dataset) { Self::mini() } else { Self::lite() };
        let config = if transfer_of(dataset).is_some() { config.of_one_category() } else { config };
        let mut config = config.with_training(name.first).with_dictionary(dataset, name.first)?;
        for (key, value) in name.parts {
            match key {
                "backbone" => config.set_backbone(value.parse()?)?,
                "recipe" => config.strengthen(&RecipePart::chosen(value, without)?),
                "without" => {} // part of the recipe
                "length" => config.length = Some(number(key, value)?),
                "noise" => config.noise = Some(number(key, value)?),
                "divergence" if value == "sum" => config.divergence = Divergence::Sum,
                "divergence" => {
                    return Err(Error::value("+divergence", "sum (the mean is usual)", format!("`{value}`")));
                }
                _ if name.first != "ours-full" => {
                    return Err(Error::value(format!("+{key}"), "a part of ours-full", row));
                }
                _ => descriptor.set(key, value)?,
            }
        }
        let traits = TraitSource::of_row(name.first, descriptor)?;
        let plain = Self::mini();
        let (own, usual) = ((config.eta(), config.divergence), (plain.eta(), plain.divergence));
        if traits == TraitSource::None && own != usual {
            return Err(Error::value("+length, +noise or +divergence", "a row that makes weights of a query", row));
        }
        Ok(Self { traits, ..config })
    }

    /// A corpus of one category: photos of it are set aside for validation, a tenth where there are fewer than 60. The passes
    /// are those of Sec. 4.1 on shoes.
    fn of_one_category(self) -> Self {
        let fit = FitConfig { epochs: 10, ..self.fit };
        Self { valid_categories: 0, valid_photos: 30, fit, ..self }
    }

    /// The dictionary of the corpus of many categories, where a row takes it from there.
    fn with_dictionary(self, dataset: &str, row: &str) -> Result<Self> {
        let corpus = if is_embedded(dataset) { "synth-world" } else { "sketchy-mini" };
        let tuning = match row {
            "ours-sketchy" => 0,
            "ours-sketchy-ft" => 10, // as many as the retrieval network has
            _ => return Ok(self),
        };
        if corpus == dataset {
            return Err(Error::value(format!("row {row}"), "another corpus than the dictionary's", dataset));
        }
        Ok(Self { borrowed: Some(Borrowed { corpus: corpus.into(), tuning }), ..self })
    }

    /// How a row trains the retrieval network.
    fn with_training(self, row: &str) -> Self {
        match row {
            "cvae-regress" => self.regress(),
            "reptile" => self.reptile(),
            "crossgrad" => Self { training: Training::CrossGrad(CrossConfig::default()), ..self },
            "upper-bound" => {
                // Nothing is left to choose an epoch on. About as many steps as the others have: there are a fourth of the
                // pairs or fewer.
                let fit = FitConfig { select_on: SelectOn::Last, epochs: 4 * self.fit.epochs, ..self.fit };
                Self { training: Training::UnseenHalf, fit, ..self }
            }
            _ => self,
        }
    }

    /// The same row with parts of the strong recipe; every seed has validation categories of its own.
    fn strengthen(&mut self, parts: &[RecipePart]) {
        let is_small = self.architecture == Architecture::Mini;
        let Self { task, prepare, augment, fit, optimiser, .. } = self;
        let mut settings = RecipeSettings { task, prepare, augment, fit, is_small };
        for rate in parts.iter().filter_map(|part| part.apply(&mut settings)) {
            optimiser.rate = rate;
        }
        self.valid_by_seed = true;
    }

    /// A published network, at the size of pictures that its weights were made for.
    fn set_backbone(&mut self, architecture: Architecture) -> Result<()> {
        let Some(published) = architecture.published() else {
            return Err(Error::value("+backbone", "a network with published weights", architecture));
        };
        (self.architecture, self.weights) = (architecture, published.weights.into());
        self.prepare.side = published.side;
        Ok(())
    }

    /// Half of the categories to two tasks, as the paper draws 52 of 104; 50 steps each, not 500: an epoch here has no more
    /// batches than that, and 0.5 for the rate that neither paper prints for it.
    fn reptile(self) -> Self {
        Self { training: Training::Reptile { share: 0.5, steps: 50, rate: 0.5 }, ..self }
    }

    /// Rule, rate and batch of the authors' program (`trainCVAE_pre.py`), and about as many steps: 25 passes over 60
    /// thousand sketches there.
    fn regress(self) -> Self {
        let d = if self.architecture == Architecture::Mini { 256 } else { 1280 };
        let rule = Rule::Adam { beta1: 0.5, beta2: 0.999, epsilon: 1e-8 };
        let optimiser = OptimiserConfig { rule, ..OptimiserConfig::adam(2e-4) };
        let fit = FitConfig { epochs: 100, batch: 128, schedule: Schedule::Constant, ..self.fit };
        Self { training: Training::Regress(RegressConfig::of(d)), optimiser, fit, ..self }
    }

    /// The paper's descriptor network, with as many passes as a smaller set needs: by then its reconstructions no longer
    /// improve on the validation categories.
    fn descriptor(dataset: &str) -> DescriptorConfig {
        let epochs = if is_embedded(dataset) { 20 } else { 40 };
        DescriptorConfig { epochs, ..DescriptorConfig::default() }
    }

    /// EfficientNet-Lite0 with ImageNet weights at 128 px, for the real corpora.
    fn lite() -> Self {
        Self {
            architecture: Architecture::EfficientNetLite0,
            weights: "imagenet".into(),
            norm: NormConfig::running(),
            prepare: PrepareConfig::new(128, Ink::DarkOnWhite { width: 3.0 }),
            augment: AugmentConfig::default(),
            valid_categories: 10,
            valid_photos: 0,
            valid_by_seed: false,
            task: TaskLoss::Triplet,
            traits: TraitSource::None,
            borrowed: None,
            training: Training::Plain,
            margin: 0.1,   // Sec. 4.1
            lambda: 0.004, // Sec. 4.1
            divergence: Divergence::Mean,
            length: None,
            noise: None,
            samples: 10,                            // Sec. 3.2
            optimiser: OptimiserConfig::adam(1e-4), // Sec. 4.1
            fit: FitConfig {
                epochs: 5, // 20 in Sec. 4.1; after the first of five, seed 0 of Hard-Transfer was no better on validation
                batch: 16,
                schedule: Schedule::Constant,
                select_on: SelectOn::ValidMean,
            },
        }
    }

    /// The small residual network at 64 px, for the embedded corpora.
    fn mini() -> Self {
        let plain = Self::lite();
        Self {
            architecture: Architecture::Mini,
            weights: "attributes".into(),
            prepare: PrepareConfig::new(64, Ink::DarkOnWhite { width: 4.0 }), // one pixel of 64
            valid_categories: 5,
            optimiser: OptimiserConfig::adam(5e-4),
            fit: FitConfig { epochs: 10, batch: 32, schedule: Schedule::Cosine, ..plain.fit },
            ..plain
        }
    }

    /// The size of eta and of its noise.
    pub fn eta(&self) -> EtaConfig {
        EtaConfig { length: self.length.unwrap_or(1.0), noise: self.noise.unwrap_or(1.0) } // Sec. 4.1; Eq. 10
    }

    /// What the sum of Eq. 11's divergences over `d` dimensions is multiplied by.
    pub fn divergence_weight(&self, d: usize) -> f64 {
        match self.divergence {
            Divergence::Mean => self.lambda / d as f64,
            Divergence::Sum => self.lambda,
        }
    }

    /// F, without the classifier.
    pub fn network(&self) -> NetworkConfig {
        NetworkConfig {
            architecture: self.architecture,
            norm: self.norm,
            head: None,
            frozen: matches!(self.training, Training::Regress(_)),
        }
    }

    /// How pictures reach F.
    pub fn pictures(&self) -> Pictures {
        Pictures { prepare: self.prepare, augment: self.augment }
    }

    /// The weights that a run starts from, and its validation categories.
    pub fn needs(&self) -> Needs {
        let weights = vec![NeededWeights::start(format!("{}-{}", self.architecture, self.weights))];
        let Self { valid_categories, valid_photos, valid_by_seed, .. } = *self;
        Needs { weights, valid_categories, valid_photos, valid_by_seed, is_trained: true }
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
        at_least("config.samples", 1, self.samples)?;
        at_least("config.valid_categories or valid_photos", 1, self.valid_categories + self.valid_photos)?;
        at_least("config.fit.epochs", 1, self.fit.epochs)?;
        at_least("config.fit.batch", 2, self.fit.batch)?;
        for (name, value) in [("config.length", self.eta().length), ("config.noise", self.eta().noise)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::value(name, "above 0", value));
            }
        }
        match self.training {
            Training::Reptile { steps, share, .. } => {
                at_least("config.training.steps", 1, steps)?;
                if !(share > 0.0 && share <= 1.0) {
                    return Err(Error::value("config.training.share", "above 0 and at most 1", share));
                }
            }
            Training::Regress(regress) => regress.check()?,
            Training::CrossGrad(cross) => cross.check()?,
            Training::Plain | Training::UnseenHalf => {}
        }
        if let Some(descriptor) = self.traits.descriptor() {
            at_least("config.traits.words", 2, descriptor.words)?;
            at_least("config.traits.epochs", 1, descriptor.epochs)?;
            at_least("config.traits.batch", 2, descriptor.batch)?;
            at_least("config.traits.dimension", 1, descriptor.dimension)?;
        }
        Ok(())
    }
}

impl DescriptorConfig {
    /// Sets a part of a row's name.
    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match (key, value) {
            ("words", _) => self.words = number(key, value)?,
            ("assignment", "hard") => self.assignment = Assignment::Hard,
            ("drawn", "edges") => self.drawn = Drawn::Edges,
            _ => return Err(Error::value(format!("+{key}"), "hard, or edges", format!("`{value}`"))),
        }
        Ok(())
    }
}

impl TraitSource {
    /// What the weights of a row are made from.
    fn of_row(row: &str, descriptor: DescriptorConfig) -> Result<Self> {
        Ok(match row {
            "hard-transfer" | "cvae-regress" | "reptile" | "crossgrad" | "upper-bound" => Self::None,
            "ours-full" | "ours-sketchy" | "ours-sketchy-ft" => Self::Dictionary(descriptor),
            "ours-vae" => Self::Vae(descriptor),
            "ours-vae-kmeans" => Self::VaeKmeans(descriptor),
            "ours-wordvector" => Self::WordVector,
            "ours-classify" => Self::Classifier(descriptor),
            other => return Err(Error::value("row", ROWS, format!("`{other}`"))),
        })
    }

    /// The settings of the network that describes sketches, where there is one.
    pub fn descriptor(&self) -> Option<&DescriptorConfig> {
        match self {
            Self::Dictionary(config) | Self::Vae(config) | Self::VaeKmeans(config) | Self::Classifier(config) => {
                Some(config)
            }
            Self::None | Self::WordVector => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_hold_the_printed_values() {
        let config = Config::preset("sketchy", "ours-full").unwrap();
        assert_eq!((config.margin, config.lambda, config.samples, config.fit.epochs), (0.1, 0.004, 10, 5));
        let paper = DescriptorConfig::default();
        assert_eq!(
            (paper.words, paper.dimension, paper.skip, paper.replace, paper.epochs),
            (300, 256, 0.02, 0.05, 200)
        );
        assert_eq!((paper.rate, paper.weights), (2e-4, [[0.0, 1.5], [1.0, 2.0], [1.0, 10.0]]));
        for row in
            ["hard-transfer", "ours-full+assignment=hard+words=20", "ours-vae", "ours-wordvector", "ours-classify"]
        {
            Config::preset("synth-world", row).unwrap().check().unwrap();
        }
    }

    #[test]
    fn dictionaries_of_shoes_come_from_the_corpus_of_many_categories() {
        let config = |dataset, row| Config::preset(dataset, row).unwrap();
        let own = Borrowed { corpus: "synth-world".into(), tuning: 0 };
        assert_eq!(config("synth-shoe-sandal", "ours-sketchy").borrowed, Some(own));
        let real = config("qmul-shoe-v1-topline", "ours-sketchy-ft");
        assert_eq!(real.borrowed, Some(Borrowed { corpus: "sketchy-mini".into(), tuning: 10 }));
        assert_eq!((real.valid_categories, real.valid_photos, real.fit.epochs), (0, 30, 10));
        assert_eq!(config("sketchy-mini", "ours-full").borrowed, None);
        let refused = Config::preset("synth-world", "ours-sketchy").unwrap_err().to_string();
        assert!(refused.contains("another corpus than the dictionary's, found synth-world"), "{refused}");
    }

    #[test]
    fn strong_recipe_keeps_what_makes_a_row_the_papers() {
        let (plain, strong) = ["", "+recipe=strong"]
            .map(|recipe| Config::preset("sketchy-mini", &format!("ours-full{recipe}")).unwrap())
            .into();
        assert_eq!(strong.task, TaskLoss::Contrastive { temperature: 0.1 });
        assert_eq!((strong.prepare.source, strong.fit.batch, strong.optimiser.rate), (Some(256), 32, 2e-4));
        assert!(strong.valid_by_seed);
        let Config { task, prepare, augment, fit, optimiser, valid_by_seed, .. } = plain.clone();
        assert_eq!(Config { task, prepare, augment, fit, optimiser, valid_by_seed, ..strong }, plain);
    }

    #[test]
    fn a_backbone_brings_its_weights_and_its_size_alone() {
        for dataset in ["sketchy", "synth-world"] {
            for row in ["hard-transfer", "reptile", "ours-vae-kmeans", "ours-wordvector", "ours-full", "upper-bound"] {
                let plain = Config::preset(dataset, row).unwrap();
                let config = Config::preset(dataset, &format!("{row}+backbone=inception-v3")).unwrap();
                let prepare = PrepareConfig { side: 299, ..plain.prepare };
                let (architecture, weights) = (Architecture::InceptionV3, "imagenet".to_string());
                assert_eq!(config, Config { architecture, weights, prepare, ..plain });
                config.check().unwrap();
                assert_eq!(config.needs().weights[0].name, "inception-v3-imagenet");
            }
        }
        let traits = |row: &str| Config::preset("sketchy", row).unwrap().traits;
        let parts = "assignment=hard+words=20";
        assert_eq!(traits(&format!("ours-full+backbone=inception-v3+{parts}")), traits(&format!("ours-full+{parts}")));
    }

    #[test]
    fn rows_that_do_not_exist_are_refused() {
        let message = |row: &str| Config::preset("synth-world", row).unwrap_err().to_string();
        assert!(message("ours").contains("hard-transfer"));
        assert!(message("ours-vae+words=20").contains("ours-full"));
        assert!(message("ours-full+assignment=firm").contains("hard"));
        assert!(message("ours-full+without=loss").contains("+recipe=strong"));
        assert!(message("ours-full+recipe=weak").contains("strong"));
        assert!(message("hard-transfer+length=8").contains("makes weights"));
        assert!(message("hard-transfer+divergence=sum").contains("makes weights"));
        assert!(message("ours-full+divergence=mean").contains("sum"));
        assert!(message("ours-vae+backbone=inception-v3+words=20").contains("ours-full"));
        assert!(message("ours-full+words=20+backbone=inception-v3").contains("order"));
        assert!(message("ours-full+backbone=inception-v4").contains("inception-v3"));
        assert!(message("ours-full+backbone=mini").contains("published weights"));
        let mut config = Config::preset("synth-world", "ours-full").unwrap();
        config.samples = 0;
        assert!(config.check().unwrap_err().to_string().contains("config.samples"));
    }
}
