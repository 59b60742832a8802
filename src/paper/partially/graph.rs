//! Scenes as graphs of their annotated objects, by class and place: what `SceneSketcher` compares.

use crate::dataset::{InstanceMap, Mask, ObjectBox, SceneMask, SketchInstance, Source, WordVectors};
use crate::model::{Init, Linear, Mode, Scope, l2_normalise};
use crate::sketch::CANVAS;
use crate::{Error, Result};
use candle_core::{D, Device, Tensor};
use std::collections::BTreeMap;

/// Numbers of a node: the word vector of its class, left, top, right and bottom, and 1 where there is one.
const WORD: usize = 100;
const NODE: usize = WORD + 5;

/// Numbers of a layer and of a graph.
const WIDTH: usize = 128;

/// How fast neighbours count less with their distance, as a share of the picture.
const REACH: f64 = 0.25;

/// The objects of sketches and photos, by position.
pub(super) struct Graphs {
    sketches: Vec<Vec<ObjectBox>>,
    photos: Vec<Vec<ObjectBox>>,
    words: BTreeMap<String, Vec<f32>>,
    device: Device,
}

impl Graphs {
    /// Of a corpus of scenes that says what objects there are: by boxes, by maps, or by the strokes of each.
    ///
    /// # Errors
    /// A corpus that does not; a class without a word vector.
    pub fn read(source: &dyn Source, device: &Device) -> Result<Self> {
        let missing = || Error::value(format!("objects of {}", source.name()), "scenes with objects", "none");
        let scenes = source.scenes().ok_or_else(missing)?;
        let sketch = |at: usize| -> Result<Vec<ObjectBox>> {
            if let Some(boxes) = scenes.sketch_boxes(at)? {
                return Ok(boxes);
            }
            scenes.instance_strokes(at)?.ok_or_else(missing)?.iter().map(of_strokes).collect()
        };
        let photo = |at: usize| -> Result<Vec<ObjectBox>> {
            if let Some(boxes) = scenes.photo_boxes(at)? {
                return Ok(boxes);
            }
            of_map(&scenes.photo_instances(at)?.ok_or_else(missing)?)
        };
        let index = source.index();
        let sketches = (0..index.sketches.len()).map(sketch).collect::<Result<Vec<_>>>()?;
        let photos = (0..index.photos.len()).map(photo).collect::<Result<Vec<_>>>()?;
        let (vectors, mut words) = (WordVectors::embedded()?, BTreeMap::new());
        for object in sketches.iter().chain(&photos).flatten() {
            if !words.contains_key(&object.category) {
                words.insert(object.category.clone(), vectors.of_class(&object.category)?);
            }
        }
        Ok(Self { sketches, photos, words, device: device.clone() })
    }

    /// Nodes of sketches, those that a mask leaves.
    ///
    /// # Shapes
    /// Out `(b, n, 105)`; graphs of fewer nodes than n end in zeros.
    ///
    /// # Errors
    /// A mask of strokes, which are not nodes.
    pub fn sketches(&self, positions: &[usize], mask: Option<&Mask>) -> Result<Tensor> {
        let left = |at: &usize| match mask {
            None => Ok(self.sketches[*at].clone()),
            Some(mask) if mask.of == SceneMask::Instances => mask.keep(&self.sketches[*at], *at),
            Some(_) => Err(Error::value("mask of a graph", "objects", "strokes")),
        };
        self.nodes(&positions.iter().map(left).collect::<Result<Vec<_>>>()?)
    }

    /// Nodes of photos, as [`Self::sketches`].
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn photos(&self, positions: &[usize]) -> Result<Tensor> {
        self.nodes(&positions.iter().map(|at| self.photos[*at].clone()).collect::<Vec<_>>())
    }

    fn nodes(&self, graphs: &[Vec<ObjectBox>]) -> Result<Tensor> {
        let n = graphs.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let mut values = vec![0.0_f32; graphs.len() * n * NODE];
        for (graph, rows) in graphs.iter().zip(values.chunks_mut(n * NODE)) {
            for (object, row) in graph.iter().zip(rows.chunks_mut(NODE)) {
                row[..WORD].copy_from_slice(&self.words[&object.category]);
                row[WORD..NODE - 1].copy_from_slice(&object.bounds);
                row[NODE - 1] = 1.0;
            }
        }
        Ok(Tensor::from_vec(values, (graphs.len(), n, NODE), &self.device)?)
    }
}

/// A box around strokes.
fn of_strokes(instance: &SketchInstance) -> Result<ObjectBox> {
    let (low, high) = instance.strokes.bounds().ok_or_else(|| Error::value("object of a sketch", "strokes", "none"))?;
    let bounds = [low.x, low.y, high.x, high.y].map(|side| side / CANVAS);
    Ok(ObjectBox { category: instance.category.clone(), bounds })
}

/// Boxes around the objects of a map that are seen.
fn of_map(map: &InstanceMap) -> Result<Vec<ObjectBox>> {
    let (width, height) = map.pixels().dimensions();
    let seen = map.categories().iter().enumerate().filter_map(|(at, category)| Some((category, map.bounds(at)?)));
    seen.map(|(category, bounds)| ObjectBox::in_pixels(category, bounds.map(|side| side as f32), [width, height]))
        .collect()
}

/// Two layers over a graph, and one vector of it.
///
/// ```text
/// H0 = relu(W0 nodes),  H' = relu(H + A H W),  vector = unit(W3 mean over nodes of H2)
/// A_ij = softmax over j of -|centre_i - centre_j| / 0.25
/// ```
///
/// # References
/// Liu et al., SceneSketcher, ECCV 2020, of which this keeps classes and places of objects, and no picture of them.
pub(super) struct GraphLayers {
    first: Linear,
    layers: [Linear; 2],
    last: Linear,
}

