//! Metrics of distances and of ranks: pure functions, no model, no file.
//!
//! ```text
//! distances (queries x gallery) -> ranks (1 = best) -> Acc@K, percentile, median, intervals
//! ```

mod accuracy;
mod contrast;
mod drop;
mod frechet;
mod quantile;
mod rank;

pub use accuracy::{acc_at, average_percentile, mean_sd};
pub use contrast::{Interval, Term, contrast};
pub use drop::relative_drops;
pub use frechet::frechet_distance;
pub use quantile::quantile;
pub use rank::{Tie, distances, nearest, ranks};
