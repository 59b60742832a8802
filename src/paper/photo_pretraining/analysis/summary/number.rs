//! The numbers of the analysed runs of a row, as text.

use crate::analysis::{Blame, MEDIAN, Rise, Scenario, Scores, Thresholds, attribute, stability};
use crate::metric::{acc_at, mean_sd, relative_drops};
use crate::report::analysis::{Folder, RADIUS, grids};
use crate::report::record::Run;
use crate::report::table::MeanSd;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The runs of a row of which there is an analysis.
pub(super) fn analysed(runs: &[Run], name: &str) -> Vec<Run> {
    runs.iter().filter(|run| Folder::of(&run.folder).has(name)).cloned().collect()
}

fn spread((mean, sd): MeanSd, decimals: usize) -> String {
    match sd {
        Some(sd) => format!("{mean:.decimals$} ± {sd:.decimals$}"),
        None => format!("{mean:.decimals$}"),
    }
}

/// In percent of what whole sketches reach: mean and deviation over the versions of all seeds, as the paper prints it.
pub(super) fn drop(runs: &[Run]) -> Result<String> {
    let mut drops = Vec::new();
    for run in runs {
        let mut versions: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for [version, rank] in Folder::of(&run.folder).lines("robustness", ["version", "rank"])? {
            versions.entry(version as u32).or_default().push(rank as u32);
        }
        let deformed = versions.values().map(|ranks| acc_at(ranks, 1)).collect::<Result<Vec<_>>>()?;
        drops.extend(relative_drops(run.summary.acc1, &deformed)?);
    }
    Ok(spread(mean_sd(&drops)?, 2))
}

/// Mean and deviation over the seeds of a column's mean.
pub(super) fn means(runs: &[Run], name: &str, column: &str, decimals: usize) -> Result<String> {
    let mean = |run: &Run| Ok(mean_sd(&Folder::of(&run.folder).column(name, column)?)?.0);
    Ok(spread(mean_sd(&runs.iter().map(mean).collect::<Result<Vec<f64>>>()?)?, decimals))
}

pub(super) fn steadiness(runs: &[Run]) -> Result<String> {
    let variation = |run: &Run| Ok(100.0 * stability(&Folder::of(&run.folder).column("stability", "acc1")?)?.variation);
    Ok(spread(mean_sd(&runs.iter().map(variation).collect::<Result<Vec<f64>>>()?)?, 2))
}

/// A number of the landscape round the weights, its mean over pairs of directions: mean and deviation over the seeds.
pub(super) fn surroundings(runs: &[Run], of: fn(Rise) -> f64) -> Result<String> {
    let mean = |run: &Run| {
        let grids = grids(&Folder::of(&run.folder))?;
        let values = grids.iter().map(|grid| grid.rise(RADIUS).map(of)).collect::<Result<Vec<f64>>>()?;
        Ok(mean_sd(&values)?.0)
    };
    Ok(spread(mean_sd(&runs.iter().map(mean).collect::<Result<Vec<f64>>>()?)?, 4))
}

/// The analysed runs of Ours-Base and Ours that have the same seed.
pub(super) fn pairs(rows: &[Vec<Run>; 2]) -> Vec<(Run, Run)> {
    let [base, ours] = [&rows[0], &rows[1]].map(|runs| analysed(runs, "attribution"));
    let of_seed = |run: &Run| base.iter().find(|other| other.seed == run.seed).cloned();
    ours.iter().filter_map(|run| Some((of_seed(run)?, run.clone()))).collect()
}

/// The scenarios of the queries that Ours answers wrongly, with thresholds of each seed.
pub(super) fn scenarios(pairs: &[(Run, Run)]) -> Result<Vec<Scenario>> {
    let mut all = Vec::new();
    for (base, ours) in pairs {
        let scores = |run: &Run| Folder::of(&run.folder).lines("attribution", ["query", "smoothness", "fidelity"]);
        let smooth: BTreeMap<u32, f64> = scores(base)?.iter().map(|line| (line[0] as u32, line[1])).collect();
        let wrong: Vec<u32> = ours.ranks.iter().filter(|rank| rank.rank > 1).map(|rank| rank.query).collect();
        let error = |[query, s_ours, f_ours]: [f64; 3]| {
            let s_base = *smooth.get(&(query as u32)).ok_or_else(|| {
                Error::data(Folder::of(&base.folder).0, format!("query {query} in attribution.csv"), "none")
            })?;
            Ok(Scores { s_ours, f_ours, s_base })
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
