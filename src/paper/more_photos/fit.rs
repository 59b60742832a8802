//! The trainings of a row: each is shared by all rows that need the same one.

use super::SLUG;
use super::config::{Config, Drawn, GeneratorConfig, Ranked, RetrievalConfig, SemiConfig};
use super::draw::{self, Lesson};
use super::drawer::Drawer;
use super::material::{self, Material};
use super::model::{PhotoModel, PhotoNetwork};
use super::network::SpatialNetwork;
use super::rehearsal;
use super::semi::{self, RETRIEVAL, SemiTraining};
use super::stroke::{deviation, told};
use super::{pixel, retrieve};
use crate::Result;
use crate::dataset::Split;
use crate::experiment::{Fitted, SharedTraining, Trial};
use crate::train::named::{Tensors, part};
use crate::train::{Log, Optimiser, OptimiserConfig, Outcome, Resume, SelectOn};

/// Trains, or goes on where a training of the row was stopped.
///
/// # Errors
/// A setting that cannot be trained with; a watch that stops.
pub(super) fn fit(trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<PhotoModel>> {
    let Trial { run, bench, folder, order } = *trial;
    let school = School { trial, material: Material::open(&run.config, bench, run.seed, order)? };
    let network = PhotoNetwork::new(&run.config, run.seed, order.device)?;
    let first = school.retrieval()?;
    network.retrieval.parameters().load(&first.tensors)?;
    let mut last = &first;
    let (made, joined);
    if let (Some(config), Some(drawer)) = (&run.config.generator, &network.drawer) {
        made = school.generator(config)?;
        drawer.parameters().load(&made.tensors)?;
        (last.shared(&school)?).copy_log(folder)?;
        last = &made;
    }
    if let Some(config) = &run.config.semi {
        joined = school.semi(config, &first, last)?;
        last.shared(&school)?.copy_log(folder)?;
        network.take(&joined.tensors)?;
        last = &joined;
    }
    last.shared(&school)?.copy_lines(log)?;
    network.round()?;
    let select_on = last.select_on.to_string();
    let outcome = Outcome { seconds: last.seconds, ..last.outcome };
    let model = PhotoModel::open(network, bench, &Split::ALL, order)?;
    Ok(Fitted { model, outcome: Some(outcome), select_on })
}

impl PhotoNetwork {
    /// Takes what a training with generated pairs left. Where sketches are ranked, the network that ranks them stays the one
    /// of labelled pairs.
    fn take(&self, tensors: &Tensors) -> Result<()> {
        if self.config.ranked == Ranked::Drawn {
            self.retrieval.parameters().load(&part(tensors, RETRIEVAL))?;
        }
        self.load_drawer(tensors)
    }
}

/// A training that is done.
struct Lessoned {
    name: &'static str,
    settings: String,
    tensors: Tensors,
    outcome: Outcome,
    select_on: SelectOn,
    /// Of this one and of those that it began with.
    seconds: f64,
}

impl Lessoned {
    fn shared<'a>(&self, school: &'a School) -> Result<SharedTraining<'a>> {
        Ok(school.shared(self.name, self.settings.clone()))
    }
}

/// The trainings of a run.
struct School<'a> {
    trial: &'a Trial<'a, Config>,
    material: Material,
}

