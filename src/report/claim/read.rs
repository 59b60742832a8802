//! The claims of a paper.

use super::side::{LESS, PRINTED, rows};
use super::spread::SPREAD;
use super::{Claim, Direction};
use crate::report::printed::{Printed, read_text};
use crate::report::score::Metric;
use crate::{Error, Result};
use polars::prelude::*;
use std::path::PathBuf;

impl Claim {
    /// The claims of a paper.
    ///
    /// # Errors
    /// A malformed line, which is named.
    ///
    /// ```
    /// use retrace::report::claim::Claim;
    /// use retrace::report::printed::Printed;
    /// let claims = "id,where,statement,dataset,row_a,row_b,metric,direction,paper_effect,paper_levels,primary\n\
    ///               gain,Table 1,New finds more,chair shoe,new,old,acc1,greater,3.88,71.7 67.82,yes\n";
    /// let claims = Claim::read_all(&Printed { slug: "toy", tables: &[], claims, metrics: &[] })?;
    /// assert_eq!((claims.len(), claims[1].id.as_str()), (2, "gain-shoe"));
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn read_all(printed: &Printed) -> Result<Vec<Self>> {
        parse(printed, printed.claims)
    }
}

pub(super) fn parse(printed: &Printed, text: &str) -> Result<Vec<Claim>> {
    let path = PathBuf::from(format!("data/papers/{}/claims.csv", printed.slug)); // for messages: the text is built in
    let frame = read_text(text).map_err(|error| Error::data(&path, "a CSV table", format!("none: {error}")))?;
    let mut claims = Vec::with_capacity(frame.height());
    for line in 0..frame.height() {
        let fail = |error: Error| Error::data(&path, format!("a claim in line {}", line + 2), error);
        claims.extend(parse_line(printed, &frame, line).and_then(spread).map_err(fail)?);
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

fn parse_line(printed: &Printed, frame: &DataFrame, line: usize) -> Result<Claim> {
    let cell = |name: &str| Ok::<_, Error>(frame.column(name)?.str()?.get(line).map(str::to_string));
    // Columns that a paper without such claims leaves out.
    let optional = |name: &str| if frame.column(name).is_ok() { cell(name) } else { Ok(None) };
    let filled = |name: &str| cell(name)?.ok_or_else(|| Error::value(name, "some text", "an empty cell"));
    let direction = match filled("direction")?.as_str() {
        "greater" => Direction::Greater,
        "less" => Direction::Less,
        other => match other.strip_prefix("within ").and_then(|bound| bound.parse::<f64>().ok()) {
            Some(bound) if bound > 0.0 => Direction::Within(bound),
            _ => return Err(Error::value("direction", "greater, less or within and a number above 0", other)),
        },
    };
    let [row_a, row_b] = [filled("row_a")?, filled("row_b")?];
    check_sides(&row_a, &row_b)?;
    let number = |text: String| match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(Error::value("paper_effect", "a number or nothing", text)),
    };
    let paper_effect = cell("paper_effect")?.map(number).transpose()?;
    let paper_levels = levels(optional("paper_levels")?)?;
    check_effect(direction, paper_effect, paper_levels)?;
    Ok(Claim {
        id: filled("id")?,
        printed: *printed,
        place: filled("where")?,
        statement: filled("statement")?,
        dataset: cell("dataset")?,
        row_a,
        row_b,
        metric: Metric::find(&filled("metric")?, printed.metrics)?,
        direction,
        paper_effect,
        paper_levels,
        is_primary: optional("primary")?.is_some_and(|text| text == "yes"),
    })
}

/// A side is rows, or rows less rows; a number of the paper can only be B.
fn check_sides(a: &str, b: &str) -> Result<()> {
    if a.starts_with(PRINTED) {
        return Err(Error::value("row_a", "rows that are run", a));
    }
    if [a, b].iter().any(|side| side.starts_with(SPREAD)) {
        let is_spread = |side: &str| side.starts_with(SPREAD) && !side.contains(LESS) && rows(side).len() > 1;
        let wrong = [a, b].into_iter().find(|side| !is_spread(side));
        return wrong
            .map_or(Ok(()), |side| Err(Error::value("row", "on both sides the spread of two rows or more", side)));
    }
    for side in [a, b].into_iter().filter(|side| !side.starts_with(PRINTED)) {
        let parts: Vec<&str> = side.split(LESS).collect();
        if parts.len() > 2 || parts.iter().any(|part| rows(part).is_empty()) {
            return Err(Error::value("row", "rows, or rows ` - ` rows", side));
        }
    }
    Ok(())
}

/// `71.7 67.8`: the paper's A and B.
fn levels(text: Option<String>) -> Result<Option<[f64; 2]>> {
    let Some(text) = text else { return Ok(None) };
    let numbers: Vec<f64> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [a, b] if [a, b].iter().all(|level| *level > 0.0 && *level < 100.0) => Ok(Some([a, b])),
        _ => Err(Error::value("paper_levels", "A and B, two numbers between 0 and 100, or nothing", text)),
    }
}

/// A paper's effect is the difference of its levels, and on the side that it claims.
fn check_effect(direction: Direction, effect: Option<f64>, levels: Option<[f64; 2]>) -> Result<()> {
    if let Some([a, b]) = levels
        && effect.is_none_or(|effect| (a - b - effect).abs() > 0.006)
    {
        return Err(Error::value("paper_levels", format!("levels {effect:?} apart"), format!("{a} and {b}")));
    }
    match (direction, effect) {
        (Direction::Greater, Some(effect)) if effect < 0.0 => {
            Err(Error::value("paper_effect", "none below 0, as the claim is `greater`", effect))
        }
        (Direction::Less, Some(effect)) if effect > 0.0 => {
            Err(Error::value("paper_effect", "none above 0, as the claim is `less`", effect))
        }
        _ => Ok(()),
    }
}
