//! What an analysis says of a row, sample by sample: two rows are compared on the same samples.

use super::Folder;
use crate::analysis::{Grid, stability};
use crate::report::{record::Run, score::Metric};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// How far from the trained weights the rise of a landscape is measured: half a filter's length, where both losses of
/// the grid's edge, which have left the minimum behind, do not count.
pub const RADIUS: f64 = 0.5;

impl Metric {
    /// The file that holds the analysis, for a metric that is not computed from a run's ranks alone.
    pub fn analysis(self) -> Option<&'static str> {
        match self {
            Self::Acc1 | Self::Acc5 | Self::Acc10 | Self::Early => None,
            Self::Drop => Some("robustness"),
            Self::Smoothness => Some("smoothness"),
            Self::Rise => Some("landscape"),
            Self::Spread => Some("gradient"),
            Self::Wander => Some("stability"),
        }
    }

    /// Whether a difference is told in percent of the second row's mean: numbers without a scale of their own.
    pub fn is_relative(self) -> bool {
        matches!(self, Self::Smoothness | Self::Rise | Self::Spread | Self::Wander)
    }

    /// The samples of a row: queries, draws of directions, epochs or steps; none where it was not analysed.
    ///
    /// # Errors
    /// A file that does not read, or that is of other queries than the run.
    pub fn samples(self, folder: &Folder, row: &str, first: Option<&Run>) -> Result<Option<Vec<f64>>> {
        let Some(name) = self.analysis().filter(|name| folder.has(name)) else { return Ok(None) };
        let values = match self {
            Self::Drop => first.map(|run| drops(folder, row, run)).transpose()?.unwrap_or_default(),
            Self::Smoothness => folder.column(name, row, "value")?,
            Self::Rise => grids(folder, row)?.iter().map(|grid| Ok(grid.rise(RADIUS)?.mean)).collect::<Result<_>>()?,
            Self::Spread => folder.column(name, row, "nuclear_norm")?,
            _ => {
                let series = folder.column(name, row, "acc1")?;
                stability(&series)?.normalised.iter().map(|value| 100.0 * (value - 1.0).abs()).collect()
            }
        };
        Ok(Some(values).filter(|values| !values.is_empty()))
    }
}

/// What each query loses in points when it is deformed: whole, less the mean over its versions.
fn drops(folder: &Folder, row: &str, run: &Run) -> Result<Vec<f64>> {
    let mut hits: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for [query, rank] in folder.lines("robustness", row, ["query", "rank"])? {
        hits.entry(query as u32).or_default().push(if rank <= 1.0 { 100.0 } else { 0.0 });
    }
    let clean = run.ranks.iter().map(|rank| {
        let versions = hits.get(&rank.query).ok_or_else(|| {
            Error::data(&folder.0, format!("query {} of {}", rank.query, run.folder.0.display()), "none")
        })?;
        let whole = if rank.rank <= 1 { 100.0 } else { 0.0 };
        Ok(whole - versions.iter().sum::<f64>() / versions.len() as f64)
    });
    clean.collect()
}

/// The landscapes of a row, draw by draw.
///
/// # Errors
/// A file that does not read.
pub fn grids(folder: &Folder, row: &str) -> Result<Vec<Grid>> {
    let lines = folder.lines("landscape", row, ["draw", "alpha", "beta", "loss"])?;
    let grid = |lines: &[[f64; 4]]| {
        let mut alphas: Vec<f64> = lines.iter().map(|line| line[1]).collect();
        alphas.dedup(); // lines run through all betas of an alpha first
        let betas = lines.iter().take(lines.len() / alphas.len()).map(|line| line[2]).collect();
        Grid { alphas, betas, loss: lines.iter().map(|line| line[3]).collect() }
    };
    Ok(lines.chunk_by(|a, b| a[0] == b[0]).map(grid).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::{read_row, tests::*};
    use polars::prelude::*;

    fn frame(columns: &[(&str, &[f64])]) -> DataFrame {
        let count = columns[0].1.len();
        let mut all = vec![Column::new("row".into(), vec!["ours"; count])];
        all.extend(columns.iter().map(|(name, values)| Column::new((*name).into(), values.to_vec())));
        DataFrame::new(count, all).unwrap()
    }

    #[test]
    fn drops_by_hand() {
        let place = tempfile::tempdir().unwrap();
        write_run(&folder(place.path(), "d", "ours", 0), &[1, 4, 1]);
        let run = read_row(place.path(), "p", "d", "ours").unwrap().remove(0);
        let queries: Vec<f64> = run.ranks.iter().map(|rank| f64::from(rank.query)).collect();
        let twice: Vec<f64> = queries.iter().chain(&queries).copied().collect();
        let analysis = Folder::of(place.path(), "p", "d");
        assert_eq!(Metric::Drop.samples(&analysis, "ours", Some(&run)).unwrap(), None);
        analysis.write("robustness", frame(&[("query", &twice), ("rank", &[1.0, 1.0, 2.0, 3.0, 9.0, 2.0])])).unwrap();
        // Found whole and in one of two versions; found in one version only; found whole and in no version.
        let found = Metric::Drop.samples(&analysis, "ours", Some(&run)).unwrap().unwrap();
        assert_eq!(found, [50.0, -50.0, 100.0]);
        let error = Metric::Drop.samples(&analysis, "ours-base", Some(&run)).unwrap_err().to_string();
        assert!(error.contains("query 100"), "{error}");
    }

    #[test]
    fn landscapes_come_back_draw_by_draw() {
        let place = tempfile::tempdir().unwrap();
        let analysis = Folder::of(place.path(), "p", "d");
        let (mut draws, mut alphas, mut betas, mut losses) = (vec![], vec![], vec![], vec![]);
        for (draw, side) in [(0.0, 5), (1.0, 3)] {
            for i in 0..side {
                for j in 0..side {
                    let at = |i: i32| 2.0 * f64::from(i) / f64::from(side - 1) - 1.0;
                    draws.push(draw);
                    alphas.push(at(i));
                    betas.push(at(j));
                    losses.push(at(i) * at(i) + at(j) * at(j));
                }
            }
        }
        let columns: [(&str, &[f64]); 4] = [("draw", &draws), ("alpha", &alphas), ("beta", &betas), ("loss", &losses)];
        analysis.write("landscape", frame(&columns)).unwrap();
        let grids = grids(&analysis, "ours").unwrap();
        assert_eq!((grids[0].alphas.len(), grids[0].betas.len(), grids[1].loss.len()), (5, 5, 9));
        assert_eq!(grids[0].betas, [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(grids[0].loss[2 * 5 + 2], 0.0);
    }

    #[test]
    fn wandering_is_relative_to_the_mean() {
        let place = tempfile::tempdir().unwrap();
        let analysis = Folder::of(place.path(), "p", "d");
        analysis.write("stability", frame(&[("step", &[1.0, 2.0]), ("acc1", &[30.0, 50.0])])).unwrap();
        let found = Metric::Wander.samples(&analysis, "ours", None).unwrap().unwrap();
        assert!(found.iter().all(|value| (value - 25.0).abs() < 1e-9), "{found:?}");
    }
}
