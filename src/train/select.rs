//! Which epoch's weights are kept, and what is measured to decide it.

use serde::{Deserialize, Serialize};

/// Which epoch's weights are kept. Never chosen on test data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectOn {
    /// The best Acc@1 on the validation part; of equal ones the better average percentile, then the earlier.
    ValidAcc1,
    /// The best mean of Acc@1, Acc@5 and Acc@10 on the validation part, which is steadier where that part is small; of
    /// equal ones the better average percentile, then the earlier.
    ValidMean,
    /// The last epoch: a rule fixed in advance.
    Last,
    /// The mean of the weights after each of the last epochs, so many of them: fixed in advance, and steadier than one.
    ///
    /// # References
    /// Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018, Algorithm 1.
    MeanOfLast(usize),
}

impl SelectOn {
    /// Over how many of the last epochs weights are averaged; 1 where they are not.
    pub(super) fn averaged(self) -> usize {
        if let Self::MeanOfLast(epochs) = self { epochs } else { 1 }
    }
}

impl std::fmt::Display for SelectOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ValidAcc1 => f.write_str("valid acc1"),
            Self::ValidMean => f.write_str("valid mean of acc1, acc5, acc10"),
            Self::Last => f.write_str("last epoch"),
            Self::MeanOfLast(epochs) => write!(f, "mean of the last {epochs} epochs"),
        }
    }
}

/// Scores on the validation part after an epoch, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Queries that they are shares of: with it they are counts, which are equal or not, whatever their last bits.
    #[serde(default)] // a training may have stopped before there was this field; what it resumes with has it
    pub queries: usize,
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

impl Scores {
    /// How many queries an accuracy in percent is, of so many.
    fn count(percent: f64, queries: usize) -> u64 {
        (percent * queries as f64 / 100.0).round() as u64 // off by 1e-10 at most before it is rounded
    }
}

impl SelectOn {
    /// The whole number in which the kept epoch is largest, and what decides between equal ones; none where the epoch is no
    /// candidate. Accuracies are counts of `queries`.
    fn key(self, outcome: &Outcome, queries: usize) -> Option<(u64, f64)> {
        let hits = |of: &dyn Fn(&Scores) -> Vec<f64>| {
            let sum = |scores: &Scores| of(scores).into_iter().map(|percent| Scores::count(percent, queries)).sum();
            outcome.scores.as_ref().map(|scores| (sum(scores), scores.percentile))
        };
        match self {
            Self::ValidAcc1 => hits(&|scores| vec![scores.acc1]),
            Self::ValidMean => hits(&|scores| vec![scores.acc1, scores.acc5, scores.acc10]),
            Self::Last | Self::MeanOfLast(_) => Some((outcome.epoch as u64, 0.0)),
        }
    }

    /// Whether an epoch takes the place of the best one before it; both were scored on the same queries.
    pub(super) fn prefers(self, now: &Outcome, best: Option<&Outcome>) -> bool {
        let queries = now.scores.map_or(0, |scores| scores.queries);
        match (self.key(now, queries), best.and_then(|best| self.key(best, queries))) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(now), Some(best)) => now > best,
        }
    }

    /// The epoch that is kept of a whole training; none where none is a candidate.
    ///
    /// ```
    /// use retrace::train::{Outcome, Scores, SelectOn};
    /// let scored = |epoch, acc1, percentile| {
    ///     let scores = Some(Scores { queries: 4, acc1, acc5: 75.0, acc10: 100.0, percentile });
    ///     Outcome { epoch, scores, seconds: 0.0 }
    /// };
    /// let training = [scored(1, 25.0, 90.0), scored(2, 50.0, 80.0), scored(3, 50.0, 85.0), scored(4, 50.0, 85.0)];
    /// assert_eq!(SelectOn::ValidMean.choose(&training), Some(3));
    /// ```
    pub fn choose(self, training: &[Outcome]) -> Option<usize> {
        let better = |best, now| if self.prefers(now, best) { Some(now) } else { best };
        training.iter().fold(None, better).map(|best| best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(epoch: usize, acc1: Option<f64>) -> Outcome {
        let scores = acc1.map(|acc1| Scores { queries: 20, acc1, acc5: 0.0, acc10: 0.0, percentile: 0.0 });
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

    /// Hits among the first one, five and ten of 93 queries, and the percentile.
    fn hits([acc1, acc5, acc10]: [u32; 3], percentile: f64) -> Outcome {
        let percent = |hits: u32| 100.0 * f64::from(hits) / 93.0;
        let (acc1, acc5, acc10) = (percent(acc1), percent(acc5), percent(acc10));
        let scores = Scores { queries: 93, acc1, acc5, acc10, percentile };
        Outcome { epoch: 1, scores: Some(scores), seconds: 0.0 }
    }

    #[test]
    fn equal_means_are_told_apart_by_the_percentile_alone() {
        let sum = |outcome: &Outcome| outcome.scores.map(|s| s.acc1 + s.acc5 + s.acc10).unwrap();
        let (one, mut differ) = (hits([67, 88, 90], 96.7), 0);
        for (acc1, acc5) in (60..=68).flat_map(|acc1| (86..=90).map(move |acc5| (acc1, acc5))) {
            let other = hits([acc1, acc5, 245 - acc1 - acc5], 97.0);
            differ += i32::from(sum(&one) != sum(&other));
            assert!(SelectOn::ValidMean.prefers(&other, Some(&one)), "{acc1} {acc5}");
            assert!(!SelectOn::ValidMean.prefers(&one, Some(&other)), "{acc1} {acc5}");
        }
        assert!(differ > 0, "no two of these sums differ in their last bit");
    }

    #[test]
    fn one_more_query_found_outweighs_any_percentile() {
        let (fewer, more) = (hits([60, 88, 92], 99.0), hits([60, 88, 93], 90.0));
        assert!(SelectOn::ValidMean.prefers(&more, Some(&fewer)) && !SelectOn::ValidMean.prefers(&fewer, Some(&more)));
        let old = Outcome { scores: fewer.scores.map(|scores| Scores { queries: 0, ..scores }), ..fewer };
        assert!(SelectOn::ValidMean.prefers(&more, Some(&old)), "a state of before there were counts");
        assert!(!SelectOn::ValidMean.prefers(&more, Some(&more)), "of equal ones the earlier stays");
    }
}
