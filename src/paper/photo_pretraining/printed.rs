//! What this paper prints: a CSV file a table, and its claims.

use super::SLUG;
use crate::report::printed::Printed;

/// The numbers of Tables 1 to 4, those of the text (`analysis`: a column a row), and the claims.
///
/// ```
/// use retrace::paper::photo_pretraining::PRINTED;
/// assert_eq!(PRINTED.table("table2")?.height(), 25 * 5); // methods x datasets
/// let cell = PRINTED.find("table2", "Ours (ImageNet)", "QMUL-Chair-V2", "acc1")?;
/// assert_eq!(cell.as_deref(), Some("71.70"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub const PRINTED: Printed = Printed {
    slug: SLUG,
    tables: &[
        ("analysis", include_str!("../../../data/papers/photo_pretraining/analysis.csv")),
        ("table1", include_str!("../../../data/papers/photo_pretraining/table1.csv")),
        ("table2", include_str!("../../../data/papers/photo_pretraining/table2.csv")),
        ("table3", include_str!("../../../data/papers/photo_pretraining/table3.csv")),
        ("table4", include_str!("../../../data/papers/photo_pretraining/table4.csv")),
    ],
    claims: include_str!("../../../data/papers/photo_pretraining/claims.csv"),
    metrics: &[],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::score::ACC1;

    fn number(table: &str, label: &str, dataset: &str) -> f64 {
        PRINTED.find(table, label, dataset, "acc1").unwrap().unwrap().parse().unwrap()
    }

    #[test]
    fn every_cell_is_a_percentage_or_blank_and_stands_once() {
        for (name, _) in PRINTED.tables.iter().filter(|table| table.0 != "analysis") {
            let table = PRINTED.table(name).unwrap();
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
        assert_eq!(PRINTED.find("table2", "Yu et al. (CVPR16 [78])", "QMUL-Chair-V2", "acc1").unwrap(), None);
        let acc = PRINTED.table("table2").unwrap().column("acc1").unwrap().null_count();
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
                let base = PRINTED.find("table4", &label, dataset, "base_acc1").unwrap().unwrap();
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
    fn people_are_printed_once() {
        assert_eq!(PRINTED.level("Human Trials [79]", "qmul-chair-v2", &ACC1).unwrap(), Some(63.0));
        assert!(PRINTED.level("Ours", "qmul-chair-v2", &ACC1).unwrap_err().to_string().contains("table4"));
    }
}
