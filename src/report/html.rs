//! Tables and findings as HTML, for pages that show them beside their text: notebooks, model cards.

use super::claim::{Finding, FindingCells, Verdict, cells as finding_cells};
use super::render::format_mean;
use super::table::{MeanSd, Measured, Table, TableLine};
use crate::Result;
use polars::prelude::*;

/// Lines of a frame that are shown.
const LINES: usize = 20;

/// A text whose special characters are written out.
///
/// ```
/// assert_eq!(retrace::report::html::escape("a < b & \"c\""), "a &lt; b &amp; &quot;c&quot;");
/// ```
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A cell, escaped unless it says otherwise.
struct HtmlCell {
    html: String,
    is_number: bool,
}

fn words(text: &str) -> HtmlCell {
    HtmlCell { html: escape(text), is_number: false }
}

fn number(text: &str) -> HtmlCell {
    HtmlCell { html: escape(text), is_number: true }
}

/// Longer words may be broken into lines.
const SHORT: usize = 28; // characters

/// A grid; the columns of numbers to the right, everything else to the left. A line of one cell is as wide as all columns.
fn grid(heads: &[&str], lines: &[Vec<HtmlCell>]) -> String {
    let align = |is_number: bool| if is_number { "right" } else { "left" };
    let full = lines.iter().find(|line| line.len() == heads.len());
    let is_number = |i: usize| full.and_then(|line| line.get(i)).is_some_and(|cell| cell.is_number);
    let head =
        |(i, head): (usize, &&str)| format!("<th style=\"text-align: {}\">{}</th>", align(is_number(i)), escape(head));
    let cell = |cell: &HtmlCell| {
        let wrap = if cell.is_number || cell.html.len() <= SHORT { "; white-space: nowrap" } else { "" };
        format!("<td style=\"text-align: {}{wrap}\">{}</td>", align(cell.is_number), cell.html)
    };
    let line = |line: &Vec<HtmlCell>| match line.as_slice() {
        [whole] => format!("<tr><td colspan=\"{}\" style=\"text-align: left\">{}</td></tr>\n", heads.len(), whole.html),
        line => format!("<tr>{}</tr>\n", line.iter().map(cell).collect::<String>()),
    };
    format!(
        "<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
        heads.iter().enumerate().map(head).collect::<String>(),
        lines.iter().map(line).collect::<String>()
    )
}

/// A table of results, corpus by corpus: what was measured beside the paper's, the best of every corpus in bold.
pub fn table(table: &Table) -> String {
    let paper = format!("Paper, {}", table.metric.title);
    let heads = ["Row", &paper, "Measured, Acc@1", "Acc@5", "Acc@10", "Seeds"];
    let mut lines = Vec::new();
    for group in table.lines.chunk_by(|a, b| a.dataset == b.dataset) {
        let size = group.iter().find_map(|line| line.measured.as_ref());
        let size = size.map(|m| format!(": {} sketches, {} photos", m.queries, m.gallery)).unwrap_or_default();
        let (label, place) = (escape(&group[0].dataset_label), escape(&group[0].measured_on));
        lines.push(vec![HtmlCell { html: format!("<b>{label}</b> (measured on {place}{size})"), is_number: false }]);
        lines.extend(group.iter().map(|line| cells(line, group)));
    }
    let notes = table.notes.iter().map(|(label, note)| format!("<li>{}: {}</li>", escape(label), escape(note)));
    format!(
        "<p><b>{}</b><br/>Percent; mean ± sample standard deviation over seeds. The paper's numbers are on its own data. \
         Bold: the best of a corpus.</p>\n{}<ul>{}</ul>\n",
        escape(&table.title),
        grid(&heads, &lines),
        notes.collect::<String>()
    )
}

/// The cells of a line among those of its corpus.
fn cells(line: &TableLine, group: &[TableLine]) -> Vec<HtmlCell> {
    let measured = line.measured.as_ref();
    let score = |get: fn(&Measured) -> MeanSd, missing: &str| {
        let Some(own) = measured.map(get) else { return number(missing) };
        let best = group.iter().filter_map(|line| line.measured.as_ref().map(get)).all(|other| other.0 <= own.0);
        let text = format_mean(own);
        HtmlCell { html: if best { format!("<b>{text}</b>") } else { text }, is_number: true }
    };
    vec![
        words(&line.label),
        number(line.paper.as_deref().unwrap_or_default()),
        score(|m| m.acc1, line.missing()),
        score(|m| m.acc5, ""),
        score(|m| m.acc10, ""),
        number(&measured.map(|m| m.seeds.to_string()).unwrap_or_default()),
    ]
}

