//! Jigsaw: in which of several orders the nine tiles of a photo are.

use super::colour;
use super::config::PretrainConfig;
use super::head::Perceptron;
use super::task::{PhotoBatch, PretrainTask};
use super::trunk::Trunk;
use crate::Result;
use crate::loss::cross_entropy_loss;
use crate::model::Mode;
use crate::seed::{Seed, Stream};
use candle_core::Tensor;
use rand::RngExt;
use rand::seq::SliceRandom;

/// Tiles to a side.
const GRID: usize = 3;

/// An order of the tiles: the tile that comes to each place.
type Order = [u8; GRID * GRID];

/// Tiles go through the backbone one by one; a perceptron on all nine features names the order.
pub(super) struct Jigsaw {
    trunk: Trunk,
    head: Perceptron,
    orders: Vec<Order>,
    tile: f64,
}

impl Jigsaw {
    pub(super) fn new(mut trunk: Trunk, orders: usize, tile: f64, seed: Seed) -> Result<Self> {
        let (channels, count) = (trunk.channels(), GRID * GRID);
        let reduced = channels * 2; // wide enough to compare nine tiles, narrow enough to be cheap
        let head = Perceptron::new(channels * count, &[reduced], orders, &mut trunk.scope().push("jigsaw"))?;
        Ok(Self { trunk, head, orders: choose(orders, &mut seed.stream("orders")), tile })
    }

    /// Each photo's tiles in its order, every tile cut at random from its third and recoloured on its own, so that
    /// neither a continued line nor a common shade reveals the order.
    fn tiles(
        &self,
        pictures: &Tensor,
        orders: &[usize],
        config: &PretrainConfig,
        stream: &mut Stream,
    ) -> Result<Tensor> {
        let cell = pictures.dim(2)? / GRID;
        let side = ((cell as f64 * self.tile) as usize).max(1);
        let mut tiles = Vec::with_capacity(orders.len() * GRID * GRID);
        for (i, order) in orders.iter().enumerate() {
            for from in self.orders[*order] {
                let at = |third: usize, stream: &mut Stream| third * cell + stream.random_range(0..=cell - side);
                let (y, x) = (at(from as usize / GRID, stream), at(from as usize % GRID, stream));
                tiles.push(pictures.narrow(0, i, 1)?.narrow(2, y, side)?.narrow(3, x, side)?);
            }
        }
        let colours: Vec<_> = tiles.iter().map(|_| config.colour.sample(stream)).collect();
        colour::apply(&Tensor::cat(&tiles, 0)?, &colours)
    }
}

impl PretrainTask for Jigsaw {
    fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    fn loss(&mut self, batch: &PhotoBatch, stream: &mut Stream) -> Result<Tensor> {
        let PhotoBatch { photos, positions, config } = *batch;
        let orders: Vec<usize> = positions.iter().map(|_| stream.random_range(0..self.orders.len())).collect();
        let pictures = photos.deformed(positions, config, stream)?;
        let features = self.trunk.features(&self.tiles(&pictures, &orders, config, stream)?, Mode::Train)?;
        let joined = features.reshape((positions.len(), GRID * GRID * self.trunk.channels()))?;
        let labels: Vec<_> = orders.into_iter().map(Some).collect();
        cross_entropy_loss(&self.head.forward(&joined, Mode::Train)?, &labels)
    }
}

/// Orders that differ in as many places as can be: the first at random, each next one the farthest from all before it
/// (Noroozi and Favaro, Algorithm 1), among a sample, since 9! orders are more than a choice needs.
fn choose(count: usize, stream: &mut Stream) -> Vec<Order> {
    const SAMPLE: usize = 20_000;
    let candidates: Vec<Order> = (0..SAMPLE.max(count)).map(|_| shuffled(stream)).collect();
    let mut nearest = vec![usize::MAX; candidates.len()];
    let mut chosen = vec![candidates[0]];
    while chosen.len() < count {
        let last = chosen[chosen.len() - 1];
        for (nearest, candidate) in nearest.iter_mut().zip(&candidates) {
            *nearest = (*nearest).min(candidate.iter().zip(&last).filter(|(a, b)| a != b).count());
        }
        let best = (0..candidates.len()).rev().max_by_key(|i| nearest[*i]).unwrap_or(0); // the first of equals
        chosen.push(candidates[best]);
    }
    chosen
}

fn shuffled(stream: &mut Stream) -> Order {
    let mut order: Order = std::array::from_fn(|i| i as u8);
    order.shuffle(stream);
    order
}

#[cfg(test)]
mod tests {
    use super::super::method::PretrainMethod;
    use super::*;
    use crate::model::Architecture;
    use candle_core::Device;

    #[test]
    fn orders_are_far_apart() {
        let orders = choose(20, &mut Seed(1).stream("orders"));
        for (i, a) in orders.iter().enumerate() {
            let mut sorted = *a;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
            for b in &orders[..i] {
                // Two random orders share a place on average; twenty chosen ones need not share more than one.
                assert!(a.iter().zip(b).filter(|(x, y)| x != y).count() >= 7, "{a:?} {b:?}");
            }
        }
        assert_eq!(orders, choose(20, &mut Seed(1).stream("orders")));
    }

    #[test]
    fn tiles_come_from_their_thirds() {
        let trunk = Trunk::new(Architecture::Mini, Seed(0), &Device::Cpu).unwrap();
        let jigsaw = Jigsaw::new(trunk, 2, 1.0, Seed(0)).unwrap();
        // Every pixel says which third it is of.
        let third = |i: usize| (i / 8) as f32;
        let value = |i: usize| (third(i / 24 % 24) * 3.0 + third(i % 24)) / 16.0;
        let picture = Tensor::from_vec((0..3 * 24 * 24).map(value).collect(), (1, 3, 24, 24), &Device::Cpu).unwrap();
        let config = PretrainConfig {
            colour: colour::ColourConfig { grey: 0.0, strength: 0.0 },
            ..PretrainConfig::mini(PretrainMethod::Attributes)
        };
        let tiles = jigsaw.tiles(&picture, &[1], &config, &mut Seed(3).stream("test")).unwrap();
        assert_eq!(tiles.dims(), [9, 3, 8, 8]);
        for (place, from) in jigsaw.orders[1].iter().enumerate() {
            let tile = tiles.get(place).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert!(tile.iter().all(|value| (value * 16.0 - f32::from(*from)).abs() < 1e-4), "{place}: {tile:?}");
        }
    }
}
