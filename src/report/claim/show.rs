//! Findings as a file and as text.

use super::side::both_sides;
use super::{Claim, Finding, Verdict, evaluate};
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
    let columns: [(&str, Get); 20] = [
        ("id", |f| Some(f.claim.id.clone())),
        ("slug", |f| Some(f.claim.printed.slug.to_string())),
        ("where", |f| Some(f.claim.place.clone())),
        ("statement", |f| Some(f.claim.statement.clone())),
        ("dataset", |f| Some(f.dataset.clone()).filter(|name| !name.is_empty())),
        ("row_a", |f| Some(f.claim.row_a.clone())),
        ("row_b", |f| Some(f.claim.row_b.clone())),
        ("metric", |f| Some(f.claim.metric.to_string())),
        ("direction", |f| Some(f.claim.direction.to_string())),
        ("paper_effect", |f| f.claim.paper_effect.map(points)),
        ("effect", |f| f.interval.map(|interval| points(interval.effect))),
        ("low", |f| f.interval.map(|interval| points(interval.low))),
        ("high", |f| f.interval.map(|interval| points(interval.high))),
        ("p", |f| f.p.map(|p| format!("{p:.4}"))),
        ("verdict", |f| Some(f.verdict.name().to_string())),
        ("primary", |f| f.claim.is_primary.then(|| "yes".to_string())),
        ("corrected", |f| Some(f.corrected.name().to_string())),
        ("seeds_a", |f| seeds(f.seeds[0])),
        ("seeds_b", |f| seeds(f.seeds[1])),
        ("over", |f| f.interval.map(|_| over(f))),
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
fn both_seeds(finding: &Finding) -> String {
    finding.seeds.map(|count| seeds(count).unwrap_or("-".into())).join(", ")
}

/// What the interval of a finding is over: not the seeds of a row with one seed, and not a printed number.
fn over(finding: &Finding) -> String {
    let samples = finding.claim.metric.units;
    match finding.seeds {
        [0 | 1, 0 | 1] => samples.to_string(),
        [_, 1] => format!("seeds of A and {samples}"),
        [1, _] => format!("seeds of B and {samples}"),
        _ => format!("seeds and {samples}"),
    }
}

/// A finding as the cells of a line, wherever findings are listed; empty where there is nothing to say.
pub(in crate::report) struct FindingCells {
    pub sides: String,
    pub paper: String,
    pub measured: String,
    pub interval: String,
    pub p: String,
    pub seeds: String,
    pub over: String,
    pub verdict: &'static str,
    pub corrected: &'static str,
}

/// The cells of a finding, its differences with so many decimals.
pub(in crate::report) fn cells(finding: &Finding, decimals: usize) -> FindingCells {
    let (claim, found) = (&finding.claim, finding.interval);
    let signed = |value: f64| format!("{:+.decimals$}", value + 0.0); // + 0.0 turns -0 into 0
    FindingCells {
        sides: both_sides(claim),
        paper: claim.paper_effect.map(signed).unwrap_or_default(),
        measured: found.map(|found| signed(found.effect)).unwrap_or_default(),
        interval: found.map(|found| format!("[{}, {}]", signed(found.low), signed(found.high))).unwrap_or_default(),
        p: finding.p.map(|p| format!("{p:.3}")).unwrap_or_default(),
        seeds: both_seeds(finding),
        over: found.map(|_| over(finding)).unwrap_or_default(),
        verdict: finding.verdict.name(),
        corrected: finding.corrected.name(),
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
/// `synth-chair 2 of 5` stands for five comparisons on that corpus, two of which have this verdict; `(1 corrected)` for the
/// ones among them that keep it once the number of comparisons is allowed for.
pub fn markdown(findings: &[Finding]) -> String {
    let verdicts =
        [Verdict::Reproduced, Verdict::Undecided, Verdict::NotReproduced, Verdict::NotComparable, Verdict::NotRun];
    let heads: Vec<String> = std::iter::once("claim").chain(verdicts.map(Verdict::name)).map(str::to_string).collect();
    let mut text = format!("{}\n|---|---|---|---|---|---|\n", markdown_line(&heads));
    for group in by_statement(findings) {
        let mut cells = vec![said(&group[0].claim)];
        cells.extend(verdicts.map(|verdict| corpora(&group, verdict)));
        text += &format!("{}\n", markdown_line(&cells));
    }
    text
}

/// Findings of one sentence of the paper together, in the order of their first.
fn by_statement(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| said(&group[0].claim) == said(&finding.claim)) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn said(claim: &Claim) -> String {
    format!("{} ({})", claim.statement, claim.place)
}

/// The corpora on which comparisons had one verdict, with how many of them did.
fn corpora(group: &[&Finding], verdict: Verdict) -> String {
    let mut names: Vec<&str> = group.iter().map(|finding| finding.dataset.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let count = |name: &str, of: &dyn Fn(&Finding) -> bool| {
        group.iter().filter(|finding| finding.dataset == name && of(finding)).count()
    };
    let decides = matches!(verdict, Verdict::Reproduced | Verdict::NotReproduced);
    let part = |name: &&str| {
        let (some, all) = (count(name, &|finding| finding.verdict == verdict), count(name, &|_| true));
        let left = count(name, &|finding| finding.verdict == verdict && finding.corrected == verdict);
        let number = if all == 1 { name.to_string() } else { format!("{name} {some} of {all}") };
        let note = if decides { format!(" ({left} corrected)") } else { String::new() };
        (some > 0).then(|| number + &note)
    };
    names.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

/// A markdown table of the comparisons that the paper's abstract rests on, a line each.
pub fn primary(findings: &[Finding]) -> String {
    let heads = ["claim", "corpus", "A - B", "measured", "95% interval", "the paper", "p", "verdict", "corrected"];
    let mut text = format!("{}\n|---|---|---|---|---|---|---|---|---|\n", markdown_line(&heads.map(str::to_string)));
    for finding in findings.iter().filter(|finding| finding.claim.is_primary) {
        let FindingCells { sides, paper, measured, interval, p, verdict, corrected, .. } = cells(finding, 1);
        let names = [said(&finding.claim), finding.dataset.clone(), sides];
        let numbers = [measured, interval, paper, p, verdict.into(), corrected.into()];
        text += &format!("{}\n", markdown_line(&[&names[..], &numbers].concat()));
    }
    text
}

/// Text with aligned columns, a line a finding, for the terminal.
pub fn terminal(findings: &[Finding]) -> String {
    let heads = [
        "Claim",
        "Dataset",
        "A - B",
        "Metric",
        "Paper",
        "Measured",
        "95% interval",
        "Seeds",
        "Over",
        "Verdict",
        "Corrected",
    ];
    let mut grid = vec![heads.map(str::to_string).to_vec()];
    grid.extend(findings.iter().map(|finding| {
        let FindingCells { sides, paper, measured, interval, seeds, over, verdict, corrected, .. } = cells(finding, 2);
        let (id, dataset, metric) =
            (finding.claim.id.clone(), finding.dataset.clone(), finding.claim.metric.title.into());
        vec![id, dataset, sides, metric, paper, measured, interval, seeds, over, verdict.into(), corrected.into()]
    }));
    let mut text = align(&grid, 4..7);
    text += "\nA - B in points, with its 95% interval over what stands beside it: with one seed a row, the variance of training \
             is not in it. Corrected: the verdict once the number of comparisons is allowed for. What is claimed:\n";
    let mut printed = Vec::new();
    for claim in findings.iter().map(|finding| &finding.claim) {
        let line = format!("  {}: {}.\n", claim.place, claim.statement);
        if !printed.contains(&line) {
            text += &line;
            printed.push(line);
        }
    }
    text
}
