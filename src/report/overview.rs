//! A short form of a table: rows down, corpora across, one number a cell.

use super::render::{align, format_mean};
use super::table::{Table, TableLine};

/// Text with aligned columns: of every row and corpus our number and, in brackets, the paper's.
///
/// ```text
/// Row    Chair                Shoe
/// Base   48.2 ± 2.0 (67.82)   23.6 ± 5.0
/// ```
pub fn text(table: &Table) -> String {
    let (mut corpora, mut rows): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in &table.lines {
        if !corpora.contains(&line.dataset_label.as_str()) {
            corpora.push(&line.dataset_label);
        }
        if !rows.contains(&line.label.as_str()) {
            rows.push(&line.label);
        }
    }
    let find = |row: &str, corpus: &str| {
        table.lines.iter().find(|line| line.label == row && line.dataset_label == corpus).map(cell).unwrap_or_default()
    };
    let head = std::iter::once("Row".to_string()).chain(corpora.iter().map(ToString::to_string)).collect();
    let line = |row: &&str| {
        let cells = corpora.iter().map(|corpus| find(row, corpus));
        std::iter::once(row.to_string()).chain(cells).collect()
    };
    let grid: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().map(line)).collect();
    let note = "Measured: mean and deviation over seeds, in percent; in brackets the paper's number, on its own data.";
    format!("{}\n{}{note}", table.title, align(&grid, 0..0))
}

fn cell(line: &TableLine) -> String {
    let measured = line.measured.as_ref().map_or(line.missing().to_string(), |found| format_mean(found.acc1));
    match &line.paper {
        Some(paper) => format!("{measured} ({paper})"),
        None => measured,
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::write_run;
    use super::super::table::{build, tests::*};
    use super::*;

    #[test]
    fn overview_has_a_line_a_row_and_a_column_a_corpus() {
        let place = tempfile::tempdir().unwrap();
        write_run(&at(place.path(), "chair", "hog", 0), &[1, 6, 11, 20]);
        let text = text(&build(place.path(), &spec()).unwrap());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["Row", "Chair", "Synth"]);
        assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["HOG", "25.0", "not", "run"]);
        assert_eq!(lines.len(), 1 + 1 + 3 + 1); // title, head, rows, note
        assert_eq!(lines[1].find("Synth"), lines[2].find("not run"));
    }
}
