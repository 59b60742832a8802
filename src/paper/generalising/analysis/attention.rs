//! Where the retrieval network looks with a sketch's own word and with foreign ones (Qualitative Impact of Descriptors,
//! Fig. 3).

use super::super::{AdaptedModel, AdaptedNetwork, Config, Generalising};
use crate::analysis::{grad_cam, overlap};
use crate::dataset::{Index, Split};
use crate::experiment::analyse::{SEED, lines_frame};
use crate::experiment::{Bench, Method, Origin, Subject, View};
use crate::model::{Mode, pool};
use crate::train::Feed;
use crate::{Error, Result};
use candle_core::{D, Device, Tensor, Var};
use polars::prelude::Column;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};

/// Pairs that are measured, and pairs whose maps are kept: as many as Fig. 3 has.
const PAIRS: usize = 200;
const SHOWN: usize = 6;

/// Foreign descriptors of a pair (Fig. 3).
const FOREIGN: usize = 4;

/// Sketches to a forward pass.
const CHUNK: usize = 64;

/// Heat maps of a pair under some descriptors.
struct Attention {
    /// The dimension of each.
    dimensions: Vec<u32>,
    /// By sketch and photo, `(descriptors, places)`: of that dimension, and of the whole product.
    maps: [Vec<Vec<f32>>; 2],
    whole: [Vec<Vec<f32>>; 2],
    size: [usize; 2],
}

/// Writes `attention.csv` and `heat.csv`.
///
/// # Errors
/// A row without a dictionary; a checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (run, order) = (&subject.run, subject.order);
    let bench = Bench::open(&run.dataset, order.places)?;
    let origin = subject.checkpoint(&Generalising)?;
    let network = Generalising.load(run, Origin::Checkpoint(&origin, order.places), order.device)?;
    let model = AdaptedModel::open(&run.config, network, &bench, &[Split::Test], order)?;
    let index = bench.index();
    let sketches = index.sketches_of(Split::Test);
    let descriptions = descriptions(&model, &sketches)?;
    let mut queries = sketches.clone();
    queries.shuffle(&mut SEED.stream("attention"));
    queries.truncate(PAIRS);
    let is_first = subject.record.ranks()?.into_iter().filter(|rank| rank.rank == 1).map(|rank| rank.query as usize);
    let shown = shown(index, &queries, &is_first.collect());
    let (mut lines, mut cells) = (Vec::new(), Vec::new());
    for (done, query) in queries.iter().enumerate() {
        let photo = index.sketches[*query].photo;
        let owners = owners(*query, &sketches, &descriptions)?;
        let rows: Vec<&[f32]> = owners.iter().map(|owner| descriptions[owner].as_slice()).collect();
        let found = attend(&model, (*query, photo), &rows, order.device)?;
        for (i, owner) in owners.iter().enumerate() {
            let of = |maps: &[Vec<Vec<f32>>; 2]| overlap(&maps[0][i], &maps[1][i]);
            let numbers = [*query, photo, i, *owner, found.dimensions[i] as usize].map(|number| number as f64);
            lines.push([&numbers[..], &[of(&found.maps)?, of(&found.whole)?]].concat());
            if shown.contains(query) {
                cells.extend(cells_of(&found, i, [*query, photo]));
            }
        }
        order.watch.advance("pairs", done + 1, queries.len());
    }
    let names = ["query", "photo", "descriptor", "sketch", "dimension", "overlap", "whole"];
    let heat = ["query", "photo", "descriptor", "domain", "row", "column", "value"];
    subject.write("heat", whole(lines_frame(&heat, &cells)?, &["descriptor", "domain", "row", "column"])?)?;
    subject.write("attention", whole(lines_frame(&names, &lines)?, &["descriptor", "sketch", "dimension"])?)
}

/// Columns as whole numbers.
fn whole(mut frame: polars::prelude::DataFrame, names: &[&str]) -> Result<polars::prelude::DataFrame> {
    for name in names {
        let numbers: Vec<u32> = frame.column(name)?.f64()?.iter().map(|value| value.unwrap_or(0.0) as u32).collect();
        frame.replace(name, Column::new((*name).into(), numbers))?;
    }
    Ok(frame)
}

/// The cells of both maps of a descriptor; 0 is the sketch and 1 the photo.
fn cells_of(found: &Attention, i: usize, [query, photo]: [usize; 2]) -> Vec<Vec<f64>> {
    let mut cells = Vec::new();
    for (domain, maps) in found.maps.iter().enumerate() {
        for (at, value) in maps[i].iter().enumerate() {
            let place = [query, photo, i, domain, at / found.size[1], at % found.size[1]].map(|number| number as f64);
            cells.push([&place[..], &[f64::from(*value)]].concat());
        }
    }
    cells
}

