//! What a paper prints and claims: CSV text, built into the binary by the paper's own module.
//!
//! Every table has the columns `label` (the row as printed), `dataset` (as printed) and one column a metric (`acc1`,
//! ...), in percent; a blank cell of the paper is an empty cell. Further columns say what a row is. A table of numbers
//! from the text may have one column a row of the paper instead of a metric.

use super::score::Metric;
use crate::{Error, Result};
use polars::prelude::*;
use std::fmt;
use std::io::Cursor;

/// What a paper prints, and what it claims.
#[derive(Clone, Copy, PartialEq)]
pub struct Printed {
    /// The paper's folder in `results/` and `data/papers/`.
    pub slug: &'static str,
    /// Its tables, as (name, CSV text).
    pub tables: &'static [(&'static str, &'static str)],
    /// Its claims, as CSV text; see [`super::claim`].
    pub claims: &'static str,
    /// Metrics of its own, beside [`super::score::METRICS`].
    pub metrics: &'static [&'static Metric],
}

impl Printed {
    /// A table, all columns as text.
    ///
    /// # Errors
    /// No such table.
    ///
    /// ```
    /// use retrace::report::printed::Printed;
    /// const TABLES: [(&str, &str); 1] = [("table1", "label,dataset,acc1\nNew,Chair,71.70\nOld,Chair,\n")];
    /// let printed = Printed { slug: "toy", tables: &TABLES, claims: "", metrics: &[] };
    /// assert_eq!(printed.table("table1")?.height(), 2);
    /// assert!(printed.table("table2").unwrap_err().to_string().contains("toy/table1"));
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn table(&self, name: &str) -> Result<DataFrame> {
        let found = self.tables.iter().find(|table| table.0 == name);
        let fail = || Error::value("table of a paper", self.names(), format!("{}/{name}", self.slug));
        read_text(found.ok_or_else(fail)?.1)
    }

    /// A number as printed, e.g. `42.04`; none where the paper leaves the cell blank.
    ///
    /// # Errors
    /// No such table, row, dataset or column.
    ///
    /// ```
    /// use retrace::report::printed::Printed;
    /// const TABLES: [(&str, &str); 1] = [("table1", "label,dataset,acc1\nNew,Chair,71.70\nOld,Chair,\n")];
    /// let printed = Printed { slug: "toy", tables: &TABLES, claims: "", metrics: &[] };
    /// assert_eq!(printed.find("table1", "New", "Chair", "acc1")?.as_deref(), Some("71.70"));
    /// assert_eq!(printed.find("table1", "Old", "Chair", "acc1")?, None);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn find(&self, name: &str, label: &str, dataset: &str, column: &str) -> Result<Option<String>> {
        let table = self.table(name)?;
        let line = line_of(&table, label, dataset)?.ok_or_else(|| {
            let found = format!("{label} on {dataset}");
            Error::value(format!("{}/{name}", self.slug), "a printed row and dataset", found)
        })?;
        Ok(table.column(column)?.str()?.get(line).map(str::to_string))
    }

    /// As [`Printed::find`], and none also where the table has no such row or prints it for other datasets alone.
    ///
    /// # Errors
    /// No such table or column.
    ///
    /// ```
    /// use retrace::report::printed::Printed;
    /// const TABLES: [(&str, &str); 1] = [("table1", "label,dataset,acc1\nNew,Chair,71.70\n")];
    /// let printed = Printed { slug: "toy", tables: &TABLES, claims: "", metrics: &[] };
    /// assert_eq!(printed.find_if_there("table1", "New", "Chair", "acc1")?.as_deref(), Some("71.70"));
    /// assert_eq!(printed.find_if_there("table1", "New", "Shoe", "acc1")?, None);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn find_if_there(&self, name: &str, label: &str, dataset: &str, column: &str) -> Result<Option<String>> {
        let table = self.table(name)?;
        let cells = table.column(column)?.str()?;
        Ok(line_of(&table, label, dataset)?.and_then(|line| cells.get(line)).map(str::to_string))
    }

    /// A row's number in a metric, from the first table that prints one; none where all of them leave it blank, or print
    /// the row for other datasets alone.
    ///
    /// Names of datasets may differ in their capitals: the paper's `QMUL-Chair-V2` is the corpus `qmul-chair-v2`.
    ///
    /// # Errors
    /// A row that no table prints in this metric, or a number that is none.
    ///
    /// ```
    /// use retrace::report::printed::Printed;
    /// use retrace::report::score::ACC1;
    /// const TABLES: [(&str, &str); 1] = [("table1", "label,dataset,acc1\nNew,Chair,71.70\nOld,Chair,\n")];
    /// let printed = Printed { slug: "toy", tables: &TABLES, claims: "", metrics: &[] };
    /// assert_eq!(printed.level("New", "chair", &ACC1)?, Some(71.7));
    /// assert_eq!(printed.level("New", "shoe", &ACC1)?, None);
    /// assert!(printed.level("Newer", "chair", &ACC1).is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn level(&self, label: &str, dataset: &str, metric: &Metric) -> Result<Option<f64>> {
        let cells = self.cells(label, metric)?;
        if cells.is_empty() {
            return Err(Error::value("printed row", format!("a label with {metric} in {}", self.names()), label));
        }
        let own = cells.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case(dataset)).find_map(|(_, cell)| cell);
        let parse =
            |cell: String| cell.parse().map_err(|_| Error::value(format!("{metric} of {label}"), "a number", cell));
        own.map(parse).transpose()
    }

    /// What the tables print of a row in a metric, as (dataset, cell).
    fn cells(&self, label: &str, metric: &Metric) -> Result<Vec<(String, Option<String>)>> {
        let mut found = Vec::new();
        for (name, _) in self.tables {
            let table = self.table(name)?;
            let Ok(cells) = table.column(metric.name) else { continue };
            let (labels, datasets, cells) =
                (table.column("label")?.str()?, table.column("dataset")?.str()?, cells.str()?);
            let lines = (0..table.height()).filter(|&i| labels.get(i) == Some(label));
            let cell = |i| Some((datasets.get(i)?.to_string(), cells.get(i).map(str::to_string)));
            found.extend(lines.filter_map(cell));
        }
        Ok(found)
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.tables.iter().map(|(name, _)| format!("{}/{name}", self.slug)).collect();
        names.join(", ")
    }
}

