//! A table as markdown, as CSV and as aligned text.

use super::table::{MeanSd, Measured, Table, TableLine, TableSpec, build};
use crate::Result;
use crate::file::write_atomic;
use polars::prelude::*;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// `42.0 ± 1.3`; the deviation only where there are two seeds or more.
pub fn format_mean(value: MeanSd) -> String {
    match value {
        (mean, Some(sd)) => format!("{mean:.1} ± {sd:.1}"),
        (mean, None) => format!("{mean:.1}"),
    }
}

fn heads(table: &Table) -> Vec<String> {
    let paper = format!("Paper, {}", table.metric.title);
    let heads =
        ["Data", "Row", &paper, "Measured, Acc@1", "Acc@5", "Acc@10", "Seeds", "Epoch chosen by", "Measured on"];
    heads.map(str::to_string).to_vec()
}

fn cells(line: &TableLine) -> Vec<String> {
    let measured = line.measured.as_ref();
    let cell = |get: &dyn Fn(&Measured) -> String| measured.map(get).unwrap_or_default();
    let size = cell(&|m| format!(": {} sketches, {} photos", m.queries, m.gallery));
    vec![
        line.dataset_label.clone(),
        line.label.clone(),
        line.paper.clone().unwrap_or_default(),
        measured.map_or(line.missing().to_string(), |m| format_mean(m.acc1)),
        cell(&|m| format_mean(m.acc5)),
        cell(&|m| format_mean(m.acc10)),
        cell(&|m| m.seeds.to_string()),
        cell(&|m| m.select_on.clone()),
        format!("{}{size}", line.measured_on),
    ]
}

/// A markdown table, and below it the notes on its rows.
pub fn markdown(table: &Table) -> String {
    let heads = heads(table);
    let mut text = format!("{}\n", markdown_line(&heads));
    text += &format!("|{}\n", ["---|"; 2].concat() + &"--:|".repeat(5) + &"---|".repeat(heads.len() - 7));
    for line in &table.lines {
        text += &format!("{}\n", markdown_line(&cells(line)));
    }
    text += &format!(
        "\n{}. Percent; mean ± sample standard deviation over seeds. The paper's numbers are on its own data.\n",
        table.title
    );
    for (label, note) in &table.notes {
        text += &format!("- {label}: {note}\n");
    }
    text
}

/// A line of a markdown table; bars within cells are escaped.
pub fn markdown_line(cells: &[String]) -> String {
    let escaped: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |", escaped.join(" | "))
}

/// Text with aligned columns, dataset by dataset under a heading of its own.
pub fn terminal(table: &Table) -> String {
    let heads = heads(table);
    let shown = 1..heads.len() - 1;
    let mut text = format!("{}\n", table.title);
    for group in table.lines.chunk_by(|a, b| a.dataset == b.dataset) {
        let size = group.iter().find_map(|line| line.measured.as_ref());
        let size = size.map(|m| format!(": {} sketches, {} photos", m.queries, m.gallery)).unwrap_or_default();
        text += &format!("\n{} (measured on {}{size})\n", group[0].dataset_label, group[0].measured_on);
        let mut grid = vec![heads[shown.clone()].to_vec()];
        grid.extend(group.iter().map(|line| cells(line)[shown.clone()].to_vec()));
        text += &align(&grid, 1..6);
    }
    text
}

/// Pads every column to its longest cell, the columns of `numbers` on the left; two spaces between.
pub(super) fn align(grid: &[Vec<String>], numbers: Range<usize>) -> String {
    let columns = grid.iter().map(Vec::len).max().unwrap_or(0);
    let length = |i: usize| grid.iter().filter_map(|line| line.get(i)).map(|cell| cell.chars().count()).max();
    let lengths: Vec<usize> = (0..columns).map(|i| length(i).unwrap_or(0)).collect();
    let pad = |(i, cell): (usize, &String)| match lengths[i] {
        n if numbers.contains(&i) => format!("{cell:>n$}"),
        n => format!("{cell:n$}"),
    };
    let mut text = String::new();
    for line in grid {
        let padded: Vec<String> = line.iter().enumerate().map(pad).collect();
        text += &format!("  {}\n", padded.join("  ").trim_end());
    }
    text
}

