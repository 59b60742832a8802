//! What a generator of strokes draws before it sees a photo: sketches of all kinds of things, each shown its own picture.

use super::SLUG;
use super::config::{Config, GeneratorConfig};
use super::draw::{self, Lesson};
use super::generator::Generator;
use super::stroke::{deviation, simple, told};
use crate::dataset::{self, Album, Drawing, Pair, Split, is_embedded};
use crate::experiment::{Bench, SharedTraining, Trial};
use crate::seed::Seed;
use crate::sketch::{Sketch, centred};
use crate::train::named::Tensors;
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// `QuickDraw` below the data folder.
const DRAWINGS: &str = "QuickDraw-345";

/// The embedded corpus whose sketches stand for it: of other things than shoes and chairs.
const EMBEDDED: &str = "synth-world";

/// The margin of drawings that are scaled to the canvas: that of QMUL-Chair-V2.
const MARGIN: f32 = 33.0;

/// The weights after these passes: pre-trained ones, the same for all shares of labels and all seeds.
///
/// # Errors
/// Drawings that are not there; a watch that stops.
pub(super) fn learn(trial: &Trial<Config>, config: &GeneratorConfig) -> Result<Tensors> {
    let Trial { run, bench, order, .. } = *trial;
    let retrieval = &run.config.retrieval;
    let start = run.config.needs().hash(order.places)?;
    let settings = format!("{} {} {start:?}", serde_json::to_string(config)?, serde_json::to_string(retrieval)?);
    let (name, dataset) = ("rehearsal", run.dataset.as_str());
    let shared = SharedTraining { slug: SLUG, name, dataset, bench, seed: Seed(0), order, settings };
    let (tensors, _) = shared.once(|desk| {
        let generator = Generator::new(config, retrieval, Seed(0), order.device)?;
        run.config.needs().find(order.places)?.iter().try_for_each(|start| generator.load_encoder(start))?;
        let sketches = drawings(trial)?;
        let read = |(at, sketch): (usize, &Sketch)| Ok((at, simple(sketch, config)?));
        let few: BTreeMap<usize, Sketch> = sketches.par_iter().enumerate().map(read).collect::<Result<_>>()?;
        generator.set_scale(deviation(&few.values().map(told).collect::<Result<Vec<_>>>()?)?)?;
        let pairs = (0..sketches.len()).map(|at| Pair { sketch: at, photo: at, group: 0 }).collect();
        let album = Album::of_sketches(sketches, retrieval.prepare);
        let (valid, device) = (Vec::new(), order.device);
        let lesson = Lesson {
            album: &album,
            pairs,
            valid,
            sketches: few,
            pen: config.pen,
            augment: config.augment,
            shows_sketches: true,
            device,
        };
        let outcome = draw::train(&generator, &lesson, config.rehearsal, Seed(0), order.watch, desk)?;
        Ok((generator.parameters().tensors(), outcome))
    })?;
    Ok(tensors)
}

/// The drawings: of the embedded corpora those of the world's training part, else `QuickDraw`'s.
fn drawings(trial: &Trial<Config>) -> Result<Vec<Sketch>> {
    let Trial { run, order, .. } = *trial;
    if is_embedded(&run.dataset) {
        let world = Bench::open(EMBEDDED, order.places)?;
        let sketch = |at: &usize| match world.source().drawing(*at)? {
            Drawing::Vector(sketch) => Ok(sketch),
            Drawing::Raster(_) => Err(Error::value(EMBEDDED, "strokes", "a picture")),
        };
        return world.index().sketches_of(Split::Train).par_iter().map(sketch).collect();
    }
    let missing = || Error::value("RETRACE_DATA", format!("the folder that holds {DRAWINGS}"), "not set");
    let data = order.places.data.as_deref().ok_or_else(missing)?;
    let all = dataset::drawings(&data.join(DRAWINGS))?;
    Ok(all.all().iter().filter(|drawing| drawing.recognised).map(|drawing| centred(&drawing.sketch, MARGIN)).collect())
}
