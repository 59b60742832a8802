//! What this paper prints: a CSV file a table, and its claims.

use super::SLUG;
use crate::report::printed::Printed;
use crate::report::score::{
    ACC1_MASKED_30, ACC1_MASKED_50, ACC1_MASKED_70, ACC10_MASKED_30, ACC10_MASKED_50, ACC10_MASKED_70, LOST1_30,
    LOST1_50, LOST10_30, LOST10_50,
};

/// The numbers of Tables 1 to 4, of the text and of Fig. 1b, and the claims; with the metrics of masked sketches.
///
/// ```
/// use retrace::paper::partially::PRINTED;
/// let heights = ["table1", "table2", "table3", "table4"].map(|name| PRINTED.table(name).map(|table| table.height()).ok());
/// assert_eq!(heights, [Some(9), Some(10), Some(9), Some(5)]);
/// assert_eq!(PRINTED.find("table1", "Proposed", "SketchyScene", "acc1-masked30")?.as_deref(), Some("20.6 ± 0.3"));
/// # Ok::<(), retrace::Error>(())
/// ```
pub const PRINTED: Printed = Printed {
    slug: SLUG,
    tables: &[
        ("table1", include_str!("../../../data/papers/partially/table1.csv")),
        ("table2", include_str!("../../../data/papers/partially/table2.csv")),
        ("table3", include_str!("../../../data/papers/partially/table3.csv")),
        ("table4", include_str!("../../../data/papers/partially/table4.csv")),
        ("analysis", include_str!("../../../data/papers/partially/analysis.csv")),
        ("figure1", include_str!("../../../data/papers/partially/figure1.csv")),
    ],
    claims: include_str!("../../../data/papers/partially/claims.csv"),
    metrics: &[
        &ACC1_MASKED_30,
        &ACC1_MASKED_50,
        &ACC1_MASKED_70,
        &ACC10_MASKED_30,
        &ACC10_MASKED_50,
        &ACC10_MASKED_70,
        &LOST1_30,
        &LOST1_50,
        &LOST10_30,
        &LOST10_50,
    ],
};
