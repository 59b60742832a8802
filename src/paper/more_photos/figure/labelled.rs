//! Fig. 4b: Acc@1 over the share of the training photos whose sketches are used.

use super::super::table::SHARES;
use crate::Result;
use crate::report::figure::sweep::Sweep;
use crate::report::records::Records;

/// The rows that are trained on a share, and their labels.
const LINES: [(&str, &str); 2] = [("ours-f", "Ours-F: supervised"), ("ours-f-full", "Ours-F-Full: semi-supervised")];

/// Both rows over the share; none before one of them was run on two shares.
///
/// # Errors
/// A record that cannot be read.
pub(super) fn draw(records: &Records) -> Result<Option<String>> {
    let shares: Vec<String> = SHARES.iter().chain(&[100]).map(u32::to_string).collect();
    let mut sweep = Sweep::new(*records, &shares.iter().map(String::as_str).collect::<Vec<_>>())?;
    for (row, label) in LINES {
        sweep.add_line(label, &|share| named(row, share))?;
    }
    let title = format!("Fig. 4b: Acc@1 over the share of labelled photos, {}", records.dataset);
    let name = "Training photos whose sketches are used (%)";
    sweep.draw(&title, name, "Semi-supervised: the others are among the photos without a sketch.")
}

/// A row that uses a share of the sketches.
fn named(row: &str, share: &str) -> String {
    if share == "100" { row.into() } else { format!("{row}+labelled={share}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::more_photos::table;

    #[test]
    fn every_point_is_a_row_of_the_table() {
        let rows: Vec<String> = table::labelled().rows.into_iter().filter_map(|row| row.row).collect();
        let points = LINES.map(|(row, _)| ["25", "50", "100"].map(|share| named(row, share))).concat();
        assert_eq!(rows, points);
    }
}