/// phi of every sketch.
fn descriptions(model: &AdaptedModel, sketches: &[usize]) -> Result<BTreeMap<usize, Vec<f32>>> {
    let mut found = BTreeMap::new();
    for chunk in sketches.chunks(CHUNK) {
        let rows = model.describe(chunk, View::Whole)?;
        let rows = rows.ok_or_else(|| Error::value("attention", "a row that describes sketches", "none"))?;
        found.extend(chunk.iter().copied().zip(rows.to_vec2::<f32>()?));
    }
    Ok(found)
}

/// The sketch itself, and others, drawn by the seed, whose descriptions differ from its own and from each other.
fn owners(query: usize, sketches: &[usize], descriptions: &BTreeMap<usize, Vec<f32>>) -> Result<Vec<usize>> {
    let mut others = sketches.to_vec();
    others.shuffle(&mut SEED.child("foreign", query as u64));
    let mut owners = vec![query];
    for other in others {
        let is_new = owners.iter().all(|owner| descriptions[owner] != descriptions[&other]);
        if owners.len() <= FOREIGN && is_new {
            owners.push(other);
        }
    }
    if owners.len() <= FOREIGN {
        return Err(Error::value("words in use", format!("{} or more", FOREIGN + 1), owners.len()));
    }
    Ok(owners)
}

/// The first queries of different categories whose own photo is found first.
fn shown(index: &Index, queries: &[usize], found: &BTreeSet<usize>) -> BTreeSet<usize> {
    let (mut chosen, mut categories) = (BTreeSet::new(), BTreeSet::new());
    for query in queries.iter().filter(|query| found.contains(query)) {
        let category = &index.photos[index.sketches[*query].photo].category;
        if chosen.len() < SHOWN && categories.insert(category) {
            chosen.insert(*query);
        }
    }
    chosen
}

/// The maps of a pair under each of some descriptions.
///
/// ```text
/// psi(x) = (1 + mu / |mu|) * F(x)              the weights of Eq. 8 and 10 without noise
/// F(x)   = u(x) / |u(x)|                       u the mean of the map, its length held constant: it scales all places alike
/// k      = argmax over k of psi_k(s) psi_k(p)  what contributes most to the product of both
/// maps   : Grad-CAM of psi_k(s) over the sketch, of psi_k(p) over the photo
/// whole  : Grad-CAM of sum over k of psi_k(s) psi_k(p) over either
/// ```
fn attend(
    model: &AdaptedModel,
    (sketch, photo): (usize, usize),
    rows: &[&[f32]],
    device: &Device,
) -> Result<Attention> {
    let network = &model.adapted.network;
    let pixels = model.pixels();
    let maps = [network.map(&pixels.sketches(&[sketch])?)?, network.map(&pixels.photos(&[photo])?)?];
    let (_, h, w, c) = maps[0].dims4()?;
    let copies = |map: &Tensor| Var::from_tensor(&map.broadcast_as((rows.len(), h, w, c))?.contiguous()?);
    let maps = [copies(&maps[0])?, copies(&maps[1])?];
    let descriptions = Tensor::from_vec(rows.concat(), (rows.len(), rows[0].len()), device)?;
    let [own, other] = psi(&model.adapted, &maps, &descriptions)?;
    let product = (&own * &other)?;
    let chosen = product.argmax(D::Minus1)?.detach();
    let of_dimension = |psi: &Tensor| psi.gather(&chosen.unsqueeze(1)?, 1)?.sum_all();
    let one = (of_dimension(&own)? + of_dimension(&other)?)?;
    let [one, all] = [one, product.sum_all()?].map(|scalar| heats(&scalar, &maps));
    Ok(Attention { dimensions: chosen.to_vec1()?, maps: one?, whole: all?, size: [h, w] })
}

/// psi of the sketch and of the photo, both with the weights of each description.
fn psi(adapted: &AdaptedNetwork, maps: &[Var; 2], descriptions: &Tensor) -> Result<[Tensor; 2]> {
    let features = |map: &Var| -> Result<Tensor> {
        let pooled = pool(map)?;
        Ok(pooled.broadcast_div(&pooled.sqr()?.sum_keepdim(1)?.sqrt()?.detach())?)
    };
    let features = [features(&maps[0])?, features(&maps[1])?];
    let still = |shape: &[usize]| Ok(Tensor::zeros(shape, features[0].dtype(), features[0].device())?);
    let (weights, _) = adapted.weigh(&features[0], Some(descriptions), still, Mode::Eval)?;
    Ok([(&features[0] * &weights)?, (&features[1] * &weights)?])
}

