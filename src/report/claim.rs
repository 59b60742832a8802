//! What the papers claim, against what our runs show.
//!
//! A claim is a line of `data/claims.csv`: row A against row B on a dataset, in a metric, with a direction and, where
//! the paper gives one, the size of the effect. An empty dataset stands for every dataset in which both rows were run.

use super::{
    printed::read_text,
    record::{Run, check_same_queries, read_row},
    render::align,
    score::Metric,
};
use crate::metric::{Interval, paired_interval};
use crate::run::write_csv;
use crate::{Error, Result, seed::Seed};
use polars::prelude::*;
use std::path::{Path, PathBuf};

const CLAIMS: &str = include_str!("../../data/claims.csv");

/// Where the built-in claims stand, for messages.
const CLAIMS_FILE: &str = "data/claims.csv";

/// Chooses the resampled queries: the same for every claim, so that a table of verdicts can be rebuilt byte by byte.
const BOOTSTRAP: Seed = Seed(0);

/// Which way A is said to differ from B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A is above B.
    Greater,
    /// A is below B.
    Less,
}

/// A sentence of a paper and the comparison that tests it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Unique.
    pub id: String,
    /// The paper.
    pub slug: String,
    /// Section, table or figure.
    pub place: String,
    /// What is claimed, in our words.
    pub statement: String,
    /// The dataset it is tested on; none for every dataset with a run.
    pub dataset: Option<String>,
    /// The row that is said to be better (or worse).
    pub row_a: String,
    /// The row it is compared with.
    pub row_b: String,
    /// What is compared.
    pub metric: Metric,
    /// Which way.
    pub direction: Direction,
    /// The paper's A - B, in points.
    pub paper_effect: Option<f64>,
}

/// What our runs say of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The interval lies wholly on the claimed side of zero.
    Reproduced,
    /// It lies wholly on the other side, or it holds zero and lies wholly short of the paper's effect.
    NotReproduced,
    /// It holds zero, and the paper gives no effect or one that it holds too.
    Undecided,
    /// A row has no finished run, or did not record the metric.
    NotRun,
}

impl Verdict {
    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::NotReproduced => "not reproduced",
            Self::Undecided => "undecided",
            Self::NotRun => "not run",
        }
    }
}

/// A claim on a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The claim.
    pub claim: Claim,
    /// The dataset; empty where the claim names none and nothing was run.
    pub dataset: String,
    /// Our A - B in points, with its 95% interval.
    pub interval: Option<Interval>,
    /// What follows.
    pub verdict: Verdict,
}

/// The claims built into the binary.
///
/// # Errors
/// A malformed line of `data/claims.csv`.
pub fn claims() -> Result<Vec<Claim>> {
    parse(Path::new(CLAIMS_FILE), CLAIMS)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Claim>> {
    let frame = read_text(text).map_err(|error| Error::data(path, "a CSV table", error))?;
    (0..frame.height())
        .map(|line| {
            let fail = |error: Error| Error::data(path, format!("a claim in line {}", line + 2), error);
            parse_line(&frame, line).map_err(fail)
        })
        .collect()
}

fn parse_line(frame: &DataFrame, line: usize) -> Result<Claim> {
    let cell = |name: &str| Ok::<_, Error>(frame.column(name)?.str()?.get(line).map(str::to_string));
    let filled = |name: &str| cell(name)?.ok_or_else(|| Error::value(name, "some text", "an empty cell"));
    let direction = match filled("direction")?.as_str() {
        "greater" => Direction::Greater,
        "less" => Direction::Less,
        other => return Err(Error::value("direction", "greater or less", other)),
    };
    let number = |text: String| match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(Error::value("paper_effect", "a number or nothing", text)),
    };
    Ok(Claim {
        id: filled("id")?,
        slug: filled("slug")?,
        place: filled("where")?,
        statement: filled("statement")?,
        dataset: cell("dataset")?,
        row_a: filled("row_a")?,
        row_b: filled("row_b")?,
        metric: filled("metric")?.parse()?,
        direction,
        paper_effect: cell("paper_effect")?.map(number).transpose()?,
    })
}

