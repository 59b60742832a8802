//! Weights on disk: safetensors with the same bytes for the same tensors, read strictly, as from a stranger.
//!
//! `fault`, `syntax`, `header` and `reader` know nothing of the rest of the crate, so that `tests/fuzz` can build them
//! alone.

mod fault;
mod header;
mod reader;
mod syntax;

use super::{Allowance, LoadReport, Parameters};
use crate::{Error, Result, run};
use candle_core::{DType, Device, Tensor};
use fault::Fault;
use header::Header;
use reader::Reader;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

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
    /// What the writer noted: architecture, source, digest.
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
    Header::parse(&text, 0, data.len() as u64).map_err(|fault| place(fault, path))?;
    let bytes = [(text.len() as u64).to_le_bytes().as_slice(), &text, &data].concat();
    run::write_atomic(path, &bytes)
}

/// A weights file whose header is checked and whose numbers are still to be read.
///
/// The header's length, the file's length, names, kinds, shapes and offsets are found to fit before memory is taken for
/// a number, so that a caller can refuse names and shapes too.
///
/// ```
/// use retrace::model::weights::Archive;
/// use std::{io::Cursor, path::Path};
/// let text = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
/// let numbers = [1.0_f32, 2.5].map(f32::to_le_bytes).concat();
/// let bytes = [(text.len() as u64).to_le_bytes().as_slice(), text, &numbers].concat();
/// let mut archive = Archive::new(Cursor::new(&bytes), Path::new("two"))?;
/// assert_eq!(archive.shapes().collect::<Vec<_>>(), [("a", [2].as_slice())]);
/// assert_eq!(archive.tensor("a")?.to_vec1::<f32>()?, [1.0, 2.5]);
/// let error = Archive::new(Cursor::new(&bytes[..60]), Path::new("cut")).unwrap_err().to_string();
/// assert!(error.starts_with("cut: expected"));
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug)]
pub struct Archive<R = File> {
    path: PathBuf,
    reader: Reader<R>,
}

impl Archive {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// A missing file, one that is not safetensors or is cut short, one beyond the limits of [`read`].
    pub fn open(path: &Path) -> Result<Self> {
        // A pipe would wait for a writer, a device may have no end.
        if !path.metadata().map_err(Error::io(path))?.is_file() {
            return Err(Error::data(path, "a file", "a folder, pipe or device"));
        }
        Self::new(File::open(path).map_err(Error::io(path))?, path)
    }
}

impl<R: Read + Seek> Archive<R> {
    /// Checks the header of whatever holds bytes; messages call it `path`.
    ///
    /// # Errors
    /// As [`Archive::open`].
    pub fn new(source: R, path: &Path) -> Result<Self> {
        let reader = Reader::new(source).map_err(|fault| place(fault, path))?;
        Ok(Self { path: path.to_path_buf(), reader })
    }

    /// Names and shapes, in alphabetical order.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.reader.header().tensors.iter().map(|(name, info)| (name.as_str(), info.shape.as_slice()))
    }

    /// What the writer noted: any text, so not to be printed as it is.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.reader.header().metadata
    }

    /// Reads one tensor, as single precision on the CPU.
    ///
    /// # Errors
    /// A name that is not in the file, numbers that are not finite, a file that changed since it was opened.
    pub fn tensor(&mut self, name: &str) -> Result<Tensor> {
        let numbers = self.reader.numbers(name).map_err(|fault| place(fault, &self.path))?;
        let shape = self.reader.header().tensors.get(name).map(|info| info.shape.as_slice()).unwrap_or_default();
        Ok(Tensor::from_vec(numbers, shape, &Device::Cpu)?)
    }
}

/// Reads a weights file, tensor by tensor: beside what it returns it takes memory for the header and 64 kB.
///
/// A file may come from a stranger. The numbers are F32, F16 or BF16; PyTorch's whole numbers `num_batches_tracked` and
/// `position_ids` are read too, since a strict load counts every name. Refused are a file above 8 GiB, a header above
/// 4 MiB, more than 10 000 tensors, 8 dimensions or 256 letters to a name, and names with other letters than those of
/// ASCII that can be seen.
///
/// # Errors
/// A missing file, one that is not safetensors or is cut short, one beyond these limits; a key that stands twice;
/// offsets that leave bytes out or share them; numbers of another kind or not finite.
pub fn read(path: &Path) -> Result<Weights> {
    collect(Archive::open(path)?)
}

/// As [`read`], from whatever holds bytes; messages call it `path`.
///
/// # Errors
/// As [`read`].
pub fn read_from(source: impl Read + Seek, path: &Path) -> Result<Weights> {
    collect(Archive::new(source, path)?)
}

fn collect(mut archive: Archive<impl Read + Seek>) -> Result<Weights> {
    let names: Vec<String> = archive.shapes().map(|(name, _)| name.to_string()).collect();
    let mut read = |name: String| archive.tensor(&name).map(|tensor| (name, tensor));
    let tensors = names.into_iter().map(&mut read).collect::<Result<_>>()?;
    Ok(Weights { tensors, metadata: archive.metadata().clone() })
}

/// Reads a weights file into a network, strictly: names and shapes are compared before a number is read, and allowed
/// extras are not read at all.
///
/// # Errors
/// As [`read`]; a missing, extra or misshapen tensor that is not allowed: then nothing is replaced.
pub fn load(path: &Path, parameters: &Parameters, allowance: &Allowance) -> Result<LoadReport> {
    let mut archive = Archive::open(path)?;
    let report = parameters.compare_shapes(&archive.shapes().collect());
    report.check(allowance).map_err(|error| match error {
        Error::Value { expected, found, .. } => Error::data(path, expected, found),
        other => other,
    })?;
    let mut read = |name: &String| archive.tensor(name).map(|tensor| (name.clone(), tensor));
    let tensors = report.loaded.iter().map(&mut read).collect::<Result<_>>()?;
    parameters.load_allowing(&tensors, allowance)?;
    Ok(report)
}

fn place(fault: Fault, path: &Path) -> Error {
    match fault {
        Fault::Data { expected, found } => Error::data(path, expected, found),
        Fault::Io(error) => Error::io(path)(error),
    }
}

/// Whether every number is finite; the zero times of anything else is NaN.
pub(crate) fn is_finite(tensor: &Tensor) -> Result<bool> {
    Ok((tensor.flatten_all()? * 0.0)?.sum_all()?.to_scalar::<f32>()? == 0.0)
}

fn append(data: &mut Vec<u8>, name: &str, tensor: &Tensor, storage: Storage) -> Result<()> {
    let stored = tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.to_dtype(storage.dtype().0)?.flatten_all()?;
    if !is_finite(&stored.to_dtype(DType::F32)?)? {
        return Err(Error::value(name, format!("finite numbers that {storage:?} can hold"), "one that is not"));
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
    fn what_is_written_reads_back() {
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
    fn the_same_tensors_give_the_same_bytes() {
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
    fn what_is_not_whole_is_refused() {
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
            run::write_atomic(&path, bytes).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("w.safetensors: expected"), "{error}");
        }
        assert!(read(&place.path().join("absent")).unwrap_err().to_string().contains("absent"));
    }
}
