//! Error attribution: whether the sketch or the model causes a wrong answer.

use crate::metric::quantile;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The share of errors whose score is small where nothing better is known: the median calls as many scores large as
/// small.
pub const MEDIAN: f64 = 0.5;

/// The scores of one wrong answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorScores {
    /// Smoothness of what the judged model found, S; see [`super::smoothness`].
    pub smoothness: f64,
    /// Fidelity of what it found, F; see [`super::fidelity`].
    pub fidelity: f64,
    /// Smoothness of what a reference model found for the same sketch, S_ref.
    pub reference: f64,
}

/// The thresholds above which scores are large.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// The threshold of S.
    pub smoothness: f64,
    /// The threshold of F.
    pub fidelity: f64,
    /// The threshold of S_ref.
    pub reference: f64,
}

/// The four scenarios of a wrong answer, and the case that they leave open; see [`attribute`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// 1: the sketch has drifted off the photo manifold.
    UserDrift,
    /// 2: similar photos and the right one nearby, but the wrong one first.
    Model,
    /// 3: on the manifold, far from the right photo, and in a style that the reference model cannot place either.
    ModelStyle,
    /// 4: on the manifold, far from the right photo, too simple a sketch.
    UserSimple,
    /// Unlike photos, yet near the right one: a case that no scenario names.
    Unclassified,
}

/// What causes a wrong answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// The sketch.
    User,
    /// The network.
    Model,
}

impl Scenario {
    /// Its number.
    pub fn number(self) -> Option<u8> {
        match self {
            Self::UserDrift => Some(1),
            Self::Model => Some(2),
            Self::ModelStyle => Some(3),
            Self::UserSimple => Some(4),
            Self::Unclassified => None,
        }
    }

    /// What causes the error.
    pub fn blame(self) -> Option<Blame> {
        match self {
            Self::UserDrift | Self::UserSimple => Some(Blame::User),
            Self::Model | Self::ModelStyle => Some(Blame::Model),
            Self::Unclassified => None,
        }
    }
}

impl Thresholds {
    /// The quantile of each score over all errors: linear between the two nearest values (Hyndman and Fan's type 7).
    ///
    /// ```text
    /// place = share * (n - 1)        threshold = x(floor place) + (x(ceil place) - x(floor place)) * fraction of place
    /// ```
    ///
    /// # Shapes
    /// `share` is in `0..=1`; [`MEDIAN`] is the usual one.
    ///
    /// # Errors
    /// No error to learn from, a score that is not finite, or a share outside `0..=1`.
    pub fn of(errors: &[ErrorScores], share: f64) -> Result<Self> {
        let threshold = |score: fn(&ErrorScores) -> f64| quantile(&errors.iter().map(score).collect::<Vec<_>>(), share);
        Ok(Self {
            smoothness: threshold(|scores| scores.smoothness)?,
            fidelity: threshold(|scores| scores.fidelity)?,
            reference: threshold(|scores| scores.reference)?,
        })
    }
}