impl School<'_> {
    fn shared(&self, name: &'static str, settings: String) -> SharedTraining<'_> {
        let Trial { run, bench, order, .. } = *self.trial;
        SharedTraining { slug: SLUG, name, dataset: &run.dataset, bench, seed: run.seed, order, settings }
    }

    /// What every training depends on: settings of the retrieval network, its weights, and which pairs are labelled.
    fn common(&self) -> Result<String> {
        let Trial { run, order, .. } = *self.trial;
        let start = run.config.needs().hash(order.places)?;
        Ok(format!("{} {start:?} {}%", serde_json::to_string(&run.config.retrieval)?, run.config.labelled))
    }

    /// F on labelled pairs.
    fn retrieval(&self) -> Result<Lessoned> {
        let Trial { run, bench, order, .. } = *self.trial;
        let config: &RetrievalConfig = &run.config.retrieval;
        let (name, settings) = ("retrieval", self.common()?);
        let (tensors, outcome) = self.shared(name, settings.clone()).once(|desk| {
            let network = SpatialNetwork::new(config, run.seed, order.device)?;
            run.config.needs().find(order.places)?.iter().try_for_each(|start| network.load_backbone(start))?;
            let outcome = retrieve::train(config, &network, &self.material, bench, run.seed, order.watch, desk)?;
            Ok((network.parameters().tensors(), outcome))
        })?;
        Ok(Lessoned { name, settings, tensors, outcome, select_on: config.fit.select_on, seconds: outcome.seconds })
    }

    /// G on labelled pairs.
    fn generator(&self, config: &GeneratorConfig) -> Result<Lessoned> {
        let Trial { run, order, .. } = *self.trial;
        let (name, settings) = ("generator", format!("{} {}", self.common()?, serde_json::to_string(config)?));
        let (tensors, outcome) = self.shared(name, settings.clone()).once(|desk| {
            let drawer = Drawer::new(config, &run.config.retrieval, run.seed, order.device)?;
            let outcome = match &drawer {
                Drawer::Pixels(generator) => {
                    pixel::train(config, generator, &self.material, run.seed, order.watch, desk)?
                }
                Drawer::Strokes(generator) => {
                    let lesson = self.lesson(config, true)?;
                    run.config
                        .needs()
                        .find(order.places)?
                        .iter()
                        .try_for_each(|start| generator.load_encoder(start))?;
                    if config.rehearsal > 0 {
                        generator.parameters().load(&rehearsal::learn(self.trial, config)?)?;
                    }
                    let own = self.material.pairs.iter().filter_map(|pair| lesson.sketches.get(&pair.sketch));
                    generator.set_scale(deviation(&own.map(told).collect::<Result<Vec<_>>>()?)?)?;
                    draw::train(generator, &lesson, config.fit.epochs, run.seed, order.watch, desk)?
                }
            };
            Ok((drawer.parameters().tensors(), outcome))
        })?;
        Ok(Lessoned { name, settings, tensors, outcome, select_on: config.fit.select_on, seconds: outcome.seconds })
    }

    /// Labelled pairs as a generator of strokes sees them.
    fn lesson(&self, config: &GeneratorConfig, has_valid: bool) -> Result<Lesson<'_>> {
        let Trial { run, bench, .. } = *self.trial;
        let pairs = self.material.pairs.clone();
        let valid = if has_valid { bench.pairs(Split::Valid) } else { Vec::new() };
        let sketches = material::sketches(&[&pairs[..], &valid[..]].concat(), bench, &run.config)?;
        let (album, device) = (&self.material.album, &self.material.device);
        let GeneratorConfig { augment, pen, .. } = *config;
        Ok(Lesson { album, pairs, valid, sketches, pen, augment, shows_sketches: false, device })
    }

    /// Both, with generated pairs.
    fn semi(&self, config: &SemiConfig, first: &Lessoned, made: &Lessoned) -> Result<Lessoned> {
        let Trial { run, bench, order, .. } = *self.trial;
        let settings = format!(
            "{} {} {}",
            made.settings,
            serde_json::to_string(config)?,
            serde_json::to_string(&run.config.unlabelled)?
        );
        let name = "semi";
        let (tensors, outcome) = self.shared(name, settings.clone()).once(|desk| {
            let network = PhotoNetwork::new(&run.config, run.seed, order.device)?;
            let (Some(drawer), Some(critic)) = (network.drawer, network.critic) else {
                return Err(crate::Error::value("row", "one with a generator", "one without"));
            };
            network.retrieval.parameters().load(&first.tensors)?;
            drawer.parameters().load(&made.tensors)?;
            let photos = material::unlabelled(&run.config, &run.dataset, &self.material, bench, order)?;
            let strokes = run.config.generator.as_ref().filter(|own| matches!(own.drawn, Drawn::Strokes { .. }));
            let lesson = strokes.map(|own| self.lesson(own, false)).transpose()?;
            let optimiser = |parameters: &crate::model::Parameters, rate: f64| {
                let own = OptimiserConfig { rate, ..config.optimiser };
                Optimiser::new(own, parameters.trainable())
            };
            let rate = config.optimiser.rate;
            // A tenth for the generator, which is trained already and goes on with rewards that shake.
            let optimisers = [
                optimiser(network.retrieval.parameters(), rate),
                optimiser(drawer.parameters(), rate / 10.0),
                optimiser(critic.parameters(), rate),
            ];
            let teacher = network.retrieval.copy(&run.config.retrieval)?;
            let mut training = SemiTraining {
                config: &run.config,
                semi: config,
                retrieval: network.retrieval,
                teacher,
                drawer,
                critic,
                optimisers,
                material: &self.material,
                lesson: lesson.as_ref(),
                count: photos.count(),
                photos: &photos,
            };
            let outcome = semi::train(&mut training, bench, run.seed, order.watch, desk)?;
            Ok((training.trained()?, outcome))
        })?;
        let seconds = first.seconds + made.seconds + outcome.seconds;
        Ok(Lessoned { name, settings, tensors, outcome, select_on: config.fit.select_on, seconds })
    }
}
