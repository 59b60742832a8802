//! The names of rows: what a row changes of the settings of its corpus.

use super::table::SUPERVISED;
use super::{Config, Curvature, Query, Update};
use crate::dataset::{Ink, PrepareConfig, is_embedded};
use crate::experiment::RecipePart;
use crate::experiment::row::{Row, number};
use crate::loss::Draw;
use crate::model::Architecture;
use crate::train::{Rule, SelectOn, pretrain};
use crate::{Error, Result};

/// What can follow a row's first word, in this order, so that no two names mean one row.
const KEYS: [&str; 15] = [
    "backbone", "weights", "recipe", "without", "average", "retrain", "side", "source", "pairs", "margin", "draw",
    "query", "beta", "sgd", "ratio",
];

/// Momentum of `+sgd`: the usual one.
const MOMENTUM: f64 = 0.9;

impl Config {
    /// The preset of a row on a corpus.
    ///
    /// A row is an update, with `-frozen` for a frozen backbone, and then what differs from the corpus's settings:
    ///
    /// | part | what it sets | where in the paper |
    /// |---|---|---|
    /// | `+backbone=resnet50` | the network, with published weights at the size of pictures that they were made for | Table 2, Sec. 3 |
    /// | `+weights=jigsaw` | the pre-training | Table 2 |
    /// | `+recipe=strong` | loss, deformation, warp and schedule of a strong baseline ([`RecipePart`](crate::experiment::RecipePart)) | not there |
    /// | `+without=loss` | a part of the recipe that is left out | not there |
    /// | `+average=5` | the mean of the weights after each of the last five epochs is kept, not the best epoch | not there |
    /// | `+retrain=all` | a second training, on training and validation pairs, for as many epochs as validation chose in the first | not there |
    /// | `+side=224` | width and height of the pictures, in pixels | not there |
    /// | `+source=obow` | the pre-training that R comes from, where it is another; `supervised`: the corpus's own | Table 4 |
    /// | `+pairs=50` | K | Table 3 |
    /// | `+margin=0.05` | the margin of the topology loss | Table 3 |
    /// | `+draw=nearest` | triples of the nearest photo and another, instead of two at random | Table 3 |
    /// | `+query=photo` | photos as queries, Eq. 3, instead of sketches, Eq. 4 | Fig. 2 |
    /// | `+beta=0.3` | the weight of the topology loss in Eq. 5 | Fig. 3 |
    /// | `+sgd=0.1` | descent with momentum at this rate in every step, instead of Adam, which undoes the scale of a gradient | not there |
    /// | `+ratio=0.3` | the rate of the topology step of Eq. 9, over that of the task's | not there |
    ///
    /// ```
    /// use retrace::paper::photo_pretraining::Config;
    /// let config = Config::preset("synth-chair", "ours+weights=jigsaw+pairs=50")?;
    /// assert_eq!((config.weights.as_str(), config.neighbourhood.pairs), ("jigsaw", 50));
    /// assert!(Config::preset("synth-chair", "ours-base+pairs=50").is_err()); // it has no topology loss
    /// # Ok::<(), retrace::Error>(())
    /// ```
    ///
    /// # Errors
    /// A row that is not known, a part that its update has no use for, or parts in another order.
    pub fn preset(dataset: &str, row: &str) -> Result<Self> {
        let name = Row::parse(row, &KEYS)?;
        let (plain, frozen) = name.first.strip_suffix("-frozen").map_or((name.first, false), |plain| (plain, true));
        let config = if frozen {
            Self::frozen()
        } else if is_embedded(dataset) {
            Self::mini(dataset)
        } else {
            Self::lite()
        };
        let mut config = config.with_update(plain)?;
        let mut usual = config.weights.clone();
        let without = name.value("without");
        if without.is_some() && name.value("recipe").is_none() {
            return Err(Error::value("+without", "a row with +recipe=strong", row));
        }
        for (key, value) in name.parts {
            match key {
                "backbone" => {
                    config = config.with_backbone(value.parse()?)?;
                    usual = config.weights.clone();
                }
                "recipe" => config.set_recipe(value, without)?,
                "without" => {} // part of the recipe
                "average" => config.set_average(number(key, value)?)?,
                "retrain" => config.set_retrain(value)?,
                "side" => config.set_side(number(key, value)?)?,
                "sgd" => config.set_descent(number(key, value)?)?,
                _ => config.set(key, if value == SUPERVISED { &usual } else { value })?,
            }
        }
        Ok(config)
    }

