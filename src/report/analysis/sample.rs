//! Values of an analysis, sample by sample: two rows are compared on the same samples.

use super::Folder;
use crate::analysis::{Grid, Rise, stability};
use crate::report::record::Run;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// How far from the trained weights the rise of a landscape is measured: a fifth of a filter's length. From two fifths on the
/// loss lies on the plateau of its margin, which is as high around every minimum.
pub const RADIUS: f64 = 0.2;

/// Consecutive steps that form a group: test accuracy of neighbouring steps is nearly the same (correlation
/// 0.9 from one step to the next, which is 0.35 after ten).
const BLOCK: u32 = 10;

/// Measured values of a run, and which of them belong together; no value where nothing was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// In the metric's unit.
    pub values: Vec<f64>,
    /// The group of every value: what lies in one counts once.
    pub groups: Vec<u32>,
}

impl Samples {
    /// Independent values.
    ///
    /// ```
    /// let samples = retrace::report::analysis::Samples::apart(vec![0.5, 2.0]);
    /// assert_eq!(samples.groups, [0, 1]);
    /// ```
    pub fn apart(values: Vec<f64>) -> Self {
        let groups = (0..values.len() as u32).collect();
        Self { values, groups }
    }
}

/// Whether each query's own photo is among its first `k`: 100 or 0, by rising query.
pub(in crate::report) fn hits(run: &Run, k: u32) -> Samples {
    let values = run.ranks.iter().map(|rank| if rank.rank <= k { 100.0 } else { 0.0 }).collect();
    Samples { values, groups: run.photos() }
}

/// A column of an analysis, line by line.
pub(in crate::report) fn column(run: &Run, file: &str, name: &str) -> Result<Samples> {
    Ok(Samples::apart(Folder::of(&run.folder).column(file, name)?))
}

/// The first half of a column.
pub(in crate::report) fn first_half(run: &Run, file: &str, name: &str) -> Result<Samples> {
    let values = Folder::of(&run.folder).column(file, name)?;
    Ok(Samples::apart(values[..values.len().div_ceil(2)].to_vec()))
}

/// The rest of a column, behind its first half.
pub(in crate::report) fn second_half(run: &Run, file: &str, name: &str) -> Result<Samples> {
    let values = Folder::of(&run.folder).column(file, name)?;
    Ok(Samples::apart(values[values.len().div_ceil(2)..].to_vec()))
}

/// How flat the loss is around the trained weights, draw by draw of directions.
pub(in crate::report) fn flatness(run: &Run, of: fn(Rise) -> f64) -> Result<Samples> {
    let grids = grids(&Folder::of(&run.folder))?;
    let values = grids.iter().map(|grid| grid.rise(RADIUS).map(of)).collect::<Result<_>>()?;
    Ok(Samples::apart(values))
}

/// Distance of test accuracy from its mean, step by step, in percent of that mean.
pub(in crate::report) fn wandering(run: &Run) -> Result<Samples> {
    let series = Folder::of(&run.folder).column("stability", "acc1")?;
    if series.is_empty() {
        return Ok(Samples::apart(series));
    }
    let values: Vec<f64> = stability(&series)?.normalised.iter().map(|value| 100.0 * (value - 1.0).abs()).collect();
    let groups = (0..values.len() as u32).map(|step| step / BLOCK).collect();
    Ok(Samples { values, groups })
}

/// The values of an analysis query by query, in the order of the run's queries.
pub(in crate::report) fn alike(run: &Run, file: &str) -> Result<Samples> {
    let folder = Folder::of(&run.folder);
    let mut lines = folder.lines(file, ["query", "value"])?;
    lines.sort_by(|a, b| a[0].total_cmp(&b[0]));
    if lines.iter().map(|line| line[0]).eq(run.ranks.iter().map(|rank| f64::from(rank.query))) {
        return Ok(Samples { values: lines.iter().map(|line| line[1]).collect(), groups: run.photos() });
    }
    let wanted: Vec<u32> = run.ranks.iter().map(|rank| rank.query).collect();
    let found: Vec<u32> = lines.iter().map(|line| line[0] as u32).collect();
    let at = found.iter().zip(&wanted).position(|(found, wanted)| found != wanted);
    let found = match at {
        Some(at) => format!("query {} and not {} in line {}", found[at], wanted[at], at + 2),
        None => format!("{} queries and not {}", found.len(), wanted.len()),
    };
    Err(Error::data(&folder.0, format!("in {file}.csv the queries of {}", run.folder.0.display()), found))
}

