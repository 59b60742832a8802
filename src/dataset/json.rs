//! JSON files of a corpus: whole files, and files of a line a record, packed or plain.

use super::listing;
use crate::{Error, Result};
use flate2::read::MultiGzDecoder;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::Path;

/// Entries of a JSON object by their key; a key that stands twice is a fault, not a silent loss.
#[derive(Debug)]
pub(super) struct Keyed<T>(pub BTreeMap<String, T>);

impl<'de, T: DeserializeOwned> serde::Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Once<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Once<T> {
            type Value = Keyed<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                write!(f, "an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Self::Value, A::Error> {
                let mut keyed = BTreeMap::new();
                while let Some((key, value)) = entries.next_entry::<String, T>()? {
                    if keyed.contains_key(&key) {
                        return Err(serde::de::Error::custom(format!("`{key}` twice")));
                    }
                    keyed.insert(key, value);
                }
                Ok(Keyed(keyed))
            }
        }

        deserializer.deserialize_map(Once(PhantomData))
    }
}

/// Reads a file of one JSON value; `expected` describes a good one.
pub(super) fn read<T: DeserializeOwned>(path: &Path, expected: &str) -> Result<T> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::data(path, expected, error))
}

/// Reads a file of a JSON value a line, packed where its name ends in `.gz`; `each` gets a value and its line, from 1.
///
/// Lines that do not fit and those that `each` refuses are `problems`, up to the end of what can be unpacked.
pub(super) fn read_lines<T: DeserializeOwned>(
    path: &Path,
    expected: &str,
    problems: &mut Vec<Error>,
    mut each: impl FnMut(T, usize) -> Result<(), Fault>,
) -> Result<()> {
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    let packed = listing::ending(path).as_deref() == Some("gz");
    let reader: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    for (at, line) in BufReader::new(reader).split(b'\n').enumerate() {
        let number = at + 1;
        let whole = if packed { "a whole gzip file" } else { "a readable file" };
        let line = line.map_err(|error| Error::data(path, whole, format!("{error}, in line {number}")))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value = serde_json::from_slice(&line).map_err(|error| (expected.to_string(), error.to_string()));
        if let Err((expected, found)) = value.and_then(|value| each(value, number)) {
            problems.push(Error::data(path, expected, format!("{found}, in line {number}")));
        }
    }
    Ok(())
}

/// What was expected of a record, and what was found.
pub(super) type Fault = (String, String);

/// The fault of a value in a record.
pub(super) fn fault(error: Error) -> Fault {
    match error {
        Error::Value { what, expected, found } => (format!("{what}: {expected}"), found),
        other => ("a sound record".into(), other.to_string()),
    }
}
