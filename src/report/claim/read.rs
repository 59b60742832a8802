//! The claims of `data/claims.csv`.

use super::{Claim, Direction};
use crate::report::printed::read_text;
use crate::{Error, Result};
use polars::prelude::*;
use std::path::Path;

const CLAIMS: &str = include_str!("../../../data/claims.csv");

/// Where the built-in claims stand, for messages.
const CLAIMS_FILE: &str = "data/claims.csv";

/// The claims built into the binary.
///
/// # Errors
/// A malformed line of `data/claims.csv`.
pub fn claims() -> Result<Vec<Claim>> {
    parse(Path::new(CLAIMS_FILE), CLAIMS)
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Claim>> {
    let frame = read_text(text).map_err(|error| Error::data(path, "a CSV table", format!("none: {error}")))?;
    let mut claims = Vec::with_capacity(frame.height());
    for line in 0..frame.height() {
        let fail = |error: Error| Error::data(path, format!("a claim in line {}", line + 2), error);
        claims.extend(parse_line(&frame, line).and_then(spread).map_err(fail)?);
    }
    Ok(claims)
}

/// A claim on several corpora as one on each, under its name and the corpus's.
fn spread(claim: Claim) -> Result<Vec<Claim>> {
    let Some(datasets) = claim.dataset.clone() else { return Ok(vec![claim]) };
    let on = |id: String, dataset: &str| Claim { id, dataset: Some(dataset.into()), ..claim.clone() };
    match datasets.split_whitespace().collect::<Vec<_>>()[..] {
        [] => Err(Error::value("dataset", "names of corpora or nothing", format!("`{datasets}`"))),
        [one] => Ok(vec![on(claim.id.clone(), one)]),
        ref all => Ok(all.iter().map(|dataset| on(format!("{}-{dataset}", claim.id), dataset)).collect()),
    }
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