/// Held-out features by their photo, such that the mean is the accuracy in which both domains count the same.
///
/// ```text
/// B = mean over domains of the share r of their n features that is right        N = sum of n
/// value(i) = 100 (B + N / (2 n) (right(i) - r)),    n and r of i's domain
/// ```
///
/// The second term has mean 0 in each domain, so that no variance comes of the mix of domains in it.
pub(in crate::report) fn domains(run: &Run) -> Result<Samples> {
    let folder = Folder::of(&run.folder);
    let domain = |name| folder.lines_where("domain", &[("domain", name)], ["photo", "right"]);
    let domains = [domain("sketch")?, domain("photo")?];
    let share = |lines: &[[f64; 2]]| lines.iter().map(|line| line[1]).sum::<f64>() / lines.len() as f64;
    let both = (share(&domains[0]) + share(&domains[1])) / 2.0;
    let all = (domains[0].len() + domains[1].len()) as f64;
    let (mut values, mut groups) = (Vec::new(), Vec::new());
    for lines in &domains {
        let (share, weight) = (share(lines), all / (2.0 * lines.len() as f64));
        values.extend(lines.iter().map(|line| 100.0 * (both + weight * (line[1] - share))));
        groups.extend(lines.iter().map(|line| line[0] as u32));
    }
    Ok(Samples { values, groups })
}

/// The loss of each query when it is deformed, such that the mean is the run's loss in percent of its Acc@1.
///
/// ```text
/// d(q) = whole(q) - mean over versions of deformed(q)        R = sum of d / sum of whole
/// value(q) = 100 (R + (d(q) - R whole(q)) / mean of whole)
/// ```
///
/// The second term has mean 0 and moves the mean of a group as the ratio would, to first order (the delta method).
pub(in crate::report) fn drops(run: &Run) -> Result<Samples> {
    let folder = Folder::of(&run.folder);
    let mut hits: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for [query, rank] in folder.lines("robustness", ["query", "rank"])? {
        hits.entry(query as u32).or_default().push(f64::from(rank <= 1.0));
    }
    let whole: Vec<f64> = run.ranks.iter().map(|rank| f64::from(rank.rank <= 1)).collect();
    let mean = whole.iter().sum::<f64>() / whole.len() as f64;
    if mean == 0.0 {
        return Err(Error::data(&run.folder.0, "a query that is found, of which a share can be lost", "none"));
    }
    let lost = run.ranks.iter().zip(&whole).map(|(rank, whole)| {
        let versions = hits.get(&rank.query).ok_or_else(|| {
            Error::data(&folder.0, format!("query {} of {}", rank.query, run.folder.0.display()), "none")
        })?;
        Ok(whole - versions.iter().sum::<f64>() / versions.len() as f64)
    });
    let lost = lost.collect::<Result<Vec<f64>>>()?;
    let ratio = lost.iter().sum::<f64>() / whole.iter().sum::<f64>();
    let value = |(lost, whole): (&f64, &f64)| 100.0 * (ratio + (lost - ratio * whole) / mean);
    Ok(Samples { values: lost.iter().zip(&whole).map(value).collect(), groups: run.photos() })
}

