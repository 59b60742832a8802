//! Two clouds of features as a picture.

use super::principal::{dot, longest};
use super::separation::{FeatureCloud, Halves, divide};
use crate::Result;
use serde::{Deserialize, Serialize};

/// A held-out row in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlacedRow {
    /// The row of its cloud, from 0.
    pub row: usize,
    /// How far it lies from the classifier's border, below 0 on the side of the first cloud.
    pub x: f64,
    /// Its place along the widest direction within the border.
    pub y: f64,
}

/// Two clouds across and along the border of the classifier that [`told_apart`](super::told_apart) trains.
///
/// ```text
/// x(r) = (w . z(r) + c) / |w|     z: standardised as there
/// y(r) = (r - mean) . v           v: direction of largest variance among those along which x stays the same
/// ```
///
/// Rows are of held-out objects, on which the border was not trained. So the share of a cloud on its own side of x = 0 is
/// what `told_apart` says of it. A unit of x is the deviation of one feature; y is as long as the features themselves, as
/// a column that hardly varies would rule it if it were standardised. The sign of v is fixed (its largest coordinate is
/// positive): the same rows give the same picture. The paper does not say how it draws its Fig. 2b and c.
///
/// # Shapes
/// As `told_apart`; a point for every row of a held-out object, in the order of rows.
///
/// # Errors
/// As `told_apart`.
///
/// # References
/// Jolliffe, Principal Component Analysis, 2002, Sec. 1.1; to redraw Li et al., Photo Pre-Training, But for Sketch,
/// CVPR 2023, Fig. 2b and c.
///
/// ```
/// use retrace::analysis::{FeatureCloud, embed};
/// let low = FeatureCloud { rows: &[0.0, 0.1, 0.2, 9.0], objects: &[0, 1, 2, 3] };
/// let high = FeatureCloud { rows: &[5.0, 5.1, 5.2], objects: &[0, 1, 1] };
/// let sides = embed(low, high, 1)?.map(|rows| rows.iter().map(|r| (r.row, r.x > 0.0)).collect::<Vec<_>>());
/// assert_eq!(sides, [[(1, false), (3, true)], [(1, true), (2, true)]]); // 9.0 lies among the others
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn embed(a: FeatureCloud, b: FeatureCloud, d: usize) -> Result<[Vec<PlacedRow>; 2]> {
    let Halves { border, tested, plain, scales } = divide(a, b, d)?;
    let rows = plain.concat();
    let mean: Vec<f64> = (0..d).map(|column| mean(rows.iter().skip(column).step_by(d))).collect();
    let centred: Vec<f64> = rows.iter().zip(mean.iter().cycle()).map(|(value, mean)| value - mean).collect();
    let (along, _) = longest(&centred, d, &border.normal(&scales));
    let middle = dot(&mean, &along);
    let place = |cloud: FeatureCloud, i: usize| {
        let rows = tested[i].chunks_exact(d).zip(plain[i].chunks_exact(d));
        let point = |(row, (scaled, plain)): (usize, (&[f64], &[f64]))| PlacedRow {
            row,
            x: border.distance(scaled),
            y: dot(plain, &along) - middle,
        };
        cloud.held_out().zip(rows).map(point).collect()
    };
    Ok([place(a, 0), place(b, 1)])
}

fn mean<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / values.count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::separation::tests::cloud;
    use crate::analysis::told_apart;

    fn objects(rows: &[f32]) -> Vec<usize> {
        (0..rows.len() / 8).collect()
    }

    #[test]
    fn embed_shows_what_the_classifier_says() {
        // Half of 400 rows a cloud train: 8 weights are told from so many.
        let (a, b) = (cloud("a", 400, 0.0), cloud("b", 400, 1.0));
        let own = [objects(&a), objects(&b)];
        let clouds = || [FeatureCloud { rows: &a, objects: &own[0] }, FeatureCloud { rows: &b, objects: &own[1] }];
        let ([c, e], [f, g]) = (clouds(), clouds());
        let (found, answers) = (embed(c, e, 8).unwrap(), told_apart(f, g, 8).unwrap());
        for ((rows, answers), side) in found.iter().zip(&answers).zip([-1.0, 1.0]) {
            assert_eq!(rows.len(), 200);
            let right = |row: &PlacedRow| (row.row, f64::from(side * row.x > 0.0));
            assert!(rows.iter().map(right).eq(answers.iter().map(|answer| (answer.row, answer.right))));
        }
        let middle = |rows: &[PlacedRow]| rows.iter().map(|row| row.x).sum::<f64>() / rows.len() as f64;
        // The first column has means 1 apart and a deviation of sqrt(1 + 1/4) over both: 0.89, along the border nearly so.
        assert!((middle(&found[1]) - middle(&found[0]) - 0.89).abs() < 0.3, "{found:?}");
        let heights: f64 = found.iter().flatten().map(|row| row.y).sum();
        assert!(heights.abs() < 1e-6, "{heights}");
    }

    #[test]
    fn embed_of_equal_clouds_is_a_point_and_of_bad_ones_an_error() {
        let cloud = FeatureCloud { rows: &[2.0; 4], objects: &[0, 1] };
        let [a, b] = embed(cloud, cloud, 2).unwrap();
        assert!(a == b && a == [PlacedRow { row: 1, x: 0.0, y: 0.0 }]);
        assert!(embed(FeatureCloud { rows: &[1.0], objects: &[1] }, cloud, 1).is_err());
    }
}
