//! A short form of a table: rows down, corpora across, one number a cell.

use super::render::{align, format_mean, markdown_line};
use super::table::{Table, TableLine};

/// Text with aligned columns: of every row and corpus our number and, in brackets, the paper's.
///
/// ```text
/// Row    Chair                Shoe
/// Base   48.2 ± 2.0 (67.82)   23.6 ± 5.0
/// ```
pub fn text(table: &Table) -> String {
    let note = "Measured: mean and deviation over seeds, in percent; in brackets the paper's number, on its own data.";
    format!("{}\n{}{note}", table.title, align(&grid(table), 0..0))
}

/// The same as a markdown table below its title; what the numbers mean is left to the page around it.
///
/// ```text
/// | Row | Chair | Shoe |
/// |---|--:|--:|
/// | Base | 48.2 ± 2.0 (67.82) | 23.6 ± 5.0 |
/// ```
pub fn markdown(table: &Table) -> String {
    let mut lines: Vec<String> = grid(table).iter().map(|cells| markdown_line(cells)).collect();
    lines.insert(1, format!("|---|{}", "--:|".repeat(corpora(table).len())));
    format!("**{}**\n\n{}\n", table.title, lines.join("\n"))
}

/// A line of heads, then a line a row; a cell is empty where the row is not measured on the corpus.
fn grid(table: &Table) -> Vec<Vec<String>> {
    let corpora = corpora(table);
    let find = |row: &str, corpus: &str| {
        table.lines.iter().find(|line| line.label == row && line.dataset_label == corpus).map(cell).unwrap_or_default()
    };
    let head = std::iter::once("Row").chain(corpora.iter().copied()).map(str::to_string).collect();
    let line = |row: &str| {
        let cells = corpora.iter().map(|corpus| find(row, corpus));
        std::iter::once(row.to_string()).chain(cells).collect()
    };
    std::iter::once(head).chain(rows(table).into_iter().map(line)).collect()
}

/// The rows of all corpora; one that the first of them lacks stands behind the one that it follows on its own.
fn rows(table: &Table) -> Vec<&str> {
    let mut rows: Vec<&str> = Vec::new();
    for corpus in table.lines.chunk_by(|a, b| a.dataset == b.dataset) {
        let mut next = 0;
        for line in corpus {
            next = 1 + rows.iter().position(|row| *row == line.label).unwrap_or_else(|| {
                rows.insert(next, &line.label);
                next
            });
        }
    }
    rows
}

fn corpora(table: &Table) -> Vec<&str> {
    distinct(table.lines.iter().map(|line| line.dataset_label.as_str()))
}

/// Each name once, in the order in which they first come.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
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

    #[test]
    fn a_row_of_the_second_corpus_stands_where_it_stands_there() {
        let mut table = build(tempfile::tempdir().unwrap().path(), &spec()).unwrap();
        let first = table.lines.iter().position(|line| line.dataset == "synth").unwrap();
        let floor = TableLine { label: "Floor".into(), ..table.lines[first].clone() };
        table.lines.insert(first + 1, floor);
        assert_eq!(rows(&table), ["HOG", "Floor", "Old", "New"]);
    }

    #[test]
    fn markdown_has_the_paper_in_brackets_and_a_blank_where_a_row_is_not_measured() {
        let place = tempfile::tempdir().unwrap();
        for (seed, ranks) in [[1, 1, 2, 3], [1, 1, 1, 20], [1, 6, 6, 6]].iter().enumerate() {
            write_run(&at(place.path(), "chair", "old", seed as u64), ranks);
        }
        let expected = "**Toy rows**\n\n| Row | Chair | Synth |\n|---|--:|--:|\n| HOG | not run | not run |\n\
                        | Old | 50.0 ± 25.0 (67.82) | not run |\n| New | not run (71.70) |  |\n";
        assert_eq!(markdown(&build(place.path(), &spec()).unwrap()), expected);
    }
}
