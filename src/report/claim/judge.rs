//! From an interval to a verdict, and verdicts after a correction for their number.

use super::{Direction, Finding, Verdict};
use crate::metric::Interval;
use adjustp::{Procedure, adjust};

/// A verdict counts as one where chance alone would give it at most this often.
const LEVEL: f64 = 0.05;

/// A verdict, and how likely chance alone would give an effect that is as clear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The p-value of the test behind it; none where nothing was tested.
    pub p: Option<f64>,
}

/// The verdict on an interval of A - B, given how far the paper's effect lies beyond it (in another unit, with its error).
///
/// ```
/// use retrace::metric::Interval;
/// use retrace::report::claim::{Direction::{Greater, Within}, Verdict, judge};
/// let of = |effect, error| Interval::of(effect, error, 1e9).unwrap(); // -+ 1.96 errors
/// let verdict = |interval, short| judge(interval, Greater, short).verdict;
/// assert_eq!(verdict(of(2.0, 0.5), Some(of(7.0, 1.0))), Verdict::Reproduced); // the side decides, not the size
/// assert_eq!(verdict(of(-2.0, 0.5), None), Verdict::NotReproduced);
/// assert_eq!(verdict(of(0.5, 1.0), Some(of(8.5, 2.0))), Verdict::NotReproduced); // holds 0, the paper's is far beyond
/// assert_eq!(verdict(of(0.5, 1.0), Some(of(8.5, 5.0))), Verdict::Undecided); // both may be of one effect
/// // Two one-sided tests: the 90% interval, -+ 1.645 errors, lies within the bounds.
/// assert_eq!(judge(of(-1.0, 1.0), Within(3.0), None).verdict, Verdict::Reproduced);
/// assert_eq!(judge(of(-1.0, 1.5), Within(3.0), None).verdict, Verdict::Undecided);
/// assert_eq!(judge(of(-6.0, 1.0), Within(3.0), None).verdict, Verdict::NotReproduced);
/// ```
///
/// # References
/// Schuirmann, A Comparison of the Two One-Sided Tests Procedure, J. Pharmacokinetics and Biopharmaceutics 1987.
pub fn judge(interval: Interval, direction: Direction, shortfall: Option<Interval>) -> Judgement {
    let turned = |found: Interval| Interval { effect: -found.effect, low: -found.high, high: -found.low, ..found };
    match direction {
        Direction::Greater => one_sided(interval, shortfall),
        Direction::Less => one_sided(turned(interval), shortfall.map(turned)),
        Direction::Within(bound) => within(interval, turned(interval), bound),
    }
}

fn one_sided(found: Interval, shortfall: Option<Interval>) -> Judgement {
    let (verdict, p) = match shortfall {
        _ if found.low > 0.0 => (Verdict::Reproduced, found.p()),
        _ if found.high < 0.0 => (Verdict::NotReproduced, found.p()),
        // The second test of a claim: its p-value is that of two.
        Some(short) if short.low > 0.0 => (Verdict::NotReproduced, (2.0 * short.p()).min(1.0)),
        _ => (Verdict::Undecided, found.p()),
    };
    Judgement { verdict, p: Some(p) }
}

fn within(found: Interval, turned: Interval, bound: f64) -> Judgement {
    let inside = found.p_above(-bound).max(turned.p_above(-bound));
    let (verdict, p) = if inside < LEVEL {
        (Verdict::Reproduced, inside)
    } else if found.low > bound || found.high < -bound {
        (Verdict::NotReproduced, 2.0 * found.p_above(bound).min(turned.p_above(bound)))
    } else {
        (Verdict::Undecided, inside)
    };
    Judgement { verdict, p: Some(p) }
}

/// Says which verdicts stay after a correction for the number of comparisons: of a paper's primary claims among each
/// other, and of all its others among each other.
///
/// A row of one training shows nothing of how far trainings differ, so what rests on one decides nothing here; time and
/// memory of a step do not depend on the training.
///
/// # References
/// Benjamini and Hochberg, Controlling the False Discovery Rate, J. R. Statist. Soc. B 1995.
pub(super) fn correct(findings: &mut [Finding]) {
    let family = |finding: &Finding| (finding.claim.printed.slug, finding.claim.is_primary);
    let mut families: Vec<_> = findings.iter().map(family).collect();
    families.sort_unstable();
    families.dedup();
    for own in families {
        let tested = |finding: &&mut Finding| family(finding) == own && finding.p.is_some();
        let raw: Vec<f64> = findings.iter_mut().filter(tested).filter_map(|finding| finding.p).collect();
        let adjusted = adjust(&raw, Procedure::BenjaminiHochberg);
        for (finding, p) in findings.iter_mut().filter(tested).zip(adjusted) {
            let is_lone = finding.claim.metric.differs_by_training && finding.seeds.contains(&1);
            finding.corrected = if p <= LEVEL && !is_lone { finding.verdict } else { Verdict::Undecided };
        }
    }
}
