//! Acc@K against the share of the sketch's objects or strokes that is left out.

use super::axis::Axis;
use super::panel::{self, Deviation, Panel, PanelLine, note, top};
use crate::Result;
use crate::metric::acc_at;
use crate::report::record::Run;
use crate::report::records::Records;
use crate::report::score::read_masked;

/// A panel for each K of Acc@K.
const KS: [u32; 2] = [1, 10];

/// Draws some rows, each given as (row, label), under titles that begin with `title`; none where no row recorded masked
/// sketches.
///
/// A line is the mean over draws and seeds, its band one standard deviation over seeds; at 0 the sketch is whole.
///
/// # Errors
/// A run that is inconsistent.
///
/// # References
/// Chowdhury et al., Partially Does It, CVPR 2022, Fig. 1b.
pub fn draw(records: &Records, title: &str, rows: &[(&str, &str)]) -> Result<Option<String>> {
    let mut panels = Vec::new();
    for k in KS {
        let (lines, counts) = lines(records, rows, k)?;
        if lines.is_empty() {
            return Ok(None);
        }
        panels.push(Panel {
            title: format!("{title}: Acc@{k}"),
            note: format!("mean over draws; {}", note(&counts)),
            x: Axis::new("Share of the sketch left out (%)", (0.0, 70.0)),
            y: Axis::new(&format!("Acc@{k} (%)"), (0.0, top(&lines))),
            lines,
            levels: Vec::new(),
            marks: true,
            deviation: Deviation::Band,
        });
    }
    panel::draw_row((560 * panels.len() as u32, 400), &panels).map(Some)
}

/// The lines of a K, and over how many seeds each of them is.
fn lines(records: &Records, rows: &[(&str, &str)], k: u32) -> Result<(Vec<PanelLine>, Vec<usize>)> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    for (row, label) in rows {
        let seeds = records.runs(row)?.iter().map(|run| points(run, k)).collect::<Result<Vec<_>>>()?;
        let line = PanelLine::of(label, seeds)?;
        if line.points.len() > 1 {
            counts.push(line.seeds.len());
            lines.push(line);
        }
    }
    Ok((lines, counts))
}

/// (percent left out, mean Acc@K over the draws), from the whole sketch on.
fn points(run: &Run, k: u32) -> Result<Vec<(f64, f64)>> {
    let mut points = vec![(0.0, acc_at(&run.values(), k)?)];
    for share in read_masked(run)?.chunk_by(|a, b| a.percent == b.percent) {
        let of = |ranks: &[crate::run::Rank]| acc_at(&ranks.iter().map(|rank| rank.rank).collect::<Vec<_>>(), k);
        let scores = share.iter().map(|draw| of(&draw.ranks)).collect::<Result<Vec<f64>>>()?;
        points.push((f64::from(share[0].percent), scores.iter().sum::<f64>() / scores.len() as f64));
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::tests::{folder, write_run};
    use crate::run::{MaskedRanks, Rank};

    #[test]
    fn points_are_means_over_draws() {
        let place = tempfile::tempdir().unwrap();
        let at = folder(place.path(), "d", "r", 0);
        write_run(&at, &[1, 1, 12, 3]);
        let records = Records { results: place.path(), slug: "p", dataset: "d" };
        assert_eq!(draw(&records, "Toys", &[("r", "Row")]).unwrap(), None);
        let ranks = at.ranks().unwrap();
        let draws = [(30, 0, 1), (30, 1, 2), (50, 0, 5), (50, 1, 5)].map(|(percent, version, rank)| MaskedRanks {
            percent,
            version,
            ranks: ranks.iter().map(|own| Rank { rank, ..*own }).collect(),
        });
        at.write_masked(&draws).unwrap();
        let run = records.runs("r").unwrap().remove(0);
        assert_eq!(points(&run, 1).unwrap(), [(0.0, 50.0), (30.0, 50.0), (50.0, 0.0)]);
        let svg = draw(&records, "Toys", &[("r", "Row"), ("none", "None")]).unwrap().unwrap();
        assert!(svg.contains("left out") && svg.contains("Row") && !svg.contains("None"));
    }
}
