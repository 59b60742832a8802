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
    /// The same after a rise from zero over the first twentieth of all steps.
    WarmCosine,
}

/// The share of all steps over which a rate rises: batch statistics and Adam's moments settle in a few dozen steps.
const WARM_UP: f64 = 0.05;

impl Schedule {
    /// The factor on the rate at `step` of `total`.
    ///
    /// ```text
    /// constant: 1        cosine: (1 + cos(pi step / total)) / 2
    /// warm cosine: (step + 1) / w for step < w = ceil(0.05 total), then (1 + cos(pi (step - w) / (total - w))) / 2
    /// ```
    ///
    /// ```
    /// use retrace::train::Schedule;
    /// assert_eq!(Schedule::Constant.factor(7, 10), 1.0);
    /// assert_eq!(Schedule::Cosine.factor(0, 10), 1.0);
    /// assert!((Schedule::Cosine.factor(5, 10) - 0.5).abs() < 1e-12);
    /// assert!(Schedule::Cosine.factor(10, 10) < 1e-12);
    /// let warm = [0, 4, 5, 100].map(|step| Schedule::WarmCosine.factor(step, 100));
    /// assert_eq!(warm[..3], [0.2, 1.0, 1.0]);
    /// assert!(warm[3] < 1e-12);
    /// ```
    pub fn factor(self, step: usize, total: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine => cosine(step, total),
            Self::WarmCosine => {
                let rise = (WARM_UP * total as f64).ceil() as usize;
                if step < rise { (step + 1) as f64 / rise as f64 } else { cosine(step - rise, total - rise) }
            }
        }
    }
}

fn cosine(step: usize, total: usize) -> f64 {
    (1.0 + (PI * step.min(total) as f64 / total.max(1) as f64).cos()) / 2.0
}