/// The slug alone: tables are long.
impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Printed({})", self.slug)
    }
}

/// The place of a row of a dataset in a table.
fn line_of(table: &DataFrame, label: &str, dataset: &str) -> Result<Option<usize>> {
    let (labels, datasets) = (table.column("label")?.str()?, table.column("dataset")?.str()?);
    Ok((0..table.height()).find(|&i| labels.get(i) == Some(label) && datasets.get(i) == Some(dataset)))
}

/// Parses CSV text, leaving every column as text.
pub(super) fn read_text(text: &str) -> Result<DataFrame> {
    let options = CsvReadOptions::default().with_infer_schema_length(Some(0));
    Ok(options.into_reader_with_file_handle(Cursor::new(text.as_bytes())).finish()?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::score::{ACC1, ACC5};
    use super::*;

    /// A paper that says its own rows are better than its baseline, on corpora with toy names.
    pub const TOY: Printed = Printed {
        slug: "p",
        tables: &[
            ("text", "label,dataset,new,old\nDrop,Big-Chair,1,2\n"),
            (
                "table1",
                "label,dataset,acc1\nOld (A),Chair,67.82\nNew (A),Chair,71.70\nPeople [7],Big-Chair,\nPeople [7],Chair,54.00\n",
            ),
            ("table2", "label,dataset,acc1,acc5\nPeople [7],Big-Chair,63.00,\nWrong,Chair,many,\n"),
        ],
        claims: "id,where,statement,dataset,row_a,row_b,metric,direction,paper_effect\n\
                 gain-big-chair,\"Table 2, first rows\",New finds more than old,big-chair,new,old,acc1,greater,14.79\n\
                 gain-part,\"Table 2, first rows\",New finds more than old,big-chair,new-part,old-part,acc1,greater,\n\
                 gain,\"Table 2, first rows\",New finds more than old,chair shoe,new,old,acc1,greater,\n\
                 people-big-chair,Table 2,New finds more than people,big-chair,new,printed:People [7],acc1,greater,8.7\n\
                 people-shoe,Table 2,New finds more than people,shoe,new,printed:People [7],acc1,greater,\n\
                 early,Fig. 5,New finds more in part of a sketch,chair shoe,new,old,early,greater,\n\
                 strokes,Fig. 5,70% is enough,chair shoe,new@70,new,acc1,greater,\n\
                 smooth,Sec. 4,Galleries are smoother,chair shoe,new,old,smoothness,less,\n\
                 gradient,Sec. 4,Gradients agree,chair,new,old,spread,less,\n\
                 time,Sec. 4,Slow takes longer,chair,slow,new,time,greater,\n",
        metrics: &[],
    };

    #[test]
    fn level_is_the_first_printed_number_of_a_row() {
        assert_eq!(TOY.level("New (A)", "chair", &ACC1).unwrap(), Some(71.7));
        // Blank in the first table that has the row.
        assert_eq!(TOY.level("People [7]", "big-chair", &ACC1).unwrap(), Some(63.0));
        assert_eq!(TOY.level("People [7]", "shoe", &ACC1).unwrap(), None);
        assert_eq!(TOY.level("People [7]", "big-chair", &ACC5).unwrap(), None);
    }

    #[test]
    fn level_of_an_unknown_row_says_where_it_looked() {
        let error = TOY.level("People", "chair", &ACC1).unwrap_err().to_string();
        assert!(error.contains("acc1 in p/text, p/table1, p/table2") && error.contains("found People"), "{error}");
        assert!(TOY.level("New (A)", "chair", &ACC5).unwrap_err().to_string().contains("acc5"));
        assert!(TOY.level("Wrong", "chair", &ACC1).unwrap_err().to_string().contains("found many"));
    }

    #[test]
    fn find_leaves_blanks_blank_and_refuses_what_is_not_there() {
        assert_eq!(TOY.find("table1", "People [7]", "Big-Chair", "acc1").unwrap(), None);
        let error = TOY.find("table1", "People [7]", "Shoe", "acc1").unwrap_err().to_string();
        assert!(error.contains("p/table1") && error.contains("People [7] on Shoe"), "{error}");
        assert!(TOY.find("table1", "People [7]", "Chair", "acc7").is_err());
        assert_eq!(TOY.find_if_there("table1", "People [7]", "Shoe", "acc1").unwrap(), None);
        assert!(TOY.find_if_there("table1", "People [7]", "Shoe", "acc7").is_err());
        assert!(TOY.find("table9", "People [7]", "Chair", "acc1").unwrap_err().to_string().contains("p/table2"));
    }
}
