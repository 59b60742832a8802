use super::{Triple, distances, hinge};
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};

/// Punishes an order of two photos round a query that contradicts the frozen network's.
///
/// ```text
/// L = mean over triples of max(margin + R(i, j, k) (d(q_i, p_j) - d(q_i, p_k)), 0)
/// ```
///
/// With sketches as queries this is Eq. 4 (cross-domain), with photos Eq. 3.
///
/// # Shapes
/// `queries` and `photos` `(b, d)`; out a scalar.
///
/// # Errors
/// No triples, or a triple whose rows are not in the batch.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Eq. 3 and 4.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::loss::{Triple, neighbourhood_loss};
/// let queries = Tensor::new(&[[0.0_f64], [0.0], [0.0]], &Device::Cpu)?;
/// let photos = Tensor::new(&[[0.0_f64], [2.0], [1.0]], &Device::Cpu)?;
/// let triple = Triple { i: 0, j: 1, k: 2, order: 1 }; // photo 1 should be nearer than photo 2, and is 1 farther
/// let loss = neighbourhood_loss(&queries, &photos, &[triple], 0.25)?.to_scalar::<f64>()?;
/// assert!((loss - 1.25).abs() < 1e-6);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn neighbourhood_loss(queries: &Tensor, photos: &Tensor, triples: &[Triple], margin: f64) -> Result<Tensor> {
    Ok(neighbourhood_losses(queries, photos, triples, margin)?.mean_all()?)
}

/// The same, one value a triple, in the order of the triples; their mean is [`neighbourhood_loss`].
///
/// ```text
/// L_t = max(margin + R(i, j, k) (d(q_i, p_j) - d(q_i, p_k)), 0),   t = (i, j, k)
/// ```
///
/// # Shapes
/// `queries` and `photos` `(b, d)`; n triples; out `(n)`.
///
/// # Errors
/// As [`neighbourhood_loss`].
///
/// # References
/// As [`neighbourhood_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::loss::{Triple, neighbourhood_losses};
/// let query = Tensor::new(&[[0.0_f64]], &Device::Cpu)?;
/// let photos = Tensor::new(&[[0.0_f64], [2.0], [1.0]], &Device::Cpu)?;
/// let triple = |order| Triple { i: 0, j: 1, k: 2, order };
/// // Photo 1 is 1 farther than photo 2: wrong for the first triple, right for the second.
/// let losses = neighbourhood_losses(&query, &photos, &[triple(1), triple(-1)], 0.25)?.to_vec1::<f64>()?;
/// assert!((losses[0] - 1.25).abs() < 1e-6 && losses[1] == 0.0);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn neighbourhood_losses(queries: &Tensor, photos: &Tensor, triples: &[Triple], margin: f64) -> Result<Tensor> {
    check(queries, photos, triples)?;
    let m = photos.dim(0)?;
    let all = distances(queries, photos)?.flatten_all()?;
    let pick = |column: fn(&Triple) -> usize| -> Result<Tensor> {
        let at: Vec<u32> = triples.iter().map(|t| (t.i * m + column(t)) as u32).collect();
        Ok(all.index_select(&Tensor::new(at, all.device())?, 0)?)
    };
    let order: Vec<f32> = triples.iter().map(|t| f32::from(t.order)).collect();
    let order = Tensor::from_vec(order, triples.len(), &Device::Cpu)?.to_device(all.device())?.to_dtype(all.dtype())?;
    let difference = (pick(|t| t.j)? - pick(|t| t.k)?)?;
    Ok(hinge(&((difference * order)? + margin)?)?)
}

/// The share of triples whose order two sets of embeddings have as the frozen network has it, ties included.
///
/// ```text
/// mean over triples of [ R(i, j, k) (d(q_i, p_k) - d(q_i, p_j)) >= 0 ]
/// ```
///
/// # Shapes
/// As [`neighbourhood_loss`]; returns 0 to 1, and 0.5 by chance.
///
/// # Errors
/// As [`neighbourhood_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::loss::{Triple, agreement};
/// let queries = Tensor::new(&[[0.0_f32]], &Device::Cpu)?;
/// let photos = Tensor::new(&[[3.0_f32], [2.0], [1.0]], &Device::Cpu)?;
/// let order = |j, k, order| Triple { i: 0, j, k, order };
/// let share = agreement(&queries, &photos, &[order(2, 1, 1), order(0, 1, 1), order(0, 2, -1), order(1, 2, 1)])?;
/// assert_eq!(share, 0.5);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn agreement(queries: &Tensor, photos: &Tensor, triples: &[Triple]) -> Result<f64> {
    check(queries, photos, triples)?;
    let all = distances(queries, photos)?.to_dtype(DType::F32)?.to_vec2::<f32>()?;
    let agrees = |t: &&Triple| f32::from(t.order) * (all[t.i][t.k] - all[t.i][t.j]) >= 0.0;
    Ok(triples.iter().filter(agrees).count() as f64 / triples.len() as f64)
}

fn check(queries: &Tensor, photos: &Tensor, triples: &[Triple]) -> Result<()> {
    let (b, m) = (queries.dim(0)?, photos.dim(0)?);
    if triples.is_empty() || triples.iter().any(|t| t.i >= b || t.j >= m || t.k >= m) {
        let found = format!("{} triples, {b} queries, {m} photos", triples.len());
        return Err(Error::value("neighbourhood batch", "triples of rows of the batch", found));
    }
    Ok(())
}
