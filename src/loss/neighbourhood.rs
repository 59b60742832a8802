use super::{distances, hinge};
use crate::{Error, Result, seed::Stream};
use candle_core::{DType, Device, Tensor};
use rand::RngExt;

/// What a frozen network says of which photos are near which: the source of the ranking matrix R.
///
/// R of all n photos has n^3 entries; all of them follow from the n x n distances, so those are what is kept, and
/// an entry is made when it is asked for.
///
/// # References
/// Li et al., Photo Pre-Training, But for Sketch, CVPR 2023, Sec. 2.1 and Eq. 2.
#[derive(Debug, Clone, PartialEq)]
pub struct Topology {
    photos: usize,
    distances: Vec<f32>,
}

impl Topology {
    /// Measures all training photos once.
    ///
    /// # Shapes
    /// `features` `(n, d)` of the frozen network, row = photo.
    ///
    /// # Errors
    /// Features that are not finite.
    pub fn new(features: &Tensor) -> Result<Self> {
        let features = features.to_dtype(DType::F32)?;
        let distances = distances(&features, &features)?.flatten_all()?.to_vec1::<f32>()?;
        if distances.iter().any(|distance| !distance.is_finite()) {
            return Err(Error::value("features of the frozen network", "finite numbers", "NaN or infinity"));
        }
        Ok(Self { photos: features.dim(0)?, distances })
    }

    /// How many photos were measured.
    pub fn photos(&self) -> usize {
        self.photos
    }

    /// d(i, j), none where a photo was not measured.
    pub fn distance(&self, i: usize, j: usize) -> Option<f32> {
        (i < self.photos && j < self.photos).then(|| self.distances[i * self.photos + j])
    }

    /// An entry of the ranking matrix.
    ///
    /// ```text
    /// R(i, j, k) = 1 if d(i, j) <= d(i, k), -1 if d(i, j) > d(i, k), none if two of the three are one photo
    /// ```
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use retrace::loss::Topology;
    /// let line = Tensor::new(&[[0.0_f32], [1.0], [5.0]], &Device::Cpu)?;
    /// let topology = Topology::new(&line)?;
    /// assert_eq!(topology.order(0, 1, 2), Some(1));
    /// assert_eq!(topology.order(2, 0, 1), Some(-1));
    /// assert_eq!(topology.order(0, 0, 1), None);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn order(&self, i: usize, j: usize, k: usize) -> Option<i8> {
        let distinct = i != j && i != k && j != k;
        let (to_j, to_k) = (self.distance(i, j)?, self.distance(i, k)?);
        distinct.then_some(if to_j <= to_k { 1 } else { -1 })
    }
}

/// A query row and two photo rows of a batch, with what the frozen network says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triple {
    /// Row of the query.
    pub i: usize,
    /// Row of the first photo.
    pub j: usize,
    /// Row of the second photo.
    pub k: usize,
    /// `R(i, j, k)`.
    pub order: i8,
}

/// Draws `pairs` random pairs of other photos for every row of a batch.
///
/// # Shapes
/// `photos` b positions in `topology`; out at most `b * pairs` triples of three different photos.
///
/// # Errors
/// Fewer than three different photos in the batch, or a photo that was not measured.
///
/// # References
/// Li et al., CVPR 2023, Sec. 3 (`Random`, K pairs to a query).
pub fn draw_triples(topology: &Topology, photos: &[usize], pairs: usize, stream: &mut Stream) -> Result<Vec<Triple>> {
    if let Some(photo) = photos.iter().find(|photo| **photo >= topology.photos) {
        return Err(Error::value("photo of a batch", format!("below {}", topology.photos), photo));
    }
    let mut triples = Vec::with_capacity(photos.len() * pairs);
    for (i, photo) in photos.iter().enumerate() {
        let others: Vec<usize> = (0..photos.len()).filter(|j| photos[*j] != *photo).collect();
        if others.iter().all(|j| photos[*j] == photos[others[0]]) {
            return Err(Error::value("batch", "three different photos or more", format!("{photos:?}")));
        }
        let mut drawn = 0;
        while drawn < pairs {
            let (j, k) = (others[stream.random_range(0..others.len())], others[stream.random_range(0..others.len())]);
            if let Some(order) = topology.order(*photo, photos[j], photos[k]) {
                triples.push(Triple { i, j, k, order });
                drawn += 1;
            }
        }
    }
    Ok(triples)
}

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
    Ok(hinge(&((difference * order)? + margin)?)?.mean_all()?)
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