/// Sorts wrong answers into scenarios.
///
/// ```text
///             F large                                    F small
/// S large     1 user                                     unclassified
/// S small     3 model if S_ref is large, else 4 user     2 model
/// ```
///
/// A score is large above its threshold; one that is equal to it is small.
///
/// # Shapes
/// One scenario an error, in order.
///
/// # Errors
/// A score or a threshold that is not finite.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 4 (Retrieval Error Attribution).
///
/// ```
/// use retrace::analysis::{MEDIAN, Scenario, ErrorScores, Thresholds, attribute};
/// let errors = [(1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (9.0, 9.0, 9.0)]
///     .map(|(smoothness, fidelity, reference)| ErrorScores { smoothness, fidelity, reference });
/// let thresholds = Thresholds::of(&errors, MEDIAN)?; // 2 each
/// assert_eq!(attribute(&errors, &thresholds)?, [Scenario::Model, Scenario::Model, Scenario::UserDrift]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn attribute(errors: &[ErrorScores], thresholds: &Thresholds) -> Result<Vec<Scenario>> {
    let Thresholds { smoothness, fidelity, reference } = *thresholds;
    let thresholds = ErrorScores { smoothness, fidelity, reference };
    for (what, scores) in
        errors.iter().map(|scores| ("scores of an error", scores)).chain([("thresholds", &thresholds)])
    {
        if ![scores.smoothness, scores.fidelity, scores.reference].iter().all(|score| score.is_finite()) {
            return Err(Error::value(what, "finite numbers", format!("{scores:?}")));
        }
    }
    let sort = |error: &ErrorScores| match (
        error.smoothness > smoothness,
        error.fidelity > fidelity,
        error.reference > reference,
    ) {
        (true, true, _) => Scenario::UserDrift,
        (false, false, _) => Scenario::Model,
        (false, true, true) => Scenario::ModelStyle,
        (false, true, false) => Scenario::UserSimple,
        (true, false, _) => Scenario::Unclassified,
    };
    Ok(errors.iter().map(sort).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(smoothness: f64, fidelity: f64, reference: f64) -> ErrorScores {
        ErrorScores { smoothness, fidelity, reference }
    }

    #[test]
    fn attribute_finds_every_scenario() {
        let thresholds = Thresholds { smoothness: 10.0, fidelity: 20.0, reference: 30.0 };
        let (small, large) = ([1.0, 2.0, 3.0], [11.0, 21.0, 31.0]);
        let cases = [
            ((large[0], large[1], small[2]), Scenario::UserDrift, Some(1), Some(Blame::User)),
            ((large[0], large[1], large[2]), Scenario::UserDrift, Some(1), Some(Blame::User)),
            ((small[0], small[1], small[2]), Scenario::Model, Some(2), Some(Blame::Model)),
            ((small[0], small[1], large[2]), Scenario::Model, Some(2), Some(Blame::Model)),
            ((small[0], large[1], large[2]), Scenario::ModelStyle, Some(3), Some(Blame::Model)),
            ((small[0], large[1], small[2]), Scenario::UserSimple, Some(4), Some(Blame::User)),
            ((large[0], small[1], small[2]), Scenario::Unclassified, None, None),
            ((large[0], small[1], large[2]), Scenario::Unclassified, None, None),
        ];
        for ((s, f, base), scenario, number, blame) in cases {
            let found = attribute(&[scores(s, f, base)], &thresholds).unwrap()[0];
            assert_eq!((found, found.number(), found.blame()), (scenario, number, blame));
        }
    }

    #[test]
    fn attribute_counts_a_tie_as_small() {
        let thresholds = Thresholds { smoothness: 1.0, fidelity: 1.0, reference: 1.0 };
        let found = attribute(&[scores(1.0, 1.0, 1.0), scores(1.0, 2.0, 1.0), scores(2.0, 1.0, 2.0)], &thresholds);
        assert_eq!(found.unwrap(), [Scenario::Model, Scenario::UserSimple, Scenario::Unclassified]);
        let same = [scores(3.0, 3.0, 3.0); 4]; // all tied at every quantile
        let found = attribute(&same, &Thresholds::of(&same, MEDIAN).unwrap()).unwrap();
        assert_eq!(found, [Scenario::Model; 4]);
    }

    #[test]
    fn thresholds_of_three_errors_by_hand() {
        let errors = [scores(4.0, 10.0, 0.0), scores(1.0, 30.0, 0.0), scores(2.0, 20.0, 8.0), scores(3.0, 40.0, 0.0)];
        let found = Thresholds::of(&errors, MEDIAN).unwrap();
        assert_eq!((found.smoothness, found.fidelity, found.reference), (2.5, 25.0, 0.0));
        assert_eq!(Thresholds::of(&errors, 0.75).unwrap().smoothness, 3.25);
        assert_eq!(Thresholds::of(&errors, 1.0).unwrap().reference, 8.0);
    }

    #[test]
    fn thresholds_refuse_no_errors_and_nan() {
        assert!(Thresholds::of(&[], MEDIAN).is_err());
        assert!(Thresholds::of(&[scores(1.0, f64::NAN, 1.0)], MEDIAN).is_err());
        assert!(Thresholds::of(&[scores(1.0, 1.0, 1.0)], 1.5).is_err());
        let fine = Thresholds { smoothness: 1.0, fidelity: 1.0, reference: 1.0 };
        assert!(attribute(&[scores(f64::NAN, 1.0, 1.0)], &fine).is_err());
        assert!(
            attribute(&[], &Thresholds { reference: f64::NAN, ..fine }).unwrap_err().to_string().contains("thresholds")
        );
    }
}