/// The landscapes of a run, draw by draw.
///
/// # Errors
/// A file that cannot be read.
pub fn grids(folder: &Folder) -> Result<Vec<Grid>> {
    let lines = folder.lines("landscape", ["draw", "alpha", "beta", "loss"])?;
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
    use crate::report::score::{self, Metric};
    use polars::prelude::*;

    fn frame(columns: &[(&str, &[f64])]) -> DataFrame {
        let column = |(name, values): &(&str, &[f64])| Column::new((*name).into(), values.to_vec());
        DataFrame::new(columns[0].1.len(), columns.iter().map(column).collect()).unwrap()
    }

    /// A run of three queries, two of them of one photo, and the folder of its analyses.
    fn run(place: &std::path::Path) -> (Run, Folder) {
        write_run(&folder(place, "d", "r", 0), &[1, 4, 1]);
        let run = read_row(place, "p", "d", "r").unwrap().remove(0);
        let analysis = Folder::of(&run.folder);
        (run, analysis)
    }

    #[test]
    fn drops_of_three_queries_by_hand() {
        let place = tempfile::tempdir().unwrap();
        let (run, analysis) = run(place.path());
        let queries: Vec<f64> = run.ranks.iter().map(|rank| f64::from(rank.query)).collect();
        let twice: Vec<f64> = queries.iter().chain(&queries).copied().collect();
        assert_eq!(score::DROP.samples(&run).unwrap(), None);
        analysis.write("robustness", frame(&[("query", &twice), ("rank", &[1.0, 1.0, 2.0, 3.0, 9.0, 2.0])])).unwrap();
        // Found whole and in one of two versions; found in one version only; found whole and in no version: of 2 found
        // 1 - 1/2 + 1/2 are lost, half of them. Query by query: 0.5 + (1/2 - 1/2) / (2/3) and so on.
        let found = score::DROP.samples(&run).unwrap().unwrap();
        assert!((found.values.iter().sum::<f64>() / 3.0 - 50.0).abs() < 1e-9, "{found:?}");
        let expected = [50.0, 50.0 - 75.0, 50.0 + 75.0];
        assert!(found.values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        assert_eq!(found.groups, [0, 0, 1]); // two sketches of one photo, and one of another
        analysis.write("robustness", frame(&[("query", &queries[1..]), ("rank", &[1.0, 1.0])])).unwrap();
        let error = score::DROP.samples(&run).unwrap_err().to_string();
        assert!(error.contains("query 100"), "{error}");
    }

    #[test]
    fn landscapes_come_back_draw_by_draw() {
        let place = tempfile::tempdir().unwrap();
        let (_, analysis) = run(place.path());
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
        let grids = grids(&analysis).unwrap();
        assert_eq!((grids[0].alphas.len(), grids[0].betas.len(), grids[1].loss.len()), (5, 5, 9));
        assert_eq!(grids[0].betas, [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(grids[0].loss[2 * 5 + 2], 0.0);
    }

    #[test]
    fn early_epochs_are_the_first_half() {
        let place = tempfile::tempdir().unwrap();
        let (run, analysis) = run(place.path());
        let columns: [(&str, &[f64]); 2] = [("epoch", &[1.0, 2.0, 3.0]), ("nuclear_norm", &[0.5, 0.3, 0.1])];
        analysis.write("gradient", frame(&columns)).unwrap();
        let found = |metric: &Metric| metric.samples(&run).unwrap().unwrap().values;
        assert_eq!((found(&score::SPREAD), found(&score::SPREAD_EARLY)), (vec![0.5, 0.3, 0.1], vec![0.5, 0.3]));
        assert_eq!(found(&score::SPREAD_LATE), [0.1]);
    }

    #[test]
    fn wandering_is_in_percent_of_the_mean() {
        let place = tempfile::tempdir().unwrap();
        let (run, analysis) = run(place.path());
        analysis.write("stability", frame(&[("step", &[1.0, 2.0]), ("acc1", &[30.0, 50.0])])).unwrap();
        let found = score::WANDER.samples(&run).unwrap().unwrap();
        assert!(found.values.iter().all(|value| (value - 25.0).abs() < 1e-9), "{found:?}");
        assert_eq!(found.groups, [0, 0]);
    }

    #[test]
    fn a_high_centre_rises_less_and_lies_no_lower() {
        let place = tempfile::tempdir().unwrap();
        let (run, analysis) = run(place.path());
        let line = [-0.2, 0.0, 0.2];
        let at = |axis: usize| -> Vec<f64> { (0..9).map(|i| line[if axis == 0 { i / 3 } else { i % 3 }]).collect() };
        let loss = [9.0, 2.0, 9.0, 2.0, 1.0, 2.0, 9.0, 2.0, 9.0];
        let columns: [(&str, &[f64]); 4] = [("draw", &[0.0; 9]), ("alpha", &at(0)), ("beta", &at(1)), ("loss", &loss)];
        analysis.write("landscape", frame(&columns)).unwrap();
        let found = |metric: &Metric| metric.samples(&run).unwrap().unwrap().values;
        assert!((found(&score::RISE)[0] - 0.8).abs() < 1e-12 && (found(&score::AROUND)[0] - 1.8).abs() < 1e-12);
    }

    #[test]
    fn domains_count_the_same() {
        let place = tempfile::tempdir().unwrap();
        let (run, analysis) = run(place.path());
        let photo: (&str, &[f64]) = ("photo", &[1.0, 1.0, 3.0, 1.0]);
        let mut lines = frame(&[("position", &[0.0, 1.0, 2.0, 0.0]), photo, ("right", &[1.0, 1.0, 0.0, 1.0])]);
        let domain = Column::new("domain".into(), vec!["sketch", "sketch", "sketch", "photo"]);
        lines.insert_column(1, domain).unwrap();
        analysis.write("domain", lines).unwrap();
        let found = score::SEPARATION.samples(&run).unwrap().unwrap();
        // 2 of 3 sketches and the photo: half of 66.7 and of 100. The photo, right as all of its domain, says just that.
        assert!((found.values.iter().sum::<f64>() / 4.0 - 250.0 / 3.0).abs() < 1e-9, "{found:?}");
        assert!((found.values[3] - 250.0 / 3.0).abs() < 1e-9 && found.groups == [1, 1, 3, 1], "{found:?}");
    }

    #[test]
    fn smoothness_follows_the_runs_queries() {
        let place = tempfile::tempdir().unwrap();
        let (run, analysis) = run(place.path());
        let lines = frame(&[("query", &[102.0, 100.0, 101.0]), ("value", &[3.0, 1.0, 2.0])]);
        analysis.write("smoothness", lines.clone()).unwrap();
        let found = score::SMOOTHNESS.samples(&run).unwrap().unwrap();
        assert_eq!((found.values, found.groups), (vec![1.0, 2.0, 3.0], vec![0, 0, 1]));
        analysis.write("smoothness", lines.head(Some(2))).unwrap();
        let error = score::SMOOTHNESS.samples(&run).unwrap_err().to_string();
        assert!(error.contains("smoothness.csv"), "{error}");
    }
}
