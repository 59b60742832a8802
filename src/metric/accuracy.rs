//! Numbers that summarise ranks.

use crate::{Error, Result};

/// Share of queries whose own photo is among the first `k`, in percent.
///
/// ```text
/// Acc@K = 100 * |{i : rank(i) <= K}| / queries
/// ```
///
/// # Shapes
/// `ranks` has one entry a query, 1 = best; the result is in `0..=100`.
///
/// # Errors
/// No query, or a rank of 0.
///
/// ```
/// assert_eq!(retrace::metric::acc_at(&[1, 3, 6, 1], 5)?, 75.0);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn acc_at(ranks: &[u32], k: u32) -> Result<f64> {
    check(ranks, u32::MAX)?;
    let hits = ranks.iter().filter(|&&rank| rank <= k).count();
    Ok(100.0 * hits as f64 / ranks.len() as f64)
}

/// Mean share of the *other* photos that stand behind the own one, in percent.
///
/// ```text
/// percentile = mean over i of 100 * (gallery - rank(i)) / (gallery - 1)
/// ```
///
/// 100 if the own photo is always first, 0 if always last, 50 by chance, whatever the size of the gallery.
///
/// # Shapes
/// `ranks` has one entry a query in `1..=gallery`; the result is in `0..=100`.
///
/// # Errors
/// No query, a rank outside `1..=gallery`, or a gallery of fewer than two photos.
///
/// ```
/// assert_eq!(retrace::metric::average_percentile(&[1, 3], 5)?, 75.0); // 100 and 50
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn average_percentile(ranks: &[u32], gallery: u32) -> Result<f64> {
    if gallery < 2 {
        return Err(Error::value("gallery", "at least 2 photos", gallery));
    }
    check(ranks, gallery)?;
    let behind: f64 = ranks.iter().map(|&rank| f64::from(gallery - rank)).sum();
    Ok(100.0 * behind / f64::from(gallery - 1) / ranks.len() as f64)
}

/// Mean, and the sample standard deviation where there are at least two values.
///
/// ```text
/// mean = sum(x) / n        sd = sqrt(sum((x - mean)^2) / (n - 1))
/// ```
///
/// # Errors
/// No value, or one that is not finite.
///
/// ```
/// assert_eq!(retrace::metric::mean_sd(&[2.0, 4.0, 6.0])?, (4.0, Some(2.0)));
/// assert_eq!(retrace::metric::mean_sd(&[2.0])?, (2.0, None));
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn mean_sd(values: &[f64]) -> Result<(f64, Option<f64>)> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return Err(Error::value("values to average", "one or more finite numbers", format!("{values:?}")));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Ok((mean, (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt())))
}

fn check(ranks: &[u32], gallery: u32) -> Result<()> {
    if ranks.is_empty() {
        return Err(Error::value("ranks", "at least one query", "none"));
    }
    match ranks.iter().position(|&rank| rank == 0 || rank > gallery) {
        Some(i) => Err(Error::value(format!("rank of query {i}"), format!("1 to {gallery}"), ranks[i])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Tie, ranks};

    /// Five queries, five photos; query i shows photo i. By hand: ranks 1, 3, 5, 3 (last of a tie), 1.
    #[rustfmt::skip]
    const TABLE: [f32; 25] = [
        0.1, 0.5, 0.9, 0.7, 0.3, // 0.1 is smallest: 1
        0.2, 0.4, 0.6, 0.3, 0.8, // 0.2 and 0.3 before 0.4: 3
        0.1, 0.2, 0.9, 0.3, 0.4, // all before 0.9: 5
        0.5, 0.6, 0.5, 0.5, 0.9, // three at 0.5; the own one last of them: 3
        0.9, 0.8, 0.7, 0.6, 0.1, // 1
    ];

    #[test]
    fn accuracies_of_five_queries_by_hand() {
        let found = ranks(&TABLE, 5, &[0, 1, 2, 3, 4], Tie::Pessimistic).unwrap();
        assert_eq!(found, [1, 3, 5, 3, 1]);
        assert_eq!(acc_at(&found, 1).unwrap(), 40.0);
        assert_eq!(acc_at(&found, 2).unwrap(), 40.0);
        assert_eq!(acc_at(&found, 3).unwrap(), 80.0);
        assert_eq!(acc_at(&found, 5).unwrap(), 100.0);
        assert_eq!(average_percentile(&found, 5).unwrap(), 60.0); // (100 + 50 + 0 + 50 + 100) / 5
        let kind = ranks(&TABLE, 5, &[0, 1, 2, 3, 4], Tie::Optimistic).unwrap();
        assert_eq!(kind, [1, 3, 5, 1, 1]);
    }

    #[test]
    fn acc_at_is_in_percent_once() {
        assert_eq!(acc_at(&[1; 200], 1).unwrap(), 100.0);
        assert_eq!(acc_at(&[2; 200], 1).unwrap(), 0.0);
    }

    #[test]
    fn accuracies_refuse_no_queries_and_rank_zero() {
        assert!(acc_at(&[], 1).is_err() && mean_sd(&[]).is_err());
        assert!(acc_at(&[0], 1).unwrap_err().to_string().contains("rank of query 0"));
        assert!(average_percentile(&[6], 5).is_err() && average_percentile(&[1], 1).is_err());
        assert!(mean_sd(&[f64::NAN, 1.0]).is_err());
    }
}
