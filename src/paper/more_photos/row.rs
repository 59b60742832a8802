//! The rows of the tables by name.

use super::config::{Config, Drawn, GeneratorConfig, Ranked, Reward, SemiConfig, Sight, Teacher, Weighing};
use super::stroke::Pen;
use crate::dataset::is_embedded;
use crate::experiment::row::{Row, number};
use crate::experiment::{RecipePart, RecipeSettings};
use crate::model::Architecture;
use crate::{Error, Result};

/// The parts that a row's name may have, in their order.
const KEYS: [&str; 10] =
    ["recipe", "without", "labelled", "drop", "attention", "teacher", "weights", "reward", "width", "pen"];

/// The rows without parts.
const ROWS: &str = "pix2pix, photo-sketch, pix2seq, l2s, ours-g, ours-g-full, edgemap-pretrain, jigsaw-pretrain, ours-f, \
                    vanilla-ssl-f, ours-f-pix2pix, ours-f-l2s or ours-f-full";

impl Config {
    /// The settings of a row on a corpus.
    ///
    /// | part | what it sets | where in the paper |
    /// |---|---|---|
    /// | `+recipe=strong`, `+without=loss` | the strong baseline ([`RecipePart`]), without a part of it | not there |
    /// | `+labelled=25` | percent of the training photos whose sketches are used | Fig. 4b |
    /// | `+drop=weights` | pairs count evenly; `teacher`: nobody teaches; `joint`: the generator stays | Table 3 |
    /// | `+attention=none` | the generator sees one vector; `line`: the places as a line | Table 3, Sec. 4.3 |
    /// | `+teacher=absolute` | points are taught, not distances | Sec. 4.3 |
    /// | `+weights=threshold` | a pair counts wholly or not at all | supplement, B |
    /// | `+reward=retrieval` | one reward alone; or `certainty` | Sec. 4.3 |
    /// | `+pen=row` | the generator does not know where its pen is, only the last row | Sec. 3.1 |
    /// | `+width=512` | the paper's width of the recurrent state, and of keys half of it | Sec. 4 |
    ///
    /// ```
    /// use retrace::paper::more_photos::{Config, Teacher};
    /// let full = Config::preset("synth-chair", "ours-f-full+labelled=25")?;
    /// assert_eq!((full.labelled, full.semi.map(|semi| semi.teacher)), (25, Some(Teacher::Relative)));
    /// assert!(Config::preset("synth-chair", "ours-f+drop=teacher").is_err());
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
        let mut config = Self::plain(dataset).of_row(dataset, name.first)?;
        for (key, value) in name.parts {
            match key {
                "recipe" => config.strengthen(&RecipePart::chosen(value, without)?),
                "without" => {} // part of the recipe
                "labelled" => config.labelled = number(key, value)?,
                "drop" => config.drop(value, row)?,
                "attention" => config.set_sight(value, row)?,
                "width" => config.set_width(number(key, value)?, row)?,
                "pen" => config.set_pen(value, row)?,
                _ => config.set_training(key, value, row)?,
            }
        }
        Ok(config)
    }

    fn of_row(self, dataset: &str, row: &str) -> Result<Self> {
        // Longer ones lose more on validation than they gain in training; `synth-shoe` has six times as many sketches.
        let epochs = if dataset == "synth-shoe" { 8 } else { 30 };
        let proposed = GeneratorConfig::proposed(epochs);
        let strokes = |sight, two_way| Drawn::Strokes { sight, two_way };
        let generator = |drawn| Some(GeneratorConfig { drawn, ..proposed.clone() });
        // The rate of the retrieval network's own training: pairs are added, nothing is slowed down.
        let rate = self.retrieval.optimiser.rate;
        let semi = SemiConfig::proposed(if dataset == "synth-shoe" { 3 } else { 10 }, rate);
        let blind = SemiConfig { weighing: Weighing::Even, teacher: Teacher::None, reward: None, ..semi.clone() };
        let map = generator(strokes(Sight::Map, false));
        let generated = |generator| Self { ranked: Ranked::Generated, generator, ..self.clone() };
        let trained = |generator, semi| Self { generator, semi: Some(semi), ..self.clone() };
        Ok(match row {
            "pix2pix" => generated(generator(Drawn::Pixels { nearest: false })),
            "photo-sketch" => generated(generator(Drawn::Pixels { nearest: true })),
            "pix2seq" => generated(generator(strokes(Sight::Vector, false))),
            "l2s" => generated(generator(strokes(Sight::Vector, true))),
            "ours-g" => generated(map),
            "ours-g-full" => Self { semi: Some(semi), ..generated(map) },
            "ours-f" => self,
            "edgemap-pretrain" => self.started_from("edges", dataset)?,
            "jigsaw-pretrain" => self.started_from("jigsaw", dataset)?,
            "vanilla-ssl-f" => trained(map, blind),
            "ours-f-pix2pix" => trained(generator(Drawn::Pixels { nearest: false }), semi),
            "ours-f-l2s" => trained(generator(strokes(Sight::Vector, true)), semi),
            "ours-f-full" => trained(map, semi),
            other => return Err(Error::value("row", ROWS, format!("`{other}`"))),
        })
    }

    /// Other pre-trained weights, made of the unlabelled photos.
    fn started_from(mut self, weights: &str, dataset: &str) -> Result<Self> {
        if weights == "edges" && is_embedded(dataset) {
            return Err(Error::value("edgemap-pretrain", "a corpus of real photos", dataset));
        }
        self.retrieval.weights = weights.into();
        Ok(self)
    }

    /// The same row with parts of the strong recipe; every seed has validation photos of its own.
    fn strengthen(&mut self, parts: &[RecipePart]) {
        let retrieval = &mut self.retrieval;
        let is_small = retrieval.architecture == Architecture::Mini;
        let (task, prepare) = (&mut retrieval.task, &mut retrieval.prepare);
        let (augment, fit) = (&mut retrieval.augment, &mut retrieval.fit);
        let mut settings = RecipeSettings { task, prepare, augment, fit, is_small };
        for rate in parts.iter().filter_map(|part| part.apply(&mut settings)) {
            retrieval.optimiser.rate = rate;
        }
        self.valid_by_seed = true;
    }

    fn semi(&mut self, key: &str, row: &str) -> Result<&mut SemiConfig> {
        let refuse = || Error::value(format!("+{key}"), "a row that is trained with generated pairs", row);
        self.semi.as_mut().ok_or_else(refuse)
    }

    fn drop(&mut self, value: &str, row: &str) -> Result<()> {
        let semi = self.semi("drop", row)?;
        match value {
            "weights" => semi.weighing = Weighing::Even,
            "teacher" => semi.teacher = Teacher::None,
            "joint" => semi.reward = None,
            _ => return Err(Error::value("+drop", "weights, teacher or joint", format!("`{value}`"))),
        }
        Ok(())
    }

    fn set_sight(&mut self, value: &str, row: &str) -> Result<()> {
        let generator = self.generator.as_mut().map(|generator| &mut generator.drawn);
        let Some(Drawn::Strokes { sight: sight @ Sight::Map, .. }) = generator else {
            return Err(Error::value("+attention", "a row whose generator has attention", row));
        };
        *sight = match value {
            "none" => Sight::Vector,
            "line" => Sight::Line,
            _ => return Err(Error::value("+attention", "none or line", format!("`{value}`"))),
        };
        Ok(())
    }

    fn set_width(&mut self, width: usize, row: &str) -> Result<()> {
        let refuse = || Error::value("+width", "a row with a generator", row);
        let generator = self.generator.as_mut().ok_or_else(refuse)?;
        (generator.width, generator.keys) = (width, width / 2);
        Ok(())
    }

    fn set_pen(&mut self, value: &str, row: &str) -> Result<()> {
        let refuse = || Error::value("+pen", "a row with a generator", row);
        let generator = self.generator.as_mut().ok_or_else(refuse)?;
        if value != "row" {
            return Err(Error::value("+pen", "row (its place is usual here)", format!("`{value}`")));
        }
        generator.pen = Pen::Row;
        Ok(())
    }

    fn set_training(&mut self, key: &str, value: &str, row: &str) -> Result<()> {
        let semi = self.semi(key, row)?;
        match (key, value) {
            ("teacher", "absolute") => semi.teacher = Teacher::Absolute,
            ("weights", "threshold") => semi.weighing = Weighing::Threshold(0.5), // a coin's certainty
            ("reward", "retrieval") => semi.reward = Some(Reward { retrieval: 1.0, certainty: 0.0 }),
            ("reward", "certainty") => semi.reward = Some(Reward { retrieval: 0.0, certainty: 1.0 }),
            _ => {
                let expected = "teacher=absolute, weights=threshold, reward=retrieval or reward=certainty";
                return Err(Error::value("part of a row", expected, format!("`+{key}={value}`")));
            }
        }
        Ok(())
    }
}
