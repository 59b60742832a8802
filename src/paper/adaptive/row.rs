//! The rows of the paper's tables, by name.

use super::config::{Config, EpisodeConfig, InnerConfig, LossWeights, MARGIN, MarginSource, Reach, Setting, Training};
use super::inner::{Hinge, Order, StepConfig, StepRule};
use crate::dataset::{Ink, PrepareConfig, is_embedded};
use crate::experiment::row::{Row, number};
use crate::experiment::{RecipePart, RecipeSettings, TaskLoss};
use crate::model::{Architecture, NormConfig, Squash};
use crate::sketch::AugmentConfig;
use crate::train::{FitConfig, OptimiserConfig, Schedule, SelectOn};
use crate::{Error, Result};

/// The parts that a row's name may have, in their order.
const KEYS: [&str; 12] = [
    "backbone",
    "recipe",
    "trained-on",
    "classes",
    "attention",
    "dimension",
    "shots",
    "steps",
    "margin",
    "hinge",
    "order",
    "without",
];

/// The rows without parts.
const ROWS: &str = "baseline, baseline-regularised, fine-tune, maml, sign-maml, anil, ours, distill, upper-bound, \
                    single-class or upper-limit";

/// Weights of the losses that no source prints. The authors' program of the baseline weighs triplets ten times as much as
/// classes; the others get the weight of classes.
const SIDE: f64 = 0.1;

/// Where margins begin: that of the baseline's program.
const START: f64 = MARGIN;

impl Config {
    /// The settings of a row on a corpus.
    ///
    /// | part | what it sets | where in the paper |
    /// |---|---|---|
    /// | `+backbone=vgg16` | F, with published weights at the size of pictures that they were made for | its code: VGG-16 |
    /// | `+recipe=strong` | loss, deformation, warp and schedule of a strong baseline ([`RecipePart`]) | not there |
    /// | `+trained-on=synth-world` | the corpus it is trained on; this one gives support and test alone | Table 8 |
    /// | `+classes=10` | how many classes are trained and tested on, of a corpus that tests what it trains | Fig. 6 |
    /// | `+attention=sigmoid` | or `none` | "with spatial attention" |
    /// | `+dimension=128` | d; 64 is usual | the plot over dimensions |
    /// | `+shots=1` | k of rows that adapt; 5 is usual | main table |
    /// | `+steps=3` | steps of the inner loop, 0 to 5; 1 is usual | the plot over steps |
    /// | `+margin=fixed` | or `learned`, one number for all; of `ours`, as the next two | Sec. 5 (b) of the supplement |
    /// | `+hinge=hard` | the inner loss as it is printed | L_T |
    /// | `+order=first` | steps count as constants | not there |
    /// | `+without=domain` | outer losses that are left out: `domain-semantic-class` leaves three | loss ablation |
    ///
    /// ```
    /// use retrace::paper::adaptive::Config;
    /// let config = Config::preset("synth-world", "ours+shots=10+without=domain")?;
    /// assert_eq!((config.episode.shots, config.dimension, config.losses.domain), (10, 64, 0.0));
    /// assert!(Config::preset("synth-world", "baseline+shots=10").is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    ///
    /// # Errors
    /// A row that is not known, or a part that it has no use for.
    pub fn preset(dataset: &str, row: &str) -> Result<Self> {
        let name = Row::parse(row, &KEYS)?;
        let foreign = name.value("trained-on");
        if foreign == Some(dataset) {
            return Err(Error::value("+trained-on", "another corpus than it is tested on", dataset));
        }
        let mut config = Self::corpus(dataset, name.first == "upper-limit", foreign).with_row(name.first)?;
        for (key, value) in name.parts {
            config.set(key, value, row)?;
        }
        Ok(config)
    }

