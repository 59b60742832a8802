//! What this paper prints: a CSV file a table, and its claims.

use super::SLUG;
use crate::report::printed::Printed;

/// The numbers of Tables 1 to 3, and the claims.
///
/// ```
/// use retrace::paper::generalising::PRINTED;
/// let heights = ["table1", "table2", "table3"].map(|name| PRINTED.table(name).map(|table| table.height()).ok());
/// assert_eq!(heights, [Some(12), Some(20), Some(8)]);
/// assert_eq!(PRINTED.find("table1", "Ours-Full", "Sketchy", "acc1")?.as_deref(), Some("22.6"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub const PRINTED: Printed = Printed {
    slug: SLUG,
    tables: &[
        ("table1", include_str!("../../../data/papers/generalising/table1.csv")),
        ("table2", include_str!("../../../data/papers/generalising/table2.csv")),
        ("analysis", include_str!("../../../data/papers/generalising/analysis.csv")),
        ("table3", include_str!("../../../data/papers/generalising/table3.csv")),
    ],
    claims: include_str!("../../../data/papers/generalising/claims.csv"),
    metrics: &[],
};
