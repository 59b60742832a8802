//! How far apart two clouds of features are, e.g. those of sketches and of photos.

use super::border::Border;
use crate::{Error, Result};

/// The share of held-out rows on their own side, as mean over both clouds, in percent: 100 = apart, 50 = chance, whatever
/// the sizes of the clouds.
///
/// ```text
/// accuracy = 100 mean over clouds of mean over its held-out rows of right
/// ```
///
/// # Shapes
/// The result of [`told_apart`], cloud by cloud.
///
/// ```
/// use retrace::analysis::{Answer, balanced};
/// let answer = |right| Answer { row: 0, right };
/// assert_eq!(balanced(&[vec![answer(1.0), answer(0.0)], vec![answer(1.0)]]), 75.0);
/// ```
pub fn balanced(answers: &[Vec<Answer>; 2]) -> f64 {
    let share = |answers: &[Answer]| answers.iter().map(|answer| answer.right).sum::<f64>() / answers.len() as f64;
    50.0 * (share(&answers[0]) + share(&answers[1]))
}

/// Rows of features, and the object of each: a photo and the sketches of it have the same object.
#[derive(Debug, Clone, Copy)]
pub struct FeatureCloud<'a> {
    /// Row by row.
    pub rows: &'a [f32],
    /// The object of every row.
    pub objects: &'a [usize],
}

/// The answer of a classifier for a row that it was not trained on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The row of its cloud, from 0.
    pub row: usize,
    /// 1 on its own side, 0 on the other, 0.5 on the border.
    pub right: f64,
}

/// How well a linear classifier tells two clouds apart on objects that it was not trained on: those of odd numbers.
///
/// ```text
/// minimise over w, c:  mean over clouds of mean over rows of log(1 + exp(-s (w . x + c)))  +  PENALTY / 2 |w|^2
/// ```
///
/// Both clouds count the same, whatever their sizes. No object has rows on both sides of the split: a classifier
/// could otherwise recognise a sketch by its photo. x is standardised by the mean and deviation of the
/// training rows. Training is 500 steps of Nesterov's gradient descent over all rows from zero, its step size the
/// inverse of a bound on the curvature: nothing is drawn, so the number is the same every time.
///
/// # Shapes
/// As [`embed`](super::embed); an answer for every row of a held-out object, in the order of rows.
///
/// # Errors
/// A cloud without rows to train or without rows to test, an incomplete row, features that are not finite, or numbers of
/// objects and rows that differ.
///
/// # References
/// Ben-David et al., A Theory of Learning from Different Domains, Machine Learning 2010, Sec. 4 (a classifier between
/// domains as their distance); Nesterov, Introductory Lectures on Convex Optimization, 2004, Sec. 2.2.
///
/// ```
/// use retrace::analysis::{FeatureCloud, told_apart};
/// let low = FeatureCloud { rows: &[0.0, 0.1, 0.2, 9.0], objects: &[0, 1, 2, 3] };
/// let high = FeatureCloud { rows: &[5.0, 5.1, 5.2], objects: &[0, 1, 1] };
/// let found = told_apart(low, high, 1)?.map(|answers| answers.iter().map(|a| (a.row, a.right)).collect::<Vec<_>>());
/// assert_eq!(found, [[(1, 1.0), (3, 0.0)], [(1, 1.0), (2, 1.0)]]); // 9.0 lies among the others
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn told_apart(a: FeatureCloud, b: FeatureCloud, d: usize) -> Result<[Vec<Answer>; 2]> {
    let Halves { border, tested, .. } = divide(a, b, d)?;
    let answers = |cloud: FeatureCloud, rows: &[f64], side: f64| {
        let scores = rows.chunks_exact(d).map(|row| side * border.score(row));
        let rights = scores.map(|score| if score == 0.0 { 0.5 } else { f64::from(score > 0.0) });
        cloud.held_out().zip(rights).map(|(row, right)| Answer { row, right }).collect()
    };
    Ok([answers(a, &tested[0], -1.0), answers(b, &tested[1], 1.0)])
}

