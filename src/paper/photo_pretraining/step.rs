use super::{Config, Curvature, Neighbourhood, Query, Update};
use crate::dataset::Pair;
use crate::experiment::TaskLoss;
use crate::loss::{Topology, Triple, contrastive_loss, draw_triples, neighbourhood_loss, triplet_loss};
use crate::model::Network;
use crate::seed::Stream;
use crate::train::{Feed, Gradients, Optimiser, Step, clip, gradients, hessian_product, values};
use crate::{Error, Result};
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// Neighbours of the training photos under the frozen pre-trained network.
pub struct Neighbours {
    /// Distances between the training photos.
    pub topology: Topology,
    /// From a position in the index to a row of the topology.
    pub rows: BTreeMap<usize, usize>,
}

/// One batch: its inputs are made once, so that every pass of an update gets the same.
struct StepBatch {
    inputs: Tensor,
    owners: Vec<usize>,
    triples: Vec<Triple>,
}

/// A network in training: input rows to unit embeddings.
pub(super) type Embed<'a> = Box<dyn Fn(&Tensor) -> Result<Tensor> + 'a>;

/// The updates of Eq. 1, 5, 8 and 9.
pub struct PaperStep<'a> {
    embed: Embed<'a>,
    feed: &'a dyn Feed,
    neighbours: Option<Neighbours>,
    update: Update,
    task: TaskLoss,
    margin: f64,
    neighbourhood: Neighbourhood,
    clip: Option<f64>,
    variables: Vec<(String, Var)>,
    optimisers: Vec<Optimiser>,
}

impl<'a> PaperStep<'a> {
    /// Optimisers at their start.
    ///
    /// # Errors
    /// An update that needs neighbours, without them; a network of which nothing is trained.
    pub fn new(
        config: &Config,
        network: &'a Network,
        feed: &'a dyn Feed,
        neighbours: Option<Neighbours>,
    ) -> Result<Self> {
        let embed = Box::new(|input: &Tensor| network.embed_in_training(input));
        Self::of(config, network.trainable(), embed, feed, neighbours)
    }

    /// The same for any network.
    pub(super) fn of(
        config: &Config,
        variables: Vec<(String, Var)>,
        embed: Embed<'a>,
        feed: &'a dyn Feed,
        neighbours: Option<Neighbours>,
    ) -> Result<Self> {
        if neighbours.is_none() && config.update.needs_neighbours() {
            return Err(Error::value("update", "the topology of the training photos", "none"));
        }
        if variables.is_empty() && config.update != Update::ZeroShot {
            return Err(Error::value("trained tensors", "at least one (a frozen backbone needs a `head`)", "none"));
        }
        let optimisers =
            config.update.optimisers().into_iter().map(|config| Optimiser::new(config, variables.clone())).collect();
        Ok(Self {
            embed,
            feed,
            neighbours,
            update: config.update,
            task: config.task,
            margin: config.margin,
            neighbourhood: config.neighbourhood.clone(),
            clip: config.clip,
            variables,
            optimisers,
        })
    }

    fn prepare(&self, pairs: &[Pair], stream: &mut Stream) -> Result<StepBatch> {
        let (sketches, photos) = self.feed.pairs(pairs, stream)?;
        let owners: Vec<usize> = pairs.iter().map(|pair| pair.photo).collect();
        let triples = match &self.neighbours {
            Some(Neighbours { topology, rows }) => {
                let row = |photo| {
                    let row = rows.get(photo).copied();
                    row.ok_or_else(|| Error::value("batch", "photos of the topology", format!("photo {photo}")))
                };
                let rows: Vec<usize> = owners.iter().map(row).collect::<Result<_>>()?;
                draw_triples(topology, &rows, self.neighbourhood.pairs, self.neighbourhood.draw, stream)?
            }
            None => Vec::new(),
        };
        Ok(StepBatch { inputs: Tensor::cat(&[sketches, photos], 0)?, owners, triples })
    }

    /// Sketches and photos in one pass, so that batch statistics, where used, are of both.
    fn embed(&self, batch: &StepBatch) -> Result<(Tensor, Tensor)> {
        let b = batch.owners.len();
        let both = (self.embed)(&batch.inputs)?;
        Ok((both.narrow(0, 0, b)?, both.narrow(0, b, b)?))
    }

    /// L_FG-SBIR: Eq. 1, or the loss in its place.
    fn task_loss(&self, batch: &StepBatch) -> Result<Tensor> {
        let (sketches, photos) = self.embed(batch)?;
        self.task_loss_of(batch, &sketches, &photos)
    }

