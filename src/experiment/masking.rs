//! Which parts of test sketches a paper leaves out.

use crate::dataset::{Mask, SceneMask};
use crate::seed::Seed;

/// The masks that every run of a corpus is ranked with beside whole sketches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masking {
    /// Objects or strokes.
    pub of: SceneMask,
    /// Shares that are left out.
    pub percents: &'static [u32],
    /// Draws of each.
    pub versions: u32,
}

/// One for all runs, which are shown the same sketches.
const SEED: Seed = Seed(0x5eed_3a5c);

impl Masking {
    /// Every mask, share by share.
    ///
    /// ```
    /// use retrace::{dataset::SceneMask, experiment::Masking};
    /// let masking = Masking { of: SceneMask::Strokes, percents: &[30, 50], versions: 10 };
    /// assert_eq!(masking.masks().count(), 20);
    /// ```
    pub fn masks(self) -> impl Iterator<Item = Mask> {
        let Self { of, percents, versions } = self;
        percents
            .iter()
            .flat_map(move |&percent| (0..versions).map(move |version| Mask { of, percent, seed: SEED, version }))
    }
}
