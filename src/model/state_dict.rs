//! PyTorch's state dicts, read without PyTorch: both the zip container and the stream that PyTorch wrote before 1.6.
//!
//! Either holds a pickle that names each tensor's storage, type, shape and strides, and the storages' raw numbers. The
//! pickle is read as data: nothing in it is run.

use crate::{Error, Result};
use candle_core::pickle::{Object, Stack};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;
use std::io::{BufRead, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// First bytes of the stream format: a pickle of the number 0x1950a86a20f9469cfc6c, then one of the version, 1001.
const STREAM: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";

/// First bytes of a zip file.
const ZIP: &[u8] = b"PK\x03\x04";

/// Reads every tensor of a `.pth` file as single precision.
///
/// # Errors
/// A file that is neither container, is cut short or has bytes left over; an object that is not a dict of tensors; a
/// type of number other than half, bfloat16, float, double or long; a tensor that is not contiguous.
pub fn read(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let tensors = if bytes.starts_with(ZIP) {
        read_zip(&bytes)
    } else if bytes.starts_with(STREAM) {
        read_stream(&bytes[STREAM.len()..])
    } else {
        let start = crate::run::hex(&bytes[..bytes.len().min(4)]);
        Err(Fault(format!("a file of {} bytes that starts with {start:?}", bytes.len())))
    };
    tensors.map_err(|Fault(found)| Error::data(path, "a whole PyTorch state dict", found))
}

/// What is wrong with the file; the path is added at the end.
#[derive(Debug)]
struct Fault(String);

impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn fault<T>(found: impl ToString) -> Result<T, Fault> {
    Err(Fault(found.to_string()))
}

/// A tensor as the pickle describes it.
#[derive(Debug)]
struct Record {
    name: String,
    storage: String,
    dtype: DType,
    /// In numbers, not bytes.
    offset: usize,
    shape: Vec<usize>,
    /// Numbers in the whole storage.
    stored: usize,
}

fn read_zip(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, Fault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let names = archive.file_names().map(|name| name.map(|n| n.into_owned())).collect::<Result<Vec<_>, _>>()?;
    let Some(pickle) = names.iter().find(|name| name.ends_with("/data.pkl")) else {
        return fault("a zip file without data.pkl");
    };
    let folder = pickle.trim_end_matches(".pkl").to_string();
    let records = records(unpickle(&mut entry(&mut archive, pickle)?.as_slice())?)?;
    let mut storages = BTreeMap::new();
    for record in &records {
        if !storages.contains_key(&record.storage) {
            let data = entry(&mut archive, &format!("{folder}/{}", record.storage))?;
            storages.insert(record.storage.clone(), data);
        }
    }
    tensors(&records, &storages)
}

fn entry(archive: &mut zip::ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, Fault> {
    let mut data = Vec::new();
    archive.by_name(name)?.read_to_end(&mut data)?;
    Ok(data)
}

/// System facts, the dict, the sorted storage keys; then each storage: its count in 8 bytes, its numbers.
fn read_stream(mut rest: &[u8]) -> Result<BTreeMap<String, Tensor>, Fault> {
    unpickle(&mut rest)?;
    let records = records(unpickle(&mut rest)?)?;
    let Object::List(keys) = unpickle(&mut rest)? else { return fault("no list of storages") };
    let sizes: BTreeMap<&str, usize> = records.iter().map(|r| (r.storage.as_str(), r.dtype.size_in_bytes())).collect();
    let mut storages = BTreeMap::new();
    for key in keys {
        let key = text(key)?;
        let Some(size) = sizes.get(key.as_str()) else { return fault(format!("a storage {key} that no tensor uses")) };
        let count = u64::from_le_bytes(take(&mut rest, 8, &key)?.try_into()?);
        let length = usize::try_from(count)?.checked_mul(*size).unwrap_or(usize::MAX);
        storages.insert(key.clone(), take(&mut rest, length, &key)?.to_vec());
    }
    if !rest.is_empty() {
        return fault(format!("{} bytes after the last storage", rest.len()));
    }
    tensors(&records, &storages)
}

fn take<'a>(rest: &mut &'a [u8], length: usize, key: &str) -> Result<&'a [u8], Fault> {
    let Some((head, tail)) = rest.split_at_checked(length) else {
        return fault(format!("an end {} bytes into the {length} of storage {key}", rest.len()));
    };
    *rest = tail;
    Ok(head)
}

