//! The numbers of a category: fixed ones, and measures that every object draws anew.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A number as a file gives it: `0.5`, `[0.4, 0.6]`, `"width"` or `"width * 0.5"`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "a number, a range `[low, high]`, or a measure such as \"width * 0.5\"")]
pub(super) enum Number {
    /// The same in every object.
    Fixed(f32),
    /// Drawn for every object.
    Range([f32; 2]),
    /// A measure of the file, times a factor.
    Named(String),
}

/// A number that an object draws: `low + (high - low) u`, where `u` is the object's own value of a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    low: f32,
    high: f32,
    slot: usize,
}

impl Measure {
    /// The same in every object.
    pub(super) fn fixed(value: f32) -> Self {
        Self { low: value, high: value, slot: 0 }
    }

    /// The object's value.
    pub(super) fn get(&self, units: &[f32]) -> f32 {
        self.low + (self.high - self.low) * units[self.slot]
    }

    /// The object's value as a count, each whole number of the range as likely as the others.
    pub(super) fn count(&self, units: &[f32]) -> usize {
        let steps = self.high - self.low + 1.0;
        let value = self.low + steps * units[self.slot].clamp(0.0, 1.0);
        value.min(self.high).max(self.low) as usize
    }

    /// The ends of the range.
    pub(super) fn ends(&self) -> [f32; 2] {
        [self.low, self.high]
    }

    fn times(self, factor: f32) -> Self {
        Self { low: self.low * factor, high: self.high * factor, ..self }
    }
}

/// Gives every range of a file its slot.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Ranges so far; slot 0 belongs to fixed numbers, which ignore it.
    count: usize,
    named: BTreeMap<String, Measure>,
}

impl Slots {
    /// Slots of an object.
    pub(super) fn total(&self) -> usize {
        self.count + 1
    }

    /// Adds a measure that numbers may name.
    pub(super) fn name(&mut self, name: &str, number: &Number) -> Result<(), Misfit> {
        let measure = self.measure(number)?;
        self.named.insert(name.to_string(), measure);
        Ok(())
    }

    /// The measure of a number.
    pub(super) fn measure(&mut self, number: &Number) -> Result<Measure, Misfit> {
        match number {
            Number::Fixed(value) if value.is_finite() => Ok(Measure::fixed(*value)),
            Number::Range([low, high]) if low < high && low.is_finite() && high.is_finite() => {
                self.count += 1;
                Ok(Measure { low: *low, high: *high, slot: self.count })
            }
            Number::Fixed(value) => Err(misfit("a finite number", value)),
            Number::Range(range) => Err(misfit("a range `[low, high]` that is not empty", format!("{range:?}"))),
            Number::Named(text) => self.named(text),
        }
    }

    fn named(&self, text: &str) -> Result<Measure, Misfit> {
        let (name, factor) = text.split_once('*').unwrap_or((text, "1"));
        let factor: f32 = factor.trim().parse().map_err(|_| misfit("a measure such as `width * 0.5`", text))?;
        let known = || format!("one of the measures [{}]", self.named.keys().cloned().collect::<Vec<_>>().join(", "));
        let measure = self.named.get(name.trim()).ok_or_else(|| misfit(known(), format!("`{}`", name.trim())))?;
        Ok(measure.times(factor))
    }
}

/// What does not fit in a category: the expected and the found; [`super::file`] adds file and line.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) expected: String,
    pub(super) found: String,
}

/// A [`Misfit`].
pub(super) fn misfit(expected: impl ToString, found: impl ToString) -> Misfit {
    Misfit { expected: expected.to_string(), found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_slots_and_names_share_them() {
        let mut slots = Slots::default();
        slots.name("width", &Number::Range([2.0, 4.0])).unwrap();
        let half = slots.measure(&Number::Named("width * 0.5".into())).unwrap();
        let other = slots.measure(&Number::Range([0.0, 1.0])).unwrap();
        let units = [9.0, 0.5, 0.25];
        assert_eq!((slots.total(), half.get(&units), other.get(&units)), (3, 1.5, 0.25));
        assert_eq!(Measure::fixed(7.0).get(&units), 7.0);
    }

    #[test]
    fn counts_are_even_over_the_range() {
        let mut slots = Slots::default();
        let legs = slots.measure(&Number::Range([3.0, 5.0])).unwrap();
        let counts: Vec<usize> = [-0.1, 0.0, 0.32, 0.34, 0.66, 0.67, 1.0, 1.1].map(|u| legs.count(&[0.0, u])).to_vec();
        assert_eq!(counts, [3, 3, 3, 4, 4, 5, 5, 5]);
    }

    #[test]
    fn empty_ranges_and_unknown_names_are_refused() {
        let mut slots = Slots::default();
        slots.name("width", &Number::Fixed(1.0)).unwrap();
        let mut found = |number| slots.measure(&number).unwrap_err();
        assert!(found(Number::Range([1.0, 1.0])).expected.contains("not empty"));
        assert!(found(Number::Fixed(f32::NAN)).expected.contains("finite"));
        let unknown = found(Number::Named("height".into()));
        assert!(unknown.expected.contains("[width]") && unknown.found == "`height`");
        assert!(found(Number::Named("width * x".into())).expected.contains("width * 0.5"));
    }
}