    /// The plain settings of a corpus.
    fn corpus(dataset: &str, alone: bool, foreign: Option<&str>) -> Self {
        let config = if is_embedded(foreign.unwrap_or(dataset)) { Self::mini() } else { Self::lite() };
        if let Some(foreign) = foreign {
            let losses = LossWeights { class: SIDE, ..LossWeights::none() };
            return Self { trained_on: Some(foreign.into()), losses, ..config.of_one_class(30) };
        }
        if alone {
            return config.of_one_class(30);
        }
        match dataset {
            // A twentieth of the training photos: by 20 seen people there are then some 200 sketches to choose an epoch by.
            "synth-shoe" => Self { setting: Setting::User, ..config.of_one_class(90) },
            // Its test part has the classes that it trains: new objects of them choose the epoch.
            "synth-world-seen" => {
                Self { losses: LossWeights { class: SIDE, ..LossWeights::none() }, ..config.of_one_class(200) }
            }
            _ => config,
        }
    }

    fn with_row(self, first: &str) -> Result<Self> {
        let plain = InnerConfig::none();
        let (head, all) = (InnerConfig { reach: Reach::Head, ..plain }, InnerConfig { reach: Reach::All, ..plain });
        let rated =
            |inner: InnerConfig, steps, rate| InnerConfig { step: StepConfig { steps, rate, ..inner.step }, ..inner };
        let of = |training, inner| Self { training, inner, ..self.clone() };
        Ok(match first {
            "baseline" | "upper-limit" => self,
            "baseline-regularised" => self.regularised(),
            "fine-tune" => of(Training::Plain, rated(all, FINE_STEPS, RATE_ALL)),
            "maml" => of(Training::Episodes, rated(all, 1, RATE_ALL)),
            "sign-maml" => {
                let inner = rated(all, 1, RATE_SIGN);
                of(Training::Episodes, InnerConfig { step: StepConfig { rule: StepRule::Sign, ..inner.step }, ..inner })
            }
            "anil" => of(Training::Episodes, rated(head, 1, RATE_HEAD)),
            "ours" => {
                let inner = rated(head, 1, RATE_HEAD);
                let step = StepConfig { hinge: Hinge::Soft { temperature: TEMPERATURE }, ..inner.step };
                let inner = InnerConfig { margin: MarginSource::Predicted { start: START }, step, ..inner };
                of(Training::Episodes, inner).regularised()
            }
            "distill" => of(Training::Distill { weight: 1.0 }, plain),
            "upper-bound" => of(Training::Joint, plain),
            "single-class" => {
                let fit = FitConfig { epochs: 1, select_on: SelectOn::Last, ..self.fit };
                let training = Training::PerClass { passes: 40 };
                Self { training, fit, losses: LossWeights::none(), ..self }
            }
            other => return Err(Error::value("row", ROWS, format!("`{other}`"))),
        })
    }

    /// All outer losses of the setting.
    fn regularised(self) -> Self {
        let losses = match self.setting {
            Setting::Category => LossWeights { domain: SIDE, class: SIDE, semantic: SIDE, user: 0.0 },
            Setting::User => LossWeights { domain: SIDE, class: 0.0, semantic: 0.0, user: SIDE },
        };
        Self { losses, ..self }
    }

    fn set(&mut self, key: &str, value: &str, row: &str) -> Result<()> {
        let refuse = |of: &str| Err(Error::value(format!("+{key}"), of, row));
        let adapts = self.inner.reach != Reach::Nothing;
        let is_ours = row.split('+').next() == Some("ours");
        match key {
            "backbone" => return self.set_backbone(value.parse()?),
            "recipe" => self.strengthen(&RecipePart::chosen(value, None)?),
            "trained-on" => {} // seen before the row was
            "classes" => self.classes = Some(number(key, value)?),
            "attention" => self.attention = attention(value)?,
            "dimension" => self.dimension = number(key, value)?,
            "shots" | "steps" if !adapts => return refuse("a part of rows that adapt"),
            "shots" => self.episode.shots = number(key, value)?,
            "steps" => self.inner.step.steps = number(key, value)?,
            "order" if self.training != Training::Episodes => return refuse("a part of rows with an outer loop"),
            "order" if value == "first" => self.inner.step.order = Order::First,
            "order" => return Err(Error::value("+order", "first (second is usual)", format!("`{value}`"))),
            "without" => return self.leave_out(value),
            _ if !is_ours => return refuse("a part of ours"),
            "margin" => self.inner.margin = margin(value)?,
            _ if value == "hard" => self.inner.step.hinge = Hinge::Hard,
            _ => return Err(Error::value("+hinge", "hard (soft is usual)", format!("`{value}`"))),
        }
        Ok(())
    }

