//! From features to distances, from distances to the rank of each query's own photo.

use crate::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Where the own photo stands among photos at exactly its distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tie {
    /// Behind all of them: a model that maps everything to one point finds nothing. The rule of every run here.
    #[default]
    Pessimistic,
    /// Before all of them.
    Optimistic,
}

/// Euclidean distances between every query and every photo of the gallery.
///
/// ```text
/// distance(i, j) = sqrt(sum over c of (query(i, c) - photo(j, c))^2)
/// ```
///
/// # Shapes
/// `queries` is `(q, d)`, `gallery` is `(g, d)`, the result is `(q, g)`, all row by row.
///
/// # Errors
/// `d` is zero, or one of the slices is not a whole number of rows.
///
/// ```
/// let found = retrace::metric::distances(&[0.0, 0.0], &[3.0, 4.0, 0.0, 1.0], 2)?;
/// assert_eq!(found, [5.0, 1.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn distances(queries: &[f32], gallery: &[f32], d: usize) -> Result<Vec<f32>> {
    for (name, slice) in [("query features", queries), ("gallery features", gallery)] {
        if d == 0 || slice.len() % d != 0 {
            return Err(Error::value(name, format!("rows of {d} values"), format!("{} values", slice.len())));
        }
    }
    // Every cell is one sum in one order, so the number of threads cannot change it.
    let row = |query: &[f32]| gallery.chunks_exact(d).map(|photo| distance(query, photo)).collect::<Vec<_>>();
    Ok(queries.par_chunks_exact(d).flat_map_iter(row).collect())
}

/// Eight running sums: a fixed order that still fills vector registers.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0_f32; 8];
    let (heads_a, heads_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = heads_a.remainder().iter().zip(heads_b.remainder()).map(|(x, y)| (x - y) * (x - y)).sum();
    for (x, y) in heads_a.zip(heads_b) {
        for i in 0..8 {
            sums[i] += (x[i] - y[i]) * (x[i] - y[i]);
        }
    }
    (sums.iter().sum::<f32>() + rest).sqrt()
}

/// The rank of each query's own photo, 1 = best.
///
/// ```text
/// pessimistic: rank(i) = |{j : distance(i, j) <= distance(i, own(i))}|
/// optimistic:  rank(i) = |{j : distance(i, j) <  distance(i, own(i))}| + 1
/// ```
///
/// # Shapes
/// `distances` is `(q, gallery)` row by row; `own` has `q` entries in `0..gallery`; ranks are in `1..=gallery`.
///
/// # Errors
/// A distance that is not a number, an own photo outside the gallery, or lengths that do not fit together.
///
/// ```
/// use retrace::metric::{Tie, ranks};
/// let distances = [0.1, 0.4, 0.4]; // one query; its own photo is the second, tied with the third
/// assert_eq!(ranks(&distances, 3, &[1], Tie::Pessimistic)?, [3]);
/// assert_eq!(ranks(&distances, 3, &[1], Tie::Optimistic)?, [2]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn ranks(distances: &[f32], gallery: usize, own: &[usize], tie: Tie) -> Result<Vec<u32>> {
    if gallery == 0 || distances.len() != gallery * own.len() {
        let expected = format!("{} queries x {gallery} photos", own.len());
        return Err(Error::value("distances", expected, format!("{} values", distances.len())));
    }
    let rows = distances.chunks_exact(gallery).zip(own).enumerate();
    rows.map(|(query, (row, &own))| rank(query, row, own, tie)).collect()
}

fn rank(query: usize, row: &[f32], own: usize, tie: Tie) -> Result<u32> {
    let target = *row.get(own).ok_or_else(|| {
        Error::value(format!("own photo of query {query}"), format!("a position below {}", row.len()), own)
    })?;
    check_numbers(query, row)?;
    let ahead = match tie {
        Tie::Pessimistic => row.iter().filter(|&&other| other <= target).count(),
        Tie::Optimistic => row.iter().filter(|&&other| other < target).count() + 1,
    };
    u32::try_from(ahead).map_err(|error| Error::value("rank", "a gallery below 2^32 photos", error))
}

fn check_numbers(query: usize, row: &[f32]) -> Result<()> {
    match row.iter().position(|value| value.is_nan()) {
        Some(photo) => Err(Error::value(format!("distance of query {query} to photo {photo}"), "a number", "NaN")),
        None => Ok(()),
    }
}

