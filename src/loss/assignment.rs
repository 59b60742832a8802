//! Assigning samples to the words of a dictionary: entropies, and a choice that gradients pass.

use crate::{Error, Result};
use candle_core::{D, Tensor};
use candle_nn::ops::{log_softmax, softmax};

/// How undecided the samples of a batch are: the mean entropy of their rows.
///
/// ```text
/// H = -1/B sum over i, j of p_ij log p_ij,    p_i = softmax of row i
/// ```
///
/// 0 where every sample has one word, `log K` where it has all.
///
/// # Shapes
/// `logits` `(b, K)`; out a scalar.
///
/// # Errors
/// Logits that are no matrix.
///
/// # References
/// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Eq. 5.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let even = Tensor::zeros((3, 4), candle_core::DType::F64, &Device::Cpu)?;
/// assert!((retrace::loss::row_entropy(&even)?.to_scalar::<f64>()? - 4.0_f64.ln()).abs() < 1e-12);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn row_entropy(logits: &Tensor) -> Result<Tensor> {
    let (b, _) = logits.dims2()?;
    Ok(((softmax(logits, D::Minus1)? * log_softmax(logits, D::Minus1)?)?.sum_all()? / -(b as f64))?)
}

/// How evenly a batch uses the words: the entropy of its mean row, over that of even use.
///
/// ```text
/// H = -sum over j of c_j log c_j / log K,    c = 1/B sum over i of softmax(row i)
/// ```
///
/// 0 where all samples have the same word, 1 where each word is used as much as any other.
///
/// # Shapes
/// `logits` `(b, K)`, K 2 or more; out a scalar.
///
/// # Errors
/// Fewer than two words.
///
/// # References
/// As [`row_entropy`], Eq. 6; the paper prints no basis, but a maximum of 1.
///
/// ```
/// use candle_core::{Device, Tensor};
/// // Two samples that are sure of different words use both evenly.
/// let logits = Tensor::new(&[[50.0_f64, 0.0], [0.0, 50.0]], &Device::Cpu)?;
/// assert!((retrace::loss::column_entropy(&logits)?.to_scalar::<f64>()? - 1.0).abs() < 1e-9);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn column_entropy(logits: &Tensor) -> Result<Tensor> {
    let (_, words) = logits.dims2()?;
    if words < 2 {
        return Err(Error::value("words of a dictionary", "2 or more", words));
    }
    let mean = softmax(logits, D::Minus1)?.mean(0)?;
    // Far below 1/K; keeps the logarithm of a word that nothing uses finite.
    let sum = (&mean * (&mean + 1e-12)?.log()?)?.sum_all()?;
    Ok((sum / -(words as f64).ln())?)
}

/// How far the samples' choices are from even ones: the mean divergence of their rows from the uniform distribution.
///
/// ```text
/// KL = 1/B sum over i, j of p_ij log(p_ij K) = log K - H_row
/// ```
///
/// # Shapes
/// As [`row_entropy`].
///
/// # Errors
/// As [`row_entropy`].
///
/// # References
/// As [`row_entropy`], Eq. 4.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let sure = Tensor::new(&[[90.0_f64, 0.0, 0.0, 0.0]], &Device::Cpu)?;
/// assert!((retrace::loss::uniform_divergence(&sure)?.to_scalar::<f64>()? - 4.0_f64.ln()).abs() < 1e-9);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn uniform_divergence(logits: &Tensor) -> Result<Tensor> {
    let (_, words) = logits.dims2()?;
    Ok((row_entropy(logits)?.neg()? + (words as f64).ln())?)
}

