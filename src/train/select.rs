//! Which epoch's weights are kept, and what is measured to decide it.

use serde::{Deserialize, Serialize};

/// Which epoch's weights are kept. Never chosen on test data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectOn {
    /// The best Acc@1 on the validation part; of equal ones the better average percentile, then the earlier.
    ValidAcc1,
    /// The best mean of Acc@1, Acc@5 and Acc@10 on the validation part: steadier where that part is small.
    ValidMean,
    /// The last epoch: a rule fixed in advance.
    Last,
}

impl std::fmt::Display for SelectOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ValidAcc1 => "valid acc1",
            Self::ValidMean => "valid mean of acc1, acc5, acc10",
            Self::Last => "last epoch",
        })
    }
}

/// Scores on the validation part after an epoch, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Acc@1.
    #[serde(with = "exact")]
    pub acc1: f64,
    /// Acc@5.
    #[serde(with = "exact")]
    pub acc5: f64,
    /// Acc@10.
    #[serde(with = "exact")]
    pub acc10: f64,
    /// Average ranking percentile.
    #[serde(with = "exact")]
    pub percentile: f64,
}

/// Numbers as text: serde_json may read a number one bit off, and then a tie on resuming would be none.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The result of a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The epoch whose weights are kept, from 1.
    pub epoch: usize,
    /// Its scores on the validation part; none where it was not scored.
    pub scores: Option<Scores>,
    /// Training time, interruptions not counted.
    pub seconds: f64,
}

impl SelectOn {
    /// The numbers in which the kept epoch is largest; none where the epoch is no candidate.
    fn key(self, outcome: &Outcome) -> Option<(f64, f64)> {
        match self {
            Self::ValidAcc1 => outcome.scores.map(|scores| (scores.acc1, scores.percentile)),
            Self::ValidMean => {
                outcome.scores.map(|scores| ((scores.acc1 + scores.acc5 + scores.acc10) / 3.0, scores.percentile))
            }
            Self::Last => Some((outcome.epoch as f64, 0.0)),
        }
    }

    /// Whether an epoch takes the place of the best one before it.
    pub(super) fn prefers(self, now: &Outcome, best: Option<&Outcome>) -> bool {
        let candidate = self.key(now);
        candidate.is_some() && best.is_none_or(|best| candidate > self.key(best))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(epoch: usize, acc1: Option<f64>) -> Outcome {
        let scores = acc1.map(|acc1| Scores { acc1, acc5: 0.0, acc10: 0.0, percentile: 0.0 });
        Outcome { epoch, scores, seconds: 0.0 }
    }

    #[test]
    fn an_epoch_without_scores_is_no_candidate_but_for_the_last() {
        for rule in [SelectOn::ValidAcc1, SelectOn::ValidMean] {
            assert!(!rule.prefers(&outcome(1, None), None));
            assert!(!rule.prefers(&outcome(2, None), Some(&outcome(1, Some(0.0)))));
            assert!(rule.prefers(&outcome(2, Some(0.0)), None));
            assert!(!rule.prefers(&outcome(2, Some(5.0)), Some(&outcome(1, Some(5.0)))));
        }
        assert!(SelectOn::Last.prefers(&outcome(1, None), None));
        assert!(SelectOn::Last.prefers(&outcome(2, None), Some(&outcome(1, Some(9.0)))));
    }
}
