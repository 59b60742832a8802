//! The numbers of the analysed runs of a row, as text.

use crate::analysis::{Blame, MEDIAN, Rise, Scenario, Scores, Thresholds, attribute, stability};
use crate::metric::{mean_sd, relative_drops};
use crate::report::analysis::{Folder, RADIUS, analysed, grids};
use crate::report::record::Run;
use crate::{Error, Result};
use std::collections::BTreeMap;

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

/// In percent of what whole sketches reach: mean and deviation over the versions of all seeds, as the paper prints it.
pub(super) fn drop(runs: &[&Run]) -> Result<String> {
    let mut drops = Vec::new();
    for run in runs {
        let versions = Folder::of(&run.folder).acc1_by("robustness", "version")?;
        let deformed: Vec<f64> = versions.into_iter().map(|(_, acc1)| acc1).collect();
        drops.extend(relative_drops(run.summary.acc1, &deformed)?);
    }
    spread(&drops, 2)
}

/// A column's mean.
pub(super) fn means(runs: &[&Run], name: &str, column: &str, decimals: usize) -> Result<String> {
    over_seeds(runs, decimals, &|folder| Ok(mean_sd(&folder.column(name, column)?)?.0))
}

/// How far test accuracy strays over the last steps, in percent of its mean.
pub(super) fn steadiness(runs: &[&Run]) -> Result<String> {
    over_seeds(runs, 2, &|folder| Ok(100.0 * stability(&folder.column("stability", "acc1")?)?.deviation))
}

/// A number of the landscape round the weights, its mean over pairs of directions.
pub(super) fn surroundings(runs: &[&Run], of: fn(Rise) -> f64) -> Result<String> {
    over_seeds(runs, 4, &|folder| {
        let values = grids(folder)?.iter().map(|grid| grid.rise(RADIUS).map(of)).collect::<Result<Vec<f64>>>()?;
        Ok(mean_sd(&values)?.0)
    })
}

/// The analysed runs of Ours-Base and Ours that have the same seed.
pub(super) fn pairs(rows: &[Vec<Run>; 2]) -> Vec<(&Run, &Run)> {
    let [base, ours] = [&rows[0], &rows[1]].map(|runs| analysed(runs, "attribution"));
    let of_seed = |run: &Run| base.iter().find(|other| other.seed == run.seed).copied();
    ours.into_iter().filter_map(|run| Some((of_seed(run)?, run))).collect()
}

/// The scenarios of the queries that Ours answers wrongly, with thresholds of each seed.
pub(super) fn scenarios(pairs: &[(&Run, &Run)]) -> Result<Vec<Scenario>> {
    let mut all = Vec::new();
    for (base, ours) in pairs {
        let scores = |run: &Run| Folder::of(&run.folder).lines("attribution", ["query", "smoothness", "fidelity"]);
        let smooth: BTreeMap<u32, f64> = scores(base)?.iter().map(|line| (line[0] as u32, line[1])).collect();
        let wrong: Vec<u32> = ours.ranks.iter().filter(|rank| rank.rank > 1).map(|rank| rank.query).collect();
        let error = |[query, smoothness, fidelity]: [f64; 3]| {
            let reference = *smooth.get(&(query as u32)).ok_or_else(|| {
                Error::data(Folder::of(&base.folder).0, format!("query {query} in attribution.csv"), "none")
            })?;
            Ok(Scores { smoothness, fidelity, reference })
        };
        let errors = scores(ours)?.into_iter().filter(|line| wrong.contains(&(line[0] as u32)));
        let errors = errors.map(error).collect::<Result<Vec<Scores>>>()?;
        if !errors.is_empty() {
            all.extend(attribute(&errors, &Thresholds::of(&errors, MEDIAN)?)?);
        }
    }
    Ok(all)
}

/// How many errors are of which scenario, and whose fault; nothing where there is none.
pub(super) fn blamed(errors: &[Scenario]) -> Vec<(&'static str, String)> {
    let count = |number| errors.iter().filter(|scenario| scenario.number() == number).count().to_string();
    let blamed = |blame| errors.iter().filter(|scenario| scenario.blame() == Some(blame)).count();
    let numbers = [Some(1), Some(2), Some(3), Some(4), None].map(count).join(", ");
    let blame = format!("{}, {}", blamed(Blame::User), blamed(Blame::Model));
    let said =
        vec![("Errors by scenario 1, 2, 3, 4 and none", numbers), ("of these the user's and the model's", blame)];
    if errors.is_empty() { Vec::new() } else { said }
}
