//! The metrics that tables and claims name, query by query.

use super::record::{Run, check_ranks};
use crate::run::Rank;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Percentages drawn that [`Metric::Early`] averages: the steps of ten before the sketch is whole.
pub const EARLY: [u32; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];

/// A number that a row is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Own photo first.
    Acc1,
    /// Own photo among the first five.
    Acc5,
    /// Own photo among the first ten.
    Acc10,
    /// Own photo first, mean over [`EARLY`] percentages of the sketch drawn.
    Early,
    /// Own photo first: what is lost when sketches are deformed, in percent of it. Lower is better, from here on.
    Drop,
    /// Mean distance between the photos ranked first, in features of the pre-trained network.
    Smoothness,
    /// The same in histograms of gradients, which no row was trained with.
    #[serde(rename = "smoothness-hog")]
    SmoothnessHog,
    /// How well a line tells features of sketches from those of photos, in percent.
    Separation,
    /// Mean rise of the loss round the trained weights.
    Rise,
    /// Mean loss round the trained weights.
    Around,
    /// Nuclear norm of the covariance of gradients.
    Spread,
    /// The same over the first half of the epochs.
    #[serde(rename = "spread-early")]
    SpreadEarly,
    /// Distance of test accuracy from its mean over the last steps, in percent of that mean ([`crate::analysis::stability`]).
    Wander,
    /// Seconds of a training step.
    Time,
    /// Bytes that a training step takes beside what is held between steps.
    Memory,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Acc1,
        Self::Acc5,
        Self::Acc10,
        Self::Early,
        Self::Drop,
        Self::Smoothness,
        Self::SmoothnessHog,
        Self::Separation,
        Self::Rise,
        Self::Around,
        Self::Spread,
        Self::SpreadEarly,
        Self::Wander,
        Self::Time,
        Self::Memory,
    ];

    /// Its column in `data/papers` and its name in `data/claims.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acc1 => "acc1",
            Self::Acc5 => "acc5",
            Self::Acc10 => "acc10",
            Self::Early => "early",
            Self::Drop => "drop",
            Self::Smoothness => "smoothness",
            Self::SmoothnessHog => "smoothness-hog",
            Self::Separation => "separation",
            Self::Rise => "rise",
            Self::Around => "around",
            Self::Spread => "spread",
            Self::SpreadEarly => "spread-early",
            Self::Wander => "wander",
            Self::Time => "time",
            Self::Memory => "memory",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Acc1 => "Acc@1",
            Self::Acc5 => "Acc@5",
            Self::Acc10 => "Acc@10",
            Self::Early => "Acc@1 over 10-90% drawn",
            Self::Drop => "Acc@1 lost to deformation, % of it",
            Self::Smoothness => "distance within the first ten, % of B",
            Self::SmoothnessHog => "the same by gradients, % of B",
            Self::Separation => "domains told apart, %",
            Self::Rise => "rise of the loss around, % of B",
            Self::Around => "loss around, % of B",
            Self::Spread => "spread of gradients, % of B",
            Self::SpreadEarly => "the same in early epochs, % of B",
            Self::Wander => "wandering of Acc@1, % of B",
            Self::Time => "seconds of a step, % of B",
            Self::Memory => "memory of a step, % of B",
        }
    }

    /// Each query's score in a run, 0 to 100, by rising query; none where the run did not record it.
    ///
    /// # Errors
    /// An `early.csv` with other percentages or queries than the run's.
    pub fn scores(self, run: &Run) -> Result<Option<Vec<f64>>> {
        Ok(match self {
            Self::Acc1 => Some(hits(&run.ranks, 1)),
            Self::Acc5 => Some(hits(&run.ranks, 5)),
            Self::Acc10 => Some(hits(&run.ranks, 10)),
            Self::Early => early(run)?,
            _ => None, // of an analysis
        })
    }

    /// Each query's score, seed by seed; none where there is no run or one did not record it.
    ///
    /// # Errors
    /// As [`Metric::scores`].
    pub fn by_seed(self, runs: &[Run]) -> Result<Option<Vec<Vec<f64>>>> {
        let scores = runs.iter().map(|run| self.scores(run)).collect::<Result<Option<Vec<_>>>>()?;
        Ok(scores.filter(|scores| !scores.is_empty()))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|metric| metric.name() == name);
        found.ok_or_else(|| Error::value("metric", Self::ALL.map(Self::name).join(", "), name))
    }
}

fn hits(ranks: &[Rank], k: u32) -> Vec<f64> {
    ranks.iter().map(|rank| if rank.rank <= k { 100.0 } else { 0.0 }).collect()
}

