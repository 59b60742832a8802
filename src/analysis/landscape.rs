//! The loss around the weights of a network.

use super::Directions;
use crate::{Error, Result};
use candle_core::{Tensor, Var};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The loss at the points of a square grid around the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Steps along the first direction, rising.
    pub alphas: Vec<f64>,
    /// Steps along the second direction, rising.
    pub betas: Vec<f64>,
    /// Row by row: the loss at `(alphas[i], betas[j])` is `loss[i * betas.len() + j]`.
    pub loss: Vec<f64>,
}

/// How much higher the loss is around a centre than in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rise {
    /// Mean of the loss over the disc. Where a loss saturates, a high centre rises less than a low one; this mean then
    /// shows which surroundings are lower.
    pub level: f64,
    /// Mean over the disc, less the centre: 0 = flat.
    pub mean: f64,
    /// Rise at the highest point of the disc.
    pub largest: f64,
}

impl Grid {
    /// The part of it that lies no further out than `extent` on either axis.
    ///
    /// ```
    /// use retrace::analysis::Grid;
    /// let (alphas, betas) = (vec![-1.0, 0.0, 1.0], vec![0.0, 2.0]);
    /// let grid = Grid { alphas, betas, loss: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
    /// assert_eq!(grid.within(1.0).loss, [1.0, 3.0, 5.0]);
    /// ```
    pub fn within(&self, extent: f64) -> Self {
        let is_near = |step: &f64| step.abs() <= extent * (1.0 + 1e-9); // 3 * 0.1 misses its decimal by a rounding
        let near = |steps: &[f64]| steps.iter().copied().filter(is_near).collect::<Vec<f64>>();
        let places = self.alphas.iter().flat_map(|a| self.betas.iter().map(move |b| is_near(a) && is_near(b)));
        let loss = self.loss.iter().zip(places).filter(|(_, is_near)| *is_near).map(|(loss, _)| *loss).collect();
        Self { alphas: near(&self.alphas), betas: near(&self.betas), loss }
    }

    /// How flat the centre is: the rise of the loss over the grid points within `radius` of it, itself included.
    ///
    /// ```text
    /// level = mean over { (a, b) : a^2 + b^2 <= radius^2 } of L(a, b)        mean = level - L(0, 0)
    /// ```
    ///
    /// Lower is flatter. It is in the unit of the loss, so it compares networks under one loss on the same samples.
    ///
    /// # Errors
    /// A grid without a point at (0, 0), lengths that do not fit together, or a radius that is not above 0 and within
    /// the grid.
    ///
    /// ```
    /// use retrace::analysis::Grid;
    /// let line = vec![-1.0, 0.0, 1.0];
    /// let grid = Grid { alphas: line.clone(), betas: line, loss: vec![9.0, 3.0, 9.0, 2.0, 1.0, 2.0, 9.0, 3.0, 9.0] };
    /// let rise = grid.rise(1.0)?; // five points: 3, 2, 1, 2, 3
    /// assert!((rise.mean - 1.2).abs() < 1e-12 && rise.level == 2.2 && rise.largest == 2.0);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn rise(&self, radius: f64) -> Result<Rise> {
        let reach = self.alphas.iter().chain(&self.betas).fold(0.0, |most: f64, step| most.max(step.abs()));
        // Steps such as 3 * 0.1 miss their decimal by a rounding.
        let slack = 1.0 + 1e-9;
        if !(radius > 0.0 && radius <= reach * slack) || self.loss.len() != self.alphas.len() * self.betas.len() {
            let found = format!("{radius} in a grid of {} points that reaches to {reach}", self.loss.len());
            return Err(Error::value("radius", "above 0 and within a whole grid", found));
        }
        let steps = self.alphas.iter().flat_map(|a| self.betas.iter().map(move |b| a.hypot(*b)));
        let disc: Vec<(f64, f64)> =
            steps.zip(self.loss.iter().copied()).filter(|(step, _)| *step <= radius * slack).collect();
        let centre = disc.iter().find(|(step, _)| *step == 0.0).map(|(_, loss)| *loss);
        let centre = centre.ok_or_else(|| Error::value("grid", "a point at (0, 0)", "none"))?;
        let largest = disc.iter().map(|(_, loss)| loss - centre).fold(0.0, f64::max);
        let mean = disc.iter().map(|(_, loss)| loss - centre).sum::<f64>() / disc.len() as f64;
        Ok(Rise { level: centre + mean, mean, largest })
    }
}

