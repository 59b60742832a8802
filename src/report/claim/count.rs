//! The number of comparisons with each verdict.

use super::{Finding, Verdict};
use std::fmt;

/// Comparisons by verdict; shown as a line for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerdictCounts([usize; Verdict::ALL.len()]);

impl VerdictCounts {
    /// The number of comparisons with a verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        Verdict::ALL.into_iter().zip(self.0).find(|(other, _)| *other == verdict).map_or(0, |(_, count)| count)
    }
}

/// Counts findings by verdict.
///
/// ```
/// use retrace::report::claim::{Verdict, counts};
/// assert_eq!(counts(&[]).of(Verdict::Reproduced), 0);
/// let text = counts(&[]).to_string();
/// assert_eq!(text, "none reproduced, none not reproduced, none undecided, none not comparable, none not run");
/// ```
pub fn counts(findings: &[Finding]) -> VerdictCounts {
    count(findings, |finding| finding.verdict)
}

/// Counts findings by the verdict that stays once the number of comparisons is allowed for.
pub fn corrected_counts(findings: &[Finding]) -> VerdictCounts {
    count(findings, |finding| finding.corrected)
}

fn count(findings: &[Finding], of: fn(&Finding) -> Verdict) -> VerdictCounts {
    VerdictCounts(Verdict::ALL.map(|verdict| findings.iter().filter(|finding| of(finding) == verdict).count()))
}

impl fmt::Display for VerdictCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: usize| if count == 0 { "none".into() } else { count.to_string() };
        let part = |(verdict, count): (Verdict, usize)| format!("{} {}", number(count), verdict.name());
        f.write_str(&Verdict::ALL.into_iter().zip(self.0).map(part).collect::<Vec<_>>().join(", "))
    }
}