/// One word for every row forwards, the gradient of the shares backwards: the straight-through estimator.
///
/// ```text
/// forwards onehot(argmax p), backwards p
/// ```
///
/// # Shapes
/// `shares` `(b, K)`; out the same.
///
/// # Errors
/// Shares that are no matrix.
///
/// # References
/// As [`row_entropy`], Eq. 3; Jang et al., Categorical Reparameterization with Gumbel-Softmax, ICLR 2017.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let shares = Tensor::new(&[[0.2_f32, 0.5, 0.3]], &Device::Cpu)?;
/// assert_eq!(retrace::loss::straight_through(&shares)?.to_vec2::<f32>()?, [[0.0, 1.0, 0.0]]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn straight_through(shares: &Tensor) -> Result<Tensor> {
    let hot = one_hot(shares)?;
    // Exact ones and zeros: p - p is 0 before the choice is added.
    Ok(((shares - shares.detach())? + hot)?)
}

/// 1 where a row is largest, 0 elsewhere; of equal ones the first.
fn one_hot(shares: &Tensor) -> Result<Tensor> {
    let (b, words) = shares.dims2()?;
    let best = shares.argmax(D::Minus1)?.to_vec1::<u32>()?;
    let mut hot = vec![0f32; b * words];
    best.iter().enumerate().for_each(|(row, word)| hot[row * words + *word as usize] = 1.0);
    Ok(Tensor::from_vec(hot, (b, words), shares.device())?.to_dtype(shares.dtype())?)
}

/// Divergence of normal distributions from the standard one, the mean over rows.
///
/// ```text
/// KL(N(mu, sigma^2) || N(0, 1)) = 1/2 sum over d of (sigma^2 + mu^2 - 1 - log sigma^2)
/// ```
///
/// # Shapes
/// `mean` and `log_variance` `(b, d)`; out a scalar.
///
/// # Errors
/// Shapes that differ.
///
/// # References
/// Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014, Appendix B; L_con in Pang et al., CVPR 2019, Eq. 11.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let (mean, log_variance) = (Tensor::new(&[[2.0_f64]], &Device::Cpu)?, Tensor::new(&[[0.0_f64]], &Device::Cpu)?);
/// assert_eq!(retrace::loss::normal_divergence(&mean, &log_variance)?.to_scalar::<f64>()?, 2.0);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn normal_divergence(mean: &Tensor, log_variance: &Tensor) -> Result<Tensor> {
    Ok(normal_divergences(mean, log_variance)?.mean_all()?)
}

/// The same, one value a row.
///
/// # Shapes
/// As [`normal_divergence`], but out `(b)`.
///
/// # Errors
/// As there.
///
/// # References
/// As there; L_kl in Bhunia et al., More Photos are All You Need, CVPR 2021, Eq. 3.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let mean = Tensor::new(&[[2.0_f64], [0.0]], &Device::Cpu)?;
/// let found = retrace::loss::normal_divergences(&mean, &mean.zeros_like()?)?.to_vec1::<f64>()?;
/// assert_eq!(found, [2.0, 0.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn normal_divergences(mean: &Tensor, log_variance: &Tensor) -> Result<Tensor> {
    mean.dims2()?;
    let terms = ((log_variance.exp()? + mean.sqr()?)? - (log_variance + 1.0)?)?;
    Ok((terms.sum(1)? / 2.0)?)
}