/// Evaluates a loss at `steps x steps` points of the plane that two directions span through the weights.
///
/// ```text
/// L(a, b) = loss(theta + a * first + b * second),   a and b from -extent to extent
/// ```
///
/// The variables get their own values back, even if the loss fails. Running statistics of batch norm are
/// not trained and do not move: the loss either keeps those of the weights or takes each batch's own.
///
/// # Shapes
/// `steps` is odd, so that the weights themselves are a point. `advance` is told how many of `steps * steps` are done.
///
/// # Errors
/// An even number of steps or fewer than 3, an extent that is not above 0, a variable without a direction of its shape,
/// a loss that fails or is not finite.
///
/// # References
/// Li et al., Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018, Eq. 1 and Sec. 4.
pub fn scan(
    parameters: &[(String, Var)],
    directions: &Directions,
    (extent, steps): (f64, usize),
    loss: &dyn Fn() -> Result<f64>,
    advance: &dyn Fn(usize, usize),
) -> Result<Grid> {
    let line = line(extent, steps)?;
    let moved: Vec<Moved> =
        parameters.iter().map(|(name, var)| Moved::new(name, var, directions)).collect::<Result<_>>()?;
    let evaluated = evaluate(&moved, &line, loss, advance);
    let restored = moved.iter().try_for_each(|moved| moved.put(0.0, 0.0));
    let loss = evaluated?;
    restored?;
    Ok(Grid { alphas: line.clone(), betas: line, loss })
}

fn line(extent: f64, steps: usize) -> Result<Vec<f64>> {
    if steps < 3 || steps.is_multiple_of(2) {
        return Err(Error::value("steps of a landscape", "an odd number of at least 3", steps));
    }
    if !(extent > 0.0 && extent.is_finite()) {
        return Err(Error::value("extent of a landscape", "a finite number above 0", extent));
    }
    let half = (steps / 2) as f64;
    Ok((0..steps).map(|i| extent * (i as f64 - half) / half).collect())
}

fn evaluate(
    moved: &[Moved],
    line: &[f64],
    loss: &dyn Fn() -> Result<f64>,
    advance: &dyn Fn(usize, usize),
) -> Result<Vec<f64>> {
    let total = line.len() * line.len();
    let mut found = Vec::with_capacity(total);
    for (a, b) in line.iter().flat_map(|a| line.iter().map(move |b| (*a, *b))) {
        moved.iter().try_for_each(|moved| moved.put(a, b))?;
        let value = loss()?;
        if !value.is_finite() {
            return Err(Error::value(
                format!("loss at ({a}, {b})"),
                "a finite number; a smaller extent may help",
                value,
            ));
        }
        found.push(value);
        advance(found.len(), total);
    }
    Ok(found)
}

/// A variable, a copy of its own value, and its two directions.
struct Moved<'a> {
    var: &'a Var,
    own: Tensor,
    first: &'a Tensor,
    second: &'a Tensor,
}

