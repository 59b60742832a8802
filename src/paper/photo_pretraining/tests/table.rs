//! The tables against what the paper prints.

use crate::paper::photo_pretraining::PRINTED;
use crate::paper::photo_pretraining::table::table4;
use crate::report::table;

/// Every line of the paper's Table 4 is headed by its Ours-Base.
#[test]
fn ours_base_heads_every_line_of_table_4() {
    let place = tempfile::tempdir().unwrap();
    let table = table::build(place.path(), &table4()).unwrap();
    let lines: Vec<_> = table.lines.iter().filter(|line| line.dataset_label == "QMUL-Chair-V2").collect();
    assert_eq!(lines.len(), 5 * (1 + 5));
    for line in lines.chunks(6) {
        assert!(line[0].label.ends_with(" / Ours-Base") && line[0].row.as_ref().unwrap().starts_with("ours-base"));
        let weights = line[0].row.as_ref().unwrap().trim_start_matches("ours-base");
        for cell in &line[1..] {
            assert!(cell.row.as_ref().unwrap().starts_with(&format!("ours{weights}")));
            let base = PRINTED.find("table4", &cell.label, "QMUL-Chair-V2", "base_acc1").unwrap();
            assert_eq!(line[0].paper, base, "{}", cell.label);
        }
    }
}
