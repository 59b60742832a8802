//! What the papers print: the CSV files below `data/papers`, one a table, built into the binary.
//!
//! Every file has the columns `label` (the row as printed), `dataset` (as printed) and one column a metric (`acc1`,
//! ...), in percent; a blank cell of the paper is an empty cell. Further columns say what a row is. `analysis` has the
//! numbers of the text instead of a metric: one column a row of the paper.

use crate::{Error, Result};
use polars::prelude::*;
use std::io::Cursor;

/// Every table, as (slug, name, content).
const TABLES: [(&str, &str, &str); 5] = [
    ("photo_pretraining", "analysis", include_str!("../../data/papers/photo_pretraining/analysis.csv")),
    ("photo_pretraining", "table1", include_str!("../../data/papers/photo_pretraining/table1.csv")),
    ("photo_pretraining", "table2", include_str!("../../data/papers/photo_pretraining/table2.csv")),
    ("photo_pretraining", "table3", include_str!("../../data/papers/photo_pretraining/table3.csv")),
    ("photo_pretraining", "table4", include_str!("../../data/papers/photo_pretraining/table4.csv")),
];

/// A table of a paper, all columns as text.
///
/// # Errors
/// No such table.
///
/// ```
/// let table = retrace::report::printed::read_table("photo_pretraining", "table2")?;
/// assert_eq!(table.height(), 25 * 5); // methods x datasets
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn read_table(slug: &str, name: &str) -> Result<DataFrame> {
    let found = TABLES.iter().find(|table| table.0 == slug && table.1 == name);
    let text = found.ok_or_else(|| Error::value("table of a paper", known(), format!("{slug}/{name}")))?.2;
    read_text(text)
}

/// Parses CSV text, leaving every column as text.
pub(super) fn read_text(text: &str) -> Result<DataFrame> {
    let options = CsvReadOptions::default().with_infer_schema_length(Some(0));
    Ok(options.into_reader_with_file_handle(Cursor::new(text.as_bytes())).finish()?)
}

/// A number of a paper as printed, e.g. `42.04`; none where the paper leaves the cell blank.
///
/// # Errors
/// No such table, row, dataset or metric.
///
/// ```
/// use retrace::report::printed::find;
/// let cell = find("photo_pretraining", "table2", "Ours (ImageNet)", "QMUL-Chair-V2", "acc1")?;
/// assert_eq!(cell.as_deref(), Some("71.70"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn find(slug: &str, name: &str, label: &str, dataset: &str, metric: &str) -> Result<Option<String>> {
    let table = read_table(slug, name)?;
    let (labels, datasets) = (table.column("label")?.str()?, table.column("dataset")?.str()?);
    let line = (0..table.height()).find(|&i| labels.get(i) == Some(label) && datasets.get(i) == Some(dataset));
    let line = line.ok_or_else(|| {
        Error::value(format!("{slug}/{name}"), "a printed row and dataset", format!("{label} on {dataset}"))
    })?;
    Ok(table.column(metric)?.str()?.get(line).map(str::to_string))
}

fn known() -> String {
    let names: Vec<String> = TABLES.iter().map(|(slug, name, _)| format!("{slug}/{name}")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLUG: &str = "photo_pretraining";

    fn number(table: &str, label: &str, dataset: &str) -> f64 {
        find(SLUG, table, label, dataset, "acc1").unwrap().unwrap().parse().unwrap()
    }

    #[test]
    fn every_cell_is_a_percentage_or_blank_and_stands_once() {
        for (slug, name, _) in TABLES.into_iter().filter(|table| table.1 != "analysis") {
            let table = read_table(slug, name).unwrap();
            let (labels, datasets) = (table.column("label").unwrap(), table.column("dataset").unwrap());
            let mut keys = Vec::new();
            for i in 0..table.height() {
                let key = (labels.str().unwrap().get(i).unwrap(), datasets.str().unwrap().get(i).unwrap());
                assert!(!keys.contains(&key), "{name} {key:?}");
                keys.push(key);
                if let Some(cell) = table.column("acc1").unwrap().str().unwrap().get(i) {
                    assert!((0.0..=100.0).contains(&cell.parse::<f64>().unwrap()), "{name} {key:?} {cell}");
                }
            }
        }
    }

    #[test]
    fn blanks_stay_blank() {
        assert_eq!(find(SLUG, "table2", "Yu et al. (CVPR16 [78])", "QMUL-Chair-V2", "acc1").unwrap(), None);
        let acc = read_table(SLUG, "table2").unwrap().column("acc1").unwrap().null_count();
        assert_eq!(acc, 35); // 14 baselines x 5 datasets, of which 35 are filled
    }

    /// "Numbers on the diagonal is our main results as reported in Tab. 2" (caption of Tab. 4); its row headers are
    /// Ours-Base; Tab. 1's last column and Tab. 3's shaded row are Ours (OBOW).
    #[test]
    fn the_tables_agree_where_the_paper_says_they_do() {
        let pairs = [("INet", "INet", "ImageNet"), ("JSaw", "JSaw", "Jigsaw"), ("BTwin", "BTwins", "Barlow Twins")];
        for (pretrain, source, name) in pairs.into_iter().chain([("CLIP", "CLIP", "CLIP"), ("OBOW", "OBOW", "OBOW")]) {
            for dataset in ["QMUL-Shoe-V2", "QMUL-Chair-V2"] {
                let label = format!("pre-train {pretrain} / R {source}");
                let ours = number("table2", &format!("Ours ({name})"), dataset);
                assert_eq!(number("table4", &label, dataset), ours, "{label} {dataset}");
                let base = find(SLUG, "table4", &label, dataset, "base_acc1").unwrap().unwrap();
                let expected = number("table2", &format!("Ours-Base ({name})"), dataset);
                assert_eq!(base.parse::<f64>().unwrap(), expected);
            }
        }
        for dataset in ["QMUL-Shoe-V1", "QMUL-Shoe-V2", "QMUL-Chair-V1", "QMUL-Chair-V2", "QMUL-Handbag"] {
            assert_eq!(number("table1", "Meta-first (Eq. 9)", dataset), number("table2", "Ours (OBOW)", dataset));
        }
        assert_eq!(number("table3", "Random K=10 margin=0.01", "QMUL-Shoe-V2"), 50.75);
    }

    #[test]
    fn an_unknown_name_says_what_is_there() {
        let error = read_table(SLUG, "table9").unwrap_err().to_string();
        assert!(error.contains("photo_pretraining/table2") && error.contains("table9"), "{error}");
        assert!(find(SLUG, "table2", "Ours", "QMUL-Chair-V2", "acc1").is_err());
        assert!(find(SLUG, "table2", "Ours (CLIP)", "QMUL-Chair-V2", "acc7").is_err());
    }
}
