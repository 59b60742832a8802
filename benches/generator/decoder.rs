//! The decoder alone.

use super::work::{Case, Work, facts, numbers};
use candle_core::{Tensor, Var};
use retrace::kernel::recurrent::{Looked, LstmWeights, lstm};
use retrace::paper::more_photos::stroke::Pen;
use retrace::train::named::Tensors;
use retrace::train::{Gradients, gradients};
use retrace::{Error, Result};

/// The recurrent layer and its attention.
pub struct Decoder {
    inputs: Tensor,
    /// Start, three weights, values and keys of the map, two weights.
    vars: [(String, Var); 8],
}

impl Decoder {
    /// Made-up weights, maps and inputs.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn new(case: Case) -> Result<Self> {
        let Case { sketches: b, rows: t, places: n, state: h, .. } = case;
        let (k, c, a) = (Pen::Place.width(), h, h / 2);
        let small = (h as f32).sqrt().recip();
        let var = |name: &str, shape: &[usize], bound: f32| {
            Ok::<_, Error>((name.to_string(), Var::from_tensor(&numbers(name, shape, bound)?)?))
        };
        let vars = [
            var("start", &[b, 2 * h], 1.0)?,
            var("decoder.weight_ih", &[4 * h, k + c], small)?,
            var("decoder.weight_hh", &[4 * h, h], small)?,
            var("decoder.bias", &[4 * h], small)?,
            var("values", &[b, n, c], 1.0)?,
            var("keys", &[b, n, a], 1.0)?,
            var("attention.query", &[a, h], small)?,
            var("attention.score", &[a], 1.0)?,
        ];
        Ok(Self { inputs: numbers("inputs", &[b, t, k], 1.0)?, vars })
    }

    fn slopes(&self) -> Result<(Tensor, Gradients)> {
        let [start, input, hidden, bias, values, keys, query, score] =
            self.vars.each_ref().map(|(_, var)| var.as_tensor().clone());
        let (weights, looked) = (LstmWeights { input, hidden, bias }, Looked { values, keys, query, score });
        let loss = lstm(&self.inputs, &start, &weights, Some(&looked))?.hidden.sqr()?.mean_all()?;
        let slopes = gradients(&loss, &self.vars)?;
        Ok((loss, slopes))
    }
}

impl Work for Decoder {
    fn run(&mut self) -> Result<()> {
        self.slopes().map(drop)
    }

    fn facts(&self) -> Result<[f64; 2]> {
        let (loss, slopes) = self.slopes()?;
        facts(&loss, slopes)
    }

    fn tensors(&self) -> Result<Tensors> {
        let vars = self.vars.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        Ok(vars.chain([("inputs".to_string(), self.inputs.clone())]).collect())
    }
}
