use crate::{Error, Result};
use candle_core::{D, Tensor};

/// Makes the class that each row shows more probable; rows without a label do not count.
///
/// ```text
/// L = mean over labelled rows i of log(sum over c of exp(z_ic)) - z_i,label
/// ```
///
/// The largest number of a row is subtracted before `exp`, which changes nothing and keeps large ones finite.
///
/// # Shapes
/// `logits` `(b, c)`; `labels` b classes below c, none where a row is to be left out; out a scalar.
///
/// # Errors
/// Another number of labels, a label outside the classes, or no label at all.
///
/// # References
/// Bishop, Pattern Recognition and Machine Learning, 2006, Eq. 4.108.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let logits = Tensor::new(&[[0.0_f64, 0.0], [3.0_f64.ln(), 0.0], [9.0, 0.0]], &Device::Cpu)?;
/// // Probabilities of the labels: 1/2 and 1/4; the third row has none.
/// let loss = retrace::loss::cross_entropy_loss(&logits, &[Some(0), Some(1), None])?.to_scalar::<f64>()?;
/// assert!((loss - (2.0_f64.ln() + 4.0_f64.ln()) / 2.0).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn cross_entropy_loss(logits: &Tensor, labels: &[Option<usize>]) -> Result<Tensor> {
    let (logarithms, _) = of_labels(logits, labels)?;
    Ok(logarithms.mean_all()?.neg()?)
}

/// The same, one value a row; a row without a label has 0 and no gradient.
///
/// ```text
/// L_i = log(sum over c of exp(z_ic)) - z_i,label,   0 without a label
/// ```
///
/// The mean of the values is [`cross_entropy_loss`] where every row has a label; elsewhere their sum over the number of
/// labelled rows is.
///
/// # Shapes
/// As [`cross_entropy_loss`], but out `(b)`.
///
/// # Errors
/// As [`cross_entropy_loss`].
///
/// # References
/// As [`cross_entropy_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// let logits = Tensor::new(&[[0.0_f64, 0.0], [9.0, 0.0], [3.0_f64.ln(), 0.0]], &Device::Cpu)?;
/// // Probabilities of the labels: 1/2 and 1/4; the second row has none.
/// let losses = retrace::loss::cross_entropy_losses(&logits, &[Some(0), None, Some(1)])?.to_vec1::<f64>()?;
/// assert_eq!(losses[1], 0.0);
/// assert!((losses[0] - 2.0_f64.ln()).abs() < 1e-12 && (losses[2] - 4.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn cross_entropy_losses(logits: &Tensor, labels: &[Option<usize>]) -> Result<Tensor> {
    let (logarithms, rows) = of_labels(logits, labels)?;
    let none = Tensor::zeros(labels.len(), logarithms.dtype(), logarithms.device())?;
    Ok(none.index_add(&Tensor::new(rows, none.device())?, &logarithms.neg()?, 0)?)
}

/// Logarithms of the labels' probabilities, and the rows that have one.
fn of_labels(logits: &Tensor, labels: &[Option<usize>]) -> Result<(Tensor, Vec<u32>)> {
    let (_, c) = logits.dims2()?;
    check(logits, labels)?;
    let labelled = || labels.iter().enumerate().filter_map(|(i, label)| Some((i, (*label)?)));
    let at: Vec<u32> = labelled().map(|(i, label)| (i * c + label) as u32).collect();
    let at = Tensor::new(at, logits.device())?;
    let rows = labelled().map(|(i, _)| i as u32).collect();
    Ok((log_softmax(logits)?.flatten_all()?.index_select(&at, 0)?, rows))
}

fn check(logits: &Tensor, labels: &[Option<usize>]) -> Result<()> {
    let (b, c) = logits.dims2()?;
    let outside = labels.iter().flatten().find(|label| **label >= c);
    if labels.len() != b || outside.is_some() {
        let found =
            format!("{} labels, {}", labels.len(), outside.map_or("all below".into(), |l| format!("one of {l}")));
        return Err(Error::value("labels", format!("{b} labels below {c}"), found));
    }
    if labels.iter().all(Option::is_none) {
        return Err(Error::value("labels", "a labelled row or more", format!("none in {b} rows")));
    }
    Ok(())
}

pub(super) fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?.detach())?;
    Ok(shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use candle_core::{Device, Var};
    use rand::RngExt;

    fn tensor(rows: &[Vec<f64>]) -> Tensor {
        Tensor::from_vec(rows.concat(), (rows.len(), rows[0].len()), &Device::Cpu).unwrap()
    }

    fn slow(rows: &[Vec<f64>], labels: &[Option<usize>]) -> f64 {
        let mut terms = Vec::new();
        for (row, label) in rows.iter().zip(labels) {
            if let Some(label) = label {
                terms.push(-(row[*label].exp() / row.iter().map(|z| z.exp()).sum::<f64>()).ln());
            }
        }
        terms.iter().sum::<f64>() / terms.len() as f64
    }

    #[test]
    fn cross_entropy_agrees_with_its_twin_and_finite_differences() {
        let mut stream = Seed(9).stream("test");
        let rows: Vec<Vec<f64>> = (0..5).map(|_| (0..4).map(|_| stream.random_range(-3.0..3.0)).collect()).collect();
        let labels = [Some(0), None, Some(3), Some(3), Some(1)];
        let variable = Var::from_tensor(&tensor(&rows)).unwrap();
        let loss = cross_entropy_loss(&variable, &labels).unwrap();
        assert!((loss.to_scalar::<f64>().unwrap() - slow(&rows, &labels)).abs() < 1e-12);
        let ours = loss.backward().unwrap().get(&variable).unwrap().to_vec2::<f64>().unwrap();
        for (i, row) in ours.iter().enumerate() {
            for (j, slope) in row.iter().enumerate() {
                let step = |by: f64| {
                    let mut moved = rows.clone();
                    moved[i][j] += by;
                    slow(&moved, &labels)
                };
                let expected = (step(1e-6) - step(-1e-6)) / 2e-6;
                assert!((slope - expected).abs() < 1e-8, "{i},{j}: {slope} against {expected}");
            }
        }
        assert_eq!(ours[1], [0.0; 4], "a row without a label moves nothing");
    }

    #[test]
    fn large_numbers_stay_finite_and_nan_is_not_hidden() {
        let loss = |rows: &[Vec<f64>], labels: &[_]| {
            cross_entropy_loss(&tensor(rows), labels).unwrap().to_scalar::<f64>().unwrap()
        };
        assert_eq!(loss(&[vec![1e4, 0.0]], &[Some(1)]), 1e4);
        assert_eq!(loss(&[vec![-1e4, -2e4]], &[Some(0)]), 0.0);
        assert!(loss(&[vec![f64::NAN, 0.0]], &[Some(1)]).is_nan());
    }

    #[test]
    fn cross_entropy_checks_labels() {
        let logits = tensor(&[vec![0.0, 1.0], vec![2.0, 3.0]]);
        let message = |labels: &[_]| cross_entropy_loss(&logits, labels).unwrap_err().to_string();
        assert!(message(&[Some(0)]).contains("2 labels below 2, found 1 labels"));
        assert!(message(&[Some(0), Some(2)]).contains("one of 2"));
        assert!(message(&[None, None]).contains("none in 2 rows"));
    }
}