/// The table as a frame: one line a row and dataset, numbers in full precision, empty where there is no run.
///
/// # Errors
/// Never in practice: the columns have one length.
pub fn frame(table: &Table) -> Result<DataFrame> {
    let lines = &table.lines;
    let text = |name: &str, get: &dyn Fn(&TableLine) -> Option<String>| {
        Column::new(name.into(), lines.iter().map(get).collect::<Vec<_>>())
    };
    let number = |name: &str, get: &dyn Fn(&Measured) -> Option<f64>| {
        Column::new(name.into(), lines.iter().map(|line| line.measured.as_ref().and_then(get)).collect::<Vec<_>>())
    };
    let count = |name: &str, get: &dyn Fn(&Measured) -> usize| {
        Column::new(
            name.into(),
            lines.iter().map(|line| line.measured.as_ref().map(|m| get(m) as u64)).collect::<Vec<_>>(),
        )
    };
    let columns = vec![
        text("dataset", &|line| Some(line.dataset.clone())),
        text("row", &|line| line.row.clone()),
        text("label", &|line| Some(line.label.clone())),
        text(&format!("paper_{}", table.metric), &|line| line.paper.clone()),
        number("acc1", &|m| Some(m.acc1.0)),
        number("acc1_sd", &|m| m.acc1.1),
        number("acc5", &|m| Some(m.acc5.0)),
        number("acc5_sd", &|m| m.acc5.1),
        number("acc10", &|m| Some(m.acc10.0)),
        number("acc10_sd", &|m| m.acc10.1),
        number("percentile", &|m| m.percentile.map(|value| value.0)),
        number("percentile_sd", &|m| m.percentile.and_then(|value| value.1)),
        count("seeds", &|m| m.seeds),
        count("queries", &|m| m.queries),
        count("gallery", &|m| m.gallery),
        text("select_on", &|line| line.measured.as_ref().map(|m| m.select_on.clone())),
        text("measured_on", &|line| Some(line.measured_on.clone())),
    ];
    Ok(DataFrame::new(lines.len(), columns)?)
}

/// [`frame`] as CSV text.
///
/// # Errors
/// As [`frame`].
pub fn csv(table: &Table) -> Result<String> {
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(&mut frame(table)?)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Builds a table and writes `results/tables/<slug>/<name>.md` and `.csv`; returns it with the two paths.
///
/// # Errors
/// As [`build`], or a folder that cannot be written.
pub fn write(results: &Path, spec: &TableSpec) -> Result<(Table, [PathBuf; 2])> {
    let table = build(results, spec)?;
    let folder = results.join("tables").join(spec.printed.slug);
    let paths = ["md", "csv"].map(|kind| folder.join(format!("{}.{kind}", spec.name)));
    write_atomic(&paths[0], markdown(&table).as_bytes())?;
    write_atomic(&paths[1], csv(&table)?.as_bytes())?;
    Ok((table, paths))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::write_run;
    use super::super::table::tests::*;
    use super::*;

    fn table() -> Table {
        let place = tempfile::tempdir().unwrap();
        write_run(&at(place.path(), "chair", "hog", 0), &[1, 6, 11, 20]);
        for (seed, ranks) in [[1, 1, 2, 3], [1, 1, 1, 20], [1, 6, 6, 6]].iter().enumerate() {
            write_run(&at(place.path(), "chair", "old", seed as u64), ranks);
        }
        build(place.path(), &spec()).unwrap()
    }

    #[test]
    fn markdown_says_what_was_run() {
        let text = markdown(&table());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "| Data | Row | Paper, Acc@1 | Measured, Acc@1 | Acc@5 | Acc@10 | Seeds | Epoch chosen by | Measured on |"
        );
        assert_eq!(lines[1], "|---|---|--:|--:|--:|--:|--:|---|---|");
        assert_eq!(
            lines[2],
            "| Chair | HOG |  | 25.0 | 25.0 | 50.0 | 1 | valid acc1 | toy \\| data: 4 sketches, 20 photos |"
        );
        assert_eq!(
            lines[3],
            "| Chair | Old | 67.82 | 50.0 ± 25.0 | 66.7 ± 38.2 | 91.7 ± 14.4 | 3 | valid acc1 | toy \\| data: 4 sketches, 20 photos |"
        );
        assert_eq!(lines[4], "| Chair | New | 71.70 | not run |  |  |  |  | toy \\| data |");
        assert_eq!(lines[lines.len() - 1], "- HOG: no learning");
    }

    #[test]
    fn the_terminal_is_aligned() {
        let text = terminal(&table());
        assert!(text.contains("Chair (measured on toy | data: 4 sketches, 20 photos)\n"), "{text}");
        let end = |line: &str, cell: &str| line[..line.find(cell).unwrap() + cell.len()].chars().count();
        let ends: Vec<usize> = ["  25.0", "50.0 ± 25.0", "not run"]
            .iter()
            .map(|cell| end(text.lines().find(|line| line.contains(cell)).unwrap(), cell))
            .collect();
        assert!(ends.iter().all(|&column| column == ends[0]), "{text}");
    }

    #[test]
    fn csv_leaves_blanks() {
        let text = csv(&table()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("dataset,row,label,paper_acc1,acc1,acc1_sd,"), "{text}");
        assert!(lines[1].starts_with("chair,hog,HOG,,25.0,,25.0,,50.0,,"), "{text}");
        assert!(lines[2].starts_with("chair,old,Old,67.82,50.0,25.0,"), "{text}");
        assert_eq!(lines[3], "chair,new,New,71.70,,,,,,,,,,,,,toy | data");
    }

    #[test]
    fn no_run_is_a_table_of_blanks() {
        let place = tempfile::tempdir().unwrap();
        let (table, paths) = write(place.path(), &spec()).unwrap();
        assert!(table.lines.iter().all(|line| line.measured.is_none()));
        assert!(std::fs::read_to_string(&paths[0]).unwrap().contains("not run"));
    }
}
