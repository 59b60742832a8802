//! Heights over a grid: what surfaces and their maps are drawn from.

use crate::{Error, Result};

/// Heights over a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// The title of its column.
    pub label: String,
    /// Rising, at least two.
    pub x: Vec<f64>,
    /// Rising, at least two.
    pub y: Vec<f64>,
    /// Row by row: the height at `(x[i], y[j])` is `height[i * y.len() + j]`.
    pub height: Vec<f64>,
}

impl Surface {
    /// Whether the grid is consistent.
    pub(super) fn check(&self) -> Result<()> {
        let rising = |line: &[f64]| line.len() > 1 && line.windows(2).all(|pair| pair[0] < pair[1]);
        let cells = self.x.len() * self.y.len();
        if !rising(&self.x) || !rising(&self.y) || self.height.len() != cells {
            let found = format!("{} x {} steps, {} heights", self.x.len(), self.y.len(), self.height.len());
            return Err(Error::value(&self.label, "a height for each pair of rising steps, 2 or more a side", found));
        }
        match self.height.iter().chain(&self.x).chain(&self.y).find(|value| !value.is_finite()) {
            Some(value) => Err(Error::value(&self.label, "finite numbers", value)),
            None => Ok(()),
        }
    }
}

/// From the first to the last grid line.
pub(super) fn ends(line: &[f64]) -> std::ops::Range<f64> {
    line[0]..line[line.len() - 1]
}

/// At most three digits after the point, without trailing zeros.
pub(super) fn short(value: f64) -> String {
    let digits = format!("{value:.3}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if digits == "-0" { "0".into() } else { digits.into() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Heights x + 10 y.
    pub(in super::super) fn plane() -> Surface {
        let line = vec![0.0, 1.0, 3.0];
        let height = line.iter().flat_map(|x| line.iter().map(move |y| x + 10.0 * y)).collect();
        Surface { label: "plane".into(), x: line.clone(), y: line, height }
    }

    #[test]
    fn short_drops_trailing_zeros() {
        assert_eq!((short(-0.0001), short(0.25), short(-3.0)), ("0".into(), "0.25".into(), "-3".into()));
    }
}