    fn leave_out(&mut self, names: &str) -> Result<()> {
        for name in names.split('-') {
            let weight = match name {
                "domain" => &mut self.losses.domain,
                "class" => &mut self.losses.class,
                "semantic" => &mut self.losses.semantic,
                "user" => &mut self.losses.user,
                other => return Err(Error::value("+without", "domain, class, semantic or user", format!("`{other}`"))),
            };
            if *weight == 0.0 {
                return Err(Error::value("+without", "losses that the row has", format!("`{name}`")));
            }
            *weight = 0.0;
        }
        Ok(())
    }

    /// The same row with the strong recipe; every seed has a validation part of its own.
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

    /// A corpus of one class: photos of it are set aside for validation, and there are no classes to tell apart.
    fn of_one_class(self, valid_photos: usize) -> Self {
        Self { valid_categories: 0, valid_photos, losses: LossWeights::none(), ..self }
    }

    /// EfficientNet-Lite0 with ImageNet weights at 128 px, for the real corpora.
    fn lite() -> Self {
        Self {
            architecture: Architecture::EfficientNetLite0,
            weights: "imagenet".into(),
            norm: NormConfig::running(),
            attention: Some(Squash::Softmax),
            dimension: 64, // the poster's plot, and the authors' program
            prepare: PrepareConfig::new(128, Ink::DarkOnWhite { width: 3.0 }),
            augment: AugmentConfig::default(),
            valid_categories: 10,
            valid_photos: 0,
            valid_by_seed: false,
            setting: Setting::Category,
            trained_on: None,
            classes: None,
            training: Training::Plain,
            // Two tasks are about as many pictures as a batch of 16 pairs.
            episode: EpisodeConfig { shots: 5, queries: 5, gallery: 8, tasks: 2 },
            inner: InnerConfig::none(),
            task: TaskLoss::Triplet,
            margin: MARGIN,
            losses: LossWeights { class: SIDE, ..LossWeights::none() },
            optimiser: OptimiserConfig::adam(1e-4), // the authors' program
            fit: FitConfig {
                epochs: 5, // of so small a network the first ones are the best on validation classes
                batch: 16, // the authors' program
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
            // Two tasks are as many pictures as a batch of 32 pairs.
            episode: EpisodeConfig { shots: 5, queries: 11, gallery: 16, tasks: 2 },
            optimiser: OptimiserConfig::adam(5e-4),
            fit: FitConfig { epochs: 10, batch: 32, schedule: Schedule::Cosine, ..plain.fit },
            ..plain
        }
    }
}

/// alpha of an inner step on M; on F and M; by signs; and steps of fine-tuning: first choices, none of which is printed.
const RATE_HEAD: f64 = 0.5;
const RATE_ALL: f64 = 0.01;
const RATE_SIGN: f64 = 1e-4;
const FINE_STEPS: usize = 5;

/// t of the soft hinge: a quarter of the margin that it begins with.
const TEMPERATURE: f64 = 0.05;

impl LossWeights {
    /// L_T alone.
    pub fn none() -> Self {
        Self { domain: 0.0, class: 0.0, semantic: 0.0, user: 0.0 }
    }
}

fn attention(value: &str) -> Result<Option<Squash>> {
    match value {
        "none" => Ok(None),
        "sigmoid" => Ok(Some(Squash::Sigmoid)),
        other => Err(Error::value("+attention", "sigmoid or none (softmax is usual)", format!("`{other}`"))),
    }
}

fn margin(value: &str) -> Result<MarginSource> {
    match value {
        "fixed" => Ok(MarginSource::Fixed { margin: START }),
        "learned" => Ok(MarginSource::Learned { start: START }),
        other => Err(Error::value("+margin", "fixed or learned (predicted is usual)", format!("`{other}`"))),
    }
}