    /// The same settings with the update of a row. Rates of the two losses are equal: the paper prints none.
    fn with_update(mut self, row: &str) -> Result<Self> {
        let (Update::Base { task } | Update::MetaFirst { task, .. }) = self.update else { return Ok(self) };
        self.update = match row {
            "zero-shot" => Update::ZeroShot,
            "ours-base" => Update::Base { task },
            "ours" => Update::MetaFirst { task, meta: task },
            "multi-task" => Update::MultiTask { task, alpha: 1.0, beta: 1.0 },
            // 0.01: the constant of DARTS (Liu et al., ICLR 2019, Sec. 2.3), which the paper builds on.
            "meta-full" => Update::MetaFull { task, meta: task, epsilon: 0.01, curvature: Curvature::Printed },
            _ => {
                let expected = "zero-shot, ours-base, ours, multi-task or meta-full, with or without -frozen";
                return Err(Error::value("row", expected, format!("`{row}`")));
            }
        };
        Ok(self)
    }

    /// The same settings with a published network, at the size of pictures that its weights were made for.
    fn with_backbone(mut self, architecture: Architecture) -> Result<Self> {
        let Some(published) = architecture.published().filter(|_| self.frozen.is_none()) else {
            let expected = "a network with published weights, trained as a whole";
            return Err(Error::value("+backbone", expected, architecture));
        };
        self.weights = published.weights.into();
        self.architecture = architecture;
        self.prepare = PrepareConfig::new(published.side, Ink::DarkOnWhite { width: 3.0 });
        Ok(self)
    }

    fn set_recipe(&mut self, name: &str, without: Option<&str>) -> Result<()> {
        if self.frozen.is_some() || self.update == Update::ZeroShot {
            return Err(Error::value("+recipe", "a network that is trained as a whole", self.update.name()));
        }
        self.strengthen(&RecipePart::chosen(name, without)?);
        Ok(())
    }

    /// Pictures of another size; where they are kept larger than shown, they still are.
    fn set_side(&mut self, side: u32) -> Result<()> {
        self.prepare.side = side;
        self.prepare.source = self.prepare.source.map(|kept| kept.max(side));
        self.prepare.check()
    }

    /// The mean over the last epochs instead of the best one.
    fn set_average(&mut self, epochs: usize) -> Result<()> {
        if self.update == Update::ZeroShot || !(1..=self.fit.epochs).contains(&epochs) {
            let expected = format!("1 to {} epochs of a row that is trained", self.fit.epochs);
            return Err(Error::value("+average", expected, format!("{epochs} of {}", self.update.name())));
        }
        self.fit.select_on = SelectOn::MeanOfLast(epochs);
        Ok(())
    }

    /// Training anew on all pairs, where the recipe is strong and validation chooses the epoch.
    fn set_retrain(&mut self, pairs: &str) -> Result<()> {
        if pairs != "all" {
            return Err(Error::value("+retrain", "all (no second training is usual)", format!("`{pairs}`")));
        }
        if !self.valid_by_seed || self.fit.select_on != SelectOn::ValidMean {
            return Err(Error::value("+retrain", "a row with +recipe=strong and without +average", self.fit.select_on));
        }
        self.retrain = true;
        Ok(())
    }

    /// Descent with momentum instead of Adam, at one rate for every step.
    fn set_descent(&mut self, rate: f64) -> Result<()> {
        if self.update == Update::ZeroShot {
            return Err(Error::value("+sgd", "a row that is trained", self.update.name()));
        }
        self.update.change_optimisers(|optimiser| {
            (optimiser.rule, optimiser.rate) = (Rule::Sgd { momentum: MOMENTUM }, rate);
        });
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if key != "weights" && !self.update.needs_neighbours() {
            return Err(Error::value(format!("+{key}"), "a row with the topology loss", self.update.name()));
        }
        match (key, &mut self.update) {
            ("weights", _) => self.weights = weights(value)?,
            ("source", _) => self.neighbourhood.source = Some(weights(value)?),
            ("pairs", _) => self.neighbourhood.pairs = number(key, value)?,
            ("margin", _) => self.neighbourhood.margin = number(key, value)?,
            ("draw", _) if value == "nearest" => self.neighbourhood.draw = Draw::Nearest,
            ("draw", _) => return Err(Error::value("+draw", "nearest (random is usual)", value)),
            ("query", _) => self.neighbourhood.query = value.parse::<Query>()?,
            ("beta", Update::MultiTask { beta, .. }) => *beta = number(key, value)?,
            ("ratio", Update::MetaFirst { task, meta } | Update::MetaFull { task, meta, .. }) => {
                meta.rate = task.rate * number::<f64>(key, value)?;
            }
            ("ratio", update) => {
                return Err(Error::value("+ratio", "a row of two steps: ours, meta-full", update.name()));
            }
            (_, update) => {
                return Err(Error::value(format!("+{key}"), "a row that weighs the losses: multi-task", update.name()));
            }
        }
        Ok(())
    }
}

