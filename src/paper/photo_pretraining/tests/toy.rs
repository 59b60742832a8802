//! A network of two layers, a feed of five photos, and their topology.

use super::twin::{HIDDEN, INPUTS, OUTPUTS, Twin};
use crate::Result;
use crate::dataset::Pair;
use crate::loss::{Topology, draw_triples};
use crate::model::l2_normalise;
use crate::paper::photo_pretraining::{Config, Neighbourhood, Neighbours, PaperStep, Query, Update};
use crate::seed::{Seed, Stream};
use crate::train::{Feed, Step};
use candle_core::{Device, Tensor, Var};
use rand::RngExt;

/// Position of the first photo in the index: unlike its row in the topology.
const FIRST: usize = 10;
const PHOTOS: usize = 5;

pub(super) struct Toy {
    variables: Vec<(String, Var)>,
}

fn draw(name: &str, count: usize) -> Vec<f64> {
    let mut stream = Seed(4).stream(name);
    (0..count).map(|_| stream.random_range(-1.0..1.0)).collect()
}

impl Toy {
    pub(super) fn new() -> Self {
        let var = |name: &str, rows: usize, columns: usize| {
            let var = Var::from_vec(draw(name, rows * columns), (rows, columns), &Device::Cpu).unwrap();
            (name.to_string(), var)
        };
        Self { variables: vec![var("first", INPUTS, HIDDEN), var("second", HIDDEN, OUTPUTS)] }
    }

    /// All parameters, one after the other.
    pub(super) fn theta(&self) -> Vec<f64> {
        self.variables.iter().flat_map(|(_, var)| var.flatten_all().unwrap().to_vec1::<f64>().unwrap()).collect()
    }

    pub(super) fn step<'a>(&self, config: &Config, feed: &'a Shapes, with_neighbours: bool) -> Result<PaperStep<'a>> {
        let (first, second) = (self.variables[0].1.clone(), self.variables[1].1.clone());
        let embed = move |x: &Tensor| l2_normalise(&x.matmul(first.as_tensor())?.tanh()?.matmul(second.as_tensor())?);
        let rows = (0..PHOTOS).map(|row| (FIRST + row, row)).collect();
        let neighbours = with_neighbours.then(|| Neighbours { topology: topology(), rows });
        PaperStep::of(config, self.variables.clone(), Box::new(embed), feed, neighbours)
    }

    /// The parameters after one step on the whole of `batch`, from the start.
    pub(super) fn after(config: &Config, batch: &[Pair], factor: f64) -> Vec<f64> {
        let toy = Self::new();
        let mut step = toy.step(config, &Shapes, true).unwrap();
        step.step(batch, &mut stream(), factor).unwrap();
        toy.theta()
    }
}

/// The stream of every step here.
pub(super) fn stream() -> Stream {
    Seed(9).stream("step")
}

/// Four sketches of four of the five photos.
pub(super) fn batch() -> Vec<Pair> {
    [(0, 12), (1, 10), (2, 14), (3, 11)].map(|(sketch, photo)| Pair { sketch, photo, group: 0 }).to_vec()
}

/// A configuration; only its update, margins and K matter here.
pub(super) fn config(update: Update, margins: [f64; 2]) -> Config {
    let neighbourhood = Neighbourhood::new(3, margins[1]);
    Config { update, margin: margins[0], neighbourhood, clip: None, ..Config::mini("synth-chair") }
}

fn topology() -> Topology {
    Topology::new(&Tensor::from_vec(draw("frozen", PHOTOS * 2), (PHOTOS, 2), &Device::Cpu).unwrap()).unwrap()
}

/// What the twin needs: inputs and triples as the step draws them from its stream.
pub(super) fn twin(config: &Config, batch: &[Pair]) -> Twin {
    let mut stream = stream();
    let (sketches, photos) = Shapes.pairs(batch, &mut stream).unwrap();
    let rows: Vec<usize> = batch.iter().map(|pair| pair.photo - FIRST).collect();
    let Neighbourhood { pairs, draw, query, .. } = config.neighbourhood;
    let triples = draw_triples(&topology(), &rows, pairs, draw, &mut stream).unwrap();
    Twin {
        sketches: sketches.to_vec2().unwrap(),
        photos: photos.to_vec2().unwrap(),
        owners: batch.iter().map(|pair| pair.photo).collect(),
        triples,
        margin: config.margin,
        topology_margin: config.neighbourhood.margin,
        photos_ask: query == Query::Photo,
    }
}

/// Inputs of three numbers, moved a little at random as deformed pictures are.
pub(super) struct Shapes;

impl Feed for Shapes {
    fn pairs(&self, pairs: &[Pair], stream: &mut Stream) -> Result<(Tensor, Tensor)> {
        let mut rows = |name: &str, positions: Vec<usize>| -> Result<Tensor> {
            let table = draw(name, 20 * INPUTS);
            let row = |position: usize| table[position * INPUTS..][..INPUTS].to_vec();
            let mut values: Vec<f64> = positions.iter().flat_map(|position| row(*position)).collect();
            values.iter_mut().for_each(|value| *value += stream.random_range(-0.1..0.1));
            Ok(Tensor::from_vec(values, (positions.len(), INPUTS), &Device::Cpu)?)
        };
        let sketches = rows("sketches", pairs.iter().map(|pair| pair.sketch).collect())?;
        Ok((sketches, rows("photos", pairs.iter().map(|pair| pair.photo).collect())?))
    }

    fn sketches(&self, _: &[usize]) -> Result<Tensor> {
        unreachable!("training only")
    }

    fn photos(&self, _: &[usize]) -> Result<Tensor> {
        unreachable!("training only")
    }

    fn partial(&self, _: &[usize], _: u32) -> Result<Tensor> {
        unreachable!("training only")
    }
}
