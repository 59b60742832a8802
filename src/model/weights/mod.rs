//! Weights on disk: safetensors with the same bytes for the same tensors, read strictly, as untrusted input.
//!
//! `fault`, `syntax`, `header` and `reader` know nothing of the rest of the crate, so that `tests/fuzz` can build them
//! alone.

mod archive;
mod fault;
mod header;
mod reader;
mod syntax;

pub use archive::{Archive, load, read, read_from};

use crate::{Error, Result, file};
use archive::place;
use candle_core::{DType, Device, Tensor};
use header::WeightsHeader;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// How numbers are stored. Whatever it is, they are read back as single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// 4 bytes, exact.
    #[default]
    F32,
    /// 2 bytes, 11 significant bits, magnitudes up to 65504.
    F16,
    /// 2 bytes, 8 significant bits, every magnitude of single precision.
    Bf16,
}

impl Storage {
    fn dtype(self) -> (DType, &'static str) {
        match self {
            Self::F32 => (DType::F32, "F32"),
            Self::F16 => (DType::F16, "F16"),
            Self::Bf16 => (DType::BF16, "BF16"),
        }
    }
}

/// The content of a weights file.
#[derive(Debug, Clone)]
pub struct Weights {
    /// By name, as single precision on the CPU.
    pub tensors: BTreeMap<String, Tensor>,
    /// The writer's metadata: architecture, source, digest.
    pub metadata: BTreeMap<String, String>,
}

/// Writes tensors in alphabetical order, whole or not at all; the same input gives the same bytes.
///
/// # Errors
/// A number that is not finite or does not fit the storage; a tensor that [`read`] would refuse, such as one without
/// numbers; a folder that cannot be written.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::model::weights::{Storage, read, save};
/// use std::collections::BTreeMap;
/// let path = tempfile::tempdir().unwrap().path().join("w.safetensors");
/// let tensors = BTreeMap::from([("bias".to_string(), Tensor::new(&[0.5_f32, 1.0 / 3.0], &Device::Cpu)?)]);
/// save(&path, &tensors, Storage::Bf16, &BTreeMap::new())?;
/// assert_eq!(read(&path)?.tensors["bias"].to_vec1::<f32>()?, [0.5, 0.33398438]); // 8 significant bits
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn save(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    storage: Storage,
    metadata: &BTreeMap<String, String>,
) -> Result<()> {
    // Own header: the safetensors crate writes metadata in the order of a hash map, which differs from run to run.
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".into(), serde_json::to_value(metadata)?);
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let start = data.len();
        append(&mut data, name, tensor, storage)?;
        let entry = serde_json::json!({
            "dtype": storage.dtype().1, "shape": tensor.dims(), "data_offsets": [start, data.len()],
        });
        header.insert(name.clone(), entry);
    }
    let mut text = serde_json::to_vec(&header)?;
    text.resize(text.len().next_multiple_of(8), b' '); // so that the numbers are aligned
    // What is written can be read.
    WeightsHeader::parse(&text, 0, data.len() as u64).map_err(|fault| place(fault, path))?;
    let bytes = [(text.len() as u64).to_le_bytes().as_slice(), &text, &data].concat();
    file::write_atomic(path, &bytes)
}

/// Whether every number is finite; the zero times of anything else is NaN.
pub(crate) fn is_finite(tensor: &Tensor) -> Result<bool> {
    Ok((tensor.flatten_all()? * 0.0)?.sum_all()?.to_scalar::<f32>()? == 0.0)
}

fn append(data: &mut Vec<u8>, name: &str, tensor: &Tensor, storage: Storage) -> Result<()> {
    let stored = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.to_dtype(storage.dtype().0)?.flatten_all()?;
    if !is_finite(&stored.to_dtype(DType::F32)?)? {
        let numbers = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let kept = stored.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        let found =
            numbers.iter().zip(kept).find(|(_, kept)| !kept.is_finite()).map_or(f32::NAN, |(number, _)| *number);
        return Err(Error::value(name, format!("finite numbers that {storage:?} can hold"), found));
    }
    match storage {
        Storage::F32 => stored.to_vec1::<f32>()?.iter().for_each(|v| data.extend(v.to_le_bytes())),
        Storage::F16 => stored.to_vec1::<half::f16>()?.iter().for_each(|v| data.extend(v.to_le_bytes())),
        Storage::Bf16 => stored.to_vec1::<half::bf16>()?.iter().for_each(|v| data.extend(v.to_le_bytes())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(values: &[f32]) -> BTreeMap<String, Tensor> {
        let tensor = |v: &[f32]| Tensor::new(v, &Device::Cpu).unwrap();
        BTreeMap::from([("z.weight".to_string(), tensor(values)), ("a.bias".to_string(), tensor(&[1.0, -2.0]))])
    }

    fn notes() -> BTreeMap<String, String> {
        (0..9).map(|i| (format!("key{i}"), format!("value {i}"))).collect()
    }

    #[test]
    fn weights_read_back_as_written() {
        let place = tempfile::tempdir().unwrap();
        let small = 2.0_f32.powi(-70);
        for (storage, expected) in [
            (Storage::F32, [0.1, 3.0, -small]),
            (Storage::F16, [0.099975586, 3.0, 0.0]),
            (Storage::Bf16, [0.100097656, 3.0, -small]),
        ] {
            let path = place.path().join(format!("{storage:?}.safetensors"));
            save(&path, &tensors(&[0.1, 3.0, -small]), storage, &notes()).unwrap();
            let weights = read(&path).unwrap();
            assert_eq!(weights.metadata, notes());
            assert_eq!(weights.tensors.keys().collect::<Vec<_>>(), ["a.bias", "z.weight"]);
            assert_eq!(weights.tensors["z.weight"].to_vec1::<f32>().unwrap(), expected);
        }
    }

    #[test]
    fn save_gives_the_same_bytes_for_the_same_tensors() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = place.path().join(name);
            save(&path, &tensors(&[0.5]), Storage::F16, &notes()).unwrap();
            std::fs::read(path).unwrap()
        };
        assert_eq!(write("one"), write("two"));
        assert_eq!(write("one").len() % 2, 0);
    }

    #[test]
    fn read_refuses_incomplete_files() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("w.safetensors");
        for value in [f32::NAN, f32::INFINITY, 1e6] {
            let error = save(&path, &tensors(&[value]), Storage::F16, &notes()).unwrap_err().to_string();
            assert!(error.contains("z.weight") && !path.exists(), "{error}");
        }
        save(&path, &tensors(&[1.0, 2.0]), Storage::F32, &notes()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut poisoned = whole.clone();
        let end = poisoned.len();
        poisoned[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        for bytes in [&whole[..end - 1], &whole[..20], &[], b"not safetensors at all", &poisoned] {
            file::write_atomic(&path, bytes).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("w.safetensors: expected"), "{error}");
        }
        assert!(read(&place.path().join("absent")).unwrap_err().to_string().contains("absent"));
    }
}
