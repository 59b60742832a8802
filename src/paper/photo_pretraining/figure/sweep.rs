//! Figures over settings: Fig. 2 and 3 over the weight of the topology loss, Table 4 as a matrix.

use crate::Result;
use crate::paper::photo_pretraining::table::{BETAS, PRETRAININGS, Pretraining, cross, weighed};
use crate::paper::photo_pretraining::{Query, SLUG, analysis::separated};
use crate::report::analysis::Folder;
use crate::report::figure::heat::{self, Heat};
use crate::report::figure::panel::{self, Axis, Line, Panel, Spread};
use crate::report::figure::scatter::{self, Cloud, Part};
use crate::report::record::read_row;
use crate::report::table::measure;
use std::path::Path;

/// Acc@1 of Eq. 5 against the weight of the topology loss, one line a pre-training (Fig. 3); none before a line has two
/// points.
///
/// # Errors
/// A record that does not read.
pub fn fig3(results: &Path, dataset: &str) -> Result<Option<String>> {
    let line = |own| sweep(results, dataset, name(&own), &|beta| weighed(own.weights, Query::Sketch, beta));
    let lines = PRETRAININGS.into_iter().map(line).collect::<Result<Vec<_>>>()?;
    draw(format!("Fig. 3: both losses at once, {dataset}"), lines)
}

/// Acc@1 of Eq. 5 with photos (Eq. 3) and sketches (Eq. 4) as queries, and without the topology loss (Fig. 2a).
///
/// # Errors
/// A record that does not read.
pub fn fig2a(results: &Path, dataset: &str) -> Result<Option<String>> {
    let mut lines = Vec::new();
    for (label, query) in [("photos (Eq. 3)", Query::Photo), ("sketches (Eq. 4)", Query::Sketch)] {
        lines.push(sweep(results, dataset, label, &|beta| weighed(None, query, beta))?);
    }
    if lines.iter().all(|line| line.points.len() > 1) {
        lines.push(sweep(results, dataset, "Ours-Base (Eq. 1)", &|_| "ours-base".into())?);
    }
    draw(format!("Fig. 2a: who asks, {dataset}"), lines)
}

/// What a pre-training is called where a corpus starts from supervised weights that are not ImageNet's.
fn name(own: &Pretraining) -> &'static str {
    if own.weights.is_none() { "supervised" } else { own.label }
}

/// The points of a line: a row's mean over seeds at each weight.
fn sweep(results: &Path, dataset: &str, label: &str, row: &dyn Fn(&str) -> String) -> Result<Line> {
    let mut points = Vec::new();
    for beta in BETAS {
        let runs = read_row(results, SLUG, dataset, &row(beta))?;
        let at = beta.parse::<f64>().unwrap_or(f64::NAN).log10();
        if let Some(measured) = measure(&runs)? {
            points.push(Spread { x: at, mean: measured.acc1.0, sd: measured.acc1.1 });
        }
    }
    Ok(Line { label: label.into(), points })
}

fn draw(title: String, lines: Vec<Line>) -> Result<Option<String>> {
    let lines: Vec<Line> = lines.into_iter().filter(|line| line.points.len() > 1).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let points = || lines.iter().flat_map(|line| &line.points);
    let (low, high) = points().fold((f64::MAX, f64::MIN), |(low, high), point| {
        let sd = point.sd.unwrap_or(0.0);
        (low.min(point.mean - sd), high.max(point.mean + sd))
    });
    // The differences are the matter: the axis begins below the lowest point, at a multiple of 5.
    let range = ((low / 5.0).floor() * 5.0, (high / 5.0).ceil() * 5.0);
    let x = Axis { name: "log10(beta / alpha): weight of the topology loss".into(), range: (-1.0, 1.0) };
    let panel = Panel {
        title,
        note: "mean over seeds, band: ± one standard deviation where there are two or more".into(),
        x,
        y: Axis { name: "Acc@1 (%)".into(), range },
        lines,
        marks: true,
    };
    panel::draw_row((640, 400), &[panel]).map(Some)
}

/// Table 4 as a matrix; none before one of its crossed cells was run.
///
/// # Errors
/// A record that does not read.
pub fn table4(results: &Path, dataset: &str) -> Result<Option<String>> {
    let (mut values, mut crossed) = (Vec::new(), false);
    for own in PRETRAININGS {
        for source in PRETRAININGS {
            let runs = read_row(results, SLUG, dataset, &cross(own, source))?;
            crossed |= own.weights != source.weights && !runs.is_empty();
            values.push(measure(&runs)?.map(|measured| measured.acc1.0));
        }
    }
    let names: Vec<String> = PRETRAININGS.map(|own| name(&own).to_string()).into();
    let heat = Heat {
        title: format!("Table 4: Acc@1 of Ours, {dataset}"),
        note: "percent, mean over seeds; the paper's pattern: R helps from wherever it comes".into(),
        row: "Pre-training".into(),
        column: "Source of R".into(),
        rows: names.clone(),
        columns: names,
        values,
        decimals: 1,
    };
    if crossed { heat::draw(&heat).map(Some) } else { Ok(None) }
}

/// Features of the test part in the plane in which they are widest (Fig. 2b and c).
///
/// # Errors
/// A record that does not read.
pub fn fig2b(results: &Path, dataset: &str) -> Result<Option<String>> {
    let folder = Folder::of(results, SLUG, dataset);
    if !folder.has("separation") {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for (row, label) in separated() {
        let cloud = |domain: &str, label: &str| -> Result<(Cloud, f64)> {
            let lines =
                folder.lines_where("separation", &[("row", &row), ("domain", domain)], ["x", "y", "accuracy"])?;
            let accuracy = lines.first().map_or(50.0, |line| line[2]);
            Ok((Cloud { label: label.into(), points: lines.iter().map(|line| (line[0], line[1])).collect() }, accuracy))
        };
        let ((sketches, accuracy), (photos, _)) = (cloud("sketch", "sketches")?, cloud("photo", "photos")?);
        parts.push(Part {
            title: label.into(),
            note: format!("a line tells {accuracy:.1}% of them apart (chance: 50%)"),
            x: "First principal component".into(),
            y: "Second principal component".into(),
            clouds: vec![sketches, photos],
        });
    }
    scatter::draw(&parts).map(Some)
}