impl GraphLayers {
    pub fn new(scope: &mut Scope) -> Result<Self> {
        let mut layer = |name: &str, inputs: usize| {
            let init = Init::Normal { deviation: (inputs as f32).sqrt().recip() };
            Linear::new(inputs, WIDTH, init, &mut scope.push(name))
        };
        let first = layer("first", NODE)?;
        Ok(Self { first, layers: [layer("layer1", WIDTH)?, layer("layer2", WIDTH)?], last: layer("last", WIDTH)? })
    }

    /// # Shapes
    /// `(b, n, 105)` in, `(b, 128)` out, unit rows.
    pub fn forward(&self, nodes: &Tensor, mode: Mode) -> Result<Tensor> {
        let (_, _, numbers) = nodes.dims3()?;
        if numbers != NODE {
            return Err(Error::value("node of a graph", format!("{NODE} numbers"), numbers));
        }
        let there = nodes.narrow(2, NODE - 1, 1)?;
        let shares = shares(&nodes.narrow(2, WORD, 4)?, &there)?;
        let mut hidden = self.first.forward(nodes, mode)?.relu()?;
        for layer in &self.layers {
            hidden = (&hidden + shares.matmul(&layer.forward(&hidden, mode)?)?)?.relu()?;
        }
        let count = there.sum(1)?.maximum(1.0)?;
        let mean = hidden.broadcast_mul(&there)?.sum(1)?.broadcast_div(&count)?;
        l2_normalise(&self.last.forward(&mean, mode)?)
    }
}

/// How much each node counts for each, by the distance of their centres; those that are not there do not.
fn shares(boxes: &Tensor, there: &Tensor) -> Result<Tensor> {
    let centres = ((boxes.narrow(2, 0, 2)? + boxes.narrow(2, 2, 2)?)? / 2.0)?;
    let (a, b) = (centres.unsqueeze(2)?, centres.unsqueeze(1)?);
    let square = a.broadcast_sub(&b)?.sqr()?.sum(3)?;
    let near = ((square + 1e-12)?.sqrt()? * (-1.0 / REACH))?;
    let absent = ((1.0 - there.transpose(1, 2)?)? * -1e9)?;
    let near = near.broadcast_add(&absent)?;
    Ok(candle_nn::ops::softmax(&near, D::Minus1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Split, open};
    use crate::model::Parameters;
    use crate::seed::Seed;

    fn graphs(sketches: Vec<Vec<ObjectBox>>) -> Graphs {
        let words =
            ["owl", "car"].map(|name| (name.to_string(), WordVectors::embedded().unwrap().of_class(name).unwrap()));
        Graphs { photos: sketches.clone(), sketches, words: words.into(), device: Device::Cpu }
    }

    fn object(category: &str, x: f32) -> ObjectBox {
        ObjectBox { category: category.into(), bounds: [x, 0.2, x + 0.1, 0.5] }
    }

    fn vectors(graphs: &Graphs, positions: &[usize]) -> Vec<Vec<f32>> {
        let mut parameters = Parameters::new(Seed(3), &Device::Cpu);
        let layers = GraphLayers::new(&mut parameters.root()).unwrap();
        layers.forward(&graphs.photos(positions).unwrap(), Mode::Eval).unwrap().to_vec2().unwrap()
    }

    /// Neither the order of the objects nor longer graphs beside it change a graph's vector; another place does.
    #[test]
    fn a_graph_has_no_order_and_no_neighbours_in_a_batch() {
        let (a, b) = (object("owl", 0.1), object("car", 0.7));
        let moved = object("car", 0.3);
        let graphs = graphs(vec![
            vec![a.clone(), b.clone()],
            vec![b.clone(), a.clone()],
            vec![a.clone(), moved],
            vec![a.clone(), b.clone(), a, b],
        ]);
        let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        let (all, alone) = (vectors(&graphs, &[0, 1, 2, 3]), vectors(&graphs, &[0]));
        assert!(apart(&all[0], &all[1]) < 1e-5 && apart(&all[0], &alone[0]) < 1e-5);
        assert!(apart(&all[0], &all[2]) > 1e-3);
        let none = vectors(&self::graphs(vec![Vec::new()]), &[0]);
        assert!(none[0].iter().all(|value| value.is_finite()));
    }

    /// A mask leaves the same objects to the graph as to the picture.
    #[test]
    fn masks_of_graphs_are_those_of_pictures() {
        let source = open("synth-scene", None).unwrap();
        let sketch = source.index().sketches_of(Split::Test)[0];
        let instances = source.scenes().unwrap().instance_strokes(sketch).unwrap().unwrap();
        let mask = Mask { of: SceneMask::Instances, percent: 50, seed: Seed(9), version: 2 };
        let kept = mask.keep(&instances, sketch).unwrap();
        let drawn = mask.of_source(source.as_ref(), sketch).unwrap();
        assert_eq!(crate::dataset::Drawing::Vector(crate::dataset::whole(&kept)), drawn);
        assert!(kept.len() < instances.len());
        let graphs = graphs(vec![vec![object("owl", 0.1)]]);
        let strokes = Mask { of: SceneMask::Strokes, ..mask };
        assert!(graphs.sketches(&[0], Some(&strokes)).unwrap_err().to_string().contains("expected objects"));
    }

    #[test]
    fn a_corpus_without_objects_is_refused() {
        let error = Graphs::read(open("synth-chair", None).unwrap().as_ref(), &Device::Cpu).err().unwrap().to_string();
        assert!(error.contains("objects of synth-chair: expected scenes with objects"), "{error}");
    }
}
