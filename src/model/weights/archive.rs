//! A file of weights as the rest of the crate sees it: tensors by name, and faults with the file's name.

use super::Weights;
use super::fault::FileFault;
use super::reader::Reader;
use crate::model::{Allowance, LoadReport, Parameters};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

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
        let metadata = path.metadata().map_err(Error::io(path))?;
        if !metadata.is_file() {
            return Err(Error::data(path, "a file", if metadata.is_dir() { "a folder" } else { "a pipe or device" }));
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

    /// The writer's metadata: any text, so not to be printed as it is.
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
/// The file is untrusted. The numbers are F32, F16 or BF16; PyTorch's whole numbers `num_batches_tracked` and
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

pub(super) fn place(fault: FileFault, path: &Path) -> Error {
    match fault {
        FileFault::Data { expected, found } => Error::data(path, expected, found),
        FileFault::Io(error) => Error::io(path)(error),
    }
}
