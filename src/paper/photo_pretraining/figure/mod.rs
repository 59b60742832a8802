//! This paper's figures: from the records, and the gallery, which needs a network.

mod analysis;
mod matrix;
mod sweep;

pub use analysis::{dynamics, early as early_in_fives, landscape, separation as fig2b};
pub use matrix::table4;
pub use sweep::{fig2a, fig3};

use super::table::{EMBEDDED, Pretraining, REAL, main_table};
use super::{Retrieval, SLUG};
use crate::dataset;
use crate::file::write_atomic;
use crate::report::figure::{bar, canvas, curve, early, gallery};
use crate::report::record::read_row;
use crate::report::table::{self, Measured};
use crate::run::Places;
use crate::seed::Seed;
use crate::{Error, Result};
use image::ImageFormat;
use std::path::{Path, PathBuf};

/// The rows that are compared, in the colours of every figure.
const ROWS: [(&str, &str); 2] = [("ours-base", "Ours-Base (Eq. 1)"), ("ours", "Ours (Eq. 9)")];

/// Queries of the gallery, as shares of the test sketches in index order: chosen before any result was seen.
const QUERIES: [f64; 4] = [0.1, 0.35, 0.6, 0.85];

/// Draws everything that there are records for: curves, early retrieval, the main table's bars, and the paper's figures.
///
/// # Errors
/// A record that does not read; a folder that cannot be written.
pub fn draw_records(places: &Places) -> Result<Vec<PathBuf>> {
    let mut figures = vec![("main-bars".to_string(), Some(bar::draw(&table::build(&places.results, &main_table())?)?))];
    for dataset in EMBEDDED.into_iter().chain(REAL) {
        let (results, title) = (&places.results, |what: &str| format!("{what}, {dataset}"));
        let curves = curve::draw(results, SLUG, dataset, &title("Training curves"), &ROWS)?;
        figures.push((format!("curves-{dataset}"), curves));
        let more = analysis::early_in_other_steps(results, dataset);
        let early = early::draw_noted(results, SLUG, dataset, &title("While being drawn"), &ROWS, &more)?;
        figures.push((format!("early-{dataset}"), early));
        let more = [
            ("fig2a", sweep::fig2a(results, dataset)?),
            ("fig2bc", analysis::separation(results, dataset)?),
            ("fig3", sweep::fig3(results, dataset)?),
            ("table4", matrix::table4(results, dataset)?),
            ("fig4a", analysis::landscape(results, dataset)?),
            ("fig4bc", analysis::dynamics(results, dataset)?),
            ("fig5b", analysis::early(results, dataset)?),
        ];
        figures.extend(more.map(|(name, svg)| (format!("{name}-{dataset}"), svg)));
    }
    let mut written = Vec::new();
    for (name, svg) in figures {
        let Some(svg) = svg else { continue };
        let path = places.figures.join(SLUG).join(format!("{name}.svg"));
        canvas::save(&path, &svg)?;
        written.push(path);
    }
    Ok(written)
}

/// Draws what a row of the first seed retrieves on a corpus.
///
/// # Errors
/// A picture that cannot be read; a folder that cannot be written.
pub fn draw_gallery(dataset: &str, retrieval: &Retrieval, places: &Places) -> Result<PathBuf> {
    let count = retrieval.ranks().len();
    let chosen = QUERIES.map(|share| (share * count as f64) as usize);
    let gallery =
        retrieval.gallery(&format!("What Ours retrieves for sketches chosen beforehand, {dataset}"), &chosen)?;
    let path = places.figures.join(SLUG).join(format!("gallery-{dataset}.svg"));
    canvas::save(&path, &gallery::draw(&gallery)?)?;
    Ok(path)
}

/// Draws six objects of an embedded corpus, each as its photo and three sketches.
///
/// # Errors
/// A folder that cannot be written.
pub fn draw_sheet(dataset: &str, places: &Places) -> Result<PathBuf> {
    let source = dataset::open(dataset, None)?;
    let photos = dataset::choose(source.index(), 6, Seed(0));
    let path = places.figures.join(format!("contact-sheet-{dataset}.png"));
    let mut bytes = std::io::Cursor::new(Vec::new());
    let sheet = dataset::sheet(source.as_ref(), &photos, 160)?; // pixels a picture: eight to a line of a README
    sheet.write_to(&mut bytes, ImageFormat::Png).map_err(|error| Error::Figure(error.to_string()))?;
    write_atomic(&path, bytes.get_ref())?;
    Ok(path)
}

/// What a pre-training is called where a corpus starts from supervised weights that are not ImageNet's.
fn name(own: &Pretraining) -> &'static str {
    if own.weights.is_none() { "supervised" } else { own.label }
}

fn measured(results: &Path, dataset: &str, row: &str) -> Result<Option<Measured>> {
    table::measure(&read_row(results, SLUG, dataset, row)?)
}

/// `3 seeds`, `2 to 3 seeds`, `1 seed`.
fn count_seeds(counts: &[usize]) -> String {
    let (least, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
    match (least == most, most) {
        (true, 1) => "1 seed".into(),
        (true, _) => format!("{most} seeds"),
        (false, _) => format!("{least} to {most} seeds"),
    }
}

#[cfg(test)]
mod tests;
