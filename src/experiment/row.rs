//! The names of rows: a first word, and then what differs from its settings, as `first+key=value+key=value`.

use super::floor::Floor;
use crate::report::table::TableSpec;
use crate::{Error, Result};
use std::fmt::Display;
use std::str::FromStr;

/// The parts of a row's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// What comes before the first `+`.
    pub first: &'a str,
    /// What follows, as (key, value).
    pub parts: Vec<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    /// Takes a name apart. Keys come in the order of `keys`, each once at most, so that no two names mean one row.
    ///
    /// ```
    /// use retrace::experiment::row::Row;
    /// let row = Row::parse("base+weights=obow+margin=0.3", &["weights", "pairs", "margin"])?;
    /// assert_eq!((row.first, row.parts.clone()), ("base", vec![("weights", "obow"), ("margin", "0.3")]));
    /// assert_eq!((row.value("margin"), row.value("pairs")), (Some("0.3"), None));
    /// assert!(Row::parse("base+margin=0.3+weights=obow", &["weights", "margin"]).is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    ///
    /// # Errors
    /// A part without `=`, a key that is not known, or keys in another order.
    pub fn parse(name: &'a str, keys: &[&str]) -> Result<Self> {
        let mut words = name.split('+');
        let first = words.next().unwrap_or_default();
        let (mut parts, mut last) = (Vec::new(), None);
        for part in words {
            let (key, value) = part.split_once('=').ok_or_else(|| Error::value("row", "key=value after a +", part))?;
            let place = keys.iter().position(|known| *known == key);
            if place.is_none() || place <= last {
                return Err(Error::value(
                    format!("row {name}"),
                    format!("parts in the order {}", keys.join(", ")),
                    part,
                ));
            }
            last = place;
            parts.push((key, value));
        }
        Ok(Self { first, parts })
    }

    /// The value of a part; none where the name does not have it.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.parts.iter().find(|(own, _)| *own == key).map(|(_, value)| *value)
    }
}

/// The rows of a table that are trained or ranked on a corpus, floors left out, from the top down.
pub fn of_table(spec: &TableSpec, dataset: &str) -> Vec<String> {
    if spec.datasets.iter().all(|on| on.name != dataset) {
        return Vec::new();
    }
    let here = spec.rows.iter().filter(|row| row.only.is_empty() || row.only.contains(&dataset));
    let rows = here.filter_map(|row| row.row.clone());
    rows.filter(|row| Floor::ALL.iter().all(|floor| floor.row() != row)).collect()
}

/// A number in a row's name, spelled as it is printed: 0.05 and not .05 or 5e-2.
///
/// # Errors
/// Something that is no number, or is spelled otherwise.
pub fn number<T: FromStr + Display>(key: &str, value: &str) -> Result<T> {
    let read = value.parse::<T>().ok().filter(|number| number.to_string() == value);
    read.ok_or_else(|| Error::value(format!("+{key}"), "a number as it is printed", format!("`{value}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_without_parts_is_its_first_word() {
        assert_eq!(Row::parse("base", &[]).unwrap(), Row { first: "base", parts: vec![] });
    }

    #[test]
    fn row_with_unknown_or_doubled_parts_is_refused() {
        let message = |name: &str| Row::parse(name, &["a", "b"]).unwrap_err().to_string();
        assert!(message("x+a").contains("key=value after a +, found a"));
        assert!(message("x+c=1").contains("row x+c=1: expected parts in the order a, b"));
        assert!(message("x+a=1+a=2").contains("order"));
        assert!(message("x+b=1+a=2").contains("order"));
    }

    #[test]
    fn number_is_spelled_in_one_way() {
        assert_eq!(number::<f64>("k", "0.05").unwrap(), 0.05);
        assert_eq!(number::<usize>("k", "12").unwrap(), 12);
        for wrong in [".05", "5e-2", "ten", "0.050"] {
            assert!(number::<f64>("k", wrong).unwrap_err().to_string().contains("as it is printed"), "{wrong}");
        }
    }
}