/// The verdict on an interval of A - B.
///
/// ```
/// use retrace::metric::Interval;
/// use retrace::report::claim::{Direction::Greater, Verdict, judge};
/// let interval = |low, high| Interval { effect: (low + high) / 2.0, low, high };
/// assert_eq!(judge(interval(0.5, 3.0), Greater, Some(9.0)), Verdict::Reproduced); // the side decides, not the size
/// assert_eq!(judge(interval(-3.0, -0.5), Greater, None), Verdict::NotReproduced);
/// assert_eq!(judge(interval(-1.0, 2.0), Greater, Some(9.0)), Verdict::NotReproduced); // holds 0, far from 9
/// assert_eq!(judge(interval(-1.0, 2.0), Greater, Some(1.5)), Verdict::Undecided);
/// ```
pub fn judge(interval: Interval, direction: Direction, paper_effect: Option<f64>) -> Verdict {
    let (low, high, paper) = match direction {
        Direction::Greater => (interval.low, interval.high, paper_effect),
        Direction::Less => (-interval.high, -interval.low, paper_effect.map(|effect| -effect)),
    };
    match paper {
        _ if low > 0.0 => Verdict::Reproduced,
        _ if high < 0.0 => Verdict::NotReproduced,
        Some(paper) if high < paper => Verdict::NotReproduced,
        _ => Verdict::Undecided,
    }
}

/// Tests claims on the runs below `results`.
///
/// # Errors
/// A run that does not hold together, or two rows with different queries (both are named).
pub fn evaluate(results: &Path, claims: &[Claim]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for claim in claims {
        let datasets = match &claim.dataset {
            Some(dataset) => vec![dataset.clone()],
            None => datasets_run(results, claim)?,
        };
        for dataset in &datasets {
            findings.push(evaluate_one(results, claim, dataset)?);
        }
        if datasets.is_empty() {
            let dataset = String::new();
            findings.push(Finding { claim: claim.clone(), dataset, interval: None, verdict: Verdict::NotRun });
        }
    }
    Ok(findings)
}

