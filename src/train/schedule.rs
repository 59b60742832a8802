use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the rate moves from the first step to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The same rate throughout.
    #[default]
    Constant,
    /// Half a cosine from the full rate to zero.
    Cosine,
}

impl Schedule {
    /// The factor on the rate at `step` of `total`.
    ///
    /// ```text
    /// constant: 1        cosine: (1 + cos(pi step / total)) / 2
    /// ```
    ///
    /// ```
    /// use retrace::train::Schedule;
    /// assert_eq!(Schedule::Constant.factor(7, 10), 1.0);
    /// assert_eq!(Schedule::Cosine.factor(0, 10), 1.0);
    /// assert!((Schedule::Cosine.factor(5, 10) - 0.5).abs() < 1e-12);
    /// assert!(Schedule::Cosine.factor(10, 10) < 1e-12);
    /// ```
    pub fn factor(self, step: usize, total: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine => (1.0 + (PI * step.min(total) as f64 / total.max(1) as f64).cos()) / 2.0,
        }
    }
}
