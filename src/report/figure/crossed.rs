//! Rows that are crossed, e.g. each pre-training with a ranking from each other, as a matrix beside what they are compared
//! with.

use super::heat::{self, Heat};
use super::seeds;
use crate::Result;
use crate::metric::{Interval, Term, contrast};
use crate::report::record::{Run, check_same_queries};
use crate::report::records::Records;
use crate::report::score::{ACC1, RowScores};
use crate::report::table::measure;

/// The crossed rows; every list has an entry for each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossed {
    /// The title.
    pub title: String,
    /// The question that a cell beside its base answers.
    pub question: String,
    /// The heading of the lines.
    pub row: String,
    /// The heading of the columns.
    pub column: String,
    /// The name of the rows that cells are compared with.
    pub base: String,
    /// The kinds, from top to bottom and from left to right.
    pub kinds: Vec<String>,
    /// The row that each line is compared with.
    pub bases: Vec<String>,
    /// The rows of each line.
    pub cells: Vec<Vec<String>>,
}

/// Draws Acc@1 of the cells beside their bases; none before a cell off the diagonal was run. A kind of which nothing was
/// run has no line and no column.
///
/// # Errors
/// A record that cannot be read.
pub fn draw(records: &Records, crossed: &Crossed) -> Result<Option<String>> {
    let cells = Cells::read(records, crossed)?;
    let (own_seeds, crossed_seeds) = cells.seeds();
    if crossed_seeds.is_empty() {
        return Ok(None);
    }
    let (there, absent): (Vec<usize>, Vec<usize>) = (0..crossed.kinds.len()).partition(|&kind| cells.is_run(kind));
    let names = |of: &[usize]| -> Vec<String> { of.iter().map(|&kind| crossed.kinds[kind].clone()).collect() };
    let missing = if absent.is_empty() { String::new() } else { format!(" Not run: {}.", names(&absent).join(", ")) };
    let places = || there.iter().flat_map(|&own| there.iter().map(move |&source| (own, source)));
    let Crossed { question, base, .. } = crossed;
    let heat = Heat {
        title: crossed.title.clone(),
        note: format!(
            "{question}: below each number stands what it gains over {base} of its line, with its 95% interval. Means over \
             seeds: {base} and the diagonal (framed) {}, the other cells {}.{missing}",
            seeds::count(&own_seeds),
            seeds::count(&crossed_seeds)
        ),
        row: crossed.row.clone(),
        column: crossed.column.clone(),
        rows: names(&there),
        columns: names(&there),
        values: places().map(|(own, source)| acc1(&cells.cells[own][source])).collect::<Result<_>>()?,
        base: (base.clone(), there.iter().map(|&own| acc1(&cells.bases[own])).collect::<Result<_>>()?),
        gains: places()
            .map(|(own, source)| gain(&cells.cells[own][source], &cells.bases[own]))
            .collect::<Result<_>>()?,
        decimals: 1,
    };
    heat::draw(&heat).map(Some)
}

/// What a row gains over its base in Acc@1; none where one of them was not run.
fn gain(runs: &[Run], bases: &[Run]) -> Result<Option<Interval>> {
    let (Some(own), Some(base)) = (ACC1.scores(runs)?, ACC1.scores(bases)?) else { return Ok(None) };
    check_same_queries(&runs[0], &bases[0])?;
    let term = |weight, row: RowScores| Term { weight, scores: row.by_seed.into_values().collect() };
    let groups = own.groups.clone();
    contrast(&[term(1.0, own), term(-1.0, base)], &groups).map(Some)
}

fn acc1(runs: &[Run]) -> Result<Option<f64>> {
    Ok(measure(runs)?.map(|found| found.acc1.0))
}

/// The runs of every row, each read once.
struct Cells {
    bases: Vec<Vec<Run>>,
    cells: Vec<Vec<Vec<Run>>>,
}

impl Cells {
    fn read(records: &Records, crossed: &Crossed) -> Result<Self> {
        let of = |rows: &Vec<String>| rows.iter().map(|row| records.runs(row)).collect::<Result<Vec<_>>>();
        Ok(Self { bases: of(&crossed.bases)?, cells: crossed.cells.iter().map(of).collect::<Result<_>>()? })
    }

    fn is_run(&self, kind: usize) -> bool {
        let crosses = |other: usize| !self.cells[kind][other].is_empty() || !self.cells[other][kind].is_empty();
        !self.bases[kind].is_empty() || (0..self.cells.len()).any(crosses)
    }

    /// Numbers of seeds: of the bases and the diagonal, and of the other cells.
    fn seeds(&self) -> (Vec<usize>, Vec<usize>) {
        let count = |runs: &Vec<Run>| Some(runs.len()).filter(|count| *count > 0);
        let mut own: Vec<usize> = self.bases.iter().filter_map(count).collect();
        let mut crossed = Vec::new();
        for (line, cells) in self.cells.iter().enumerate() {
            for (column, runs) in cells.iter().enumerate() {
                let seeds = if line == column { &mut own } else { &mut crossed };
                seeds.extend(count(runs));
            }
        }
        (own, crossed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::tests::{check, contents};
    use crate::report::record::tests::{folder, write_run};
    use usvg::roxmltree::Document;

    #[test]
    fn kind_that_was_not_run_has_no_line() {
        let place = tempfile::tempdir().unwrap();
        let records = Records { results: place.path(), slug: "p", dataset: "d" };
        let kinds = ["A", "B", "C"];
        let crossed = Crossed {
            title: "T".into(),
            question: "Whether it helps".into(),
            row: "Down".into(),
            column: "Across".into(),
            base: "Base".into(),
            kinds: kinds.map(String::from).into(),
            bases: kinds.map(|kind| format!("base-{kind}")).into(),
            cells: kinds.map(|own| kinds.map(|source| format!("{own}-{source}")).into()).into(),
        };
        let put = |row: &str, ranks: &[u32]| write_run(&folder(place.path(), "d", row, 0), ranks);
        put("base-A", &[1, 1, 2, 2]);
        put("A-A", &[1, 1, 1, 2]);
        assert!(draw(&records, &crossed).unwrap().is_none()); // nothing is crossed yet
        put("A-B", &[1, 2, 2, 2]);
        let svg = draw(&records, &crossed).unwrap().unwrap();
        check("crossed", &svg);
        let found = contents(&Document::parse(&svg).unwrap());
        for content in ["Base", "50.0", "75.0", "+25.0", "25.0", "-25.0"] {
            assert_eq!(found.iter().filter(|found| *found == content).count(), 1, "{content}: {found:?}");
        }
        assert_eq!(found.iter().filter(|found| *found == "not run").count(), 2 + 1); // a line of two cells, its base
        let said = found.join(" ");
        assert!(said.contains("Base and the diagonal (framed) 1 seed, the other cells 1 seed. Not run: C."), "{said}");
    }
}
