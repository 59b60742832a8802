//! An axis: its name, what it shows, and where its ticks are.

use plotters::coord::ranged1d::{BoldPoints, DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use std::ops::Range;

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// With its unit.
    pub name: String,
    /// Its range.
    pub range: (f64, f64),
    /// Places and texts of its ticks; none for round numbers.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis with ticks at round numbers.
    pub fn new(name: &str, range: (f64, f64)) -> Self {
        Self { name: name.into(), range, ticks: Vec::new() }
    }

    /// An axis of decimal logarithms with ticks that say 1, 2 or 5 times a power of ten: from the last one not above `low`
    /// to the first one not below `high`, both logarithms.
    pub fn logarithmic(name: &str, (low, high): (f64, f64)) -> Self {
        let decades = low.floor() as i32..=high.floor() as i32 + 1;
        let round = decades.flat_map(|decade| [1, 2, 5].map(|digit: u8| (f64::from(digit), decade)));
        let says = |digit: f64, decade: i32| format!("{:.*}", (-decade).max(0) as usize, digit * 10_f64.powi(decade));
        let round = round.map(|(digit, decade)| (digit.log10() + f64::from(decade), says(digit, decade)));
        let mut ticks: Vec<(f64, String)> = round.collect();
        let first = ticks.iter().rposition(|tick| tick.0 <= low).unwrap_or(0);
        let last = ticks.iter().position(|tick| tick.0 >= high).unwrap_or(first).max(first + 1);
        ticks.truncate(last + 1);
        ticks.drain(..first);
        Self { name: name.into(), range: (ticks[0].0, ticks[last - first].0), ticks }
    }

    /// The same with round ticks at `most` places or fewer, or with its own.
    pub(super) fn coordinate(&self, most: usize) -> Coordinate {
        let even = RangedCoordf64::from(self.range.0..self.range.1);
        let places = if self.ticks.is_empty() {
            even.key_points(BoldPoints(most))
        } else {
            self.ticks.iter().map(|tick| tick.0).collect()
        };
        Coordinate { even, places }
    }

    /// The text of a tick.
    pub(super) fn label(&self, place: f64) -> String {
        let own = self.ticks.iter().find(|tick| tick.0 == place);
        own.map_or_else(|| format!("{place:.*}", self.decimals()), |tick| tick.1.clone())
    }

    /// Digits after the point that tell round ticks apart.
    fn decimals(&self) -> usize {
        // About five ticks: their step is a fifth of the span or a little less.
        (-((self.range.1 - self.range.0) / 5.0).log10().floor()).clamp(0.0, 6.0) as usize
    }
}

/// An even scale with ticks at given places. (plotters' own `WithKeyPoints` takes no scale whose numbers it would write
/// itself.)
pub(super) struct Coordinate {
    even: RangedCoordf64,
    places: Vec<f64>,
}

impl Ranged for Coordinate {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.even.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.places.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.even.range()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_or_its_own() {
        let round = Axis::new("a", (0.0, 60.0));
        let places = round.coordinate(6).places;
        assert_eq!(places.into_iter().map(|place| round.label(place)).collect::<Vec<_>>(), ["0", "20", "40", "60"]);
        assert_eq!(Axis::new("a", (0.0, 0.3)).label(0.1), "0.10");
        let own = Axis { ticks: vec![(-1.0, "0.1".into()), (1.0, "10".into())], ..Axis::new("a", (-1.0, 1.0)) };
        assert_eq!(own.coordinate(6).places, [-1.0, 1.0]);
        assert_eq!(own.label(1.0), "10");
    }

    #[test]
    fn ticks_of_logarithms_say_round_numbers_round_about() {
        let said = |low: f64, high: f64| {
            let axis = Axis::logarithmic("a", (low.log10(), high.log10()));
            assert_eq!((axis.ticks[0].0, axis.ticks[axis.ticks.len() - 1].0), axis.range);
            axis.ticks.into_iter().map(|tick| tick.1).collect::<Vec<_>>()
        };
        assert_eq!(said(0.03, 1.3), ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(said(6.0, 9.0), ["5", "10"]);
        assert_eq!(said(1.0, 1.0), ["1", "2"]); // an axis is never a point
    }
}
