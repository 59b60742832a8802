//! What this paper prints: a CSV file a table, and its claims.

use super::SLUG;
use super::analysis::{CERTAINTY, FRECHET, RECOGNISED1, RECOGNISED10};
use crate::report::printed::Printed;

/// The numbers of Tables 1 to 3, of the text and of the supplement, and the claims; with the metrics of generated sketches.
/// Fig. 4 prints no numbers.
///
/// Table 3 has two rows a setting: what retrieval finds, and how many generated sketches find their photo.
///
/// ```
/// use retrace::paper::more_photos::PRINTED;
/// let heights = ["table1", "table2", "table3", "analysis"].map(|name| PRINTED.table(name).map(|table| table.height()).ok());
/// assert_eq!(heights, [Some(12), Some(22), Some(12), Some(12)]);
/// assert_eq!(PRINTED.find("table1", "Ours-G-Full", "QMUL-Chair-V2", "frechet")?.as_deref(), Some("8.9"));
/// assert_eq!(PRINTED.find("table2", "Ours-F-Full", "QMUL-Shoe-V2", "acc1")?.as_deref(), Some("39.1"));
/// assert_eq!(PRINTED.find("table3", "Ours-G-Full without AT", "QMUL-Shoe-V2", "acc1")?.as_deref(), Some("5.1"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub const PRINTED: Printed = Printed {
    slug: SLUG,
    tables: &[
        ("table1", include_str!("../../../data/papers/more_photos/table1.csv")),
        ("table2", include_str!("../../../data/papers/more_photos/table2.csv")),
        ("table3", include_str!("../../../data/papers/more_photos/table3.csv")),
        ("analysis", include_str!("../../../data/papers/more_photos/analysis.csv")),
    ],
    claims: include_str!("../../../data/papers/more_photos/claims.csv"),
    metrics: &[&RECOGNISED1, &RECOGNISED10, &FRECHET, &CERTAINTY],
};