/// Positions of the `k` photos nearest to one query, nearest first; equal distances in gallery order.
///
/// # Shapes
/// `row` holds one query's distances to the gallery; at most `row.len()` positions come back.
///
/// # Errors
/// A distance that is not a number.
///
/// ```
/// assert_eq!(retrace::metric::nearest(&[0.3, 0.1, 0.2, 0.1], 3)?, [1, 3, 2]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn nearest(row: &[f32], k: usize) -> Result<Vec<usize>> {
    check_numbers(0, row)?;
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[a].total_cmp(&row[b]).then(a.cmp(&b)));
    order.truncate(k);
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious twin: double precision, one loop a cell.
    fn distances_twin(queries: &[f32], gallery: &[f32], d: usize) -> Vec<f64> {
        let mut found = Vec::new();
        for query in queries.chunks(d) {
            for photo in gallery.chunks(d) {
                let sum: f64 = (0..d).map(|c| (f64::from(query[c]) - f64::from(photo[c])).powi(2)).sum();
                found.push(sum.sqrt());
            }
        }
        found
    }

    /// The obvious twin: sort, own photo last (or first) among equals, and look where it is.
    fn rank_twin(row: &[f32], own: usize, tie: Tie) -> u32 {
        let mut order: Vec<usize> = (0..row.len()).collect();
        let own_first = |j: usize| if tie == Tie::Optimistic { j != own } else { j == own };
        order.sort_by(|&a, &b| row[a].total_cmp(&row[b]).then(own_first(a).cmp(&own_first(b))));
        order.iter().position(|&j| j == own).unwrap() as u32 + 1
    }

    proptest! {
        #[test]
        fn distances_equal_their_double_twin(d in 1_usize..40, values in prop::collection::vec(-3_f32..3.0, 400)) {
            let (queries, gallery) = (&values[..5 * d], &values[5 * d..9 * d]);
            let found = distances(queries, gallery, d).unwrap();
            let expected = distances_twin(queries, gallery, d);
            prop_assert_eq!(found.len(), 20);
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!((f64::from(*found) - expected).abs() <= 1e-6 * (1.0 + expected), "{} {}", found, expected);
            }
        }

        #[test]
        fn ranks_equal_a_sort(cells in prop::collection::vec(0_u8..6, 42), own in prop::collection::vec(0_usize..7, 6)) {
            let values: Vec<f32> = cells.iter().map(|&cell| f32::from(cell)).collect(); // few levels: many ties
            for tie in [Tie::Pessimistic, Tie::Optimistic] {
                let expected: Vec<u32> = values.chunks(7).zip(&own).map(|(row, &own)| rank_twin(row, own, tie)).collect();
                prop_assert_eq!(ranks(&values, 7, &own, tie).unwrap(), expected);
            }
        }
    }

    #[test]
    fn a_constant_model_is_last_under_the_pessimistic_rule() {
        assert_eq!(ranks(&[1.0; 8], 4, &[0, 3], Tie::default()).unwrap(), [4, 4]);
        assert_eq!(ranks(&[1.0; 8], 4, &[0, 3], Tie::Optimistic).unwrap(), [1, 1]);
    }

    #[test]
    fn ranks_name_the_cell_of_a_nan() {
        let error = ranks(&[0.0, 1.0, f32::NAN, 1.0], 2, &[0, 1], Tie::Pessimistic).unwrap_err().to_string();
        assert_eq!(error, "distance of query 1 to photo 0: expected a number, found NaN");
        assert!(nearest(&[f32::NAN], 1).is_err());
    }

    #[test]
    fn ranks_and_distances_refuse_lengths_that_differ() {
        assert!(ranks(&[0.0; 5], 2, &[0, 1], Tie::Pessimistic).is_err());
        assert!(ranks(&[], 0, &[], Tie::Pessimistic).is_err());
        assert!(ranks(&[0.0, 0.0], 2, &[2], Tie::Pessimistic).unwrap_err().to_string().contains("below 2"));
        assert!(ranks(&[], 3, &[], Tie::Pessimistic).unwrap().is_empty());
        assert!(distances(&[1.0; 3], &[1.0; 4], 2).is_err());
        assert!(distances(&[], &[], 0).is_err());
        assert_eq!(ranks(&[7.0], 1, &[0], Tie::Pessimistic).unwrap(), [1]);
    }
}
