//! How similar the photos ranked first are to each other, and to the query's own photo.

use crate::metric::distances;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A score for every query, and their mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Smoothness {
    /// In the order of the queries; 0 = all photos the same, lower is smoother.
    pub scores: Vec<f64>,
    /// Over the queries.
    pub mean: f64,
}

/// The mean distance of all pairs among the first `k` photos found for each query.
///
/// ```text
/// S(q) = 2 / (k (k - 1)) * sum over 1 <= i < j <= k of |f(p_i) - f(p_j)|
/// ```
///
/// Features are taken as they are: rows that are not of unit length give distances of another scale, so compare scores
/// under one network and one normalisation only. The paper takes k = 10 for the gallery and 5 for errors, and features of
/// VGG-16's second-last layer (Sec. 4).
///
/// # Shapes
/// `features` is `(photos, d)` row by row; each entry of `ranked` holds positions of photos, nearest first, at least `k`.
///
/// # Errors
/// No query, `k` below 2, a query with fewer than `k` photos, a position outside the features, or features that are not
/// finite or not whole rows.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 4 (Smoother Retrieval Gallery).
///
/// ```
/// let features = [0.0, 0.0, 3.0, 4.0, 0.0, 4.0]; // a right triangle of sides 5, 4 and 3
/// let found = retrace::analysis::smoothness(&features, 2, &[vec![0, 1, 2]], 3)?;
/// assert_eq!(found.scores, [4.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn smoothness(features: &[f32], d: usize, ranked: &[Vec<usize>], k: usize) -> Result<Smoothness> {
    if k < 2 || ranked.is_empty() {
        let found = format!("{k} photos, {} queries", ranked.len());
        return Err(Error::value("photos to compare", "at least 2 of at least one query", found));
    }
    let scores: Vec<f64> = (0..ranked.len())
        .map(|query| {
            let first = gather(features, d, first(ranked, query, k)?)?;
            let all = distances(&first, &first, d)?;
            let above = (0..k).flat_map(|i| (i + 1..k).map(move |j| i * k + j));
            mean(query, above.map(|cell| all[cell]))
        })
        .collect::<Result<_>>()?;
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    Ok(Smoothness { scores, mean })
}

/// The mean distance between each query's own photo and the first `k` found for it.
///
/// ```text
/// F(q) = 1 / k * sum over 1 <= i <= k of |f(own) - f(p_i)|
/// ```
///
/// Where the own photo is among the `k`, its distance of 0 counts.
///
/// # Shapes
/// As [`smoothness`]; `own` holds a position for every entry of `ranked`; one number a query comes back.
///
/// # Errors
/// As [`smoothness`], but `k` may be 1; another number of own photos than of queries.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 4 (Retrieval Error Attribution), where k is 5.
///
/// ```
/// let features = [0.0, 1.0, 5.0]; // of one number each
/// assert_eq!(retrace::analysis::fidelity(&features, 1, &[0], &[vec![1, 2]], 2)?, [3.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn fidelity(features: &[f32], d: usize, own: &[usize], ranked: &[Vec<usize>], k: usize) -> Result<Vec<f64>> {
    if k == 0 || own.len() != ranked.len() {
        let found = format!("{} own photos, {} queries, {k} photos each", own.len(), ranked.len());
        return Err(Error::value("photos to compare", "an own photo and at least one found for every query", found));
    }
    let score = |(query, own): (usize, &usize)| {
        let (own, first) = (gather(features, d, &[*own])?, gather(features, d, first(ranked, query, k)?)?);
        mean(query, distances(&own, &first, d)?.into_iter())
    };
    own.iter().enumerate().map(score).collect()
}

fn first(ranked: &[Vec<usize>], query: usize, k: usize) -> Result<&[usize]> {
    let found = ranked[query].len();
    ranked[query]
        .get(..k)
        .ok_or_else(|| Error::value(format!("photos of query {query}"), format!("at least {k}"), found))
}

fn gather(features: &[f32], d: usize, positions: &[usize]) -> Result<Vec<f32>> {
    if d == 0 || !features.len().is_multiple_of(d) {
        return Err(Error::value(
            "photo features",
            format!("rows of {d} values"),
            format!("{} values", features.len()),
        ));
    }
    let photos = features.len() / d;
    if let Some(outside) = positions.iter().find(|position| **position >= photos) {
        return Err(Error::value("position of a photo", format!("below {photos}"), outside));
    }
    Ok(positions.iter().flat_map(|position| &features[position * d..][..d]).copied().collect())
}

fn mean(query: usize, distances: impl Iterator<Item = f32>) -> Result<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for distance in distances {
        sum += f64::from(distance);
        count += 1.0;
    }
    let mean = sum / count;
    if mean.is_finite() {
        Ok(mean)
    } else {
        Err(Error::value(format!("features of query {query}"), "finite numbers", mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothness_of_identical_photos_is_zero() {
        let features = [0.3_f32, -0.7, 0.1].repeat(4);
        let found = smoothness(&features, 3, &[vec![0, 1, 2, 3], vec![3, 1, 0, 2]], 4).unwrap();
        assert_eq!(found, Smoothness { scores: vec![0.0, 0.0], mean: 0.0 });
    }

    #[test]
    fn smoothness_and_fidelity_of_a_triangle_by_hand() {
        let features = [0.0, 0.0, 6.0, 8.0, 6.0, 0.0, 100.0, 0.0]; // sides 10, 6, 8; the fourth is far away
        let ranked = [vec![2, 0, 1, 3], vec![0, 2, 3, 1]];
        let found = smoothness(&features, 2, &ranked, 3).unwrap();
        let second = (6.0 + 100.0 + 94.0) / 3.0;
        assert!((found.scores[0] - 8.0).abs() < 1e-6 && (found.scores[1] - second).abs() < 1e-5, "{found:?}");
        assert!((found.mean - (8.0 + second) / 2.0).abs() < 1e-5);
        assert_eq!(smoothness(&features, 2, &ranked, 2).unwrap().scores, [6.0, 6.0]);
        assert_eq!(fidelity(&features, 2, &[1, 0], &ranked, 2).unwrap(), [9.0, 3.0]); // 8 and 10; 0 and 6
    }

    #[test]
    fn smoothness_and_fidelity_refuse_bad_input() {
        let features = [0.0, 1.0, f32::NAN];
        for (ranked, k) in
            [(vec![], 2), (vec![vec![0, 1]], 1), (vec![vec![0]], 2), (vec![vec![0, 3]], 2), (vec![vec![0, 2]], 2)]
        {
            assert!(smoothness(&features, 1, &ranked, k).is_err(), "{ranked:?}, {k}");
        }
        assert!(
            smoothness(&features, 2, &[vec![0, 1]], 2).is_err() && smoothness(&features, 0, &[vec![0, 1]], 2).is_err()
        );
        assert!(
            fidelity(&features, 1, &[], &[vec![0]], 1).is_err() && fidelity(&features, 1, &[0], &[vec![0]], 0).is_err()
        );
        assert!(fidelity(&features, 1, &[5], &[vec![0]], 1).unwrap_err().to_string().contains("below 3"));
    }
}
