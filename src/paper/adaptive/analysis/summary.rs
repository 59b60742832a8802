//! The table of draws: how far results lie apart that differ in the support alone.

use super::super::SLUG;
use super::super::table::{all_rows, settings};
use super::draw::{COUNT, read};
use crate::Result;
use crate::file::{write_atomic, write_csv};
use crate::metric::mean_sd;
use crate::report::analysis::{Folder, analysed};
use crate::report::records::Records;
use crate::report::render::markdown_line;
use polars::prelude::{Column, DataFrame};
use std::path::{Path, PathBuf};

/// A row on a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnRow {
    /// The corpus.
    pub dataset: String,
    /// The row, as tables name it.
    pub label: String,
    /// Mean Acc@1 over draws and seeds.
    pub mean: f64,
    /// Standard deviation over the draws of one seed, the mean over seeds.
    pub draws: f64,
    /// Standard deviation over seeds of the mean over draws; none of one seed.
    pub seeds: Option<f64>,
    /// Seeds.
    pub count: usize,
}

/// The rows of the poster's table whose draws were measured.
///
/// # Errors
/// An analysis that cannot be read.
pub fn rows(results: &Path) -> Result<Vec<DrawnRow>> {
    let mut found = Vec::new();
    for dataset in settings().map(|spec| spec.name) {
        let records = Records { results, slug: SLUG, dataset };
        for spec in all_rows().rows {
            let Some(row) = spec.row else { continue };
            let runs = records.runs(&row)?;
            let runs = analysed(&runs, "draws");
            if !runs.is_empty() {
                let folders = runs.iter().map(|run| Folder::of(&run.folder));
                let scores = folders.map(|folder| score(&folder)).collect::<Result<Vec<_>>>()?;
                found.push(one(dataset, &spec.label, &scores)?);
            }
        }
    }
    Ok(found)
}

/// Acc@1 of each draw.
fn score(folder: &Folder) -> Result<[f64; COUNT]> {
    let ranks = read(folder)?;
    let share = |draw: usize| ranks.iter().filter(|row| row[draw] == 1.0).count() as f64 / ranks.len().max(1) as f64;
    Ok(std::array::from_fn(|draw| 100.0 * share(draw)))
}

fn one(dataset: &str, label: &str, scores: &[[f64; COUNT]]) -> Result<DrawnRow> {
    let of_seeds = scores.iter().map(|draws| mean_sd(draws)).collect::<Result<Vec<_>>>()?;
    let (mean, seeds) = mean_sd(&of_seeds.iter().map(|(mean, _)| *mean).collect::<Vec<_>>())?;
    let (draws, _) = mean_sd(&of_seeds.iter().map(|(_, sd)| sd.unwrap_or(0.0)).collect::<Vec<_>>())?;
    Ok(DrawnRow { dataset: dataset.into(), label: label.into(), mean, draws, seeds, count: scores.len() })
}

/// Writes `tables/adaptive/draws.csv` and `draws.md`; nothing where nothing was measured.
///
/// # Errors
/// As [`rows`]; a folder that cannot be written.
pub fn write(results: &Path) -> Result<Vec<PathBuf>> {
    let all = rows(results)?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let [csv, page] = ["csv", "md"].map(|end| results.join("tables").join(SLUG).join(format!("draws.{end}")));
    let text = |of: &dyn Fn(&DrawnRow) -> String| all.iter().map(of).collect::<Vec<String>>();
    let number = |value: f64| format!("{value:.2}");
    let columns = [
        ("dataset", text(&|row| row.dataset.clone())),
        ("row", text(&|row| row.label.clone())),
        ("acc1", text(&|row| number(row.mean))),
        ("sd_draws", text(&|row| number(row.draws))),
        ("sd_seeds", text(&|row| row.seeds.map(number).unwrap_or_default())),
        ("seeds", text(&|row| row.count.to_string())),
    ];
    let heads = ["Data", "Row", "Acc@1", "± over ten supports", "± over seeds", "Seeds"].map(String::from);
    let mut lines =
        vec![markdown_line(&heads), markdown_line(&["---", "---", "--:", "--:", "--:", "--:"].map(String::from))];
    lines.extend((0..all.len()).map(|at| markdown_line(&columns.each_ref().map(|(_, cells)| cells[at].clone()))));
    let frame = columns.into_iter().map(|(name, cells)| Column::new(name.into(), cells)).collect();
    write_csv(&csv, &mut DataFrame::new(all.len(), frame)?)?;
    write_atomic(&page, (lines.join("\n") + "\n").as_bytes())?;
    Ok(vec![csv, page])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_over_draws_and_over_seeds_by_hand() {
        let scores: Vec<[f64; COUNT]> =
            vec![[10.0, 20.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.0], [25.0; COUNT]];
        let found = one("d", "Ours", &scores).unwrap();
        assert_eq!((found.mean, found.count), (20.0, 2));
        // sqrt(50 / 9) and 0; 15 and 25.
        assert!((found.draws - (50.0_f64 / 9.0).sqrt() / 2.0).abs() < 1e-9);
        assert!((found.seeds.unwrap() - 50.0_f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_written_of_nothing() {
        let place = tempfile::tempdir().unwrap();
        assert!(write(place.path()).unwrap().is_empty());
    }
}
