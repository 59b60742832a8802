//! Causes of wrong answers, seed by seed: those of a row, judged with a reference row.

use crate::analysis::{Blame, ErrorScores, MEDIAN, Scenario, Thresholds, attribute};
use crate::report::analysis::{Folder, analysed};
use crate::report::record::Run;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The analysed runs of the reference and of the row that have the same seed.
pub(super) fn pairs([reference, row]: &[Vec<Run>; 2]) -> Vec<(&Run, &Run)> {
    let [reference, row] = [reference, row].map(|runs| analysed(runs, "attribution"));
    let of_seed = |run: &Run| reference.iter().find(|other| other.seed == run.seed).copied();
    row.into_iter().filter_map(|run| Some((of_seed(run)?, run))).collect()
}

/// The scenarios of the queries that the row answers wrongly, with thresholds of each seed.
pub(super) fn scenarios(pairs: &[(&Run, &Run)]) -> Result<Vec<Scenario>> {
    let mut all = Vec::new();
    for pair in pairs {
        let errors = errors(pair)?;
        if !errors.is_empty() {
            all.extend(attribute(&errors, &Thresholds::of(&errors, MEDIAN)?)?);
        }
    }
    Ok(all)
}

/// The scores by which the wrong answers of a run are judged.
fn errors((reference, run): &(&Run, &Run)) -> Result<Vec<ErrorScores>> {
    let scores = |run: &Run| Folder::of(&run.folder).lines("attribution", ["query", "smoothness", "fidelity"]);
    let smooth: BTreeMap<u32, f64> = scores(reference)?.iter().map(|line| (line[0] as u32, line[1])).collect();
    let wrong: Vec<u32> = run.ranks.iter().filter(|rank| rank.rank > 1).map(|rank| rank.query).collect();
    let error = |[query, smoothness, fidelity]: [f64; 3]| {
        let reference = *smooth.get(&(query as u32)).ok_or_else(|| {
            Error::data(Folder::of(&reference.folder).0, format!("query {query} in attribution.csv"), "none")
        })?;
        Ok(ErrorScores { smoothness, fidelity, reference })
    };
    scores(run)?.into_iter().filter(|line| wrong.contains(&(line[0] as u32))).map(error).collect()
}

/// The number of errors of each scenario and of each cause; nothing without errors.
pub(super) fn blamed(errors: &[Scenario]) -> Vec<(&'static str, String)> {
    let count = |number| errors.iter().filter(|scenario| scenario.number() == number).count().to_string();
    let blamed = |blame| errors.iter().filter(|scenario| scenario.blame() == Some(blame)).count();
    let numbers = [Some(1), Some(2), Some(3), Some(4), None].map(count).join(", ");
    let blame = format!("{}, {}", blamed(Blame::User), blamed(Blame::Model));
    let said =
        vec![("Errors by scenario 1, 2, 3, 4 and none", numbers), ("of these the user's and the model's", blame)];
    if errors.is_empty() { Vec::new() } else { said }
}