/// Draws of the Gumbel distribution, `-log(-log u)`, for a categorical choice by the largest of logit and draw.
///
/// # Shapes
/// Out as `like`, on its device.
///
/// # Errors
/// A failing tensor operation.
pub fn gumbel(like: &Tensor, stream: &mut crate::seed::Stream) -> Result<Tensor> {
    use rand::RngExt;
    // Open at both ends, so that both logarithms are finite.
    let mut draw = || -(-(stream.random::<f64>().clamp(1e-12, 1.0 - 1e-12)).ln()).ln();
    let values: Vec<f64> = (0..like.elem_count()).map(|_| draw()).collect();
    Ok(Tensor::from_vec(values, like.shape(), like.device())?.to_dtype(like.dtype())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use candle_core::{DType, Device, Var};

    fn logits() -> Tensor {
        Tensor::new(&[[0.3_f64, -1.2, 2.0], [0.0, 0.7, -0.4]], &Device::Cpu).unwrap()
    }

    fn value(loss: Result<Tensor>) -> f64 {
        loss.unwrap().to_scalar().unwrap()
    }

    /// Shares of the rows, one number after the other.
    fn shares() -> Vec<Vec<f64>> {
        let rows = logits().to_vec2::<f64>().unwrap();
        rows.into_iter()
            .map(|row| {
                let sum: f64 = row.iter().map(|x| x.exp()).sum();
                row.into_iter().map(|x| x.exp() / sum).collect()
            })
            .collect()
    }

    #[test]
    fn entropies_agree_with_sums_by_hand() {
        let p = shares();
        let entropy = |row: &[f64]| -row.iter().map(|p| p * p.ln()).sum::<f64>();
        let rows = (entropy(&p[0]) + entropy(&p[1])) / 2.0;
        assert!((value(row_entropy(&logits())) - rows).abs() < 1e-12);
        assert!((value(uniform_divergence(&logits())) - (3f64.ln() - rows)).abs() < 1e-12);
        let mean: Vec<f64> = (0..3).map(|j| (p[0][j] + p[1][j]) / 2.0).collect();
        assert!((value(column_entropy(&logits())) - entropy(&mean) / 3f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn gradients_agree_with_differences() {
        type Loss = fn(&Tensor) -> Result<Tensor>;
        for loss in [row_entropy as Loss, column_entropy, uniform_divergence] {
            let x = Var::from_tensor(&logits()).unwrap();
            let gradient = loss(x.as_tensor()).unwrap().backward().unwrap();
            let gradient = gradient.get(&x).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let flat = logits().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            for (i, found) in gradient.iter().enumerate() {
                let at = |by: f64| {
                    let mut moved = flat.clone();
                    moved[i] += by;
                    value(loss(&Tensor::from_vec(moved, (2, 3), &Device::Cpu).unwrap()))
                };
                assert!(((at(1e-5) - at(-1e-5)) / 2e-5 - found).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn straight_through_chooses_forwards_and_shares_backwards() {
        let x = Var::from_tensor(&logits()).unwrap();
        let choice = straight_through(&softmax(x.as_tensor(), D::Minus1).unwrap()).unwrap();
        assert_eq!(choice.to_vec2::<f64>().unwrap(), [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]);
        let weight = Tensor::new(&[[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::Cpu).unwrap();
        let of = |choice: &Tensor| (choice * &weight).unwrap().sum_all().unwrap().backward().unwrap();
        let hard = of(&choice).get(&x).unwrap().to_vec2::<f64>().unwrap();
        let soft = of(&softmax(x.as_tensor(), D::Minus1).unwrap()).get(&x).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(hard, soft);
    }

    #[test]
    fn gumbel_draws_choose_by_the_shares() {
        // 4000 draws: a share of 0.78 has a deviation of 0.0065, four of which are 0.03.
        let row = Tensor::new(&[[0.3_f64, -1.2, 2.0]], &Device::Cpu).unwrap().broadcast_as((4000, 3)).unwrap();
        let row = row.contiguous().unwrap();
        let chosen = (&row + gumbel(&row, &mut Seed(1).stream("gumbel")).unwrap()).unwrap().argmax(1).unwrap();
        let third = chosen.to_vec1::<u32>().unwrap().iter().filter(|word| **word == 2).count() as f64 / 4000.0;
        assert!((third - shares()[0][2]).abs() < 0.03, "{third}");
    }

    #[test]
    fn extreme_logits_stay_finite() {
        let sure = Tensor::new(&[[900.0_f32, -900.0], [900.0, -900.0]], &Device::Cpu).unwrap();
        for loss in [row_entropy(&sure), column_entropy(&sure), uniform_divergence(&sure)] {
            assert!(loss.unwrap().to_scalar::<f32>().unwrap().is_finite());
        }
        assert!(column_entropy(&Tensor::zeros((2, 1), DType::F32, &Device::Cpu).unwrap()).is_err());
    }

    #[test]
    fn standard_normals_diverge_by_nothing() {
        let zeros = Tensor::zeros((3, 5), DType::F64, &Device::Cpu).unwrap();
        assert_eq!(value(normal_divergence(&zeros, &zeros)), 0.0);
    }
}