/// Grad-CAM of a scalar over both maps, place by place.
fn heats(scalar: &Tensor, maps: &[Var; 2]) -> Result<[Vec<Vec<f32>>; 2]> {
    let gradients = scalar.backward()?;
    let heat = |map: &Var| -> Result<Vec<Vec<f32>>> {
        let gradient = gradients.get(map).ok_or_else(|| Error::value("heat map", "a gradient", "none"))?;
        Ok(grad_cam(map, gradient)?.flatten_from(1)?.to_vec2()?)
    };
    Ok([heat(&maps[0])?, heat(&maps[1])?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Order;
    use crate::paper::generalising::tests::{places, world};
    use crate::seed::Seed;
    use crate::watch::Unwatched;

    #[test]
    fn owners_begin_with_the_query_and_describe_differently() {
        let row = |value: usize| vec![value as f32];
        let descriptions: BTreeMap<usize, Vec<f32>> = (0..30).map(|at| (at, row(at % 6))).collect();
        let sketches: Vec<usize> = (0..30).collect();
        let found = owners(7, &sketches, &descriptions).unwrap();
        let words: BTreeSet<usize> = found.iter().map(|owner| owner % 6).collect();
        assert!(found[0] == 7 && found.len() == 5 && words.len() == 5, "{found:?}");
        assert_eq!(found, owners(7, &sketches, &descriptions).unwrap());
        assert!(owners(7, &sketches, &(0..30).map(|at| (at, row(at % 4))).collect()).is_err());
    }

    /// The dimension is that of the largest product of features and squared weights, computed apart.
    #[test]
    fn attend_looks_at_the_dimension_that_contributes_most() {
        let (place, corpus) = world();
        let places = places(place.path());
        let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
        let bench = Bench::open(&corpus, &places).unwrap();
        let config = Config::preset("synth-world", "ours-wordvector").unwrap();
        let adapted = AdaptedNetwork::new(&config, 0, Seed(4), &Device::Cpu).unwrap();
        let model = AdaptedModel::open(&config, adapted, &bench, &[Split::Test], &order).unwrap();
        let sketch = bench.index().sketches_of(Split::Test)[0];
        let photo = bench.index().sketches[sketch].photo;
        let described = [[0.5f32; 100], [-0.5; 100], [0.5; 100]];
        let rows: Vec<&[f32]> = described.iter().map(|row| row.as_slice()).collect();
        let found = attend(&model, (sketch, photo), &rows, &Device::Cpu).unwrap();
        let network = &model.adapted.network;
        let embed = |pictures: Tensor| network.embed_in_evaluation(&pictures).unwrap();
        let s = embed(model.pixels().sketches(&[sketch]).unwrap());
        let p = embed(model.pixels().photos(&[photo]).unwrap());
        let words = Tensor::new(&described, &Device::Cpu).unwrap();
        let still = |shape: &[usize]| Ok(Tensor::zeros(shape, s.dtype(), s.device())?);
        let features = s.broadcast_as((3, s.dim(1).unwrap())).unwrap();
        let (weights, _) = model.adapted.weigh(&features, Some(&words), still, Mode::Eval).unwrap();
        let product = weights.sqr().unwrap().broadcast_mul(&(s * p).unwrap()).unwrap();
        assert_eq!(found.dimensions, product.argmax(D::Minus1).unwrap().to_vec1::<u32>().unwrap());
        // With its length constant the map of a dimension is that channel, to the maximum 1.
        let map = network.map(&model.pixels().sketches(&[sketch]).unwrap()).unwrap();
        let channel = map.narrow(3, found.dimensions[0] as usize, 1).unwrap().flatten_all().unwrap();
        let channel = channel.to_vec1::<f32>().unwrap();
        let most = channel.iter().copied().fold(0.0, f32::max);
        assert!(channel.iter().zip(&found.maps[0][0]).all(|(value, heat)| (value / most - heat).abs() < 1e-4));
        for maps in found.maps.iter().chain(&found.whole) {
            assert_eq!((maps.len(), &maps[0]), (3, &maps[2]));
            assert!(maps.iter().flatten().all(|heat| (0.0..=1.0).contains(heat)) && maps[0].len() == 16);
        }
    }
}
