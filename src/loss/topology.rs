use super::distances;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};

/// Distances between photos under a frozen network: the source of the ranking matrix R.
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
        if let Some((at, distance)) = distances.iter().enumerate().find(|(_, distance)| !distance.is_finite()) {
            let (i, j) = (at / features.dim(0)?, at % features.dim(0)?);
            let found = format!("a distance of {distance} between photos {i} and {j}");
            return Err(Error::value("features of the frozen network", "finite numbers", found));
        }
        Ok(Self { photos: features.dim(0)?, distances })
    }

    /// Uses distances that were measured before, as [`Self::to_tensor`] gave them.
    ///
    /// # Shapes
    /// `distances` `(n, n)`.
    ///
    /// # Errors
    /// Rows and columns of different numbers; distances that are not finite or below 0.
    pub fn of_distances(distances: &Tensor) -> Result<Self> {
        let (photos, columns) = distances.dims2()?;
        let found = distances.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        if photos != columns {
            return Err(Error::value("distances between photos", "a square", format!("{photos} x {columns}")));
        }
        if let Some((at, odd)) = found.iter().enumerate().find(|(_, d)| !(d.is_finite() && **d >= 0.0)) {
            let found = format!("{odd} between photos {} and {}", at / photos, at % photos);
            return Err(Error::value("distances between photos", "finite numbers of 0 or more", found));
        }
        Ok(Self { photos, distances: found })
    }

    /// All distances, for keeping them.
    ///
    /// # Shapes
    /// out `(n, n)`, single precision, on the CPU.
    ///
    /// # Errors
    /// None: the stored distances are square.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use retrace::loss::Topology;
    /// let topology = Topology::new(&Tensor::new(&[[0.0_f32], [3.0]], &Device::Cpu)?)?;
    /// assert_eq!(Topology::of_distances(&topology.to_tensor()?)?, topology);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn to_tensor(&self) -> Result<Tensor> {
        Ok(Tensor::from_slice(&self.distances, (self.photos, self.photos), &Device::Cpu)?)
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