fn early(run: &Run) -> Result<Option<Vec<f64>>> {
    let steps = read_early(run)?;
    if steps.is_empty() {
        return Ok(None);
    }
    let mut sums = vec![0.0; run.ranks.len()];
    for percent in EARLY {
        let step = steps.iter().find(|(found, _)| *found == percent).ok_or_else(|| {
            Error::data(run.folder.0.join("early.csv"), format!("{percent} percent drawn"), "no such line")
        })?;
        for (sum, hit) in sums.iter_mut().zip(hits(&step.1, 1)) {
            *sum += hit / EARLY.len() as f64;
        }
    }
    Ok(Some(sums))
}

/// The ranks at each percentage drawn, every step sorted by query; empty where the run recorded none.
///
/// # Errors
/// Steps with other queries than the run's, or ranks outside the gallery.
pub fn read_early(run: &Run) -> Result<Vec<(u32, Vec<Rank>)>> {
    let path = run.folder.0.join("early.csv");
    let mut steps = run.folder.early()?;
    for (percent, ranks) in &mut steps {
        ranks.sort_by_key(|rank| rank.query);
        check_ranks(&path, ranks, run.summary.gallery)?;
        if !ranks.iter().map(|rank| (rank.query, rank.photo)).eq(run.ranks.iter().map(|rank| (rank.query, rank.photo)))
        {
            return Err(Error::data(&path, format!("the queries of ranks.csv at {percent} percent"), "others"));
        }
    }
    Ok(steps)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::record::{read_row, tests::*};
    use super::*;

    /// Every step has the run's queries; from `from` percent on they are all found.
    pub fn write_early(folder: &crate::run::RunFolder, from: u32) {
        let ranks = folder.ranks().unwrap();
        let step = |percent| {
            let rank = if percent >= from { 1 } else { 9 };
            (percent, ranks.iter().map(|own| Rank { rank, ..*own }).collect::<Vec<_>>())
        };
        folder.write_early(&(1..=10).map(|tenth| step(10 * tenth)).collect::<Vec<_>>()).unwrap();
    }

    #[test]
    fn scores_by_hand() {
        let results = tempfile::tempdir().unwrap();
        write_run(&folder(results.path(), "d", "r", 0), &[1, 4, 12]);
        write_run(&folder(results.path(), "d", "r", 1), &[2, 1, 7]);
        let runs = read_row(results.path(), "p", "d", "r").unwrap();
        let found = |metric: Metric| metric.by_seed(&runs).unwrap();
        assert_eq!(found(Metric::Acc1).unwrap(), [[100.0, 0.0, 0.0], [0.0, 100.0, 0.0]]);
        assert_eq!(found(Metric::Acc5).unwrap(), [[100.0, 100.0, 0.0], [100.0, 100.0, 0.0]]);
        assert_eq!(found(Metric::Acc10).unwrap(), [[100.0, 100.0, 0.0], [100.0, 100.0, 100.0]]);
        assert_eq!(found(Metric::Early), None);
        assert_eq!(Metric::Acc1.by_seed(&[]).unwrap(), None);
    }

    #[test]
    fn early_averages_the_nine_steps_before_the_last() {
        let results = tempfile::tempdir().unwrap();
        let at = folder(results.path(), "d", "r", 0);
        write_run(&at, &[1, 4]);
        write_early(&at, 70); // found at 70, 80, 90 (and 100, which does not count)
        let runs = read_row(results.path(), "p", "d", "r").unwrap();
        for score in &Metric::Early.by_seed(&runs).unwrap().unwrap()[0] {
            assert!((score - 100.0 * 3.0 / 9.0).abs() < 1e-9, "{score}");
        }
    }

    #[test]
    fn early_must_be_whole() {
        let results = tempfile::tempdir().unwrap();
        let at = folder(results.path(), "d", "r", 0);
        write_run(&at, &[1, 4]);
        let runs = read_row(results.path(), "p", "d", "r").unwrap();
        let ranks = at.ranks().unwrap();
        at.write_early(&[(10, ranks.clone())]).unwrap();
        assert!(Metric::Early.by_seed(&runs).unwrap_err().to_string().contains("20 percent drawn"));
        at.write_early(&[(10, ranks[..1].to_vec())]).unwrap();
        let error = Metric::Early.by_seed(&runs).unwrap_err().to_string();
        assert!(error.contains("early.csv") && error.contains("others"), "{error}");
    }

    #[test]
    fn names_read_back() {
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse::<Metric>().unwrap(), metric);
        }
        assert!("acc@1".parse::<Metric>().unwrap_err().to_string().contains("acc1"));
    }
}