/// candle's reader panics on some malformed numbers, so a panic counts as a malformed pickle too.
fn unpickle(rest: &mut impl BufRead) -> Result<Object, Fault> {
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut stack = Stack::empty();
        stack.read_loop(rest)?;
        stack.finalize()
    }));
    match read {
        Ok(object) => object.map_err(|error| Fault(format!("a malformed pickle ({error})"))),
        Err(_) => fault("a malformed pickle"),
    }
}

fn records(object: Object) -> Result<Vec<Record>, Fault> {
    let Object::Dict(entries) = object else { return fault("an object that is not a dict of tensors") };
    let mut records = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        // The dict's own attribute, written behind its entries.
        if matches!(&name, Object::Unicode(name) if name == "_metadata") {
            continue;
        }
        let name = text(name)?;
        let Some(record) = record(&name, value) else {
            return fault(format!("an entry {name} that is not a contiguous tensor of a known type"));
        };
        records.push(record);
    }
    Ok(records)
}

/// `_rebuild_tensor_v2(('storage', type, key, place, stored, ...), offset, shape, strides, ...)`, perhaps inside
/// `_rebuild_parameter(tensor, ...)`.
fn record(name: &str, value: Object) -> Option<Record> {
    let (callable, arguments) = value.reduce().ok()?;
    let (_, class) = callable.class().ok()?;
    let mut arguments = arguments.tuple().ok()?.into_iter();
    match class.as_str() {
        "_rebuild_parameter" => return record(name, arguments.next()?),
        "_rebuild_tensor_v2" => {}
        _ => return None,
    }
    let storage = arguments.next()?.persistent_load().ok()?.tuple().ok()?;
    let offset = whole(arguments.next()?)?;
    let shape = wholes(arguments.next()?)?;
    let strides = wholes(arguments.next()?)?;
    let [_, Object::Class { class_name, .. }, Object::Unicode(key), _, stored, ..] = storage.as_slice() else {
        return None;
    };
    let record = Record {
        name: name.into(),
        storage: key.clone(),
        dtype: dtype(class_name)?,
        offset,
        stored: whole(stored.clone())?,
        shape,
    };
    is_contiguous(&record.shape, &strides).then_some(record)
}

fn dtype(class: &str) -> Option<DType> {
    Some(match class {
        "FloatStorage" => DType::F32,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "DoubleStorage" => DType::F64,
        "LongStorage" => DType::I64,
        _ => return None,
    })
}

/// Row-major; the stride of a side of one does not matter.
fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1_usize;
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(&side, &stride)| {
            let fits = side <= 1 || stride == step;
            step = step.saturating_mul(side);
            fits
        })
}

fn tensors(records: &[Record], storages: &BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, Tensor>, Fault> {
    records.iter().map(|record| Ok((record.name.clone(), tensor(record, storages)?))).collect()
}

fn tensor(record: &Record, storages: &BTreeMap<String, Vec<u8>>) -> Result<Tensor, Fault> {
    let Record { name, storage, dtype, offset, shape, stored } = record;
    let size = dtype.size_in_bytes();
    let data = storages.get(storage).map(Vec::as_slice).unwrap_or_default();
    if stored.checked_mul(size) != Some(data.len()) {
        return fault(format!("{} bytes for the {stored} numbers of {name}", data.len()));
    }
    let count = shape.iter().try_fold(1_usize, |count, side| count.checked_mul(*side));
    let end = count.and_then(|count| count.checked_add(*offset)).filter(|end| end <= stored);
    let Some(end) = end else { return fault(format!("{name} of shape {shape:?} in a storage of {stored} numbers")) };
    let tensor = Tensor::from_raw_buffer(&data[offset * size..end * size], *dtype, shape, &Device::Cpu)?;
    Ok(tensor.to_dtype(DType::F32)?)
}

fn text(object: Object) -> Result<String, Fault> {
    object.unicode().or_else(|_| fault("a name that is not text"))
}

fn whole(object: Object) -> Option<usize> {
    usize::try_from(object.int_or_long().ok()?).ok()
}

fn wholes(object: Object) -> Option<Vec<usize>> {
    object.tuple().ok()?.into_iter().map(whole).collect()
}
