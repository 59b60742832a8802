//! The transportation programme with a ridge.

use super::Plan;
use super::pair::{Gradients, Pair, Transporter};
use crate::{Error, Result};

#[derive(Debug, Clone, Copy)]
pub(super) struct Quadratic {
    pub ridge: f64,
}

impl Transporter for Quadratic {
    fn solve(&self, _: &Pair) -> Result<Plan> {
        Err(Error::value("solver", "the exact one", format!("a ridge of {}", self.ridge)))
    }

    fn gradients(&self, _: &Pair, _: &Plan) -> Result<Gradients> {
        Err(Error::value("solver", "the exact one", format!("a ridge of {}", self.ridge)))
    }
}
