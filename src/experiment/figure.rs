//! The figures of a paper: those that every paper has, and its own.

use super::checkpoint::{checkpoint_path, first_seed};
use super::{Order, Paper, Reproduction, Retrieval};
use crate::file::write_atomic;
use crate::report::figure::{bar, canvas, curve, gallery};
use crate::report::table;
use crate::run::Places;
use crate::seed::Seed;
use crate::{Error, Result, dataset};
use image::ImageFormat;
use std::path::{Path, PathBuf};

/// Queries of the gallery, as shares of the test sketches in index order: chosen before any result was seen.
const QUERIES: [f64; 4] = [0.1, 0.35, 0.6, 0.85];

/// Draws every figure that has records: the main table's bars, training curves, the paper's own figures, and on
/// the embedded corpora a contact sheet and what the last of the compared rows retrieves.
///
/// # Errors
/// A record that cannot be read; a folder that cannot be written.
pub fn draw(paper: &dyn Reproduction, order: &Order) -> Result<Vec<PathBuf>> {
    let places = order.places;
    let mut written = draw_records(paper, places)?;
    for corpus in paper.corpora().into_iter().filter(|corpus| dataset::is_embedded(corpus.name)) {
        written.extend(draw_row(paper, corpus.name, order)?);
        written.push(draw_sheet(corpus.name, places)?);
    }
    Ok(written)
}

/// Draws the figures that need only records.
///
/// # Errors
/// As [`draw`].
pub fn draw_records(paper: &dyn Paper, places: &Places) -> Result<Vec<PathBuf>> {
    let (results, slug, mut figures) = (&places.results, paper.slug(), Vec::new());
    if let Some(main) = paper.tables().first() {
        figures.push(("main-bars".to_string(), bar::draw(&table::build(results, main)?)?));
    }
    for corpus in paper.corpora() {
        let title = format!("Training curves, {}", corpus.name);
        let curves = curve::draw(results, slug, corpus.name, &title, &paper.compared())?;
        figures.extend(curves.map(|svg| (format!("curves-{}", corpus.name), svg)));
    }
    figures.extend(paper.figures(results)?);
    let mut written = Vec::new();
    for (name, svg) in figures {
        written.push(save(places, slug, &name, &svg)?);
    }
    Ok(written)
}

fn save(places: &Places, slug: &str, name: &str, svg: &str) -> Result<PathBuf> {
    let path = places.figures.join(slug).join(format!("{name}.svg"));
    canvas::save(&path, svg)?;
    Ok(path)
}

/// Draws what the last of the compared rows retrieves, where its checkpoint is.
fn draw_row(paper: &dyn Reproduction, dataset: &str, order: &Order) -> Result<Option<PathBuf>> {
    let (results, slug) = (&order.places.results, paper.slug());
    let Some((row, _)) = paper.compared().last().copied() else { return Ok(None) };
    let is_there = checkpoint_path(results, slug, dataset, row).is_file();
    if !is_there || !first_seed(results, slug, dataset, row).is_finished() {
        return Ok(None);
    }
    let retrieval = paper.open_row(results, dataset, row, dataset, order)?;
    draw_gallery(paper, row, dataset, &retrieval, order.places).map(Some)
}

/// Draws what a row retrieves on a corpus.
///
/// # Errors
/// A picture that cannot be read; a folder that cannot be written.
pub fn draw_gallery(
    paper: &dyn Paper,
    row: &str,
    dataset: &str,
    retrieval: &Retrieval,
    places: &Places,
) -> Result<PathBuf> {
    let count = retrieval.ranks().len();
    let chosen = QUERIES.map(|share| (share * count as f64) as usize);
    let title = format!("What {} retrieves for sketches chosen beforehand, {dataset}", label(paper, row));
    let svg = gallery::draw(&retrieval.gallery(&title, &chosen)?)?;
    save(places, paper.slug(), &format!("gallery-{dataset}"), &svg)
}

/// The name of a row in the main table.
fn label(paper: &dyn Paper, row: &str) -> String {
    let rows = paper.tables().into_iter().next().map(|main| main.rows).unwrap_or_default();
    let named = rows.into_iter().find(|spec| spec.row.as_deref() == Some(row));
    named.map_or(row.to_string(), |spec| spec.label)
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
    write_atomic(Path::new(&path), bytes.get_ref())?;
    Ok(path)
}
