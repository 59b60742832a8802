//! The photos of a gallery, under the weights of each task.

use super::model::{AdaptiveModel, Expert};
use crate::experiment::ranker::rows;
use crate::experiment::{Gallery, Ranker, View};
use crate::metric;
use crate::model::Mode;
use crate::{Error, Result};
use candle_core::Tensor;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

impl Ranker for AdaptiveModel {
    fn gallery<'a>(&'a self, photos: &[usize]) -> Result<Box<dyn Gallery + 'a>> {
        let features = self.photos(photos)?;
        Ok(Box::new(AdaptiveGallery { model: self, photos: photos.to_vec(), features, experts: RefCell::default() }))
    }
}

/// The photos of a gallery under the weights of each task that has been asked for.
struct AdaptiveGallery<'a> {
    model: &'a AdaptiveModel,
    photos: Vec<usize>,
    /// Before any adaptation.
    features: Tensor,
    experts: RefCell<BTreeMap<usize, Rc<Ready>>>,
}

/// What a task is ranked with, and the points of the photos.
struct Ready {
    expert: Expert,
    points: Vec<f32>,
    d: usize,
}

impl AdaptiveGallery<'_> {
    fn ready(&self, task: usize) -> Result<Rc<Ready>> {
        if let Some(found) = self.experts.borrow().get(&task) {
            return Ok(found.clone());
        }
        let expert = self.model.expert(&self.model.tasks()[task])?;
        let points = match &expert {
            Expert::Head(head) => head.embed(&self.features)?,
            Expert::Other(trunk) => trunk.head(Mode::Eval).embed(&self.model.features(trunk, &self.photos)?)?,
        };
        let (d, points) = (points.dim(1)?, points.flatten_all()?.to_vec1::<f32>()?);
        let ready = Rc::new(Ready { expert, points, d });
        self.experts.borrow_mut().insert(task, ready.clone());
        Ok(ready)
    }

    fn of_task(&self, task: usize, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        let ready = self.ready(task)?;
        let embed = |chunk: &[usize]| match &ready.expert {
            Expert::Head(head) => head.embed(&self.model.sketches(chunk, view)?),
            Expert::Other(trunk) => trunk.embed(&view.of(&self.model.pixels(), chunk)?, Mode::Eval),
        };
        metric::distances(&rows(sketches, &embed)?.0, &ready.points, ready.d)
    }
}

impl Gallery for AdaptiveGallery<'_> {
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, sketch) in sketches.iter().enumerate() {
            let task = self.model.place(*sketch);
            let task = task.ok_or_else(|| Error::value("sketch", "a query of a task", sketch))?;
            groups.entry(task).or_default().push(place);
        }
        let g = self.photos.len();
        let mut all = vec![0.0; sketches.len() * g];
        for (task, places) in groups {
            let own: Vec<usize> = places.iter().map(|place| sketches[*place]).collect();
            let found = self.of_task(task, &own, view)?;
            for (place, row) in places.into_iter().zip(found.chunks(g)) {
                all[place * g..][..g].copy_from_slice(row);
            }
        }
        Ok(all)
    }
}
