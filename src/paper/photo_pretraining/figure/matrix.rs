//! Table 4 as a figure.

use super::{count_seeds, measured, name};
use crate::Result;
use crate::paper::photo_pretraining::table::{PRETRAININGS, base, cross};
use crate::report::figure::heat::{self, Heat};
use crate::report::table::Measured;
use std::path::Path;

/// How many pre-trainings there are to start from, and to take R from.
const COUNT: usize = PRETRAININGS.len();

/// Table 4 as a matrix beside Ours-Base; none before one of its crossed cells was run.
///
/// A pre-training of which nothing was run has no line and no column: CLIP on real photos, which have no words.
///
/// # Errors
/// A record that does not read.
pub fn table4(results: &Path, dataset: &str) -> Result<Option<String>> {
    let cells = Cells::read(results, dataset)?;
    let (own_seeds, crossed) = cells.seeds();
    if crossed.is_empty() {
        return Ok(None);
    }
    let (there, absent): (Vec<usize>, Vec<usize>) = (0..COUNT).partition(|&own| cells.is_run(own));
    let names = |of: &[usize]| -> Vec<String> { of.iter().map(|&own| name(&PRETRAININGS[own]).to_string()).collect() };
    let missing = if absent.is_empty() { String::new() } else { format!(" Not run: {}.", names(&absent).join(", ")) };
    let acc1 = |found: &Option<Measured>| found.as_ref().map(|found| found.acc1.0);
    let line = |own: usize| there.iter().map(|&source| acc1(&cells.ours[own][source])).collect::<Vec<_>>();
    let heat = Heat {
        title: format!("Table 4: Acc@1 (%) of Ours by source of R, {dataset}"),
        note: format!(
            "Whether R helps: compare a cell with Ours-Base of its line; below each number stands the difference. Means \
             over seeds: Ours-Base and the diagonal {}, the other cells {}.{missing}",
            count_seeds(&own_seeds),
            count_seeds(&crossed)
        ),
        row: "Pre-training".into(),
        column: "Ours, source of R".into(),
        rows: names(&there),
        columns: names(&there),
        values: there.iter().flat_map(|&own| line(own)).collect(),
        base: Some(("Ours-Base".into(), there.iter().map(|&own| acc1(&cells.base[own])).collect())),
        decimals: 1,
    };
    heat::draw(&heat).map(Some)
}

/// What was measured, by start and by source of R.
struct Cells {
    base: Vec<Option<Measured>>,
    ours: Vec<Vec<Option<Measured>>>,
}

impl Cells {
    fn read(results: &Path, dataset: &str) -> Result<Self> {
        let of = |row: &str| measured(results, dataset, row);
        let line = |own| PRETRAININGS.iter().map(|&source| of(&cross(own, source))).collect();
        Ok(Self {
            base: PRETRAININGS.iter().map(|&own| of(&base(own))).collect::<Result<_>>()?,
            ours: PRETRAININGS.iter().map(|&own| line(own)).collect::<Result<_>>()?,
        })
    }

    fn is_run(&self, own: usize) -> bool {
        let crosses = |other: usize| self.ours[own][other].is_some() || self.ours[other][own].is_some();
        self.base[own].is_some() || (0..COUNT).any(crosses)
    }

    /// Numbers of seeds: of Ours-Base and the diagonal, and of the other cells.
    fn seeds(&self) -> (Vec<usize>, Vec<usize>) {
        let count = |found: &Option<Measured>| found.as_ref().map(|found| found.seeds);
        let mut own: Vec<usize> = self.base.iter().filter_map(count).collect();
        let mut crossed = Vec::new();
        for (start, line) in self.ours.iter().enumerate() {
            for (source, found) in line.iter().enumerate() {
                let seeds = if start == source { &mut own } else { &mut crossed };
                seeds.extend(count(found));
            }
        }
        (own, crossed)
    }
}