impl<'a> Moved<'a> {
    fn new(name: &str, var: &'a Var, directions: &'a Directions) -> Result<Self> {
        let find = |side: &'a BTreeMap<String, Tensor>| {
            let direction = side.get(name).filter(|direction| direction.dims() == var.dims());
            let found = side.get(name).map_or("none".into(), |direction| format!("{:?}", direction.dims()));
            direction.ok_or_else(|| Error::value(format!("direction of {name}"), format!("{:?}", var.dims()), found))
        };
        let (first, second) = (find(&directions.first)?, find(&directions.second)?);
        Ok(Self { var, own: var.as_detached_tensor().copy()?, first, second })
    }

    fn put(&self, a: f64, b: f64) -> Result<()> {
        // At the centre the copy itself, so that not even a negative zero changes.
        let value = match (a, b) {
            (0.0, 0.0) => self.own.clone(),
            _ => ((&self.own + (self.first * a)?)? + (self.second * b)?)?,
        };
        Ok(self.var.set(&value)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use std::cell::RefCell;

    /// Weights (1, 2), directions (3, 0) and (0, 4): L = (1 + 3a)^2 + 10 (2 + 4b)^2.
    fn quadratic() -> (Vec<(String, Var)>, Directions) {
        let tensor = |row: [f32; 2]| Tensor::new(&[row], &Device::Cpu).unwrap();
        let side = |row| BTreeMap::from([("w".to_string(), tensor(row))]);
        let var = Var::from_tensor(&tensor([1.0, 2.0])).unwrap();
        (vec![("w".to_string(), var)], Directions { first: side([3.0, 0.0]), second: side([0.0, 4.0]) })
    }

    fn value(var: &Var) -> Vec<Vec<f32>> {
        var.to_vec2().unwrap()
    }

    #[test]
    fn landscape_of_a_quadratic_by_hand() {
        let (parameters, directions) = quadratic();
        let loss = || {
            let w = value(&parameters[0].1);
            Ok(f64::from(w[0][0] * w[0][0] + 10.0 * w[0][1] * w[0][1]))
        };
        let heard = RefCell::new(Vec::new());
        let grid =
            scan(&parameters, &directions, (1.0, 5), &loss, &|done, total| heard.borrow_mut().push((done, total)))
                .unwrap();
        assert_eq!(grid.alphas, [-1.0, -0.5, 0.0, 0.5, 1.0]);
        for (i, a) in grid.alphas.iter().enumerate() {
            for (j, b) in grid.betas.iter().enumerate() {
                let expected = (1.0 + 3.0 * a).powi(2) + 10.0 * (2.0 + 4.0 * b).powi(2);
                assert!((grid.loss[i * 5 + j] - expected).abs() < 1e-4, "({a}, {b})");
            }
        }
        assert_eq!(value(&parameters[0].1), [[1.0, 2.0]]);
        assert_eq!((heard.borrow().len(), heard.borrow()[24]), (25, (25, 25)));
        // Within 0.5 the points (+-0.5, 0), (0, +-0.5) and the centre rise by 9/4 +- 3, 40 +- 80 and 0:
        // the mean is (2 * 2.25 + 2 * 40) / 5.
        let rise = grid.rise(0.5).unwrap();
        assert!((rise.mean - 16.9).abs() < 1e-4 && (rise.largest - 120.0).abs() < 1e-3, "{rise:?}");
        assert!(grid.rise(0.0).is_err() && grid.rise(1.1).is_err() && grid.rise(f64::NAN).is_err());
        assert!(Grid { loss: vec![0.0], ..grid.clone() }.rise(0.5).is_err());
        assert!(Grid { alphas: vec![-1.0, -0.5, 0.1, 0.5, 1.0], ..grid }.rise(1.0).is_err());
    }

    #[test]
    fn landscape_restores_the_weights_when_the_loss_fails() {
        let (parameters, directions) = quadratic();
        let failing: [&dyn Fn() -> Result<f64>; 2] = [&|| Err(Error::value("a", "b", "c")), &|| Ok(f64::INFINITY)];
        for (loss, word) in failing.into_iter().zip(["expected b", "(-1, -1)"]) {
            let error = scan(&parameters, &directions, (1.0, 3), loss, &|_, _| {}).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
            assert_eq!(value(&parameters[0].1), [[1.0, 2.0]]);
        }
        for shape in [(1.0, 4), (1.0, 1), (0.0, 3), (f64::NAN, 3)] {
            assert!(scan(&parameters, &directions, shape, &|| Ok(1.0), &|_, _| {}).is_err(), "{shape:?}");
        }
        let other = vec![("v".to_string(), parameters[0].1.clone())];
        let error = scan(&other, &directions, (1.0, 3), &|| Ok(1.0), &|_, _| {}).unwrap_err().to_string();
        assert!(error.contains("direction of v: expected [1, 2], found none"), "{error}");
    }
}
