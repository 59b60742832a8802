//! What this paper prints: a CSV file a table, and its claims.

use super::SLUG;
use super::analysis::DRAWS;
use crate::report::printed::Printed;

/// The numbers of the poster's tables and plots, of Table 8, and the claims; those of plots are read off, to half a point.
///
/// ```
/// use retrace::paper::adaptive::PRINTED;
/// assert_eq!(PRINTED.find("main", "Ours, k = 5", "Sketchy", "acc1")?.as_deref(), Some("28.1"));
/// assert_eq!(PRINTED.find("table8", "Ours (k=10)", "QMUL-Chair", "acc1")?.as_deref(), Some("67.6"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub const PRINTED: Printed = Printed {
    slug: SLUG,
    tables: &[
        ("main", include_str!("../../../data/papers/adaptive/main.csv")),
        ("ablation", include_str!("../../../data/papers/adaptive/ablation.csv")),
        ("table8", include_str!("../../../data/papers/adaptive/table8.csv")),
        ("steps", include_str!("../../../data/papers/adaptive/steps.csv")),
        ("dimension", include_str!("../../../data/papers/adaptive/dimension.csv")),
        ("classes", include_str!("../../../data/papers/adaptive/classes.csv")),
    ],
    claims: include_str!("../../../data/papers/adaptive/claims.csv"),
    metrics: &[&DRAWS],
};