/// Two clouds whose objects of even numbers have trained a classifier.
pub(super) struct Halves {
    /// The classifier.
    pub(super) border: Border,
    /// The held-out rows of each cloud, standardised.
    pub(super) tested: [Vec<f64>; 2],
    /// The same as they were.
    pub(super) plain: [Vec<f64>; 2],
    /// What each column was multiplied by.
    pub(super) scales: Vec<f64>,
}

/// Trains the classifier on one half of the objects and scales the other.
pub(super) fn divide(a: FeatureCloud, b: FeatureCloud, d: usize) -> Result<Halves> {
    check([a.rows, b.rows], d, 2)?;
    for cloud in [a, b] {
        let held_out = cloud.held_out().count();
        if cloud.objects.len() != cloud.rows.len() / d || held_out == 0 || held_out == cloud.objects.len() {
            let expected = format!("for {} rows an object each, some of them held out", cloud.rows.len() / d);
            return Err(Error::value("objects", expected, format!("{held_out} of {}", cloud.objects.len())));
        }
    }
    let half = |cloud: FeatureCloud, wanted: bool| -> Vec<f64> {
        let rows = cloud.rows.chunks_exact(d).zip(cloud.objects);
        let rows = rows.filter(|(_, object)| is_held_out(**object) == wanted);
        rows.flat_map(|(row, _)| row).copied().map(f64::from).collect()
    };
    let mut halves = [half(a, false), half(b, false), half(a, true), half(b, true)];
    let plain = [halves[2].clone(), halves[3].clone()];
    let scales = standardise(&mut halves, d);
    let [train_a, train_b, test_a, test_b] = halves;
    Ok(Halves { border: Border::between([&train_a, &train_b], d), tested: [test_a, test_b], plain, scales })
}

impl FeatureCloud<'_> {
    /// The rows of held-out objects.
    pub(super) fn held_out(&self) -> impl Iterator<Item = usize> {
        self.objects.iter().enumerate().filter(|(_, object)| is_held_out(**object)).map(|(row, _)| row)
    }
}

fn is_held_out(object: usize) -> bool {
    !object.is_multiple_of(2)
}

/// Scales every column so that the first two clouds together have mean 0 and deviation 1; all clouds are scaled alike.
/// Returns what each column was multiplied by.
fn standardise(clouds: &mut [Vec<f64>; 4], d: usize) -> Vec<f64> {
    let mut scale_column = |column: usize| {
        let values = || clouds[..2].iter().flat_map(|rows| rows.iter().skip(column).step_by(d));
        let n = values().count() as f64;
        let mean = values().sum::<f64>() / n;
        let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        // A constant column carries no information.
        let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
        for rows in clouds.iter_mut() {
            rows.iter_mut().skip(column).step_by(d).for_each(|value| *value = (*value - mean) * scale);
        }
        scale
    };
    (0..d).map(&mut scale_column).collect()
}

