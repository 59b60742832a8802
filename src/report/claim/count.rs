//! The number of comparisons with each verdict.

use super::{Finding, Verdict};
use std::fmt;

/// Comparisons by verdict; shown as a line for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerdictCounts {
    /// [`Verdict::Reproduced`].
    pub reproduced: usize,
    /// [`Verdict::NotReproduced`].
    pub not_reproduced: usize,
    /// [`Verdict::Undecided`].
    pub undecided: usize,
    /// [`Verdict::NotRun`].
    pub not_run: usize,
}

/// Counts findings by verdict.
///
/// ```
/// use retrace::report::claim::{VerdictCounts, counts};
/// assert_eq!(counts(&[]), VerdictCounts::default());
/// let found = VerdictCounts { reproduced: 48, not_reproduced: 80, undecided: 236, not_run: 0 };
/// assert_eq!(found.to_string(), "48 reproduced, 80 not reproduced, 236 undecided, none not run");
/// ```
pub fn counts(findings: &[Finding]) -> VerdictCounts {
    let of = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    VerdictCounts {
        reproduced: of(Verdict::Reproduced),
        not_reproduced: of(Verdict::NotReproduced),
        undecided: of(Verdict::Undecided),
        not_run: of(Verdict::NotRun),
    }
}

impl fmt::Display for VerdictCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.reproduced, Verdict::Reproduced),
            (self.not_reproduced, Verdict::NotReproduced),
            (self.undecided, Verdict::Undecided),
            (self.not_run, Verdict::NotRun),
        ];
        let number = |count: usize| if count == 0 { "none".into() } else { count.to_string() };
        f.write_str(&parts.map(|(count, verdict)| format!("{} {}", number(count), verdict.name())).join(", "))
    }
}
