//! Findings as a file and as text.

use super::{Claim, Finding, Verdict, both_sides, evaluate};
use crate::Result;
use crate::file::write_csv;
use crate::report::render::{align, markdown_line};
use polars::prelude::*;
use std::path::{Path, PathBuf};

/// Findings as a frame, a line each; points with two decimals, as the papers print.
///
/// # Errors
/// Never in practice: the columns have one length.
pub fn frame(findings: &[Finding]) -> Result<DataFrame> {
    type Get = fn(&Finding) -> Option<String>;
    let columns: [(&str, Get); 16] = [
        ("id", |f| Some(f.claim.id.clone())),
        ("slug", |f| Some(f.claim.printed.slug.to_string())),
        ("where", |f| Some(f.claim.place.clone())),
        ("statement", |f| Some(f.claim.statement.clone())),
        ("dataset", |f| Some(f.dataset.clone()).filter(|name| !name.is_empty())),
        ("row_a", |f| Some(f.claim.row_a.clone())),
        ("row_b", |f| Some(f.claim.row_b.clone())),
        ("metric", |f| Some(f.claim.metric.to_string())),
        ("paper_effect", |f| f.claim.paper_effect.map(points)),
        ("effect", |f| f.interval.map(|interval| points(interval.effect))),
        ("low", |f| f.interval.map(|interval| points(interval.low))),
        ("high", |f| f.interval.map(|interval| points(interval.high))),
        ("verdict", |f| Some(f.verdict.name().to_string())),
        ("seeds_a", |f| seeds(f.seeds[0])),
        ("seeds_b", |f| seeds(f.seeds[1])),
        ("resampled", |f| f.interval.map(|_| resampled(f))),
    ];
    let column = |(name, get): (&str, Get)| Column::new(name.into(), findings.iter().map(get).collect::<Vec<_>>());
    Ok(DataFrame::new(findings.len(), columns.into_iter().map(column).collect())?)
}

fn points(value: f64) -> String {
    format!("{:.2}", value + 0.0) // + 0.0 turns -0 into 0
}

fn seeds(count: usize) -> Option<String> {
    Some(count.to_string()).filter(|_| count > 0)
}

/// Seeds of A and of B; a printed number has none.
pub(in crate::report) fn both_seeds(finding: &Finding) -> String {
    finding.seeds.map(|count| seeds(count).unwrap_or("-".into())).join(", ")
}

/// What the interval of a finding resamples: not the seeds of a row with one seed, and not a printed number.
fn resampled(finding: &Finding) -> String {
    let samples = finding.claim.metric.resampled;
    match finding.seeds {
        [0 | 1, 0 | 1] => samples.to_string(),
        [_, 1] => format!("seeds of A and {samples}"),
        [1, _] => format!("seeds of B and {samples}"),
        _ => format!("seeds and {samples}"),
    }
}

/// Tests the claims of all papers and writes `results/claims.csv`; returns the findings with its path.
///
/// # Errors
/// As [`evaluate`], or a file that cannot be written.
pub fn write(results: &Path, claims: &[Claim]) -> Result<(Vec<Finding>, PathBuf)> {
    let findings = evaluate(results, claims)?;
    let path = results.join("claims.csv");
    write_csv(&path, &mut frame(&findings)?)?;
    Ok((findings, path))
}

/// A markdown table, a line a claim: the corpora on which its comparisons had each verdict.
///
/// `synth-chair 2 of 5` stands for five comparisons on that corpus, two of which have this verdict.
pub fn markdown(findings: &[Finding]) -> String {
    let heads = ["claim", "reproduced", "undecided", "not reproduced", "not run"].map(str::to_string);
    let verdicts = [Verdict::Reproduced, Verdict::Undecided, Verdict::NotReproduced, Verdict::NotRun];
    let mut text = format!("{}\n|---|---|---|---|---|\n", markdown_line(&heads));
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let same = |group: &&mut Vec<&Finding>| {
            (&group[0].claim.place, &group[0].claim.statement) == (&finding.claim.place, &finding.claim.statement)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    for group in groups {
        let claim = &group[0].claim;
        let mut cells = vec![format!("{} ({})", claim.statement, claim.place)];
        cells.extend(verdicts.map(|verdict| corpora(&group, verdict)));
        text += &format!("{}\n", markdown_line(&cells));
    }
    text
}

/// The corpora on which comparisons had one verdict, with how many of them did.
fn corpora(group: &[&Finding], verdict: Verdict) -> String {
    let mut names: Vec<&str> = group.iter().map(|finding| finding.dataset.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let count = |name: &str, of: &dyn Fn(&Finding) -> bool| {
        group.iter().filter(|finding| finding.dataset == name && of(finding)).count()
    };
    let part = |name: &&str| match (count(name, &|finding| finding.verdict == verdict), count(name, &|_| true)) {
        (0, _) => None,
        (1, 1) => Some(name.to_string()),
        (some, all) => Some(format!("{name} {some} of {all}")),
    };
    names.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

/// Text with aligned columns, a line a finding, for the terminal.
pub fn terminal(findings: &[Finding]) -> String {
    let heads =
        ["Claim", "Dataset", "A - B", "Metric", "Paper", "Measured", "95% interval", "Seeds", "Over", "Verdict"];
    let mut grid = vec![heads.map(str::to_string).to_vec()];
    grid.extend(findings.iter().map(|finding| {
        let claim = &finding.claim;
        let interval = finding.interval;
        vec![
            claim.id.clone(),
            finding.dataset.clone(),
            both_sides(claim),
            claim.metric.title.into(),
            claim.paper_effect.map(|effect| format!("{effect:+.2}")).unwrap_or_default(),
            interval.map(|found| format!("{:+.2}", found.effect + 0.0)).unwrap_or_default(),
            interval.map(|found| format!("[{:+.2}, {:+.2}]", found.low + 0.0, found.high + 0.0)).unwrap_or_default(),
            both_seeds(finding),
            interval.map(|_| resampled(finding)).unwrap_or_default(),
            finding.verdict.name().into(),
        ]
    }));
    let mut text = align(&grid, 4..7);
    text += "\nA - B in points, with its 95% paired bootstrap interval over what stands beside it: with one seed a row, the \
             variance of training is not in it. What is claimed:\n";
    let mut said = Vec::new();
    for claim in findings.iter().map(|finding| &finding.claim) {
        let line = format!("  {}: {}.\n", claim.place, claim.statement);
        if !said.contains(&line) {
            text += &line;
            said.push(line);
        }
    }
    text
}
