//! What is measured of finished runs beside accuracy.
//!
//! ```text
//! results/more_photos/<dataset>/<row>/seed<k>/analysis/
//!   recognition.csv  query,photo,rank: where the right class stands among all classes, of each generated sketch
//!   frechet.csv      distance,generated,people: of the classifier's features of generated sketches to those of people's
//!   certainty.csv    query,photo,certainty,percentile: of the test photos with generated sketches
//!   drawing.csv      query,photo: a handful of test sketches, each with its photo (embedded corpora; of others without lines)
//!   points.csv       query,step,x,y,lifted: what a generator of strokes draws in their place, on the canvas of 256
//!   attention.csv    query,step,position,share: where it looked before the last point of five stages
//!   drawing.png      what a generator of pixels draws, side by side in the order of drawing.csv
//! ```

mod certainty;
mod drawing;
mod generation;
mod judge;
pub mod summary;

pub use certainty::CERTAINTY;
pub use drawing::STAGES;
pub use generation::{FRECHET, RECOGNISED1, RECOGNISED10};

use super::{Config, MorePhotos, PhotoModel};
use crate::dataset::Split;
use crate::experiment::{Analysis, Bench, Method, Origin, Paper, Queries, Subject};
use crate::{Error, Result};

/// The rows whose sketches are ranked, and their labels.
pub const GENERATORS: [(&str, &str); 6] = [
    ("pix2pix", "Pix2Pix"),
    ("photo-sketch", "PhotoSketch"),
    ("pix2seq", "Pix2Seq"),
    ("l2s", "L2S"),
    ("ours-g", "Ours-G"),
    ("ours-g-full", "Ours-G-Full"),
];

/// What can be measured, cheapest first.
pub fn list() -> Vec<Analysis> {
    let generators = super::table::drawing_rows();
    vec![
        Analysis {
            first_seed: true,
            ..Analysis::new("drawing", GENERATORS.map(|(row, _)| row.to_string()).to_vec(), &["drawing"])
        },
        Analysis::new("certainty", vec!["ours-f-full".into()], &["certainty"]),
        Analysis::new("generation", generators, &["recognition", "frechet"]),
    ]
}

/// Measures a part on the runs that do not have it yet.
pub(super) fn measure(part: &str, subjects: &[Subject<Config>]) -> Result<()> {
    subjects.iter().try_for_each(|subject| match part {
        "drawing" => drawing::measure(subject),
        "certainty" => certainty::measure(subject),
        "generation" => generation::measure(subject),
        other => {
            let names: Vec<&str> = list().iter().map(|analysis| analysis.name).collect();
            Err(Error::value("part", names.join(", "), other))
        }
    })
}

/// The trained networks of a run on its test part, and what is ranked.
fn open(subject: &Subject<Config>) -> Result<(PhotoModel, Bench, Queries)> {
    let (run, order) = (&subject.run, subject.order);
    let bench = Bench::open(&run.dataset, order.places)?;
    let origin = subject.checkpoint(&MorePhotos)?;
    let network = MorePhotos.load(run, Origin::Checkpoint(&origin, order.places), order.device)?;
    let model = MorePhotos.open(&run.config, network, &bench, order)?;
    let queries = MorePhotos.queries(&run.dataset, &run.row, bench.index(), Split::Test);
    Ok((model, bench, queries))
}