/// Findings, those that were tested, with their verdicts, below the claim that they test.
pub fn findings(findings: &[Finding]) -> String {
    let heads = ["Corpus", "A - B", "Metric", "Paper", "Measured", "95% interval", "Seeds", "Verdict"];
    let same = |a: &Finding, b: &Finding| a.claim.statement == b.claim.statement && a.claim.place == b.claim.place;
    let mut lines = Vec::new();
    for group in findings.chunk_by(same) {
        let tested: Vec<Vec<HtmlCell>> = group.iter().filter_map(finding).collect();
        if !tested.is_empty() {
            let claim = &group[0].claim;
            let html = format!("<b>{}</b> ({})", escape(&claim.statement), escape(&claim.place));
            lines.push(vec![HtmlCell { html, is_number: false }]);
            lines.extend(tested);
        }
    }
    grid(&heads, &lines)
}

/// The cells of a finding that was tested.
fn finding(finding: &Finding) -> Option<Vec<HtmlCell>> {
    finding.interval?;
    let FindingCells { sides, paper, measured, interval, seeds, .. } = finding_cells(finding, 2);
    Some(vec![
        words(&finding.dataset),
        words(&sides),
        words(finding.claim.metric.title),
        number(&paper),
        number(&measured),
        number(&interval),
        number(&seeds),
        HtmlCell { html: verdict(finding.verdict), is_number: false },
    ])
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Reproduced | Verdict::NotReproduced => format!("<b>{}</b>", verdict.name()),
        Verdict::Undecided | Verdict::NotComparable | Verdict::NotRun => verdict.name().to_string(),
    }
}

/// The first lines of a frame, numbers to the right.
///
/// # Errors
/// Never in practice: positions are within the frame.
pub fn frame(frame: &DataFrame) -> Result<String> {
    let columns = frame.columns();
    let heads: Vec<&str> = columns.iter().map(|column| column.name().as_str()).collect();
    let mut lines = Vec::new();
    for i in 0..frame.height().min(LINES) {
        let cell = |column: &Column| -> Result<HtmlCell> {
            let value = column.get(i)?;
            Ok(match &value {
                AnyValue::Null => words(""),
                AnyValue::Float32(_) | AnyValue::Float64(_) => {
                    number(&format!("{:.2}", value.extract::<f64>().unwrap_or(0.0)))
                }
                AnyValue::String(text) => words(text),
                _ if value.is_primitive_numeric() => number(&value.to_string()),
                _ => words(&value.to_string()),
            })
        };
        lines.push(columns.iter().map(cell).collect::<Result<Vec<_>>>()?);
    }
    let note = match frame.height() {
        height if height > LINES => format!("<p>the first {LINES} of {height} lines</p>\n"),
        _ => String::new(),
    };
    Ok(grid(&heads, &lines) + &note)
}

#[cfg(test)]
mod tests {
    use super::super::claim::Claim;
    use super::super::printed::tests::TOY;
    use super::super::record::tests::write_run;
    use super::super::table::{build, tests::*};
    use super::*;
    use crate::metric::Interval;

    #[test]
    fn the_best_of_a_corpus_is_bold_and_text_is_escaped() {
        let place = tempfile::tempdir().unwrap();
        write_run(&at(place.path(), "chair", "hog", 0), &[1, 6, 11, 20]);
        write_run(&at(place.path(), "chair", "old", 0), &[1, 1, 2, 3]);
        let text = table(&build(place.path(), &spec()).unwrap());
        assert!(text.contains("<b>50.0</b>") && !text.contains("<b>25.0</b>"), "{text}");
        assert!(text.contains("not run") && text.contains("67.82"), "{text}");
        assert_eq!(text.matches("<tr>").count(), 1 + 4 + 3); // heads, two corpora with a line of their own
    }

    #[test]
    fn a_frame_shows_its_first_lines() {
        let names: Vec<String> = (0..25).map(|i| format!("<{i}>")).collect();
        let columns = vec![
            Column::new("name".into(), names),
            Column::new("share".into(), (0..25).map(|i| f64::from(i) / 8.0).collect::<Vec<_>>()),
            Column::new("count".into(), (0..25).map(|i| (i % 2 == 0).then_some(i)).collect::<Vec<Option<u32>>>()),
        ];
        let text = frame(&DataFrame::new(25, columns).unwrap()).unwrap();
        assert!(text.contains("&lt;19&gt;") && !text.contains("&lt;20&gt;"), "{text}");
        assert!(
            text.contains("the first 20 of 25 lines") && text.contains(">0.12<") && text.contains(">18<"),
            "{text}"
        );
    }

    #[test]
    fn a_claim_that_was_not_tested_is_left_out() {
        let claim = Claim::read_all(&TOY).unwrap().remove(0);
        let finding = |interval, verdict| Finding { interval, seeds: [3, 1], verdict, ..Finding::not_run(&claim, "d") };
        let interval = Interval { low: 0.5, high: 3.5, ..Interval::of(2.0, 1.0, 9.0).unwrap() };
        let text = findings(&[finding(Some(interval), Verdict::Reproduced), finding(None, Verdict::NotRun)]);
        assert_eq!(text.matches("<tr>").count(), 3);
        assert!(text.matches(&*escape(&claim.statement)).count() == 1, "{text}");
        assert!(
            text.contains("<b>reproduced</b>") && text.contains("[+0.50, +3.50]") && text.contains(">3, 1<"),
            "{text}"
        );
    }
}