/// Datasets of the claim's paper in which both rows have a folder, by name.
fn datasets_run(results: &Path, claim: &Claim) -> Result<Vec<String>> {
    let folder = results.join(&claim.slug);
    let mut names = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let entry = entry.map_err(Error::io(&folder))?;
            if entry.path().join(&claim.row_a).is_dir() && entry.path().join(&claim.row_b).is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

fn evaluate_one(results: &Path, claim: &Claim, dataset: &str) -> Result<Finding> {
    let a = read_row(results, &claim.slug, dataset, &claim.row_a)?;
    let b = read_row(results, &claim.slug, dataset, &claim.row_b)?;
    let interval = compare(claim.metric, &a, &b)?;
    let verdict = interval.map_or(Verdict::NotRun, |found| judge(found, claim.direction, claim.paper_effect));
    Ok(Finding { claim: claim.clone(), dataset: dataset.into(), interval, verdict })
}

/// A - B in a metric over the queries of two rows; none where a row has no run or did not record the metric.
///
/// # Errors
/// Rows with different queries.
pub fn compare(metric: Metric, a: &[Run], b: &[Run]) -> Result<Option<Interval>> {
    let (Some(first_a), Some(first_b)) = (a.first(), b.first()) else { return Ok(None) };
    check_same_queries(first_a, first_b)?;
    match (metric.pooled(a)?, metric.pooled(b)?) {
        (Some(a), Some(b)) => paired_interval(&a, &b, BOOTSTRAP).map(Some),
        _ => Ok(None),
    }
}

/// Findings as a frame, a line each; points with two decimals, as the papers print.
///
/// # Errors
/// Never in practice: the columns have one length.
pub fn frame(findings: &[Finding]) -> Result<DataFrame> {
    type Get = fn(&Finding) -> Option<String>;
    let columns: [(&str, Get); 13] = [
        ("id", |f| Some(f.claim.id.clone())),
        ("slug", |f| Some(f.claim.slug.clone())),
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
    ];
    let column = |(name, get): (&str, Get)| Column::new(name.into(), findings.iter().map(get).collect::<Vec<_>>());
    Ok(DataFrame::new(findings.len(), columns.into_iter().map(column).collect())?)
}

fn points(value: f64) -> String {
    format!("{:.2}", value + 0.0) // + 0.0 turns -0 into 0
}

/// Tests the built-in claims and writes `results/claims.csv`; returns the findings with its path.
///
/// # Errors
/// As [`evaluate`], or a file that cannot be written.
pub fn write(results: &Path) -> Result<(Vec<Finding>, PathBuf)> {
    let findings = evaluate(results, &claims()?)?;
    let path = results.join("claims.csv");
    write_csv(&path, &mut frame(&findings)?)?;
    Ok((findings, path))
}

/// Text with aligned columns, a line a finding, for the terminal.
pub fn terminal(findings: &[Finding]) -> String {
    let heads = ["Claim", "Dataset", "A - B", "Metric", "Paper", "Ours", "95% interval", "Verdict"];
    let mut grid = vec![heads.map(str::to_string).to_vec()];
    grid.extend(findings.iter().map(|finding| {
        let claim = &finding.claim;
        let interval = finding.interval;
        vec![
            claim.id.clone(),
            finding.dataset.clone(),
            format!("{} - {}", claim.row_a, claim.row_b),
            claim.metric.title().into(),
            claim.paper_effect.map(|effect| format!("{effect:+.2}")).unwrap_or_default(),
            interval.map(|found| format!("{:+.2}", found.effect + 0.0)).unwrap_or_default(),
            interval.map(|found| format!("[{:+.2}, {:+.2}]", found.low + 0.0, found.high + 0.0)).unwrap_or_default(),
            finding.verdict.name().into(),
        ]
    }));
    align(&grid)
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::write_run;
    use super::super::{printed, score::tests::write_early};
    use super::*;
    use crate::run::RunFolder;

    fn at(results: &Path, dataset: &str, row: &str, seed: u64) -> RunFolder {
        RunFolder(results.join("photo_pretraining").join(dataset).join(row).join(format!("seed{seed}")))
    }

    fn finding<'a>(findings: &'a [Finding], id: &str) -> &'a Finding {
        findings.iter().find(|finding| finding.claim.id == id).unwrap()
    }

    #[test]
    fn the_built_in_claims_carry_the_papers_effects() {
        let claims = claims().unwrap();
        let mut ids: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), claims.len());
        let number = |label, dataset| {
            let cell = printed::find("photo_pretraining", "table2", label, dataset, "acc1").unwrap().unwrap();
            cell.parse::<f64>().unwrap()
        };
        for (id, dataset) in [("gain-chair-v2", "QMUL-Chair-V2"), ("gain-shoe-v1-frozen", "QMUL-Shoe-V1")] {
            let claim = claims.iter().find(|claim| claim.id == id).unwrap();
            let effect = number("Ours (ImageNet)", dataset) - number("Ours-Base (ImageNet)", dataset);
            assert!((claim.paper_effect.unwrap() - effect).abs() < 1e-9, "{id} {effect}");
        }
    }

    #[test]
    fn a_clear_gain_is_reproduced_and_its_absence_is_not() {
        let place = tempfile::tempdir().unwrap();
        for seed in 0..2 {
            write_run(&at(place.path(), "synth-chair", "ours", seed), &[1; 20]);
            write_run(&at(place.path(), "synth-chair", "ours-base", seed), &[[1; 10], [2; 10]].concat());
            write_run(&at(place.path(), "qmul-chair-v2", "ours-frozen", seed), &[[1; 10], [2; 10]].concat());
        }
        write_run(&at(place.path(), "qmul-chair-v2", "ours-base-frozen", 0), &[1; 20]);
        write_run(&at(place.path(), "qmul-shoe-v1", "ours", 0), &[1; 20]);
        write_run(&at(place.path(), "qmul-shoe-v1", "ours-base", 0), &[1; 20]);
        let (findings, path) = write(place.path()).unwrap();
        let gain = finding(&findings, "gain-synth-chair");
        assert_eq!((gain.interval.unwrap().effect, gain.verdict), (50.0, Verdict::Reproduced));
        let loss = finding(&findings, "gain-chair-v2-frozen");
        assert_eq!((loss.interval.unwrap().effect, loss.verdict), (-50.0, Verdict::NotReproduced));
        let none = finding(&findings, "gain-shoe-v1");
        assert_eq!((none.interval.unwrap().high, none.verdict), (0.0, Verdict::NotReproduced));
        assert_eq!(finding(&findings, "gain-synth-shoe").verdict, Verdict::NotRun);
        assert_eq!(finding(&findings, "early-synth-chair").verdict, Verdict::NotRun); // no early.csv
        let text = std::fs::read_to_string(path).unwrap();
        let head = "id,slug,where,statement,dataset,row_a,row_b,metric,paper_effect,effect,low,high,verdict\n";
        assert!(text.starts_with(head) && text.lines().count() == findings.len() + 1, "{text}");
        assert!(text.contains(",qmul-shoe-v1,ours,ours-base,acc1,14.79,0.00,0.00,0.00,not reproduced\n"), "{text}");
        assert!(terminal(&findings).contains("+50.00"));
    }

    #[test]
    fn early_is_read_from_its_own_file() {
        let place = tempfile::tempdir().unwrap();
        for (row, from) in [("ours", 40), ("ours-base", 70)] {
            let folder = at(place.path(), "synth-shoe", row, 0);
            write_run(&folder, &[1; 12]);
            write_early(&folder, from);
        }
        let findings = evaluate(place.path(), &claims().unwrap()).unwrap();
        let early = finding(&findings, "early-synth-shoe");
        assert!((early.interval.unwrap().effect - 100.0 * 3.0 / 9.0).abs() < 1e-9); // found at 40, 50, 60 too
        assert_eq!(early.verdict, Verdict::Reproduced);
        assert_eq!(finding(&findings, "gain-synth-shoe").verdict, Verdict::Undecided); // both always right
    }

    #[test]
    fn a_claim_without_dataset_is_tested_wherever_both_rows_ran() {
        let place = tempfile::tempdir().unwrap();
        for dataset in ["b", "a"] {
            write_run(&at(place.path(), dataset, "ours", 0), &[1, 1]);
            write_run(&at(place.path(), dataset, "ours-base", 0), &[1, 2]);
        }
        write_run(&at(place.path(), "c", "ours", 0), &[1, 1]);
        let claim = Claim { dataset: None, ..claims().unwrap().remove(0) };
        let tested = evaluate(place.path(), std::slice::from_ref(&claim)).unwrap();
        assert_eq!(tested.iter().map(|finding| finding.dataset.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let nothing = evaluate(&place.path().join("none"), &[claim]).unwrap();
        assert_eq!((nothing.len(), nothing[0].verdict), (1, Verdict::NotRun));
    }

    #[test]
    fn rows_with_other_queries_are_an_error() {
        let place = tempfile::tempdir().unwrap();
        write_run(&at(place.path(), "synth-shoe", "ours", 0), &[1, 1]);
        write_run(&at(place.path(), "synth-shoe", "ours-base", 0), &[1, 2, 1]);
        let error = evaluate(place.path(), &claims().unwrap()).unwrap_err().to_string();
        assert!(error.contains("ours-base") && error.contains("2 queries") && error.contains("3 queries"), "{error}");
    }

    #[test]
    fn a_claim_that_is_less() {
        let interval = Interval { effect: -2.0, low: -3.0, high: -1.0 };
        assert_eq!(judge(interval, Direction::Less, None), Verdict::Reproduced);
        let around = Interval { effect: 0.0, low: -1.0, high: 1.0 };
        assert_eq!(judge(around, Direction::Less, Some(-5.0)), Verdict::NotReproduced);
        assert_eq!(judge(around, Direction::Less, Some(-0.5)), Verdict::Undecided);
    }

    #[test]
    fn a_malformed_claim_names_its_line() {
        let head = "id,slug,where,statement,dataset,row_a,row_b,metric,direction,paper_effect\n";
        for (line, reason) in [
            ("a,p,t,s,d,x,y,acc2,greater,\n", "metric"),
            ("a,p,t,s,d,x,y,acc1,more,\n", "greater or less"),
            ("a,p,t,s,d,x,y,acc1,less,NaN\n", "paper_effect"),
            ("a,p,t,s,d,,y,acc1,less,\n", "row_a"),
        ] {
            let error = parse(Path::new("claims.csv"), &format!("{head}{line}")).unwrap_err().to_string();
            assert!(error.contains("claims.csv") && error.contains("line 2") && error.contains(reason), "{error}");
        }
    }
}
