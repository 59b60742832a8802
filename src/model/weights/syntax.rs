//! The JSON of a header, read strictly and in bounded memory: no key twice, none unknown, no long list.
//!
//! serde's maps keep the last of two equal keys, and its derived structs take a list for an object and skip unknown
//! keys: two programs would read two different networks from one file.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// Most tensors of a file. A network here has fewer than 600 and a state of training three times as many.
pub const TENSORS: usize = 10_000;

/// Most dimensions of a tensor; a convolution's weight has 4.
pub const RANK: usize = 8;

/// Longest name of a tensor, in bytes; the longest here has 60, those of other libraries stay below 150.
pub const NAME: usize = 256;

/// Most notes in the metadata; files here have 4.
pub const NOTES: usize = 256;

/// The key of the metadata, which no tensor may have.
const METADATA: &str = "__metadata__";

/// A header as written.
#[derive(Debug)]
pub struct Syntax {
    pub tensors: BTreeMap<String, TensorEntry>,
    pub metadata: BTreeMap<String, String>,
}

/// A tensor's entry as written.
#[derive(Debug)]
pub struct TensorEntry {
    pub dtype: String,
    pub shape: Vec<u64>,
    pub offsets: [u64; 2],
}

impl<'de> Deserialize<'de> for Syntax {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SyntaxVisitor)
    }
}

struct SyntaxVisitor;

impl<'de> Visitor<'de> for SyntaxVisitor {
    type Value = Syntax;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Syntax, A::Error> {
        let (mut tensors, mut metadata) = (BTreeMap::new(), None);
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA {
                let Notes(notes) = map.next_value().map_err(|error| Error::custom(format!("{METADATA}: {error}")))?;
                fill(&mut metadata, METADATA, notes)?;
                continue;
            }
            check_name(&name).map_err(Error::custom)?;
            if tensors.contains_key(&name) {
                return Err(Error::custom(format!("the tensor {name} twice")));
            }
            if tensors.len() == TENSORS {
                return Err(Error::custom(format!("more than {TENSORS} tensors")));
            }
            let entry = map.next_value().map_err(|error| Error::custom(format!("{name}: {error}")))?;
            tensors.insert(name, entry);
        }
        Ok(Syntax { tensors, metadata: metadata.unwrap_or_default() })
    }
}

/// Names reach messages and reports, and networks have names of letters, digits and a few signs.
fn check_name(name: &str) -> Result<(), String> {
    match name {
        "" => Err("a tensor without a name".into()),
        _ if name.len() > NAME => Err(format!("a name of {} bytes, more than {NAME}", name.len())),
        _ if !name.bytes().all(|b| b.is_ascii_graphic()) => Err(format!("a name with a strange letter, {name:?}")),
        _ => Ok(()),
    }
}

impl<'de> Deserialize<'de> for TensorEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = TensorEntry;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of dtype, shape and data_offsets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TensorEntry, A::Error> {
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "dtype" => fill(&mut dtype, "dtype", map.next_value()?)?,
                "shape" => fill(&mut shape, "shape", map.next_value::<Numbers>()?.0)?,
                "data_offsets" => fill(&mut offsets, "data_offsets", map.next_value::<Numbers>()?.0)?,
                _ => return Err(Error::custom(format!("the unknown key {key:?}"))),
            }
        }
        let offsets = offsets.ok_or_else(|| Error::missing_field("data_offsets"))?;
        let offsets = offsets
            .try_into()
            .map_err(|list: Vec<u64>| Error::custom(format!("{} data_offsets, not 2", list.len())))?;
        let dtype = dtype.ok_or_else(|| Error::missing_field("dtype"))?;
        Ok(TensorEntry { dtype, shape: shape.ok_or_else(|| Error::missing_field("shape"))?, offsets })
    }
}

fn fill<T, E: Error>(place: &mut Option<T>, key: &str, value: T) -> Result<(), E> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::custom(format!("the key {key} twice"))),
    }
}

/// A short list of whole numbers.
struct Numbers(Vec<u64>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(NumbersVisitor)
    }
}

struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of whole numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Numbers, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = list.next_element()? {
            if numbers.len() == RANK {
                return Err(Error::custom(format!("more than {RANK} numbers in a list")));
            }
            numbers.push(number);
        }
        Ok(Numbers(numbers))
    }
}

/// Metadata: strings by name.
struct Notes(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NotesVisitor)
    }
}

struct NotesVisitor;

impl<'de> Visitor<'de> for NotesVisitor {
    type Value = Notes;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Notes, A::Error> {
        let mut notes = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if notes.contains_key(&key) {
                return Err(Error::custom(format!("the key {key:?} twice")));
            }
            if notes.len() == NOTES {
                return Err(Error::custom(format!("more than {NOTES} notes")));
            }
            notes.insert(key, value);
        }
        Ok(Notes(notes))
    }
}
