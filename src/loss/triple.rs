use super::Topology;
use crate::{Error, Result, seed::Stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// A query row and two photo rows of a batch, with their order under the frozen network.
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

/// How the pairs of photos round a query are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draw {
    /// Two random other photos of the batch: the whole neighbourhood counts.
    #[default]
    Random,
    /// The nearest other photo of the batch under the frozen network, and a random one: only the nearest counts.
    Nearest,
}

/// Draws `pairs` pairs of other photos for every row of a batch.
///
/// ```text
/// Random:   j, k at random
/// Nearest:  j = argmin over the others of d(i, j), the first on ties; k at random
/// ```
///
/// Three photos of a triple always differ. With [`Draw::Nearest`] every order is 1, by what j is.
///
/// # Shapes
/// `photos` b positions in `topology`; out `b * pairs` triples of rows of the batch.
///
/// # Errors
/// Fewer than three different photos in the batch, or a photo that was not measured.
///
/// # References
/// Li et al., CVPR 2023, Sec. 3 and Tab. 3 (K pairs to a query; `Random` is its method, `Nearest` what it compares with);
/// footnote 3: the single nearest photo.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::{loss::{Draw, Topology, draw_triples}, seed::Seed};
/// let topology = Topology::new(&Tensor::new(&[[0.0_f32], [5.0], [1.0]], &Device::Cpu)?)?;
/// let triples = draw_triples(&topology, &[0, 1, 2], 1, Draw::Nearest, &mut Seed(0).stream("step"))?;
/// assert_eq!(triples.iter().map(|triple| triple.j).collect::<Vec<_>>(), [2, 2, 0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn draw_triples(
    topology: &Topology,
    photos: &[usize],
    pairs: usize,
    draw: Draw,
    stream: &mut Stream,
) -> Result<Vec<Triple>> {
    if let Some(photo) = photos.iter().find(|photo| **photo >= topology.photos()) {
        return Err(Error::value("photo of a batch", format!("below {}", topology.photos()), photo));
    }
    let mut triples = Vec::with_capacity(photos.len() * pairs);
    for (i, photo) in photos.iter().enumerate() {
        let others: Vec<usize> = (0..photos.len()).filter(|j| photos[*j] != *photo).collect();
        if others.iter().all(|j| photos[*j] == photos[others[0]]) {
            return Err(Error::value("batch", "three different photos or more", format!("{photos:?}")));
        }
        let nearest = match draw {
            Draw::Random => None,
            Draw::Nearest => nearest(topology, photos, i, &others),
        };
        let mut drawn = 0;
        while drawn < pairs {
            // `Random` draws j, then k: recorded runs depend on the order and on there being no other draw.
            let j = nearest.unwrap_or_else(|| others[stream.random_range(0..others.len())]);
            let k = others[stream.random_range(0..others.len())];
            if let Some(order) = topology.order(*photo, photos[j], photos[k]) {
                triples.push(Triple { i, j, k, order });
                drawn += 1;
            }
        }
    }
    Ok(triples)
}

/// The row whose photo is nearest to that of row `i`: the first of those that are equally near.
fn nearest(topology: &Topology, photos: &[usize], i: usize, others: &[usize]) -> Option<usize> {
    let distance = |j: &usize| topology.distance(photos[i], photos[*j]).unwrap_or(f32::INFINITY);
    others.iter().copied().min_by(|a, b| distance(a).total_cmp(&distance(b)))
}