pub(super) fn check(clouds: [&[f32]; 2], d: usize, least: usize) -> Result<()> {
    for (name, cloud) in ["first cloud", "second cloud"].into_iter().zip(clouds) {
        if d == 0 || !cloud.len().is_multiple_of(d) || cloud.len() < least * d {
            let expected = format!("at least {least} rows of {d} values, d above 0");
            return Err(Error::value(name, expected, format!("{} values", cloud.len())));
        }
        if let Some(at) = cloud.iter().position(|value| !value.is_finite()) {
            return Err(Error::value(format!("{name}, row {}", at / d), "finite numbers", cloud[at]));
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::seed::Seed;
    use rand::RngExt;
    use rand_distr::StandardNormal;

    /// `n` rows of 8 standard normal values, the first of them moved.
    pub(in crate::analysis) fn cloud(name: &str, n: usize, moved: f32) -> Vec<f32> {
        let mut stream = Seed(6).stream(name);
        let value = |i: usize, drawn: f32| if i.is_multiple_of(8) { drawn + moved } else { drawn };
        (0..8 * n).map(|i| value(i, stream.sample(StandardNormal))).collect()
    }

    /// The accuracy where every row is an object of its own.
    fn domain_accuracy(a: &[f32], b: &[f32], d: usize) -> Result<f64> {
        let objects = [a, b].map(|rows| (0..rows.len() / d).collect::<Vec<_>>());
        let [a, b] = [(a, &objects[0]), (b, &objects[1])].map(|(rows, objects)| FeatureCloud { rows, objects });
        Ok(balanced(&told_apart(a, b, d)?))
    }

    #[test]
    fn told_apart_holds_out_whole_objects() {
        // Every column names an object, of which there are two rows: what is learnt of one row says all of the other, and
        // nothing of other objects.
        let objects = |first: usize| -> Vec<usize> { (2 * first..2 * first + 20).map(|row| row / 2).collect() };
        let rows = |objects: &[usize]| -> Vec<f32> {
            objects.iter().flat_map(|object| (0..20).map(move |column| f32::from(column == *object))).collect()
        };
        let [a, b] = [0, 10].map(objects);
        let found = told_apart(
            FeatureCloud { rows: &rows(&a), objects: &a },
            FeatureCloud { rows: &rows(&b), objects: &b },
            20,
        )
        .unwrap();
        assert!(found.iter().all(|answers| answers.len() == 10) && balanced(&found) == 50.0, "{found:?}");
        assert_eq!(domain_accuracy(&rows(&a), &rows(&b), 20).unwrap(), 100.0); // a row of each object trains
    }

    #[test]
    fn told_apart_is_100_for_far_clouds() {
        assert_eq!(domain_accuracy(&cloud("a", 100, 0.0), &cloud("b", 100, 20.0), 8).unwrap(), 100.0);
        assert_eq!(domain_accuracy(&cloud("a", 100, 0.0), &cloud("b", 31, 20.0), 8).unwrap(), 100.0);
    }

    #[test]
    fn told_apart_is_chance_for_one_distribution() {
        // 200 test rows a domain, each right with probability 1/2: deviation 100 * sqrt(1/4 / 400) = 2.5, bound 4 of it.
        let found = domain_accuracy(&cloud("a", 400, 0.0), &cloud("b", 400, 0.0), 8).unwrap();
        assert!((found - 50.0).abs() < 10.0, "{found}");
        // Three times as many of one: 50 still, not 75. Deviation 100 / 2 * sqrt(1/4 / 300 + 1/4 / 100) = 2.9.
        let found = domain_accuracy(&cloud("a", 600, 0.0), &cloud("b", 200, 0.0), 8).unwrap();
        assert!((found - 50.0).abs() < 11.6, "{found}");
        assert_eq!(domain_accuracy(&[1.0; 8], &[1.0; 16], 4).unwrap(), 50.0);
    }

    #[test]
    fn told_apart_reaches_the_best_linear_rule() {
        // Means 2 apart, deviation 1: the best rule is right with probability Phi(1) = 0.841; 500 test rows a domain,
        // deviation 100 * sqrt(0.841 * 0.159 / 1000) = 1.2, bound 4 of it.
        let found = domain_accuracy(&cloud("a", 1000, 0.0), &cloud("b", 1000, 2.0), 8).unwrap();
        assert!((found - 84.1).abs() < 4.8, "{found}");
    }

    #[test]
    fn told_apart_refuses_bad_clouds_and_objects() {
        assert!(domain_accuracy(&[1.0], &[1.0, 2.0], 1).is_err());
        let objects = |objects| {
            told_apart(
                FeatureCloud { rows: &[1.0, 2.0], objects },
                FeatureCloud { rows: &[1.0, 2.0], objects: &[0, 1] },
                1,
            )
        };
        for wrong in [&[0, 2][..], &[1, 3], &[0], &[0, 1, 2]] {
            assert!(objects(wrong).unwrap_err().to_string().contains("held out"), "{wrong:?}");
        }
        assert!(objects(&[6, 7]).is_ok());
    }
}
