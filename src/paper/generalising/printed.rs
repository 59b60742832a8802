//! What this paper prints: a CSV file a table, and its claims.

use super::SLUG;
use crate::report::printed::Printed;

/// The numbers of Tables 1 and 3, and the claims.
///
/// ```
/// use retrace::paper::generalising::PRINTED;
/// assert_eq!((PRINTED.table("table1")?.height(), PRINTED.table("table3")?.height()), (12, 8));
/// assert_eq!(PRINTED.find("table1", "Ours-Full", "Sketchy", "acc1")?.as_deref(), Some("22.6"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub const PRINTED: Printed = Printed {
    slug: SLUG,
    tables: &[
        ("table1", include_str!("../../../data/papers/generalising/table1.csv")),
        ("analysis", include_str!("../../../data/papers/generalising/analysis.csv")),
        ("table3", include_str!("../../../data/papers/generalising/table3.csv")),
    ],
    claims: include_str!("../../../data/papers/generalising/claims.csv"),
    metrics: &[],
};