/// Names that weights can have: what `retrace pretrain` learns, and what is imported.
fn weights(name: &str) -> Result<String> {
    if name == "imagenet" || pretrain::PretrainMethod::NAMES.contains(&name) {
        return Ok(name.to_string());
    }
    Err(Error::value(
        "weights",
        format!("imagenet, {}", pretrain::PretrainMethod::NAMES.join(", ")),
        format!("`{name}`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preset_parts_set_their_own_field() {
        let plain = Config::preset("synth-chair", "multi-task").unwrap();
        let row = "multi-task+weights=clip+source=obow+pairs=1+margin=0.005+draw=nearest+query=photo+beta=0.3";
        let config = Config::preset("synth-chair", row).unwrap();
        let n = &config.neighbourhood;
        assert_eq!((config.weights.as_str(), n.source.as_deref(), n.pairs), ("clip", Some("obow"), 1));
        assert_eq!((n.margin, n.draw, n.query), (0.005, Draw::Nearest, Query::Photo));
        assert!(matches!(config.update, Update::MultiTask { alpha: 1.0, beta: 0.3, .. }));
        assert_eq!((config.margin, config.fit), (plain.margin, plain.fit));
        let Update::MetaFirst { task, meta } = Config::preset("synth-chair", "ours+ratio=0.5").unwrap().update else {
            panic!("two steps")
        };
        assert_eq!((task.rate, meta.rate), (5e-4, 2.5e-4));
        let average = Config::preset("synth-chair", "ours+recipe=strong+average=5").unwrap();
        assert_eq!(average.fit.select_on, SelectOn::MeanOfLast(5));
        let strong = Config::preset("synth-chair", "ours+recipe=strong").unwrap();
        let again = Config::preset("synth-chair", "ours+recipe=strong+retrain=all").unwrap();
        assert!(again.check().is_ok() && again == Config { retrain: true, ..strong });
        let Update::MetaFirst { task, meta } = Config::preset("synth-chair", "ours+sgd=0.2+ratio=0.5").unwrap().update
        else {
            panic!("two steps")
        };
        assert_eq!((task.rate, meta.rate, task.rule), (0.2, 0.1, Rule::Sgd { momentum: 0.9 }));
        let source = |dataset| Config::preset(dataset, "ours+source=supervised").unwrap().neighbourhood.source;
        assert_eq!(
            (source("synth-shoe").as_deref(), source("qmul-shoe-v1").as_deref()),
            (Some("attributes"), Some("imagenet"))
        );
        assert_eq!(Config::preset("qmul-shoe-v1", "ours-frozen+pairs=1").unwrap().frozen, Some(8));
    }

    #[test]
    fn a_backbone_brings_its_weights_and_its_size() {
        let of = |row: &str| {
            let config = Config::preset("qmul-chair-v2", row).unwrap();
            (config.architecture.name(), config.weights, config.prepare.side)
        };
        assert_eq!(of("ours+backbone=resnet50"), ("resnet50", "imagenet".into(), 224));
        assert_eq!(of("ours-base+backbone=clip-vit-b32"), ("clip-vit-b32", "clip".into(), 224));
        assert_eq!(of("zero-shot+backbone=inception-v3"), ("inception-v3", "imagenet".into(), 299));
        let other = Config::preset("qmul-chair-v2", "ours+backbone=resnet50+source=supervised").unwrap();
        assert_eq!(other.neighbourhood.source.as_deref(), Some("imagenet"));
        let plain = Config::preset("qmul-chair-v2", "ours").unwrap();
        assert_eq!((other.fit, other.update, other.augment), (plain.fit, plain.update, plain.augment));
    }

    #[test]
    fn preset_refuses_parts_without_effect() {
        let message = |row: &str| Config::preset("synth-chair", row).unwrap_err().to_string();
        assert!(message("ours-base+source=obow").contains("topology loss"));
        assert!(message("ours+beta=1").contains("multi-task"));
        assert!(message("multi-task+ratio=1").contains("two steps"));
        assert!(message("zero-shot+sgd=1").contains("trained"));
        assert!(message("ours+average=few").contains("average"));
        assert!(message("zero-shot+average=2").contains("trained") && message("ours+average=99").contains("1 to 20"));
        assert!(message("ours+retrain=all").contains("+recipe=strong"));
        assert!(message("ours+recipe=strong+average=5+retrain=all").contains("without +average"));
        assert!(message("ours+recipe=strong+retrain=valid").contains("all"));
        assert!(message("ours+recipe=strong+retrain=all+average=5").contains("order"));
        assert!(message("ours+margin=0.05+pairs=1").contains("order"));
        assert!(message("ours+pairs=1+pairs=2").contains("order"));
        assert!(message("ours+weights=vgg").contains("barlow-twins"));
        assert!(message("ours+margin=.05").contains("as it is printed"));
        assert!(message("ours+pairs=ten").contains("as it is printed"));
        assert!(message("ours+k").contains("key=value"));
        assert!(message("ours+pairs=1+backbone=resnet50").contains("order"));
        assert!(message("ours+backbone=mini").contains("published weights"));
        assert!(message("ours-frozen+backbone=resnet50").contains("trained as a whole"));
        assert!(message("ours+backbone=vgg19").contains("vgg16"));
        assert!(message("theirs").contains("zero-shot"));
    }
}
