//! Numbers of a row from its analyses, as text: a number of each of its analysed runs, mean and deviation over the seeds.

use super::{Folder, RADIUS, grids};
use crate::Result;
use crate::analysis::{Rise, stability};
use crate::metric::{mean_sd, relative_drops};
use crate::report::record::Run;

fn spread(values: &[f64], decimals: usize) -> Result<String> {
    Ok(match mean_sd(values)? {
        (mean, Some(sd)) => format!("{mean:.decimals$} ± {sd:.decimals$}"),
        (mean, None) => format!("{mean:.decimals$}"),
    })
}

/// Mean and deviation over the seeds of a number of each.
fn over_seeds(runs: &[&Run], decimals: usize, of: &dyn Fn(&Folder) -> Result<f64>) -> Result<String> {
    let values = runs.iter().map(|run| of(&Folder::of(&run.folder))).collect::<Result<Vec<_>>>()?;
    spread(&values, decimals)
}

/// The loss of Acc@1 under deformation, in percent of that of whole sketches: mean and deviation over the versions of all
/// seeds.
///
/// # Errors
/// No run, an analysis `robustness` that cannot be read, or a run that finds nothing of which a share could be lost.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 3.
pub fn drops(runs: &[&Run]) -> Result<String> {
    let mut drops = Vec::new();
    for run in runs {
        let versions = Folder::of(&run.folder).acc1_by("robustness", "version")?;
        let deformed: Vec<f64> = versions.into_iter().map(|(_, acc1)| acc1).collect();
        drops.extend(relative_drops(run.summary.acc1, &deformed)?);
    }
    spread(&drops, 2)
}

/// The mean of a column of an analysis.
///
/// # Errors
/// No run, an analysis that cannot be read, or one without lines.
pub fn means(runs: &[&Run], name: &str, column: &str, decimals: usize) -> Result<String> {
    over_seeds(runs, decimals, &|folder| Ok(mean_sd(&folder.column(name, column)?)?.0))
}

/// How far test accuracy varies over the last steps, in percent of its mean.
///
/// # Errors
/// No run, or an analysis `stability` that cannot be read.
pub fn steadiness(runs: &[&Run]) -> Result<String> {
    over_seeds(runs, 2, &|folder| Ok(100.0 * stability(&folder.column("stability", "acc1")?)?.deviation))
}

/// A number of the landscape within [`RADIUS`] of the weights, its mean over pairs of directions.
///
/// # Errors
/// No run, or an analysis `landscape` that cannot be read.
pub fn surroundings(runs: &[&Run], of: fn(Rise) -> f64) -> Result<String> {
    over_seeds(runs, 4, &|folder| {
        let values = grids(folder)?.iter().map(|grid| grid.rise(RADIUS).map(of)).collect::<Result<Vec<f64>>>()?;
        Ok(mean_sd(&values)?.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;
    use crate::report::record::{read_row, tests::*};

    /// Runs of a row, three of four queries found, each with an analysis.
    fn runs(place: &std::path::Path, name: &str, texts: &[&str]) -> Vec<Run> {
        for (seed, text) in texts.iter().enumerate() {
            let run = folder(place, "d", "r", seed as u64);
            write_run(&run, &[1, 4, 1, 1]);
            write_atomic(&run.0.join(format!("analysis/{name}.csv")), text.as_bytes()).unwrap();
        }
        read_row(place, "p", "d", "r").unwrap()
    }

    #[test]
    fn drops_are_over_the_versions_of_all_seeds() {
        let place = tempfile::tempdir().unwrap();
        // Of three in four the first version loses one in three, the second nothing, that of the other seed all.
        let first = "version,query,rank\n0,100,1\n0,101,1\n0,102,2\n0,103,2\n1,100,1\n1,101,1\n1,102,1\n1,103,2\n";
        let second = "version,query,rank\n0,100,2\n0,101,2\n0,102,2\n0,103,2\n";
        let runs = runs(place.path(), "robustness", &[first, second]);
        assert_eq!(drops(&[&runs[0]]).unwrap(), "16.67 ± 23.57");
        assert_eq!(drops(&[&runs[0], &runs[1]]).unwrap(), "44.44 ± 50.92"); // 33.3, 0, 100
        assert!(drops(&[]).is_err());
    }

    #[test]
    fn means_are_of_a_column_and_over_seeds() {
        let place = tempfile::tempdir().unwrap();
        let runs = runs(place.path(), "x", &["value\n0.5\n1.5\n", "value\n3\n3\n"]);
        assert_eq!(means(&[&runs[0]], "x", "value", 1).unwrap(), "1.0");
        assert_eq!(means(&[&runs[0], &runs[1]], "x", "value", 3).unwrap(), "2.000 ± 1.414");
        let error = means(&[&runs[0]], "x", "loss", 3).unwrap_err().to_string();
        assert!(error.contains("x.csv") && error.contains("loss"), "{error}");
    }

    #[test]
    fn steadiness_is_in_percent_of_the_mean() {
        let place = tempfile::tempdir().unwrap();
        let runs = runs(place.path(), "stability", &["step,acc1\n1,50\n2,50\n", "step,acc1\n1,45\n2,55\n"]);
        let said = |run| steadiness(&[run]).unwrap().parse::<f64>().unwrap();
        assert_eq!(said(&runs[0]), 0.0);
        assert!(said(&runs[1]) > 0.0);
    }

    #[test]
    fn surroundings_are_means_over_pairs_of_directions() {
        let place = tempfile::tempdir().unwrap();
        // A plain of height 1, and one of height 2: what lies round the weights is as high as they are.
        let line = |draw: u32, alpha: f64, beta: f64| format!("{draw},{alpha},{beta},{}\n", draw + 1);
        let grid =
            |draw| [-1.0, -0.5, 0.0, 0.5, 1.0].map(|a| [-1.0, -0.5, 0.0, 0.5, 1.0].map(|b| line(draw, a, b)).concat());
        let text = format!("draw,alpha,beta,loss\n{}{}", grid(0).concat(), grid(1).concat());
        let runs = runs(place.path(), "landscape", &[&text]);
        assert_eq!(surroundings(&[&runs[0]], |rise| rise.level).unwrap(), "1.5000");
        assert_eq!(surroundings(&[&runs[0]], |rise| rise.mean).unwrap(), "0.0000");
    }
}
