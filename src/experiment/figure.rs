//! The figures of a paper: those that every paper has, and its own.

use super::checkpoint::{checkpoint_path, first_seed};
use super::{Order, Paper, Reproduction, Retrieval};
use crate::dataset::synthetic::SHEETS;
use crate::file::write_png;
use crate::report::figure::{bar, canvas, curve, gallery};
use crate::report::table;
use crate::run::Places;
use crate::seed::Seed;
use crate::{Result, dataset};
use std::path::PathBuf;

/// Queries of the gallery, as shares of the test sketches in index order: chosen before any result was seen.
const QUERIES: [f64; 4] = [0.1, 0.35, 0.6, 0.85];

/// Draws every figure that has records: the main table's bars, training curves, the paper's own figures, and on
/// the embedded corpora what the last of the compared rows retrieves.
///
/// # Errors
/// A record that cannot be read; a folder that cannot be written.
pub fn draw(paper: &dyn Reproduction, order: &Order) -> Result<Vec<PathBuf>> {
    let places = order.places;
    let mut written = draw_records(paper, places)?;
    for corpus in paper.corpora().into_iter().filter(|corpus| dataset::is_embedded(corpus.name)) {
        written.extend(draw_rows(paper, corpus.name, order)?);
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

/// Draws what the compared rows retrieve, those whose checkpoints are there, one below the other for each sketch; none
/// without the last of them.
fn draw_rows(paper: &dyn Reproduction, dataset: &str, order: &Order) -> Result<Option<PathBuf>> {
    let (results, slug) = (&order.places.results, paper.slug());
    let is_there = |row: &str| {
        checkpoint_path(results, slug, dataset, row).is_file() && first_seed(results, slug, dataset, row).is_finished()
    };
    if !paper.compared().last().is_some_and(|(row, _)| is_there(row)) {
        return Ok(None);
    }
    let rows = paper.compared().into_iter().map(|(row, _)| row).filter(|row| is_there(row));
    let opened = rows.map(|row| Ok((row, paper.open_row(results, dataset, row, dataset, order)?)));
    let opened: Vec<(&str, Retrieval)> = opened.collect::<Result<_>>()?;
    let chosen = QUERIES.map(|share| (share * opened[0].1.ranks().len() as f64) as usize);
    let title = format!("What is retrieved for sketches chosen beforehand, {dataset}");
    let mut whole = opened[0].1.gallery(&title, &[])?;
    for query in chosen {
        for (row, retrieval) in &opened {
            for mut found in retrieval.gallery(&title, &[query])?.queries {
                found.label = format!("{}, {}", found.label, label(paper, row));
                whole.queries.push(found);
            }
        }
    }
    save(order.places, slug, &format!("gallery-{dataset}"), &gallery::draw(&whole)?).map(Some)
}

/// The name of a row in the main table.
fn label(paper: &dyn Paper, row: &str) -> String {
    let rows = paper.tables().into_iter().next().map(|main| main.rows).unwrap_or_default();
    let named = rows.into_iter().find(|spec| spec.row.as_deref() == Some(row));
    named.map_or(row.to_string(), |spec| spec.label)
}

/// Draws a contact sheet of every embedded corpus: six objects, each as its photo and three sketches, or one object of
/// every category with two.
///
/// # Errors
/// A folder that cannot be written.
pub fn draw_sheets(places: &Places) -> Result<Vec<PathBuf>> {
    SHEETS.into_iter().map(|name| draw_sheet(name, places)).collect()
}

fn draw_sheet(dataset: &str, places: &Places) -> Result<PathBuf> {
    let source = dataset::open(dataset, None)?;
    let index = source.index();
    let categories = index.categories(&index.all());
    let photos = dataset::choose(index, &index.all(), categories.len().max(6), Seed(0));
    let path = places.figures.join(format!("contact-sheet-{dataset}.png"));
    // Pixels a picture: eight to a line of a README, or twelve.
    let side = if categories.len() > 6 { 112 } else { 160 };
    let sheet = dataset::sheet(source.as_ref(), &photos, side)?;
    write_png(&path, &sheet)?;
    Ok(path)
}