    fn task_loss_of(&self, batch: &StepBatch, sketches: &Tensor, photos: &Tensor) -> Result<Tensor> {
        match self.task {
            TaskLoss::Triplet => triplet_loss(sketches, photos, &batch.owners, self.margin),
            TaskLoss::Contrastive { temperature } => {
                let scale = Tensor::new(&[1.0 / temperature], sketches.device())?.to_dtype(sketches.dtype())?;
                contrastive_loss(sketches, photos, &scale)
            }
        }
    }

    /// L_NT: the queries are sketches, Eq. 4, or photos, Eq. 3.
    fn topology_loss(&self, batch: &StepBatch, sketches: &Tensor, photos: &Tensor) -> Result<Tensor> {
        let queries = match self.neighbourhood.query {
            Query::Sketch => sketches,
            Query::Photo => photos,
        };
        neighbourhood_loss(queries, photos, &batch.triples, self.neighbourhood.margin)
    }

    fn gradients(&self, loss: &Tensor) -> Result<Gradients> {
        let mut gradients = gradients(loss, &self.variables)?;
        if let Some(limit) = self.clip {
            clip(&mut gradients, limit)?;
        }
        Ok(gradients)
    }

    /// Moves along a loss's gradient and gives its value; the memory of its passes is freed on return.
    fn descend(&mut self, loss: Tensor, factor: f64) -> Result<f64> {
        let value = scalar(&loss)?;
        let gradients = self.gradients(&loss)?;
        self.optimisers[0].step(&gradients, factor)?;
        Ok(value)
    }

    /// The gradient of L_NT where the network is now; the memory of its passes is freed on return.
    fn topology_gradients(&self, batch: &StepBatch) -> Result<Gradients> {
        let (sketches, photos) = self.embed(batch)?;
        self.gradients(&self.topology_loss(batch, &sketches, &photos)?)
    }

    /// Moves along the gradient of the task, then along that of the topology where the first step has led (Eq. 9).
    fn meta(&mut self, batch: &StepBatch, factor: f64, second_order: Option<(f64, Curvature)>) -> Result<f64> {
        let before = second_order.map(|_| values(&self.variables)).transpose()?;
        let loss = self.descend(self.task_loss(batch)?, factor)?;
        let mut to_topology = self.topology_gradients(batch)?;
        if let (Some((epsilon, curvature)), Some(before)) = (second_order, before) {
            let rate = factor * self.optimisers[0].config().rate;
            let sign = if curvature == Curvature::Printed { rate } else { -rate };
            // Below Eq. 7; the Hessian is that of the task, where the first step began.
            let task = || self.task_loss(batch);
            for (name, product) in hessian_product(task, &self.variables, &before, &to_topology, epsilon)? {
                if let Some(gradient) = to_topology.get_mut(&name) {
                    *gradient = (&*gradient + (product * sign)?)?;
                }
            }
        }
        self.optimisers[1].step(&to_topology, factor)?;
        Ok(loss)
    }
}

impl Step for PaperStep<'_> {
    fn step(&mut self, pairs: &[Pair], stream: &mut Stream, factor: f64) -> Result<f64> {
        let batch = self.prepare(pairs, stream)?;
        match self.update {
            Update::ZeroShot => Ok(0.0),
            Update::Base { .. } => self.descend(self.task_loss(&batch)?, factor),
            Update::MultiTask { alpha, beta, .. } => {
                let (sketches, photos) = self.embed(&batch)?;
                let task = self.task_loss_of(&batch, &sketches, &photos)?;
                let topology = self.topology_loss(&batch, &sketches, &photos)?;
                self.descend(((&task * alpha)? + (topology * beta)?)?, factor)?;
                scalar(&task)
            }
            Update::MetaFirst { .. } => self.meta(&batch, factor, None),
            Update::MetaFull { epsilon, curvature, .. } => self.meta(&batch, factor, Some((epsilon, curvature))),
        }
    }

    fn state(&self) -> Result<Gradients> {
        let mut all = Gradients::new();
        for (i, optimiser) in self.optimisers.iter().enumerate() {
            all.extend(optimiser.state()?.into_iter().map(|(name, tensor)| (format!("{i}/{name}"), tensor)));
        }
        Ok(all)
    }

    fn restore(&mut self, state: Gradients) -> Result<()> {
        for (i, optimiser) in self.optimisers.iter_mut().enumerate() {
            let prefix = format!("{i}/");
            let own = state.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?, tensor)));
            optimiser.restore(own.map(|(name, tensor)| (name.to_string(), tensor.clone())).collect())?;
        }
        Ok(())
    }
}

fn scalar(loss: &Tensor) -> Result<f64> {
    let value = loss.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::value("loss", "a finite number (a lower rate, or `clip`, may help)", value))
    }
}
